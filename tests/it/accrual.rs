//! Penalties that grow with time: each step at its instant, whichever way time is told.

mod holds;

use std::sync::Arc;

use holdback::{Decision, DecisionKind, Engine, Event, Instant, Pack, assess};
use serde_json::{Value, json};

const PACK: &str = r#"
format = 1
name = "growing"
version = "1"
currency = "CNY"
zone = "UTC"
contracts = ["c"]
[facts]
course_at = { type = "instant" }
[calendars.work.hours]
mon = [["09:00", "17:00"]]
tue = [["09:00", "17:00"]]
wed = [["09:00", "17:00"]]
thu = [["09:00", "17:00"]]
fri = [["09:00", "17:00"]]
"#;

/// A pack of one clause with one clock, of which the tail and the price are given.
fn pack(clock: &str, price: &str) -> Arc<Pack> {
    let clause = format!(
        "//! clause: 1\nfn deadlines(ticket) {{ [due(\"repair\"){clock}.met_by(\"resolved\")] }}\n\
         fn penalty(breach) {{ {price} }}\nfn deposit_floor() {{ yuan(0) }}\n"
    );
    let files = [("pack.toml", PACK), ("contract.md", "# [1] Repair\n"), ("clauses/1.rhai", &clause)];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    Arc::new(Pack::from_files(files.into()).unwrap_or_else(|faults| panic!("{faults}\n{clause}")))
}

/// `05T09:00` is the fifth of March 2026; the second is a Monday.
fn at(text: &str) -> Instant {
    let seconds = if text.matches(':').count() == 1 { ":00" } else { "" };
    format!("2026-03-{text}{seconds}Z").parse().unwrap()
}

fn event(id: &str, kind: &str, time: &str, data: Value) -> Event {
    let ticket = (!kind.starts_with("force")).then(|| "T1".to_owned());
    let data = data.as_object().cloned().unwrap_or_default();
    let (id, contract, kind) = (id.to_owned(), "c".to_owned(), kind.to_owned());
    Event { id, contract, ticket, kind, at: at(time), actor: None, via: None, data }
}

/// Reported on Monday at ten: within two hours it is due at twelve.
fn reported() -> Event {
    event("1", "reported", "02T10:00", json!({}))
}

fn engine(pack: &Arc<Pack>) -> Engine {
    let mut engine = Engine::live(at("02T00:00"));
    engine.open(Arc::clone(pack)).unwrap();
    engine
}

/// What is decided on money: kind, instant, whole yuan.
fn money(decisions: &[Decision]) -> Vec<(DecisionKind, Instant, i64)> {
    use DecisionKind::{Accrued, Penalised, Reversed};
    let of_money = decisions.iter().filter(|d| [Penalised, Accrued, Reversed].contains(&d.kind));
    of_money.map(|d| (d.kind, d.at, d.amount.unwrap().minor() / 100)).collect()
}

/// All events are told at once, then time jumps.
fn jump(pack: &Arc<Pack>, events: &[Event], to: Instant) -> (Engine, Vec<Decision>) {
    let mut engine = engine(pack);
    for event in events {
        assert_eq!(engine.submit(event.clone()).unwrap(), []);
    }
    let decisions = engine.advance(to).unwrap();
    (engine, decisions)
}

/// Every event is told at its instant, and time goes from one instant that matters to the next.
fn live(pack: &Arc<Pack>, events: &[Event], to: Instant) -> (Engine, Vec<Decision>) {
    let mut engine = engine(pack);
    let mut decisions = Vec::new();
    let mut go = |engine: &mut Engine, until: Instant, strict: bool| {
        while let Some(due) = engine.next_due().filter(|due| *due < until || (!strict && *due == until)) {
            let before = money_owed(engine);
            let just_before = Instant::from_micros(due.micros() - 1).unwrap();
            assert_eq!(engine.advance(just_before).unwrap(), [], "before {due}");
            assert_eq!(money_owed(engine), before, "before {due}");
            decisions.extend(engine.advance(due).unwrap());
        }
        decisions.extend(engine.advance(until).unwrap());
    };
    let mut told = Vec::new();
    for event in events {
        go(&mut engine, event.at, true);
        told.extend(engine.submit(event.clone()).unwrap());
    }
    go(&mut engine, to, false);
    decisions.extend(told);
    decisions.sort_by_key(|decision| decision.at);
    (engine, decisions)
}

