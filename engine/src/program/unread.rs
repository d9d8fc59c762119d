//! Values that are given to a variable and never read.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{ImmutableString, Position};

use super::source::Source;
use super::{Node, Op, Program};
use crate::diagnostic::{Code, Diagnostic, Place};

/// What became of the values given at one place of the text: a function that is called twice gives each twice.
#[derive(Default)]
struct Given {
    name: ImmutableString,
    declares: bool,
    read: bool,
}

#[derive(Default)]
struct Walk {
    /// By the place of the variable's name.
    given: BTreeMap<(usize, usize), Given>,
    /// What is read after each of the calls that the walk is in.
    after: Vec<Vec<bool>>,
}

/// Tells of values that no path reads. `stood_in` are variables that were read, but whose known values stand in for them.
pub(super) fn check(
    program: &Program,
    source: &Source,
    stood_in: &BTreeSet<Place>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut walk = Walk::default();
    for function in program.entries.iter().flatten() {
        let mut live = vec![false; function.slots];
        walk.back(&function.body, &mut live);
    }
    for ((line, column), given) in walk.given {
        if given.read || given.name.is_empty() || given.name.starts_with('_') {
            continue;
        }
        let place = source.place(Position::new(
            u16::try_from(line).unwrap_or(u16::MAX),
            u16::try_from(column).unwrap_or(u16::MAX),
        ));
        if stood_in.contains(&place) {
            continue;
        }
        let message = match given.declares {
            true => format!("`{}` is given a value that nothing reads", given.name),
            false => format!("this value of `{}` is never read", given.name),
        };
        diagnostics.push(Diagnostic::new(Code::UNREAD, place, message).help("leave it out, or use it"));
    }
}

impl Walk {
    /// Goes through a node against the order of evaluation; `live` are the variables that are read later.
    fn back(&mut self, node: &Node, live: &mut Vec<bool>) {
        match &node.op {
            Op::Slot(slot) => {
                if let Some(live) = live.get_mut(usize::from(*slot)) {
                    *live = true;
                }
            }
            Op::Set { slot, value, name, declares } => {
                let read = live.get_mut(usize::from(*slot)).map(std::mem::take).unwrap_or(false);
                if let (Some(line), Some(column)) = (node.at.line(), node.at.position()) {
                    let given = self.given.entry((line, column)).or_default();
                    given.name = name.clone();
                    given.declares = *declares;
                    given.read |= read;
                }
                self.back(value, live);
            }
            Op::If(pair, other) => {
                let [condition, then] = &**pair;
                let mut otherwise = live.clone();
                self.back(then, live);
                if let Some(other) = other {
                    self.back(other, &mut otherwise);
                }
                join(live, &otherwise);
                self.back(condition, live);
            }
            Op::Switch(switch) => {
                let after = live.clone();
                if switch.default.is_some() {
                    live.fill(false);
                }
                for arm in &switch.arms {
                    let mut arm_live = after.clone();
                    self.back(arm, &mut arm_live);
                    join(live, &arm_live);
                }
                self.back(&switch.on, live);
            }
            Op::Call { args, body, .. } => {
                self.after.push(live.clone());
                self.back(body, live);
                self.after.pop();
                for arg in args.iter().rev() {
                    self.back(arg, live);
                }
            }
            Op::Return(value) => {
                match self.after.last() {
                    Some(after) => live.clone_from(after),
                    None => live.fill(false),
                }
                self.back(value, live);
            }
            _ => {
                for below in node.below().into_iter().rev() {
                    self.back(below, live);
                }
            }
        }
    }
}

fn join(live: &mut [bool], other: &[bool]) {
    for (mine, theirs) in live.iter_mut().zip(other) {
        *mine |= theirs;
    }
}
