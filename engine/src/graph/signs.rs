//! Comparisons and signs over symbols.

use super::symbol::{Cannot, Kind, Symbol, aligned, cannot};
use super::walk::Walk;
use super::{NodeId, Op as Out, Order};
use crate::vocabulary::{Relation, Sign, Value, compare, compute};

impl Walk<'_> {
    pub(super) fn compared(&mut self, relation: Relation, a: Symbol, b: Symbol) -> Result<NodeId, Cannot> {
        match (&a, &b) {
            (Symbol::Never, _) | (_, Symbol::Never) => return Ok(self.build.bool(false)),
            (Symbol::Known(a), Symbol::Known(b)) => {
                return Ok(match compare(relation, a, b) {
                    Ok(yes) => self.build.bool(yes),
                    Err(_) => {
                        self.fault();
                        self.build.bool(false)
                    }
                });
            }
            (Symbol::Either(ways), other) => {
                return self.any_of(ways, |walk, way| walk.compared(relation, way, other.clone()));
            }
            (other, Symbol::Either(ways)) => {
                return self.any_of(ways, |walk, way| walk.compared(relation, other.clone(), way));
            }
            (Symbol::Text(text), Symbol::Known(Value::Text(known)))
            | (Symbol::Known(Value::Text(known)), Symbol::Text(text)) => {
                let is = self.build.node(Out::IsText(*text, known.as_str().into()));
                return match relation {
                    Relation::Equal => Ok(is),
                    Relation::Unequal => Ok(self.build.not(is)),
                    _ => cannot("texts that any ticket may give are put in order"),
                };
            }
            (Symbol::Text(_), _) | (_, Symbol::Text(_)) => {
                return cannot("two texts of a ticket are compared with each other");
            }
            (Symbol::Node(code, Kind::Choice(texts)), Symbol::Known(Value::Text(known))) => {
                let holds = texts.iter().map(|text| relation.holds(text.as_str().cmp(known.as_str())));
                return Ok(self.build.choice(*code, holds.collect()));
            }
            (Symbol::Known(Value::Text(known)), Symbol::Node(code, Kind::Choice(texts))) => {
                let holds = texts.iter().map(|text| relation.holds(known.as_str().cmp(text.as_str())));
                return Ok(self.build.choice(*code, holds.collect()));
            }
            _ => {}
        }
        let ((a, of_a), (b, of_b)) = (a.number(self.build)?, b.number(self.build)?);
        let (a, b) = match (&of_a, &of_b) {
            (Kind::Bool, Kind::Bool) => {
                let not = self.build.not(b);
                let same = self.build.choose(a, b, not);
                return Ok(if relation == Relation::Equal { same } else { self.build.not(same) });
            }
            (Kind::Share(x), Kind::Share(y)) => {
                let (a, b, _) = aligned(self.build, (a, *x), (b, *y));
                (a, b)
            }
            (Kind::Choice(x), Kind::Choice(y)) if x == y && !relation.is_order() => (a, b),
            (Kind::Choice(_), _) | (_, Kind::Choice(_)) => {
                return cannot("texts of two one-ofs are compared with each other");
            }
            (x, y) if x == y => (a, b),
            _ => return cannot("unlike things are compared"),
        };
        Ok(match relation {
            Relation::Equal => self.build.compare(Order::Equal, a, b),
            Relation::Unequal => {
                let same = self.build.compare(Order::Equal, a, b);
                self.build.not(same)
            }
            Relation::Less => self.build.compare(Order::Less, a, b),
            Relation::AtMost => self.build.compare(Order::AtMost, a, b),
            Relation::More => self.build.compare(Order::Less, b, a),
            Relation::AtLeast => self.build.compare(Order::AtMost, b, a),
        })
    }

    /// Whether it holds on the way that is taken.
    fn any_of(
        &mut self,
        ways: &[(NodeId, Symbol)],
        holds: impl Fn(&mut Self, Symbol) -> Result<NodeId, Cannot>,
    ) -> Result<NodeId, Cannot> {
        let mut any = self.build.bool(false);
        for (condition, way) in ways {
            let here = self.under(*condition, |walk| holds(walk, way.clone()))?;
            let here = self.build.and(*condition, here);
            any = self.build.or(any, here);
        }
        Ok(any)
    }

    pub(super) fn computed(&mut self, sign: Sign, a: Symbol, b: Symbol) -> Result<Symbol, Cannot> {
        match (&a, &b) {
            (Symbol::Never, _) | (_, Symbol::Never) => return Ok(Symbol::Never),
            (Symbol::Known(a), Symbol::Known(b)) => return self.known(compute(sign, a, b)),
            _ => {}
        }
        let ((a, of_a), (b, of_b)) = (a.number(self.build)?, b.number(self.build)?);
        let (op, kind) = match (of_a, sign, of_b) {
            (Kind::Count, Sign::Rest, Kind::Count) => match self.build.number(b) {
                Some(by) if by != 0 && by != -1 => (Out::Rest(a, by), Kind::Count),
                _ => return cannot("a rest by a number that is not written out"),
            },
            (_, Sign::Over | Sign::Rest, _) => return cannot("a division of what is not written out"),
            (Kind::Share(x), Sign::Plus | Sign::Minus, Kind::Share(y)) => {
                let (a, b, scale) = aligned(self.build, (a, x), (b, y));
                let op = if sign == Sign::Plus { Out::Add(a, b) } else { Out::Sub(a, b) };
                (op, Kind::Share(scale))
            }
            (Kind::Share(x), Sign::Times, Kind::Share(y)) if x + y <= 12 => {
                (Out::Mul(a, b), Kind::Share(x + y))
            }
            (Kind::Share(x), Sign::Times, Kind::Count) => (Out::Mul(a, b), Kind::Share(x)),
            (Kind::Instant, Sign::Minus, Kind::Instant) => (Out::Sub(a, b), Kind::Time),
            (Kind::Instant, Sign::Plus, Kind::Time) => {
                let sum = self.build.compute(Out::Add(a, b));
                let no_instant = self.build.no_instant(sum);
                self.doubt(no_instant);
                return Ok(self.symbol(sum, Kind::Instant));
            }
            (of @ (Kind::Count | Kind::Money | Kind::Time), Sign::Plus, other) if of == other => {
                (Out::Add(a, b), of)
            }
            (of @ (Kind::Count | Kind::Money | Kind::Time), Sign::Minus, other) if of == other => {
                (Out::Sub(a, b), of)
            }
            (Kind::Count, Sign::Times, of @ (Kind::Count | Kind::Money)) => (Out::Mul(a, b), of),
            (of @ (Kind::Money | Kind::Time), Sign::Times, Kind::Count) => (Out::Mul(a, b), of),
            _ => return cannot("things that do not compute together"),
        };
        let node = self.build.compute(op);
        Ok(self.symbol(node, kind))
    }
}
