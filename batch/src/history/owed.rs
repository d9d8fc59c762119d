//! What tickets owe, and what became of it.

use std::collections::HashMap;
use std::sync::Arc;

use holdback::{ClockEnded, Instant};

use super::Done;
use crate::charges::{Charges, Outcome};
use crate::clocks::state;
use crate::told::{Long, Taken};

/// What a unit's tickets owe, by the unit's own numbers of contracts and clocks.
pub(super) fn charges(done: &Done, ends: bool) -> Charges {
    let Done { sheet, judged, long, .. } = done;
    let mut charges = Charges::default();
    charges.clocks.clone_from(&long.clocks);
    let singles: HashMap<u32, usize> =
        judged.singles.iter().enumerate().map(|(at, (row, _))| (*row, at)).collect();
    let reported = sheet.reported();
    for row in 0..long.rows() {
        let ticket = long.ticket[row] as usize;
        let contract = sheet.contract.get(ticket).copied().unwrap_or_default();
        if ends && long.clock[row] != 0 {
            let met = long.state[row] == state::MET;
            let missed = matches!(long.state[row], state::BREACHED | state::LATE);
            let at = if met { long.stopped[row] } else { long.due[row] };
            let clock = long.clocks.get(usize::from(long.clock[row]) - 1);
            if let (true, Some((_, clock)), Ok(at)) = (met || missed, clock, Instant::from_micros(at)) {
                let ended = ClockEnded { clock: Arc::clone(clock), at, met };
                charges.ended.entry(contract).or_default().push(ended);
            }
        }
        if long.penalty[row] <= 0 {
            continue;
        }
        let clock = long.clock[row].saturating_sub(1);
        let at = reported.and_then(|reported| reported.values.get(ticket)).copied().unwrap_or_default();
        let place = charges.len() as u64;
        charges.push(contract, long.due[row], at, long.penalty[row], clock, sheet.origin.ticket(ticket));
        let single = singles.get(&long.ticket[row]).and_then(|at| judged.singles.get(*at));
        if let (Some((_, Ok(assessment))), Some((clause, name))) =
            (single, long.clocks.get(usize::from(clock)))
        {
            let of = assessment.penalties.iter().find(|p| *p.clause == **clause && *p.clock == **name);
            let steps: Vec<(Instant, i64)> =
                of.map_or(Vec::new(), |p| p.steps.iter().map(|(at, amount)| (*at, amount.minor())).collect());
            let at = assessment.reported_at.map(Instant::micros);
            if let (Some(last), Some(at)) = (charges.reported.last_mut(), at) {
                *last = at;
            }
            if steps.len() > 1 || steps.first().is_some_and(|(at, _)| at.micros() != long.due[row]) {
                charges.steps.insert(place, steps);
            }
        }
    }
    charges
}

/// What became of the charges of a unit, of which the first is at a place of all: they come in the same order in both readings.
pub(super) fn taken(outcome: &Outcome, first: usize, long: &Long) -> Taken {
    let rows = long.rows();
    let mut taken = Taken { deducted: vec![0; rows], shortfall: vec![0; rows], balance: vec![0; rows] };
    let mut place = first;
    for row in 0..rows {
        if long.penalty[row] <= 0 {
            continue;
        }
        taken.deducted[row] = outcome.deducted.get(place).copied().unwrap_or_default();
        taken.shortfall[row] = outcome.shortfall.get(place).copied().unwrap_or_default();
        taken.balance[row] = outcome.balance.get(place).copied().unwrap_or_default();
        place += 1;
    }
    taken
}
