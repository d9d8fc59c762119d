//! Tickets by chance: around the numbers that clauses and their terms name, and the same every time.

use std::collections::BTreeSet;

use rhai::ImmutableString;

use super::cells::Asks;
use super::ticket::{LATE_MAX, Sketch};
use super::value::{COUNT_MAX, MONEY_MAX, number};
use super::walk::{Assumed, Cell};
use crate::event::Kind;
use crate::ticket::{ContractFacts, FactType, Facts, Value as FactValue};
use crate::vocabulary::{Sort, Value};
use crate::{Instant, Money, Pack};

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// Numbers by chance that are the same every time (splitmix64, a published public-domain generator).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`; nothing for nothing.
    pub(super) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.roll() % u64::try_from(n.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    /// From the first to the last, both included.
    pub(super) fn between(&mut self, first: i64, last: i64) -> i64 {
        let width = i128::from(last) - i128::from(first) + 1;
        let offset = i128::from(self.roll()) % width.max(1);
        i64::try_from(i128::from(first) + offset).unwrap_or(first)
    }

    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }
}

impl Sketch {
    /// A ticket of a cell: the plainest first, then by chance.
    pub(super) fn of(pack: &Pack, cell: &Cell, asks: &Asks, nth: u64, dice: &mut Dice) -> Sketch {
        let (low, high) = cell.reported;
        let micros = match nth {
            0 => low.saturating_add(10 * HOUR).min(high),
            _ if nth % 3 == 1 => dice.between(low, high.min(low.saturating_add(400 * DAY))),
            _ => dice.between(low, high),
        };
        let reported_at = Instant::from_micros(micros).unwrap_or(Instant::MIN);
        let mut some = Chance { pack, cell, asks, reported_at, nth, dice };
        let facts = some.facts();
        let signed_at = some.contract(0);
        let accepted_at = some.contract(1);
        let mut vias: Vec<Option<ImmutableString>> = vec![None];
        vias.extend(asks.texts.iter().cloned().map(Some));
        let via = if asks.via && nth > 0 { some.dice.pick(&vias).cloned().flatten() } else { None };
        let mut standing = vec![Kind::REPORTED];
        standing.extend(asks.kinds.iter().filter(|kind| **kind != Kind::REPORTED && some.dice.below(2) == 0));
        Sketch { reported_at, via, facts, contract: ContractFacts { signed_at, accepted_at }, standing }
    }
}

/// Values by chance, around the numbers that the clauses and their terms name.
struct Chance<'a> {
    pack: &'a Pack,
    cell: &'a Cell,
    asks: &'a Asks,
    reported_at: Instant,
    nth: u64,
    dice: &'a mut Dice,
}

