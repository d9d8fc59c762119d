//! Result tables written as Parquet. What the deposits paid is known last, so that its columns stand at the end of a file, behind all
//! the others of all row groups: Parquet finds columns by their places.

mod column;
mod numbers;
mod pack;
mod part;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::buffer::BooleanBuffer;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowSchemaConverter;
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, KeyValue, ParquetMetaData, ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::SchemaDescPtr;
use serde::{Deserialize, Serialize};

use crate::BatchError;
use crate::charges::Outcome;
pub(crate) use column::Column;
use column::{Chunk, Pages};
pub(crate) use numbers::{Times, Weave};
pub(crate) use pack::varint;
use part::unwritable;
pub(crate) use part::{Part, waits_as};

const MAGIC: &[u8] = b"PAR1";

/// What the tables of a run look like.
#[derive(Clone)]
pub(crate) struct Shape {
    parquet: SchemaDescPtr,
    words: Option<Vec<KeyValue>>,
    required: Vec<bool>,
    /// The columns of what the deposits paid.
    late: Range<usize>,
}

/// A row group without what the deposits paid.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    rows: u64,
    columns: Vec<Chunk>,
    /// Which rows owe something, a bit for each.
    owed: Vec<u8>,
    owing: u64,
}

/// A row group's pages, ready to be put into a file.
pub(crate) struct Encoded {
    pages: Pages,
    group: Group,
}

impl Shape {
    pub(crate) fn new(schema: &SchemaRef, late: Range<usize>) -> Result<Shape, ParquetError> {
        let parquet = ArrowSchemaConverter::new().convert(schema)?;
        let mut properties = WriterProperties::builder().build();
        parquet::arrow::add_encoded_arrow_schema_to_metadata(schema, &mut properties);
        Ok(Shape {
            parquet: Arc::new(parquet),
            words: properties.key_value_metadata().cloned(),
            required: schema.fields().iter().map(|field| !field.is_nullable()).collect(),
            late,
        })
    }

    /// Makes a row group of its columns, on any thread. `owed` says which rows owe something.
    pub(crate) fn encode(
        &self,
        columns: Vec<Column<'_>>,
        owed: &BooleanBuffer,
    ) -> Result<Encoded, ParquetError> {
        let mut pages = Pages::default();
        let places = (0..self.required.len()).filter(|place| !self.late.contains(place));
        let columns = places
            .zip(columns)
            .map(|(place, column)| pages.column(column, self.required.get(place) == Some(&true)))
            .collect::<Result<_, _>>()?;
        let rows = owed.len();
        let bits = owed.sliced();
        let group = Group {
            rows: rows as u64,
            columns,
            owed: bits.as_slice().get(..rows.div_ceil(8)).unwrap_or_default().to_vec(),
            owing: owed.count_set_bits() as u64,
        };
        Ok(Encoded { pages, group })
    }
}

#[cfg(test)]
impl Encoded {
    /// How each column is written, and its bytes.
    pub(crate) fn columns(&self) -> Vec<(String, Vec<u8>)> {
        let all = self.pages.pieces.concat();
        let of = |chunk: &Chunk| {
            let (from, until) = (chunk.at as usize, (chunk.at + chunk.bytes) as usize);
            (format!("{chunk:?}"), all[from..until].to_vec())
        };
        self.group.columns.iter().map(of).collect()
    }

    pub(crate) fn owed(&self) -> (u64, &[u8]) {
        (self.group.owing, &self.group.owed)
    }
}

/// A Parquet file of result tables on its way.
pub(crate) struct Tables {
    part: Part,
    /// So long is it.
    pub(crate) at: u64,
    pub(crate) groups: Vec<Group>,
}

impl Tables {
    pub(crate) fn begin(mut part: Part) -> Result<Tables, BatchError> {
        part.write(MAGIC)?;
        Ok(Tables { part, at: MAGIC.len() as u64, groups: Vec::new() })
    }

    /// One that was left, gone on with.
    pub(crate) fn go_on(path: &Path, at: u64, groups: Vec<Group>) -> Result<Tables, BatchError> {
        Ok(Tables { part: Part::go_on(path, at)?, at, groups })
    }

