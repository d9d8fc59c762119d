//! Holdback's own events as CSV.

use holdback::{Event, FactType, Pack};
use serde_json::{Map, Value as Json};

use super::{LogNotes, Record};
use crate::adapter::Rows;

/// Columns that every event has, then those it may have.
const NEEDED: [&str; 4] = ["id", "contract", "kind", "at"];
const OPTIONAL: [&str; 3] = ["ticket", "actor", "via"];

/// One event a row.
pub(super) struct Table {
    needed: [usize; 4],
    optional: [Option<usize>; 3],
    data: Vec<Column>,
}

/// A column of facts.
struct Column {
    place: usize,
    name: String,
    cell: Cell,
}

/// How a cell becomes JSON. Everything stays text but what the pack wants otherwise; what does not fit goes to the engine as
/// text, which says what is wrong with it.
#[derive(Clone, Copy)]
enum Cell {
    Text,
    Bool,
    Integer,
}

impl Table {
    pub(super) fn new(header: &Record, pack: &Pack) -> Result<Table, String> {
        let missing: Vec<String> = NEEDED
            .iter()
            .filter(|name| header.find(name).is_none())
            .map(|name| format!("`{name}`"))
            .collect();
        if !missing.is_empty() {
            let found: Vec<&str> = header.iter().take(8).collect();
            return Err(format!(
                "no column {}: expected NDJSON, a JSON array, or CSV with the columns `id`, `contract`, `kind`, `at`; \
                 found `{}`",
                missing.join(", "),
                super::excerpt(found.join(",").as_bytes()).chars().take(120).collect::<String>(),
            ));
        }
        let cell = |name: &str| match pack.facts().iter().find(|fact| fact.name == name).map(|fact| &fact.of)
        {
            Some(FactType::Bool) => Cell::Bool,
            Some(FactType::Integer) => Cell::Integer,
            // The one built-in key that is not text.
            None if name == "receipt" => Cell::Bool,
            _ => Cell::Text,
        };
        let data = header.iter().enumerate();
        let data = data.filter(|(_, name)| !NEEDED.contains(name) && !OPTIONAL.contains(name));
        Ok(Table {
            needed: NEEDED.map(|name| header.find(name).unwrap_or_default()),
            optional: OPTIONAL.map(|name| header.find(name)),
            data: data
                .map(|(place, name)| Column { place, name: name.to_owned(), cell: cell(name) })
                .collect(),
        })
    }
}

impl Rows for Table {
    fn take(&mut self, row: &Record, events: &mut Vec<Event>) -> Result<(), String> {
        let [id, contract, kind, at] = self.needed.map(|place| row.get(place));
        let at = at.parse().map_err(|error| format!("column `at`: {error}"))?;
        let [ticket, actor, via] = self.optional.map(|place| {
            place.map(|place| row.get(place)).filter(|text| !text.is_empty()).map(str::to_owned)
        });
        let mut data = Map::new();
        for column in &self.data {
            let text = row.get(column.place);
            if text.is_empty() {
                continue;
            }
            let value = match (column.cell, text, text.parse::<i64>()) {
                (Cell::Bool, "true", _) => Json::Bool(true),
                (Cell::Bool, "false", _) => Json::Bool(false),
                (Cell::Integer, _, Ok(number)) => Json::from(number),
                _ => Json::from(text),
            };
            data.insert(column.name.clone(), value);
        }
        events.push(Event {
            id: id.to_owned(),
            contract: contract.to_owned(),
            ticket,
            kind: kind.to_owned(),
            at,
            actor,
            via,
            data,
        });
        Ok(())
    }

    fn notes(&self) -> LogNotes {
        LogNotes::default()
    }
}
