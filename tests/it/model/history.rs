//! A small pack of every sort of clock, and random histories under it.

use std::sync::{Arc, LazyLock};

use holdback::{Event, Instant, Pack};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, json};

const PACK: &str = r#"
format = 1
name = "model"
version = "1"
currency = "CNY"
zone = "Asia/Shanghai"
contracts = ["c", "d"]
[events]
declared = ["acknowledged"]
[facts]
kind = { type = "one-of", values = ["a", "b"] }
m = { type = "integer" }
n = { type = "integer" }
plan_due = { type = "instant" }
[calendars.work.hours]
mon = [["09:00", "12:00"], ["13:00", "18:00"]]
tue = [["09:00", "12:00"], ["13:00", "18:00"]]
wed = [["09:00", "12:00"], ["13:00", "18:00"]]
thu = [["09:00", "12:00"], ["13:00", "18:00"]]
fri = [["09:00", "12:00"], ["13:00", "18:00"]]
[calendars.next]
boundary = "next_opening"
[calendars.next.hours]
mon = [["09:00", "12:00"], ["13:00", "18:00"]]
tue = [["09:00", "12:00"], ["13:00", "18:00"]]
wed = [["09:00", "12:00"], ["13:00", "18:00"]]
thu = [["09:00", "12:00"], ["13:00", "18:00"]]
fri = [["09:00", "12:00"], ["13:00", "18:00"]]
[calendars.night]
zone = "Europe/Berlin"
[calendars.night.hours]
mon = [["00:00", "02:30"], ["02:40", "05:00"], ["22:00", "24:00"]]
tue = [["00:00", "02:30"], ["02:40", "05:00"], ["22:00", "24:00"]]
wed = [["00:00", "02:30"], ["02:40", "05:00"], ["22:00", "24:00"]]
thu = [["00:00", "02:30"], ["02:40", "05:00"], ["22:00", "24:00"]]
fri = [["00:00", "02:30"], ["02:40", "05:00"], ["22:00", "24:00"]]
sat = [["00:00", "02:30"], ["02:40", "05:00"], ["22:00", "24:00"]]
sun = [["00:00", "02:30"], ["02:40", "05:00"], ["22:00", "24:00"]]
[deposit]
deduction = "deduction"
low = "low"
[roles]
lead = { doc = "answers for the work" }
boss = { doc = "answers for the lead" }
director = { doc = "answers for all" }
"#;

const TERMS: &str = r#"
deduction = { clause = "4", unit = "one-of", of = ["automatic", "on_confirmation"], values = [{ from = 2020-01-01, value = "automatic" }] }
floor = { clause = "4", unit = "CNY", values = [{ from = 2020-01-01, value = "300.00" }, { from = 2026-03-29, value = "1000.00" }, { from = 2026-10-26, value = "0.00" }] }
low = { clause = "4", unit = "CNY", values = [{ from = 2020-01-01, value = "2000.00" }] }
fine = { clause = "1", unit = "CNY", values = [{ from = 2020-01-01, value = "500.00" }] }
rate = { clause = "2", unit = "CNY", values = [{ from = 2020-01-01, value = "70.00" }] }
"#;

