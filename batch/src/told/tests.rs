//! Tickets that have the same clocks come to the same bytes, whether their columns are woven or told row by row.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use holdback::{Instant, Pack};
use proptest::prelude::*;

use super::woven::Strand;
use super::{LATE, Long, Told, Woven, schema};
use crate::Batch;
use crate::clocks::{Runs, state};
use crate::judge::{Contract, Judged};
use crate::table::{Layout, lay};
use crate::write::Shape;

/// A pack with some clauses, and so many clocks by their names.
fn batch() -> Batch {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/it-incidents");
    let as_of: Instant = "2025-06-01T00:00:00Z".parse().unwrap();
    Batch::new(Arc::new(Pack::open(&folder).unwrap()), as_of).unwrap().of_any_contract()
}

#[derive(Clone, Debug)]
struct Made {
    state: Vec<u8>,
    numbers: [Vec<i64>; 4],
    paused: Vec<i64>,
    price: Vec<i64>,
}

/// Clocks of so many tickets: states, instants of all kinds, prices or none.
fn made(tickets: usize) -> impl Strategy<Value = Made> {
    let numbers = |of: std::ops::RangeInclusive<i64>| proptest::collection::vec(of, tickets);
    let states = proptest::collection::vec(0..state::NONE, tickets);
    let near = 1_700_000_000_000_000..=1_700_000_900_000_000;
    let all = (states, numbers(0..=1), numbers(near.clone()), numbers(i64::MIN..=i64::MAX), numbers(near));
    let rest = (numbers(0..=3), 0..=tickets, prop_oneof![Just(0_i64), Just(3), Just(1 << 40)], any::<bool>());
    (all, rest).prop_map(move |((state, some, due, stopped, late), (amounts, paused, price, priced))| {
        let started = some.iter().zip(&due).map(|(some, due)| some * due).collect();
        Made {
            state,
            paused: late.iter().take(paused).copied().collect(),
            price: if priced { amounts.iter().map(|amount| amount * price).collect() } else { Vec::new() },
            numbers: [started, due, stopped, late],
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn woven_columns_come_to_the_bytes_of_rows(
        (tickets, clocks) in (1..300_usize, 1..6_usize).prop_flat_map(|(tickets, clocks)| {
            (Just(tickets), proptest::collection::vec(made(tickets), clocks))
        }),
        ids in proptest::collection::vec("[a-c]{0,20}|T00[0-9]{8}", 300),
    ) {
        let batch = batch();
        let reported: Vec<i64> = (0..tickets as i64).map(|row| 1_700_000_000_000_000 + row * row * 7_000_000).collect();
        let texts = |of: &dyn Fn(usize) -> String| -> ArrayRef {
            Arc::new((0..tickets).map(|row| Some(of(row))).collect::<StringArray>())
        };
        let table = RecordBatch::try_from_iter([
            ("contract", texts(&|row| format!("c{}", row % 5))),
            ("ticket", texts(&|row| format!("{}{row}", ids[row]))),
            ("priority", texts(&|_| "P3".to_owned())),
            ("reported_at", Arc::new(TimestampMicrosecondArray::from(reported).with_timezone("UTC")) as ArrayRef),
        ]).unwrap();
        let layout = Layout::of(&batch.pack, &table.schema()).unwrap();
        let mut names = crate::cells::Names::default();
        let sheet = lay(&batch, &layout, &table, &mut names, 1).unwrap().sheet;
        let contracts: Vec<Contract> = names.names.iter().map(|name| batch.contract(name, Vec::new())).collect();
        let runs: Vec<(Runs, Vec<i64>)> = clocks.iter().map(|made| {
            let [started, due, stopped, late] = made.numbers.clone();
            let is_due = due.iter().map(|due| u8::from(due % 3 != 0)).collect();
            let runs = Runs { state: made.state.clone(), started, due, is_due, stopped, late, paused: made.paused.clone() };
            (runs, made.price.clone())
        }).collect();
        let woven = Woven {
            tickets,
            clocks: (1..).zip(&runs).map(|(number, (runs, price))| Strand { number, runs, price }).collect(),
            names: (0..clocks.len()).map(|nth| (format!("3.{nth}").into(), format!("clock {}", nth % 2).into())).collect(),
        };
        let judged = Judged {
            class: vec![0; tickets],
            applies: (0..tickets as u64).map(|row| if clocks.len() > 3 { row % 3 } else { 1 }).collect(),
            clause_words: 1,
            findings: vec![0; tickets],
            finding_words: 1,
            ..Judged::default()
        };
        let shape = Shape::new(&schema(&batch, true), LATE).unwrap();
        let rows = Told::Rows(Box::new(Long::woven(&woven)));
        prop_assert_eq!(&rows.states()[8..], &woven.states()[8..]);
        let owing = |told: &Told<'_>| -> Vec<_> {
            told.owing().iter().map(|of| (of.ticket, of.clock, of.due, of.amount)).collect()
        };
        let each = |told: &Told<'_>| {
            let mut all = Vec::new();
            told.each(|ticket, clock, state, stopped, due| all.push((ticket, clock, state, stopped, due)));
            all
        };
        let told = Told::Woven(woven);
        prop_assert_eq!(owing(&rows), owing(&told));
        prop_assert_eq!(each(&rows), each(&told));
        prop_assert_eq!(rows.tickets(), told.tickets());
        let wanted = rows.encode(&shape, &batch, &contracts, &sheet, &judged).unwrap();
        let found = told.encode(&shape, &batch, &contracts, &sheet, &judged).unwrap();
        let fields = schema(&batch, true);
        let names = fields.fields().iter().enumerate().filter(|(place, _)| !LATE.contains(place));
        for ((wanted, found), (_, field)) in wanted.columns().iter().zip(found.columns()).zip(names) {
            prop_assert_eq!(wanted, &found, "{}", field.name());
        }
        prop_assert_eq!(wanted.owed(), found.owed());
    }
}
