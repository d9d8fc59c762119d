//! Batches against the reference: generated clauses and tickets, and the packs of the tree. Every ticket is also assessed by itself.

#[allow(dead_code, reason = "shared with the fuzz targets")]
#[path = "../../engine/src/policy/tests/generate.rs"]
mod generate;
mod packs;
mod policies;
#[allow(dead_code, reason = "shared with the fuzz targets")]
#[path = "../../fuzz/tickets.rs"]
mod tickets;
#[allow(dead_code, reason = "shared with the fuzz targets")]
#[path = "../../fuzz/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, Int32Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Decimal64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use holdback::{Assessment, ClockState, Event, FactType, Instant, Pack, assess};

use crate::clocks::{number_of, state};
use crate::{Batch, Numbers};

/// How often the long comparisons run: `HOLDBACK_DIFF` times the usual.
#[expect(clippy::disallowed_methods, reason = "how long to compare is asked for by hand")]
fn times(usual: u64) -> u64 {
    let asked = std::env::var("HOLDBACK_DIFF").ok().and_then(|n| n.parse::<u64>().ok());
    asked.map_or(usual, |n| usual * n)
}

/// A ticket as told by a table or an assessment, for comparing: its clocks, and what is said of it.
#[derive(Debug, PartialEq, Default, Clone)]
struct Told {
    clocks: Vec<Vec<String>>,
    words: Vec<String>,
}

fn shown<T: std::fmt::Debug>(value: T) -> String {
    format!("{value:?}")
}

/// What an assessment says, in the words of the table.
fn expected(pack: &Pack, assessment: &Assessment) -> Told {
    let micros = |at: Option<Instant>| shown(at.map(Instant::micros));
    let clocks = assessment.clocks.iter().map(|clock| {
        let missed = matches!(clock.state, ClockState::Breached | ClockState::Late);
        let priced = assessment.penalties.iter().find(|p| p.clause == clock.clause && p.clock == clock.clock);
        let stated = pack
            .epochs()
            .iter()
            .any(|on| pack.graph(*on).clocks.iter().any(|c| *c.id == *clock.clause && c.price.is_some()));
        let penalty = (missed && stated).then(|| priced.map_or(0, |penalty| penalty.amount.minor()));
        vec![
            clock.clause.clone(),
            clock.clock.clone(),
            shown(number_of(clock.state)),
            micros(clock.started),
            micros(clock.due),
            micros(clock.stopped.filter(|_| matches!(clock.state, ClockState::Met | ClockState::Late))),
            clock.late.micros().to_string(),
            shown(penalty),
        ]
    });
    let class = assessment.class.as_ref();
    let findings: Vec<String> =
        assessment.findings.iter().map(|f| format!("{}: {}", f.clause, f.text)).collect();
    Told {
        clocks: clocks.collect(),
        words: vec![
            shown(class.map(|class| if class.free { "free" } else { "paid" })),
            shown(class.map(|class| class.clause.clone())),
            assessment.applies.join(", "),
            findings.join("; "),
            assessment.fault.as_ref().map_or(String::new(), ToString::to_string),
        ],
    }
}

