//! What a part of a program may come to: an interval, a few exact values, or anything.

use crate::program::Type;
use crate::ticket::{FactType, Value as FactValue};
use crate::vocabulary::{Sort, Value};
use crate::{Currency, Instant, Money, Span};

/// So many exact values are kept apart; more become anything.
const VALUES_MAX: usize = 8;

/// Facts that are numbers are looked at within a million either way, amounts within ten thousand million of the unit of
/// two decimals. Absurd values overflow anything, and are no finding.
pub(super) const COUNT_MAX: i64 = 1_000_000;
pub(super) const MONEY_MAX: i64 = 1_000_000_000_000;

/// How a number moves while the lateness alone grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Still,
    Up,
    Down,
    Any,
}

impl Way {
    /// The way of a sum, of the greater of two, of either of two chosen by something else than the lateness.
    pub(super) fn with(self, other: Way) -> Way {
        match (self, other) {
            (Way::Still, way) | (way, Way::Still) => way,
            (a, b) if a == b => a,
            _ => Way::Any,
        }
    }

    pub(super) fn back(self) -> Way {
        match self {
            Way::Up => Way::Down,
            Way::Down => Way::Up,
            other => other,
        }
    }
}

/// A number of some sort: every one it may be lies between two bounds, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) sort: Sort,
    pub(super) low: i64,
    pub(super) high: i64,
    pub(super) way: Way,
}

/// True, false, or either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Truth {
    pub(super) yes: bool,
    pub(super) no: bool,
    /// Which of them may depend on the lateness.
    pub(super) late: bool,
}

/// What a part of a program may come to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Seen {
    Range(Range),
    Truth(Truth),
    /// One of these values; which of them does not depend on the lateness.
    Values(Vec<Value>),
    /// Anything of its sort; whether it may depend on the lateness.
    Any(bool),
}

impl Range {
    pub(super) fn new(sort: Sort, low: i64, high: i64, way: Way) -> Range {
        let way = if low == high { Way::Still } else { way };
        Range { sort, low, high, way }
    }

    pub(super) fn is_one(&self) -> bool {
        self.low == self.high
    }

    /// Everything that the sort can hold.
    pub(super) fn all(sort: Sort, way: Way) -> Range {
        match sort {
            Sort::Instant => Range::new(sort, Instant::MIN.micros(), Instant::MAX.micros(), way),
            _ => Range::new(sort, i64::MIN, i64::MAX, way),
        }
    }

    pub(super) fn value(&self, number: i64, currency: Currency) -> Value {
        match self.sort {
            Sort::Money => Value::Money(Money::from_minor(number, currency)),
            Sort::Time => Value::Time(Span::from_micros(number)),
            Sort::Instant => Value::Instant(Instant::from_micros(number).unwrap_or(Instant::MAX)),
            _ => Value::Count(number),
        }
    }

    fn join(self, other: Range) -> Range {
        Range {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
            way: self.way.with(other.way),
            ..self
        }
    }
}

impl Truth {
    pub(super) fn known(yes: bool) -> Truth {
        Truth { yes, no: !yes, late: false }
    }

    pub(super) fn either(late: bool) -> Truth {
        Truth { yes: true, no: true, late }
    }

    pub(super) fn is_open(self) -> bool {
        self.yes && self.no
    }
}

/// The number in a value that is one.
pub(super) fn number(value: &Value) -> Option<(Sort, i64)> {
    Some(match value {
        Value::Count(n) => (Sort::Count, *n),
        Value::Money(money) => (Sort::Money, money.minor()),
        Value::Time(span) => (Sort::Time, span.micros()),
        Value::Instant(at) => (Sort::Instant, at.micros()),
        _ => return None,
    })
}

impl Seen {
    pub(super) fn nothing() -> Seen {
        Seen::Values(vec![Value::Nothing])
    }

    pub(super) fn of(value: Value) -> Seen {
        match (number(&value), &value) {
            (Some((sort, n)), _) => Seen::Range(Range::new(sort, n, n, Way::Still)),
            (None, Value::Bool(yes)) => Seen::Truth(Truth::known(*yes)),
            _ => Seen::Values(vec![value]),
        }
    }

    /// Any value of a fact within the bounds that are looked at; instants between these two.
    pub(super) fn fact(of: &FactType, instants: (i64, i64)) -> Seen {
        Seen::Range(match of {
            FactType::Integer => Range::new(Sort::Count, -COUNT_MAX, COUNT_MAX, Way::Still),
            FactType::Money => Range::new(Sort::Money, -MONEY_MAX, MONEY_MAX, Way::Still),
            FactType::Instant => Range::new(Sort::Instant, instants.0, instants.1, Way::Still),
            FactType::Bool => return Seen::Truth(Truth::either(false)),
            FactType::Text | FactType::OneOf(_) => return Seen::Any(false),
        })
    }

    pub(super) fn of_fact(value: &FactValue) -> Seen {
        Seen::of(Value::of_fact(value))
    }

    /// Anything of a type.
    pub(super) fn any(of: &Type, late: bool) -> Seen {
        let way = if late { Way::Any } else { Way::Still };
        match of.sort() {
            Some(sort @ (Sort::Count | Sort::Money | Sort::Time | Sort::Instant)) => {
                Seen::Range(Range::all(sort, way))
            }
            Some(Sort::Bool) => Seen::Truth(Truth::either(late)),
            _ => Seen::Any(late),
        }
    }

    /// Whether it may depend on the lateness.
    pub(super) fn is_late(&self) -> bool {
        match self {
            Seen::Range(range) => range.way != Way::Still,
            Seen::Truth(truth) => truth.late,
            Seen::Values(_) => false,
            Seen::Any(late) => *late,
        }
    }

    /// All values that it may be, where they are few.
    pub(super) fn values(&self, currency: Currency) -> Option<Vec<Value>> {
        match self {
            Seen::Range(range) if range.is_one() => Some(vec![range.value(range.low, currency)]),
            Seen::Truth(truth) if !truth.is_open() => Some(vec![Value::Bool(truth.yes)]),
            Seen::Values(values) => Some(values.clone()),
            _ => None,
        }
    }

    pub(super) fn range(&self) -> Option<Range> {
        match self {
            Seen::Range(range) => Some(*range),
            _ => None,
        }
    }

    /// One or the other.
    pub(super) fn join(self, other: Seen) -> Seen {
        match (self, other) {
            (Seen::Range(a), Seen::Range(b)) if a.sort == b.sort => Seen::Range(a.join(b)),
            (Seen::Truth(a), Seen::Truth(b)) => {
                Seen::Truth(Truth { yes: a.yes || b.yes, no: a.no || b.no, late: a.late || b.late })
            }
            (Seen::Values(mut a), Seen::Values(b)) => {
                for value in b {
                    if !a.contains(&value) {
                        a.push(value);
                    }
                }
                if a.len() > VALUES_MAX { Seen::Any(false) } else { Seen::Values(a) }
            }
            (a, b) => Seen::Any(a.is_late() || b.is_late()),
        }
    }
}

/// One or the other, where either may not come about at all.
pub(super) fn either(a: Option<Seen>, b: Option<Seen>) -> Option<Seen> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.join(b)),
        (one, other) => one.or(other),
    }
}
