//! What a script sees: the ticket, the contract and the terms, each read noted for the decision's record.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rhai::{Dynamic, EvalAltResult, ImmutableString, Position};

use crate::event::Kind;
use crate::nearest::hint;
use crate::terms::{TermValue, Terms, TermsInForce};
use crate::ticket::{ContractFacts, Facts, Schema, Value};
use crate::{Currency, Instant, Span};

pub(crate) type Answer<T> = Result<T, Box<EvalAltResult>>;

/// An error raised by the vocabulary; rhai adds the place of the call.
pub(crate) fn fault<T>(message: impl Into<String>) -> Answer<T> {
    Err(EvalAltResult::ErrorRuntime(message.into().into(), Position::NONE).into())
}

/// What the vocabulary of a pack knows beside rhai's own words.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) schema: Arc<Schema>,
    pub(crate) terms: Arc<Terms>,
    pub(crate) calendars: Vec<String>,
    pub(crate) currency: Currency,
    /// What each bit of [`Reads::inputs`] is called.
    pub(crate) input_names: Vec<Arc<str>>,
}

impl Words {
    pub(crate) fn new(
        schema: Arc<Schema>,
        terms: Arc<Terms>,
        calendars: Vec<String>,
        currency: Currency,
    ) -> Words {
        let facts = || schema.facts.iter().map(|fact| fact.name.as_str());
        let current = facts().map(|name| format!("ticket.{name}").into());
        let first = facts().map(|name| format!("ticket.first.{name}").into());
        let input_names = current.chain(first).chain(OTHER_INPUTS.map(Arc::from)).collect();
        Words { schema, terms, calendars, currency, input_names }
    }
}

/// At most so many facts and so many terms in a pack: the width of a [`Reads`].
pub(crate) const WIDTH: usize = 256;

/// Which inputs and terms were read, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) struct Reads {
    pub(crate) inputs: [u64; WIDTH / 64],
    pub(crate) terms: [u64; WIDTH / 64],
}

impl Reads {
    pub(crate) fn inputs(&self) -> impl Iterator<Item = usize> {
        bits(self.inputs)
    }

    pub(crate) fn terms(&self) -> impl Iterator<Item = usize> {
        bits(self.terms)
    }

    pub(crate) fn join(mut self, other: &Reads) -> Reads {
        for (mine, theirs) in self.inputs.iter_mut().zip(other.inputs) {
            *mine |= theirs;
        }
        for (mine, theirs) in self.terms.iter_mut().zip(other.terms) {
            *mine |= theirs;
        }
        self
    }
}

fn bits(words: [u64; WIDTH / 64]) -> impl Iterator<Item = usize> {
    (0..WIDTH).filter(move |i| words.get(i / 64).is_some_and(|word| word >> (i % 64) & 1 == 1))
}

#[derive(Debug, Default)]
struct Log([AtomicU64; WIDTH / 64]);

impl Log {
    fn note(&self, index: usize) {
        if let Some(word) = self.0.get(index / 64) {
            word.fetch_or(1 << (index % 64), Ordering::Relaxed);
        }
    }

    fn take(&self) -> [u64; WIDTH / 64] {
        let mut words = [0; WIDTH / 64];
        for (word, log) in words.iter_mut().zip(&self.0) {
            *word = log.swap(0, Ordering::Relaxed);
        }
        words
    }
}

/// Everything that one evaluation may depend on.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub(crate) words: Arc<Words>,
    pub(crate) terms: Arc<TermsInForce>,
    pub(crate) ticket: ImmutableString,
    pub(crate) reported_at: Instant,
    pub(crate) via: Option<ImmutableString>,
    pub(crate) facts: Facts,
    pub(crate) contract: ContractFacts,
    /// Kinds that happened and stand, for `ticket.has`.
    pub(crate) standing: Vec<Kind>,
    /// Whether the events that happened may be asked for: only findings do.
    may_ask_events: AtomicBool,
    inputs_read: Log,
    terms_read: Log,
}

/// The inputs beside the facts, in the order of their places after the two rounds of facts.
const OTHER_INPUTS: [&str; 5] =
    ["ticket.reported_at", "ticket.via", "ticket.id", "contract.signed_at", "contract.accepted_at"];

impl Inputs {
    #[expect(clippy::too_many_arguments, reason = "one for each thing an evaluation may depend on")]
    pub(crate) fn new(
        words: Arc<Words>,
        terms: Arc<TermsInForce>,
        ticket: ImmutableString,
        reported_at: Instant,
        via: Option<ImmutableString>,
        facts: Facts,
        contract: ContractFacts,
        standing: Vec<Kind>,
    ) -> Inputs {
        let (inputs_read, terms_read) = (Log::default(), Log::default());
        Inputs {
            words,
            terms,
            ticket,
            reported_at,
            via,
            facts,
            contract,
            standing,
            may_ask_events: AtomicBool::new(false),
            inputs_read,
            terms_read,
        }
    }

