//! The open stretches of one UTC year with their running total.

use chrono_tz::Tz;

use super::clock::{DAY, DayNumber, utc_of, year_start};
use super::rules::Rules;

/// A stretch of open time: UTC microseconds from `start` (in) to `end` (out).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Open {
    pub(super) start: i64,
    pub(super) end: i64,
    /// Open microseconds of the year before `start`.
    before: i64,
}

/// The part of the time line a calendar speaks about: UTC microseconds and the local days they bound.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    pub(super) from: i64,
    pub(super) until: i64,
    pub(super) first_day: DayNumber,
    pub(super) last_day: DayNumber,
}

/// The open time of one UTC year. A stretch that goes on over the year's edge is cut there, so a question
/// at an edge looks at the next table too.
#[derive(Debug)]
pub(super) struct YearTable {
    from: i64,
    /// Stretches in order; between two of one table lies closed time.
    open: Vec<Open>,
    /// For each UTC day of the year and one more: the first stretch that ends after the day starts.
    days: Vec<u32>,
    total: i64,
}

impl YearTable {
    pub(super) fn build(rules: &Rules, zone: Tz, year: i32, reach: &Reach) -> YearTable {
        let (year_from, year_until) = (year_start(year), year_start(year + 1));
        let (from, until) = (year_from.max(reach.from), year_until.min(reach.until));
        // Offsets reach 16 hours and a skipped date moves its hours by 24, so three days around suffice.
        let day_at = |micros: i64| DayNumber::try_from(micros.div_euclid(DAY)).unwrap_or(0);
        let first = (day_at(year_from) - 3).max(reach.first_day);
        let last = (day_at(year_until) + 3).min(reach.last_day);
        let mut open = Vec::new();
        for day in first..=last {
            for wall in rules.walls(day) {
                let start = utc_of(zone, day, wall.from).max(from);
                let end = utc_of(zone, day, wall.until).min(until);
                if start < end {
                    open.push(Open { start, end, before: 0 });
                }
            }
        }
        let total = merge(&mut open);
        YearTable { from: year_from, days: day_index(&open, year_from, year_until), open, total }
    }

    /// Open microseconds of the year.
    pub(super) fn total(&self) -> i64 {
        self.total
    }

    /// The first stretch that ends after an instant of this year.
    pub(super) fn ending_after(&self, at: i64) -> Option<&Open> {
        self.open.get(self.index_ending_after(at))
    }

    /// The first stretch that starts at or after an instant of this year.
    pub(super) fn starting_from(&self, at: i64) -> Option<&Open> {
        let index = self.index_ending_after(at);
        let open = self.open.get(index)?;
        if open.start >= at { Some(open) } else { self.open.get(index + 1) }
    }

    /// The last stretch that starts before an instant of this year.
    pub(super) fn starting_before(&self, at: i64) -> Option<&Open> {
        let index = self.index_ending_after(at);
        match self.open.get(index) {
            Some(open) if open.start < at => Some(open),
            _ => index.checked_sub(1).and_then(|i| self.open.get(i)),
        }
    }

    /// The stretches that end after `at`, in order.
    pub(super) fn stretches_after(&self, at: i64) -> &[Open] {
        self.open.get(self.index_ending_after(at)..).unwrap_or(&[])
    }

    /// The year's last stretch.
    pub(super) fn last(&self) -> Option<&Open> {
        self.open.last()
    }

    /// Open microseconds from the year's start to an instant of the year.
    pub(super) fn used_at(&self, at: i64) -> i64 {
        match self.ending_after(at) {
            Some(open) => open.before + (at - open.start).max(0),
            None => self.total,
        }
    }

    /// The earliest instant with so many open microseconds of the year before it: a closing rather than the
    /// opening after it. `used` is above zero and not above the total.
    pub(super) fn reached(&self, used: i64) -> Option<(i64, &Open)> {
        let index = self.open.partition_point(|open| open.before + (open.end - open.start) < used);
        self.open.get(index).map(|open| (open.start + (used - open.before), open))
    }

    /// The latest instant with so many open microseconds of the year before it: an opening rather than the
    /// closing before it. `used` is below the total and not below zero.
    pub(super) fn reached_back(&self, used: i64) -> Option<i64> {
        let index = self.open.partition_point(|open| open.before <= used).checked_sub(1)?;
        self.open.get(index).map(|open| open.start + (used - open.before))
    }

    fn index_ending_after(&self, at: i64) -> usize {
        let day = usize::try_from((at - self.from) / DAY).unwrap_or(0);
        let low = self.days.get(day).map_or(0, |i| *i as usize);
        let high = self.days.get(day + 1).map_or(self.open.len(), |i| *i as usize);
        let around = self.open.get(low..high).unwrap_or(&[]);
        low + around.partition_point(|open| open.end <= at)
    }
}

/// Sorts, joins what overlaps or touches, sets the running totals and gives the whole one.
fn merge(open: &mut Vec<Open>) -> i64 {
    // Moves out of a gap can bring hours of neighbouring dates out of order or over each other.
    open.sort_unstable();
    open.dedup_by(|next, kept| {
        let joined = next.start <= kept.end;
        if joined {
            kept.end = kept.end.max(next.end);
        }
        joined
    });
    let mut total = 0;
    for stretch in open {
        stretch.before = total;
        total += stretch.end - stretch.start;
    }
    total
}

fn day_index(open: &[Open], from: i64, until: i64) -> Vec<u32> {
    let mut days = Vec::with_capacity(368);
    let mut index = 0;
    let mut day = from;
    while day <= until {
        while open.get(index).is_some_and(|stretch| stretch.end <= day) {
            index += 1;
        }
        days.push(u32::try_from(index).unwrap_or(u32::MAX));
        day += DAY;
    }
    days
}
