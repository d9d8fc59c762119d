//! Which hours of which days counted.

use std::collections::BTreeMap;

use holdback::{DayReason, Span};

use super::lines::{Lines, Unit, day, glued};

/// Rows told before the middle is summed up.
const MOST_ROWS: usize = 14;
/// Rows told at either end of a long list.
const END_ROWS: usize = 5;

/// Days of one kind, one after the other.
struct Row<'a> {
    days: &'a [DayReason],
    counted: Span,
}

/// Writes the days with their sum.
pub(super) fn tell(out: &mut Lines, indent: usize, days: &[DayReason], total: Span) {
    let rows = rows(days);
    if rows.len() <= MOST_ROWS {
        for row in &rows {
            out.put(indent, &row.text());
        }
    } else {
        let (head, rest) = rows.split_at(END_ROWS);
        let (middle, tail) = rest.split_at(rest.len().saturating_sub(END_ROWS));
        for row in head {
            out.put(indent, &row.text());
        }
        out.put(indent, &summary(middle));
        for row in tail {
            out.put(indent, &row.text());
        }
    }
    let shown: Vec<Span> = shown(&rows);
    if shown.len() > 1 {
        out.put(indent, &format!("Together: {}", Unit::Open.sum(&shown, total)));
    }
}

/// What the rows, as they are told, add up.
fn shown(rows: &[Row<'_>]) -> Vec<Span> {
    let ends = |list: &[Row<'_>]| -> Vec<Span> { list.iter().map(|row| row.counted).collect() };
    let mut parts = if rows.len() <= MOST_ROWS {
        ends(rows)
    } else {
        let (head, rest) = rows.split_at(END_ROWS);
        let (middle, tail) = rest.split_at(rest.len().saturating_sub(END_ROWS));
        let between = middle.iter().fold(Span::ZERO, |sum, row| sum + row.counted);
        [ends(head), vec![between], ends(tail)].concat()
    };
    parts.retain(|part| *part != Span::ZERO);
    parts
}

fn rows(days: &[DayReason]) -> Vec<Row<'_>> {
    let same = |a: &DayReason, b: &DayReason| {
        a.note == b.note
            && a.open == b.open
            && a.counted == b.counted
            && a.nth.is_none()
            && b.nth.is_none()
            && a.through.is_none()
            && b.through.is_none()
    };
    let row = |days| Row { days, counted: days_total(days) };
    days.chunk_by(same).map(row).collect()
}

fn days_total(days: &[DayReason]) -> Span {
    days.iter().fold(Span::ZERO, |sum, day| sum + day.counted)
}

impl Row<'_> {
    fn text(&self) -> String {
        let (Some(first), Some(last)) = (self.days.first(), self.days.last()) else { return String::new() };
        let end = last.through.as_deref().unwrap_or(&last.date);
        let dates = if first.date == end {
            day(&first.date)
        } else {
            format!("{} to {}", day(&first.date), day(end))
        };
        let nth = first.nth.map(|n| format!(", working day {n}")).unwrap_or_default();
        let note = match first.note.as_str() {
            "open" if first.open.is_empty() => "not open in that time",
            "open" => "open",
            other => other,
        };
        let hours: Vec<String> = first.open.iter().map(|period| short(period)).collect();
        let hours = if hours.is_empty() { String::new() } else { format!(" {}", hours.join(", ")) };
        let counted = match (self.days.len(), first.counted) {
            (_, Span::ZERO) => "nothing counts".to_owned(),
            (1, counted) => Unit::Open.write(counted),
            (n, each) => {
                format!("{n} days of {} = {}", Unit::Open.write(each), Unit::Open.write(self.counted))
            }
        };
        format!("{dates}: {note}{hours}{nth}: {counted}")
    }
}

/// `09:00-18:00` from `09:00:00-18:00:00`; seconds stay where there are any.
fn short(period: &str) -> String {
    let trim = |time: &str| match time.strip_suffix(":00") {
        Some(cut) if cut.len() == 5 => cut.to_owned(),
        _ => time.to_owned(),
    };
    match period.split_once('-') {
        Some((from, to)) => format!("{}-{}", trim(from), trim(to)),
        None => period.to_owned(),
    }
}

/// The middle of a long list: how many days of which length.
fn summary(rows: &[Row<'_>]) -> String {
    let days = || rows.iter().flat_map(|row| row.days);
    let (Some(first), Some(last)) = (days().next(), days().last()) else { return String::new() };
    let mut lengths: BTreeMap<Span, usize> = BTreeMap::new();
    let (mut closed, mut folded) = (0, Vec::new());
    for day in days() {
        match (&day.through, day.counted) {
            (Some(_), counted) => folded.push(counted),
            (None, Span::ZERO) => closed += 1,
            (None, counted) => *lengths.entry(counted).or_default() += 1,
        }
    }
    let mut parts: Vec<String> = lengths
        .iter()
        .rev()
        .map(|(each, n)| match n {
            1 => Unit::Open.write(*each),
            n => format!("{} x {}", glued(&format!("{n} days")), Unit::Open.write(*each)),
        })
        .collect();
    parts.extend(folded.iter().map(|counted| format!("{} of further days", Unit::Open.write(*counted))));
    let total = rows.iter().fold(Span::ZERO, |sum, row| sum + row.counted);
    let sum = match parts.len() {
        0 => "nothing counts".to_owned(),
        _ => format!("{} = {}", parts.join(" + "), Unit::Open.write(total)),
    };
    let closed = if closed == 0 { String::new() } else { format!("; {closed} days do not count") };
    let end = last.through.as_deref().unwrap_or(&last.date);
    format!("{} to {}: {sum}{closed}", day(&first.date), day(end))
}
