//! Stage 2: everything that was told, once, in the order in which it came.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::event::{Event, EventError};

/// The journal in memory. Events are appended and never changed.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    events: Vec<Arc<Event>>,
    ids: HashSet<ById>,
}

/// What became of an event that was told.
#[derive(Debug, PartialEq)]
pub(crate) enum Told {
    /// It is new.
    New,
    /// The same was told before.
    Again,
}

#[derive(Debug)]
struct ById(Arc<Event>);

impl Borrow<str> for ById {
    fn borrow(&self) -> &str {
        &self.0.id
    }
}

impl PartialEq for ById {
    fn eq(&self, other: &ById) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for ById {}

impl Hash for ById {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // As `str` hashes, since look-ups go by text.
        self.0.id.as_str().hash(state);
    }
}

impl Journal {
    /// Writes an event down, unless it stands there already.
    pub(crate) fn append(&mut self, event: Event) -> Result<Told, EventError> {
        if let Some(ById(known)) = self.ids.get(event.id.as_str()) {
            return match known.difference(&event) {
                None => Ok(Told::Again),
                Some(field) => Err(EventError::Conflict { id: event.id, field }),
            };
        }
        let event = Arc::new(event);
        self.ids.insert(ById(Arc::clone(&event)));
        self.events.push(event);
        Ok(Told::New)
    }

    pub(crate) fn events(&self) -> impl ExactSizeIterator<Item = &Event> {
        self.events.iter().map(|event| &**event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, kind: &str) -> Event {
        let text = format!(
            r#"{{"id":"{id}","contract":"c","ticket":"t","kind":"{kind}","at":"2026-01-01T00:00:00Z"}}"#
        );
        Event::from_json(&text).unwrap()
    }

    #[test]
    fn the_same_twice_is_once_and_another_content_is_refused() {
        let mut journal = Journal::default();
        assert_eq!(journal.append(event("1", "reported")), Ok(Told::New));
        assert_eq!(journal.append(event("1", "reported")), Ok(Told::Again));
        let conflict = journal.append(event("1", "resolved")).unwrap_err();
        assert_eq!(conflict, EventError::Conflict { id: "1".into(), field: "kind" });
        assert_eq!(journal.events().len(), 1);
    }
}
