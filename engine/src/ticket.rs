//! Stage 3: a ticket's history folded into what is known of it.

mod admit;

use std::sync::Arc;

use rhai::ImmutableString;

use crate::event::{Kind, Kinds};
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

/// What else an event says, by its kind. Small: what tickets do not have lies in a box.
#[derive(Debug, PartialEq)]
pub(crate) enum Detail {
    /// Facts of a ticket by their place in the schema.
    Facts(Box<[(u16, Value)]>),
    /// `cancelled` with the customer's receipt.
    Receipt(bool),
    /// `deposit_paid`, `deposit_released`.
    Amount(Money),
    /// `penalty_confirmed`, `penalty_waived`, `penalty_disputed`, `dispute_ended`.
    Penalty(Box<PenaltyDetail>),
    /// `duty_done`.
    Duty(Box<DutyDetail>),
    /// `outage_started`, `outage_ended`.
    Outage(Box<OutageDetail>),
    /// `downtime_planned`.
    Downtime(Box<DowntimeDetail>),
    /// `force_majeure_started`, `force_majeure_ended`.
    Relief(Box<ReliefDetail>),
    /// `invoiced`.
    Invoice(Box<InvoiceDetail>),
    /// Nothing.
    None,
}

/// What is said of a penalty.
#[derive(Debug, PartialEq)]
pub(crate) struct PenaltyDetail {
    /// Its id.
    pub(crate) penalty: Box<str>,
    /// Who says so.
    pub(crate) by: Option<Box<str>>,
}

/// A duty that was done.
#[derive(Debug, PartialEq)]
pub(crate) struct DutyDetail {
    pub(crate) duty: Box<str>,
    /// The facts that prove it, by their place in the schema.
    pub(crate) facts: Box<[(u16, Value)]>,
}

/// What was invoiced.
#[derive(Debug, PartialEq)]
pub(crate) struct InvoiceDetail {
    pub(crate) amount: Money,
    /// For which service, if the event says so.
    pub(crate) service: Option<Box<str>>,
}

/// Which outage starts or ends, and of what.
#[derive(Debug, PartialEq, Default)]
pub(crate) struct OutageDetail {
    /// Its own id; without one an end belongs to the outage of its service that is open then.
    pub(crate) outage: Option<Box<str>>,
    pub(crate) service: Option<Box<str>>,
}

/// Downtime that was announced at the event's instant.
#[derive(Debug, PartialEq)]
pub(crate) struct DowntimeDetail {
    pub(crate) from: Instant,
    pub(crate) until: Instant,
    pub(crate) service: Option<Box<str>>,
}

/// Force majeure: clocks, duties and service levels that stand still meanwhile.
#[derive(Debug, PartialEq, Default)]
pub(crate) struct ReliefDetail {
    /// Its own name; an end without one ends every window.
    pub(crate) window: Option<Box<str>>,
    /// The names of the clocks, duties and levels; none: all of them.
    pub(crate) clocks: Box<[Box<str>]>,
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

    /// Force majeure starts or ends: an event of the contract that moves the clocks of its tickets.
    pub(crate) fn holds_clocks(&self) -> bool {
        matches!(self.detail, Detail::Relief(_))
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
