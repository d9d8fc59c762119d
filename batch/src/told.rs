//! What was judged, told as a table: one row for each ticket and clock.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal64Array, Int64Array, PrimitiveArray, RecordBatch, StringBuilder,
    TimestampMicrosecondArray,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Decimal64Type, Field, Schema, SchemaRef, TimeUnit};

use crate::batch::Batch;
use crate::cells::dictionary;
use crate::clocks::{STATES, number_of, state};
use crate::judge::{Contract, Judged};
use crate::sheet::{Sheet, Texts};

/// What the deposit paid of each penalty: the columns that only a whole contract's history can fill.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    /// By row of the table and in minor units; they mean nothing where no penalty is owed.
    pub(crate) deducted: Vec<i64>,
    pub(crate) shortfall: Vec<i64>,
    pub(crate) balance: Vec<i64>,
}

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
                long.paused[to] = runs.paused[at];
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

/// The columns of a table that tells what was judged.
pub(crate) fn schema(batch: &Batch, settled: bool) -> SchemaRef {
    let names = |name| Field::new_dictionary(name, DataType::UInt32, DataType::Utf8, true);
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
    fn column(&self, of_tickets: &[u32], tickets: &[u32]) -> Result<ArrayRef, arrow::error::ArrowError> {
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        let code = |ticket: &u32| of_tickets.get(*ticket as usize).copied().unwrap_or(Texts::NONE);
        dictionary(tickets.iter().map(code).collect(), &texts)
    }
}

/// The table of a sheet.
pub(crate) fn table(
    batch: &Batch,
    contracts: &[Contract],
    sheet: &Sheet,
    judged: &Judged,
    long: &Long,
    taken: Option<&Taken>,
) -> Result<RecordBatch, arrow::error::ArrowError> {
    let rows = long.rows();
    let of_ticket = |row: usize| long.ticket.get(row).map_or(0, |ticket| *ticket as usize);
    let decimals = i8::try_from(batch.pack.currency.decimals()).unwrap_or(2);
    let money = |values: Vec<i64>, valid: BooleanBuffer| -> Result<ArrayRef, arrow::error::ArrowError> {
        let array: Decimal64Array = PrimitiveArray::<Decimal64Type>::try_new(values.into(), nulls(valid))?;
        Ok(Arc::new(array.with_precision_and_scale(18, decimals)?))
    };
    let at = |values: &[i64], valid: BooleanBuffer| -> Result<ArrayRef, arrow::error::ArrowError> {
        let array = TimestampMicrosecondArray::try_new(ScalarBuffer::from(values.to_vec()), nulls(valid))?;
        Ok(Arc::new(array.with_timezone("UTC")))
    };
    let has_clock = BooleanBuffer::collect_bool(rows, |row| long.clock[row] != 0);
    let state_is = |row: usize, any: &[u8]| any.contains(&long.state[row]);
    let mut tickets = StringBuilder::with_capacity(rows, rows * 12);
    for row in 0..rows {
        tickets.append_value(sheet.origin.ticket(of_ticket(row)));
    }
    let reported = match sheet.reported() {
        None => TimestampMicrosecondArray::new_null(rows),
        Some(known) => {
            let values: Vec<i64> = (0..rows).map(|row| known.values[of_ticket(row)]).collect();
            let valid = known
                .valid
                .as_ref()
                .and_then(|valid| nulls(BooleanBuffer::collect_bool(rows, |row| valid[of_ticket(row)] == 1)));
            TimestampMicrosecondArray::try_new(values.into(), valid)?
        }
    };
    let names: Vec<&str> = contracts.iter().map(|contract| contract.id.as_str()).collect();
    let contract_codes: Vec<u32> =
        long.ticket.iter().map(|ticket| sheet.contract[*ticket as usize]).collect();
    let clause_texts: Vec<&str> = long.clocks.iter().map(|(clause, _)| &**clause).collect();
    let clock_texts: Vec<&str> = long.clocks.iter().map(|(_, clock)| &**clock).collect();
    let clock_codes =
        || -> Vec<u32> { long.clock.iter().map(|clock| u32::from(*clock).wrapping_sub(1)).collect() };
    let state_codes = long
        .clock
        .iter()
        .zip(&long.state)
        .map(|(clock, state)| if *clock == 0 { Texts::NONE } else { u32::from(*state) });
    let ticket_words = TicketWords::of(batch, judged);
    let begun = BooleanBuffer::collect_bool(rows, |row| {
        has_clock.value(row)
            && (long.started[row] != 0 || !state_is(row, &[state::WAITING, state::CANCELLED]))
    });
    let mut columns: Vec<ArrayRef> = vec![
        dictionary(contract_codes, &names)?,
        Arc::new(tickets.finish()),
        Arc::new(reported.with_timezone("UTC")),
        dictionary(clock_codes(), &clause_texts)?,
        dictionary(clock_codes(), &clock_texts)?,
        dictionary(state_codes.collect(), &STATES)?,
        at(&long.started, begun)?,
        at(
            &long.due,
            BooleanBuffer::collect_bool(rows, |row| long.is_due[row] != 0 && long.clock[row] != 0),
        )?,
        at(
            &long.stopped,
            BooleanBuffer::collect_bool(rows, |row| state_is(row, &[state::MET, state::LATE])),
        )?,
        Arc::new(BooleanArray::new(
            BooleanBuffer::collect_bool(rows, |row| state_is(row, &[state::BREACHED, state::LATE])),
            nulls(has_clock.clone()),
        )),
        Arc::new(Int64Array::try_new(ScalarBuffer::from(long.late.clone()), nulls(has_clock.clone()))?),
        Arc::new(Int64Array::try_new(ScalarBuffer::from(long.paused.clone()), nulls(has_clock.clone()))?),
        ticket_words.class.column(&ticket_words.class_codes, &long.ticket)?,
        ticket_words.class_clause.column(&ticket_words.class_clause_codes, &long.ticket)?,
        money(long.penalty.clone(), BooleanBuffer::collect_bool(rows, |row| long.penalty[row] >= 0))?,
    ];
    if let Some(taken) = taken {
        for of in [&taken.deducted, &taken.shortfall, &taken.balance] {
            columns.push(money(of.clone(), BooleanBuffer::collect_bool(rows, |row| long.penalty[row] > 0))?);
        }
    }
    columns.extend([
        ticket_words.applies.column(&ticket_words.applies_codes, &long.ticket)?,
        ticket_words.findings.column(&ticket_words.finding_codes, &long.ticket)?,
        ticket_words.fault.column(&ticket_words.fault_codes, &long.ticket)?,
    ]);
    RecordBatch::try_new(schema(batch, taken.is_some()), columns)
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
    for set in sets.chunks_exact(words) {
        if let Some((_, code)) = last.filter(|(before, _)| *before == set) {
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
