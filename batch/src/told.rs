//! What was judged, told as a table: one row for each ticket and clock.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal64Array, Int64Array, PrimitiveArray, RecordBatch, StringArray,
    TimestampMicrosecondArray, new_null_array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Decimal64Type, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

use crate::batch::Batch;
use crate::cells::dictionary;
use crate::clocks::{Runs, STATES, number_of, state};
use crate::judge::{Contract, Judged};
use crate::sheet::{Sheet, Texts};

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

    /// The same where every ticket has the same clocks and none was judged by itself.
    fn woven(batch: &Batch, sheet: &Sheet, judged: &Judged) -> Option<Long> {
        if !judged.singles.is_empty() || !sheet.left_out.is_empty() {
            return None;
        }
        let mut clocks = Vec::with_capacity(judged.clocks.len());
        let mut long = Long::default();
        for clock in &judged.clocks {
            let states = &clock.runs.state;
            if states.iter().all(|state| *state == state::NONE) {
                continue;
            }
            if clock.rows.is_some() || states.len() != sheet.rows || states.contains(&state::NONE) {
                return None;
            }
            let of = batch.epochs.get(clock.epoch)?.1.graph.clocks.get(clock.clock)?;
            clocks.push((clock, long.clock(&of.id, &of.name), of.price.is_some()));
        }
        if clocks.is_empty() {
            return None;
        }
        let (count, rows) = (clocks.len(), sheet.rows);
        let numbers = |of: &dyn Fn(&Runs) -> &[i64]| -> Vec<i64> {
            weave(rows, &clocks.iter().map(|(clock, ..)| of(&clock.runs)).collect::<Vec<_>>())
        };
        long.started = numbers(&|runs| &runs.started);
        long.due = numbers(&|runs| &runs.due);
        long.stopped = numbers(&|runs| &runs.stopped);
        long.late = numbers(&|runs| &runs.late);
        long.paused = numbers(&|runs| &runs.paused);
        long.state = weave(rows, &clocks.iter().map(|(clock, ..)| &*clock.runs.state).collect::<Vec<_>>());
        long.is_due = weave(rows, &clocks.iter().map(|(clock, ..)| &*clock.runs.is_due).collect::<Vec<_>>());
        let prices: Vec<&[i64]> =
            clocks.iter().map(|(clock, _, priced)| if *priced { &*clock.price } else { &[] }).collect();
        long.penalty = weave(rows, &prices);
        for (at, (_, _, priced)) in clocks.iter().enumerate() {
            let places = long.penalty.iter_mut().zip(&long.state).skip(at).step_by(count);
            for (penalty, state) in places {
                // No price is below zero; one that could be is judged by itself.
                let owes = *priced && (*state == state::BREACHED || *state == state::LATE);
                *penalty = if owes { *penalty } else { -1 };
            }
        }
        long.clock = vec![0; rows * count];
        for row in long.clock.chunks_exact_mut(count) {
            row.iter_mut().zip(&clocks).for_each(|(place, (_, number, _))| *place = *number);
        }
        long.ticket = vec![0; rows * count];
        for (row, places) in (0..).zip(long.ticket.chunks_exact_mut(count)) {
            places.fill(row);
        }
        Some(long)
    }

    fn clock(&mut self, clause: &Arc<str>, name: &Arc<str>) -> u16 {
        let known = self.clocks.iter().position(|(c, n)| c == clause && n == name);
        let place = known.unwrap_or_else(|| {
            self.clocks.push((Arc::clone(clause), Arc::clone(name)));
            self.clocks.len() - 1
        });
        u16::try_from(place + 1).unwrap_or(u16::MAX)
    }

    pub(crate) fn rows(&self) -> usize {
        self.ticket.len()
    }

    /// Puts the clocks of each ticket together, in the order of the sheet's rows.
    pub(crate) fn of(batch: &Batch, sheet: &Sheet, judged: &mut Judged) -> Long {
        judged.clocks.sort_by_key(|clock| (clock.epoch, clock.clock));
        if let Some(long) = Long::woven(batch, sheet, judged) {
            return long;
        }
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
                if priced && (*state == state::BREACHED || *state == state::LATE) {
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
                let missed = long.state[to] == state::BREACHED || long.state[to] == state::LATE;
                if missed && of {
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

/// The places of the columns that only a whole contract's history can fill: what its deposit paid.
pub(crate) const LATE: std::ops::Range<usize> = 15..18;

fn names_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8))
}