const CLAUSES: [(&str, &str); 4] = [
    (
        "clauses/1.rhai",
        r#"//! clause: 1
fn deadlines(ticket) {
    [
        due("plain").within(minutes(ticket.m)).met_by("resolved", "responded"),
        due("answer").within(minutes(ticket.n)).in_calendar("work").pauses().met_by("responded", "accepted"),
        due("fix").within(minutes(ticket.m)).in_calendar("work").pauses_for("customer", "parts")
            .met_by("resolved", "closed"),
        due("plan").after_breach_of("fix").within(minutes(ticket.n)).in_calendar("work").pauses_for("customer")
            .met_by("plan_proposed", "resolved"),
        due("last").after_breach_of("plan").within(minutes(ticket.m)).met_by("resolved"),
    ]
}
fn penalty(breach) { if breach.clock == "fix" { terms.fine * 2 } else { terms.fine } }
fn escalation(ticket) {
    [
        at_share("fix", percent(50)).notify("lead"),
        at_share("answer", percent(80)).notify("lead"),
        at_breach("fix").notify("boss"),
        after_breach("fix", minutes(45)).notify("boss", "director"),
    ]
}
"#,
    ),
    (
        "clauses/2.rhai",
        r#"//! clause: 2
fn deadlines(ticket) {
    [
        due("next").within(minutes(ticket.m)).in_calendar("next").pauses_for("customer").met_by("accepted", "resolved"),
        due("night").within(minutes(ticket.n)).in_calendar("night").pauses().met_by("resolved", "closed"),
        due("begun").starts_on("responded", "work_started").within(minutes(ticket.n)).in_calendar("night")
            .met_by("resolved"),
        due("held").within(minutes(ticket.m)).in_calendar("work").pauses_for("customer", "parts")
            .pauses_at_most(minutes(200)).met_by("resolved"),
    ]
}
fn penalty(breach) { terms.rate * started(breach.late, hours(1)) }
fn classify(ticket) { if ticket.first.kind == "a" { free("reported as a") } else { undecided() } }
"#,
    ),
    (
        "clauses/3.rhai",
        r#"//! clause: 3
//! overrides: 2
fn applies(ticket) { ticket.kind == "b" || contract.has("project_accepted") }
fn deadlines(ticket) {
    if ticket.knows("plan_due") {
        [
            in_days(), in_working_days(),
            due("agreed").by("plan_due").starts_on("plan_agreed").in_calendar("work").met_by("resolved"),
            due("ready").before("plan_due", working_days(1)).in_calendar("work").met_by("accepted"),
        ]
    } else {
        [in_days(), in_working_days()]
    }
}
fn in_days() { due("days").within(days(2)).met_by("resolved") }
fn in_working_days() {
    due("working").within(working_days(1)).in_calendar("work").pauses_for("parts").met_by("closed", "resolved")
}
fn penalty(breach) { min(terms.rate * full(breach.late, minutes(30)), terms.fine * 3) }
fn classify(ticket) { if ticket.kind == "b" { paid("it is b") } else { undecided() } }
"#,
    ),
    (
        "clauses/4.rhai",
        r#"//! clause: 4
fn deposit_floor() { terms.floor }
fn findings(ticket) {
    if ticket.has("resolved") && !ticket.has("responded") { [finding("resolved without an answer")] } else { [] }
}
"#,
    ),
];

/// The packs under test: deducted at once and on confirmation, with a floor, without one, and with one that moves.
pub(crate) static PACKS: LazyLock<[Arc<Pack>; 4]> = LazyLock::new(|| {
    let mut files = vec![
        ("pack.toml".to_owned(), PACK.to_owned()),
        ("terms.toml".to_owned(), TERMS.to_owned()),
        ("contract.md".to_owned(), "# [1] a\n# [2] b\n# [3] c\n# [4] d\n".to_owned()),
    ];
    files.extend(CLAUSES.map(|(path, text)| (path.to_owned(), text.to_owned())));
    let pack = Pack::from_files(files.into_iter().collect()).unwrap_or_else(|faults| panic!("{faults}"));
    let with = |pack: &Pack, term, value| pack.with_term(term, value).unwrap();
    let (none, some) = (with(&pack, "floor", "0.00"), with(&pack, "floor", "1000.00"));
    let asked = with(&some, "deduction", "on_confirmation");
    [none, some, asked, pack].map(Arc::new)
});

/// The place in [`PACKS`] whose floor moves with its date.
pub(crate) const MOVING_FLOOR: usize = 3;

/// Tickets, each with its contract: the books of two contracts never mix, though ticket names may repeat.
pub(crate) const TICKETS: [(&str, &str); 4] = [("c", "T1"), ("c", "T2"), ("c", "T3"), ("d", "T1")];

/// What was told, in the order of telling, and until when to look.
#[derive(Clone)]
pub(crate) struct History {
    pub(crate) pack: usize,
    /// The first minute anything happens, since 1970.
    pub(crate) base: i64,
    pub(crate) events: Vec<Event>,
    pub(crate) as_of: Instant,
}

/// One line of JSON an event, in order, so that a counterexample can be read and replayed.
impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "pack {} from {} as of {}", self.pack, minute(self.base), self.as_of)?;
        let mut events: Vec<&Event> = self.events.iter().collect();
        events.sort_by(|a, b| a.order().cmp(&b.order()));
        events.into_iter().try_for_each(|event| writeln!(f, "{}", json!(event)))
    }
}

impl History {
    pub(crate) fn pack(&self) -> &Arc<Pack> {
        &PACKS[self.pack]
    }
}

/// A minute since 1970 as an instant.
pub(crate) fn minute(n: i64) -> Instant {
    Instant::from_seconds(n * 60).unwrap()
}

/// Thursdays before a night with a changed clock in Berlin, 00:00 UTC: one hour lost, and one gained.
const BASES: [&str; 2] = ["2026-03-26T00:00:00Z", "2026-10-22T00:00:00Z"];

#[derive(Clone, Debug)]
struct Facts {
    kind: Option<&'static str>,
    m: Option<i64>,
    n: Option<i64>,
    plan: Option<i64>,
}

