//! A shift with its recurrences, counted on the wall clock of its zone.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Months, NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use rrule::{Frequency, RRule, RRuleSet, Unvalidated, Validated};

use crate::calendar::clock::{utc_of_wall, wall_of};
use crate::calendar::ical::one_line;
use crate::time::MICROS;

/// Longer rules say nothing that a shift needs.
const RULE_BYTES_MAX: usize = 500;
/// The highest COUNT of a rule: hours of two years.
const COUNT_MAX: u32 = 20_000;
/// So many recurrences are looked at when a rule is read.
const TRIED: usize = 60;
/// Shifts of one rule begin at least so many seconds apart.
const APART: i64 = 3_600;
/// No zone is further from UTC, in seconds; with some room.
const FAR: i64 = 2 * 86_400;

/// When a rule ends, that instant included.
enum Until {
    /// Seconds on the wall clock.
    Wall(i64),
    /// UTC microseconds.
    Utc(i64),
}

/// How a shift recurs.
struct Rule {
    rule: RRule<Validated>,
    until: Option<Until>,
}

/// The turns of one VEVENT. Wall times are seconds since 1970-01-01T00:00 on the clock of the zone.
pub(crate) struct Series {
    zone: Tz,
    start: i64,
    length: i64,
    rule: Option<Rule>,
    /// Further beginnings.
    also: BTreeSet<i64>,
    /// Beginnings that are left out, in UTC microseconds.
    except: BTreeSet<i64>,
}

impl std::fmt::Debug for Series {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Series").field("zone", &self.zone).field("start", &self.start).finish_non_exhaustive()
    }
}

impl Series {
    /// One shift of so many seconds on the wall clock.
    pub(super) fn once(zone: Tz, start: i64, length: i64) -> Series {
        Series { zone, start, length, rule: None, also: BTreeSet::new(), except: BTreeSet::new() }
    }

    /// The same by a rule of RFC 5545, which must give the shift's own beginning first.
    pub(super) fn by_rule(mut self, text: &str) -> Result<Series, String> {
        let rule = read_rule(text, self.zone, self.start)?;
        self.rule = Some(rule);
        let tried: Vec<i64> = self.recurrences(self.start).take(TRIED).collect();
        match tried.first() {
            None => return Err("never happens".to_owned()),
            Some(first) if *first != self.start => {
                return Err(format!(
                    "first happens at {}, but DTSTART is {}: expected a DTSTART that the rule gives",
                    written(*first),
                    written(self.start)
                ));
            }
            Some(_) => {}
        }
        let close = tried.iter().zip(tried.iter().skip(1)).find(|(a, b)| *b - *a < APART);
        if let Some((a, b)) = close {
            return Err(format!(
                "happens more often than hourly, as at {} and {}: expected an hour or more between",
                written(*a),
                written(*b)
            ));
        }
        if self.rule.as_ref().is_some_and(|rule| rule.rule.get_count().is_some()) {
            // A rule that counts can only be followed from its beginning: that is done once.
            self.also = self.recurrences(self.start).collect();
            self.rule = None;
        }
        Ok(self)
    }

    /// How many beginnings are listed one by one.
    pub(super) fn dates(&self) -> usize {
        self.also.len()
    }

    /// The same with a further beginning, on the wall clock of the series.
    pub(super) fn also(&mut self, wall: i64) {
        self.also.insert(wall);
    }

    /// The same without the turn that begins at these UTC microseconds.
    pub(super) fn without(&mut self, utc: i64) {
        self.except.insert(utc);
    }

    /// A wall time of another zone as this one's.
    pub(super) fn wall_from(&self, zone: Tz, wall: i64) -> i64 {
        if zone == self.zone { wall } else { wall_of(self.zone, utc_of_wall(zone, wall)).div_euclid(MICROS) }
    }

