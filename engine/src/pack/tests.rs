//! Mistakes of packs: each row changes a good pack and says all that must be told of it, with its exact place.

use std::collections::BTreeMap;

use super::Pack;
use crate::{Diagnostic, TermValue};

mod large;
mod random;
mod tiers;

const PACK: &str = r#"format = 1
name = "p"
version = "1"
currency = "CNY"
zone = "Asia/Shanghai"
contracts = ["c-2026"]
adapter = "events"
[events]
declared = ["receipt_sent", "answered"]
zh = { receipt_sent = "回执已发" }
[facts.kind]
type = "one-of"
values = ["failure", "emergency"]
zh = "类别"
zh_values = ["故障", "紧急"]
[facts.urgent]
type = "bool"
[channels.mail]
doc = "邮箱"
[roles.engineer]
channels = ["mail"]
[calendars.work]
hours = { mon = [["09:00", "12:00"], ["13:00", "17:00"]] }
holidays = ["days.json"]
[deposit]
deduction = "deduction"
low = "fine"
[[opening]]
id = "o1"
kind = "deposit_paid"
at = "2026-01-01T00:00:00Z"
data = { amount = "10.00" }
[[manual]]
clause = "1.3"
reason = "由人核对"
"#;

const TERMS: &str = r#"[fine]
clause = "1.1"
unit = "CNY"
zh = "扣款"
values = [{ from = 2026-01-15, value = "500.00" }]
[limit]
clause = "1.1"
unit = "hours"
values = [{ from = 2026-01-15, value = 2 }, { from = 2026-07-01, value = 1 }]
[deduction]
clause = "1.2"
unit = "one-of"
of = ["automatic", "on_confirmation"]
values = [{ from = 2020-01-01, value = "automatic" }]
"#;

const FIRST: &str = "//! clause: 1.1\n//! cap: fine\n//! allow: W0904 the law's number\nfn penalty(breach) { min(terms.fine, yuan(400)) }\nfn deadlines(ticket) { [due(\"a\").within(hours(1)).met_by(\"closed\")] }\n";
const SECOND: &str = "//! clause: 1.2\nfn deposit_floor() { yuan(0) }\n";
const CONTRACT: &str = "# 合同\n\n## [1.1] 维修 · Repair\n## [1.2] 质保金\n## [1.3] 咨询\n";
const DAYS: &str = "{\"2026\": {\"holidays\": [\"2026-01-01\"]}}";

type Texts = BTreeMap<String, String>;

fn good() -> Texts {
    [
        ("pack.toml", PACK),
        ("terms.toml", TERMS),
        ("contract.md", CONTRACT),
        ("days.json", DAYS),
        ("clauses/1.1.rhai", FIRST),
        ("clauses/1.2.rhai", SECOND),
    ]
    .map(|(path, text)| (path.to_owned(), text.to_owned()))
    .into()
}

/// `code file:line:column:length`, and the same of what is related, after ` + `.
fn told(diagnostics: &[Diagnostic]) -> Vec<String> {
    let one = |diagnostic: &Diagnostic| {
        let mut text = format!("{} {}:{}", diagnostic.code, diagnostic.place, diagnostic.place.length);
        for related in &diagnostic.related {
            text.push_str(&format!(" + {}:{}", related.place, related.place.length));
        }
        text
    };
    // What no script reads is told of nearly every change here, and has tests of its own.
    let about_reading =
        |one: &&Diagnostic| matches!(one.code, crate::Code::UNUSED_TERM | crate::Code::UNUSED_FACT);
    diagnostics.iter().filter(|one| !about_reading(one)).map(one).collect()
}

/// Changes one text of the good pack and compares all that is told with what is expected.
#[track_caller]
fn row(path: &str, from: &str, to: &str, expected: &[&str]) {
    let mut files = good();
    let text = files.get_mut(path).unwrap();
    assert!(text.contains(from), "{path} does not hold `{from}`");
    *text = text.replacen(from, to, 1);
    all(files, expected);
}

