//! Reading a table: its numbers, its gaps and overlaps.

use std::cmp::Ordering;

use rust_decimal::Decimal;
use toml::de::{DeTable, DeValue};

use super::{
    Band, BandText, ENDS, Range, Spot, TierBy, TierEnd, TierFault, TierMistake, TierUnit, TierValue, Tiers,
};
use crate::Money;

const EXAMPLE: &str = r#"`[{ below = "95", is = "10" }, { from = "95", is = "0" }]`"#;

impl TierFault {
    fn value(at: Spot, message: String) -> TierFault {
        TierFault { what: TierMistake::Value, at, other: None, message }
    }
}

impl TierUnit {
    /// Reads a unit; nothing for units of single values.
    pub(crate) fn parse(unit: &str) -> Option<TierUnit> {
        let (gives, by) = unit.split_once(" by ")?;
        let by = match by {
            "percent" => TierBy::Percent,
            "count" => TierBy::Count,
            _ => return None,
        };
        let gives = if gives == "percent" { None } else { Some(gives.parse().ok()?) };
        Some(TierUnit { by, gives })
    }

    /// Reads a table of this unit from its bands.
    ///
    /// # Errors
    /// Everything that is wrong with it; gaps and overlaps only where every end can be read.
    pub(crate) fn read(self, bands: &[BandText]) -> Result<Tiers, Vec<TierFault>> {
        let mut faults = Vec::new();
        let mut read: Vec<(usize, Band)> = Vec::new();
        for (i, text) in bands.iter().enumerate() {
            match self.band(i, text) {
                Ok(band) => read.push((i, band)),
                Err(wrong) => faults.extend(wrong),
            }
        }
        // Around a band that cannot be read nothing is known.
        if read.len() < bands.len() {
            return Err(faults);
        }
        read.sort_by_key(|(_, band)| begins(band));
        self.cover(&read, &mut faults);
        match read.first() {
            Some((_, first)) if faults.is_empty() => {
                let lowest = first.is;
                Ok(Tiers { by: self.by, bands: read.into_iter().map(|(_, band)| band).collect(), lowest })
            }
            _ => Err(faults),
        }
    }

    /// The same from the text of a TOML list.
    ///
    /// # Errors
    /// The first thing that is wrong, with what was expected.
    pub(crate) fn read_text(self, text: &str) -> Result<Tiers, String> {
        let expected = |why: &str| format!("tiers such as {EXAMPLE} ({why})");
        let bands = band_texts(text).map_err(|why| expected(&why))?;
        self.read(&bands).map_err(|faults| {
            let first = faults.first().map_or("no tiers", |fault| &fault.message);
            expected(first)
        })
    }

    fn band(self, i: usize, text: &BandText) -> Result<Band, Vec<TierFault>> {
        let mut faults = Vec::new();
        let [from, above, below, to] = &text.ends;
        for (a, b, [first, second]) in [(from, above, ["from", "above"]), (below, to, ["below", "to"])] {
            if a.is_some() && b.is_some() {
                let message = format!("both `{first}` and `{second}`: expected one of them");
                let other = Some(((i, Some(first)), "the same end".to_owned()));
                let what = TierMistake::Value;
                faults.push(TierFault { what, at: (i, Some(second)), other, message });
            }
        }
        let mut end = |place: usize, closed: bool| {
            let (key, text) = (*ENDS.get(place)?, text.ends.get(place)?.as_ref()?);
            match self.end(text) {
                Some(at) => Some(TierEnd { at, closed }),
                None => {
                    let expected = match self.by {
                        TierBy::Percent => "a number of percent from 0 to 100",
                        TierBy::Count => "a whole number, zero or more",
                    };
                    let message = format!("`{key}` is `{}`: expected {expected}", short(text));
                    faults.push(TierFault::value((i, Some(key)), message));
                    None
                }
            }
        };
        let [from, above, below, to] = [end(0, true), end(1, false), end(2, false), end(3, true)];
        let is = text.is.as_deref().and_then(|is| self.value(i, is, &mut faults));
        let (lower, upper) = self.whole(from.or(above), below.or(to));
        if faults.is_empty() && self.is_empty(lower, upper) {
            let message = "nothing lies between its ends: expected the lower one below the upper one";
            let key = ENDS.iter().zip(&text.ends).rev().find(|(_, end)| end.is_some()).map(|(key, _)| *key);
            faults.push(TierFault::value((i, key), message.to_owned()));
        }
        match is {
            Some(is) if faults.is_empty() => Ok(self.open(Band { lower, upper, is })),
            // Who reads the table tells that `is` is missing.
            _ => Err(faults),
        }
    }

