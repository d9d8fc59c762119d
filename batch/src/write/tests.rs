//! What is written is what the Parquet crate's own reader reads.

#![expect(clippy::disallowed_methods, reason = "a file that was written is read")]

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal64Array, DictionaryArray, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray,
};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Decimal64Type, Field, Schema, TimeUnit, UInt32Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;

use super::{Column, Part, Shape, Tables};

fn schema() -> Arc<Schema> {
    let names = DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8));
    Arc::new(Schema::new(vec![
        Field::new("ticket", DataType::Utf8, false),
        Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
        Field::new("number", DataType::Int64, true),
        Field::new("paid", DataType::Decimal64(18, 2), true),
        Field::new("is", DataType::Boolean, true),
        Field::new("name", names, true),
    ]))
}

const LATE: std::ops::Range<usize> = 3..4;

/// Columns of so many rows, drawn from a seed.
fn columns(rows: usize, seed: u64, far: u32, names: u32, nulls: u64) -> Vec<ArrayRef> {
    let mut state = seed | 1;
    let mut draw = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 16
    };
    let is = |draw: &mut dyn FnMut() -> u64| nulls == 0 || !draw().is_multiple_of(nulls);
    let tickets: Vec<String> =
        (0..rows).map(|_| format!("{}{}", "T".repeat((draw() % 20) as usize), draw() % 1_000)).collect();
    let number = |draw: &mut dyn FnMut() -> u64| {
        let any = (draw() << 32 ^ draw()) as i64;
        if far == 64 { any } else { any & (1_i64 << far).wrapping_sub(1) }
    };
    let at: Vec<Option<i64>> = (0..rows).map(|_| is(&mut draw).then(|| number(&mut draw))).collect();
    let numbers: Vec<Option<i64>> = (0..rows).map(|_| is(&mut draw).then(|| number(&mut draw))).collect();
    let yes: Vec<Option<bool>> = (0..rows).map(|_| is(&mut draw).then(|| draw() % 2 == 1)).collect();
    let texts: Vec<String> = (0..names).map(|n| format!("name {n}")).collect();
    let keys: Vec<Option<u32>> =
        (0..rows).map(|_| is(&mut draw).then(|| (draw() % u64::from(names)) as u32)).collect();
    let keys = arrow::array::UInt32Array::from(keys);
    let values = Arc::new(StringArray::from(texts));
    vec![
        Arc::new(StringArray::from(tickets)),
        Arc::new(TimestampMicrosecondArray::from(at).with_timezone("UTC")),
        Arc::new(Int64Array::from(numbers)),
        Arc::new(BooleanArray::from(yes)),
        Arc::new(DictionaryArray::<UInt32Type>::try_new(keys, values).unwrap()),
    ]
}

/// Names as plain texts, so that dictionaries of other orders compare.
fn plain(array: &ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::Dictionary(..) => arrow::compute::cast(array, &DataType::Utf8).unwrap(),
        _ => Arc::clone(array),
    }
}

fn round_trip(groups: &[Vec<ArrayRef>]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let shape = Shape::new(&schema(), LATE).unwrap();
    let mut tables = Tables::begin(Part::begin(&path).unwrap()).unwrap();
    let mut paid: Vec<i64> = Vec::new();
    let mut sums: Vec<Option<i64>> = Vec::new();
    for (nth, columns) in groups.iter().enumerate() {
        let rows = columns[0].len();
        let owes = |row: usize| row % (nth + 2) == 1;
        let owed = BooleanBuffer::collect_bool(rows, owes);
        let columns = columns.iter().cloned().map(Column::Array).collect();
        tables.put(shape.encode(columns, &owed).unwrap()).unwrap();
        for row in 0..rows {
            // Of one group few sums differ.
            let sum = if nth == 1 { row as i64 % 7 } else { row as i64 - 5 } * 1_000_000_007;
            sums.push(owes(row).then_some(sum));
            if owes(row) {
                paid.push(sum);
            }
        }
    }
    // Here one column stands for all three.
    let mut next = 0;
    tables
        .finish_with(&path, &shape, &mut |count| {
            next += count;
            vec![paid[next - count..next].to_vec()]
        })
        .unwrap();
    assert_eq!(next, paid.len());
    let reader = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(&path).unwrap()).unwrap();
    assert_eq!(reader.metadata().num_row_groups(), groups.len());
    let read: Vec<RecordBatch> =
        reader.with_batch_size(1 << 20).build().unwrap().map(Result::unwrap).collect();
    let read = arrow::compute::concat_batches(&schema(), &read).unwrap();
    for (at, place) in [0, 1, 2, 4, 5].into_iter().enumerate() {
        let written: Vec<ArrayRef> = groups.iter().map(|columns| plain(&columns[at])).collect();
        let written: Vec<&dyn Array> = written.iter().map(AsRef::as_ref).collect();
        assert_eq!(&arrow::compute::concat(&written).unwrap(), &plain(read.column(place)), "column {place}");
    }
    let wanted: Decimal64Array = sums.into_iter().collect();
    let wanted = wanted.with_precision_and_scale(18, 2).unwrap();
    assert_eq!(read.column(3).as_primitive::<Decimal64Type>(), &wanted);
}

#[test]
fn tables_of_all_widths_are_read_as_they_were_written() {
    for far in (0..=60).step_by(4).chain([63, 64]) {
        for names in [1, 2, 3, 200, 300, 70_000] {
            let seed = u64::from(far) * 7 + u64::from(names);
            round_trip(&[columns(500, seed, far, names, 5), columns(90, seed + 1, far, names, 0)]);
        }
    }
}

#[test]
fn differences_that_leave_sixty_four_bits_come_back() {
    let ends: Vec<i64> = (0..300).map(|n| [i64::MIN, i64::MAX, 0, -1, 1][n % 5]).collect();
    let mut of = columns(300, 1, 8, 2, 0);
    of[2] = Arc::new(Int64Array::from(ends.clone()));
    round_trip(&[of.clone()]);
    let mut packed = Vec::new();
    super::pack::differences(&&*ends, &mut packed);
    assert!(!packed.is_empty());
    of[2] = Arc::new(Int64Array::from(vec![7; 300]));
    of[1] = Arc::new(TimestampMicrosecondArray::from(vec![None; 300]).with_timezone("UTC"));
    round_trip(&[of]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_table_is_read_as_it_was_written(
        rows in proptest::collection::vec(1..700_usize, 1..4),
        seed in any::<u64>(),
        far in 0..=64_u32,
        names in 1..5000_u32,
        nulls in 0..4_u64,
    ) {
        let groups: Vec<_> = rows.iter().map(|rows| columns(*rows, seed, far.min(64), names, nulls)).collect();
        round_trip(&groups);
    }
}
