//! A sheet of tickets judged: programs and clocks over its rows, and row by row what columns cannot be sure of.

mod clock;
mod inputs;
mod pick;
mod price;
mod rows;

use std::collections::HashMap;

use holdback::graph::{Op, PauseColumn};
use holdback::{Assessment, Event, EventError, Instant, assess};
use pulp::Arch;

use crate::batch::Batch;
use crate::clocks::{Hands, Runs};
use crate::error::Refused;
use crate::kernel::{CHUNK, Columns, Values, single};
use crate::plan::{Epoch, Segment};
use crate::sheet::{Numbers, Sheet};
use rows::Rows;

/// What the contracts of the rows say, by number.
#[derive(Debug, Default)]
pub(crate) struct Contract {
    pub(crate) id: String,
    /// Its tickets are judged row by row: something holds their clocks that columns do not know.
    pub(crate) by_rows: bool,
    /// The hoisted nodes by epoch: nothing where one has no answer.
    pub(crate) hoisted: Vec<Vec<Option<i64>>>,
    pub(crate) events: Vec<Event>,
}

/// One clock of some rows.
#[derive(Debug, Default)]
pub(crate) struct ClockRows {
    pub(crate) epoch: usize,
    pub(crate) clock: usize,
    /// The rows; nothing: all of the sheet.
    pub(crate) rows: Option<Vec<u32>>,
    pub(crate) runs: Runs,
    /// What a breach costs; of rows that are not missed it means nothing.
    pub(crate) price: Vec<i64>,
}

impl ClockRows {
    /// One in the memory of another's columns, of which every row is to be written.
    pub(crate) fn made_of(state: Vec<u8>, due: Vec<i64>, late: Vec<i64>, price: Vec<i64>) -> ClockRows {
        ClockRows { runs: Runs { state, due, late, ..Runs::default() }, price, ..ClockRows::default() }
    }
}

/// A sheet judged.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) clocks: Vec<ClockRows>,
    /// Whose word on the class counts, by number among all; zero: nobody's.
    pub(crate) class: Vec<u16>,
    /// Which clauses apply, by place in the pack: so many words a row.
    pub(crate) applies: Vec<u64>,
    pub(crate) clause_words: usize,
    /// What was found, by number among all: so many words a row.
    pub(crate) findings: Vec<u64>,
    pub(crate) finding_words: usize,
    /// Rows that were judged by themselves, ascending.
    pub(crate) singles: Vec<(u32, Result<Assessment, EventError>)>,
}

/// One hoisted node by contract.
#[derive(Clone, Debug, Default)]
struct Table {
    values: Vec<i64>,
    /// Some contract's value is not that of the first one.
    differs: bool,
}

impl Table {
    /// The value of all contracts, if they have the same.
    fn same(&self) -> Option<i64> {
        self.values.first().copied().filter(|_| !self.differs)
    }
}

/// The hoisted nodes by epoch and node.
type Tables = Vec<Vec<Table>>;

/// Columns to work in, kept from sheet to sheet.
#[derive(Default)]
pub(crate) struct Scratch {
    /// Of the contracts so far: these come one after another, and none changes.
    tables: Tables,
    /// Columns for results that nobody needs any more.
    pub(crate) spare: Vec<ClockRows>,
    columns: HashMap<(usize, usize), Columns>,
    prices: HashMap<(usize, usize), Columns>,
    hands: Hands,
    start: Vec<i64>,
    stop: Vec<i64>,
    stopped: Vec<i64>,
    has_start: Vec<u8>,
    has_stop: Vec<u8>,
}

pub(crate) struct Judge<'a> {
    pub(crate) batch: &'a Batch,
    /// Only what is needed for sums: no beginnings and ends of clocks, no words on clauses.
    pub(crate) bare: bool,
    pub(crate) contracts: &'a [Contract],
    pub(crate) sheet: &'a Sheet,
    pub(crate) arch: Arch,
}

impl Judged {
    /// Puts the clocks into the order in which they are told.
    pub(crate) fn sort(&mut self) {
        self.clocks.sort_by_key(|clock| (clock.epoch, clock.clock));
    }

    /// Rows that the pack's schema refuses when they are judged by themselves. `first` is the number of the sheet's first row.
    pub(crate) fn refused(&self, first: u64) -> Vec<Refused> {
        let refused = self.singles.iter().filter_map(|(row, assessment)| {
            let reason = assessment.as_ref().err()?.to_string();
            Some(Refused { row: first + u64::from(*row), column: None, reason })
        });
        refused.collect()
    }
}

