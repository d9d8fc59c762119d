//! Texts as large as a pack's files may be, each made to be slow or to fill the memory.

use super::{CONTRACT, DAYS, FIRST, PACK, good};
use crate::Pack;

/// Replaces a file and says how many diagnostics are told; each sort at most a hundred times a file.
fn told(path: &str, text: String) -> usize {
    let mut files = good();
    files.insert(path.to_owned(), text);
    let check = Pack::check(files);
    assert!(
        check.pack.is_none(),
        "{path} is taken: {:?}",
        check.files[path].chars().take(60).collect::<String>()
    );
    check.diagnostics.len()
}

/// A text again and again, its `@` a number that counts, up to so many bytes.
fn repeated(text: &str, bytes: usize) -> String {
    (0..)
        .map(|i| text.replace('@', &i.to_string()))
        .scan(0, |sum, text| {
            *sum += text.len();
            (*sum < bytes).then_some(text)
        })
        .collect()
}

const TOML: usize = (1 << 20) - 4_096;
const TEXT: usize = (4 << 20) - 4_096;

#[test]
fn large_toml_is_answered() {
    let list = |item: &str| repeated(item, TOML);
    for (path, text) in [
        ("pack.toml", "[".repeat(TOML)),
        ("pack.toml", list("a@.")),
        ("pack.toml", list("x@ = 1\n")),
        ("pack.toml", list("x = 1\n")),
        ("pack.toml", format!("{PACK}[facts.many]\ntype = \"one-of\"\nvalues = [{}]\n", list("\"v\","))),
        ("pack.toml", format!("{PACK}[facts]\n{}", list("f@.type = \"bol\"\n"))),
        ("pack.toml", format!("{PACK}{}", list("[roles.r@]\nchannels = [\"x@\"]\n"))),
        ("pack.toml", format!("{PACK}{}", list("[calendars.c@.hours]\nmon = [[\"09:00\", \"10:00\"]]\n"))),
        ("pack.toml", format!("{PACK}{}", list("[[manual]]\nclause = \"9.@\"\nreason = \"r\"\n"))),
        ("pack.toml", format!("{PACK}{}", list("[[opening]]\nid = \"o\"\nkind = \"sined\"\nat = \"x\"\n"))),
        ("terms.toml", list("[t@]\nclause = \"1.1\"\nunit = \"houres\"\nvalues = []\n")),
        (
            "terms.toml",
            list("[t@]\nclause = \"9.@\"\nunit = \"count\"\nvalues = [{from=2026-01-15,value=1}]\n"),
        ),
        (
            "terms.toml",
            format!(
                "[fine]\nclause = \"1.1\"\nunit = \"CNY\"\nvalues = [{}]",
                list("{from=2026-01-15,value=1},")
            ),
        ),
    ] {
        let count = told(path, text);
        assert!((1..=310).contains(&count), "{count}");
    }
    let day = |i: u64| chrono::NaiveDate::MIN.checked_add_days(chrono::Days::new(96_000_000 + i)).unwrap();
    let values: String = (0..4_000).map(|i| format!("{{from={},value=1}},", day(i))).collect();
    let terms = format!("[fine]\nclause = \"1.1\"\nunit = \"CNY\"\nvalues = [{values}]");
    assert!(told("terms.toml", terms) >= 1);
}

#[test]
fn large_texts_are_answered() {
    let list = |item: &str| repeated(item, TEXT);
    let second = "//! clause: 1.1\n";
    for (path, text) in [
        ("contract.md", list("# [9.@] x\n")),
        ("contract.md", format!("{CONTRACT}{}", list("# [1.1] x\n"))),
        ("contract.md", "#".repeat(TEXT)),
        ("clauses/1.1.rhai", format!("{second}//! overrides: {}", list("9.@,"))),
        ("clauses/1.1.rhai", format!("{second}{}", list("//! overrides: 1.2, 8, 9.@\n"))),
        ("clauses/1.1.rhai", format!("{second}{}", list("//! allow: W09@\n"))),
        ("clauses/1.1.rhai", format!("{FIRST}{}", list("//! clause: 1.1\n"))),
        ("days.json", format!("{{\"2026\": {{\"holidays\": [{}\"x\"]}}}}", list("\"2026-01-01\","))),
        (
            "days.json",
            format!(
                "{{\"years\": {DAYS}, \"amendments\": [{}{{}}]}}",
                list("{\"published\": \"2026-01-01\"},")
            ),
        ),
    ] {
        let count = told(path, text);
        assert!((1..=310).contains(&count), "{count}");
    }
}
