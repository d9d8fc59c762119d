//! Seeded mistakes: each is found, with the law it breaks and what is said of it.

use holdback::{Code, Engine, Law, Place, Span, check_laws};

use super::{counterexample, none_broken, outcome, pack_of, pack_with, penalty, price, shows};

const HOUR: Span = Span::hours(1);

/// What is wrong, the clause, the law it breaks and what is said.
const BROKEN: [(&str, &str, Law, &str); 25] = [
    (
        "it falls at the tier's edge",
        "fn penalty(breach) { if breach.late <= hours(24) { terms.fine } else { yuan(50) } }",
        Law::Monotone,
        "100.00 CNY at 24 h late, 50.00 CNY at 24 h 1 us late",
    ),
    (
        "the second tier forgets the first",
        "fn penalty(breach) {
            if breach.late <= terms.grace { terms.fine * breach.late.started(hours(1)) }
            else { terms.more * breach.late.full(hours(24)) }
        }",
        Law::Monotone,
        "2400.00 CNY at 24 h late, 250.00 CNY at 24 h 1 us late",
    ),
    (
        "started and full units are mixed",
        "fn penalty(breach) {
            terms.fine * breach.late.started(hours(1)) - yuan(50) * breach.late.full(hours(1))
        }",
        Law::Monotone,
        "100.00 CNY at 59 min 59 s 999999 us late, 50.00 CNY at 1 h late",
    ),
    (
        "two units meet far from their beginnings",
        "fn penalty(breach) {
            let fine = yuan(0);
            if breach.late > hours(35) { fine += yuan(2) * breach.late.full(hours(1)) - yuan(1) * breach.late.full(minutes(90)) }
            fine
        }",
        Law::Monotone,
        "50.00 CNY at 37 h 29 min 59 s 999999 us late, 49.00 CNY at 37 h 30 min late",
    ),
    (
        "one instant is forgotten",
        "fn penalty(breach) { if breach.late == hours(36) { yuan(0) } else { terms.fine } }",
        Law::Monotone,
        "100.00 CNY at 35 h 59 min 59 s 999999 us late, 0.00 CNY at 36 h late",
    ),
    (
        "it starts again every week",
        "fn penalty(breach) { terms.fine * (breach.late.full(hours(24)) % 7) }",
        Law::Monotone,
        "600.00 CNY at 167 h 59 min 59 s 999999 us late, 0.00 CNY at 168 h late",
    ),
    (
        "one arm of the switch falls",
        r#"fn penalty(breach) {
            switch breach.ticket.priority {
                "P1" => terms.more,
                "P2" => if breach.late > hours(8) { terms.fine } else { terms.more },
                _ => terms.fine,
            }
        }"#,
        Law::Monotone,
        "250.00 CNY at 8 h late, 100.00 CNY at 8 h 1 us late",
    ),
    (
        "urgent ones fall",
        r#"fn is_urgent(ticket) { ticket.knows("urgent") && ticket.urgent }
        fn penalty(breach) {
            let days = breach.late.started(hours(24));
            if is_urgent(breach.ticket) && days >= 4 { terms.fine } else { terms.fine * days }
        }"#,
        Law::Monotone,
        "300.00 CNY at 72 h late, 100.00 CNY at 72 h 1 us late",
    ),
    (
        "it falls by days counted in a switch",
        "fn penalty(breach) {
            switch breach.late.full(hours(24)) { 0 => terms.fine, 1..=5 => terms.top, _ => terms.more }
        }",
        Law::Monotone,
        "500.00 CNY at 143 h 59 min 59 s 999999 us late, 250.00 CNY at 144 h late",
    ),
    (
        "a discount grows with the lateness",
        "fn penalty(breach) { max(terms.top - yuan(1) * breach.late.full(hours(24)), yuan(10)) }",
        Law::Monotone,
        "500.00 CNY at 23 h 59 min 59 s 999999 us late, 499.00 CNY at 24 h late",
    ),
    (
        "min and max are swapped",
        "//! cap: top\n\nfn penalty(breach) { max(terms.fine * breach.late.started(hours(1)), terms.top) }",
        Law::Capped,
        "600.00 CNY at 5 h 1 us late, beyond its cap of 500.00 CNY",
    ),
    (
        "the last tier is beyond the cap",
        "//! cap: top\n\nfn penalty(breach) { if breach.late > hours(100) { terms.more * 3 } else { terms.fine } }",
        Law::Capped,
        "750.00 CNY at 100 h 1 us late, beyond its cap of 500.00 CNY",
    ),
    (
        "the cap falls on a date, the penalty does not",
        "//! cap: falling\n\nfn penalty(breach) { terms.fine }",
        Law::Capped,
        "100.00 CNY at 0 s late, beyond its cap of 50.00 CNY",
    ),
    (
        "the grace is taken off the amount",
        "fn penalty(breach) { terms.fine * breach.late.started(hours(1)) - terms.more }",
        Law::Negative,
        "-250.00 CNY at 0 s late, below nothing",
    ),
    (
        "a number may be below zero",
        "fn penalty(breach) { terms.fine * breach.ticket.users }",
        Law::Negative,
        "-100.00 CNY at 0 s late, below nothing",
    ),
    (
        "a share of an amount that may be below zero",
        "fn penalty(breach) { terms.rate.of(breach.ticket.fee, \"up\") }",
        Law::Negative,
        "-0.01 CNY at 0 s late, below nothing",
    ),
    (
        "it overflows after some years",
        "fn penalty(breach) {
            let n = breach.late.started(seconds(1));
            terms.fine * n * n
        }",
        Law::Total,
        "`penalty` cannot be had at",
    ),
    (
        "a rest of nothing",
        "fn penalty(breach) { terms.fine * max(9 % breach.ticket.users, 0) }",
        Law::Total,
        "9 cannot be divided by 0",
    ),
    (
        "a unit of nothing",
        "fn penalty(breach) { terms.fine * breach.late.started(hours(breach.ticket.users)) }",
        Law::Total,
        "must be longer than nothing",
    ),
    (
        "a term without a value while the clause is in force",
        "//! from: 2026-06-01\n\nfn penalty(breach) { terms.late_term }",
        Law::Total,
        "the term `late_term` has no value in force",
    ),
    (
        "of two terms one begins later",
        "fn penalty(breach) { if breach.late > hours(9) { terms.late_term } else { terms.fine } }",
        Law::Total,
        "the term `late_term` has no value in force",
    ),
    (
        "a length of time below zero",
        "fn applies(ticket) { ticket.seen_at + hours(ticket.users) > ticket.reported_at }
        fn penalty(breach) { terms.fine }",
        Law::Total,
        "`applies` cannot be had: a length of time is zero or more, not -1",
    ),
    (
        "a period below zero",
        "fn classify(ticket) {
            if ticket.seen_at.plus(days(ticket.users)) > ticket.reported_at { free(\"it is new\") }
            else { undecided() }
        }",
        Law::Total,
        "`classify` cannot be had: a period is zero or more days, not -1",
    ),
    (
        "a share of a count that is no share",
        "fn escalation(ticket) { [at_share(\"repair\", percent(ticket.users)).notify(\"lead\")] }",
        Law::Total,
        "`escalation` cannot be had: a step at a share lies between 0 and 100 percent",
    ),
    (
        "an amount below zero on one clock",
        r#"fn penalty(breach) { if breach.clock == "repair" { yuan(-1) } else { terms.fine } }"#,
        Law::Negative,
        "-1.00 CNY at 0 s late, below nothing",
    ),
];

