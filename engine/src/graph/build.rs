//! Making nodes: equal ones are one, what is known is computed, and what can leave 64 bits is found by ranges.

use std::collections::HashMap;
use std::sync::Arc;

use super::{NodeId, Op, Order};
use crate::Instant;

/// More nodes than these are not made; the clause is evaluated row by row then.
pub(super) const NODES_MAX: usize = 60_000;

/// Instants of a batch lie within the years that calendars speak about; others are judged row by row.
const YEARS: [i64; 2] = [-2_208_988_800_000_000, 10_413_792_000_000_000];

/// The least and the greatest value of a node.
pub(super) type Range = (i128, i128);

const ALL: Range = (i64::MIN as i128, i64::MAX as i128);

/// The nodes of one graph while it is made.
#[derive(Default)]
pub(super) struct Build {
    pub(super) nodes: Vec<Op>,
    pub(super) watched: Vec<bool>,
    ranges: Vec<Range>,
    known: HashMap<Op, NodeId>,
    /// Facts that hold instants, whose range is known.
    instants: Vec<bool>,
    /// How many values the one-ofs among the facts have; zero for others.
    choices: Vec<usize>,
}

impl Build {
    /// No nodes yet. Of each fact: whether it is an instant, and how many values it has as a one-of.
    pub(super) fn new(instants: Vec<bool>, choices: Vec<usize>) -> Build {
        Build { instants, choices, ..Build::default() }
    }

    pub(super) fn bool(&mut self, yes: bool) -> NodeId {
        self.node(Op::Bool(yes))
    }

    pub(super) fn int(&mut self, n: i64) -> NodeId {
        self.node(Op::Int(n))
    }

    pub(super) fn range(&self, node: NodeId) -> Range {
        self.ranges.get(node.place()).copied().unwrap_or(ALL)
    }

    /// Whether it may leave 64 bits, or the calendar's years.
    pub(super) fn may_fail(&self, node: NodeId) -> bool {
        self.watched.get(node.place()) == Some(&true) || matches!(self.op(node), Some(Op::After(..)))
    }

    pub(super) fn op(&self, node: NodeId) -> Option<&Op> {
        self.nodes.get(node.place())
    }

    /// The number, if it is known.
    pub(super) fn number(&self, node: NodeId) -> Option<i64> {
        match self.op(node) {
            Some(Op::Int(n)) => Some(*n),
            _ => None,
        }
    }

    /// The truth, if it is known.
    pub(super) fn truth(&self, node: NodeId) -> Option<bool> {
        match self.op(node) {
            Some(Op::Bool(yes)) => Some(*yes),
            _ => None,
        }
    }

    /// The node of an operation: the one that is there, or a new one.
    pub(super) fn node(&mut self, op: Op) -> NodeId {
        if let Some(known) = self.known.get(&op) {
            return *known;
        }
        let range = self.range_of(&op);
        let fits = range.0 >= ALL.0 && range.1 <= ALL.1;
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.ranges.push(if fits { range } else { ALL });
        self.watched.push(!fits);
        self.nodes.push(op.clone());
        self.known.insert(op, id);
        id
    }

