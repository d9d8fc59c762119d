//! A whole history assessed in one reading: units of whole tickets are judged and written down but for what the deposits paid, which is
//! known when every contract is settled and is written last.

mod kept;
mod out;
mod owed;
#[cfg(test)]
mod tests;
mod threads;
mod totals;
mod units;

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use holdback::Event;
use pulp::Arch;

use crate::batch::Batch;
use crate::cells::Names;
use crate::charges::{Charges, Debts, Settling};
use crate::error::{BatchError, Refused};
use crate::judge::{Contract, Judge, Scratch};
use crate::log::{LaidLog, LogLayout, Tells, lay_log};
use crate::source::Source;
use crate::table::{Holds, Laid, Layout, lay};
use crate::told::{LATE, Told, schema};
use crate::write::{Encoded, Shape as Tables};
use out::Out;
use owed::charges;
use threads::over_units;
pub use totals::{ClockTotal, ContractTotal, MonthTotal, Report};
use totals::{Counts, Totals};
use units::{TicketOrder, TicketSpan, Units};

/// So many row groups are in one file of a folder.
const GROUPS: u64 = if cfg!(test) { 4 } else { 16 };

/// What becomes of a row that is wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// It is left out, counted and written down.
    #[default]
    Skip,
    /// The work stops at the first.
    Stop,
}

/// Where the results go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Nowhere: totals only.
    Nothing,
    /// One Parquet file. Refused rows are beside it, as `<file>.refused.ndjson`.
    File(PathBuf),
    /// A folder: `assessed-00001.parquet` and so on, `totals.csv`, `refused.ndjson`. Work that was broken off goes on after the last
    /// part that was judged whole when the same is asked for again.
    Folder(PathBuf),
}

/// What is to be assessed, and how.
#[derive(Clone, Debug)]
pub struct Job {
    /// A ticket table or an event log: Parquet, Arrow IPC, CSV or JSON lines.
    pub input: PathBuf,
    /// Events of the contracts themselves, beside those of the pack and of the log.
    pub contract_events: Vec<Event>,
    /// Where the results go.
    pub output: Output,
    /// What becomes of rows that are wrong.
    pub on_error: OnError,
    /// So many threads judge; at least one.
    pub threads: usize,
    /// About so many bytes may be used.
    pub memory: u64,
    /// An event after [`Batch::as_of`] is an error: the input's own word is that this is its last instant.
    pub ends: bool,
}

/// How far the work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Rows judged, of so many if that is known.
    Judging(u64, Option<u64>),
    /// What is owed is being settled.
    Settling,
    /// Files finished with what the deposits paid, of so many.
    Telling(u64, u64),
}

