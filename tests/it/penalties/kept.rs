//! Right penalties: nothing is said of them, and what can be proved is.

use std::path::Path;

use holdback::{Law, LawVerdict, Pack, check_laws};

use super::{none_broken, outcome, pack_of, penalty};

/// Every law of these is proved.
const PROVED: [(&str, &str); 18] = [
    ("fixed", "fn penalty(breach) { terms.fine }"),
    ("a term that falls on a date", "fn penalty(breach) { terms.falling }"),
    ("by the hour", "fn penalty(breach) { terms.fine * breach.late.started(hours(1)) }"),
    (
        "capped",
        "//! cap: top\n\nfn penalty(breach) { min(terms.fine * breach.late.full(minutes(30)), terms.top) }",
    ),
    (
        "capped by a term that falls",
        "//! cap: falling\n\nfn penalty(breach) { min(terms.fine, terms.falling) }",
    ),
    (
        "rising tiers",
        "fn penalty(breach) {
            if breach.late <= hours(8) { terms.fine }
            else if breach.late <= terms.grace { terms.more }
            else { terms.top }
        }",
    ),
    (
        "tiers that go on where the last ended",
        "fn penalty(breach) {
            let days = breach.late.started(hours(24));
            if days <= 3 { terms.fine * days } else { terms.fine * 3 + terms.more * (days - 3) }
        }",
    ),
    (
        "a share rounded down",
        "fn penalty(breach) { terms.rate.of(terms.fine * breach.late.started(hours(1)), \"down\") }",
    ),
    (
        "started and full units added",
        "fn penalty(breach) {
            terms.fine * breach.late.started(hours(1)) + terms.more * breach.late.full(hours(24))
        }",
    ),
    (
        "by priority, as first given and as it stands",
        r#"fn base(ticket) { switch ticket.first.priority { "P1" => terms.top, "P2" => terms.more, _ => terms.fine } }
        fn penalty(breach) {
            let fine = base(breach.ticket);
            if breach.ticket.priority == "P1" { fine * 2 } else { fine }
        }"#,
    ),
    (
        "a grace before it counts",
        "fn penalty(breach) {
            if breach.late <= terms.grace { return yuan(0); }
            terms.fine * (breach.late - terms.grace).started(hours(1))
        }",
    ),
    (
        "a number that cannot fall below zero",
        "fn penalty(breach) { terms.fine * max(breach.ticket.users, 0) }",
    ),
    (
        "a loop and a variable that changes",
        "fn penalty(breach) {
            let sum = terms.fine;
            for day in 1..=3 { if breach.late > hours(24) * day { sum += terms.fine; } }
            sum
        }",
    ),
    (
        "days in a switch",
        "fn penalty(breach) {
            switch breach.late.full(hours(24)) { 0 => terms.fine, 1..=5 => terms.more, _ => terms.top }
        }",
    ),
    (
        "facts that may be unknown",
        r#"fn penalty(breach) { if breach.ticket.urgent { terms.more } else { terms.fine } }
        fn findings(ticket) { if ticket.has("closed") && ticket.urgent { [finding("closed")] } else { [] } }"#,
    ),
    (
        "the contract's own dates",
        "fn penalty(breach) {
            if contract.has(\"signed\") && breach.due > contract.signed_at { terms.fine } else { yuan(0) }
        }
        fn classify(ticket) {
            if ticket.reported_at > contract.accepted_at.plus(years(3)) { paid(\"over\") } else { free(\"new\") }
        }",
    ),
    (
        "the way it came",
        r#"fn applies(ticket) { ticket.via != "phone" || ticket.kind == "failure" }
        fn penalty(breach) { if breach.ticket.via == "web" { terms.fine } else { terms.more } }"#,
    ),
    (
        "the lesser of two that rise",
        "fn penalty(breach) {
            let n = breach.late.started(hours(1));
            min(terms.fine * n, terms.top + terms.more * breach.late.full(hours(24)))
        }",
    ),
];

/// These are right, but what they rest on has too many values to go through.
const TRIED: [(&str, &str, Law); 4] = [
    (
        "a number asked for its sign",
        "fn penalty(breach) { if breach.ticket.users > 0 { terms.fine * breach.ticket.users } else { yuan(0) } }",
        Law::Negative,
    ),
    (
        "a fee, by days",
        "fn penalty(breach) {
            let fee = max(breach.ticket.fee, yuan(0));
            if breach.late.started(hours(24)) <= 3 { fee } else { fee + fee }
        }",
        Law::Monotone,
    ),
    (
        "a mixture that happens to rise",
        "fn penalty(breach) {
            yuan(10) * (breach.late.full(hours(1)) - breach.late.full(hours(2)))
        }",
        Law::Monotone,
    ),
    (
        "a cap on a fact",
        "//! cap: top\n\nfn penalty(breach) { if breach.ticket.fee < terms.top { max(breach.ticket.fee, yuan(0)) } else { terms.top } }",
        Law::Capped,
    ),
];

