//! Single service levels by hand.

use std::sync::Arc;

use holdback::{ContractAssessment, DecisionKind, LevelOutcome, Pack};
use serde_json::{Value, json};

use super::{at, event, files, judged};

fn pack() -> Arc<Pack> {
    let mut files = files();
    files[1].1.push_str(
        r#"tiers = { clause = "2", unit = "percent by percent", values = [{ from = 2026-01-01, value = [
    { below = "99", is = "25" }, { from = "99", below = "99.9", is = "10" }, { from = "99.9", is = "0" },
] }] }
"#,
    );
    files[3].1 = "//! clause: 1\nfn duties() { [duty(\"d\").once().within(terms.window)] }\nfn penalty(breach) { terms.fine * 0 }\n"
        .to_owned();
    files[4].1 = r#"//! clause: 2
fn service_levels() {
    [
        availability("portal").of_service("web").announced(hours(72)).settles_after(days(5))
            .earned_back(1, percent("99.9")),
        in_time("answers", "response").per_quarter(),
    ]
}
fn credit(period) {
    if period.name == "portal" {
        terms.tiers.at(period.share).of(period.invoiced, "half_up")
    } else if period.missed > 1 { yuan(500) } else { yuan(0) }
}
"#
    .to_owned();
    let repair = r#"//! clause: 3
fn deadlines(ticket) { [due("response").within(hours(1)).met_by("responded")] }
fn deposit_floor() { yuan(0) }
fn penalty(breach) { yuan(0) }
"#;
    files[5].1 = repair.to_owned();
    Pack::from_files(files.into_iter().collect()).unwrap_or_else(|faults| panic!("{faults}")).into()
}

fn outage(id: &str, when: &str, kind: &str) -> holdback::Event {
    event(id, kind, when, json!({ "service": "web" }))
}

/// The monthly level of March.
fn march(assessment: &ContractAssessment) -> &LevelOutcome {
    let of_march = |level: &&LevelOutcome| level.level == "portal" && level.subject == "2026-03";
    assessment.levels.iter().find(of_march).unwrap()
}

fn begun() -> Vec<holdback::Event> {
    vec![
        event("s", "signed", "2026-03-01T00:00", json!({})),
        event("i", "invoiced", "2026-03-31T12:00", json!({ "amount": "1000.00" })),
    ]
}

#[test]
fn a_month_is_measured_closed_and_booked_once_and_corrected_later() {
    let pack = pack();
    let mut events = begun();
    // 8 hours of 744: 98.92 %; the planned hour was announced in time, the one of the tenth was not.
    events.extend([
        event("p", "downtime_planned", "2026-03-05T00:00",
            json!({ "from": "2026-03-09T01:00:00+08:00", "until": "2026-03-09T02:00:00+08:00" })),
        event("q", "downtime_planned", "2026-03-09T00:00",
            json!({ "from": "2026-03-10T01:00:00+08:00", "until": "2026-03-10T02:00:00+08:00", "service": "web" })),
        outage("a", "2026-03-09T01:00", "outage_started"),
        outage("b", "2026-03-09T02:00", "outage_ended"),
        outage("c", "2026-03-10T01:00", "outage_started"),
        outage("d", "2026-03-10T09:00", "outage_ended"),
    ]);
    let (open, engine, _) = judged(&pack, &events, "2026-04-04T00:00");
    assert_eq!((march(&open).closed, march(&open).downtime.whole_seconds()), (false, 8 * 3600));
    // Five days, the last day of March not counted, to the end of the fifth.
    assert_eq!(march(&open).closes, at("2026-04-06T00:00"));
    assert_eq!(engine.next_due(), Some(at("2026-04-06T00:00")));
    let (closed, mut engine, decisions) = judged(&pack, &events, "2026-04-06T00:00");
    let found = march(&closed);
    assert_eq!((found.subject.as_str(), found.closed, found.total), ("2026-03", true, 1));
    assert_eq!(found.credit.unwrap().to_string(), "250.00 CNY");
    let ids: Vec<_> = closed.penalties.iter().map(|p| format!("{} {} {}", p.id, p.amount, p.at)).collect();
    assert_eq!(ids, ["2026-03/2/portal 250.00 CNY 2026-04-05T16:00:00Z"]);
    let told: Vec<_> = decisions.iter().map(|d| (d.kind, d.detail.as_str())).collect();
    let measured = "98.9247 % available, 8 h down in 1 outages";
    assert!(told.contains(&(DecisionKind::Closed, measured)), "{told:?}");
    assert_eq!(engine.statement("c").unwrap().penalties.len(), 1);
    let notice = engine.notices().iter().find(|n| n.about == DecisionKind::Closed).unwrap();
    assert!(notice.text.contains("portal of 2026-03") && notice.text.contains("250.00"), "{}", notice.text);
    // Told late: it was over after an hour. 99.87 %.
    let late = outage("e", "2026-03-10T02:00", "outage_ended");
    let decisions = engine.submit(late).unwrap();
    let kinds: Vec<_> = decisions.iter().map(|d| d.kind).collect();
    use DecisionKind::{Closed, Found, Penalised, Reversed};
    for kind in [Closed, Reversed, Penalised, Found] {
        assert!(kinds.contains(&kind), "{kind:?} in {kinds:?}");
    }
    assert_eq!(engine.statement("c").unwrap().penalties[0].amount.to_string(), "100.00 CNY");
    // A good April gives it back.
    let decisions = engine.advance(at("2026-05-06T00:00")).unwrap();
    assert!(decisions.iter().any(|d| d.kind == DecisionKind::EarnedBack), "{decisions:?}");
    let assessment = engine.contract_assessment("c").unwrap();
    assert_eq!(march(&assessment).earned_back, Some(at("2026-05-06T00:00")));
}

