//! Everything that one evaluation may depend on, and the record of what it looked at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rhai::ImmutableString;

use super::Words;
use super::table::Measured;
use super::value::{Share, Value};
use crate::event::Kind;
use crate::terms::{Period, PeriodUnit, TermsInForce};
use crate::ticket::{ContractFacts, Facts, Value as FactValue};
use crate::{Instant, Span};

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

    pub(crate) fn note_input(&mut self, index: usize) {
        if let Some(word) = self.inputs.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }

    pub(crate) fn note_term(&mut self, index: usize) {
        if let Some(word) = self.terms.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
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

/// Reads noted from behind shared references, as the interpreter has them.
#[derive(Debug, Default)]
pub(crate) struct Log([AtomicU64; WIDTH / 64]);

impl Log {
    pub(crate) fn note(&self, index: usize) {
        if let Some(word) = self.0.get(index / 64) {
            word.fetch_or(1 << (index % 64), Ordering::Relaxed);
        }
    }

    pub(crate) fn take(&self) -> [u64; WIDTH / 64] {
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
    /// Kinds that happened and stand, each with the instant of the last, for `ticket.has`.
    pub(crate) standing: Vec<(Kind, Instant)>,
    /// When each fact was first given, by place.
    pub(crate) given: Vec<Option<Instant>>,
    /// Whether the events that happened may be asked for: only findings do.
    pub(crate) may_ask_events: AtomicBool,
    pub(crate) inputs_read: Log,
    pub(crate) terms_read: Log,
}

/// The inputs beside the facts, in the order of their places after the two rounds of facts.
pub(super) const OTHER_INPUTS: [&str; 5] =
    ["ticket.reported_at", "ticket.via", "ticket.id", "contract.signed_at", "contract.accepted_at"];

/// One breach, as `penalty` is asked about it.
#[derive(Clone, Debug)]
pub(crate) struct BreachInputs {
    pub(crate) clock: Arc<str>,
    pub(crate) due: Instant,
    pub(crate) late: Span,
}

/// A closed period of a service level, as `credit` is asked about it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LevelInputs {
    pub(crate) name: Arc<str>,
    /// The period's first instant, and the one after its last.
    pub(crate) from: Instant,
    pub(crate) until: Instant,
    /// The share of time or of clocks that was good; 1 when there was nothing to measure.
    pub(crate) share: rust_decimal::Decimal,
    /// Clocks that were met or missed; for availability the outages.
    pub(crate) total: i64,
    pub(crate) missed: i64,
    /// Merged outage time that counts, in open time of the calendar.
    pub(crate) downtime: Span,
    /// What was invoiced within the period.
    pub(crate) invoiced: crate::Money,
}

/// A penalty and those of its clause before it, as `repeated` is asked about it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AgainInputs {
    pub(crate) clock: Arc<str>,
    pub(crate) at: Instant,
    pub(crate) amount: crate::Money,
    /// When the clause was breached before, ascending.
    pub(crate) earlier: Arc<[Instant]>,
}