/// Adds a file, or replaces one.
#[track_caller]
fn file(path: &str, text: &str, expected: &[&str]) {
    let mut files = good();
    files.insert(path.to_owned(), text.to_owned());
    all(files, expected);
}

#[track_caller]
fn all(files: Texts, expected: &[&str]) {
    let check = Pack::check(files.clone());
    assert_eq!(told(&check.diagnostics), expected, "{:#?}", check.diagnostics);
    let refused = check.diagnostics.iter().any(Diagnostic::is_error);
    assert_eq!(check.pack.is_none(), refused);
    assert_eq!(Pack::from_files(files).is_err(), refused);
}

#[test]
fn a_good_pack_has_nothing_told() {
    all(good(), &[]);
    let pack = Pack::from_files(good()).unwrap();
    assert_eq!(
        (pack.roles[0].name.as_str(), &*pack.roles[0].channels),
        ("engineer", &["mail".to_owned()][..])
    );
    assert_eq!(pack.channels[0].doc, "邮箱");
    let kind = &pack.facts()[0];
    assert_eq!((kind.zh.as_deref(), kind.zh_values.len()), (Some("类别"), 2));
    assert_eq!(pack.schema.kinds.alias("回执已发"), pack.schema.kinds.find("receipt_sent"));
    assert_eq!(pack.policy.words.terms.list[1].zh.as_deref(), Some("扣款"));
    assert!(matches!(pack.term("fine", "2026-02-01".parse().unwrap()), Some(TermValue::Money(_))));
    assert_eq!(told(pack.warnings()), [""; 0]);
}

#[test]
fn the_top_of_pack_toml() {
    let pack = |from, to, expected| row("pack.toml", from, to, expected);
    pack("format = 1", "format = 2", &["E0803 pack.toml:1:10:1"]);
    pack("format = 1", "format = \"1\"", &["E0802 pack.toml:1:10:3"]);
    pack("version = \"1\"\n", "", &["E0802 pack.toml:0"]);
    pack("version = \"1\"", "verson = \"1\"", &["E0802 pack.toml:3:1:6"]);
    pack("name = \"p\"", "name = \"\"", &["E0803 pack.toml:2:8:2"]);
    pack("\"CNY\"", "\"RMB\"", &["E0803 pack.toml:4:12:5"]);
    pack("Asia/Shanghai", "Asia/Shangai", &["E0803 pack.toml:5:8:14"]);
    pack("[\"c-2026\"]", "[]", &["E0803 pack.toml:6:13:2"]);
    pack("[\"c-2026\"]", "[\"c\", \"c\"]", &["E0803 pack.toml:6:19:3 + pack.toml:6:14:3"]);
    pack("[\"c-2026\"]", "[\"c\", 7]", &["E0802 pack.toml:6:19:1"]);
    pack("\"events\"", "\"servicenow\"", &["E0803 pack.toml:7:11:12"]);
    pack("adapter = \"events\"", "clauses = \"条款\"", &["E0803 pack.toml:7:11:4"]);
    pack("adapter = \"events\"", "clauses = \"../x\"", &["E0803 pack.toml:7:11:6"]);
    pack("deduction = \"deduction\"", "deduction = \"deducton\"", &["E0102 pack.toml:26:13:10"]);
    pack(
        "deduction = \"deduction\"",
        "deduction = \"fine\"",
        &["E0803 pack.toml:26:13:6 + terms.toml:3:8:5"],
    );
    pack("low = \"fine\"", "low = \"limit\"", &["E0803 pack.toml:27:7:7 + terms.toml:8:8:7"]);
    pack("reason = \"由人核对\"", "reason = \"\"", &["E0803 pack.toml:35:10:2"]);
    // Two mistakes, both told.
    pack(
        "name = \"p\"\nversion = \"1\"",
        "nam = \"p\"\nversion = 1",
        &["E0802 pack.toml:2:1:3", "E0802 pack.toml:3:11:1"],
    );
}

