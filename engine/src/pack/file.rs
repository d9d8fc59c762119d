//! pack.toml: what stands at its top, its roles and channels, its reasons. Facts and calendars have files of their own.

use std::collections::BTreeSet;

use chrono_tz::Tz;

use super::names::{self, Names};
use super::source::{At, Faults, Source};
use super::table::Table;
use super::{Channel, FORMAT, Role};
use crate::Currency;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::nearest::hint;

/// The adapters that `adapter` may name.
const ADAPTERS: [&str; 2] = ["servicenow-log", "events"];
/// Where a pack keeps its clause files when it does not say.
const CLAUSES: &str = "clauses";

/// pack.toml, but for its facts, events, calendars and opening events.
pub(super) struct PackToml {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) title: String,
    pub(super) example: bool,
    pub(super) contracts: Vec<String>,
    pub(super) adapter: Option<String>,
    /// Nothing when the file does not say it rightly.
    pub(super) currency: Option<Currency>,
    pub(super) zone: Option<Tz>,
    /// The folder of the clause files.
    pub(super) clauses: At<String>,
    pub(super) deduction: Option<At<String>>,
    pub(super) low: Option<At<String>>,
    pub(super) manual: Vec<Reason>,
    pub(super) later: Vec<Reason>,
    pub(super) roles: Vec<Role>,
    pub(super) channels: Vec<Channel>,
}

/// Why no file carries a clause.
pub(super) struct Reason {
    pub(super) clause: At<String>,
    pub(super) reason: String,
}

impl PackToml {
    /// What is taken for a pack.toml that cannot be read, so that the other files can be checked.
    pub(super) fn unread() -> PackToml {
        PackToml {
            name: String::new(),
            version: String::new(),
            title: String::new(),
            example: false,
            contracts: Vec::new(),
            adapter: None,
            currency: None,
            zone: None,
            clauses: At { value: CLAUSES.to_owned(), place: Place::file("pack.toml") },
            deduction: None,
            low: None,
            manual: Vec::new(),
            later: Vec::new(),
            roles: Vec::new(),
            channels: Vec::new(),
        }
    }

    /// Reads the top of pack.toml; nothing when it is of another format.
    pub(super) fn read(root: &mut Table<'_>, source: &Source<'_>, faults: &mut Faults) -> Option<PackToml> {
        if let Some(value) = root.need("format", faults)
            && let Some(format) = value.whole(faults)
            && format != i64::from(FORMAT)
        {
            let message = format!("`format` is {format}: this program reads {FORMAT}");
            faults.add(Code::PACK, value.place, message);
            return None;
        }
        let mut file = PackToml::unread();
        let required = |root: &mut Table<'_>, key, faults: &mut Faults| {
            let text = root.need_text(key, faults)?;
            if text.value.trim().is_empty() {
                faults.add(Code::PACK, text.place, format!("`{key}` is empty: expected a text"));
            }
            Some(text.value)
        };
        file.name = required(root, "name", faults).unwrap_or_default();
        file.version = required(root, "version", faults).unwrap_or_default();
        file.title = root.text("title", faults).map(|text| text.value).unwrap_or_default();
        file.example = root.flag("example", faults);
        file.currency = root.need_text("currency", faults).and_then(|text| {
            let read = text.value.parse::<Currency>();
            read.map_err(|error| faults.add(Code::PACK, text.place, error.to_string())).ok()
        });
        file.zone = root.need_text("zone", faults).and_then(|text| zone(&text, faults));
        file.contracts = contracts(root, faults);
        file.adapter = root.text("adapter", faults).map(|adapter| {
            if !ADAPTERS.contains(&adapter.value.as_str()) {
                let near = hint(&adapter.value, ADAPTERS);
                let expected = "expected `servicenow-log` or `events`";
                let message = format!("unknown adapter `{}`: {expected}{near}", adapter.value);
                faults.add(Code::PACK, adapter.place, message);
            }
            adapter.value
        });
        if let Some(folder) = root.text("clauses", faults) {
            let one = !folder.value.is_empty() && !folder.value.contains(['/', '\\']);
            if !one || folder.value.starts_with('.') {
                let message =
                    format!("`clauses` is `{}`: expected the name of one folder of the pack", folder.value);
                faults.add(Code::PACK, folder.place, message);
                faults.doubt("clauses");
            } else {
                file.clauses = folder;
            }
        }
        if let Some(mut deposit) = root.get("deposit").and_then(|value| value.table(faults)) {
            file.deduction = deposit.text("deduction", faults);
            file.low = deposit.text("low", faults);
            deposit.end(faults);
        }
        file.manual = reasons(root, "manual", faults);
        file.later = reasons(root, "later", faults);
        file.channels = channels(root, faults);
        file.roles = roles(root, &file.channels, source, faults);
        Some(file)
    }
}