    /// Where the first turn begins, in UTC microseconds; nothing when all are left out.
    pub(super) fn first(&self) -> Option<i64> {
        let by_rule = match self.rule {
            Some(_) => {
                let mut all = self.recurrences(self.start).take(usize::try_from(COUNT_MAX).unwrap_or(0));
                all.find(|wall| self.holds(*wall))
            }
            None => Some(self.start).filter(|wall| self.holds(*wall)),
        };
        let also = self.also.iter().copied().find(|wall| self.holds(*wall));
        by_rule.into_iter().chain(also).map(|wall| utc_of_wall(self.zone, wall)).min()
    }

    /// The turns that touch a stretch of UTC microseconds, without order; each from (in) until (out). Gives nothing
    /// when there are more than `left`, which is counted down.
    pub(super) fn turns(&self, from: i64, until: i64, left: &mut usize) -> Option<Vec<(i64, i64)>> {
        let (first, last) = (from.div_euclid(MICROS) - FAR - self.length, until.div_euclid(MICROS) + FAR);
        let mut starts: BTreeSet<i64> = self.also.range(first..=last).copied().collect();
        match self.rule {
            Some(_) => {
                for wall in self.recurrences(first).take_while(|wall| *wall <= last) {
                    *left = left.checked_sub(1)?;
                    starts.insert(wall);
                }
            }
            None => {
                starts.insert(self.start);
            }
        }
        *left = left.checked_sub(starts.len().min(self.also.len() + 1))?;
        let turn = |wall: i64| (utc_of_wall(self.zone, wall), utc_of_wall(self.zone, wall + self.length));
        let held = starts.into_iter().filter(|wall| self.holds(*wall)).map(turn);
        // A turn within an hour that the clock skips does not take place.
        Some(held.filter(|(begin, end)| begin < end && *end > from && *begin < until).collect())
    }

    fn holds(&self, wall: i64) -> bool {
        self.except.is_empty() || !self.except.contains(&utc_of_wall(self.zone, wall))
    }

    /// The rule's beginnings, all of those from `from` on among them.
    fn recurrences(&self, from: i64) -> impl Iterator<Item = i64> {
        let (zone, start) = (self.zone, self.start);
        let parts = self.rule.as_ref().map(|rule| {
            let set = RRuleSet::new(at(begin(&rule.rule, start, from))).rrule(rule.rule.clone()).limit();
            set.into_iter().map(|time| time.timestamp()).take_while(move |wall| match rule.until {
                Some(Until::Wall(last)) => *wall <= last,
                Some(Until::Utc(last)) => utc_of_wall(zone, *wall) <= last,
                None => true,
            })
        });
        parts.into_iter().flatten().skip_while(move |wall| *wall < from.max(start))
    }
}

/// A later beginning from which a rule goes on as from its own, so that old rules need no long count.
fn begin(rule: &RRule<Validated>, start: i64, from: i64) -> i64 {
    let interval = i64::from(rule.get_interval());
    if from <= start || rule.get_count().is_some() {
        return start;
    }
    let unit = match rule.get_freq() {
        Frequency::Monthly => return month(start, from, interval),
        Frequency::Yearly => return month(start, from, 12 * interval),
        Frequency::Weekly => 7 * 86_400,
        Frequency::Daily => 86_400,
        _ => 3_600,
    } * interval;
    start + ((from - start) / unit - 2).max(0) * unit
}

/// The same for rules that count months: the date must exist in the month.
fn month(start: i64, from: i64, interval: i64) -> i64 {
    let (first, until) = (at(start).naive_utc(), at(from).naive_utc());
    let months = |time: NaiveDateTime| i64::from(time.year()) * 12 + i64::from(time.month());
    let most = (months(until) - months(first)) / interval - 2;
    for k in (1..=most).rev().take(100) {
        let later = u32::try_from(k * interval).ok().and_then(|n| first.checked_add_months(Months::new(n)));
        if let Some(later) = later.filter(|later| later.day() == first.day()) {
            return later.and_utc().timestamp();
        }
    }
    start
}

