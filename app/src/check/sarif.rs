//! What `check` found as a SARIF 2.1.0 log (OASIS), which code review tools read.

use std::path::{Component, Path};

use holdback::{CODES, Code, Diagnostic, Place, Severity};
use serde_json::{Value, json};

use super::Checked;
use super::teach::{markdown, plain, severity};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// One run over all packs.
pub(super) fn log(all: &[Checked]) -> Value {
    let results: Vec<Value> = all
        .iter()
        .flat_map(|checked| {
            checked.check.diagnostics.iter().map(|diagnostic| result(diagnostic, &checked.folder))
        })
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "holdback",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": CODES.into_iter().map(rule).collect::<Vec<Value>>(),
            }},
            "invocations": [{ "executionSuccessful": !all.iter().any(|checked| checked.unusable) }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.name(),
        "shortDescription": { "text": code.title() },
        "help": { "text": plain(code), "markdown": markdown(code) },
        "defaultConfiguration": { "level": level(code.severity()) },
    })
}

fn result(diagnostic: &Diagnostic, folder: &str) -> Value {
    let mut text = diagnostic.message.clone();
    if !diagnostic.help.is_empty() {
        text = format!("{text}\n{}", diagnostic.help);
    }
    let related: Vec<Value> = diagnostic
        .related
        .iter()
        .enumerate()
        .map(|(id, related)| {
            let mut location = location(&related.place, folder);
            location["id"] = json!(id + 1);
            location["message"] = json!({ "text": related.message });
            location
        })
        .collect();
    let mut result = json!({
        "ruleId": diagnostic.code.name(),
        "ruleIndex": CODES.iter().position(|code| *code == diagnostic.code),
        "level": level(diagnostic.severity),
        "message": { "text": text },
        "locations": [location(&diagnostic.place, folder)],
    });
    if !related.is_empty() {
        result["relatedLocations"] = json!(related);
    }
    result
}

/// SARIF's levels are named as ours are.
fn level(of: Severity) -> &'static str {
    severity(of)
}

fn location(place: &Place, folder: &str) -> Value {
    let uri = uri(&Path::new(folder).join(&place.file));
    let mut location = json!({ "physicalLocation": { "artifactLocation": { "uri": uri } } });
    if place.line > 0 {
        let mut region = json!({ "startLine": place.line });
        if place.column > 0 {
            region["startColumn"] = json!(place.column);
            // The column after the last character; one is underlined when only the beginning is known.
            region["endColumn"] = json!(place.column.saturating_add(place.length.max(1)));
        }
        location["physicalLocation"]["region"] = region;
    }
    location
}

/// A path as a URI reference: relative to the working directory when it lies below it or was given so.
fn uri(path: &Path) -> String {
    let below = std::env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok());
    let path = below.unwrap_or(path);
    let mut uri = if path.is_absolute() { "file://".to_owned() } else { String::new() };
    let mut first = !path.is_absolute();
    for part in path.components() {
        let part = match part {
            Component::Normal(part) => part.to_string_lossy(),
            Component::ParentDir => "..".into(),
            // A drive of Windows, such as `C:`.
            Component::Prefix(prefix) => prefix.as_os_str().to_string_lossy(),
            Component::RootDir | Component::CurDir => continue,
        };
        if !std::mem::take(&mut first) {
            uri.push('/');
        }
        for byte in part.bytes() {
            // RFC 3986: what may stand in a path segment; `:` might end a scheme in the first.
            if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=@".contains(&byte) {
                uri.push(char::from(byte));
            } else {
                uri.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    if uri.is_empty() { ".".to_owned() } else { uri }
}