#[test]
fn text_that_is_not_toml() {
    let pack = |from, to, expected| row("pack.toml", from, to, expected);
    pack("version = \"1\"", "version = ", &["E0802 pack.toml:3:11:0"]);
    pack("version = \"1\"", "version = \"1", &["E0802 pack.toml:3:13:0"]);
    pack("version = \"1\"", "name = \"q\"", &["E0802 pack.toml:3:1:4 + pack.toml:2:1:4"]);
    pack("[facts.urgent]", "[facts.kind]", &["E0802 pack.toml:16:8:4 + pack.toml:11:8:4"]);
    row("terms.toml", "[limit]", "[limit", &["E0802 terms.toml:6:7:0"]);
    // An unclosed list is told once, and so is the next mistake, in another table.
    row(
        "terms.toml",
        "values = [{ from = 2026-01-15, value = \"500.00\" }]",
        "values = [{",
        &["E0802 terms.toml:5:12:0"],
    );
    pack(
        "low = \"fine\"",
        "low = [1,\nhigh = 2\n[roles]\nx = \"1\n[roles]",
        &["E0802 pack.toml:28:1:4", "E0802 pack.toml:30:7:0"],
    );
    // The name after Chinese text on its line: columns count characters.
    pack("doc = \"邮箱\"", "doc = \"邮箱\" x", &["E0802 pack.toml:19:12:0"]);
}

#[test]
fn facts_events_and_roles() {
    let pack = |from, to, expected| row("pack.toml", from, to, expected);
    pack("type = \"bool\"", "type = \"boolean\"", &["E0807 pack.toml:17:8:9"]);
    pack("type = \"bool\"", "", &["E0802 pack.toml:16:8:6"]);
    pack("type = \"bool\"", "type = \"bool\"\nvalues = [\"x\"]", &["E0807 pack.toml:18:1:6"]);
    pack(
        "values = [\"failure\", \"emergency\"]\n",
        "",
        &["E0807 pack.toml:11:8:4", "E0807 pack.toml:14:13:12"],
    );
    pack("\"emergency\"]", "\"failure\"]", &["E0807 pack.toml:13:22:9 + pack.toml:13:11:9"]);
    pack("\"故障\", \"紧急\"]", "\"故障\"]", &["E0807 pack.toml:15:13:6 + pack.toml:13:10:24"]);
    pack("\"故障\", \"紧急\"]", "\"故障\", \"故障\"]", &["E0807 pack.toml:15:20:4 + pack.toml:15:14:4"]);
    pack("zh = \"类别\"\n", "", &["E0807 pack.toml:14:13:12 + pack.toml:13:10:24"]);
    pack("zh = \"类别\"", "zh = \"类 别\"", &["E0807 pack.toml:14:6:5"]);
    pack("zh = \"类别\"", "zh = \"urgent\"", &["E0807 pack.toml:16:8:6 + pack.toml:14:6:8"]);
    pack("zh = \"类别\"", "zh = \"via\"", &["E0807 pack.toml:14:6:5"]);
    pack("[facts.urgent]", "[facts.reason]", &["E0807 pack.toml:16:8:6"]);
    pack("[facts.urgent]", "[facts.if]", &["E0807 pack.toml:16:8:2"]);
    pack("[facts.urgent]", "[facts.on-site]", &["E0807 pack.toml:16:8:7"]);
    pack("[facts.urgent]", "[facts.urg\u{435}nt]", &["E0802 pack.toml:16:8:6"]);
    pack("[facts.urgent]", "[facts.\"urg\u{435}nt\"]", &["W0905 pack.toml:16:8:8"]);
    pack("[facts.urgent]", "[facts.P1期限]", &["E0802 pack.toml:16:8:4"]);
    pack("[facts.urgent]", "[facts.\"P1期限\"]", &[]);
    pack("\"answered\"]", "\"resolved\"]", &["E0803 pack.toml:9:29:10"]);
    pack("\"answered\"]", "\"receipt_sent\"]", &["E0803 pack.toml:9:29:14 + pack.toml:9:13:14"]);
    pack("{ receipt_sent", "{ reciept_sent", &["E0106 pack.toml:10:8:12"]);
    pack("\"回执已发\"", "\"answered\"", &["E0803 pack.toml:10:23:10 + pack.toml:9:29:10"]);
    pack("channels = [\"mail\"]", "channels = [\"mial\"]", &["E0109 pack.toml:21:13:6"]);
    pack("channels = [\"mail\"]", "chanels = [\"mail\"]", &["E0802 pack.toml:21:1:7"]);
    pack("[roles.engineer]", "[roles.\"engin\u{435}er\"]", &["W0905 pack.toml:20:8:10"]);
}

