//! What a script sees when the interpreter runs it: views of the inputs, each read noted for the decision's record.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rhai::{Dynamic, EvalAltResult, ImmutableString, Position};

use super::dynamic::to_dynamic;
use crate::nearest::hint;
use crate::terms::Period;
use crate::vocabulary::{
    AgainInputs, Asked, BreachInputs, FIELDS, Inputs, LevelInputs, Sort, Value, fact_zh, field,
};

pub(crate) type Answer<T> = Result<T, Box<EvalAltResult>>;

/// An error raised by the vocabulary; rhai adds the place of the call.
pub(crate) fn fault<T>(message: impl Into<String>) -> Answer<T> {
    Err(EvalAltResult::ErrorRuntime(message.into().into(), Position::NONE).into())
}

/// A value for the script, or the sentence that says why not.
fn told(result: Result<Value, String>) -> Answer<Dynamic> {
    result.map(to_dynamic).or_else(fault)
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

/// `breach` in scripts.
#[derive(Clone)]
pub(crate) struct BreachView(pub(crate) Arc<BreachSeen>);

/// `level` in `credit`.
#[derive(Clone)]
pub(crate) struct PeriodView(pub(crate) Arc<LevelInputs>);
/// `again` in `repeated`.
#[derive(Clone)]
pub(crate) struct AgainView(pub(crate) Arc<AgainInputs>);

pub(crate) struct BreachSeen {
    pub(crate) inputs: Arc<Inputs>,
    pub(crate) breach: BreachInputs,
    /// Whether the script looked at the lateness, which grows until the clock stops.
    pub(crate) late_read: AtomicBool,
}

/// The names of a sort's fields, for hints.
fn field_names(of: Sort) -> impl Iterator<Item = &'static str> {
    FIELDS.iter().filter(move |field| field.of == of).flat_map(|field| field.names)
}

fn place(inputs: &Inputs, name: &str) -> Answer<(usize, bool)> {
    match inputs.words.fact(name) {
        Some(found) => Ok(found),
        None => {
            let fields: Vec<&str> = field_names(Sort::Ticket).collect();
            let near = hint(name, inputs.words.fact_names().chain(fields));
            fault(format!("unknown fact `ticket.{name}`{near}"))
        }
    }
}

/// A fact by either of its names: the Chinese one gives its value in Chinese.
fn fact(inputs: &Inputs, name: &str, first: bool) -> Answer<Dynamic> {
    let (place, chinese) = place(inputs, name)?;
    inputs.inputs_read.note(inputs.bit(place, first));
    let value = inputs.fact(place, first).map(Value::of_fact);
    told(value.map(|value| if chinese { in_chinese(inputs, place, value) } else { value }))
}

/// A one-of's value as seen through the fact's Chinese name.
pub(crate) fn in_chinese(inputs: &Inputs, place: usize, value: Value) -> Value {
    let schema = &inputs.words.schema;
    let Some((fact, Value::Text(text))) = schema.facts.get(place).map(|fact| (fact, &value)) else {
        return value;
    };
    let crate::ticket::FactType::OneOf(values) = &fact.of else { return value };
    let at = values.iter().position(|known| known == text);
    match fact_zh(fact).and_then(|(_, zh)| zh.get(at?)) {
        Some(zh) => Value::Text(zh.clone()),
        None => value,
    }
}

impl TicketView {
    pub(crate) fn get(&self, name: &str) -> Answer<Dynamic> {
        let inputs = &self.0;
        let Some(field) = field(Sort::Ticket, name) else { return fact(inputs, name, false) };
        match field.what {
            Asked::First => Ok(Dynamic::from(FirstView(Arc::clone(inputs)))),
            Asked::ReportedAt => {
                inputs.inputs_read.note(inputs.other(0));
                Ok(Dynamic::from(inputs.reported_at))
            }
            Asked::Via => {
                inputs.inputs_read.note(inputs.other(1));
                Ok(inputs.via.clone().unwrap_or_default().into())
            }
            _ => {
                inputs.inputs_read.note(inputs.other(2));
                Ok(inputs.ticket.clone().into())
            }
        }
    }

    pub(crate) fn knows(&self, name: &str) -> Answer<bool> {
        let (place, _) = place(&self.0, name)?;
        self.0.inputs_read.note(place);
        Ok(self.0.knows(place))
    }

