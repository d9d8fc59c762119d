//! `holdback plugin check`: what a component is, what it asks for, what it is held to. Or why it is none.

use std::fmt::Write as _;
use std::path::Path;

use holdback_plugins::{Digest, Grant, Host, Limits, Plugin, asked};
use serde::Serialize;

use super::args::CheckArgs;
use super::component::{Found, Missing, Place, Rather, called, grants};
use super::{Hosts, escaped, note, say_json, show, word};
use crate::args::Format;
use crate::{Console, FINDINGS, FINE, Stop};

/// The answer as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    /// The version of this JSON.
    format: u32,
    component: String,
    digest: Digest,
    size: usize,
    world: String,
    /// The interface that it speaks.
    interface: &'static str,
    imports: &'a [String],
    description: &'a holdback_plugins::wire::Description,
    /// The digest of what it asks for.
    asked: Digest,
    signature: &'a str,
    grant: &'a str,
    limits: Held,
}

/// The numbers that a call is held to.
#[derive(Serialize)]
struct Held {
    milliseconds: u128,
    memory: usize,
    bytes: usize,
    log_lines: u32,
    signatures: u32,
}

#[derive(Serialize)]
struct Refused<'a> {
    format: u32,
    refused: &'a str,
}

/// The interface that this program speaks.
const INTERFACE: &str = "holdback:channel@1.0.0";

pub(crate) fn check(args: &CheckArgs, home: Option<&Path>, console: &mut Console<'_>) -> Result<u8, Stop> {
    let hosts = Hosts::new(&console.machine, home);
    let found = match Found::find(&args.component, &hosts, Rather::Granted) {
        Ok(found) => found,
        Err(Missing::Refused(why)) => return refuse(args, &why, console),
        Err(Missing::Stop(stop)) => return Err(stop),
    };
    let (host, told) = hosts.perhaps_with_folder(!found.is_shipped())?;
    if let Some(told) = told {
        note(console, &told);
    }
    let plugin = match found.load(&host) {
        Ok(plugin) => plugin,
        Err(why) => return refuse(args, &why, console),
    };
    let signature = signature(&found, &plugin);
    let grant = granted(&hosts, &plugin, &host)?;
    match args.format {
        Format::Text => console.say(&text(&found, &plugin, &signature, &grant))?,
        Format::Json => say_json(console, &answer(&found, &plugin, &signature, &grant))?,
    }
    Ok(FINE)
}

fn refuse(args: &CheckArgs, why: &str, console: &mut Console<'_>) -> Result<u8, Stop> {
    match args.format {
        Format::Text => console.say(&format!("refused: {why}\n"))?,
        Format::Json => say_json(console, &Refused { format: 1, refused: why })?,
    }
    Ok(FINDINGS)
}

/// Who vouches for it.
fn signature(found: &Found, plugin: &Plugin) -> String {
    match (plugin.signed_by(), &found.place, &found.signature) {
        (Some(key), ..) => format!("by {key}, one of the host's signers"),
        (None, Place::Shipped(_), _) => "none; it ships with the program".to_owned(),
        (None, _, Some(_)) => {
            "there is one; the host's folder names no signers to hold it against".to_owned()
        }
        (None, _, None) => "none, and none is required".to_owned(),
    }
}

/// Whether it may do anything.
fn granted(hosts: &Hosts, plugin: &Plugin, host: &Host) -> Result<String, Stop> {
    let name = &plugin.description().name;
    let held = host.quarantine().into_iter().find(|held| held.digest == plugin.digest());
    if let Some(held) = held {
        return Ok(format!("in quarantine until it is reset: it {}", escaped(&held.reason)));
    }
    let grant: Option<Grant> = grants(hosts)?.into_iter().find(|grant| grant.name == *name);
    Ok(match grant {
        None => "none".to_owned(),
        Some(grant) => match grant.fits(plugin.digest(), plugin.description()) {
            Ok(()) => show::granted(&grant).join("; "),
            Err(error) => escaped(&error.to_string()),
        },
    })
}

fn text(found: &Found, plugin: &Plugin, signature: &str, grant: &str) -> String {
    let (description, inspection) = (plugin.description(), plugin.inspection());
    let mut text = format!("{}, {}\n", called(plugin), kind(plugin));
    text.push_str(&show::indented(&escaped(&description.about), 2));
    let supports = match description.supports.as_slice() {
        [] => "nothing more".to_owned(),
        words => escaped(&words.join(", ")),
    };
    let rows = [
        ("File", format!("{}, {} bytes", found.place(), inspection.size)),
        ("Digest", inspection.digest.to_string()),
        ("Interface", INTERFACE.to_owned()),
        ("Imports", listed(&inspection.imports)),
        ("Signature", signature.to_owned()),
        ("Grant", grant.to_owned()),
        ("Receiver", show::receiver(description)),
        ("Supports", supports),
        ("Limits", format!("of a call: {}", show::limits(&Limits::default()))),
    ];
    text.push('\n');
    for (name, row) in rows {
        let _ = writeln!(text, "{name:<11}{row}");
    }
    text.push_str("\nAsks for\n");
    for line in show::asked(description) {
        text.push_str(&show::indented(&line, 2));
    }
    text
}

fn kind(plugin: &Plugin) -> &'static str {
    match plugin.inspection().world {
        holdback_plugins::World::Notifier => "a channel for notices (world `notifier`)",
        holdback_plugins::World::Escalator => "a ladder of escalation (world `escalator`)",
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { escaped(&names.join(", ")) }
}

fn answer<'a>(found: &Found, plugin: &'a Plugin, signature: &'a str, grant: &'a str) -> Answer<'a> {
    let inspection = plugin.inspection();
    let limits = Limits::default();
    Answer {
        format: 1,
        component: found.place(),
        digest: inspection.digest,
        size: inspection.size,
        world: word(&inspection.world),
        interface: INTERFACE,
        imports: &inspection.imports,
        description: plugin.description(),
        asked: asked(plugin.description()),
        signature,
        grant,
        limits: Held {
            milliseconds: limits.time.as_millis(),
            memory: limits.memory,
            bytes: limits.host_bytes,
            log_lines: limits.log_lines,
            signatures: limits.signatures,
        },
    }
}
