//! Instants and spans: whole microseconds on the UTC time line, no leap seconds.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Microseconds in a second.
pub(crate) const MICROS: i64 = 1_000_000;

/// A point on the UTC time line, in whole microseconds since 1970-01-01T00:00:00Z.
///
/// Read from and written as RFC 3339. Digits beyond the microsecond are dropped, towards the past. The
/// range is that of [`chrono::DateTime`] cut to the years 0000 to 9999, as RFC 3339 has it.
///
/// ```
/// use holdback::Instant;
/// let at: Instant = "2026-03-02T09:00:00+08:00".parse()?;
/// assert_eq!(at.to_string(), "2026-03-02T01:00:00Z");
/// # Ok::<(), holdback::TimeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
// With the sign bit turned the order stays, and the earliest 64-bit number, which is no instant, is zero: an
// `Option<Instant>` takes eight bytes.
pub struct Instant(NonZeroU64);

/// A length of time in whole microseconds: elapsed time, or open time of a calendar, as the place says.
///
/// ```
/// use holdback::Span;
/// assert_eq!(Span::hours(2).to_string(), "2 h");
/// assert_eq!((Span::hours(1) + Span::seconds(61)).to_string(), "1 h 1 min 1 s");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span(i64);

/// Why a text is not an instant, or why time arithmetic has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// The text is not RFC 3339 (the sender's fault).
    #[error("`{text}` is not an RFC 3339 time with offset, such as `2026-03-02T09:00:00+08:00`: {reason}")]
    Unreadable {
        /// The text as it came.
        text: String,
        /// What the reader stumbled on.
        reason: String,
    },
    /// A sum of times leaves the years 0000 to 9999.
    #[error("time arithmetic leaves the years 0000 to 9999")]
    Overflow,
}

const MIN_MICROS: i64 = -62_167_219_200 * MICROS;
const MAX_MICROS: i64 = 253_402_300_800 * MICROS - 1;
const SIGN: u64 = 1 << 63;

impl Instant {
    /// The earliest instant, 0000-01-01T00:00:00Z.
    pub const MIN: Instant = Instant::within(MIN_MICROS);
    /// The latest instant, the last microsecond of the year 9999.
    pub const MAX: Instant = Instant::within(MAX_MICROS);

    /// The instant so many microseconds after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`TimeError::Overflow`] outside the years 0000 to 9999.
    pub fn from_micros(micros: i64) -> Result<Instant, TimeError> {
        if (MIN_MICROS..=MAX_MICROS).contains(&micros) {
            Ok(Instant::within(micros))
        } else {
            Err(TimeError::Overflow)
        }
    }

    /// The instant of a number that lies between the ends.
    const fn within(micros: i64) -> Instant {
        match NonZeroU64::new(micros.cast_unsigned() ^ SIGN) {
            Some(turned) => Instant(turned),
            None => Instant(NonZeroU64::MIN),
        }
    }

    /// The instant so many whole seconds after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`TimeError::Overflow`] outside the years 0000 to 9999.
    pub fn from_seconds(seconds: i64) -> Result<Instant, TimeError> {
        seconds.checked_mul(MICROS).ok_or(TimeError::Overflow).and_then(Instant::from_micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z; negative before.
    pub const fn micros(self) -> i64 {
        (self.0.get() ^ SIGN).cast_signed()
    }

    /// The same instant for chrono.
    pub fn to_chrono(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.micros()).unwrap_or_default()
    }

    /// The instant of a chrono value, cut to the microsecond.
    ///
    /// # Errors
    /// [`TimeError::Overflow`] outside the years 0000 to 9999.
    pub fn from_chrono<Z: chrono::TimeZone>(time: &DateTime<Z>) -> Result<Instant, TimeError> {
        Instant::from_micros(time.timestamp_micros())
    }

    /// This instant and `span` later (earlier when it is negative).
    ///
    /// # Errors
    /// [`TimeError::Overflow`] outside the years 0000 to 9999.
    pub fn checked_add(self, span: Span) -> Result<Instant, TimeError> {
        self.micros().checked_add(span.0).ok_or(TimeError::Overflow).and_then(Instant::from_micros)
    }

    /// Elapsed time from `earlier` to this instant; negative when `earlier` is later.
    pub const fn since(self, earlier: Instant) -> Span {
        // Both lie within 10,000 years, which fits 64 bits of microseconds many times.
        Span(self.micros() - earlier.micros())
    }

    /// The next representable instant, one microsecond later (the last one stays).
    pub fn succ(self) -> Instant {
        Instant::within((self.micros() + 1).min(MAX_MICROS))
    }
}

impl Span {
    /// No time.
    pub const ZERO: Span = Span(0);

