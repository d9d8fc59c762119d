//! An input cut into whole tickets, and the order in which tickets come.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use serde::{Deserialize, Serialize};

use super::{Shape, Unit};
use crate::error::BatchError;
use crate::log::Tells;
use crate::sheet::Sheet;

/// Batches cut so that the rows of a ticket are together.
pub(super) struct Units<'a> {
    pub(super) batches: Box<dyn Iterator<Item = Result<RecordBatch, BatchError>> + Send>,
    pub(super) layout: &'a Shape,
    /// Rows of a log's last ticket, of which more may come.
    pub(super) rest: Option<RecordBatch>,
    pub(super) row: u64,
    pub(super) number: u64,
}

impl Units<'_> {
    pub(super) fn unit(&mut self, rows: RecordBatch) -> Unit {
        let unit = Unit { number: self.number, first_row: self.row, rows };
        self.number += 1;
        self.row += unit.rows.num_rows() as u64;
        unit
    }

    pub(super) fn next_unit(&mut self) -> Result<Option<Unit>, BatchError> {
        loop {
            let Some(batch) = self.batches.next() else {
                return Ok(self.rest.take().map(|rest| self.unit(rest)));
            };
            let batch = batch?;
            if batch.num_rows() == 0 {
                continue;
            }
            let Shape::Log(layout) = self.layout else { return Ok(Some(self.unit(batch))) };
            let whole = match self.rest.take() {
                None => batch,
                Some(rest) => arrow::compute::concat_batches(&batch.schema(), [&rest, &batch])
                    .map_err(|error| data(&error))?,
            };
            let Some(place) = layout.place(Tells::Ticket) else { return Ok(Some(self.unit(whole))) };
            let tickets = whole.column(place);
            let tickets = crate::cells::strings("ticket", tickets)?;
            let last = tickets.len() - 1;
            let same = |row: usize| {
                tickets.is_valid(row) == tickets.is_valid(last) && tickets.value(row) == tickets.value(last)
            };
            let mut from = last;
            while from > 0 && same(from - 1) {
                from -= 1;
            }
            let rest = whole.slice(from, whole.num_rows() - from);
            self.rest = Some(alone(&rest).map_err(|error| data(&error))?);
            if from > 0 {
                return Ok(Some(self.unit(whole.slice(0, from))));
            }
        }
    }
}

fn data(error: &ArrowError) -> BatchError {
    BatchError::Data { place: "the log".to_owned(), reason: error.to_string() }
}

/// The same rows with dictionaries of their own. A part of a batch has the batch's: put before another one it would make a larger
/// dictionary each time.
fn alone(rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let columns = rows.columns().iter().map(|column| match column.data_type() {
        DataType::Dictionary(_, value) => cast(&cast(column, value)?, column.data_type()),
        _ => Ok(Arc::clone(column)),
    });
    RecordBatch::try_new(rows.schema(), columns.collect::<Result<_, _>>()?)
}

/// The first and the last ticket of a unit, and whether each comes after the one before.
#[derive(Default)]
pub(super) struct TicketSpan {
    pub(super) first: String,
    pub(super) last: String,
    pub(super) ascending: bool,
    pub(super) any: bool,
}

impl TicketSpan {
    pub(super) fn of(sheet: &Sheet) -> TicketSpan {
        let mut span = TicketSpan { ascending: true, any: sheet.rows > 0, ..TicketSpan::default() };
        let mut last = "";
        for row in 0..sheet.rows {
            let ticket = sheet.origin.ticket(row);
            if row == 0 {
                ticket.clone_into(&mut span.first);
            } else if ticket <= last {
                span.ascending = false;
            }
            last = ticket;
        }
        last.clone_into(&mut span.last);
        span
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TicketOrder {
    pub(super) last: String,
    pub(super) ascending: bool,
    pub(super) any: bool,
}

impl Default for TicketOrder {
    fn default() -> TicketOrder {
        TicketOrder { last: String::new(), ascending: true, any: false }
    }
}

impl TicketOrder {
    pub(super) fn take(&mut self, span: TicketSpan) {
        if !span.any {
            return;
        }
        self.ascending &= span.ascending && (!self.any || span.first > self.last);
        (self.last, self.any) = (span.last, true);
    }
}
