//! `holdback plugin send`: one notice for real, each step shown.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use holdback::{Currency, Money};
use holdback_plugins::wire::{self, Delivery, Notice, Outcome, Request};
use holdback_plugins::{Channel, Destination, Egress, EgressConfig, GrantError, Report};
use serde::{Deserialize, Serialize};

use super::args::SendArgs;
use super::component::{Found, Place, Rather, called, grants};
use super::{Hosts, escaped, limited, note, sample, say_json, show};
use crate::args::Format;
use crate::{Console, FINDINGS, FINE, Stop};

/// A file of more bytes is no notice and no destination.
const MOST: usize = 1 << 20;

/// What happened, as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    /// The version of this JSON.
    format: u32,
    component: String,
    delivery: &'a str,
    #[serde(flatten)]
    report: &'a Report,
}

/// What would be sent, as JSON.
#[derive(Serialize)]
struct Rehearsed<'a> {
    format: u32,
    component: String,
    delivery: &'a str,
    request: &'a Request,
}

pub(crate) fn send(args: &SendArgs, home: Option<&Path>, console: &mut Console<'_>) -> Result<u8, Stop> {
    let hosts = Hosts::new(&console.machine, home);
    let destination = destination(&args.to)?;
    let notice = match &args.notice {
        Some(file) => notice(file, console)?,
        None => sample::notice(),
    };
    let channel = open(args, &hosts)?;
    let delivery = Delivery::of(notice, &destination, now_ms());
    let code = if args.dry_run {
        rehearse(args, &channel, &delivery, console)
    } else {
        deliver(args, &channel, &delivery, console)
    };
    for line in hosts.lines() {
        note(console, &channel.redact(&escaped(&line)));
    }
    code
}

/// The channel with what it was granted, and its secrets.
fn open(args: &SendArgs, hosts: &Hosts) -> Result<Channel, Stop> {
    let told = |error: &dyn std::fmt::Display| Stop::Unusable(escaped(&error.to_string()));
    let found = Found::find(&args.component, hosts, Rather::Granted)?;
    let shipped = holdback_plugins::SHIPPED.iter().any(|shipped| shipped.wasm == found.wasm.as_slice());
    let host = hosts.with_folder(!shipped)?;
    let plugin = found.load(&host).map_err(Stop::Unusable)?;
    let grant = match &found.place {
        Place::Granted(grant) => Some((**grant).clone()),
        Place::Shipped(_) | Place::File(_) => {
            grants(hosts)?.into_iter().find(|grant| grant.name == plugin.description().name)
        }
    };
    let grant = grant.ok_or_else(|| {
        told(&GrantError::None { name: plugin.description().name.clone(), digest: plugin.digest() })
    })?;
    grant.fits(plugin.digest(), plugin.description()).map_err(|error| told(&error))?;
    let secrets = host.secrets(&plugin, &grant).map_err(|error| told(&error))?;
    host.channel(&plugin, grant, secrets).map_err(|error| told(&error))
}

fn rehearse(
    args: &SendArgs,
    channel: &Channel,
    delivery: &Delivery,
    console: &mut Console<'_>,
) -> Result<u8, Stop> {
    let component = called(channel.plugin());
    match (channel.render(delivery), args.format) {
        (Ok(request), Format::Json) => {
            say_json(
                console,
                &Rehearsed { format: 1, component, delivery: &delivery.id, request: &request },
            )?;
        }
        (Ok(request), Format::Text) => {
            let mut text = head(&component, delivery);
            rendered(&mut text, channel, &request);
            text.push_str("\nNothing was sent.\n");
            console.say(&text)?;
        }
        (Err(error), _) => {
            let why = channel.redact(&escaped(&error.to_string()));
            console.say(&format!("{}not rendered: {why}\n", head(&component, delivery)))?;
            return Ok(FINDINGS);
        }
    }
    Ok(FINE)
}

fn deliver(
    args: &SendArgs,
    channel: &Channel,
    delivery: &Delivery,
    console: &mut Console<'_>,
) -> Result<u8, Stop> {
    let egress = Egress::new(EgressConfig::default()).map_err(|error| Stop::Unusable(error.to_string()))?;
    let report = channel.deliver(delivery, &egress);
    let component = called(channel.plugin());
    match args.format {
        Format::Json => {
            say_json(console, &Answer { format: 1, component, delivery: &delivery.id, report: &report })?;
        }
        Format::Text => {
            let mut text = head(&component, delivery);
            if let Some(request) = &report.request {
                rendered(&mut text, channel, request);
            }
            text.push('\n');
            for step in &report.trace.steps {
                let _ = writeln!(text, "{}", escaped(&channel.redact(&step.to_string())));
            }
            if let Some(response) = &report.response {
                let _ = writeln!(
                    text,
                    "\nAnswer\n{}",
                    show::indented(&channel.redact(&show::response(response)), 2).trim_end()
                );
            }
            let _ = writeln!(text, "\n{}", channel.redact(&show::outcome(&report.outcome)));
            console.say(&text)?;
        }
    }
    Ok(match report.outcome {
        Outcome::Delivered(_) | Outcome::Accepted(_) => FINE,
        _ => FINDINGS,
    })
}

