//! The school contract's clauses in English words and in Chinese ones decide the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use holdback::{
    Assessment, CONTRACT_KINDS, ClockState, Event, Instant, Pack, Span, TICKET_KINDS, assess, run_cases,
};
use serde_json::{Map, Value, json};

use crate::rules::root;

/// So many random tickets are assessed by both packs.
const TICKETS: u64 = 10_000;
const CONTRACT: &str = "school-2026";

fn files() -> BTreeMap<String, String> {
    Pack::check_folder(&root().join("rules/school-after-sales")).files
}

/// The files with another folder of clauses chosen.
fn choosing(folder: &str) -> BTreeMap<String, String> {
    let mut files = files();
    let pack = files.get_mut("pack.toml").expect("pack.toml");
    let chosen = pack.replace("\nclauses = \"clauses\"\n", &format!("\nclauses = \"{folder}\"\n"));
    assert!(folder == "clauses" || chosen != *pack, "pack.toml chooses a folder");
    *pack = chosen;
    files
}

fn clean(files: BTreeMap<String, String>) -> Arc<Pack> {
    let check = Pack::check(files);
    let told: Vec<String> = check.diagnostics.iter().map(|told| format!("{told}")).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    Arc::new(check.pack.expect("a pack without errors"))
}

static ENGLISH: LazyLock<Arc<Pack>> = LazyLock::new(|| clean(choosing("clauses")));
static CHINESE: LazyLock<Arc<Pack>> = LazyLock::new(|| clean(choosing("条款")));

#[test]
fn the_folder_that_is_not_chosen_may_hold_anything() {
    for (chosen, other) in [("clauses", "条款"), ("条款", "clauses")] {
        let mut files = choosing(chosen);
        let mut broken = 0;
        for (_, text) in files.iter_mut().filter(|(path, _)| path.starts_with(&format!("{other}/"))) {
            *text = "//! clause: 9.9\nwhile true { } 坏".to_owned();
            broken += 1;
        }
        assert_eq!(broken, 19, "{other}");
        clean(files);
    }
}

/// An assessment as text. A fault's place is that of the file; its words are the same.
fn told(assessment: &Assessment) -> String {
    let mut told = serde_json::to_value(assessment).expect("JSON");
    if let Some(fault) = told.get_mut("fault").and_then(Value::as_object_mut) {
        assert!(fault["line"].as_u64() > Some(0), "{fault:?}");
        fault.remove("line");
        fault.remove("column");
    }
    told.to_string().replace("条款/", "clauses/")
}

fn assessed(pack: &Pack, history: &History) -> Assessment {
    assess(pack, &history.contract, &history.ticket, history.as_of).expect("events that the pack knows")
}

#[test]
fn all_cases_come_out_the_same() {
    let (english, chinese) = (run_cases(&ENGLISH), run_cases(&CHINESE));
    assert!(english.len() > 200 && english.len() == chinese.len());
    for (english, chinese) in english.iter().zip(&chinese) {
        assert_eq!(english, chinese);
        assert_eq!(chinese.differences, [], "{}: {}", chinese.file, chinese.name);
    }
    let mut compared = 0;
    for (path, text) in files().iter().filter(|(path, _)| path.starts_with("cases/")) {
        let file: toml::Table = text.parse().expect(path);
        for case in file["case"].as_array().expect("cases") {
            let history = History::of_case(case);
            let with = |pack: &Pack| match case.get("set").and_then(toml::Value::as_table) {
                None => assessed(pack, &history),
                Some(set) => {
                    let mut terms = set.iter();
                    let (name, value) = terms.next().expect("a term");
                    let pack = pack.with_term(name, &plain(value)).expect("a value that fits");
                    let pack = terms.fold(pack, |pack, (name, value)| {
                        pack.with_term(name, &plain(value)).expect("a value that fits")
                    });
                    assessed(&pack, &history)
                }
            };
            let (english, chinese) = (with(&ENGLISH), with(&CHINESE));
            assert_eq!(told(&english), told(&chinese), "{path}: {}", case["name"]);
            compared += 1;
        }
    }
    assert_eq!(compared, english.len());
}

