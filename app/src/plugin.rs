//! `holdback plugin`: what the author of a channel and the operator of a host need.

pub(crate) mod args;
mod bench;
mod build;
mod check;
mod component;
mod differ;
mod grant;
pub(crate) mod home;
mod list;
mod new;
pub(crate) mod sample;
pub(crate) mod send;
mod show;
mod test;

use std::path::Path;

use serde::Serialize;

use crate::{Console, Stop};
pub(crate) use component::{Found, Rather};
pub(crate) use home::{Hosts, Machine};

use args::{PluginArgs, PluginCommand};

pub(crate) fn plugin(args: &PluginArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let home = args.home.as_deref();
    match &args.command {
        PluginCommand::New(args) => new::new(args, console),
        PluginCommand::Build(args) => build::build(args, console),
        PluginCommand::Check(args) => check::check(args, home, console),
        PluginCommand::Test(args) => test::test(args, home, console),
        PluginCommand::Bench(args) => bench::bench(args, home, console),
        PluginCommand::Grant(args) => grant::grant(args, home, console),
        PluginCommand::List(args) => list::list(args, home, console),
        PluginCommand::Send(args) => send::send(args, home, console),
    }
}

/// Reads a file of at most so many bytes.
#[expect(clippy::disallowed_methods, reason = "files that the user names, or the host's own")]
pub(crate) fn limited(path: &Path, limit: usize) -> Result<Vec<u8>, Stop> {
    use std::io::Read as _;
    let unreadable =
        |error: std::io::Error| Stop::Unusable(format!("{}: cannot be read: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take((limit as u64).saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > limit {
        return Err(Stop::Unusable(format!("{}: more than {limit} bytes", path.display())));
    }
    Ok(bytes)
}

/// A text of a component's as it may be shown: whatever could move a terminal's cursor, or turn its text around, is escaped.
pub(crate) fn escaped(text: &str) -> String {
    let turns = |char: char| matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' => shown.push(char),
            char if char.is_control() || turns(char) => shown.extend(char.escape_default()),
            char => shown.push(char),
        }
    }
    shown
}

/// The word that an enum's value has in JSON.
pub(crate) use crate::files::word;

/// Writes a value as JSON for programs.
fn say_json(console: &mut Console<'_>, value: &impl Serialize) -> Result<(), Stop> {
    let json = serde_json::to_string_pretty(value).map_err(|error| Stop::Unusable(error.to_string()))?;
    console.say(&(json + "\n"))
}

/// Tells something on standard error that is no fault.
pub(crate) fn note(console: &mut Console<'_>, text: &str) {
    for line in text.lines() {
        let _ = writeln!(console.stderr, "note: {line}");
    }
}