fn zone(text: &At<String>, faults: &mut Faults) -> Option<Tz> {
    let found = text.value.parse().ok();
    if found.is_none() {
        let near = hint(&text.value, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
        let message = format!("unknown time zone `{}`{near}", text.value);
        faults.add(Code::PACK, text.place.clone(), message);
    }
    found
}

fn contracts(root: &mut Table<'_>, faults: &mut Faults) -> Vec<String> {
    let Some(value) = root.need("contracts", faults) else { return Vec::new() };
    let list = value.texts(faults);
    if value.value.get_ref().as_array().is_some_and(|list| list.is_empty()) {
        let message = "`contracts` is empty: expected at least one contract id";
        faults.add(Code::PACK, value.place, message);
    }
    for (i, contract) in list.iter().enumerate() {
        if contract.value.is_empty() {
            let message = "a contract id is empty: expected a text";
            faults.add(Code::PACK, contract.place.clone(), message);
        } else if let Some(first) = list.iter().take(i).find(|first| first.value == contract.value) {
            let message = format!("the contract `{}` stands twice", contract.value);
            let told = Diagnostic::new(Code::PACK, contract.place.clone(), message);
            faults.tell(told.related(first.place.clone(), "it stands here first"));
        }
    }
    list.into_iter().map(|contract| contract.value).collect()
}

fn reasons(root: &mut Table<'_>, key: &'static str, faults: &mut Faults) -> Vec<Reason> {
    let mut list = Vec::new();
    for mut table in root.tables(key, faults) {
        let clause = table.need_text("clause", faults);
        let reason = table.need_text("reason", faults);
        if let Some(reason) = reason.as_ref().filter(|reason| reason.value.trim().is_empty()) {
            let message = "`reason` is empty: expected why no file carries the clause";
            faults.add(Code::PACK, reason.place.clone(), message);
        }
        match clause {
            Some(clause) => {
                list.push(Reason { clause, reason: reason.map(|reason| reason.value).unwrap_or_default() });
            }
            // It may be any of those that nothing carries.
            None => faults.doubt("clauses"),
        }
        table.end(faults);
    }
    list
}

fn channels(root: &mut Table<'_>, faults: &mut Faults) -> Vec<Channel> {
    let mut list = Vec::new();
    for (name, value) in root.named("channels", faults) {
        names::spelling(&name, faults);
        let Some(mut table) = value.table(faults) else { continue };
        let doc = table.text("doc", faults).map(|doc| doc.value).unwrap_or_default();
        table.end(faults);
        list.push(Channel { name: name.value, doc });
    }
    list
}

fn roles(root: &mut Table<'_>, known: &[Channel], source: &Source<'_>, faults: &mut Faults) -> Vec<Role> {
    let declared: BTreeSet<&str> = known.iter().map(|known| known.name.as_str()).collect();
    let mut list = Vec::new();
    for (name, value) in root.named("roles", faults) {
        names::spelling(&name, faults);
        let Some(mut table) = value.table(faults) else { continue };
        let doc = table.text("doc", faults).map(|doc| doc.value).unwrap_or_default();
        let named = table.texts("channels", faults);
        table.end(faults);
        let mut own = Names::new(Code::PACK, "the channel");
        for channel in &named {
            own.take(channel, faults);
            if !declared.contains(channel.value.as_str()) && faults.room(source.file) {
                let near = hint(&channel.value, declared.iter().copied());
                let message = format!("unknown channel `{}`{near}", channel.value);
                let told = Diagnostic::new(Code::UNKNOWN_CHANNEL, channel.place.clone(), message);
                let help = format!("declare it in {}: `[channels.{}]`", source.file, channel.value);
                faults.tell(told.label("no such channel").help(help));
            }
        }
        let channels = named.into_iter().map(|channel| channel.value).collect();
        list.push(Role { name: name.value, doc, channels });
    }
    list
}
