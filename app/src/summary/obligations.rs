//! Duties and service levels of a log's contracts, counted.

use std::collections::BTreeMap;

use holdback::{ClockState, ContractAssessment, Money};
use serde::Serialize;

use super::text::{Page, thousands_of};
use crate::page::amount;

/// Findings of one contract that are written out; the others are counted.
const FINDINGS_SHOWN: usize = 10;

/// What the contracts ask for themselves.
#[derive(Default, Serialize)]
pub(super) struct Obligations {
    duties: BTreeMap<String, Duties>,
    levels: BTreeMap<String, Levels>,
}

/// The occurrences of one duty.
#[derive(Default, Serialize)]
struct Duties {
    done: u64,
    /// Done after its time.
    late: u64,
    missed: u64,
    /// Neither done nor missed yet.
    open: u64,
}

/// The closed periods of one service level.
#[derive(Default, Serialize)]
struct Levels {
    closed: u64,
    /// Those that cost something.
    credited: u64,
    credit: Option<Money>,
}

impl Obligations {
    pub(super) fn of(judged: &[ContractAssessment]) -> Obligations {
        let mut all = Obligations::default();
        for duty in judged.iter().flat_map(|contract| &contract.duties) {
            let counts = all.duties.entry(format!("{} ({})", duty.duty, duty.clause)).or_default();
            match duty.state {
                ClockState::Met => counts.done += 1,
                ClockState::Late => counts.late += 1,
                ClockState::Breached => counts.missed += 1,
                _ => counts.open += 1,
            }
        }
        for level in judged.iter().flat_map(|contract| &contract.levels).filter(|level| level.closed) {
            let counts = all.levels.entry(format!("{} ({})", level.level, level.clause)).or_default();
            counts.closed += 1;
            let Some(credit) = level.credit else { continue };
            counts.credited += u64::from(credit.minor() > 0);
            let sum = counts.credit.map_or(0, Money::minor).saturating_add(credit.minor());
            counts.credit = Some(Money::from_minor(sum, credit.currency()));
        }
        all
    }

    pub(super) fn tell(&self, page: &mut Page) {
        if !self.duties.is_empty() {
            page.heading("Duties");
            let rows: Vec<Vec<String>> = self
                .duties
                .iter()
                .map(|(name, duty)| {
                    let numbers = [duty.done, duty.late, duty.missed, duty.open].map(thousands_of);
                    std::iter::once(name.clone()).chain(numbers).collect()
                })
                .collect();
            page.table(&["", "done", "late", "missed", "open"], &rows);
        }
        if !self.levels.is_empty() {
            page.heading("Service levels");
            let rows: Vec<Vec<String>> = self
                .levels
                .iter()
                .map(|(name, level)| {
                    let credit = level.credit.map_or_else(|| "-".to_owned(), amount);
                    let numbers = [level.closed, level.credited].map(thousands_of);
                    std::iter::once(name.clone()).chain(numbers).chain([credit]).collect()
                })
                .collect();
            page.table(&["", "closed", "with credit", "credit"], &rows);
        }
    }
}

/// What needs a person: what is odd about the events of a contract, and what could not be judged.
pub(super) fn remarks(judged: &[ContractAssessment]) -> Vec<String> {
    let mut remarks = Vec::new();
    for contract in judged {
        let name = &contract.contract;
        remarks.extend(contract.fault.iter().map(|fault| format!("contract {name}: {fault}")));
        for finding in contract.findings.iter().take(FINDINGS_SHOWN) {
            let event = finding.event.as_ref().map_or(String::new(), |event| format!(" (event `{event}`)"));
            remarks.push(format!("contract {name}: {}{event}", finding.text));
        }
        let more = contract.findings.len().saturating_sub(FINDINGS_SHOWN);
        if more > 0 {
            remarks.push(format!("contract {name}: {more} more findings of this kind"));
        }
    }
    remarks
}
