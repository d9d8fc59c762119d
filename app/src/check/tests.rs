use serde_json::{Value, json};

use super::excerpt::Sources;
use super::*;

const SCRIPT: &str = "//! clause: 2\n\nfn applies(ticket) { ticket.knid == \"failure\" }\n\nfn 扣款(breach) { terms.罚金 + terms.时限 }\n";

fn files(files: &[(&str, &str)]) -> BTreeMap<String, String> {
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

fn place(file: &str, line: usize, column: usize, length: usize) -> Place {
    Place { file: file.to_owned(), line, column, length }
}

/// A diagnostic as it is told without colours, over the files of a pack `p`.
fn told(diagnostic: &Diagnostic, files: &BTreeMap<String, String>) -> String {
    text::diagnostic_text(diagnostic, "p", &mut Sources::new(files), false)
}

fn lines(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn checked(files: BTreeMap<String, String>, diagnostics: Vec<Diagnostic>) -> Checked {
    let check = Check { pack: None, diagnostics, files };
    Checked { folder: "rules/x".to_owned(), unusable: false, check, laws: Vec::new(), uncompiled: Vec::new() }
}

#[test]
fn the_text_is_underlined_and_the_help_stands_below() {
    let files = files(&[("clauses/2.rhai", SCRIPT)]);
    let fault = Diagnostic::new(
        Code::UNKNOWN_FACT,
        place("clauses/2.rhai", 3, 29, 4),
        "unknown fact `knid`; did you mean `kind`?",
    )
    .label("not a fact of pack.toml")
    .help("write `ticket.kind`");
    let expected = [
        "  error[E0101]: unknown fact `knid`; did you mean `kind`?",
        "   ,-[p/clauses/2.rhai:3:29]",
        " 3 | fn applies(ticket) { ticket.knid == \"failure\" }",
        "   :                             ^^^^",
        "   :                               `-- not a fact of pack.toml",
        "   `----",
        "  help: write `ticket.kind`",
    ];
    assert_eq!(told(&fault, &files), lines(&expected));
}

#[test]
fn chinese_characters_are_two_columns_wide() {
    let files = files(&[("clauses/2.rhai", SCRIPT)]);
    let fault = Diagnostic::new(Code::UNITS, place("clauses/2.rhai", 5, 17, 8), "金额不能加时间")
        .label("金额")
        .related(place("clauses/2.rhai", 5, 28, 8), "时间");
    let expected = [
        "  error[E0201]: 金额不能加时间",
        "   ,-[p/clauses/2.rhai:5:17]",
        " 5 | fn 扣款(breach) { terms.罚金 + terms.时限 }",
        "   :                   ^^^^^^^^^^   ^^^^^^^^^^",
        "   :                        |            `-- 时间",
        "   :                        `-- 金额",
        "   `----",
    ];
    assert_eq!(told(&fault, &files), lines(&expected));
}

#[test]
fn the_other_side_is_shown_in_its_own_file() {
    let other = "//! clause: 1\nfn classify(ticket) { paid(\"by the hour\") }\n";
    let files = files(&[("clauses/1.rhai", other), ("clauses/2.rhai", SCRIPT)]);
    let fault = Diagnostic::new(Code::CONFLICT, place("clauses/2.rhai", 3, 4, 7), "both decide")
        .label("here")
        .related(place("clauses/1.rhai", 2, 4, 8), "and here")
        .related(Place::file("contract.md"), "no word of it");
    let expected = [
        "  error[E0704]: both decide",
        "   ,-[p/clauses/2.rhai:3:4]",
        " 3 | fn applies(ticket) { ticket.knid == \"failure\" }",
        "   :    ^^^^^^^",
        "   :       `-- here",
        "   `----",
        "   ,-[p/clauses/1.rhai:2:4]",
        " 2 | fn classify(ticket) { paid(\"by the hour\") }",
        "   :    ^^^^^^^^",
        "   :        `-- and here",
        "   `----",
        "  help: see p/contract.md: no word of it",
    ];
    assert_eq!(told(&fault, &files), lines(&expected));
}

#[test]
fn places_near_each_other_are_drawn_in_one_piece_and_far_ones_apart() {
    let script = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n";
    let files = files(&[("a.rhai", script)]);
    let fault = Diagnostic::new(Code::OVERLAP, place("a.rhai", 3, 1, 5), "twice")
        .label("this")
        .related(place("a.rhai", 1, 1, 3), "that")
        .related(place("a.rhai", 7, 2, 2), "far")
        .related(place("a.rhai", 3, 2, 2), "within");
    let expected = [
        "  error[E0303]: twice",
        "   ,-[p/a.rhai:3:1]",
        " 1 | one",
        "   : ^^^",
        "   :  `-- that",
        " 2 | two",
        " 3 | three",
        "   : ^^^^^",
        "   :   `-- this",
        "   `----",
        "   ,-[p/a.rhai:7:2]",
        " 7 | seven",
        "   :  ^^",
        "   :   `-- far",
        "   `----",
        "   ,-[p/a.rhai:3:2]",
        " 3 | three",
        "   :  ^^",
        "   :   `-- within",
        "   `----",
    ];
    assert_eq!(told(&fault, &files), lines(&expected));
}

#[test]
fn without_a_column_the_line_is_underlined_and_without_a_line_nothing_is_shown() {
    let files = files(&[("terms.toml", "\n  [fine]  \nunit = 1\n")]);
    let whole = Diagnostic::new(Code::UNUSED_TERM, Place::line("terms.toml", 2), "nothing reads `fine`");
    let expected = [
        "  warning[W0902]: nothing reads `fine`",
        "   ,-[p/terms.toml:2:3]",
        " 2 |   [fine]  ",
        "   :   ^^^^^^",
        "   `----",
    ];
    assert_eq!(told(&whole, &files), lines(&expected));
    let file = Diagnostic::new(Code::FILE, Place::file("contract.md"), "is missing").help("write it");
    assert_eq!(told(&file, &files), "  error[E0801]: p/contract.md: is missing\n  help: write it\n");
}

#[test]
fn places_that_are_not_there_are_told_without_an_excerpt() {
    let files = files(&[("a.rhai", "fn a() {\n}\n"), ("empty.rhai", "")]);
    let at = |file: &str, line, column, length| {
        told(&Diagnostic::new(Code::SYNTAX, place(file, line, column, length), "ends too early"), &files)
    };
    assert_eq!(at("a.rhai", 99, 4, 2), "  error[E0510]: p/a.rhai:99:4: ends too early\n");
    assert_eq!(at("b.rhai", 1, 1, 1), "  error[E0510]: p/b.rhai:1:1: ends too early\n");
    // Beyond the end of the line, its end is underlined.
    let beyond = ["   ,-[p/a.rhai:1:9]", " 1 | fn a() {", "   :         ^", "   `----"];
    assert!(at("a.rhai", 1, 80, 7).ends_with(&lines(&beyond)), "{}", at("a.rhai", 1, 80, 7));
    assert!(at("a.rhai", 1, usize::MAX, usize::MAX).ends_with(&lines(&beyond)));
    // A length beyond the end stops there.
    let stops = [" 1 | fn a() {", "   :        ^", "   `----"];
    assert!(at("a.rhai", 1, 8, usize::MAX).ends_with(&lines(&stops)), "{}", at("a.rhai", 1, 8, 50));
    // The line after the last line break is there, and empty; so is the only line of an empty file.
    assert!(at("a.rhai", 3, 1, 0).ends_with(&lines(&[" 3 | ", "   : ^", "   `----"])));
    assert!(at("empty.rhai", 1, 1, 0).ends_with(&lines(&[" 1 | ", "   : ^", "   `----"])));
    assert!(at("empty.rhai", 1, 0, 0).ends_with(&lines(&[" 1 | ", "   : ^", "   `----"])));
}

#[test]
fn tabs_line_ends_and_hostile_characters_do_not_move_the_underline() {
    let script = "let a\r\n\tlet\tbad = 1;\r\nx = \"\u{1b}[31m\u{202e}\" + y\r\n";
    let files = files(&[("a.rhai", script)]);
    let tab = Diagnostic::new(Code::UNREAD, place("a.rhai", 2, 6, 3), "never read\u{1b}[2J");
    let expected = [
        "  warning[W0907]: never read\u{fffd}[2J",
        "   ,-[p/a.rhai:2:6]",
        " 2 |     let bad = 1;",
        "   :         ^^^",
        "   `----",
    ];
    assert_eq!(told(&tab, &files), lines(&expected));
    let hostile = Diagnostic::new(Code::UNKNOWN_NAME, place("a.rhai", 3, 15, 1), "no `y`");
    let expected = [" 3 | x = \"\u{fffd}[31m\u{fffd}\" + y", "   :               ^", "   `----"];
    assert!(told(&hostile, &files).ends_with(&lines(&expected)), "{}", told(&hostile, &files));
}

#[test]
fn long_lines_are_cut_around_what_is_underlined() {
    let line = format!("{}bad{}", "长".repeat(500), "x".repeat(100_000));
    let files = files(&[("a.rhai", &line)]);
    let fault = Diagnostic::new(Code::UNKNOWN_NAME, place("a.rhai", 1, 501, 3), "no `bad`")
        .label("here")
        .related(place("a.rhai", 1, 100_001, 90_000), "to the end");
    let text = told(&fault, &files);
    let shown = format!(" 1 | ...{}bad{}...\n", "长".repeat(60), "x".repeat(137));
    assert!(text.contains(&shown), "{text}");
    let under = format!("   : {}^^^\n", " ".repeat(3 + 2 * 60));
    assert!(text.contains(&under) && text.contains("[p/a.rhai:1:501]"), "{text}");
    // The other place has a piece of its own; what is underlined ends with what is shown.
    assert!(
        text.contains("[p/a.rhai:1:100001]") && text.contains(&format!("{}\n", "^".repeat(140))),
        "{text}"
    );
    assert!(text.chars().count() < 1_500, "{}", text.chars().count());
}

#[test]
fn colours_come_only_when_asked_for() {
    let files = files(&[("clauses/2.rhai", SCRIPT)]);
    let fault = Diagnostic::new(Code::UNKNOWN_FACT, place("clauses/2.rhai", 3, 29, 4), "no").label("here");
    let mut sources = Sources::new(&files);
    let plain = text::diagnostic_text(&fault, "p", &mut sources, false);
    let coloured = text::diagnostic_text(&fault, "p", &mut sources, true);
    assert!(!plain.contains('\u{1b}') && coloured.contains("\u{1b}[31merror[E0101]:\u{1b}[0m"), "{coloured}");
}

#[test]
fn the_summary_counts_and_the_rest_is_counted_only() {
    let mut diagnostics = vec![Diagnostic::new(Code::NUMBER, Place::line("a.rhai", 1), "500")];
    for _ in 0..60 {
        diagnostics.insert(0, Diagnostic::new(Code::UNKNOWN_FACT, place("a.rhai", 1, 1, 1), "no"));
    }
    let many = checked(files(&[("a.rhai", "x\n")]), diagnostics);
    let text = text::pack_text(&many, false);
    assert_eq!(text.matches("error[E0101]").count(), 50);
    assert!(!text.contains("warning[W0904]"), "{text}");
    let end = "and 10 errors, 1 warning more, which are not shown; `--format json` tells all\n\n\
        rules/x: 60 errors, 1 warning (E0101 x60, W0904)\n";
    assert!(text.ends_with(end), "{text}");
    assert_eq!(text::hint(&[many]), "for more: holdback check --explain E0101\n");
    assert_eq!(text::hint(&[checked(BTreeMap::new(), Vec::new())]), "");
}

#[test]
fn warnings_count_only_when_they_are_denied() {
    let warning = || Diagnostic::new(Code::NUMBER, Place::line("a.rhai", 1), "500");
    let error = || Diagnostic::new(Code::UNITS, Place::line("a.rhai", 1), "no");
    for (diagnostics, usual, denied) in [
        (vec![], FINE, FINE),
        (vec![warning()], FINE, FINDINGS),
        (vec![error()], FINDINGS, FINDINGS),
        (vec![error(), warning()], FINDINGS, FINDINGS),
    ] {
        let one = checked(BTreeMap::new(), diagnostics);
        assert_eq!((one.exit_code(None), one.exit_code(Some(Deny::Warnings))), (usual, denied));
    }
}

fn sample() -> Vec<Checked> {
    let fault = Diagnostic::new(Code::CONFLICT, place("clauses/1.5(1) 急.rhai", 3, 4, 7), "both decide")
        .help("say which")
        .related(Place::line("clauses/1.rhai", 2), "and here");
    let warning = Diagnostic::new(Code::UNUSED_TERM, Place::file("terms.toml"), "nothing reads it");
    vec![checked(BTreeMap::new(), vec![fault, warning])]
}

#[test]
fn json_has_every_field_of_every_diagnostic() {
    let told = serde_json::to_value(report(&sample())).unwrap();
    let expected = json!({
        "format": 1,
        "packs": [{
            "folder": "rules/x", "pack": null, "errors": 1, "warnings": 1,
            "diagnostics": [
                {
                    "code": "E0704", "severity": "error", "file": "clauses/1.5(1) 急.rhai",
                    "line": 3, "column": 4, "length": 7, "message": "both decide",
                    "label": "", "help": "say which",
                    "related": [{
                        "place": { "file": "clauses/1.rhai", "line": 2, "column": 0, "length": 0 },
                        "message": "and here",
                    }],
                },
                {
                    "code": "W0902", "severity": "warning", "file": "terms.toml",
                    "line": 0, "column": 0, "length": 0, "message": "nothing reads it", "label": "", "help": "", "related": [],
                },
            ],
            "laws": [],
        }],
    });
    assert_eq!(told, expected);
}

#[test]
fn sarif_has_what_the_standard_requires() {
    let log = sarif::log(&sample());
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(
        (&driver["name"], &driver["version"]),
        (&json!("holdback"), &json!(env!("CARGO_PKG_VERSION")))
    );
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    assert_eq!(run["invocations"], json!([{ "executionSuccessful": true }]));
    let rules = driver["rules"].as_array().unwrap();
    assert_eq!(rules.len(), holdback::CODES.len());
    for rule in rules {
        let text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
        assert!(text(&rule["id"]) && text(&rule["shortDescription"]["text"]), "{rule}");
        assert!(text(&rule["help"]["text"]) && text(&rule["help"]["markdown"]), "{rule}");
        let level = if rule["id"].as_str().unwrap().starts_with('E') { "error" } else { "warning" };
        assert_eq!(rule["defaultConfiguration"]["level"], level);
    }
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(result["ruleId"], rule["id"], "the index is that of the rule");
        assert_eq!(result["locations"].as_array().unwrap().len(), 1);
    }
    assert_eq!(results[0]["level"], "error");
    assert_eq!(results[0]["message"], json!({ "text": "both decide\nsay which" }));
    let expected = json!({
        "artifactLocation": { "uri": "rules/x/clauses/1.5(1)%20%E6%80%A5.rhai" },
        "region": { "startLine": 3, "startColumn": 4, "endColumn": 11 },
    });
    assert_eq!(results[0]["locations"][0]["physicalLocation"], expected);
    let related = json!([{
        "id": 1,
        "message": { "text": "and here" },
        "physicalLocation": {
            "artifactLocation": { "uri": "rules/x/clauses/1.rhai" },
            "region": { "startLine": 2 },
        },
    }]);
    assert_eq!(results[0]["relatedLocations"], related);
    // A whole file has no region.
    let expected = json!({ "artifactLocation": { "uri": "rules/x/terms.toml" } });
    assert_eq!(results[1]["locations"][0]["physicalLocation"], expected);
    assert_eq!(results[1]["level"], "warning");
}

/// Each excerpt costs what it shows, not what its file holds: a hostile pack is told in bounded time.
#[test]
fn many_mistakes_in_large_files_are_told_in_one_pass() {
    let large = "fn a() { 1 }\n".repeat(200_000);
    let files = files(&[("a.rhai", &large)]);
    let diagnostics: Vec<Diagnostic> =
        (1..=20_000).map(|n| Diagnostic::new(Code::NUMBER, place("a.rhai", 10 * n, 10, 1), "1")).collect();
    let text = text::pack_text(&checked(files, diagnostics), false);
    assert_eq!(text.matches("warning[W0904]").count(), 50);
    assert!(text.contains("[rules/x/a.rhai:500:10]") && text.contains("20000 warnings (W0904 x20000)"));
}

#[test]
fn a_line_as_long_as_a_file_may_be_is_told_short() {
    let line = files(&[("a.rhai", &"时限 + ".repeat(450_000))]);
    let fault = |n: usize| {
        let fault = Diagnostic::new(Code::UNKNOWN_NAME, place("a.rhai", 1, 40_000 * n, 2), "no");
        (0..20).fold(fault, |fault, m| fault.related(place("a.rhai", 1, 100_000 * m, 2), "nor this"))
    };
    let text = text::pack_text(&checked(line, (1..=50).map(fault).collect()), false);
    assert_eq!(text.matches("[rules/x/a.rhai:1:").count(), 50 * 8);
    assert_eq!(text.matches("13 other places are not shown").count(), 50);
    assert!(text.len() < 50 * 8 * 1_000, "{}", text.len());
}

proptest::proptest! {
    /// Whatever the text and wherever the places: told, with no character that a terminal obeys.
    #[test]
    fn any_place_in_any_text_can_be_told(
        text in "[a\\t\\r\\n 急\u{1b}\u{301}\u{200d}\u{202e}🙂]{0,60}",
        places in proptest::collection::vec((0usize..6, 0usize..40, 0usize..40), 1..6),
        long in proptest::bool::ANY,
    ) {
        let text = if long { text.repeat(9).replace('\n', "") } else { text };
        let files = files(&[("a", &text)]);
        let mut places = places.into_iter().map(|(line, column, length)| place("a", line, column, length));
        let mut fault = Diagnostic::new(Code::SYNTAX, places.next().unwrap(), "no").label("first");
        for place in places {
            fault = fault.related(place, "other");
        }
        let told = told(&fault, &files);
        proptest::prop_assert!(told.starts_with("  error[E0510]: ") && !told.contains("Failed"), "{told}");
        proptest::prop_assert!(!told.contains(['\u{1b}', '\u{202e}', '\r', '\t']), "{told}");
        let others = told.matches("other").count();
        proptest::prop_assert_eq!(others, fault.related.len(), "{}", told);
    }
}
