//! What the words of the language come to over many tickets at once.

use rust_decimal::Decimal;

use super::sums::products;
use super::value::{Range, Seen, Way, either};
use super::walk::Walk;
use crate::program::Node;
use crate::vocabulary::{Act, Share, Sort, Value, WORDS};

/// Words that fit whatever they are given, as long as it is of the right sort.
const SURE: [&str; 15] = [
    "due",
    "within",
    "by",
    "starts_on",
    "after_breach_of",
    "met_by",
    "pauses_for",
    "pauses",
    "at_breach",
    "after_breach",
    "notify",
    "free",
    "paid",
    "undecided",
    "finding",
];

impl Walk<'_> {
    pub(super) fn word(&mut self, word: u16, act: Act, args: Vec<Seen>, node: &Node) -> Option<Seen> {
        let name = WORDS.get(usize::from(word)).map_or("", |word| word.names[0]);
        if let Some(choices) = products(&args, self.words.currency) {
            return self.each(act, choices, node);
        }
        let late = args.iter().any(Seen::is_late);
        match (name, args.as_slice()) {
            ("min", [Seen::Range(a), Seen::Range(b)]) => {
                let way = a.way.with(b.way);
                Some(Seen::Range(Range::new(a.sort, a.low.min(b.low), a.high.min(b.high), way)))
            }
            ("max", [Seen::Range(a), Seen::Range(b)]) => {
                let way = a.way.with(b.way);
                Some(Seen::Range(Range::new(a.sort, a.low.max(b.low), a.high.max(b.high), way)))
            }
            ("started" | "full", [Seen::Range(time), Seen::Range(unit)]) => {
                self.parts(act, *time, *unit, node)
            }
            ("seconds" | "minutes" | "hours" | "yuan", [Seen::Range(n)]) => {
                self.rising(act, *n, |n| vec![n], node)
            }
            ("of", [share, Seen::Range(whole), rounding]) => {
                let (Some(shares), Some(roundings)) =
                    (share.values(self.words.currency), rounding.values(self.words.currency))
                else {
                    self.may_fault(node.at, "a share that may be too large");
                    return Some(Seen::any(&node.of, late));
                };
                self.shares(act, &shares, *whole, &roundings, node)
            }
            ("plus", [Seen::Range(from), days]) => {
                let Some(days) = days.values(self.words.currency) else {
                    self.may_fault(node.at, "a period that may be too long");
                    return Some(Seen::any(&node.of, late));
                };
                let mut result = None;
                for days in days {
                    let one = self.rising(act, *from, |from| vec![from, days.clone()], node);
                    result = either(result, one);
                }
                result
            }
            ("percent", [Seen::Range(_)]) => Some(Seen::Any(late)),
            _ => {
                if !SURE.contains(&name) {
                    self.may_fault(node.at, format!("`{name}` may not take this"));
                }
                Some(Seen::any(&node.of, late))
            }
        }
    }

    /// A word applied to every choice of exact values.
    fn each(&mut self, act: Act, choices: Vec<Vec<Value>>, node: &Node) -> Option<Seen> {
        let mut result = None;
        for mut choice in choices {
            match act(self.words, &mut choice) {
                Ok(value) => result = either(result, Some(Seen::of(value))),
                Err(message) => self.may_fault(node.at, message),
            }
        }
        result
    }

    /// A word that gives more for more: what it gives at both ends bounds all between.
    fn rising(
        &mut self,
        act: Act,
        given: Range,
        args: impl Fn(Value) -> Vec<Value>,
        node: &Node,
    ) -> Option<Seen> {
        let currency = self.words.currency;
        let ends = [given.low, given.high].map(|n| act(self.words, &mut args(given.value(n, currency))));
        let ends = ends.map(|end| end.map(|value| super::value::number(&value)));
        match ends {
            [Ok(Some((sort, low))), Ok(Some((_, high)))] => {
                Some(Seen::Range(Range::new(sort, low.min(high), low.max(high), given.way)))
            }
            [Err(message), _] | [_, Err(message)] => {
                self.may_fault(node.at, message);
                Some(Seen::any(&node.of, given.way != Way::Still))
            }
            _ => Some(Seen::any(&node.of, given.way != Way::Still)),
        }
    }

    /// `started` and `full`.
    fn parts(&mut self, act: Act, time: Range, unit: Range, node: &Node) -> Option<Seen> {
        if unit.low <= 0 {
            self.may_fault(node.at, "the unit of `started` and `full` must be longer than nothing");
            if unit.high <= 0 {
                return None;
            }
        }
        if unit.is_one() {
            let unit = Value::Time(crate::Span::from_micros(unit.low));
            return self.rising(act, time, |time| vec![time, unit.clone()], node);
        }
        // With longer units there are fewer; never more than with the shortest, and never fewer than none of either sign.
        let shortest = Range::new(Sort::Time, unit.low.max(1), unit.low.max(1), Way::Still);
        let way = if time.way == Way::Still && unit.way == Way::Still { Way::Still } else { Way::Any };
        let most = self.parts(act, time, shortest, node)?.range()?;
        Some(Seen::Range(Range::new(Sort::Count, most.low.min(0), most.high.max(0), way)))
    }

    /// Shares of an amount: each moves with the amount, or against it.
    fn shares(
        &mut self,
        act: Act,
        shares: &[Value],
        whole: Range,
        roundings: &[Value],
        node: &Node,
    ) -> Option<Seen> {
        let mut result = None;
        for share in shares {
            for rounding in roundings {
                let args = |whole| vec![share.clone(), whole, rounding.clone()];
                let one = self.rising(act, whole, args, node)?;
                let falls = matches!(share, Value::Share(Share(share)) if *share < Decimal::ZERO);
                let one = match one {
                    Seen::Range(range) if falls => Seen::Range(Range { way: range.way.back(), ..range }),
                    other => other,
                };
                result = either(result, Some(one));
            }
        }
        result
    }
}
