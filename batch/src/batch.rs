//! A pack compiled for one instant of assessment.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use arrow::array::RecordBatch;
use chrono::{Datelike, NaiveDate};
use holdback::graph::{PauseColumn, Uncompiled};
use holdback::{Assessment, Calendar, Event, EventError, Instant, Pack};

use crate::BatchError;
use crate::cells::Names;
use crate::clocks::{number_of, state};
use crate::error::Refused;
use crate::judge::{ClockRows, Contract, Judge, Scratch, hoisted, named_reasons};
use crate::log::{LaidLog, LogLayout, lay_log};
use crate::open_time::OpenTime;
use crate::plan::{Asked, Epoch};
use crate::table::{Laid, Layout, lay};
use crate::told::{Long, table};

/// The instants that columns hold: those of the years that calendars speak about.
pub(crate) const YEARS: (i64, i64) = (-2_177_452_800_000_000, 10_382_256_000_000_000);

/// So many years before the assessment's instant, and after it, are in the tables of calendars. Others are asked of the
/// calendars themselves.
const TABLE: (i32, i32) = (8, 2);

/// A pack compiled to column kernels, to assess many tickets as of one instant. Making one takes some milliseconds; it can be
/// shared between threads.
///
/// ```
/// # use std::sync::Arc;
/// use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
/// use holdback::Pack;
/// use holdback_batch::Batch;
///
/// let pack = Arc::new(Pack::open("../rules/it-incidents".as_ref())?);
/// let batch = Batch::new(pack, "2016-04-01T00:00:00Z".parse()?)?;
/// // Reported on a Monday at 09:00 and at 10:00; the second was not answered within the P1 limit of 30 minutes.
/// let at = |seconds: [Option<i64>; 2]| -> ArrayRef {
///     let micros: Vec<Option<i64>> = seconds.iter().map(|s| s.map(|s| s * 1_000_000)).collect();
///     Arc::new(TimestampMicrosecondArray::from(micros).with_timezone("UTC"))
/// };
/// let tickets = RecordBatch::try_from_iter([
///     ("contract", Arc::new(StringArray::from(vec!["it-desk"; 2])) as ArrayRef),
///     ("ticket", Arc::new(StringArray::from(vec!["T1", "T2"]))),
///     ("priority", Arc::new(StringArray::from(vec!["P3", "P1"]))),
///     ("reported_at", at([Some(1_456_736_400), Some(1_456_740_000)])),
///     ("responded_at", at([Some(1_456_740_000), Some(1_456_743_600)])),
///     ("resolved_at", at([Some(1_456_743_600), Some(1_456_743_600)])),
/// ])?;
/// let assessed = batch.assess(&tickets)?;
/// assert!(assessed.refused.is_empty());
/// let states = assessed.table.column_by_name("state").ok_or("a column")?;
/// let states = arrow::compute::cast(states, &arrow::datatypes::DataType::Utf8)?;
/// let states: Vec<_> = arrow::array::AsArray::as_string::<i32>(&states).iter().flatten().collect();
/// // Response and resolution of each ticket.
/// assert_eq!(states, ["met", "met", "late", "met"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Batch {
    pub(crate) pack: Arc<Pack>,
    pub(crate) as_of: i64,
    any_contract: bool,
    by_rows: bool,
    events: HashMap<String, Vec<Event>>,
    /// What calls leave for the next ones, one for each that ran at the same time.
    kept: std::sync::Mutex<Vec<Kept>>,
    pub(crate) epochs: Vec<(NaiveDate, Epoch)>,
    /// When each epoch begins, a day before and a day after its date in UTC: between the two the date itself is looked at.
    edges: Vec<(i64, i64)>,
    calendars: Vec<(Arc<Calendar>, OnceLock<OpenTime>)>,
    days: OnceLock<OpenTime>,
    pub(crate) years: (i64, i64),
    table_years: (i32, i32),
    pub(crate) asked: Asked,
    /// How many words hold a bit for each clause.
    pub(crate) clause_words: usize,
    pub(crate) finding_words: usize,
    /// The numbers of the first class and finding of each epoch.
    pub(crate) class_bases: Vec<usize>,
    pub(crate) finding_bases: Vec<usize>,
    /// Kinds by name.
    pub(crate) kinds: HashMap<String, u16>,
    /// The ids of the clause files, by place.
    pub(crate) clause_ids: Vec<Arc<str>>,
}