    /// What was read since the last call.
    pub(crate) fn take_reads(&self) -> Reads {
        Reads { inputs: self.inputs_read.take(), terms: self.terms_read.take() }
    }

    /// Opens or closes the door to `ticket.has`.
    pub(crate) fn let_ask_events(&self, yes: bool) {
        self.may_ask_events.store(yes, Ordering::Relaxed);
    }

    fn other(&self, which: usize) {
        self.inputs_read.note(2 * self.words.schema.facts.len() + which);
    }

    /// The name and value of an input by its bit in [`Reads`].
    pub(crate) fn describe(&self, bit: usize) -> Option<(Arc<str>, String)> {
        let facts = &self.words.schema.facts;
        let n = facts.len();
        let written = |value: Option<&Option<Value>>| match value.and_then(Option::as_ref) {
            Some(value) => value.to_string(),
            None => "not known".to_owned(),
        };
        let name = Arc::clone(self.words.input_names.get(bit)?);
        if bit < n {
            return Some((name, written(self.facts.current.get(bit))));
        }
        if bit < 2 * n {
            return Some((name, written(self.facts.first.get(bit - n))));
        }
        let which = bit - 2 * n;
        let instant = |at: Option<Instant>| at.map_or("not known".to_owned(), |at| at.to_string());
        let value = match which {
            0 => self.reported_at.to_string(),
            1 => self.via.as_deref().unwrap_or("").to_owned(),
            2 => self.ticket.to_string(),
            3 => instant(self.contract.signed_at),
            _ => instant(self.contract.accepted_at),
        };
        Some((name, value))
    }
}

fn dynamic(value: &Value) -> Dynamic {
    match value {
        Value::Bool(yes) => (*yes).into(),
        Value::Integer(n) => (*n).into(),
        Value::Money(money) => Dynamic::from(*money),
        Value::Text(text) => text.clone().into(),
        Value::Instant(at) => Dynamic::from(*at),
    }
}

/// `ticket` in scripts.
#[derive(Clone)]
pub(crate) struct TicketView(pub(crate) Arc<Inputs>);
/// `ticket.first`.
#[derive(Clone)]
pub(crate) struct FirstView(pub(crate) Arc<Inputs>);
/// `contract`.
#[derive(Clone)]
pub(crate) struct ContractView(pub(crate) Arc<Inputs>);
/// `terms`.
#[derive(Clone)]
pub(crate) struct TermsView(pub(crate) Arc<Inputs>);

impl TicketView {
    pub(crate) fn get(&self, name: &str) -> Answer<Dynamic> {
        let inputs = &self.0;
        match name {
            "first" => return Ok(Dynamic::from(FirstView(Arc::clone(inputs)))),
            "reported_at" => {
                inputs.other(0);
                return Ok(Dynamic::from(inputs.reported_at));
            }
            "via" => {
                inputs.other(1);
                return Ok(inputs.via.clone().unwrap_or_default().into());
            }
            "id" => {
                inputs.other(2);
                return Ok(inputs.ticket.clone().into());
            }
            _ => {}
        }
        let place = place(&inputs.words.schema, name)?;
        inputs.inputs_read.note(place);
        known(inputs.facts.current.get(place), name)
    }

    pub(crate) fn knows(&self, name: &str) -> Answer<bool> {
        let place = place(&self.0.words.schema, name)?;
        self.0.inputs_read.note(place);
        Ok(matches!(self.0.facts.current.get(place), Some(Some(_))))
    }

    /// Facts alone decide deadlines, prices and classes; what has happened belongs to the clocks.
    pub(crate) fn has(&self, kind: &str) -> Answer<bool> {
        let words = &self.0.words;
        if !self.0.may_ask_events.load(Ordering::Relaxed) {
            return fault(
                "`ticket.has` is for `findings`; elsewhere facts decide, and clocks by their events",
            );
        }
        match words.schema.kinds.find(kind) {
            Some(kind) => Ok(self.0.standing.contains(&kind)),
            None => fault(format!("unknown event kind `{kind}`{}", words.schema.kinds.hint(kind))),
        }
    }
}

