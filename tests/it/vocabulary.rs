//! The reference page of the vocabulary is what the program says, and what it says is true.

#![expect(clippy::disallowed_methods, reason = "tests read the tree")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use holdback::{CONTRACT_KINDS, Pack, vocabulary_page};

use crate::rules::root;

const PACK: &str = r#"
format = 1
name = "words"
version = "1"
currency = "CNY"
zone = "Asia/Shanghai"
contracts = ["c"]
[facts]
kind = { type = "one-of", values = ["failure", "wish", "question"], zh = "事项", zh_values = ["故障", "需求", "咨询"] }
mode = { type = "one-of", values = ["paid", "free"], zh = "维护方式", zh_values = ["有偿", "无偿"] }
plan_due = { type = "instant", zh = "方案完成时间" }
course_at = { type = "instant", zh = "开课时间" }
test_record = { type = "bool", zh = "有测试记录" }
archive_logs = { type = "bool", zh = "归档日志" }
[calendars.workdays.hours]
mon = [["09:00", "18:00"]]
[roles.engineer]
[roles.team_lead]
"#;

const TERMS: &str = r#"
warranty = { clause = "1", unit = "years", zh = "免费维护期", values = [{ from = 2020-01-01, value = 3 }] }
fee = { clause = "1", unit = "CNY", zh = "维护费", values = [{ from = 2020-01-01, value = "8000.00" }] }
fine = { clause = "1", unit = "CNY", zh = "每次扣款", values = [{ from = 2020-01-01, value = "500.00" }] }
cap = { clause = "1", unit = "CNY", zh = "扣款上限", values = [{ from = 2020-01-01, value = "2000.00" }] }
goal = { clause = "1", unit = "percent", zh = "目标", values = [{ from = 2020-01-01, value = 99 }] }
tiers = { clause = "1", unit = "percent by percent", zh = "分档", values = [{ from = 2020-01-01, value = [{ below = 99, is = 10 }, { from = 99, is = 0 }] }] }
counts = { clause = "1", unit = "percent by count", zh = "次数分档", values = [{ from = 2020-01-01, value = [{ to = 2, is = 5 }, { from = 3, is = 10 }] }] }
amounts = { clause = "1", unit = "CNY by percent", zh = "金额分档", values = [{ from = 2020-01-01, value = [{ below = 99, is = "10.00" }, { from = 99, is = "0.00" }] }] }
fines = { clause = "1", unit = "CNY by count", zh = "按次扣款", values = [{ from = 2020-01-01, value = [{ to = 2, is = "5.00" }, { from = 3, is = "10.00" }] }] }
least = { clause = "1", unit = "CNY", zh = "最低额", values = [{ from = 2020-01-01, value = "100.00" }] }
"#;

/// It sets the clock that examples of service levels measure.
const BESIDE: &str = "//! clause: 2\nfn deadlines(ticket) { [due(\"repair\").within(hours(1)).met_by(\"resolved\"), \
    due(\"排除\").within(hours(1)).met_by(\"resolved\")] }\n";

/// Everything wrong with a clause in the small pack, warnings too.
fn wrong(clause: &str) -> Vec<String> {
    let files = [
        ("pack.toml", PACK),
        ("terms.toml", TERMS),
        ("contract.md", "# [1] Example\n# [2] Beside it\n"),
        ("clauses/1.rhai", clause),
        ("clauses/2.rhai", BESIDE),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    Pack::check(files.into()).diagnostics.iter().map(|told| format!("{told}")).collect()
}

/// The cells of the tables of one chapter, without their heads.
fn tables(page: &str, chapter: &str) -> Vec<Vec<String>> {
    let start = page.find(&format!("\n## {chapter} ·")).unwrap_or_else(|| panic!("no chapter {chapter}"));
    let rest = &page[start + 4..];
    let text = &rest[..rest.find("\n## ").unwrap_or(rest.len())];
    let mut rows = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (i, line) in lines.iter().enumerate() {
        let is_head = lines.get(i + 1).is_some_and(|next| next.starts_with("|---"));
        if line.starts_with("| ") && !is_head {
            let cells = line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned());
            rows.push(cells.collect());
        }
    }
    rows
}

/// The first text between back quotes in a cell.
fn quoted(cell: &str) -> &str {
    cell.split('`').nth(1).unwrap_or_else(|| panic!("nothing quoted in {cell}"))
}

