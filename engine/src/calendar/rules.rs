//! A definition compiled for asking which periods a date has.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::clock::{DayNumber, day_of, weekday_of};
use super::def::{CalendarDef, DateHours, Hours, WeekDay, WeekHours};
use super::error::CalendarError;
use super::explain::DayNote;

/// A period of a date in wall clock seconds after its local `00:00`: from (in) until (out).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Wall {
    pub(super) from: u32,
    pub(super) until: u32,
}

/// Merged periods in order.
type Walls = Vec<Wall>;

const WHOLE_DAY: [Wall; 1] = [Wall { from: 0, until: 86_400 }];

/// Weekly hours from a day on.
#[derive(Debug)]
struct Week {
    from: DayNumber,
    hours: [Walls; 7],
    /// The hours of a make-up day by weekday.
    makeup: [Walls; 7],
}

/// What each date's hours are.
#[derive(Debug)]
pub(super) struct Rules {
    /// By `from`; the first one holds from the beginning.
    weeks: Vec<Week>,
    holidays: Vec<DayNumber>,
    workdays: Vec<DayNumber>,
    shifts: BTreeSet<DayNumber>,
    breaks: BTreeSet<DayNumber>,
    /// The final hours of dates with a shift or a break.
    special: BTreeMap<DayNumber, Walls>,
}

impl Rules {
    /// Whether two say the same of a day.
    pub(super) fn same_on(&self, other: &Rules, day: DayNumber) -> bool {
        let told = |rules: &Rules| {
            let listed = |days: &[DayNumber]| days.binary_search(&day).is_ok();
            let named = (listed(&rules.holidays), listed(&rules.workdays));
            (named, rules.shifts.contains(&day), rules.breaks.contains(&day))
        };
        told(self) == told(other) && self.walls(day) == other.walls(day)
    }

    pub(super) fn compile(def: &CalendarDef) -> Result<Rules, CalendarError> {
        let days = |dates: &[NaiveDate]| {
            let mut days: Vec<DayNumber> = dates.iter().copied().map(day_of).collect();
            days.sort_unstable();
            days.dedup();
            days
        };
        let mut rules = Rules {
            weeks: weeks(def)?,
            holidays: days(&def.holidays),
            workdays: days(&def.workdays),
            shifts: BTreeSet::new(),
            breaks: BTreeSet::new(),
            special: BTreeMap::new(),
        };
        for shift in &def.shifts {
            let day = day_of(shift.date);
            if !rules.shifts.insert(day) {
                return Err(CalendarError::DuplicateDate { field: "shifts", date: shift.date });
            }
            rules.special.insert(day, date_walls("shifts", shift)?);
        }
        for pause in &def.breaks {
            let (day, cut) = (day_of(pause.date), date_walls("breaks", pause)?);
            let left = subtract(rules.walls(day), &cut);
            rules.breaks.insert(day);
            rules.special.insert(day, left);
        }
        if rules.never_open() { Err(CalendarError::NoOpenHours) } else { Ok(rules) }
    }

    /// Every date open from `00:00` to `24:00`.
    pub(super) fn whole_days() -> Rules {
        let hours: [Walls; 7] = std::array::from_fn(|_| WHOLE_DAY.to_vec());
        Rules {
            weeks: vec![Week { from: DayNumber::MIN, makeup: hours.clone(), hours }],
            holidays: Vec::new(),
            workdays: Vec::new(),
            shifts: BTreeSet::new(),
            breaks: BTreeSet::new(),
            special: BTreeMap::new(),
        }
    }

    /// The open periods of a date in local wall time, merged and in order.
    pub(super) fn walls(&self, day: DayNumber) -> &[Wall] {
        if !self.special.is_empty()
            && let Some(walls) = self.special.get(&day)
        {
            return walls;
        }
        let Some(week) = self.week(day) else { return &[] };
        let hours = if self.workdays.binary_search(&day).is_ok() {
            &week.makeup
        } else if self.holidays.binary_search(&day).is_ok() {
            return &[];
        } else {
            &week.hours
        };
        hours.get(weekday_of(day)).map_or(&[], Vec::as_slice)
    }

    /// What set a date's hours, and whether a break stands at it.
    pub(super) fn note(&self, day: DayNumber) -> (DayNote, bool) {
        let note = if self.shifts.contains(&day) {
            DayNote::Shift
        } else if self.workdays.binary_search(&day).is_ok() {
            DayNote::MakeUpDay
        } else if self.holidays.binary_search(&day).is_ok() {
            DayNote::Holiday
        } else if self.week(day).and_then(|w| w.hours.get(weekday_of(day))).is_none_or(Vec::is_empty) {
            DayNote::Weekend
        } else {
            DayNote::Open
        };
        (note, self.breaks.contains(&day))
    }

