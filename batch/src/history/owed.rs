//! What tickets owe.

use std::collections::HashMap;
use std::sync::Arc;

use holdback::{ClockEnded, Instant};

use crate::charges::Charges;
use crate::clocks::state;
use crate::judge::Judged;
use crate::sheet::Sheet;
use crate::told::Long;

/// What a unit's tickets owe, by the unit's own numbers of contracts and clocks. `ends`: service levels count when clocks end.
pub(super) fn charges(sheet: &Sheet, judged: &Judged, long: &Long, ends: bool) -> Charges {
    let mut charges = Charges::default();
    charges.clocks.clone_from(&long.clocks);
    if ends {
        ended(sheet, long, &mut charges);
    }
    let singles: HashMap<u32, usize> =
        judged.singles.iter().enumerate().map(|(at, (row, _))| (*row, at)).collect();
    let reported = sheet.reported();
    for row in (0..long.rows()).filter(|row| long.penalty[*row] > 0) {
        let ticket = long.ticket[row] as usize;
        let contract = sheet.contract.get(ticket).copied().unwrap_or_default();
        let clock = long.clock[row].saturating_sub(1);
        let at = reported.and_then(|reported| reported.values.get(ticket)).copied().unwrap_or_default();
        let place = charges.len() as u64;
        charges.push(contract, long.due[row], at, long.penalty[row], clock, sheet.origin.ticket(ticket));
        if singles.is_empty() {
            continue;
        }
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

/// When the clocks were met or missed.
fn ended(sheet: &Sheet, long: &Long, charges: &mut Charges) {
    for row in (0..long.rows()).filter(|row| long.clock[*row] != 0) {
        let met = long.state[row] == state::MET;
        let missed = matches!(long.state[row], state::BREACHED | state::LATE);
        let at = if met { long.stopped[row] } else { long.due[row] };
        let clock = long.clocks.get(usize::from(long.clock[row]) - 1);
        if let (true, Some((_, clock)), Ok(at)) = (met || missed, clock, Instant::from_micros(at)) {
            let contract = sheet.contract.get(long.ticket[row] as usize).copied().unwrap_or_default();
            let ended = ClockEnded { clock: Arc::clone(clock), at, met };
            charges.ended.entry(contract).or_default().push(ended);
        }
    }
}