impl Judge<'_> {
    pub(crate) fn judge(&self, scratch: &mut Scratch) -> Judged {
        let rows = self.sheet.rows;
        self.look_up(&mut scratch.tables);
        let (clause_words, finding_words) = match self.bare {
            false => (self.batch.clause_words, self.batch.finding_words),
            true => (0, 0),
        };
        let mut judged = Judged {
            class: vec![0; rows],
            applies: vec![0; rows * clause_words],
            clause_words,
            findings: vec![0; rows * finding_words],
            finding_words,
            ..Judged::default()
        };
        let mut doubtful = vec![0_u8; rows];
        self.sheet.doubtful.iter().for_each(|row| mark(&mut doubtful, *row as usize));
        if self.contracts.iter().any(|contract| contract.by_rows) {
            for (doubt, contract) in doubtful.iter_mut().zip(&self.sheet.contract) {
                *doubt |= u8::from(self.contracts.get(*contract as usize).is_some_and(|c| c.by_rows));
            }
        }
        for (epoch, rows) in self.by_epoch() {
            let Some((_, of)) = self.batch.epochs.get(epoch) else { continue };
            let all = match &rows {
                None => Rows::From(0, self.sheet.rows),
                Some(rows) => Rows::These(rows),
            };
            let buckets = self.buckets(of, all);
            for (place, segment) in of.segments.iter().enumerate() {
                let picked = buckets.get(place).and_then(Option::as_ref);
                let here = match picked {
                    Some(picked) => Rows::These(picked),
                    None => all,
                };
                if here.len() > 0 {
                    self.segment((epoch, place), of, segment, here, &mut judged, &mut doubtful, scratch);
                }
            }
        }
        // Most sheets have none: that is seen in one go.
        let any = doubtful.iter().fold(0, |any, doubt| any | doubt) != 0;
        for (row, _) in doubtful.iter().enumerate().filter(|(_, doubt)| any && **doubt != 0) {
            #[cfg(test)]
            SINGLES.with(|singles| singles.set(singles.get() + 1));
            if let Some(assessment) = self.single(row) {
                judged.singles.push((u32::try_from(row).unwrap_or(u32::MAX), assessment));
            }
        }
        judged
    }

    /// Puts what depends on the contract alone into tables, of the contracts that came since.
    fn look_up(&self, tables: &mut Tables) {
        tables.resize(self.batch.epochs.len(), Vec::new());
        for (epoch, (tables, (_, of))) in tables.iter_mut().zip(&self.batch.epochs).enumerate() {
            tables.resize(of.hoisted.len(), Table::default());
            for (place, table) in tables.iter_mut().enumerate() {
                let value = |contract: &Contract| contract.hoisted.get(epoch)?.get(place).copied().flatten();
                for contract in self.contracts.iter().skip(table.values.len()) {
                    let value = value(contract).unwrap_or_default();
                    table.differs |= table.values.first().is_some_and(|first| *first != value);
                    table.values.push(value);
                }
            }
        }
    }

    fn fact(&self, place: u16, first: bool) -> Option<&Numbers> {
        let place = usize::from(place);
        let differs = self.sheet.first_facts.get(place).and_then(Option::as_ref).filter(|_| first);
        differs.or_else(|| self.sheet.facts.get(place).and_then(Option::as_ref))
    }

    #[expect(clippy::too_many_arguments, reason = "what a segment reads and what it writes")]
    fn segment(
        &self,
        id: (usize, usize),
        epoch: &Epoch,
        segment: &Segment,
        all: Rows<'_>,
        judged: &mut Judged,
        doubtful: &mut [u8],
        scratch: &mut Scratch,
    ) {
        let first = judged.clocks.len();
        for clock in &segment.clocks {
            let rows = match all {
                Rows::From(..) => None,
                Rows::These(rows) => Some(rows.to_vec()),
            };
            let mut of = scratch.spare.pop().unwrap_or_default();
            (of.epoch, of.clock, of.rows) = (id.0, *clock, rows);
            of.runs.reserve(all.len(), self.bare);
            of.price.reserve(all.len().saturating_sub(of.price.len()));
            judged.clocks.push(of);
        }
        let program = &segment.program;
        let mut columns = scratch.columns.remove(&id).unwrap_or_else(|| program.columns());
        let bound = self.bind(program, &mut columns, id.0, all, None, &scratch.tables);
        let mut done = 0;
        while done < all.len() {
            let rows = all.part(done, CHUNK);
            let n = rows.len();
            // What is written to is made ready piece by piece, while it is in the cache.
            for of in judged.clocks.get_mut(first..).unwrap_or_default() {
                of.runs.grow(done + n, self.bare);
                if of.price.len() < done + n {
                    of.price.resize(done + n, 0);
                }
            }
            self.run(program, &mut columns, &bound, id.0, rows, done, &scratch.tables);
            let values = Values::of(&columns, &bound, done, n);
            if columns.overflow {
                (0..n).for_each(|at| mark(doubtful, rows.row(at)));
            }
            for doubt in &segment.doubts {
                let doubts = values.bool(program.place(*doubt));
                if doubts.iter().fold(0, |any, yes| any | yes) == 0 {
                    continue;
                }
                let found = doubts.iter().enumerate().filter(|(_, yes)| **yes != 0);
                found.for_each(|(at, _)| mark(doubtful, rows.row(at)));
            }
            self.words(id.0, epoch, segment, values, rows, judged);
            for (nth, clock) in segment.clocks.iter().enumerate() {
                let Some(of) = epoch.graph.clocks.get(*clock) else { continue };
                let (earlier, rest) = judged.clocks.split_at_mut(first + nth);
                let Some(into) = rest.first_mut() else { continue };
                let earlier = earlier.get(first..).unwrap_or_default();
                self.clock(of, segment, values, rows, done, earlier, into, doubtful, scratch);
                self.price((id.0, *clock), epoch, segment, values, rows, done, into, doubtful, scratch);
            }
            done += n;
        }
        for of in judged.clocks.get_mut(first..).unwrap_or_default() {
            of.runs.truncate(all.len());
            of.price.truncate(all.len());
        }
        drop(bound);
        scratch.columns.insert(id, columns);
    }

    /// What the clauses say beside their clocks.
    fn words(
        &self,
        epoch: usize,
        of: &Epoch,
        segment: &Segment,
        values: Values<'_>,
        rows: Rows<'_>,
        judged: &mut Judged,
    ) {
        let n = rows.len();
        let words = judged.clause_words;
        for clause in
            segment.clauses.iter().filter(|_| !self.bare).filter_map(|place| of.graph.clauses.get(*place))
        {
            let (word, bit) = (usize::from(clause.clause) / 64, u32::from(clause.clause % 64));
            let applies = values.bool(segment.program.place(clause.applies));
            if let (Rows::From(first, n), 1) = (rows, words) {
                let here = judged.applies.get_mut(first..first + n).unwrap_or_default();
                here.iter_mut()
                    .zip(applies)
                    .for_each(|(place, yes)| *place |= u64::from(*yes).wrapping_shl(bit));
                continue;
            }
            for (at, yes) in applies.iter().take(n).enumerate() {
                if let Some(place) = judged.applies.get_mut(rows.row(at) * words + word) {
                    *place |= u64::from(*yes) << bit;
                }
            }
        }
        let base = self.batch.class_bases.get(epoch).copied().unwrap_or_default();
        for place in &segment.classes {
            let Some(class) = of.graph.classes.get(*place) else { continue };
            let number = u16::try_from(base + place + 1).unwrap_or_default();
            if let Rows::From(first, n) = rows {
                let here = judged.class.get_mut(first..first + n).unwrap_or_default();
                let chosen = values.bool(segment.program.place(class.chosen));
                here.iter_mut()
                    .zip(chosen)
                    .for_each(|(class, yes)| *class |= u16::from(*yes).wrapping_mul(number));
                continue;
            }
            for (at, yes) in values.bool(segment.program.place(class.chosen)).iter().take(n).enumerate() {
                if *yes != 0 {
                    judged.class.get_mut(rows.row(at)).into_iter().for_each(|class| *class = number);
                }
            }
        }
        if self.bare {
            return;
        }
        let words = judged.finding_words;
        let base = self.batch.finding_bases.get(epoch).copied().unwrap_or_default();
        for place in &segment.findings {
            let Some(finding) = of.graph.findings.get(*place) else { continue };
            let number = base + place;
            for (at, yes) in values.bool(segment.program.place(finding.found)).iter().take(n).enumerate() {
                if let Some(place) = judged.findings.get_mut(rows.row(at) * words + number / 64) {
                    *place |= u64::from(*yes) << (number % 64);
                }
            }
        }
    }

    /// One row judged by the typed program.
    fn single(&self, row: usize) -> Option<Result<Assessment, EventError>> {
        let contract = self.contracts.get(*self.sheet.contract.get(row)? as usize)?;
        let as_of = Instant::from_micros(self.batch.as_of).ok()?;
        Some(assess(&self.batch.pack, &contract.events, &self.sheet.origin.events(row), as_of))
    }
}

#[cfg(test)]
thread_local! {
    /// How many rows were judged by themselves, for the tests to know.
    pub(crate) static SINGLES: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

fn mark(doubtful: &mut [u8], row: usize) {
    doubtful.get_mut(row).into_iter().for_each(|doubt| *doubt = 1);
}

/// The hoisted nodes of an epoch for one contract.
pub(crate) fn hoisted(batch: &Batch, epoch: &Epoch, at: [Option<i64>; 2]) -> Vec<Option<i64>> {
    let days = |from: i64, period: holdback::Period| {
        batch.contract_days().period_end(from, period, holdback::CountRule::ContractLaw)
    };
    let ask = |op: &Op| match op {
        Op::ContractAt(which) => Some(at[usize::from(*which)].unwrap_or_default()),
        Op::ContractHas(which) => Some(i64::from(at[usize::from(*which)].is_some())),
        _ => None,
    };
    epoch.hoisted.iter().map(|node| single(&epoch.graph, *node, &days, &ask)).collect()
}

/// Whether a clock may be held for reasons.
pub(crate) fn named_reasons(pauses: &PauseColumn) -> &[std::sync::Arc<str>] {
    match pauses {
        PauseColumn::For(reasons) => reasons,
        _ => &[],
    }
}
