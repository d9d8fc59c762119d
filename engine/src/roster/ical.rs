//! The shifts of an iCalendar text (RFC 5545), each with its place.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use icalendar::parser::{Component, Property, read_calendar};

use super::series::{Series, Stamp, stamp};
use crate::calendar::CalendarError;
use crate::calendar::clock::utc_of_wall;
use crate::calendar::ical::{all, blocks, find, one_line};
use crate::diagnostic::Place;
use crate::nearest::hint;

/// Events of one file, those of them that recur, and single dates in all lists, those of rules with a COUNT among them.
const EVENTS_MAX: usize = 5_000;
const RULES_MAX: usize = 200;
const DATES_MAX: usize = 20_000;
/// After so many faults of a file the rest is not looked at.
const FAULTS_MAX: usize = 10;
/// The longest shift, in seconds.
const LENGTH_MAX: i64 = 400 * 86_400;
/// What names the contact, in this order.
const NAMED_BY: [&str; 3] = ["X-HOLDBACK-CONTACT", "SUMMARY", "ATTENDEE"];

/// A VEVENT.
#[derive(Debug)]
pub(crate) struct ShiftEvent {
    /// The contact's key.
    pub(crate) contact: String,
    /// Where it is named.
    pub(crate) place: Place,
    pub(crate) series: Series,
}

/// What is wrong, and where.
pub(crate) type Fault = (Place, String);

/// Reads the shifts of a text. Times without a zone are in `zone`.
pub(crate) fn read(file: &str, text: &str, zone: Tz) -> (Vec<ShiftEvent>, Vec<Fault>) {
    let blocks = match blocks(text) {
        Ok(blocks) => blocks,
        Err(error) => return (Vec::new(), vec![unreadable(file, &error)]),
    };
    let mut located = locate(file, text).into_iter();
    let (mut shifts, mut faults) = (Vec::new(), Vec::new());
    let (mut events, mut rules, mut dates) = (0, 0, 0);
    for block in blocks {
        let calendar = match read_calendar(&block) {
            Ok(calendar) => calendar,
            Err(error) => {
                faults.push((Place::file(file), format!("is no iCalendar: {}", one_line(&error))));
                break;
            }
        };
        // The shifts of this block, and the turns that single events of it stand in for.
        let mut own: Vec<(String, ShiftEvent)> = Vec::new();
        let mut replaced: Vec<(String, i64)> = Vec::new();
        let is_event = |part: &&Component<'_>| part.name.as_str().eq_ignore_ascii_case("VEVENT");
        for component in calendar.components.iter().filter(is_event) {
            let lines = located.next().unwrap_or_default();
            let event = Event { component, lines, file, zone };
            events += 1;
            rules += usize::from(find(component, "RRULE").is_some());
            dates += all(component, "RDATE").chain(all(component, "EXDATE")).map(values).sum::<usize>();
            if events > EVENTS_MAX || rules > RULES_MAX || dates > DATES_MAX {
                let message = format!(
                    "too many shifts: expected at most {EVENTS_MAX} events, {RULES_MAX} rules, {DATES_MAX} \
                     single dates"
                );
                faults.push((event.head(), message));
                return (shifts, faults);
            }
            match event.read() {
                Ok(Read { uid, replaces, shift }) => {
                    dates += shift.as_ref().map_or(0, |shift| shift.series.dates());
                    replaced.extend(replaces.map(|utc| (uid.clone(), utc)));
                    own.extend(
                        shift.map(|shift| (if replaces.is_some() { String::new() } else { uid }, shift)),
                    );
                }
                Err(fault) => faults.push(*fault),
            }
            if faults.len() >= FAULTS_MAX {
                return (shifts, faults);
            }
        }
        let mut by_uid: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for (uid, utc) in &replaced {
            by_uid.entry(uid).or_default().push(*utc);
        }
        for (uid, mut shift) in own {
            // An event without a UID has no other that could stand in for it.
            let others = by_uid.get(uid.as_str()).filter(|_| !uid.is_empty());
            others.into_iter().flatten().for_each(|utc| shift.series.without(*utc));
            shifts.push(shift);
        }
    }
    (shifts, faults)
}

