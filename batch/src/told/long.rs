//! The rows of a table: one for each ticket and clock.

use std::sync::Arc;

use super::{Woven, is_missed, number};
use crate::batch::Batch;
use crate::clocks::{Runs, number_of, state};
use crate::judge::Judged;
use crate::sheet::Sheet;

/// The rows of a table on their way.
#[derive(Debug, Default)]
pub(crate) struct Long {
    /// The row of the sheet.
    pub(crate) ticket: Vec<u32>,
    /// The clock's number, from 1; zero for a ticket without clocks.
    pub(crate) clock: Vec<u16>,
    pub(crate) state: Vec<u8>,
    pub(crate) started: Vec<i64>,
    pub(crate) due: Vec<i64>,
    pub(crate) is_due: Vec<u8>,
    pub(crate) stopped: Vec<i64>,
    pub(crate) late: Vec<i64>,
    pub(crate) paused: Vec<i64>,
    /// Below zero where there is no price.
    pub(crate) penalty: Vec<i64>,
    /// The clocks by number less one: clause and name.
    pub(crate) clocks: Vec<(Arc<str>, Arc<str>)>,
}

impl Long {
    fn grown(rows: usize) -> Long {
        let numbers = || vec![0_i64; rows];
        Long {
            ticket: vec![0; rows],
            clock: vec![0; rows],
            state: vec![state::NONE; rows],
            started: numbers(),
            due: numbers(),
            is_due: vec![0; rows],
            stopped: numbers(),
            late: numbers(),
            paused: numbers(),
            penalty: vec![-1; rows],
            clocks: Vec::new(),
        }
    }

    /// The same of tickets that all have the same clocks.
    pub(super) fn woven(woven: &Woven<'_>) -> Long {
        let rows = woven.tickets;
        let count = woven.clocks.len();
        let numbers = |of: &dyn Fn(&Runs) -> &[i64]| -> Vec<i64> {
            weave(rows, &woven.clocks.iter().map(|clock| of(clock.runs)).collect::<Vec<_>>())
        };
        let bytes = |of: &dyn Fn(&Runs) -> &[u8]| -> Vec<u8> {
            weave(rows, &woven.clocks.iter().map(|clock| of(clock.runs)).collect::<Vec<_>>())
        };
        let mut long = Long {
            clocks: woven.names.clone(),
            started: numbers(&|runs| &runs.started),
            due: numbers(&|runs| &runs.due),
            stopped: numbers(&|runs| &runs.stopped),
            late: numbers(&|runs| &runs.late),
            paused: numbers(&|runs| &runs.paused),
            state: bytes(&|runs| &runs.state),
            is_due: bytes(&|runs| &runs.is_due),
            penalty: weave(rows, &woven.clocks.iter().map(|clock| clock.price).collect::<Vec<_>>()),
            clock: vec![0; rows * count],
            ticket: vec![0; rows * count],
        };
        for (at, clock) in woven.clocks.iter().enumerate() {
            let places = long.penalty.iter_mut().zip(&long.state).skip(at).step_by(count);
            for (penalty, state) in places {
                // No price is below zero; one that could be is judged by itself.
                let owes = !clock.price.is_empty() && is_missed(*state);
                *penalty = if owes { *penalty } else { -1 };
            }
        }
        for row in long.clock.chunks_exact_mut(count) {
            row.iter_mut().zip(&woven.clocks).for_each(|(place, clock)| *place = clock.number);
        }
        for (row, places) in (0..).zip(long.ticket.chunks_exact_mut(count)) {
            places.fill(row);
        }
        long
    }

    fn clock(&mut self, clause: &Arc<str>, name: &Arc<str>) -> u16 {
        number(&mut self.clocks, clause, name)
    }

    pub(crate) fn rows(&self) -> usize {
        self.ticket.len()
    }

    /// Puts the clocks of each ticket together, in the order of the sheet's rows.
    pub(crate) fn of(batch: &Batch, sheet: &Sheet, judged: &Judged) -> Long {
        match Woven::of(batch, sheet, judged) {
            Some(woven) => Long::woven(&woven),
            None => Long::row_by_row(batch, sheet, judged),
        }
    }

