//! Laws that hold for every history: arrival order, replay, repetition, money, time.

mod books;
mod calendars;
mod regressions;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use holdback::{Assessment, ClockState, Decision, DecisionKind, Engine, Event, Instant, Span, assess};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::model::history::{self, History, TICKETS, minute};

/// Time passes by so many minutes, or an event is told.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Tell(Event),
    Pass(i64),
}

/// A history told in another order, with time passing between.
#[derive(Clone)]
pub(crate) struct Told {
    pub(crate) history: History,
    pub(crate) steps: Vec<Step>,
}

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{:?}told as:", self.history)?;
        self.steps.iter().try_for_each(|step| match step {
            Step::Tell(event) => write!(f, " {}", event.id),
            Step::Pass(minutes) => write!(f, " ({minutes} min)"),
        })
    }
}

pub(crate) fn told() -> impl Strategy<Value = Told> {
    let passes = prop::collection::vec(prop::option::weighted(0.6, 1..900i64), 48);
    let shuffled = history::any().prop_flat_map(|history| {
        // Sorted, told in any order, or nearly sorted: the last is what happens.
        let order = prop_oneof![
            1 => Just(history.events.clone()),
            2 => Just(history.events.clone()).prop_shuffle(),
        ];
        (Just(history), order, any::<bool>())
    });
    (shuffled, passes).prop_map(|((history, mut order, sorted), passes)| {
        if sorted {
            order.sort_by(|a, b| a.order().cmp(&b.order()));
        }
        let passing =
            passes.into_iter().map(|minutes| minutes.map(Step::Pass)).chain(std::iter::repeat(None));
        let steps = order.into_iter().map(Step::Tell).zip(passing);
        Told { history, steps: steps.flat_map(|(tell, pass)| [Some(tell), pass]).flatten().collect() }
    })
}

/// The instant at which all engines are compared: nothing that was told lies after it.
pub(crate) fn end(history: &History) -> Instant {
    history.events.iter().map(|event| event.at).max().map_or(history.as_of, |last| last.max(history.as_of))
}

fn opened(history: &History, mut engine: Engine) -> Engine {
    engine.open(Arc::clone(history.pack())).unwrap();
    engine
}

/// All events in order, then time: the plain replay.
fn replayed(history: &History) -> Engine {
    let mut engine = opened(history, Engine::new());
    let mut events = history.events.clone();
    events.sort_by(|a, b| a.order().cmp(&b.order()));
    for event in events {
        engine.submit(event).unwrap();
    }
    engine.advance(end(history)).unwrap();
    engine
}

/// Everything an engine answers, but for the ledger's entries, whose number depends on the order of telling.
fn answers(engine: &Engine) -> BTreeMap<String, Value> {
    let mut answers = BTreeMap::new();
    for contract in ["c", "d"] {
        answers.insert(contract.to_owned(), json!(engine.statement(contract)));
        for ticket in engine.tickets(contract) {
            answers.insert(format!("{contract}/{ticket}"), json!(engine.assessment(contract, ticket)));
        }
    }
    answers
}

fn same_answers(left: &Engine, right: &Engine) -> Result<(), TestCaseError> {
    let (left, right) = (answers(left), answers(right));
    for (name, left) in &left {
        let right = right.get(name).cloned().unwrap_or_default();
        prop_assert_eq!(left, &right, "{}:\n{:#}\nis not\n{:#}", name, left, right);
    }
    prop_assert_eq!(left.len(), right.len());
    Ok(())
}

/// Goes through the steps, watching the books; gives all decisions.
fn go(engine: &mut Engine, told: &Told) -> Result<Vec<Decision>, TestCaseError> {
    let mut watch = books::Watch::new(told.history.pack);
    let mut decisions = Vec::new();
    let until = end(&told.history);
    let first = engine.now().max(minute(told.history.base));
    let mut passed = 0;
    for step in &told.steps {
        match step {
            Step::Tell(event) => decisions.extend(engine.submit(event.clone()).unwrap()),
            Step::Pass(minutes) => {
                passed += minutes;
                let to = first.checked_add(Span::minutes(passed)).unwrap().min(until);
                decisions.extend(engine.advance(to).unwrap());
            }
        }
        watch.look(engine)?;
    }
    decisions.extend(engine.advance(until).unwrap());
    watch.look(engine)?;
    Ok(decisions)
}