/// What came of a ticket table.
#[derive(Clone, Debug)]
pub struct Assessed {
    /// One row for each ticket and clock: contract, ticket, reported, clause, clock, state, started, due, met, breached, late_us,
    /// paused_us (microseconds; paused_us is missing for a ticket that was judged by itself), class, class_clause, penalty, clauses
    /// (those that apply), findings, fault (why the ticket cannot be judged; it has no clocks then).
    pub table: RecordBatch,
    /// The rows that were left out, in their order.
    pub refused: Vec<Refused>,
}

/// Tickets judged, as numbers. A row is one of the ticket table, or a ticket of the event log: these count in the order in which they
/// first come.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    /// The clocks, each once for every stretch of dates with the same terms; at last those of the rows that were judged by themselves.
    pub clocks: Vec<ClockNumbers>,
    /// By row: 1 free, 2 paid, 0 where nobody says.
    pub free: Vec<u8>,
    /// How many rows were judged by themselves.
    pub singles: usize,
    /// The rows that were left out.
    pub refused: Vec<Refused>,
}

/// One clock of many tickets, as numbers.
#[derive(Clone, Debug, Default)]
pub struct ClockNumbers {
    /// The clause.
    pub clause: Arc<str>,
    /// The clock.
    pub clock: Arc<str>,
    /// The rows, ascending; nothing: all of them, in their order.
    pub rows: Option<Vec<u32>>,
    /// 0 waiting, 1 running, 2 paused, 3 met, 4 breached, 5 late, 6 cancelled, 7 the ticket does not have it.
    pub state: Vec<u8>,
    /// When it is or was due, in microseconds since 1970; any number where the state knows of none.
    pub due: Vec<i64>,
    /// How late, in microseconds of open time.
    pub late: Vec<i64>,
    /// What a breach costs, in minor units; any number where it is not missed (state 4 or 5).
    pub penalty: Vec<i64>,
}

/// Tickets laid out, with their contracts by number.
struct LaidOut {
    sheet: crate::sheet::Sheet,
    refused: Vec<Refused>,
    kept: Kept,
    /// The table told events of contracts: what is known of these holds for it alone.
    own: bool,
}

/// Contracts by number, and columns to work in.
#[derive(Default)]
struct Kept {
    names: Names,
    contracts: Vec<Contract>,
    scratch: Scratch,
}

/// So many contracts are remembered from call to call.
const REMEMBERED: usize = 1 << 20;

fn by_contract(events: Vec<Event>) -> HashMap<String, Vec<Event>> {
    let mut by: HashMap<String, Vec<Event>> = HashMap::new();
    for event in events {
        by.entry(event.contract.clone()).or_default().push(event);
    }
    by
}

