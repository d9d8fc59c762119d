//! What tickets can have and what can happen to them: the facts and the events of pack.toml.

use std::collections::BTreeMap;

use rhai::ImmutableString;

use super::names::{self, FACTS_TAKEN, Names, unwritable};
use super::source::{At, Faults};
use super::table::Table;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::event::{CONTRACT_KINDS, Kinds, TICKET_DATA, TICKET_KINDS};
use crate::nearest::hint;
use crate::ticket::{Fact, FactType};
use crate::vocabulary::{EVENTS_ZH, WIDTH};

const TYPES: [&str; 6] = ["bool", "integer", "money", "text", "instant", "one-of"];

/// The facts of `[facts]`, in the order of their names.
pub(super) fn facts(root: &mut Table<'_>, faults: &mut Faults) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut known = Names::new(Code::FACT, "the fact");
    let entries = root.named("facts", faults);
    for (name, _) in &entries {
        known.take(name, faults);
    }
    for (name, value) in entries {
        named(&name, faults);
        let fact = value.table(faults).and_then(|table| fact(&name, table, &mut known, faults));
        match fact {
            Some(fact) => facts.push(fact),
            None => faults.doubt(name.value),
        }
    }
    if 2 * facts.len() + 8 > WIDTH {
        let message = format!("{} facts: a pack has at most {}", facts.len(), WIDTH / 2 - 4);
        faults.add(Code::FACT, Place::file("pack.toml"), message);
        facts.truncate(WIDTH / 2 - 4);
    }
    facts
}

fn named(name: &At<String>, faults: &mut Faults) {
    let taken = TICKET_DATA.contains(&name.value.as_str()) || FACTS_TAKEN.contains(&name.value.as_str());
    let why = if taken { Some("the program has this name already") } else { None };
    if let Some(why) = why {
        faults.add(Code::FACT, name.place.clone(), format!("fact `{}`: {why}", name.value));
    } else if let Some(why) = unwritable(&name.value) {
        faults.add(Code::FACT, name.place.clone(), format!("fact `{}` is {why}", name.value));
    }
    names::spelling(name, faults);
}

fn fact(name: &At<String>, mut table: Table<'_>, known: &mut Names, faults: &mut Faults) -> Option<Fact> {
    let of = table.need_text("type", faults);
    let listed = table.get("values");
    let values = listed.as_ref().map(|value| value.texts(faults)).unwrap_or_default();
    let doc = table.text("doc", faults).map(|doc| doc.value).unwrap_or_default();
    let zh = table.text("zh", faults);
    let zh_listed = table.get("zh_values");
    let zh_values = zh_listed.as_ref().map(|value| value.texts(faults)).unwrap_or_default();
    table.end(faults);
    if let Some(zh) = &zh {
        named(zh, faults);
        known.take(zh, faults);
    }
    let (of, name) = (of?, &name.value);
    let of = match of.value.as_str() {
        "bool" => FactType::Bool,
        "integer" => FactType::Integer,
        "money" => FactType::Money,
        "text" => FactType::Text,
        "instant" => FactType::Instant,
        "one-of" => {
            FactType::OneOf(values.iter().map(|value| ImmutableString::from(&*value.value)).collect())
        }
        other => {
            let near = hint(other, TYPES);
            let expected = TYPES.join(", ");
            let message = format!("fact `{name}`: unknown type `{other}`: expected {expected}{near}");
            faults.add(Code::FACT, of.place, message);
            return None;
        }
    };
    let one_of = matches!(of, FactType::OneOf(_));
    if one_of == values.is_empty() && (listed.is_some() || one_of) {
        let message = format!("fact `{name}`: `values` belong to a one-of, and to nothing else");
        let place = listed.as_ref().map_or_else(|| table_place(known, name), |value| value.key.clone());
        faults.add(Code::FACT, place, message);
    }
    distinct(name, "value", &values, faults);
    if let Some(zh_listed) = zh_listed {
        distinct(name, "Chinese value", &zh_values, faults);
        let message = match (one_of, &zh) {
            (true, _) if zh_values.len() != values.len() => Some(format!(
                "fact `{name}`: {} in `zh_values` for {} in `values`: expected one for each, in their order",
                zh_values.len(),
                values.len()
            )),
            (false, _) => Some(format!("fact `{name}`: `zh_values` belong to a one-of, and to nothing else")),
            (true, None) => {
                Some(format!("fact `{name}`: `zh_values` without `zh`: its values are read by it"))
            }
            _ => None,
        };
        if let Some(message) = message {
            let told = Diagnostic::new(Code::FACT, zh_listed.place.clone(), message);
            let told = match &listed {
                Some(listed) => told.related(listed.place.clone(), "the values"),
                None => told,
            };
            faults.tell(told);
        }
    }
    let texts = |values: Vec<At<String>>| values.into_iter().map(|value| value.value.into()).collect();
    let zh_values: Vec<ImmutableString> = texts(zh_values);
    Some(Fact { name: name.clone(), of, doc, zh: zh.map(|zh| zh.value), zh_values })
}

