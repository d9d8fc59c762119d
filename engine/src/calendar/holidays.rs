//! Published lists of holidays and make-up working days, and what of them was known when.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use serde::Deserialize;

use super::def::{CalendarDef, date, dates};
use super::error::CalendarError;
use super::ical;

/// The lists of China's State Council, as a product file.
const CHINA: &str = include_str!("cn.json");

/// How many days a year's list may reach beyond the year: holidays around New Year are one notice.
const EDGE_DAYS: i64 = 10;

/// Holidays and make-up working days by year.
///
/// ```
/// use holdback::HolidayData;
/// let china = HolidayData::china()?;
/// let date = |text: &str| text.parse::<chrono::NaiveDate>();
/// // The Saturday after the National Day week of 2026 is worked.
/// assert!(china.years[&2026].workdays.contains(&date("2026-10-10")?));
/// // On 1 March 2019 only one day was known to be off for Labour Day.
/// let known = china.known_on(date("2019-03-01")?);
/// assert!(!known.years[&2019].holidays.contains(&date("2019-05-02")?));
/// assert!(china.years[&2019].holidays.contains(&date("2019-05-02")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HolidayData {
    /// The lists in force, with all amendments.
    pub years: BTreeMap<i32, YearHolidays>,
    /// What was changed after the year's lists had been published, in order of publication.
    pub amendments: Vec<Amendment>,
}

/// The lists of one year, each in order of date.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct YearHolidays {
    /// Closed dates.
    #[serde(default, with = "dates")]
    pub holidays: Vec<NaiveDate>,
    /// Make-up working days.
    #[serde(default, with = "dates")]
    pub workdays: Vec<NaiveDate>,
}

/// A change of lists already published. The lists in force include it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amendment {
    /// The date it was published: from then on (in) it is known.
    #[serde(with = "date")]
    pub published: NaiveDate,
    /// What it is, for people.
    #[serde(default)]
    pub title: String,
    /// Holidays it added.
    #[serde(default, with = "dates")]
    pub added_holidays: Vec<NaiveDate>,
    /// Holidays it took away.
    #[serde(default, with = "dates")]
    pub removed_holidays: Vec<NaiveDate>,
    /// Make-up working days it added.
    #[serde(default, with = "dates")]
    pub added_workdays: Vec<NaiveDate>,
    /// Make-up working days it took away.
    #[serde(default, with = "dates")]
    pub removed_workdays: Vec<NaiveDate>,
}

/// The wrapped form of the JSON text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped {
    #[serde(default, rename = "name")]
    _name: String,
    #[serde(default, rename = "source")]
    _source: String,
    years: BTreeMap<i32, YearHolidays>,
    #[serde(default)]
    amendments: Vec<Amendment>,
}

impl HolidayData {
    /// China's public holidays and make-up working days (调休), 2007 to 2026, with the amendments of 2015,
    /// 2019 and 2020.
    ///
    /// # Errors
    /// None in a released build: the data are part of it and tested.
    pub fn china() -> Result<HolidayData, CalendarError> {
        HolidayData::from_json(CHINA)
    }

    /// Reads `{"2026": {"holidays": ["2026-01-01"], "workdays": []}}`, or the same under `years` beside
    /// `name`, `source` and `amendments`.
    ///
    /// # Errors
    /// [`CalendarError::Holidays`] when the text has another shape, or fails [`HolidayData::check`].
    pub fn from_json(text: &str) -> Result<HolidayData, CalendarError> {
        let unreadable =
            |e: serde_json::Error| CalendarError::Holidays { place: String::new(), reason: e.to_string() };
        let json: serde_json::Value = serde_json::from_str(text).map_err(unreadable)?;
        let mut data = if json.get("years").is_some() {
            let wrapped = Wrapped::deserialize(json).map_err(unreadable)?;
            HolidayData { years: wrapped.years, amendments: wrapped.amendments }
        } else {
            HolidayData { years: BTreeMap::deserialize(json).map_err(unreadable)?, amendments: Vec::new() }
        };
        data.amendments.sort_by_key(|amendment| amendment.published);
        data.check()?;
        Ok(data)
    }

    /// Reads the all-day events of an iCalendar text (RFC 5545), recurring ones from 1900 to 2299.
    ///
    /// Each date of an event is a holiday, or a make-up working day when its SUMMARY contains `班` (as
    /// Chinese feeds mark them) or its CATEGORIES name `WORKDAY`. Cancelled events are left out; RRULE,
    /// RDATE, EXDATE and RECURRENCE-ID are followed. DTEND is exclusive.
    ///
    /// ```
    /// use holdback::HolidayData;
    /// let text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Fair\r\n\
    ///             DTSTART;VALUE=DATE:20260703\r\nDTEND;VALUE=DATE:20260705\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    /// let data = HolidayData::from_ical(text)?;
    /// assert_eq!(data.years[&2026].holidays.len(), 2);
    /// # Ok::<(), holdback::CalendarError>(())
    /// ```
    ///
    /// # Errors
    /// [`CalendarError::Ical`] names the line or event that is malformed or not all-day;
    /// [`CalendarError::Holidays`] when a date is both a holiday and a make-up working day.
    pub fn from_ical(text: &str) -> Result<HolidayData, CalendarError> {
        HolidayData::from_ical_years(text, 1900, 2299)
    }