#[test]
fn calendars_and_opening_events() {
    let pack = |from, to, expected| row("pack.toml", from, to, expected);
    pack("[\"09:00\", \"12:00\"]", "[\"09:00\", \"08:00\"]", &["E0808 pack.toml:23:18:18"]);
    pack("\"12:00\"", "\"25:00\"", &["E0808 pack.toml:23:28:7"]);
    pack("{ mon", "{ monday", &["E0808 pack.toml:23:11:6"]);
    pack("mon = [[\"09:00\", \"12:00\"], [\"13:00\", \"17:00\"]]", "", &["E0808 pack.toml:22:12:4"]);
    pack("[calendars.work]", "[calendars.work]\nzone = \"Mars/Base\"", &["E0808 pack.toml:23:8:11"]);
    pack("[calendars.work]", "[calendars.always]", &["E0808 pack.toml:22:12:6"]);
    pack("\"days.json\"", "\"day.json\"", &["E0808 pack.toml:24:13:10"]);
    pack("holidays = [\"days.json\"]", "demand_data = true", &["E0808 pack.toml:24:1:11"]);
    pack(
        "holidays = [\"days.json\"]",
        "shifts = [{ date = \"2026-02-01\", hours = [] }, { date = \"2026-02-01\", hours = [] }]",
        &["E0808 pack.toml:24:57:12 + pack.toml:24:20:12"],
    );
    row("days.json", "\"2026-01-01\"", "\"2026-13-01\"", &["E0808 days.json:1:24:12 + pack.toml:24:13:11"]);
    row("days.json", "]}}", "]}", &["E0808 days.json:1:37:0 + pack.toml:24:13:11"]);
    pack("\"deposit_paid\"", "\"deposit_payed\"", &["E0809 pack.toml:30:8:15"]);
    pack("\"2026-01-01T00:00:00Z\"", "\"2026-01-01\"", &["E0809 pack.toml:31:6:12"]);
    pack("\"10.00\"", "\"ten\"", &["E0809 pack.toml:32:19:5"]);
    pack("data = { amount = \"10.00\" }", "", &["E0809 pack.toml:30:8:14"]);
    pack(
        "[[manual]]",
        "[[opening]]\nid = \"o1\"\nkind = \"signed\"\nat = \"2026-01-01T00:00:00Z\"\n[[manual]]",
        &["E0809 pack.toml:34:6:4 + pack.toml:29:6:4"],
    );
}

