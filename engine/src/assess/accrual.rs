//! What a breach costs, step by step as the clock runs on.

use std::sync::Arc;

use super::Case;
use crate::clock::{ClockRun, ClockSpec, Lateness};
use crate::policy::{ClauseFault, PENALTY, Price};
use crate::vocabulary::{Inputs, Reads};
use crate::{CalendarError, Instant, Money, Span};

/// More steps than these a penalty cannot have: per started second it has them after a day.
pub(crate) const STEPS_MAX: usize = 100_000;

/// What a breach costs as of an instant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PenaltyRun {
    pub(crate) clock: u16,
    /// When the clock was missed: its due instant.
    pub(crate) at: Instant,
    /// What it costs in all: the amount of the last step, or nothing.
    pub(crate) amount: Money,
    /// From which instant on it costs how much in all, ascending. Nothing when it costs nothing.
    ///
    /// An amount that is reached at a lateness holds from the instant of that lateness on (`full` units); one that holds once a
    /// lateness is exceeded is written down at its instant too, though it is first owed a microsecond after (`started`
    /// units, and the breach itself). Either way the third day's step lies three days after the due instant.
    pub(crate) steps: Arc<[(Instant, Money)]>,
    /// The price looks at the lateness.
    pub(crate) grows: bool,
    growth: Option<Box<Growth>>,
    pub(crate) reads: Box<Reads>,
}

impl PenaltyRun {
    /// When it first cost something.
    pub(crate) fn since(&self) -> Instant {
        self.steps.first().map_or(self.at, |(at, _)| *at)
    }
}

/// How far the steps of a penalty are known, so that the next assessment goes on from there.
#[derive(Clone, Debug, PartialEq)]
struct Growth {
    rise: Rise,
    /// Where the clock ran late when they were found.
    runs: Box<[(Instant, Instant)]>,
}

/// One change of a price that depends on the lateness.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rise {
    /// The lateness from which the price holds.
    late: Span,
    /// The price; nothing where the clause gives none.
    price: Option<Money>,
    /// The lateness from which it holds no more, and what it is then; nothing when it stays for ten years.
    next: Option<Change>,
}

/// A lateness from which a price holds, and the price.
type Change = (Span, Option<Money>);

impl Growth {
    /// Whether the clock ran the same way, as far as it had run then.
    fn holds(&self, runs: &[(Instant, Instant)]) -> bool {
        let Some(((from, to), ended)) = self.runs.split_last() else { return true };
        let last = runs.get(ended.len());
        runs.starts_with(ended) && last.is_some_and(|(now_from, now_to)| now_from == from && to <= now_to)
    }
}

/// A breach before it is priced: of a ticket's clock, or of a duty.
pub(super) struct Breach<'a> {
    /// What it costs at a lateness; nothing when its clause has no penalty.
    pub(super) price: &'a dyn Fn(Span) -> Result<Option<Price>, ClauseFault>,
    /// The same at a lateness that only its steps are looked for at: nothing where the clause fails, too.
    pub(super) ahead: &'a dyn Fn(Span) -> Option<Money>,
    pub(super) fault: &'a dyn Fn(Stumble) -> Box<ClauseFault>,
    pub(super) due: Instant,
    pub(super) late: Span,
}

/// Why a breach cannot be priced step by step.
pub(super) enum Stumble {
    Calendar(CalendarError),
    /// What is wrong with the clause that prices it: it is named before these words.
    Price(String),
}

impl Breach<'_> {
    /// The price from a lateness on, and its next change.
    fn rise(&self, (late, price): Change, gap: Span) -> Rise {
        Rise { late, price, next: next_change(self.ahead, late, price, gap) }
    }

    /// What it costs, and when it costs more if the clock runs on. `before` is what the same breach cost at an earlier
    /// instant by the same facts.
    pub(super) fn accrued(
        &self,
        clock: u16,
        lateness: &Lateness<'_>,
        before: Option<&PenaltyRun>,
    ) -> Result<Option<(PenaltyRun, Option<Instant>)>, Box<ClauseFault>> {
        let known = before.filter(|b| b.growth.as_ref().is_some_and(|known| known.holds(lateness.runs())));
        // A calendar that ends before the next step leaves it out; asked at its instant, it is a fault.
        let wake = |next: Option<Change>| next.and_then(|(next, _)| lateness.reached(next).ok().flatten());
        if let Some((known, growth)) = known.and_then(|b| Some((b, b.growth.as_ref()?)))
            && growth.rise.next.is_none_or(|(next, _)| next > self.late)
        {
            return Ok(Some((known.clone(), wake(growth.rise.next))));
        }
        let Some(price) = (self.price)(self.late)? else { return Ok(None) };
        let mut penalty = PenaltyRun {
            clock,
            at: self.due,
            amount: price.amount,
            steps: one_step(self.due, price.amount),
            grows: price.grows,
            growth: None,
            reads: Box::new(price.reads),
        };
        let mut next = None;
        if price.grows {
            let (steps, growth) = self.steps(lateness, known)?;
            next = growth.rise.next;
            // A price that fell is one sum: there is no telling from when which part of it was owed.
            if let Some(steps) = steps
                && steps.last().map_or(0, |(_, amount)| amount.minor()) == price.amount.minor()
            {
                penalty.steps = steps.into();
                penalty.growth = Some(Box::new(growth));
            }
        }
        Ok(Some((penalty, wake(next))))
    }
}

