//! Deadlines: as they stand, and their arithmetic in steps that can be checked with a pencil.

use holdback::{ClockOutcome, ClockReason, ClockState, Explanation, Span};

use super::table::Table;
use super::words::Words;

/// The deadlines as they stand.
pub(super) fn deadlines(clocks: &[ClockOutcome], words: &Words<'_>) -> Table {
    let head = if words.is_chinese() {
        ["条款", "期限", "状态", "@起算", "@到期", "@完成", "逾期时长"]
    } else {
        ["Clause", "Deadline", "State", "@Started", "@Due", "@Done", "Late by"]
    };
    let mut table = Table::new("deadlines", &head);
    for clock in clocks {
        table.push(vec![
            clock.clause.as_str().into(),
            words.label(&clock.clock).into(),
            words.value(&clock.state).into(),
            words.moment_if(clock.started).into(),
            words.due_if(clock.due).into(),
            words.moment_if(clock.stopped).into(),
            late(clock, words).into(),
        ]);
    }
    table
}

fn late(clock: &ClockOutcome, words: &Words<'_>) -> String {
    if clock.late > Span::ZERO { words.span(clock.late) } else { String::new() }
}

/// How each deadline ran, step by step.
pub(super) fn arithmetic(explanation: &Explanation, words: &Words<'_>) -> Table {
    let head =
        if words.is_chinese() { ["期限", "步骤", "计算"] } else { ["Deadline", "Step", "Arithmetic"] };
    let mut table = Table::new("arithmetic", &head);
    for clock in &explanation.clocks {
        let name = format!("{} {}", clock.outcome.clause, words.label(&clock.outcome.clock));
        for (step, text) in steps(clock, words) {
            table.push(vec![name.as_str().into(), step.into(), text.into()]);
        }
    }
    table
}

fn steps(clock: &ClockReason, words: &Words<'_>) -> Vec<(String, String)> {
    let found = &clock.outcome;
    let mut steps = Vec::new();
    let mut say = |english: &str, chinese: &str, text: String| {
        if !text.is_empty() {
            steps.push((words.pick(english, chinese).to_owned(), text));
        }
    };
    say("Limit", "时限", limit(clock, words));
    let stretches = clock.stretches.iter().map(|stretch| {
        let end = stretch.ended_by.as_deref().map_or_else(String::new, |kind| {
            if words.is_chinese() {
                format!("（至{}）", words.kind(kind))
            } else {
                format!(", until {}", words.kind(kind))
            }
        });
        let (from, to) = (words.moment(stretch.from), words.moment(stretch.to));
        format!("{from} – {to}{end}: {}", words.span(stretch.counted))
    });
    stretches.for_each(|text| say("Ran", "计时", text));
    let parts: Vec<Span> = clock.stretches.iter().map(|stretch| stretch.counted).collect();
    if !parts.is_empty() {
        say("Used", "合计", words.sum(&parts, found.used));
    }
    say("Days counted", "计入的日子", days(clock));
    say("Due", "到期", words.due_if(found.due));
    say("Done", "完成", words.moment_if(found.stopped));
    if matches!(found.state, ClockState::Breached | ClockState::Late) {
        let beyond = found.target.filter(|target| found.used.checked_sub(*target) == Some(found.late));
        let text = beyond.map_or_else(
            || words.span(found.late),
            |target| {
                format!("{} - {} = {}", words.span(found.used), words.span(target), words.span(found.late))
            },
        );
        say("Late", "逾期", text);
    }
    if let Some(price) = clock.price {
        say("Price", "扣款", format!("{}{}", words.money(price), read(&clock.price_terms, words)));
    }
    steps
}

/// How long, in which calendar, by which terms.
fn limit(clock: &ClockReason, words: &Words<'_>) -> String {
    if !words.is_chinese() {
        let count = clock.count.as_deref().map_or_else(String::new, |count| format!(" ({count})"));
        return format!("{}{count}{}", clock.rule, read(&clock.terms, words));
    }
    let found = &clock.outcome;
    let length = match (&clock.count, found.target) {
        (None, None) => "至约定的时间".to_owned(),
        (None, Some(target)) => words.span(target),
        // Days are told by the term; in open time they have no fixed length.
        (Some(_), _) => "按日计算".to_owned(),
    };
    format!("{length}，日历 {}{}", words.common(&found.calendar), read(&clock.terms, words))
}

/// ` (name = value, ...)` of what was read.
fn read(terms: &holdback::Readings, words: &Words<'_>) -> String {
    if terms.is_empty() {
        return String::new();
    }
    let list: Vec<String> = terms
        .iter()
        .map(|(name, value)| {
            let value = value.parse().map_or_else(|_| words.quantity(value), |at| words.moment(at));
            format!("{} = {value}", words.label(name))
        })
        .collect();
    if words.is_chinese() { format!("（{}）", list.join("，")) } else { format!(" ({})", list.join(", ")) }
}

/// The working days on the way to the due instant, numbered.
fn days(clock: &ClockReason) -> String {
    let counted = clock.to_due.iter().filter_map(|day| Some((day.nth?, &day.date)));
    counted.map(|(nth, date)| format!("{nth}: {date}")).collect::<Vec<_>>().join(", ")
}
