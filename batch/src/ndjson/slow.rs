//! Any JSON line, read by `serde_json`. Here is decided what a line says and why it is refused.

use std::fmt;

use holdback::Instant;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Fault;
use super::columns::{Column, Columns, Values, edge};
use super::keys::{Keys, Level, Target};
use holdback::hint;

/// Reads a line into the columns.
///
/// # Errors
/// What is wrong with it; then what it told so far is to be taken back.
pub(super) fn read(text: &str, keys: &Keys, columns: &mut Columns) -> Result<(), Fault> {
    let mut fault = None;
    let mut json = serde_json::Deserializer::from_str(text);
    let object = Object { level: &keys.top, data: Some(&keys.data), columns, fault: &mut fault };
    let read = object.deserialize(&mut json).and_then(|()| json.end());
    if let Err(error) = read {
        return Err(fault.unwrap_or_else(|| not_json(&error)));
    }
    columns.end_row().map_err(|name| Fault {
        column: Some(name.to_owned()),
        reason: "is missing or null: expected a value".to_owned(),
    })
}

fn not_json(error: &serde_json::Error) -> Fault {
    let text = error.to_string();
    // It is always line 1 of itself.
    let what = text.split(" at line ").next().unwrap_or_default();
    let what = if error.is_data() { format!("not a row: {what}") } else { format!("not JSON: {what}") };
    Fault { column: None, reason: format!("{what} at byte {}", error.column()) }
}

struct Object<'a> {
    level: &'a Level,
    data: Option<&'a Level>,
    columns: &'a mut Columns,
    fault: &'a mut Option<Fault>,
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    /// Data that is null is no data; a line that is null is not an object.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        if self.data.is_some() {
            return Err(E::invalid_type(serde::de::Unexpected::Unit, &self));
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = vec![false; self.level.keys.len()];
        while let Some(name) = map.next_key::<String>()? {
            let Some(place) = self.level.find(&name) else {
                let hint = hint(&name, self.level.keys.iter().map(|key| key.name.as_str()));
                return Err(put(self.fault, &name, format!("is not a known key{hint}")));
            };
            let twice = "is told twice";
            if seen.get_mut(place).is_some_and(|seen| std::mem::replace(seen, true)) {
                return Err(put(self.fault, &name, twice.to_owned()));
            }
            match self.level.keys.get(place).map(|key| key.target) {
                Some(Target::Column(column)) => {
                    let Some(column) = self.columns.untold(column) else {
                        return Err(put(self.fault, &name, twice.to_owned()));
                    };
                    map.next_value_seed(Value { column, fault: self.fault })?;
                }
                Some(Target::Data) => map.next_value_seed(Object {
                    level: self.data.unwrap_or(self.level),
                    data: None,
                    columns: self.columns,
                    fault: self.fault,
                })?,
                Some(Target::Nothing) | None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Keeps a fault of ours; the reader is told only that there is one.
fn put<E: Error>(fault: &mut Option<Fault>, name: &str, reason: String) -> E {
    let column = name.chars().take(80).collect();
    *fault = Some(Fault { column: Some(column), reason });
    E::custom("refused")
}

struct Value<'a> {
    column: &'a mut Column,
    fault: &'a mut Option<Fault>,
}

impl Value<'_> {
    fn refuse<E: Error>(self, found: impl fmt::Display) -> E {
        let expected = match self.column.values {
            Values::Text { .. } => "text",
            Values::Times(..) => "a time with offset, such as `2026-03-02T09:00:00+08:00`",
            Values::Numbers(_) => "a whole number of 64 bits",
            Values::Booleans(_) => "true or false",
        };
        put(self.fault, &self.column.name, format!("is {found}: expected {expected}"))
    }

    fn number<E: Error>(self, value: Option<i64>, found: impl fmt::Display) -> Result<(), E> {
        match (&mut self.column.values, value) {
            (Values::Numbers(values), Some(value)) => values.push(value),
            _ => return Err(self.refuse(format_args!("the number `{found}`"))),
        }
        self.column.told();
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let shown = || text.chars().take(80).collect::<String>();
        match &mut self.column.values {
            Values::Text { bytes, edges } => {
                bytes.extend_from_slice(text.as_bytes());
                edges.push(edge(bytes));
            }
            Values::Times(values, _) => match text.parse::<Instant>() {
                Ok(time) => values.push(time.micros()),
                Err(_) if format!("{text}Z").parse::<Instant>().is_ok() => {
                    return Err(self.refuse(format_args!("`{}`, a time without zone", shown())));
                }
                Err(_) => return Err(self.refuse(format_args!("`{}`", shown()))),
            },
            Values::Numbers(values) => match text.parse() {
                Ok(number) => values.push(number),
                Err(_) => return Err(self.refuse(format_args!("`{}`", shown()))),
            },
            Values::Booleans(_) => return Err(self.refuse(format_args!("the text `{}`", shown()))),
        }
        self.column.told();
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.number(Some(value), value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.number(i64::try_from(value).ok(), value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.number(None, value)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        match &mut self.column.values {
            Values::Booleans(values) => values.append(value),
            _ => return Err(self.refuse(format_args!("`{value}`"))),
        }
        self.column.told();
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        if self.column.push_nothing() { Ok(()) } else { Err(self.refuse("null")) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.refuse("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(self.refuse("an object"))
    }
}
