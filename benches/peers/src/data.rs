//! The generator: the same tickets from the same seed, as columns in memory and as Parquet.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Int8Array, Int32Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::policy::{KINDS, RESOLUTION_LIMIT, RESPONSE_LIMIT, Ticket};

const SECOND: i64 = 1_000_000;
/// 2022-01-01 and 2024-11-30, in seconds.
const FIRST: u64 = 1_640_995_200;
const LAST: u64 = 1_732_924_800;
/// 2020-01-01, in days.
const ACCEPTED: i64 = 18_262;

/// Tickets as columns; a bit of a mask says that the value is there.
pub struct Columns {
    pub contract: Vec<u32>,
    pub kind: Vec<u8>,
    pub reported: Vec<i64>,
    pub responded: Vec<i64>,
    pub resolved: Vec<i64>,
    pub responded_mask: Vec<u64>,
    pub resolved_mask: Vec<u64>,
    /// By contract: the instant to which repairs are free.
    pub warranty_end: Vec<i64>,
}

impl Columns {
    pub fn len(&self) -> usize {
        self.kind.len()
    }

    pub fn row(&self, row: usize) -> Ticket {
        let there = |mask: &[u64]| mask[row / 64] >> (row % 64) & 1 == 1;
        Ticket {
            contract: self.contract[row],
            kind: self.kind[row],
            reported: self.reported[row],
            responded: there(&self.responded_mask).then(|| self.responded[row]),
            resolved: there(&self.resolved_mask).then(|| self.resolved[row]),
        }
    }
}

struct SplitMix(u64);
impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: u64) -> u64 {
        (self.next() as u128 * n as u128 >> 64) as u64
    }
}

/// Year, month, day of a count of days since 1970, and back (the usual civil-date arithmetic).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + (month <= 2) as i64, month, doy - (153 * mp + 2) / 5 + 1)
}
fn days(year: i64, month: i64, day: i64) -> i64 {
    let y = year - (month <= 2) as i64;
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

/// The day on which a contract was accepted, since 1970.
pub fn accepted(contract: usize) -> i64 {
    // Every contract was accepted before the assessment, however many there are.
    ACCEPTED + 7 * (contract % 200) as i64
}

/// The end (24:00) of the date three calendar years after the acceptance.
pub fn warranty_end(contract: usize) -> i64 {
    let (year, month, day) = civil(accepted(contract));
    let leap = |y: i64| y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    let day = if month == 2 && day == 29 && !leap(year + 3) { 28 } else { day };
    (days(year + 3, month, day) + 1) * 86_400 * SECOND
}

/// `n` tickets of `contracts` contracts, in order of the report, contracts interleaved.
pub fn generate(n: usize, contracts: usize, seed: u64) -> Columns {
    let mut rng = SplitMix(seed);
    let rates: Vec<u64> = (0..contracts).map(|_| 1 + rng.below(25)).collect();
    let words = n.div_ceil(64);
    let mut columns = Columns {
        contract: Vec::with_capacity(n),
        kind: Vec::with_capacity(n),
        reported: Vec::with_capacity(n),
        responded: Vec::with_capacity(n),
        resolved: Vec::with_capacity(n),
        responded_mask: vec![0; words],
        resolved_mask: vec![0; words],
        warranty_end: (0..contracts).map(warranty_end).collect(),
    };
    let range = LAST - FIRST;
    let step = (range / n as u64).max(1);
    for row in 0..n {
        let base = FIRST + (row as u128 * range as u128 / n as u128) as u64;
        let reported = (base + rng.below(step)) as i64 * SECOND;
        let contract = rng.below(contracts as u64) as usize;
        let kind = rng.below(8) as usize;
        columns.contract.push(contract as u32);
        columns.kind.push(kind as u8);
        columns.reported.push(reported);
        let mut stop = |limit: i64, values: &mut Vec<i64>, mask: &mut [u64]| {
            let limit = (limit / SECOND) as u64;
            if rng.below(100) < 2 {
                values.push(0);
                return;
            }
            let late = rng.below(100) < rates[contract];
            let edge = rng.below(8) == 0;
            let took = match (late, edge) {
                (true, true) => limit + 1,
                (true, false) => limit + 1 + rng.below(2 * limit),
                (false, true) => limit,
                (false, false) => 1 + rng.below(limit),
            };
            values.push(reported + took as i64 * SECOND);
            mask[row / 64] |= 1 << (row % 64);
        };
        stop(RESPONSE_LIMIT[kind], &mut columns.responded, &mut columns.responded_mask);
        stop(RESOLUTION_LIMIT[kind], &mut columns.resolved, &mut columns.resolved_mask);
    }
    columns
}

pub fn contract_name(contract: usize) -> String {
    format!("c{contract:05}")
}

fn time(name: &str, nullable: bool) -> Field {
    Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), nullable)
}
fn dictionary(key: DataType) -> DataType {
    DataType::Dictionary(Box::new(key), Box::new(DataType::Utf8))
}
/// The columns of the tickets, as files and record batches have them.
pub fn schema() -> Arc<Schema> {
    Arc::new(Schema::new(vec![
        Field::new("contract", dictionary(DataType::Int32), false),
        Field::new("ticket", DataType::Utf8, false),
        Field::new("kind", dictionary(DataType::Int8), false),
        time("reported_at", false),
        time("responded_at", true),
        time("resolved_at", true),
    ]))
}