impl PenaltyRun {
    /// A penalty of one sum.
    pub(super) fn fixed(at: Instant, amount: Money, reads: Reads) -> PenaltyRun {
        let steps = one_step(at, amount);
        PenaltyRun { clock: 0, at, amount, steps, grows: false, growth: None, reads: Box::new(reads) }
    }
}

impl Case<'_> {
    /// What the breach of a clock costs, and when it costs more if the clock runs on. `before` is what it cost at an earlier
    /// instant by the same facts.
    pub(super) fn penalty(
        &self,
        clock: (u16, &ClockSpec),
        run: &ClockRun,
        earlier: &[ClockRun],
        inputs: &dyn Fn() -> Arc<Inputs>,
        before: Option<&PenaltyRun>,
    ) -> Result<Option<(PenaltyRun, Option<Instant>)>, Box<ClauseFault>> {
        let (place, spec) = clock;
        let Some(due) = run.breached_at() else { return Ok(None) };
        let before = before.filter(|before| before.at == due);
        if let Some(before) = before.filter(|before| !before.grows) {
            return Ok(Some((before.clone(), None)));
        }
        let Some(calendar) = self.calendar(spec) else { return Ok(None) };
        let mut stretches = Vec::new();
        let no_clock = |fault| self.clock_fault(spec, fault);
        self.trace(spec, earlier, &mut |stretch| stretches.push(stretch)).map_err(no_clock)?;
        let lateness =
            Lateness::new(calendar, due, &stretches, run.runs_on).map_err(|error| no_clock(error.into()))?;
        let price = |late: Span| self.pack.policy.price(&inputs(), spec, due, late);
        let fault = |stumble| match stumble {
            Stumble::Calendar(error) => no_clock(error.into()),
            Stumble::Price(what) => {
                self.fault(spec, PENALTY, format!("the penalty of clock `{}` {what}", spec.name))
            }
        };
        let ahead = |late: Span| self.pack.policy.price_ahead(&inputs(), spec, due, late);
        let breach = Breach { price: &price, ahead: &ahead, fault: &fault, due, late: run.late };
        breach.accrued(place, &lateness, before)
    }
}

fn one_step(at: Instant, amount: Money) -> Arc<[(Instant, Money)]> {
    if amount.minor() == 0 { Arc::default() } else { Arc::new([(at, amount)]) }
}

impl Breach<'_> {
    /// The steps up to the lateness of the breach; none when the price falls on the way.
    #[expect(clippy::type_complexity, reason = "a list and what continues it, used once")]
    fn steps(
        &self,
        lateness: &Lateness<'_>,
        known: Option<&PenaltyRun>,
    ) -> Result<(Option<Vec<(Instant, Money)>>, Growth), Box<ClauseFault>> {
        let before = known.and_then(|known| Some((known.steps.to_vec(), known.growth.as_ref()?.rise)));
        let (mut steps, mut rise) = before.unwrap_or_else(|| {
            let rise = self.rise((Span::ZERO, (self.ahead)(Span::ZERO)), Span::ZERO);
            let first = rise.price.filter(|price| price.minor() > 0);
            (first.map(|price| (self.due, price)).into_iter().collect(), rise)
        });
        let mut falls = false;
        while let Some((late, price)) = rise.next.filter(|(late, _)| *late <= self.late) {
            rise = self.rise((late, price), late - rise.late);
            let Some(price) = rise.price else { continue };
            let at = self.step_instant(lateness, late)?;
            falls |= steps.last().is_some_and(|(_, before)| price.minor() < before.minor());
            match steps.last_mut() {
                Some((last, amount)) if *last == at => *amount = price,
                _ => steps.push((at, price)),
            }
            if steps.len() > STEPS_MAX {
                let what = format!("grows in more than {STEPS_MAX} steps: expected longer units, or a cap");
                return Err((self.fault)(Stumble::Price(what)));
            }
        }
        Ok(((!falls).then_some(steps), Growth { rise, runs: lateness.runs().into() }))
    }

    /// The instant that a step is written down at. Thresholds are whole seconds: a change at one is reached then; one that comes
    /// a microsecond later lies just after the last instant of the old price.
    fn step_instant(&self, lateness: &Lateness<'_>, late: Span) -> Result<Instant, Box<ClauseFault>> {
        let first = lateness.reached(late).map_err(|error| (self.fault)(Stumble::Calendar(error)))?;
        let first = first.unwrap_or(self.due);
        if late.micros() % SECOND == 0 {
            return Ok(first);
        }
        Ok(Instant::from_micros(first.micros() - 1).unwrap_or(first))
    }
}

