//! The dates of an iCalendar text's all-day events (RFC 5545).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, TimeZone};
use icalendar::parser::{Component, Property, read_calendar};
use rrule::{RRule, RRuleSet, Tz, Unvalidated};

use super::error::CalendarError;

/// Components nest this deep at most; RFC 5545 needs three levels.
const MOST_NESTED: usize = 8;
/// The longest all-day event, in days.
const MOST_DAYS: i64 = 400;
/// The most dates and recurrences a text may expand to: two lists of every day of the supported years.
const MOST_DATES: usize = 300_000;

/// Dates of events, in order.
#[derive(Default)]
pub(super) struct Lists {
    pub(super) holidays: BTreeSet<NaiveDate>,
    pub(super) workdays: BTreeSet<NaiveDate>,
}

/// Reads the dates within the years `first` to `last`.
pub(super) fn read(text: &str, first: i32, last: i32) -> Result<Lists, CalendarError> {
    let bounds = NaiveDate::from_ymd_opt(first, 1, 1).zip(NaiveDate::from_ymd_opt(last, 12, 31));
    let Some(bounds) = bounds else { return Err(CalendarError::UnsupportedYears { first, last }) };
    let mut lists = Lists::default();
    let mut left = MOST_DATES;
    for block in blocks(text)? {
        let calendar = read_calendar(&block).map_err(|e| fault("text", one_line(&e)))?;
        let events: Vec<Event> = calendar
            .components
            .iter()
            .filter(|component| component.name.as_str().eq_ignore_ascii_case("VEVENT"))
            .map(Event::read)
            .collect::<Result<_, _>>()?;
        let mut replaced: BTreeMap<&str, BTreeSet<NaiveDate>> = BTreeMap::new();
        for event in &events {
            if let Some(date) = event.replaces {
                replaced.entry(&event.uid).or_default().insert(date);
            }
        }
        for event in events.iter().filter(|event| !event.cancelled) {
            let without = if event.replaces.is_none() { replaced.get(event.uid.as_str()) } else { None };
            event.expand(bounds, without, &mut left, &mut lists)?;
        }
    }
    Ok(lists)
}

/// What an all-day event says.
struct Event {
    uid: String,
    /// The event for messages.
    place: String,
    cancelled: bool,
    workday: bool,
    start: NaiveDate,
    days: i64,
    rule: Option<String>,
    also: Vec<NaiveDate>,
    except: Vec<NaiveDate>,
    /// The recurrence of the same UID this one stands for.
    replaces: Option<NaiveDate>,
}

impl Event {
    fn read(component: &Component<'_>) -> Result<Event, CalendarError> {
        let text = |name: &str| find(component, name).map(|p| p.val.as_str().to_owned()).unwrap_or_default();
        let (uid, summary) = (text("UID"), text("SUMMARY"));
        let place: String = format!("event `{summary}` (uid `{uid}`)").chars().take(200).collect();
        let Some(start) = find(component, "DTSTART") else {
            return Err(fault(&place, "it has no DTSTART, expected `DTSTART;VALUE=DATE:YYYYMMDD`"));
        };
        let start = date(start, &place)?;
        let days = match (find(component, "DTEND"), find(component, "DURATION")) {
            (Some(_), Some(_)) => Err(fault(&place, "it has both DTEND and DURATION, expected one")),
            (Some(end), None) => Ok(date(end, &place)?.signed_duration_since(start).num_days()),
            (None, Some(duration)) => duration_days(duration.val.as_str(), &place),
            (None, None) => Ok(1),
        }?;
        if !(1..=MOST_DAYS).contains(&days) {
            return Err(fault(&place, format!("it lasts {days} days, expected 1 to {MOST_DAYS}")));
        }
        let rules: Vec<_> = all(component, "RRULE").map(|p| p.val.as_str().to_owned()).collect();
        if rules.len() > 1 || find(component, "EXRULE").is_some() {
            return Err(fault(
                &place,
                "it has more than one RRULE, or an EXRULE, expected one RRULE at most",
            ));
        }
        let categories = all(component, "CATEGORIES").flat_map(|p| p.val.as_str().split(','));
        Ok(Event {
            cancelled: text("STATUS").trim().eq_ignore_ascii_case("CANCELLED"),
            workday: summary.contains('班')
                || categories.into_iter().any(|c| c.trim().eq_ignore_ascii_case("WORKDAY")),
            start,
            days,
            rule: rules.into_iter().next(),
            also: list(component, "RDATE", &place)?,
            except: list(component, "EXDATE", &place)?,
            replaces: find(component, "RECURRENCE-ID").map(|p| date(p, &place)).transpose()?,
            uid,
            place,
        })
    }

