//! What `check` found, for people.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::Path;

use holdback::{Code, Diagnostic, LawOutcome, LawVerdict, Place};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, ThemeCharacters, ThemeStyles};

use super::Checked;
use super::excerpt::{Excerpt, Sources, clean};
use super::teach::severity;

/// So many are told with their source lines; the rest are counted.
const SHOWN_MAX: usize = 50;
/// So many places of one diagnostic are shown.
const PLACES_MAX: usize = 8;
/// A longer message quotes more than anybody reads.
const MESSAGE_MAX: usize = 2_000;

/// All of one pack: its diagnostics, how many there are, and its laws.
pub(super) fn pack_text(checked: &Checked, colours: bool) -> String {
    let mut text = String::new();
    let mut sources = Sources::new(&checked.check.files);
    let all = &checked.check.diagnostics;
    for diagnostic in all.iter().take(SHOWN_MAX) {
        text += &diagnostic_text(diagnostic, &checked.folder, &mut sources, colours);
        text.push('\n');
    }
    let rest = all.get(SHOWN_MAX..).unwrap_or_default();
    if !rest.is_empty() {
        let errors = rest.iter().filter(|diagnostic| diagnostic.is_error()).count();
        let more = counts(errors, rest.len() - errors);
        // Writing to a text does not fail.
        let _ = writeln!(text, "and {more} more, which are not shown; `--format json` tells all\n");
    }
    text += &summary(checked);
    text += &laws_text(&checked.laws);
    for told in &checked.uncompiled {
        let _ = writeln!(text, "  note: {}", clean(&told.to_string()));
    }
    text
}

/// A line for each law of the pack's penalties: whether it was proved, tried or broken. A broken one was told above with its
/// ticket.
fn laws_text(laws: &[LawOutcome]) -> String {
    let line = |law: &LawOutcome| match law.verdict {
        LawVerdict::Broken(_) => format!("  {}: broken\n", clean(&law.title())),
        _ => format!("  {}\n", clean(&law.to_string())),
    };
    laws.iter().map(line).collect()
}

/// `rules/x: 2 errors, 1 warning (E0101 x2, W0904)`, or `name@version: fine`.
fn summary(checked: &Checked) -> String {
    let all = &checked.check.diagnostics;
    if let (Some(name), true) = (checked.name(), all.is_empty()) {
        return format!("{}: fine\n", clean(&name));
    }
    let mut codes: BTreeMap<Code, usize> = BTreeMap::new();
    for diagnostic in all {
        *codes.entry(diagnostic.code).or_default() += 1;
    }
    let code = |(code, count): (Code, usize)| match count {
        1 => code.to_string(),
        _ => format!("{code} x{count}"),
    };
    let codes: Vec<String> = codes.into_iter().map(code).collect();
    let count = counts(checked.errors(), checked.warnings());
    format!("{}: {count} ({})\n", checked.folder, codes.join(", "))
}

/// Where to read on, when anything was told.
pub(super) fn hint(all: &[Checked]) -> String {
    let told = all.iter().filter(|checked| !checked.unusable);
    let first = told.flat_map(|checked| &checked.check.diagnostics).map(|diagnostic| diagnostic.code).next();
    first.map_or(String::new(), |code| format!("for more: holdback check --explain {code}\n"))
}

fn counts(errors: usize, warnings: usize) -> String {
    let count = |n: usize, what: &str| match n {
        0 => None,
        1 => Some(format!("1 {what}")),
        n => Some(format!("{n} {what}s")),
    };
    let parts: Vec<String> =
        [count(errors, "error"), count(warnings, "warning")].into_iter().flatten().collect();
    parts.join(", ")
}

/// A diagnostic with its source lines.
pub(super) fn diagnostic_text(
    diagnostic: &Diagnostic,
    folder: &str,
    sources: &mut Sources<'_>,
    colours: bool,
) -> String {
    let shown = |file: &str| clean(&Path::new(folder).join(file).display().to_string());
    let related = diagnostic.related.iter().map(|related| (&related.place, related.message.as_str()));
    let places = std::iter::once((&diagnostic.place, diagnostic.label.as_str()))
        .chain(related.take(PLACES_MAX.saturating_sub(1)));
    let (excerpt, without) = Excerpt::of(places, sources, shown);
    let drawing = Drawing {
        message: message(diagnostic, &without, shown),
        help: help(diagnostic, &without, shown),
        labels: excerpt.labels().collect(),
        excerpt,
        warning: !diagnostic.is_error(),
    };
    let mut text = String::new();
    match handler(diagnostic, colours).render_report(&mut text, &drawing) {
        Ok(()) => text,
        // Nothing is lost but the excerpt.
        Err(fmt::Error) => format!("  {}: {diagnostic}\n", severity(diagnostic.severity)),
    }
}

/// The message; the place before it when no line of it is shown.
fn message(diagnostic: &Diagnostic, without: &[(&Place, &str)], shown: impl Fn(&str) -> String) -> String {
    let mut message = clean(&diagnostic.message);
    if let Some((cut, _)) = message.char_indices().nth(MESSAGE_MAX) {
        message.truncate(cut);
        message.push_str("...");
    }
    match without.first() {
        Some((place, _)) if std::ptr::eq(*place, &diagnostic.place) => {
            format!("{}: {message}", at(place, shown))
        }
        _ => message,
    }
}

/// The help, and the other places of which no line is shown.
fn help(diagnostic: &Diagnostic, without: &[(&Place, &str)], shown: impl Fn(&str) -> String) -> String {
    let mut lines: Vec<String> = Vec::new();
    if !diagnostic.help.is_empty() {
        lines.push(clean(&diagnostic.help));
    }
    for (place, message) in without {
        if !std::ptr::eq(*place, &diagnostic.place) {
            lines.push(format!("see {}: {}", at(place, &shown), clean(message)));
        }
    }
    let more = diagnostic.related.len().saturating_sub(PLACES_MAX - 1);
    if more > 0 {
        lines.push(format!("{more} other places are not shown"));
    }
    lines.join("\n")
}

fn at(place: &Place, shown: impl Fn(&str) -> String) -> String {
    Place { file: shown(&place.file), ..place.clone() }.to_string()
}

/// ASCII only: in some Chinese terminals box-drawing characters are two columns wide, and would underline
/// the wrong text.
fn handler(diagnostic: &Diagnostic, colours: bool) -> GraphicalReportHandler {
    let severity = format!("{}[{}]:", severity(diagnostic.severity), diagnostic.code);
    let characters = ThemeCharacters {
        underbar: '^',
        error: severity.clone(),
        warning: severity,
        ..ThemeCharacters::ascii()
    };
    let styles = if colours { ThemeStyles::ansi() } else { ThemeStyles::none() };
    GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
        .with_urls(false)
        .with_wrap_lines(false)
        .without_cause_chain()
        .without_syntax_highlighting()
        // The excerpt gives a whole piece when it is asked for context.
        .with_context_lines(1)
}

/// A diagnostic as the drawing library wants it.
#[derive(Debug)]
struct Drawing {
    message: String,
    help: String,
    excerpt: Excerpt,
    labels: Vec<LabeledSpan>,
    warning: bool,
}

impl fmt::Display for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Drawing {}

impl miette::Diagnostic for Drawing {
    fn severity(&self) -> Option<miette::Severity> {
        Some(if self.warning { miette::Severity::Warning } else { miette::Severity::Error })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        (!self.help.is_empty()).then(|| Box::new(&self.help) as Box<dyn fmt::Display + 'a>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        (!self.excerpt.is_empty()).then_some(&self.excerpt as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}
