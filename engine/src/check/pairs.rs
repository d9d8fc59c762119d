//! Two clauses at once: no breach priced twice, and no ticket both free and paid.

use std::collections::BTreeSet;

use super::cells::{Asks, Space, windows};
use super::chance::{Dice, latenesses};
use super::price::clocks_of;
use super::ticket::{APPLIES, Asked, CLASSIFY, DEADLINES, PENALTY, Sketch};
use super::total::dues;
use super::value::Seen;
use super::walk::{Cell, Fuel, Walk};
use super::{Budget, Counterexample, Law, LawOutcome, LawVerdict, PriceAt, Standing, outcome};
use crate::Related;
use crate::diagnostic::Place;
use crate::event::Kind;
use crate::policy::ClauseScript;
use crate::program::Function;
use crate::vocabulary::{Due, Value, Verdict};
use crate::{Money, Pack, Span};

/// So many tickets are tried of two clauses at most, and of one cell.
const TICKETS_MAX: u64 = 2_048;
const ROUNDS_MAX: u64 = 32;
/// So many conflicts are told.
const CONFLICTS_MAX: usize = 20;

/// Two clauses that may both judge one ticket, with what they ask for.
struct Pair<'a> {
    pack: &'a Pack,
    clauses: [&'a ClauseScript; 2],
    /// What decides whether there is anything to tell.
    deciding: Asks,
    /// The same with the prices.
    asks: Asks,
}

/// A clock that two clauses price.
struct Twice {
    clock: String,
    late: i64,
    prices: [i64; 2],
}

fn function(clause: &ClauseScript, entry: usize) -> Option<&Function> {
    clause.program.entries.get(entry)?.as_ref()
}

impl<'a> Pair<'a> {
    fn new(pack: &'a Pack, clauses: [&'a ClauseScript; 2], entry: usize) -> Pair<'a> {
        let functions = |entries: &'static [usize]| {
            clauses.into_iter().flat_map(move |clause| entries.iter().filter_map(|e| function(clause, *e)))
        };
        let own = clauses.into_iter().filter_map(move |clause| function(clause, entry));
        let deciding = Asks::of(functions(&[APPLIES]).chain(own.clone()));
        let asks = Asks::of(functions(&[APPLIES, PENALTY]).chain(own));
        Pair { pack, clauses, deciding, asks }
    }

    fn space(&self, budget: &Budget) -> Space {
        let names = self.clauses.iter().flat_map(|clause| clause.names.terms());
        let terms: BTreeSet<usize> = self.asks.terms.iter().copied().chain(names).collect();
        let spans = windows(self.pack, &self.clauses, &terms);
        Space::new(self.pack, spans, &self.deciding, &[], budget.proof.left / 4)
    }

    /// What an entry of both clauses may come to; nothing when they never both apply.
    fn walked(&self, cell: &Cell, entry: usize, fuel: &mut Fuel) -> Option<[Seen; 2]> {
        let words = &self.pack.policy.words;
        for clause in self.clauses {
            let Some(applies) = function(clause, APPLIES) else { continue };
            match Walk::new(words, cell, (0, 0), fuel).call(applies)? {
                Seen::Truth(truth) if !truth.yes => return None,
                _ => {}
            }
        }
        let [a, b] = self.clauses.map(|clause| {
            let function = function(clause, entry)?;
            Walk::new(words, cell, (0, 0), fuel).call(function)
        });
        Some([a?, b?])
    }

    /// Tries tickets of the cells that are open, until one is found.
    fn search<T>(
        &self,
        space: &Space,
        open: &[usize],
        budget: &mut Budget,
        standing: &mut Standing,
        mut found: impl FnMut(&Sketch, &Cell) -> Option<T>,
    ) -> Option<(Sketch, T)> {
        let mut dice = Dice::new(0x9a125);
        for nth in 0..ROUNDS_MAX {
            for number in open {
                let Some(cell) = space.cell(*number) else { continue };
                if standing.tried >= TICKETS_MAX || !budget.search.spend(self.asks.nodes) {
                    return None;
                }
                standing.tried += 1;
                let sketch = Sketch::of(self.pack, &cell, &self.asks, nth, &mut dice);
                if found(&sketch, &cell).is_some() {
                    let small = sketch.shrunk(&mut budget.search, |sketch, fuel| {
                        fuel.spend(self.asks.nodes) && found(sketch, &cell).is_some()
                    });
                    let it = found(&small, &cell)?;
                    return Some((small, it));
                }
            }
        }
        None
    }

    fn shown(&self, sketch: &Sketch, sentence: String) -> Counterexample {
        Counterexample {
            sentence,
            facts: sketch.told(self.pack),
            reported_at: Some(sketch.reported_at),
            clock: None,
            prices: Vec::new(),
            events: sketch.events(self.pack),
        }
    }
}

