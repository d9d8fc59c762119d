//! Tickets into columns: a row for each event, or one for each ticket.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Int32Array, StringArray, TimestampMicrosecondArray,
    TimestampMicrosecondBuilder,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, TimeUnit};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use super::arrivals::BEGIN;
use super::story::{KINDS, Kind, Story};
use super::{Columns, Synthetic};

const PRIORITIES: [&str; 4] = ["P1", "P2", "P3", "P4"];

/// A column of few different texts: the place of each row's text.
struct Words {
    words: ArrayRef,
    places: Vec<i32>,
}

impl Words {
    fn new<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> Words {
        Words { words: Arc::new(StringArray::from_iter_values(words)), places: Vec::new() }
    }

    fn push(&mut self, place: impl Into<i32>) {
        self.places.push(place.into());
    }

    fn take(&mut self) -> Result<ArrayRef, ArrowError> {
        let places = Int32Array::from(std::mem::take(&mut self.places));
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(places, Arc::clone(&self.words))?))
    }

    /// As [`Words::take`], with nothing where the place is negative.
    fn take_sparse(&mut self) -> Result<ArrayRef, ArrowError> {
        let mut places = std::mem::take(&mut self.places);
        let some: NullBuffer = places.iter().map(|place| *place >= 0).collect();
        places.iter_mut().for_each(|place| *place = (*place).max(0));
        let places = Int32Array::try_new(ScalarBuffer::from(places), Some(some))?;
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(places, Arc::clone(&self.words))?))
    }
}

/// The names of tickets, all of one width: `T000000042`.
struct Names {
    text: Vec<u8>,
    /// The last name written.
    name: Vec<u8>,
    rows: usize,
}

impl Names {
    fn new(tickets: u64) -> Names {
        let last = tickets.saturating_sub(1);
        Names { text: Vec::new(), name: format!("T{last:09}").into_bytes(), rows: 0 }
    }

    fn push(&mut self, number: u64, rows: usize) {
        let mut rest = number;
        for digit in self.name.iter_mut().skip(1).rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        for _ in 0..rows {
            self.text.extend_from_slice(&self.name);
        }
        self.rows += rows;
    }

    fn take(&mut self) -> Result<ArrayRef, ArrowError> {
        let lengths = std::iter::repeat_n(self.name.len(), std::mem::take(&mut self.rows));
        let text = Buffer::from_vec(std::mem::take(&mut self.text));
        Ok(Arc::new(StringArray::try_new(OffsetBuffer::from_lengths(lengths), text, None)?))
    }
}

fn contract_names(contracts: u32) -> Words {
    let width = contracts.saturating_sub(1).to_string().len().max(5);
    Words::new((0..contracts).map(|contract| format!("c{contract:0width$}")))
}

fn micros(at: u64) -> i64 {
    // The history lies within two years, far from the ends of 64 bits.
    (BEGIN + at as i64) * 1_000_000
}

fn text(name: &str, nullable: bool) -> Field {
    let words = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    Field::new(name, words, nullable)
}

fn time(name: &str, nullable: bool) -> Field {
    Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), nullable)
}

/// A row for each event.
pub(super) struct EventColumns {
    schema: Arc<Schema>,
    contract: Words,
    ticket: Names,
    kind: Words,
    at: Vec<i64>,
    reason: Words,
    priority: Words,
}

impl EventColumns {
    pub(super) fn new(spec: &Synthetic) -> EventColumns {
        EventColumns {
            schema: Arc::new(Schema::new(vec![
                text("contract", false),
                Field::new("ticket", DataType::Utf8, false),
                text("kind", false),
                time("at", false),
                text("reason", true),
                text("priority", true),
            ])),
            contract: contract_names(spec.contracts),
            ticket: Names::new(spec.tickets),
            kind: Words::new(KINDS),
            at: Vec::new(),
            reason: Words::new(["customer"]),
            priority: Words::new(PRIORITIES),
        }
    }
}

impl Columns for EventColumns {
    fn schema(&self) -> Arc<Schema> {
        Arc::clone(&self.schema)
    }

    fn take(&mut self, number: u64, contract: u32, story: &Story) {
        self.ticket.push(number, story.steps.len());
        for step in &story.steps {
            self.contract.push(contract.cast_signed());
            self.kind.push(step.kind as u8);
            self.at.push(micros(step.at));
            self.reason.push(if step.kind == Kind::Paused { 0 } else { -1 });
            self.priority.push(match step.kind {
                Kind::Reported | Kind::Updated => i32::from(step.priority),
                _ => -1,
            });
        }
    }

    fn batch(&mut self) -> Result<RecordBatch, ArrowError> {
        let at = TimestampMicrosecondArray::from(std::mem::take(&mut self.at)).with_timezone("UTC");
        let columns = vec![
            self.contract.take()?,
            self.ticket.take()?,
            self.kind.take()?,
            Arc::new(at),
            self.reason.take_sparse()?,
            self.priority.take_sparse()?,
        ];
        RecordBatch::try_new(self.schema(), columns)
    }
}

/// A row for each ticket.
pub(super) struct TicketColumns {
    schema: Arc<Schema>,
    contract: Words,
    ticket: Names,
    priority: Words,
    reported: Vec<i64>,
    /// Response, resolution, closing.
    times: [TimestampMicrosecondBuilder; 3],
}

impl TicketColumns {
    pub(super) fn new(spec: &Synthetic) -> TicketColumns {
        TicketColumns {
            schema: Arc::new(Schema::new(vec![
                text("contract", false),
                Field::new("ticket", DataType::Utf8, false),
                text("priority", false),
                time("reported_at", false),
                time("responded_at", true),
                time("resolved_at", true),
                time("closed_at", true),
            ])),
            contract: contract_names(spec.contracts),
            ticket: Names::new(spec.tickets),
            priority: Words::new(PRIORITIES),
            reported: Vec::new(),
            times: Default::default(),
        }
    }
}

impl Columns for TicketColumns {
    fn schema(&self) -> Arc<Schema> {
        Arc::clone(&self.schema)
    }

    fn take(&mut self, number: u64, contract: u32, story: &Story) {
        self.contract.push(contract.cast_signed());
        self.ticket.push(number, 1);
        let [mut responded, mut resolved, mut closed] = [None; 3];
        for step in &story.steps {
            match step.kind {
                Kind::Reported => {
                    self.priority.push(step.priority);
                    self.reported.push(micros(step.at));
                }
                Kind::Responded => responded = Some(micros(step.at)),
                Kind::Resolved => resolved = Some(micros(step.at)),
                Kind::Reopened => resolved = None,
                Kind::Closed => closed = Some(micros(step.at)),
                Kind::Paused | Kind::Resumed | Kind::Updated => {}
            }
        }
        for (column, time) in self.times.iter_mut().zip([responded, resolved, closed]) {
            column.append_option(time);
        }
    }

    fn batch(&mut self) -> Result<RecordBatch, ArrowError> {
        let reported =
            TimestampMicrosecondArray::from(std::mem::take(&mut self.reported)).with_timezone("UTC");
        let mut columns = vec![
            self.contract.take()?,
            self.ticket.take()?,
            self.priority.take()?,
            Arc::new(reported) as ArrayRef,
        ];
        for column in &mut self.times {
            columns.push(Arc::new(column.finish().with_timezone("UTC")));
        }
        RecordBatch::try_new(self.schema(), columns)
    }
}
