//! What a part of a clause comes to when its inputs are columns: a value, a node, or one of several by conditions.

use std::sync::Arc;

use rhai::ImmutableString;
use rust_decimal::Decimal;

use super::NodeId;
use super::build::Build;
use crate::vocabulary::{Due, Share, Value};
use crate::{Currency, Instant, Money, Span};

/// What a number on a lane means.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Bool,
    Count,
    Money,
    Time,
    Instant,
    /// Times ten to this power.
    Share(u32),
    /// The place of a text among these.
    Choice(Arc<[ImmutableString]>),
}

/// What a part comes to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Symbol {
    /// Control does not come here.
    Never,
    Known(Value),
    Node(NodeId, Kind),
    /// A text that is not one of a few: compared with texts that are written out.
    Text(super::TextOf),
    /// A deadline whose time, if it has one, is a node.
    Due(Box<Due>, Option<NodeId>),
    /// A step of escalation whose time is a node: it has its parts, and when it comes does not matter here.
    List(Vec<Symbol>),
    /// One of these, by conditions of which exactly one holds wherever control comes.
    Either(Vec<(NodeId, Symbol)>),
}

/// More alternatives than these are not followed.
pub(super) const ALTERNATIVES_MAX: usize = 128;

/// Why something cannot be put as columns.
#[derive(Debug)]
pub(super) struct Cannot(pub(super) String);

pub(super) fn cannot<T>(why: impl Into<String>) -> Result<T, Cannot> {
    Err(Cannot(why.into()))
}

/// A share as a whole number times a power of ten.
pub(super) fn scaled(share: Decimal) -> Option<(i64, u32)> {
    let share = share.normalize();
    let number = i64::try_from(share.mantissa()).ok()?;
    (share.scale() <= 12).then_some((number, share.scale()))
}

impl Symbol {
    /// A plain value as a node; nothing for what is no number.
    pub(super) fn lowered(&self, build: &mut Build) -> Option<(NodeId, Kind)> {
        Some(match self {
            Symbol::Node(node, kind) => (*node, kind.clone()),
            Symbol::Known(Value::Bool(yes)) => (build.bool(*yes), Kind::Bool),
            Symbol::Known(Value::Count(n)) => (build.int(*n), Kind::Count),
            Symbol::Known(Value::Money(money)) => (build.int(money.minor()), Kind::Money),
            Symbol::Known(Value::Time(span)) => (build.int(span.micros()), Kind::Time),
            Symbol::Known(Value::Instant(at)) => (build.int(at.micros()), Kind::Instant),
            Symbol::Known(Value::Share(Share(share))) => {
                let (number, scale) = scaled(*share)?;
                (build.int(number), Kind::Share(scale))
            }
            _ => return None,
        })
    }

    /// The same, where a number is expected.
    pub(super) fn number(&self, build: &mut Build) -> Result<(NodeId, Kind), Cannot> {
        self.lowered(build).map_or_else(|| cannot("a value that is no number is computed with"), Ok)
    }

    /// A node that came to a known number is its value.
    pub(super) fn of(build: &Build, node: NodeId, kind: Kind, currency: Currency) -> Symbol {
        let value = match (&kind, build.number(node), build.truth(node)) {
            (Kind::Bool, _, Some(yes)) => Value::Bool(yes),
            (Kind::Count, Some(n), _) => Value::Count(n),
            (Kind::Money, Some(n), _) => Value::Money(Money::from_minor(n, currency)),
            (Kind::Time, Some(n), _) => Value::Time(Span::from_micros(n)),
            (Kind::Share(scale), Some(n), _) => Value::Share(Share(Decimal::new(n, *scale).normalize())),
            (Kind::Choice(texts), Some(n), _) => match usize::try_from(n).ok().and_then(|n| texts.get(n)) {
                Some(text) => Value::Text(text.clone()),
                None => return Symbol::Node(node, kind),
            },
            (Kind::Instant, Some(n), _) => match Instant::from_micros(n) {
                Ok(at) => Value::Instant(at),
                Err(_) => return Symbol::Node(node, kind),
            },
            _ => return Symbol::Node(node, kind),
        };
        Symbol::Known(value)
    }
}