fn plain(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A ticket's history under its contract.
#[derive(Debug)]
struct History {
    contract: Vec<Event>,
    ticket: Vec<Event>,
    as_of: Instant,
}

impl History {
    /// The first ticket of a case.
    fn of_case(case: &toml::Value) -> History {
        let mut history = History {
            contract: Vec::new(),
            ticket: Vec::new(),
            as_of: plain(&case["as_of"]).parse().expect("an instant"),
        };
        let ticket = case.get("ticket").map_or("T1".to_owned(), plain);
        for (i, event) in case["events"].as_array().expect("events").iter().enumerate() {
            let mut event: Map<String, Value> =
                serde_json::to_value(event).expect("JSON").as_object().expect("an event").clone();
            let of_contract = CONTRACT_KINDS.contains(&event["kind"].as_str().unwrap());
            event.entry("id").or_insert(json!(format!("e{i:03}")));
            event.entry("contract").or_insert(json!(CONTRACT));
            if !of_contract {
                event.entry("ticket").or_insert(json!(ticket));
            }
            let event = Event::from_json(&json!(event).to_string()).expect("an event");
            if of_contract {
                history.contract.push(event);
            } else if event.ticket.as_deref() == Some(&ticket) {
                history.ticket.push(event);
            }
        }
        history
    }

    /// Any history, the same for the same number.
    fn random(number: u64) -> History {
        let mut dice = Dice(number);
        // Two years and a half with published holidays before them and after most of them.
        let start: Instant = "2024-01-02T00:00:00Z".parse().unwrap();
        let at_midnight = dice.chance(10);
        let day = dice.below(900) * 86_400;
        // 16:00 in UTC is midnight under the contract.
        let reported = later(start, day + if at_midnight { 16 * 3_600 } else { dice.below(86_400) });
        let mut ticket = vec![dice.event(0, "reported", reported)];
        let mut at = reported;
        for i in 1..=dice.below(12) {
            at = later(at, dice.gap());
            let kind = dice.kind();
            ticket.push(dice.event(i, kind, at));
        }
        let mut contract = Vec::new();
        for (kind, percent) in [("signed", 60), ("project_accepted", 70)] {
            if dice.chance(percent) {
                // Three years before a midnight the free period ends with it; one of them has a day more.
                let exactly = dice.pick(&[1_095, 1_096]) * 86_400 + 6 * 3_600;
                let before = if at_midnight { exactly } else { dice.below(5 * 365 * 86_400) };
                let at = Instant::from_micros(reported.micros() - i64::try_from(before).unwrap() * 1_000_000)
                    .unwrap();
                let event = json!({ "id": kind, "contract": CONTRACT, "kind": kind, "at": at });
                contract.push(Event::from_json(&event.to_string()).unwrap());
            }
        }
        // The order of telling does not matter.
        if dice.chance(30) {
            ticket[1..].reverse();
        }
        let as_of = later(if dice.chance(80) { at } else { reported }, dice.gap());
        History { contract, ticket, as_of }
    }
}

fn later(at: Instant, seconds: u64) -> Instant {
    at.checked_add(Span::from_micros(i64::try_from(seconds).unwrap() * 1_000_000)).unwrap()
}

const DECLARED: [&str; 6] =
    ["receipt_sent", "contingency_given", "solution_given", "written_request", "understood", "answered"];

/// Numbers that look random and are always the same (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ 0x5bd1_e995).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let place = self.below(from.len() as u64);
        from[usize::try_from(place).unwrap()]
    }

    /// Minutes, hours, days or weeks; often the very length of a limit.
    fn gap(&mut self) -> u64 {
        let exact = [0, 1, 300, 600, 601, 3_600, 7_200, 7_201, 14_400, 86_400, 3 * 86_400, 7 * 86_400];
        match self.below(5) {
            0 => self.pick(&exact),
            1 => self.below(1_200),
            2 => self.below(6 * 3_600),
            3 => self.below(8 * 86_400),
            _ => self.below(50 * 86_400),
        }
    }

    fn kind(&mut self) -> &'static str {
        match self.below(3) {
            0 => self.pick(&DECLARED),
            // A second report says nothing new; the other kinds do.
            _ => self.pick(&TICKET_KINDS[1..]),
        }
    }

    fn event(&mut self, number: u64, kind: &str, at: Instant) -> Event {
        let mut data = Map::new();
        let reported = kind == "reported";
        let mut fact = |dice: &mut Dice, percent: u64, name: &str, values: &[Value]| {
            if dice.chance(percent) {
                let place = usize::try_from(dice.below(values.len() as u64)).unwrap();
                data.insert(name.to_owned(), values[place].clone());
            }
        };
        let kinds = ["failure", "emergency", "personalised", "usability", "performance", "question"];
        fact(self, if reported { 97 } else { 4 }, "kind", &kinds.map(Value::from));
        fact(self, 12, "maintenance", &["corrective", "adaptive", "perfective"].map(Value::from));
        fact(self, 12, "cause", &["software", "hardware", "other"].map(Value::from));
        fact(self, 12, "mode", &["paid", "free"].map(Value::from));
        fact(self, 12, "in_scope", &[true, false].map(Value::from));
        fact(self, 12, "test_record", &[true, false].map(Value::from));
        let plan_due = json!(later(at, self.gap()));
        fact(self, if kind == "plan_agreed" { 80 } else { 1 }, "plan_due", &[plan_due]);
        if ["paused", "resumed", "cancelled", "rejected"].contains(&kind) {
            data.insert("reason".to_owned(), json!(self.pick(&["customer", "parts"])));
        }
        let mut event = json!({
            "id": format!("e{:03}", (number * 37 + 11) % 97), "contract": CONTRACT, "ticket": "T1",
            "kind": kind, "at": at, "data": data,
        });
        if self.chance(if reported { 85 } else { 5 }) {
            event["via"] = json!(self.pick(&["phone", "phone", "web", "written", "monitor"]));
        }
        Event::from_json(&event.to_string()).expect("an event")
    }
}