fn table_place(known: &Names, name: &str) -> Place {
    known.place(name).unwrap_or_else(|| Place::file("pack.toml"))
}

/// Tells values that are empty or stand twice.
fn distinct(name: &str, sort: &str, values: &[At<String>], faults: &mut Faults) {
    let mut known: BTreeMap<&str, &Place> = BTreeMap::new();
    for value in values {
        if value.value.trim().is_empty() {
            let message = format!("fact `{name}`: a {sort} is empty: expected a text");
            faults.add(Code::FACT, value.place.clone(), message);
        } else if let Some(first) = known.insert(&value.value, &value.place) {
            let message = format!("fact `{name}`: the {sort} `{}` stands twice", value.value);
            let told = Diagnostic::new(Code::FACT, value.place.clone(), message);
            faults.tell(told.related(first.clone(), "it stands here first"));
        }
    }
}

/// The kinds of events: those of the program and those of `[events]`, with their Chinese names.
pub(super) fn kinds(root: &mut Table<'_>, faults: &mut Faults) -> Kinds {
    let Some(mut events) = root.get("events").and_then(|value| value.table(faults)) else {
        return Kinds::with_declared(&[]);
    };
    let declared = events.texts("declared", faults);
    let aliases = events.named("zh", faults);
    events.end(faults);
    let built_in = || TICKET_KINDS.iter().chain(&CONTRACT_KINDS).copied();
    let mut known = Names::new(Code::PACK, "the event kind");
    for kind in &declared {
        if built_in().any(|known| known == kind.value) {
            let message = format!("the event kind `{}` exists already", kind.value);
            let told = Diagnostic::new(Code::PACK, kind.place.clone(), message);
            faults.tell(told.label("every pack has it").help("take it off the list"));
        } else if kind.value.trim().is_empty() {
            faults.add(Code::PACK, kind.place.clone(), "an event kind is empty: expected a name");
        } else {
            known.take(kind, faults);
        }
        names::spelling(kind, faults);
    }
    let names: Vec<String> = declared.iter().map(|kind| kind.value.clone()).collect();
    let mut kinds = Kinds::with_declared(&names);
    for (kind, alias) in aliases {
        if built_in().any(|known| known == kind.value) {
            let message = format!("the event kind `{}` has its Chinese name from the program", kind.value);
            faults.add(Code::PACK, kind.place, message);
            continue;
        }
        let Some(of) = kinds.find(&kind.value) else {
            let near = hint(&kind.value, names.iter().map(String::as_str));
            let message = format!("`zh` names the event kind `{}`, which is not declared{near}", kind.value);
            faults.add(Code::UNKNOWN_EVENT, kind.place, message);
            continue;
        };
        let Some(alias) = alias.text(faults) else { continue };
        let taken = EVENTS_ZH.iter().any(|(_, zh)| *zh == alias.value)
            || built_in().any(|known| known == alias.value);
        if alias.value.trim().is_empty() || taken {
            let message = format!("`{}` cannot be the Chinese name of `{}`", alias.value, kind.value);
            faults.add(Code::PACK, alias.place.clone(), message);
        } else if known.take(&alias, faults) {
            names::spelling(&alias, faults);
            kinds.name_also(of, alias.value);
        }
    }
    kinds
}
