//! What the signs mean: one row for each pair of sorts that a sign takes. What has no row is refused.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::acts::{Done, TIME_OVERFLOWS, money, no};
use super::value::{Share, Sort, Value};

/// A sign between two values that gives a third.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sign {
    Plus,
    Minus,
    Times,
    Over,
    Rest,
}

impl Sign {
    pub(crate) const ALL: [Sign; 5] = [Sign::Plus, Sign::Minus, Sign::Times, Sign::Over, Sign::Rest];

    pub(crate) fn text(self) -> &'static str {
        match self {
            Sign::Plus => "+",
            Sign::Minus => "-",
            Sign::Times => "*",
            Sign::Over => "/",
            Sign::Rest => "%",
        }
    }

    pub(crate) fn of(text: &str) -> Option<Sign> {
        Sign::ALL.into_iter().find(|sign| sign.text() == text)
    }
}

/// A row of the table: left, sign, right, what comes out.
pub(crate) type Row = (Sort, Sign, Sort, Sort);

/// All that can be computed with signs.
pub(crate) const SIGNS: [Row; 18] = [
    (Sort::Count, Sign::Plus, Sort::Count, Sort::Count),
    (Sort::Count, Sign::Minus, Sort::Count, Sort::Count),
    (Sort::Count, Sign::Times, Sort::Count, Sort::Count),
    (Sort::Count, Sign::Over, Sort::Count, Sort::Count),
    (Sort::Count, Sign::Rest, Sort::Count, Sort::Count),
    (Sort::Money, Sign::Plus, Sort::Money, Sort::Money),
    (Sort::Money, Sign::Minus, Sort::Money, Sort::Money),
    (Sort::Money, Sign::Times, Sort::Count, Sort::Money),
    (Sort::Count, Sign::Times, Sort::Money, Sort::Money),
    (Sort::Time, Sign::Plus, Sort::Time, Sort::Time),
    (Sort::Time, Sign::Minus, Sort::Time, Sort::Time),
    (Sort::Time, Sign::Times, Sort::Count, Sort::Time),
    (Sort::Share, Sign::Plus, Sort::Share, Sort::Share),
    (Sort::Share, Sign::Minus, Sort::Share, Sort::Share),
    (Sort::Share, Sign::Times, Sort::Share, Sort::Share),
    (Sort::Share, Sign::Times, Sort::Count, Sort::Share),
    (Sort::Instant, Sign::Minus, Sort::Instant, Sort::Time),
    (Sort::Instant, Sign::Plus, Sort::Time, Sort::Instant),
];

/// What a sign gives between two sorts, if anything.
pub(crate) fn gives(left: Sort, sign: Sign, right: Sort) -> Option<Sort> {
    SIGNS.iter().find(|(l, s, r, _)| (*l, *s, *r) == (left, sign, right)).map(|(_, _, _, gives)| *gives)
}

fn share(result: Option<Decimal>) -> Done {
    result.map_or_else(|| no("a share overflows"), |share| Ok(Value::Share(Share(share))))
}

/// Computes. Numbers, amounts and times that do not fit are an error, never a wrap; `/` must come out even.
pub(crate) fn compute(sign: Sign, left: &Value, right: &Value) -> Done {
    match (left, sign, right) {
        (Value::Count(a), _, Value::Count(b)) => counts(sign, *a, *b),
        (Value::Money(a), Sign::Plus, Value::Money(b)) => money(a.checked_add(*b)),
        (Value::Money(a), Sign::Minus, Value::Money(b)) => money(a.checked_sub(*b)),
        (Value::Money(a), Sign::Times, Value::Count(n)) => money(a.checked_mul(*n)),
        (Value::Count(n), Sign::Times, Value::Money(a)) => money(a.checked_mul(*n)),
        (Value::Time(a), Sign::Plus, Value::Time(b)) => {
            a.checked_add(*b).map_or_else(|| no(TIME_OVERFLOWS), |sum| Ok(Value::Time(sum)))
        }
        (Value::Time(a), Sign::Minus, Value::Time(b)) => {
            a.checked_sub(*b).map_or_else(|| no(TIME_OVERFLOWS), |rest| Ok(Value::Time(rest)))
        }
        (Value::Time(a), Sign::Times, Value::Count(n)) => match a.micros().checked_mul(*n) {
            Some(micros) => Ok(Value::Time(crate::Span::from_micros(micros))),
            None => no(TIME_OVERFLOWS),
        },
        (Value::Share(a), Sign::Plus, Value::Share(b)) => share(a.0.checked_add(b.0)),
        (Value::Share(a), Sign::Minus, Value::Share(b)) => share(a.0.checked_sub(b.0)),
        (Value::Share(a), Sign::Times, Value::Share(b)) => share(a.0.checked_mul(b.0)),
        (Value::Share(a), Sign::Times, Value::Count(n)) => share(a.0.checked_mul(Decimal::from(*n))),
        (Value::Instant(a), Sign::Minus, Value::Instant(b)) => Ok(Value::Time(a.since(*b))),
        (Value::Instant(a), Sign::Plus, Value::Time(b)) => {
            a.checked_add(*b).map(Value::Instant).map_err(|error| error.to_string())
        }
        _ => no(format!("`{}` does not take {left} and {right}", sign.text())),
    }
}

