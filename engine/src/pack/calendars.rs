//! A pack's calendars, built for every state of knowledge about their holidays.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use chrono_tz::Tz;
use toml::de::DeValue;

use super::names::{self, Names};
use super::source::{At, Faults, Source};
use super::table::{Table, Value};
use super::{DatedCalendar, Files};
use crate::calendar::{CalendarDef, CalendarError, HolidayData};
use crate::clock::CountRule;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::nearest::hint;
use crate::{Calendar, Instant};

/// Every calendar holds tables of centuries, and every amendment makes another version of it.
const CALENDARS_MAX: usize = 64;
const AMENDMENTS_MAX: usize = 200;

/// The holiday lists that calendars name, each read once.
type Holidays = BTreeMap<String, Option<HolidayData>>;

/// A calendar as pack.toml has it.
struct Entry<'s> {
    name: At<String>,
    zone: Option<At<String>>,
    holidays: Vec<At<String>>,
    demand_data: bool,
    day_count: CountRule,
    def: CalendarDef,
    value: Value<'s>,
}

/// The calendars of `[calendars]` after `always`, and how each counts working days.
pub(super) fn calendars(
    root: &mut Table<'_>,
    zone: Option<Tz>,
    files: &Files<'_>,
    faults: &mut Faults,
) -> Vec<(DatedCalendar, CountRule)> {
    let mut all = vec![(always(zone), CountRule::default())];
    let mut holidays = Holidays::new();
    let entries = root.named("calendars", faults);
    if let Some((name, _)) = entries.get(CALENDARS_MAX) {
        let message = format!("{} calendars: a pack has at most {CALENDARS_MAX}", entries.len());
        faults.add(Code::CALENDAR, name.place.clone(), message);
    }
    for (name, value) in entries.into_iter().take(CALENDARS_MAX) {
        names::spelling(&name, faults);
        if name.value == "always" {
            let message = "the calendar `always` exists already: it is open day and night";
            faults.add(Code::CALENDAR, name.place.clone(), message);
        }
        let of = name.value.clone();
        let entry = value.table(faults).and_then(|table| entry(name, &value, table, zone, faults));
        let built = entry.and_then(|entry| {
            let count = entry.day_count;
            build(&entry, files, &mut holidays, faults).map(|calendar| (calendar, count))
        });
        match built {
            Some(calendar) => all.push(calendar),
            None => faults.doubt(of),
        }
    }
    all
}

/// The calendar that every pack has: open day and night.
pub(super) fn always(zone: Option<Tz>) -> DatedCalendar {
    let always = zone.map_or_else(Calendar::always, Calendar::always_in);
    DatedCalendar { name: "always".to_owned(), versions: vec![(Instant::MIN, Arc::new(always))] }
}

fn entry<'s>(
    name: At<String>,
    value: &Value<'s>,
    mut table: Table<'s>,
    pack_zone: Option<Tz>,
    faults: &mut Faults,
) -> Option<Entry<'s>> {
    let zone = table.text("zone", faults);
    let mut whole = true;
    macro_rules! part {
        ($key:literal) => {
            table.get($key).and_then(|value| {
                let read = value.parse(Code::CALENDAR, faults);
                whole &= read.is_some();
                read
            })
        };
    }
    let hours = table.need("hours", faults);
    let hours = hours.and_then(|hours| hours.parse(Code::CALENDAR, faults));
    let pack_zone = pack_zone.map_or("UTC", |zone| zone.name());
    let text = zone.as_ref().map_or(pack_zone, |zone| &zone.value);
    let mut def = CalendarDef::new(text, hours.clone().unwrap_or_default());
    def.hours_from = part!("hours_from").unwrap_or_default();
    def.workday_hours = part!("workday_hours");
    def.shifts = part!("shifts").unwrap_or_default();
    def.breaks = part!("breaks").unwrap_or_default();
    def.boundary = part!("boundary").unwrap_or_default();
    let day_count = part!("day_count").unwrap_or_default();
    let holidays = table.texts("holidays", faults);
    let mut known = Names::new(Code::CALENDAR, "the holiday list");
    for list in &holidays {
        known.take(list, faults);
    }
    let demand_data = table.flag("demand_data", faults);
    table.end(faults);
    hours.filter(|_| whole)?;
    Some(Entry { name, zone, holidays, demand_data, day_count, def, value: value.clone() })
}

fn build(
    entry: &Entry<'_>,
    files: &Files<'_>,
    known: &mut Holidays,
    faults: &mut Faults,
) -> Option<DatedCalendar> {
    let mut sets = Vec::new();
    for list in &entry.holidays {
        if !known.contains_key(&list.value) {
            let data = holidays(entry, list, files, faults);
            known.insert(list.value.clone(), data);
        }
        // One that cannot be read is told once; every calendar that names it is in doubt.
        sets.push(known.get(&list.value)?.clone()?);
    }
    let amended = sets.iter().map(|set| set.amendments.len()).sum::<usize>();
    if amended > AMENDMENTS_MAX {
        let name = &entry.name.value;
        let message = format!("calendar `{name}`: {amended} amendments: expected at most {AMENDMENTS_MAX}");
        faults.add(Code::CALENDAR, key(entry, "holidays"), message);
        return None;
    }
    if entry.demand_data && sets.is_empty() {
        let message = format!("calendar `{}`: `demand_data` without any `holidays`", entry.name.value);
        faults.add(Code::CALENDAR, key(entry, "demand_data"), message);
        return None;
    }
    match versions(entry, &sets) {
        Ok(versions) => Some(DatedCalendar { name: entry.name.value.clone(), versions }),
        Err(error) => {
            refuse(entry, &error, faults);
            None
        }
    }
}

