//! What is wrong with the clauses of a pack taken together.

use super::{APPLIES, CAPS, CREDIT, ClauseScript, FLOOR, PENALTY, Policy, conflict};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::nearest::hint;
use crate::vocabulary::{Names, Sort, Value};

impl Policy {
    /// Settles who gives the deposit's floor, and tells of clauses that decide the same thing.
    pub(crate) fn finish(&mut self) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        let mut floors =
            (0..self.clauses.len()).filter(|i| self.clauses.get(*i).is_some_and(|clause| has(clause, FLOOR)));
        self.floor = floors.next();
        let first = self.floor.and_then(|i| self.clauses.get(i));
        for second in floors.filter_map(|i| self.clauses.get(i)) {
            let Some(first) = first else { continue };
            let message = format!(
                "clause {} gives the deposit's floor already: one clause has `deposit_floor`",
                first.id
            );
            let diagnostic = Diagnostic::new(Code::FLOOR, second.head(FLOOR), message);
            diagnostics.push(diagnostic.related(first.head(FLOOR), "the first one"));
        }
        if self.floor.is_none() {
            let prices =
                |clause: &ClauseScript| [PENALTY, CREDIT].into_iter().find(|entry| has(clause, *entry));
            let first = self.clauses.iter().find_map(|clause| Some((clause, prices(clause)?)));
            if let Some((clause, entry)) = first {
                let what = if entry == PENALTY { "breaches" } else { "service levels" };
                let message = format!("prices {what}, but no clause defines `deposit_floor()`");
                diagnostics.push(Diagnostic::new(Code::FLOOR, clause.head(entry), message));
            }
        }
        for clause in &self.clauses {
            if let Some(Some(applies)) = clause.program.entries.get(APPLIES)
                && applies.body.result_is(&Value::Bool(false))
            {
                let message = format!("clause {} never applies", clause.id);
                diagnostics.push(Diagnostic::new(Code::UNUSED_CLAUSE, clause.head(APPLIES), message));
            }
        }
        diagnostics.extend(self.unnamed());
        diagnostics.extend(conflict::conflicts(&self.clauses));
        diagnostics
    }

    /// Clocks and clauses that a file names and the pack does not have, and caps that stand in two files.
    fn unnamed(&self) -> Vec<Diagnostic> {
        let named = self.clauses.iter().flat_map(|clause| &clause.named);
        let mut told: Vec<Diagnostic> = named
            .filter_map(|(names, text, place)| match names {
                Names::Clause => self.no_clause(text, place),
                _ => self.no_clock(text, place),
            })
            .collect();
        let mut stated = self.clauses.iter().filter(|clause| has(clause, CAPS));
        if let Some(first) = stated.next() {
            for second in stated {
                let message = format!("clause {} states the caps already: one clause has `caps`", first.id);
                let diagnostic = Diagnostic::new(Code::CAPS, second.head(CAPS), message);
                told.push(diagnostic.related(first.head(CAPS), "the first ones"));
            }
        }
        told
    }

    fn no_clause(&self, text: &str, place: &Place) -> Option<Diagnostic> {
        let known = || self.clauses.iter().map(|clause| &*clause.id);
        if known().any(|id| id == text) {
            return None;
        }
        let message = format!("no clause file carries `{text}`{}", hint(text, known()));
        Some(Diagnostic::new(Code::CLAUSE_UNKNOWN, place.clone(), message))
    }

    /// Only the clocks of tickets are met or missed in a period.
    fn no_clock(&self, text: &str, place: &Place) -> Option<Diagnostic> {
        let sets = || self.clauses.iter().flat_map(|clause| &clause.sets);
        let clocks = || sets().filter(|(sort, _)| *sort == Sort::Deadline).map(|(_, name)| name.as_str());
        if clocks().any(|name| name == text) {
            return None;
        }
        let message = match sets().find(|(_, name)| name == text) {
            Some((sort, _)) => format!("`{text}` is a {sort}: `in_time` counts the clocks of tickets"),
            None => format!("no clause sets the clock `{text}`{}", hint(text, clocks())),
        };
        Some(Diagnostic::new(Code::UNKNOWN_CLOCK, place.clone(), message))
    }
}

/// Whether a clause file defines an entry function, also one with mistakes.
fn has(clause: &ClauseScript, entry: usize) -> bool {
    clause.program.entries.get(entry).is_some_and(Option::is_some)
}
