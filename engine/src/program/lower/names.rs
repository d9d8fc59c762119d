//! The names of a clause file: entry functions, functions that hide words, letters that look alike, what nothing calls.

use super::Lowering;
use crate::diagnostic::{Code, Diagnostic, Place, confusable};
use crate::nearest::hint;
use crate::program::source::Sort;
use crate::vocabulary::{ENTRIES, entry, words_named};

impl Lowering<'_> {
    /// Entry functions by their names and parameters, and names that hide words.
    pub(super) fn check_names(&mut self) {
        for script in self.scripts.values().filter(|script| !script.name.starts_with("anon$")) {
            let place = self.script_place(&script.name);
            match entry(&script.name).and_then(|i| ENTRIES.get(i)) {
                Some(entry) => {
                    let expected = usize::from(entry.takes.is_some());
                    if script.params.len() != expected {
                        let message = format!(
                            "`{}` takes {expected} parameter(s), not {}",
                            script.name,
                            script.params.len()
                        );
                        self.tell(Diagnostic::new(Code::ENTRY, place.clone(), message));
                    }
                    let [english, chinese] = entry.names;
                    if script.name == english && self.scripts.contains_key(chinese) {
                        let message = format!("`{english}` and `{chinese}` are the same entry function");
                        let other = self.script_place(chinese);
                        self.tell(
                            Diagnostic::new(Code::DUPLICATE, place, message).related(other, "the other one"),
                        );
                    }
                }
                None if words_named(&script.name).next().is_some() => {
                    let message =
                        format!("`{}` hides a word of the language: name it otherwise", script.name);
                    self.tell(Diagnostic::new(Code::SHADOWING, place, message));
                }
                None => {
                    let near = near_entry(&script.name);
                    if !near.is_empty() {
                        let message = format!("unknown entry function `{}`{near}", script.name);
                        self.tell(Diagnostic::new(Code::ENTRY, place, message));
                    }
                }
            }
        }
        let told = self.diagnostics.iter().any(|diagnostic| diagnostic.code == Code::ENTRY);
        if !told
            && !ENTRIES.iter().any(|entry| entry.names.iter().any(|name| self.scripts.contains_key(*name)))
        {
            let names: Vec<_> = ENTRIES.iter().map(|entry| entry.names[0]).collect();
            let message = format!("the file defines none of {}", names.join(", "));
            let file = Place::file(&self.source.file);
            self.tell(Diagnostic::new(Code::ENTRY, file, message));
        }
    }

    /// Whether the file defines an entry function, by its place.
    pub(super) fn has_entry(&self, place: usize) -> bool {
        let names = ENTRIES.get(place).map_or(["", ""], |entry| entry.names);
        names.iter().any(|name| self.scripts.contains_key(*name))
    }

    /// Entry functions that cannot stand together, or not alone.
    pub(super) fn check_company(&mut self) {
        let place = |lowering: &Self, entry: usize| {
            let names = ENTRIES.get(entry).map_or(["", ""], |entry| entry.names);
            let name = names.iter().find(|name| lowering.scripts.contains_key(**name));
            name.map(|name| lowering.script_place(name))
        };
        let (deadlines, duties) = (place(self, super::DEADLINES), place(self, super::DUTIES));
        if let (Some(deadlines), Some(duties)) = (deadlines, duties) {
            let message = "a file sets the clocks of tickets or the duties of the contract, not both";
            let told =
                Diagnostic::new(Code::ENTRY, duties, message).related(deadlines, "the clocks of tickets");
            self.tell(told.help("give the duties a clause file of their own"));
        }
        if let Some(credit) = place(self, super::CREDIT).filter(|_| !self.has_entry(super::LEVELS)) {
            let message = "`credit` prices the service levels of its file, and the file sets none";
            self.tell(Diagnostic::new(Code::ENTRY, credit, message));
        }
        let prices = self.has_entry(super::PENALTY) || self.has_entry(super::CREDIT);
        if let Some(repeated) = place(self, super::REPEATED).filter(|_| !prices) {
            let message =
                "`repeated` is for what `penalty` or `credit` of its file gives, and the file has neither";
            self.tell(Diagnostic::new(Code::ENTRY, repeated, message));
        }
        let missed = self.has_entry(super::DEADLINES) || self.has_entry(super::DUTIES);
        if let Some(penalty) = place(self, super::PENALTY).filter(|_| !missed) {
            let message = "`penalty` is never called: the file sets neither clocks nor duties";
            self.tell(Diagnostic::new(Code::UNUSED_FUNCTION, penalty, message));
        }
        let clocks = self.has_entry(super::DEADLINES);
        if let Some(steps) = place(self, super::ESCALATION).filter(|_| !clocks) {
            let message = "`escalation` has no steps to take: the file sets no clocks of tickets";
            self.tell(Diagnostic::new(Code::UNUSED_FUNCTION, steps, message));
        }
    }

    /// Names with letters that look like others.
    pub(super) fn check_letters(&mut self) {
        let mut declares = false;
        for token in &self.source.tokens {
            if declares
                && token.sort == Sort::Name
                && let Some(looks) = confusable(&token.text)
            {
                let message = format!("the name `{}` {looks}", token.text);
                let place = self.source.place_of(token);
                self.diagnostics.push(Diagnostic::new(Code::HOMOGLYPH, place, message));
            }
            declares = ["fn", "let", "const", "for"].contains(&token.text.as_str());
        }
    }

    pub(super) fn check_unused(&mut self) {
        for script in self.scripts.values().filter(|script| !script.name.starts_with("anon$")) {
            let near = near_entry(&script.name);
            if entry(&script.name).is_none() && near.is_empty() && !self.called.contains(&script.name) {
                let message = format!("`{}` is never called", script.name);
                let place = self.script_place(&script.name);
                self.tell(Diagnostic::new(Code::UNUSED_FUNCTION, place, message));
            }
        }
    }
}

/// The entry function that a name misspells. Chinese names are so short that a letter more makes another word.
fn near_entry(name: &str) -> String {
    let length = name.chars().count();
    let alike = |known: &&str| known.is_ascii() || known.chars().count() == length;
    match length {
        0..=2 => String::new(),
        _ => hint(name, ENTRIES.iter().flat_map(|entry| entry.names).filter(alike)),
    }
}