impl Chance<'_> {
    fn facts(&mut self) -> Facts {
        let mut facts = Facts::default();
        for (place, fact) in self.pack.schema.facts.iter().enumerate() {
            let asked = u16::try_from(place).is_ok_and(|place| self.asks.facts.contains_key(&place));
            let [first, current] = match self.cell.facts.get(place) {
                Some(Assumed::Told([first, current])) => {
                    let current = current.clone().unwrap_or_else(|| self.value(&fact.of));
                    let same = self.nth.is_multiple_of(2) && first.is_none();
                    let first = first.clone().unwrap_or_else(|| match same {
                        true => current.clone(),
                        false => self.value(&fact.of),
                    });
                    [Some(first), Some(current)]
                }
                Some(Assumed::Open) if asked && self.dice.below(5) > 0 => {
                    let value = self.value(&fact.of);
                    [Some(value.clone()), Some(value)]
                }
                _ => [None, None],
            };
            facts.first.push(first);
            facts.current.push(current);
        }
        facts
    }

    fn contract(&mut self, which: usize) -> Option<Instant> {
        let asked = self.asks.contract.get(which).copied().unwrap_or_default();
        match self.cell.contract.get(which).copied().flatten() {
            Some(true) => Some(self.instant()),
            None if asked && self.dice.below(2) == 0 => Some(self.instant()),
            _ => None,
        }
    }

    fn value(&mut self, of: &FactType) -> FactValue {
        match of {
            FactType::Bool => FactValue::Bool(self.dice.below(2) == 0),
            FactType::Integer => FactValue::Integer(self.number(Sort::Count, COUNT_MAX)),
            FactType::Money => {
                let minor = self.number(Sort::Money, MONEY_MAX);
                FactValue::Money(Money::from_minor(minor, self.pack.currency))
            }
            FactType::Instant => FactValue::Instant(self.instant()),
            FactType::OneOf(values) => FactValue::Text(self.dice.pick(values).cloned().unwrap_or_default()),
            FactType::Text => {
                let other = ImmutableString::from("other");
                FactValue::Text(self.dice.pick(&self.asks.texts).cloned().unwrap_or(other))
            }
        }
    }

    fn number(&mut self, sort: Sort, most: i64) -> i64 {
        let known = numbers(self.asks, self.cell, sort);
        let near = self.dice.between(-1, 1);
        let n = match self.dice.below(4) {
            0 => self.dice.pick(&known).copied().unwrap_or(0).saturating_add(near),
            1 => self.dice.between(-3, 12),
            2 => *self.dice.pick(&[most, -most, most / 1_000, 100, 10_000]).unwrap_or(&0),
            _ => self.dice.between(-most, most),
        };
        if self.nth == 0 { 1 } else { n.clamp(-most, most) }
    }

    fn instant(&mut self) -> Instant {
        let at = self.reported_at.micros();
        let far = match self.dice.below(3) {
            0 => self.dice.between(-1, 1),
            1 => self.dice.between(-40, 40).saturating_mul(DAY),
            _ => self.dice.between(-5_000, 5_000).saturating_mul(DAY),
        };
        let (low, high) = self.cell.instants;
        Instant::from_micros(at.saturating_add(far).clamp(low, high)).unwrap_or(self.reported_at)
    }
}

/// The numbers of a sort that programs and the terms they read name.
fn numbers(asks: &Asks, cell: &Cell, sort: Sort) -> Vec<i64> {
    let terms = asks.terms.iter().filter_map(|term| cell.terms.values.get(*term)?.as_ref());
    let terms = terms.filter_map(|value| number(&Value::of_term(value)));
    let all = asks.numbers.iter().copied().chain(terms);
    all.filter(|(of, _)| *of == sort).map(|(_, n)| n).collect()
}

/// Times whose multiples are all tried, and how many of them: two days and more of full hours.
const UNITS: usize = 6;
const MULTIPLES: i64 = 64;

/// The latenesses at which a price may change, as far as can be seen, and some more. Ascending.
pub(super) fn latenesses(asks: &Asks, cell: &Cell, cuts: &[i64], dice: &mut Dice) -> Vec<i64> {
    let mut all: BTreeSet<i64> = [0, 1, HOUR, DAY, LATE_MAX].into();
    let mut add = |at: i64| all.extend([at.saturating_sub(1), at, at.saturating_add(1)]);
    cuts.iter().for_each(|cut| add(*cut));
    let times = numbers(asks, cell, Sort::Time);
    let counts = numbers(asks, cell, Sort::Count);
    for (place, time) in times.iter().take(12).enumerate() {
        // A price by the full hour less one by the full ninety minutes first falls where the two meet: not at the first few units.
        let units = if place < UNITS { MULTIPLES } else { 5 };
        for n in (1..=units).chain([10]).chain(counts.iter().copied().take(8)) {
            add(time.saturating_mul(n));
        }
        for other in times.iter().take(6) {
            add(time.saturating_add(*other));
        }
    }
    for _ in 0..24 {
        let width = dice.below(49);
        add(dice.between(0, 1_i64 << width));
    }
    all.retain(|late| (0..=LATE_MAX).contains(late));
    all.into_iter().collect()
}
