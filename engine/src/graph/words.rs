//! The words of the vocabulary over symbols.

use super::symbol::{Cannot, Kind, Symbol, cannot, scaled};
use super::walk::Walk;
use super::{NodeId, Op, Round};
use crate::terms::{TierBy, TierValue, Tiers};
use crate::vocabulary::{Act, Due, DueLength, Step, StepAt, Value, WORDS};
use crate::{Rounding, Span};

/// A share of more digits than this is not computed with exactly in columns.
const SHARE_MAX: i64 = 1_000_000_000;

impl Walk<'_> {
    /// A word: computed where everything is known, put as nodes where it is plain arithmetic, and done on every way where an
    /// argument is one of several.
    pub(super) fn word(&mut self, word: u16, act: Act, args: Vec<Symbol>) -> Result<Symbol, Cannot> {
        if args.contains(&Symbol::Never) {
            return Ok(Symbol::Never);
        }
        if let Some(known) = args.iter().map(value).collect::<Option<Vec<Value>>>() {
            let mut known = known;
            let result = act(&self.pack.policy.words, &mut known);
            return self.known(result);
        }
        if let Some((place, ways)) = args.iter().enumerate().find_map(|(place, arg)| match arg {
            Symbol::Either(ways) => Some((place, ways.clone())),
            _ => None,
        }) {
            let mut results = Vec::with_capacity(ways.len());
            for (condition, way) in ways {
                let mut args = args.clone();
                if let Some(arg) = args.get_mut(place) {
                    *arg = way;
                }
                results.push((condition, self.under(condition, |walk| walk.word(word, act, args))?));
            }
            return self.merge(results);
        }
        let Some(word) = WORDS.get(usize::from(word)) else { return cannot("an unknown word") };
        match args.as_slice() {
            [Symbol::Due(due, time), rest @ ..] => self.deadline(word.names[0], act, due, *time, rest),
            args => self.arithmetic(word.names[0], args),
        }
    }

    /// A word that fills in a part of a deadline.
    fn deadline(
        &mut self,
        name: &str,
        act: Act,
        due: &Due,
        time: Option<NodeId>,
        rest: &[Symbol],
    ) -> Result<Symbol, Cannot> {
        let Some(mut args) = rest.iter().map(value).collect::<Option<Vec<Value>>>() else {
            return match (name, rest) {
                ("within", [Symbol::Node(node, Kind::Time)]) => {
                    let due = Due { length: Some(DueLength::Span(Span::ZERO)), ..due.clone() };
                    Ok(Symbol::Due(Box::new(due), Some(*node)))
                }
                _ => cannot(format!(
                    "`{name}` of a deadline is given something that differs from ticket to ticket"
                )),
            };
        };
        args.insert(0, Value::Deadline(Box::new(due.clone())));
        let time = time.filter(|_| !["within", "by", "before"].contains(&name));
        match act(&self.pack.policy.words, &mut args) {
            Ok(Value::Deadline(due)) => Ok(Symbol::Due(due, time)),
            Ok(_) => cannot("a deadline that becomes something else"),
            Err(_) => Ok(self.fault()),
        }
    }

    fn arithmetic(&mut self, name: &str, args: &[Symbol]) -> Result<Symbol, Cannot> {
        let unit = |name: &str| match name {
            "seconds" => Some(1_000_000),
            "minutes" => Some(60_000_000),
            "hours" => Some(3_600_000_000_i64),
            _ => None,
        };
        match (name, args) {
            (name, [Symbol::Node(n, Kind::Count)]) if unit(name).is_some() => {
                let by = self.build.int(unit(name).unwrap_or(1));
                let (zero, time) = (self.build.int(0), self.build.compute(Op::Mul(*n, by)));
                let negative = self.build.compare(super::Order::Less, *n, zero);
                self.doubt(negative);
                Ok(self.symbol(time, Kind::Time))
            }
            ("yuan", [Symbol::Node(n, Kind::Count)]) if self.pack.currency.code() == "CNY" => {
                let by = self.build.int(100);
                let amount = self.build.compute(Op::Mul(*n, by));
                Ok(self.symbol(amount, Kind::Money))
            }
            ("percent", [Symbol::Node(n, Kind::Count)]) => Ok(Symbol::Node(*n, Kind::Share(2))),
            ("started" | "full", [time, Symbol::Known(Value::Time(unit))]) if unit.micros() > 0 => {
                let (time, kind) = time.number(self.build)?;
                if kind != Kind::Time {
                    return cannot(format!("`{name}` of something else than time"));
                }
                let parts = self.build.node(Op::Parts(time, unit.micros(), name == "started"));
                Ok(self.symbol(parts, Kind::Count))
            }
            (
                "started" | "full",
                [Symbol::Node(share, Kind::Share(scale)), Symbol::Known(Value::Share(unit))],
            ) => {
                let Some((unit, by)) = scaled(unit.0).filter(|(unit, by)| *unit > 0 && by <= scale) else {
                    return cannot(format!("`{name}` of a share by a finer unit"));
                };
                let unit = unit.checked_mul(10_i64.pow(scale - by));
                let Some(unit) = unit else { return cannot(format!("`{name}` of a share by a large unit")) };
                let zero = self.build.int(0);
                let share = self.build.compute(Op::Max(*share, zero));
                let parts = self.build.node(Op::Parts(share, unit, name == "started"));
                Ok(self.symbol(parts, Kind::Count))
            }
            ("plus", [Symbol::Node(at, Kind::Instant), Symbol::Known(Value::Days(period))]) => {
                let end = self.build.node(Op::After(*at, *period));
                Ok(self.symbol(end, Kind::Instant))
            }
            ("of", [share, amount, Symbol::Known(Value::Text(rounding))]) => {
                let rounding = self.pack.policy.words.rounding(rounding).parse::<Rounding>();
                let Ok(rounding) = rounding else { return Ok(self.fault()) };
                let ((share, of_share), (amount, of_amount)) =
                    (share.number(self.build)?, amount.number(self.build)?);
                let (Kind::Share(scale), Kind::Money) = (of_share, of_amount) else {
                    return cannot("`of` takes a share and an amount");
                };
                let large = self.build.outside(share, -SHARE_MAX, SHARE_MAX);
                self.doubt(large);
                let op = Op::Share { amount, share, scale, rounding: Round::from(rounding) };
                let part = self.build.node(op);
                Ok(self.symbol(part, Kind::Money))
            }
            ("at", [Symbol::Known(Value::Tiers(tiers)), Symbol::Node(x, kind)]) => self.tier(tiers, *x, kind),
            ("min" | "max", [a, b]) => {
                let ((a, of_a), (b, of_b)) = (a.number(self.build)?, b.number(self.build)?);
                if of_a != of_b || !matches!(of_a, Kind::Count | Kind::Money) {
                    return cannot(format!("`{name}` of unlike things"));
                }
                let op = if name == "min" { Op::Min(a, b) } else { Op::Max(a, b) };
                let node = self.build.compute(op);
                Ok(self.symbol(node, of_a))
            }
            // When a step comes does not matter for what a ticket owes; that it is no fault does.
            ("after_breach", [Symbol::Known(Value::Text(clock)), Symbol::Node(time, Kind::Time)]) => {
                let zero = self.build.int(0);
                let negative = self.build.compare(super::Order::Less, *time, zero);
                self.doubt(negative);
                let step = Step { clock: clock.as_str().into(), at: StepAt::Breach, roles: [].into() };
                Ok(Symbol::Known(Value::Step(Box::new(step))))
            }
            _ => cannot(format!("`{name}` is given something that differs from ticket to ticket")),
        }
    }

    /// The value of a table of terms.toml.
    fn tier(&mut self, tiers: &Tiers, x: NodeId, kind: &Kind) -> Result<Symbol, Cannot> {
        let scale = match (tiers.by(), kind) {
            (TierBy::Count, Kind::Count) => 0,
            (TierBy::Percent, Kind::Share(scale)) => *scale,
            _ => return cannot("a table that is asked with something else"),
        };
        // A band that begins after its end begins at the next number of the lane.
        let mut thresholds = Vec::new();
        for band in tiers.bands() {
            let Some(end) = band.lower else { continue };
            let raised = end.at * rust_decimal::Decimal::from(10_i64.pow(scale.min(12)));
            let first = if end.closed { raised.ceil() } else { raised.floor() + rust_decimal::Decimal::ONE };
            match i64::try_from(first) {
                Ok(first) => thresholds.push(first),
                Err(_) => return cannot("a table with a band beyond all numbers"),
            }
        }
        let mut values: Vec<TierValue> = Vec::with_capacity(thresholds.len() + 1);
        let at = |n: i64| tiers.at(rust_decimal::Decimal::new(n, scale));
        values.push(at(thresholds.first().map_or(0, |first| first - 1)));
        values.extend(thresholds.iter().map(|first| at(*first)));
        let most = values.iter().filter_map(|value| match value {
            TierValue::Share(share) => Some(share.normalize().scale()),
            TierValue::Money(_) => None,
        });
        let to = most.max().unwrap_or(0);
        let numbers: Option<Vec<i64>> = values
            .iter()
            .map(|value| match value {
                TierValue::Money(money) => Some(money.minor()),
                TierValue::Share(share) => {
                    let (number, from) = scaled(*share)?;
                    number.checked_mul(10_i64.checked_pow(to.checked_sub(from)?)?)
                }
            })
            .collect();
        let Some(numbers) = numbers else { return cannot("a table with shares of too many digits") };
        let money = matches!(values.first(), Some(TierValue::Money(_)));
        let node = self.build.node(Op::Band(x, thresholds.into(), numbers.into()));
        Ok(self.symbol(node, if money { Kind::Money } else { Kind::Share(to) }))
    }
}

/// A symbol that is a value through and through.
fn value(symbol: &Symbol) -> Option<Value> {
    match symbol {
        Symbol::Known(value) => Some(value.clone()),
        Symbol::Due(due, None) => Some(Value::Deadline(due.clone())),
        Symbol::List(items) => items.iter().map(value).collect::<Option<Vec<Value>>>().map(Value::List),
        _ => None,
    }
}