/// The name of a word out of how it is called: `deadline.within(time)`.
fn name(call: &str) -> &str {
    let call = call.split('(').next().unwrap_or(call).trim_matches('"');
    call.rsplit('.').next().unwrap_or(call)
}

/// The scripts in code blocks of the page: one in English, one in Chinese.
fn examples(page: &str) -> Vec<&str> {
    page.split("```rhai\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_page_in_rules_is_what_the_program_says() {
    let found = vocabulary_page();
    let path = root().join("rules/vocabulary.md");
    let kept = fs::read_to_string(&path).unwrap_or_default();
    if found != kept {
        let beside = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("vocabulary.md");
        fs::write(&beside, &found).expect("a file in the target folder");
        let line = kept.lines().zip(found.lines()).position(|(a, b)| a != b).map_or(0, |line| line + 1);
        panic!(
            "rules/vocabulary.md differs from line {line} on; to accept what was found: cp {} {}",
            beside.display(),
            path.display()
        );
    }
}

/// A clause around an example, so that the example's value is used as what it is. The examples name the parameters, and a
/// clock called `repair`.
fn around(example: &str, gives: &str) -> String {
    let (ticket, breach) = if example.is_ascii() { ("ticket", "breach") } else { ("工单", "违约") };
    let money_of = |gives: &str| match gives {
        "money" | "金额" => format!("{{ {example} }}"),
        "share" | "比例" => format!("{{ {example}.of(terms.fee, \"up\") }}"),
        "count" | "整数" => format!("{{ terms.fine * {example} }}"),
        "instant" | "时刻" => {
            format!("{{ if contract.signed_at > {example} {{ terms.fine }} else {{ terms.cap }} }}")
        }
        "time" | "时长" => format!("{{ if {example} > hours(1) {{ terms.fine }} else {{ terms.cap }} }}"),
        _ => format!("{{ if {example} == \"repair\" {{ terms.fine }} else {{ terms.cap }} }}"),
    };
    let begun = |function: &str| format!("//! clause: 1\n//! allow: W0904 examples hold numbers\n{function}");
    let levels = "fn service_levels() { [availability(\"repair\"), availability(\"x\")] }\n";
    if ["period.", "一期."].iter().any(|of| example.contains(of)) {
        let parameter = if example.is_ascii() { "period" } else { "一期" };
        return begun(&format!(
            "{levels}fn credit({parameter}) {}\nfn deposit_floor() {{ terms.least }}\n",
            money_of(gives)
        ));
    }
    if ["again.", "前例."].iter().any(|of| example.contains(of)) {
        let parameter = if example.is_ascii() { "again" } else { "前例" };
        return begun(&format!(
            "{levels}fn credit(x) {{ terms.fee }}\nfn repeated({parameter}) {}\nfn deposit_floor() {{ terms.least }}\n",
            money_of(gives)
        ));
    }
    match gives {
        "duty" | "义务" => {
            let whole = format!("{example}.every(\"FREQ=DAILY\").within(hours(1))");
            return begun(&format!("fn duties() {{ [{whole}] }}\n"));
        }
        "service level" | "服务水平" => {
            return begun(&format!("fn service_levels() {{ [{example}] }}\n"));
        }
        "cap" | "上限" => return begun(&format!("fn caps() {{ [{example}] }}\n")),
        _ => {}
    }
    let money_if = |condition: String| format!("{{ if {condition} {{ terms.fine }} else {{ terms.cap }} }}");
    let (function, body) = match gives {
        "time" | "时长" => ("penalty", money_if(format!("{breach}.late > {example}"))),
        "days" | "期间" => {
            ("penalty", money_if(format!("{breach}.due > contract.signed_at.plus({example})")))
        }
        "instant" | "时刻" => ("penalty", money_if(format!("contract.signed_at > {example}"))),
        "text" | "文字" => ("penalty", money_if(format!("{example} == \"repair\""))),
        "money" | "金额" => ("penalty", format!("{{ {example} }}")),
        "share" | "比例" => ("penalty", format!("{{ {example}.of(terms.fee, \"up\") }}")),
        "count" | "整数" => ("penalty", format!("{{ terms.fine * {example} }}")),
        "class" | "判定" => ("classify", format!("{{ {example} }}")),
        "finding" | "问题" => ("findings", format!("{{ [{example}] }}")),
        "true or false" | "真假" => {
            ("findings", format!("{{ if {example} {{ [finding(\"a\")] }} else {{ [] }} }}"))
        }
        "deadline" | "期限" => ("deadlines", example.to_owned()),
        "step" | "步骤" => ("escalation", format!("{{ [{example}.notify(\"engineer\")] }}")),
        other => panic!("no clause takes {other}"),
    };
    let repair =
        ["repair", "排除"].map(|clock| format!("due(\"{clock}\").within(days(2)).met_by(\"resolved\")"));
    let mut clocks = repair.join(", ");
    if function == "deadlines" {
        let own = format!("{example}.within(days(2)).met_by(\"resolved\")");
        let is_repair = example.starts_with("due(\"repair\")") || example.starts_with("限时(\"排除\")");
        clocks = if is_repair { own } else { format!("{clocks}, {own}") };
    }
    let mut clause = format!(
        "//! clause: 1\n//! allow: W0904 examples hold numbers\nfn deadlines({ticket}) {{ [{clocks}] }}\n"
    );
    match function {
        "deadlines" => {}
        "penalty" => {
            clause += &format!("fn penalty({breach}) {body}\nfn deposit_floor() {{ terms.least }}\n")
        }
        _ => clause += &format!("fn {function}({ticket}) {body}\n"),
    }
    clause
}

#[test]
fn every_example_type_checks_in_both_languages() {
    let page = vocabulary_page();
    let rows = tables(&page, "Words");
    assert!(rows.len() >= 80, "{} rows", rows.len());
    let unread = |told: &String| ["W0902", "W0903", "W0910"].iter().any(|code| told.contains(code));
    let mut faults = Vec::new();
    for row in &rows {
        let [_, gives, example, ..] = row.as_slice() else { panic!("{row:?}") };
        let script = around(quoted(example), gives);
        let told: Vec<String> = wrong(&script).into_iter().filter(|told| !unread(told)).collect();
        if !told.is_empty() {
            faults.push(format!("{example}: {}\n{script}", told.join("; ")));
        }
    }
    for example in examples(&page) {
        let told = wrong(example).into_iter().filter(|told| !unread(told));
        faults.extend(told.map(|told| format!("the whole clause: {told}")));
    }
    assert_eq!(examples(&page).len(), 4);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(!wrong(&around("hours(2)", "money")).is_empty(), "an example of the wrong type is told");
}

#[test]
fn every_field_type_checks_in_both_languages() {
    let mut faults = Vec::new();
    for row in tables(&vocabulary_page(), "What can be read") {
        let [written, gives, ..] = row.as_slice() else { panic!("{row:?}") };
        // What is no value by itself is asked for one; a ticket is no breach.
        let (written, gives) = match (quoted(written), gives.as_str()) {
            (terms, "terms" | "约定") => (format!("{terms}.fine"), "money"),
            (contract, "contract" | "合同") => (format!("{contract}.signed_at"), "instant"),
            (first, "first values of the ticket" | "首次值") => {
                (format!("{first}.mode == \"paid\""), "true or false")
            }
            (ticket, "ticket" | "工单") => (format!("{ticket}.reported_at"), "instant"),
            (text, "text" | "文字")
                if !["breach", "违约", "period", "一期", "again", "前例"]
                    .iter()
                    .any(|of| text.contains(of)) =>
            {
                (format!("{text} == \"1\""), "true or false")
            }
            (at, "instant" | "时刻") if at.starts_with("ticket") || at.starts_with("工单") => {
                (format!("{at} > contract.signed_at"), "true or false")
            }
            (written, gives) => (written.to_owned(), gives),
        };
        let script = around(&written, gives);
        let told: Vec<String> = wrong(&script).into_iter().filter(|told| told.contains(": E")).collect();
        if !told.is_empty() {
            faults.push(format!("{written}: {}\n{script}", told.join("; ")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The names of the page by their kind, English and Chinese.
fn names(page: &str) -> BTreeMap<&'static str, Vec<[String; 2]>> {
    let mut names: BTreeMap<&'static str, Vec<[String; 2]>> = BTreeMap::new();
    let mut add = |kind, pair: [&str; 2]| names.entry(kind).or_default().push(pair.map(str::to_owned));
    for chapter in ["Entry functions", "Words"] {
        for rows in tables(page, chapter).chunks(2) {
            add("functions", [name(quoted(&rows[0][0])), name(quoted(&rows[1][0]))]);
        }
    }
    for rows in tables(page, "What can be read").chunks(2) {
        let pair = [quoted(&rows[0][0]), quoted(&rows[1][0])];
        let kind = match pair[0].split('.').next() {
            Some("ticket") => "fields of a ticket",
            Some("breach") => "fields of a breach",
            Some("period") => "fields of a period",
            Some("again") => "fields of a penalty before",
            _ if pair[0].contains('.') => "fields of a contract",
            _ => "globals",
        };
        add(kind, pair.map(name));
    }
    for (kind, chapter) in [("events", "Events"), ("roundings", "Roundings")] {
        for row in tables(page, chapter) {
            add(kind, [name(quoted(&row[0])), name(quoted(&row[1]))]);
        }
    }
    names
}

#[test]
fn names_are_unique_within_their_kind_and_each_has_one_translation() {
    let page = vocabulary_page();
    for (kind, pairs) in names(&page) {
        let mut other: BTreeMap<&String, &String> = BTreeMap::new();
        for [english, chinese] in &pairs {
            assert!(english.is_ascii() && !chinese.is_ascii(), "{kind}: {english} {chinese}");
            for (from, to) in [(english, chinese), (chinese, english)] {
                let known = other.insert(from, to);
                assert!(known.is_none_or(|known| known == to), "{kind}: `{from}` is `{to}` and {known:?}");
            }
        }
    }
    let mut calls = BTreeSet::new();
    for row in tables(&page, "Words").iter().chain(&tables(&page, "Entry functions")) {
        assert!(calls.insert(row[0].clone()), "{} stands twice", row[0]);
    }
}

#[test]
fn every_chinese_name_is_used_where_people_read_it() {
    let page = vocabulary_page();
    let mut texts: Vec<String> = examples(&page).into_iter().map(str::to_owned).collect();
    for folder in ["rules/school-after-sales/条款", "app/template/zh/clauses"] {
        for entry in fs::read_dir(root().join(folder)).expect("a folder of clauses").flatten() {
            texts.push(fs::read_to_string(entry.path()).expect("a clause"));
        }
    }
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let used: BTreeSet<&str> = texts
        .iter()
        .flat_map(|text| text.lines())
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split(|c| !is_name(c)))
        .collect();
    let mut all = names(&page);
    // Clauses ask for two events of the contract; the others are told to the program.
    let told = CONTRACT_KINDS.iter().filter(|kind| !["signed", "project_accepted"].contains(kind));
    let told: BTreeSet<&str> = told.copied().collect();
    if let Some(events) = all.get_mut("events") {
        events.retain(|[english, _]| !told.contains(english.as_str()));
    }
    let unused: Vec<&String> =
        all.values().flatten().map(|[_, zh]| zh).filter(|zh| !used.contains(zh.as_str())).collect();
    assert!(unused.is_empty(), "never used in a clause: {unused:?}");
    assert!(all.values().map(Vec::len).sum::<usize>() > 80, "the names were found");
}

/// Numbers of the page that stand in the sources of the engine: what the page calls them, the file, the constant.
const LIMITS: [(&str, &str, &str); 10] = [
    ("operations of one question", "policy/reference.rs", "OPERATIONS_MAX"),
    ("parts of an entry function", "program/lower.rs", "NODES_MAX"),
    ("functions that call one another", "program/lower.rs", "CALLS_MAX"),
    ("expressions within", "policy/reference.rs", "EXPR_DEPTH_MAX"),
    ("functions in a file", "policy/reference.rs", "FUNCTIONS_MAX"),
    ("variables at once", "program/lower.rs", "VARIABLES_MAX"),
    ("turns of a `for`", "program/lower/statement.rs", "TURNS_MAX"),
    ("items of a list", "policy/reference.rs", "ARRAY_MAX"),
    ("bytes of a text", "policy/reference.rs", "STRING_MAX"),
    ("names given to one word", "vocabulary.rs", "NAMES_MAX"),
];

#[test]
fn the_limits_are_those_of_the_engine() {
    let rows = tables(&vocabulary_page(), "Limits");
    assert_eq!(rows.len(), LIMITS.len());
    for (said, file, constant) in LIMITS {
        let row = rows.iter().find(|row| row[0].starts_with(said)).expect("a row");
        let source = fs::read_to_string(root().join("engine/src").join(file)).expect("a source");
        let begins = format!("const {constant}:");
        let line = source.lines().find(|line| line.contains(&begins)).unwrap_or_else(|| {
            panic!("{file} has no {constant}: say in LIMITS where it went");
        });
        let value: String = line.rsplit('=').next().unwrap().chars().filter(char::is_ascii_digit).collect();
        assert_eq!(row[1].replace(',', ""), value, "{said}: {file} has {line}");
    }
}
