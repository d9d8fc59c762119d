//! What a level comes to within a period.

use std::sync::Arc;

use rhai::ImmutableString;
use rust_decimal::Decimal;

use super::outage::OutageBook;
use super::period::Period;
use super::stretches::Stretches;
use crate::clock::ClockState;
use crate::event::Kind;
use crate::ticket::{Detail, Entry};
use crate::vocabulary::{Level, LevelInputs, Measure, Planned};
use crate::{Calendar, CalendarError, Currency, Instant, Money, MoneyError, Span};

/// What was measured over a period.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measured {
    /// 1 when there was nothing to measure.
    pub(crate) share: Decimal,
    /// Clocks met or missed, or outages.
    pub(crate) total: i64,
    /// Clocks missed; of outages all.
    pub(crate) missed: i64,
    /// Open time of the outages that count.
    pub(crate) downtime: Span,
    /// The outages that count, for explaining: what is left of them, day and night.
    pub(crate) outages: Stretches,
}

/// How a ticket's clock stands or ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClockEnd<'a> {
    pub(crate) name: &'a str,
    pub(crate) state: ClockState,
    pub(crate) due: Option<Instant>,
    pub(crate) stopped: Option<Instant>,
}

impl Default for Measured {
    /// Nothing to measure.
    fn default() -> Measured {
        let (share, outages) = (Decimal::ONE, Stretches::default());
        Measured { share, total: 0, missed: 0, downtime: Span::ZERO, outages }
    }
}

impl Measured {
    /// As `credit` is asked about it.
    pub(crate) fn inputs(&self, level: &Level, period: &Period, invoiced: Money) -> LevelInputs {
        LevelInputs {
            name: Arc::clone(&level.name),
            from: period.from,
            until: period.until,
            share: self.share,
            total: self.total,
            missed: self.missed,
            downtime: self.downtime,
            invoiced,
        }
    }
}

/// Measures the outages of a level within a period, as far as it has gone.
///
/// # Errors
/// [`CalendarError::OutsideYears`].
pub(crate) fn availability(
    level: &Level,
    book: &OutageBook,
    period: &Period,
    calendar: &Calendar,
    as_of: Instant,
) -> Result<Measured, CalendarError> {
    let service = match &level.measure {
        Measure::Availability(service) => service.as_deref(),
        Measure::InTime(_) => None,
    };
    let (from, until) = (period.from, period.until.min(as_of).max(period.from));
    let told = book.within(service, from, until);
    let merged = Stretches::of(told.values().flatten().copied());
    let counted = match level.planned {
        Planned::Counts => merged.clone(),
        Planned::Announced(notice) => {
            // What is announced for one service excuses no other.
            let unexcused = told.into_iter().flat_map(|(out, stretches)| {
                let own = out.map(|_| book.planned(out, notice, from, until)).unwrap_or_default();
                Stretches::of(stretches).minus(&own).into_iter()
            });
            Stretches::of(unexcused).minus(&book.planned(None, notice, from, until))
        }
    };
    let counted = counted.minus(&book.relief(&level.name, from, until));
    let (downtime, total) = add_up(&merged, &counted, calendar)?;
    let open = calendar.between(from, until)?;
    let share = part(open.micros() - downtime.micros(), open.micros());
    Ok(Measured { share, total, missed: total, downtime, outages: counted })
}

/// The open time of what counts, and how many of the outages have some.
fn add_up(
    outages: &Stretches,
    counted: &Stretches,
    calendar: &Calendar,
) -> Result<(Span, i64), CalendarError> {
    let (mut downtime, mut total) = (Span::ZERO, 0);
    let mut left = counted.iter().peekable();
    for (_, end) in outages.iter() {
        let before = downtime;
        while let Some((from, until)) = left.next_if(|(_, until)| *until <= end) {
            downtime = downtime + calendar.between(from, until)?;
        }
        total += i64::from(downtime > before);
    }
    Ok((downtime, total))
}

