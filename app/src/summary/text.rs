//! The summary as a page of text.

use std::fmt::Write as _;

use holdback::{Deposit, Money};

use super::tally::Counts;
use super::{Penalties, Summary};
use crate::page::amount;

/// Clauses that are listed.
const BUSIEST: usize = 8;

/// A text growing line by line. Writing to a text does not fail.
pub(super) struct Page(String);

impl Page {
    pub(super) fn line(&mut self, text: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{text}");
    }

    /// A line with a name before it.
    fn named(&mut self, name: &str, text: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{name:<11} {text}");
    }

    pub(super) fn heading(&mut self, text: &str) {
        let _ = writeln!(self.0, "\n{text}");
    }

    /// Rows under their headings; the first column of texts, the others of numbers.
    pub(super) fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain(head.get(column).map(|head| head.chars().count())).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let head: Vec<String> = head.iter().map(ToString::to_string).collect();
        for row in std::iter::once(&head).chain(rows) {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let _ = match column {
                    0 => write!(line, "  {cell:<width$}"),
                    _ => write!(line, "  {cell:>width$}"),
                };
            }
            self.line(line.trim_end());
        }
    }
}

impl Summary {
    /// For people: what was judged, what came of it, and what needs a look.
    pub(crate) fn text(&self) -> String {
        let mut page = Page(String::new());
        self.head(&mut page);
        self.clocks(&mut page);
        self.obligations.tell(&mut page);
        self.money(&mut page);
        self.clauses(&mut page);
        self.faults(&mut page);
        page.0
    }

    fn head(&self, page: &mut Page) {
        page.named("Pack", format!("{}  {}", self.pack, self.title));
        if self.example {
            page.named("", "The money of this pack is an example; no contract stands behind it.");
        }
        for (term, value) in &self.set {
            page.named("Set", format!("{term} = {value}"));
        }
        match (self.from, self.as_of) {
            (Some(from), Some(to)) => page.named("Period", format!("{from} to {to}")),
            (None, Some(to)) => page.named("Period", format!("no events up to {to}")),
            _ => page.named("Period", "no events"),
        }
        if let Some(import) = &self.import {
            let counts =
                [(import.raised, "times raised to their predecessor's"), (import.ignored, "rows ignored")];
            let rows =
                format!("{} rows, {} tickets", thousands_of(import.rows), thousands_of(import.tickets));
            page.named("Import", format!("{}: {rows}{}", import.adapter, more(&counts)));
        }
        let events = &self.events;
        let counts = [
            (events.repeated, "repeated"),
            (events.refused, "refused"),
            (events.malformed, "malformed"),
            (events.later, "after the end, left out"),
        ];
        page.named("Events", format!("{} taken{}", thousands_of(events.taken), more(&counts)));
        let status: Vec<String> =
            self.status.iter().map(|(status, count)| format!("{} {status}", thousands_of(*count))).collect();
        let status = if status.is_empty() { String::new() } else { format!(": {}", status.join(", ")) };
        page.named("Tickets", format!("{}{status}", thousands_of(self.tickets as u64)));
        if let Some(told) = &self.notices {
            page.named("Notices", told);
        }
        let class = &self.class;
        if class.free + class.paid > 0 {
            let [free, paid, undecided] =
                [class.free, class.paid, class.undecided].map(|count| thousands_of(count as u64));
            page.named("Maintenance", format!("{free} free, {paid} paid, {undecided} undecided"));
        }
    }

    fn clocks(&self, page: &mut Page) {
        if self.clocks.is_empty() {
            return;
        }
        page.heading("Clocks");
        let row = |name: String, counts: &Counts| {
            let numbers = [counts.met, counts.breached, counts.open, counts.cancelled];
            std::iter::once(name).chain(numbers.map(thousands_of)).collect::<Vec<String>>()
        };
        let mut rows = Vec::new();
        for (name, clock) in &self.clocks {
            rows.push(row(format!("{name} ({})", clock.clauses.join(", ")), &clock.counts));
            for (value, counts) in clock.by.get("priority").into_iter().flatten() {
                rows.push(row(format!("  {value}"), counts));
            }
        }
        page.table(&["", "met", "breached", "open", "cancelled"], &rows);
    }

    fn money(&self, page: &mut Page) {
        page.heading(if self.example { "Penalties (example money)" } else { "Penalties" });
        penalties(&self.penalties, page);
        if let [(_, contract)] = self.contracts.iter().collect::<Vec<_>>().as_slice() {
            page.heading("Deposit");
            return deposit(&contract.deposit, page);
        }
        for (name, contract) in &self.contracts {
            page.heading(&format!("Deposit of contract {name}"));
            deposit(&contract.deposit, page);
        }
    }

