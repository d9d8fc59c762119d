//! What tickets owe.

use std::collections::HashMap;
use std::sync::Arc;

use holdback::{ClockEnded, Instant};

use crate::charges::Charges;
use crate::clocks::state;
use crate::judge::Judged;
use crate::sheet::Sheet;
use crate::told::{Owes, Told, is_missed};

/// What a unit's tickets owe, by the unit's own numbers of contracts and clocks. `ends`: service levels count when clocks end.
pub(super) fn charges(sheet: &Sheet, judged: &Judged, told: &Told<'_>, ends: bool) -> Charges {
    let mut charges = Charges { clocks: told.clocks().to_vec(), ..Charges::default() };
    if ends {
        ended(sheet, told, &mut charges);
    }
    let singles: HashMap<u32, usize> =
        judged.singles.iter().enumerate().map(|(at, (row, _))| (*row, at)).collect();
    let reported = sheet.reported();
    let owing = told.owing();
    let ticket = |of: &Owes| of.ticket as usize;
    charges.contract =
        owing.iter().map(|of| sheet.contract.get(ticket(of)).copied().unwrap_or_default()).collect();
    charges.at = owing.iter().map(|of| of.due).collect();
    let at = |of: &Owes| reported.and_then(|reported| reported.values.get(ticket(of)).copied());
    charges.reported = owing.iter().map(|of| at(of).unwrap_or_default()).collect();
    charges.amount = owing.iter().map(|of| of.amount).collect();
    charges.clock = owing.iter().map(|of| of.clock).collect();
    (charges.tickets, charges.ends) = (Vec::with_capacity(owing.len() * 12), Vec::with_capacity(owing.len()));
    for of in &owing {
        charges.tickets.extend_from_slice(sheet.origin.ticket(ticket(of)).as_bytes());
        charges.ends.push(charges.tickets.len() as u64);
    }
    if singles.is_empty() {
        return charges;
    }
    for (place, of) in owing.iter().enumerate() {
        let single = singles.get(&of.ticket).and_then(|at| judged.singles.get(*at));
        if let (Some((_, Ok(assessment))), Some((clause, name))) =
            (single, told.clocks().get(usize::from(of.clock)))
        {
            let of = assessment.penalties.iter().find(|p| *p.clause == **clause && *p.clock == **name);
            let steps: Vec<(Instant, i64)> =
                of.map_or(Vec::new(), |p| p.steps.iter().map(|(at, amount)| (*at, amount.minor())).collect());
            if let Some(at) = assessment.reported_at {
                charges.reported[place] = at.micros();
            }
            if steps.len() > 1 || steps.first().is_some_and(|(at, _)| at.micros() != charges.at[place]) {
                charges.steps.insert(place as u64, steps);
            }
        }
    }
    charges
}

/// When the clocks were met or missed.
fn ended(sheet: &Sheet, told: &Told<'_>, charges: &mut Charges) {
    told.each(|ticket, clock, state, stopped, due| {
        let met = state == state::MET;
        let at = if met { stopped } else { due };
        let clock = told.clocks().get(clock);
        if let (true, Some((_, clock)), Ok(at)) = (met || is_missed(state), clock, Instant::from_micros(at)) {
            let contract = sheet.contract.get(ticket as usize).copied().unwrap_or_default();
            let ended = ClockEnded { clock: Arc::clone(clock), at, met };
            charges.ended.entry(contract).or_default().push(ended);
        }
    });
}