/// Counts the clocks of a level that were met or missed within a period: met when they stopped, missed when they
/// fell due.
pub(crate) fn in_time<'a>(
    level: &Level,
    clocks: impl IntoIterator<Item = ClockEnd<'a>>,
    period: &Period,
) -> Measured {
    let names: &[ImmutableString] = match &level.measure {
        Measure::InTime(names) => names,
        Measure::Availability(_) => &[],
    };
    let within = |at: Option<Instant>| at.is_some_and(|at| period.from <= at && at < period.until);
    let (mut met, mut missed) = (0_i64, 0_i64);
    for clock in clocks.into_iter().filter(|clock| names.iter().any(|name| name == clock.name)) {
        match clock.state {
            ClockState::Met if within(clock.stopped) => met += 1,
            ClockState::Breached | ClockState::Late if within(clock.due) => missed += 1,
            _ => {}
        }
    }
    let total = met + missed;
    Measured { share: part(met, total), total, missed, downtime: Span::ZERO, outages: Stretches::default() }
}

/// Whether something that names a service, or none, belongs to a level.
fn bears_on(level: &Level, service: Option<&str>) -> bool {
    match (&level.measure, service) {
        (Measure::Availability(Some(own)), Some(service)) => own.as_str() == service,
        _ => true,
    }
}

/// What was invoiced from one instant to before another, for the level's service or for none; `history` is in order.
///
/// # Errors
/// [`MoneyError`] when the sum leaves the range.
pub(crate) fn invoiced(
    level: &Level,
    history: &[Arc<Entry>],
    from: Instant,
    until: Instant,
    currency: Currency,
) -> Result<Money, MoneyError> {
    let first = history.partition_point(|entry| entry.at < from);
    let within = history.get(first..).unwrap_or_default().iter().take_while(|entry| entry.at < until);
    within.filter(|entry| entry.kind == Kind::INVOICED).try_fold(Money::zero(currency), |sum, entry| {
        match &entry.detail {
            Detail::Invoice(invoice) if bears_on(level, invoice.service.as_deref()) => {
                sum.checked_add(invoice.amount)
            }
            _ => Ok(sum),
        }
    })
}

/// When the credit of each period is given back, if it is: at the close of the last of the periods after it that
/// were asked for, when all of them are there, whole, and good enough. `shares` holds closed periods in order.
pub(crate) fn earned_back(level: &Level, shares: &[(Period, Decimal)]) -> Vec<Option<Instant>> {
    let Some((asked, good)) = level.earned_back.filter(|(asked, _)| *asked > 0) else {
        return vec![None; shares.len()];
    };
    let asked = usize::try_from(asked).unwrap_or(usize::MAX);
    // How many good periods stand together, up to each of them.
    let mut run = 0_usize;
    let runs: Vec<usize> = shares
        .iter()
        .enumerate()
        .map(|(i, (period, share))| {
            let before = i.checked_sub(1).and_then(|before| shares.get(before));
            let follows =
                before.is_some_and(|(before, _)| before.number.checked_add(1) == Some(period.number));
            run = match (period.whole && *share >= good, follows) {
                (false, _) => 0,
                (true, true) => run + 1,
                (true, false) => 1,
            };
            run
        })
        .collect();
    let given_back = |i: usize| {
        let last = i.checked_add(asked)?;
        let (run, (period, _), (own, _)) = (runs.get(last)?, shares.get(last)?, shares.get(i)?);
        // A period that is missing right after this one breaks the run as well.
        let joined = period.number.checked_sub(own.number) == i64::try_from(asked).ok();
        (*run >= asked && joined).then_some(period.closes)
    };
    (0..shares.len()).map(given_back).collect()
}

/// A part of a whole; 1 of nothing.
fn part(part: i64, whole: i64) -> Decimal {
    Decimal::from(part).checked_div(Decimal::from(whole)).unwrap_or(Decimal::ONE)
}
