//! The keys that a line may have, and where their values go.

use arrow::datatypes::Schema;

use super::Shape;

/// The keys that every event may have beside its `data`.
const ENVELOPE: [&str; 7] = ["id", "contract", "ticket", "kind", "at", "actor", "via"];

/// Where a key's value goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    /// Into this column.
    Column(usize),
    /// Nowhere.
    Nothing,
    /// It is an object with keys of its own.
    Data,
}

/// A known key.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: String,
    /// As a line usually spells it: quoted and with the colon. Empty for a name that cannot be spelled so.
    pub(super) token: Vec<u8>,
    pub(super) target: Target,
    /// The key that followed this one last.
    pub(super) follower: usize,
}

/// The keys of one object.
#[derive(Debug, Default)]
pub(super) struct Level {
    pub(super) keys: Vec<Key>,
    /// The key with which the object began last.
    pub(super) first: usize,
}

/// The keys of a line and of its `data`.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) top: Level,
    pub(super) data: Level,
}

impl Keys {
    pub(super) fn new(schema: &Schema, shape: Shape) -> Keys {
        let own = match shape {
            Shape::Rows => schema.fields().len(),
            Shape::Events { envelope } => envelope,
        };
        let mut keys = Keys { top: Level::default(), data: Level::default() };
        for (column, field) in schema.fields().iter().enumerate() {
            let level = if column < own { &mut keys.top } else { &mut keys.data };
            level.add(field.name(), Target::Column(column));
        }
        if let Shape::Events { .. } = shape {
            for name in ENVELOPE {
                keys.top.add(name, Target::Nothing);
            }
            keys.top.add("data", Target::Data);
        }
        keys
    }
}

impl Level {
    /// The first of two keys of one name is the key.
    fn add(&mut self, name: &str, target: Target) {
        if self.find(name).is_some() {
            return;
        }
        let plain = name.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
        let token = if plain { format!("\"{name}\":").into_bytes() } else { Vec::new() };
        self.keys.push(Key { name: name.to_owned(), token, target, follower: self.keys.len() + 1 });
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.keys.iter().position(|key| key.name == name)
    }
}
