//! Words and functions.

use rhai::{FnCallExpr, ImmutableString, Position};

use super::{Lowering, Node, Op, Type, begins, unknown};
use crate::diagnostic::{Code, Diagnostic};
use crate::nearest::hint;
use crate::program::{Elapse, Filling};
use crate::terms::PeriodUnit;
use crate::vocabulary::{NAMES_MAX, Sort, Take, Value, WORDS, Word, words_named};

/// An argument with the place where it begins.
pub(super) struct Arg {
    pub(super) node: Node,
    pub(super) at: Position,
}

impl Lowering<'_> {
    pub(super) fn call(&mut self, call: &FnCallExpr, at: Position) -> Node {
        let name = call.name.as_str();
        // What parts a time is cut into is a unit, not a number of the contract.
        let units = counts_units(name);
        let mut args = Vec::new();
        for (i, arg) in call.args.iter().enumerate() {
            self.counts_units = units && i > 0;
            args.push(Arg { node: self.operand(arg), at: begins(arg) });
            self.counts_units = false;
        }
        self.called(&call.name, args, at)
    }

    /// A word or a function of the clause with its arguments, the receiver of a method first.
    pub(super) fn called(&mut self, name: &ImmutableString, args: Vec<Arg>, at: Position) -> Node {
        if let Some(script) = self.scripts.get(name.as_str()) {
            self.called.push(name.clone());
            if script.params.len() != args.len() {
                let message =
                    format!("`{name}` takes {} argument(s), not {}", script.params.len(), args.len());
                let place = self.script_place(name);
                let diagnostic = Diagnostic::new(Code::ARGUMENT, self.source.place(at), message);
                self.tell(diagnostic.related(place, "defined here"));
                return unknown(at);
            }
            let args = args.into_iter().map(|arg| arg.node).collect();
            return self.inlined(script, args, at).unwrap_or_else(|| unknown(at));
        }
        if words_named(name).next().is_none() {
            return self.unknown_word(name, at);
        }
        if args.iter().any(|arg| arg.node.of.is_settled()) {
            return Node { of: self.settled_type(name), ..unknown(at) };
        }
        let found = words_named(name).find(|(_, word)| takes(word, &args));
        match found {
            Some((place, word)) => self.word(place, word, args, at),
            None => self.misfit(name, &args, at),
        }
    }

    /// What a word gives although an argument is unknown, so that one mistake is told once.
    fn settled_type(&self, name: &str) -> Type {
        let mut all = words_named(name).map(|(_, word)| word.gives);
        let first = all.next();
        match first {
            Some(sort) if all.all(|other| other == sort) && sort != Sort::Days => Type::of(sort),
            _ => Type::Unknown,
        }
    }

    fn unknown_word(&mut self, name: &str, at: Position) -> Node {
        let (code, message) = match name {
            "eval" => {
                (Code::EVAL, "`eval` is not part of the language: what runs is what is written".to_owned())
            }
            "Fn" | "call" | "curry" => (
                Code::CLOSURE,
                format!("`{name}` is not part of the language: call functions by their names"),
            ),
            _ if name.starts_with("anon$") => {
                (Code::CLOSURE, "a function without a name: define it with `fn`".to_owned())
            }
            _ => {
                let own = self.scripts.keys().map(ImmutableString::as_str);
                let near = hint(name, own.chain(WORDS.iter().flat_map(|word| word.names)));
                (Code::UNKNOWN_WORD, format!("unknown function `{name}`{near}"))
            }
        };
        self.refuse(code, at, message)
    }

    /// No row of the table takes these arguments: says which one does not fit.
    fn misfit(&mut self, name: &str, args: &[Arg], at: Position) -> Node {
        let rows: Vec<&Word> = words_named(name).map(|(_, word)| word).collect();
        if rows.iter().any(|word| word.names[0] == "of") {
            let first_two = args.iter().take(2).map(|arg| arg.node.of.sort()).collect::<Vec<_>>();
            if first_two == [Some(Sort::Share), Some(Sort::Money)] {
                let message = "a share of an amount needs a named rounding";
                let help = "say `.of(amount, \"half_up\")`: half_up, half_even, down or up";
                let place = self.source.place(at);
                self.tell(Diagnostic::new(Code::FRACTION, place, message).help(help));
                return unknown(at);
            }
        }
        let shape = |word: &Word| {
            let takes: Vec<_> = word.takes.iter().map(|take| take.sort.name()).collect();
            format!("{}({}{})", name, takes.join(", "), if word.repeats { ", ..." } else { "" })
        };
        let shapes: Vec<String> = rows.iter().map(|word| shape(word)).collect();
        let fits = |take: &Take, arg: &Arg| arg.node.of.sort() == Some(take.sort);
        let same_count = rows.iter().filter(|word| counts(word, args.len()));
        let best = same_count
            .max_by_key(|word| word.takes.iter().zip(args).take_while(|(take, arg)| fits(take, arg)).count());
        let expected = format!("expected {}", shapes.join(" or "));
        match best {
            None => {
                let message = format!("`{name}` does not take {} argument(s): {expected}", args.len());
                self.refuse(Code::ARGUMENT, at, message)
            }
            Some(word) => {
                let wrong = word.takes.iter().zip(args).find(|(take, arg)| !fits(take, arg));
                // Beyond the written parameters only the repeated one can be wrong.
                let last = word
                    .takes
                    .last()
                    .zip(args.iter().find(|arg| arg.node.of.sort() != word.takes.last().map(|t| t.sort)));
                let Some((take, arg)) = wrong.or(last) else { return unknown(at) };
                let message = format!("`{name}` takes {} here, not {}: {expected}", take.sort, arg.node.of);
                let place = self.source.place(arg.at);
                self.tell(Diagnostic::new(Code::ARGUMENT, place, message).label(arg.node.of.to_string()));
                unknown(at)
            }
        }
    }

    /// A word whose arguments fit.
    fn word(&mut self, place: usize, word: &'static Word, args: Vec<Arg>, at: Position) -> Node {
        if !self.names_fit(word, &args) {
            return Node { of: Type::of(word.gives), ..unknown(at) };
        }
        if let Some(asked) = self.asked(word, &args, at) {
            return match args.into_iter().next() {
                Some(arg) => self.chosen(arg.node, asked),
                None => asked,
            };
        }
        let of = self.word_type(word, &args, at);
        let nodes: Vec<Node> = args.into_iter().map(|arg| arg.node).collect();
        self.applied(place, word, nodes, of, at)
    }

    /// Applies a word: at once to values that are known, to a deadline by filling it in.
    pub(super) fn applied(
        &mut self,
        place: usize,
        word: &'static Word,
        mut nodes: Vec<Node>,
        of: Type,
        at: Position,
    ) -> Node {
        let word_place = u16::try_from(place).unwrap_or(u16::MAX);
        // What is wrong with an argument was told.
        if nodes.iter().any(|node| matches!(node.op, Op::Const(Value::Nothing))) {
            return Node { of, ..unknown(at) };
        }
        let known = |node: &Node| matches!(node.op, Op::Const(_));
        if nodes.iter().all(known) {
            let mut values: Vec<Value> = nodes
                .iter()
                .filter_map(|node| match &node.op {
                    Op::Const(value) => Some(value.clone()),
                    _ => None,
                })
                .collect();
            return match (word.act)(self.words, &mut values) {
                Ok(Value::Deadline(due)) => self.node(Op::Deadline { known: due, fill: Vec::new() }, of, at),
                Ok(value @ (Value::Duty(_) | Value::Level(_) | Value::Cap(_))) => {
                    // It is told of where it begins.
                    let built = nodes.first().filter(|first| !matches!(first.op, Op::Const(Value::Text(_))));
                    let begun = built.filter(|first| first.of.sort() == Some(value.sort()));
                    Node::known(value, of, begun.map_or(at, |first| first.at))
                }
                Ok(value) => Node::known(value, of, at),
                Err(message) => self.refuse(Code::CONSTANT, at, message),
            };
        }
        if let Some(Node { op: Op::Deadline { known: due, fill }, at: begun, .. }) = nodes.first_mut() {
            let (mut due, mut fill, begun) = (due.clone(), std::mem::take(fill), *begun);
            let rest = nodes.split_off(1);
            // What is known is filled in at once, unless the same thing is still to be filled in by a value to come.
            let same = fill.iter().any(|other| {
                WORDS.get(usize::from(other.word)).is_some_and(|other| fills(other) == fills(word))
            });
            if rest.iter().all(known) && !same {
                let mut values = vec![Value::Deadline(due)];
                values.extend(rest.iter().filter_map(|node| match &node.op {
                    Op::Const(value) => Some(value.clone()),
                    _ => None,
                }));
                match (word.act)(self.words, &mut values) {
                    Ok(Value::Deadline(filled)) => due = filled,
                    Ok(_) => return unknown(at),
                    Err(message) => return self.refuse(Code::CONSTANT, at, message),
                }
            } else {
                fill.push(Filling { word: word_place, act: word.act, args: rest, at });
            }
            return self.node(Op::Deadline { known: due, fill }, of, begun);
        }
        self.node(Op::Word { word: word_place, act: word.act, args: nodes }, of, at)
    }

    /// The type that a word gives, its units told.
    fn word_type(&mut self, word: &Word, args: &[Arg], at: Position) -> Type {
        let elapse = |arg: Option<&Arg>| match arg.map(|arg| &arg.node.of) {
            Some(Type::Time(elapse)) => *elapse,
            _ => Elapse::Plain,
        };
        match word.names[0] {
            "days" => Type::Days(Some(PeriodUnit::Days)),
            "working_days" => Type::Days(Some(PeriodUnit::WorkingDays)),
            "weeks" => Type::Days(Some(PeriodUnit::Weeks)),
            "months" => Type::Days(Some(PeriodUnit::Months)),
            "years" => Type::Days(Some(PeriodUnit::Years)),
            "started" | "full" => {
                if elapse(args.first()).join(elapse(args.get(1))).is_none() {
                    self.error(
                        Code::UNITS,
                        at,
                        format!("`{}` mixes working time with elapsed time", word.names[0]),
                    );
                }
                Type::Count
            }
            _ => Type::of(word.gives),
        }
    }

    /// `knows`, `has` and the like, which ask instead of computing.
    fn asked(&mut self, word: &Word, args: &[Arg], at: Position) -> Option<Node> {
        let (of, rest) = args.split_first()?;
        let of = of.node.of.sort()?;
        let (name, more) = rest.split_first()?;
        if of == Sort::Again {
            let unit = match &name.node.of {
                Type::Days(unit) => *unit,
                _ => return None,
            };
            if unit.is_none_or(|unit| !matches!(unit, PeriodUnit::Days | PeriodUnit::Weeks)) {
                let message = format!("`again.within` takes days or weeks, not {}", name.node.of);
                return Some(self.refuse(Code::UNITS, name.at, message));
            }
            return Some(self.node(Op::Again(Box::new(name.node.clone())), Type::Count, at));
        }
        let Op::Const(Value::Text(text)) = &name.node.op else { return None };
        let op = match (word.names[0], of) {
            ("knows", _) => {
                let (place, _) = self.words.fact(text)?;
                self.names.note_input(place);
                Op::Knows(u16::try_from(place).ok()?)
            }
            ("knew", _) => {
                let (place, _) = self.words.fact(text)?;
                self.names.note_input(place);
                let Some(Op::Const(Value::Text(event))) = more.first().map(|arg| &arg.node.op) else {
                    return None;
                };
                if self.entry != 5 {
                    let message =
                        "`ticket.knew` is for `findings`; elsewhere facts decide, and clocks by their events";
                    self.error(Code::EVENTS_ASKED, at, message);
                }
                Op::Knew(u16::try_from(place).ok()?, self.words.kind(event)?)
            }
            ("has", Sort::Contract) => Op::ContractHas(u8::try_from(self.words.contract_event(text)?).ok()?),
            ("has", _) => {
                if self.entry != 5 {
                    let message =
                        "`ticket.has` is for `findings`; elsewhere facts decide, and clocks by their events";
                    self.error(Code::EVENTS_ASKED, at, message);
                }
                Op::Has(self.words.kind(text)?)
            }
            _ => return None,
        };
        Some(self.node(op, Type::Bool, at))
    }
}

