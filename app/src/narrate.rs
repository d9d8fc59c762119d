//! An explanation as plain text that can be checked with a pencil.

mod clocks;
mod days;
mod lines;
mod money;
#[cfg(test)]
mod tests;

use holdback::{ClauseReason, Event, Explanation, Instant, Pack, Status};
use lines::{Lines, glued, moment, width};

/// Contract events told at most; the others are counted.
const MOST_CONTRACT_EVENTS: usize = 20;
/// Columns of a name with its value that are kept on one line.
const MOST_GLUED: usize = 60;

/// The ticket's story, its sums written out. Ends with a line break; holds no colour and no control characters but
/// line breaks, whatever the events hold.
pub(crate) fn narrate(explanation: &Explanation, pack: &Pack) -> String {
    let mut out = Lines::default();
    header(&mut out, explanation, pack);
    events(&mut out, explanation, pack);
    clauses(&mut out, explanation, pack);
    clocks::tell(&mut out, explanation, pack);
    steps(&mut out, explanation, pack);
    money::tell(&mut out, explanation, pack);
    findings(&mut out, explanation, pack);
    out.finish()
}

fn header(out: &mut Lines, explanation: &Explanation, pack: &Pack) {
    let found = &explanation.assessment;
    out.put(0, &format!("Ticket {} of contract {}", found.ticket, found.contract));
    out.blank();
    out.label(0, "Pack", &format!("{}, {}", found.pack, pack.title));
    if pack.example {
        out.label(0, "", "An example: the money is nobody's.");
    }
    out.label(0, "As of", &format!("{} (all times in {})", moment(pack, found.as_of), pack.zone.name()));
    let status = match found.status {
        Status::Unreported => "not reported yet: no clause looks at it",
        Status::Open => "open",
        Status::Resolved => "resolved",
        Status::Closed => "closed",
        Status::Cancelled => "cancelled",
    };
    out.label(0, "Status", status);
    if let Some(at) = found.reported_at {
        let text = format!("{}; the terms and clauses in force then govern it", moment(pack, at));
        out.label(0, "Reported", &text);
    }
    match (&found.class, &found.fault) {
        (_, Some(fault)) => {
            out.label(
                0,
                "Stopped",
                "this ticket could not be assessed. It has no deadlines and owes nothing until",
            );
            out.label(0, "", "this is mended:");
            out.label(0, "", &fault.to_string());
        }
        (Some(class), None) => {
            let word = if class.free { "free of charge" } else { "paid" };
            let clause = clause_name(pack, &class.clause);
            out.label(0, "Class", &format!("{word}, by clause {clause}: {}", class.reason));
            let read = explanation.class_inputs.iter().chain(explanation.class_terms.iter());
            if let Some(read) = named(pack, read) {
                out.label(0, "", &read);
            }
        }
        (None, None) if found.reported_at.is_some() => {
            out.label(0, "Class", "undecided: no clause says free or paid");
        }
        (None, None) => {}
    }
}

/// `1.5(1) heading`.
fn clause_name(pack: &Pack, id: &str) -> String {
    match pack.clauses.iter().find(|clause| clause.id == id) {
        Some(clause) => format!("{id} {}", clause.title),
        None => id.to_owned(),
    }
}