#[test]
fn terms() {
    let terms = |from, to, expected| row("terms.toml", from, to, expected);
    terms("unit = \"CNY\"", "unit = \"hour\"", &["E0804 terms.toml:3:8:6"]);
    terms("unit = \"CNY\"", "unit = \"USD\"", &["E0804 terms.toml:3:8:5"]);
    terms("\"500.00\"", "\"much\"", &["E0804 terms.toml:5:40:6"]);
    terms("\"500.00\"", "[500]", &["E0804 terms.toml:5:40:5"]);
    terms("value = 2 }", "value = 2.5 }", &["E0804 terms.toml:9:40:3"]);
    terms("value = 2 }", "valu = 2 }", &["E0802 terms.toml:9:32:4"]);
    terms("from = 2026-01-15, value = 2", "from = \"2026-01-15\", value = 2", &["E0802 terms.toml:9:20:12"]);
    terms("from = 2026-01-15, value = 2", "from = 10:00:00, value = 2", &["E0804 terms.toml:9:20:8"]);
    terms("2026-07-01", "2026-01-15", &["E0805 terms.toml:9:54:10 + terms.toml:9:20:10"]);
    terms("2026-07-01", "2025-07-01", &["E0805 terms.toml:9:54:10 + terms.toml:9:20:10"]);
    terms(
        "values = [{ from = 2026-01-15, value = \"500.00\" }]",
        "values = []",
        &["E0804 terms.toml:5:10:2"],
    );
    terms(
        "of = [\"automatic\", \"on_confirmation\"]\n",
        "of = []\n",
        &["E0804 terms.toml:13:6:2", "E0804 terms.toml:14:40:11"],
    );
    terms(
        "unit = \"hours\"",
        "unit = \"hours\"\nof = [\"x\"]",
        &["E0804 terms.toml:9:1:2 + terms.toml:8:8:7"],
    );
    terms("\"on_confirmation\"]", "\"automatic\"]", &["E0804 terms.toml:13:20:11 + terms.toml:13:7:11"]);
    terms("\"on_confirmation\"]", "\"on_confirm\"]", &["E0803 pack.toml:26:13:11 + terms.toml:10:2:9"]);
    terms("zh = \"扣款\"", "zh = \"limit\"", &["E0804 terms.toml:6:2:5 + terms.toml:4:6:7"]);
    terms("zh = \"扣款\"", "zh = \"1扣款\"", &["E0804 terms.toml:4:6:5"]);
    terms("[limit]", "[\"lim\u{456}t\"]", &["W0905 terms.toml:6:2:7"]);
    // A gap of one term before another of its clause begins, or before the clause does.
    terms(
        "from = 2026-01-15, value = 2",
        "from = 2026-02-01, value = 2",
        &["E0806 terms.toml:9:20:10 + terms.toml:5:20:10"],
    );
    row(
        "clauses/1.1.rhai",
        "//! cap",
        "//! from: 2026-01-01\n//! cap",
        &[
            "E0806 terms.toml:5:20:10 + clauses/1.1.rhai:2:11:10",
            "E0806 terms.toml:9:20:10 + clauses/1.1.rhai:2:11:10",
        ],
    );
    row("clauses/1.1.rhai", "//! cap", "//! from: 2026-01-15\n//! cap", &[]);
}

#[test]
fn headers() {
    let first = |from, to, expected| row("clauses/1.1.rhai", from, to, expected);
    first("//! clause: 1.1\n", "", &["E0112 clauses/1.1.rhai:1:1:13"]);
    first("//! clause: 1.1", "//! clause:", &["E0112 clauses/1.1.rhai:1:5:6"]);
    first("//! clause: 1.1", "//! clause：1.1", &["E0112 clauses/1.1.rhai:1:11:1"]);
    first(
        "//! clause: 1.1",
        "// 维修\n//! clause: 1.1",
        &[
            "E0112 clauses/1.1.rhai:2:5:6",
            "E0112 clauses/1.1.rhai:3:5:3",
            "E0112 clauses/1.1.rhai:4:5:5",
            "W0904 clauses/1.1.rhai:5:43:3",
        ],
    );
    first("//! cap: fine", "//! cpa: fine", &["E0112 clauses/1.1.rhai:2:5:3"]);
    first("//! cap: fine", "//! clause: 1.2", &["E0112 clauses/1.1.rhai:2:5:6 + clauses/1.1.rhai:1:5:6"]);
    first("//! cap: fine", "//! from: 2026-02-30", &["E0112 clauses/1.1.rhai:2:11:10"]);
    first(
        "//! cap: fine",
        "//! overrides: 1.2,, 1.2",
        &["E0112 clauses/1.1.rhai:2:16:9", "E0705 clauses/1.1.rhai:2:22:3 + clauses/1.1.rhai:2:16:3"],
    );
    first("//! cap: fine", "//! cap: fin", &["E0102 clauses/1.1.rhai:2:10:3"]);
    first("//! cap: fine", "//! cap: 扣款", &[]);
    first("//! cap: fine", "//! cap: limit", &["E0201 clauses/1.1.rhai:2:10:5 + terms.toml:8:8:7"]);
    first("W0904", "W9904", &["W0910 clauses/1.1.rhai:3:12:5", "W0904 clauses/1.1.rhai:4:43:3"]);
    first("W0904", "E0201", &["W0910 clauses/1.1.rhai:3:12:5", "W0904 clauses/1.1.rhai:4:43:3"]);
    first(
        "W0904 the law's number",
        "W0904",
        &["W0910 clauses/1.1.rhai:3:12:5", "W0904 clauses/1.1.rhai:4:43:3"],
    );
    first(
        "//! cap: fine",
        "//! from: 2026-01-02\n//! until: 2026-01-02",
        &[
            "W0901 clauses/1.1.rhai:3:12:10 + clauses/1.1.rhai:2:11:10",
            "E0806 terms.toml:5:20:10 + clauses/1.1.rhai:2:11:10",
            "E0806 terms.toml:9:20:10 + clauses/1.1.rhai:2:11:10",
        ],
    );
    first(
        "//! cap: fine",
        "//! until: 2026-01-02\n//! from: 2026-07-01",
        &["W0901 clauses/1.1.rhai:2:12:10 + clauses/1.1.rhai:3:11:10"],
    );
}