#[test]
fn every_seeded_mistake_is_found_with_a_ticket_that_shows_it() {
    for (name, body, law, expected) in BROKEN {
        let pack = penalty(body);
        let outcomes = check_laws(&pack);
        let found = outcome(&outcomes, law, "1");
        let sentence = &counterexample(found).sentence;
        assert!(sentence.contains(expected), "{name}: {found}");
        shows(&pack, found);
        // One mistake breaks one law; what follows from it may break another.
        let others = outcomes.iter().filter(|other| other.clause != "1" && other.diagnostic().is_some());
        assert_eq!(others.count(), 0, "{name}");
    }
}

#[test]
fn the_diagnostic_points_at_the_function_s_name() {
    let pack = penalty(BROKEN[0].1);
    let outcomes = check_laws(&pack);
    let diagnostic = outcome(&outcomes, Law::Monotone, "1").diagnostic().unwrap();
    assert_eq!(diagnostic.code, Code::LAW_MONOTONE);
    let place = Place { file: "clauses/1.rhai".into(), line: 3, column: 4, length: 7 };
    assert_eq!(diagnostic.place, place);
    // A fault has a place of its own beside it.
    let pack = penalty("fn penalty(breach) { terms.fine * breach.late.started(hours(breach.ticket.users)) }");
    let outcomes = check_laws(&pack);
    let diagnostic = outcome(&outcomes, Law::Total, "1").diagnostic().unwrap();
    assert_eq!((diagnostic.place, diagnostic.code), (place, Code::LAW_TOTAL));
    assert_eq!(diagnostic.related.first().map(|related| related.place.line), Some(3));
}

