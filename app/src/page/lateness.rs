//! How late the missed deadlines are, one histogram a clock.

use super::ClockTotals;
use super::text::{both, count, escape, plain_both, rough};

/// Upper ends of the buckets in seconds, with their labels; the last one takes the rest.
const BUCKETS: [(i64, &str, &str); 6] = [
    (300, "up to 5 min", "5 分钟内"),
    (3600, "up to 1 h", "1 小时内"),
    (14_400, "up to 4 h", "4 小时内"),
    (86_400, "up to 24 h", "24 小时内"),
    (604_800, "up to 168 h", "168 小时内"),
    (i64::MAX, "more", "更久"),
];

const WIDTH: f64 = 430.0;
const ROW: f64 = 24.0;
const LEFT: f64 = 172.0;
const RIGHT: f64 = 62.0;

/// How many fall into each bucket; a bucket holds its upper end.
pub(super) fn buckets(seconds: &[i64]) -> [usize; 6] {
    let mut counts = [0; 6];
    for late in seconds {
        let place = BUCKETS.iter().position(|(end, _, _)| late <= end);
        if let Some(n) = place.and_then(|place| counts.get_mut(place)) {
            *n += 1;
        }
    }
    counts
}

/// The histograms of all clocks that were ever missed.
pub(super) fn figures(clocks: &[ClockTotals]) -> String {
    let missed: Vec<&ClockTotals> = clocks.iter().filter(|clock| !clock.late_seconds.is_empty()).collect();
    if missed.is_empty() {
        return format!("<p>{}</p>\n", both("No deadline was missed.", "没有逾期。"));
    }
    let mut out = format!(
        "<p>{}</p>\n<div class=\"figures\">\n",
        both(
            "Lateness is open time of the clock's calendar beyond its limit; of deadlines still missed, as of now.",
            "逾期时长按各期限的日历计算；仍未完成的算到现在。"
        )
    );
    for clock in missed {
        out.push_str(&figure(clock));
    }
    out.push_str("</div>\n");
    out
}

fn figure(clock: &ClockTotals) -> String {
    let counts = buckets(&clock.late_seconds);
    let most = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let height = ROW * counts.len() as f64 + 6.0;
    let name = escape(&format!("{} {}", clock.clause, clock.clock));
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n<title>{}: {name}</title>\n",
        plain_both("How late", "逾期多久")
    );
    for (place, (n, (_, english, chinese))) in counts.iter().zip(BUCKETS).enumerate() {
        let y = ROW * place as f64 + 3.0;
        let wide = *n as f64 / most * (WIDTH - LEFT - RIGHT);
        // One among thousands is still seen.
        let wide = if *n > 0 { wide.max(1.5) } else { 0.0 };
        svg.push_str(&format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text><rect class=\"bar\" x=\"{LEFT}\" y=\"{:.1}\" \
             width=\"{wide:.1}\" height=\"{:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
            LEFT - 8.0,
            y + ROW * 0.62,
            plain_both(english, chinese),
            y + 2.0,
            ROW - 6.0,
            LEFT + wide + 6.0,
            y + ROW * 0.62,
            count(*n)
        ));
    }
    svg.push_str("</svg>\n");
    let median = median(&clock.late_seconds).map(rough).unwrap_or_default();
    let missed = count(clock.late_seconds.len());
    let text = both(
        &format!("{missed} missed, half of them by no more than {median}"),
        &format!("{missed} 次逾期，中位数 {median}"),
    );
    format!("<figure>\n<h3>{name}</h3>\n{svg}<figcaption>{text}</figcaption>\n</figure>\n")
}

/// The lower of the middle values.
fn median(seconds: &[i64]) -> Option<i64> {
    let mut sorted = seconds.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len().saturating_sub(1) / 2).copied()
}
