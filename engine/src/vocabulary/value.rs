//! The values that clauses compute with, and what they build: deadlines, steps, verdicts, findings.

use std::fmt;
use std::sync::Arc;

use rhai::ImmutableString;
use rust_decimal::Decimal;

use crate::event::Kind;
use crate::terms::{Period, TermValue, TierBy, TierValue, Tiers};
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
    /// All pauses together count for at most so much elapsed time.
    pub(crate) pause_max: Option<Span>,
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
            pause_max: None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum DueLength {
    Span(Span),
    Period(Period),
    Fact(u16),
    /// So long before the instant that a fact holds.
    Before(u16, Period),
}

/// The event of the contract from which its duties and service levels count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) enum Begin {
    #[default]
    Signed,
    Accepted,
}

/// `duty(...)` while a script builds it: something the contract asks for again and again, or once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Duty {
    pub(crate) name: Arc<str>,
    pub(crate) when: DutyWhen,
    pub(crate) begins: Begin,
    /// How long there is for it from each occurrence on: a span or a period.
    pub(crate) length: Option<DueLength>,
    /// So long before an occurrence it may be done already.
    pub(crate) early: Span,
    pub(crate) calendar: Option<u16>,
    /// Facts that the event must carry (a yes-or-no one must be yes), else the duty is not done by it.
    pub(crate) needs: Arc<[u16]>,
}

/// When a duty falls.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum DutyWhen {
    /// By a recurrence rule (RFC 5545), in the contract's zone, counted from the local date of its beginning.
    Every(ImmutableString),
    /// Once, at the beginning.
    Once,
}

/// What a service level measures.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Measure {
    /// The share of the time without an outage (of this service, if one is named).
    Availability(Option<ImmutableString>),
    /// The share of clocks of these names met, among all that were met or missed.
    InTime(Arc<[ImmutableString]>),
}

/// Which planned downtime is no outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planned {
    /// Announced at least so much elapsed time before it began.
    Announced(Span),
    /// None: planned downtime counts like any other.
    Counts,
}

/// Over what a service level is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LevelPeriod {
    Month,
    Quarter,
    Year,
    /// At the end of each month, over so many months up to it.
    Months(u32),
}

/// `availability(...)` or `in_time(...)` while a script builds it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Level {
    pub(crate) name: Arc<str>,
    pub(crate) measure: Measure,
    pub(crate) planned: Planned,
    pub(crate) period: LevelPeriod,
    pub(crate) begins: Begin,
    /// How long after its end a period closes; nothing: at its end.
    pub(crate) settles: Option<DueLength>,
    pub(crate) calendar: Option<u16>,
    /// A credit is given back when the level stays at or above the share for so many periods after.
    pub(crate) earned_back: Option<(u32, Decimal)>,
}

/// Over what a cap adds up penalties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CapPer {
    /// A ticket, an occurrence of a duty, or a period of a level.
    Ticket,
    Month,
    Quarter,
    Year,
    /// So many months up to and including the month of the penalty.
    Months(u32),
    Contract,
}

/// A cap on penalties while a script builds it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cap {
    pub(crate) per: CapPer,
    pub(crate) limit: Money,
    /// The clauses whose penalties it adds up; nothing: all.
    pub(crate) clauses: Option<Arc<[ImmutableString]>>,
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
    Duty,
    Level,
    Cap,
    List,
    Ticket,
    First,
    Contract,
    Terms,
    Breach,
    /// Tables of terms.toml, by what they give and what they are asked with.
    SharesByShare,
    SharesByCount,
    AmountsByShare,
    AmountsByCount,
    /// A closed period of a service level.
    Period,
    /// A penalty with the earlier breaches of its clause.
    Again,
}

impl Sort {
    /// The sort of a table.
    pub(crate) fn of_tiers(tiers: &Tiers) -> Sort {
        let money = tiers.bands().first().is_some_and(|band| matches!(band.is, TierValue::Money(_)));
        Sort::of_table(tiers.by(), money)
    }

    /// The sort of a table that is asked with this and gives money or shares.
    pub(crate) fn of_table(by: TierBy, money: bool) -> Sort {
        match (by, money) {
            (TierBy::Percent, false) => Sort::SharesByShare,
            (TierBy::Count, false) => Sort::SharesByCount,
            (TierBy::Percent, true) => Sort::AmountsByShare,
            (TierBy::Count, true) => Sort::AmountsByCount,
        }
    }

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
            Sort::Duty => "duty",
            Sort::Level => "service level",
            Sort::Cap => "cap",
            Sort::List => "list",
            Sort::Ticket => "ticket",
            Sort::First => "first values of the ticket",
            Sort::Contract => "contract",
            Sort::Terms => "terms",
            Sort::Breach => "breach",
            Sort::SharesByShare => "share by share",
            Sort::SharesByCount => "share by count",
            Sort::AmountsByShare => "money by share",
            Sort::AmountsByCount => "money by count",
            Sort::Period => "period",
            Sort::Again => "again",
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
    Duty(Box<Duty>),
    Level(Box<Level>),
    Cap(Box<Cap>),
    Tiers(Arc<Tiers>),
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
            Value::Duty(_) => Sort::Duty,
            Value::Level(_) => Sort::Level,
            Value::Cap(_) => Sort::Cap,
            Value::Tiers(tiers) => Sort::of_tiers(tiers),
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
            TermValue::Tiers(tiers) => Value::Tiers(Arc::clone(tiers)),
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
            Value::Duty(_) => f.write_str("a duty"),
            Value::Level(_) => f.write_str("a service level"),
            Value::Cap(_) => f.write_str("a cap"),
            Value::Tiers(tiers) => write!(f, "the table {tiers}"),
            Value::List(_) => f.write_str("a list"),
            Value::View(sort) => write!(f, "the {sort}"),
        }
    }
}