/// The columns of a table that tells what was judged.
pub(crate) fn schema(batch: &Batch, settled: bool) -> SchemaRef {
    let names = |name| Field::new(name, names_type(), true);
    let at = |name| Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true);
    let decimals = i8::try_from(batch.pack.currency.decimals()).unwrap_or(2);
    let money = |name| Field::new(name, DataType::Decimal64(18, decimals), true);
    let mut fields = vec![
        names("contract"),
        Field::new("ticket", DataType::Utf8, false),
        at("reported"),
        names("clause"),
        names("clock"),
        names("state"),
        at("started"),
        at("due"),
        at("met"),
        Field::new("breached", DataType::Boolean, true),
        Field::new("late_us", DataType::Int64, true),
        Field::new("paused_us", DataType::Int64, true),
        names("class"),
        names("class_clause"),
        money("penalty"),
    ];
    if settled {
        fields.extend([money("deducted"), money("shortfall"), money("balance")]);
    }
    fields.extend([names("clauses"), names("findings"), names("fault")]);
    let metadata: HashMap<String, String> = [
        ("holdback.pack".to_owned(), format!("{}@{}", batch.pack.name, batch.pack.version)),
        ("holdback.as_of".to_owned(), batch.as_of().to_string()),
        ("holdback.currency".to_owned(), batch.pack.currency.to_string()),
    ]
    .into();
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

/// Texts that were met, each with its number.
#[derive(Default)]
struct Words {
    numbers: HashMap<String, u32>,
    texts: Vec<String>,
}

impl Words {
    fn number(&mut self, text: String) -> u32 {
        if let Some(number) = self.numbers.get(&text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.clone());
        self.numbers.insert(text, number);
        number
    }

    /// A column of the codes of the tickets of all rows.
    fn column(&self, of_tickets: &[u32], tickets: &[u32]) -> Result<ArrayRef, ArrowError> {
        if self.texts.is_empty() {
            return Ok(new_null_array(&names_type(), tickets.len()));
        }
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        let code = |ticket: &u32| of_tickets.get(*ticket as usize).copied().unwrap_or(Texts::NONE);
        dictionary(tickets.iter().map(code).collect(), &texts)
    }
}

/// The table of a sheet, without what deposits pay.
pub(crate) fn table(
    batch: &Batch,
    contracts: &[Contract],
    sheet: &Sheet,
    judged: &Judged,
    long: Long,
) -> Result<RecordBatch, ArrowError> {
    RecordBatch::try_new(schema(batch, false), columns(batch, contracts, sheet, judged, long)?)
}

/// Which rows owe something.
pub(crate) fn owed(long: &Long) -> BooleanBuffer {
    BooleanBuffer::collect_bool(long.rows(), |row| long.penalty[row] > 0)
}

/// A set of states.
const fn any_of(states: &[u8]) -> u8 {
    let (mut set, mut at) = (0, 0);
    while at < states.len() {
        set |= 1 << states[at];
        at += 1;
    }
    set
}