fn money_owed(engine: &Engine) -> Vec<i64> {
    let assessment = engine.assessment("c", "T1");
    assessment.iter().flat_map(|a| &a.penalties).map(|penalty| penalty.amount.minor()).collect()
}

/// Jumps, lives and replays to an instant: all must come to these steps, each with what it costs in all from then on.
fn steps(pack: &Arc<Pack>, events: &[Event], to: &str, expected: &[(&str, i64)]) {
    let to = match to.strip_suffix('+') {
        Some(text) => at(text).succ(),
        None => at(to),
    };
    let mut total = 0;
    let expected: Vec<(DecisionKind, Instant, i64)> = expected
        .iter()
        .map(|(when, amount)| {
            let kind = if total == 0 { DecisionKind::Penalised } else { DecisionKind::Accrued };
            let grown = amount - total;
            total = *amount;
            (kind, at(when), grown)
        })
        .collect();
    let (jumped, decided) = jump(pack, events, to);
    assert_eq!(money(&decided), expected, "in one jump to {to}");
    let (lived, decided) = live(pack, events, to);
    assert_eq!(money(&decided), expected, "live to {to}");
    let pure = assess(pack, &of_contract(events, true), &of_contract(events, false), to).unwrap();
    assert_eq!(pure.penalties.iter().map(|penalty| penalty.amount.minor()).sum::<i64>(), total * 100);
    for engine in [jumped, lived] {
        assert_eq!(engine.assessment("c", "T1"), Some(pure.clone()));
    }
}

fn of_contract(events: &[Event], contract: bool) -> Vec<Event> {
    events.iter().filter(|event| event.ticket.is_none() == contract).cloned().collect()
}

const TWO_HOURS: &str = ".within(hours(2))";
const WORKING: &str = ".within(hours(2)).in_calendar(\"work\")";

#[test]
fn each_step_comes_at_its_instant() {
    let hourly = "yuan(10) * started(breach.late, hours(1))";
    let daily = "yuan(100) * started(breach.late, hours(24))";
    let full_days = "yuan(100) * full(breach.late, hours(24))";
    let grace = format!("if breach.late <= minutes(30) {{ yuan(0) }} else {{ {hourly} }}");
    let open_grace = format!("if breach.late < minutes(30) {{ yuan(0) }} else {{ {hourly} }}");
    type Case<'a> = (&'a str, &'a str, &'a str, &'a [(&'a str, i64)]);
    let cases: [Case<'_>; 19] = [
        (TWO_HOURS, hourly, "02T12:00", &[]),
        (TWO_HOURS, hourly, "02T12:00+", &[("02T12:00", 10)]),
        (TWO_HOURS, hourly, "02T14:00", &[("02T12:00", 10), ("02T13:00", 20)]),
        (TWO_HOURS, hourly, "02T14:00+", &[("02T12:00", 10), ("02T13:00", 20), ("02T14:00", 30)]),
        (TWO_HOURS, daily, "04T12:00+", &[("02T12:00", 100), ("03T12:00", 200), ("04T12:00", 300)]),
        (TWO_HOURS, full_days, "03T11:59:59.999999", &[]),
        (TWO_HOURS, full_days, "04T12:00", &[("03T12:00", 100), ("04T12:00", 200)]),
        // The clock stands at five and goes on at nine: the old price holds until it does.
        (WORKING, "yuan(1) * started(breach.late, hours(5))", "03T09:00", &[("02T12:00", 1)]),
        (
            WORKING,
            "yuan(1) * started(breach.late, hours(5))",
            "03T14:00+",
            &[("02T12:00", 1), ("03T09:00", 2), ("03T14:00", 3)],
        ),
        (WORKING, "yuan(1) * full(breach.late, hours(5))", "04T09:00", &[("02T17:00", 1), ("03T14:00", 2)]),
        // Due at the closing: it is missed at once, but not late before the morning.
        (".within(hours(7)).in_calendar(\"work\")", hourly, "03T09:00", &[]),
        (
            ".within(hours(7)).in_calendar(\"work\")",
            "yuan(5) + yuan(10) * started(breach.late, hours(1))",
            "03T09:00+",
            &[("02T17:00", 5), ("03T09:00", 15)],
        ),
        (TWO_HOURS, &grace, "02T12:30", &[]),
        (TWO_HOURS, &grace, "02T13:00+", &[("02T12:30", 10), ("02T13:00", 20)]),
        (TWO_HOURS, &open_grace, "02T13:00", &[("02T12:30", 10)]),
        (
            TWO_HOURS,
            "max(yuan(500), yuan(10) * started(breach.late, minutes(1)))",
            "02T12:51+",
            &[("02T12:00", 500), ("02T12:50", 510), ("02T12:51", 520)],
        ),
        (
            TWO_HOURS,
            "min(yuan(100) * started(breach.late, hours(1)), yuan(250))",
            "20T12:00",
            &[("02T12:00", 100), ("02T13:00", 200), ("02T14:00", 250)],
        ),
        (
            TWO_HOURS,
            "if breach.late > hours(240) { yuan(9) } else { yuan(2) }",
            "31T12:00",
            &[("02T12:00", 2), ("12T12:00", 9)],
        ),
        // A threshold that is no whole second: a seventh of an hour.
        (
            TWO_HOURS,
            "if breach.late * 7 > hours(1) { yuan(9) } else { yuan(2) }",
            "02T13:00",
            &[("02T12:00", 2), ("02T12:08:34.285714", 9)],
        ),
    ];
    for (clock, price, to, expected) in cases {
        steps(&pack(clock, price), &[reported()], to, expected);
    }
}