impl Numbers {
    /// Rows that columns could not be sure of have what the typed program says, in clocks of their own.
    fn take_singles(&mut self, singles: &[(u32, Result<Assessment, EventError>)]) {
        self.singles = singles.len();
        let judged = self.clocks.len();
        for (row, assessment) in singles {
            for clock in self.clocks.iter_mut().take(judged) {
                let at = match &clock.rows {
                    None => Some(*row as usize),
                    Some(rows) => rows.binary_search(row).ok(),
                };
                let state = at.and_then(|at| clock.state.get_mut(at));
                state.into_iter().for_each(|state| *state = state::NONE);
            }
            let assessment = assessment.as_ref().ok();
            let class = assessment.and_then(|assessment| assessment.class.as_ref());
            let free = class.map_or(0, |class| if class.free { 1 } else { 2 });
            self.free.get_mut(*row as usize).into_iter().for_each(|place| *place = free);
            for clock in assessment.into_iter().flat_map(|assessment| &assessment.clocks) {
                let own = self.clocks.iter().skip(judged);
                let place =
                    own.clone().position(|of| *of.clause == *clock.clause && *of.clock == *clock.clock);
                let place = judged + place.unwrap_or_else(|| own.count());
                if place == self.clocks.len() {
                    self.clocks.push(ClockNumbers {
                        clause: clock.clause.as_str().into(),
                        clock: clock.clock.as_str().into(),
                        rows: Some(Vec::new()),
                        ..ClockNumbers::default()
                    });
                }
                let Some(to) = self.clocks.get_mut(place) else { continue };
                let mut penalties = assessment.into_iter().flat_map(|assessment| &assessment.penalties);
                let penalty = penalties.find(|p| p.clause == clock.clause && p.clock == clock.clock);
                to.rows.get_or_insert_default().push(*row);
                to.state.push(number_of(clock.state));
                to.due.push(clock.due.map_or(0, Instant::micros));
                to.late.push(clock.late.micros());
                to.penalty.push(penalty.map_or(0, |penalty| penalty.amount.minor()));
            }
        }
    }
}

impl Batch {
    /// Compiles a pack, to assess as of an instant.
    ///
    /// # Errors
    /// [`BatchError::AsOf`] when the instant lies beyond the years that calendars speak about.
    pub fn new(pack: Arc<Pack>, as_of: Instant) -> Result<Batch, BatchError> {
        if as_of.micros() < YEARS.0 || as_of.micros() >= YEARS.1 {
            return Err(BatchError::AsOf { as_of });
        }
        let epochs: Vec<(NaiveDate, Epoch)> =
            pack.epochs().into_iter().map(|date| (date, Epoch::new(&pack, date))).collect();
        let day = |date: NaiveDate| -> i64 {
            let first = i64::from(date.num_days_from_ce()) - 719_163;
            first.saturating_mul(86_400_000_000)
        };
        let edges =
            epochs.iter().map(|(date, _)| (day(*date) - 2 * 86_400_000_000, day(*date) + 2 * 86_400_000_000));
        let edges = edges.collect();
        let calendars =
            (0..=u16::MAX).map_while(|place| pack.calendar(place, as_of)).map(|(_, c)| Arc::clone(c));
        let calendars = calendars.map(|calendar| (calendar, OnceLock::new())).collect();
        let year = as_of.to_chrono().year();
        let table_years = ((year - TABLE.0).max(1901), (year + TABLE.1).min(2298));
        let (mut class_bases, mut finding_bases, mut classes, mut findings) = (Vec::new(), Vec::new(), 0, 0);
        for (_, epoch) in &epochs {
            class_bases.push(classes);
            finding_bases.push(findings);
            classes += epoch.graph.classes.len();
            findings += epoch.graph.findings.len();
        }
        let clause_ids: Vec<Arc<str>> = pack.clause_files().map(Arc::from).collect();
        let asked = Asked::new(&pack, &epochs);
        let kinds = (0..).zip(pack.event_kinds()).map(|(place, name)| (name.to_owned(), place)).collect();
        Ok(Batch {
            as_of: as_of.micros(),
            any_contract: false,
            by_rows: false,
            events: HashMap::new(),
            kept: std::sync::Mutex::default(),
            edges,
            calendars,
            days: OnceLock::new(),
            years: YEARS,
            table_years,
            asked,
            clause_words: clause_ids.len().div_ceil(64).max(1),
            finding_words: findings.div_ceil(64),
            class_bases,
            finding_bases,
            kinds,
            clause_ids,
            epochs,
            pack,
        })
    }