#[test]
fn what_is_right_is_proved() {
    for (name, body) in PROVED {
        let outcomes = check_laws(&penalty(body));
        none_broken(&outcomes, name);
        for outcome in outcomes.iter().filter(|outcome| outcome.law != Law::Floor) {
            let proved = matches!(outcome.verdict, LawVerdict::Proved | LawVerdict::NotStated);
            assert!(proved, "{name}: {outcome}");
        }
    }
}

#[test]
fn what_cannot_be_proved_is_said_to_be_tried() {
    for (name, body, law) in TRIED {
        let outcomes = check_laws(&penalty(body));
        none_broken(&outcomes, name);
        let found = outcome(&outcomes, law, "1");
        assert!(matches!(found.verdict, LawVerdict::Tried(n) if n > 100), "{name}: {found}");
        assert!(found.to_string().contains(": tried "), "{found}");
    }
}

#[test]
fn no_cap_is_not_missed() {
    let outcomes = check_laws(&penalty("fn penalty(breach) { terms.fine * breach.late.started(hours(1)) }"));
    let capped = outcome(&outcomes, Law::Capped, "1");
    assert_eq!(capped.verdict, LawVerdict::NotStated);
    assert_eq!(capped.to_string(), "1 penalty: no cap stated");
    let monotone = outcome(&outcomes, Law::Monotone, "1");
    assert_eq!(monotone.to_string(), "1 penalty: never falls with lateness: proved");
}

#[test]
fn clauses_that_never_meet_price_no_breach_twice() {
    let clause = |head: &str, kind: &str, clock: &str| {
        format!(
            "{head}fn applies(ticket) {{ ticket.kind == \"{kind}\" }}
fn deadlines(ticket) {{ [due(\"{clock}\").within(hours(2)).met_by(\"resolved\")] }}
fn penalty(breach) {{ terms.fine }}"
        )
    };
    for (name, first, second) in [
        ("other tickets", clause("", "failure", "repair"), clause("", "wish", "repair")),
        ("other clocks", clause("", "failure", "repair"), clause("", "failure", "visit")),
        (
            "other times",
            clause("//! until: 2026-07-01\n", "failure", "repair"),
            clause("//! from: 2026-07-01\n", "failure", "repair"),
        ),
    ] {
        let outcomes = check_laws(&pack_of(&[&first, &second]));
        none_broken(&outcomes, name);
        assert_eq!(outcome(&outcomes, Law::Once, "2").verdict, LawVerdict::Proved, "{name}");
    }
}

#[test]
fn a_pack_made_to_be_hard_ends() {
    let facts: String = (0..100).map(|i| format!("[facts.f{i}]\ntype = \"integer\"\n")).collect();
    let sum: Vec<String> =
        (0..100).map(|i| format!("breach.late.started(minutes({})) * ticket.f{i}", i + 1)).collect();
    let tests: String = (0..100)
        .map(|i| format!("if ticket.f{i} > {i} && breach.late > minutes({i}) {{ n += {}; }}\n", sum[i]))
        .collect();
    let hard = format!(
        "{}\nfn penalty(breach) {{ let ticket = breach.ticket; let n = 0; {tests} terms.fine * min(max(n, 0), 9) }}",
        super::REPAIR
    );
    let pack = super::pack_with_facts(&facts, &[&hard, &hard, "fn deposit_floor() { yuan(0) }"]);
    let outcomes = check_laws(&pack);
    let monotone = &outcome(&outcomes, Law::Monotone, "1").verdict;
    assert!(!matches!(monotone, LawVerdict::Proved), "{monotone:?}");
    assert_eq!(outcome(&outcomes, Law::Negative, "1").verdict, LawVerdict::Proved);
}

#[test]
fn both_packs_keep_every_law() {
    for name in ["school-after-sales", "it-incidents"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules").join(name);
        let outcomes = check_laws(&Pack::open(&folder).unwrap());
        none_broken(&outcomes, name);
        let tried = outcomes.iter().filter(|outcome| matches!(outcome.verdict, LawVerdict::Tried(_)));
        assert!(
            tried.clone().all(|outcome| matches!(outcome.law, Law::Floor | Law::Credit)),
            "{:?}",
            tried.collect::<Vec<_>>()
        );
    }
}
