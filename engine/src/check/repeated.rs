//! What a repetition costs: never less than the breach by itself, never less after more of them, and never less as the breach
//! costs more. Tried with prices that the clause gives, and with breaches before that lie near or far.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::cells::{Asks, Space, windows};
use super::chance::{Dice, latenesses};
use super::price::breaches_of;
use super::ticket::{APPLIES, Asked, DEADLINES, DUTIES, PENALTY, Sketch, is_design};
use super::{Budget, Counterexample, Law, LawOutcome, Standing, credit, outcome};
use crate::policy::{ClauseScript, REPEATED};
use crate::program::{Function, Run};
use crate::vocabulary::{About, AgainInputs, Inputs, Sort, Value};
use crate::{Instant, Money, Pack, Span};

/// So many answers are asked of a clause at most, and so many tickets made of one cell.
const TRIED_MAX: u64 = 20_000;
const ROUNDS_MAX: u64 = 12;
/// So many prices of one breach are tried.
const AMOUNTS_MAX: usize = 6;
/// Numbers of breaches before this one, all just before it.
const NEAR: [i64; 13] = [0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 20, 50, 100];
const NEAR_MAX: i64 = 200;
/// How many days before this one others lie that are told one after the other, beside those just before it.
const DAYS: [i64; 12] = [1, 2, 6, 8, 13, 15, 29, 32, 89, 181, 364, 800];

/// The law for a clause that says what a repetition costs.
pub(super) fn law(
    pack: &Pack,
    place: usize,
    clause: &ClauseScript,
    budget: &mut Budget,
) -> Option<LawOutcome> {
    let function = |entry: usize| clause.program.entries.get(entry)?.as_ref();
    let repeated = function(REPEATED)?;
    let own = Asks::of([repeated]);
    let priced = [APPLIES, PENALTY, DEADLINES, DUTIES].into_iter().filter_map(function);
    let asks = Asks::of(priced.chain([repeated]));
    let terms = asks.terms.iter().copied().chain(clause.names.terms()).collect();
    let spans = windows(pack, &[clause], &terms);
    let space = Space::new(pack, spans, &own, &breaches_of(clause), budget.search.left / 4);
    let mut standing = Standing { open: true, ..Standing::default() };
    let mut dice = Dice::new(0xa6a1);
    let trial = Trial { asked: Asked { pack, clause }, repeated, near: near(&own), nodes: own.nodes };
    for nth in 0..ROUNDS_MAX {
        for number in 0..space.len() {
            let Some(cell) = space.cell(number) else { continue };
            if standing.broken.is_some() || standing.tried >= TRIED_MAX || budget.search.is_out() {
                break;
            }
            let sketch = Sketch::of(pack, &cell, &asks, nth, &mut dice);
            let lates = latenesses(&asks, &cell, &[], &mut dice);
            for (name, amounts) in trial.amounts(place, &sketch, &lates, asks.nodes, budget) {
                trial.look(&sketch, &name, &amounts, budget, &mut standing);
            }
        }
    }
    Some(LawOutcome { place: clause.head(REPEATED), ..outcome(Law::Repeated, clause, standing.verdict()) })
}

/// Numbers of breaches before this one, about those that the function names.
fn near(own: &Asks) -> BTreeSet<i64> {
    let named = own.numbers.iter().filter(|(sort, _)| *sort == Sort::Count);
    let named = named.flat_map(|(_, n)| [n.saturating_sub(2), n.saturating_sub(1), *n]);
    let mut near: BTreeSet<i64> = NEAR.into_iter().chain(named).collect();
    near.retain(|n| (0..=NEAR_MAX).contains(n));
    near
}

struct Trial<'a> {
    asked: Asked<'a>,
    repeated: &'a Function,
    near: BTreeSet<i64>,
    /// How many parts the function has.
    nodes: u64,
}

