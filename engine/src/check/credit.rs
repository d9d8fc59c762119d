//! Credits of service levels: a worse period never costs less, and none costs less than nothing. Tried over the edges of the
//! tables and terms, all whole percents and small numbers of clocks.

use std::collections::BTreeSet;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::{Counterexample, Law, LawOutcome, Standing, outcome};
use crate::assess::Case;
use crate::policy::{CREDIT, ClauseScript};
use crate::terms::TermValue;
use crate::vocabulary::{Inputs, Level, LevelInputs, Measure};
use crate::{Instant, Money, Pack, Span};

/// Numbers of clocks in a period that are tried: about the usual edges of small-number rules.
const TOTALS: [i64; 12] = [0, 1, 2, 3, 5, 10, 20, 39, 40, 41, 100, 200];
/// What was invoiced, in minor units: an amount that leaves fractions.
const INVOICED: i64 = 12_345_679;
/// A little below an edge.
const BELOW: Decimal = Decimal::from_parts(1, 0, 0, false, 10);

/// The law for a clause that gives credit.
pub(super) fn law(pack: &Pack, place: usize, clause: &ClauseScript) -> Option<LawOutcome> {
    clause.program.entries.get(CREDIT)?.as_ref()?;
    let mut standing = Standing { open: true, ..Standing::default() };
    for at in instants(pack, clause) {
        let nobody = Arc::from("");
        let case =
            Case { pack, contract: &[], relief: &[], history: &[], ticket: &nobody, as_of: Instant::MAX };
        let inputs = case.inputs(&[], at);
        let Ok(obligations) = pack.policy.obligations(&inputs) else { continue };
        let own = obligations.levels.iter().filter(|(of, _)| usize::from(*of) == place);
        for (of, level) in own {
            let tried = Tried { pack, inputs: &inputs, clause: *of, level, at };
            match level.measure {
                Measure::Availability(_) => tried.shares(&mut standing),
                Measure::InTime(_) => tried.counts(&mut standing),
            }
        }
    }
    let mut found = outcome(Law::Credit, clause, standing.verdict());
    found.place = clause.head(CREDIT);
    Some(found)
}

/// What the levels of a clause may cost by the terms of an instant, from good periods to bad ones.
pub(super) fn amounts(
    pack: &Pack,
    place: usize,
    inputs: &Arc<Inputs>,
    at: Instant,
) -> Vec<(Arc<str>, Vec<Money>)> {
    let Ok(obligations) = pack.policy.obligations(inputs) else { return Vec::new() };
    let own = obligations.levels.iter().filter(|(of, _)| usize::from(*of) == place);
    let of_level = |(clause, level): &(u16, Level)| {
        let tried = Tried { pack, inputs, clause: *clause, level, at };
        let credit = |met: i64| tried.credit(Decimal::new(met, 2), 100, 100 - met)?.ok();
        (Arc::clone(&level.name), (0..=100).rev().filter_map(credit).collect())
    };
    own.map(of_level).collect()
}

/// The first instants of each version of the terms at which the clause is in force.
fn instants(pack: &Pack, clause: &ClauseScript) -> Vec<Instant> {
    let starts =
        pack.policy.words.terms.list.iter().flat_map(|term| term.values.iter().map(|(from, _)| *from));
    let mut days: BTreeSet<chrono::NaiveDate> = starts.chain(clause.from).collect();
    days.retain(|day| {
        clause.from.is_none_or(|from| from <= *day) && clause.until.is_none_or(|end| *day < end)
    });
    if days.is_empty() {
        days.extend(chrono::NaiveDate::from_ymd_opt(2020, 1, 1));
    }
    // The end of the day before is the beginning of the day.
    let begins = |day: &chrono::NaiveDate| pack.schema.days.end_of_day(day.pred_opt()?).ok();
    days.iter().filter_map(begins).collect()
}

/// One level by the terms of one instant.
struct Tried<'a> {
    pack: &'a Pack,
    inputs: &'a Arc<Inputs>,
    clause: u16,
    level: &'a Level,
    at: Instant,
}

impl Tried<'_> {
    fn credit(&self, share: Decimal, total: i64, missed: i64) -> Option<Result<Money, String>> {
        let until = self.at.checked_add(Span::hours(24 * 30)).ok()?;
        let down = (Decimal::ONE - share).checked_mul(Decimal::from(until.since(self.at).micros()))?;
        let asked = LevelInputs {
            name: Arc::clone(&self.level.name),
            from: self.at,
            until,
            share,
            total,
            missed,
            downtime: Span::from_micros(i64::try_from(down.trunc()).ok()?),
            invoiced: Money::from_minor(INVOICED, self.pack.currency),
        };
        match self.pack.policy.credit(self.inputs, self.clause, &asked) {
            Ok(credit) => credit.map(|credit| Ok(credit.amount)),
            // What is not there yet is by design.
            Err(fault) if fault.message.contains("not known") || fault.message.contains("in force") => None,
            Err(fault) => Some(Err(fault.message)),
        }
    }

    /// Availability: shares downwards.
    fn shares(&self, standing: &mut Standing) {
        let mut shares: BTreeSet<Decimal> = (0..=100).map(|n| Decimal::new(n, 2)).collect();
        for value in self.inputs.terms.values.iter().flatten() {
            match value {
                TermValue::Share(share) => shares.extend([*share, *share - BELOW]),
                TermValue::Tiers(tiers) => {
                    let ends = tiers.bands().iter().flat_map(|band| [band.lower, band.upper]).flatten();
                    shares.extend(ends.flat_map(|end| [end.at - BELOW, end.at, end.at + BELOW]));
                }
                _ => {}
            }
        }
        shares.retain(|share| (Decimal::ZERO..=Decimal::ONE).contains(share));
        let mut before = None;
        for share in shares.into_iter().rev() {
            let outages = i64::from(share < Decimal::ONE);
            let percent = (share * Decimal::ONE_HUNDRED).normalize();
            self.look(standing, &mut before, self.credit(share, outages, outages), &format!("{percent} %"));
        }
    }

    /// Clocks: more missed of the same number.
    fn counts(&self, standing: &mut Standing) {
        for total in TOTALS {
            let mut before = None;
            for missed in 0..=total {
                let met = Decimal::from(total - missed);
                let share = if total == 0 { Decimal::ONE } else { met / Decimal::from(total) };
                let what = format!("{missed} of {total} missed");
                self.look(standing, &mut before, self.credit(share, total, missed), &what);
            }
        }
    }

    /// Compares a credit with the one of the next better period.
    fn look(
        &self,
        standing: &mut Standing,
        before: &mut Option<(Money, String)>,
        found: Option<Result<Money, String>>,
        what: &str,
    ) {
        standing.tried += 1;
        let name = &self.level.name;
        let sentence = match found {
            None => return,
            Some(Err(message)) => Some(format!("the credit of `{name}` at {what} cannot be had: {message}")),
            Some(Ok(credit)) => {
                let better = before.replace((credit, what.to_owned()));
                better.filter(|(better, _)| credit.minor() < better.minor()).map(|(better, at)| {
                    format!("the credit of `{name}` falls: {better} at {at}, {credit} at {what}")
                })
            }
        };
        if let Some(sentence) = sentence.filter(|_| standing.broken.is_none()) {
            standing.broken = Some(Counterexample {
                sentence,
                facts: Vec::new(),
                reported_at: None,
                clock: None,
                prices: Vec::new(),
                events: Vec::new(),
            });
        }
    }
}
