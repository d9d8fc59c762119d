//! TOML read with its places: every field that is missing, unknown or of another sort is told, not only the first.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::source::{At, Faults, Source};
use crate::diagnostic::{Code, Place};
use crate::nearest::{hint, nearest};

/// Lists and tables of names are read so far.
const ITEMS_MAX: usize = 5_000;

/// A table of a TOML file, of which every field is to be asked for.
pub(super) struct Table<'s> {
    source: &'s Source<'s>,
    /// Its name, such as `facts.kind`; empty for the whole file.
    name: String,
    place: Place,
    entries: &'s DeTable<'s>,
    asked: Vec<&'static str>,
}

/// A value of a TOML file with its key.
#[derive(Clone)]
pub(super) struct Value<'s> {
    source: &'s Source<'s>,
    /// Its key with the tables around it.
    pub(super) name: String,
    pub(super) key: Place,
    pub(super) place: Place,
    pub(super) value: &'s Spanned<DeValue<'s>>,
}

impl<'s> Table<'s> {
    /// A whole file.
    pub(super) fn root(source: &'s Source<'s>, entries: &'s DeTable<'s>) -> Table<'s> {
        Table { source, name: String::new(), place: Place::file(source.file), entries, asked: Vec::new() }
    }

    fn value(&self, key: &'s Spanned<toml::de::DeString<'s>>, value: &'s Spanned<DeValue<'s>>) -> Value<'s> {
        let dot = if self.name.is_empty() { "" } else { "." };
        Value {
            source: self.source,
            name: format!("{}{dot}{}", self.name, key.get_ref()),
            key: self.source.place(key.span()),
            place: self.source.place(value.span()),
            value,
        }
    }

    /// A field that may be there.
    pub(super) fn get(&mut self, key: &'static str) -> Option<Value<'s>> {
        self.asked.push(key);
        self.entries.get_key_value(key).map(|(key, value)| self.value(key, value))
    }

    /// A field that must be there.
    pub(super) fn need(&mut self, key: &'static str, faults: &mut Faults) -> Option<Value<'s>> {
        let found = self.get(key);
        if found.is_none() {
            // A misspelt one is told as such.
            let few = self.entries.len() <= ITEMS_MAX;
            let misspelt = few && self.entries.keys().any(|other| nearest(other.get_ref(), [key]).is_some());
            if !misspelt {
                let within =
                    if self.name.is_empty() { String::new() } else { format!(" in `{}`", self.name) };
                let message = format!("missing field `{key}`{within}");
                faults.add(Code::TOML, self.place.clone(), message);
            }
        }
        found
    }

    pub(super) fn text(&mut self, key: &'static str, faults: &mut Faults) -> Option<At<String>> {
        self.get(key)?.text(faults)
    }

    pub(super) fn need_text(&mut self, key: &'static str, faults: &mut Faults) -> Option<At<String>> {
        self.need(key, faults)?.text(faults)
    }

    pub(super) fn flag(&mut self, key: &'static str, faults: &mut Faults) -> bool {
        self.get(key).and_then(|value| value.flag(faults)).unwrap_or(false)
    }

    pub(super) fn texts(&mut self, key: &'static str, faults: &mut Faults) -> Vec<At<String>> {
        self.get(key).map(|value| value.texts(faults)).unwrap_or_default()
    }

    /// The entries of a table whose keys are names, in the order of the names.
    pub(super) fn named(&mut self, key: &'static str, faults: &mut Faults) -> Vec<(At<String>, Value<'s>)> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(table) = value.table(faults) else { return Vec::new() };
        table.all(faults)
    }

    /// The tables of a list, such as `[[opening]]`.
    pub(super) fn tables(&mut self, key: &'static str, faults: &mut Faults) -> Vec<Table<'s>> {
        let items = self.get(key).map(|value| value.items(faults)).unwrap_or_default();
        items.iter().filter_map(|item| item.table(faults)).collect()
    }

    /// All entries by name; nothing is asked of them.
    pub(super) fn all(&self, faults: &mut Faults) -> Vec<(At<String>, Value<'s>)> {
        if self.entries.len() > ITEMS_MAX {
            let what = if self.name.is_empty() { "the file" } else { &self.name };
            let message = format!("{what} has {} entries: expected at most {ITEMS_MAX}", self.entries.len());
            faults.add(Code::TOML, self.place.clone(), message);
        }
        let entry = |(key, value): (&'s Spanned<toml::de::DeString<'s>>, _)| {
            let value = self.value(key, value);
            (At { value: key.get_ref().to_string(), place: value.key.clone() }, value)
        };
        self.entries.iter().take(ITEMS_MAX).map(entry).collect()
    }

    /// Tells the fields that nobody asked for.
    pub(super) fn end(self, faults: &mut Faults) {
        for key in self.entries.keys().filter(|key| !self.asked.contains(&key.get_ref().as_ref())) {
            if !faults.room(self.source.file) {
                return;
            }
            let name = key.get_ref();
            let near = hint(name, self.asked.iter().copied());
            let expected =
                if near.is_empty() { format!("; expected {}", self.asked.join(", ")) } else { near };
            let place = self.source.place(key.span());
            faults.add(Code::TOML, place, format!("unknown field `{name}`{expected}"));
        }
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }
}

impl<'s> Value<'s> {
    fn refuse<T>(&self, expected: &str, faults: &mut Faults) -> Option<T> {
        let found = sort_of(self.value.get_ref());
        let message = format!("`{}` is {found}: expected {expected}", self.name);
        faults.add(Code::TOML, self.place.clone(), message);
        None
    }

    pub(super) fn text(&self, faults: &mut Faults) -> Option<At<String>> {
        match self.value.get_ref() {
            DeValue::String(text) => Some(At { value: text.to_string(), place: self.place.clone() }),
            _ => self.refuse("a text in quotes", faults),
        }
    }

    pub(super) fn flag(&self, faults: &mut Faults) -> Option<bool> {
        match self.value.get_ref() {
            DeValue::Boolean(yes) => Some(*yes),
            _ => self.refuse("true or false", faults),
        }
    }

    pub(super) fn whole(&self, faults: &mut Faults) -> Option<i64> {
        match self.value.get_ref() {
            DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix())
                .ok()
                .or_else(|| self.refuse("a whole number of 64 bits", faults)),
            _ => self.refuse("a whole number", faults),
        }
    }

    /// A date without a time.
    pub(super) fn date(&self, faults: &mut Faults) -> Option<At<chrono::NaiveDate>> {
        let expected = "a date such as 2026-01-15, without quotes";
        let DeValue::Datetime(date) = self.value.get_ref() else { return self.refuse(expected, faults) };
        let text = date.to_string();
        match text.parse() {
            Ok(value) => Some(At { value, place: self.place.clone() }),
            Err(_) => {
                let message = format!("`{}` is `{text}`: expected a date such as 2026-01-15", self.name);
                faults.add(Code::TERM, self.place.clone(), message);
                None
            }
        }
    }

    pub(super) fn items(&self, faults: &mut Faults) -> Vec<Value<'s>> {
        let DeValue::Array(items) = self.value.get_ref() else {
            return self.refuse("a list", faults).unwrap_or_default();
        };
        if items.len() > ITEMS_MAX {
            let message = format!("`{}` has {} items: expected at most {ITEMS_MAX}", self.name, items.len());
            faults.add(Code::TOML, self.key.clone(), message);
        }
        let item = |value| {
            let place = self.source.place(Spanned::span(value));
            Value { key: place.clone(), place, value, ..self.clone() }
        };
        items.iter().take(ITEMS_MAX).map(item).collect()
    }

    pub(super) fn texts(&self, faults: &mut Faults) -> Vec<At<String>> {
        self.items(faults).iter().filter_map(|item| item.text(faults)).collect()
    }

    pub(super) fn table(&self, faults: &mut Faults) -> Option<Table<'s>> {
        match self.value.get_ref() {
            DeValue::Table(entries) => {
                let (source, name) = (self.source, self.name.clone());
                Some(Table { source, name, place: self.key.clone(), entries, asked: Vec::new() })
            }
            _ => self.refuse("a table", faults),
        }
    }

    /// An entry of a table.
    pub(super) fn child(&self, key: &str) -> Option<Value<'s>> {
        let (key, value) = self.value.get_ref().as_table()?.get_key_value(key)?;
        let (source, name) = (self.source, format!("{}.{}", self.name, key.get_ref()));
        let (key, place) = (source.place(key.span()), source.place(value.span()));
        Some(Value { source, name, key, place, value })
    }

    /// A value as some other type reads it.
    pub(super) fn parse<T: DeserializeOwned>(&self, code: Code, faults: &mut Faults) -> Option<T> {
        match T::deserialize(ValueDeserializer::from(self.value.clone())) {
            Ok(value) => Some(value),
            Err(error) => {
                let message = error.message().replace('\n', " ").replace("unknown variant", "unknown value");
                let span = error.span().unwrap_or_else(|| self.value.span());
                let place = self.source.place(self.named(&message, span));
                faults.add(code, place, format!("`{}`: {message}", self.name));
                None
            }
        }
    }

    /// Where within a stretch the text stands that a message names first, else the whole stretch.
    fn named(&self, message: &str, span: Range<usize>) -> Range<usize> {
        let found = message.split('`').nth(1).filter(|name| !name.is_empty()).and_then(|name| {
            let text = self.source.text.get(span.clone())?;
            let quoted = format!("\"{name}\"");
            let at = |part: &str| text.find(part).map(|at| span.start + at..span.start + at + part.len());
            at(&quoted).or_else(|| at(name))
        });
        found.unwrap_or(span)
    }

    /// A single value as it is written, without quotes; nothing for lists and tables.
    pub(super) fn scalar(&self) -> Option<String> {
        Some(match self.value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(n) => match i128::from_str_radix(n.as_str(), n.radix()) {
                Ok(n) => n.to_string(),
                Err(_) => n.to_string(),
            },
            DeValue::Float(n) => n.as_str().to_owned(),
            DeValue::Boolean(yes) => yes.to_string(),
            DeValue::Datetime(at) => at.to_string(),
            DeValue::Array(_) | DeValue::Table(_) => return None,
        })
    }

    /// The value as JSON. Dates become texts.
    pub(super) fn json(&self) -> serde_json::Value {
        json(self.value.get_ref())
    }

    /// The places of what lies within, where `wanted` says yes.
    pub(super) fn find(&self, wanted: &dyn Fn(&DeValue<'_>) -> bool) -> Vec<Place> {
        let mut spans = Vec::new();
        find(self.value, wanted, &mut spans);
        spans.into_iter().map(|span| self.source.place(span)).collect()
    }
}

fn find(value: &Spanned<DeValue<'_>>, wanted: &dyn Fn(&DeValue<'_>) -> bool, found: &mut Vec<Range<usize>>) {
    if wanted(value.get_ref()) {
        found.push(value.span());
    }
    match value.get_ref() {
        DeValue::Array(items) => items.iter().for_each(|item| find(item, wanted, found)),
        DeValue::Table(table) => table.values().for_each(|value| find(value, wanted, found)),
        _ => {}
    }
}

fn json(value: &DeValue<'_>) -> serde_json::Value {
    match value {
        DeValue::String(text) => text.to_string().into(),
        DeValue::Integer(n) => match i64::from_str_radix(n.as_str(), n.radix()) {
            Ok(n) => n.into(),
            Err(_) => n.to_string().into(),
        },
        DeValue::Float(n) => n.as_str().parse().map_or_else(|_| n.as_str().into(), |n: f64| n.into()),
        DeValue::Boolean(yes) => (*yes).into(),
        DeValue::Datetime(at) => at.to_string().into(),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Table(table) => {
            let entries = table.iter().map(|(key, value)| (key.get_ref().to_string(), json(value.get_ref())));
            serde_json::Value::Object(entries.collect())
        }
    }
}

fn sort_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or a time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
