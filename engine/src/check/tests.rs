//! What is found of many tickets at once holds for each of them.

use std::collections::BTreeMap;

use super::cells::{Asks, Space, windows};
use super::chance::{Dice, latenesses};
use super::price::clocks_of;
use super::ticket::{Asked, PENALTY, Sketch, is_design};
use super::value::{Seen, Way};
use super::walk::{Fuel, Walk};
use crate::Pack;

const PACK: &str = r#"format = 1
name = "walk"
version = "1"
currency = "CNY"
zone = "Asia/Shanghai"
contracts = ["c"]
[facts]
kind = { type = "one-of", values = ["a", "b", "c"] }
urgent = { type = "bool" }
n = { type = "integer" }
fee = { type = "money" }
seen = { type = "instant" }
remark = { type = "text" }
"#;

const TERMS: &str = r#"
fine = { clause = "1", unit = "CNY", values = [{ from = 2026-01-01, value = "100.00" }, { from = 2027-01-01, value = "-7.00" }] }
grace = { clause = "1", unit = "hours", values = [{ from = 2026-01-01, value = 24 }] }
rate = { clause = "1", unit = "percent", values = [{ from = 2026-01-01, value = "2.5" }, { from = 2028-01-01, value = "-3" }] }
begins = { clause = "2", unit = "CNY", values = [{ from = 2027-06-01, value = "1.00" }] }
"#;

/// Programs that use every sort of part; sound or not.
const PENALTIES: [&str; 16] = [
    "terms.fine * breach.late.started(hours(1))",
    "min(terms.fine * breach.late.full(hours(3)), terms.begins * 900)",
    "let t = breach.ticket; if t.n > 3 && breach.late > terms.grace { terms.fine * t.n } else { t.fee }",
    "let t = breach.ticket; if t.urgent || t.kind == \"b\" { return terms.fine; } t.fee - terms.fine * t.n",
    "switch breach.ticket.n { 0 => terms.fine, 1..5 => terms.fine * 2, 5..=9 => terms.begins, _ => yuan(4) }",
    "switch breach.late.full(hours(24)) { 0 => yuan(1), 1 | 2 => yuan(2), 3..=9 => yuan(3), _ => yuan(0) }",
    "terms.rate.of(terms.fine * breach.late.started(hours(5)) - breach.ticket.fee, \"half_even\")",
    "percent(breach.ticket.n).of(terms.fine, \"up\")",
    "let t = breach.ticket; let x = yuan(0); for i in 1..=4 { if t.n > i { x += terms.fine; } else if t.urgent { x += t.fee; } } x",
    "terms.fine * (breach.late.started(hours(2)) * -1 + breach.ticket.n)",
    "terms.fine * breach.late.started(hours(breach.ticket.n))",
    "if breach.ticket.seen + hours(30) > breach.due { terms.fine } else { terms.begins }",
    "if breach.ticket.seen.plus(months(2)) >= contract.accepted_at { terms.fine } else { breach.ticket.first.fee }",
    "let t = breach.ticket; let w = if t.remark == \"x\" { hours(2) } else { hours(7) }; terms.fine * (breach.late - w).full(hours(1))",
    "let t = breach.ticket; let k = if t.first.kind == t.kind { \"same\" } else { \"other\" }; if k == \"same\" { terms.fine } else { yuan(9) }",
    "terms.fine * (breach.late.full(hours(1)) % 5) + terms.fine * max(min(breach.ticket.n, 8), breach.late.started(hours(30)))",
];

fn pack(body: &str) -> Pack {
    let clause = format!(
        "//! clause: 1\nfn deadlines(ticket) {{ [due(\"x\").within(hours(2)).met_by(\"resolved\")] }}\nfn penalty(breach) {{ {body} }}"
    );
    let files: BTreeMap<String, String> = [
        ("pack.toml", PACK),
        ("terms.toml", TERMS),
        ("contract.md", "# [1] one\n# [2] two\n"),
        ("clauses/1.rhai", &clause),
        ("clauses/2.rhai", "//! clause: 2\nfn deposit_floor() { yuan(0) }"),
    ]
    .map(|(path, text)| (path.to_owned(), text.to_owned()))
    .into();
    Pack::from_files(files).unwrap_or_else(|faults| panic!("{body}: {faults}"))
}

#[test]
fn every_ticket_keeps_within_what_is_found_of_its_cell() {
    let mut checked = 0;
    for body in PENALTIES {
        let pack = pack(body);
        let clause = pack.policy.clauses.first().unwrap();
        let asked = Asked { pack: &pack, clause };
        let penalty = clause.program.entries[PENALTY].as_ref().unwrap();
        let asks = Asks::of([penalty]);
        let spans = windows(&pack, &[clause], &asks.terms);
        let mut dice = Dice::new(7);
        // Few cells with much left open, and many with little.
        for effort in [1, 200 * asks.nodes] {
            let space = Space::new(&pack, spans.clone(), &asks, &clocks_of(clause), effort);
            for number in (0..space.len()).take(40) {
                let cell = space.cell(number).unwrap();
                let lates = latenesses(&asks, &cell, &[], &mut dice);
                for nth in 0..100 {
                    let sketch = Sketch::of(&pack, &cell, &asks, nth, &mut dice);
                    let inputs = sketch.inputs(&pack);
                    let [a, b] = [(), ()].map(|()| *dice.pick(&lates).unwrap());
                    let (from, to) = (a.min(b), a.max(b));
                    let mut fuel = Fuel { left: u64::MAX };
                    let mut walk = Walk::new(&pack.policy.words, &cell, (from, to), &mut fuel);
                    let found = walk.call(penalty);
                    let may_fault = walk.fault.is_some();
                    let prices = [from, from + (to - from) / 2, to].map(|late| {
                        let price = asked.price(&sketch, &inputs, "x", late);
                        match (&price, &found) {
                            (Ok(Some(price)), Some(Seen::Range(range))) => {
                                assert!(
                                    (range.low..=range.high).contains(price),
                                    "{body}: {sketch:?} {late}: {price}, {range:?}"
                                );
                            }
                            (Ok(_), Some(Seen::Any(_))) => {}
                            (Err(fault), _) => assert!(
                                may_fault || is_design(&fault.message),
                                "{body}: {sketch:?} {fault:?}"
                            ),
                            other => panic!("{body}: {sketch:?} {late}: {other:?}"),
                        }
                        checked += 1;
                        price.ok().flatten()
                    });
                    let Some(Seen::Range(range)) = found else { continue };
                    let known: Vec<i64> = prices.into_iter().flatten().collect();
                    let keeps = known.windows(2).all(|pair| match range.way {
                        Way::Still => pair[0] == pair[1],
                        Way::Up => pair[0] <= pair[1],
                        Way::Down => pair[0] >= pair[1],
                        Way::Any => true,
                    });
                    assert!(keeps, "{body}: {sketch:?} {from}..{to}: {known:?}, {range:?}");
                }
            }
        }
    }
    assert!(checked > 40_000, "{checked}");
}
