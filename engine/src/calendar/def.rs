//! What a contract writes down about its working time.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::CalendarError;

/// A wall clock time of a date, in whole seconds from `00:00` to `24:00` (the end of the date).
///
/// ```
/// use holdback::HourMinute;
/// assert_eq!("09:30".parse::<HourMinute>()?.to_string(), "09:30");
/// assert!("24:01".parse::<HourMinute>().is_err());
/// # Ok::<(), holdback::CalendarError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HourMinute(u32);

/// Open periods of one date in local wall time, each from its first time (in) to its second (out). They may
/// stand in any order, touch or overlap: the date is open in their union.
pub type Hours = Vec<(HourMinute, HourMinute)>;

/// Open periods by weekday; a missing weekday is closed.
pub type WeekHours = BTreeMap<WeekDay, Hours>;

/// A weekday, written `mon` to `sun`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // The names say it.
pub enum WeekDay {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// Which instant ends a count of open time that is used up exactly at a closing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Boundary {
    /// The closing itself: due by Friday 18:00.
    #[default]
    Closing,
    /// The opening that follows it: due by Monday 09:00.
    NextOpening,
}

/// Weekly hours that replace all earlier ones from a date on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatedHours {
    /// The first local date with these hours.
    #[serde(with = "date")]
    pub from: NaiveDate,
    /// The hours; a missing weekday is closed.
    pub hours: WeekHours,
}

/// Periods of one local date.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateHours {
    /// The local date.
    #[serde(with = "date")]
    pub date: NaiveDate,
    /// The periods; none closes a shift's date and cuts nothing from a break's.
    pub hours: Hours,
}

/// A working-time calendar as a contract defines it. All dates and times of day are local to `zone`.
///
/// What a date's hours are: its shift, else those of a make-up day, else none on a holiday, else the weekly
/// hours; then breaks are cut out.
///
/// ```
/// use holdback::{Calendar, CalendarDef};
/// let def: CalendarDef = serde_json::from_str(
///     r#"{"zone": "Asia/Shanghai", "hours": {"mon": [["09:00", "12:00"], ["13:00", "18:00"]]}}"#,
/// )?;
/// let calendar = Calendar::build(&def)?;
/// assert!(calendar.is_open("2026-03-02T09:00:00+08:00".parse()?)?);
/// assert!(!calendar.is_open("2026-03-02T12:00:00+08:00".parse()?)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarDef {
    /// The IANA zone name, such as `Asia/Shanghai`. Its rules are known up to the year the compiled-in data
    /// reach; later years keep the last offset.
    #[serde(alias = "tz")]
    pub zone: String,
    /// The weekly hours.
    pub hours: WeekHours,
    /// Weekly hours that replace `hours` from a date on; each `from` may stand once.
    #[serde(default)]
    pub hours_from: Vec<DatedHours>,
    /// Closed dates.
    #[serde(default, with = "dates")]
    pub holidays: Vec<NaiveDate>,
    /// Make-up working days (调休), open although they are holidays or have no weekly hours.
    #[serde(default, with = "dates")]
    pub workdays: Vec<NaiveDate>,
    /// The hours of a make-up day. Without: its weekday's own hours if it has any, else the hours of the
    /// first weekday from Monday on that has any.
    #[serde(default)]
    pub workday_hours: Option<Hours>,
    /// Dates with hours of their own, also on a holiday or a make-up day; each date may stand once.
    #[serde(default)]
    pub shifts: Vec<DateHours>,
    /// Periods cut out of a date's hours, whatever set them.
    #[serde(default)]
    pub breaks: Vec<DateHours>,
    /// What ends a count that is used up exactly at a closing.
    #[serde(default)]
    pub boundary: Boundary,
    /// The first and last local year (both in) the holidays are known for: a question that touches a date
    /// outside is an error, not a guess. Without: 1900 to 2299.
    #[serde(default)]
    pub years: Option<(i32, i32)>,
}