    fn expand(
        &self,
        bounds: (NaiveDate, NaiveDate),
        without: Option<&BTreeSet<NaiveDate>>,
        left: &mut usize,
        lists: &mut Lists,
    ) -> Result<(), CalendarError> {
        let mut starts: BTreeSet<NaiveDate> = self.also.iter().copied().collect();
        match &self.rule {
            Some(rule) => starts.extend(self.recurrences(rule, bounds)?),
            None => drop(starts.insert(self.start)),
        }
        let list = if self.workday { &mut lists.workdays } else { &mut lists.holidays };
        for start in starts {
            if self.except.contains(&start) || without.is_some_and(|dates| dates.contains(&start)) {
                continue;
            }
            let days = start.iter_days().take(usize::try_from(self.days).unwrap_or(0));
            for date in days.filter(|date| bounds.0 <= *date && *date <= bounds.1) {
                let Some(less) = left.checked_sub(1) else {
                    return Err(fault(&self.place, "the text holds too many dates"));
                };
                *left = less;
                list.insert(date);
            }
        }
        Ok(())
    }

    /// The first dates of the recurrences that may touch the bounds.
    fn recurrences(
        &self,
        rule: &str,
        bounds: (NaiveDate, NaiveDate),
    ) -> Result<Vec<NaiveDate>, CalendarError> {
        let bad = |reason: String| fault(&self.place, format!("its RRULE `{rule}` {reason}"));
        let upper = rule.to_ascii_uppercase();
        // An all-day event recurs by days or longer, and every part that names a time of day is no date's.
        if upper.split(';').any(|part| {
            ["BYHOUR", "BYMINUTE", "BYSECOND", "FREQ=HOURLY", "FREQ=MINUTELY", "FREQ=SECONDLY"]
                .iter()
                .any(|timed| part.starts_with(timed))
        }) {
            return Err(bad("counts parts of a day, expected an all-day rule".to_owned()));
        }
        let parts: Vec<String> = upper.split(';').map(until_as_time).collect();
        let rule: RRule<Unvalidated> =
            parts.join(";").parse().map_err(|e| bad(format!("is not read: {e}")))?;
        let start = midnight(self.start);
        let rule = rule.validate(start).map_err(|e| bad(format!("is not valid: {e}")))?;
        let from = bounds.0.checked_sub_days(Days::new(self.days.unsigned_abs())).unwrap_or(bounds.0);
        let set = RRuleSet::new(start).rrule(rule).after(midnight(from)).before(midnight(bounds.1));
        let found = set.all(u16::MAX);
        if found.dates.len() == usize::from(u16::MAX) {
            return Err(bad("recurs too often".to_owned()));
        }
        Ok(found.dates.iter().map(DateTime::date_naive).collect())
    }
}