#[derive(Clone, Debug)]
enum Happening {
    Ticket {
        ticket: usize,
        kind: &'static str,
        slot: i64,
        reason: Option<&'static str>,
        facts: Option<Facts>,
    },
    Money {
        contract: &'static str,
        amount: i64,
        slot: i64,
        released: bool,
    },
    Word {
        contract: &'static str,
        penalty: String,
        slot: i64,
        waived: bool,
    },
    Accepted {
        contract: &'static str,
        slot: i64,
    },
    ForceMajeure {
        contract: &'static str,
        slot: i64,
        window: Option<&'static str>,
        /// The clocks it names, all if none; nothing when it ends.
        clocks: Option<Vec<&'static str>>,
    },
}

fn facts(slots: i64) -> impl Strategy<Value = Facts> {
    (
        prop::option::weighted(0.5, select(&["a", "b"][..])),
        prop::option::weighted(0.5, select(&[30, 60, 90, 180, 300, 480, 900][..])),
        prop::option::weighted(0.5, select(&[30, 60, 150, 240, 480, 1500][..])),
        prop::option::weighted(0.3, 0..slots),
    )
        .prop_map(|(kind, m, n, plan)| Facts { kind, m, n, plan })
}

fn ticket_event(slots: i64) -> impl Strategy<Value = Happening> {
    let kinds = select(
        &[
            "responded",
            "dispatched",
            "plan_proposed",
            "plan_agreed",
            "work_started",
            "resolved",
            "resolved",
            "accepted",
            "rejected",
            "reopened",
            "reopened",
            "paused",
            "paused",
            "paused",
            "resumed",
            "resumed",
            "updated",
            "cancelled",
            "closed",
            "opinion_given",
            "acknowledged",
            "reported",
        ][..],
    );
    let reason = prop::option::weighted(0.7, select(&["customer", "parts", "weather"][..]));
    (0..TICKETS.len(), kinds, 0..slots, reason, prop::option::weighted(0.15, facts(slots))).prop_map(
        |(ticket, kind, slot, reason, facts)| Happening::Ticket {
            ticket,
            kind,
            slot,
            reason: reason.filter(|_| ["paused", "resumed", "cancelled", "rejected"].contains(&kind)),
            facts,
        },
    )
}

const CLOCKS: [(&str, &str); 8] = [
    ("1", "plain"),
    ("1", "fix"),
    ("1", "plan"),
    ("2", "next"),
    ("2", "night"),
    ("2", "held"),
    ("3", "days"),
    ("3", "ready"),
];

fn contract_event(slots: i64) -> impl Strategy<Value = Happening> {
    let contract = || select(&["c", "c", "d"][..]);
    let money =
        (contract(), select(&[50_000, 100_000, 123_456, 300_000][..]), 0..slots, prop::bool::weighted(0.3));
    let penalty = (0..=TICKETS.len(), select(&CLOCKS[..])).prop_map(|(ticket, (clause, clock))| {
        let (contract, ticket) = *TICKETS.get(ticket).unwrap_or(&("c", "T9"));
        (contract, format!("{ticket}/{clause}/{clock}"))
    });
    let names = prop::collection::vec(select(&CLOCKS[..]).prop_map(|(_, clock)| clock), 0..4);
    let window = || prop::option::of(select(&["flood", "strike"][..]));
    let force = (contract(), 0..slots, window(), prop::option::of(names));
    prop_oneof![
        3 => force.prop_map(|(contract, slot, window, clocks)| {
            Happening::ForceMajeure { contract, slot, window, clocks }
        }),
        4 => money.prop_map(|(contract, amount, slot, released)| Happening::Money { contract, amount, slot, released }),
        4 => (penalty, 0..slots, prop::bool::weighted(0.4)).prop_map(|((contract, penalty), slot, waived)| {
            Happening::Word { contract, penalty, slot, waived }
        }),
        1 => (contract(), 0..slots).prop_map(|(contract, slot)| Happening::Accepted { contract, slot }),
    ]
}

/// Histories in whole minutes; money moves between the minutes, so that the order of money and breaches is plain.
pub(crate) fn in_minutes() -> impl Strategy<Value = History> {
    history(false)
}

/// Histories at any microsecond, with many events of one instant among them.
pub(crate) fn any() -> impl Strategy<Value = History> {
    history(true)
}