    fn range_of(&self, op: &Op) -> Range {
        let of = |node: &NodeId| self.range(*node);
        match op {
            Op::Int(n) => (i128::from(*n), i128::from(*n)),
            Op::ReportedAt | Op::ContractAt(_) | Op::Due => (YEARS[0].into(), YEARS[1].into()),
            Op::Late => (0, i128::from(YEARS[1]) - i128::from(YEARS[0])),
            Op::After(..) => (YEARS[0].into(), YEARS[1].into()),
            Op::Fact(place, _) => {
                let place = usize::from(*place);
                match self.choices.get(place).copied().unwrap_or_default() {
                    0 if self.instants.get(place) == Some(&true) => (YEARS[0].into(), YEARS[1].into()),
                    0 => ALL,
                    n => (0, n as i128 - 1),
                }
            }
            Op::Add(a, b) => (of(a).0 + of(b).0, of(a).1 + of(b).1),
            Op::Sub(a, b) => (of(a).0 - of(b).1, of(a).1 - of(b).0),
            Op::Mul(a, b) => {
                let (a, b) = (of(a), of(b));
                let all = [a.0 * b.0, a.0 * b.1, a.1 * b.0, a.1 * b.1];
                (all.into_iter().min().unwrap_or(ALL.0), all.into_iter().max().unwrap_or(ALL.1))
            }
            Op::Rest(a, by) => {
                let most = i128::from(by.unsigned_abs()) - 1;
                (if of(a).0 < 0 { -most } else { 0 }, if of(a).1 > 0 { most } else { 0 })
            }
            Op::Min(a, b) => (of(a).0.min(of(b).0), of(a).1.min(of(b).1)),
            Op::Max(a, b) => (of(a).0.max(of(b).0), of(a).1.max(of(b).1)),
            Op::Parts(a, unit, begun) => {
                let unit = i128::from(*unit);
                (of(a).0 / unit, of(a).1 / unit + i128::from(*begun))
            }
            // Watched by the operation itself: a share can be of any size.
            Op::Share { .. } => (i128::MIN, i128::MAX),
            Op::Band(_, _, values) | Op::Table(_, values) => {
                let zero = matches!(op, Op::Table(..)).then_some(0);
                let all = || values.iter().copied().chain(zero);
                (all().min().unwrap_or(0).into(), all().max().unwrap_or(0).into())
            }
            Op::Select(_, a, b) => (of(a).0.min(of(b).0), of(a).1.max(of(b).1)),
            _ => ALL,
        }
    }

    pub(super) fn not(&mut self, a: NodeId) -> NodeId {
        match self.op(a) {
            Some(Op::Bool(yes)) => {
                let no = !*yes;
                self.bool(no)
            }
            Some(Op::Not(inner)) => *inner,
            _ => self.node(Op::Not(a)),
        }
    }

    pub(super) fn and(&mut self, a: NodeId, b: NodeId) -> NodeId {
        match (self.truth(a), self.truth(b)) {
            (Some(true), _) => return b,
            (_, Some(true)) => return a,
            (Some(false), _) | (_, Some(false)) => return self.bool(false),
            _ if a == b => return a,
            _ => {}
        }
        if self.is_opposite(a, b) {
            return self.bool(false);
        }
        // A path's condition is often asked for again on the way.
        if let Some(Op::And(x, y)) = self.op(a)
            && (*x == b || *y == b)
        {
            return a;
        }
        if let (Some(Op::In(x, left)), Some(Op::In(y, right))) = (self.op(a), self.op(b))
            && x == y
        {
            let (code, both): (NodeId, Vec<bool>) = (*x, zip_with(left, right, |a, b| a && b));
            return self.choice(code, both);
        }
        let (a, b) = (a.min(b), a.max(b));
        self.node(Op::And(a, b))
    }

    pub(super) fn or(&mut self, a: NodeId, b: NodeId) -> NodeId {
        match (self.truth(a), self.truth(b)) {
            (Some(false), _) => return b,
            (_, Some(false)) => return a,
            (Some(true), _) | (_, Some(true)) => return self.bool(true),
            _ if a == b => return a,
            _ => {}
        }
        if self.is_opposite(a, b) {
            return self.bool(true);
        }
        if let (Some(Op::In(x, left)), Some(Op::In(y, right))) = (self.op(a), self.op(b))
            && x == y
        {
            let (code, either): (NodeId, Vec<bool>) = (*x, zip_with(left, right, |a, b| a || b));
            return self.choice(code, either);
        }
        let (a, b) = (a.min(b), a.max(b));
        self.node(Op::Or(a, b))
    }

    pub(super) fn or_all(&mut self, nodes: impl IntoIterator<Item = NodeId>) -> NodeId {
        let mut all = self.bool(false);
        for node in nodes {
            all = self.or(all, node);
        }
        all
    }

