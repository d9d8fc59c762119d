//! The records of one ticket.

use std::collections::BTreeMap;

use holdback::{Assessment, Decision, Engine, Event, Explanation, Instant, Status};
use serde::Serialize;

use super::act::{Act, Acts};
use super::clocks;
use super::money;
use super::table::Table;
use super::words::{FactView, Words};

/// A ticket as the templates see it.
#[derive(Serialize)]
pub(super) struct TicketView {
    pub(super) id: String,
    pub(super) status: Status,
    pub(super) status_word: String,
    /// What was asked, as the report's note has it.
    pub(super) content: String,
    /// Facts as last given, in the order of the pack.
    pub(super) facts: Vec<FactView>,
    /// The same by name, empty for those that are not known.
    pub(super) fact: BTreeMap<String, String>,
    pub(super) class: ClassView,
    /// Why the ticket could not be judged; empty when it could.
    pub(super) fault: String,
    /// The last event of each kind that stands.
    pub(super) acts: BTreeMap<String, Act>,
    /// The customer was told that nothing is done, or got a receipt.
    pub(super) receipted: bool,
    /// Faults of the process.
    pub(super) findings: Vec<String>,
}

/// Free or paid, and why.
#[derive(Clone, Default, Serialize)]
pub(super) struct ClassView {
    pub(super) word: String,
    pub(super) clause: String,
    pub(super) reason: String,
}

impl ClassView {
    pub(super) fn of(found: &Assessment, words: &Words<'_>) -> ClassView {
        match &found.class {
            Some(class) => ClassView {
                word: if class.free { words.said("free") } else { words.pick("paid", "有偿").to_owned() },
                clause: words.clause(&class.clause),
                reason: words.split(&class.reason),
            },
            None => ClassView { word: words.said("undecided"), ..ClassView::default() },
        }
    }
}

/// A ticket with its tables.
pub(super) struct TicketRecord {
    pub(super) view: TicketView,
    pub(super) tables: Vec<Table>,
}

impl TicketRecord {
    pub(super) fn of(
        engine: &Engine,
        contract: &str,
        explanation: &Explanation,
        words: &Words<'_>,
    ) -> TicketRecord {
        let found = &explanation.assessment;
        let so_far: Vec<&Event> = explanation.events.iter().filter(|event| event.at <= found.as_of).collect();
        let of_ticket: Vec<&Event> = so_far.iter().copied().filter(|event| event.ticket.is_some()).collect();
        let acts = Acts::of(&of_ticket, words);
        let receipt = "receipt_sent";
        let standing = acts.standing(&[receipt]);
        let facts = acts.facts(words);
        let mut fact: BTreeMap<String, String> =
            words.pack.facts().iter().map(|fact| (fact.name.clone(), String::new())).collect();
        fact.extend(facts.iter().map(|fact| (fact.name.clone(), fact.value.clone())));
        let there = |kind: &str| standing.get(kind).is_some_and(|act| act.there);
        let view = TicketView {
            id: found.ticket.clone(),
            status: found.status,
            status_word: words.value(&found.status),
            content: standing.get("reported").map_or_else(String::new, |act| act.note.clone()),
            class: ClassView::of(found, words),
            fault: found.fault.as_ref().map_or_else(String::new, ToString::to_string),
            receipted: there("cancelled") || there(receipt),
            findings: found.findings.iter().map(|finding| finding_text(finding, words)).collect(),
            acts: standing,
            facts,
            fact,
        };
        let tables = vec![
            register_head(words).with(register_row(found, &acts, words)),
            acts.table("progress", &[], words),
            acts.table("attempts", &["resolved", "accepted", "rejected", "reopened"], words),
            acts.table("opinions", &["opinion_given"], words),
            acts.table("work", &["dispatched", "work_started", "resolved"], words),
            clocks::deadlines(&found.clocks, words),
            clocks::arithmetic(explanation, words),
            clauses(explanation, words),
            decisions(engine, contract, &found.ticket, words),
            escalation(explanation, words),
            findings(found, words),
            money::penalties(&explanation.penalties, words),
            money::sayings(&explanation.penalties, words),
        ];
        TicketRecord { view, tables }
    }
}

fn finding_text(finding: &holdback::Finding, words: &Words<'_>) -> String {
    format!("{}: {}", words.clause(&finding.clause), words.split(&finding.text))
}

