//! Packs that are refused, with everything that is wrong.

use holdback::Pack;

use super::{Files, SECOND, files, pack, with};

#[test]
fn packs_are_refused_with_file_line_and_words() {
    let without = |path: &str| {
        let mut files = files();
        files.remove(path).unwrap();
        files
    };
    let and = |path: &str, text: &str| {
        let mut files = files();
        files.insert(path.to_owned(), text.to_owned());
        files
    };
    let fine = "values = [{ from = 2026-01-15, value = \"500.00\" }]";
    let fines = |values: &str| with("terms.toml", fine, values);
    let rows: Vec<(Files, &[&str])> = vec![
        // Files and clauses.
        (Files::new(), &["pack.toml: E0801: is missing"]),
        (without("contract.md"), &["contract.md: E0801: is missing"]),
        (without("terms.toml"), &["pack.toml:", "unknown term `deduction`"]),
        (without("clauses/2.rhai"), &["contract.md:2:4: E0702: clause `2` is carried by no file"]),
        (
            with("contract.md", "# [2] Urgent work\n", ""),
            &["clauses/2.rhai:1:13: E0701: contract.md has no clause `2`"],
        ),
        (
            and("clauses/4.rhai", SECOND),
            &[
                "clauses/4.rhai:1:13: E0703: clause `2` is carried twice: by clauses/2.rhai and by clauses/4.rhai",
            ],
        ),
        (
            with("pack.toml", "[deposit]", "[[manual]]\nclause = \"2\"\nreason = \"by people\"\n[deposit]"),
            &["clause `2` is carried twice", "pack.toml"],
        ),
        (
            with("contract.md", "# [3]", "# [1] Again\n# [3]"),
            &["contract.md:3:4: E0703: clause `1` stands twice"],
        ),
        (with("clauses/1.rhai", "//! clause: 1", "//! clause: 1.0"), &["contract.md has no clause `1.0`"]),
        (with("clauses/1.rhai", "//! clause: 1\n", ""), &["clauses/1.rhai:1:", "`//! clause: 1.2`"]),
        (
            with("clauses/1.rhai", "//! clause: 1\n", "//! clause: 1\n//! overides: 2\n"),
            &["clauses/1.rhai:2:5: E0112: unknown header `overides`", "did you mean `overrides`?"],
        ),
        (
            with("clauses/1.rhai", "//! clause: 1\n", "//! clause: 1\n//! overrides: 22\n"),
            &["clauses/1.rhai:2:", "`22`, which no file carries"],
        ),
        (
            with("clauses/1.rhai", "//! clause: 1\n", "//! clause: 1\n//! from: 15.1.2026\n"),
            &["clauses/1.rhai:2:11: E0112: `15.1.2026` is not a date"],
        ),
        (
            with("clauses/2.rhai", "fn classify", "fn deposit_floor() { yuan(1) }\nfn classify"),
            &[
                "clauses/3.rhai:2:4: E0706: clause 2 gives the deposit's floor already",
                "(clauses/2.rhai:3:4: the first one)",
            ],
        ),
        (
            with("clauses/3.rhai", "fn deposit_floor() { yuan(0) }", "fn findings(ticket) { [] }"),
            &["clauses/1.rhai:9:4: E0706: prices breaches, but no clause defines `deposit_floor()`"],
        ),
        (
            with("clauses/1.rhai", "hours(2)", "hours(2"),
            &["clauses/1.rhai:7:5: E0510: the script cannot be read here: unexpected ']'"],
        ),
        (
            with("clauses/1.rhai", "fn penalty(breach)", "fn penalty()"),
            &["clauses/1.rhai:9:4: E0111: `penalty` takes 1 parameter(s), not 0"],
        ),
        (
            with("clauses/1.rhai", "fn penalty(breach)", "fn penality(breach)"),
            &["clauses/1.rhai:9:4: E0111: unknown entry function `penality`; did you mean `penalty`?"],
        ),
        (
            with("clauses/1.rhai", "terms.fine", "fine"),
            &["clauses/1.rhai:9:22: E0105: unknown variable `fine`"],
        ),
        // pack.toml
        (
            with("pack.toml", "format = 1", "format = 2"),
            &["pack.toml:1:10: E0803: `format` is 2: this program reads 1"],
        ),
        (with("pack.toml", "version = \"1\"\n", ""), &["pack.toml", "missing field `version`"]),
        (with("pack.toml", "version =", "verson ="), &["pack.toml:3:1: E0802: unknown field `verson`"]),
        (with("pack.toml", "version = \"1\"", "version = "), &["pack.toml:3:"]),
        (with("pack.toml", "\"CNY\"", "\"RMB\""), &["pack.toml:4:12: E0803: `RMB` is not a currency code"]),
        (
            with("pack.toml", "Asia/Shanghai", "Asia/Shangai"),
            &["pack.toml:5:8: E0803: unknown time zone `Asia/Shangai`", "did you mean `Asia/Shanghai`?"],
        ),
        (with("pack.toml", "[\"school-2026\"]", "[]"), &["pack.toml:6:13: E0803: `contracts` is empty"]),
        (
            with("pack.toml", "type = \"bool\"", "type = \"boolean\""),
            &["pack.toml:11:8: E0807: fact `urgent`: unknown type `boolean`"],
        ),
        (
            with("pack.toml", "values = [\"failure\", \"emergency\"]\n", ""),
            &["pack.toml:7:8: E0807: fact `kind`: `values` belong to a one-of"],
        ),
        (
            with("pack.toml", "[facts.place]", "[facts.reason]"),
            &["fact `reason`: the program has this name already"],
        ),
        (
            with("pack.toml", "[deposit]", "[events]\ndeclared = [\"resolved\"]\n[deposit]"),
            &["the event kind `resolved` exists already"],
        ),
        (
            with("pack.toml", "deduction = \"deduction\"", "deduction = \"deducton\""),
            &["unknown term `deducton`", "did you mean `deduction`?"],
        ),
        // Calendars.
        (
            with("pack.toml", "mon = [[\"09:00\", \"17:00\"]]", ""),
            &["pack.toml:", "calendar `workdays`", "never open"],
        ),
        (
            with("pack.toml", "\"17:00\"", "\"08:00\""),
            &["calendar `workdays`", "`09:00` to `08:00` does not end after it starts"],
        ),
        (with("pack.toml", "\"17:00\"", "\"25:00\""), &["pack.toml:", "`25:00` is not a time of day"]),
        (with("pack.toml", "mon = ", "monday = "), &["pack.toml:", "`monday`"]),
        (
            with("pack.toml", "holidays = [\"days.json\"]", "holidays = [\"day.json\"]"),
            &["no holidays `day.json`", "did you mean `days.json`?"],
        ),
        (with("pack.toml", "holidays = [\"days.json\"]\n", ""), &["`demand_data` without any `holidays`"]),
        (
            with("pack.toml", "demand_data = true", "zone = \"Mars/Base\""),
            &["calendar `workdays`", "`Mars/Base`"],
        ),
        (with("days.json", "2026-01-01", "2026-13-01"), &["days.json", "2026-13-01"]),
        (
            with(
                "pack.toml",
                "[calendars.workdays.hours]",
                "[calendars.always.hours]\nmon = []\n[calendars.workdays.hours]",
            ),
            &["the calendar `always` exists already"],
        ),
        // Terms.
        (
            with("terms.toml", "unit = \"CNY\"", "unit = \"hour\""),
            &["terms.toml:3:8: E0804: term `fine`: unknown unit `hour`", "did you mean `hours`?"],
        ),
        (
            with("terms.toml", "unit = \"CNY\"", "unit = \"USD\""),
            &["an amount of CNY, the contract's currency"],
        ),
        (
            with("terms.toml", "unit = \"CNY\"", "unit = \"hours\""),
            &["`500.00` is not a value in hours: expected a whole number"],
        ),
        (
            with("terms.toml", "clause = \"1\"", "clause = \"9\""),
            &["terms.toml:2:10: E0701: term `fine`: contract.md has no clause `9`"],
        ),
        (
            with("terms.toml", "value = \"automatic\"", "value = \"automatc\""),
            &["`automatc`", "did you mean `automatic`?"],
        ),
        (fines("values = []"), &["terms.toml:4:10: E0804: term `fine` has no values"]),
        (fines("values = [{ from = 2026-01-15, value = \"5.001\" }]"), &["`5.001`", "at most 2 decimals"]),
        (
            fines(
                "values = [{ from = 2026-01-15, value = \"1.00\" }, { from = 2026-01-15, value = \"2.00\" }]",
            ),
            &["terms.toml:4:59: E0805:", "two values from 2026-01-15", "(terms.toml:4:20: "],
        ),
        (
            fines(
                "values = [{ from = 2026-01-15, value = \"1.00\" }, { from = 2025-01-15, value = \"2.00\" }]",
            ),
            &["the value from 2025-01-15 does not come after"],
        ),
        (fines("values = [{ from = 2026-01-15, vlaue = \"1.00\" }]"), &["terms.toml:", "vlaue"]),
        (
            fines("values = [{ from = 10:00:00, value = \"1.00\" }]"),
            &["`10:00:00`", "a date such as 2026-01-15"],
        ),
        // Opening events.
        (
            with(
                "pack.toml",
                "[deposit]",
                "[[opening]]\nid = \"o\"\nkind = \"deposit_payed\"\nat = \"2026-01-01T00:00:00Z\"\n[deposit]",
            ),
            &["event `o`", "did you mean `deposit_paid`?"],
        ),
        (
            with(
                "pack.toml",
                "[deposit]",
                "[[opening]]\nid = \"o\"\nkind = \"signed\"\nat = \"2026-01-01\"\n[deposit]",
            ),
            &["pack.toml:", "`2026-01-01`", "RFC 3339"],
        ),
    ];
    let mut silent = Vec::new();
    for (files, words) in rows {
        let text = match Pack::from_files(files) {
            Ok(_) => "nothing: the pack is taken".to_owned(),
            Err(faults) => faults.to_string(),
        };
        let missing = words.iter().filter(|word| !text.contains(**word));
        silent.extend(missing.map(|word| format!("`{word}` is not said by\n{text}")));
    }
    assert!(silent.is_empty(), "{}", silent.join("\n\n"));
}