fn versions(entry: &Entry<'_>, sets: &[HolidayData]) -> Result<Vec<(Instant, Arc<Calendar>)>, CalendarError> {
    let mut known_from = vec![NaiveDate::MIN];
    known_from.extend(sets.iter().flat_map(HolidayData::amendment_dates));
    known_from.sort_unstable();
    known_from.dedup();
    let mut versions = Vec::new();
    for from in known_from {
        let mut def = entry.def.clone();
        for set in sets {
            set.known_on(from).add_to(&mut def);
            if entry.demand_data
                && let Some((first, last)) = set.year_range()
            {
                let narrowed = def.years.map_or((first, last), |(a, b)| (a.max(first), b.min(last)));
                def.years = Some(narrowed);
            }
        }
        let calendar = Calendar::build(&def)?;
        let known = match from {
            NaiveDate::MIN => Instant::MIN,
            date => Calendar::always_in(calendar.zone()).end_of_day(date.pred_opt().unwrap_or(date))?,
        };
        versions.push((known, Arc::new(calendar)));
    }
    Ok(versions)
}

/// A list that a calendar names: China's, or a file of the pack.
fn holidays(
    entry: &Entry<'_>,
    list: &At<String>,
    files: &Files<'_>,
    faults: &mut Faults,
) -> Option<HolidayData> {
    let name = list.value.as_str();
    if name == "cn" {
        let china = HolidayData::china();
        return china.map_err(|e| faults.add(Code::CALENDAR, list.place.clone(), e.to_string())).ok();
    }
    if let Some(why) = files.unread.get(name) {
        faults.tell(why.clone().related(list.place.clone(), "a calendar names it here"));
        return None;
    }
    let Some(text) = files.texts.get(name) else {
        let lists = files.texts.keys().map(String::as_str).filter(|path| is_list(path));
        let near = hint(name, lists.chain(["cn"]));
        let message = format!(
            "calendar `{}`: no holidays `{name}`: expected `cn`, or a .ics or .json file of the pack{near}",
            entry.name.value
        );
        faults.tell(Diagnostic::new(Code::CALENDAR, list.place.clone(), message).label("no such file"));
        return None;
    };
    let data =
        if name.ends_with(".ics") { HolidayData::from_ical(text) } else { HolidayData::from_json(text) };
    let tell = |error: CalendarError| {
        let place = place_of(&error, &Source::new(name, text));
        let words = error.to_string();
        let words = words.split(" at line ").next().unwrap_or(&words);
        let told = Diagnostic::new(Code::CALENDAR, place, words);
        faults
            .tell(told.related(list.place.clone(), format!("calendar `{}` names it here", entry.name.value)));
    };
    data.map_err(tell).ok()
}

fn is_list(path: &str) -> bool {
    path.ends_with(".ics") || path.ends_with(".json")
}

/// Where in a holiday list a fault lies, as well as its words tell.
fn place_of(error: &CalendarError, source: &Source<'_>) -> Place {
    let words = error.to_string();
    let number = |after: &str| {
        let digits = words.split_once(after)?.1;
        digits.split(|c: char| !c.is_ascii_digit()).next()?.parse::<usize>().ok()
    };
    // JSON that breaks off says its line and its column, in bytes.
    if let (Some(line), Some(column)) = (number(" line "), number(" column ")) {
        return source.byte(line, column);
    }
    if let (Some(line), CalendarError::Ical { .. }) = (number("line "), error) {
        return Place::line(source.file, line);
    }
    // A date at fault is named.
    let named = words.split('`').nth(1).map(|text| format!("\"{text}\""));
    let found = named.and_then(|quoted| source.text.find(&quoted).map(|at| at..at + quoted.len()));
    found.map_or_else(|| Place::file(source.file), |span| source.place(span))
}

/// The place of a calendar's key, else of its name.
fn key(entry: &Entry<'_>, key: &str) -> Place {
    let found = entry.value.child(key).map(|value| value.key);
    found.unwrap_or_else(|| entry.name.place.clone())
}

/// Tells why a calendar cannot be built, where its definition is at fault.
fn refuse(entry: &Entry<'_>, error: &CalendarError, faults: &mut Faults) {
    let pair = |from: &str, until: &str| {
        entry.value.find(&|value| {
            let DeValue::Array(pair) = value else { return false };
            let same = |i: usize, time: &str| {
                let text = pair.get(i).and_then(|value| value.get_ref().as_str());
                text.and_then(|text| text.parse::<crate::HourMinute>().ok())
                    .is_some_and(|t| t.to_string() == time)
            };
            pair.len() == 2 && same(0, from) && same(1, until)
        })
    };
    let message = format!("calendar `{}`: {error}", entry.name.value);
    let mut places = match error {
        CalendarError::UnknownZone { .. } => entry.zone.iter().map(|zone| zone.place.clone()).collect(),
        CalendarError::PeriodOrder { from, until, .. } => pair(&from.to_string(), &until.to_string()),
        CalendarError::DuplicateDate { field, date } => {
            let date = date.to_string();
            let list = entry.value.child(field);
            list.map(|list| list.find(&|value| value.as_str() == Some(&date))).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    places.sort();
    let both = matches!(error, CalendarError::DuplicateDate { .. }) && places.len() > 1;
    let place = places.get(usize::from(both)).cloned().unwrap_or_else(|| entry.name.place.clone());
    let mut told = Diagnostic::new(Code::CALENDAR, place, message);
    if let Some(first) = places.first().filter(|_| both) {
        told = told.related(first.clone(), "it stands here first");
    }
    faults.tell(told);
}