/// Assesses a history, and tells how far it is.
///
/// # Errors
/// [`BatchError`]; nothing then stands under the final name of a file that is not whole.
pub fn assess_history(
    batch: &Batch,
    job: &Job,
    progress: &mut dyn FnMut(Stage),
) -> Result<Report, BatchError> {
    let source = Source::open(&job.input, &batch.pack)?;
    let layout = match LogLayout::fits(source.schema()) {
        true => Shape::Log(LogLayout::of(&batch.pack, source.schema())?),
        false => Shape::Table(Layout::of(&batch.pack, source.schema())?),
    };
    let tables = match job.output {
        Output::Nothing => None,
        _ => Some(Tables::new(&schema(batch, true), LATE).map_err(|error| BatchError::Data {
            place: "the result".to_owned(),
            reason: error.to_string(),
        })?),
    };
    let mut run = Run { batch, job, source, layout, tables, events: HashMap::new(), arch: Arch::new() };
    run.contract_events()?;
    let mut out = Out::begin(job, batch)?;
    let judged = match out.goes_on_sorted() {
        true => Err(BatchError::Order(String::new())),
        false => run.judge_all(&mut out, progress),
    };
    let owed = match judged {
        Err(BatchError::Order(_)) if matches!(run.layout, Shape::Log(_)) => {
            // The events of a ticket lie apart: they are put together first.
            let by: Vec<usize> = [run.layout.place_of_contract(), run.layout.place_of_ticket()]
                .into_iter()
                .flatten()
                .collect();
            run.source = run.source.sorted(&by, job.memory)?;
            out.sorts()?;
            run.judge_all(&mut out, progress)?
        }
        result => result?,
    };
    if job.ends && owed.totals.later > 0 {
        let reason = format!(
            "{} events are later than {}, which is the last instant by its own statistics: write it anew, or say as of when",
            owed.totals.later,
            batch.as_of()
        );
        return Err(run.data(&reason));
    }
    progress(Stage::Settling);
    let Owed { debts, names, totals, mut report } = owed;
    let by_number: HashMap<u32, Vec<Event>> =
        (0..).zip(names.iter()).map(|(number, name)| (number, run.events_of(name))).collect();
    let settling = Settling {
        pack: &batch.pack,
        names: &names,
        events: &by_number,
        as_of: batch.as_of(),
        clauses: &batch.clause_ids,
    };
    let clocks = debts.clocks.clone();
    let mut outcome = settling.settle(debts, job.threads)?;
    totals.tell(batch, &names, &clocks, &outcome, &mut report);
    report.refused = out.refused;
    report.parts_kept = out.parts_kept();
    out.finish(run.tables.as_ref(), &mut outcome, &report, progress)?;
    Ok(report)
}

enum Shape {
    Table(Layout),
    Log(LogLayout),
}

impl Shape {
    fn place_of_ticket(&self) -> Option<usize> {
        match self {
            Shape::Table(layout) => layout.place(Holds::Ticket),
            Shape::Log(layout) => layout.place(Tells::Ticket),
        }
    }

    fn place_of_contract(&self) -> Option<usize> {
        match self {
            Shape::Table(layout) => layout.place(Holds::Contract),
            Shape::Log(layout) => layout.place(Tells::Contract),
        }
    }
}

struct Run<'a> {
    batch: &'a Batch,
    job: &'a Job,
    source: Source,
    layout: Shape,
    /// What result tables look like, if any are written.
    tables: Option<Tables>,
    /// Events of the contracts, by name, without those of the pack.
    events: HashMap<String, Vec<Event>>,
    arch: Arch,
}

/// Whole tickets, to be judged together.
struct Unit {
    number: u64,
    first_row: u64,
    rows: RecordBatch,
}

/// What all tickets owe, the names of the contracts by number, what was counted, and what is known of the report.
struct Owed {
    debts: Debts,
    names: Vec<Arc<str>>,
    totals: Totals,
    report: Report,
}

/// What a thread keeps from unit to unit.
#[derive(Default)]
struct Worker {
    names: Names,
    contracts: Vec<Contract>,
    scratch: Scratch,
}

/// A unit judged, by the numbers of contracts and clocks of the thread that did it.
struct Done {
    number: u64,
    /// The number of the row after its last.
    next_row: u64,
    encoded: Option<Encoded>,
    charges: Charges,
    counts: Counts,
    /// The contracts by their numbers here.
    named: Vec<(u32, Arc<str>)>,
    span: TicketSpan,
    refused: Vec<Refused>,
}