fn counts(sign: Sign, a: i64, b: i64) -> Done {
    let (result, name) = match sign {
        Sign::Plus => (a.checked_add(b), "sum"),
        Sign::Minus => (a.checked_sub(b), "difference"),
        Sign::Times => (a.checked_mul(b), "product"),
        Sign::Over | Sign::Rest => {
            let (Some(whole), Some(rest)) = (a.checked_div(b), a.checked_rem(b)) else {
                return no(format!("{a} cannot be divided by {b}"));
            };
            return match (sign, rest) {
                (Sign::Rest, rest) => Ok(Value::Count(rest)),
                (_, 0) => Ok(Value::Count(whole)),
                _ => no(format!("{a} / {b} is not a whole number; say `started` or `full` units instead")),
            };
        }
    };
    result.map_or_else(
        || no(format!("the {name} {a} {} {b} is too large a number", sign.text())),
        |n| Ok(Value::Count(n)),
    )
}

/// The opposite of a number.
pub(crate) fn negate(n: i64) -> Done {
    n.checked_neg()
        .map_or_else(|| no(format!("the opposite of {n} is too large a number")), |n| Ok(Value::Count(n)))
}

/// A sign that compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Relation {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Relation {
    pub(crate) const ALL: [Relation; 6] = [
        Relation::Equal,
        Relation::Unequal,
        Relation::Less,
        Relation::AtMost,
        Relation::More,
        Relation::AtLeast,
    ];

    pub(crate) fn text(self) -> &'static str {
        match self {
            Relation::Equal => "==",
            Relation::Unequal => "!=",
            Relation::Less => "<",
            Relation::AtMost => "<=",
            Relation::More => ">",
            Relation::AtLeast => ">=",
        }
    }

    pub(crate) fn of(text: &str) -> Option<Relation> {
        Relation::ALL.into_iter().find(|relation| relation.text() == text)
    }

    /// Equal and unequal ask for no order.
    pub(crate) fn is_order(self) -> bool {
        !matches!(self, Relation::Equal | Relation::Unequal)
    }

    pub(crate) fn holds(self, order: Ordering) -> bool {
        match self {
            Relation::Equal => order.is_eq(),
            Relation::Unequal => order.is_ne(),
            Relation::Less => order.is_lt(),
            Relation::AtMost => order.is_le(),
            Relation::More => order.is_gt(),
            Relation::AtLeast => order.is_ge(),
        }
    }
}

/// Compares like with like; unlike things are an error instead of a silent `false`.
pub(crate) fn compare(relation: Relation, a: &Value, b: &Value) -> Result<bool, String> {
    let order = match (a, b) {
        (Value::Bool(_), Value::Bool(_)) if relation.is_order() => {
            return Err("true and false have no order".to_owned());
        }
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Count(a), Value::Count(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => a.as_str().cmp(b.as_str()),
        (Value::Money(a), Value::Money(b)) => a.compare(*b).map_err(|error| error.to_string())?,
        (Value::Time(a), Value::Time(b)) => a.cmp(b),
        (Value::Instant(a), Value::Instant(b)) => a.cmp(b),
        (Value::Share(Share(a)), Value::Share(Share(b))) => a.cmp(b),
        (Value::Days(a), Value::Days(b)) if a.unit == b.unit => a.n.cmp(&b.n),
        (Value::Days(a), Value::Days(b)) => return Err(format!("{a} is compared with {b}")),
        _ if a.sort() == b.sort() => return Err(format!("{a} cannot be compared")),
        _ => return Err(format!("{a} is compared with {b}")),
    };
    Ok(relation.holds(order))
}