fn place(schema: &Schema, name: &str) -> Answer<usize> {
    match schema.fact(name) {
        Some(place) => Ok(place),
        None => {
            let others = ["first", "reported_at", "via", "id"];
            let near = hint(name, schema.facts.iter().map(|f| f.name.as_str()).chain(others));
            fault(format!("unknown fact `ticket.{name}`{near}"))
        }
    }
}

fn known(value: Option<&Option<Value>>, name: &str) -> Answer<Dynamic> {
    match value {
        Some(Some(value)) => Ok(dynamic(value)),
        _ => fault(format!("the fact `{name}` is not known: no event of the ticket has given it")),
    }
}

impl FirstView {
    pub(crate) fn get(&self, name: &str) -> Answer<Dynamic> {
        let schema = &self.0.words.schema;
        let place = place(schema, name)?;
        self.0.inputs_read.note(schema.facts.len() + place);
        known(self.0.facts.first.get(place), name)
    }
}

impl ContractView {
    pub(crate) fn get(&self, name: &str) -> Answer<Dynamic> {
        let (which, at, event) = match name {
            "signed_at" => (3, self.0.contract.signed_at, "signed"),
            "accepted_at" => (4, self.0.contract.accepted_at, "project_accepted"),
            _ => {
                let near = hint(name, ["signed_at", "accepted_at"]);
                return fault(format!("unknown fact `contract.{name}`{near}"));
            }
        };
        self.0.other(which);
        match at {
            Some(at) => Ok(Dynamic::from(at)),
            None => {
                fault(format!("`contract.{name}` is not known: no `{event}` event of the contract has come"))
            }
        }
    }

    /// Only what decides about all tickets of a contract; payments do not, and come by the thousand.
    pub(crate) fn has(&self, kind: &str) -> Answer<bool> {
        let known = [self.0.contract.signed_at, self.0.contract.accepted_at];
        match ["signed", "project_accepted"].iter().position(|event| *event == kind) {
            Some(which) => {
                self.0.other(3 + which);
                Ok(known.get(which).is_some_and(Option::is_some))
            }
            None => {
                fault(format!("`contract.has` answers for `signed` and `project_accepted`, not for `{kind}`"))
            }
        }
    }
}

impl TermsView {
    pub(crate) fn get(&self, name: &str) -> Answer<Dynamic> {
        let terms = &self.0.words.terms;
        match terms.find(name) {
            Some(place) => self.at(place),
            None => fault(format!("unknown term `terms.{name}`{}", hint(name, terms.names()))),
        }
    }

    pub(crate) fn at(&self, place: usize) -> Answer<Dynamic> {
        let inputs = &self.0;
        inputs.terms_read.note(place);
        match inputs.terms.values.get(place) {
            Some(Some(value)) => Ok(term(value)),
            _ => {
                let name = inputs.words.terms.list.get(place).map_or("", |term| &term.name);
                fault(format!("the term `{name}` has no value in force at {}", inputs.reported_at))
            }
        }
    }
}

fn term(value: &TermValue) -> Dynamic {
    match value {
        TermValue::Money(money) => Dynamic::from(*money),
        TermValue::Span(span) => Dynamic::from(*span),
        TermValue::Period(period) => Dynamic::from(*period),
        TermValue::Count(n) => (*n).into(),
        TermValue::Share(share) => Dynamic::from(Share(*share)),
        TermValue::Bool(yes) => (*yes).into(),
        TermValue::Text(text) => text.clone().into(),
    }
}

/// A share of something: 0.05 is five percent.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub(crate) struct Share(pub(crate) rust_decimal::Decimal);

/// `breach` in scripts.
#[derive(Clone)]
pub(crate) struct BreachView(pub(crate) Arc<BreachInputs>);

pub(crate) struct BreachInputs {
    pub(crate) inputs: Arc<Inputs>,
    pub(crate) clock: ImmutableString,
    pub(crate) due: Instant,
    pub(crate) late: Span,
    /// Whether the script looked at the lateness, which grows until the clock stops.
    pub(crate) late_read: AtomicBool,
}

impl BreachView {
    pub(crate) fn get(&self, name: &str) -> Answer<Dynamic> {
        match name {
            "clock" => Ok(self.0.clock.clone().into()),
            "due" => Ok(Dynamic::from(self.0.due)),
            "late" => {
                self.0.late_read.store(true, Ordering::Relaxed);
                Ok(Dynamic::from(self.0.late))
            }
            "ticket" => Ok(Dynamic::from(TicketView(Arc::clone(&self.0.inputs)))),
            _ => {
                let near = hint(name, ["clock", "due", "late", "ticket"]);
                fault(format!("unknown fact `breach.{name}`{near}"))
            }
        }
    }
}
