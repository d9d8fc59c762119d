//! Stage 3: a ticket's history folded into what is known of it.

use std::sync::Arc;

use rhai::ImmutableString;
use serde_json::Value as Json;

use crate::event::{Event, EventError, Kind, Kinds, TICKET_DATA};
use crate::nearest::hint;
use crate::{Calendar, Currency, Instant, Money};

/// A known fact, typed by the pack's ticket schema.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// An amount of the contract's currency.
    Money(Money),
    /// A text, or one of the texts that the schema allows.
    Text(ImmutableString),
    /// A point in time.
    Instant(Instant),
}

/// What the schema says of a fact.
#[derive(Clone, PartialEq, Debug)]
pub enum FactType {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer,
    /// An amount as text, `"500.00"`, of the contract's currency.
    Money,
    /// Any text.
    Text,
    /// RFC 3339 with offset; or a bare date, which is its end (24:00) in the contract's zone.
    Instant,
    /// One of these texts.
    OneOf(Vec<ImmutableString>),
}

/// One fact that tickets of a pack can have.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Its name: the key in an event's data, and `ticket.<name>` in scripts.
    pub name: String,
    /// Its type.
    pub of: FactType,
    /// What it means.
    pub doc: String,
    /// Its other name in scripts, usually Chinese.
    pub zh: Option<String>,
    /// The values of a one-of as seen by that name, one for each in their order; empty when there are none.
    pub zh_values: Vec<ImmutableString>,
}

/// What a pack's events may carry: kinds and facts.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    pub(crate) kinds: Kinds,
    pub(crate) facts: Vec<Fact>,
    pub(crate) currency: Currency,
    /// Ends bare dates.
    pub(crate) days: Arc<Calendar>,
}

/// An event, checked against the schema and made small.
#[derive(Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) at: Instant,
    pub(crate) id: Box<str>,
    pub(crate) kind: Kind,
    pub(crate) via: Option<ImmutableString>,
    pub(crate) reason: Option<ImmutableString>,
    pub(crate) detail: Detail,
}

/// What else an event says, by its kind.
#[derive(Debug, PartialEq)]
pub(crate) enum Detail {
    /// Facts of a ticket by their place in the schema.
    Facts(Box<[(u16, Value)]>),
    /// `cancelled` with the customer's receipt.
    Receipt(bool),
    /// `deposit_paid`, `deposit_released`.
    Amount(Money),
    /// `penalty_confirmed`, `penalty_waived`.
    Penalty(Box<str>),
    /// Nothing.
    None,
}

impl Entry {
    /// The order of one history: by instant, then by event id.
    pub(crate) fn order(&self) -> (Instant, &str) {
        (self.at, &self.id)
    }

    /// Facts and the report decide what the clauses say; other events only move the clocks.
    pub(crate) fn bears_on_clauses(&self) -> bool {
        matches!(self.detail, Detail::Facts(_)) || self.kind == Kind::REPORTED
    }
}

/// Puts an entry into its place of a history.
pub(crate) fn insert(history: &mut Vec<Arc<Entry>>, entry: Arc<Entry>) {
    let place = match history.last() {
        Some(last) if last.order() > entry.order() => history.partition_point(|e| e.order() < entry.order()),
        _ => history.len(),
    };
    history.insert(place, entry);
}

/// The facts known of a ticket: what was first said and what is said now, by place in the schema.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Facts {
    pub(crate) first: Vec<Option<Value>>,
    pub(crate) current: Vec<Option<Value>>,
}

/// Where a ticket stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Events came, but none that reports it.
    Unreported,
    /// Reported and not done.
    Open,
    /// Done, in the supplier's word.
    Resolved,
    /// Ended.
    Closed,
    /// Called off.
    Cancelled,
}

/// A ticket as its history tells it up to some instant.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub(crate) reported_at: Option<Instant>,
    pub(crate) via: Option<ImmutableString>,
    pub(crate) facts: Facts,
    pub(crate) status: Status,
}

/// What is known of the contract itself up to some instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct ContractFacts {
    pub(crate) signed_at: Option<Instant>,
    pub(crate) accepted_at: Option<Instant>,
}

impl ContractFacts {
    /// The last word counts: a later event of the kind corrects an earlier one.
    pub(crate) fn fold(history: &[Arc<Entry>], as_of: Instant) -> ContractFacts {
        let last = |kind| history.iter().rev().find(|e| e.kind == kind && e.at <= as_of).map(|e| e.at);
        ContractFacts { signed_at: last(Kind::SIGNED), accepted_at: last(Kind::PROJECT_ACCEPTED) }
    }
}

