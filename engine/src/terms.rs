//! The contract's numbers, kept apart from the logic: each dated, with its unit and its clause.

mod tiers;

use std::sync::Arc;

use chrono::NaiveDate;
use rhai::ImmutableString;
use rust_decimal::Decimal;
use serde::Serialize;

use crate::nearest::hint;
use crate::{Currency, Money, MoneyError, Span};

pub use tiers::{Band, TierBy, TierEnd, TierValue, Tiers};
pub(crate) use tiers::{BandText, ENDS, Spot, TierFault, TierMistake, TierUnit};

/// A period counted in days of a calendar: the day of the event is not counted (PRC Civil Code art. 201).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Period {
    /// What is counted.
    pub unit: PeriodUnit,
    /// How many.
    pub n: u32,
}

/// What a [`Period`] counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum PeriodUnit {
    /// Calendar days.
    Days,
    /// Days on which the calendar is open.
    WorkingDays,
    /// Calendar weeks, ending on the same weekday.
    Weeks,
    /// Calendar months, ending on the corresponding day, else on the last of the month.
    Months,
    /// Calendar years, ending on the corresponding day; 29 February ends on the 28th.
    Years,
}

/// The value of a term in its unit.
#[derive(Clone, PartialEq, Debug)]
pub enum TermValue {
    /// An amount of the contract's currency.
    Money(Money),
    /// Seconds, minutes or hours.
    Span(Span),
    /// Days, working days, weeks, months or years.
    Period(Period),
    /// A bare number.
    Count(i64),
    /// A share: 0.05 is five percent.
    Share(Decimal),
    /// Yes or no.
    Bool(bool),
    /// A text, or one of the texts that the term allows.
    Text(ImmutableString),
    /// What a share or a count comes to, by bands.
    Tiers(Arc<Tiers>),
}

/// One number of the contract: its clause, its unit, and its values by the date from which each holds.
#[derive(Clone, Debug)]
pub struct Term {
    /// Its name in scripts: `terms.<name>`.
    pub name: Arc<str>,
    /// The clause of contract.md that states it.
    pub clause: String,
    /// Its unit, as written in terms.toml.
    pub unit: String,
    /// The texts allowed when the unit is `one-of`.
    pub of: Vec<String>,
    /// What it means.
    pub doc: String,
    /// Its other name in scripts, usually Chinese.
    pub zh: Option<String>,
    /// Values in ascending order of the local date (contract zone) from which each is in force.
    pub values: Vec<(NaiveDate, TermValue)>,
}

/// Why a term's value is refused (the pack author's fault, or of whoever overrides it).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TermError {
    /// No term of this name.
    #[error("unknown term `{name}`{hint}")]
    Unknown {
        /// The name given.
        name: String,
        /// The nearest known one, or nothing.
        hint: String,
    },
    /// A unit that does not exist.
    #[error(
        "term `{name}`: unknown unit `{unit}`: expected a currency or one of {units}; tiers \
             may give a currency too, such as `CNY by percent`{hint}"
    )]
    Unit {
        /// The term.
        name: String,
        /// The unit given.
        unit: String,
        /// All units but the currencies.
        units: String,
        /// The nearest, or nothing.
        hint: String,
    },
    /// A value that does not fit the unit.
    #[error("term `{name}`: `{value}` is not a value in {unit}: expected {expected}")]
    Value {
        /// The term.
        name: String,
        /// The value given.
        value: String,
        /// The term's unit.
        unit: String,
        /// What fits.
        expected: String,
    },
}

pub(crate) const UNITS: &str = "seconds, minutes, hours, days, working_days, weeks, months, years, count, percent, bool, text, one-of, \
    percent by percent, percent by count";

