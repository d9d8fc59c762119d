//! Days and years as integers, and local wall time to UTC.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{GapInfo, Tz};

use crate::time::MICROS;

/// A date as days since 1970-01-01.
pub(super) type DayNumber = i32;

/// Seconds in a day without a change of offset.
pub(super) const DAY_SECONDS: i64 = 86_400;
/// Microseconds in such a day.
pub(super) const DAY: i64 = DAY_SECONDS * MICROS;

/// Days from 0000-12-31 to 1970-01-01, chrono's and our origin.
const EPOCH_FROM_CE: i32 = 719_163;

/// The day number of a date.
pub(super) fn day_of(date: NaiveDate) -> DayNumber {
    date.num_days_from_ce() - EPOCH_FROM_CE
}

/// The date of a day number; the last date chrono has beyond its range.
pub(super) fn date_of(day: DayNumber) -> NaiveDate {
    day.checked_add(EPOCH_FROM_CE).and_then(NaiveDate::from_num_days_from_ce_opt).unwrap_or(NaiveDate::MAX)
}

/// Monday is 0. 1970-01-01 was a Thursday.
pub(super) fn weekday_of(day: DayNumber) -> usize {
    usize::try_from((i64::from(day) + 3).rem_euclid(7)).unwrap_or(0)
}

/// The first day of a year (years 0 to 9999).
pub(super) fn first_day_of(year: i32) -> DayNumber {
    let before = year - 1;
    365 * (year - 1970) + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400) - 477
}

/// Where a UTC year starts, in microseconds.
pub(super) fn year_start(year: i32) -> i64 {
    i64::from(first_day_of(year)) * DAY
}

/// The UTC year of an instant in microseconds (years 0 to 9999).
pub(super) fn year_of(micros: i64) -> i32 {
    // Years differ from their mean by less than two days in sum, so the guess is at most one off.
    let guess = 1970 + i32::try_from(micros.div_euclid(31_556_952 * MICROS)).unwrap_or(0);
    if micros < year_start(guess) {
        guess - 1
    } else if micros >= year_start(guess + 1) {
        guess + 1
    } else {
        guess
    }
}

/// UTC microseconds of a local wall time, given in seconds since 1970-01-01T00:00 on the local clock.
///
/// A time that occurs twice is the first one; a time in a gap moves forward by the gap, which is what the
/// offset before the gap gives.
pub(crate) fn utc_of_wall(zone: Tz, wall: i64) -> i64 {
    let local = naive(wall);
    let offset = match zone.offset_from_local_datetime(&local).earliest() {
        Some(offset) => offset.fix().local_minus_utc(),
        None => GapInfo::new(&local, &zone)
            .and_then(|gap| gap.begin)
            .map_or(0, |(_, offset)| offset.fix().local_minus_utc()),
    };
    (wall - i64::from(offset)) * MICROS
}

/// UTC microseconds of so many wall clock seconds after the local `00:00` of a day.
pub(super) fn utc_of(zone: Tz, day: DayNumber, seconds: u32) -> i64 {
    utc_of_wall(zone, i64::from(day) * DAY_SECONDS + i64::from(seconds))
}

/// The local clock at an instant, in microseconds since 1970-01-01T00:00 on that clock.
pub(crate) fn wall_of(zone: Tz, micros: i64) -> i64 {
    let utc = naive(micros.div_euclid(MICROS));
    micros + i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()) * MICROS
}

/// The local day at an instant.
pub(super) fn local_day(zone: Tz, micros: i64) -> DayNumber {
    DayNumber::try_from(wall_of(zone, micros).div_euclid(DAY)).unwrap_or(0)
}

pub(super) fn naive(seconds: i64) -> NaiveDateTime {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().naive_utc()
}
