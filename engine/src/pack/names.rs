//! Names that a pack gives: what may be one, and that none is given twice.

use std::collections::BTreeMap;

use super::source::{At, Faults};
use crate::diagnostic::{Code, Diagnostic, Place, confusable};

/// Words that scripts read as something else than a name.
const KEYWORDS: [&str; 46] = [
    "as", "async", "await", "break", "case", "catch", "const", "continue", "debug", "default", "do", "else",
    "eval", "exit", "export", "false", "fn", "for", "function", "global", "go", "goto", "if", "import", "in",
    "is", "let", "loop", "match", "module", "new", "nil", "null", "package", "print", "private", "public",
    "return", "switch", "this", "throw", "true", "try", "until", "var", "while",
];

/// What a pack may not call its facts: the program has these names.
pub(super) const FACTS_TAKEN: [&str; 8] =
    ["first", "reported_at", "via", "id", "首次", "报告时间", "渠道", "编号"];

/// Names of one sort, each given once.
pub(super) struct Names {
    code: Code,
    /// Such as `fact`.
    sort: &'static str,
    known: BTreeMap<String, Place>,
}

impl Names {
    pub(super) fn new(code: Code, sort: &'static str) -> Names {
        Names { code, sort, known: BTreeMap::new() }
    }

    /// Takes a name, or tells where it was given first.
    pub(super) fn take(&mut self, name: &At<String>, faults: &mut Faults) -> bool {
        if let Some(first) = self.known.get(&name.value) {
            let message = format!("{} `{}` stands twice", self.sort, name.value);
            // Names come in the order of the alphabet, and are told in the order of the file.
            let (later, first) =
                if first > &name.place { (first, &name.place) } else { (&name.place, first) };
            let told = Diagnostic::new(self.code, later.clone(), message).label("given again");
            faults.tell(told.related(first.clone(), "it stands here first"));
            return false;
        }
        self.known.insert(name.value.clone(), name.place.clone());
        true
    }

    /// Where a name was given.
    pub(super) fn place(&self, name: &str) -> Option<Place> {
        self.known.get(name).cloned()
    }
}

/// Warns of a name with letters that look like others.
pub(super) fn spelling(name: &At<String>, faults: &mut Faults) {
    if let Some(why) = confusable(&name.value) {
        let message = format!("the name `{}` mixes letters that look alike: {why}", name.value);
        let told = Diagnostic::new(Code::HOMOGLYPH, name.place.clone(), message);
        faults.tell(told.label("looks like another name").help("write the name with letters of one script"));
    }
}

/// Why scripts cannot write a name, if they cannot.
pub(super) fn unwritable(name: &str) -> Option<&'static str> {
    if KEYWORDS.contains(&name) {
        return Some("a word of the language: expected a name of its own");
    }
    (!rhai::is_valid_identifier(name))
        .then_some("no name that scripts can write: expected letters, digits and `_`, a letter first")
}
