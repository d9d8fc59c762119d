//! The deposit over time, drawn as a line of steps.

use holdback::{DepositPoint, Money, Pack, Statement};

use super::axis;
use super::text::{amount, both, escape, moment, plain_both};

/// Size of the drawing and its margins, in units of its own.
const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 110.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 18.0;
const BOTTOM: f64 = 34.0;
/// Columns in which points are thinned out: finer than the eye tells apart on paper.
const COLUMNS: usize = 780;

/// A point on the local time line with the balance from then on, in minor units.
type Point = (i64, i64);

/// The drawing, or a sentence when no money has ever moved.
pub(super) fn figure(statement: &Statement, pack: &Pack) -> String {
    let points = points(&statement.history, pack);
    let Some((first, _)) = points.first().copied() else {
        return format!(
            "<p>{}</p>\n",
            both("No deposit has been paid yet: there is nothing to draw.", "尚未交纳质保金。")
        );
    };
    let end = points.last().map_or(first, |last| last.0).max(axis::wall(pack, statement.as_of));
    let view = View::new(&points, statement, (first, end));
    let mut svg = view.open(pack);
    view.frame(&mut svg, pack);
    view.floor(&mut svg, statement.deposit.floor);
    svg.push_str(&format!(
        "<path class=\"line\" d=\"{}\"/>\n</svg>\n",
        view.path(&thin(&points, first, end))
    ));
    let text = both(
        &format!("Balance after each movement, in {}", pack.currency),
        &format!("每笔变动后的余额（{}）", pack.currency),
    );
    format!("<figure>\n{svg}<figcaption>{text}</figcaption>\n</figure>\n")
}

/// The history on the local time line, in order; of several movements at one instant all are kept.
fn points(history: &[DepositPoint], pack: &Pack) -> Vec<Point> {
    let mut points: Vec<Point> =
        history.iter().map(|point| (axis::wall(pack, point.at), point.balance.minor())).collect();
    points.sort_by_key(|point| point.0);
    points
}

/// Of each column the first, the lowest, the highest and the last point: the picture stays true, every peak and every
/// trough in its place.
pub(super) fn thin(points: &[Point], from: i64, to: i64) -> Vec<Point> {
    if points.len() <= COLUMNS * 4 {
        return points.to_vec();
    }
    let span = i128::from(to.saturating_sub(from).max(1));
    let column = |point: &Point| i128::from(point.0 - from) * COLUMNS as i128 / span;
    let mut kept = Vec::with_capacity(COLUMNS * 4);
    for column in points.chunk_by(|a, b| column(a) == column(b)) {
        let place = |best: Option<(usize, &Point)>| best.map_or(0, |(place, _)| place);
        let lowest = place(column.iter().enumerate().min_by_key(|(_, point)| point.1));
        let highest = place(column.iter().enumerate().max_by_key(|(_, point)| point.1));
        let mut places = vec![0, lowest, highest, column.len().saturating_sub(1)];
        places.sort_unstable();
        places.dedup();
        kept.extend(places.into_iter().filter_map(|place| column.get(place)));
    }
    kept
}

struct View {
    times: (i64, i64),
    amounts: Vec<i64>,
    dates: Vec<(i64, String)>,
}

impl View {
    fn new(points: &[Point], statement: &Statement, times: (i64, i64)) -> View {
        let balances = || points.iter().map(|point| point.1).chain([statement.deposit.floor.minor(), 0]);
        let (low, high) = (balances().min().unwrap_or(0), balances().max().unwrap_or(0));
        let amounts = axis::amounts(low, high, statement.deposit.floor.currency().decimals());
        View { times, amounts, dates: axis::dates(times.0, times.1) }
    }

    fn x(&self, at: i64) -> f64 {
        let (from, to) = self.times;
        let share = if to > from { (at - from) as f64 / (to - from) as f64 } else { 0.0 };
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, minor: i64) -> f64 {
        let low = self.amounts.first().copied().unwrap_or(0) as f64;
        let high = self.amounts.last().copied().unwrap_or(1) as f64;
        let share = (minor as f64 - low) / (high - low).max(1.0);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }

    fn open(&self, pack: &Pack) -> String {
        let title = plain_both("The deposit over time", "质保金余额变化");
        format!(
            "<svg class=\"deposit\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n<title>{} ({})</title>\n",
            escape(&title),
            pack.currency
        )
    }

    fn frame(&self, svg: &mut String, pack: &Pack) {
        for minor in &self.amounts {
            let y = self.y(*minor);
            let text = amount(Money::from_minor(*minor, pack.currency));
            let text = text.split_once('.').map_or(text.as_str(), |(whole, _)| whole);
            svg.push_str(&format!(
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>\n",
                WIDTH - RIGHT,
                LEFT - 8.0,
                y + 4.0
            ));
        }
        let base = HEIGHT - BOTTOM;
        for (at, label) in &self.dates {
            let x = self.x(*at);
            // A label at the very edge is pulled inwards.
            let anchor = if x > WIDTH - RIGHT - 40.0 { "end" } else { "middle" };
            svg.push_str(&format!(
                "<path class=\"grid\" d=\"M{x:.1} {TOP}V{:.1}\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{label}</text>\n",
                base + 5.0,
                base + 21.0
            ));
        }
    }

    fn floor(&self, svg: &mut String, floor: Money) {
        let y = self.y(floor.minor());
        let text = plain_both("floor", "最低保留额");
        svg.push_str(&format!(
            "<path class=\"floor\" d=\"M{LEFT} {y:.1}H{:.1}\"/>\
             <text class=\"floor-label\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{text} {}</text>\n",
            WIDTH - RIGHT,
            WIDTH - RIGHT - 4.0,
            y - 5.0,
            amount(floor)
        ));
    }

    /// Each balance holds until the next movement, the last one until now.
    fn path(&self, points: &[Point]) -> String {
        let mut path = String::with_capacity(points.len() * 14);
        for (place, (at, minor)) in points.iter().enumerate() {
            let (x, y) = (self.x(*at), self.y(*minor));
            match place {
                0 => path.push_str(&format!("M{x:.1} {y:.1}")),
                _ => path.push_str(&format!("H{x:.1}V{y:.1}")),
            }
        }
        path.push_str(&format!("H{:.1}", self.x(self.times.1)));
        path
    }
}

/// The sentence over the drawing: when it was lowest.
pub(super) fn lowest(statement: &Statement, pack: &Pack) -> String {
    let paid_in = statement.history.iter().position(|point| point.balance.minor() > 0).unwrap_or(0);
    let since = statement.history.get(paid_in..).unwrap_or_default();
    match since.iter().min_by_key(|point| (point.balance.minor(), point.at)) {
        Some(point) => format!(
            "<p>{}</p>\n",
            both(
                &format!("Lowest balance {}, first at {}.", amount(point.balance), moment(pack, point.at)),
                &format!("最低余额 {}，始于 {}。", amount(point.balance), moment(pack, point.at))
            )
        ),
        None => String::new(),
    }
}
