//! `holdback test`: the cases that come with packs.

use std::fmt::Write as _;
use std::path::Path;

use holdback::{CaseOutcome, run_cases};
use serde::Serialize;

use crate::args::{Format, TestArgs};
use crate::files::packs_of;
use crate::replay::open_pack;
use crate::{Console, FINDINGS, FINE, Stop, UNUSABLE};

/// How one pack's cases came out.
#[derive(Serialize)]
struct PackOutcome {
    /// The folder as it was given.
    folder: String,
    /// Name and version of the pack; nothing when it is unusable.
    pack: Option<String>,
    cases: usize,
    failed: usize,
    failures: Vec<CaseOutcome>,
    /// Why the pack is unusable.
    faults: Vec<String>,
}

#[derive(Serialize)]
struct Report {
    format: u32,
    packs: Vec<PackOutcome>,
}

pub(crate) fn test(args: &TestArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    let mut code = FINE;
    let mut packs = Vec::new();
    for folder in &packs_of(&args.packs) {
        let outcome = outcome(folder)?;
        for fault in &outcome.faults {
            let _ = writeln!(console.stderr, "error: {fault}");
        }
        code = code.max(match &outcome {
            PackOutcome { pack: None, .. } => UNUSABLE,
            PackOutcome { cases: 0, .. } => FINDINGS,
            PackOutcome { failed, .. } => {
                if *failed > 0 {
                    FINDINGS
                } else {
                    FINE
                }
            }
        });
        if args.format == Format::Text {
            console.say(&text(&outcome))?;
        }
        packs.push(outcome);
    }
    if args.format == Format::Json {
        let report = Report { format: holdback::FORMAT, packs };
        let text =
            serde_json::to_string_pretty(&report).map_err(|error| Stop::Unusable(error.to_string()))?;
        console.say(&(text + "\n"))?;
    }
    Ok(code)
}

fn outcome(folder: &Path) -> Result<PackOutcome, Stop> {
    let named = folder.display().to_string();
    let bare = PackOutcome {
        folder: named,
        pack: None,
        cases: 0,
        failed: 0,
        failures: Vec::new(),
        faults: Vec::new(),
    };
    let pack = match open_pack(folder, &[]) {
        Ok(pack) => pack,
        Err(Stop::Unusable(faults)) => {
            return Ok(PackOutcome { faults: faults.lines().map(str::to_owned).collect(), ..bare });
        }
        Err(stop) => return Err(stop),
    };
    let outcomes = run_cases(&pack);
    let cases = outcomes.len();
    let failures: Vec<CaseOutcome> =
        outcomes.into_iter().filter(|outcome| !outcome.differences.is_empty()).collect();
    let name = Some(format!("{}@{}", pack.name, pack.version));
    Ok(PackOutcome { pack: name, cases, failed: failures.len(), failures, ..bare })
}

fn text(outcome: &PackOutcome) -> String {
    let mut text = String::new();
    // Writing to a text does not fail.
    let _ = match (&outcome.pack, outcome.cases) {
        (None, _) => writeln!(text, "{}: the pack cannot be used", outcome.folder),
        (_, 0) => writeln!(text, "{}: no cases: expected at least one in cases/*.toml", outcome.folder),
        (_, cases) => writeln!(text, "{}: {cases} cases, {} failed", outcome.folder, outcome.failed),
    };
    for failure in &outcome.failures {
        let clause =
            if failure.clause.is_empty() { String::new() } else { format!(" (clause {})", failure.clause) };
        let _ = writeln!(text, "\n  {}: {}{clause}", failure.file, failure.name);
        for difference in &failure.differences {
            let _ = writeln!(text, "    {}", difference.what);
            let _ = writeln!(text, "      expected  {}", indented(&difference.expected));
            let _ = writeln!(text, "      found     {}", indented(&difference.found));
        }
    }
    if !outcome.failures.is_empty() {
        text.push('\n');
    }
    text
}

/// Further lines stand below the first.
fn indented(text: &str) -> String {
    text.replace('\n', "\n                ")
}
