//! Random tiers: what is proved no grid refutes, what is broken is shown.

use holdback::{Event, Instant, Law, LawVerdict, Pack, Span, check_laws};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::{outcome, penalty, played, shows};

/// An amount that may grow: a base, and so much for each unit.
fn amount() -> impl Strategy<Value = String> {
    let unit = select(&["minutes(90)", "hours(1)", "hours(5)", "terms.grace"][..]);
    let word = select(&["started", "full"][..]);
    prop_oneof![
        2 => (0..30i64).prop_map(|yuan| format!("yuan({yuan})")),
        2 => (0..9i64, word, unit).prop_map(|(yuan, word, unit)| format!("yuan({yuan}) * breach.late.{word}({unit})")),
    ]
}

/// Amounts joined.
fn sum() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => amount(),
        2 => (amount(), amount()).prop_map(|(a, b)| format!("({a} + {b})")),
        1 => (amount(), amount()).prop_map(|(a, b)| format!("({a} - {b})")),
        1 => (amount(), amount(), select(&["min", "max"][..])).prop_map(|(a, b, word)| format!("{word}({a}, {b})")),
        1 => (amount(), 1..90i64).prop_map(|(a, share)| format!("percent({share}).of({a}, \"half_up\")")),
    ]
}

/// Conditions on the lateness or on a fact.
fn condition() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => (1..40i64, select(&["<", "<=", ">", ">=", "=="][..])).prop_map(|(h, sign)| format!("breach.late {sign} hours({h})")),
        2 => (1..9i64, select(&["<", "<=", ">", "=="][..])).prop_map(|(n, sign)| format!("breach.late.started(hours(5)) {sign} {n}")),
        1 => Just("breach.ticket.urgent".to_owned()),
    ]
}

fn body() -> impl Strategy<Value = String> {
    let tiers = (condition(), sum(), condition(), sum(), sum())
        .prop_map(|(a, x, b, y, z)| format!("if {a} {{ {x} }} else if {b} {{ {y} }} else {{ {z} }}"));
    prop_oneof![1 => sum(), 3 => tiers, 1 => (sum(), sum(), condition()).prop_map(|(a, b, c)| {
        format!("let fine = {a}; if {c} {{ fine += {b}; }} fine")
    })]
}

fn report(urgent: bool) -> Vec<Event> {
    let text = json!({ "id": "1", "contract": "c", "ticket": "T1", "kind": "reported",
        "at": "2026-03-02T00:00:00Z", "data": { "urgent": urgent } });
    vec![Event::from_value(text).unwrap()]
}

/// The prices over a grid of latenesses around the hours and half hours of the first days; a fault has none.
fn grid(pack: &Pack, urgent: bool) -> Vec<(i64, Result<i64, String>)> {
    let due: Instant = "2026-03-02T02:00:00Z".parse().unwrap();
    let events = report(urgent);
    let mut prices = Vec::new();
    for half in 0..110 {
        for near in [-1, 0, 1] {
            let late = half * 1_800_000_000 + near;
            if late < 1 {
                continue;
            }
            let assessment = played(pack, &events, due.checked_add(Span::from_micros(late)).unwrap());
            let price = match assessment.fault {
                Some(fault) => Err(fault.message),
                None => Ok(assessment.penalties.first().map_or(0, |penalty| penalty.amount.minor())),
            };
            prices.push((late, price));
        }
    }
    prices
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn verdicts_agree_with_a_grid_of_prices(body in body()) {
        let pack = penalty(&format!("//! cap: more\n\nfn penalty(breach) {{ {body} }}"));
        let outcomes = check_laws(&pack);
        for outcome in &outcomes {
            if matches!(outcome.verdict, LawVerdict::Broken(_)) {
                prop_assert!(matches!(outcome.law, Law::Monotone | Law::Capped | Law::Negative), "{}", outcome);
                shows(&pack, outcome);
            }
        }
        let verdict = |law| &outcome(&outcomes, law, "1").verdict;
        for urgent in [false, true] {
            let prices = grid(&pack, urgent);
            let good: Vec<(i64, i64)> =
                prices.iter().filter_map(|(late, price)| Some((*late, price.clone().ok()?))).collect();
            let falls = good.windows(2).find(|pair| pair[0].1 > pair[1].1);
            let over = good.iter().find(|(_, price)| *price > 25_000);
            let negative = prices.iter().any(|(_, price)| price.is_err());
            // What the grid sees is found, and what is proved it does not see.
            let broken = |law| matches!(verdict(law), LawVerdict::Broken(_));
            if !negative {
                prop_assert!(falls.is_none() || broken(Law::Monotone), "{body}: {falls:?}, {:?}", verdict(Law::Monotone));
            }
            prop_assert!(falls.is_none() || *verdict(Law::Monotone) != LawVerdict::Proved, "{body}: {falls:?}");
            prop_assert!(over.is_none() || broken(Law::Capped), "{body}: {over:?}, {:?}", verdict(Law::Capped));
            prop_assert!(!negative || broken(Law::Negative), "{body}: {:?}", verdict(Law::Negative));
        }
    }
}
