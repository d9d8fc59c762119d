//! The seeded mistakes of tests/data/mistakes: every one is found where it is, and nothing else is.

#![expect(clippy::disallowed_methods, reason = "tests read the tree")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;

use holdback::{CODES, Code, Diagnostic, Pack, Place};

use crate::rules::root;

type Files = BTreeMap<String, String>;

/// Fewer say too little about the checker.
const MISTAKES_MIN: usize = 110;
/// Codes without a mistake of their own, and why.
const WITHOUT: [(Code, &str); 1] =
    [(Code::LAW_FLOOR, "the ledger never takes the deposit below its floor, whatever a script says")];
/// Mistakes of a pack that is well formed, seen only when its penalties are tried.
const LAWS: &str = "E10";

/// One file of tests/data/mistakes.
struct Mistake {
    name: String,
    expected: Vec<Expected>,
    /// The base pack with the mistake in it.
    files: Files,
}

/// An `expect:` line with the `also:` lines below it.
#[derive(Clone)]
struct Expected {
    code: Code,
    /// As written; 0 for what is not given.
    place: Place,
    /// Must occur in the message; may be empty.
    piece: String,
    also: Vec<Place>,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}+{} {}", self.code, self.place, self.place.length, self.piece)?;
        self.also.iter().try_for_each(|place| write!(f, " (also {place})"))
    }
}

impl Expected {
    fn is(&self, found: &Diagnostic) -> bool {
        self.code == found.code
            && covers(&self.place, &found.place)
            && found.message.contains(&self.piece)
            && self.also.iter().all(|also| found.related.iter().any(|related| covers(also, &related.place)))
    }
}

/// Whether a place is the expected one as far as that is given.
fn covers(expected: &Place, found: &Place) -> bool {
    let as_given = |expected: usize, found: usize| expected == 0 || expected == found;
    expected.file == found.file
        && as_given(expected.line, found.line)
        && as_given(expected.column, found.column)
        && as_given(expected.length, found.length)
}

/// `clauses/1.rhai:4:12+4`, from the right: length, column and line may be missing.
fn place(text: &str) -> Result<Place, String> {
    let number = |text: &str| text.parse::<usize>().ok().filter(|n| *n > 0);
    let count = |text: &str| number(text).ok_or_else(|| format!("`{text}` is not a number from 1"));
    let (text, length) = match text.split_once('+') {
        Some((before, length)) => (before, count(length)?),
        None => (text, 0),
    };
    let mut parts = text.split(':');
    let file = parts.next().unwrap_or_default().to_owned();
    let line = parts.next().map_or(Ok(0), count)?;
    let column = parts.next().map_or(Ok(0), count)?;
    match parts.next() {
        None if length == 0 || column > 0 => Ok(Place { file, line, column, length }),
        _ => Err(format!("`{text}` is not a place such as clauses/1.rhai:4:12+4")),
    }
}

fn expected(line: &str) -> Result<Expected, String> {
    let mut words = line.splitn(3, ' ');
    let name = words.next().unwrap_or_default();
    let code = Code::named(name).ok_or_else(|| format!("`{name}` is not a code"))?;
    let place = place(words.next().unwrap_or_default())?;
    Ok(Expected { code, place, piece: words.next().unwrap_or_default().to_owned(), also: Vec::new() })
}

/// Reads a mistake as tests/data/mistakes/README.md says.
fn mistake(name: &str, text: &str, base: &Files) -> Result<Mistake, String> {
    let mut mistake = Mistake { name: name.to_owned(), expected: Vec::new(), files: base.clone() };
    let mut section: Option<&str> = None;
    for line in text.lines() {
        if let Some(path) = line.strip_prefix("--- delete ") {
            section = None;
            mistake.files.remove(path).ok_or_else(|| format!("the base pack has no file `{path}`"))?;
        } else if let Some(path) = line.strip_prefix("--- ") {
            section = Some(path);
            mistake.files.insert(path.to_owned(), String::new());
        } else if let Some(file) = section.and_then(|path| mistake.files.get_mut(path)) {
            *file += line;
            file.push('\n');
        } else if let Some(rest) = line.strip_prefix("expect: ") {
            mistake.expected.push(expected(rest)?);
        } else if let Some(rest) = line.strip_prefix("also: ") {
            let last = mistake.expected.last_mut().ok_or("`also:` comes before any `expect:`")?;
            last.also.push(place(rest)?);
        } else if !line.is_empty() {
            return Err(format!("`{line}` is neither an expectation nor in a section"));
        }
    }
    // Blank lines at the end of a section part it from the next.
    for file in mistake.files.values_mut() {
        let end = file.trim_end_matches('\n').len();
        file.truncate(end);
        file.push('\n');
    }
    if mistake.expected.is_empty() {
        return Err("no `expect:` line".to_owned());
    }
    Ok(mistake)
}

