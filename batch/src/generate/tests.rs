use std::collections::HashMap;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int32Type, TimestampMicrosecondType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;

const TICKETS: u64 = 100_000;
const DAY: i64 = 86_400;

/// An event read back.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    contract: String,
    ticket: String,
    kind: String,
    at: i64,
    reason: Option<String>,
    priority: Option<String>,
}

fn spec(tickets: u64, contracts: u32, form: Form) -> Synthetic {
    Synthetic { tickets, contracts, seed: 7, form }
}

fn write(spec: &Synthetic) -> (Vec<u8>, Written) {
    let mut out = Vec::new();
    let written = generate(spec, &mut out, &mut |_| {}).unwrap();
    (out, written)
}

fn read(bytes: Vec<u8>) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap();
    reader.build().unwrap().map(Result::unwrap).collect()
}

fn words(batch: &RecordBatch, name: &str) -> Vec<Option<String>> {
    let column = batch.column_by_name(name).unwrap().as_dictionary::<Int32Type>();
    column
        .downcast_dict::<arrow::array::StringArray>()
        .unwrap()
        .into_iter()
        .map(|word| word.map(str::to_owned))
        .collect()
}

fn seconds(batch: &RecordBatch, name: &str) -> Vec<Option<i64>> {
    let column = batch.column_by_name(name).unwrap().as_primitive::<TimestampMicrosecondType>();
    assert_eq!(column.timezone(), Some("UTC"));
    column.iter().map(|at| at.map(|at| at / 1_000_000)).collect()
}

fn tickets(batch: &RecordBatch) -> Vec<String> {
    batch
        .column_by_name("ticket")
        .unwrap()
        .as_string::<i32>()
        .iter()
        .map(|name| name.unwrap().to_owned())
        .collect()
}

fn events(bytes: Vec<u8>) -> Vec<Row> {
    let mut rows = Vec::new();
    for batch in read(bytes) {
        let [mut contracts, mut kinds, mut reasons, mut priorities] =
            ["contract", "kind", "reason", "priority"].map(|name| words(&batch, name).into_iter());
        let mut times = seconds(&batch, "at").into_iter();
        for ticket in tickets(&batch) {
            rows.push(Row {
                contract: contracts.next().unwrap().unwrap(),
                ticket,
                kind: kinds.next().unwrap().unwrap(),
                at: times.next().unwrap().unwrap(),
                reason: reasons.next().unwrap(),
                priority: priorities.next().unwrap(),
            });
        }
    }
    rows
}

/// The events of each ticket.
fn stories(rows: &[Row]) -> Vec<&[Row]> {
    rows.chunk_by(|a, b| a.ticket == b.ticket).collect()
}

fn near(what: &str, found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found}, expected {expected} within {tolerance}");
}

#[test]
fn a_seed_gives_the_same_bytes_and_another_seed_others() {
    for form in [Form::Events, Form::Tickets] {
        let spec = spec(3000, 20, form);
        let first = write(&spec).0;
        assert!(first == write(&spec).0);
        assert!(first != write(&Synthetic { seed: 8, ..spec }).0);
    }
}

#[test]
fn groups_and_batches_change_no_row() {
    let spec = spec(1000, 5, Form::Events);
    let (whole, written) = write(&spec);
    let whole = events(whole);
    assert_eq!((written.tickets, written.rows, written.row_groups), (1000, whole.len() as u64, 1));
    for (batch, group, groups) in [(1, 1000, 1), (7, 100, 10), (5000, 333, 4)] {
        let mut bytes = Vec::new();
        let mut told = Vec::new();
        let written =
            generate_in(&spec, Layout { batch, group }, &mut bytes, &mut |number| told.push(number)).unwrap();
        assert_eq!((written.row_groups, written.bytes), (groups, bytes.len() as u64));
        assert!(told.is_sorted() && told.last() == Some(&1000));
        let file = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes.clone())).unwrap();
        assert_eq!(file.metadata().num_row_groups() as u64, groups);
        assert!(events(bytes) == whole);
    }
}

#[test]
fn every_ticket_is_told_at_one_place_in_order_of_time() {
    let rows = events(write(&spec(20_000, 30, Form::Events)).0);
    let stories = stories(&rows);
    assert_eq!(stories.len(), 20_000);
    let end = arrivals::BEGIN + arrivals::END as i64;
    assert!(stories.is_sorted_by_key(|story| story[0].at));
    for (number, story) in stories.iter().enumerate() {
        assert_eq!(story[0].ticket, format!("T{number:09}"));
        assert!(story[0].kind == "reported" && story[1..].iter().all(|row| row.kind != "reported"));
        assert!(story.is_sorted_by_key(|row| row.at), "{story:?}");
        assert!(story[0].at >= arrivals::BEGIN && story.last().unwrap().at < end);
        assert!(story.iter().all(|row| row.contract == story[0].contract));
        for row in *story {
            let tells_priority = row.kind == "reported" || row.kind == "updated";
            assert_eq!(row.priority.is_some(), tells_priority);
            assert_eq!(row.reason.as_deref(), (row.kind == "paused").then_some("customer"));
        }
    }
}