impl Run<'_> {
    fn events_of(&self, contract: &str) -> Vec<Event> {
        let own = self.events.get(contract).into_iter().flatten().cloned();
        self.batch.pack.opening_events(contract).into_iter().chain(own).collect()
    }

    /// Finds the events of the contracts themselves, which may stand anywhere in a log.
    fn contract_events(&mut self) -> Result<(), BatchError> {
        let mut all = self.job.contract_events.clone();
        if let Shape::Log(layout) = &self.layout
            && let Some(place) = layout.place(Tells::Ticket)
            && self.source.nulls("ticket") != Some(0)
        {
            let mut first = 1;
            for rows in self.source.batches(None)? {
                let rows = rows?;
                let n = rows.num_rows() as u64;
                let ticket = rows.column(place);
                if ticket.null_count() > 0 {
                    let missing = arrow::compute::is_null(ticket).map_err(|e| self.data(&e))?;
                    let own =
                        arrow::compute::filter_record_batch(&rows, &missing).map_err(|e| self.data(&e))?;
                    all.extend(lay_log(self.batch, layout, &own, &mut Names::default(), first)?.of_contracts);
                }
                first += n;
            }
        }
        for event in all {
            self.events.entry(event.contract.clone()).or_default().push(event);
        }
        Ok(())
    }

    fn data(&self, error: &dyn std::fmt::Display) -> BatchError {
        BatchError::Data { place: self.job.input.display().to_string(), reason: error.to_string() }
    }

    fn done(&self, worker: &mut Worker, unit: &Unit) -> Result<Done, BatchError> {
        let (sheet, mut refused) = match &self.layout {
            Shape::Table(layout) => {
                let Laid { sheet, refused } =
                    lay(self.batch, layout, &unit.rows, &mut worker.names, unit.first_row)?;
                (sheet, refused.into_iter().map(|(_, refused)| refused).collect())
            }
            Shape::Log(layout) => {
                let LaidLog { sheet, refused, .. } =
                    lay_log(self.batch, layout, &unit.rows, &mut worker.names, unit.first_row)?;
                (sheet, refused)
            }
        };
        for name in worker.names.names.iter().skip(worker.contracts.len()) {
            worker.contracts.push(self.batch.contract(name, self.events_of(name)));
        }
        let (batch, contracts, arch) = (self.batch, &worker.contracts, self.arch);
        let judge = Judge { batch, bare: false, contracts, sheet: &sheet, arch };
        let mut judged = judge.judge(&mut worker.scratch);
        refused.extend(judged.refused(unit.first_row));
        if let (OnError::Stop, Some(refused)) = (self.job.on_error, refused.first()) {
            let place = self.job.input.display().to_string();
            return Err(BatchError::Stopped { place, refused: Box::new(refused.clone()) });
        }
        judged.sort();
        let told = Told::of(self.batch, &sheet, &judged);
        let counts = Counts::of(&sheet, &judged, &told);
        let charges = charges(&sheet, &judged, &told, self.batch.pack.counts_clocks());
        let named = counts.contracts().chain(charges.ended.keys().copied());
        let named = named
            .filter_map(|number| Some((number, worker.names.names.get(number as usize)?.clone())))
            .collect();
        let span = TicketSpan::of(&sheet);
        let encoded = match &self.tables {
            None => None,
            Some(tables) => {
                let encoded = told.encode(tables, self.batch, &worker.contracts, &sheet, &judged);
                Some(encoded.map_err(|e| self.data(&e))?)
            }
        };
        let next_row = unit.first_row + unit.rows.num_rows() as u64;
        Ok(Done { number: unit.number, next_row, encoded, charges, counts, named, span, refused })
    }

    /// The reading: everything is judged, and written down but for what the deposits paid.
    fn judge_all(&self, out: &mut Out, progress: &mut dyn FnMut(Stage)) -> Result<Owed, BatchError> {
        let mut owed = Owed {
            debts: Debts::default(),
            names: Vec::new(),
            totals: Totals::default(),
            report: Report::default(),
        };
        let mut names = Names::default();
        let mut order = TicketOrder::default();
        let (mut number, mut row) = (0, 1);
        for kept in out.take_kept()? {
            kept.names.iter().for_each(|name| {
                names.number(name);
            });
            (number, row) = (kept.units, kept.next_row);
            order = kept.order.clone();
            owed.totals.add(&kept.totals);
            let charges = kept.charges();
            owed.debts.clocks.clone_from(&charges.clocks);
            owed.debts.take(&charges, &[], &[]);
        }
        let mut part = out::PartOf { names: names.names.len(), ..out::PartOf::default() };
        let total = self.source.rows;
        let mut take = |done: Done| -> Result<(), BatchError> {
            let most = done.named.iter().map(|(number, _)| *number as usize + 1).max().unwrap_or(0);
            let mut numbers = vec![0; most];
            for (number, name) in &done.named {
                numbers[*number as usize] = names.number(name);
            }
            let clocks: Vec<u16> =
                done.charges.clocks.iter().map(|(clause, clock)| owed.debts.clock(clause, clock)).collect();
            part.totals.count(&done.counts, &numbers, &clocks);
            owed.debts.take(&done.charges, &numbers, &clocks);
            if out.keeps() {
                part.charges.append(&done.charges, &numbers, &clocks);
            }
            order.take(done.span);
            for refused in done.refused {
                out.refuse(&refused)?;
                part.refused.push(refused);
            }
            (part.units, part.next_row) = (done.number + 1, done.next_row);
            out.put(done.number, done.encoded)?;
            if part.units.is_multiple_of(GROUPS) {
                part.charges.clocks.clone_from(&owed.debts.clocks);
                out.close_part(&part, &names.names, &order)?;
                owed.totals.add(&part.totals);
                part = out::PartOf { names: names.names.len(), ..out::PartOf::default() };
            }
            Ok(())
        };
        if let Ok(mut refused) = self.source.refused.lock() {
            refused.clear();
        }
        let units = Units { batches: self.source.from(row)?, layout: &self.layout, rest: None, row, number };
        let work = |worker: &mut Worker, unit: Unit| self.done(worker, &unit);
        let rows = over_units(units, self.job.threads, &work, &mut take, &mut |rows| {
            progress(Stage::Judging(rows, total));
        })?;
        if part.next_row > 0 {
            part.charges.clocks.clone_from(&owed.debts.clocks);
            out.close_part(&part, &names.names, &order)?;
        }
        owed.totals.add(&part.totals);
        let lines =
            self.source.refused.lock().map(|mut refused| std::mem::take(&mut *refused)).unwrap_or_default();
        if let (OnError::Stop, Some(refused)) = (self.job.on_error, lines.first()) {
            let place = self.job.input.display().to_string();
            return Err(BatchError::Stopped { place, refused: Box::new(refused.clone()) });
        }
        for refused in &lines {
            out.refuse(refused)?;
        }
        if !order.ascending {
            self.no_ticket_twice()?;
        }
        owed.report.rows = rows;
        owed.names = names.names.to_vec();
        Ok(owed)
    }

    /// Looks whether a ticket comes again where it should not.
    fn no_ticket_twice(&self) -> Result<(), BatchError> {
        let (ticket, contract) = (self.layout.place_of_ticket(), self.layout.place_of_contract());
        let Some(ticket) = ticket else { return Ok(()) };
        let is_log = matches!(self.layout, Shape::Log(_));
        let (one, two) = (RandomState::new(), RandomState::new());
        let mut seen: HashSet<(u64, u64)> = HashSet::new();
        let mut last: Option<(u64, u64)> = None;
        let mut row = 0_u64;
        let columns: Vec<usize> = [Some(ticket), contract].into_iter().flatten().collect();
        for rows in self.source.batches(Some(&columns))? {
            let rows = rows?;
            let tickets = crate::cells::strings("ticket", rows.column(ticket))?;
            let contracts =
                contract.map(|place| crate::cells::strings("contract", rows.column(place))).transpose()?;
            for at in 0..rows.num_rows() {
                row += 1;
                if tickets.is_null(at) {
                    continue;
                }
                let of = contracts.as_ref().filter(|of| of.is_valid(at)).map_or("", |of| of.value(at));
                let key = (one.hash_one((of, tickets.value(at))), two.hash_one((of, tickets.value(at))));
                if is_log && last == Some(key) {
                    continue;
                }
                last = Some(key);
                if !seen.insert(key) {
                    let what = if is_log { "its events lie apart" } else { "it has a row already" };
                    return Err(BatchError::Order(format!(
                        "{}: row {row}: ticket `{}` comes again: {what}",
                        self.job.input.display(),
                        crate::cells::short(tickets.value(at)),
                    )));
                }
            }
        }
        Ok(())
    }
}