#[test]
fn the_stop_is_the_last_word() {
    let hourly = pack(TWO_HOURS, "yuan(10) * started(breach.late, hours(1))");
    let stopped = |time| [reported(), event("2", "resolved", time, json!({}))];
    steps(&hourly, &stopped("02T14:00"), "09T00:00", &[("02T12:00", 10), ("02T13:00", 20)]);
    let more = [("02T12:00", 10), ("02T13:00", 20), ("02T14:00", 30)];
    steps(&hourly, &stopped("02T14:00:00.000001"), "09T00:00", &more);
    steps(&hourly, &stopped("02T12:00"), "09T00:00", &[]);
}

#[test]
fn growth_stands_still_with_the_clock() {
    let clock = ".within(hours(2)).pauses_for(\"customer\")";
    let hourly = pack(clock, "yuan(10) * started(breach.late, hours(1))");
    let events = [
        reported(),
        event("2", "paused", "02T13:30", json!({ "reason": "customer" })),
        event("3", "resumed", "02T20:00", json!({})),
        event("4", "resolved", "02T20:45", json!({})),
        event("5", "reopened", "05T08:00", json!({})),
    ];
    // 1 h 30 min late, then 45 min, then the rest of the third hour on Thursday.
    let expected = [("02T12:00", 10), ("02T13:00", 20), ("02T20:30", 30), ("05T08:45", 40), ("05T09:45", 50)];
    steps(&hourly, &events, "05T10:45", &expected);
    // Sent back by the customer, the ticket's clock goes on like that of one that was reopened.
    let rejected = [&events[..4], &[event("5", "rejected", "05T08:00", json!({}))]].concat();
    steps(&hourly, &rejected, "05T10:45", &expected);
    steps(&hourly, &events[..4], "05T10:45", &expected[..3]);
}

