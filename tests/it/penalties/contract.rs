//! The laws of what is owed without a ticket: missed duties, repetitions, caps.

use holdback::{Law, LawVerdict, check_laws};

use super::{counterexample, none_broken, outcome, pack_of, pack_with};

const BACKUP: &str =
    r#"fn duties() { [duty("backup").every("FREQ=MONTHLY;BYMONTHDAY=1").within(hours(24))] }"#;

/// What is wrong, the clause beside its duty, the law it breaks and what is said.
const BROKEN: [(&str, &str, Law, &str); 11] = [
    (
        "a missed duty costs less the next day",
        "fn penalty(breach) { if breach.late > hours(24) { terms.fine } else { terms.more } }",
        Law::Monotone,
        "the penalty falls: 250.00 CNY at 24 h late, 100.00 CNY at 24 h 1 us late; the duty `backup`",
    ),
    (
        "it asks which duty it is",
        "fn penalty(breach) { if breach.clock == \"backup\" { terms.fine - terms.more } else { terms.fine } }",
        Law::Negative,
        "the penalty is -150.00 CNY at 0 s late, below nothing; the duty `backup`",
    ),
    (
        "a missed duty beyond the cap",
        "//! cap: top\n\nfn penalty(breach) { terms.more * breach.late.started(hours(1)) }",
        Law::Capped,
        "750.00 CNY at 2 h 1 us late, beyond its cap of 500.00 CNY; the duty `backup`",
    ),
    (
        "no price for one that is not late yet",
        "fn penalty(breach) { terms.fine * hours(24).started(breach.late) }",
        Law::Total,
        "`penalty` cannot be had at 0 s late",
    ),
    (
        "the second is cheaper than the first",
        "fn penalty(breach) { terms.more }
        fn repeated(again) { if again.within(days(30)) == 1 { again.amount * 2 } else { again.amount } }",
        Law::Repeated,
        "the penalty falls: 500.00 CNY after 0 breaches, 250.00 CNY after 1; `backup`",
    ),
    (
        "a share of the price for all that come again",
        "fn penalty(breach) { terms.more }
        fn repeated(again) { if again.within(days(30)) > 3 { terms.rate.of(again.amount, \"up\") } else { yuan(0) } }",
        Law::Repeated,
        "a breach of 250.00 CNY costs 6.25 CNY after 3 breaches; `backup`",
    ),
    (
        "it never costs anything",
        "fn penalty(breach) { terms.more }
        fn repeated(again) { again.amount * min(again.within(days(30)), 0) }",
        Law::Repeated,
        "a breach of 250.00 CNY costs 0.00 CNY after 100 breaches; `backup`",
    ),
    (
        "the dearer costs less",
        "fn penalty(breach) { min(terms.fine * breach.late.started(hours(24)), terms.top) }
        fn repeated(again) { max(terms.top * 3 - again.amount, again.amount * again.within(days(7))) }",
        Law::Repeated,
        "the penalty falls as the breach costs more",
    ),
    (
        "less than nothing for the first",
        "fn penalty(breach) { terms.fine }
        fn repeated(again) { again.amount * again.within(days(7)) - terms.more }",
        Law::Repeated,
        "a repetition costs -150.00 CNY, below nothing; `backup`",
    ),
    (
        "it overflows",
        "fn penalty(breach) { terms.fine }
        fn repeated(again) { again.amount * (again.within(weeks(2)) * 9000000000000000) }",
        Law::Repeated,
        "`repeated` cannot be had",
    ),
    (
        "a cap falls below nothing on a date",
        "fn caps() { [cap_per_month(terms.top), cap_per_year(terms.falling - terms.fine)] }",
        Law::Total,
        "`caps` cannot be had: a cap of -50.00 CNY: expected zero or more; by the terms at 2027-01-01T02:00:00Z",
    ),
];

#[test]
fn what_is_wrong_without_a_ticket_is_found() {
    for (what, body, law, says) in BROKEN {
        let (head, body) = body.split_once("\n\n").unwrap_or(("", body));
        let pack = pack_of(&[format!("{head}\n{BACKUP}\n{body}").trim_start()]);
        let outcomes = check_laws(&pack);
        let found = counterexample(outcome(&outcomes, law, "1"));
        assert!(found.sentence.contains(says), "{what}: {}", found.sentence);
        assert!(found.reported_at.is_none() && found.events.is_empty(), "{what}: {found:?}");
        let others = outcomes.iter().filter(|outcome| matches!(outcome.verdict, LawVerdict::Broken(_)));
        assert!(others.clone().all(|other| other.law == law || law == Law::Total), "{what}: {outcomes:#?}");
    }
}

#[test]
fn what_is_right_without_a_ticket_is_left_in_peace() {
    for body in [
        "fn penalty(breach) { if breach.clock == \"backup\" { terms.fine } else { terms.more } }",
        "//! cap: top\n\nfn penalty(breach) { min(terms.fine * breach.late.started(hours(24)), terms.top) }",
        "fn penalty(breach) { terms.fine }
        fn repeated(again) { if again.within(days(30)) > 1 { again.amount * 2 } else { again.amount } }",
        // Nothing before the third in a month.
        "fn penalty(breach) { terms.fine * breach.late.full(hours(24)) }
        fn repeated(again) { if again.within(days(30)) < 3 { yuan(0) } else { again.amount } }",
        // The first costs half.
        "fn penalty(breach) { terms.fine }
        fn repeated(again) { if again.within(weeks(1)) == 1 { percent(50).of(again.amount, \"up\") } else { again.amount } }",
        // A limit above all prices.
        "fn penalty(breach) { min(terms.fine * breach.late.started(hours(24)), terms.more) }
        fn repeated(again) { min(again.amount * again.within(days(30)), terms.top) }",
        "fn penalty(breach) { terms.fine }
        fn repeated(again) { if contract.signed_at < again.at { again.amount + terms.fine } else { again.amount } }",
        "fn caps() { [cap_per_month(terms.falling), cap_in_all(max(terms.fine - terms.top, yuan(0)))] }",
    ] {
        let (head, body) = body.split_once("\n\n").unwrap_or(("", body));
        let pack = pack_of(&[format!("{head}\n{BACKUP}\n{body}").trim_start()]);
        let outcomes = check_laws(&pack);
        none_broken(&outcomes, body);
        if body.contains("fn penalty") {
            for law in [Law::Monotone, Law::Negative, Law::Total] {
                assert_eq!(outcome(&outcomes, law, "1").verdict, LawVerdict::Proved, "{law:?} of {body}");
            }
        }
        if body.contains("fn repeated") {
            let verdict = &outcome(&outcomes, Law::Repeated, "1").verdict;
            assert!(matches!(verdict, LawVerdict::Tried(n) if *n > 20), "{body}: {verdict:?}");
        }
    }
}

#[test]
fn repetitions_of_clocks_and_of_service_levels_are_looked_at() {
    let again = "fn repeated(again) { if again.within(days(90)) > 2 { terms.fine } else { again.amount } }";
    let clock = format!(
        "{}\nfn penalty(breach) {{ terms.fine * breach.ticket.users * breach.ticket.users }}\n{again}",
        super::REPAIR
    );
    let level = format!(
        "fn service_levels() {{ [availability(\"portal\").per_month()] }}
        fn credit(period) {{ if period.share < terms.rate {{ terms.top }} else {{ yuan(0) }} }}\n{again}"
    );
    let pack = pack_with(&[&clock, &level, "fn deposit_floor() { yuan(0) }"]);
    let outcomes = check_laws(&pack);
    for (clause, name) in [("1", "`repair`"), ("2", "`portal`")] {
        let found = counterexample(outcome(&outcomes, Law::Repeated, clause));
        assert!(found.sentence.contains(name), "{}", found.sentence);
    }
}