impl Term {
    /// Reads a value as the term's unit has it. Tiers are read from a TOML list of their bands:
    /// `[{ below = "95", is = "10" }, { from = "95", is = "0" }]`.
    ///
    /// # Errors
    /// [`TermError::Value`], [`TermError::Unit`].
    pub fn read(&self, text: &str, currency: Currency) -> Result<TermValue, TermError> {
        let refuse = |expected: &str| TermError::Value {
            name: self.name.to_string(),
            value: text.chars().take(40).collect(),
            unit: self.unit.clone(),
            expected: expected.to_owned(),
        };
        let whole = || text.parse::<i64>().map_err(|_| refuse("a whole number"));
        let length = || whole().and_then(|n| if n >= 0 { Ok(n) } else { Err(refuse("zero or more")) });
        let period = |unit| {
            let n = text.parse().map_err(|_| refuse("a whole number, zero or more"))?;
            Ok(TermValue::Period(Period { unit, n }))
        };
        match self.unit.as_str() {
            "seconds" => length().map(Span::seconds).map(TermValue::Span),
            "minutes" => length().map(Span::minutes).map(TermValue::Span),
            "hours" => length().map(Span::hours).map(TermValue::Span),
            "days" => period(PeriodUnit::Days),
            "working_days" => period(PeriodUnit::WorkingDays),
            "weeks" => period(PeriodUnit::Weeks),
            "months" => period(PeriodUnit::Months),
            "years" => period(PeriodUnit::Years),
            "count" => whole().map(TermValue::Count),
            "percent" => percent(text).map(TermValue::Share).ok_or_else(|| refuse("a decimal number")),
            "bool" => match text {
                "true" => Ok(TermValue::Bool(true)),
                "false" => Ok(TermValue::Bool(false)),
                _ => Err(refuse("`true` or `false`")),
            },
            "text" => Ok(TermValue::Text(text.into())),
            "one-of" if self.of.iter().any(|allowed| allowed == text) => Ok(TermValue::Text(text.into())),
            "one-of" => {
                let near = hint(text, self.of.iter().map(String::as_str));
                Err(refuse(&format!("one of {}{near}", self.of.join(", "))))
            }
            unit => match TierUnit::parse(unit) {
                Some(TierUnit { gives: Some(of), .. }) if of != currency => {
                    Err(refuse(&format!("an amount of {currency}, the contract's currency")))
                }
                Some(unit) => {
                    let tiers = unit.read_text(text).map_err(|expected| refuse(&expected))?;
                    Ok(TermValue::Tiers(Arc::new(tiers)))
                }
                None => self.read_money(text, unit, currency, refuse),
            },
        }
    }

    fn read_money(
        &self,
        text: &str,
        unit: &str,
        currency: Currency,
        refuse: impl Fn(&str) -> TermError,
    ) -> Result<TermValue, TermError> {
        let of: Currency = unit.parse().map_err(|_| TermError::Unit {
            name: self.name.to_string(),
            unit: unit.to_owned(),
            units: UNITS.to_owned(),
            hint: hint(unit, UNITS.split(", ")),
        })?;
        if of != currency {
            return Err(refuse(&format!("an amount of {currency}, the contract's currency")));
        }
        Money::parse(text, currency)
            .map(TermValue::Money)
            .map_err(|e: MoneyError| refuse(&format!("an amount ({e})")))
    }
}

/// `12.5` percent as the share 0.125.
fn percent(text: &str) -> Option<Decimal> {
    text.parse::<Decimal>().ok()?.checked_div(Decimal::ONE_HUNDRED)
}

/// All terms of a pack, resolved to what is in force from date to date.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    pub(crate) list: Vec<Term>,
    versions: Vec<Arc<TermsInForce>>,
}

/// The values that hold on a date; nothing for a term that does not hold yet.
#[derive(Debug, PartialEq)]
pub(crate) struct TermsInForce {
    pub(crate) version: usize,
    pub(crate) from: NaiveDate,
    pub(crate) values: Vec<Option<TermValue>>,
}

impl Terms {
    pub(crate) fn new(list: Vec<Term>) -> Terms {
        let mut dates: Vec<NaiveDate> =
            list.iter().flat_map(|t| t.values.iter().map(|(from, _)| *from)).collect();
        dates.push(NaiveDate::MIN);
        dates.sort_unstable();
        dates.dedup();
        let in_force = |term: &Term, on: NaiveDate| {
            term.values.iter().rev().find(|(from, _)| *from <= on).map(|(_, value)| value.clone())
        };
        let versions = dates
            .iter()
            .enumerate()
            .map(|(version, from)| {
                let values = list.iter().map(|term| in_force(term, *from)).collect();
                Arc::new(TermsInForce { version, from: *from, values })
            })
            .collect();
        Terms { list, versions }
    }