/// What was posted and then turns out otherwise is taken back whole, and what stands is said in one.
#[test]
fn a_late_event_corrects_the_steps() {
    use DecisionKind::{Accrued, Penalised, Reversed};
    let hourly = pack(TWO_HOURS, "yuan(10) * started(breach.late, hours(1))");
    let (mut engine, decided) = live(&hourly, &[reported()], at("02T15:30"));
    assert_eq!(money(&decided).len(), 4);
    let mut submit =
        |id: &str, kind: &str, time: &str| money(&engine.submit(event(id, kind, time, json!({}))).unwrap());
    let noon = at("02T12:00");
    let corrected = [(Reversed, noon, 40), (Penalised, noon, 20)];
    assert_eq!(submit("2", "resolved", "02T13:10"), corrected);
    // Reopened later: the two steps stand, and more come.
    let grown = [(Accrued, at("02T14:50"), 10)];
    assert_eq!(submit("3", "reopened", "02T14:00"), grown);
    // Done within an hour, and the other hour ran after the reopening.
    let met = [(Reversed, noon, 30), (Penalised, at("02T15:00"), 10)];
    assert_eq!(submit("4", "resolved", "02T11:00"), met);
    assert_eq!(submit("5", "resolved", "02T14:30"), [(Reversed, at("02T15:00"), 10)]);
    assert!(money_owed(&engine).is_empty());
}

#[test]
fn a_step_makes_no_notice_and_the_breach_makes_one() {
    let hourly = pack(TWO_HOURS, "yuan(10) * started(breach.late, hours(1))");
    let (engine, decided) = live(&hourly, &[reported()], at("03T12:00"));
    let accrued: Vec<&Decision> = decided.iter().filter(|d| d.kind == DecisionKind::Accrued).collect();
    assert_eq!(accrued.len(), 23);
    assert_eq!((accrued[22].due, &*accrued[22].detail), (Some(at("02T12:00")), "240.00 CNY in all"));
    assert!(!engine.notices().iter().any(|notice| notice.about == DecisionKind::Accrued));
    assert_eq!(engine.notices().iter().filter(|n| n.about == DecisionKind::Penalised).count(), 1);
}

#[test]
fn a_price_that_falls_is_one_sum_at_the_breach() {
    let falling = pack(TWO_HOURS, "if breach.late <= hours(1) { yuan(100) } else { yuan(40) }");
    for (engine, _) in
        [jump(&falling, &[reported()], at("03T12:00")), live(&falling, &[reported()], at("03T12:00"))]
    {
        assert_eq!(money_owed(&engine), [4_000]);
        assert_eq!(engine.assessment("c", "T1").unwrap().penalties[0].at, at("02T12:00"));
    }
    let (_, decided) = jump(&falling, &[reported()], at("03T12:00"));
    assert_eq!(money(&decided), [(DecisionKind::Penalised, at("02T12:00"), 40)]);
}

#[test]
fn too_many_steps_are_a_fault_by_name() {
    let every_second = pack(TWO_HOURS, "yuan(1) * started(breach.late, seconds(1))");
    let judge = |to: Instant| assess(&every_second, &[], &[reported()], to).unwrap();
    let last = at("03T15:46:40");
    let found = judge(last);
    assert_eq!((found.fault, found.penalties[0].amount.minor()), (None, 10_000_000));
    let fault = judge(last.succ()).fault.unwrap();
    assert_eq!((&*fault.file, fault.line), ("clauses/1.rhai", 3));
    assert!(fault.message.contains("`repair`") && fault.message.contains("100000"), "{}", fault.message);
}

#[test]
fn many_steps_are_explained_in_few_lines() {
    let hourly = pack(TWO_HOURS, "yuan(10) * started(breach.late, hours(1))");
    let told = |to: &str| {
        let (engine, _) = jump(&hourly, &[reported()], at(to));
        let clock = engine.explain("c", "T1").unwrap().clocks.remove(0);
        clock.price_steps
    };
    assert_eq!(told("02T12:00"), []);
    assert_eq!(told("03T00:00").len(), 12);
    assert!(told("03T00:00").iter().all(|step| step.steps == 1 && step.through.is_none()));
    let many = told("03T12:00");
    assert_eq!(many.len(), 12);
    let rest = &many[11];
    assert_eq!((rest.at, rest.through, rest.steps), (at("02T23:00"), Some(at("03T11:00")), 13));
    assert_eq!((rest.amount.minor(), rest.total.minor()), (13_000, 24_000));
    assert_eq!(many.iter().map(|step| step.amount.minor()).sum::<i64>(), 24_000);
}
