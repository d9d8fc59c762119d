//! A synthetic history of tickets, as many as asked for, drawn like a real log and written as Parquet.
//!
//! A seed gives one history: the same bytes on every machine, for nothing is drawn with floating point and each
//! ticket has its own stream of random numbers. Both forms of one seed tell the same history.
//!
//! The history runs over two years from 2023-01-01T00:00:00Z. What would happen after their end is not in it, so the
//! last tickets are still open. Tickets are independent of each other: there is no backlog, and a ticket of the night
//! is answered no later than one of the day.

mod arrivals;
mod columns;
mod draw;
mod fitted;
mod story;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::sync::Arc;

use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use self::arrivals::Arrivals;
use self::columns::{EventColumns, TicketColumns};
use self::draw::{Contracts, Draws};
use self::story::Story;

/// The most contracts a history may have.
pub const MOST_CONTRACTS: u32 = 1_000_000;

/// Where the numbers come from; it travels with every file.
const ATTRIBUTION: &str = "synthetic; drawn from counts and quantiles of Amaral, C., Fantinato, M., Peres, S. (2018), \
    Incident management process enriched event log, UCI Machine Learning Repository, doi 10.24432/C57S4H, CC BY 4.0";

/// What to make up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Synthetic {
    /// Tickets in all.
    pub tickets: u64,
    /// Contracts they belong to: 1 to [`MOST_CONTRACTS`]. The second has half as many tickets as the first, the third
    /// a third.
    pub contracts: u32,
    /// Another seed, another history.
    pub seed: u64,
    /// The form of the file.
    pub form: Form,
}

/// The form of a history in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A row for each event: `contract`, `ticket`, `kind`, `at`, `reason`, `priority`. The events of a ticket stand
    /// together and in the order in which they happened, the tickets in the order in which they were reported.
    Events,
    /// A row for each ticket: `contract`, `ticket`, `priority` (the one first given), `reported_at`, `responded_at`,
    /// `resolved_at` (the last resolution, unless reopened since), `closed_at`.
    Tickets,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Tickets.
    pub tickets: u64,
    /// Rows: tickets or events.
    pub rows: u64,
    /// Groups of rows in the file.
    pub row_groups: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Why a history was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// No contracts, or too many.
    #[error("`{0}` contracts: expected 1 to {MOST_CONTRACTS}")]
    Contracts(u32),
    /// The file cannot be written.
    #[error("the history cannot be written: {0}")]
    Write(#[from] ParquetError),
    /// Columns that do not fit each other.
    #[error("the history cannot be put into columns: {0}")]
    Columns(#[from] ArrowError),
}

/// How many tickets are held at a time.
#[derive(Clone, Copy)]
struct Layout {
    batch: u64,
    group: u64,
}

/// Writes a history to `out` as Parquet and tells `progress` now and then how many tickets are written.
///
/// Memory is bounded by a group of rows, whatever the number of tickets.
///
/// # Errors
/// [`GenerateError`] for a number of contracts out of range, or when `out` cannot be written.
pub fn generate(
    spec: &Synthetic,
    out: impl Write + Send,
    progress: &mut dyn FnMut(u64),
) -> Result<Written, GenerateError> {
    // About a million rows in a group in both forms. No ticket lies in two groups.
    let group = match spec.form {
        Form::Events => 1 << 18,
        Form::Tickets => 1 << 20,
    };
    generate_in(spec, Layout { batch: 1 << 13, group }, out, progress)
}

fn generate_in(
    spec: &Synthetic,
    layout: Layout,
    out: impl Write + Send,
    progress: &mut dyn FnMut(u64),
) -> Result<Written, GenerateError> {
    if !(1..=MOST_CONTRACTS).contains(&spec.contracts) {
        return Err(GenerateError::Contracts(spec.contracts));
    }
    let contracts = Contracts::new(spec.contracts);
    let mut columns: Box<dyn Columns> = match spec.form {
        Form::Events => Box::new(EventColumns::new(spec)),
        Form::Tickets => Box::new(TicketColumns::new(spec)),
    };
    let mut writer = ArrowWriter::try_new(out, columns.schema(), Some(properties(spec)))?;
    let mut arrivals = Arrivals::new(spec.tickets);
    let mut story = Story::default();
    let (mut rows, mut row_groups, mut grouped, mut number) = (0, 0, 0, 0);
    while number < spec.tickets {
        let until = spec.tickets.min(number + layout.batch.min(layout.group - grouped));
        grouped += until - number;
        while number < until {
            let mut draws = Draws::new(spec.seed, number);
            let reported = arrivals.at(number, draws.half());
            let contract = contracts.draw(&mut draws);
            story.tell(&mut draws, reported);
            columns.take(number, contract, &story);
            number += 1;
        }
        let batch = columns.batch()?;
        rows += batch.num_rows() as u64;
        writer.write(&batch)?;
        if grouped == layout.group || number == spec.tickets {
            writer.flush()?;
            (grouped, row_groups) = (0, row_groups + 1);
        }
        progress(number);
    }
    writer.finish()?;
    Ok(Written { tickets: spec.tickets, rows, row_groups, bytes: writer.bytes_written() as u64 })
}

/// Tickets put into columns, a batch at a time.
trait Columns {
    fn schema(&self) -> Arc<arrow::datatypes::Schema>;
    fn take(&mut self, number: u64, contract: u32, story: &Story);
    fn batch(&mut self) -> Result<RecordBatch, ArrowError>;
}

fn properties(spec: &Synthetic) -> WriterProperties {
    let entry = |key: &str, value: String| KeyValue { key: key.to_owned(), value: Some(value) };
    let mut properties = WriterProperties::builder()
        .set_max_row_group_row_count(None)
        // Few words, in a dictionary; their smallest and largest tell a reader nothing, and cost a comparison a row.
        .set_dictionary_enabled(true)
        .set_compression(Compression::UNCOMPRESSED)
        .set_statistics_enabled(EnabledStatistics::None)
        // Each ticket has a name of its own. Against delta encoding: as fast to write, faster to read.
        .set_column_dictionary_enabled(ColumnPath::from("ticket"), false)
        .set_column_encoding(ColumnPath::from("ticket"), Encoding::PLAIN)
        .set_column_compression(ColumnPath::from("ticket"), Compression::LZ4_RAW);
    for name in ["at", "reported_at", "responded_at", "resolved_at", "closed_at"] {
        // Differences need fewer bits, and to compress them again gains nothing.
        let column = ColumnPath::from(name);
        properties = properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_encoding(column.clone(), Encoding::DELTA_BINARY_PACKED)
            .set_column_statistics_enabled(column, EnabledStatistics::Chunk);
    }
    properties
        .set_key_value_metadata(Some(vec![
            entry("holdback.source", ATTRIBUTION.to_owned()),
            entry("holdback.seed", spec.seed.to_string()),
        ]))
        .build()
}
