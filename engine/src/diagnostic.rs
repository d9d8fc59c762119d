//! What is wrong with a pack, or looks wrong: the code, the place, what was expected, and both sides of a conflict.

mod codes;
mod homoglyph;

use std::fmt;

use serde::Serialize;

pub use codes::{CODES, Code};
pub(crate) use homoglyph::confusable;

/// How much a [`Diagnostic`] weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The pack is refused: it is never evaluated.
    Error,
    /// The pack can be used, but its author should look.
    Warning,
}

/// A stretch of text in a file of a pack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// The file within the pack.
    pub file: String,
    /// The line, from 1; 0 when the whole file is meant.
    pub line: usize,
    /// The column in characters, from 1; 0 when the whole line is meant.
    pub column: usize,
    /// How many characters; 0 when only the beginning is known.
    pub length: usize,
}

impl Place {
    /// A whole file.
    pub fn file(file: impl Into<String>) -> Place {
        Place { file: file.into(), line: 0, column: 0, length: 0 }
    }

    /// A whole line; line 0 is the whole file.
    pub fn line(file: impl Into<String>, line: usize) -> Place {
        Place { file: file.into(), line, column: 0, length: 0 }
    }
}

/// Another place that has to do with a [`Diagnostic`], such as the other side of a conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Related {
    /// Where.
    pub place: Place,
    /// What stands there.
    pub message: String,
}

/// One thing wrong with a pack, or one that looks wrong. The rule author's to mend.
///
/// Written `file:line:column: E0101: message`, without the parts that are not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// What sort of mistake it is; [`Code::teaching`] explains it.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What is wrong, with what was expected and the nearest known name.
    pub message: String,
    /// What the underlined text is, in a few words; may be empty.
    pub label: String,
    /// What to do about it; may be empty.
    pub help: String,
    /// Other places that have to do with it.
    pub related: Vec<Related>,
}

impl Diagnostic {
    /// A diagnostic with the severity of its code, and nothing beside its message.
    pub fn new(code: Code, place: Place, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: code.severity(),
            place,
            message: message.into(),
            label: String::new(),
            help: String::new(),
            related: Vec::new(),
        }
    }

    /// The same with a few words for the underlined text.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = label.into();
        self
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = help.into();
        self
    }

    /// The same with another place that has to do with it.
    #[must_use]
    pub fn related(mut self, place: Place, message: impl Into<String>) -> Diagnostic {
        self.related.push(Related { place, message: message.into() });
        self
    }

    /// Whether it refuses the pack.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (0, _) => write!(f, "{}", self.file),
            (line, 0) => write!(f, "{}:{line}", self.file),
            (line, column) => write!(f, "{}:{line}:{column}", self.file),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.code, self.message)?;
        for related in &self.related {
            write!(f, " ({}: {})", related.place, related.message)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_taught_under_its_title_with_both_sides_of_an_example() {
        let taught: Vec<&str> = include_str!("diagnostic/teaching.md").split("\n## ").skip(1).collect();
        let titles: Vec<&str> = taught.iter().filter_map(|section| section.lines().next()).collect();
        let expected: Vec<String> = CODES.iter().map(|code| format!("{code} {}", code.title())).collect();
        assert_eq!(titles, expected, "a section for each code, in the order of codes.rs");
        for code in CODES {
            let (text, _) = code.teaching().split_once("\n\n```").unwrap_or_default();
            let sentences = text.matches(['.', '?']).count();
            assert!(!text.is_empty() && sentences >= 2, "{code}: expected some sentences, then an example");
        }
    }

    #[test]
    fn examples_have_a_language_and_a_side() {
        for code in CODES {
            let mut sides = Vec::new();
            let mut open = false;
            for fence in code.teaching().lines().filter_map(|line| line.strip_prefix("```")) {
                open = !open;
                match (open, fence.split_once(' ')) {
                    (true, Some(("rhai" | "toml" | "md" | "text", side @ ("wrong" | "right")))) => {
                        sides.push(side);
                    }
                    (true, _) => panic!("{code}: ```{fence}"),
                    (false, _) => assert_eq!(fence, "", "{code}: a block ends with three marks"),
                }
            }
            assert!(!open, "{code}: a block without an end");
            assert!(sides.contains(&"wrong") && sides.contains(&"right"), "{code}: {sides:?}");
        }
    }

    #[test]
    fn a_diagnostic_is_written_with_its_place_and_the_other_side() {
        let place = Place { file: "clauses/2.rhai".into(), line: 3, column: 7, length: 2 };
        let told = Diagnostic::new(Code::CONFLICT, place, "decides the same")
            .related(Place::line("clauses/1.rhai", 2), "decided here");
        let written = "clauses/2.rhai:3:7: E0704: decides the same (clauses/1.rhai:2: decided here)";
        assert_eq!(told.to_string(), written);
        assert_eq!(
            Diagnostic::new(Code::FILE, Place::file("x"), "is missing").to_string(),
            "x: E0801: is missing"
        );
    }
}
