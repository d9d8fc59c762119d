//! The built program killed at random moments under load: what it has answered stays, and nothing else comes of it.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use holdback::{DurableEngine, Engine, Event};
use serde_json::{Value, json};

use super::{Chance, history, same_answers, small_pack};

/// `holdback ingest` as a process of its own.
pub(super) fn ingest(db: &Path, batch: usize) -> Child {
    Command::new(env!("CARGO_BIN_EXE_holdback"))
        .args(["ingest", "--batch", &batch.to_string(), "--db"])
        .arg(db)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Tells events to a process and gives the ids of those that it answers, until it has answered so many or is at its end.
pub(super) fn told(child: &mut Child, events: &[Event], answers: usize) -> BTreeSet<String> {
    let mut stdin = child.stdin.take().unwrap();
    let text: String = events.iter().map(|event| json!(event).to_string() + "\n").collect();
    // Feeds it all the while; the pipe breaks when it is killed.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(text.as_bytes())));
    let mut acknowledged = BTreeSet::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while acknowledged.len() < answers
        && let Some(Ok(line)) = lines.next()
    {
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(answer["taken"], true, "{line}");
        acknowledged.insert(answer["id"].as_str().unwrap().to_owned());
    }
    if acknowledged.len() >= answers {
        // It goes on working meanwhile; what it answers now is read as well.
        let rest = std::thread::spawn(move || -> Vec<String> { lines.map_while(Result::ok).collect() });
        child.kill().unwrap();
        for line in rest.join().unwrap() {
            // The last line may be torn: then nobody has read that answer.
            if let Ok(answer) = serde_json::from_str::<Value>(&line) {
                acknowledged.insert(answer["id"].as_str().unwrap().to_owned());
            }
        }
    }
    child.wait().unwrap();
    feeder.join().unwrap();
    acknowledged
}

/// `HOLDBACK_TIMES=10` kills 500 times.
#[test]
fn what_was_answered_outlives_a_kill() {
    let mut chance = Chance(11);
    let events = history(90);
    let mut kills = 0;
    while kills < 50 * super::times() {
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("store.db");
        let mut engine = DurableEngine::create(&db, holdback::TimeFrom::Events).unwrap();
        engine.take_pack(small_pack()).unwrap();
        drop(engine);
        let (mut done, mut acknowledged) = (0, BTreeSet::new());
        while done < events.len() {
            let batch = [1, 2, 7, 100][chance.below(4)];
            let left = events.get(done..).unwrap();
            let mut child = ingest(&db, batch);
            // Now and then before it has answered anything.
            let answers = chance.below(60);
            if answers == 0 {
                std::thread::sleep(Duration::from_micros(chance.below(20_000) as u64));
            }
            let new = told(&mut child, left, answers);
            kills += u32::from(new.len() < left.len());
            acknowledged.extend(new);
            let engine =
                DurableEngine::open(&db).unwrap_or_else(|error| panic!("after {kills} kills: {error}"));
            for id in &acknowledged {
                assert!(engine.event(id).unwrap().is_some(), "`{id}` was acknowledged and is lost");
            }
            // The chain, the rows, and every decision, entry, notice and due instant made anew from the events.
            let found = engine.verify(true).unwrap();
            assert!(found.is_whole(), "after {kills} kills: {found:?}");
            done = usize::try_from(engine.records() - 1).unwrap();
            drop(engine);
        }
        let mut model = Engine::new();
        model.open(small_pack()).unwrap();
        for event in &events {
            model.submit(event.clone()).unwrap();
        }
        same_answers(&model, &mut DurableEngine::open(&db).unwrap()).unwrap_or_else(|what| panic!("{what}"));
    }
    println!("{kills} kills");
}
