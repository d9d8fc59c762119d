//! The engine with rhai's interpreter over the real log, in memory, one core. Goal: at least 100,000 events a second.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use holdback::{ClockState, Engine, Event, Instant, Pack};

fn replay(pack: &Arc<Pack>, events: Vec<Event>, end: Instant) -> Engine {
    let mut engine = Engine::new();
    engine.open(Arc::clone(pack)).unwrap();
    for event in events {
        engine.submit(event).unwrap();
    }
    engine.advance(end).unwrap();
    engine
}

/// Breached clocks of a name over all tickets.
fn breached(engine: &Engine, clock: &str) -> usize {
    let contract = engine.contracts().next().unwrap().to_owned();
    let judged = engine.tickets(&contract).filter_map(|ticket| engine.assessment(&contract, ticket));
    let clocks = judged.flat_map(|assessment| assessment.clocks);
    clocks.filter(|c| c.clock == clock && matches!(c.state, ClockState::Breached | ClockState::Late)).count()
}

fn live(c: &mut Criterion) {
    let end: Instant = "2017-02-18T15:00:00Z".parse().unwrap();
    let mut group = c.benchmark_group("engine: the real log");
    group.sample_size(10);
    for (name, set, response, resolution) in [
        ("working hours, customer pauses left out", &[][..], 4_992, 5_438),
        ("24x7", &[("calendar", "always"), ("customer_pauses", "false")][..], 6_909, 11_247),
    ] {
        let pack = holdback_benches::pack("it-incidents", set).unwrap();
        let events = holdback_benches::log(&pack).unwrap();
        let engine = replay(&pack, events.clone(), end);
        assert_eq!(breached(&engine, "response"), response);
        assert_eq!(breached(&engine, "resolution"), resolution);
        group.throughput(Throughput::Elements(events.len() as u64));
        group.bench_function(name, |b| {
            b.iter_batched(|| events.clone(), |events| replay(&pack, events, end), BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(benches, live);
criterion_main!(benches);