    /// So many microseconds.
    pub const fn from_micros(micros: i64) -> Span {
        Span(micros)
    }
    /// So many seconds (saturating at 292,000 years).
    pub const fn seconds(n: i64) -> Span {
        Span(n.saturating_mul(MICROS))
    }
    /// So many minutes (saturating at 292,000 years).
    pub const fn minutes(n: i64) -> Span {
        Span(n.saturating_mul(60 * MICROS))
    }
    /// So many hours (saturating at 292,000 years).
    pub const fn hours(n: i64) -> Span {
        Span(n.saturating_mul(3600 * MICROS))
    }
    /// Its microseconds.
    pub const fn micros(self) -> i64 {
        self.0
    }
    /// Its whole seconds; a fraction is dropped towards zero.
    pub const fn whole_seconds(self) -> i64 {
        self.0 / MICROS
    }
    /// The sum, or nothing on overflow.
    pub fn checked_add(self, other: Span) -> Option<Span> {
        self.0.checked_add(other.0).map(Span)
    }
    /// The difference, or nothing on overflow.
    pub fn checked_sub(self, other: Span) -> Option<Span> {
        self.0.checked_sub(other.0).map(Span)
    }
}

impl std::ops::Add for Span {
    type Output = Span;
    /// Saturates; use [`Span::checked_add`] where an overflow must be seen.
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl std::ops::Sub for Span {
    type Output = Span;
    /// Saturates; use [`Span::checked_sub`] where an overflow must be seen.
    fn sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl FromStr for Instant {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Instant, TimeError> {
        let unreadable = |reason: &dyn fmt::Display| TimeError::Unreadable {
            text: text.chars().take(80).collect(),
            reason: reason.to_string(),
        };
        let time = DateTime::parse_from_rfc3339(text).map_err(|e| unreadable(&e))?;
        if time.timestamp_subsec_nanos() >= 1_000_000_000 {
            return Err(unreadable(&"leap seconds have no place on this time line"));
        }
        Instant::from_chrono(&time)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Instant").field(&self.micros()).finish()
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_chrono().to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.unsigned_abs();
        let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
        let mut parts = Vec::new();
        for (n, unit) in
            [(seconds / 3600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s"), (fraction, "us")]
        {
            if n > 0 {
                parts.push(format!("{n} {unit}"));
            }
        }
        if parts.is_empty() {
            return f.write_str("0 s");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        f.write_str(&parts.join(" "))
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Instant, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// In JSON a span is a number of seconds, with a fraction only where there is one.
impl Serialize for Span {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if self.0 % MICROS == 0 {
            s.serialize_i64(self.0 / MICROS)
        } else {
            s.serialize_f64(self.0 as f64 / MICROS as f64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_kept_to_the_microsecond() {
        let at: Instant = "2026-01-01T00:00:00.1234567Z".parse().unwrap();
        assert_eq!(at.micros() % MICROS, 123_456);
        assert_eq!(at.to_string(), "2026-01-01T00:00:00.123456Z");
    }

    #[test]
    fn times_without_offset_are_refused() {
        for text in ["2026-01-01T00:00:00", "2026-01-01", "", "2016-12-31T23:59:60Z", "now"] {
            let error = text.parse::<Instant>().unwrap_err();
            assert!(error.to_string().contains("RFC 3339"), "{error}");
        }
    }

    #[test]
    fn the_ends_of_the_time_line_are_errors_not_wraps() {
        assert_eq!(Instant::MAX.checked_add(Span::from_micros(1)), Err(TimeError::Overflow));
        assert_eq!(Instant::from_seconds(i64::MAX), Err(TimeError::Overflow));
        assert_eq!(Instant::MAX.succ(), Instant::MAX);
    }

    #[test]
    fn instants_are_ordered_and_shown_by_their_microseconds() {
        let micros = [MIN_MICROS, MIN_MICROS + 1, -1, 0, 1, MAX_MICROS - 1, MAX_MICROS];
        let instants = micros.map(|micros| Instant::from_micros(micros).unwrap());
        assert_eq!(instants.map(Instant::micros), micros);
        assert!(instants.is_sorted() && instants.windows(2).all(|two| two[0] != two[1]));
        assert_eq!((instants[0], instants[6]), (Instant::MIN, Instant::MAX));
        assert_eq!(format!("{:?}", instants[2]), "Instant(-1)");
        assert_eq!(instants[3].since(instants[2]), Span::from_micros(1));
        assert_eq!(size_of::<Option<Instant>>(), 8);
    }
}
