//! A whole history assessed: read twice, once to know what every contract owes, once to tell it with what the deposits paid.

mod out;
mod owed;
mod totals;
mod units;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};

use arrow::array::{Array, RecordBatch};
use holdback::Event;
use pulp::Arch;

use crate::batch::Batch;
use crate::cells::Names;
use crate::charges::{Charges, Outcome, Settling};
use crate::error::{BatchError, Refused};
use crate::judge::{Contract, Judge, Judged, Scratch};
use crate::log::{LaidLog, LogLayout, Tells, lay_log};
use crate::sheet::Sheet;
use crate::source::Source;
use crate::table::{Holds, Laid, Layout, lay};
use crate::told::{Long, schema, table};
use crate::write::Encoded;
use out::Out;
use owed::{charges, taken};
use totals::Totals;
pub use totals::{ClockTotal, ContractTotal, MonthTotal, Report};
use units::{TicketOrder, TicketSpan, Units};

/// So many row groups are in one file of a folder.
const GROUPS: u64 = 64;

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
    /// A folder: `assessed-00001.parquet` and so on, `totals.csv`, `refused.ndjson`. Work that was broken off goes on with the
    /// parts that are whole when the same is asked for again.
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
}

/// How far the work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Rows read to know what is owed, of so many if that is known.
    Judging(u64, Option<u64>),
    /// What is owed is being settled.
    Settling,
    /// Rows read to tell the results.
    Telling(u64, Option<u64>),
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
    let mut run = Run { batch, job, source, layout, events: HashMap::new(), arch: Arch::new() };
    run.contract_events()?;
    let (charges, firsts, names, mut report) = match run.judge_all(progress) {
        Err(BatchError::Order(_)) if matches!(run.layout, Shape::Log(_)) => {
            // The events of a ticket lie apart: they are put together first.
            let by: Vec<usize> = [run.layout.place_of_contract(), run.layout.place_of_ticket()]
                .into_iter()
                .flatten()
                .collect();
            run.source = run.source.sorted(&by, job.memory)?;
            run.judge_all(progress)?
        }
        result => result?,
    };
    progress(Stage::Settling);
    let by_number: HashMap<u32, Vec<Event>> =
        (0..).zip(names.iter()).map(|(number, name)| (number, run.events_of(name))).collect();
    let settling = Settling {
        pack: &batch.pack,
        names: &names,
        events: &by_number,
        as_of: batch.as_of(),
        clauses: &batch.clause_ids,
    };
    let outcome = settling.settle(&charges, job.threads)?;
    drop(charges);
    run.tell_all(&firsts, &names, &outcome, &mut report, progress)?;
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

/// All charges, where those of each unit begin, the names of the contracts, and what is known of the report.
type Owed = (Charges, Vec<usize>, Vec<Arc<str>>, Report);

/// What a thread keeps from unit to unit.
#[derive(Default)]
struct Worker {
    names: Names,
    contracts: Vec<Contract>,
    scratch: Scratch,
}

