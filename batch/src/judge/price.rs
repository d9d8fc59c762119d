//! What breaches cost, over rows.

use super::rows::Rows;
use super::{ClockRows, Judge, Scratch, mark};
use crate::clocks::state;
use crate::kernel::Values;
use crate::plan::{Epoch, Segment};

impl Judge<'_> {
    /// What the breaches of a clock cost.
    #[expect(clippy::too_many_arguments, reason = "what a price reads and what it writes")]
    pub(super) fn price(
        &self,
        (epoch_place, clock): (usize, usize),
        epoch: &Epoch,
        segment: &Segment,
        values: Values<'_>,
        rows: Rows<'_>,
        done: usize,
        into: &mut ClockRows,
        doubtful: &mut [u8],
        scratch: &mut Scratch,
    ) {
        let n = rows.len();
        let price = into.price.get_mut(done..done + n).unwrap_or_default();
        let Some(of) = epoch.graph.clocks.get(clock).and_then(|clock| clock.price.as_ref()) else {
            return price.fill(0);
        };
        let is_missed = |state: u8| state == state::BREACHED || state == state::LATE;
        let Some(program) = epoch.prices.get(clock).and_then(Option::as_ref) else {
            let amounts = values.int(segment.program.place(of.amount));
            price.iter_mut().zip(amounts).for_each(|(price, amount)| *price = *amount);
            for doubt in &of.doubts {
                let doubts = values.bool(segment.program.place(*doubt));
                if doubts.iter().fold(0, |any, yes| any | yes) == 0 {
                    continue;
                }
                for (at, yes) in doubts.iter().enumerate() {
                    if *yes != 0 && into.runs.state.get(done + at).is_some_and(|state| is_missed(*state)) {
                        mark(doubtful, rows.row(at));
                    }
                }
            }
            return;
        };
        price.fill(0);
        let missed: Vec<usize> = (0..n)
            .filter(|at| into.runs.state.get(done + at).is_some_and(|state| is_missed(*state)))
            .collect();
        if missed.is_empty() {
            return;
        }
        if of.grows {
            // From when on it costs how much is found out row by row.
            return missed.into_iter().for_each(|at| mark(doubtful, rows.row(at)));
        }
        let picked: Vec<u32> =
            missed.iter().map(|at| u32::try_from(rows.row(*at)).unwrap_or(u32::MAX)).collect();
        let take = |from: &[i64]| -> Vec<i64> {
            missed.iter().map(|at| from.get(done + at).copied().unwrap_or_default()).collect()
        };
        let (due, late) = (take(&into.runs.due), take(&into.runs.late));
        let mut priced = scratch.prices.remove(&(epoch_place, clock)).unwrap_or_else(|| program.columns());
        let these = Rows::These(&picked);
        let bound = self.bind(program, &mut priced, epoch_place, these, Some((&due, &late)), &scratch.tables);
        self.run(program, &mut priced, &bound, epoch_place, these, 0, &scratch.tables);
        if priced.overflow {
            picked.iter().for_each(|row| mark(doubtful, *row as usize));
        }
        let values = Values::of(&priced, &bound, 0, picked.len());
        for doubt in &of.doubts {
            let doubts = values.bool(program.place(*doubt)).iter().zip(&picked).filter(|(yes, _)| **yes != 0);
            doubts.for_each(|(_, row)| mark(doubtful, *row as usize));
        }
        let amounts = values.int(program.place(of.amount));
        for (at, amount) in missed.iter().zip(amounts) {
            into.price.get_mut(done + at).into_iter().for_each(|price| *price = *amount);
        }
        scratch.prices.insert((epoch_place, clock), priced);
    }
}
