//! Comparisons, `if` and `switch` over many tickets at once: which paths may be taken, and where the lateness decides.

use std::cmp::Ordering;

use super::value::{Range, Seen, Truth, Way, either, number};
use super::walk::{Cut, Walk};
use crate::program::{Case, Node, Switch};
use crate::vocabulary::{Relation, Value, compare};

impl Walk<'_> {
    pub(super) fn truth(&mut self, node: &Node) -> Option<Truth> {
        Some(match self.eval(node)? {
            Seen::Truth(truth) => truth,
            other => Truth::either(other.is_late()),
        })
    }

    /// One after the other, until one is this.
    pub(super) fn until(&mut self, nodes: &[Node], stop: bool) -> Option<Seen> {
        let mut result = Truth { yes: false, no: false, late: false };
        for node in nodes {
            let Some(truth) = self.truth(node) else {
                return (result.yes || result.no).then_some(Seen::Truth(result));
            };
            result.late |= truth.late;
            let (stops, goes_on) = if stop { (truth.yes, truth.no) } else { (truth.no, truth.yes) };
            result.yes |= stops && stop;
            result.no |= stops && !stop;
            if !goes_on {
                return Some(Seen::Truth(result));
            }
        }
        result.yes |= !stop;
        result.no |= stop;
        Some(Seen::Truth(result))
    }

    /// Notes that the lateness decides here, and which side of the cut this is.
    fn cut(&mut self, cut: Cut, side: Option<i8>) {
        if self.watch == Some(cut) {
            self.side = side;
        }
        if side.is_none() && !self.cuts.contains(&cut) {
            self.cuts.push(cut);
        }
    }

    pub(super) fn compared(&mut self, relation: Relation, a: &Seen, b: &Seen, node: &Node) -> Option<Seen> {
        if let (Some(a), Some(b)) = (a.range(), b.range()) {
            return Some(Seen::Truth(self.ranges(relation, a, b, node)));
        }
        let late = a.is_late() || b.is_late();
        let (Some(a), Some(b)) = (a.values(self.words.currency), b.values(self.words.currency)) else {
            return Some(Seen::Truth(Truth::either(late)));
        };
        let mut result: Option<Truth> = None;
        for (a, b) in a.iter().flat_map(|a| b.iter().map(move |b| (a, b))) {
            match compare(relation, a, b) {
                Ok(holds) => {
                    let before = result.unwrap_or(Truth { yes: false, no: false, late });
                    result = Some(Truth { yes: before.yes || holds, no: before.no || !holds, late });
                }
                Err(message) => self.may_fault(node.at, message),
            }
        }
        result.map(Seen::Truth)
    }

    fn ranges(&mut self, relation: Relation, a: Range, b: Range, node: &Node) -> Truth {
        let orders = [
            (Ordering::Less, a.low < b.high),
            (Ordering::Equal, a.low <= b.high && b.low <= a.high),
            (Ordering::Greater, a.high > b.low),
        ];
        let may = |holds: bool| orders.iter().any(|(order, may)| *may && relation.holds(*order) == holds);
        let late = a.way != Way::Still || b.way != Way::Still;
        let truth = Truth { yes: may(true), no: may(false), late };
        let known = a.is_one() && b.is_one();
        if self.watch.is_some() || (truth.is_open() && late) {
            let side = known.then(|| match relation {
                Relation::Less | Relation::AtLeast => i8::from(a.low < b.low),
                Relation::AtMost | Relation::More => i8::from(a.low <= b.low),
                Relation::Equal | Relation::Unequal => a.low.cmp(&b.low) as i8,
            });
            if known || (truth.is_open() && late) {
                self.cut(Cut(std::ptr::from_ref(node) as usize, 0), side);
            }
        }
        Truth { late: late && truth.is_open(), ..truth }
    }

    pub(super) fn choose(&mut self, pair: &[Node; 2], other: Option<&Node>) -> Option<Seen> {
        let [condition, then] = pair;
        let truth = self.truth(condition)?;
        if truth.is_open() {
            self.forked |= truth.late;
        }
        let before = truth.is_open().then(|| self.slots.clone());
        let yes = if truth.yes { self.eval(then) } else { None };
        if !truth.no {
            return yes;
        }
        let after = before.map(|before| std::mem::replace(&mut self.slots, before));
        let no = other.map_or_else(|| Some(Seen::nothing()), |other| self.eval(other));
        if let Some(after) = after {
            self.merge(after, yes.is_some(), no.is_some());
        }
        either(yes, no)
    }

    /// Joins the variables after a path with those that are there now; a path that does not come out counts for nothing.
    fn merge(&mut self, other: Vec<Option<Seen>>, other_ends: bool, this_ends: bool) {
        match (other_ends, this_ends) {
            (true, false) => self.slots = other,
            (true, true) => {
                for (mine, theirs) in self.slots.iter_mut().zip(other) {
                    *mine = either(mine.take(), theirs);
                }
            }
            _ => {}
        }
    }

    pub(super) fn switch(&mut self, switch: &Switch) -> Option<Seen> {
        let on = self.eval(&switch.on)?;
        let (arms, late) = self.arms(switch, &on);
        if arms.len() > 1 {
            self.forked |= late;
        }
        let before = self.slots.clone();
        let mut result: Option<Seen> = None;
        let mut after: Option<Vec<Option<Seen>>> = None;
        for arm in arms {
            self.slots.clone_from(&before);
            let node = arm.and_then(|arm| switch.arms.get(usize::from(arm)));
            let value = node.map_or_else(|| Some(Seen::nothing()), |node| self.eval(node));
            if value.is_some() {
                if let Some(after) = after.take() {
                    self.merge(after, true, true);
                }
                after = Some(self.slots.clone());
            }
            result = either(result, value);
        }
        self.slots = after.unwrap_or(before);
        result
    }

    /// Which arms may be chosen, and whether the lateness may choose.
    fn arms(&mut self, switch: &Switch, on: &Seen) -> (Vec<Option<u16>>, bool) {
        let mut arms: Vec<Option<u16>> = Vec::new();
        let mut add = |arm: Option<u16>| {
            if !arms.contains(&arm) {
                arms.push(arm);
            }
        };
        if let (Some(range), false) = (on.range(), on.values(self.words.currency).is_some()) {
            for (i, (case, arm)) in switch.cases.iter().enumerate() {
                let (first, last) = match case {
                    Case::Range(first, last) => (*first, *last),
                    Case::Value(value) => match number(value) {
                        Some((sort, n)) if sort == range.sort => (n, n),
                        _ => continue,
                    },
                };
                self.side_of(switch, i, range, (first, last));
                if first <= range.high && range.low <= last {
                    add(Some(*arm));
                }
                if first <= range.low && range.high <= last {
                    return (arms, range.way != Way::Still);
                }
            }
            add(switch.default);
            return (arms, range.way != Way::Still);
        }
        let Some(values) = on.values(self.words.currency).or_else(|| both(on)) else {
            switch.cases.iter().for_each(|(_, arm)| add(Some(*arm)));
            add(switch.default);
            return (arms, on.is_late());
        };
        for value in &values {
            let chosen = switch.cases.iter().find(|(case, _)| case.matches(value)).map(|(_, arm)| *arm);
            add(chosen.or(switch.default));
        }
        if let (Some(range), true) = (on.range(), self.watch.is_some()) {
            for (i, (case, _)) in switch.cases.iter().enumerate() {
                match (case, case_number(case)) {
                    (Case::Range(first, last), _) => self.side_of(switch, i, range, (*first, *last)),
                    (_, Some(n)) => self.side_of(switch, i, range, (n, n)),
                    _ => {}
                }
            }
        }
        (arms, on.is_late())
    }

    /// The two ends of a case as cuts.
    fn side_of(&mut self, switch: &Switch, i: usize, range: Range, (first, last): (i64, i64)) {
        if range.way == Way::Still && !range.is_one() {
            return;
        }
        let place = std::ptr::from_ref(switch) as usize;
        let index = u8::try_from(i).unwrap_or(u8::MAX / 2).min(u8::MAX / 2 - 1);
        let known = range.is_one();
        if known || (range.low < first && first <= range.high) {
            self.cut(Cut(place, 2 * index), known.then(|| i8::from(range.low >= first)));
        }
        if known || (range.low <= last && last < range.high) {
            self.cut(Cut(place, 2 * index + 1), known.then(|| i8::from(range.low > last)));
        }
    }
}

fn case_number(case: &Case) -> Option<i64> {
    match case {
        Case::Value(value) => number(value).map(|(_, n)| n),
        Case::Range(..) => None,
    }
}

/// Both truths, where either may be.
fn both(on: &Seen) -> Option<Vec<Value>> {
    match on {
        Seen::Truth(truth) if truth.is_open() => Some(vec![Value::Bool(true), Value::Bool(false)]),
        _ => None,
    }
}