/// The columns of [`schema`] but for [`LATE`].
pub(crate) fn columns(
    batch: &Batch,
    contracts: &[Contract],
    sheet: &Sheet,
    judged: &Judged,
    long: Long,
) -> Result<Vec<ArrayRef>, ArrowError> {
    let rows = long.rows();
    let decimals = i8::try_from(batch.pack.currency.decimals()).unwrap_or(2);
    let at = |values: Vec<i64>, valid: Option<NullBuffer>| -> Result<ArrayRef, ArrowError> {
        let array = TimestampMicrosecondArray::try_new(ScalarBuffer::from(values), valid)?;
        Ok(Arc::new(array.with_timezone("UTC")))
    };
    let all_have_clocks = !long.clock.contains(&0);
    let has_clock = match all_have_clocks {
        true => None,
        false => nulls(BooleanBuffer::collect_bool(rows, |row| long.clock[row] != 0)),
    };
    let states = &long.state;
    let state_is = |set: u8| BooleanBuffer::collect_bool(rows, |row| set >> states[row] & 1 != 0);
    let (text, ends) = sheet.origin.tickets(&long.ticket);
    let tickets = StringArray::try_new(ends, text.into(), None)?;
    let reported = match sheet.reported() {
        None => TimestampMicrosecondArray::new_null(rows),
        Some(known) => {
            let values: Vec<i64> = long.ticket.iter().map(|ticket| known.values[*ticket as usize]).collect();
            let valid = known.valid.as_ref().and_then(|valid| {
                nulls(BooleanBuffer::collect_bool(rows, |row| valid[long.ticket[row] as usize] == 1))
            });
            TimestampMicrosecondArray::try_new(values.into(), valid)?
        }
    };
    let names: Vec<&str> = contracts.iter().map(|contract| contract.id.as_str()).collect();
    let contract_codes: Vec<u32> =
        long.ticket.iter().map(|ticket| sheet.contract[*ticket as usize]).collect();
    let clause_texts: Vec<&str> = long.clocks.iter().map(|(clause, _)| &**clause).collect();
    let clock_texts: Vec<&str> = long.clocks.iter().map(|(_, clock)| &**clock).collect();
    // Zero, for no clock, becomes the code of no text.
    let clock_codes: Vec<u32> = long.clock.iter().map(|clock| u32::from(*clock).wrapping_sub(1)).collect();
    let state_codes = long.clock.iter().zip(states);
    let state_codes =
        state_codes.map(|(clock, state)| if *clock == 0 { Texts::NONE } else { u32::from(*state) });
    let words = TicketWords::of(batch, judged);
    // A clock that waits, or was cancelled before it began, has no beginning.
    let begun = BooleanBuffer::collect_bool(rows, |row| {
        long.clock[row] != 0
            && (long.started[row] != 0 || any_of(&[state::WAITING, state::CANCELLED]) >> states[row] & 1 == 0)
    });
    let is_due = BooleanBuffer::collect_bool(rows, |row| long.is_due[row] != 0 && long.clock[row] != 0);
    let breached = state_is(any_of(&[state::BREACHED, state::LATE]));
    let stopped = state_is(any_of(&[state::MET, state::LATE]));
    let priced = BooleanBuffer::collect_bool(rows, |row| long.penalty[row] >= 0);
    let penalty: Decimal64Array =
        PrimitiveArray::<Decimal64Type>::try_new(long.penalty.into(), nulls(priced))?;
    Ok(vec![
        dictionary(contract_codes, &names)?,
        Arc::new(tickets),
        Arc::new(reported.with_timezone("UTC")),
        dictionary(clock_codes.clone(), &clause_texts)?,
        dictionary(clock_codes, &clock_texts)?,
        dictionary(state_codes.collect(), &STATES)?,
        at(long.started, nulls(begun))?,
        at(long.due, nulls(is_due))?,
        at(long.stopped, nulls(stopped))?,
        Arc::new(BooleanArray::new(breached, has_clock.clone())),
        Arc::new(Int64Array::try_new(long.late.into(), has_clock.clone())?),
        Arc::new(Int64Array::try_new(long.paused.into(), has_clock)?),
        words.class.column(&words.class_codes, &long.ticket)?,
        words.class_clause.column(&words.class_clause_codes, &long.ticket)?,
        Arc::new(penalty.with_precision_and_scale(18, decimals)?),
        words.applies.column(&words.applies_codes, &long.ticket)?,
        words.findings.column(&words.finding_codes, &long.ticket)?,
        words.fault.column(&words.fault_codes, &long.ticket)?,
    ])
}

fn nulls(valid: BooleanBuffer) -> Option<NullBuffer> {
    Some(NullBuffer::new(valid)).filter(|nulls| nulls.null_count() > 0)
}

/// What is said of each ticket, as numbers of texts.
struct TicketWords {
    class: Words,
    class_clause: Words,
    applies: Words,
    findings: Words,
    fault: Words,
    class_codes: Vec<u32>,
    class_clause_codes: Vec<u32>,
    applies_codes: Vec<u32>,
    finding_codes: Vec<u32>,
    fault_codes: Vec<u32>,
}

