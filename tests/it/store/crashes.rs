//! The simulation: histories by chance from a seed, told to the engine in memory and to a durable one whose disk fills up or whose
//! process ends at every single write; and a real file whose last commit was torn.

#![expect(clippy::disallowed_methods, reason = "the tests look into the files of stores and damage them")]

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use holdback::store::{MemoryStore, Record, Removable, Store, StoreError};
use holdback::{DurableEngine, Engine, EngineError, Event, Instant, TimeFrom};
use serde_json::json;

use super::{Chance, same_answers, small_pack};

/// A disk that fails at a write, and at all after it, until it is mended.
struct Fills {
    disk: MemoryStore,
    /// Writes that still succeed; very many when it is sound.
    left: Arc<AtomicI64>,
}

const SOUND: i64 = i64::MAX;

type Done<T> = Result<T, StoreError>;

impl Fills {
    fn write(&self) -> Done<()> {
        match self.left.fetch_sub(1, Ordering::Relaxed) {
            ..=0 => Err(StoreError::Full { path: "the disk".to_owned() }),
            _ => Ok(()),
        }
    }
}

impl Store for Fills {
    fn begin(&mut self) -> Done<()> {
        self.disk.begin()
    }
    fn commit(&mut self) -> Done<()> {
        match self.write() {
            Ok(()) => self.disk.commit(),
            Err(error) => {
                self.disk.rollback();
                Err(error)
            }
        }
    }
    fn rollback(&mut self) {
        self.disk.rollback();
    }
    fn append(&mut self, record: &Record) -> Done<()> {
        self.write()?;
        self.disk.append(record)
    }
    fn replace(&mut self, seq: u64, removable: &Removable) -> Done<()> {
        self.write()?;
        self.disk.replace(seq, removable)
    }
    fn record(&self, seq: u64) -> Done<Option<Record>> {
        self.disk.record(seq)
    }
    fn records(&self, from: u64, most: usize) -> Done<Vec<Record>> {
        self.disk.records(from, most)
    }
    fn last(&self) -> Done<u64> {
        self.disk.last()
    }
    fn get(&self, key: &[u8]) -> Done<Option<Vec<u8>>> {
        self.disk.get(key)
    }
    fn put(&mut self, key: &[u8], value: &[u8]) -> Done<()> {
        self.write()?;
        self.disk.put(key, value)
    }
    fn remove(&mut self, key: &[u8]) -> Done<()> {
        self.write()?;
        self.disk.remove(key)
    }
    fn scan(&self, from: &[u8], until: &[u8], most: usize) -> Done<Vec<(Vec<u8>, Vec<u8>)>> {
        self.disk.scan(from, until, most)
    }
}

/// Something that may be told: often late, sometimes again, sometimes again with another content, sometimes wrong.
fn event(chance: &mut Chance, told: &[Event], minute: i64) -> Event {
    if !told.is_empty() && chance.below(10) == 0 {
        let again = told[chance.below(told.len())].clone();
        let other = Event { actor: Some("somebody else".to_owned()), ..again.clone() };
        return if chance.below(3) == 0 { other } else { again };
    }
    let at = minute - if chance.below(4) == 0 { chance.below(4000) as i64 } else { chance.below(30) as i64 };
    let ticket = format!("T{}", chance.below(6));
    let penalty = format!("{ticket}/1/{}", ["repair", "parts"][chance.below(2)]);
    let (kind, data) = match chance.below(16) {
        0 => ("deposit_paid", json!({ "amount": format!("{}.00", 100 + chance.below(900)) })),
        1 => ("deposit_released", json!({ "amount": "150.00" })),
        2 => ("penalty_waived", json!({ "penalty": penalty })),
        3 => ("penalty_disputed", json!({ "penalty": penalty })),
        4 => ("force_majeure_started", json!({})),
        5 => ("force_majeure_ended", json!({})),
        6 => ("vanished", json!({})),
        7 | 8 => ("resolved", json!({})),
        13 => ("reopened", json!({})),
        12 => ("responded", json!({ "who": "a" })),
        9..=11 => ("reported", json!({ "kind": "failure" })),
        _ => ("reported", json!({ "kind": "wish" })),
    };
    let of_contract = matches!(kind, "deposit_paid" | "deposit_released")
        || kind.starts_with("penalty")
        || kind.starts_with("force");
    Event {
        id: format!("e{:04}", told.len() * 7 % 1000 * 10 + chance.below(10)),
        contract: "c".to_owned(),
        ticket: (!of_contract).then_some(ticket),
        kind: kind.to_owned(),
        at: Instant::from_seconds(1_772_416_800 + at * 60).unwrap(),
        actor: None,
        via: None,
        data: data.as_object().cloned().unwrap_or_default(),
    }
}

/// Tells both the same; the durable one after a fault at every single write of it.
#[derive(Default)]
struct Counts {
    steps: u64,
    faults: u64,
    restarts: u64,
}