    /// The same of tickets of any kind.
    pub(super) fn row_by_row(batch: &Batch, sheet: &Sheet, judged: &Judged) -> Long {
        let mut single = vec![false; sheet.rows];
        for (row, _) in &judged.singles {
            single.get_mut(*row as usize).into_iter().for_each(|single| *single = true);
        }
        let mut left_out = vec![false; sheet.rows];
        let refused = judged.singles.iter().filter(|(_, assessment)| assessment.is_err()).map(|(row, _)| row);
        for row in sheet.left_out.iter().chain(refused) {
            left_out.get_mut(*row as usize).into_iter().for_each(|out| *out = true);
        }
        let mut counts = vec![0_u32; sheet.rows + 1];
        for clock in &judged.clocks {
            match &clock.rows {
                None => {
                    for (count, state) in counts.iter_mut().zip(&clock.runs.state) {
                        *count += u32::from(*state != state::NONE);
                    }
                }
                Some(rows) => {
                    for (row, state) in rows.iter().zip(&clock.runs.state) {
                        counts[*row as usize] += u32::from(*state != state::NONE);
                    }
                }
            }
        }
        for (row, assessment) in &judged.singles {
            counts[*row as usize] = match assessment {
                Ok(assessment) => u32::try_from(assessment.clocks.len()).unwrap_or(u32::MAX),
                Err(_) => 0,
            };
        }
        // From counts to where each ticket begins.
        let mut begin = 0;
        for (row, count) in counts.iter_mut().take(sheet.rows).enumerate() {
            let here = if left_out[row] { 0 } else { (*count).max(1) };
            *count = begin;
            begin += here;
        }
        counts[sheet.rows] = begin;
        let mut long = Long::grown(begin as usize);
        for row in 0..sheet.rows {
            let (from, until) = (counts[row] as usize, counts[row + 1] as usize);
            long.ticket[from..until].fill(u32::try_from(row).unwrap_or(u32::MAX));
        }
        for clock in &judged.clocks {
            let graph = batch.epochs.get(clock.epoch).map(|(_, epoch)| &epoch.graph);
            let Some(of) = graph.and_then(|graph| graph.clocks.get(clock.clock)) else { continue };
            let (number, priced) = (long.clock(&of.id, &of.name), of.price.is_some());
            let runs = &clock.runs;
            for (at, state) in runs.state.iter().enumerate() {
                let row = clock.rows.as_ref().map_or(at, |rows| rows[at] as usize);
                if *state == state::NONE || single[row] {
                    continue;
                }
                let to = counts[row] as usize;
                counts[row] += 1;
                long.clock[to] = number;
                long.state[to] = *state;
                long.started[to] = runs.started[at];
                long.due[to] = runs.due[at];
                long.is_due[to] = runs.is_due[at];
                long.stopped[to] = runs.stopped[at];
                long.late[to] = runs.late[at];
                long.paused[to] = runs.paused.get(at).copied().unwrap_or_default();
                if priced && is_missed(*state) {
                    long.penalty[to] = clock.price[at];
                }
            }
        }
        for (row, assessment) in &judged.singles {
            let Ok(assessment) = assessment else { continue };
            for (nth, clock) in assessment.clocks.iter().enumerate() {
                let to = counts[*row as usize] as usize + nth;
                long.clock[to] = long.clock(&clock.clause.as_str().into(), &clock.clock.as_str().into());
                long.state[to] = number_of(clock.state);
                let micros = |at: Option<holdback::Instant>| at.map_or(0, holdback::Instant::micros);
                (long.started[to], long.stopped[to]) = (micros(clock.started), micros(clock.stopped));
                (long.due[to], long.is_due[to]) = (micros(clock.due), u8::from(clock.due.is_some()));
                long.late[to] = clock.late.micros();
                let priced =
                    assessment.penalties.iter().find(|p| p.clause == clock.clause && p.clock == clock.clock);
                let of = batch.price_is_stated(&clock.clause);
                if of && is_missed(long.state[to]) {
                    long.penalty[to] = priced.map_or(0, |penalty| penalty.amount.minor());
                }
            }
        }
        long
    }
}

/// Columns of so many rows put together row by row. One that is empty leaves its places as they are by themselves.
fn weave<T: Copy + Default>(rows: usize, columns: &[&[T]]) -> Vec<T> {
    let mut woven = vec![T::default(); rows * columns.len()];
    match columns {
        [one] if one.len() == rows => woven.copy_from_slice(one),
        [one, two] if one.len() == rows && two.len() == rows => {
            for ((places, one), two) in woven.chunks_exact_mut(2).zip(*one).zip(*two) {
                (places[0], places[1]) = (*one, *two);
            }
        }
        _ => {
            for (at, column) in columns.iter().enumerate() {
                let places = woven.iter_mut().skip(at).step_by(columns.len());
                places.zip(*column).for_each(|(place, value)| *place = *value);
            }
        }
    }
    woven
}
