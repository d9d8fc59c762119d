//! Receipts, bundles and checkpoints: what another party can check without the store.

use std::collections::BTreeMap;

use holdback::store::{MemoryStore, SigningKey, consistent, included};
use holdback::{DurableEngine, Event, ReceiptError, TimeFrom, check_bundle};

use super::{history, small_pack, small_pack_with};

fn engine(events: Vec<Event>) -> DurableEngine {
    let mut engine = DurableEngine::over(Box::new(MemoryStore::new()), TimeFrom::Events).unwrap();
    engine.take_pack(small_pack()).unwrap();
    assert!(engine.ingest(events).iter().all(Result::is_ok));
    engine
}

#[test]
fn receipts_hold_for_the_same_pack_and_events_alone() {
    let events = history(12);
    let mut engine = engine(events.clone());
    let by_id: BTreeMap<String, Event> =
        events.iter().map(|event| (event.id.clone(), event.clone())).collect();
    let receipts = engine.receipts("c", "T3").unwrap();
    // Two clocks begin when it is reported; the others are missed while time passes.
    assert!(receipts.len() >= 2, "{receipts:#?}");
    assert!(receipts.iter().any(|receipt| receipt.decisions.iter().any(|d| d["kind"] == "breached")));
    for receipt in &receipts {
        assert_eq!(receipt.check(&small_pack(), &by_id), Ok(()));
        let text = serde_json::to_string(receipt).unwrap();
        let again: holdback::Receipt = serde_json::from_str(&text).unwrap();
        assert_eq!(again.check(&small_pack(), &by_id), Ok(()));
        let other = small_pack_with("700.00", "wed = [[\"09:00\", \"17:00\"]]");
        assert!(matches!(receipt.check(&other, &by_id), Err(ReceiptError::Pack { .. })));
        let id = receipt.events.last().unwrap().id.clone();
        let mut fewer = by_id.clone();
        fewer.remove(&id);
        assert_eq!(receipt.check(&small_pack(), &fewer), Err(ReceiptError::Missing { id: id.clone() }));
        let mut others = by_id.clone();
        others.get_mut(&id).unwrap().actor = Some("somebody else".to_owned());
        assert_eq!(receipt.check(&small_pack(), &others), Err(ReceiptError::Event { id }));
        let mut forged = receipt.clone();
        forged.result = receipt.link;
        assert!(matches!(forged.check(&small_pack(), &by_id), Err(ReceiptError::Result { .. })));
        let mut forged = receipt.clone();
        for decision in forged.decisions.iter_mut().filter(|decision| decision.get("due").is_some()) {
            decision["due"] = serde_json::json!("2026-03-09T00:00:00Z");
        }
        if forged.decisions != receipt.decisions {
            assert!(matches!(forged.check(&small_pack(), &by_id), Err(ReceiptError::Decision { .. })));
        }
    }
}

#[test]
fn a_bundle_verifies_by_itself_and_an_altered_one_does_not() {
    let mut engine = engine(history(12));
    let key = SigningKey::from_seed([3; 32]);
    let span = ("2026-03-01T00:00:00Z".parse().unwrap(), "2026-04-01T00:00:00Z".parse().unwrap());
    let mut lines = Vec::new();
    let mut write = |line: &str| {
        lines.push(line.to_owned());
        Ok(())
    };
    let count = engine.bundle(span, Some(("desk", &key)), &mut write).unwrap();
    assert!(count > 12);
    let check = |lines: &[String]| check_bundle(lines.iter().map(|line| Ok(line.clone())));
    let whole = check(&lines);
    assert_eq!(
        (whole.receipts, whole.signed_by, whole.faults.len()),
        (count, Some(key.public()), 0),
        "{whole:?}"
    );
    for n in 0..lines.len() {
        let mut altered = lines.clone();
        // A digit becomes another one: in an instant, a digest, a sum or a count.
        let at = altered[n].rfind(|c: char| c.is_ascii_digit()).unwrap();
        let digit = if &altered[n][at..=at] == "1" { "2" } else { "1" };
        altered[n].replace_range(at..=at, digit);
        assert!(!check(&altered).faults.is_empty(), "line {n} was altered: {}", altered[n]);
        let mut fewer = lines.clone();
        if !fewer.remove(n).starts_with("{\"receipt\"") {
            assert!(!check(&fewer).faults.is_empty(), "line {n} was lost");
        }
    }
}

#[test]
fn checkpoints_bind_both_sides() {
    let events = history(200);
    let (first, rest) = events.split_at(100);
    let mut engine = engine(first.to_vec());
    let key = SigningKey::from_seed([3; 32]);
    let old = engine.checkpoint("desk", &key);
    engine.ingest(rest.to_vec());
    let new = engine.checkpoint("desk", &key);
    assert!(old.check().is_ok() && new.check().is_ok() && new.size > 500.min(old.size));
    let proof = engine.consistency(old.size, new.size).unwrap();
    assert!(consistent((old.size, old.root), (new.size, new.root), &proof));
    assert_eq!(engine.root(old.size).unwrap(), old.root);
    let receipt = engine.receipts("c", "T5").unwrap().remove(0);
    let way = engine.inclusion(receipt.record, new.size).unwrap();
    assert!(included(receipt.link, receipt.record - 1, new.size, &way, new.root));
    assert!(!included(receipt.link, receipt.record, new.size, &way, new.root));
    // A store with another past, as long: its root is another, and no proof leads from one to the other.
    let mut other = first.to_vec();
    other[40].actor = Some("somebody else".to_owned());
    let mut other = self::engine(other);
    other.ingest(rest.to_vec());
    let forged = other.checkpoint("desk", &key);
    let proof = other.consistency(old.size, forged.size).unwrap();
    assert!(!consistent((old.size, old.root), (forged.size, forged.root), &proof));
    assert!(engine.root(new.size + 1).is_err());
}