fn history(fractions: bool) -> impl Strategy<Value = History> {
    let frame = (select(&BASES[..]), 0..PACKS.len(), 1..=6i64, select(&[30i64, 60, 90, 180][..]), 0..10i64);
    frame.prop_flat_map(move |(base, pack, days, grid, extra)| {
        let slots = days * 1440 / grid;
        let reports = prop::collection::vec(
            (0..slots / 2 + 1, facts(slots), prop::bool::weighted(0.95)),
            TICKETS.len(),
        );
        let events = prop::collection::vec(
            prop_oneof![4 => ticket_event(slots).boxed(), 1 => contract_event(slots).boxed()],
            0..36,
        );
        let jitter = prop::collection::vec(select(&[0, 0, 0, 1, 999_999, 1_000_000, 61_500_000][..]), 48);
        let until = (0..slots + extra * 1440 / grid + 1, prop::bool::weighted(0.2));
        (reports, events, jitter, until).prop_map(move |(reports, events, jitter, (until, odd))| {
            let start: Instant = base.parse().unwrap();
            let base = start.micros() / 60_000_000;
            let reported = reports.into_iter().enumerate().map(|(ticket, (slot, facts, whole))| {
                let facts = match whole {
                    true => Facts {
                        kind: facts.kind.or(Some("a")),
                        m: facts.m.or(Some(180)),
                        n: facts.n.or(Some(60)),
                        ..facts
                    },
                    false => facts,
                };
                Happening::Ticket { ticket, kind: "reported", slot, reason: None, facts: Some(facts) }
            });
            let all: Vec<Happening> = reported.chain(events).collect();
            let mut told = Vec::with_capacity(all.len());
            for (i, happening) in all.iter().enumerate() {
                let jitter = if fractions { jitter[i % jitter.len()] } else { 0 };
                // The ids are in no order of time.
                told.push(event(happening, format!("e{:02}", (i * 37 + 11) % 97), base, grid, jitter));
            }
            let until = base + until * grid + i64::from(odd);
            History { pack, base, events: told, as_of: minute(until) }
        })
    })
}

fn event(happening: &Happening, id: String, base: i64, grid: i64, jitter: i64) -> Event {
    let at = |slot: i64, seconds: i64| {
        Instant::from_micros((base + slot * grid) * 60_000_000 + seconds * 1_000_000 + jitter).unwrap()
    };
    let of_contract = |contract: &str, kind: &str, at: Instant, data: serde_json::Value| Event {
        id: id.clone(),
        contract: contract.to_owned(),
        ticket: None,
        kind: kind.to_owned(),
        at,
        actor: None,
        via: None,
        data: data.as_object().cloned().unwrap_or_default(),
    };
    match happening {
        Happening::Ticket { ticket, kind, slot, reason, facts } => {
            let (contract, ticket) = TICKETS[*ticket];
            let mut data = Map::new();
            if let Some(reason) = reason {
                data.insert("reason".into(), json!(reason));
            }
            if let Some(facts) = facts {
                let plan = facts.plan.map(|slot| at(slot, 0));
                for (name, value) in [
                    ("kind", facts.kind.map(|kind| json!(kind))),
                    ("m", facts.m.map(|m| json!(m))),
                    ("n", facts.n.map(|n| json!(n))),
                    ("plan_due", plan.map(|plan| json!(plan))),
                ] {
                    data.extend(value.map(|value| (name.to_owned(), value)));
                }
            }
            let event = of_contract(contract, kind, at(*slot, 0), json!(data));
            Event { ticket: Some(ticket.to_owned()), ..event }
        }
        Happening::Money { contract, amount, slot, released } => {
            let (kind, second) = if *released { ("deposit_released", 20) } else { ("deposit_paid", 10) };
            let amount = format!("{}.{:02}", amount / 100, amount % 100);
            of_contract(contract, kind, at(*slot, second), json!({ "amount": amount }))
        }
        Happening::Word { contract, penalty, slot, waived } => {
            let (kind, second) = if *waived { ("penalty_waived", 40) } else { ("penalty_confirmed", 30) };
            of_contract(contract, kind, at(*slot, second), json!({ "penalty": penalty, "reason": "agreed" }))
        }
        Happening::ForceMajeure { contract, slot, window, clocks } => {
            let mut data = Map::new();
            data.extend(window.map(|window| ("window".to_owned(), json!(window))));
            data.extend(clocks.iter().filter(|c| !c.is_empty()).map(|c| ("clocks".to_owned(), json!(c))));
            let kind = if clocks.is_some() { "force_majeure_started" } else { "force_majeure_ended" };
            of_contract(contract, kind, at(*slot, 0), json!(data))
        }
        Happening::Accepted { contract, slot } => {
            of_contract(contract, "project_accepted", at(*slot, 0), json!({}))
        }
    }
}