    fn is_opposite(&self, a: NodeId, b: NodeId) -> bool {
        self.op(a) == Some(&Op::Not(b)) || self.op(b) == Some(&Op::Not(a))
    }

    /// Whether a one-of has one of the values that the table says. The table covers all values there are.
    pub(super) fn choice(&mut self, code: NodeId, table: Vec<bool>) -> NodeId {
        if table.iter().all(|yes| !yes) {
            return self.bool(false);
        }
        if table.iter().all(|yes| *yes) {
            return self.bool(true);
        }
        self.node(Op::In(code, table.into()))
    }

    pub(super) fn compare(&mut self, order: Order, a: NodeId, b: NodeId) -> NodeId {
        let ((a_least, a_most), (b_least, b_most)) = (self.range(a), self.range(b));
        let known = match order {
            Order::Equal if a_least == a_most && (a_least, a_most) == (b_least, b_most) => Some(true),
            Order::Equal if a_most < b_least || b_most < a_least => Some(false),
            Order::Less if a_most < b_least => Some(true),
            Order::Less if a_least >= b_most => Some(false),
            Order::AtMost if a_most <= b_least => Some(true),
            Order::AtMost if a_least > b_most => Some(false),
            _ if a == b => Some(order != Order::Less),
            _ => None,
        };
        match known {
            Some(known) => self.bool(known),
            None => self.node(Op::Compare(order, a, b)),
        }
    }

    /// The sum, difference or product, computed if both are known and it fits.
    pub(super) fn compute(&mut self, op: Op) -> NodeId {
        let known = match &op {
            Op::Add(a, b) => self.both(*a, *b).and_then(|(a, b)| a.checked_add(b)),
            Op::Sub(a, b) => self.both(*a, *b).and_then(|(a, b)| a.checked_sub(b)),
            Op::Mul(a, b) => self.both(*a, *b).and_then(|(a, b)| a.checked_mul(b)),
            Op::Min(a, b) => self.both(*a, *b).map(|(a, b)| a.min(b)),
            Op::Max(a, b) => self.both(*a, *b).map(|(a, b)| a.max(b)),
            _ => None,
        };
        match known {
            Some(n) => self.int(n),
            None => self.node(op),
        }
    }

    fn both(&self, a: NodeId, b: NodeId) -> Option<(i64, i64)> {
        Some((self.number(a)?, self.number(b)?))
    }

    /// The second where the first holds, else the third.
    pub(super) fn select(&mut self, condition: NodeId, then: NodeId, other: NodeId) -> NodeId {
        match self.truth(condition) {
            Some(true) => then,
            Some(false) => other,
            None if then == other => then,
            None => self.node(Op::Select(condition, then, other)),
        }
    }

    /// The same of truths.
    pub(super) fn choose(&mut self, condition: NodeId, then: NodeId, other: NodeId) -> NodeId {
        if then == other {
            return then;
        }
        let (with, without) = (self.and(condition, then), self.not(condition));
        let without = self.and(without, other);
        self.or(with, without)
    }

    /// Whether a number lies outside of bounds.
    pub(super) fn outside(&mut self, node: NodeId, least: i64, most: i64) -> NodeId {
        let (low, high) = (self.int(least), self.int(most));
        let (below, above) = (self.compare(Order::Less, node, low), self.compare(Order::Less, high, node));
        self.or(below, above)
    }

    /// Whether a number is no instant of the time line.
    pub(super) fn no_instant(&mut self, node: NodeId) -> NodeId {
        self.outside(node, Instant::MIN.micros(), Instant::MAX.micros())
    }

    pub(super) fn is_full(&self) -> bool {
        self.nodes.len() > NODES_MAX
    }
}

fn zip_with(left: &Arc<[bool]>, right: &Arc<[bool]>, with: impl Fn(bool, bool) -> bool) -> Vec<bool> {
    left.iter().zip(right.iter()).map(|(a, b)| with(*a, *b)).collect()
}