/// The register's columns: the same for one ticket and for a month.
pub(super) fn register_head(words: &Words<'_>) -> Table {
    let head = if words.is_chinese() {
        ["编号", "@登记时间", "渠道", "反馈人", "内容", "登记事项", "收费", "状况"]
    } else {
        ["No.", "@Registered", "Way", "Reported by", "What was asked", "Facts", "Charge", "Status"]
    };
    Table::new("register", &head)
}

impl Table {
    pub(super) fn with(mut self, row: Vec<super::table::Cell>) -> Table {
        self.push(row);
        self
    }
}

/// A ticket's row of the register.
pub(super) fn register_row(found: &Assessment, acts: &Acts, words: &Words<'_>) -> Vec<super::table::Cell> {
    let none = Act::default();
    let report = acts.0.iter().find(|act| act.kind == "reported").unwrap_or(&none);
    vec![
        found.ticket.as_str().into(),
        report.at.as_str().into(),
        report.via.as_str().into(),
        report.by.as_str().into(),
        report.note.as_str().into(),
        words.facts(&acts.facts(words)).into(),
        ClassView::of(found, words).word.into(),
        words.value(&found.status).into(),
    ]
}

fn clauses(explanation: &Explanation, words: &Words<'_>) -> Table {
    let head = if words.is_chinese() { ["条款", "是否适用"] } else { ["Clause", "Applies"] };
    let mut table = Table::new("clauses", &head);
    for clause in &explanation.clauses {
        let applies = match (clause.applies, clause.in_force) {
            (true, _) => words.said("yes"),
            (false, true) => words.said("no"),
            (false, false) => {
                words.pick("not in force on the day of the report", "报告当日未生效").to_owned()
            }
        };
        table.push(vec![words.clause(&clause.clause).into(), applies.into()]);
    }
    table
}

fn escalation(explanation: &Explanation, words: &Words<'_>) -> Table {
    let head = if words.is_chinese() {
        ["@时间", "条款", "期限", "事由", "通知"]
    } else {
        ["@Time", "Clause", "Deadline", "Step", "Told"]
    };
    let mut table = Table::new("escalation", &head);
    let mut steps: Vec<_> = explanation.steps.iter().collect();
    steps.sort_by_key(|step| step.at);
    for step in steps {
        let roles: Vec<String> = step.roles.iter().map(|role| told(role, step.at, words)).collect();
        table.push(vec![
            words.due(step.at).into(),
            step.clause.as_str().into(),
            words.label(&step.clock).into(),
            step_text(&step.step, words).into(),
            roles.join(words.pick(", ", "、")).into(),
        ]);
    }
    table
}

/// A role with whoever was on call for it.
fn told(role: &str, at: Instant, words: &Words<'_>) -> String {
    let names: Vec<&str> =
        words.pack.roster().on_call(role, at).iter().map(|contact| contact.name.as_str()).collect();
    let role = role_name(role, words);
    match (names.is_empty(), words.is_chinese()) {
        (true, _) => role,
        (false, true) => format!("{role}（{}）", names.join("、")),
        (false, false) => format!("{role} ({})", names.join(", ")),
    }
}

/// A role by the pack's label, else by the Chinese or English half of what pack.toml says of it.
fn role_name(role: &str, words: &Words<'_>) -> String {
    let label = words.label(role);
    let doc = words.pack.roles.iter().find(|known| known.name == role).map(|known| known.doc.as_str());
    match doc.filter(|doc| label == role && doc.contains(" · ")) {
        Some(doc) => words.split(doc),
        None => label,
    }
}

/// A step of a ladder, which the engine tells in English.
fn step_text(step: &str, words: &Words<'_>) -> String {
    if !words.is_chinese() {
        return step.to_owned();
    }
    if step == "the deadline has passed" {
        return "期限已过".to_owned();
    }
    if let Some(share) = step.strip_suffix(" of the time is used") {
        return format!("时限已用 {share}");
    }
    match step.strip_suffix(" after the deadline") {
        Some(span) => format!("逾期后 {}", words.quantity(span)),
        None => step.to_owned(),
    }
}

fn findings(found: &Assessment, words: &Words<'_>) -> Table {
    let head = if words.is_chinese() { ["条款", "问题"] } else { ["Clause", "Finding"] };
    let mut table = Table::new("findings", &head);
    for finding in &found.findings {
        table.push(vec![words.clause(&finding.clause).into(), words.split(&finding.text).into()]);
    }
    table
}

