//! The columns of a batch while they are filled, row by row.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, BooleanBufferBuilder, Int64Array, NullBufferBuilder, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Schema, SchemaRef, TimeUnit};

use super::NdjsonError;

/// The values of a column.
pub(super) enum Values {
    Text {
        bytes: Vec<u8>,
        /// Where each row's text begins, and where the last one ends.
        edges: Vec<i32>,
    },
    /// Microseconds since 1970.
    Times(Vec<i64>, Arc<str>),
    Numbers(Vec<i64>),
    Booleans(BooleanBufferBuilder),
}

/// A column: it has a value more than there are whole rows when the row at hand has told it.
pub(super) struct Column {
    pub(super) name: String,
    nullable: bool,
    pub(super) values: Values,
    present: NullBufferBuilder,
}

/// The columns, and the whole rows in them.
pub(super) struct Columns {
    pub(super) columns: Vec<Column>,
    rows: usize,
}

impl Columns {
    pub(super) fn new(schema: &Schema) -> Result<Columns, NdjsonError> {
        let columns = schema.fields().iter().map(|field| {
            let values = match field.data_type() {
                DataType::Utf8 => Values::Text { bytes: Vec::new(), edges: vec![0] },
                DataType::Timestamp(TimeUnit::Microsecond, Some(zone))
                    if matches!(&**zone, "UTC" | "+00:00") =>
                {
                    Values::Times(Vec::new(), Arc::clone(zone))
                }
                DataType::Int64 => Values::Numbers(Vec::new()),
                DataType::Boolean => Values::Booleans(BooleanBufferBuilder::new(0)),
                other => {
                    return Err(NdjsonError::Type { name: field.name().clone(), found: other.clone() });
                }
            };
            let (name, nullable) = (field.name().clone(), field.is_nullable());
            Ok(Column { name, nullable, values, present: NullBufferBuilder::new(0) })
        });
        Ok(Columns { columns: columns.collect::<Result<_, _>>()?, rows: 0 })
    }

    /// Whole rows.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of text in the column that has most of it.
    pub(super) fn text_bytes(&self) -> usize {
        let bytes = self.columns.iter().map(|column| match &column.values {
            Values::Text { bytes, .. } => bytes.len(),
            _ => 0,
        });
        bytes.max().unwrap_or(0)
    }

    /// The column, unless the row at hand has told it already.
    pub(super) fn untold(&mut self, column: usize) -> Option<&mut Column> {
        let column = self.columns.get_mut(column)?;
        (column.present.len() == self.rows).then_some(column)
    }

    /// Ends the row at hand.
    ///
    /// # Errors
    /// The column that must be told and was not.
    pub(super) fn end_row(&mut self) -> Result<(), &str> {
        for column in &mut self.columns {
            if column.present.len() == self.rows && !column.push_nothing() {
                return Err(&column.name);
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// Forgets what the row at hand has told so far.
    pub(super) fn take_back(&mut self) {
        for column in &mut self.columns {
            column.truncate(self.rows);
        }
    }

    /// The rows as a batch; the columns are empty afterwards.
    pub(super) fn batch(&mut self, schema: &SchemaRef) -> Result<RecordBatch, NdjsonError> {
        let arrays: Result<Vec<ArrayRef>, NdjsonError> =
            self.columns.iter_mut().map(Column::finish).collect();
        self.rows = 0;
        Ok(RecordBatch::try_new(Arc::clone(schema), arrays?)?)
    }
}

impl Column {
    /// Tells that there is no value. False where there must be one.
    pub(super) fn push_nothing(&mut self) -> bool {
        if !self.nullable {
            return false;
        }
        match &mut self.values {
            Values::Text { bytes, edges } => edges.push(edge(bytes)),
            Values::Times(values, _) | Values::Numbers(values) => values.push(0),
            Values::Booleans(values) => values.append(false),
        }
        self.present.append_null();
        true
    }

    /// Tells that a value was put to the values.
    pub(super) fn told(&mut self) {
        self.present.append_non_null();
    }

    fn truncate(&mut self, rows: usize) {
        match &mut self.values {
            Values::Text { bytes, edges } => {
                edges.truncate(rows + 1);
                bytes.truncate(edges.last().map_or(0, |edge| edge.cast_unsigned() as usize));
            }
            Values::Times(values, _) | Values::Numbers(values) => values.truncate(rows),
            Values::Booleans(values) => values.truncate(rows),
        }
        self.present.truncate(rows);
    }

    fn finish(&mut self) -> Result<ArrayRef, NdjsonError> {
        let present = self.present.finish();
        Ok(match &mut self.values {
            Values::Text { bytes, edges } => {
                // The next batch is likely as large as this one.
                let (many_bytes, many_rows) = (bytes.len() + bytes.len() / 8, edges.len());
                let bytes = std::mem::replace(bytes, Vec::with_capacity(many_bytes));
                let mut fresh = Vec::with_capacity(many_rows);
                fresh.push(0);
                let edges = OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(edges, fresh)));
                Arc::new(StringArray::try_new(edges, Buffer::from_vec(bytes), present)?)
            }
            Values::Times(values, zone) => {
                let fresh = Vec::with_capacity(values.len());
                let values = std::mem::replace(values, fresh);
                let times = TimestampMicrosecondArray::try_new(values.into(), present)?;
                Arc::new(times.with_timezone(Arc::clone(zone)))
            }
            Values::Numbers(values) => {
                let fresh = Vec::with_capacity(values.len());
                Arc::new(Int64Array::try_new(std::mem::replace(values, fresh).into(), present)?)
            }
            Values::Booleans(values) => Arc::new(BooleanArray::new(values.finish(), present)),
        })
    }
}

/// The end of a column's text. Batches end long before it outgrows 31 bits.
pub(super) fn edge(bytes: &[u8]) -> i32 {
    i32::try_from(bytes.len()).unwrap_or(i32::MAX)
}