    /// The same for dates from year `first` to year `last`, both in; others are left out.
    ///
    /// # Errors
    /// As [`HolidayData::from_ical`], and [`CalendarError::UnsupportedYears`].
    pub fn from_ical_years(text: &str, first: i32, last: i32) -> Result<HolidayData, CalendarError> {
        if first > last || first < super::SUPPORTED.0 || last > super::SUPPORTED.1 {
            return Err(CalendarError::UnsupportedYears { first, last });
        }
        let lists = ical::read(text, first, last)?;
        let mut data = HolidayData::default();
        for date in lists.holidays {
            data.years.entry(date.year()).or_default().holidays.push(date);
        }
        for date in lists.workdays {
            data.years.entry(date.year()).or_default().workdays.push(date);
        }
        data.check()?;
        Ok(data)
    }

    /// The lists as they were known on a date: without the amendments published after it. A year's first
    /// lists count as known from the beginning.
    #[must_use]
    pub fn known_on(&self, date: NaiveDate) -> HolidayData {
        let (kept, later): (Vec<Amendment>, Vec<Amendment>) =
            self.amendments.iter().cloned().partition(|amendment| amendment.published <= date);
        let mut known = HolidayData { years: self.years.clone(), amendments: kept };
        // The latest is undone first, as each changed what the one before left.
        for amendment in later.iter().rev() {
            for date in &amendment.added_holidays {
                known.remove(*date, |lists| &mut lists.holidays);
            }
            for date in &amendment.added_workdays {
                known.remove(*date, |lists| &mut lists.workdays);
            }
            for date in &amendment.removed_holidays {
                known.insert(*date, |lists| &mut lists.holidays);
            }
            for date in &amendment.removed_workdays {
                known.insert(*date, |lists| &mut lists.workdays);
            }
        }
        known
    }

    /// The dates from which on more is known, in order: those of the amendments.
    pub fn amendment_dates(&self) -> Vec<NaiveDate> {
        let dates: BTreeSet<NaiveDate> =
            self.amendments.iter().map(|amendment| amendment.published).collect();
        dates.into_iter().collect()
    }

    /// The first and last year with lists, as [`CalendarDef::years`] takes them; nothing when there are none
    /// or a year between has none.
    pub fn year_range(&self) -> Option<(i32, i32)> {
        let (first, last) = (*self.years.keys().next()?, *self.years.keys().next_back()?);
        (first..=last).all(|year| self.years.contains_key(&year)).then_some((first, last))
    }

    /// Adds the lists to a definition's own, each date once. [`CalendarDef::years`] stays as it is.
    pub fn add_to(&self, def: &mut CalendarDef) {
        for lists in self.years.values() {
            def.holidays.extend(&lists.holidays);
            def.workdays.extend(&lists.workdays);
        }
        for dates in [&mut def.holidays, &mut def.workdays] {
            dates.sort_unstable();
            dates.dedup();
        }
    }

    /// Checks that no date is both a holiday and a make-up working day, that each lies in its year or at most
    /// ten days outside, and that the lists include what the amendments added and lack what they took away
    /// (the last one to speak of a date decides).
    ///
    /// # Errors
    /// [`CalendarError::Holidays`] names the first date at fault.
    pub fn check(&self) -> Result<(), CalendarError> {
        for (year, lists) in &self.years {
            for date in lists.holidays.iter().chain(&lists.workdays) {
                if !near_year(*date, *year) {
                    return Err(fault(format!("`{date}` lies outside the year {year}")));
                }
            }
        }
        let all = |list: fn(&YearHolidays) -> &Vec<NaiveDate>| -> BTreeSet<NaiveDate> {
            self.years.values().flat_map(list).copied().collect()
        };
        let (holidays, workdays) = (all(|lists| &lists.holidays), all(|lists| &lists.workdays));
        if let Some(date) = holidays.intersection(&workdays).next() {
            return Err(fault(format!("`{date}` is both a holiday and a make-up working day, expected one")));
        }
        let (mut in_holidays, mut in_workdays) = (BTreeMap::new(), BTreeMap::new());
        for amendment in &self.amendments {
            in_holidays.extend(amendment.removed_holidays.iter().map(|date| (*date, false)));
            in_holidays.extend(amendment.added_holidays.iter().map(|date| (*date, true)));
            in_workdays.extend(amendment.removed_workdays.iter().map(|date| (*date, false)));
            in_workdays.extend(amendment.added_workdays.iter().map(|date| (*date, true)));
        }
        let wrong_holiday = in_holidays.iter().find(|(date, listed)| holidays.contains(date) != **listed);
        let wrong_workday = in_workdays.iter().find(|(date, listed)| workdays.contains(date) != **listed);
        match wrong_holiday.or(wrong_workday) {
            Some((date, true)) => Err(fault(format!("an amendment adds `{date}`, which its list lacks"))),
            Some((date, false)) => {
                Err(fault(format!("an amendment removes `{date}`, which its list still has")))
            }
            None => Ok(()),
        }
    }

    fn remove(&mut self, date: NaiveDate, list: fn(&mut YearHolidays) -> &mut Vec<NaiveDate>) {
        for lists in self.years.values_mut() {
            list(lists).retain(|listed| *listed != date);
        }
    }

    fn insert(&mut self, date: NaiveDate, list: fn(&mut YearHolidays) -> &mut Vec<NaiveDate>) {
        let dates = list(self.years.entry(date.year()).or_default());
        if let Err(place) = dates.binary_search(&date) {
            dates.insert(place, date);
        }
    }
}

fn near_year(date: NaiveDate, year: i32) -> bool {
    let bounds = NaiveDate::from_ymd_opt(year, 1, 1).zip(NaiveDate::from_ymd_opt(year, 12, 31));
    bounds.is_some_and(|(first, last)| {
        date.signed_duration_since(first).num_days() >= -EDGE_DAYS
            && last.signed_duration_since(date).num_days() >= -EDGE_DAYS
    })
}

fn fault(reason: String) -> CalendarError {
    CalendarError::Holidays { place: String::new(), reason }
}
