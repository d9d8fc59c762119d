//! What is wrong with the duties and service levels of a clause.

use std::collections::BTreeMap;

use rhai::Position;

use super::{Lowering, Node, Op};
use crate::diagnostic::{Code, Diagnostic};
use crate::program::{Function, Program};
use crate::vocabulary::{DutyWhen, Measure, Value, WORDS};

/// What is known of a duty or a level that a list holds.
#[derive(Clone)]
struct Seen {
    name: String,
    has_time: bool,
    has_length: bool,
    /// A level that counts clocks, not outages.
    in_time: bool,
    at: Position,
}

/// The one value of each variable that is set once.
type Held<'p> = BTreeMap<u16, Option<&'p Node>>;

/// Words of levels that count outages.
const OF_OUTAGES: [&str; 3] = ["of_service", "announced", "planned_counts"];

impl Lowering<'_> {
    pub(super) fn duty_findings(&mut self, program: &Program) {
        for (entry, what) in [(super::DUTIES, "duty"), (super::LEVELS, "level")] {
            let Some(Some(function)) = program.entries.get(entry) else { continue };
            let held = held(function);
            let (mut lists, mut misfits) = (Vec::new(), Vec::new());
            function.body.walk(&mut |node| match &node.op {
                Op::List(items) => lists.push(items),
                Op::Word { word, args, .. } => {
                    let word = WORDS.get(usize::from(*word)).map_or("", |word| word.names[0]);
                    let of = args.first().filter(|_| OF_OUTAGES.contains(&word));
                    if of.is_some_and(|of| seen(of, &held).0.iter().any(|seen| seen.in_time)) {
                        misfits.push((word, node.at));
                    }
                }
                _ => {}
            });
            for (word, at) in misfits {
                let message = format!("`{word}` is for `availability`, which counts outages");
                self.error(Code::CONSTANT, at, message);
            }
            for items in lists {
                let seen: Vec<(Vec<Seen>, bool)> = items.iter().map(|item| seen(item, &held)).collect();
                self.check_duties(&seen, what);
            }
        }
    }

    /// The items of one list; each may be one of several.
    fn check_duties(&mut self, items: &[(Vec<Seen>, bool)], what: &str) {
        let mut named: Vec<&Seen> = Vec::new();
        for (item, complete) in items {
            // An item that has one name whatever happens.
            if let Some((first, rest)) = item.split_first().filter(|_| *complete)
                && rest.iter().all(|other| other.name == first.name)
            {
                if let Some(other) = named.iter().find(|other| other.name == first.name) {
                    let message = format!("the {what} `{}` is set twice", first.name);
                    let told = Diagnostic::new(Code::CLOCK_TWICE, self.name_place(first.at), message);
                    let other = self.name_place(other.at);
                    self.tell(told.related(other, "set here first"));
                }
                named.push(first);
            }
            for duty in item {
                let name = &duty.name;
                let place = self.source.place(duty.at);
                if !duty.has_time {
                    let message = format!("the duty `{name}` never comes: say `.every(...)` or `.once()`");
                    self.tell(Diagnostic::new(Code::DUTY, place.clone(), message));
                }
                if !duty.has_length {
                    let message = format!("the duty `{name}` has no end: say `.within(...)`");
                    self.tell(Diagnostic::new(Code::DUTY, place, message));
                }
            }
        }
    }
}

/// Variables that are set once stand for what they were set to.
fn held(function: &Function) -> Held<'_> {
    let mut held = Held::new();
    function.body.walk(&mut |node| {
        if let Op::Set { slot, value, .. } = &node.op {
            let first = !held.contains_key(slot);
            held.insert(*slot, first.then_some(&**value));
        }
    });
    held
}

fn known(value: &Value, at: Position) -> Option<Seen> {
    match value {
        Value::Duty(duty) => {
            let unset = matches!(&duty.when, DutyWhen::Every(rule) if rule.is_empty());
            let (name, has_length) = (duty.name.to_string(), duty.length.is_some());
            Some(Seen { name, has_time: !unset, has_length, in_time: false, at })
        }
        Value::Level(level) => {
            let in_time = matches!(level.measure, Measure::InTime(_));
            Some(Seen { name: level.name.to_string(), has_time: true, has_length: true, in_time, at })
        }
        _ => None,
    }
}

/// What a node may be, as far as it can be seen.
struct Seeing<'p> {
    held: &'p Held<'p>,
    /// How many parts may still be looked at: variables in branches of variables grow without end.
    left: usize,
}

impl Seeing<'_> {
    /// Adds what the node may be, and says whether that is all.
    fn see(&mut self, node: &Node, into: &mut Vec<Seen>) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        match &node.op {
            Op::Const(value) => known(value, node.at).map(|seen| into.push(seen)).is_some(),
            Op::Slot(slot) => match self.held.get(slot).copied().flatten() {
                Some(value) => self.see(value, into),
                None => false,
            },
            Op::Call { body, .. } => self.see(body, into) && !body.returns(),
            Op::Block(nodes) => match nodes.last() {
                Some(last) => self.see(last, into),
                None => false,
            },
            Op::If(pair, Some(other)) => {
                let [_, then] = &**pair;
                let all = self.see(then, into);
                self.see(other, into) && all
            }
            Op::Switch(switch) => {
                let arms: Vec<bool> = switch.arms.iter().map(|arm| self.see(arm, into)).collect();
                arms.iter().all(|all| *all)
            }
            Op::Word { word, args, .. } => {
                let word = WORDS.get(usize::from(*word)).map_or("", |word| word.names[0]);
                let Some(of) = args.first() else { return false };
                let before = into.len();
                let all = self.see(of, into);
                for duty in into.iter_mut().skip(before) {
                    duty.has_length |= word == "within";
                    duty.has_time |= matches!(word, "every" | "once");
                }
                all
            }
            _ => false,
        }
    }
}

/// What a node may be, one for each branch, and whether that is all.
fn seen(node: &Node, held: &Held<'_>) -> (Vec<Seen>, bool) {
    let mut all = Vec::new();
    let complete = Seeing { held, left: 200 }.see(node, &mut all);
    (all, complete)
}