fn values(property: &Property<'_>) -> usize {
    property.val.as_str().split(',').count()
}

fn unreadable(file: &str, error: &CalendarError) -> Fault {
    let CalendarError::Ical { place, reason } = error else {
        return (Place::file(file), error.to_string());
    };
    let line = place.strip_prefix("line ").and_then(|line| line.parse().ok()).unwrap_or(0);
    (Place::line(file, line), format!("is no iCalendar: {reason}"))
}

/// A property's name, and the place of its value.
type Located = (String, Place);

/// Where the properties of each VEVENT stand, in the order of the text, which is known to nest well.
fn locate(file: &str, text: &str) -> Vec<Vec<Located>> {
    let mut events: Vec<Vec<Located>> = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mark = usize::from(text.starts_with('\u{feff}'));
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let Some(name) = line.split([':', ';']).next().filter(|name| name.len() < line.len()) else {
            continue;
        };
        if line.starts_with([' ', '\t']) {
            continue;
        }
        let name = name.to_ascii_uppercase();
        let value = value_of(line);
        let place = |text: &str| {
            let column = line.chars().count() - text.chars().count() + 1;
            let column = column + if number == 0 { mark } else { 0 };
            Place { column, length: text.trim_end().chars().count(), ..Place::line(file, number + 1) }
        };
        match name.as_str() {
            "BEGIN" => {
                open.push(value.trim().to_ascii_uppercase());
                if open.len() == 2 && open.last().is_some_and(|name| name == "VEVENT") {
                    events.push(vec![(name, place(value))]);
                }
            }
            "END" => drop(open.pop()),
            _ if open.len() == 2 && open.last().is_some_and(|name| name == "VEVENT") => {
                events.last_mut().into_iter().for_each(|event| event.push((name.clone(), place(value))));
            }
            _ => {}
        }
    }
    events
}

/// What stands after the colon that ends the parameters.
fn value_of(line: &str) -> &str {
    let mut quoted = false;
    let end = line.find(|letter: char| {
        quoted ^= letter == '"';
        letter == ':' && !quoted
    });
    end.and_then(|at| line.get(at + 1..)).unwrap_or("")
}

/// A VEVENT as it stands.
struct Event<'e> {
    component: &'e Component<'e>,
    lines: Vec<Located>,
    file: &'e str,
    zone: Tz,
}

/// What a VEVENT says.
struct Read {
    uid: String,
    /// The beginning of the turn that it stands in for, in UTC microseconds.
    replaces: Option<i64>,
    /// Nothing when it is cancelled.
    shift: Option<ShiftEvent>,
}

/// A time on the clock of a zone, in seconds.
#[derive(Clone, Copy)]
struct Wall {
    zone: Tz,
    at: i64,
    whole_day: bool,
}

impl Wall {
    fn utc(self) -> i64 {
        utc_of_wall(self.zone, self.at)
    }
}

