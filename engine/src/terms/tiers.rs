//! Terms that are tables: what a share or a count comes to, by bands that cover everything.

mod read;

use std::fmt;

use rust_decimal::Decimal;

use crate::{Currency, Money};

/// What a table is asked with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum TierBy {
    /// A share, from 0 to 1; written in percent.
    Percent,
    /// A whole number, zero or more.
    Count,
}

/// What a table says of one band.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum TierValue {
    /// A share: 0.05 is five percent.
    Share(Decimal),
    /// An amount of the contract's currency.
    Money(Money),
}

/// An end of a band, in shares or whole numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TierEnd {
    /// Where it is: 0.95 for 95 percent.
    pub at: Decimal,
    /// Whether the band holds the end itself.
    pub closed: bool,
}

/// One line of a table.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Band {
    /// Nothing for the lowest band.
    pub lower: Option<TierEnd>,
    /// Nothing for the highest band.
    pub upper: Option<TierEnd>,
    /// What holds within it.
    pub is: TierValue,
}

/// A table by bands that leave nothing out and meet nowhere.
#[derive(Clone, PartialEq, Debug)]
pub struct Tiers {
    by: TierBy,
    /// Ascending.
    bands: Vec<Band>,
    lowest: TierValue,
}

/// The unit of a table: `percent by count`, `CNY by percent`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct TierUnit {
    pub(crate) by: TierBy,
    /// The currency of what it gives; nothing for percent.
    pub(crate) gives: Option<Currency>,
}

/// The keys that state a band's ends.
pub(crate) const ENDS: [&str; 4] = ["from", "above", "below", "to"];

/// A band as it is written, each number as text: its ends in the order of [`ENDS`].
#[derive(Clone, Default, Debug)]
pub(crate) struct BandText {
    pub(crate) ends: [Option<String>; 4],
    pub(crate) is: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TierMistake {
    Value,
    Gap,
    Overlap,
}

/// Where in a table: the band by its place as written, and the key of the value, if it is one.
pub(crate) type Spot = (usize, Option<&'static str>);

/// What is wrong with a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TierFault {
    pub(crate) what: TierMistake,
    pub(crate) at: Spot,
    pub(crate) other: Option<(Spot, String)>,
    pub(crate) message: String,
}

impl Tiers {
    /// What it is asked with.
    pub fn by(&self) -> TierBy {
        self.by
    }

    /// Its bands, ascending. Those of counts have closed ends.
    pub fn bands(&self) -> &[Band] {
        &self.bands
    }

    /// What holds for a share (0.95 is 95 percent) or a count. What lies beyond the range belongs to the outermost
    /// band.
    pub fn at(&self, x: Decimal) -> TierValue {
        let begun =
            |band: &Band| band.lower.is_none_or(|end| if end.closed { end.at <= x } else { end.at < x });
        let after = self.bands.partition_point(begun);
        after.checked_sub(1).and_then(|i| self.bands.get(i)).map_or(self.lowest, |band| band.is)
    }
}

/// The ends of a band, written as in mathematics.
struct Range {
    by: TierBy,
    lower: Option<TierEnd>,
    upper: Option<TierEnd>,
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = |end: TierEnd| match self.by {
            TierBy::Percent => (end.at * Decimal::ONE_HUNDRED).normalize(),
            TierBy::Count => end.at.normalize(),
        };
        match (self.lower, self.upper) {
            (None, None) => f.write_str("any"),
            (None, Some(upper)) => write!(f, "<{}{}", if upper.closed { "=" } else { "" }, n(upper)),
            (Some(lower), None) => write!(f, ">{}{}", if lower.closed { "=" } else { "" }, n(lower)),
            (Some(lower), Some(upper)) if lower == upper => write!(f, "{}", n(lower)),
            (Some(lower), Some(upper)) => {
                let (open, close) =
                    (if lower.closed { '[' } else { '(' }, if upper.closed { ']' } else { ')' });
                write!(f, "{open}{}, {}{close}", n(lower), n(upper))
            }
        }
    }
}

impl fmt::Display for TierValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TierValue::Share(share) => write!(f, "{} %", (share * Decimal::ONE_HUNDRED).normalize()),
            TierValue::Money(money) => money.fmt(f),
        }
    }
}

/// `<95: 100 %, [95, 99): 25 %, >=99: 0 %`: the ends in percent or whole numbers.
impl fmt::Display for Tiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, band) in self.bands.iter().enumerate() {
            let range = Range { by: self.by, lower: band.lower, upper: band.upper };
            write!(f, "{}{range}: {}", if i > 0 { ", " } else { "" }, band.is)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