    /// What is in force on a local date of the contract's zone.
    pub(crate) fn on(&self, date: NaiveDate) -> Arc<TermsInForce> {
        let after = self.versions.partition_point(|version| version.from <= date);
        match self.versions.get(after.saturating_sub(1)) {
            Some(version) => Arc::clone(version),
            None => Arc::new(TermsInForce {
                version: 0,
                from: NaiveDate::MIN,
                values: vec![None; self.list.len()],
            }),
        }
    }

    /// From which dates on something else is in force.
    pub(crate) fn begins(&self) -> impl Iterator<Item = NaiveDate> + '_ {
        self.versions.iter().map(|version| version.from)
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.list.iter().position(|term| *term.name == *name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|term| &*term.name)
    }

    /// The same terms with one value replaced for all dates.
    pub(crate) fn with(&self, name: &str, text: &str, currency: Currency) -> Result<Terms, TermError> {
        let index = self
            .find(name)
            .ok_or_else(|| TermError::Unknown { name: name.to_owned(), hint: hint(name, self.names()) })?;
        let mut list = self.list.clone();
        if let Some(term) = list.get_mut(index) {
            term.values = vec![(NaiveDate::MIN, term.read(text, currency)?)];
        }
        Ok(Terms::new(list))
    }

    pub(crate) fn describe(&self, in_force: &TermsInForce, index: usize) -> Option<(Arc<str>, String)> {
        let term = self.list.get(index)?;
        let value = in_force.values.get(index)?.as_ref()?;
        Some((Arc::clone(&term.name), value.to_string()))
    }
}

impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = match self.unit {
            PeriodUnit::Days => "day",
            PeriodUnit::WorkingDays => "working day",
            PeriodUnit::Weeks => "week",
            PeriodUnit::Months => "month",
            PeriodUnit::Years => "year",
        };
        write!(f, "{} {unit}{}", self.n, if self.n == 1 { "" } else { "s" })
    }
}

impl std::fmt::Display for TermValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TermValue::Money(money) => money.fmt(f),
            TermValue::Span(span) => span.fmt(f),
            TermValue::Period(period) => period.fmt(f),
            TermValue::Count(n) => n.fmt(f),
            TermValue::Share(share) => write!(f, "{} %", (share * Decimal::ONE_HUNDRED).normalize()),
            TermValue::Bool(yes) => yes.fmt(f),
            TermValue::Text(text) => f.write_str(text),
            TermValue::Tiers(tiers) => tiers.fmt(f),
        }
    }
}

impl Serialize for TermValue {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(unit: &str, of: &[&str]) -> Term {
        Term {
            name: "t".into(),
            clause: "1".into(),
            unit: unit.into(),
            of: of.iter().map(|s| (*s).to_owned()).collect(),
            doc: String::new(),
            zh: None,
            values: Vec::new(),
        }
    }

    #[test]
    fn values_are_read_in_their_unit_or_refused_with_what_fits() {
        let cny: Currency = "CNY".parse().unwrap();
        for (unit, text, written) in [
            ("CNY", "500", "500.00 CNY"),
            ("hours", "2", "2 h"),
            ("working_days", "1", "1 working day"),
            ("percent", "12.5", "12.5 %"),
            ("bool", "true", "true"),
        ] {
            assert_eq!(term(unit, &[]).read(text, cny).unwrap().to_string(), written);
        }
        for (unit, text) in [
            ("CNY", "0.001"),
            ("hours", "2.5"),
            ("hours", "-1"),
            ("working_days", "-1"),
            ("bool", "yes"),
            ("one-of", "always"),
            ("fortnights", "1"),
            ("USD", "1"),
            ("count", "many"),
            ("count", "9999999999999999999"),
        ] {
            assert!(term(unit, &["working"]).read(text, cny).is_err(), "{unit} {text}");
        }
    }

    #[test]
    fn the_value_in_force_is_the_last_one_begun() {
        let date = |d: &str| d.parse::<NaiveDate>().unwrap();
        let mut first = term("count", &[]);
        first.values =
            vec![(date("2026-01-15"), TermValue::Count(1)), (date("2026-07-01"), TermValue::Count(2))];
        let terms = Terms::new(vec![first]);
        for (on, value) in [
            ("2026-01-14", None),
            ("2026-01-15", Some(TermValue::Count(1))),
            ("2026-06-30", Some(TermValue::Count(1))),
            ("2026-07-01", Some(TermValue::Count(2))),
        ] {
            assert_eq!(terms.on(date(on)).values, [value], "{on}");
        }
    }
}