/// The rows of a table by contract and ticket.
fn told(table: &RecordBatch) -> BTreeMap<(String, String), Told> {
    let column = |name: &str| table.column_by_name(name).unwrap();
    let text = |name: &str| arrow::compute::cast(column(name), &DataType::Utf8).unwrap();
    let texts: BTreeMap<&str, ArrayRef> = [
        "contract",
        "ticket",
        "clause",
        "clock",
        "state",
        "class",
        "class_clause",
        "clauses",
        "findings",
        "fault",
    ]
    .into_iter()
    .map(|name| (name, text(name)))
    .collect();
    let text = |name: &str, row: usize| {
        let array: &StringArray = texts[name].as_string();
        array.is_valid(row).then(|| array.value(row).to_owned())
    };
    let at = |name: &str, row: usize| {
        let array = column(name).as_primitive::<TimestampMicrosecondType>();
        shown(array.is_valid(row).then(|| array.value(row)))
    };
    let mut all: BTreeMap<(String, String), Told> = BTreeMap::new();
    for row in 0..table.num_rows() {
        let key = (text("contract", row).unwrap(), text("ticket", row).unwrap());
        let told = all.entry(key).or_default();
        told.words = vec![
            shown(text("class", row)),
            shown(text("class_clause", row)),
            text("clauses", row).unwrap_or_default(),
            text("findings", row).unwrap_or_default(),
            text("fault", row).unwrap_or_default(),
        ];
        let Some(clause) = text("clause", row) else { continue };
        let penalty = column("penalty").as_primitive::<Decimal64Type>();
        let state = text("state", row).unwrap();
        told.clocks.push(vec![
            clause,
            text("clock", row).unwrap(),
            shown(crate::clocks::STATES.iter().position(|known| *known == state).unwrap()),
            at("started", row),
            at("due", row),
            at("met", row),
            column("late_us").as_primitive::<Int64Type>().value(row).to_string(),
            shown(penalty.is_valid(row).then(|| penalty.value(row))),
        ]);
    }
    all
}

/// Events as an event log, each fact a column of its type.
fn log(pack: &Pack, events: &[Event]) -> RecordBatch {
    let text = |of: &dyn Fn(&Event) -> Option<String>| -> ArrayRef {
        Arc::new(events.iter().map(of).collect::<StringArray>())
    };
    let data =
        |event: &Event, key: &str| event.data.get(key).and_then(|value| value.as_str().map(str::to_owned));
    let at: Vec<i64> = events.iter().map(|event| event.at.micros()).collect();
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("id".to_owned(), text(&|event| Some(event.id.clone()))),
        ("contract".to_owned(), text(&|event| Some(event.contract.clone()))),
        ("ticket".to_owned(), text(&|event| event.ticket.clone())),
        ("kind".to_owned(), text(&|event| Some(event.kind.clone()))),
        ("at".to_owned(), Arc::new(TimestampMicrosecondArray::from(at).with_timezone("UTC"))),
        ("via".to_owned(), text(&|event| event.via.clone())),
        ("reason".to_owned(), text(&|event| data(event, "reason"))),
        ("amount".to_owned(), text(&|event| data(event, "amount"))),
    ];
    for fact in pack.facts() {
        let name = fact.name.clone();
        let array: ArrayRef = match fact.of {
            FactType::Bool => {
                let values =
                    events.iter().map(|event| event.data.get(&name).and_then(serde_json::Value::as_bool));
                Arc::new(values.collect::<BooleanArray>())
            }
            FactType::Integer => {
                let values =
                    events.iter().map(|event| event.data.get(&name).and_then(serde_json::Value::as_i64));
                Arc::new(values.collect::<Int64Array>())
            }
            _ => text(&|event| data(event, &name)),
        };
        columns.push((format!("data.{name}"), array));
    }
    RecordBatch::try_from_iter(columns).unwrap()
}

thread_local! {
    /// Taken from batch to batch, as hosts do: what one pack leaves must not be seen by the next.
    static NUMBERS: std::cell::RefCell<Numbers> = std::cell::RefCell::default();
}

/// What a row's numbers say: the class, and each clock with state, due instant, lateness and the penalty where it is missed.
fn numbered(numbers: &Numbers, row: usize) -> (u8, BTreeMap<(String, String), [i64; 4]>) {
    let mut clocks = BTreeMap::new();
    for clock in &numbers.clocks {
        let at = match &clock.rows {
            None => Some(row),
            Some(rows) => rows.iter().position(|of| *of as usize == row),
        };
        let Some(at) = at.filter(|at| clock.state[*at] != state::NONE) else { continue };
        let missed = matches!(clock.state[at], state::BREACHED | state::LATE);
        let due =
            if matches!(clock.state[at], state::WAITING | state::CANCELLED) { 0 } else { clock.due[at] };
        let penalty = if missed { clock.penalty[at] } else { 0 };
        let key = (clock.clause.to_string(), clock.clock.to_string());
        let found = [clock.state[at].into(), due, clock.late[at], penalty];
        assert_eq!(clocks.insert(key, found), None);
    }
    (numbers.free[row], clocks)
}