    /// An end in shares or whole numbers.
    fn end(self, text: &str) -> Option<Decimal> {
        let n = decimal(text)?;
        match self.by {
            TierBy::Percent if n > Decimal::ONE_HUNDRED => None,
            TierBy::Percent => n.checked_div(Decimal::ONE_HUNDRED),
            TierBy::Count => n.is_integer().then_some(n),
        }
    }

    fn value(self, i: usize, text: &str, faults: &mut Vec<TierFault>) -> Option<TierValue> {
        let read = match self.gives {
            None => decimal(text)
                .and_then(|n| n.checked_div(Decimal::ONE_HUNDRED))
                .map(TierValue::Share)
                .ok_or_else(|| "a number of percent, zero or more".to_owned()),
            Some(currency) => match Money::parse(text, currency) {
                Ok(money) if money.minor() >= 0 => Ok(TierValue::Money(money)),
                Ok(_) => Err("an amount of zero or more".to_owned()),
                Err(error) => Err(format!("an amount ({error})")),
            },
        };
        let refuse = |expected: String| {
            let message = format!("`is` is `{}`: expected {expected}", short(text));
            faults.push(TierFault::value((i, Some("is")), message));
        };
        read.map_err(refuse).ok()
    }

    /// The ends of whole numbers, both closed.
    fn whole(self, lower: Option<TierEnd>, upper: Option<TierEnd>) -> (Option<TierEnd>, Option<TierEnd>) {
        let closed = |end: TierEnd, step: Decimal| match (self.by, end.closed) {
            (TierBy::Count, false) => TierEnd { at: end.at + step, closed: true },
            _ => end,
        };
        (lower.map(|end| closed(end, Decimal::ONE)), upper.map(|end| closed(end, Decimal::NEGATIVE_ONE)))
    }

    fn is_empty(self, lower: Option<TierEnd>, upper: Option<TierEnd>) -> bool {
        let lower = lower.unwrap_or(TierEnd { at: Decimal::ZERO, closed: true });
        let upper = match (upper, self.by) {
            (Some(upper), _) => upper,
            (None, TierBy::Percent) => TierEnd { at: Decimal::ONE, closed: true },
            (None, TierBy::Count) => return false,
        };
        match lower.at.cmp(&upper.at) {
            Ordering::Less => false,
            Ordering::Equal => !(lower.closed && upper.closed),
            Ordering::Greater => true,
        }
    }

    /// An end at the very edge of what can be asked is none.
    fn open(self, band: Band) -> Band {
        let lowest = TierEnd { at: Decimal::ZERO, closed: true };
        let highest = TierEnd { at: Decimal::ONE, closed: true };
        Band {
            lower: band.lower.filter(|end| *end != lowest),
            upper: band.upper.filter(|end| self.by == TierBy::Count || *end != highest),
            is: band.is,
        }
    }

