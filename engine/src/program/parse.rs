//! A clause file read whole: rhai's reader stops at the first mistake, so what cannot be read is blanked out, function by
//! function, and the rest is read again.

use std::collections::BTreeMap;

use rhai::{AST, Engine, ParseErrorType, Position};

use super::lower::{Lowered, lower, scripts};
use super::source::{Source, Token};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::vocabulary::Words;

/// A clause file may be so long, in bytes.
const TEXT_MAX: usize = 128 << 10;
/// A file is read again so often at most.
const ROUNDS_MAX: usize = 16;
/// A clause of a contract has some hundreds; reading many more takes longer than is good.
const TOKENS_MAX: usize = 20_000;

/// Reads and types a clause file. `engine` only reads: it knows no words, allows what is to be told with a code of its own,
/// and sets the limits.
pub(crate) fn read(engine: &Engine, words: &Words, file: &str, text: &str) -> Lowered {
    if text.len() > TEXT_MAX {
        let message = format!("the script is too large: {} bytes, at most {TEXT_MAX}", text.len());
        let mut lowered = lower(words, &Source::new(file, ""), &BTreeMap::new());
        lowered.diagnostics = vec![Diagnostic::new(Code::TOO_LARGE, Place::line(file, 1), message)];
        return lowered;
    }
    let source = Source::new(file, text);
    if source.tokens.len() > TOKENS_MAX {
        let place =
            source.tokens.get(TOKENS_MAX).map_or_else(|| Place::file(file), |token| source.place_of(token));
        let message =
            format!("the script is too large: {} words and signs, at most {TOKENS_MAX}", source.tokens.len());
        let mut lowered = lower(words, &Source::new(file, ""), &BTreeMap::new());
        lowered.diagnostics = vec![Diagnostic::new(Code::TOO_LARGE, place, message)];
        return lowered;
    }
    if let Some(place) = lone_return(file, text) {
        let message = "a carriage return that ends no line: expected a line feed after it";
        let mut lowered = lower(words, &Source::new(file, ""), &BTreeMap::new());
        lowered.diagnostics = vec![Diagnostic::new(Code::SYNTAX, place, message)];
        return lowered;
    }
    let mut mistakes = Vec::new();
    let mut text = text.to_owned();
    let mut blanked = Vec::new();
    let ast = loop {
        match engine.compile(&text) {
            Ok(ast) => break ast,
            Err(error) => {
                let at = error.position();
                let diagnostic = told(&source, error.err_type(), at);
                if !mistakes.contains(&diagnostic) {
                    mistakes.push(diagnostic);
                }
                let left =
                    (mistakes.len() < ROUNDS_MAX).then(|| blank(&source, &mut text, at, &blanked)).flatten();
                match left {
                    Some(name) => blanked.push(name),
                    None => break AST::empty(),
                }
            }
        }
    };
    if let Some(statement) = ast.statements().first() {
        let place = source.place(statement.position());
        let message = "only functions stand at the top of a clause file";
        mistakes.push(Diagnostic::new(Code::TOP_LEVEL, place, message));
    }
    let mut lowered = lower(words, &source, &scripts(&ast));
    if !mistakes.is_empty() {
        // What is missing may stand in what could not be read.
        let sure =
            [Code::UNKNOWN_FACT, Code::UNKNOWN_TERM, Code::UNKNOWN_VALUE, Code::UNITS, Code::COMPARISON];
        lowered.diagnostics.retain(|diagnostic| sure.contains(&diagnostic.code));
        lowered.program = super::Program::default();
    }
    lowered.diagnostics.extend(mistakes);
    lowered.diagnostics.extend(twins(&ast, &source));
    lowered
}

/// The first carriage return that no line feed follows. Rhai ends a comment at it, where everybody who reads the text sees the
/// comment go on.
fn lone_return(file: &str, text: &str) -> Option<Place> {
    let (at, _) = text.match_indices('\r').find(|(at, _)| !text[at + 1..].starts_with('\n'))?;
    let line = text[..at].matches('\n').count() + 1;
    let column = text[..at].rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    Some(Place { file: file.to_owned(), line, column, length: 1 })
}

/// Functions that rhai keeps apart by the number or the sort of what they take; here one name is one function.
fn twins(ast: &AST, source: &Source) -> Vec<Diagnostic> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for def in ast.iter_fn_def() {
        *counts.entry(def.name.as_str()).or_default() += 1 + usize::from(def.this_type.is_some());
    }
    let place = |name: &str| {
        source.function(name).map_or_else(|| Place::file(&source.file), |(token, _)| source.place_of(token))
    };
    let twice = counts.into_iter().filter(|(_, count)| *count > 1);
    let told = twice.map(|(name, _)| {
        let message = format!(
            "the function `{name}` is defined for several sorts of arguments: one name is one function"
        );
        Diagnostic::new(Code::DUPLICATE, place(name), message)
    });
    told.collect()
}

