//! A pack's calendars, built for every state of knowledge about their holidays.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;

use super::DatedCalendar;
use super::file::CalendarEntry;
use super::load::{Faults, line_of};
use crate::calendar::{CalendarDef, HolidayData};
use crate::nearest::hint;
use crate::{Calendar, Instant};

pub(super) fn calendars(
    entries: &BTreeMap<String, CalendarEntry>,
    zone: &str,
    files: &BTreeMap<String, String>,
    text: &str,
    faults: &mut Faults,
) -> Vec<DatedCalendar> {
    let always = zone.parse().map_or_else(|_| Calendar::always(), Calendar::always_in);
    let always =
        DatedCalendar { name: "always".to_owned(), versions: vec![(Instant::MIN, Arc::new(always))] };
    let mut all = vec![always];
    for (name, entry) in entries {
        let line = line_of(text, &format!("[calendars.{name}]"));
        if name == "always" {
            faults.add("pack.toml", line, "the calendar `always` exists already: it is open day and night");
        }
        let versions = calendar_versions(entry, zone, files).map_err(|e| format!("calendar `{name}`: {e}"));
        if let Some(versions) = faults.keep("pack.toml", line, versions) {
            all.push(DatedCalendar { name: name.clone(), versions });
        }
    }
    all
}

fn calendar_versions(
    entry: &CalendarEntry,
    zone: &str,
    files: &BTreeMap<String, String>,
) -> Result<Vec<(Instant, Arc<Calendar>)>, String> {
    let mut sets = Vec::new();
    for name in &entry.holidays {
        sets.push(holidays(name, files)?);
    }
    let mut known_from = vec![NaiveDate::MIN];
    known_from.extend(sets.iter().flat_map(HolidayData::amendment_dates));
    known_from.sort_unstable();
    known_from.dedup();
    let mut versions = Vec::new();
    for from in known_from {
        let mut def = CalendarDef::new(entry.zone.as_deref().unwrap_or(zone), entry.hours.clone());
        def.hours_from.clone_from(&entry.hours_from);
        def.workday_hours.clone_from(&entry.workday_hours);
        def.shifts.clone_from(&entry.shifts);
        def.breaks.clone_from(&entry.breaks);
        def.boundary = entry.boundary;
        for set in &sets {
            set.known_on(from).add_to(&mut def);
            if entry.demand_data
                && let Some((first, last)) = set.year_range()
            {
                let narrowed = def.years.map_or((first, last), |(a, b)| (a.max(first), b.min(last)));
                def.years = Some(narrowed);
            }
        }
        if entry.demand_data && def.years.is_none() {
            return Err("`demand_data` without any `holidays`".to_owned());
        }
        let calendar = Calendar::build(&def).map_err(|e| e.to_string())?;
        let known = match from {
            NaiveDate::MIN => Instant::MIN,
            date => Calendar::always_in(calendar.zone())
                .end_of_day(date.pred_opt().unwrap_or(date))
                .map_err(|e| e.to_string())?,
        };
        versions.push((known, Arc::new(calendar)));
    }
    Ok(versions)
}

fn holidays(name: &str, files: &BTreeMap<String, String>) -> Result<HolidayData, String> {
    if name == "cn" {
        return HolidayData::china().map_err(|e| e.to_string());
    }
    let text = files.get(name).ok_or_else(|| {
        let near = hint(name, files.keys().map(String::as_str).chain(["cn"]));
        format!("no holidays `{name}`: expected `cn`, or a .ics or .json file of the pack{near}")
    })?;
    let data =
        if name.ends_with(".ics") { HolidayData::from_ical(text) } else { HolidayData::from_json(text) };
    data.map_err(|e| format!("{name}: {e}"))
}