#[test]
fn everything_wrong_with_a_pack_is_told_at_once() {
    let mut files = with("terms.toml", "\"500.00\"", "\"much\"");
    for (path, from, to) in [
        ("pack.toml", "type = \"bool\"", "type = \"boolean\""),
        ("clauses/1.rhai", "//! clause: 1\n", "//! clause: 1\n//! overides: 2\n"),
        ("clauses/2.rhai", "free(", "free(("),
    ] {
        let text = files.get_mut(path).unwrap();
        *text = text.replace(from, to);
    }
    let faults = Pack::from_files(files).unwrap_err().0;
    let found: Vec<&str> = faults.iter().map(|fault| fault.place.file.as_str()).collect();
    for file in ["pack.toml", "terms.toml", "clauses/1.rhai", "clauses/2.rhai"] {
        assert!(found.contains(&file), "{file} is not among {found:?}");
    }
    assert!(found.is_sorted(), "in the order of the files: {found:?}");
}

#[test]
fn terms_are_set_anew_only_within_their_unit() {
    let pack = pack(files());
    for (name, value, words) in [
        ("fin", "1.00", "unknown term `fin`; did you mean `fine`?"),
        ("fine", "much", "`much`"),
        ("fine", "0.001", "at most 2 decimals"),
        ("deduction", "never", "one of automatic, on_confirmation"),
    ] {
        let text = pack.with_term(name, value).expect_err("taken").to_string();
        assert!(text.contains(words), "{text}");
    }
}
