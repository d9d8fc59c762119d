//! The months of instants in a contract's zone.

use chrono::Datelike;
use chrono_tz::Tz;
use holdback::Instant;

/// The months of instants most of which lie in the month of the one before.
pub(crate) struct Months {
    zone: Tz,
    month: i32,
    /// In which instants the month is the last one.
    from: i64,
    until: i64,
}

impl Months {
    pub(crate) fn new(zone: Tz) -> Months {
        Months { zone, month: 0, from: 0, until: 0 }
    }

    /// The month of an instant since the year zero.
    pub(crate) fn month(&mut self, at: i64) -> i32 {
        if self.from <= at && at < self.until {
            return self.month;
        }
        let day = at.div_euclid(DAY);
        let of_month = i64::from(civil(day).2);
        if (2..28).contains(&of_month) {
            // No zone is a day from UTC: these days are sure.
            (self.from, self.until) = ((day + 2 - of_month) * DAY, (day + 28 - of_month) * DAY);
            self.month = month(at, self.zone);
            return self.month;
        }
        month(at, self.zone)
    }
}

/// The month of an instant since the year zero.
fn month(at: i64, zone: Tz) -> i32 {
    let day = at.div_euclid(DAY);
    let (year, month, of_month) = civil(day);
    // No zone is a day from UTC: but for its first and its last day a month is that of UTC.
    if of_month > 1 && (of_month < 28 || civil(day + 1).1 == month) {
        return year * 12 + month - 1;
    }
    let local = Instant::from_micros(at).unwrap_or(Instant::MIN).to_chrono().with_timezone(&zone);
    local.year() * 12 + i32::try_from(local.month0()).unwrap_or_default()
}

const DAY: i64 = 86_400_000_000;

/// Year, month and day of a day counted from 1970-01-01 in the Gregorian calendar, by counting years from March and eras of 400.
fn civil(day: i64) -> (i32, i32, i32) {
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let small = |n: i64| i32::try_from(n).unwrap_or_default();
    (small(year + era * 400 + next), small(month), small(of_month))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        let mut day = chrono::NaiveDate::from_ymd_opt(1899, 12, 1).unwrap();
        let epoch = chrono::NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        while day.year() < 2301 {
            let (year, month, of_month) = civil((day - epoch).num_days());
            assert_eq!(
                (year, month.unsigned_abs(), of_month.unsigned_abs()),
                (day.year(), day.month(), day.day())
            );
            day = day.succ_opt().unwrap();
        }
    }

    #[test]
    fn months_are_the_same_in_any_order() {
        let zone = chrono_tz::Pacific::Kiritimati;
        let mut months = Months::new(zone);
        let mut at = 1_700_000_000_000_000;
        for step in 0..20_000_i64 {
            at += (step * step * 7_919 % 40 - 17) * DAY / 3;
            assert_eq!(months.month(at), month(at, zone), "{at}");
        }
    }
}
