//! The contract events that come with a pack.

use super::names::Names;
use super::source::Faults;
use super::table::Table;
use crate::diagnostic::{Code, Diagnostic};
use crate::event::{Event, EventError};
use crate::ticket::Schema;

/// The events of `[[opening]]` that the schema takes.
pub(super) fn opening(
    root: &mut Table<'_>,
    contract: Option<&String>,
    schema: &Schema,
    faults: &mut Faults,
) -> Vec<Event> {
    let mut events = Vec::new();
    let mut known = Names::new(Code::OPENING, "the opening event");
    for mut table in root.tables("opening", faults) {
        let id = table.need_text("id", faults);
        let kind = table.need_text("kind", faults);
        let at = table.need_text("at", faults);
        let data = table.get("data");
        let facts = data
            .as_ref()
            .and_then(|data| data.table(faults))
            .map(|table| table.all(faults))
            .unwrap_or_default();
        let place = table.place().clone();
        table.end(faults);
        let (Some(id), Some(kind), Some(at)) = (id, kind, at) else { continue };
        if !known.take(&id, faults) {
            continue;
        }
        let instant = match at.value.parse() {
            Ok(instant) => instant,
            Err(error) => {
                let message = format!("event `{}`: {error}", id.value);
                faults.add(Code::OPENING, at.place, message);
                continue;
            }
        };
        let event = Event {
            id: id.value.clone(),
            contract: contract.cloned().unwrap_or_else(|| "contract".to_owned()),
            ticket: None,
            kind: kind.value.clone(),
            at: instant,
            actor: None,
            via: None,
            data: facts.iter().map(|(name, value)| (name.value.clone(), value.json())).collect(),
        };
        let Err(error) = schema.admit(&event) else {
            events.push(event);
            continue;
        };
        // A kind that is misread in pack.toml is told there.
        let of = |fact: &str| facts.iter().find(|(name, _)| name.value == fact);
        let place = match &error {
            EventError::Empty { field: "id", .. } => id.place,
            EventError::UnknownKind { .. } | EventError::Scope { .. } | EventError::Empty { .. } => {
                kind.place
            }
            EventError::UnknownFact { fact, .. } => of(fact).map_or(place, |(name, _)| name.place.clone()),
            EventError::FactType { fact, .. }
            | EventError::Time { fact, .. }
            | EventError::Money { fact, .. } => of(fact).map_or(place, |(_, value)| value.place.clone()),
            EventError::MissingFact { .. } => data.map_or(kind.place, |data| data.key),
            _ => id.place,
        };
        faults.tell(Diagnostic::new(Code::OPENING, place, error.to_string()));
    }
    events
}