impl Ticket {
    pub(crate) fn fold(schema: &Schema, history: &[Arc<Entry>]) -> Ticket {
        let unknown = vec![None; schema.facts.len()];
        let mut ticket = Ticket {
            reported_at: None,
            via: None,
            facts: Facts { first: unknown.clone(), current: unknown },
            status: Status::Unreported,
        };
        for entry in history {
            ticket.apply(entry);
        }
        ticket
    }

    fn apply(&mut self, entry: &Entry) {
        if let Detail::Facts(facts) = &entry.detail {
            for (place, value) in facts {
                let place = usize::from(*place);
                if let Some(first) = self.facts.first.get_mut(place) {
                    first.get_or_insert_with(|| value.clone());
                }
                if let Some(current) = self.facts.current.get_mut(place) {
                    *current = Some(value.clone());
                }
            }
        }
        if entry.kind == Kind::REPORTED && self.reported_at.is_none() {
            self.reported_at = Some(entry.at);
            self.via.clone_from(&entry.via);
        }
        self.status = status_after(self.status, entry.kind);
    }
}

pub(crate) fn status_after(before: Status, kind: Kind) -> Status {
    match (kind, before) {
        (Kind::REPORTED, Status::Unreported) | (Kind::REOPENED | Kind::REJECTED, _) => Status::Open,
        (Kind::RESOLVED, Status::Open | Status::Unreported) => Status::Resolved,
        (Kind::CLOSED, _) => Status::Closed,
        (Kind::CANCELLED, _) => Status::Cancelled,
        _ => before,
    }
}

impl Schema {
    pub(crate) fn fact(&self, name: &str) -> Option<usize> {
        self.facts.iter().position(|fact| fact.name == name)
    }

    fn fact_names(&self) -> impl Iterator<Item = &str> {
        self.facts.iter().map(|fact| fact.name.as_str())
    }

    /// Checks an event against the schema.
    pub(crate) fn admit(&self, event: &Event) -> Result<Entry, EventError> {
        let id = || event.id.clone();
        for (field, text) in [("id", &event.id), ("contract", &event.contract), ("kind", &event.kind)] {
            if text.is_empty() {
                return Err(EventError::Empty { id: id(), field });
            }
        }
        let kind = self.kinds.find(&event.kind).ok_or_else(|| EventError::UnknownKind {
            id: id(),
            kind: event.kind.clone(),
            hint: self.kinds.hint(&event.kind),
        })?;
        let scope = |expected| EventError::Scope { id: id(), kind: event.kind.clone(), expected };
        let detail = match (&event.ticket, kind.of_contract()) {
            (None, false) => return Err(scope("a ticket: `ticket` is missing")),
            (Some(_), true) => return Err(scope("the contract itself: `ticket` must be absent")),
            (Some(ticket), false) if ticket.is_empty() => {
                return Err(EventError::Empty { id: id(), field: "ticket" });
            }
            (Some(_), false) => self.ticket_detail(event, kind)?,
            (None, true) => self.contract_detail(event, kind)?,
        };
        Ok(Entry {
            at: event.at,
            id: event.id.as_str().into(),
            kind,
            via: event.via.as_deref().map(ImmutableString::from),
            reason: self.text(event, "reason")?.map(ImmutableString::from),
            detail,
        })
    }

    fn ticket_detail(&self, event: &Event, kind: Kind) -> Result<Detail, EventError> {
        let mut facts = Vec::new();
        let mut receipt = None;
        for (name, json) in &event.data {
            if let Some(place) = self.fact(name) {
                let fact = self.facts.get(place).map(|fact| &fact.of).unwrap_or(&FactType::Text);
                facts.push((u16::try_from(place).unwrap_or(u16::MAX), self.value(event, name, fact, json)?));
            } else if name == "receipt" && kind == Kind::CANCELLED {
                receipt = Some(json.as_bool().ok_or_else(|| wrong_type(event, name, json, "true or false"))?);
            } else if !TICKET_DATA.contains(&name.as_str()) {
                return Err(EventError::UnknownFact {
                    id: event.id.clone(),
                    kind: event.kind.clone(),
                    fact: name.clone(),
                    hint: hint(name, self.fact_names().chain(TICKET_DATA)),
                });
            }
        }
        Ok(match receipt {
            Some(given) if facts.is_empty() => Detail::Receipt(given),
            _ if facts.is_empty() => Detail::None,
            _ => Detail::Facts(facts.into_boxed_slice()),
        })
    }