/// What an assessment has in it, to see that random tickets get everywhere.
fn marks(assessment: &Assessment) -> Vec<String> {
    let mut marks = vec![format!("class {:?}", assessment.class.as_ref().map(|class| &class.clause))];
    marks.extend(assessment.clocks.iter().map(|clock| format!("{} {:?}", clock.clock, clock.state)));
    marks.extend(assessment.findings.iter().map(|finding| format!("finding {}", finding.clause)));
    marks.extend(assessment.penalties.iter().map(|penalty| format!("penalty {}", penalty.clause)));
    marks.extend(assessment.fault.iter().map(|fault| format!("fault {}", fault.clause)));
    marks
}

#[test]
fn random_tickets_are_assessed_the_same_in_both_languages() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for number in 0..TICKETS {
        let history = History::random(number);
        let (english, chinese) = (assessed(&ENGLISH, &history), assessed(&CHINESE, &history));
        let same = english == chinese || told(&english) == told(&chinese);
        assert!(
            same,
            "ticket {number}:\n{}\n{}\n{}\n{}",
            json!(history.contract),
            json!(history.ticket),
            told(&english),
            told(&chinese)
        );
        seen.extend(marks(&english));
    }
    let clocks = [
        "response",
        "repair",
        "plan",
        "agreed",
        "speed",
        "convenience",
        "dispatch",
        "contingency",
        "solution",
        "understand",
        "answer",
        "start",
    ];
    let states = [ClockState::Running, ClockState::Met, ClockState::Breached, ClockState::Late];
    let mut wanted: Vec<String> = clocks
        .iter()
        .flat_map(|clock| states.iter().map(move |state| format!("{clock} {state:?}")))
        .collect();
    for clause in ["1.2-triage", "1.3-warranty", "1.3-in-scope"] {
        wanted.push(format!("class {:?}", Some(clause)));
    }
    for clause in [
        "1.2-acceptance",
        "1.2-intake",
        "1.2-kinds",
        "1.2-triage",
        "1.2-work",
        "1.3-in-scope",
        "1.3-performance",
        "1.3-warranty",
        "1.5(2)",
    ] {
        wanted.push(format!("finding {clause}"));
    }
    wanted.extend(
        ["class None", "penalty 1.5(1)", "penalty 1.5(2)", "fault 1.2-acceptance"].map(str::to_owned),
    );
    let missing: Vec<&String> = wanted.iter().filter(|wanted| !seen.contains(*wanted)).collect();
    assert!(missing.is_empty(), "never reached: {missing:?}\nof {seen:?}");
}