/// A unit laid out and judged.
struct Done {
    sheet: Sheet,
    judged: Judged,
    long: Long,
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
        let judge = Judge { batch: self.batch, contracts: &worker.contracts, sheet: &sheet, arch: self.arch };
        let mut judged = judge.judge(&mut worker.scratch);
        refused.extend(judged.refused(unit.first_row));
        if let (OnError::Stop, Some(refused)) = (self.job.on_error, refused.first()) {
            let place = self.job.input.display().to_string();
            return Err(BatchError::Stopped { place, refused: Box::new(refused.clone()) });
        }
        let long = Long::of(self.batch, &sheet, &mut judged);
        Ok(Done { sheet, judged, long, refused })
    }

    /// Runs something over all units, on all threads, and takes the results in the order of the input.
    fn over_units<R: Send>(
        &self,
        columns: Option<&[usize]>,
        work: &(dyn Fn(&mut Worker, Unit) -> Result<R, BatchError> + Sync),
        take: &mut dyn FnMut(R) -> Result<(), BatchError>,
        read: &mut dyn FnMut(u64),
    ) -> Result<u64, BatchError> {
        let mut units = Units {
            batches: self.source.batches(columns)?,
            layout: &self.layout,
            rest: None,
            row: 1,
            number: 0,
        };
        if self.job.threads <= 1 {
            let mut worker = Worker::default();
            while let Some(unit) = units.next_unit()? {
                take(work(&mut worker, unit)?)?;
                read(units.row - 1);
            }
            return Ok(units.row - 1);
        }
        let most = self.job.threads * 2;
        let (give, wanted) = sync_channel::<Unit>(most);
        let wanted = Mutex::new(wanted);
        let (tell, told) = sync_channel::<(u64, Result<R, BatchError>)>(most * 2);
        std::thread::scope(|scope| {
            for _ in 0..self.job.threads {
                let (wanted, tell) = (&wanted, tell.clone());
                scope.spawn(move || {
                    let mut worker = Worker::default();
                    loop {
                        let Ok(unit) = wanted.lock().map_or(Err(()), |wanted| wanted.recv().map_err(|_| ()))
                        else {
                            return;
                        };
                        let number = unit.number;
                        if tell.send((number, work(&mut worker, unit))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(tell);
            let mut give = Some(give);
            let mut waiting: BTreeMap<u64, R> = BTreeMap::new();
            let (mut next, mut given) = (0, 0_u64);
            let mut result = Ok(());
            loop {
                if result.is_ok() && given < next + most as u64 {
                    match (units.next_unit(), &give) {
                        (Ok(Some(unit)), Some(to)) => {
                            given += 1;
                            if to.send(unit).is_err() {
                                give = None;
                            }
                            read(units.row - 1);
                            if given < next + most as u64 {
                                continue;
                            }
                        }
                        (Ok(_), _) => give = None,
                        (Err(error), _) => (result, give) = (Err(error), None),
                    }
                }
                if result.is_err() {
                    give = None;
                }
                let Ok((number, done)) = told.recv() else { break };
                match done {
                    Ok(done) => {
                        waiting.insert(number, done);
                    }
                    Err(error) => result = result.and(Err(error)),
                }
                while let Some(done) = waiting.remove(&next) {
                    next += 1;
                    if result.is_ok() {
                        result = take(done);
                    }
                }
                if give.is_none() && given == next && result.is_ok() {
                    break;
                }
            }
            drop(give);
            drop(told);
            result
        })?;
        Ok(units.row - 1)
    }

    /// The first reading: what everybody owes.
    fn judge_all(&self, progress: &mut dyn FnMut(Stage)) -> Result<Owed, BatchError> {
        let mut all = Charges::default();
        let mut names = Names::default();
        let mut report = Report::default();
        let mut order = TicketOrder::default();
        // Where the charges of each unit begin.
        let mut firsts = vec![0_usize];
        let ends = self.batch.pack.counts_clocks();
        let work = |worker: &mut Worker, unit: Unit| -> Result<_, BatchError> {
            let done = self.done(worker, &unit)?;
            let charges = charges(&done, ends);
            let span = TicketSpan::of(&done.sheet);
            // Contracts are numbered anew for all threads together.
            let mut used: Vec<u32> =
                charges.contract.iter().copied().chain(charges.ended.keys().copied()).collect();
            used.extend(done.sheet.contract.iter().copied());
            used.sort_unstable();
            used.dedup();
            let named: Vec<(u32, Arc<str>)> = used
                .iter()
                .filter_map(|number| Some((*number, worker.names.names.get(*number as usize)?.clone())))
                .collect();
            Ok((charges, named, span))
        };
        let total = self.source.rows;
        let mut take = |(charges, named, span): (Charges, Vec<(u32, Arc<str>)>, TicketSpan)| {
            let most = named.iter().map(|(number, _)| *number as usize + 1).max().unwrap_or(0);
            let mut numbers = vec![0; most];
            for (number, name) in named {
                numbers[number as usize] = names.number(&name);
            }
            let clocks: Vec<u16> =
                charges.clocks.iter().map(|(clause, clock)| all.clock(clause, clock)).collect();
            all.append(charges, &numbers, &clocks);
            order.take(span);
            firsts.push(all.len());
            Ok(())
        };
        if let Ok(mut refused) = self.source.refused.lock() {
            refused.clear();
        }
        let columns = self.asked_columns();
        report.rows = self.over_units(columns.as_deref(), &work, &mut take, &mut |rows| {
            progress(Stage::Judging(rows, total));
        })?;
        if !order.ascending {
            self.no_ticket_twice()?;
        }
        Ok((all, firsts, names.names.to_vec(), report))
    }

    /// The columns that are looked at at all, for files that can leave out others.
    fn asked_columns(&self) -> Option<Vec<usize>> {
        let Shape::Table(_) = &self.layout else { return None };
        None
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

    /// The second reading: what is told of every ticket.
    fn tell_all(
        &self,
        firsts: &[usize],
        names: &[Arc<str>],
        outcome: &Outcome,
        report: &mut Report,
        progress: &mut dyn FnMut(Stage),
    ) -> Result<(), BatchError> {
        let mut totals = Totals::default();
        let schema = schema(self.batch, true);
        let mut out = Out::begin(&self.job.output, self.batch, self.job)?;
        let encoder = out.encoder(&schema)?;
        let numbers: HashMap<&str, u32> = (0..).zip(names).map(|(number, name)| (&**name, number)).collect();
        let kept = out.kept();
        let work = |worker: &mut Worker, unit: Unit| -> Result<_, BatchError> {
            let done = self.done(worker, &unit)?;
            let contracts: Vec<u32> = worker
                .names
                .names
                .iter()
                .map(|name| numbers.get(&**name).copied().unwrap_or(u32::MAX))
                .collect();
            let place = usize::try_from(unit.number).ok().and_then(|number| firsts.get(number));
            let taken = taken(outcome, place.copied().unwrap_or(usize::MAX), &done.long);
            let totals = Totals::of(self.batch, &done, &contracts, &taken);
            let encoded = match &encoder {
                Some(encoder) if !kept.contains(&(unit.number / GROUPS)) => {
                    let table = table(
                        self.batch,
                        &worker.contracts,
                        &done.sheet,
                        &done.judged,
                        &done.long,
                        Some(&taken),
                    );
                    let table = table.map_err(|e| self.data(&e))?;
                    Some(encoder.encode(&table).map_err(|e| self.data(&e))?)
                }
                _ => None,
            };
            Ok((unit.number, encoded, totals, done.refused))
        };
        let total = self.source.rows;
        let mut take = |(number, encoded, own, refused): (u64, Option<Encoded>, Totals, Vec<Refused>)| {
            totals.add(own);
            for refused in &refused {
                out.refuse(refused)?;
            }
            out.put(number, encoded, &schema)
        };
        if let Ok(mut refused) = self.source.refused.lock() {
            refused.clear();
        }
        self.over_units(None, &work, &mut take, &mut |rows| progress(Stage::Telling(rows, total)))?;
        let lines =
            self.source.refused.lock().map(|mut refused| std::mem::take(&mut *refused)).unwrap_or_default();
        if let (OnError::Stop, Some(refused)) = (self.job.on_error, lines.first()) {
            let place = self.job.input.display().to_string();
            return Err(BatchError::Stopped { place, refused: Box::new(refused.clone()) });
        }
        for refused in &lines {
            out.refuse(refused)?;
        }
        totals.tell(self.batch, names, &outcome.contracts, report);
        report.refused = out.refused;
        report.parts_kept = kept.len() as u64;
        out.finish(report)
    }
}
