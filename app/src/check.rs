//! `holdback check`: everything wrong with packs, told at once.

mod excerpt;
mod sarif;
mod teach;
mod text;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use holdback::graph::Uncompiled;
use holdback::{Check, Code, Diagnostic, LawOutcome, Pack, Place, check_laws};
use serde::Serialize;

use crate::args::{CheckArgs, CheckFormat, Deny};
use crate::files::packs_of;
use crate::{Console, FINDINGS, FINE, Stop, UNUSABLE};

/// One pack that was checked.
struct Checked {
    /// The folder as it was given.
    folder: String,
    /// The folder could not even be looked into.
    unusable: bool,
    check: Check,
    /// What came of looking for tickets that break the laws of penalties; none when the pack has errors.
    laws: Vec<LawOutcome>,
    /// What cannot be compiled for batches.
    uncompiled: Vec<Uncompiled>,
}

/// One pack in JSON.
#[derive(Serialize)]
struct PackReport<'a> {
    /// The folder as it was given.
    folder: &'a str,
    /// Name and version of the pack; nothing when it has errors.
    pack: Option<String>,
    errors: usize,
    warnings: usize,
    diagnostics: &'a [Diagnostic],
    laws: &'a [LawOutcome],
    /// What batches evaluate ticket by ticket.
    #[serde(skip_serializing_if = "<[Uncompiled]>::is_empty")]
    uncompiled: &'a [Uncompiled],
}

#[derive(Serialize)]
struct Report<'a> {
    format: u32,
    packs: Vec<PackReport<'a>>,
}

pub(crate) fn check(args: &CheckArgs, console: &mut Console<'_>) -> Result<u8, Stop> {
    if let Some(code) = &args.explain {
        let text = teach::explained(code).map_err(Stop::Unusable)?;
        console.say(&text)?;
        return Ok(FINE);
    }
    let mut code = FINE;
    let mut all = Vec::new();
    for folder in &packs_of(&args.packs) {
        let checked = Checked::of(folder);
        code = code.max(checked.exit_code(args.deny));
        if checked.unusable {
            for diagnostic in &checked.check.diagnostics {
                let _ = writeln!(console.stderr, "error: {}: {}", checked.folder, diagnostic.message);
            }
        } else if args.format == CheckFormat::Text {
            console.say(&text::pack_text(&checked, console.colours))?;
        }
        all.push(checked);
    }
    match args.format {
        CheckFormat::Text => console.say(&text::hint(&all))?,
        CheckFormat::Json => say_json(&report(&all), console)?,
        CheckFormat::Sarif => say_json(&sarif::log(&all), console)?,
    }
    Ok(code)
}

impl Checked {
    fn of(folder: &Path) -> Checked {
        let named = folder.display().to_string();
        if !folder.is_dir() {
            let message = "no such folder: expected a folder with pack.toml";
            let diagnostics = vec![Diagnostic::new(Code::FILE, Place::file(""), message)];
            let check = Check { pack: None, diagnostics, files: BTreeMap::new() };
            return Checked {
                folder: named,
                unusable: true,
                check,
                laws: Vec::new(),
                uncompiled: Vec::new(),
            };
        }
        let mut check = Pack::check_folder(folder);
        let laws = check.pack.as_ref().map(check_laws).unwrap_or_default();
        check.diagnostics.extend(laws.iter().filter_map(LawOutcome::diagnostic));
        // Stable: within a severity the order of the places stays.
        check.diagnostics.sort_by_key(|diagnostic| diagnostic.severity);
        let uncompiled = check.pack.as_ref().map(Pack::uncompiled).unwrap_or_default();
        Checked { folder: named, unusable: false, check, laws, uncompiled }
    }

    fn errors(&self) -> usize {
        self.check.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count()
    }

    fn warnings(&self) -> usize {
        self.check.diagnostics.len() - self.errors()
    }

    fn exit_code(&self, deny: Option<Deny>) -> u8 {
        match (self.unusable, self.errors(), self.warnings()) {
            (true, ..) => UNUSABLE,
            (_, 0, 0) => FINE,
            (_, 0, _) if deny != Some(Deny::Warnings) => FINE,
            _ => FINDINGS,
        }
    }

    /// Name and version, when the pack can be used.
    fn name(&self) -> Option<String> {
        self.check.pack.as_ref().map(|pack| format!("{}@{}", pack.name, pack.version))
    }
}

fn report(all: &[Checked]) -> Report<'_> {
    let packs = all.iter().map(|checked| PackReport {
        folder: &checked.folder,
        pack: checked.name(),
        errors: checked.errors(),
        warnings: checked.warnings(),
        diagnostics: &checked.check.diagnostics,
        laws: &checked.laws,
        uncompiled: &checked.uncompiled,
    });
    Report { format: holdback::FORMAT, packs: packs.collect() }
}

fn say_json(value: &impl Serialize, console: &mut Console<'_>) -> Result<(), Stop> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Stop::Unusable(error.to_string()))?;
    console.say(&(text + "\n"))
}
