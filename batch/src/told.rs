//! What was judged, told as a table: one row for each ticket and clock.

mod long;
#[cfg(test)]
mod tests;
mod words;
mod woven;

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal64Array, Int64Array, PrimitiveArray, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Decimal64Type, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

use crate::batch::Batch;
use crate::cells::dictionary;
use crate::clocks::{STATES, state};
use crate::judge::{Contract, Judged};
use crate::sheet::{Sheet, Texts};
use crate::write::{Column, Encoded, Shape};
pub(crate) use long::Long;
use words::TicketWords;
pub(crate) use woven::Woven;

/// What was judged of a sheet, ready to be counted, settled and written.
pub(crate) enum Told<'a> {
    /// Every ticket has the same clocks: their columns are woven while they are written.
    Woven(Woven<'a>),
    /// Row by row.
    Rows(Box<Long>),
}

/// A clock of a ticket that costs something.
pub(crate) struct Owes {
    pub(crate) ticket: u32,
    /// The clock's number, from zero.
    pub(crate) clock: u16,
    pub(crate) due: i64,
    pub(crate) amount: i64,
}

pub(crate) fn is_missed(state: u8) -> bool {
    state == state::BREACHED || state == state::LATE
}

/// The number of a clock among those that are known, from 1; made if it is new.
fn number(known: &mut Vec<(Arc<str>, Arc<str>)>, clause: &Arc<str>, name: &Arc<str>) -> u16 {
    let place = known.iter().position(|(c, n)| c == clause && n == name).unwrap_or_else(|| {
        known.push((Arc::clone(clause), Arc::clone(name)));
        known.len() - 1
    });
    u16::try_from(place + 1).unwrap_or(u16::MAX)
}

impl<'a> Told<'a> {
    pub(crate) fn of(batch: &Batch, sheet: &Sheet, judged: &'a Judged) -> Told<'a> {
        match Woven::of(batch, sheet, judged) {
            Some(woven) => Told::Woven(woven),
            None => Told::Rows(Box::new(Long::row_by_row(batch, sheet, judged))),
        }
    }

    /// The clocks by number less one: clause and name.
    pub(crate) fn clocks(&self) -> &[(Arc<str>, Arc<str>)] {
        match self {
            Told::Woven(woven) => &woven.names,
            Told::Rows(long) => &long.clocks,
        }
    }

    /// How many tickets are in which state, by clock from zero, eight states each.
    pub(crate) fn states(&self) -> Vec<u64> {
        match self {
            Told::Woven(woven) => woven.states(),
            Told::Rows(long) => {
                let mut states = vec![0_u64; (long.clocks.len() + 1) * 8];
                for (clock, state) in long.clock.iter().zip(&long.state) {
                    states[usize::from(*clock) * 8 + usize::from(*state & 7)] += 1;
                }
                states
            }
        }
    }

    /// What costs something, in the order of the rows.
    pub(crate) fn owing(&self) -> Vec<Owes> {
        match self {
            Told::Woven(woven) => woven.owing(),
            Told::Rows(long) => {
                let owes = |row: usize| Owes {
                    ticket: long.ticket[row],
                    clock: long.clock[row].saturating_sub(1),
                    due: long.due[row],
                    amount: long.penalty[row],
                };
                (0..long.rows()).filter(|row| long.penalty[*row] > 0).map(owes).collect()
            }
        }
    }

    /// Calls for every clock of every ticket: the ticket, the clock's number from zero, its state, when it stopped and when it was due.
    pub(crate) fn each(&self, mut take: impl FnMut(u32, usize, u8, i64, i64)) {
        match self {
            Told::Woven(woven) => {
                for ticket in 0..woven.tickets {
                    for clock in &woven.clocks {
                        let (runs, number) = (clock.runs, usize::from(clock.number) - 1);
                        let of = u32::try_from(ticket).unwrap_or(u32::MAX);
                        take(of, number, runs.state[ticket], runs.stopped[ticket], runs.due[ticket]);
                    }
                }
            }
            Told::Rows(long) => {
                for row in (0..long.rows()).filter(|row| long.clock[*row] != 0) {
                    let clock = usize::from(long.clock[row]) - 1;
                    take(long.ticket[row], clock, long.state[row], long.stopped[row], long.due[row]);
                }
            }
        }
    }

    /// The tickets told.
    pub(crate) fn tickets(&self) -> Vec<u32> {
        match self {
            Told::Woven(woven) => (0..).take(woven.tickets).collect(),
            Told::Rows(long) => {
                long.ticket.chunk_by(|a, b| a == b).filter_map(|of| of.first().copied()).collect()
            }
        }
    }

    /// The pages of all columns but [`LATE`], with which rows owe something.
    pub(crate) fn encode(
        self,
        shape: &Shape,
        batch: &Batch,
        contracts: &[Contract],
        sheet: &Sheet,
        judged: &Judged,
    ) -> Result<Encoded, parquet::errors::ParquetError> {
        match self {
            Told::Woven(woven) => {
                let words = TicketWords::of(batch, judged);
                let columns = woven.columns(contracts, sheet, &words)?;
                shape.encode(columns, &woven.owed())
            }
            Told::Rows(long) => {
                let owed = BooleanBuffer::collect_bool(long.rows(), |row| long.penalty[row] > 0);
                let columns = columns(batch, contracts, sheet, judged, *long)?;
                shape.encode(columns.into_iter().map(Column::Array).collect(), &owed)
            }
        }
    }
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
fn columns(
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
    // An assessment does not tell how long pauses held a clock: of tickets judged by themselves it is missing, not zero.
    let paused_known = match judged.singles.is_empty() {
        true => has_clock.clone(),
        false => nulls(BooleanBuffer::collect_bool(rows, |row| {
            let single = judged.singles.binary_search_by_key(&long.ticket[row], |(single, _)| *single);
            long.clock[row] != 0 && single.is_err()
        })),
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
        Arc::new(Int64Array::try_new(long.late.into(), has_clock)?),
        Arc::new(Int64Array::try_new(long.paused.into(), paused_known)?),
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
