//! A clause's function run over symbols: every way through it, each under its condition.

use std::sync::Arc;

use rhai::{ImmutableString, Position};

use super::build::Build;
use super::symbol::{Cannot, Kind, Symbol, cannot, merged};
use super::{NodeId, Op as Out, Order, TextOf};
use crate::Pack;
use crate::program::{Case, Function, Node, Op, Switch};
use crate::terms::TermsInForce;
use crate::ticket::FactType;
use crate::vocabulary::{Asked, Relation, Sort, Value, negate};

/// One function on its way.
pub(super) struct Walk<'a> {
    pub(super) pack: &'a Pack,
    pub(super) terms: &'a TermsInForce,
    pub(super) build: &'a mut Build,
    /// The clock whose breach is priced.
    pub(super) clock: Option<Arc<str>>,
    /// Where the clause may not be sure.
    pub(super) doubts: Vec<NodeId>,
    /// Nodes that may have no answer: they are computed though nothing may look at them.
    pub(super) kept: Vec<NodeId>,
    /// The lateness was looked at.
    pub(super) late_read: bool,
    /// Where it is, for telling what stands in the way.
    pub(super) at: Position,
    path: Path,
}

/// Where control is: its condition, the variables, and what was returned on other ways.
#[derive(Clone)]
struct Path {
    live: NodeId,
    slots: Vec<Symbol>,
    returned: Vec<(NodeId, Symbol)>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        pack: &'a Pack,
        terms: &'a TermsInForce,
        build: &'a mut Build,
        live: NodeId,
    ) -> Walk<'a> {
        let path = Path { live, slots: Vec::new(), returned: Vec::new() };
        let (clock, doubts, kept) = (None, Vec::new(), Vec::new());
        Walk { pack, terms, build, clock, doubts, kept, late_read: false, at: Position::NONE, path }
    }

    /// What a function comes to.
    pub(super) fn call(&mut self, function: &Function) -> Result<Symbol, Cannot> {
        self.path.slots = vec![Symbol::Known(Value::Nothing); function.slots];
        let value = self.eval(&function.body)?;
        self.path.returned.push((self.path.live, value));
        let all = std::mem::take(&mut self.path.returned);
        self.merge(all)
    }

    /// Where control comes here and this holds, the clause stops with a fault.
    pub(super) fn doubt(&mut self, when: NodeId) {
        let when = self.build.and(self.path.live, when);
        if self.build.truth(when) != Some(false) && !self.doubts.contains(&when) {
            self.doubts.push(when);
        }
    }

    /// Control stops here with a fault.
    pub(super) fn fault(&mut self) -> Symbol {
        let yes = self.build.bool(true);
        self.doubt(yes);
        self.path.live = self.build.bool(false);
        Symbol::Never
    }

    pub(super) fn merge(&mut self, of: Vec<(NodeId, Symbol)>) -> Result<Symbol, Cannot> {
        merged(self.build, of, self.pack.currency)
    }

    pub(super) fn symbol(&mut self, node: NodeId, kind: Kind) -> Symbol {
        if self.build.may_fail(node) && !self.kept.contains(&node) {
            self.kept.push(node);
        }
        Symbol::of(self.build, node, kind, self.pack.currency)
    }

    /// Runs something under a further condition, and gives back the path as it left it.
    pub(super) fn under<T>(
        &mut self,
        condition: NodeId,
        run: impl FnOnce(&mut Self) -> Result<T, Cannot>,
    ) -> Result<T, Cannot> {
        let before = self.path.live;
        self.path.live = self.build.and(before, condition);
        let result = run(self);
        self.path.live = before;
        result
    }

    pub(super) fn eval(&mut self, node: &Node) -> Result<Symbol, Cannot> {
        if self.build.truth(self.path.live) == Some(false) {
            return Ok(Symbol::Never);
        }
        if self.build.is_full() {
            return cannot("the clause is too large to be put as columns");
        }
        if node.at != Position::NONE {
            self.at = node.at;
        }
        match &node.op {
            Op::Const(value) => Ok(Symbol::Known(value.clone())),
            Op::Slot(slot) => {
                Ok(self.path.slots.get(usize::from(*slot)).cloned().unwrap_or(Symbol::Known(Value::Nothing)))
            }
            Op::Fact { place, first, chinese } => self.fact(*place, *first, chinese.as_ref()),
            Op::Knows(place) => Ok(self.truth(Out::Known(*place))),
            Op::Has(kind) => Ok(self.truth(Out::Happened(kind.0))),
            Op::Knew(place, kind) => Ok(self.truth(Out::Knew(*place, kind.0))),
            Op::ContractHas(which) => Ok(self.truth(Out::ContractHas(*which == 1))),
            Op::Ask(asked) => self.ask(*asked),
            Op::Again(_) => cannot("it looks at earlier breaches"),
            Op::Term(place) => match self.terms.values.get(usize::from(*place)) {
                Some(Some(value)) => Ok(Symbol::Known(Value::of_term(value))),
                _ => Ok(self.fault()),
            },
            Op::Not(inner) => {
                let inner = self.condition(inner)?;
                let not = self.build.not(inner);
                Ok(self.symbol(not, Kind::Bool))
            }
            Op::Negate(inner) => match self.eval(inner)? {
                Symbol::Known(Value::Count(n)) => self.known(negate(n)),
                Symbol::Never => Ok(Symbol::Never),
                other => {
                    let (node, kind) = other.number(self.build)?;
                    let zero = self.build.int(0);
                    let negative = self.build.compute(Out::Sub(zero, node));
                    Ok(self.symbol(negative, kind))
                }
            },
            Op::And(nodes) => self.until(nodes, false),
            Op::Or(nodes) => self.until(nodes, true),
            Op::Compare(relation, pair) => {
                let (a, b) = (self.eval(&pair[0])?, self.eval(&pair[1])?);
                let node = self.compared(*relation, a, b)?;
                Ok(self.symbol(node, Kind::Bool))
            }
            Op::Compute(sign, pair) => {
                let (a, b) = (self.eval(&pair[0])?, self.eval(&pair[1])?);
                self.computed(*sign, a, b)
            }
            Op::Word { word, act, args } => {
                let mut symbols = Vec::with_capacity(args.len());
                for arg in args {
                    symbols.push(self.eval(arg)?);
                }
                self.word(*word, *act, symbols)
            }
            Op::Deadline { known, fill } => {
                let mut due = Symbol::Due(known.clone(), None);
                for filling in fill {
                    let mut all = vec![due];
                    for arg in &filling.args {
                        all.push(self.eval(arg)?);
                    }
                    due = self.word(filling.word, filling.act, all)?;
                }
                Ok(due)
            }
            Op::List(nodes) => {
                let items: Result<Vec<Symbol>, Cannot> = nodes.iter().map(|node| self.eval(node)).collect();
                Ok(Symbol::List(items?))
            }
            Op::If(pair, other) => {
                let condition = self.condition(&pair[0])?;
                let not = self.build.not(condition);
                self.branch(&[(condition, Some(&pair[1])), (not, other.as_deref())])
            }
            Op::Switch(switch) => self.switch(switch),
            Op::Block(nodes) => {
                let mut value = Symbol::Known(Value::Nothing);
                for node in nodes {
                    value = self.eval(node)?;
                }
                Ok(value)
            }
            Op::Set { slot, value, .. } => {
                let value = self.eval(value)?;
                if let Some(place) = self.path.slots.get_mut(usize::from(*slot)) {
                    *place = value;
                }
                Ok(Symbol::Known(Value::Nothing))
            }
            Op::Return(inner) => {
                let value = self.eval(inner)?;
                self.path.returned.push((self.path.live, value));
                self.path.live = self.build.bool(false);
                Ok(Symbol::Never)
            }
            Op::Call { args, body, .. } => {
                for arg in args {
                    self.eval(arg)?;
                }
                let before = self.path.live;
                let outer = std::mem::take(&mut self.path.returned);
                let value = self.eval(body)?;
                let mut all = std::mem::replace(&mut self.path.returned, outer);
                // Where it stopped with a fault the row is doubtful, whatever comes after.
                let last = std::mem::replace(&mut self.path.live, before);
                all.push((last, value));
                self.merge(all)
            }
        }
    }

    pub(super) fn known(&mut self, result: Result<Value, String>) -> Result<Symbol, Cannot> {
        Ok(match result {
            Ok(value) => Symbol::Known(value),
            Err(_) => self.fault(),
        })
    }

    fn truth(&mut self, op: Out) -> Symbol {
        let node = self.build.node(op);
        self.symbol(node, Kind::Bool)
    }

    /// A condition as a node.
    fn condition(&mut self, node: &Node) -> Result<NodeId, Cannot> {
        match self.eval(node)? {
            Symbol::Never => Ok(self.build.bool(false)),
            other => match other.lowered(self.build) {
                Some((node, Kind::Bool)) => Ok(node),
                _ => cannot("a condition that is no truth"),
            },
        }
    }

    fn fact(
        &mut self,
        place: u16,
        first: bool,
        chinese: Option<&Arc<[ImmutableString]>>,
    ) -> Result<Symbol, Cannot> {
        let known = self.build.node(Out::Known(place));
        let unknown = self.build.not(known);
        self.doubt(unknown);
        let Some(fact) = self.pack.schema.facts.get(usize::from(place)) else {
            return cannot("no such fact");
        };
        let kind = match &fact.of {
            FactType::Text => return Ok(Symbol::Text(TextOf::Fact(place, first))),
            FactType::Bool => return Ok(self.truth(Out::Flag(place, first))),
            FactType::Integer => Kind::Count,
            FactType::Money => Kind::Money,
            FactType::Instant => Kind::Instant,
            FactType::OneOf(values) => match chinese {
                Some(chinese) if chinese.len() == values.len() => Kind::Choice(Arc::clone(chinese)),
                Some(_) => return cannot("a one-of of which not all values have a Chinese name"),
                None => Kind::Choice(values.as_slice().into()),
            },
        };
        let node = self.build.node(Out::Fact(place, first));
        Ok(self.symbol(node, kind))
    }

    fn ask(&mut self, asked: Asked) -> Result<Symbol, Cannot> {
        let (op, kind) = match asked {
            Asked::First => return Ok(Symbol::Known(Value::View(Sort::First))),
            Asked::Ticket => return Ok(Symbol::Known(Value::View(Sort::Ticket))),
            Asked::Via => return Ok(Symbol::Text(TextOf::Via)),
            Asked::Id => return Ok(Symbol::Text(TextOf::Id)),
            Asked::Clock => {
                return match &self.clock {
                    Some(clock) => Ok(Symbol::Known(Value::Text((&**clock).into()))),
                    None => Ok(self.fault()),
                };
            }
            Asked::Of(_) => return cannot("it looks at a period or at earlier breaches"),
            Asked::ReportedAt => (Out::ReportedAt, Kind::Instant),
            Asked::SignedAt | Asked::AcceptedAt => {
                let which = asked == Asked::AcceptedAt;
                let has = self.build.node(Out::ContractHas(which));
                let not = self.build.not(has);
                self.doubt(not);
                (Out::ContractAt(which), Kind::Instant)
            }
            Asked::Due => (Out::Due, Kind::Instant),
            Asked::Late => {
                self.late_read = true;
                (Out::Late, Kind::Time)
            }
        };
        if self.clock.is_none() && matches!(op, Out::Due | Out::Late) {
            return Ok(self.fault());
        }
        let node = self.build.node(op);
        Ok(self.symbol(node, kind))
    }

    /// From left to right until one is this; what stands after is looked at only then.
    fn until(&mut self, nodes: &[Node], stop: bool) -> Result<Symbol, Cannot> {
        let (before, known) = (self.path.live, self.path.returned.len());
        let mut all = self.build.bool(!stop);
        for node in nodes {
            if self.build.truth(self.path.live) == Some(false) {
                break;
            }
            let here = self.condition(node)?;
            all = if stop { self.build.or(all, here) } else { self.build.and(all, here) };
            let goes_on = if stop { self.build.not(here) } else { here };
            self.path.live = self.build.and(self.path.live, goes_on);
        }
        // Where a part stopped with a fault the row is doubtful, whatever comes after; where one returned, control has gone.
        let returned: Vec<NodeId> = self.path.returned.iter().skip(known).map(|(live, _)| *live).collect();
        let gone = self.build.or_all(returned);
        let stays = self.build.not(gone);
        self.path.live = self.build.and(before, stays);
        Ok(self.symbol(all, Kind::Bool))
    }

    /// Goes several ways, each under its condition, and joins what they come to.
    fn branch(&mut self, ways: &[(NodeId, Option<&Node>)]) -> Result<Symbol, Cannot> {
        let before = self.path.clone();
        let (mut values, mut paths) = (Vec::new(), Vec::new());
        for (condition, way) in ways {
            let live = self.build.and(before.live, *condition);
            if self.build.truth(live) == Some(false) {
                continue;
            }
            self.path = Path { live, slots: before.slots.clone(), returned: Vec::new() };
            let value = match way {
                Some(node) => self.eval(node)?,
                None => Symbol::Known(Value::Nothing),
            };
            values.push((*condition, value));
            paths.push((*condition, self.path.clone()));
        }
        let mut slots = Vec::with_capacity(before.slots.len());
        for (place, old) in before.slots.iter().enumerate() {
            let of = |path: &Path| path.slots.get(place).cloned().unwrap_or(Symbol::Never);
            if paths.iter().all(|(_, path)| path.slots.get(place) == Some(old)) {
                slots.push(old.clone());
                continue;
            }
            let ways: Vec<(NodeId, Symbol)> = paths
                .iter()
                .filter(|(_, path)| self.build.truth(path.live) != Some(false))
                .map(|(condition, path)| (*condition, of(path)))
                .collect();
            slots.push(self.merge(ways)?);
        }
        // When no way returns, control is where it was before; where one stopped with a fault the row is doubtful anyhow.
        let live = match paths.iter().all(|(_, path)| path.returned.is_empty()) {
            true => before.live,
            false => self.build.or_all(paths.iter().map(|(_, path)| path.live).collect::<Vec<_>>()),
        };
        let mut returned = before.returned;
        returned.extend(paths.into_iter().flat_map(|(_, path)| path.returned));
        self.path = Path { live, slots, returned };
        self.merge(values)
    }

    fn switch(&mut self, switch: &Switch) -> Result<Symbol, Cannot> {
        let on = self.eval(&switch.on)?;
        if let Symbol::Known(value) = &on {
            let chosen = switch.cases.iter().find(|(case, _)| case.matches(value)).map(|(_, arm)| *arm);
            let arm = chosen.or(switch.default).and_then(|arm| switch.arms.get(usize::from(arm)));
            return arm.map_or(Ok(Symbol::Known(Value::Nothing)), |arm| self.eval(arm));
        }
        if on == Symbol::Never {
            return Ok(Symbol::Never);
        }
        // The first case that matches: each stands for what those before it have left over.
        let mut left = self.build.bool(true);
        let mut by_arm: Vec<(u16, NodeId)> = Vec::new();
        for (case, arm) in &switch.cases {
            let matches = self.matched(case, &on)?;
            let here = self.build.and(left, matches);
            let not = self.build.not(matches);
            left = match (self.build.op(left).cloned(), self.build.op(matches).cloned()) {
                // Of a one-of it is known what is left.
                (Some(Out::In(code, rest)), Some(Out::In(_, taken))) => {
                    let rest = rest.iter().zip(taken.iter()).map(|(rest, taken)| *rest && !*taken);
                    self.build.choice(code, rest.collect())
                }
                (Some(Out::Bool(true)), Some(Out::In(code, taken))) => {
                    self.build.choice(code, taken.iter().map(|taken| !*taken).collect())
                }
                _ => self.build.and(left, not),
            };
            match by_arm.iter_mut().find(|(known, _)| known == arm) {
                Some((_, condition)) => *condition = self.build.or(*condition, here),
                None => by_arm.push((*arm, here)),
            }
        }
        if let Some(default) = switch.default {
            match by_arm.iter_mut().find(|(known, _)| *known == default) {
                Some((_, condition)) => *condition = self.build.or(*condition, left),
                None => by_arm.push((default, left)),
            }
        }
        let mut ways: Vec<(NodeId, Option<&Node>)> =
            by_arm.iter().map(|(arm, condition)| (*condition, switch.arms.get(usize::from(*arm)))).collect();
        if switch.default.is_none() {
            ways.push((left, None));
        }
        self.branch(&ways)
    }

    fn matched(&mut self, case: &Case, on: &Symbol) -> Result<NodeId, Cannot> {
        match case {
            Case::Value(value) => self.compared(Relation::Equal, on.clone(), Symbol::Known(value.clone())),
            Case::Range(first, last) => {
                let (on, _) = on.number(self.build)?;
                let (first, last) = (self.build.int(*first), self.build.int(*last));
                let above = self.build.compare(Order::AtMost, first, on);
                let below = self.build.compare(Order::AtMost, on, last);
                Ok(self.build.and(above, below))
            }
        }
    }
}
