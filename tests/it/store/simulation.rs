//! Random histories in both engines: every answer, every decision, every entry the same, with restarts in between.

use std::sync::Arc;

use holdback::store::MemoryStore;
use holdback::{DurableEngine, Engine, Event, Instant, Pack, Span, TimeFrom, check_bundle};
use proptest::prelude::*;

use super::{reopened, same_answers};
use crate::laws::{self, Step, Told};
use crate::model::history::minute;
use crate::obligations::random;

/// Both engines side by side.
struct Pair {
    model: Engine,
    durable: DurableEngine,
}

impl Pair {
    fn begin(pack: &Arc<Pack>, live: Option<Instant>) -> Result<Pair, TestCaseError> {
        let mut model = live.map_or_else(Engine::new, Engine::live);
        let time = if live.is_some() { TimeFrom::Host } else { TimeFrom::Events };
        let mut durable = DurableEngine::over(Box::new(MemoryStore::new()), time).unwrap().with_room(2);
        if let Some(now) = live {
            prop_assert_eq!(durable.advance(now), Ok(Vec::new()));
        }
        let (ours, theirs) =
            (model.open(Arc::clone(pack)).unwrap(), durable.take_pack(Arc::clone(pack)).unwrap());
        prop_assert_eq!(ours, theirs);
        Ok(Pair { model, durable })
    }

    fn tell(&mut self, event: &Event) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.model.submit(event.clone()), self.durable.submit(event.clone()));
        Ok(())
    }

    fn pass(&mut self, to: Instant) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.model.advance(to), self.durable.advance(to));
        Ok(())
    }

    fn look(mut self, restart: bool) -> Result<Pair, TestCaseError> {
        if restart {
            self.durable = reopened(self.durable);
        }
        same_answers(&self.model, &mut self.durable).map_err(TestCaseError::fail)?;
        Ok(self)
    }

    fn end(mut self) -> Result<(), TestCaseError> {
        self = self.look(true)?;
        let found = self.durable.verify(true).unwrap();
        prop_assert!(found.is_whole(), "{:?}", found);
        prop_assert_eq!(found.replayed, self.durable.records());
        Ok(())
    }
}

fn tickets(told: &Told, live: bool, restarts: &[bool]) -> Result<(), TestCaseError> {
    let base = minute(told.history.base);
    let mut pair = Pair::begin(told.history.pack(), live.then_some(base))?;
    let until = laws::end(&told.history);
    let mut passed = 0;
    for (step, restart) in told.steps.iter().zip(restarts.iter().cycle()) {
        match step {
            Step::Tell(event) => pair.tell(event)?,
            Step::Pass(minutes) => {
                passed += minutes;
                pair.pass(base.checked_add(Span::minutes(passed)).unwrap().min(until))?;
            }
        }
        if *restart {
            pair = pair.look(true)?;
        }
    }
    pair.pass(until)?;
    for event in told.history.events.iter().take(3) {
        pair.tell(event)?;
        let other = Event { actor: Some("somebody else".to_owned()), ..event.clone() };
        prop_assert_eq!(pair.model.submit(other.clone()), pair.durable.submit(other));
    }
    pair.end()
}

/// What was decided, on tickets and on the contract itself, is in the bundle, decision by decision, and holds by the bundle alone.
fn receipts(steps: &[(Event, Option<i64>)]) -> Result<(), TestCaseError> {
    let mut engine = DurableEngine::over(Box::new(MemoryStore::new()), TimeFrom::Events).unwrap();
    let mut decided = engine.take_pack(Arc::clone(&random::PACK_UNDER_TEST)).unwrap();
    let mut passed = 0;
    for (event, pass) in steps {
        decided.extend(engine.submit(event.clone()).unwrap());
        if let Some(pass) = pass {
            passed += pass;
            decided.extend(engine.advance(random::hour(passed.min(random::END))).unwrap());
        }
    }
    decided.extend(engine.advance(random::hour(random::END)).unwrap());
    let mut lines = Vec::new();
    let mut write = |line: &str| {
        lines.push(line.to_owned());
        Ok(())
    };
    let count = engine.bundle((Instant::MIN, Instant::MAX), None, &mut write).unwrap();
    let checked = check_bundle(lines.iter().map(|line| Ok(line.clone())));
    prop_assert!(checked.faults.is_empty(), "{:#?}", checked.faults);
    prop_assert_eq!(checked.receipts, count);
    let key = |decision: serde_json::Value| decision.to_string();
    let mut ours: Vec<String> = decided.iter().map(|decision| key(serde_json::json!(decision))).collect();
    let mut receipts = engine.own_receipts("c").unwrap();
    for ticket in engine.tickets("c").unwrap() {
        receipts.extend(engine.receipts("c", &ticket).unwrap());
    }
    prop_assert_eq!(receipts.len() as u64, count);
    let mut theirs: Vec<String> =
        receipts.into_iter().flat_map(|receipt| receipt.decisions).map(key).collect();
    ours.sort();
    theirs.sort();
    prop_assert_eq!(ours, theirs);
    Ok(())
}

/// So many histories; `HOLDBACK_TIMES=100` tries so many times more. What fails is shown whole, and can be told again.
fn cases(usual: u32) -> ProptestConfig {
    ProptestConfig { cases: usual * super::times(), max_shrink_iters: 400, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(15))]

    #[test]
    fn tickets_are_judged_as_in_memory(told in laws::told(), live in any::<bool>(), restarts in prop::collection::vec(any::<bool>(), 7)) {
        tickets(&told, live, &restarts)?;
    }

    #[test]
    fn contracts_are_judged_as_in_memory((_, steps) in random::told(), restarts in prop::collection::vec(any::<bool>(), 7)) {
        let mut pair = Pair::begin(&random::PACK_UNDER_TEST, None)?;
        let mut passed = 0;
        for ((event, pass), restart) in steps.iter().zip(restarts.iter().cycle()) {
            pair.tell(event)?;
            if let Some(pass) = pass {
                passed += pass;
                pair.pass(random::hour(passed.min(random::END)))?;
            }
            if *restart {
                pair = pair.look(true)?;
            }
        }
        pair.pass(random::hour(random::END))?;
        pair.end()?;
    }

    #[test]
    fn every_decision_has_a_receipt_that_holds((_, steps) in random::told()) {
        receipts(&steps)?;
    }
}