/// What an entry function is asked about, beside the ticket.
#[derive(Clone, Copy, Debug)]
pub(crate) enum About<'a> {
    /// The ticket, or the contract.
    Nothing,
    Breach(&'a BreachInputs),
    Period(&'a Arc<LevelInputs>),
    Again(&'a Arc<AgainInputs>),
}

impl LevelInputs {
    /// A field of the period.
    pub(crate) fn answer(&self, what: Measured) -> Result<Value, String> {
        Ok(match what {
            Measured::Name => Value::Text((&*self.name).into()),
            Measured::From => Value::Instant(self.from),
            Measured::Until => Value::Instant(self.until),
            Measured::Share => Value::Share(Share(self.share)),
            Measured::Total => Value::Count(self.total),
            Measured::Met => Value::Count(self.total - self.missed),
            Measured::Missed => Value::Count(self.missed),
            Measured::Downtime => Value::Time(self.downtime),
            Measured::Invoiced => Value::Money(self.invoiced),
            Measured::AgainClock | Measured::AgainAt | Measured::AgainAmount => {
                return Err("there is no penalty here".to_owned());
            }
        })
    }
}

impl AgainInputs {
    /// A field of the penalty.
    pub(crate) fn answer(&self, what: Measured) -> Result<Value, String> {
        Ok(match what {
            Measured::AgainClock => Value::Text((&*self.clock).into()),
            Measured::AgainAt => Value::Instant(self.at),
            Measured::AgainAmount => Value::Money(self.amount),
            _ => return Err("there is no period here".to_owned()),
        })
    }

    /// How many breaches there were within so many days of 24 hours, or weeks, up to and including this one.
    pub(crate) fn within(&self, period: Period) -> Result<i64, String> {
        let days = match period.unit {
            PeriodUnit::Days => i64::from(period.n),
            PeriodUnit::Weeks => i64::from(period.n) * 7,
            _ => return Err(format!("`again.within` takes days or weeks, not {period}")),
        };
        let from = self.at.checked_add(Span::hours(-24 * days)).unwrap_or(Instant::MIN);
        let first = self.earlier.partition_point(|at| *at < from);
        Ok(i64::try_from(self.earlier.len() - first).unwrap_or(i64::MAX).saturating_add(1))
    }
}

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
        standing: Vec<(Kind, Instant)>,
        given: Vec<Option<Instant>>,
    ) -> Inputs {
        Inputs {
            words,
            terms,
            ticket,
            reported_at,
            via,
            facts,
            contract,
            standing,
            given,
            may_ask_events: AtomicBool::new(false),
            inputs_read: Log::default(),
            terms_read: Log::default(),
        }
    }

    /// What the interpreter read since the last call.
    pub(crate) fn take_reads(&self) -> Reads {
        Reads { inputs: self.inputs_read.take(), terms: self.terms_read.take() }
    }

    /// Opens or closes the interpreter's door to `ticket.has`.
    pub(crate) fn let_ask_events(&self, yes: bool) {
        self.may_ask_events.store(yes, Ordering::Relaxed);
    }

    /// The bit of an input beside the facts.
    pub(crate) fn other(&self, which: usize) -> usize {
        2 * self.words.schema.facts.len() + which
    }

    /// The bit of a fact.
    pub(crate) fn bit(&self, place: usize, first: bool) -> usize {
        if first { self.words.schema.facts.len() + place } else { place }
    }

    /// A fact as it stands, or as it was first given. A fact that nobody has told is not a value.
    pub(crate) fn fact(&self, place: usize, first: bool) -> Result<&FactValue, String> {
        let values = if first { &self.facts.first } else { &self.facts.current };
        match values.get(place) {
            Some(Some(value)) => Ok(value),
            _ => {
                let name = self.words.schema.facts.get(place).map_or("", |fact| &fact.name);
                Err(format!("the fact `{name}` is not known: no event of the ticket has given it"))
            }
        }
    }

    /// A fact, if it is known.
    pub(crate) fn fact_known(&self, place: usize, first: bool) -> Option<&FactValue> {
        let values = if first { &self.facts.first } else { &self.facts.current };
        values.get(place)?.as_ref()
    }

    /// Whether a fact is known.
    pub(crate) fn knows(&self, place: usize) -> bool {
        matches!(self.facts.current.get(place), Some(Some(_)))
    }

    /// Whether an event happened and stands.
    pub(crate) fn stands(&self, kind: Kind) -> bool {
        self.standing.iter().any(|(known, _)| *known == kind)
    }

    /// Whether a fact was given by the time of an event that happened and stands; at its very instant counts.
    pub(crate) fn knew(&self, place: usize, kind: Kind) -> bool {
        let event = self.standing.iter().find(|(known, _)| *known == kind).map(|(_, at)| *at);
        let given = self.given.get(place).copied().flatten();
        matches!((given, event), (Some(given), Some(event)) if given <= event)
    }

    /// A term in force when the ticket was reported.
    pub(crate) fn term(&self, place: usize) -> Result<Value, String> {
        match self.terms.values.get(place) {
            Some(Some(value)) => Ok(Value::of_term(value)),
            _ => {
                let name = self.words.terms.list.get(place).map_or("", |term| &term.name);
                Err(format!("the term `{name}` has no value in force at {}", self.reported_at))
            }
        }
    }

    /// When the contract was signed (0) or the project accepted (1), if it was.
    pub(crate) fn contract_instant(&self, which: usize) -> Option<Instant> {
        [self.contract.signed_at, self.contract.accepted_at].get(which).copied().flatten()
    }

    /// The same, or why there is none.
    pub(crate) fn contract_at(&self, which: usize) -> Result<Instant, String> {
        self.contract_instant(which).ok_or_else(|| {
            let (name, event) =
                if which == 0 { ("signed_at", "signed") } else { ("accepted_at", "project_accepted") };
            format!("`contract.{name}` is not known: no `{event}` event of the contract has come")
        })
    }

    /// The name and value of an input by its bit in [`Reads`].
    pub(crate) fn describe(&self, bit: usize) -> Option<(Arc<str>, String)> {
        let n = self.words.schema.facts.len();
        let written = |value: Option<&Option<FactValue>>| match value.and_then(Option::as_ref) {
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
        let instant = |at: Option<Instant>| at.map_or("not known".to_owned(), |at| at.to_string());
        let value = match bit - 2 * n {
            0 => self.reported_at.to_string(),
            1 => self.via.as_deref().unwrap_or("").to_owned(),
            2 => self.ticket.to_string(),
            3 => instant(self.contract.signed_at),
            _ => instant(self.contract.accepted_at),
        };
        Some((name, value))
    }
}