    /// Takes events of contracts, such as `project_accepted`, beside those that come with the pack, for [`Batch::assess`] and
    /// [`Batch::judge`].
    #[must_use]
    pub fn with_contract_events(mut self, events: Vec<Event>) -> Batch {
        self.events = by_contract(events);
        self.kept = std::sync::Mutex::default();
        self
    }

    /// Judges the tickets of every contract by the pack, not only of those that it names.
    #[must_use]
    pub fn of_any_contract(mut self) -> Batch {
        self.kept = std::sync::Mutex::default();
        self.any_contract = true;
        self
    }

    /// Judges every ticket by itself, by the pack's own evaluator: the reference for the columns, and much slower.
    #[must_use]
    pub fn row_by_row(mut self) -> Batch {
        self.kept = std::sync::Mutex::default();
        self.by_rows = true;
        self
    }

    /// Whether it judges tickets of a contract.
    pub(crate) fn takes(&self, contract: &str) -> bool {
        self.any_contract || self.pack.contracts.iter().any(|known| known == contract)
    }

    /// The pack.
    pub fn pack(&self) -> &Arc<Pack> {
        &self.pack
    }

    /// The instant as of which tickets are assessed: later events do not count, and clocks are read at it.
    pub fn as_of(&self) -> Instant {
        Instant::from_micros(self.as_of).unwrap_or(Instant::MAX)
    }

    /// What of the pack cannot be put as columns, each once. Tickets that it concerns are judged one by one by the typed program: the
    /// answers are the same, and take longer.
    pub fn uncompiled(&self) -> Vec<Uncompiled> {
        self.pack.uncompiled()
    }

    /// The calendar at a place, with its table.
    pub(crate) fn open(&self, place: u16) -> Option<&OpenTime> {
        let (calendar, table) = self.calendars.get(usize::from(place))?;
        Some(table.get_or_init(|| OpenTime::new(Arc::clone(calendar), self.table_years)))
    }

    /// The days of the contract's zone, none of them closed.
    pub(crate) fn contract_days(&self) -> &OpenTime {
        self.days
            .get_or_init(|| OpenTime::new(Arc::new(Calendar::always_in(self.pack.zone)), self.table_years))
    }

    /// The epoch of an instant of report.
    pub(crate) fn epoch_of(&self, at: i64) -> usize {
        let mut epoch = 0;
        for (place, (sure_not, sure)) in self.edges.iter().enumerate().skip(1) {
            let begun = match at {
                at if at < *sure_not => false,
                at if at >= *sure => true,
                at => {
                    let date = Instant::from_micros(at).unwrap_or(Instant::MIN).to_chrono();
                    let date = date.with_timezone(&self.pack.zone).date_naive();
                    self.epochs.get(place).is_some_and(|(from, _)| *from <= date)
                }
            };
            if !begun {
                break;
            }
            epoch = place;
        }
        epoch
    }

    /// A word on the class by its number among all, from 1.
    pub(crate) fn class(&self, number: u16) -> Option<&holdback::graph::ClassColumn> {
        let number = usize::from(number).checked_sub(1)?;
        let epoch = self.class_bases.partition_point(|base| *base <= number).checked_sub(1)?;
        // Epochs without any share their base with the next one.
        self.epochs.get(epoch)?.1.graph.classes.get(number - self.class_bases.get(epoch)?)
    }

    /// A finding by its number among all, as it is told.
    pub(crate) fn finding(&self, number: usize) -> String {
        let epoch = self.finding_bases.partition_point(|base| *base <= number).saturating_sub(1);
        let base = self.finding_bases.get(epoch).copied().unwrap_or_default();
        let found = self.epochs.get(epoch).and_then(|(_, epoch)| epoch.graph.findings.get(number - base));
        found.map_or(String::new(), |finding| format!("{}: {}", finding.id, finding.text))
    }

