//! Random histories of a contract: told in any order, by replay or live, they come to the same.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use holdback::{Account, Decision, DecisionKind, Engine, Event, Instant, Pack, Span, assess_contract};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

const PACK: &str = r#"format = 1
name = "random"
version = "1"
currency = "CNY"
zone = "Europe/Berlin"
contracts = ["c"]
[facts.proof]
type = "bool"
[calendars.office.hours]
mon = [["09:00", "17:00"]]
wed = [["09:00", "17:00"]]
fri = [["09:00", "17:00"]]
[deposit]
deduction = "deduction"
"#;

const TERMS: &str = r#"
deduction = { clause = "4", unit = "one-of", of = ["automatic", "on_confirmation"], values = [{ from = 2020-01-01, value = "automatic" }, { from = 2026-05-01, value = "on_confirmation" }] }
hours = { clause = "1", unit = "hours", values = [{ from = 2020-01-01, value = 4 }, { from = 2026-04-10, value = 30 }] }
fine = { clause = "1", unit = "CNY", values = [{ from = 2020-01-01, value = "100.00" }, { from = 2026-04-10, value = "70.00" }] }
tiers = { clause = "3", unit = "percent by percent", values = [{ from = 2020-01-01, value = [
    { below = "90", is = "25" }, { from = "90", below = "99", is = "10" }, { from = "99", is = "0" },
] }] }
"#;

const CLAUSES: [(&str, &str); 5] = [
    (
        "clauses/1.rhai",
        r#"//! clause: 1
fn duties() {
    [
        duty("backup").every("FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=2;BYMINUTE=30").within(terms.hours).early(hours(3))
            .needs("proof"),
        duty("report").every("FREQ=MONTHLY;BYMONTHDAY=-1").within(working_days(3)).in_calendar("office")
            .starts_on("project_accepted"),
        duty("handover").once().within(days(10)),
    ]
}
fn penalty(breach) {
    switch breach.clock {
        "backup" => terms.fine,
        "report" => min(terms.fine * started(breach.late, hours(8)), terms.fine * 5),
        _ => terms.fine * 3,
    }
}
fn repeated(again) { if again.within(days(10)) > 1 { again.amount * 2 } else { again.amount } }
"#,
    ),
    (
        "clauses/2.rhai",
        r#"//! clause: 2
fn deadlines(ticket) {
    [due("answer").within(hours(3)).met_by("responded"), due("repair").within(hours(9)).pauses().met_by("resolved")]
}
fn penalty(breach) { terms.fine }
"#,
    ),
    (
        "clauses/3.rhai",
        r#"//! clause: 3
fn service_levels() {
    [
        availability("portal").of_service("web").announced(hours(24)).settles_after(days(3))
            .earned_back(1, percent(95)),
        availability("all").planned_counts().per_quarter().in_calendar("office"),
        in_time("answers", "answer", "repair").over_months(2).starts_on("project_accepted"),
    ]
}
fn credit(period) {
    if period.name == "answers" { terms.fine * period.missed } else { terms.tiers.at(period.share).of(period.invoiced, "half_up") }
}
"#,
    ),
    ("clauses/4.rhai", "//! clause: 4\nfn deposit_floor() { yuan(100) }\n"),
    (
        "clauses/5.rhai",
        "//! clause: 5\nfn caps() { [cap_per_ticket(yuan(300)), cap_per_month(yuan(700)), cap_in_all(yuan(2500))] }\n",
    ),
];

pub(crate) static PACK_UNDER_TEST: LazyLock<Arc<Pack>> = LazyLock::new(|| {
    let mut files = vec![
        ("pack.toml".to_owned(), PACK.to_owned()),
        ("terms.toml".to_owned(), TERMS.to_owned()),
        ("contract.md".to_owned(), "# [1] a\n# [2] b\n# [3] c\n# [4] d\n# [5] e\n".to_owned()),
    ];
    files.extend(CLAUSES.map(|(path, text)| (path.to_owned(), text.to_owned())));
    Pack::from_files(files.into_iter().collect()).unwrap_or_else(|faults| panic!("{faults}")).into()
});