#[test]
fn a_counterexample_is_small() {
    // Of five facts only the priority matters, and the first hour.
    let pack = penalty(
        r#"fn penalty(breach) {
            let ticket = breach.ticket;
            let many = ticket.knows("users") && ticket.users > 3;
            let asked = ticket.knows("urgent") && ticket.urgent;
            let base = if many || asked { terms.more } else { terms.fine };
            if ticket.priority == "P3" && breach.late.full(hours(1)) >= 1 { yuan(1) } else { base }
        }"#,
    );
    let outcomes = check_laws(&pack);
    let found = counterexample(outcome(&outcomes, Law::Monotone, "1"));
    assert_eq!(found.facts, [("priority".to_owned(), "P3".to_owned())]);
    let lates: Vec<Span> = found.prices.iter().map(|at| at.late).collect();
    assert_eq!(lates, [HOUR - Span::from_micros(1), HOUR]);
    let reported = found.events.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>();
    assert_eq!(reported, ["reported"]);
}

#[test]
fn a_fact_changed_after_the_report_is_shown_by_an_update() {
    let pack = penalty(
        r#"fn penalty(breach) {
            let ticket = breach.ticket;
            if ticket.first.priority == "P1" && ticket.priority == "P3" && breach.late > hours(1) { yuan(0) }
            else { terms.fine }
        }"#,
    );
    let outcomes = check_laws(&pack);
    let found = outcome(&outcomes, Law::Monotone, "1");
    shows(&pack, found);
    let kinds: Vec<&str> = counterexample(found).events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["reported", "updated"]);
}

const TWICE: [&str; 2] = [
    r#"fn applies(ticket) { ticket.kind != "question" }
fn deadlines(ticket) { [due("repair").within(hours(2)).met_by("resolved", "closed")] }
fn penalty(breach) { terms.fine }"#,
    r#"fn applies(ticket) { ticket.kind == "failure" }
fn deadlines(ticket) { [due("repair").within(hours(4)).met_by("closed", "resolved")] }
fn penalty(breach) { terms.more * breach.late.started(hours(1)) }"#,
];

