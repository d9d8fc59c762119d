//! `holdback plugin test`: a component on recorded deliveries and answers. Instructions are counted instead of time, so that it comes
//! out the same on every machine.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use holdback_plugins::{Digest, Fixture, Host, Plugin};
use serde::Serialize;

use super::args::TestArgs;
use super::component::{Found, Place, Rather, called};
use super::{Hosts, differ, escaped, limited, note, say_json};
use crate::args::Format;
use crate::{Console, FINDINGS, FINE, Stop};

/// What a call may use: more than 200 ms are worth on any machine that is in use.
pub(crate) const FUEL: u64 = 200_000_000;

/// A fixture of more bytes is none.
const FIXTURE: usize = 4 << 20;

/// How the fixtures went.
#[derive(Serialize)]
struct Answer {
    /// The version of this JSON.
    format: u32,
    component: String,
    digest: Digest,
    fixtures: Vec<Story>,
    failed: usize,
}

/// How one fixture went.
#[derive(Serialize)]
struct Story {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    calls: usize,
    /// Fuel of its dearest call.
    #[serde(skip_serializing_if = "Option::is_none")]
    fuel: Option<u64>,
    differences: Vec<Difference>,
    /// Why it cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    unusable: Option<String>,
}

#[derive(Serialize)]
struct Difference {
    path: String,
    expected: String,
    found: String,
}

impl Story {
    fn failed(&self) -> bool {
        !self.differences.is_empty() || self.unusable.is_some()
    }
}

pub(crate) fn test(args: &TestArgs, home: Option<&Path>, console: &mut Console<'_>) -> Result<u8, Stop> {
    let hosts = Hosts::new(&console.machine, home);
    let found = Found::find(&args.component, &hosts, Rather::Granted)?;
    let folder = args.fixtures.clone().or_else(|| beside(&found)).ok_or_else(|| {
        Stop::Unusable(format!(
            "{}: has no folder of its own: name its fixtures by --fixtures",
            found.place()
        ))
    })?;
    let files = fixtures_in(&folder)?;
    // The host's folder is left alone: a component that fails here is not to be in quarantine there.
    let host = hosts.without_folder(Some(FUEL))?;
    let plugin = found.load(&host).map_err(Stop::Unusable)?;
    let mut stories = Vec::new();
    for file in &files {
        stories.push(run(file, &host, &plugin)?);
        for line in hosts.lines() {
            note(console, &escaped(&line));
        }
    }
    let failed = stories.iter().filter(|story| story.failed()).count();
    let answer =
        Answer { format: 1, component: called(&plugin), digest: plugin.digest(), fixtures: stories, failed };
    match args.format {
        Format::Text => console.say(&text(&answer))?,
        Format::Json => say_json(console, &answer)?,
    }
    Ok(if failed == 0 { FINE } else { FINDINGS })
}

/// The usual folder of a component's fixtures.
fn beside(found: &Found) -> Option<PathBuf> {
    match &found.place {
        Place::File(path) => Some(path.parent().unwrap_or(Path::new("")).join("fixtures")),
        Place::Shipped(_) | Place::Granted(_) => None,
    }
}

/// The fixtures of a folder, in the order of their names.
fn fixtures_in(folder: &Path) -> Result<Vec<PathBuf>, Stop> {
    let none = |why: &str| {
        let expected = "expected a folder with .json files, or another by --fixtures";
        Stop::Unusable(format!("{}: {why}: {expected}", folder.display()))
    };
    let entries = std::fs::read_dir(folder).map_err(|error| none(&format!("no fixtures: {error}")))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    if files.is_empty() { Err(none("no fixtures in it")) } else { Ok(files) }
}

/// A fixture's text, as a fixture.
pub(crate) fn read(file: &Path) -> Result<Fixture, String> {
    let text = limited(file, FIXTURE).map_err(|stop| stop.to_string())?;
    let text = String::from_utf8(text).map_err(|_| "not UTF-8".to_owned())?;
    Fixture::from_json(&text).map_err(|error| error.to_string())
}

fn run(file: &Path, host: &Host, plugin: &Plugin) -> Result<Story, Stop> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut story =
        Story { file: name, about: None, calls: 0, fuel: None, differences: Vec::new(), unusable: None };
    let fixture = match read(file) {
        Ok(fixture) => fixture,
        Err(why) => {
            story.unusable = Some(why);
            return Ok(story);
        }
    };
    story.about = Some(fixture.about.clone());
    // Each story stands alone: one that the component fails on must not have it put aside for the next.
    host.reset(plugin.digest()).map_err(|error| Stop::Unusable(error.to_string()))?;
    match fixture.run(host, plugin) {
        Err(error) => story.unusable = Some(error.to_string()),
        Ok(done) => {
            (story.calls, story.fuel) = (done.calls, done.fuel);
            for difference in done.differences {
                let places = differ::places(&difference.what, &difference.expected, &difference.found);
                story.differences.extend(
                    places.into_iter().map(|differ::Place { path, expected, found }| Difference {
                        path,
                        expected,
                        found,
                    }),
                );
            }
        }
    }
    Ok(story)
}

fn text(answer: &Answer) -> String {
    let mut text = format!("{}\n", answer.component);
    let width = answer.fixtures.iter().map(|story| story.file.chars().count()).max().unwrap_or(0);
    for story in &answer.fixtures {
        let verdict = match story {
            Story { unusable: Some(_), .. } => "UNUSABLE",
            story if story.failed() => "DIFFERS",
            _ => "ok",
        };
        let fuel = story.fuel.map(|fuel| format!("{fuel} fuel")).unwrap_or_default();
        let about = story.about.as_deref().unwrap_or_default();
        let line = format!(
            "  {verdict:<8}  {:<width$}  {} calls  {fuel:>12}  {}",
            story.file,
            story.calls,
            escaped(about)
        );
        let _ = writeln!(text, "{}", line.trim_end());
        for Difference { path, expected, found } in &story.differences {
            let _ = writeln!(text, "    {}", escaped(path));
            let _ = writeln!(text, "      expected  {}", escaped(expected));
            let _ = writeln!(text, "      found     {}", escaped(found));
        }
        if let Some(why) = &story.unusable {
            let _ = writeln!(text, "    {}", escaped(why));
        }
    }
    let _ = writeln!(text, "{} fixtures, {} failed", answer.fixtures.len(), answer.failed);
    text
}