#[test]
fn clauses_and_their_carriers() {
    row(
        "contract.md",
        "## [1.2] 质保金\n",
        "",
        &["E0701 clauses/1.2.rhai:1:13:3", "E0701 terms.toml:11:10:5"],
    );
    row("contract.md", "## [1.3]", "## [1.4] 新\n## [1.3]", &["E0702 contract.md:5:5:3"]);
    row("contract.md", "## [1.3]", "## [1.1] 新\n## [1.3]", &["E0703 contract.md:5:5:3 + contract.md:3:5:3"]);
    row("contract.md", "## [1.3]", "```\n# [9.9]\n```\n## [1.3]", &[]);
    row("contract.md", "[1.3] ", "[1.\u{ff13}] ", &["W0905 contract.md:5:5:3", "E0701 pack.toml:34:10:5"]);
    row("pack.toml", "clause = \"1.3\"", "clause = \"1.9\"", &["E0701 pack.toml:34:10:5"]);
    row(
        "pack.toml",
        "clause = \"1.3\"",
        "clause = \"1.1\"",
        &["E0702 contract.md:5:5:3", "E0703 pack.toml:34:10:5 + clauses/1.1.rhai:1:13:3"],
    );
    row(
        "pack.toml",
        "[[manual]]",
        "[[later]]\nclause = \"1.3\"\nreason = \"r\"\n[[manual]]",
        &["E0703 pack.toml:34:10:5 + pack.toml:37:10:5"],
    );
    row("clauses/1.1.rhai", "clause: 1.1", "clause: 7", &["E0701 clauses/1.1.rhai:1:13:1"]);
    file("clauses/4.rhai", FIRST, &["E0703 clauses/4.rhai:1:13:3 + clauses/1.1.rhai:1:13:3"]);
    // A file that does not compile carries its clause all the same, and may hold the floor.
    row("clauses/1.2.rhai", "yuan(0)", "yuan(0", &["E0510 clauses/1.2.rhai:2:29:1"]);
    // What everybody sees as the rest of a comment would be code.
    row("clauses/1.2.rhai", ": 1.2", ": 1.2\n// x\rfn y() {}", &["E0510 clauses/1.2.rhai:2:5:1"]);
    row("terms.toml", "clause = \"1.2\"", "clause = \"12\"", &["E0701 terms.toml:11:10:4"]);
    let over = |to| row("clauses/1.1.rhai", "//! cap: fine", to, &["E0705 clauses/1.1.rhai:2:16:3"]);
    over("//! overrides: 1.1");
    over("//! overrides: 1.3");
    over("//! overrides: 9.9");
    let mut ring = good();
    ring.insert("contract.md".into(), format!("{CONTRACT}# [2.1] X\n"));
    ring.insert("clauses/1.1.rhai".into(), FIRST.replace("//! cap: fine", "//! overrides: 1.2"));
    ring.insert("clauses/1.2.rhai".into(), SECOND.replace("1.2\n", "1.2\n//! overrides: 2.1\n"));
    ring.insert(
        "clauses/2.1.rhai".into(),
        "//! clause: 2.1\n//! overrides: 1.3, 1.1\nfn findings(ticket) { [] }".into(),
    );
    all(
        ring.clone(),
        &[
            "E0705 clauses/1.1.rhai:2:16:3 + clauses/1.2.rhai:2:16:3 + clauses/2.1.rhai:2:21:3",
            "E0705 clauses/2.1.rhai:2:16:3",
        ],
    );
    let text = Pack::from_files(ring).unwrap_err().to_string();
    assert!(text.contains("1.1 overrides 1.2 overrides 2.1 overrides 1.1"), "{text}");
}

