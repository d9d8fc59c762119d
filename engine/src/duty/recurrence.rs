//! Recurrence rules (RFC 5545) checked, and expanded to instants in a contract's zone.

use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;
use rrule::{Frequency, RRule, RRuleSet, RRuleSetIter, Unvalidated};

use crate::calendar::instant_of_wall;
use crate::{Instant, Span};

/// A rule may not fire more often in one day.
const MOST_A_DAY: usize = 100;
/// The longest text of a rule, in bytes.
const MOST_TEXT: usize = 500;
/// Wall times lie at most so far from UTC, and a change of offset moves them at most a day.
const SKEW: Span = Span::hours(48);
/// So many occurrences of a rule that counts parts of a day are looked at.
const LOOKED_AT: usize = 5_000;

/// A recurrence rule that was read and can fire.
#[derive(Clone, Debug)]
pub(crate) struct Recurrence {
    text: Arc<str>,
    /// Without its end, which is kept here.
    rule: RRule<Unvalidated>,
    until: Option<Until>,
}

impl PartialEq for Recurrence {
    fn eq(&self, other: &Recurrence) -> bool {
        self.text == other.text
    }
}

/// The last time at which a rule may fire.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Until {
    /// On the contract's wall clock.
    Wall(NaiveDateTime),
    At(Instant),
}

/// Why a recurrence rule is refused. The fault of who wrote the clause.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum RecurrenceError {
    #[error("the rule `{rule}` {reason}; expected parts such as `FREQ=WEEKLY;BYDAY=MO;BYHOUR=1` (RFC 5545)")]
    Malformed { rule: String, reason: String },
    #[error("the rule `{rule}` states its beginning: expected none, the contract's event gives it")]
    StartInside { rule: String },
    #[error("the rule `{rule}` never fires: no date is so")]
    NeverFires { rule: String },
    #[error("the rule `{rule}` fires more than {MOST_A_DAY} times in one day: expected that or less")]
    TooOften { rule: String },
    #[error("the rule `{rule}` ends before it could ever fire, on {until}")]
    EndsBefore { rule: String, until: NaiveDate },
}

impl Recurrence {
    /// Reads a rule: the value of an RRULE property, without its name.
    pub(crate) fn read(text: &str) -> Result<Recurrence, RecurrenceError> {
        let rule: String = text.chars().take(80).collect();
        let malformed = |reason: String| RecurrenceError::Malformed { rule: rule.clone(), reason };
        if text.len() > MOST_TEXT {
            return Err(malformed(format!("is longer than {MOST_TEXT} characters")));
        }
        let upper = text.trim().to_ascii_uppercase();
        if upper.contains("DTSTART") {
            return Err(RecurrenceError::StartInside { rule });
        }
        if let Some(strange) = upper.chars().find(|c| !c.is_ascii_alphanumeric() && !"=;,+-".contains(*c)) {
            return Err(malformed(format!("holds `{}`", strange.escape_default())));
        }
        let (ends, parts): (Vec<&str>, Vec<&str>) =
            upper.split(';').partition(|part| part.starts_with("UNTIL="));
        let until = match ends.as_slice() {
            [] => None,
            [one] => Some(
                until(one.trim_start_matches("UNTIL="))
                    .ok_or_else(|| malformed(format!("ends with `{one}`, which is no date or time")))?,
            ),
            _ => return Err(malformed("has UNTIL twice".to_owned())),
        };
        let read = parts.join(";").parse::<RRule<Unvalidated>>();
        let parsed = read.map_err(|e| malformed(format!("is not read: {}", one_line(&e.to_string()))))?;
        if parsed.get_interval() == 0 || parsed.get_count() == Some(0) {
            return Err(malformed("counts nothing: INTERVAL and COUNT are 1 or more".to_owned()));
        }
        if until.is_some() && parsed.get_count().is_some() {
            return Err(malformed("has both COUNT and UNTIL".to_owned()));
        }
        let recurrence = Recurrence { text: upper.as_str().into(), rule: parsed, until };
        recurrence.check(&rule)?;
        Ok(recurrence)
    }

    /// The rule as it was read, in capitals.
    pub(crate) fn text(&self) -> &Arc<str> {
        &self.text
    }

    fn check(&self, rule: &str) -> Result<(), RecurrenceError> {
        let times = |list: usize, freq: &[Frequency]| {
            if freq.contains(&self.rule.get_freq()) { 1 } else { list.max(1) }
        };
        use Frequency::{Hourly, Minutely, Secondly};
        // What a day can hold at most, before anything is expanded: some rules would fill the memory at once.
        let a_day = times(self.rule.get_by_hour().len(), &[Hourly, Minutely, Secondly])
            .saturating_mul(times(self.rule.get_by_minute().len(), &[Minutely, Secondly]))
            .saturating_mul(times(self.rule.get_by_second().len(), &[Secondly]));
        if a_day > MOST_A_DAY {
            return Err(RecurrenceError::TooOften { rule: rule.to_owned() });
        }
        // Within some years of a leap year's first day each date has come; a longer step can always be met from some day.
        let start = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap_or_default();
        let every = Recurrence { rule: self.rule.clone().interval(1), ..self.clone() };
        let mut walls = every.walls(start).map_err(|reason| RecurrenceError::Malformed {
            rule: rule.to_owned(),
            reason: format!("is not valid: {reason}"),
        })?;
        let Some(first) = walls.next() else {
            return Err(RecurrenceError::NeverFires { rule: rule.to_owned() });
        };
        if matches!(self.rule.get_freq(), Hourly | Minutely | Secondly) {
            self.check_density(rule, start)?;
        }
        let end = match self.until {
            None => return Ok(()),
            Some(Until::Wall(wall)) => wall,
            Some(Until::At(at)) => at.to_chrono().naive_utc(),
        };
        // No calendar speaks of the years before; so no contract can have begun in time.
        if end.year() < 1900.min(first.year()) {
            return Err(RecurrenceError::EndsBefore { rule: rule.to_owned(), until: end.date() });
        }
        Ok(())
    }