fn told(source: &Source, error: &ParseErrorType, at: Position) -> Diagnostic {
    let place = source.place(at);
    let message = error.to_string();
    let reserved = |words: &[&str]| {
        let token = source.at(at).and_then(|i| source.tokens.get(i)).map(|token| token.text.as_str());
        token.is_some_and(|text| words.contains(&text))
            || words.iter().any(|word| message.contains(&format!("'{word}'")))
    };
    let (code, message) = match error {
        ParseErrorType::ExprTooDeep
        | ParseErrorType::TooManyFunctions
        | ParseErrorType::LiteralTooLarge(..) => {
            (Code::TOO_LARGE, format!("the script is too large: {}", lower_case(&message)))
        }
        ParseErrorType::FnDuplicatedDefinition(name, _) => {
            return twice(source, format!("the function `{name}` is defined twice"), place, name, |before| {
                before == "fn"
            });
        }
        ParseErrorType::FnDuplicatedParam(name, param) => {
            let message = format!("`{name}` has two parameters of the name `{param}`");
            return twice(source, message, place, param, |before| before == "(" || before == ",");
        }
        _ if reserved(&["import", "export"]) => (
            Code::IMPORT,
            "`import` and `export` are not part of the language: a clause stands on its own".to_owned(),
        ),
        _ if reserved(&["eval"]) => {
            (Code::EVAL, "`eval` is not part of the language: what runs is what is written".to_owned())
        }
        _ => (Code::SYNTAX, format!("the script cannot be read here: {}", lower_case(&message))),
    };
    let place = if place.line == 0 { end_of(source) } else { place };
    Diagnostic::new(code, place, message)
}

/// A name that stands twice: the later place, and the earlier one beside it.
fn twice(source: &Source, message: String, at: Place, name: &str, after: fn(&str) -> bool) -> Diagnostic {
    let named = source.tokens.windows(2).filter(|pair| after(&pair[0].text) && pair[1].text == name);
    let places: Vec<Place> = named.map(|pair| source.place_of(&pair[1])).collect();
    // rhai stands at the later one, or at the `fn` before it.
    let later = places.iter().position(|place| (place.line, place.column) >= (at.line, at.column));
    let Some(later) = later.filter(|later| *later > 0) else {
        return Diagnostic::new(Code::DUPLICATE, at, message);
    };
    match (places.get(later), places.get(later - 1)) {
        (Some(place), Some(first)) => Diagnostic::new(Code::DUPLICATE, place.clone(), message)
            .related(first.clone(), "it stands here first"),
        _ => Diagnostic::new(Code::DUPLICATE, at, message),
    }
}

fn lower_case(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// The last token: where a file ends too soon.
fn end_of(source: &Source) -> Place {
    source.tokens.last().map_or_else(|| Place::file(&source.file), |token| source.place_of(token))
}

/// Blanks out the function in which the reader stumbled, and gives its name.
fn blank(source: &Source, text: &mut String, at: Position, blanked: &[String]) -> Option<String> {
    let heads: Vec<usize> = (0..source.tokens.len())
        .filter(|i| source.tokens.get(*i).is_some_and(|token| token.text == "fn"))
        .collect();
    let functions: Vec<(&[Token], String)> = heads
        .iter()
        .enumerate()
        .map(|(n, head)| {
            let end = heads.get(n + 1).copied().unwrap_or(source.tokens.len());
            let tokens = source.tokens.get(*head..end).unwrap_or_default();
            (tokens, tokens.get(1).map_or(String::new(), |token| format!("{}:{}", token.line, token.text)))
        })
        .filter(|(_, name)| !blanked.contains(name))
        .collect();
    let place = match (at.line(), at.position()) {
        (Some(line), Some(column)) => (line, column),
        _ => (usize::MAX, 0),
    };
    let balanced = |tokens: &[Token]| {
        let count = |sign: &str| tokens.iter().filter(|token| token.text == sign).count();
        count("{") == count("}") && count("(") == count(")") && count("[") == count("]")
    };
    let begun = functions
        .iter()
        .rposition(|(tokens, _)| tokens.first().is_some_and(|t| (t.line, t.column) <= place))?;
    // A bracket left open is noticed only in the function after it.
    let (tokens, name) =
        functions.iter().take(begun + 1).find(|(tokens, _)| !balanced(tokens)).or(functions.get(begun))?;
    let (first, last) = (tokens.first()?, tokens.last()?);
    let mut kept = String::with_capacity(text.len());
    let (mut line, mut column) = (1, 1);
    for c in text.chars() {
        let here = (line, column);
        let inside = here >= (first.line, first.column) && here < (last.line, last.column + last.length);
        if c == '\n' {
            line += 1;
            column = 1;
            kept.push(c);
        } else {
            column += 1;
            kept.push(if inside { ' ' } else { c });
        }
    }
    let name = name.clone();
    *text = kept;
    Some(name)
}
