//! The money of a contract through the engine: caps, repetitions, growth, the parties' words.

use std::sync::Arc;

use holdback::{Engine, Event, Instant, Pack, PenaltyState, Statement, StatementLine};
use serde_json::{Value, json};

const PACK: &str = r#"
format = 1
name = "money"
version = "1"
currency = "CNY"
zone = "Asia/Shanghai"
contracts = ["c"]
"#;

const TERMS: &str = r#"
fine = { clause = "1", unit = "CNY", values = [{ from = 2026-01-01, value = "500.00" }] }
floor = { clause = "2", unit = "CNY", values = [{ from = 2026-01-01, value = "100.00" }, { from = 2026-04-01, value = "300.00" }] }
"#;

const FLOOR: &str = "fn deposit_floor() { terms.floor }";

/// A pack whose first clause prices `repair` with this, and whose second has this.
fn checked(terms: &str, first: &str, second: &str) -> holdback::Check {
    let repair = "fn deadlines(ticket) { [due(\"repair\").within(hours(2)).met_by(\"resolved\")] }";
    let files = [
        ("pack.toml", PACK.to_owned()),
        ("terms.toml", terms.to_owned()),
        ("contract.md", "# [1] Repair\n# [2] Deposit".to_owned()),
        ("clauses/1.rhai", format!("//! clause: 1\n{repair}\n{first}\n")),
        ("clauses/2.rhai", format!("//! clause: 2\n{second}\n")),
    ];
    Pack::check(files.into_iter().map(|(path, text)| (path.to_owned(), text)).collect())
}

fn pack(first: &str, second: &str) -> Arc<Pack> {
    let check = checked(TERMS, first, second);
    Arc::new(check.pack.unwrap_or_else(|| panic!("{:?}", check.diagnostics)))
}

fn at(text: &str) -> Instant {
    format!("2026-{text}:00+08:00").parse().unwrap()
}

fn tell(engine: &mut Engine, id: &str, ticket: Option<&str>, kind: &str, when: &str, data: Value) {
    let mut event =
        json!({ "id": id, "contract": "c", "kind": kind, "at": at(when), "actor": "李老师", "data": data });
    if let Some(ticket) = ticket {
        event["ticket"] = json!(ticket);
    }
    engine.submit(Event::from_value(event).unwrap()).unwrap();
}

fn opened(mut engine: Engine, pack: Arc<Pack>, deposit: &str) -> Engine {
    engine.open(pack).unwrap();
    tell(&mut engine, "paid", None, "deposit_paid", "01-02T09:00", json!({ "amount": deposit }));
    engine
}

fn stated(engine: &Engine) -> Statement {
    engine.statement("c").unwrap()
}

fn line(statement: &Statement, ticket: &str) -> StatementLine {
    statement.penalties.iter().find(|line| line.ticket == ticket).unwrap().clone()
}

fn yuan(lines: [&holdback::Money; 4]) -> [i64; 4] {
    lines.map(|money| money.minor() / 100)
}

/// A payment once paid an old shortfall by the floor of the last penalty, though the term had risen since.
#[test]
fn a_floor_that_has_risen_stands_when_the_deposit_is_topped_up() {
    let pack = pack("fn penalty(breach) { terms.fine }", FLOOR);
    let mut engine = opened(Engine::new(), pack, "400.00");
    tell(&mut engine, "1", Some("T1"), "reported", "03-02T09:00", json!({}));
    tell(&mut engine, "more", None, "deposit_paid", "04-02T09:00", json!({ "amount": "250.00" }));
    let statement = stated(&engine);
    // 300 in March down to the floor of 100; in April only what stands above 300.
    assert_eq!(statement.deposit.balance.to_string(), "300.00 CNY");
    assert_eq!(line(&statement, "T1").shortfall.to_string(), "150.00 CNY");
}

/// An acceptance told ahead of its instant once lifted the floor before it happened.
#[test]
fn a_floor_that_asks_for_the_acceptance_waits_for_its_instant() {
    let floor = "fn deposit_floor() { if contract.has(\"project_accepted\") { yuan(900) } else { yuan(0) } }";
    let pack = pack("fn penalty(breach) { terms.fine }", floor);
    let mut live = opened(Engine::live(at("03-02T08:00")), pack, "1000.00");
    tell(&mut live, "2", None, "project_accepted", "03-09T09:00", json!({}));
    tell(&mut live, "1", Some("T1"), "reported", "03-02T07:00", json!({}));
    live.advance(at("03-02T12:00")).unwrap();
    assert_eq!(stated(&live).deposit.floor.to_string(), "0.00 CNY");
    assert_eq!(line(&stated(&live), "T1").state, PenaltyState::Deducted);
    // From then on the clause answers otherwise, for the past too.
    live.advance(at("03-09T09:00")).unwrap();
    assert_eq!(line(&stated(&live), "T1").deducted.to_string(), "100.00 CNY");
}