    /// Whether every date is open from `00:00` to `24:00`.
    pub(super) fn always_open(&self) -> bool {
        self.special.is_empty()
            && self.holidays.is_empty()
            && self.weeks.iter().all(|week| week.hours.iter().all(|hours| *hours == WHOLE_DAY))
            && (self.workdays.is_empty()
                || self.weeks.iter().all(|week| week.makeup.iter().all(|hours| *hours == WHOLE_DAY)))
    }

    /// The days outside of which no date is open, each nothing where weekly hours know no end.
    pub(super) fn reach(&self) -> (Option<DayNumber>, Option<DayNumber>) {
        let dated = self.shifts.iter().chain(&self.workdays).copied();
        let opens = |week: &&Week| !week.hours.iter().all(Vec::is_empty);
        let first = match self.weeks.iter().position(|week| opens(&week)) {
            Some(0) => None,
            Some(i) => dated.clone().chain(self.weeks.get(i).map(|week| week.from)).min(),
            None => dated.clone().min(),
        };
        let last = match self.weeks.last().filter(opens) {
            Some(_) => None,
            // A week's hours end where the next one's start.
            None => dated.chain(self.weeks.iter().skip(1).map(|week| week.from)).max(),
        };
        (first, last)
    }

    fn never_open(&self) -> bool {
        self.weeks.iter().all(|week| week.hours.iter().all(Vec::is_empty))
            && self.shifts.iter().chain(&self.workdays).all(|day| self.walls(*day).is_empty())
    }

    fn week(&self, day: DayNumber) -> Option<&Week> {
        match self.weeks.as_slice() {
            [week] => Some(week),
            weeks => weeks.partition_point(|week| week.from <= day).checked_sub(1).and_then(|i| weeks.get(i)),
        }
    }
}

fn weeks(def: &CalendarDef) -> Result<Vec<Week>, CalendarError> {
    let workday_hours = match &def.workday_hours {
        Some(hours) => Some(merge(&|| "workday_hours".to_owned(), hours)?),
        None => None,
    };
    let mut weeks = vec![week(DayNumber::MIN, "hours", &def.hours, workday_hours.as_ref())?];
    for dated in &def.hours_from {
        let field = format!("hours_from {}", dated.from);
        weeks.push(week(day_of(dated.from), &field, &dated.hours, workday_hours.as_ref())?);
    }
    weeks.sort_by_key(|week| week.from);
    let mut seen = BTreeSet::new();
    match def.hours_from.iter().find(|dated| !seen.insert(dated.from)) {
        Some(twice) => Err(CalendarError::DuplicateDate { field: "hours_from", date: twice.from }),
        None => Ok(weeks),
    }
}

fn week(
    from: DayNumber,
    field: &str,
    hours: &WeekHours,
    workday_hours: Option<&Walls>,
) -> Result<Week, CalendarError> {
    let mut week = Week { from, hours: Default::default(), makeup: Default::default() };
    for (slot, day) in week.hours.iter_mut().zip(WeekDay::ALL) {
        if let Some(hours) = hours.get(&day) {
            *slot = merge(&|| format!("{field}.{day}"), hours)?;
        }
    }
    let first = week.hours.iter().find(|hours| !hours.is_empty()).cloned().unwrap_or_default();
    for (slot, own) in week.makeup.iter_mut().zip(&week.hours) {
        *slot = match workday_hours {
            Some(hours) => hours.clone(),
            None if own.is_empty() => first.clone(),
            None => own.clone(),
        };
    }
    Ok(week)
}

fn date_walls(field: &str, at: &DateHours) -> Result<Walls, CalendarError> {
    merge(&|| format!("{field} {}", at.date), &at.hours)
}

/// The union of periods, in order; periods that touch become one.
fn merge(place: &dyn Fn() -> String, hours: &Hours) -> Result<Walls, CalendarError> {
    let mut walls = Walls::with_capacity(hours.len());
    for &(from, until) in hours {
        if until <= from {
            return Err(CalendarError::PeriodOrder { place: place(), from, until });
        }
        walls.push(Wall { from: from.seconds(), until: until.seconds() });
    }
    walls.sort_unstable();
    walls.dedup_by(|next, kept| {
        let joined = next.from <= kept.until;
        if joined {
            kept.until = kept.until.max(next.until);
        }
        joined
    });
    Ok(walls)
}

/// What is left of `walls` without `cut`, both merged and in order.
fn subtract(walls: &[Wall], cut: &[Wall]) -> Walls {
    let mut left = Walls::new();
    for wall in walls {
        let mut from = wall.from;
        let first = cut.partition_point(|c| c.until <= wall.from);
        for c in cut.iter().skip(first).take_while(|c| c.from < wall.until) {
            if from < c.from {
                left.push(Wall { from, until: c.from });
            }
            from = c.until;
        }
        if from < wall.until {
            left.push(Wall { from, until: wall.until });
        }
    }
    left
}
