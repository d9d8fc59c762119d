//! Computations over many tickets at once: from bounds to bounds.

use rhai::Position;

use super::value::{Range, Seen, Way};
use super::walk::Walk;
use crate::program::Node;
use crate::vocabulary::{Sign, Sort, Value, compute, gives};

impl Walk<'_> {
    pub(super) fn arithmetic(&mut self, sign: Sign, a: &Seen, b: &Seen, node: &Node) -> Option<Seen> {
        let (Some(x), Some(y)) = (a.range(), b.range()) else {
            self.may_fault(node.at, "this may not be computed");
            return Some(Seen::any(&node.of, a.is_late() || b.is_late()));
        };
        if x.is_one() && y.is_one() {
            let currency = self.words.currency;
            return self.done(compute(sign, &x.value(x.low, currency), &y.value(y.low, currency)), node.at);
        }
        let sort = gives(x.sort, sign, y.sort).unwrap_or(x.sort);
        let (low, high, way) = match sign {
            Sign::Plus => {
                let (low, high) =
                    (i128::from(x.low) + i128::from(y.low), i128::from(x.high) + i128::from(y.high));
                (low, high, x.way.with(y.way))
            }
            Sign::Minus => {
                let (low, high) =
                    (i128::from(x.low) - i128::from(y.high), i128::from(x.high) - i128::from(y.low));
                (low, high, x.way.with(y.way.back()))
            }
            Sign::Times => product(x, y),
            Sign::Over | Sign::Rest => {
                self.may_fault(node.at, "a division that may not come out even");
                let most = i128::from(x.low).abs().max(i128::from(x.high).abs());
                let still = x.way == Way::Still && y.way == Way::Still;
                (-most, most, if still { Way::Still } else { Way::Any })
            }
        };
        self.fitted(sort, low, high, way, node.at)
    }

    /// Cuts a result to what its sort can hold; beyond it there are faults.
    pub(super) fn fitted(
        &mut self,
        sort: Sort,
        low: i128,
        high: i128,
        way: Way,
        at: Position,
    ) -> Option<Seen> {
        let all = Range::all(sort, way);
        let (least, most) = (i128::from(all.low), i128::from(all.high));
        if low < least || high > most {
            self.may_fault(at, "a number that may be too large");
            if low > most || high < least {
                return None;
            }
        }
        let cut = |n: i128| i64::try_from(n.clamp(least, most)).unwrap_or(all.low);
        Some(Seen::Range(Range::new(sort, cut(low), cut(high), way)))
    }

    pub(super) fn list(&self, items: &[Seen]) -> Seen {
        let late = items.iter().any(Seen::is_late);
        match products(items, self.words.currency) {
            Some(lists) => Seen::Values(lists.into_iter().map(Value::List).collect()),
            None => Seen::Any(late),
        }
    }
}

fn product(x: Range, y: Range) -> (i128, i128, Way) {
    let corners = [x.low, x.high].map(|a| [y.low, y.high].map(|b| i128::from(a) * i128::from(b)));
    let all = corners.as_flattened().iter().copied();
    let (low, high) = (all.clone().min().unwrap_or(0), all.max().unwrap_or(0));
    let scaled = |by: Range, way: Way| match (by.low >= 0, by.high <= 0) {
        (true, _) => way,
        (_, true) => way.back(),
        _ => Way::Any,
    };
    let way = match (x.way, y.way) {
        (Way::Still, Way::Still) => Way::Still,
        (Way::Still, way) => scaled(x, way),
        (way, Way::Still) => scaled(y, way),
        (Way::Up, Way::Up) if x.low >= 0 && y.low >= 0 => Way::Up,
        (Way::Down, Way::Down) if x.low >= 0 && y.low >= 0 => Way::Down,
        _ => Way::Any,
    };
    (low, high, way)
}

/// Every choice of one value each, where these are few.
pub(super) fn products(items: &[Seen], currency: crate::Currency) -> Option<Vec<Vec<Value>>> {
    let mut lists = vec![Vec::with_capacity(items.len())];
    for item in items {
        let values = item.values(currency)?;
        if lists.len() * values.len() > 16 {
            return None;
        }
        lists = lists
            .iter()
            .flat_map(|list| {
                values.iter().map(move |value| list.iter().cloned().chain([value.clone()]).collect())
            })
            .collect();
    }
    Some(lists)
}