fn head(component: &str, delivery: &Delivery) -> String {
    format!(
        "{component}\ndelivery {}, attempt {}: {}\n",
        delivery.id,
        delivery.attempt,
        escaped(&delivery.title)
    )
}

fn rendered(text: &mut String, channel: &Channel, request: &Request) {
    text.push_str("\nRendered\n");
    text.push_str(&show::indented(&channel.redact(&show::request(request)), 2));
}

/// The one clock of this command: signatures that a receiver takes are of now.
#[expect(clippy::disallowed_methods, reason = "something is sent now; no answer of the engine depends on it")]
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// What an operator has set for a destination.
pub(crate) fn destination(file: &Path) -> Result<Destination, Stop> {
    let told = |why: &str| Stop::Unusable(format!("{}: {}", file.display(), why.trim_end()));
    let text = String::from_utf8(limited(file, MOST)?).map_err(|_| told("not UTF-8"))?;
    toml::from_str(&text).map_err(|error| told(&error.to_string()))
}

/// A notice as the engine writes it down, or as a fixture has it. Whatever else is there is passed over.
#[derive(Deserialize)]
struct Told {
    id: String,
    contract: String,
    ticket: Option<String>,
    subject: Option<String>,
    about: String,
    role: String,
    at: String,
    clause: Option<String>,
    clock: Option<String>,
    due: Option<String>,
    amount: Option<Sum>,
    text: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Sum {
    /// The interface's.
    Wire(wire::Money),
    /// The engine's.
    Engine { amount: String, currency: String },
}

/// The notice in a file, or on standard input.
fn notice(file: &Path, console: &mut Console<'_>) -> Result<Notice, Stop> {
    use std::io::Read as _;
    let stdin = file == Path::new("-");
    let place = if stdin { "standard input".to_owned() } else { file.display().to_string() };
    let told = |why: String| Stop::Unusable(format!("{place}: {why}"));
    let bytes = if stdin {
        let mut bytes = Vec::new();
        let most = (MOST as u64).saturating_add(1);
        (&mut *console.stdin).take(most).read_to_end(&mut bytes).map_err(|error| told(error.to_string()))?;
        if bytes.len() > MOST {
            return Err(told(format!("more than {MOST} bytes")));
        }
        bytes
    } else {
        limited(file, MOST)?
    };
    let mut lines = serde_json::Deserializer::from_slice(&bytes).into_iter::<Told>();
    let expected = "expected a line of `notices.ndjson`, or the `notice` of a fixture";
    let first = match lines.next() {
        Some(Ok(first)) => first,
        Some(Err(error)) => return Err(told(format!("no notice: {error}; {expected}"))),
        None => return Err(told(format!("nothing in it; {expected}"))),
    };
    if lines.next().is_some() {
        return Err(told(
            "more than one notice; name a file of one, or give one on standard input".to_owned(),
        ));
    }
    of(first).map_err(told)
}

fn of(told: Told) -> Result<Notice, String> {
    let amount = match told.amount {
        None => None,
        Some(Sum::Wire(money)) => Some(money),
        Some(Sum::Engine { amount, currency }) => {
            let money: Currency = currency.parse().map_err(|error| format!("`amount`: {error}"))?;
            let money = Money::parse(&amount, money).map_err(|error| format!("`amount`: {error}"))?;
            Some(wire::Money { minor: money.minor(), currency, text: money.to_string() })
        }
    };
    Ok(Notice {
        id: told.id,
        contract: told.contract,
        ticket: told.ticket,
        subject: told.subject,
        about: told.about,
        role: told.role,
        at: told.at,
        clause: told.clause,
        clock: told.clock,
        due: told.due,
        amount,
        text: told.text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_notices_are_read() {
        let common = r#""id":"1","contract":"c","about":"penalised","role":"r","at":"2026-03-02T11:00:01+08:00","text":"t""#;
        for amount in [
            r#"{"amount":"500.00","currency":"CNY"}"#,
            r#"{"minor":50000,"currency":"CNY","text":"500.00 CNY"}"#,
        ] {
            let line =
                format!(r#"{{"format":1,{common},"amount":{amount},"rendered":{{}},"by":"sha256:0"}}"#);
            let told: Told = serde_json::from_str(&line).unwrap();
            let money = of(told).unwrap().amount.unwrap();
            assert_eq!(
                (money.minor, money.currency.as_str(), money.text.as_str()),
                (50_000, "CNY", "500.00 CNY")
            );
        }
    }
}