#[test]
fn caps_and_repetitions_of_a_pack_are_applied_in_their_order() {
    let first = "fn penalty(breach) { terms.fine }\n\
        fn repeated(again) { if again.within(days(30)) >= 2 { again.amount * 2 } else { again.amount } }";
    let caps = format!(
        "{FLOOR}\nfn caps() {{ [cap_per_ticket(yuan(800)), cap_per_month(yuan(1400)).for_clauses(\"1\")] }}"
    );
    let mut engine = opened(Engine::new(), pack(first, &caps), "9000.00");
    for (id, ticket, when) in [
        ("1", "T1", "03-02T09:00"),
        ("2", "T2", "03-12T09:00"),
        ("3", "T3", "03-20T09:00"),
        ("4", "T4", "04-25T09:00"),
    ] {
        tell(&mut engine, id, Some(ticket), "reported", when, json!({}));
    }
    engine.advance(at("04-30T09:00")).unwrap();
    let statement = stated(&engine);
    let told = |ticket: &str| {
        let line = line(&statement, ticket);
        yuan([&line.base, &line.amount, &line.cut, &line.deducted])
    };
    assert_eq!(told("T1"), [500, 500, 0, 500]);
    assert_eq!(told("T2"), [500, 1000, 200, 800]);
    assert_eq!(told("T3"), [500, 1000, 900, 100]);
    assert_eq!(told("T4"), [500, 500, 0, 500]);
    let cuts = line(&statement, "T3").cut_by;
    let cuts: Vec<_> = cuts.iter().map(|cut| format!("{}: {}", cut.cap, cut.amount)).collect();
    assert_eq!(cuts, ["per ticket, clause 2: 200.00 CNY", "per month for 1, clause 2: 700.00 CNY"]);
}

#[test]
fn a_penalty_that_grows_is_posted_step_by_step_up_to_its_cap() {
    let first = "fn penalty(breach) { yuan(10) * breach.late.started(hours(1)) }";
    let caps = format!("{FLOOR}\nfn caps() {{ [cap_per_ticket(yuan(35))] }}");
    let mut engine = opened(Engine::new(), pack(first, &caps), "1000.00");
    tell(&mut engine, "1", Some("T1"), "reported", "03-02T09:00", json!({}));
    engine.advance(at("03-02T12:30")).unwrap();
    assert_eq!(stated(&engine).deposit.deducted.to_string(), "20.00 CNY");
    tell(&mut engine, "2", Some("T1"), "resolved", "03-02T16:30", json!({}));
    let statement = stated(&engine);
    let line = line(&statement, "T1");
    assert_eq!(yuan([&line.amount, &line.cut, &line.deducted, &statement.deposit.cut]), [60, 25, 35, 25]);
    let history: Vec<String> =
        statement.history.iter().skip(1).map(|p| format!("{} {}", p.at, p.balance.amount())).collect();
    assert_eq!(
        history[..3],
        ["2026-03-02T03:00:00Z 990.00", "2026-03-02T04:00:00Z 980.00", "2026-03-02T05:00:00Z 970.00"]
    );
}

#[test]
fn who_said_what_of_a_penalty_stands_in_its_line() {
    let pack = pack("fn penalty(breach) { terms.fine }", FLOOR);
    let mut engine = opened(Engine::new(), pack, "1000.00");
    tell(&mut engine, "1", Some("T1"), "reported", "03-02T09:00", json!({}));
    let penalty = json!({ "penalty": "T1/1/repair", "reason": "门禁未开" });
    tell(&mut engine, "3", None, "penalty_waived", "03-06T09:00", penalty.clone());
    tell(&mut engine, "2", None, "penalty_disputed", "03-04T09:00", penalty);
    let line = json!(line(&stated(&engine), "T1"));
    assert_eq!(
        line["say"],
        json!([
            { "kind": "disputed", "at": at("03-04T09:00"), "event": "2", "by": "李老师", "why": "门禁未开" },
            { "kind": "waived", "at": at("03-06T09:00"), "event": "3", "by": "李老师", "why": "门禁未开" },
        ])
    );
    assert_eq!((&line["state"], &line["subject"]), (&json!("waived"), &json!("ticket")));
    assert_eq!(stated(&engine).remarks, Vec::<String>::new());
}

#[test]
fn after_the_parties_have_settled_a_waiver_has_no_effect() {
    let pack = pack("fn penalty(breach) { terms.fine }", FLOOR);
    let mut engine = opened(Engine::new(), pack, "1000.00");
    tell(&mut engine, "1", Some("T1"), "reported", "03-02T09:00", json!({}));
    let penalty = json!({ "penalty": "T1/1/repair", "reason": "late" });
    tell(&mut engine, "3", None, "penalty_waived", "04-02T09:00", penalty);
    assert_eq!(line(&stated(&engine), "T1").state, PenaltyState::Waived);
    // Told later, though it happened before the waiver.
    tell(&mut engine, "2", None, "settled", "04-01T09:00", json!({}));
    let statement = stated(&engine);
    assert_eq!(line(&statement, "T1").state, PenaltyState::Deducted);
    assert!(
        statement.remarks[0].contains("`3`") && statement.remarks[0].contains("no effect"),
        "{statement:?}"
    );
}

/// Money of another currency cannot reach a cap: the term that would bring it is refused.
#[test]
fn a_cap_in_another_currency_is_refused_with_the_pack() {
    let dollars = TERMS.to_owned()
        + "most = { clause = \"2\", unit = \"USD\", values = [{ from = 2026-01-01, value = \"9.00\" }] }\n";
    let second = format!("{FLOOR}\nfn caps() {{ [cap_per_month(terms.most)] }}");
    let check = checked(&dollars, "fn penalty(breach) { terms.fine }", &second);
    assert!(check.pack.is_none());
    let told: Vec<String> = check.diagnostics.iter().map(ToString::to_string).collect();
    assert!(
        told.iter().any(|told| told.contains("most") && told.contains("CNY, the contract's currency")),
        "{told:?}"
    );
}
