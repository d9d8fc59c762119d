//! Tables in terms.toml: read, refused where they are wrong, and set anew.

use super::*;

/// A good pack with a table as another term; its value begins a line of its own.
fn with_table(unit: &str, value: &str) -> BTreeMap<String, String> {
    let mut files = good();
    let table = format!(
        "\n[credit]\nclause = \"1.1\"\nunit = \"{unit}\"\nvalues = [{{ from = 2026-01-15, value =\n{value}\n}}]\n"
    );
    let terms = format!("{}{table}", files["terms.toml"]);
    files.insert("terms.toml".into(), terms);
    files
}

/// Mistakes with their places, lines counted from that of the value.
fn errors(unit: &str, value: &str) -> Vec<String> {
    let files = with_table(unit, value);
    let first = files["terms.toml"].lines().position(|line| line.ends_with("value =")).unwrap() + 1;
    let told = Pack::check(files).diagnostics.into_iter().filter(Diagnostic::is_error);
    told.map(|d| format!("{} {}:{}+{}", d.code, d.place.line - first, d.place.column, d.place.length))
        .collect()
}

#[test]
fn a_table_is_a_value_of_a_term() {
    let table = r#"[{ below = 95.5, is = "10.5" }, { from = "95.5", is = 0 }]"#;
    let check = Pack::check(with_table("percent by percent", table));
    let pack = check.into_result().unwrap();
    let value = pack.term("credit", "2026-03-01".parse().unwrap()).unwrap();
    assert_eq!(value.to_string(), "<95.5: 10.5 %, >=95.5: 0 %");
    let anew = pack.with_term("credit", r#"[{ to = 90, is = 50 }, { above = 90, is = "0" }]"#).unwrap();
    let value = anew.term("credit", "2026-03-01".parse().unwrap()).unwrap();
    assert_eq!(value.to_string(), "<=90: 50 %, >90: 0 %");
    for (text, words) in [
        ("5", "not a list"),
        (r#"[{ below = 90, is = 5 }]"#, "a gap above the tier <90"),
        (r#"[{ to = 90, is = 5 }, { from = 90, is = 0 }]"#, "overlap"),
        (r#"[{ is = 5 "#, "expected tiers such as"),
    ] {
        let told = pack.with_term("credit", text).unwrap_err().to_string();
        assert!(told.contains("E0804") && told.contains(words), "{text}: {told}");
    }
}

#[test]
fn what_is_no_table_is_told_where_it_stands() {
    for (unit, value, expected) in [
        ("percent by count", "5", &["E0804 1:1+1"][..]),
        ("percent by count", "[]", &["E0804 1:1+2"]),
        ("percent by count", "[5]", &["E0802 1:2+1"]),
        ("percent by count", "[{ to = 1 }]", &["E0802 1:2+10"]),
        ("percent by count", "[{ is = 1, upto = 5 }]", &["E0802 1:12+4"]),
        ("percent by count", "[{ is = [1] }]", &["E0804 1:9+3"]),
        ("percent by count", "[{ to = {}, is = 1 }]", &["E0804 1:9+2"]),
        ("percent by count", "[{ is = true }]", &["E0804 1:9+4"]),
        ("percent by count", "[{ to = 1e3, is = 1 }]", &["E0804 1:9+3"]),
        ("percent by count", "[{ to = inf, is = nan }]", &["E0804 1:9+3", "E0804 1:19+3"]),
        // What is unknown of one band makes no gap beside another.
        (
            "percent by count",
            "[{ to = 1, is = 1 },\n{ from = 2, to = 2 },\n{ from = 3, is = 1 }]",
            &["E0802 2:1+20"],
        ),
        ("percent by count", "[{ to = 1, is = 1 },\n{ from = 3, is = 1 }]", &["E0810 2:10+1"]),
    ] {
        assert_eq!(errors(unit, value), expected, "{value}");
    }
    let told = Pack::check(with_table("percent by share", "[{ is = 1 }]")).diagnostics;
    assert!(told.iter().any(|d| d.message.contains("unknown unit `percent by share`")), "{told:?}");
}
