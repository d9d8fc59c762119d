//! What is wrong with the clocks of a clause, and with the steps of its ladders.

use rhai::{ImmutableString, Position};

use super::{Lowering, Node, Op};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::nearest::hint;
use crate::program::Program;
use crate::vocabulary::{Value, WORDS};

/// What is known of a clock that a list holds.
struct Seen {
    name: String,
    after: Option<String>,
    has_length: bool,
    has_stop: bool,
    at: Position,
}

impl Lowering<'_> {
    pub(super) fn clock_findings(&mut self, program: &Program) {
        let entry = |place: usize| program.entries.get(place).and_then(Option::as_ref);
        if let Some(deadlines) = entry(1) {
            let mut lists = Vec::new();
            deadlines.body.walk(&mut |node| {
                if let Op::List(items) = &node.op {
                    lists.push(items);
                }
            });
            for items in lists {
                let seen: Vec<Seen> = items.iter().filter_map(seen).collect();
                self.check_clocks(&seen);
            }
        }
        if let Some(escalation) = entry(4) {
            let mut silent = Vec::new();
            escalation.body.walk(&mut |node| {
                if let Op::List(items) = &node.op {
                    silent.extend(items.iter().filter_map(|item| Some((silent_step(item)?, item.at))));
                }
            });
            for (clock, at) in silent {
                self.error(
                    Code::STEP_SILENT,
                    at,
                    format!("a step of `{clock}` tells nobody: say `.notify(\"role\")`"),
                );
            }
        }
    }

    fn check_clocks(&mut self, clocks: &[Seen]) {
        for (i, clock) in clocks.iter().enumerate() {
            let name = &clock.name;
            let earlier = clocks.get(..i).unwrap_or_default();
            if let Some(first) = earlier.iter().find(|other| other.name == *name) {
                let place = self.name_place(clock.at);
                let diagnostic =
                    Diagnostic::new(Code::CLOCK_TWICE, place, format!("the clock `{name}` is set twice"));
                let other = self.name_place(first.at);
                self.tell(diagnostic.related(other, "set here first"));
            }
            if !clock.has_stop {
                let place = self.source.place(clock.at);
                let message = format!("the clock `{name}` can never be met: say `.met_by(...)`");
                self.tell(Diagnostic::new(Code::CLOCK_UNMET, place, message));
            }
            if !clock.has_length {
                let place = self.source.place(clock.at);
                let message = format!("the clock `{name}` has no end: say `.within(...)` or `.by(...)`");
                self.tell(Diagnostic::new(Code::CLOCK_ENDLESS, place, message));
            }
            if let Some(parent) = &clock.after
                && !earlier.iter().any(|other| other.name == *parent)
            {
                let near = hint(parent, earlier.iter().map(|other| other.name.as_str()));
                let message = format!(
                    "the clock `{name}` starts after `{parent}`, which is not set before it in this clause{near}"
                );
                let place = self.text_after(clock.at, parent).unwrap_or_else(|| self.name_place(clock.at));
                self.tell(Diagnostic::new(Code::UNKNOWN_CLOCK, place, message));
            }
        }
    }

    /// The place of a clock's name: the text after `due(`.
    pub(super) fn name_place(&self, due: Position) -> Place {
        let name = self.source.at(due).and_then(|i| self.source.tokens.get(i + 2));
        match name {
            Some(token) if token.text.starts_with('"') => self.source.place_of(token),
            _ => self.source.place(due),
        }
    }

    /// The place of a text that follows somewhere after a position.
    fn text_after(&self, at: Position, text: &str) -> Option<Place> {
        let quoted = format!("\"{text}\"");
        let rest = self.source.tokens.get(self.source.at(at)? + 3..)?;
        rest.iter().find(|token| token.text == quoted).map(|token| self.source.place_of(token))
    }
}

/// The clock of a step that tells nobody.
fn silent_step(node: &Node) -> Option<String> {
    match &node.op {
        Op::Const(Value::Step(step)) if step.roles.is_empty() => Some(step.clock.to_string()),
        Op::Word { word, args, .. } if !is_notify(*word) => match args.first().map(|arg| &arg.op) {
            Some(Op::Const(Value::Text(clock))) => Some(clock.to_string()),
            _ => None,
        },
        _ => None,
    }
}

fn is_notify(word: u16) -> bool {
    WORDS.get(usize::from(word)).is_some_and(|word| word.names[0] == "notify")
}

/// What a node of a list says of its clock, if it can be seen.
fn seen(node: &Node) -> Option<Seen> {
    match &node.op {
        Op::Deadline { known, fill } => {
            let fills = |names: &[&str]| {
                fill.iter().any(|filling| {
                    WORDS.get(usize::from(filling.word)).is_some_and(|word| names.contains(&word.names[0]))
                })
            };
            Some(Seen {
                name: known.name.to_string(),
                after: known.after_breach_of.as_deref().map(str::to_owned),
                has_length: known.length.is_some() || fills(&["within", "by", "before"]),
                has_stop: !known.stops.is_empty() || fills(&["met_by"]),
                at: node.at,
            })
        }
        Op::Call { body, .. } => seen(body),
        Op::Block(nodes) => seen(nodes.last()?),
        Op::Word { word, args, .. } => {
            let mut clock = seen(args.first()?)?;
            match WORDS.get(usize::from(*word))?.names[0] {
                "within" | "by" | "before" => clock.has_length = true,
                "met_by" => clock.has_stop = true,
                "after_breach_of" => {
                    if let Some(Node { op: Op::Const(Value::Text(text)), .. }) = args.get(1) {
                        clock.after = Some(ImmutableString::to_string(text));
                    }
                }
                _ => {}
            }
            Some(clock)
        }
        _ => None,
    }
}