impl Event<'_> {
    /// Where the event begins.
    fn head(&self) -> Place {
        self.lines.first().map_or_else(|| Place::file(self.file), |(_, place)| place.clone())
    }

    /// Where the nth property of a name has its value, else where the event begins.
    fn place(&self, name: &str, nth: usize) -> Place {
        let found = self.lines.iter().filter(|(known, _)| known == name).nth(nth);
        found.map_or_else(|| self.head(), |(_, place)| place.clone())
    }

    fn fault(&self, name: &str, message: impl Into<String>) -> Box<Fault> {
        Box::new((self.place(name, 0), message.into()))
    }

    fn text(&self, name: &str) -> Option<String> {
        let text = find(self.component, name)?.val.as_str().trim().to_owned();
        Some(text).filter(|text| !text.is_empty())
    }

    fn read(&self) -> Result<Read, Box<Fault>> {
        let uid = self.text("UID").unwrap_or_default();
        let Some(start) = find(self.component, "DTSTART") else {
            return Err(self.fault("", "the shift has no DTSTART"));
        };
        let start = self.time(start, start.val.as_str(), 0)?;
        let replaces = match find(self.component, "RECURRENCE-ID") {
            Some(id) if parameter(id, "RANGE").is_some() => {
                let message = "RANGE is not read: give the shifts from there on an event of their own";
                return Err(self.fault("RECURRENCE-ID", message));
            }
            Some(id) => Some(self.time(id, id.val.as_str(), 0)?.utc()),
            None => None,
        };
        if self.text("STATUS").is_some_and(|status| status.eq_ignore_ascii_case("CANCELLED")) {
            return Ok(Read { uid, replaces, shift: None });
        }
        let series = self.series(start)?;
        let (contact, place) = self.contact()?;
        let shift = ShiftEvent { contact, place, series };
        Ok(Read { uid, replaces, shift: Some(shift) })
    }

    /// The contact's key and its place.
    fn contact(&self) -> Result<(String, Place), Box<Fault>> {
        let named = NAMED_BY.iter().find_map(|name| self.text(name).map(|text| (*name, text)));
        let Some((name, text)) = named else {
            return Err(self.fault("", "the shift names nobody: expected a contact's key as its SUMMARY"));
        };
        let key = match name {
            "ATTENDEE" => {
                let mail =
                    text.get("mailto:".len()..).filter(|_| text.to_ascii_lowercase().starts_with("mailto:"));
                mail.unwrap_or(&text).split('@').next().unwrap_or_default().to_owned()
            }
            _ => text,
        };
        Ok((key, self.place(name, 0)))
    }

    fn series(&self, start: Wall) -> Result<Series, Box<Fault>> {
        let length = self.length(start)?;
        if length <= 0 || length > LENGTH_MAX {
            let which = if find(self.component, "DTEND").is_some() { "DTEND" } else { "DURATION" };
            let message = match length {
                0 => "the shift ends when it starts: expected a later end".to_owned(),
                1.. => format!("the shift lasts {} days: expected at most 400", length / 86_400),
                _ => "the shift ends before it starts".to_owned(),
            };
            return Err(self.fault(which, message));
        }
        let mut series = Series::once(start.zone, start.at, length);
        let mut rules = all(self.component, "RRULE");
        if let Some(rule) = rules.next() {
            if rules.next().is_some() {
                return Err(self.fault("RRULE", "the shift has more than one RRULE: expected one at most"));
            }
            let shown: String = rule.val.as_str().trim().chars().take(100).collect();
            series = series
                .by_rule(rule.val.as_str())
                .map_err(|reason| self.fault("RRULE", format!("the RRULE `{shown}` {reason}")))?;
        }
        if find(self.component, "EXRULE").is_some() {
            return Err(self.fault("EXRULE", "EXRULE is not read: list the days as EXDATE"));
        }
        for time in self.list("RDATE", start)? {
            series.also(series.wall_from(time.zone, time.at));
        }
        for time in self.list("EXDATE", start)? {
            series.without(time.utc());
        }
        if series.first().is_none() {
            let which = if find(self.component, "EXDATE").is_some() { "EXDATE" } else { "RRULE" };
            return Err(self.fault(which, "the shift never happens: all its turns are left out"));
        }
        Ok(series)
    }

    /// How long the shift is on the wall clock, in seconds.
    fn length(&self, start: Wall) -> Result<i64, Box<Fault>> {
        match (find(self.component, "DTEND"), find(self.component, "DURATION")) {
            (Some(_), Some(_)) => {
                Err(self.fault("DURATION", "the shift has both DTEND and DURATION: expected one"))
            }
            (Some(end), None) => {
                let end = self.time(end, end.val.as_str(), 0)?;
                Ok(Series::once(start.zone, start.at, 1).wall_from(end.zone, end.at) - start.at)
            }
            (None, Some(duration)) => duration_of(duration.val.as_str().trim()).ok_or_else(|| {
                let shown: String = duration.val.as_str().chars().take(40).collect();
                self.fault("DURATION", format!("the DURATION is `{shown}`: expected such as `PT8H` or `P7D`"))
            }),
            (None, None) if start.whole_day => Ok(86_400),
            (None, None) => Err(self.fault("DTSTART", "the shift has no end: expected DTEND or DURATION")),
        }
    }

    /// The times of all lists of a name.
    fn list(&self, name: &str, start: Wall) -> Result<Vec<Wall>, Box<Fault>> {
        let mut times = Vec::new();
        for (nth, property) in all(self.component, name).enumerate() {
            for value in property.val.as_str().split(',') {
                let time = self.time(property, value, nth)?;
                if time.whole_day != start.whole_day {
                    let sort = if start.whole_day { "a date" } else { "a date with a time" };
                    let message = format!("{name} `{}`: expected {sort}, as DTSTART is", value.trim());
                    return Err(Box::new((self.place(name, nth), message)));
                }
                times.push(time);
            }
        }
        Ok(times)
    }

    fn time(&self, property: &Property<'_>, value: &str, nth: usize) -> Result<Wall, Box<Fault>> {
        let name = property.name.as_str().to_ascii_uppercase();
        let refuse = |message: String| Box::new((self.place(&name, nth), message));
        let value = value.trim();
        let Some((at, sort)) = stamp(value) else {
            let shown: String = value.chars().take(40).collect();
            let expected = "expected such as `20260302T080000` of the years 1900 to 2299";
            return Err(refuse(format!("{name} is `{shown}`: {expected}")));
        };
        let zone = match (sort, parameter(property, "TZID")) {
            (Stamp::Utc, _) => Tz::UTC,
            (Stamp::Local, Some(zone)) => zone.parse().map_err(|_| {
                let near = hint(&zone, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
                let zone: String = zone.chars().take(60).collect();
                refuse(format!("unknown time zone `{zone}`: expected such as `Asia/Shanghai`{near}"))
            })?,
            _ => self.zone,
        };
        Ok(Wall { zone, at, whole_day: sort == Stamp::Date })
    }
}