    fn clauses(&self, page: &mut Page) {
        let busy =
            self.clauses.iter().filter(|clause| clause.tickets + clause.breached + clause.findings > 0);
        let rows: Vec<Vec<String>> = busy
            .take(BUSIEST)
            .map(|clause| {
                let numbers = [clause.tickets, clause.breached, clause.findings].map(thousands_of);
                std::iter::once(clause.clause.clone()).chain(numbers).collect()
            })
            .collect();
        if !rows.is_empty() {
            page.heading("Busiest clauses");
            page.table(&["", "tickets", "breached", "findings"], &rows);
        }
        if self.findings.count > 0 {
            page.heading(&format!("Findings on the process: {}", thousands_of(self.findings.count)));
            let rows: Vec<Vec<String>> = self
                .findings
                .by_clause
                .iter()
                .map(|(clause, count)| vec![clause.clone(), thousands_of(*count)])
                .collect();
            page.table(&["", "findings"], &rows);
        }
    }

    fn faults(&self, page: &mut Page) {
        let NotAssessedText { count, shown } = NotAssessedText::of(self);
        if count > 0 {
            page.heading(&format!("Tickets that could not be assessed: {}", thousands_of(count as u64)));
            shown.into_iter().for_each(|line| page.line(line));
        }
        if let Some(told) = self.notices.as_ref().filter(|told| told.not_rendered > 0) {
            page.heading(&format!("Notices that could not be rendered: {}", thousands_of(told.not_rendered)));
            told.first.iter().for_each(|one| page.line(format!("  {}: {}", one.notice, one.reason)));
            let rest = told.not_rendered.saturating_sub(told.first.len() as u64);
            if rest > 0 {
                page.line(format!("  and {} more", thousands_of(rest)));
            }
        }
        if !self.remarks.is_empty() {
            page.heading("Needs a look");
            self.remarks.iter().for_each(|remark| page.line(format!("  {remark}")));
        }
    }
}

struct NotAssessedText {
    count: usize,
    shown: Vec<String>,
}

impl NotAssessedText {
    fn of(summary: &Summary) -> NotAssessedText {
        let faults = &summary.not_assessed;
        let mut shown: Vec<String> =
            faults.first.iter().map(|fault| format!("  {}: {}", fault.ticket, fault.reason)).collect();
        if faults.count > shown.len() {
            shown.push(format!("  and {} more", thousands_of((faults.count - shown.len()) as u64)));
        }
        NotAssessedText { count: faults.count, shown }
    }
}

fn penalties(penalties: &Penalties, page: &mut Page) {
    if penalties.count == 0 {
        return page.line("  none");
    }
    let row = |name: &str, count: u64, assessed: Money, deducted: Money| {
        vec![name.to_owned(), thousands_of(count), amount(assessed), amount(deducted)]
    };
    let mut rows: Vec<Vec<String>> = penalties
        .by_clause
        .iter()
        .map(|(clause, total)| row(clause, total.count, total.amount, total.deducted))
        .collect();
    if rows.len() > 1 {
        rows.push(row("all", penalties.count, penalties.amount, penalties.deducted));
    }
    let currency = penalties.amount.currency();
    page.table(&["", "count", &format!("assessed {currency}"), &format!("deducted {currency}")], &rows);
    let states: Vec<String> =
        penalties.states.iter().map(|(state, count)| format!("{} {state}", thousands_of(*count))).collect();
    page.line(format!("  {}", states.join(", ")));
}

fn deposit(deposit: &Deposit, page: &mut Page) {
    let rows = [
        ("paid in", deposit.paid),
        ("given back", deposit.released),
        ("deducted", deposit.deducted),
        ("balance", deposit.balance),
        ("floor", deposit.floor),
        ("shortfall", deposit.shortfall),
        ("waits for confirmation", deposit.held),
        ("waived", deposit.waived),
        ("cut by caps", deposit.cut),
        ("disputed", deposit.disputed),
        ("earned back", deposit.earned_back),
    ];
    // What is nothing is not worth a line, but for the sums that every contract has.
    let shown = |name: &str, sum: &Money| {
        matches!(name, "paid in" | "deducted" | "balance" | "floor" | "shortfall") || sum.minor() != 0
    };
    let rows: Vec<Vec<String>> = rows
        .iter()
        .filter(|(name, sum)| shown(name, sum))
        .map(|(name, sum)| vec![(*name).to_owned(), amount(*sum)])
        .collect();
    let currency = deposit.balance.currency();
    page.table(&["", currency.code()], &rows);
}

/// The counts that are not zero, after a comma each.
fn more(counts: &[(u64, &str)]) -> String {
    counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!(", {} {what}", thousands_of(*count)))
        .collect()
}

/// With a comma between every three digits.
pub(crate) fn thousands_of(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
