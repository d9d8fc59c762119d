//! Types: the sort of a value and its unit.

use std::fmt;
use std::sync::Arc;

use rhai::ImmutableString;

use crate::terms::PeriodUnit;
use crate::vocabulary::Sort;

/// How a time was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elapse {
    /// A plain length, such as `hours(2)`: fits both.
    Plain,
    /// Between two instants, day and night.
    Elapsed,
    /// While a calendar was open, as lateness is.
    Working,
}

/// The texts that a one-of allows, and whose they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// `ticket.kind`, `terms.calendar`, `breach.clock`.
    pub(crate) of: String,
    pub(crate) values: Arc<[ImmutableString]>,
}

/// The type of a part of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// A statement, or a path without a result.
    Nothing,
    /// Control does not come out of it: it returned.
    Never,
    /// Something is wrong with it, and was told.
    Unknown,
    Bool,
    Count,
    Money,
    Time(Elapse),
    /// The unit, if it is one on every path.
    Days(Option<PeriodUnit>),
    Share,
    Instant,
    Text,
    OneOf(Choice),
    Deadline,
    Step,
    Verdict,
    Finding,
    Duty,
    Level,
    Cap,
    /// Of what, if it is not empty.
    List(Option<Box<Type>>),
    Ticket,
    First,
    Contract,
    Terms,
    Breach,
    /// A table, with its sort.
    Tiers(Sort),
    Period,
    Again,
}

impl Type {
    /// The sort, as far as running it matters; nothing where no value comes out.
    pub(crate) fn sort(&self) -> Option<Sort> {
        Some(match self {
            Type::Never | Type::Unknown => return None,
            Type::Nothing => Sort::Nothing,
            Type::Bool => Sort::Bool,
            Type::Count => Sort::Count,
            Type::Money => Sort::Money,
            Type::Time(_) => Sort::Time,
            Type::Days(_) => Sort::Days,
            Type::Share => Sort::Share,
            Type::Instant => Sort::Instant,
            Type::Text | Type::OneOf(_) => Sort::Text,
            Type::Deadline => Sort::Deadline,
            Type::Step => Sort::Step,
            Type::Verdict => Sort::Verdict,
            Type::Finding => Sort::Finding,
            Type::Duty => Sort::Duty,
            Type::Level => Sort::Level,
            Type::Cap => Sort::Cap,
            Type::List(_) => Sort::List,
            Type::Ticket => Sort::Ticket,
            Type::First => Sort::First,
            Type::Contract => Sort::Contract,
            Type::Terms => Sort::Terms,
            Type::Breach => Sort::Breach,
            Type::Tiers(sort) => *sort,
            Type::Period => Sort::Period,
            Type::Again => Sort::Again,
        })
    }

    /// The plainest type of a sort.
    pub(crate) fn of(sort: Sort) -> Type {
        match sort {
            Sort::Nothing => Type::Nothing,
            Sort::Bool => Type::Bool,
            Sort::Count => Type::Count,
            Sort::Money => Type::Money,
            Sort::Time => Type::Time(Elapse::Plain),
            Sort::Days => Type::Days(None),
            Sort::Share => Type::Share,
            Sort::Instant => Type::Instant,
            Sort::Text => Type::Text,
            Sort::Deadline => Type::Deadline,
            Sort::Step => Type::Step,
            Sort::Verdict => Type::Verdict,
            Sort::Finding => Type::Finding,
            Sort::Duty => Type::Duty,
            Sort::Level => Type::Level,
            Sort::Cap => Type::Cap,
            Sort::List => Type::List(None),
            Sort::Ticket => Type::Ticket,
            Sort::First => Type::First,
            Sort::Contract => Type::Contract,
            Sort::Terms => Type::Terms,
            Sort::Breach => Type::Breach,
            Sort::SharesByShare | Sort::SharesByCount | Sort::AmountsByShare | Sort::AmountsByCount => {
                Type::Tiers(sort)
            }
            Sort::Period => Type::Period,
            Sort::Again => Type::Again,
        }
    }

    /// Whether nothing more is to be said about it.
    pub(crate) fn is_settled(&self) -> bool {
        matches!(self, Type::Never | Type::Unknown)
    }

    /// The one type of two branches, if they have one.
    pub(crate) fn join(&self, other: &Type) -> Option<Type> {
        Some(match (self, other) {
            (Type::Never, known) | (known, Type::Never) => known.clone(),
            (Type::Unknown, known) | (known, Type::Unknown) => known.clone(),
            (a, b) if a == b => a.clone(),
            (Type::Time(a), Type::Time(b)) => Type::Time(a.join(*b)?),
            (Type::Days(_), Type::Days(_)) => Type::Days(None),
            (Type::List(None), known @ Type::List(_)) | (known @ Type::List(_), Type::List(None)) => {
                known.clone()
            }
            (Type::List(Some(a)), Type::List(Some(b))) => Type::List(Some(Box::new(a.join(b)?))),
            (Type::OneOf(a), Type::OneOf(b)) => {
                let more = b.values.iter().filter(|value| !a.values.contains(value));
                Type::OneOf(Choice {
                    of: format!("{} or {}", a.of, b.of),
                    values: a.values.iter().chain(more).cloned().collect(),
                })
            }
            (Type::Text | Type::OneOf(_), Type::Text | Type::OneOf(_)) => Type::Text,
            _ => return None,
        })
    }
}

impl Elapse {
    /// What two times counted so may be together, if anything.
    pub(crate) fn join(self, other: Elapse) -> Option<Elapse> {
        match (self, other) {
            (Elapse::Plain, known) | (known, Elapse::Plain) => Some(known),
            (a, b) => (a == b).then_some(a),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Never => f.write_str("nothing, it returns"),
            Type::Unknown => f.write_str("unknown"),
            Type::Time(Elapse::Elapsed) => f.write_str("elapsed time"),
            Type::Time(Elapse::Working) => f.write_str("working time"),
            Type::Days(Some(PeriodUnit::WorkingDays)) => f.write_str("working days"),
            Type::Days(Some(PeriodUnit::Weeks)) => f.write_str("weeks"),
            Type::Days(Some(PeriodUnit::Months)) => f.write_str("months"),
            Type::Days(Some(PeriodUnit::Years)) => f.write_str("years"),
            Type::OneOf(choice) => write!(f, "one of the values of {}", choice.of),
            Type::List(Some(of)) => write!(f, "list of {of}s"),
            other => f.write_str(other.sort().unwrap_or(Sort::Nothing).name()),
        }
    }
}