    fn check_density(&self, rule: &str, start: NaiveDate) -> Result<(), RecurrenceError> {
        let mut day = (NaiveDate::MIN, 0);
        for wall in self.walls(start).into_iter().flatten().take(LOOKED_AT) {
            day = if day.0 == wall.date() { (day.0, day.1 + 1) } else { (wall.date(), 1) };
            if day.1 > MOST_A_DAY {
                return Err(RecurrenceError::TooOften { rule: rule.to_owned() });
            }
        }
        Ok(())
    }

    /// The wall times of the rule from the midnight of a date on, whatever its end.
    fn walls(&self, start: NaiveDate) -> Result<Walls, String> {
        let start = rrule::Tz::UTC.from_utc_datetime(&start.and_time(NaiveTime::MIN));
        let rule = self.rule.clone().validate(start).map_err(|e| one_line(&e.to_string()))?;
        Ok(Walls((&RRuleSet::new(start).rrule(rule).limit()).into_iter()))
    }

    /// The occurrences of a contract that begins at an instant: counted from the midnight of its local date, none before it.
    pub(crate) fn series(&self, begins: Instant, zone: Tz) -> Series {
        let date = begins.to_chrono().with_timezone(&zone).date_naive();
        Series {
            // What was checked once is valid from every date.
            walls: self.walls(date).ok(),
            begins,
            zone,
            until: self.until,
            frontier: Instant::MIN,
            known: Vec::new(),
        }
    }

    /// The occurrences from an instant up to (excluding) another, of a contract that began and may have ended.
    #[cfg(test)]
    pub(crate) fn occurrences(
        &self,
        begins: Instant,
        ended: Option<Instant>,
        zone: Tz,
        from: Instant,
        until: Instant,
    ) -> Vec<Instant> {
        let until = ended.map_or(until, |ended| ended.min(until));
        let mut series = self.series(begins, zone);
        series.reach(until);
        series.known.iter().copied().filter(|at| from <= *at && *at < until).collect()
    }
}

/// Wall times as the rule gives them, on a clock without zone.
#[derive(Clone, Debug)]
struct Walls(RRuleSetIter);

impl Iterator for Walls {
    type Item = NaiveDateTime;

    fn next(&mut self) -> Option<NaiveDateTime> {
        self.0.next().as_ref().map(DateTime::naive_utc)
    }
}

/// The occurrences of one rule, expanded as far as they were asked for.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// Nothing once the rule has ended.
    walls: Option<Walls>,
    begins: Instant,
    zone: Tz,
    until: Option<Until>,
    /// The last wall time taken, as if it were UTC.
    frontier: Instant,
    known: Vec<Instant>,
}

impl Series {
    /// Expands until every occurrence up to an instant is known.
    pub(crate) fn reach(&mut self, at: Instant) {
        let far = at.checked_add(SKEW).unwrap_or(Instant::MAX);
        while self.frontier <= far && self.pull() {}
    }

    /// The first occurrence at an instant or after it.
    pub(crate) fn first_from(&mut self, at: Instant) -> Option<Instant> {
        self.reach(at);
        loop {
            let place = self.known.partition_point(|known| *known < at);
            match self.known.get(place).copied() {
                // A change of offset may put a later wall time before it.
                Some(found) => {
                    self.reach(found);
                    let place = self.known.partition_point(|known| *known < at);
                    return self.known.get(place).copied();
                }
                None if self.pull() => {}
                None => return None,
            }
        }
    }

    /// Takes one more wall time of the rule.
    fn pull(&mut self) -> bool {
        let Some(walls) = &mut self.walls else { return false };
        let Some(wall) = walls.next() else {
            self.walls = None;
            return false;
        };
        let frontier = Instant::from_chrono(&wall.and_utc());
        let at = instant_of_wall(self.zone, wall);
        let ended = match self.until {
            Some(Until::Wall(last)) => wall > last,
            Some(Until::At(last)) => at.as_ref().is_ok_and(|at| *at > last),
            None => false,
        };
        let (Ok(frontier), Ok(at), false) = (frontier, at, ended) else {
            self.walls = None;
            return false;
        };
        self.frontier = frontier;
        if at >= self.begins {
            let place = self.known.partition_point(|known| *known < at);
            // Two wall times of a spring gap are one instant: one occurrence.
            if self.known.get(place) != Some(&at) {
                self.known.insert(place, at);
            }
        }
        true
    }
}

/// `20261231` (that day to its end), `20261231T235959` on the contract's clock, or with `Z` in UTC.
fn until(text: &str) -> Option<Until> {
    if text.len() == 8 {
        let date = NaiveDate::parse_from_str(text, "%Y%m%d").ok()?;
        return Some(Until::Wall(date.and_hms_opt(23, 59, 59)?));
    }
    let wall = |text: &str| NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok();
    match text.strip_suffix('Z') {
        Some(utc) => Instant::from_chrono(&wall(utc)?.and_utc()).ok().map(Until::At),
        None => wall(text).map(Until::Wall),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect()
}