/// The penalties that decisions leave standing.
fn balance_of(decisions: &[Decision]) -> BTreeMap<String, i64> {
    let mut owed: BTreeMap<String, i64> = BTreeMap::new();
    for decision in decisions {
        let sign = match decision.kind {
            DecisionKind::Penalised | DecisionKind::Accrued => 1,
            DecisionKind::Reversed => -1,
            _ => continue,
        };
        let id = [&decision.ticket, &decision.clause, &decision.clock].map(|part| part.as_deref().unwrap());
        let id = id.join("/");
        *owed.entry(format!("{} {id}", decision.contract)).or_default() +=
            sign * decision.amount.unwrap().minor();
    }
    owed.retain(|_, amount| *amount != 0);
    owed
}

/// What the last word on each clock was: breached or not, and due when.
fn last_words(decisions: &[Decision]) -> BTreeMap<[String; 4], (bool, Option<Instant>)> {
    let mut words: BTreeMap<[String; 4], (bool, Option<Instant>)> = BTreeMap::new();
    for decision in decisions {
        let parts = [&decision.ticket, &decision.clause, &decision.clock].map(Option::as_deref);
        let [Some(ticket), Some(clause), Some(clock)] = parts else { continue };
        let key = [&*decision.contract, ticket, clause, clock].map(str::to_owned);
        let word = words.entry(key).or_default();
        word.1 = decision.due.or(word.1);
        match decision.kind {
            DecisionKind::Breached => word.0 = true,
            DecisionKind::Restored => word.0 = false,
            _ => {}
        }
    }
    words
}

fn assessments(engine: &Engine) -> Vec<Assessment> {
    let all = TICKETS.iter().filter_map(|(contract, ticket)| engine.assessment(contract, ticket));
    all.collect()
}

/// What stands in all assessments, apart from time that runs.
fn standing(engine: &Engine) -> Value {
    let of = |a: &Assessment| {
        let clocks = a.clocks.iter().map(|c| json!([c.clause, c.clock, c.state, c.due, c.stopped]));
        let clocks: Vec<_> = clocks.collect();
        json!([a.contract, a.ticket, a.status, a.class, clocks, a.penalties, a.findings, a.fault])
    };
    json!(assessments(engine).iter().map(of).collect::<Vec<_>>())
}