impl CalendarDef {
    /// A calendar of weekly hours alone.
    pub fn new(zone: impl Into<String>, hours: WeekHours) -> CalendarDef {
        CalendarDef {
            zone: zone.into(),
            hours,
            hours_from: Vec::new(),
            holidays: Vec::new(),
            workdays: Vec::new(),
            workday_hours: None,
            shifts: Vec::new(),
            breaks: Vec::new(),
            boundary: Boundary::Closing,
            years: None,
        }
    }
}

impl WeekDay {
    /// Monday to Sunday.
    pub const ALL: [WeekDay; 7] =
        [WeekDay::Mon, WeekDay::Tue, WeekDay::Wed, WeekDay::Thu, WeekDay::Fri, WeekDay::Sat, WeekDay::Sun];
}

impl fmt::Display for WeekDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WeekDay::Mon => "mon",
            WeekDay::Tue => "tue",
            WeekDay::Wed => "wed",
            WeekDay::Thu => "thu",
            WeekDay::Fri => "fri",
            WeekDay::Sat => "sat",
            WeekDay::Sun => "sun",
        })
    }
}

impl HourMinute {
    /// `00:00`, where a date starts.
    pub const START: HourMinute = HourMinute(0);
    /// `24:00`, where a date ends.
    pub const END: HourMinute = HourMinute(86_400);

    /// So many wall clock seconds after `00:00`; nothing beyond `24:00` (86,400).
    pub const fn from_seconds(seconds: u32) -> Option<HourMinute> {
        if seconds <= 86_400 { Some(HourMinute(seconds)) } else { None }
    }

    /// Wall clock seconds after `00:00`, 86,400 for `24:00`.
    pub const fn seconds(self) -> u32 {
        self.0
    }
}

impl FromStr for HourMinute {
    type Err = CalendarError;

    fn from_str(text: &str) -> Result<HourMinute, CalendarError> {
        let part = |part: &str, most: u32| {
            let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            part.parse::<u32>().ok().filter(|n| digits && *n <= most)
        };
        let mut parts = text.splitn(3, ':');
        let hour = parts.next().and_then(|p| part(p, 24));
        let minute = parts.next().and_then(|p| part(p, 59));
        let second = parts.next().map_or(Some(0), |p| part(p, 59));
        match (hour, minute, second) {
            (Some(h), Some(m), Some(s)) => HourMinute::from_seconds(h * 3600 + m * 60 + s),
            _ => None,
        }
        .ok_or_else(|| CalendarError::UnreadableTime { text: text.chars().take(40).collect() })
    }
}

impl fmt::Display for HourMinute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (minutes, second) = (self.0 / 60, self.0 % 60);
        write!(f, "{:02}:{:02}", minutes / 60, minutes % 60)?;
        if second > 0 { write!(f, ":{second:02}") } else { Ok(()) }
    }
}

impl Serialize for HourMinute {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HourMinute {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<HourMinute, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The date of `YYYY-MM-DD`, with exactly these digits.
pub(super) fn read_date(text: &str) -> Result<NaiveDate, CalendarError> {
    let shape = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .ok()
        .filter(|_| shape)
        .ok_or_else(|| CalendarError::UnreadableDate { text: text.chars().take(40).collect() })
}

/// A date as `YYYY-MM-DD`.
pub(super) mod date {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(date: &NaiveDate, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(date)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<NaiveDate, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        read_date(&text).map_err(serde::de::Error::custom)
    }
}

/// A list of dates as `YYYY-MM-DD`.
pub(super) mod dates {
    use super::*;

    #[derive(Deserialize)]
    struct One(#[serde(with = "date")] NaiveDate);

    pub(crate) fn serialize<S: Serializer>(dates: &[NaiveDate], s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(dates.iter().map(NaiveDate::to_string))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<NaiveDate>, D::Error> {
        Ok(Vec::<One>::deserialize(d)?.into_iter().map(|one| one.0).collect())
    }
}
