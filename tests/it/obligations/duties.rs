//! Single duties by hand.

use holdback::{ClockState, ContractAssessment, DecisionKind, Pack};
use serde_json::json;

use super::{at, done, event, files, judged, pack};

/// `subject duty state due`, local times cut short.
fn told(assessment: &ContractAssessment) -> Vec<String> {
    let shanghai = |at: holdback::Instant| {
        at.to_chrono().with_timezone(&chrono_tz::Asia::Shanghai).format("%m-%dT%H:%M").to_string()
    };
    let line = |duty: &holdback::DutyOutcome| {
        let due = duty.due.map_or("-".to_owned(), shanghai);
        format!("{} {} {:?} {due}", duty.subject, duty.duty, duty.state).to_lowercase()
    };
    assessment.duties.iter().map(line).collect()
}

fn findings(assessment: &ContractAssessment) -> Vec<String> {
    let line = |f: &holdback::ContractFinding| format!("{} {}", f.event.as_deref().unwrap_or("-"), f.text);
    assessment.findings.iter().map(line).collect()
}

/// Signed on a Monday morning, after that Monday's backup time.
fn signed() -> holdback::Event {
    event("s", "signed", "2026-03-02T10:00", json!({}))
}

#[test]
fn each_occurrence_is_met_missed_or_late() {
    let events = [
        signed(),
        done("a", "2026-03-09T05:00", "level0"),
        done("b", "2026-03-15T23:00", "level0"),
        done("d", "2026-03-23T06:30", "level0"),
    ];
    let (assessment, engine, decisions) = judged(&pack(), &events, "2026-03-30T05:01");
    let expected = [
        // Thirty days, the day of the signature not counted, to the end of the last.
        "2026-03-02t10:00 handover running 04-02t00:00",
        "2026-03-09t01:00 level0 met 03-09t05:00",
        "2026-03-16t01:00 level0 met 03-16t05:00",
        "2026-03-23t01:00 level0 late 03-23t05:00",
        "2026-03-30t01:00 level0 breached 03-30t05:00",
    ];
    assert_eq!(told(&assessment), expected);
    assert_eq!(assessment.duties[3].late.whole_seconds(), 5400);
    assert_eq!(findings(&assessment), [""; 0]);
    let ids: Vec<_> = assessment.penalties.iter().map(|p| format!("{} {}", p.id, p.amount)).collect();
    assert_eq!(ids, ["2026-03-23T01:00/1/level0 100.00 CNY", "2026-03-30T01:00/1/level0 100.00 CNY"]);
    let lines: Vec<_> =
        engine.statement("c").unwrap().penalties.iter().map(|l| format!("{} {}", l.id, l.amount)).collect();
    assert_eq!(lines, ids);
    let about: Vec<_> = decisions
        .iter()
        .filter(|d| d.kind != DecisionKind::Due)
        .map(|d| {
            format!("{:?} {} {}", d.kind, d.subject.as_deref().unwrap_or("-"), d.clock.as_deref().unwrap())
        })
        .collect();
    assert_eq!(
        about,
        [
            "Met 2026-03-09T01:00 level0",
            "Met 2026-03-16T01:00 level0",
            "Breached 2026-03-23T01:00 level0",
            "Penalised 2026-03-23T01:00 level0",
            "Late 2026-03-23T01:00 level0",
            "Breached 2026-03-30T01:00 level0",
            "Penalised 2026-03-30T01:00 level0",
        ]
    );
    let notices: Vec<_> = engine.notices().iter().map(|n| format!("{} {}", n.role, n.text)).collect();
    assert_eq!(notices.len(), 4);
    assert_eq!(
        notices[0],
        "contract_manager level0 of 2026-03-23T01:00 was not done by 2026-03-22T21:00:00Z (clause 1)"
    );
    // The next thing that happens: the handover is missed, then the Monday after.
    assert_eq!(engine.next_due(), Some(at("2026-04-01T16:00:00.000001Z")));
}

#[test]
fn terms_of_the_local_date_govern_each_occurrence() {
    let (assessment, ..) = judged(&pack(), &[signed()], "2026-04-06T03:01");
    assert!(told(&assessment).contains(&"2026-04-06t01:00 level0 breached 04-06t03:00".to_owned()));
    let last = assessment.penalties.last().unwrap();
    assert_eq!(format!("{} {}", last.id, last.amount), "2026-04-06T01:00/1/level0 300.00 CNY");
}

#[test]
fn a_duty_that_begins_with_the_acceptance_waits_for_it() {
    let accepted = event("p", "project_accepted", "2026-03-20T09:00", json!({}));
    let (before, ..) = judged(&pack(), &[signed()], "2026-04-10T00:00");
    assert!(!told(&before).iter().any(|line| line.contains("report")));
    let (after, ..) = judged(&pack(), &[signed(), accepted], "2026-04-10T00:00");
    // Wednesday the first: not counted; two working days on, to the close of business.
    assert!(
        told(&after).contains(&"2026-04-01t00:00 report breached 04-03t17:00".to_owned()),
        "{:?}",
        told(&after)
    );
}