/// Whether two clauses set one and the same clock.
fn is_same(a: &Due, b: &Due) -> bool {
    let set = |kinds: &[Kind]| -> BTreeSet<Kind> { kinds.iter().copied().collect() };
    let starts = a.after_breach_of.is_some() || set(&a.starts) == set(&b.starts);
    a.name == b.name && a.after_breach_of == b.after_breach_of && starts && set(&a.stops) == set(&b.stops)
}

fn shared<'a>(a: &'a [Due], b: &[Due]) -> Option<&'a Due> {
    a.iter().find(|x| b.iter().any(|y| is_same(x, y)))
}

/// No breach of one clock is priced by this clause and by one before it.
pub(super) fn once(pack: &Pack, place: usize, budget: &mut Budget) -> LawOutcome {
    let clauses = &pack.policy.clauses;
    let Some(clause) = clauses.get(place) else {
        return conflict_outcome(LawVerdict::Proved);
    };
    let mut standing = Standing::default();
    let own = clocks_of(clause);
    for other in clauses.iter().take(place).filter(|other| function(other, PENALTY).is_some()) {
        if !budget.proof.spend(50) {
            standing.open = true;
            break;
        }
        if !clocks_of(other).iter().any(|name| own.contains(name)) {
            continue;
        }
        let pair = Pair::new(pack, [other, clause], DEADLINES);
        budget.proof.spend(pair.asks.nodes);
        let space = pair.space(budget);
        let open = pair.open_clocks(&space, budget);
        standing.open |= !open.is_empty();
        let found =
            pair.search(&space, &open, budget, &mut standing, |sketch, cell| pair.twice(sketch, cell));
        let Some((sketch, twice)) = found else { continue };
        let money = |minor| Money::from_minor(minor, pack.currency);
        let [first, second] = twice.prices.map(money);
        let sentence = format!(
            "one breach is priced twice: clause {} takes {first} for the clock `{}`, clause {} takes {second}",
            other.id, twice.clock, clause.id
        );
        let late = Span::from_micros(twice.late);
        let shown = Counterexample {
            clock: Some(twice.clock),
            prices: vec![PriceAt { late, amount: first }, PriceAt { late, amount: second }],
            ..pair.shown(&sketch, sentence)
        };
        standing.broken = Some(shown);
        let mut outcome = outcome(Law::Once, clause, standing.verdict());
        let message = "this one prices it too".to_owned();
        outcome.related.push(Related { place: other.head(PENALTY), message });
        return outcome;
    }
    outcome(Law::Once, clause, standing.verdict())
}

impl Pair<'_> {
    /// The cells in which both may set one clock.
    fn open_clocks(&self, space: &Space, budget: &mut Budget) -> Vec<usize> {
        let lists = |seen: &Seen| match seen {
            Seen::Values(values) => Some(values.iter().map(dues).collect::<Vec<_>>()),
            _ => None,
        };
        let mut may = |number: usize| {
            let Some(cell) = space.cell(number) else { return false };
            let Some([a, b]) = self.walked(&cell, DEADLINES, &mut budget.proof) else { return false };
            let (Some(a), Some(b)) = (lists(&a), lists(&b)) else { return true };
            budget.proof.is_out() || a.iter().any(|a| b.iter().any(|b| shared(a, b).is_some()))
        };
        (0..space.len()).filter(|number| may(*number)).collect()
    }

    fn twice(&self, sketch: &Sketch, cell: &Cell) -> Option<Twice> {
        let inputs = sketch.inputs(self.pack);
        let [a, b] = self.clauses.map(|clause| Asked { pack: self.pack, clause });
        let (first, second) = (a.clocks(sketch, &inputs), b.clocks(sketch, &inputs));
        let clock = shared(&first, &second)?;
        let lates = latenesses(&self.asks, cell, &[], &mut Dice::new(2));
        lates.into_iter().find_map(|late| {
            let price = |asked: Asked<'_>| {
                asked.price(sketch, &inputs, &clock.name, late).ok().flatten().filter(|price| *price > 0)
            };
            Some(Twice { clock: clock.name.to_string(), late, prices: [price(a)?, price(b)?] })
        })
    }

    /// Whether one may say free where the other says paid.
    fn may_disagree(&self, cell: &Cell, fuel: &mut Fuel) -> bool {
        let Some([a, b]) = self.walked(cell, CLASSIFY, fuel) else { return false };
        let says = |seen: &Seen, free: bool| match seen {
            Seen::Values(values) => values.iter().any(|value| match value {
                Value::Verdict(Verdict::Free(_)) => free,
                Value::Verdict(Verdict::Paid(_)) => !free,
                _ => false,
            }),
            _ => true,
        };
        (says(&a, true) && says(&b, false)) || (says(&a, false) && says(&b, true)) || fuel.is_out()
    }
}