/// The files of a folder and of those below it, by their paths within it.
fn files(folder: &Path, below: &str, found: &mut Files) {
    for entry in fs::read_dir(folder.join(below)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.path().is_dir() {
            files(folder, &path, found);
        } else {
            found.insert(path, fs::read_to_string(entry.path()).unwrap());
        }
    }
}

fn base() -> Files {
    let mut found = Files::new();
    files(&root().join("tests/data/mistakes/base"), "", &mut found);
    assert!(found.contains_key("pack.toml"), "the base pack has no pack.toml");
    found
}

fn mistakes() -> Vec<Mistake> {
    let (folder, base) = (root().join("tests/data/mistakes"), base());
    let mut found = Files::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "txt") {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            found.insert(name, fs::read_to_string(path).unwrap());
        }
    }
    let read = |(name, text): (&String, &String)| {
        mistake(name, text, &base).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    found.iter().map(read).collect()
}

/// Everything wrong with a pack.
fn diagnostics(files: &Files) -> Vec<Diagnostic> {
    Pack::check(files.clone()).diagnostics
}

/// The laws of penalties that a pack breaks.
fn laws_of(pack: &Pack) -> Vec<Diagnostic> {
    holdback::check_laws(pack).iter().filter_map(holdback::LawOutcome::diagnostic).collect()
}

/// What was expected and not found, and what was found and not expected.
fn differences(name: &str, expected: &[Expected], found: Vec<Diagnostic>) -> Vec<String> {
    let mut found: Vec<Option<Diagnostic>> = found.into_iter().map(Some).collect();
    let mut told = Vec::new();
    for expected in expected {
        let slot = found.iter_mut().find(|slot| slot.as_ref().is_some_and(|found| expected.is(found)));
        match slot {
            Some(slot) => drop(slot.take()),
            None => told.push(format!("{name}\n    expected  {expected}")),
        }
    }
    for found in found.into_iter().flatten() {
        let Place { file, line, column, length } = &found.place;
        told.push(format!("{name}\n    found     {file}:{line}:{column}+{length}: {found}"));
    }
    told
}

fn none(rule: &str, told: Vec<String>) {
    assert!(told.is_empty(), "{rule}: {} differences\n{}\n", told.len(), told.join("\n"));
}

/// Where a place does not exist in the files, or begins or ends within a word.
fn misplaced(place: &Place, files: &Files) -> Option<String> {
    let said = |what: &str| Some(format!("{place}+{}: {what}", place.length));
    let Some(text) = files.get(&place.file) else {
        // Only a whole file can be missed.
        return if place.line == 0 { None } else { said("no such file") };
    };
    if place.line == 0 {
        return None;
    }
    let Some(line) = text.lines().nth(place.line - 1) else { return said("no such line") };
    let line: Vec<char> = line.chars().collect();
    let (start, end) = (place.column.saturating_sub(1), place.column.saturating_sub(1) + place.length);
    let within = |i: usize| {
        let word = |i: usize| line.get(i).is_some_and(|c| c.is_alphanumeric() || *c == '_');
        i > 0 && word(i - 1) && word(i)
    };
    if place.column > 0 && (start >= line.len() || end > line.len()) {
        return said("the line is shorter");
    }
    if place.column > 0 && (within(start) || place.length > 0 && within(end)) {
        return said("begins or ends within a word");
    }
    None
}