/// Rows `from..to` as an Arrow record batch.
pub fn batch(columns: &Columns, from: usize, to: usize) -> arrow::error::Result<RecordBatch> {
    let names: Vec<String> = (0..columns.warranty_end.len()).map(contract_name).collect();
    let values: ArrayRef = Arc::new(StringArray::from_iter_values(names));
    let kinds: ArrayRef = Arc::new(StringArray::from_iter_values(KINDS));
    let nulls = |mask: &[u64]| {
        let bytes: Vec<u8> = mask.iter().flat_map(|word| word.to_le_bytes()).collect();
        NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(bytes), from, to - from))
    };
    let times = |values: &[i64], nulls: Option<NullBuffer>| -> ArrayRef {
        let values = ScalarBuffer::from(values[from..to].to_vec());
        Arc::new(TimestampMicrosecondArray::new(values, nulls).with_timezone("UTC"))
    };
    let keys = Int32Array::from_iter_values(columns.contract[from..to].iter().map(|&c| c as i32));
    let kind = Int8Array::from_iter_values(columns.kind[from..to].iter().map(|&k| k as i8));
    RecordBatch::try_new(
        schema(),
        vec![
            Arc::new(DictionaryArray::try_new(keys, values)?),
            Arc::new(StringArray::from_iter_values((from..to).map(|row| format!("T{row:09}")))),
            Arc::new(DictionaryArray::try_new(kind, kinds)?),
            times(&columns.reported, None),
            times(&columns.responded, Some(nulls(&columns.responded_mask))),
            times(&columns.resolved, Some(nulls(&columns.resolved_mask))),
        ],
    )
}

fn writer(path: &Path, schema: Arc<Schema>) -> Result<ArrowWriter<File>, Box<dyn std::error::Error>> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(122_880 * 4))
        .build();
    Ok(ArrowWriter::try_new(File::create(path)?, schema, Some(properties))?)
}

/// Writes the tickets and, beside them, the contracts.
pub fn write(columns: &Columns, tickets: &Path, contracts: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let mut file = writer(tickets, schema())?;
    let step = 122_880;
    for from in (0..columns.len()).step_by(step) {
        file.write(&batch(columns, from, (from + step).min(columns.len()))?)?;
    }
    file.close()?;
    let schema = Arc::new(Schema::new(vec![
        Field::new("contract", DataType::Utf8, false),
        time("accepted_at", false),
        time("warranty_end", false),
    ]));
    let count = columns.warranty_end.len();
    let accepted = (0..count).map(|c| accepted(c) * 86_400 * SECOND);
    let batch = RecordBatch::try_new(
        schema.clone(),
        vec![
            Arc::new(StringArray::from_iter_values((0..count).map(contract_name))),
            Arc::new(TimestampMicrosecondArray::from_iter_values(accepted).with_timezone("UTC")),
            Arc::new(
                TimestampMicrosecondArray::from_iter_values(columns.warranty_end.iter().copied())
                    .with_timezone("UTC"),
            ),
        ],
    )?;
    let mut file = writer(contracts, schema)?;
    file.write(&batch)?;
    file.close()?;
    Ok(())
}