/// Two shares with the same power of ten.
pub(super) fn aligned(build: &mut Build, a: (NodeId, u32), b: (NodeId, u32)) -> (NodeId, NodeId, u32) {
    let scale = a.1.max(b.1);
    let mut raise = |(node, from): (NodeId, u32)| {
        if from == scale {
            return node;
        }
        let by = build.int(10_i64.pow(scale - from));
        build.compute(super::Op::Mul(node, by))
    };
    (raise(a), raise(b), scale)
}

/// One of several by conditions of which one holds where control comes.
pub(super) fn merged(
    build: &mut Build,
    of: Vec<(NodeId, Symbol)>,
    currency: Currency,
) -> Result<Symbol, Cannot> {
    let mut flat: Vec<(NodeId, Symbol)> = Vec::with_capacity(of.len());
    for (condition, symbol) in of {
        if build.truth(condition) == Some(false) || symbol == Symbol::Never {
            continue;
        }
        match symbol {
            Symbol::Either(inner) => {
                for (within, symbol) in inner {
                    let both = build.and(condition, within);
                    if build.truth(both) != Some(false) {
                        flat.push((both, symbol));
                    }
                }
            }
            other => flat.push((condition, other)),
        }
    }
    // What is the same under several conditions stands once.
    let mut joined: Vec<(NodeId, Symbol)> = Vec::with_capacity(flat.len());
    for (condition, symbol) in flat {
        match joined.iter_mut().find(|(_, known)| *known == symbol) {
            Some((known, _)) => *known = build.or(*known, condition),
            None => joined.push((condition, symbol)),
        }
    }
    if joined.len() > ALTERNATIVES_MAX {
        return cannot("there are too many ways through it");
    }
    match joined.len() {
        0 => return Ok(Symbol::Never),
        1 => return Ok(joined.pop().map_or(Symbol::Never, |(_, symbol)| symbol)),
        _ => {}
    }
    let numbers: Option<Vec<(NodeId, NodeId, Kind)>> = joined
        .iter()
        .map(|(condition, symbol)| symbol.lowered(build).map(|(node, kind)| (*condition, node, kind)))
        .collect();
    let Some(mut numbers) = numbers else { return Ok(Symbol::Either(joined)) };
    let Some((_, mut all, mut kind)) = numbers.pop() else { return Ok(Symbol::Never) };
    let mut table: Vec<(NodeId, NodeId)> = vec![(joined.last().map_or(all, |(c, _)| *c), all)];
    while let Some((condition, node, of)) = numbers.pop() {
        match (&kind, &of) {
            (Kind::Share(a), Kind::Share(b)) if a != b => {
                let (x, y, scale) = aligned(build, (node, *b), (all, *a));
                all = build.select(condition, x, y);
                kind = Kind::Share(scale);
                table.clear();
            }
            (Kind::Bool, Kind::Bool) => all = build.choose(condition, node, all),
            (a, b) if a == b => {
                all = build.select(condition, node, all);
                table.push((condition, node));
            }
            _ => return Ok(Symbol::Either(joined)),
        }
    }
    if kind != Kind::Bool
        && table.len() == joined.len()
        && let Some(looked_up) = looked_up(build, &table)
    {
        all = looked_up;
    }
    Ok(Symbol::of(build, all, kind, currency))
}

/// Known numbers chosen by the values of one one-of are a table.
fn looked_up(build: &mut Build, of: &[(NodeId, NodeId)]) -> Option<NodeId> {
    let mut code = None;
    let mut values: Vec<i64> = Vec::new();
    for (condition, node) in of {
        let number = build.number(*node)?;
        let super::Op::In(by, which) = build.op(*condition)? else { return None };
        if *code.get_or_insert(*by) != *by {
            return None;
        }
        values.resize(which.len(), 0);
        for (value, _) in values.iter_mut().zip(which.iter()).filter(|(_, yes)| **yes) {
            *value = number;
        }
    }
    Some(build.node(super::Op::Table(code?, values.into())))
}