impl Trial<'_> {
    /// What the breaches of a ticket, duty or level cost by themselves, ascending.
    fn amounts(
        &self,
        place: usize,
        sketch: &Sketch,
        lates: &[i64],
        nodes: u64,
        budget: &mut Budget,
    ) -> Vec<(Arc<str>, Vec<i64>)> {
        let inputs = sketch.inputs(self.asked.pack);
        let mut all: Vec<(Arc<str>, BTreeSet<i64>)> = Vec::new();
        for name in self.asked.breached(sketch, &inputs) {
            let price = |late: &i64| {
                budget.search.spend(nodes);
                self.asked.price(sketch, &inputs, &name, *late).ok().flatten()
            };
            all.push((name.as_str().into(), lates.iter().filter_map(price).collect()));
        }
        let levels = Arc::new(sketch.of_contract().inputs(self.asked.pack));
        for (name, amounts) in credit::amounts(self.asked.pack, place, &levels, sketch.reported_at) {
            budget.search.spend(nodes.saturating_mul(100));
            all.push((name, amounts.into_iter().map(Money::minor).collect()));
        }
        let few = all.into_iter().map(|(name, amounts)| {
            let costs: Vec<i64> = amounts.into_iter().filter(|amount| *amount > 0).collect();
            let step = costs.len().div_ceil(AMOUNTS_MAX).max(1);
            (name, costs.into_iter().step_by(step).collect())
        });
        few.collect()
    }

    fn cost(&self, inputs: &Inputs, again: AgainInputs) -> Option<Result<i64, String>> {
        match Run::new(inputs, About::Again(&Arc::new(again))).call(self.repeated) {
            Ok(Value::Money(money)) => Some(Ok(money.minor())),
            Ok(_) => None,
            Err(fault) if is_design(&fault.message) => None,
            Err(fault) => Some(Err(fault.message)),
        }
    }

    /// Looks at the breaches of one name, cheap ones first, each after no, few and many breaches before it.
    fn look(
        &self,
        sketch: &Sketch,
        name: &Arc<str>,
        amounts: &[i64],
        budget: &mut Budget,
        standing: &mut Standing,
    ) {
        let (pack, at) = (self.asked.pack, sketch.due());
        let contract = sketch.of_contract();
        let inputs = contract.inputs(pack);
        let before = |micros: i64| Instant::from_micros(at.micros().saturating_sub(micros)).ok();
        let near: Vec<Vec<Instant>> =
            self.near.iter().map(|n| (1..=*n).rev().filter_map(before).collect()).collect();
        let far: Vec<Instant> =
            DAYS.iter().filter_map(|days| before(Span::hours(24 * days).micros())).collect();
        let far = (0..=far.len()).map(|n| far.iter().take(n).rev().copied().collect()).collect();
        for (is_near, rows) in [(true, near), (false, far)] {
            let mut cheaper: Vec<Option<i64>> = vec![None; rows.len()];
            for amount in amounts {
                let money = |minor| Money::from_minor(minor, pack.currency);
                let mut fewer: Option<(usize, i64)> = None;
                let last = rows.len() - 1;
                for ((place, earlier), cheaper) in rows.iter().enumerate().zip(&mut cheaper) {
                    standing.tried += 1;
                    budget.search.spend(self.nodes);
                    let n = earlier.len();
                    let again = AgainInputs {
                        clock: Arc::clone(name),
                        at,
                        amount: money(*amount),
                        earlier: earlier.as_slice().into(),
                    };
                    let Some(cost) = self.cost(&inputs, again) else { break };
                    let sentence =
                        match cost {
                            Err(message) => Some(format!("`repeated` cannot be had: {message}")),
                            Ok(cost) if cost < 0 => {
                                Some(format!("a repetition costs {}, below nothing", money(cost)))
                            }
                            Ok(cost) => {
                                let (less, was) = (fewer.replace((n, cost)), cheaper.replace(cost));
                                let falls = less.filter(|(_, less)| cost < *less).map(|(k, less)| {
                                    format!(
                                        "the penalty falls: {} after {k} breaches, {} after {n}",
                                        money(less),
                                        money(cost)
                                    )
                                });
                                let falls = falls.or_else(|| {
                                let was = was.filter(|was| cost < *was)?;
                                Some(format!(
                                    "the penalty falls as the breach costs more: {} before, {} when it is {}",
                                    money(was), money(cost), money(*amount)
                                ))
                            });
                                falls.or_else(|| {
                                    let lowered =
                                        is_near && n > 0 && cost < *amount && (cost > 0 || place == last);
                                    lowered.then(|| {
                                        format!(
                                            "a breach of {} costs {} after {n} breaches",
                                            money(*amount),
                                            money(cost)
                                        )
                                    })
                                })
                            }
                        };
                    if let Some(sentence) = sentence {
                        standing.broken = Some(broken(pack, &contract, name, &sentence));
                        return;
                    }
                }
            }
        }
    }
}

fn broken(pack: &Pack, contract: &Sketch, name: &str, sentence: &str) -> Counterexample {
    Counterexample {
        sentence: format!("{sentence}; `{name}`, by the terms at {}", contract.reported_at),
        facts: contract.told(pack),
        reported_at: None,
        clock: Some(name.to_owned()),
        prices: Vec::new(),
        events: contract.events(pack),
    }
}