/// So many hours after the first of March, with DST a month in.
pub(crate) fn hour(n: i64) -> Instant {
    "2026-03-01T00:00:00Z".parse::<Instant>().unwrap().checked_add(Span::minutes(n * 30)).unwrap()
}

/// All histories end here: some days into July.
pub(crate) const END: i64 = 48 * 128;

fn data(kind: &'static str) -> BoxedStrategy<Value> {
    let service = || select(vec![json!("web"), json!("mail"), Value::Null]);
    let without = |mut value: Value| {
        value.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        value
    };
    let id = || select(vec![json!("o1"), json!("o2"), Value::Null]);
    let penalty = || {
        select(vec![
            "T1/2/answer",
            "T2/2/repair",
            "2026-03-05T02:30/1/backup",
            "2026-03-09T02:30/1/backup",
            "2026-03/3/portal",
            "2026-03-31T00:00/1/report",
            "nothing",
        ])
    };
    match kind {
        "duty_done" => {
            (select(vec!["backup", "backup", "report", "handover", "bakcup"]), any::<Option<bool>>())
                .prop_map(move |(duty, proof)| {
                    without(json!({ "duty": duty, "proof": proof.unwrap_or(true) }))
                })
                .boxed()
        }
        "outage_started" | "outage_ended" => (id(), service())
            .prop_map(move |(outage, service)| without(json!({ "outage": outage, "service": service })))
            .boxed(),
        "downtime_planned" => (0..END, 0..200i64, service())
            .prop_map(move |(from, long, service)| {
                let (from, until) = (hour(from).to_string(), hour(from + long).to_string());
                without(json!({ "from": from, "until": until, "service": service }))
            })
            .boxed(),
        "invoiced" => (1..2000i64).prop_map(|n| json!({ "amount": format!("{n}.00") })).boxed(),
        "deposit_paid" => (1..900i64).prop_map(|n| json!({ "amount": format!("{n}.00") })).boxed(),
        "penalty_waived" | "penalty_disputed" | "dispute_ended" | "penalty_confirmed" => {
            penalty().prop_map(|penalty| json!({ "penalty": penalty })).boxed()
        }
        "force_majeure_started" => (
            select(vec![Value::Null, json!("w")]),
            select(vec![Value::Null, json!(["backup"]), json!(["portal", "answer"])]),
        )
            .prop_map(move |(window, clocks)| without(json!({ "window": window, "clocks": clocks })))
            .boxed(),
        "force_majeure_ended" => select(vec![Value::Null, json!("w")])
            .prop_map(move |window| without(json!({ "window": window })))
            .boxed(),
        _ => Just(json!({})).boxed(),
    }
}

fn one() -> impl Strategy<Value = (Option<&'static str>, &'static str, i64, Value)> {
    let kinds = vec![
        "duty_done",
        "duty_done",
        "duty_done",
        "duty_done",
        "outage_started",
        "outage_started",
        "outage_ended",
        "outage_ended",
        "downtime_planned",
        "invoiced",
        "invoiced",
        "deposit_paid",
        "penalty_waived",
        "penalty_disputed",
        "dispute_ended",
        "penalty_confirmed",
        "force_majeure_started",
        "force_majeure_ended",
        "project_accepted",
        "signed",
        "settled",
        "ended",
    ];
    let rare = |kind: &str| ["signed", "settled", "ended", "force_majeure_started"].contains(&kind);
    let of_contract = (select(kinds), 0..END, 0..3u8)
        .prop_filter("rare", move |(kind, _, luck)| !rare(kind) || *luck == 0)
        .prop_flat_map(|(kind, at, _)| (Just(None), Just(kind), Just(at), data(kind)));
    let of_ticket = (
        select(vec!["T1", "T2", "T3"]),
        select(vec!["reported", "responded", "resolved", "reopened", "paused", "resumed"]),
        0..END,
    )
        .prop_map(|(ticket, kind, at)| (Some(ticket), kind, at, json!({})));
    prop_oneof![3 => of_contract, 1 => of_ticket]
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let signed = prop::option::weighted(0.9, 0..400i64);
    (signed, prop::collection::vec(one(), 0..45)).prop_map(|(signed, list)| {
        let signed = signed.map(|at| (None, "signed", at, json!({})));
        let list = signed.into_iter().chain(list).enumerate();
        let event = |(i, (ticket, kind, at, data)): (usize, (Option<&str>, &str, i64, Value))| Event {
            id: format!("e{:02}", (i * 37) % 89),
            contract: "c".to_owned(),
            ticket: ticket.map(str::to_owned),
            kind: kind.to_owned(),
            at: hour(at),
            actor: None,
            via: None,
            data: data.as_object().cloned().unwrap_or_else(Map::new),
        };
        list.map(event).collect()
    })
}

