//! What looks wrong with the shifts of a role: hours without anybody, hours with two.

use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;

use super::series::written;
use super::{Roster, Stretch};
use crate::calendar::clock::wall_of;
use crate::time::MICROS;

/// How far shifts are looked through when the roster does not say, in days.
const DAYS: i64 = 400;
/// The longest stretch that is looked through, in days: longer contracts name their years one after the other.
const DAYS_MAX: i64 = 4_000;
/// So many turns of one role are looked through.
const TURNS_MAX: usize = 50_000;

/// A stretch of UTC microseconds.
pub(crate) type Hours = (i64, i64);

/// What was found in the shifts of a role.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Survey {
    /// Nobody is on call.
    pub(crate) gaps: Vec<Hours>,
    /// Two contacts are on shift at once.
    pub(crate) overlaps: Vec<(Hours, [usize; 2])>,
    /// There are too many turns to look through.
    pub(crate) too_many: bool,
}

impl Roster {
    /// Looks through the shifts of a role, from and until the given local dates.
    pub(crate) fn survey(&self, role: &str, from: Option<NaiveDate>, until: Option<NaiveDate>) -> Survey {
        let mut survey = Survey::default();
        let midnight = |date: NaiveDate| self.utc_of(date.and_time(chrono::NaiveTime::MIN));
        let shifts = self.shifts.get(role).map(Vec::as_slice).unwrap_or_default();
        let first = shifts.iter().filter_map(|shift| shift.series.first()).min();
        let Some(from) = from.map(midnight).or(first) else { return survey };
        let days = |n: i64| n * 86_400 * MICROS;
        let until = until.map_or(from + days(DAYS), midnight).min(from + days(DAYS_MAX));
        let mut left = TURNS_MAX;
        let Some(changes) = self.changes(role, from, until, &mut left) else {
            survey.too_many = true;
            return survey;
        };
        let told = self.stretches(role, from, until, &changes, true);
        let shifts = self.stretches(role, from, until, &changes, false);
        for Stretch { from, until, who, .. } in &told {
            match survey.gaps.last_mut() {
                // Two overrides may leave one gap.
                Some(last) if who.is_empty() && last.1 == *from => last.1 = *until,
                _ if who.is_empty() => survey.gaps.push((*from, *until)),
                _ => {}
            }
        }
        for Stretch { from, until, who, .. } in &shifts {
            if let [one, other, ..] = who.as_slice() {
                survey.overlaps.push(((*from, *until), [*one, *other]));
            }
        }
        survey
    }
}

/// UTC microseconds as a local time for messages.
pub(crate) fn local(zone: Tz, utc: i64) -> String {
    let known = DateTime::from_timestamp_micros(utc).is_some();
    if known { written(wall_of(zone, utc).div_euclid(MICROS)) } else { "the end of time".to_owned() }
}