fn conflict_outcome(verdict: LawVerdict) -> LawOutcome {
    LawOutcome {
        law: Law::Conflict,
        clause: String::new(),
        file: String::new(),
        verdict,
        place: Place::file("pack.toml"),
        related: Vec::new(),
        cap: None,
    }
}

/// Clauses that say free and paid of one ticket, neither overriding the other: one outcome for each two of them, or one that
/// says that there are none.
pub(super) fn conflicts(pack: &Pack, budget: &mut Budget) -> Vec<LawOutcome> {
    let clauses = &pack.policy.clauses;
    let deciders: Vec<usize> = (0..clauses.len())
        .filter(|place| clauses.get(*place).is_some_and(|clause| function(clause, CLASSIFY).is_some()))
        .collect();
    let mut standing = Standing::default();
    let mut outcomes = Vec::new();
    for (i, b) in deciders.iter().enumerate() {
        for a in deciders.iter().take(i) {
            let (Some(first), Some(second)) = (clauses.get(*a), clauses.get(*b)) else { continue };
            if overrides(first, *b) || overrides(second, *a) || outcomes.len() >= CONFLICTS_MAX {
                continue;
            }
            if !budget.proof.spend(50) {
                standing.open = true;
                break;
            }
            let pair = Pair::new(pack, [first, second], CLASSIFY);
            budget.proof.spend(pair.asks.nodes);
            let space = pair.space(budget);
            let open: Vec<usize> = (0..space.len())
                .filter(|number| {
                    space.cell(*number).is_some_and(|cell| pair.may_disagree(&cell, &mut budget.proof))
                })
                .collect();
            standing.open |= !open.is_empty();
            let found = pair.search(&space, &open, budget, &mut standing, |sketch, _| {
                first_is_free(pack, sketch, *a, *b)
            });
            if let Some((sketch, first_is_free)) = found {
                let words = if first_is_free { ["free", "paid"] } else { ["paid", "free"] };
                let sentence = format!(
                    "clause {} says {}, clause {} says {}, and neither overrides the other",
                    first.id, words[0], second.id, words[1]
                );
                let broken = LawVerdict::Broken(Box::new(pair.shown(&sketch, sentence)));
                let mut outcome = outcome(Law::Conflict, second, broken);
                outcome.place = second.head(CLASSIFY);
                let message = format!("clause {} says {}", first.id, words[0]);
                outcome.related.push(Related { place: first.head(CLASSIFY), message });
                outcomes.push(outcome);
            }
        }
    }
    if outcomes.is_empty() {
        outcomes.push(conflict_outcome(standing.verdict()));
    }
    outcomes
}

fn overrides(clause: &ClauseScript, other: usize) -> bool {
    clause.overrides.iter().any(|place| usize::from(*place) == other)
}

/// Whether the first of two clauses says free and the second paid, or the other way round; nothing where they agree, or where
/// one that applies overrides either.
fn first_is_free(pack: &Pack, sketch: &Sketch, a: usize, b: usize) -> Option<bool> {
    let inputs = sketch.inputs(pack);
    let mut decided: Vec<(usize, bool)> = Vec::new();
    for (place, clause) in pack.policy.clauses.iter().enumerate() {
        let asked = Asked { pack, clause };
        if function(clause, CLASSIFY).is_none() || !asked.in_force(sketch.reported_at) {
            continue;
        }
        if !asked.applies(&inputs).ok()? {
            continue;
        }
        match asked.entry(CLASSIFY, &inputs, None).ok()? {
            Some(Value::Verdict(Verdict::Free(_))) => decided.push((place, true)),
            Some(Value::Verdict(Verdict::Paid(_))) => decided.push((place, false)),
            _ => {}
        }
    }
    let says = |clause: usize| {
        let by = |(other, _): &(usize, bool)| pack.policy.clauses.get(*other);
        let overridden = decided.iter().filter_map(by).any(|other| overrides(other, clause));
        decided.iter().find(|(place, _)| *place == clause && !overridden).map(|(_, free)| *free)
    };
    let (first, second) = (says(a)?, says(b)?);
    (first != second).then_some(first)
}