#[test]
fn one_breach_priced_by_two_clauses_is_found() {
    let pack = pack_of(&TWICE);
    let outcomes = check_laws(&pack);
    none_broken(&outcomes.iter().filter(|o| o.law != Law::Once).cloned().collect::<Vec<_>>(), "twice");
    let found = outcome(&outcomes, Law::Once, "2");
    let shown = counterexample(found);
    assert_eq!(shown.facts, [("kind".to_owned(), "failure".to_owned())]);
    assert_eq!(shown.clock.as_deref(), Some("repair"));
    let diagnostic = found.diagnostic().unwrap();
    assert_eq!((diagnostic.code, diagnostic.place.file.as_str()), (Code::LAW_ONCE, "clauses/2.rhai"));
    assert_eq!(diagnostic.related.first().map(|r| r.place.file.as_str()), Some("clauses/1.rhai"));
    // Both take their price of the one ticket.
    for clause in ["1", "2"] {
        assert!(price(&pack, shown, clause, Span::hours(3)).unwrap() > 0, "{clause}");
    }
}

#[test]
fn free_and_paid_of_one_ticket_is_found() {
    let free = r#"fn classify(ticket) { if ticket.users > 10 { free("many") } else { undecided() } }"#;
    let paid = r#"fn applies(ticket) { ticket.knows("urgent") }
fn classify(ticket) { if ticket.urgent { undecided() } else { paid("not urgent") } }"#;
    // Where nothing keeps the two apart, loading refuses them already.
    let floor = "fn deposit_floor() { yuan(0) }";
    let refused = holdback::Pack::check(super::files_with("", &[free, paid, floor]));
    let told: Vec<_> = refused.diagnostics.iter().filter(|told| told.is_error()).collect();
    assert!(refused.pack.is_none() && told.len() == 1 && told[0].code == Code::CONFLICT, "{told:?}");
    assert_eq!((told[0].place.length, told[0].related.len()), (8, 1));
    // With one overriding the other there is no ticket of which both are said.
    let over = pack_of(&[free, &format!("//! overrides: 1\n{paid}")]);
    none_broken(&check_laws(&over), "overriding");
}

#[test]
fn a_floor_below_nothing_is_found() {
    let pack = pack_with(&[
        &format!("{}\nfn penalty(breach) {{ terms.fine }}", super::REPAIR),
        "fn deposit_floor() { terms.falling - yuan(80) }",
    ]);
    let outcomes = check_laws(&pack);
    let found = outcome(&outcomes, Law::Floor, "2");
    assert!(counterexample(found).sentence.contains("-30.00 CNY at 2026-12-31T16:00:00Z"), "{found}");
    assert_eq!(found.diagnostic().unwrap().code, Code::LAW_FLOOR);
}

#[test]
fn a_floor_that_cannot_be_had_is_found_by_playing_histories() {
    let pack = pack_with(&[
        &format!("{}\nfn penalty(breach) {{ terms.fine }}", super::REPAIR),
        "fn deposit_floor() { terms.late_term }",
    ]);
    let outcomes = check_laws(&pack);
    let found = outcome(&outcomes, Law::Floor, "2");
    let shown = counterexample(found);
    assert!(shown.sentence.contains("penalties are not deducted"), "{found}");
    // A report and whatever lets time pass beyond the breach.
    assert_eq!(shown.events.len(), 2, "{:?}", shown.events);
    let mut engine = Engine::new();
    engine.open(pack.into()).unwrap();
    for event in &shown.events {
        engine.submit(event.clone()).unwrap();
    }
    let remarks = engine.statement("c").unwrap().remarks;
    assert!(remarks.contains(&shown.sentence), "{remarks:?}");
}

#[test]
fn a_step_of_a_clock_that_a_ticket_does_not_have_is_found() {
    let pack = pack_of(&[r#"fn deadlines(ticket) {
    if ticket.urgent { [due("quick").within(hours(1)).met_by("resolved")] }
    else { [due("slow").within(hours(8)).met_by("resolved")] }
}
fn escalation(ticket) { [at_breach("quick").notify("lead")] }"#]);
    let outcomes = check_laws(&pack);
    let found = counterexample(outcome(&outcomes, Law::Total, "1"));
    assert!(found.sentence.contains("a step names the clock `quick`"), "{found:?}");
    assert_eq!(found.facts, [("urgent".to_owned(), "false".to_owned())]);
}
