//! `holdback plugin list`: the components that ship with the program, and those granted.

use std::path::Path;

use holdback_plugins::{Digest, Grant, Quarantine, SHIPPED};
use serde::Serialize;

use super::args::ListArgs;
use super::component::{Found, Rather, grants, short};
use super::{Hosts, escaped, note, say_json, show, word};
use crate::args::Format;
use crate::{Console, FINDINGS, FINE, Stop};

#[derive(Serialize)]
struct Answer {
    /// The version of this JSON.
    format: u32,
    components: Vec<Row>,
    /// Components in quarantine.
    quarantine: Vec<Quarantine>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    digest: Digest,
    /// It is the program's own.
    ships: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    world: Option<String>,
    /// What it may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<Grant>,
    /// Why it is in quarantine.
    #[serde(skip_serializing_if = "Option::is_none")]
    quarantine: Option<String>,
    /// Why it cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    unusable: Option<String>,
}

pub(crate) fn list(args: &ListArgs, home: Option<&Path>, console: &mut Console<'_>) -> Result<u8, Stop> {
    let hosts = Hosts::new(&console.machine, home);
    // The program's own need no signature, whatever the policy is.
    let (own, told) = hosts.perhaps_with_folder(false)?;
    if let Some(told) = &told {
        note(console, told);
    }
    // A folder that cannot be used was passed over: then nothing is granted, as far as can be told.
    let granted = if told.is_some() { Vec::new() } else { grants(&hosts)? };
    let quarantine = own.quarantine();
    let mut rows: Vec<Row> = Vec::new();
    for shipped in &SHIPPED {
        let taken = own.load(shipped.wasm, None);
        let digest = Digest::of(shipped.wasm);
        let grant = granted.iter().find(|grant| grant.name == shipped.name && grant.digest == digest);
        rows.push(Row::of(
            shipped.name,
            digest,
            true,
            taken.map_err(|error| error.to_string()),
            grant,
            &quarantine,
        ));
    }
    let others: Vec<&Grant> =
        granted.iter().filter(|grant| !rows.iter().any(|row| row.digest == grant.digest)).collect();
    if !others.is_empty() {
        let host = hosts.with_folder(true)?;
        for grant in others {
            let found = Found::find(Path::new(&grant.name), &hosts, Rather::Granted);
            let taken =
                found.map_err(|missing| Stop::from(missing).to_string()).and_then(|found| found.load(&host));
            rows.push(Row::of(&grant.name, grant.digest, false, taken, Some(grant), &quarantine));
        }
    }
    let findings = rows.iter().any(|row| row.unusable.is_some());
    let answer = Answer { format: 1, components: rows, quarantine };
    match args.format {
        Format::Text => console.say(&text(&answer))?,
        Format::Json => say_json(console, &answer)?,
    }
    Ok(if findings { FINDINGS } else { FINE })
}

impl Row {
    fn of(
        name: &str,
        digest: Digest,
        ships: bool,
        taken: Result<holdback_plugins::Plugin, String>,
        grant: Option<&Grant>,
        quarantine: &[Quarantine],
    ) -> Row {
        let held = quarantine.iter().find(|held| held.digest == digest);
        let fits = match (&taken, grant) {
            (Ok(plugin), Some(grant)) => {
                grant.fits(plugin.digest(), plugin.description()).map_err(|error| error.to_string())
            }
            _ => Ok(()),
        };
        let plugin = taken.as_ref().ok();
        Row {
            name: name.to_owned(),
            digest,
            ships,
            version: plugin.map(|plugin| plugin.description().version.clone()),
            world: plugin.map(|plugin| word(&plugin.inspection().world)),
            grant: grant.cloned(),
            quarantine: held.map(|held| held.reason.clone()),
            unusable: taken.as_ref().err().cloned().or(fits.err()),
        }
    }
}

fn text(answer: &Answer) -> String {
    let mut text = String::new();
    let width = answer.components.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    for row in &answer.components {
        let version = row.version.as_deref().map(escaped).unwrap_or_default();
        let from = if row.ships { "ships" } else { "installed" };
        let world = row.world.as_deref().unwrap_or_default();
        let line = format!("{:<width$}  {version:<8}  {}  {world:<9}  {from}", row.name, short(row.digest));
        text.push_str(line.trim_end());
        text.push('\n');
        for line in row.grant.as_ref().map(show::granted).unwrap_or_default() {
            text.push_str(&show::indented(&format!("granted   {line}"), 4));
        }
        if let Some(reason) = &row.quarantine {
            text.push_str(&show::indented(
                &format!("in quarantine until it is reset: it {}", escaped(reason)),
                4,
            ));
        }
        if let Some(why) = &row.unusable {
            text.push_str(&show::indented(&format!("unusable  {}", escaped(why)), 4));
        }
    }
    text
}
