//! Small clauses written by hand, one for each operation and each kind of fault, with what they give. The ticket is a quiet
//! one; see `settled`.

mod clauses;
mod contract;
mod values;

use super::{Said, both, policy, put, settled};
use crate::policy::Policy;

/// What both evaluators say of an entry function, in a line; a difference is a failure.
pub(super) fn say(policy: &mut Policy, text: &str) -> String {
    let refused = put(policy, text);
    if let Some(first) = refused.first() {
        return format!("{} {}:{}", first.code, first.place.line, first.place.column);
    }
    let ticket = settled(policy);
    let mut lines = Vec::new();
    for entry in 0..crate::vocabulary::ENTRIES.len() {
        let Some([program, reference]) = both(policy, entry, &ticket) else { continue };
        assert_eq!(program, reference, "{text}");
        lines.push(match program {
            Said::Value(value, _, late) => format!("{}{}", written(&value), if late { ", late" } else { "" }),
            Said::Fault(fault) => format!("{}:{} {}", fault.line, fault.column, fault.message),
        });
    }
    lines.join("; ")
}

/// A value as a battery line has it.
fn written(value: &crate::vocabulary::Value) -> String {
    use crate::vocabulary::{Value, Verdict};
    match value {
        Value::List(items) => format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(", ")),
        Value::Deadline(due) => {
            let length = due.length.map_or(String::new(), |length| format!("{length:?}"));
            format!(
                "{} {:?} {length} {:?} {:?} {:?}{}",
                due.name,
                due.starts,
                due.stops,
                due.calendar,
                due.pauses,
                due.pause_max.map_or(String::new(), |most| format!(" {most}"))
            )
        }
        Value::Duty(duty) => {
            let length = duty.length.map_or(String::new(), |length| format!("{length:?}"));
            format!(
                "{} {:?} {:?} {length} {:?} {:?} {:?}",
                duty.name, duty.when, duty.begins, duty.early, duty.calendar, duty.needs
            )
        }
        Value::Level(level) => format!(
            "{} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            level.name,
            level.measure,
            level.planned,
            level.period,
            level.begins,
            level.settles,
            level.calendar,
            level.earned_back
        ),
        Value::Cap(cap) => format!("{:?} {} {:?}", cap.per, cap.limit, cap.clauses),
        Value::Step(step) => format!("{} {:?} {:?}", step.clock, step.at, step.roles),
        Value::Verdict(Verdict::Free(why)) => format!("free {why}"),
        Value::Verdict(Verdict::Paid(why)) => format!("paid {why}"),
        Value::Finding(finding) => format!("found {}", finding.0),
        other => other.to_string(),
    }
}

/// All the lines that do not hold, at once. Each is an expression in an entry function's frame, and what it gives.
pub(super) fn check(frame: impl Fn(&str) -> String, lines: &[(&str, &str)]) {
    let mut policy = policy();
    let mut wrong = Vec::new();
    for (line, expected) in lines {
        let found = say(&mut policy, &frame(line));
        if found != *expected {
            wrong.push(format!("{line}\n    expected {expected}\n    found    {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn applies(line: &str) -> String {
    format!("fn applies(ticket) {{ {line} }}")
}

/// A number, told as so many yuan.
fn number(line: &str) -> String {
    format!("fn f(ticket) {{ {line} }} fn penalty(breach) {{ yuan(f(breach.ticket)) }}")
}

fn amount(line: &str) -> String {
    format!("fn penalty(breach) {{ let 违约 = breach; let ticket = breach.ticket; {line} }}")
}

fn deadlines(line: &str) -> String {
    format!("fn deadlines(ticket) {{ [{line}] }}")
}

fn duties(line: &str) -> String {
    format!("fn duties() {{ [{line}] }}")
}

fn levels(line: &str) -> String {
    format!("fn service_levels() {{ [{line}] }}")
}

fn caps(line: &str) -> String {
    format!("fn caps() {{ [{line}] }}")
}

/// What a period of the level `repair` costs: 99.5 percent, two of 40 missed, 1000 yuan invoiced.
fn credit(line: &str) -> String {
    format!("fn service_levels() {{ [availability(\"repair\")] }} fn credit(level) {{ {line} }}")
}

/// What the fifth yuan costs again, as the only breach so far.
fn repeated(line: &str) -> String {
    format!("fn repeated(again) {{ {line} }} fn penalty(breach) {{ yuan(0) }}")
}

fn findings(line: &str) -> String {
    format!("fn findings(ticket) {{ if {line} {{ [finding(\"yes\")] }} else {{ [] }} }}")
}

fn whole(line: &str) -> String {
    line.to_owned()
}