fn read_rule(text: &str, zone: Tz, start: i64) -> Result<Rule, String> {
    if text.len() > RULE_BYTES_MAX {
        return Err(format!("has {} bytes: expected at most {RULE_BYTES_MAX}", text.len()));
    }
    let upper = text.trim().to_ascii_uppercase();
    if ["FREQ=MINUTELY", "FREQ=SECONDLY"].iter().any(|often| upper.split(';').any(|part| part == *often)) {
        return Err("happens more often than hourly: expected FREQ=HOURLY or longer".to_owned());
    }
    let (ends, parts): (Vec<&str>, Vec<&str>) = upper.split(';').partition(|part| part.starts_with("UNTIL="));
    let until = match ends.as_slice() {
        [] => None,
        [end] => Some(read_until(end.trim_start_matches("UNTIL="))?),
        _ => return Err("has more than one UNTIL".to_owned()),
    };
    let rule: RRule<Unvalidated> =
        parts.join(";").parse().map_err(|error| format!("is not read: {}", one_line(&format!("{error}"))))?;
    let rule = rule
        .validate(at(start))
        .map_err(|error| format!("is not valid: {}", one_line(&format!("{error}"))))?;
    if rule.get_interval() == 0 {
        return Err("has the INTERVAL 0: expected 1 or more".to_owned());
    }
    match rule.get_count() {
        Some(_) if until.is_some() => Err("has both COUNT and UNTIL: expected one".to_owned()),
        Some(0) => Err("never happens: its COUNT is 0".to_owned()),
        Some(count) if count > COUNT_MAX => {
            Err(format!("has the COUNT {count}: expected at most {COUNT_MAX}"))
        }
        _ if match until {
            Some(Until::Wall(last)) => last < start,
            Some(Until::Utc(last)) => last < utc_of_wall(zone, start),
            None => false,
        } =>
        {
            Err("never happens: it ends before DTSTART".to_owned())
        }
        _ => Ok(Rule { rule, until }),
    }
}

/// A date stands for the whole of it.
fn read_until(text: &str) -> Result<Until, String> {
    match stamp(text) {
        Some((wall, Stamp::Date)) => Ok(Until::Wall(wall + 86_399)),
        Some((wall, Stamp::Local)) => Ok(Until::Wall(wall)),
        Some((wall, Stamp::Utc)) => Ok(Until::Utc(wall * MICROS)),
        None => {
            let shown: String = text.chars().take(40).collect();
            Err(format!("has the UNTIL `{shown}`: expected such as `20261231T160000Z`"))
        }
    }
}

/// What sort of time a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stamp {
    /// `20260302`
    Date,
    /// `20260302T080000`
    Local,
    /// `20260302T000000Z`
    Utc,
}

/// A value of a time property within the years that calendars know, in seconds on its own clock.
pub(super) fn stamp(text: &str) -> Option<(i64, Stamp)> {
    let (digits, sort) = match text.strip_suffix('Z') {
        Some(digits) => (digits, Stamp::Utc),
        None if text.len() == 8 => (text, Stamp::Date),
        None => (text, Stamp::Local),
    };
    let shape = |i: usize, byte: u8| if i == 8 { byte == b'T' } else { byte.is_ascii_digit() };
    let whole = if sort == Stamp::Date { format!("{digits}T000000") } else { digits.to_owned() };
    if whole.len() != 15 || !whole.bytes().enumerate().all(|(i, byte)| shape(i, byte)) {
        return None;
    }
    let time = NaiveDateTime::parse_from_str(&whole, "%Y%m%dT%H%M%S").ok()?;
    let known = (1900..2300).contains(&time.year()) && !whole.ends_with("60");
    known.then(|| (time.and_utc().timestamp(), sort))
}

fn at(wall: i64) -> DateTime<rrule::Tz> {
    let time = DateTime::from_timestamp(wall, 0).unwrap_or_default();
    rrule::Tz::UTC.from_utc_datetime(&time.naive_utc())
}

/// A wall time for messages.
pub(super) fn written(wall: i64) -> String {
    let time = DateTime::from_timestamp(wall, 0).unwrap_or_default();
    let seconds = if wall.rem_euclid(60) == 0 { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" };
    time.format(seconds).to_string()
}