#[test]
fn what_is_odd_about_the_events_is_told_once_and_is_no_error() {
    let mut unproved = done("u", "2026-03-09T02:00", "level0");
    unproved.data.remove("archive_logs");
    let mut denied = done("v", "2026-03-09T02:01", "level0");
    denied.data.insert("archive_logs".to_owned(), json!(false));
    let events = [
        signed(),
        done("e", "2026-03-02T12:00", "level0"),
        unproved,
        denied,
        done("a", "2026-03-09T04:00", "level0"),
        done("g", "2026-03-10T04:00", "level0"),
        done("x", "2026-03-11T04:00", "levelo"),
    ];
    let (assessment, engine, decisions) = judged(&pack(), &events, "2026-03-12T00:00");
    let expected = [
        "e the duty `level0` was done before it was due",
        "u the duty `level0` is said to be done without `archive_logs`: it does not count",
        "v the duty `level0` is said to be done without `archive_logs`: it does not count",
        "g the duty `level0` was done again",
        "x no clause knows the duty `levelo`; did you mean `level0`?",
    ];
    assert_eq!(findings(&assessment), expected);
    assert_eq!(decisions.iter().filter(|d| d.kind == DecisionKind::Found).count(), 5);
    let first = decisions.iter().find(|d| d.kind == DecisionKind::Found).unwrap();
    assert_eq!(first.detail, "event `e`: the duty `level0` was done before it was due");
    drop(engine);
}

#[test]
fn a_contract_that_never_began_owes_nothing_and_says_so() {
    let events = [done("b", "2026-03-09T02:00", "level0"), done("a", "2026-03-08T02:00", "level0")];
    let (assessment, ..) = judged(&pack(), &events, "2026-04-12T00:00");
    assert_eq!(told(&assessment), [""; 0]);
    let expected = "a the contract has not begun: no `signed` event has come, so nothing is owed";
    assert_eq!(findings(&assessment), [expected]);
}

#[test]
fn the_end_ends_and_a_second_signature_begins_anew() {
    let ended = event("z", "ended", "2026-03-16T01:00", json!({}));
    let (assessment, ..) = judged(&pack(), &[signed(), ended.clone()], "2026-04-20T00:00");
    let of_level0 = |a: &ContractAssessment| -> Vec<String> {
        a.duties.iter().filter(|d| d.duty == "level0").map(|d| d.subject.clone()).collect()
    };
    assert_eq!(of_level0(&assessment), ["2026-03-09T01:00"]);
    let again = event("s2", "signed", "2026-04-01T10:00", json!({}));
    let (assessment, _, decisions) = judged(&pack(), &[signed(), ended, again], "2026-04-14T00:00");
    assert_eq!(of_level0(&assessment), ["2026-04-06T01:00", "2026-04-13T01:00"]);
    let restored = decisions.iter().filter(|d| d.kind == DecisionKind::Restored);
    assert_eq!(restored.count(), 1, "the miss of the ninth of March is taken back");
}

#[test]
fn force_majeure_stops_the_time_of_the_duties_it_names() {
    let start = event("f", "force_majeure_started", "2026-03-09T02:00", json!({ "clocks": ["level0"] }));
    let stop = event("g", "force_majeure_ended", "2026-03-10T02:00", json!({}));
    let (assessment, ..) = judged(&pack(), &[signed(), start.clone()], "2026-03-12T00:00");
    assert!(told(&assessment).contains(&"2026-03-09t01:00 level0 paused -".to_owned()));
    let (assessment, ..) = judged(&pack(), &[signed(), start.clone(), stop], "2026-03-12T00:00");
    assert!(told(&assessment).contains(&"2026-03-09t01:00 level0 breached 03-10t05:00".to_owned()));
    let other = event("f", "force_majeure_started", "2026-03-09T02:00", json!({ "clocks": ["repair"] }));
    let (assessment, ..) = judged(&pack(), &[signed(), other], "2026-03-12T00:00");
    assert!(told(&assessment).contains(&"2026-03-09t01:00 level0 breached 03-09t05:00".to_owned()));
}

#[test]
fn a_duty_in_two_clauses_and_one_that_never_falls_are_told() {
    let mut twice = files();
    twice[4].1 = "//! clause: 2\nfn duties() { [duty(\"level0\").once().within(days(30))] }\n".to_owned();
    let pack = Pack::from_files(twice.into_iter().collect()).unwrap().into();
    let (assessment, _, decisions) = judged(&pack, &[signed()], "2026-03-12T00:00");
    assert!(assessment.fault.unwrap().message.contains("clause 1 sets it too"));
    assert_eq!(decisions.iter().filter(|d| d.kind == DecisionKind::Stopped).count(), 1);
    assert!(assessment.duties.is_empty());
    let mut over = files();
    over[3].1 = over[3].1.replace("BYHOUR=1", "BYHOUR=1;UNTIL=20260101");
    let pack = Pack::from_files(over.into_iter().collect()).unwrap().into();
    let (assessment, ..) = judged(&pack, &[signed()], "2026-03-12T00:00");
    assert_eq!(
        findings(&assessment),
        ["- the duty `level0` never falls: its rule gives no date since the beginning"]
    );
}

#[test]
fn what_is_told_late_or_ahead_is_put_right() {
    let pack = pack();
    let mut engine = holdback::Engine::live(at("2026-03-01T00:00"));
    engine.open(pack.clone()).unwrap();
    engine.submit(signed()).unwrap();
    // Told ahead: it waits for its instant.
    engine.submit(done("a", "2026-03-09T02:00", "level0")).unwrap();
    let decisions = engine.advance(at("2026-03-17T00:00")).unwrap();
    let kinds = |decisions: &[holdback::Decision]| -> Vec<DecisionKind> {
        decisions.iter().map(|d| d.kind).filter(|kind| *kind != DecisionKind::Due).collect()
    };
    use DecisionKind::{Breached, Met, Penalised, Restored, Reversed};
    assert_eq!(kinds(&decisions), [Met, Breached, Penalised]);
    // Told late: it was done in time after all.
    let decisions = engine.submit(done("b", "2026-03-16T04:00", "level0")).unwrap();
    assert_eq!(kinds(&decisions), [Met, Reversed, Restored]);
    assert_eq!(engine.contract_assessment("c").unwrap().duties.last().unwrap().state, ClockState::Met);
    assert_eq!(engine.statement("c").unwrap().penalties.len(), 0);
}
