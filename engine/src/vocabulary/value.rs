//! The values that clauses compute with, and what they build: deadlines, steps, verdicts, findings.

use std::fmt;
use std::sync::Arc;

use rhai::ImmutableString;
use rust_decimal::Decimal;

use crate::event::Kind;
use crate::terms::{Period, TermValue};
use crate::ticket::Value as FactValue;
use crate::{Instant, Money, Span};

/// A share of something: 0.05 is five percent.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub(crate) struct Share(pub(crate) Decimal);

/// `due(...)` while a script builds it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Due {
    pub(crate) name: Arc<str>,
    pub(crate) starts: Arc<[Kind]>,
    pub(crate) after_breach_of: Option<Arc<str>>,
    pub(crate) length: Option<DueLength>,
    pub(crate) stops: Arc<[Kind]>,
    pub(crate) calendar: Option<u16>,
    pub(crate) pauses: Option<Arc<[ImmutableString]>>,
}

impl Due {
    pub(crate) fn new(name: &str) -> Due {
        Due {
            name: name.into(),
            starts: Arc::new([Kind::REPORTED]),
            after_breach_of: None,
            length: None,
            stops: Arc::new([]),
            calendar: None,
            pauses: None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum DueLength {
    Span(Span),
    Period(Period),
    Fact(u16),
}

/// `free(...)`, `paid(...)` or `undecided()`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    Free(ImmutableString),
    Paid(ImmutableString),
    Undecided,
}

/// `finding(...)`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FindingText(pub(crate) ImmutableString);

/// A step of an escalation ladder while a script builds it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) clock: Arc<str>,
    pub(crate) at: StepAt,
    pub(crate) roles: Arc<[ImmutableString]>,
}

/// When a step is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum StepAt {
    /// When this share of the clock's time is used.
    Share(Decimal),
    /// At the breach.
    Breach,
    /// So long after the breach.
    After(Span),
}

/// Which sort of thing a value is, as far as running it matters. A program's types say more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Sort {
    Nothing,
    Bool,
    Count,
    Money,
    Time,
    Days,
    Share,
    Instant,
    Text,
    Deadline,
    Step,
    Verdict,
    Finding,
    List,
    Ticket,
    First,
    Contract,
    Terms,
    Breach,
}

impl Sort {
    /// Its name in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Sort::Nothing => "nothing",
            Sort::Bool => "true or false",
            Sort::Count => "count",
            Sort::Money => "money",
            Sort::Time => "time",
            Sort::Days => "days",
            Sort::Share => "share",
            Sort::Instant => "instant",
            Sort::Text => "text",
            Sort::Deadline => "deadline",
            Sort::Step => "step",
            Sort::Verdict => "class",
            Sort::Finding => "finding",
            Sort::List => "list",
            Sort::Ticket => "ticket",
            Sort::First => "first values of the ticket",
            Sort::Contract => "contract",
            Sort::Terms => "terms",
            Sort::Breach => "breach",
        }
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A value while a clause runs.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) enum Value {
    #[default]
    Nothing,
    Bool(bool),
    Count(i64),
    Money(Money),
    Time(Span),
    Days(Period),
    Share(Share),
    Instant(Instant),
    Text(ImmutableString),
    Deadline(Box<Due>),
    Step(Box<Step>),
    Verdict(Verdict),
    Finding(FindingText),
    List(Vec<Value>),
    /// The parameter of an entry function, or one of the globals: asked, never computed with.
    View(Sort),
}

impl Value {
    pub(crate) fn sort(&self) -> Sort {
        match self {
            Value::Nothing => Sort::Nothing,
            Value::Bool(_) => Sort::Bool,
            Value::Count(_) => Sort::Count,
            Value::Money(_) => Sort::Money,
            Value::Time(_) => Sort::Time,
            Value::Days(_) => Sort::Days,
            Value::Share(_) => Sort::Share,
            Value::Instant(_) => Sort::Instant,
            Value::Text(_) => Sort::Text,
            Value::Deadline(_) => Sort::Deadline,
            Value::Step(_) => Sort::Step,
            Value::Verdict(_) => Sort::Verdict,
            Value::Finding(_) => Sort::Finding,
            Value::List(_) => Sort::List,
            Value::View(sort) => *sort,
        }
    }

    pub(crate) fn of_fact(value: &FactValue) -> Value {
        match value {
            FactValue::Bool(yes) => Value::Bool(*yes),
            FactValue::Integer(n) => Value::Count(*n),
            FactValue::Money(money) => Value::Money(*money),
            FactValue::Text(text) => Value::Text(text.clone()),
            FactValue::Instant(at) => Value::Instant(*at),
        }
    }

    pub(crate) fn of_term(value: &TermValue) -> Value {
        match value {
            TermValue::Money(money) => Value::Money(*money),
            TermValue::Span(span) => Value::Time(*span),
            TermValue::Period(period) => Value::Days(*period),
            TermValue::Count(n) => Value::Count(*n),
            TermValue::Share(share) => Value::Share(Share(*share)),
            TermValue::Bool(yes) => Value::Bool(*yes),
            TermValue::Text(text) => Value::Text(text.clone()),
        }
    }
}

impl fmt::Display for Value {
    /// What a value is, in the vocabulary's words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Nothing => f.write_str("nothing"),
            Value::Bool(yes) => write!(f, "`{yes}`"),
            Value::Count(n) => write!(f, "the number {n}"),
            Value::Money(money) => write!(f, "the amount {money}"),
            Value::Time(span) => write!(f, "the time {span}"),
            Value::Days(period) => write!(f, "the period {period}"),
            Value::Share(share) => write!(f, "the share {}", share.0),
            Value::Instant(at) => write!(f, "the instant {at}"),
            Value::Text(text) => write!(f, "the text `{}`", text.chars().take(40).collect::<String>()),
            Value::Deadline(_) => f.write_str("a deadline"),
            Value::Step(_) => f.write_str("a step"),
            Value::Verdict(_) => f.write_str("a class"),
            Value::Finding(_) => f.write_str("a finding"),
            Value::List(_) => f.write_str("a list"),
            Value::View(sort) => write!(f, "the {sort}"),
        }
    }
}