    fn contract_detail(&self, event: &Event, kind: Kind) -> Result<Detail, EventError> {
        let missing = |fact, expected| EventError::MissingFact {
            id: event.id.clone(),
            kind: event.kind.clone(),
            fact,
            expected,
        };
        match kind {
            Kind::DEPOSIT_PAID | Kind::DEPOSIT_RELEASED => {
                let json = event
                    .data
                    .get("amount")
                    .ok_or_else(|| missing("amount", "an amount such as \"10000.00\""))?;
                match self.value(event, "amount", &FactType::Money, json)? {
                    Value::Money(money) if money.minor() >= 0 => Ok(Detail::Amount(money)),
                    _ => Err(wrong_type(event, "amount", json, "zero or more")),
                }
            }
            Kind::PENALTY_CONFIRMED | Kind::PENALTY_WAIVED => {
                let penalty = self.text(event, "penalty")?;
                let penalty =
                    penalty.ok_or_else(|| missing("penalty", "its id, `<ticket>/<clause>/<clock>`"))?;
                Ok(Detail::Penalty(penalty.into()))
            }
            _ => Ok(Detail::None),
        }
    }

    fn text<'a>(&self, event: &'a Event, name: &str) -> Result<Option<&'a str>, EventError> {
        match event.data.get(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) if self.fact(name).is_some() => Ok(None),
            Some(json) => Err(wrong_type(event, name, json, "a text")),
        }
    }

    fn value(&self, event: &Event, name: &str, of: &FactType, json: &Json) -> Result<Value, EventError> {
        let wrong = |expected: &str| wrong_type(event, name, json, expected);
        match (of, json) {
            (FactType::Bool, Json::Bool(yes)) => Ok(Value::Bool(*yes)),
            (FactType::Integer, Json::Number(n)) => {
                n.as_i64().map(Value::Integer).ok_or_else(|| wrong("a whole number of 64 bits"))
            }
            (FactType::Money, json) => self.money(event, name, json),
            (FactType::Text, Json::String(text)) => Ok(Value::Text(text.into())),
            (FactType::Instant, Json::String(text)) => self.instant(event, name, text),
            (FactType::OneOf(allowed), Json::String(text)) => {
                let found = allowed.iter().find(|allowed| allowed.as_str() == text).cloned();
                found.map(Value::Text).ok_or_else(|| {
                    let near = hint(text, allowed.iter().map(ImmutableString::as_str));
                    let all: Vec<_> = allowed.iter().map(ImmutableString::as_str).collect();
                    wrong(&format!("one of {}{near}", all.join(", ")))
                })
            }
            (FactType::Bool, _) => Err(wrong("true or false")),
            (FactType::Integer, _) => Err(wrong("a whole number")),
            (FactType::Text, _) => Err(wrong("a text")),
            (FactType::Instant, _) => Err(wrong("a text: RFC 3339 with offset, or a date")),
            (FactType::OneOf(_), _) => Err(wrong("a text")),
        }
    }

    /// `"500.00"`, or `{"amount": "500.00", "currency": "CNY"}`.
    fn money(&self, event: &Event, name: &str, json: &Json) -> Result<Value, EventError> {
        let refuse = |source| EventError::Money { id: event.id.clone(), fact: name.to_owned(), source };
        let (text, currency) = match json {
            Json::String(text) => (text.as_str(), None),
            Json::Object(fields) => {
                (fields.get("amount").and_then(Json::as_str).unwrap_or(""), fields.get("currency"))
            }
            _ => return Err(wrong_type(event, name, json, "an amount as text, such as \"500.00\"")),
        };
        if let Some(currency) = currency {
            let found: Currency = currency.as_str().unwrap_or("").parse().map_err(refuse)?;
            if found != self.currency {
                return Err(refuse(crate::MoneyError::Mixed { found, expected: self.currency }));
            }
        }
        Money::parse(text, self.currency).map(Value::Money).map_err(refuse)
    }

    fn instant(&self, event: &Event, name: &str, text: &str) -> Result<Value, EventError> {
        if let Ok(date) = text.parse::<chrono::NaiveDate>()
            && let Ok(end) = self.days.end_of_day(date)
        {
            return Ok(Value::Instant(end));
        }
        let time = text.parse().map(Value::Instant);
        time.map_err(|source| EventError::Time { id: event.id.clone(), fact: name.to_owned(), source })
    }
}

fn wrong_type(event: &Event, fact: &str, json: &Json, expected: &str) -> EventError {
    let found: String = json.to_string().chars().take(60).collect();
    EventError::FactType {
        id: event.id.clone(),
        fact: fact.to_owned(),
        found: format!("`{found}`"),
        expected: expected.to_owned(),
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Bool(yes) => yes.fmt(f),
            Value::Integer(n) => n.fmt(f),
            Value::Money(money) => money.fmt(f),
            Value::Text(text) => f.write_str(text),
            Value::Instant(at) => at.fmt(f),
        }
    }
}