#[test]
fn files_of_a_pack() {
    let without = |path: &str, expected: &[&str]| {
        let mut files = good();
        files.remove(path).unwrap();
        all(files, expected);
    };
    all(Texts::new(), &["E0801 pack.toml:0"]);
    without("pack.toml", &["E0801 pack.toml:0"]);
    without("contract.md", &["E0801 contract.md:0"]);
    without("clauses/1.1.rhai", &["E0702 contract.md:3:5:3"]);
    row("contract.md", "维修", "维\0修", &["E0801 contract.md:3:11:1"]);
    row("clauses/1.1.rhai", "fn", "f\0n", &["E0801 clauses/1.1.rhai:4:2:1"]);
    file("clauses/1.1.rhai", &"x".repeat((4 << 20) + 1), &["E0801 clauses/1.1.rhai:0"]);
    let many = (0..2_001).map(|i| (format!("cases/{i:04}.toml"), String::new())).collect();
    all(many, &["E0801 cases/2000.toml:0"]);
    // In a folder of another name.
    let mut files = good();
    for name in ["1.1.rhai", "1.2.rhai"] {
        let text = files.remove(&format!("clauses/{name}")).unwrap();
        files.insert(format!("条款/{name}"), text);
    }
    files.insert("pack.toml".into(), PACK.replace("adapter", "clauses = \"条款\"\nadapter"));
    all(files, &[]);
    // Marks and line ends of other systems move nothing.
    let mut files = good();
    for text in files.values_mut() {
        *text = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    }
    all(files.clone(), &[]);
    files.insert("pack.toml".into(), files["pack.toml"].replace("\"Asia/Shanghai\"", "\"上海\""));
    all(files, &["E0803 pack.toml:5:8:4"]);
}

#[test]
fn a_hundred_of_one_sort_are_enough() {
    let mut terms = String::new();
    for i in 0..250 {
        terms.push_str(&format!("[t{i:03}]\nclause = \"1.1\"\nunit = \"hour\"\nvalues = []\n"));
    }
    let mut files = good();
    files.insert("terms.toml".into(), terms);
    let told = Pack::check(files).diagnostics;
    assert_eq!(told.iter().filter(|d| d.place.file == "terms.toml").count(), 100);
}

#[test]
fn a_term_set_anew_is_told_at_the_term() {
    let pack = Pack::from_files(good()).unwrap();
    for (name, value, expected) in [
        ("fin", "1.00", "E0102 terms.toml:0"),
        ("fine", "much", "E0804 terms.toml:1:2:4"),
        ("deduction", "never", "E0804 terms.toml:10:2:9"),
    ] {
        assert_eq!(told(&pack.with_term(name, value).unwrap_err().0), [expected]);
    }
    assert!(pack.with_term("fine", "1.00").is_ok());
}