    pub(crate) fn put(&mut self, encoded: Encoded) -> Result<(), BatchError> {
        let Encoded { pages, mut group } = encoded;
        group.columns.iter_mut().for_each(|chunk| chunk.shift(self.at));
        self.write(&pages)?;
        self.groups.push(group);
        Ok(())
    }

    fn write(&mut self, pages: &Pages) -> Result<(), BatchError> {
        for piece in &pages.pieces {
            self.part.write(piece)?;
            self.at += piece.len() as u64;
        }
        Ok(())
    }

    /// Leaves the file, to be gone on with.
    pub(crate) fn leave(self) -> Result<(), BatchError> {
        self.part.leave()
    }

    /// Adds what the deposits paid of the next charges, and gives the file its name.
    pub(crate) fn finish(self, path: &Path, shape: &Shape, paid: &mut Outcome) -> Result<(), BatchError> {
        self.finish_with(path, shape, &mut |count| paid.tell(count).into())
    }

    fn finish_with(
        mut self,
        path: &Path,
        shape: &Shape,
        paid: &mut dyn FnMut(usize) -> Vec<Vec<i64>>,
    ) -> Result<(), BatchError> {
        let fault = |error: ParquetError| unwritable(path, &error);
        for nth in 0..self.groups.len() {
            let Some(group) = self.groups.get(nth) else { break };
            let paid = paid(usize::try_from(group.owing).unwrap_or(usize::MAX));
            let rows = usize::try_from(group.rows).unwrap_or(usize::MAX);
            let mut pages = Pages::default();
            let mut late = Vec::with_capacity(paid.len());
            for values in &paid {
                let mut chunk = pages.sums(rows, &group.owed, values).map_err(fault)?;
                chunk.shift(self.at);
                late.push(chunk);
            }
            self.write(&pages)?;
            if let Some(group) = self.groups.get_mut(nth) {
                group.columns.splice(shape.late.start..shape.late.start, late);
            }
        }
        let footer = footer(shape, &self.groups).map_err(fault)?;
        self.part.write(&footer)?;
        self.part.finish()
    }
}

/// Where everything is, which Parquet keeps at the end of a file.
fn footer(shape: &Shape, groups: &[Group]) -> Result<Vec<u8>, ParquetError> {
    let number = |n: u64| i64::try_from(n).map_err(|_| ParquetError::General("too large a file".to_owned()));
    let mut all = Vec::with_capacity(groups.len());
    for group in groups {
        let mut columns = Vec::with_capacity(group.columns.len());
        for (chunk, column) in group.columns.iter().zip(shape.parquet.columns()) {
            let mut encodings = vec![chunk.form.encoding(), parquet::basic::Encoding::RLE];
            if chunk.dictionary > 0 {
                encodings.push(parquet::basic::Encoding::PLAIN);
            }
            let built = ColumnChunkMetaData::builder(Arc::clone(column))
                .set_encodings(encodings)
                .set_num_values(number(chunk.values)?)
                .set_total_compressed_size(number(chunk.bytes)?)
                .set_total_uncompressed_size(number(chunk.bytes)?)
                .set_dictionary_page_offset(match chunk.dictionary {
                    0 => None,
                    _ => Some(number(chunk.at)?),
                })
                .set_data_page_offset(number(chunk.at + chunk.dictionary)?)
                .build()?;
            columns.push(built);
        }
        let bytes = group.columns.iter().map(|chunk| chunk.bytes).sum();
        let built = RowGroupMetaData::builder(Arc::clone(&shape.parquet))
            .set_num_rows(number(group.rows)?)
            .set_total_byte_size(number(bytes)?)
            .set_column_metadata(columns)
            .build()?;
        all.push(built);
    }
    let rows = number(groups.iter().map(|group| group.rows).sum())?;
    let by = format!("holdback {}", env!("CARGO_PKG_VERSION"));
    let file = FileMetaData::new(1, rows, Some(by), shape.words.clone(), Arc::clone(&shape.parquet), None);
    let mut footer = Vec::new();
    ParquetMetaDataWriter::new(&mut footer, &ParquetMetaData::new(file, all)).finish()?;
    Ok(footer)
}