const SECOND: i64 = 1_000_000;
/// Units in which contracts count, so that few prices must be asked for. Each divides the next.
const UNITS: [i64; 4] = [SECOND, 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND];
/// How far to look for the next change of a price: ten years.
const AHEAD: i64 = 3_653 * UNITS[3];

/// The first lateness after `from` with another price than `now`, if the price never comes back to what it was. `gap` is the
/// distance of the change before, which is tried first.
fn next_change(
    price: &dyn Fn(Span) -> Option<Money>,
    from: Span,
    now: Option<Money>,
    gap: Span,
) -> Option<Change> {
    let same = |late: i64| price(Span::from_micros(late)) == now;
    let from = from.micros();
    let guess = from.checked_add(gap.micros())?;
    if guess > from {
        let (late, next) = (Span::from_micros(guess), price(Span::from_micros(guess)));
        if next != now && same(guess - 1) {
            return Some((late, next));
        }
    }
    let mut low = from;
    let mut high = None;
    let ends = UNITS.iter().map(|unit| (from / unit + 1) * unit);
    let days = (0..).map_while(|power| UNITS[3].checked_shl(power)).take_while(|ahead| *ahead < AHEAD);
    let midnight = (from / UNITS[3] + 1) * UNITS[3];
    for end in ends.chain(days.map(|days| midnight + days)).chain([midnight + AHEAD]) {
        if end > low && !same(end) {
            high = Some(end);
            break;
        }
        low = low.max(end);
    }
    let late = Span::from_micros(narrow(&same, low, high?));
    Some((late, price(late)))
}

/// The change between a lateness of the old price and one of another.
fn narrow(same: &dyn Fn(i64) -> bool, mut low: i64, mut high: i64) -> i64 {
    for unit in UNITS.into_iter().rev().chain([1]) {
        if high % unit != 0 {
            continue;
        }
        // Counted in this unit the change lies above `a` and not above `b`.
        let (mut a, mut b) = (low / unit, high / unit);
        while b - a > 1 {
            let middle = a + (b - a) / 2;
            if same(middle * unit) {
                (a, low) = (middle, middle * unit);
            } else {
                (b, high) = (middle, middle * unit);
            }
        }
        if same(high - 1) {
            return high;
        }
        if !same(low + 1) {
            return low + 1;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// All changes of a price in minor units up to a lateness, and how often it was asked.
    fn changes(price: &dyn Fn(i64) -> i64, until: i64) -> (Vec<i64>, u32) {
        let asked = Cell::new(0);
        let currency = "CNY".parse().unwrap();
        let ask = |late: Span| {
            asked.set(asked.get() + 1);
            Some(Money::from_minor(price(late.micros()), currency))
        };
        let (mut from, mut gap, mut found) = (Span::ZERO, Span::ZERO, Vec::new());
        let mut now = ask(from);
        while let Some((next, then)) = next_change(&ask, from, now, gap).filter(|n| n.0.micros() <= until) {
            assert_eq!(then.map(Money::minor), Some(price(next.micros())));
            found.push(next.micros());
            (from, gap, now) = (next, next - from, then);
        }
        (found, asked.get())
    }

    #[test]
    fn changes_are_found_to_the_microsecond() {
        const HOUR: i64 = UNITS[2];
        let started = |late: i64, unit: i64| (late + unit - 1) / unit;
        let (found, asked) = changes(&|late| started(late, 24 * HOUR), 1_000 * UNITS[3]);
        assert_eq!(found, (0..1_000).map(|n| n * 24 * HOUR + 1).collect::<Vec<_>>());
        assert!(asked < 2_050, "two questions a step, not {asked}");
        let (found, _) = changes(&|late| late / (7 * UNITS[1]), 10 * HOUR);
        assert_eq!(found, (1..=85).map(|n| n * 7 * UNITS[1]).collect::<Vec<_>>());
        // Steps that do not lie evenly, at odd places, and one far off.
        let places =
            [1, 2, 999_999, 1_000_000, 1_000_001, 59_999_999, 3_600_000_017, 4_000_000_000_000_000 / 13];
        let (found, _) =
            changes(&|late| places.iter().filter(|place| **place <= late).count() as i64, i64::MAX);
        assert_eq!(found, places);
        let (found, asked) = changes(&|_| 5, i64::MAX);
        assert!(found.is_empty() && asked < 25, "{found:?} after {asked}");
    }

    #[test]
    fn a_price_that_fails_later_changes_there() {
        let currency = "CNY".parse().unwrap();
        let price = |late: Span| (late < Span::hours(5)).then(|| Money::from_minor(1, currency));
        let found = next_change(&price, Span::ZERO, price(Span::ZERO), Span::ZERO);
        assert_eq!(found, Some((Span::hours(5), None)));
    }
}