/// The events in some order, with time passing between them.
pub(crate) fn told() -> impl Strategy<Value = (Vec<Event>, Vec<(Event, Option<i64>)>)> {
    events().prop_flat_map(|events| {
        let passes = prop::collection::vec(prop::option::weighted(0.5, 1..600i64), events.len());
        (Just(events.clone()), Just(events).prop_shuffle(), passes, any::<bool>()).prop_map(
            |(events, mut order, passes, sorted)| {
                if sorted {
                    order.sort_by(|a, b| a.order().cmp(&b.order()));
                }
                (events, order.into_iter().zip(passes).collect())
            },
        )
    })
}

fn replayed(events: &[Event]) -> Engine {
    let mut engine = Engine::new();
    engine.open(Arc::clone(&PACK_UNDER_TEST)).unwrap();
    let mut events = events.to_vec();
    events.sort_by(|a, b| a.order().cmp(&b.order()));
    for event in events {
        engine.submit(event).unwrap();
    }
    engine.advance(hour(END)).unwrap();
    engine
}

fn answers(engine: &Engine) -> Value {
    let tickets: Vec<_> = ["T1", "T2", "T3"].map(|ticket| engine.assessment("c", ticket)).into();
    json!([engine.contract_assessment("c"), engine.statement("c"), tickets])
}

fn pure(events: &[Event]) -> Value {
    let of = |ticket: Option<&str>| -> Vec<Event> {
        events.iter().filter(|event| event.ticket.as_deref() == ticket).cloned().collect()
    };
    let tickets = ["T1", "T2", "T3"].map(|ticket| (ticket, of(Some(ticket))));
    let tickets = tickets.each_ref().map(|(ticket, events)| (*ticket, events.as_slice()));
    json!(assess_contract(&PACK_UNDER_TEST, &of(None), &tickets, hour(END)).unwrap())
}

fn go(engine: &mut Engine, steps: &[(Event, Option<i64>)]) -> Result<Vec<Decision>, TestCaseError> {
    let mut decisions = engine.open(Arc::clone(&PACK_UNDER_TEST)).unwrap();
    let mut passed = 0;
    let mut entries = Vec::new();
    for (event, pass) in steps {
        decisions.extend(engine.submit(event.clone()).unwrap());
        if let Some(pass) = pass {
            passed += pass;
            decisions.extend(engine.advance(hour(passed.min(END))).unwrap());
        }
        prop_assert!(engine.ledger("c").starts_with(&entries), "entries were edited");
        entries = engine.ledger("c").to_vec();
    }
    decisions.extend(engine.advance(hour(END)).unwrap());
    let mut sums: BTreeMap<Account, i64> = BTreeMap::new();
    for entry in engine.ledger("c") {
        *sums.entry(entry.from).or_default() -= entry.amount.minor();
        *sums.entry(entry.to).or_default() += entry.amount.minor();
    }
    for (account, balance) in engine.statement("c").unwrap().balances {
        prop_assert_eq!(balance.minor(), sums.get(&account).copied().unwrap_or_default(), "{:?}", account);
    }
    Ok(decisions)
}