#[test]
fn every_mistake_stands_where_its_file_says() {
    let (base, mistakes) = (base(), mistakes());
    let mut told = Vec::new();
    let mut seen: BTreeMap<&Files, &str> = BTreeMap::new();
    for Mistake { name, expected, files } in &mistakes {
        let codes: Vec<&str> = expected.iter().map(|expected| expected.code.name()).collect();
        if !codes.iter().any(|code| name.strip_prefix(code).is_some_and(|rest| rest.starts_with('-'))) {
            told.push(format!("{name}: its name does not begin with {}", codes.join(" or ")));
        }
        if *files == base {
            told.push(format!("{name}: nothing differs from the base pack"));
        }
        if let Some(other) = seen.insert(files, name) {
            told.push(format!("{name}: the same as {other}"));
        }
        let places = expected.iter().flat_map(|expected| expected.also.iter().chain([&expected.place]));
        told.extend(places.filter_map(|at| misplaced(at, files)).map(|wrong| format!("{name}: {wrong}")));
    }
    none("mistakes are written as tests/data/mistakes/README.md says", told);
    assert!(mistakes.len() >= MISTAKES_MIN, "{} mistakes", mistakes.len());
}

#[test]
fn every_code_has_a_mistake() {
    let mistakes = mistakes();
    let seen: BTreeSet<Code> =
        mistakes.iter().flat_map(|mistake| &mistake.expected).map(|expected| expected.code).collect();
    for (code, why) in WITHOUT {
        assert!(!seen.contains(&code), "{code} has a mistake; it was left out because {why}");
    }
    let left_out = |code: &Code| WITHOUT.iter().any(|(without, _)| without == code);
    let missing = CODES.iter().filter(|code| !seen.contains(code) && !left_out(code));
    none(
        "each code has a mistake of its own",
        missing.map(|code| format!("{code} {}", code.title())).collect(),
    );
}

#[test]
fn the_base_pack_is_without_mistakes() {
    none("the pack under the mistakes is clean", differences("base", &[], diagnostics(&base())));
}

#[test]
fn all_mistakes_are_found_and_none_more() {
    let told = mistakes().into_iter().filter(|mistake| !mistake.name.starts_with(LAWS));
    let told = told.flat_map(|m| differences(&m.name, &m.expected, diagnostics(&m.files)));
    none("each mistake is found in its place, and nothing beside it", told.collect());
}

#[test]
fn all_breaches_of_the_laws_of_penalties_are_found_and_none_more() {
    let base = Pack::from_files(base()).unwrap_or_else(|error| panic!("base: {error}"));
    let mut told = differences("base", &[], laws_of(&base));
    for mistake in mistakes().into_iter().filter(|mistake| mistake.name.starts_with(LAWS)) {
        let mut found = diagnostics(&mistake.files);
        if let Ok(pack) = Pack::from_files(mistake.files) {
            found.extend(laws_of(&pack));
        }
        told.extend(differences(&mistake.name, &mistake.expected, found));
    }
    none("each breach of a law is found, and nothing beside it", told);
}

#[test]
fn a_file_that_is_not_a_mistake_is_refused() {
    let base = base();
    for (text, words) in [
        ("", "no `expect:`"),
        ("expect: E9999 pack.toml", "`E9999` is not a code"),
        ("expect: E0101 pack.toml:one", "`one` is not a number"),
        ("expect: E0101 pack.toml:1:0", "`0` is not a number from 1"),
        ("expect: E0101 pack.toml:1+4", "is not a place"),
        ("expect: E0101 pack.toml:1:2:3", "is not a place"),
        ("also: pack.toml:1\nexpect: E0101 pack.toml", "before any `expect:`"),
        ("expect: E0101 pack.toml\nformat = 1", "neither an expectation nor in a section"),
        ("expect: E0101 pack.toml\n--- delete no.toml", "no file `no.toml`"),
    ] {
        let error = mistake("E0101-a.txt", text, &base).err().unwrap_or_default();
        assert!(error.contains(words), "{text}: `{error}` does not say `{words}`");
    }
}