/// The same of an assessment.
fn wanted_numbers(of: &Assessment) -> (u8, BTreeMap<(String, String), [i64; 4]>) {
    let clocks = of.clocks.iter().map(|clock| {
        let state = number_of(clock.state);
        let due = clock.due.filter(|_| !matches!(state, state::WAITING | state::CANCELLED));
        let missed = matches!(state, state::BREACHED | state::LATE);
        let penalty = of.penalties.iter().find(|p| p.clause == clock.clause && p.clock == clock.clock);
        let penalty = penalty.filter(|_| missed).map_or(0, |penalty| penalty.amount.minor());
        let due = due.map_or(0, Instant::micros);
        ((clock.clause.clone(), clock.clock.clone()), [state.into(), due, clock.late.micros(), penalty])
    });
    (of.class.as_ref().map_or(0, |class| if class.free { 1 } else { 2 }), clocks.collect())
}

/// Judges tickets in one batch and each by itself. Gives how many were judged, and how many of them in columns alone.
fn compare(pack: &Arc<Pack>, histories: &[tickets::History], show: &dyn Fn() -> String) -> (u64, u64) {
    let mut events: Vec<Event> = Vec::new();
    let mut own: Vec<(String, Vec<Event>, Vec<Event>)> = Vec::new();
    let mut as_of: Vec<Instant> = histories.iter().map(|history| history.as_of).collect();
    as_of.sort_unstable();
    let Some(as_of) = as_of.get(as_of.len() / 2).copied() else { return (0, 0) };
    for (nth, history) in histories.iter().enumerate() {
        if assess(pack, &history.contract, &history.ticket, as_of).is_err() {
            continue;
        }
        let id = format!("c{nth}");
        let renamed =
            |event: &Event| Event { id: format!("{id}/{}", event.id), contract: id.clone(), ..event.clone() };
        let opening = pack.opening_events(&pack.contracts[0]).len();
        let contract: Vec<Event> = history.contract.iter().skip(opening).map(renamed).collect();
        let ticket: Vec<Event> = history.ticket.iter().map(renamed).collect();
        events.extend(contract.iter().chain(&ticket).cloned());
        let all = pack.opening_events(&id).into_iter().chain(contract).collect();
        own.push((id, all, ticket));
    }
    let batch = Batch::new(Arc::clone(pack), as_of).unwrap().of_any_contract();
    let assessed = batch.assess(&log(pack, &events)).unwrap();
    assert!(assessed.refused.is_empty(), "{:?}\n{}", assessed.refused, show());
    let found = told(&assessed.table);
    assert_eq!(found.len(), own.len(), "{}", show());
    for (id, contract, ticket) in &own {
        let assessment = assess(pack, contract, ticket, as_of).unwrap();
        let key = (id.clone(), ticket[0].ticket.clone().unwrap());
        let wanted = expected(pack, &assessment);
        assert_eq!(found.get(&key), Some(&wanted), "as of {as_of}: {}\n{contract:#?}\n{ticket:#?}", show());
    }
    let singly = crate::judge::SINGLES.with(std::cell::Cell::take);
    NUMBERS.with_borrow_mut(|numbers| {
        batch.judge_into(&log(pack, &events), numbers).unwrap();
        for (row, (_, contract, ticket)) in own.iter().enumerate() {
            let assessment = assess(pack, contract, ticket, as_of).unwrap();
            assert_eq!(numbered(numbers, row), wanted_numbers(&assessment), "row {row}: {}", show());
        }
    });
    crate::judge::SINGLES.take();
    let judged = own.len() as u64;
    (judged, judged.saturating_sub(singly))
}

