//! Stage 5: what clauses can say. One table of words, fields, signs and entry functions; the pack adds its facts and terms.

mod acts;
mod inputs;
mod operators;
mod page;
mod table;
mod value;

use std::sync::Arc;

use rhai::ImmutableString;

use crate::Currency;
use crate::event::Kind;
use crate::nearest::hint;
use crate::terms::{Term, Terms};
use crate::ticket::{Fact, Schema};

pub(crate) use acts::Act;
pub(crate) use inputs::{About, AgainInputs, BreachInputs, Inputs, LevelInputs, Reads, WIDTH};
pub(crate) use operators::{Relation, SIGNS, Sign, compare, compute, gives, negate};
pub use page::vocabulary_page;
pub(crate) use table::{
    Asked, ENTRIES, EVENTS_ZH, FIELDS, Field, GLOBALS, Measured, Names, ROUNDINGS, Take, WORDS, Word,
};
pub(crate) use value::{
    Begin, Cap, CapPer, Due, DueLength, Duty, DutyWhen, FindingText, Level, LevelPeriod, Measure, Planned,
    Share, Sort, Step, StepAt, Value, Verdict,
};

/// At most so many names may be given to a word that repeats its last parameter.
pub(crate) const NAMES_MAX: usize = 6;

/// What the vocabulary of a pack knows beside the table.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) schema: Arc<Schema>,
    pub(crate) terms: Arc<Terms>,
    pub(crate) calendars: Vec<String>,
    pub(crate) roles: Vec<String>,
    pub(crate) currency: Currency,
    /// What each bit of [`Reads::inputs`] is called.
    pub(crate) input_names: Vec<Arc<str>>,
}

/// The Chinese name of a fact and, when they have any, of its values.
pub(crate) fn fact_zh(fact: &Fact) -> Option<(&str, &[ImmutableString])> {
    fact.zh.as_deref().map(|name| (name, fact.zh_values.as_slice()))
}

/// The Chinese name of a term.
pub(crate) fn term_zh(term: &Term) -> Option<&str> {
    term.zh.as_deref()
}

impl Words {
    pub(crate) fn new(
        schema: Arc<Schema>,
        terms: Arc<Terms>,
        calendars: Vec<String>,
        roles: Vec<String>,
        currency: Currency,
    ) -> Words {
        let facts = || schema.facts.iter().map(|fact| fact.name.as_str());
        let current = facts().map(|name| format!("ticket.{name}").into());
        let first = facts().map(|name| format!("ticket.first.{name}").into());
        let input_names = current.chain(first).chain(inputs::OTHER_INPUTS.map(Arc::from)).collect();
        Words { schema, terms, calendars, roles, currency, input_names }
    }

    /// The place of a fact by either of its names, and whether it was the Chinese one.
    pub(crate) fn fact(&self, name: &str) -> Option<(usize, bool)> {
        let by_zh = |fact: &Fact| fact_zh(fact).is_some_and(|(zh, _)| zh == name);
        let english = self.schema.fact(name).map(|place| (place, false));
        english.or_else(|| self.schema.facts.iter().position(by_zh).map(|place| (place, true)))
    }

    /// The names of all facts.
    pub(crate) fn fact_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.schema
            .facts
            .iter()
            .flat_map(|fact| std::iter::once(fact.name.as_str()).chain(fact_zh(fact).map(|(zh, _)| zh)))
    }

    /// The place of a term by either of its names.
    pub(crate) fn term(&self, name: &str) -> Option<usize> {
        let by_zh = |term: &Term| term_zh(term) == Some(name);
        self.terms.find(name).or_else(|| self.terms.list.iter().position(by_zh))
    }

    /// The names of all terms.
    pub(crate) fn term_names(&self) -> impl Iterator<Item = &str> {
        self.terms.list.iter().flat_map(|term| std::iter::once(&*term.name).chain(term_zh(term)))
    }

    /// An event kind by its name, or by its Chinese one.
    pub(crate) fn kind(&self, name: &str) -> Option<Kind> {
        let kinds = &self.schema.kinds;
        let built_in =
            EVENTS_ZH.iter().find(|(_, zh)| *zh == name).and_then(|(english, _)| kinds.find(english));
        kinds.find(name).or(built_in).or_else(|| kinds.alias(name))
    }

    /// An event kind of a ticket by its name, or why it is none.
    pub(crate) fn ticket_kind(&self, name: &str) -> Result<Kind, String> {
        match self.kind(name) {
            Some(kind) if kind.of_contract() => {
                Err(format!("`{name}` is an event of the contract, not of a ticket"))
            }
            Some(kind) => Ok(kind),
            None => Err(format!("unknown event kind `{name}`{}", self.kind_hint(name))),
        }
    }

    /// The nearest event kind in either language.
    pub(crate) fn kind_hint(&self, name: &str) -> String {
        match self.schema.kinds.hint(name) {
            near if near.is_empty() => hint(name, EVENTS_ZH.iter().map(|(_, zh)| *zh)),
            near => near,
        }
    }

    /// The English name of a rounding.
    pub(crate) fn rounding<'a>(&self, name: &'a str) -> &'a str {
        ROUNDINGS.iter().find(|names| names[1] == name).map_or(name, |names| names[0])
    }

    /// Which of the two contract events that can be asked for this is.
    pub(crate) fn contract_event(&self, name: &str) -> Option<usize> {
        let kind = self.kind(name)?;
        [Kind::SIGNED, Kind::PROJECT_ACCEPTED].iter().position(|known| *known == kind)
    }
}

/// The rows of the table for a word, by either name.
pub(crate) fn words_named(name: &str) -> impl Iterator<Item = (usize, &'static Word)> {
    WORDS.iter().enumerate().filter(move |(_, word)| word.names.contains(&name))
}

/// The field of a sort, by either name.
pub(crate) fn field(of: Sort, name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.of == of && field.names.contains(&name))
}

/// The entry function of this name, by its place in [`ENTRIES`].
pub(crate) fn entry(name: &str) -> Option<usize> {
    ENTRIES.iter().position(|entry| entry.names.contains(&name))
}

/// The global of this name.
pub(crate) fn global(name: &str) -> Option<Sort> {
    GLOBALS.iter().find(|(names, _, _)| names.contains(&name)).map(|(_, sort, _)| *sort)
}