    /// Finds the gaps and overlaps of bands in ascending order.
    fn cover(self, bands: &[(usize, Band)], faults: &mut Vec<TierFault>) {
        let key = |i: usize, lower: bool| (i, Some(if lower { "lower" } else { "upper" }));
        let Some(((first, lowest), rest)) = bands.split_first() else {
            let message = format!("no tiers: expected some, such as {EXAMPLE}");
            faults.push(TierFault::value((0, None), message));
            return;
        };
        let gap = |at: Spot, message: String| TierFault { what: TierMistake::Gap, at, other: None, message };
        if lowest.lower.is_some() {
            let range = self.range(lowest);
            let message = format!("a gap below the tier {range}: expected no lower end, or `from` 0");
            faults.push(gap(key(*first, true), message));
        }
        // The band that reaches furthest so far.
        let (mut far, mut last) = (*first, lowest);
        for (i, band) in rest {
            let (before, here) = (self.range(last), self.range(band));
            match self.meet(last.upper, band.lower) {
                Ordering::Equal => {}
                Ordering::Less => {
                    let message = format!(
                        "a gap between the tiers {before} and {here}: expected each to begin where the one \
                         before it ends"
                    );
                    let other = Some((key(far, false), "the tier below ends here".to_owned()));
                    faults.push(TierFault { other, ..gap(key(*i, true), message) });
                }
                Ordering::Greater => {
                    let message = format!(
                        "the tiers {before} and {here} overlap: expected each to begin where the one before \
                         it ends"
                    );
                    let other = Some((key(far, false), "the other tier".to_owned()));
                    let what = TierMistake::Overlap;
                    faults.push(TierFault { what, at: key(*i, true), other, message });
                }
            }
            if ends(band).is_none_or(|end| ends(last).is_some_and(|far| end > far)) {
                (far, last) = (*i, band);
            }
        }
        if last.upper.is_some() {
            let range = self.range(last);
            let up_to = if self.by == TierBy::Percent { "no upper end, or `to` 100" } else { "no upper end" };
            faults.push(gap(key(far, false), format!("a gap above the tier {range}: expected {up_to}")));
        }
    }

    /// How the end of one band lies to the beginning of the next: before it, at it, or beyond.
    fn meet(self, upper: Option<TierEnd>, lower: Option<TierEnd>) -> Ordering {
        let (Some(upper), Some(lower)) = (upper, lower) else { return Ordering::Greater };
        match self.by {
            TierBy::Count => (upper.at + Decimal::ONE).cmp(&lower.at),
            TierBy::Percent => upper.at.cmp(&lower.at).then(match (upper.closed, lower.closed) {
                (true, true) => Ordering::Greater,
                (false, false) => Ordering::Less,
                _ => Ordering::Equal,
            }),
        }
    }

    fn range(self, band: &Band) -> Range {
        Range { by: self.by, lower: band.lower, upper: band.upper }
    }
}

/// Where a band begins, to be ordered by: without a lower end first, a closed one before an open one.
fn begins(band: &Band) -> Option<(Decimal, bool)> {
    band.lower.map(|end| (end.at, !end.closed))
}

fn ends(band: &Band) -> Option<(Decimal, bool)> {
    band.upper.map(|end| (end.at, end.closed))
}

/// Digits with at most one point among them: no sign, no exponent, nothing to round.
fn decimal(text: &str) -> Option<Decimal> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |s: &str| (1..=12).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
    if digits(whole) && digits(fraction) { Decimal::from_str_exact(text).ok() } else { None }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// The bands of a TOML list.
pub(super) fn band_texts(text: &str) -> Result<Vec<BandText>, String> {
    let text = format!("tiers = {text}");
    let table = DeTable::parse(&text).map_err(|error| error.message().replace('\n', " "))?;
    let one = table.get_ref().len() == 1;
    let list = table.get_ref().get("tiers").filter(|_| one).and_then(|list| list.get_ref().as_array());
    let list = list.ok_or("not a list")?;
    list.iter()
        .map(|band| {
            let band = band.get_ref().as_table().ok_or("not a table")?;
            let mut read = BandText::default();
            for (key, value) in band {
                let (key, value) = (key.get_ref().as_ref(), scalar(value.get_ref()));
                let value = value.ok_or_else(|| format!("`{}` is no number", short(key)))?;
                match ENDS.iter().position(|end| *end == key).and_then(|i| read.ends.get_mut(i)) {
                    Some(end) => *end = Some(value),
                    None if key == "is" => read.is = Some(value),
                    None => return Err(format!("unknown field `{}`", short(key))),
                }
            }
            if read.is.is_none() { Err("missing field `is`".to_owned()) } else { Ok(read) }
        })
        .collect()
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(n) if n.radix() == 10 => Some(n.as_str().to_owned()),
        DeValue::Float(n) => Some(n.as_str().to_owned()),
        _ => None,
    }
}