    /// Whether a clause says what the breach of its clocks costs.
    pub(crate) fn price_is_stated(&self, clause: &str) -> bool {
        let mut clocks = self.epochs.iter().flat_map(|(_, epoch)| &epoch.graph.clocks);
        clocks.any(|clock| &*clock.id == clause && clock.price.is_some())
    }

    /// The numbers of the reasons for which a clock pauses.
    pub(crate) fn reasons(&self, pauses: &PauseColumn) -> Vec<u32> {
        let number = |name: &Arc<str>| self.asked.reasons.iter().position(|known| known == name);
        named_reasons(pauses).iter().filter_map(number).filter_map(|n| u32::try_from(n + 1).ok()).collect()
    }

    /// Assesses tickets, as a *ticket table* or as an *event log*. Gives one row for each ticket and clock, in the order of the table;
    /// a ticket without clocks has one row without a clock. The deposit is not asked: that takes the contract's whole history.
    ///
    /// A ticket table has one row a ticket: the columns `contract` (unless the pack has but one), `ticket`, `via`, one for each fact
    /// by its name, and one for each kind of event by its name with or without `_at`. Contracts have the events that come with the
    /// pack, and those of [`Batch::with_contract_events`].
    ///
    /// An event log has one row an event: `contract`, `ticket`, `kind`, `at`, and if need be `id`, `via`, `reason` and one column
    /// for each fact. The rows of one ticket must be together; their order does not matter. Events without a ticket are the
    /// contract's own.
    ///
    /// # Errors
    /// [`BatchError`] when the columns are not those of a ticket table. A row that is wrong is told in [`Assessed::refused`].
    pub fn assess(&self, tickets: &RecordBatch) -> Result<Assessed, BatchError> {
        let mut laid = self.laid(tickets)?;
        let Kept { contracts, scratch, .. } = &mut laid.kept;
        let judge =
            Judge { batch: self, bare: false, contracts, sheet: &laid.sheet, arch: pulp::Arch::new() };
        let mut judged = judge.judge(scratch);
        laid.refused.extend(judged.refused(1));
        laid.refused.sort_by_key(|refused| refused.row);
        judged.sort();
        let long = Long::of(self, &laid.sheet, &judged);
        let table = table(self, &laid.kept.contracts, &laid.sheet, &judged, long);
        self.keep(laid.kept, laid.own);
        let data = |error: arrow::error::ArrowError| BatchError::Data {
            place: "the result".to_owned(),
            reason: error.to_string(),
        };
        Ok(Assessed { table: table.map_err(data)?, refused: laid.refused })
    }

    /// Judges tickets as [`Batch::assess`] does, and gives the numbers as they lie: for hosts that go on computing.
    ///
    /// # Errors
    /// As [`Batch::assess`].
    pub fn judge(&self, tickets: &RecordBatch) -> Result<Numbers, BatchError> {
        let mut numbers = Numbers::default();
        self.judge_into(tickets, &mut numbers)?;
        Ok(numbers)
    }