/// Events of the contract by which a ticket may be judged otherwise.
const BEARS_ON_TICKETS: [&str; 5] =
    ["signed", "project_accepted", "force_majeure_started", "force_majeure_ended", "ended"];

/// What was decided and when, as if the ticket had been the contract's only one: told event by event, with time passing in
/// between.
fn decisions(engine: &Engine, contract: &str, ticket: &str, words: &Words<'_>) -> Table {
    let head = if words.is_chinese() {
        ["@时间", "决定", "条款", "期限", "@到期", "#金额", "说明", "依据事件"]
    } else {
        ["@Time", "Decision", "Clause", "Deadline", "@Due", "#Amount", "Detail", "By event"]
    };
    let mut table = Table::new("decisions", &head);
    for decision in made(engine, contract, ticket) {
        let text = |text: &Option<std::sync::Arc<str>>| text.as_deref().unwrap_or_default().to_owned();
        table.push(vec![
            at(&decision, words).into(),
            words.value(&decision.kind).into(),
            text(&decision.clause).into(),
            decision.clock.as_deref().map_or_else(String::new, |clock| words.label(clock)).into(),
            words.due_if(decision.due).into(),
            decision.amount.map_or_else(|| "".into(), Into::into),
            detail(&decision, words).into(),
            text(&decision.cause).into(),
        ]);
    }
    table
}

/// When it took effect. What passes at midnight ends the day before.
fn at(decision: &Decision, words: &Words<'_>) -> String {
    use holdback::DecisionKind::{Accrued, Breached, Escalated, Penalised, Reversed};
    match decision.kind {
        Breached | Penalised | Accrued | Reversed | Escalated => words.due(decision.at),
        _ => words.moment(decision.at),
    }
}

fn detail(decision: &Decision, words: &Words<'_>) -> String {
    if decision.kind == holdback::DecisionKind::Escalated {
        let roles: Vec<String> = decision.roles.iter().map(|role| role_name(role, words)).collect();
        let arrow = words.pick(": ", "：");
        return format!(
            "{}{arrow}{}",
            step_text(&decision.detail, words),
            roles.join(words.pick(", ", "、"))
        );
    }
    match decision.detail.split_once(": ") {
        Some((class @ ("free" | "paid"), reason)) => {
            let class =
                if class == "free" { words.said("free") } else { words.pick("paid", "有偿").to_owned() };
            format!("{class}{}{}", words.pick(": ", "："), words.split(reason))
        }
        _ => words.split(&decision.detail),
    }
}

fn made(engine: &Engine, contract: &str, ticket: &str) -> Vec<Decision> {
    let (Some(pack), mut alone, mut made) = (engine.pack(contract), Engine::new(), Vec::new()) else {
        return Vec::new();
    };
    let now = engine.now();
    let mut events: Vec<&Event> = engine
        .events()
        .filter(|event| event.contract == contract && event.at <= now)
        .filter(|event| match event.ticket.as_deref() {
            Some(of) => of == ticket,
            None => BEARS_ON_TICKETS.contains(&event.kind.as_str()),
        })
        .collect();
    events.sort_by(|a, b| a.order().cmp(&b.order()));
    let mut keep = |told: Result<Vec<Decision>, holdback::EngineError>| {
        let of_ticket = |decision: &Decision| decision.ticket.as_deref() == Some(ticket);
        // Books that cannot follow are told of by the run itself.
        made.extend(told.into_iter().flatten().filter(of_ticket));
    };
    keep(alone.open_as(contract, std::sync::Arc::clone(pack)));
    for event in events {
        pass(&mut alone, event.at, &mut keep);
        keep(alone.submit(event.clone()));
    }
    pass(&mut alone, now, &mut keep);
    made
}

/// Lets time pass up to an instant, stopping where something changes.
fn pass(
    engine: &mut Engine,
    to: Instant,
    keep: &mut dyn FnMut(Result<Vec<Decision>, holdback::EngineError>),
) {
    while let Some(wake) = engine.next_due().filter(|wake| *wake <= to && *wake > engine.now()) {
        keep(engine.advance(wake));
    }
    keep(engine.advance(to));
}