/// Which part of a deadline a word fills in: by the name of one of the words that do.
fn fills(word: &Word) -> &'static str {
    match word.names[0] {
        "by" | "before" => "within",
        "pauses" => "pauses_for",
        name => name,
    }
}

/// Whether a word takes so many arguments.
fn counts(word: &Word, given: usize) -> bool {
    let n = word.takes.len();
    given == n || (word.repeats && given > n && given < n + NAMES_MAX)
}

/// Whether a word takes these arguments, by their sorts.
fn takes(word: &Word, args: &[Arg]) -> bool {
    let n = word.takes.len();
    let fits = |take: &Take, of: &Type| of.sort() == Some(take.sort);
    let texts = |of: &Type| matches!(of, Type::List(Some(item)) if item.sort() == Some(Sort::Text));
    counts(word, args.len())
        && args.iter().enumerate().all(|(i, arg)| {
            let Some(take) = word.takes.get(i).or(word.takes.last()) else { return false };
            let list = word.repeats && args.len() == n && i + 1 == n && texts(&arg.node.of);
            fits(take, &arg.node.of) || list
        })
}

impl Lowering<'_> {
    /// An argument of a method, lowered before its receiver as rhai does.
    pub(super) fn method_args(&mut self, call: &FnCallExpr) -> Vec<Arg> {
        let units = counts_units(&call.name);
        let mut args = Vec::new();
        for arg in call.args.iter() {
            self.counts_units = units;
            args.push(Arg { node: self.operand(arg), at: begins(arg) });
            self.counts_units = false;
        }
        args
    }

    /// Puts an argument that can fail into a variable of its own, where it is evaluated first.
    pub(super) fn held(&mut self, arg: Arg, before: &mut Vec<Node>) -> Arg {
        // Names must stay in sight to be checked; a list of them cannot fail.
        let firm = |node: &Node| matches!(node.op, Op::Const(_) | Op::Slot(_));
        let names = matches!(&arg.node.op, Op::List(items) if items.iter().all(firm));
        if firm(&arg.node) || names || arg.node.of.is_settled() {
            return arg;
        }
        let Arg { node, at } = arg;
        let (slot, of, node_at) = (self.slot(), node.of.clone(), node.at);
        let op = Op::Set { slot, value: Box::new(node), name: ImmutableString::new(), declares: true };
        let set = self.node(op, Type::Nothing, node_at);
        before.push(set);
        Arg { node: self.node(Op::Slot(slot), of, node_at), at }
    }
}

/// Whether a word cuts a time into units, by either of its names.
fn counts_units(name: &str) -> bool {
    words_named(name).any(|(_, word)| matches!(word.names[0], "started" | "full"))
}