fn parameter(property: &Property<'_>, name: &str) -> Option<String> {
    let found = property.params.iter().find(|known| known.key.as_str().eq_ignore_ascii_case(name))?;
    found.val.as_ref().map(|value| value.as_str().trim_matches('"').to_owned())
}

/// The seconds of `P1W`, `P1DT12H`, `PT8H30M`, with a sign if there is one.
fn duration_of(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let text = text.strip_prefix('P')?;
    let (days, times) = text.split_once('T').map_or((text, None), |(days, times)| (days, Some(times)));
    let sum = |text: &str, units: &[(char, i64)]| -> Option<i64> {
        let mut units = units.iter();
        let mut total: i64 = 0;
        for part in text.split_inclusive(|letter: char| !letter.is_ascii_digit()) {
            let unit = part.chars().last()?;
            let digits = part.strip_suffix(unit)?;
            // Each unit once, the longer ones first.
            let (_, seconds) = units.find(|(known, _)| *known == unit)?;
            let number = digits.parse::<i64>().ok().filter(|_| digits.len() <= 9)?;
            total = total.checked_add(number.checked_mul(*seconds)?)?;
        }
        Some(total)
    };
    if text.is_empty() || times.is_some_and(str::is_empty) {
        return None;
    }
    let days = sum(days, &[('W', 7 * 86_400), ('D', 86_400)])?;
    let times = times.map_or(Some(0), |times| sum(times, &[('H', 3_600), ('M', 60), ('S', 1)]))?;
    Some(sign * (days + times))
}