#[test]
fn clocks_of_tickets_count_in_the_quarter_in_which_they_ended() {
    let pack = pack();
    let mut events = begun();
    let ticket = |id: &str, ticket: &str, kind: &str, when: &str| holdback::Event {
        ticket: Some(ticket.to_owned()),
        ..event(id, kind, when, Value::Null)
    };
    let tickets = [
        ticket("t1", "T1", "reported", "2026-03-03T10:00"),
        ticket("t2", "T1", "responded", "2026-03-03T10:30"),
        ticket("t3", "T2", "reported", "2026-03-04T10:00"),
        ticket("t4", "T3", "reported", "2026-03-05T10:00"),
        // Due an hour after the quarter's end.
        ticket("t5", "T4", "reported", "2026-03-31T23:30"),
    ];
    let by_ticket: Vec<(&str, Vec<holdback::Event>)> = ["T1", "T2", "T3", "T4"]
        .map(|of| (of, tickets.iter().filter(|t| t.ticket.as_deref() == Some(of)).cloned().collect()))
        .to_vec();
    let slices: Vec<(&str, &[holdback::Event])> = by_ticket.iter().map(|(of, all)| (*of, &**all)).collect();
    let as_of = at("2026-04-01T00:00");
    let pure = holdback::assess_contract(&pack, &events, &slices, as_of).unwrap();
    let quarter = pure.levels.iter().find(|level| level.level == "answers").unwrap();
    assert_eq!((quarter.subject.as_str(), quarter.total, quarter.met, quarter.missed), ("2026-Q1", 3, 1, 2));
    assert_eq!(quarter.credit.unwrap().to_string(), "500.00 CNY");
    events.extend(tickets);
    events.sort_by(|a, b| a.order().cmp(&b.order()));
    let mut engine = holdback::Engine::new();
    engine.open(pack.clone()).unwrap();
    for event in events {
        engine.submit(event).unwrap();
    }
    engine.advance(as_of).unwrap();
    assert_eq!(engine.contract_assessment("c"), Some(pure));
    let line = |engine: &holdback::Engine| {
        let lines = engine.statement("c").unwrap().penalties;
        lines.iter().filter(|line| line.id == "2026-Q1/2/answers").count()
    };
    assert_eq!(line(&engine), 1);
    // Told late: one of them was answered in time.
    engine.submit(ticket("t6", "T2", "responded", "2026-03-04T10:10")).unwrap();
    assert_eq!(line(&engine), 0);
}

#[test]
fn odd_outages_are_findings() {
    let pack = pack();
    let mut events = begun();
    events.extend([
        outage("b", "2026-03-09T02:00", "outage_ended"),
        outage("c", "2026-03-31T23:00", "outage_started"),
    ]);
    let (assessment, _, decisions) = judged(&pack, &events, "2026-04-06T00:00");
    let told: Vec<_> = assessment.findings.iter().map(|f| format!("{:?} {}", f.event, f.text)).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("not under way") && told[1].contains("had not ended"), "{told:?}");
    assert_eq!(decisions.iter().filter(|d| d.kind == DecisionKind::Found).count(), 2);
    assert_eq!(march(&assessment).downtime.whole_seconds(), 3600);
}

/// An end told in order once lengthened an outage of a closed month, and the credit stayed as it was.
#[test]
fn an_end_in_order_can_reach_back_into_a_closed_month() {
    let pack = pack();
    let outage =
        |id: &str, when: &str, kind: &str| event(id, kind, when, json!({ "outage": "o1", "service": "web" }));
    let mut events = begun();
    events.extend([
        outage("a", "2026-03-02T00:00", "outage_ended"),
        outage("b", "2026-03-09T00:00", "outage_started"),
        outage("c", "2026-04-10T00:00", "outage_ended"),
    ]);
    let (assessment, engine, _) = judged(&pack, &events, "2026-04-12T00:00");
    assert_eq!(march(&assessment).downtime.whole_seconds(), 23 * 86_400);
    let lines = engine.statement("c").unwrap().penalties;
    assert_eq!(lines.iter().map(|line| line.base.to_string()).collect::<Vec<_>>(), ["250.00 CNY"]);
}