fn events(out: &mut Lines, explanation: &Explanation, pack: &Pack) {
    let found = &explanation.assessment;
    let (past, later): (Vec<&Event>, Vec<&Event>) =
        explanation.events.iter().partition(|event| event.at <= found.as_of);
    let (of_ticket, of_contract): (Vec<&Event>, Vec<&Event>) =
        past.into_iter().partition(|event| event.ticket.is_some());
    out.heading("EVENTS OF THE TICKET");
    for event in &of_ticket {
        tell_event(out, event, pack);
    }
    // Confirmations and waivers of other tickets' penalties say nothing of this one.
    let prefix = format!("{}/", found.ticket);
    let of_contract: Vec<&Event> = of_contract
        .into_iter()
        .filter(|event| match event.data.get("penalty").and_then(|id| id.as_str()) {
            Some(id) => id.starts_with(&prefix),
            None => true,
        })
        .collect();
    if !of_contract.is_empty() {
        out.heading("EVENTS OF THE CONTRACT");
    }
    for event in of_contract.iter().take(MOST_CONTRACT_EVENTS) {
        tell_event(out, event, pack);
    }
    let more = of_contract.len().saturating_sub(MOST_CONTRACT_EVENTS);
    if more > 0 {
        out.put(2, &format!("and {more} more."));
    }
    let later = later.iter().filter(|event| event.ticket.is_some()).count();
    if later > 0 {
        out.put(2, &format!("{later} later events of the ticket are known and were not looked at."));
    }
}

fn tell_event(out: &mut Lines, event: &Event, pack: &Pack) {
    let mut text = format!("{}  {}", moment(pack, event.at), event.kind);
    if let Some(via) = &event.via {
        text.push_str(&format!(", via {via}"));
    }
    if let Some(actor) = &event.actor {
        text.push_str(&format!(", by {actor}"));
    }
    let facts: Vec<String> = event
        .data
        .iter()
        .map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!("{name} = {text}")
        })
        .collect();
    if !facts.is_empty() {
        text.push_str(&format!(": {}", facts.join(", ")));
    }
    out.put(2, &format!("{text} (event {})", event.id));
}

fn clauses(out: &mut Lines, explanation: &Explanation, pack: &Pack) {
    let (applies, others): (Vec<&ClauseReason>, Vec<&ClauseReason>) =
        explanation.clauses.iter().partition(|clause| clause.applies);
    for (heading, list) in [("CLAUSES THAT APPLY", applies), ("CLAUSES THAT DO NOT APPLY", others)] {
        if list.is_empty() {
            continue;
        }
        out.heading(heading);
        for clause in list {
            let read = clause.inputs.iter().chain(clause.terms.iter());
            let why = match (clause.in_force, named(pack, read)) {
                (false, _) => "not in force on the day of the report".to_owned(),
                (true, Some(read)) => read,
                (true, None) => "whatever the ticket".to_owned(),
            };
            out.put(2, &format!("{} {}: {why}", clause.clause, clause.title));
        }
    }
}

/// What was looked at, `name = value, name = value`; nothing when nothing was.
fn named<'a>(pack: &Pack, values: impl Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let one = |(name, value): (&str, &str)| {
        let text = format!("{name} = {}", local(pack, value));
        if width(&text) < MOST_GLUED { glued(&text) } else { text }
    };
    let list: Vec<String> = values.map(one).collect();
    (!list.is_empty()).then(|| list.join(", "))
}

/// An instant among the values is told in the contract's zone.
fn local(pack: &Pack, value: &str) -> String {
    match value.parse::<Instant>() {
        Ok(at) => moment(pack, at),
        Err(_) => value.to_owned(),
    }
}

fn steps(out: &mut Lines, explanation: &Explanation, pack: &Pack) {
    if explanation.steps.is_empty() {
        return;
    }
    out.heading("ESCALATION");
    let mut steps: Vec<_> = explanation.steps.iter().collect();
    steps.sort_by_key(|step| step.at);
    for step in steps {
        let text = format!(
            "{}  `{}` of clause {}: {}; told: {}",
            moment(pack, step.at),
            step.clock,
            step.clause,
            step.step,
            step.roles.join(", ")
        );
        out.put(2, &text);
    }
}

fn findings(out: &mut Lines, explanation: &Explanation, pack: &Pack) {
    let findings = &explanation.assessment.findings;
    if findings.is_empty() {
        return;
    }
    out.heading("FAULTS OF THE PROCESS (they cost nothing by themselves)");
    for finding in findings {
        out.put(2, &format!("{}: {}", clause_name(pack, &finding.clause), finding.text));
    }
}