    /// Facts alone decide deadlines, prices and classes; what has happened belongs to the clocks.
    pub(crate) fn has(&self, kind: &str) -> Answer<bool> {
        let words = &self.0.words;
        if !self.0.may_ask_events.load(Ordering::Relaxed) {
            return fault(
                "`ticket.has` is for `findings`; elsewhere facts decide, and clocks by their events",
            );
        }
        match words.kind(kind) {
            Some(kind) => Ok(self.0.stands(kind)),
            None => fault(format!("unknown event kind `{kind}`{}", words.kind_hint(kind))),
        }
    }

    /// Whether a fact was given by the time of an event.
    pub(crate) fn knew(&self, name: &str, kind: &str) -> Answer<bool> {
        let words = &self.0.words;
        let (place, _) = place(&self.0, name)?;
        self.0.inputs_read.note(place);
        if !self.0.may_ask_events.load(Ordering::Relaxed) {
            return fault(
                "`ticket.knew` is for `findings`; elsewhere facts decide, and clocks by their events",
            );
        }
        match words.kind(kind) {
            Some(kind) => Ok(self.0.knew(place, kind)),
            None => fault(format!("unknown event kind `{kind}`{}", words.kind_hint(kind))),
        }
    }
}

impl PeriodView {
    pub(crate) fn get(&self, name: &str) -> Answer<Dynamic> {
        match field(Sort::Period, name).map(|field| field.what) {
            Some(Asked::Of(what)) => told(self.0.answer(what)),
            _ => fault(format!("unknown fact `{name}`{}", hint(name, field_names(Sort::Period)))),
        }
    }
}

impl AgainView {
    pub(crate) fn get(&self, name: &str) -> Answer<Dynamic> {
        match field(Sort::Again, name).map(|field| field.what) {
            Some(Asked::Of(what)) => told(self.0.answer(what)),
            _ => fault(format!("unknown fact `{name}`{}", hint(name, field_names(Sort::Again)))),
        }
    }

    pub(crate) fn within(&self, period: Period) -> Answer<i64> {
        self.0.within(period).or_else(fault)
    }
}

impl FirstView {
    pub(crate) fn get(&self, name: &str) -> Answer<Dynamic> {
        fact(&self.0, name, true)
    }
}

impl ContractView {
    pub(crate) fn get(&self, name: &str) -> Answer<Dynamic> {
        let which = match field(Sort::Contract, name).map(|field| field.what) {
            Some(Asked::SignedAt) => 0,
            Some(_) => 1,
            None => {
                let near = hint(name, field_names(Sort::Contract));
                return fault(format!("unknown fact `contract.{name}`{near}"));
            }
        };
        self.0.inputs_read.note(self.0.other(3 + which));
        told(self.0.contract_at(which).map(Value::Instant))
    }

    /// Only what decides about all tickets of a contract; payments do not, and come by the thousand.
    pub(crate) fn has(&self, kind: &str) -> Answer<bool> {
        match self.0.words.contract_event(kind) {
            Some(which) => {
                self.0.inputs_read.note(self.0.other(3 + which));
                Ok(self.0.contract_instant(which).is_some())
            }
            None => {
                fault(format!("`contract.has` answers for `signed` and `project_accepted`, not for `{kind}`"))
            }
        }
    }
}

impl TermsView {
    pub(crate) fn get(&self, name: &str) -> Answer<Dynamic> {
        let words = &self.0.words;
        match words.term(name) {
            Some(place) => self.at(place),
            None => fault(format!("unknown term `terms.{name}`{}", hint(name, words.term_names()))),
        }
    }

    pub(crate) fn at(&self, place: usize) -> Answer<Dynamic> {
        self.0.terms_read.note(place);
        told(self.0.term(place))
    }
}

impl BreachView {
    pub(crate) fn get(&self, name: &str) -> Answer<Dynamic> {
        let seen = &self.0;
        match field(Sort::Breach, name).map(|field| field.what) {
            Some(Asked::Clock) => Ok(ImmutableString::from(&*seen.breach.clock).into()),
            Some(Asked::Due) => Ok(Dynamic::from(seen.breach.due)),
            Some(Asked::Late) => {
                seen.late_read.store(true, Ordering::Relaxed);
                Ok(Dynamic::from(seen.breach.late))
            }
            Some(_) => Ok(Dynamic::from(TicketView(Arc::clone(&seen.inputs)))),
            None => {
                let near = hint(name, field_names(Sort::Breach));
                fault(format!("unknown fact `breach.{name}`{near}"))
            }
        }
    }
}