fn simulate(seed: u64, counts: &mut Counts) {
    let mut chance = Chance(seed);
    let left = Arc::new(AtomicI64::new(SOUND));
    let disk = Fills { disk: MemoryStore::new(), left: Arc::clone(&left) };
    let mut model = Engine::new();
    model.open(small_pack()).unwrap();
    let mut durable = DurableEngine::over(Box::new(disk), TimeFrom::Events).unwrap().with_room(3);
    durable.take_pack(small_pack()).unwrap();
    let (mut told, mut minute): (Vec<Event>, i64) = (Vec::new(), 0);
    for step in 0..25 {
        minute += chance.below(900) as i64;
        let mut batch = Vec::new();
        for _ in 0..=chance.below(4) {
            let event = event(&mut chance, &told, minute);
            told.push(event.clone());
            batch.push(event);
        }
        let passes = chance.below(3) == 0;
        let to = Instant::from_seconds(1_772_416_800 + (minute + 700) * 60).unwrap();
        let records = durable.records();
        for writes in 0.. {
            assert!(writes < 5000, "seed {seed}, step {step}: it never succeeds");
            left.store(writes, Ordering::Relaxed);
            let results = match passes {
                true => vec![durable.advance(to)],
                false => durable.ingest(batch.clone()),
            };
            left.store(SOUND, Ordering::Relaxed);
            if !results.iter().any(|result| matches!(result, Err(EngineError::Store(_)))) {
                let expected: Vec<_> = match passes {
                    true => vec![model.advance(to)],
                    false => batch.iter().map(|event| model.submit(event.clone())).collect(),
                };
                assert_eq!(results, expected, "seed {seed}, step {step}");
                break;
            }
            counts.faults += 1;
            assert!(
                results.iter().all(Result::is_err),
                "seed {seed}, step {step}: half of a batch was taken"
            );
            assert_eq!(durable.records(), records, "seed {seed}, step {step}: something of it stayed");
            if chance.below(8) == 0 {
                durable = super::reopened(durable);
                counts.restarts += 1;
            }
        }
        counts.steps += 1;
        if chance.below(4) == 0 {
            same_answers(&model, &mut durable)
                .unwrap_or_else(|what| panic!("seed {seed}, step {step}: {what}"));
        }
    }
    durable = super::reopened(durable);
    same_answers(&model, &mut durable).unwrap_or_else(|what| panic!("seed {seed}: {what}"));
    let found = durable.verify(true).unwrap();
    assert!(found.is_whole(), "seed {seed}: {found:?}");
}

/// `HOLDBACK_SEED=42` repeats one history, `HOLDBACK_TIMES=100` tries a hundred times as many.
#[test]
#[expect(clippy::disallowed_methods, reason = "which seed to try is the caller's to say")]
fn a_fault_at_every_write_leaves_all_or_nothing() {
    let mut counts = Counts::default();
    let asked = std::env::var("HOLDBACK_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = match asked {
        Some(seed) => seed..seed + 1,
        None => 0..20 * u64::from(super::times()),
    };
    let histories = seeds.end - seeds.start;
    seeds.for_each(|seed| simulate(seed, &mut counts));
    let Counts { steps, faults, restarts } = counts;
    println!("{histories} histories, {steps} steps, {faults} faults, {restarts} restarts");
    assert!(faults > steps, "{faults} faults in {steps} steps");
}

/// A file whose last commit reached the disk in part: at every length of the log the last commit is there whole or not at all.
#[test]
fn a_torn_commit_is_there_whole_or_not_at_all() {
    let mut chance = Chance(5);
    let (mut torn, mut lost) = (0, 0);
    for _ in 0..2 * super::times() {
        let folder = tempfile::tempdir().unwrap();
        let mut engine = super::in_file(folder.path(), TimeFrom::Events);
        engine.take_pack(small_pack()).unwrap();
        let file = |name: &str| folder.path().join(format!("store.db{name}"));
        let copy = tempfile::tempdir().unwrap();
        let to = |name: &str| copy.path().join(format!("copy.db{name}"));
        let events = super::history(30);
        let mut events = &events[..];
        while !events.is_empty() {
            let before = (
                engine.records(),
                fs::metadata(file("-wal")).map_or(0, |log| log.len()),
                fs::read(file("-mark")).unwrap(),
            );
            let (batch, rest) = events.split_at((1 + chance.below(6)).min(events.len()));
            assert!(engine.ingest(batch.to_vec()).iter().all(Result::is_ok));
            events = rest;
            let (log, db) = (fs::read(file("-wal")).unwrap(), fs::read(file("")).unwrap());
            let grown = (log.len() as u64).saturating_sub(before.1);
            for attempt in 0..4 {
                let length = before.1 + chance.below(usize::try_from(grown).unwrap() + 1) as u64;
                // Once all of it came, and only the mark did not.
                let length = if attempt == 0 { log.len() as u64 } else { length };
                let mut part = log[..usize::try_from(length).unwrap().min(log.len())].to_vec();
                // A sector that never came, within the commit.
                if attempt > 0 && part.len() as u64 > before.1 + 512 && chance.below(2) == 0 {
                    let sector = usize::try_from(before.1).unwrap()
                        + chance.below(part.len() - usize::try_from(before.1).unwrap() - 511);
                    part[sector..sector + 512].fill(0);
                }
                let _ = fs::remove_file(to("-shm"));
                fs::write(to(""), &db).unwrap();
                fs::write(to("-wal"), &part).unwrap();
                fs::write(to("-mark"), &before.2).unwrap();
                let again = DurableEngine::open(&to("")).unwrap_or_else(|error| panic!("{error}"));
                assert!([before.0, engine.records()].contains(&again.records()));
                let found = again.verify(true).unwrap();
                assert!(found.is_whole(), "{found:?}");
                lost += u32::from(again.records() == before.0);
                torn += 1;
            }
        }
    }
    println!("{torn} torn commits, {lost} of them lost whole");
    assert!(lost > 0 && lost < torn);
}