/// How long pauses held a clock is told where it is known. A ticket judged by itself said zero, as if none had.
#[test]
fn what_pauses_held_is_told_or_missing() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/it-incidents");
    let pack = Arc::new(Pack::open(&folder).unwrap());
    let event = |id: u32, kind: &str, at: &str, data: &str| {
        let line = format!(
            r#"{{"id":"e{id}","contract":"c","ticket":"T1","kind":"{kind}","at":"2016-03-01T{at}Z","data":{data}}}"#
        );
        Event::from_json(&line).unwrap()
    };
    let (customer, vendor) = (r#"{"reason":"customer"}"#, r#"{"reason":"vendor"}"#);
    let events = [
        event(1, "reported", "09:00:00", r#"{"priority":"P3"}"#),
        event(2, "paused", "10:00:00", customer),
        event(3, "resumed", "12:30:00", customer),
        event(4, "paused", "13:00:00", vendor),
        event(5, "resumed", "14:00:00", vendor),
        event(6, "paused", "14:15:00", customer),
        event(7, "resolved", "15:00:00", "{}"),
    ];
    let as_of: Instant = "2016-04-01T00:00:00Z".parse().unwrap();
    let paused = |batch: &Batch| -> Vec<Option<i64>> {
        let table = batch.assess(&log(&pack, &events)).unwrap().table;
        table.column_by_name("paused_us").unwrap().as_primitive::<Int64Type>().iter().collect()
    };
    let batch = Batch::new(Arc::clone(&pack), as_of).unwrap().of_any_contract();
    // The response is not held; the resolution for two hours and a half, and three quarters of one.
    assert_eq!(paused(&batch), [Some(0), Some(11_700_000_000)]);
    assert_eq!(paused(&batch.row_by_row()), [None, None]);
}

/// A dictionary larger than its rows, with a value that is missing: that was taken for the contract of no name, where any is judged.
#[test]
fn contracts_of_a_large_dictionary_are_those_of_its_rows() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/it-incidents");
    let pack = Arc::new(Pack::open(&folder).unwrap());
    let names: StringArray = (0..1_000)
        .map(|nth| (nth != 7).then(|| format!("c{nth}")))
        .chain([Some("it-desk".to_owned())])
        .collect();
    let keys = Int32Array::from(vec![Some(1_000), Some(7), None, Some(3), Some(1_000)]);
    let contracts = DictionaryArray::<Int32Type>::try_new(keys, Arc::new(names)).unwrap();
    let text = |of: [&str; 5]| -> ArrayRef { Arc::new(StringArray::from(of.to_vec())) };
    let at: ArrayRef =
        Arc::new(TimestampMicrosecondArray::from(vec![1_456_736_400_000_000; 5]).with_timezone("UTC"));
    let table = RecordBatch::try_from_iter([
        ("contract", Arc::new(contracts) as ArrayRef),
        ("ticket", text(["T1", "T2", "T3", "T4", "T5"])),
        ("priority", text(["P1"; 5])),
        ("reported_at", at),
    ])
    .unwrap();
    let as_of: Instant = "2016-04-01T00:00:00Z".parse().unwrap();
    let refused = |batch: &Batch| -> Vec<(u64, String)> {
        let assessed = batch.assess(&table).unwrap();
        assert_eq!(told(&assessed.table).len(), 5 - assessed.refused.len());
        assessed.refused.into_iter().map(|refused| (refused.row, refused.reason)).collect()
    };
    let missing = |row: u64| (row, "the contract is missing".to_owned());
    let batch = Batch::new(Arc::clone(&pack), as_of).unwrap();
    assert_eq!(refused(&batch), [missing(2), missing(3), (4, "unknown contract `c3`".to_owned())]);
    assert_eq!(refused(&batch.of_any_contract()), [missing(2), missing(3)]);
}