/// The sums that decisions leave standing are those of the assessments.
fn decisions_give_the_sums(engine: &Engine, decisions: &[Decision]) -> Result<(), TestCaseError> {
    let mut told: BTreeMap<String, i64> = BTreeMap::new();
    for decision in decisions {
        let sign = match decision.kind {
            DecisionKind::Penalised | DecisionKind::Accrued => 1,
            DecisionKind::Reversed => -1,
            _ => continue,
        };
        let of = decision.subject.as_deref().or(decision.ticket.as_deref()).unwrap();
        let id =
            format!("{of}/{}/{}", decision.clause.as_deref().unwrap(), decision.clock.as_deref().unwrap());
        *told.entry(id).or_default() += sign * decision.amount.unwrap().minor();
    }
    told.retain(|_, sum| *sum != 0);
    let contract = engine.contract_assessment("c").unwrap();
    let booked = |subject: holdback::Subject| -> Vec<(String, i64)> {
        let lines = engine.statement("c").unwrap().penalties;
        let mut of: Vec<_> = lines.into_iter().filter(|line| line.subject == subject).collect();
        of.sort_by(|a, b| a.id.cmp(&b.id));
        of.into_iter().map(|line| (line.id, line.base.minor())).collect()
    };
    let mut assessed: Vec<_> = contract.penalties.iter().map(|p| (p.id.clone(), p.amount.minor())).collect();
    assessed.sort();
    let mut both = [booked(holdback::Subject::Duty), booked(holdback::Subject::Level)].concat();
    both.sort();
    prop_assert_eq!(both, assessed, "the books are not the assessment");
    let tickets = ["T1", "T2", "T3"].into_iter().filter_map(|ticket| engine.assessment("c", ticket));
    let all = contract.penalties.into_iter().chain(tickets.flat_map(|ticket| ticket.penalties));
    let owed: BTreeMap<String, i64> = all.map(|penalty| (penalty.id, penalty.amount.minor())).collect();
    prop_assert_eq!(told, owed);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 3000, ..ProptestConfig::default() })]

    #[test]
    fn arrival_order_and_the_passing_of_time_change_no_answer((events, steps) in told()) {
        let plain = answers(&replayed(&events));
        // Without events nobody says which contract it is.
        if !events.is_empty() {
            prop_assert_eq!(&plain[0], &pure(&events));
        }
        let mut other = Engine::new();
        let decisions = go(&mut other, &steps)?;
        let other_answers = answers(&other);
        prop_assert_eq!(&other_answers, &plain, "\n{:#}\nis not\n{:#}", other_answers, plain);
        decisions_give_the_sums(&other, &decisions)?;
    }

    #[test]
    fn live_equals_replay_with_events_told_ahead((events, steps) in told()) {
        let plain = answers(&replayed(&events));
        let mut live = Engine::live(hour(0));
        let decisions = go(&mut live, &steps)?;
        let live_answers = answers(&live);
        prop_assert_eq!(&live_answers, &plain, "\n{:#}\nis not\n{:#}", live_answers, plain);
        decisions_give_the_sums(&live, &decisions)?;
        let mut ids = std::collections::BTreeSet::new();
        prop_assert!(live.notices().iter().all(|notice| ids.insert(&notice.id)), "a notice was made twice");
    }

    #[test]
    fn something_happens_at_the_next_due_instant_and_nothing_before((events, _) in told()) {
        let mut engine = replayed(&events);
        for _ in 0..10 {
            let Some(due) = engine.next_due() else { break };
            prop_assert!(due > engine.now());
            let early = engine.advance(Instant::from_micros(due.micros() - 1).unwrap()).unwrap();
            prop_assert!(early.is_empty(), "before {}: {:?}", due, early);
            prop_assert!(!engine.advance(due).unwrap().is_empty(), "nothing happens at {}", due);
        }
    }
}