    /// As [`Batch::judge`], in the memory of numbers that are not needed any more: for hosts that judge batch after batch.
    ///
    /// # Errors
    /// As [`Batch::assess`]; the numbers are then empty.
    pub fn judge_into(&self, tickets: &RecordBatch, numbers: &mut Numbers) -> Result<(), BatchError> {
        let before = std::mem::take(numbers);
        let mut laid = self.laid(tickets)?;
        let Kept { contracts, scratch, .. } = &mut laid.kept;
        let judge = Judge { batch: self, bare: true, contracts, sheet: &laid.sheet, arch: pulp::Arch::new() };
        let spare =
            before.clocks.into_iter().map(|of| ClockRows::made_of(of.state, of.due, of.late, of.penalty));
        scratch.spare.extend(spare);
        let mut judged = judge.judge(scratch);
        scratch.spare.clear();
        self.keep(laid.kept, laid.own);
        let mut refused = laid.refused;
        refused.extend(judged.refused(1));
        let clocks = std::mem::take(&mut judged.clocks);
        let clocks = clocks.into_iter().filter_map(|clock| {
            let graph = &self.epochs.get(clock.epoch)?.1.graph;
            let of = graph.clocks.get(clock.clock)?;
            Some(ClockNumbers {
                clause: Arc::clone(&of.id),
                clock: Arc::clone(&of.name),
                rows: clock.rows,
                state: clock.runs.state,
                due: clock.runs.due,
                late: clock.runs.late,
                penalty: clock.price,
            })
        });
        numbers.clocks.extend(clocks);
        let most = judged.class.iter().fold(0, |most, class| most.max(*class));
        let is_free = |number| self.class(number).map_or(0, |class| if class.free { 1 } else { 2 });
        let known: Vec<u8> = (0..=most).map(is_free).collect();
        let free = judged.class.iter().map(|class| known.get(usize::from(*class)).copied().unwrap_or(0));
        numbers.free = before.free;
        numbers.free.clear();
        numbers.free.extend(free);
        numbers.take_singles(&judged.singles);
        numbers.refused = refused;
        Ok(())
    }

    /// Leaves what may serve the next call.
    fn keep(&self, kept: Kept, own: bool) {
        if !own
            && kept.contracts.len() <= REMEMBERED
            && let Ok(mut all) = self.kept.lock()
        {
            all.push(kept);
        }
    }

    /// Tickets laid out, with their contracts.
    fn laid(&self, tickets: &RecordBatch) -> Result<LaidOut, BatchError> {
        let mut kept = self.kept.lock().map(|mut all| all.pop()).ok().flatten().unwrap_or_default();
        let (sheet, refused, own) = if LogLayout::fits(tickets.schema_ref()) {
            let layout = LogLayout::of(&self.pack, tickets.schema_ref())?;
            let LaidLog { sheet, refused, of_contracts } =
                lay_log(self, &layout, tickets, &mut kept.names, 1)?;
            (sheet, refused, by_contract(of_contracts))
        } else {
            let layout = Layout::of(&self.pack, tickets.schema_ref())?;
            let Laid { sheet, refused } = lay(self, &layout, tickets, &mut kept.names, 1)?;
            (sheet, refused.into_iter().map(|(_, refused)| refused).collect(), HashMap::new())
        };
        if !own.is_empty() {
            (kept.contracts, kept.scratch) = (Vec::new(), Scratch::default());
        }
        for name in kept.names.names.iter().skip(kept.contracts.len()) {
            let told = own.get(&**name).into_iter().chain(self.events.get(&**name)).flatten().cloned();
            let events = self.pack.opening_events(name).into_iter().chain(told).collect();
            kept.contracts.push(self.contract(name, events));
        }
        Ok(LaidOut { sheet, refused, kept, own: !own.is_empty() })
    }

    /// A contract as its own events have it. `events` are all of them, those that come with the pack included.
    pub(crate) fn contract(&self, id: &str, events: Vec<Event>) -> Contract {
        let so_far = |event: &&Event| event.ticket.is_none() && event.at.micros() <= self.as_of;
        let mut ordered: Vec<&Event> = events.iter().filter(so_far).collect();
        ordered.sort_by(|a, b| a.order().cmp(&b.order()));
        let last =
            |kind: &str| ordered.iter().rev().find(|event| event.kind == kind).map(|event| event.at.micros());
        let at = [last("signed"), last("project_accepted")];
        let held = ordered.iter().any(|event| event.kind.starts_with("force_majeure_"));
        let hoisted: Vec<Vec<Option<i64>>> =
            self.epochs.iter().map(|(_, epoch)| hoisted(self, epoch, at)).collect();
        let early = at.iter().flatten().any(|at| *at < YEARS.0 || *at >= YEARS.1);
        let by_rows = self.by_rows || held || early || hoisted.iter().flatten().any(Option::is_none);
        Contract { id: id.to_owned(), by_rows, hoisted, events }
    }
}
