//! Ticks of the deposit's drawing.

use holdback::{Instant, Pack};

const DAY: i64 = 86_400_000_000;
const HOUR: i64 = 3_600_000_000;

/// Microseconds of the local clock, as if it were UTC: the axis shows local dates.
pub(super) fn wall(pack: &Pack, at: Instant) -> i64 {
    at.to_chrono().with_timezone(&pack.zone).naive_local().and_utc().timestamp_micros()
}

/// Ticks of an axis of amounts in minor units, from at most `low` to at least `high`: round numbers, about five.
pub(super) fn amounts(low: i64, high: i64, decimals: u32) -> Vec<i64> {
    let (low, high) = (i128::from(low), i128::from(high));
    let whole = 10_i128.pow(decimals.min(6));
    let wanted = ((high - low) / 5).max(1);
    let mut step = whole;
    let mut factors = [2, 5, 10].iter().cycle();
    let mut base = whole;
    while step < wanted {
        let Some(factor) = factors.next() else { break };
        step = base * factor;
        if *factor == 10 {
            base = step;
        }
    }
    let first = low.div_euclid(step);
    let last = -(-high).div_euclid(step);
    let last = last.max(first + 1);
    (first..=last).filter_map(|n| i64::try_from(n * step).ok()).collect()
}

/// Ticks of an axis of local time: place in [`wall`] microseconds and label, about six of them.
pub(super) fn dates(from: i64, to: i64) -> Vec<(i64, String)> {
    let span = to.saturating_sub(from);
    if span > 90 * DAY {
        return months(from, to);
    }
    let (step, form) = if span > 3 * DAY {
        let steps = [1, 2, 5, 10, 20];
        let days = steps.into_iter().find(|days| days * DAY * 7 >= span).unwrap_or(20);
        (days * DAY, "%Y-%m-%d")
    } else {
        let steps = [1, 2, 3, 6, 12];
        let hours = steps.into_iter().find(|hours| hours * HOUR * 6 >= span).unwrap_or(12);
        (hours * HOUR, "%m-%d %H:%M")
    };
    let first = -(-from).div_euclid(step);
    (first..=to.div_euclid(step)).filter_map(|n| label(n.checked_mul(step)?, form)).collect()
}

fn label(at: i64, form: &str) -> Option<(i64, String)> {
    let instant = Instant::from_micros(at).ok()?;
    Some((at, instant.to_chrono().format(form).to_string()))
}

fn months(from: i64, to: i64) -> Vec<(i64, String)> {
    let index = |at: i64| -> Option<i64> {
        let time = Instant::from_micros(at).ok()?.to_chrono();
        let year: i64 = time.format("%Y").to_string().parse().ok()?;
        let month: i64 = time.format("%m").to_string().parse().ok()?;
        Some(year * 12 + month - 1)
    };
    let (Some(first), Some(last)) = (index(from), index(to)) else { return Vec::new() };
    let steps = [1, 2, 3, 6, 12, 24, 60, 120, 600, 1200, 6000];
    let step = steps.into_iter().find(|step| step * 7 >= last - first).unwrap_or(12_000);
    let starts = (first.div_euclid(step)..=last.div_euclid(step)).filter_map(|n| {
        let month = n * step;
        let text = format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1);
        let at: Instant = format!("{text}-01T00:00:00Z").parse().ok()?;
        Some((at.micros(), text))
    });
    starts.filter(|(at, _)| (from..=to).contains(at)).collect()
}