impl TicketWords {
    fn of(batch: &Batch, judged: &Judged) -> TicketWords {
        let mut of = TicketWords {
            class: Words::default(),
            class_clause: Words::default(),
            applies: Words::default(),
            findings: Words::default(),
            fault: Words::default(),
            class_codes: Vec::with_capacity(judged.class.len()),
            class_clause_codes: Vec::with_capacity(judged.class.len()),
            applies_codes: Vec::with_capacity(judged.class.len()),
            finding_codes: Vec::new(),
            fault_codes: Vec::new(),
        };
        let word = |free: bool| if free { "free" } else { "paid" };
        let mut known: HashMap<u16, (u32, u32)> = HashMap::new();
        let mut last = (0_u16, (Texts::NONE, Texts::NONE));
        for number in &judged.class {
            if *number == 0 {
                of.class_codes.push(Texts::NONE);
                of.class_clause_codes.push(Texts::NONE);
                continue;
            }
            if last.0 != *number {
                let codes = known.entry(*number).or_insert_with(|| match batch.class(*number) {
                    Some(class) => (
                        of.class.number(word(class.free).to_owned()),
                        of.class_clause.number(class.id.to_string()),
                    ),
                    None => (Texts::NONE, Texts::NONE),
                });
                last = (*number, *codes);
            }
            of.class_codes.push(last.1.0);
            of.class_clause_codes.push(last.1.1);
        }
        of.applies_codes = bits(&judged.applies, judged.clause_words, &mut of.applies, &|bit| {
            batch.clause_ids.get(bit).map_or(String::new(), |id| id.to_string())
        });
        of.finding_codes =
            bits(&judged.findings, judged.finding_words, &mut of.findings, &|bit| batch.finding(bit));
        for (row, assessment) in &judged.singles {
            let row = *row as usize;
            let Ok(assessment) = assessment else { continue };
            let class = assessment.class.as_ref();
            let set = |codes: &mut Vec<u32>, code: Option<u32>| {
                if codes.len() <= row {
                    codes.resize(row + 1, Texts::NONE);
                }
                codes[row] = code.unwrap_or(Texts::NONE);
            };
            let code = class.map(|class| of.class.number(word(class.free).to_owned()));
            set(&mut of.class_codes, code);
            let code = class.map(|class| of.class_clause.number(class.clause.clone()));
            set(&mut of.class_clause_codes, code);
            let code = Some(assessment.applies.join(", ")).filter(|text| !text.is_empty());
            let code = code.map(|text| of.applies.number(text));
            set(&mut of.applies_codes, code);
            let found: Vec<String> =
                assessment.findings.iter().map(|f| format!("{}: {}", f.clause, f.text)).collect();
            let code = Some(found.join("; ")).filter(|text| !text.is_empty());
            let code = code.map(|text| of.findings.number(text));
            set(&mut of.finding_codes, code);
            if let Some(fault) = &assessment.fault {
                let number = of.fault.number(fault.to_string());
                set(&mut of.fault_codes, Some(number));
            }
        }
        of
    }
}

/// The texts of bit sets, each set once.
fn bits(sets: &[u64], words: usize, texts: &mut Words, name: &dyn Fn(usize) -> String) -> Vec<u32> {
    if words == 0 {
        return Vec::new();
    }
    let mut known: HashMap<&[u64], u32> = HashMap::new();
    let mut codes = Vec::with_capacity(sets.len() / words);
    let mut last: Option<(&[u64], u32)> = None;
    // Most sets are of one word, and like the one before.
    let same = |a: &[u64], b: &[u64]| a.first() == b.first() && (words == 1 || a == b);
    for set in sets.chunks_exact(words) {
        if let Some((_, code)) = last.filter(|(before, _)| same(before, set)) {
            codes.push(code);
            continue;
        }
        let code = *known.entry(set).or_insert_with(|| {
            let on = (0..words * 64).filter(|bit| set[bit / 64] >> (bit % 64) & 1 == 1);
            let names: Vec<String> = on.map(name).collect();
            let separator = if names.iter().any(|name| name.contains(": ")) { "; " } else { ", " };
            if names.is_empty() { Texts::NONE } else { texts.number(names.join(separator)) }
        });
        last = Some((set, code));
        codes.push(code);
    }
    codes
}