fn decisions_give_the_state(engine: &Engine, decisions: &[Decision]) -> Result<(), TestCaseError> {
    let mut owed = BTreeMap::new();
    let words = last_words(decisions);
    let mut clocks = BTreeSet::new();
    for a in assessments(engine) {
        for penalty in &a.penalties {
            owed.insert(format!("{} {}", a.contract, penalty.id), penalty.amount.minor());
        }
        for clock in &a.clocks {
            let key = [&*a.contract, &*a.ticket, &*clock.clause, &*clock.clock].map(str::to_owned);
            let (breached, due) = words.get(&key).copied().unwrap_or_default();
            let is = matches!(clock.state, ClockState::Breached | ClockState::Late);
            prop_assert_eq!(is, breached, "{:?} is {:?}, the decisions said otherwise", key, clock.state);
            if clock.state == ClockState::Running || is {
                prop_assert_eq!(clock.due, due, "{:?}: decided due", key);
            }
            clocks.insert(key);
        }
    }
    prop_assert_eq!(balance_of(decisions), owed);
    for (key, (breached, _)) in words.iter().filter(|(key, _)| !clocks.contains(*key)) {
        prop_assert!(!breached, "{:?} is gone, yet its breach was never taken back", key);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, max_shrink_iters: 3000, ..ProptestConfig::default() })]

    #[test]
    fn arrival_order_and_the_passing_of_time_change_no_answer(told in told()) {
        let plain = replayed(&told.history);
        let mut other = opened(&told.history, Engine::new());
        let decisions = go(&mut other, &told)?;
        same_answers(&plain, &other)?;
        decisions_give_the_state(&other, &decisions)?;
    }

    #[test]
    fn live_equals_replay_with_events_told_ahead_of_time(told in told()) {
        let plain = replayed(&told.history);
        let mut live = opened(&told.history, Engine::live(minute(told.history.base)));
        let decisions = go(&mut live, &told)?;
        same_answers(&plain, &live)?;
        decisions_give_the_state(&live, &decisions)?;
    }

    #[test]
    fn an_engine_is_a_view_of_assess(told in told()) {
        let engine = replayed(&told.history);
        for (contract, ticket) in TICKETS {
            let of = |t: Option<&str>| -> Vec<Event> {
                let tell = |step: &Step| match step {
                    Step::Tell(event) => Some(event.clone()),
                    Step::Pass(_) => None,
                };
                let events = told.steps.iter().filter_map(tell);
                events.filter(|e| e.contract == contract && e.ticket.as_deref() == t).collect()
            };
            let pure = assess(told.history.pack(), &of(None), &of(Some(ticket)), end(&told.history)).unwrap();
            prop_assert_eq!(Some(pure), engine.assessment(contract, ticket));
        }
    }

    #[test]
    fn an_event_told_twice_changes_nothing(told in told()) {
        let mut engine = opened(&told.history, Engine::new());
        go(&mut engine, &told)?;
        let (before, events, notices) = (answers(&engine), engine.events().len(), engine.notices().len());
        let ledger = engine.ledger("c").to_vec();
        for event in &told.history.events {
            prop_assert_eq!(engine.submit(event.clone()), Ok(Vec::new()));
        }
        prop_assert_eq!(answers(&engine), before);
        prop_assert_eq!((engine.events().len(), engine.notices().len()), (events, notices));
        prop_assert_eq!(engine.ledger("c"), &ledger[..]);
    }

    #[test]
    fn no_event_is_lost_and_a_refused_one_leaves_no_trace(told in told()) {
        let mut engine = opened(&told.history, Engine::new());
        let mut taken = Vec::new();
        for step in &told.steps {
            let Step::Tell(event) = step else { continue };
            let before = (engine.now(), engine.events().len(), answers(&engine), engine.next_due());
            for wrong in wrongs(event) {
                prop_assert!(engine.submit(wrong).is_err());
            }
            prop_assert_eq!(&(engine.now(), engine.events().len(), answers(&engine), engine.next_due()), &before);
            engine.submit(event.clone()).unwrap();
            let other = Event { actor: Some("somebody else".to_owned()), ..event.clone() };
            prop_assert!(engine.submit(other).is_err());
            taken.push(event.clone());
        }
        prop_assert_eq!(engine.events().cloned().collect::<Vec<_>>(), taken);
    }

    #[test]
    fn every_notice_is_made_once(told in told()) {
        let mut engine = opened(&told.history, Engine::live(minute(told.history.base)));
        let mut ids = BTreeSet::new();
        for step in &told.steps {
            match step {
                Step::Tell(event) => engine.submit(event.clone()).unwrap(),
                Step::Pass(minutes) => {
                    let to = engine.now().checked_add(Span::minutes(*minutes)).unwrap();
                    engine.advance(to).unwrap()
                }
            };
            for notice in engine.take_notices() {
                prop_assert!(ids.insert(notice.id.clone()), "made twice: {}", notice.id);
            }
        }
    }

    #[test]
    fn next_due_is_the_next_instant_that_matters(told in told()) {
        let mut engine = opened(&told.history, Engine::new());
        go(&mut engine, &told)?;
        for _ in 0..12 {
            let Some(due) = engine.next_due() else { break };
            prop_assert!(due > engine.now(), "{} is not after {}", due, engine.now());
            let before = standing(&engine);
            let just_before = Instant::from_micros(due.micros() - 1).unwrap();
            let early = engine.advance(just_before).unwrap();
            prop_assert!(early.is_empty(), "before {}: {:?}", due, early);
            prop_assert_eq!(&standing(&engine), &before, "before {}", due);
            let decisions = engine.advance(due).unwrap();
            prop_assert!(!decisions.is_empty(), "nothing happens at {}", due);
        }
    }
}

/// The same event with something wrong in it, under another id.
fn wrongs(event: &Event) -> Vec<Event> {
    let wrong = Event { id: format!("{}-wrong", event.id), ..event.clone() };
    let other_scope = if event.ticket.is_some() { None } else { Some("T1".to_owned()) };
    let mut wrongs = vec![
        Event { kind: "vanished".to_owned(), ..wrong.clone() },
        Event { contract: "nobody".to_owned(), ..wrong.clone() },
        Event { ticket: other_scope, ..wrong.clone() },
        Event { id: String::new(), ..wrong.clone() },
    ];
    if event.ticket.is_some() {
        wrongs.push(Event { data: json!({ "m": "many" }).as_object().cloned().unwrap(), ..wrong });
    }
    wrongs
}