#[test]
fn both_forms_tell_the_same_history() {
    let rows = events(write(&spec(20_000, 30, Form::Events)).0);
    let mut stories = stories(&rows).into_iter();
    let batches = read(write(&spec(20_000, 30, Form::Tickets)).0);
    let mut open = 0;
    for batch in &batches {
        let (names, contracts, priorities) =
            (tickets(batch), words(batch, "contract"), words(batch, "priority"));
        let times =
            ["reported_at", "responded_at", "resolved_at", "closed_at"].map(|name| seconds(batch, name));
        for row in 0..batch.num_rows() {
            let story = stories.next().unwrap();
            let last = |kind: &str| story.iter().rfind(|row| row.kind == kind).map(|row| row.at);
            let resolved =
                last("resolved").filter(|at| last("reopened").is_none_or(|reopened| reopened <= *at));
            assert_eq!(names[row], story[0].ticket);
            assert_eq!(contracts[row].as_deref(), Some(&*story[0].contract));
            assert_eq!(priorities[row], story[0].priority);
            assert_eq!(
                times.each_ref().map(|times| times[row]),
                [Some(story[0].at), last("responded"), resolved, last("closed")]
            );
            open += u32::from(times[3][row].is_none());
        }
    }
    assert!(stories.next().is_none() && open > 0);
}

#[test]
fn shares_and_delays_are_those_of_the_log() {
    let rows = events(write(&spec(TICKETS, 100, Form::Events)).0);
    // The first year: what the end of the history cuts off lies beyond it.
    let year = arrivals::BEGIN + 365 * DAY;
    let stories: Vec<_> = stories(&rows).into_iter().filter(|story| story[0].at < year).collect();
    let all = stories.len() as f64;
    let has = |story: &[Row], kind: &str| story.iter().any(|row| row.kind == kind);
    let share = |what: &str, expected: f64, holds: &dyn Fn(&[Row]) -> bool| {
        let found = stories.iter().filter(|story| holds(story)).count() as f64 / all;
        near(what, found, expected, 5.0 * (expected * (1.0 - expected) / all).sqrt());
    };
    for (priority, count) in [("P1", 185.0), ("P2", 311.0), ("P3", 23_681.0), ("P4", 741.0)] {
        share(priority, count / 24_918.0, &|story| story[0].priority.as_deref() == Some(priority));
    }
    share("changed priority", 383.0 / 24_918.0, &|story| has(story, "updated"));
    share("paused", 5_470.0 / 24_918.0, &|story| has(story, "paused"));
    share("reopened", 275.0 / 24_918.0, &|story| has(story, "reopened"));
    share("closed without resolution", 13.0 / 24_918.0, &|story| !has(story, "resolved"));
    share("closed", 1.0, &|story| has(story, "closed"));
    share("on Monday", 5_947.0 / 24_918.0, &|story| (story[0].at / DAY + 3) % 7 == 0);
    share("from 9 to 10", 3_014.0 / 24_918.0, &|story| story[0].at / 3600 % 24 == 9);

    // Minutes from one event to another for which 10, 25, 50, 75 and 90 of 100 are enough.
    let delays = |priority: &str, from: &str, to: &str| {
        let mut delays: Vec<i64> = stories
            .iter()
            .filter(|story| story[0].priority.as_deref() == Some(priority))
            .filter_map(|story| {
                let time = |kind: &str| story.iter().find(|row| row.kind == kind).map(|row| row.at);
                Some(time(to)? - time(from)?)
            })
            .collect();
        delays.sort_unstable();
        [10, 25, 50, 75, 90].map(|part| delays[delays.len() * part / 100] as f64 / 60.0)
    };
    let known = [
        ("reported", "responded", [0.0, 2.0, 21.0, 941.0, 5_654.0]),
        ("responded", "resolved", [0.0, 0.0, 21.0, 3_938.0, 15_873.0]),
        ("responded", "paused", [0.0, 0.0, 18.0, 1_697.0, 8_735.0]),
    ];
    for (from, to, expected) in known {
        for (found, expected) in delays("P3", from, to).into_iter().zip(expected) {
            near(&format!("{from} to {to}"), found, expected, 2.0 + expected * 0.15);
        }
    }
}

#[test]
fn the_busiest_contract_is_the_first() {
    let mut counts: HashMap<String, u32> = HashMap::new();
    for batch in read(write(&spec(20_000, 50, Form::Tickets)).0) {
        for contract in words(&batch, "contract") {
            *counts.entry(contract.unwrap()).or_default() += 1;
        }
    }
    assert_eq!(counts.len(), 50);
    near("second", f64::from(counts["c00001"]), f64::from(counts["c00000"]) / 2.0, 200.0);
}

#[test]
fn no_tickets_and_one_contract_are_histories_too() {
    for form in [Form::Events, Form::Tickets] {
        let (bytes, written) = write(&spec(0, 1, form));
        assert_eq!((written.tickets, written.rows, written.row_groups), (0, 0, 0));
        assert!(read(bytes).iter().all(|batch| batch.num_rows() == 0));
    }
    let rows = events(write(&spec(100, 1, Form::Events)).0);
    assert!(rows.iter().all(|row| row.contract == "c00000"));
    assert_eq!(stories(&rows).len(), 100);
}

#[test]
fn the_number_of_contracts_is_bounded() {
    for contracts in [0, MOST_CONTRACTS + 1] {
        let error = generate(&spec(1, contracts, Form::Events), Vec::new(), &mut |_| {}).unwrap_err();
        assert_eq!(error.to_string(), format!("`{contracts}` contracts: expected 1 to 1000000"));
    }
    assert!(generate(&spec(1, MOST_CONTRACTS, Form::Tickets), Vec::new(), &mut |_| {}).is_ok());
}

#[test]
fn a_writer_that_fails_is_told() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("disk full"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let error = generate(&spec(10, 1, Form::Events), Full, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("disk full"), "{error}");
}

#[test]
fn the_source_of_the_numbers_travels_with_the_file() {
    let bytes = write(&spec(1, 1, Form::Tickets)).0;
    let file = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap();
    let notes = file.metadata().file_metadata().key_value_metadata().unwrap().clone();
    assert!(
        notes.iter().any(|note| note.value.as_ref().is_some_and(|text| text.contains("10.24432/C57S4H")))
    );
}
