//! The codes of diagnostics. A code is never given to another mistake; a retired one stays retired.

use std::fmt;

use serde::{Serialize, Serializer};

use super::Severity;

/// What sort of mistake a [`Diagnostic`](super::Diagnostic) tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code {
    name: &'static str,
    severity: Severity,
    title: &'static str,
}

/// The explanations, a section a code.
const TEACHING: &str = include_str!("teaching.md");

impl Code {
    /// `E0101`: `E` for errors, `W` for warnings.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Whether it refuses the pack.
    pub fn severity(self) -> Severity {
        self.severity
    }

    /// A line that says what it is.
    pub fn title(self) -> &'static str {
        self.title
    }

    /// The code of this name, in any case of letters.
    ///
    /// ```
    /// use holdback::Code;
    /// assert_eq!(Code::named("e0101").map(|code| code.title()), Some("a fact that does not exist"));
    /// assert_eq!(Code::named("E9999"), None);
    /// ```
    pub fn named(name: &str) -> Option<Code> {
        CODES.into_iter().find(|code| code.name.eq_ignore_ascii_case(name))
    }

    /// What the mistake is, why it matters, and how it is mended, with an example: Markdown.
    pub fn teaching(self) -> &'static str {
        let sections = TEACHING.split("\n## ");
        let body = sections.skip(1).find_map(|section| section.strip_prefix(self.name));
        body.and_then(|text| text.split_once('\n')).map_or("", |(_, body)| body.trim())
    }
}

