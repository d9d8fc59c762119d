//! Memory of an open ticket beside its events, measured at the allocator. Goal: at most 1,024 bytes.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::alloc::System;
use std::sync::Arc;

use cap::Cap;
use holdback::{Engine, Event};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

const TICKETS: usize = 20_000;

fn event(i: usize, kind: &str, data: &str) -> Event {
    let text = format!(
        r#"{{"id": "{kind}-{i:06}", "contract": "CONTRACT", "ticket": "T{i:06}", "kind": "{kind}",
            "at": "2026-03-02T02:{:02}:{:02}Z", "via": "phone", "data": {data}}}"#,
        i / 60 % 60,
        i % 60
    );
    Event::from_json(&text).unwrap()
}

/// Bytes the allocator hands out while something is made.
fn grown<T>(make: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATOR.allocated();
    let made = make();
    (made, ALLOCATOR.allocated().saturating_sub(before))
}

/// Open tickets of a pack, each with its report and an answer to it.
fn measure(name: &str, contract: &str, data: &str) -> usize {
    let pack = holdback_benches::pack(name, &[]).unwrap();
    let events = || -> Vec<Event> {
        let pairs = (0..TICKETS).flat_map(|i| [event(i, "reported", data), event(i, "responded", "{}")]);
        let of_contract = |event: Event| Event { contract: contract.to_owned(), ..event };
        pairs.map(of_contract).collect()
    };
    // What the events themselves take, as the journal keeps them: shared, and indexed by id.
    let (kept, event_bytes) = grown(|| {
        let list: Vec<Arc<Event>> = events().into_iter().map(Arc::new).collect();
        let ids: std::collections::HashSet<String> = list.iter().map(|event| event.id.clone()).collect();
        (list, ids.len())
    });
    drop(kept);
    let mut engine = Engine::new();
    engine.open(pack).unwrap();
    let ((), bytes) = grown(|| {
        for event in events() {
            engine.submit(event).unwrap();
        }
        drop(engine.take_notices());
    });
    let tickets = engine.tickets(contract).count();
    assert_eq!(tickets, TICKETS);
    let clocks = engine.assessment(contract, "T000001").unwrap().clocks.len();
    assert!(clocks >= 2, "the tickets are judged: {clocks} clocks");
    let each = bytes.saturating_sub(event_bytes) / TICKETS;
    println!(
        "memory: {name}: {each} bytes an open ticket beside its events ({clocks} clocks; events {} bytes)",
        event_bytes / TICKETS
    );
    each
}

fn main() {
    let each = measure("it-incidents", "it-desk", r#"{"priority": "P3"}"#);
    assert!(each <= 1_024, "{each} bytes an open ticket: the goal is 1,024");
    let each = measure("school-after-sales", "school-2026", r#"{"kind": "failure"}"#);
    assert!(each <= 1_024, "{each} bytes an open ticket of four clocks: the goal is 1,024");
}