/// The VCALENDAR objects of a text, unfolded and with CRLF line ends, after checking that what begins ends.
pub(crate) fn blocks(text: &str) -> Result<Vec<String>, CalendarError> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some((_, last))) => last.push_str(rest),
            _ if line.trim().is_empty() => {}
            _ => lines.push((number + 1, line.trim_end_matches('\r').to_owned())),
        }
    }
    let mut blocks = Vec::new();
    let mut block = String::new();
    let mut open: Vec<String> = Vec::new();
    for (number, line) in &lines {
        let here = format!("line {number}");
        let name = |prefix: &str| line.strip_prefix(prefix).map(|name| name.trim().to_ascii_uppercase());
        if let Some(name) = name("BEGIN:") {
            if open.is_empty() != (name == "VCALENDAR") || open.len() >= MOST_NESTED {
                return Err(fault(&here, format!("`BEGIN:{name}` has no place here")));
            }
            block.push_str(&format!("BEGIN:{name}\r\n"));
            open.push(name);
        } else if let Some(name) = name("END:") {
            if open.pop().is_none_or(|begun| begun != name) {
                return Err(fault(&here, format!("`END:{name}` ends nothing that begins")));
            }
            block.push_str(&format!("END:{name}\r\n"));
            if open.is_empty() {
                blocks.push(std::mem::take(&mut block));
            }
        } else if open.is_empty() || !line.contains(':') {
            let line: String = line.chars().take(60).collect();
            return Err(fault(&here, format!("`{line}` is not a property of a calendar")));
        } else {
            block.push_str(line);
            block.push_str("\r\n");
        }
    }
    match open.last() {
        Some(name) => Err(fault("text", format!("`{name}` does not end, expected `END:{name}`"))),
        None if blocks.is_empty() => Err(fault("text", "it holds no calendar, expected `BEGIN:VCALENDAR`")),
        None => Ok(blocks),
    }
}

pub(crate) fn all<'c>(component: &'c Component<'c>, name: &'c str) -> impl Iterator<Item = &'c Property<'c>> {
    component.properties.iter().filter(move |p| p.name.as_str().eq_ignore_ascii_case(name))
}

pub(crate) fn find<'c>(component: &'c Component<'c>, name: &'c str) -> Option<&'c Property<'c>> {
    all(component, name).next()
}

fn list(component: &Component<'_>, name: &str, place: &str) -> Result<Vec<NaiveDate>, CalendarError> {
    let values = all(component, name).flat_map(|p| p.val.as_str().split(','));
    values.map(|value| date_value(name, value.trim(), place)).collect()
}

fn date(property: &Property<'_>, place: &str) -> Result<NaiveDate, CalendarError> {
    date_value(property.name.as_str(), property.val.as_str().trim(), place)
}

/// A date of eight digits. A value with a time is refused, whatever its VALUE parameter says.
fn date_value(name: &str, value: &str, place: &str) -> Result<NaiveDate, CalendarError> {
    let shape = value.len() == 8 && value.bytes().all(|b| b.is_ascii_digit());
    NaiveDate::parse_from_str(value, "%Y%m%d").ok().filter(|_| shape).ok_or_else(|| {
        let value: String = value.chars().take(40).collect();
        fault(place, format!("its {name} is `{value}`, expected an all-day event with `YYYYMMDD`"))
    })
}

/// The days of `P<n>D` or `P<n>W`.
fn duration_days(value: &str, place: &str) -> Result<i64, CalendarError> {
    let number = |unit: char| {
        let digits = value.trim().trim_start_matches('+').strip_prefix('P')?.strip_suffix(unit)?;
        digits.parse::<i64>().ok().filter(|n| digits.len() <= 4 && *n >= 0)
    };
    number('D').or_else(|| number('W').map(|weeks| weeks * 7)).ok_or_else(|| {
        let value: String = value.chars().take(40).collect();
        fault(place, format!("its DURATION is `{value}`, expected whole days or weeks such as `P2D`"))
    })
}

/// `UNTIL=YYYYMMDD` as the midnight of that date, the form recurrences are counted in here.
fn until_as_time(part: &str) -> String {
    match part.strip_prefix("UNTIL=") {
        Some(date) if date.len() == 8 => format!("{part}T000000Z"),
        _ => part.to_owned(),
    }
}

fn midnight(date: NaiveDate) -> DateTime<Tz> {
    Tz::UTC.from_utc_datetime(&date.and_time(chrono::NaiveTime::MIN))
}

pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect()
}

fn fault(place: &str, reason: impl Into<String>) -> CalendarError {
    CalendarError::Ical { place: place.to_owned(), reason: reason.into() }
}