impl PartialOrd for Code {
    fn partial_cmp(&self, other: &Code) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Code {
    fn cmp(&self, other: &Code) -> std::cmp::Ordering {
        self.name.cmp(other.name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name)
    }
}

macro_rules! codes {
    ($($constant:ident $name:literal $severity:ident $title:literal)*) => {
        impl Code {
            $(#[doc = $title] pub const $constant: Code =
                Code { name: $name, severity: Severity::$severity, title: $title };)*
        }
        /// All codes, in their order.
        pub const CODES: [Code; [$($name),*].len()] = [$(Code::$constant),*];
    };
}

codes! {
    UNKNOWN_FACT "E0101" Error "a fact that does not exist"
    UNKNOWN_TERM "E0102" Error "a term that does not exist"
    UNKNOWN_WORD "E0103" Error "a function that does not exist"
    UNKNOWN_VALUE "E0104" Error "a text that is none of the allowed values"
    UNKNOWN_NAME "E0105" Error "a variable that does not exist"
    UNKNOWN_EVENT "E0106" Error "an event kind that does not exist"
    UNKNOWN_CALENDAR "E0107" Error "a calendar that does not exist"
    UNKNOWN_ROLE "E0108" Error "a role that does not exist"
    UNKNOWN_CHANNEL "E0109" Error "a channel that does not exist"
    UNKNOWN_CLOCK "E0110" Error "a clock that the clause does not set"
    ENTRY "E0111" Error "an entry function of another name or another number of parameters"
    HEADER "E0112" Error "a header line that cannot be read"
    ROUNDING "E0113" Error "a rounding that does not exist"

    UNITS "E0201" Error "units that do not mix"
    COMPARISON "E0202" Error "a comparison of unlike things"
    DIVISION "E0203" Error "a division that drops a remainder in silence"
    FRACTION "E0204" Error "a fraction becomes money without a named rounding"
    ARGUMENT "E0205" Error "a function that does not take this"
    RESULT "E0206" Error "an entry function that gives the wrong sort of answer"
    BRANCHES "E0207" Error "branches that give different sorts of answers"
    CONDITION "E0208" Error "a condition that is neither true nor false"
    CONSTANT "E0209" Error "a value that can never be"

    NO_RESULT "E0301" Error "a path without a result"
    UNCOVERED "E0302" Error "a switch that does not cover every value"
    OVERLAP "E0303" Error "cases that overlap"
    GAP "E0304" Error "a gap between ranges"

    SHADOWING "E0401" Error "a name that hides another"
    DUPLICATE "E0402" Error "a function or parameter that is named twice"

    RECURSION "E0501" Error "a function that calls itself"
    LOOP "E0502" Error "a loop whose end is not written out"
    EVAL "E0503" Error "code made while running"
    IMPORT "E0504" Error "an import or export"
    CLOSURE "E0505" Error "a function without a name"
    EXCEPTION "E0506" Error "an error thrown or caught"
    CONSTRUCT "E0507" Error "a construct that is not part of the language"
    TOP_LEVEL "E0508" Error "a statement outside of a function"
    TOO_LARGE "E0509" Error "a script that is too large or too deep"
    SYNTAX "E0510" Error "text that cannot be read as a script"
    EVENTS_ASKED "E0511" Error "`ticket.has` outside of `findings`"

    CLOCK_TWICE "E0601" Error "a clock that is set twice"
    CLOCK_UNMET "E0602" Error "a clock that can never be met"
    CLOCK_ENDLESS "E0603" Error "a clock without an end"
    NAME_COMPUTED "E0604" Error "a name that is not written out"
    STEP_SILENT "E0605" Error "an escalation step that tells nobody"

    DUTY "E0606" Error "a duty without a time"
    RECURRENCE "E0607" Error "a recurrence that cannot be"

    CLAUSE_UNKNOWN "E0701" Error "a clause that contract.md does not have"
    CLAUSE_UNCARRIED "E0702" Error "a clause of contract.md that nothing carries"
    CLAUSE_TWICE "E0703" Error "a clause that stands or is carried twice"
    CONFLICT "E0704" Error "two clauses decide the same thing and neither overrides"
    OVERRIDES "E0705" Error "`overrides` that cannot be"
    FLOOR "E0706" Error "no floor of the deposit, or more than one"

    CAPS "E0707" Error "caps that stand in two clauses"

    FILE "E0801" Error "a file that cannot be read"
    TOML "E0802" Error "a file that is not the TOML expected"
    PACK "E0803" Error "an entry of pack.toml that cannot be"
    TERM "E0804" Error "a term that cannot be"
    TERM_DATES "E0805" Error "values of a term whose dates overlap or go back"
    TERM_GAP "E0806" Error "a term without a value while its clause is in force"
    FACT "E0807" Error "a fact that cannot be declared so"
    CALENDAR "E0808" Error "a calendar that cannot be"
    OPENING "E0809" Error "an opening event that is refused"
    TIER_GAP "E0810" Error "tiers with a gap"
    TIER_OVERLAP "E0811" Error "tiers that overlap"

    UNUSED_CLAUSE "W0901" Warning "a clause that never applies"
    UNUSED_TERM "W0902" Warning "a term that nothing reads"
    UNUSED_FACT "W0903" Warning "a fact that nothing reads"
    NUMBER "W0904" Warning "a number that belongs in terms.toml"
    HOMOGLYPH "W0905" Warning "a name with letters that look like others"
    UNUSED_FUNCTION "W0906" Warning "a function that nothing calls"
    UNREAD "W0907" Warning "a value that is never read"
    UNREACHABLE "W0908" Warning "code that is never reached"
    CONSTANT_CONDITION "W0909" Warning "a condition that is always true or always false"
    ALLOW "W0910" Warning "an `allow` without effect or without a reason"

    LAW_MONOTONE "E1001" Error "a penalty that falls as the lateness grows"
    LAW_CAP "E1002" Error "a penalty beyond its cap"
    LAW_NEGATIVE "E1003" Error "a penalty below nothing"
    LAW_TOTAL "E1004" Error "a ticket that the clause cannot judge"
    LAW_ONCE "E1005" Error "a breach that is priced twice"
    LAW_FLOOR "E1006" Error "a deposit below its floor"
    LAW_CREDIT "E1007" Error "a credit that falls as the level gets worse"
    LAW_REPEATED "E1008" Error "a repetition that costs less"

    ROSTER "E1101" Error "an entry of roster.toml that cannot be"
    UNKNOWN_CONTACT "E1102" Error "a contact that does not exist"
    SHIFT "E1103" Error "a shift that cannot be"
    ROSTER_GAP "W1104" Warning "hours in which nobody is on call"
    ROSTER_OVERLAP "W1105" Warning "two who are on call at once"
    ROSTER_NOBODY "W1106" Warning "a role that is told and that nobody holds"
}
