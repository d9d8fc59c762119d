//! The plain evaluator of the typed program. Same order, same values, same faults and the same places as rhai's interpreter.

use rhai::{ImmutableString, Position};

use super::{Case, Filling, Function, Node, Op, Switch};
use crate::terms::TermValue;
use crate::ticket::Value as FactValue;
use crate::vocabulary::{
    About, Act, Asked, Due, Inputs, Reads, Relation, Sort, Value, compare, compute, negate,
};

/// Why a program stopped: where, and a plain sentence.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub(crate) at: Position,
    pub(crate) message: String,
}

/// Why the evaluation of a node ends without a value of its own.
enum Stop {
    /// The call it stands in ends; its value is in [`Run::returned`].
    Return,
    Fault(Box<Fault>),
}

type Flow = Result<Value, Stop>;

/// One evaluation of one function.
pub(crate) struct Run<'a> {
    inputs: &'a Inputs,
    about: About<'a>,
    slots: Vec<Value>,
    /// What a call returned early.
    returned: Value,
    /// What was looked at.
    pub(crate) reads: Reads,
    /// Whether the lateness was looked at, which grows until the clock stops.
    pub(crate) late_read: bool,
}

impl<'a> Run<'a> {
    pub(crate) fn new(inputs: &'a Inputs, about: About<'a>) -> Run<'a> {
        Run {
            inputs,
            about,
            slots: Vec::new(),
            returned: Value::Nothing,
            reads: Reads::default(),
            late_read: false,
        }
    }

    /// Evaluates a function.
    ///
    /// # Errors
    /// The first [`Fault`].
    pub(crate) fn call(&mut self, function: &Function) -> Result<Value, Fault> {
        if self.slots.len() < function.slots {
            self.slots.resize(function.slots, Value::Nothing);
        }
        match self.eval(&function.body) {
            Ok(value) => Ok(value),
            Err(Stop::Return) => Ok(std::mem::take(&mut self.returned)),
            Err(Stop::Fault(fault)) => Err(*fault),
        }
    }

    /// What needs no step of its own is looked up on the spot: most nodes are terms and constants.
    #[inline(always)]
    fn eval(&mut self, node: &Node) -> Flow {
        match &node.op {
            Op::Const(value) => Ok(value.clone()),
            Op::Term(place) => {
                let place = usize::from(*place);
                self.reads.note_term(place);
                match self.inputs.terms.values.get(place) {
                    Some(Some(TermValue::Money(money))) => Ok(Value::Money(*money)),
                    Some(Some(TermValue::Span(span))) => Ok(Value::Time(*span)),
                    _ => self.term(place, node.at),
                }
            }
            _ => self.step(node),
        }
    }

    #[inline(never)]
    fn term(&mut self, place: usize, at: Position) -> Flow {
        done(self.inputs.term(place), at)
    }

    #[inline(never)]
    fn step(&mut self, node: &Node) -> Flow {
        let at = node.at;
        match &node.op {
            Op::Const(_) | Op::Term(_) => self.eval(node),
            Op::Slot(slot) => Ok(self.slots.get(usize::from(*slot)).cloned().unwrap_or_default()),
            Op::Fact { place, first, chinese } => {
                self.fact(usize::from(*place), *first, chinese.as_deref(), at)
            }
            Op::Knows(_)
            | Op::Has(_)
            | Op::Knew(..)
            | Op::ContractHas(_)
            | Op::Not(_)
            | Op::And(_)
            | Op::Or(_)
            | Op::Compare(..) => self.truth(node).map(Value::Bool),
            Op::Ask(asked) => self.ask(*asked, at),
            Op::Again(period) => match (self.eval(period)?, self.about) {
                (Value::Days(period), About::Again(again)) => {
                    again.within(period).map(Value::Count).or_else(|message| fault(message, at))
                }
                (other, _) => wrong(&other, at),
            },
            Op::Negate(node) => match self.eval(node)? {
                Value::Count(n) => done(negate(n), at),
                other => wrong(&other, at),
            },
            Op::Compute(sign, pair) => {
                let (a, b) = self.pair(pair)?;
                done(compute(*sign, &a, &b), at)
            }
            Op::Word { act, args, .. } => self.word(*act, args, at),
            Op::Deadline { known, fill } => self.deadline(known, fill),
            Op::List(nodes) => Ok(Value::List(self.all(nodes)?)),
            Op::If(pair, other) => {
                let [condition, then] = &**pair;
                if self.truth(condition)? {
                    self.eval(then)
                } else {
                    other.as_ref().map_or(Ok(Value::Nothing), |other| self.eval(other))
                }
            }
            Op::Switch(switch) => self.switch(switch),
            Op::Block(nodes) => {
                let mut value = Value::Nothing;
                for node in nodes {
                    value = self.eval(node)?;
                }
                Ok(value)
            }
            Op::Set { slot, value, .. } => {
                let value = self.eval(value)?;
                if let Some(place) = self.slots.get_mut(usize::from(*slot)) {
                    *place = value;
                }
                Ok(Value::Nothing)
            }
            Op::Return(node) => {
                self.returned = self.eval(node)?;
                Err(Stop::Return)
            }
            Op::Call { args, body, .. } => {
                for arg in args {
                    self.eval(arg)?;
                }
                match self.eval(body) {
                    Err(Stop::Return) => Ok(std::mem::take(&mut self.returned)),
                    other => other,
                }
            }
        }
    }

    #[inline(never)]
    fn fact(&mut self, place: usize, first: bool, chinese: Option<&[ImmutableString]>, at: Position) -> Flow {
        self.reads.note_input(self.inputs.bit(place, first));
        let value = match self.inputs.fact(place, first) {
            Ok(value) => value,
            Err(message) => return fault(message, at),
        };
        if let (Some(chinese), FactValue::Text(text)) = (chinese, value)
            && let Some(crate::ticket::FactType::OneOf(values)) =
                self.inputs.words.schema.facts.get(place).map(|fact| &fact.of)
            && let Some(zh) = values.iter().position(|known| known == text).and_then(|i| chinese.get(i))
        {
            return Ok(Value::Text(zh.clone()));
        }
        Ok(Value::of_fact(value))
    }

    #[inline(never)]
    fn ask(&mut self, asked: Asked, at: Position) -> Flow {
        let inputs = self.inputs;
        match asked {
            Asked::ReportedAt => {
                self.reads.note_input(inputs.other(0));
                Ok(Value::Instant(inputs.reported_at))
            }
            Asked::Via => {
                self.reads.note_input(inputs.other(1));
                Ok(Value::Text(inputs.via.clone().unwrap_or_default()))
            }
            Asked::Id => {
                self.reads.note_input(inputs.other(2));
                Ok(Value::Text(inputs.ticket.clone()))
            }
            Asked::SignedAt | Asked::AcceptedAt => {
                let which = usize::from(asked == Asked::AcceptedAt);
                self.reads.note_input(inputs.other(3 + which));
                done(inputs.contract_at(which).map(Value::Instant), at)
            }
            Asked::First => Ok(Value::View(Sort::First)),
            Asked::Ticket => Ok(Value::View(Sort::Ticket)),
            Asked::Clock | Asked::Due | Asked::Late => match self.about {
                About::Breach(breach) if asked == Asked::Clock => Ok(Value::Text((&*breach.clock).into())),
                About::Breach(breach) if asked == Asked::Due => Ok(Value::Instant(breach.due)),
                About::Breach(breach) => {
                    self.late_read = true;
                    Ok(Value::Time(breach.late))
                }
                _ => fault("there is no breach here".to_owned(), at),
            },
            Asked::Of(what) => match self.about {
                About::Period(period) => done(period.answer(what), at),
                About::Again(again) => done(again.answer(what), at),
                _ => fault("there is nothing measured here".to_owned(), at),
            },
        }
    }

    /// A condition, without the detour over a value.
    fn truth(&mut self, node: &Node) -> Result<bool, Stop> {
        match &node.op {
            Op::Compare(relation, pair) => self.compared(*relation, pair, node.at),
            Op::Not(node) => Ok(!self.truth(node)?),
            Op::And(nodes) => self.until(nodes, false),
            Op::Or(nodes) => self.until(nodes, true),
            Op::Knows(place) => {
                let place = usize::from(*place);
                self.reads.note_input(place);
                Ok(self.inputs.knows(place))
            }
            Op::Has(kind) => Ok(self.inputs.stands(*kind)),
            Op::Knew(place, kind) => {
                let place = usize::from(*place);
                self.reads.note_input(place);
                Ok(self.inputs.knew(place, *kind))
            }
            Op::ContractHas(which) => {
                let which = usize::from(*which);
                self.reads.note_input(self.inputs.other(3 + which));
                Ok(self.inputs.contract_instant(which).is_some())
            }
            _ => match self.eval(node)? {
                Value::Bool(yes) => Ok(yes),
                other => wrong(&other, node.at).map(|_| false),
            },
        }
    }

    /// Evaluates until one is this, and says whether one was.
    fn until(&mut self, nodes: &[Node], stop: bool) -> Result<bool, Stop> {
        for node in nodes {
            if self.truth(node)? == stop {
                return Ok(stop);
            }
        }
        Ok(!stop)
    }

    #[inline(never)]
    fn compared(&mut self, relation: Relation, pair: &[Node; 2], at: Position) -> Result<bool, Stop> {
        let [a, b] = pair;
        // Texts are looked at where they stand: most conditions compare a fact with a text written out.
        if let (Some(left), Some(right)) = (self.text(a), self.text(b)) {
            let order = left.cmp(right);
            self.note(a);
            self.note(b);
            return Ok(relation.holds(order));
        }
        let (a, b) = self.pair(pair)?;
        compare(relation, &a, &b).or_else(|message| fault(message, at))
    }

    /// A text that can be looked at in its place.
    fn text<'t>(&'t self, node: &'t Node) -> Option<&'t str> {
        match &node.op {
            Op::Const(Value::Text(text)) => Some(text.as_str()),
            Op::Fact { place, first, chinese: None } => {
                match self.inputs.fact_known(usize::from(*place), *first)? {
                    FactValue::Text(text) => Some(text.as_str()),
                    _ => None,
                }
            }
            Op::Ask(Asked::Clock) => match self.about {
                About::Breach(breach) => Some(&*breach.clock),
                _ => None,
            },
            _ => None,
        }
    }

    /// Notes that a text was looked at in its place.
    fn note(&mut self, node: &Node) {
        if let Op::Fact { place, first, .. } = &node.op {
            self.reads.note_input(self.inputs.bit(usize::from(*place), *first));
        }
    }

    #[inline(never)]
    fn deadline(&mut self, known: &Due, fill: &[Filling]) -> Flow {
        let mut due = Value::Deadline(Box::new(known.clone()));
        for Filling { act, args, at, .. } in fill {
            let words = &self.inputs.words;
            let result = match args.as_slice() {
                [arg] => act(words, &mut [due, self.eval(arg)?]),
                args => {
                    let mut all = Vec::with_capacity(args.len() + 1);
                    all.push(due);
                    for arg in args {
                        all.push(self.eval(arg)?);
                    }
                    act(words, &mut all)
                }
            };
            due = done(result, *at)?;
        }
        Ok(due)
    }

    /// A word; its arguments stand on the stack when they are few.
    #[inline(never)]
    fn word(&mut self, act: Act, args: &[Node], at: Position) -> Flow {
        let inputs = self.inputs;
        let result = match args {
            [a] => act(&inputs.words, &mut [self.eval(a)?]),
            [a, b] => act(&inputs.words, &mut [self.eval(a)?, self.eval(b)?]),
            [a, b, c] => act(&inputs.words, &mut [self.eval(a)?, self.eval(b)?, self.eval(c)?]),
            _ => act(&inputs.words, &mut self.all(args)?),
        };
        done(result, at)
    }

    fn pair(&mut self, pair: &[Node; 2]) -> Result<(Value, Value), Stop> {
        let [a, b] = pair;
        let a = self.eval(a)?;
        Ok((a, self.eval(b)?))
    }

    #[inline(never)]
    fn all(&mut self, nodes: &[Node]) -> Result<Vec<Value>, Stop> {
        let mut values = Vec::with_capacity(nodes.len());
        for node in nodes {
            values.push(self.eval(node)?);
        }
        Ok(values)
    }

    #[inline(never)]
    fn switch(&mut self, switch: &Switch) -> Flow {
        let chosen = match self.text(&switch.on) {
            Some(on) => {
                let is = |case: &Case| matches!(case, Case::Value(Value::Text(text)) if text.as_str() == on);
                let chosen = switch.cases.iter().find(|(case, _)| is(case)).map(|(_, arm)| *arm);
                self.note(&switch.on);
                chosen
            }
            None => {
                let on = self.eval(&switch.on)?;
                switch.cases.iter().find(|(case, _)| case.matches(&on)).map(|(_, arm)| *arm)
            }
        };
        match chosen.or(switch.default).and_then(|arm| switch.arms.get(usize::from(arm))) {
            Some(arm) => self.eval(arm),
            None => Ok(Value::Nothing),
        }
    }
}

impl Case {
    pub(crate) fn matches(&self, value: &Value) -> bool {
        match (self, value) {
            (Case::Value(case), value) => case == value,
            (Case::Range(first, last), Value::Count(n)) => first <= n && n <= last,
            _ => false,
        }
    }
}

fn fault<T>(message: String, at: Position) -> Result<T, Stop> {
    Err(Stop::Fault(Box::new(Fault { at, message })))
}

fn done(result: Result<Value, String>, at: Position) -> Flow {
    result.or_else(|message| fault(message, at))
}

/// A value of a sort that checking does not let through; said, not hidden, should checking ever fail.
fn wrong(value: &Value, at: Position) -> Flow {
    fault(format!("{value} does not fit here"), at)
}
