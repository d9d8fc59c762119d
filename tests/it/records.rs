//! `holdback records`: forms and statements from the journal, in both languages.
//!
//! The golden texts under `tests/data/records/golden` are what the program writes for the small pack `desk`, without the style
//! and the program's version. When a form is changed on purpose, look at the page, then take over what the failing test prints.

#![expect(clippy::disallowed_methods, reason = "tests read and write packs and what the program writes")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use holdback::{Engine, Money, Pack, Statement};

const SCHOOL: &str = "rules/school-after-sales";
const YEAR: &str = "tests/data/records/events.ndjson";
const DESK: &str = "tests/data/records/desk";
const DESK_LOG: &str = "tests/data/records/desk.ndjson";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

struct Run {
    code: u8,
    out: String,
    err: String,
}

/// The program over a pack and a log.
fn run(pack: &Path, log: &str, more: &[&str]) -> Run {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let log = root().join(log);
    let mut args =
        vec!["holdback".to_owned(), "records".into(), pack.display().to_string(), log.display().to_string()];
    args.extend(more.iter().map(|arg| (*arg).to_owned()));
    let code = holdback_cli::run(args, &mut std::io::empty(), &mut out, &mut err);
    Run { code, out: String::from_utf8(out).expect("UTF-8"), err: String::from_utf8(err).expect("UTF-8") }
}

/// The files that the program writes, by name.
fn written(pack: &Path, log: &str, more: &[&str]) -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let told = run(pack, log, &[more, &["--out", &out.display().to_string()]].concat());
    assert_eq!(told.code, 0, "{more:?}: {}", told.err);
    let files = fs::read_dir(&out).expect("a folder").flatten();
    files
        .map(|file| {
            let text = fs::read_to_string(file.path()).expect("UTF-8");
            (file.file_name().to_string_lossy().into_owned(), text)
        })
        .collect()
}

/// Files as one text, without what changes with the program's version or the look.
fn normal(files: &BTreeMap<String, String>) -> String {
    let mut all = String::new();
    for (name, text) in files {
        all.push_str(&format!("== {name}\n"));
        let body = text.split_once("<body").map_or(text.as_str(), |(_, body)| body);
        let body = body.replace(&format!("holdback {}", env!("CARGO_PKG_VERSION")), "holdback");
        for line in body.lines().map(str::trim).filter(|line| !line.is_empty()) {
            all.push_str(line);
            all.push('\n');
        }
    }
    all
}

#[test]
fn a_ticket_a_month_and_a_contract_look_as_they_should() {
    for lang in ["zh", "en"] {
        for (name, args) in [
            ("acceptance", &["--ticket", "T1", "--form", "acceptance"][..]),
            ("month", &["--month", "2026-03"]),
            ("contract", &["--contract"]),
        ] {
            let files = written(&root().join(DESK), DESK_LOG, &[args, &["--lang", lang]].concat());
            let told = normal(&files);
            let path = format!("tests/data/records/golden/{name}.{lang}.txt");
            let golden = fs::read_to_string(root().join(&path)).unwrap_or_default();
            let differs = told.lines().zip(golden.lines()).position(|(told, golden)| told != golden);
            assert!(
                told == golden,
                "{path} differs, first in line {:?}:\n{told}",
                differs.map(|line| line + 1)
            );
        }
    }
}

/// An engine over a log, to its end.
fn engine(pack: &str, log: &str) -> (Engine, String) {
    let pack = Arc::new(Pack::open(&root().join(pack)).unwrap_or_else(|faults| panic!("{faults}")));
    let contract = pack.contracts[0].clone();
    let mut events = holdback_cli::read_events(&root().join(log), &pack).expect("a log");
    events.sort_by(|a, b| a.order().cmp(&b.order()));
    let mut engine = Engine::new();
    engine.open(pack).expect("contracts");
    for event in events {
        engine.submit(event).expect("an event");
    }
    (engine, contract)
}

/// Rows of a CSV without its head, and the byte order mark checked.
fn rows(csv: &str) -> Vec<Vec<String>> {
    let text = csv.strip_prefix('\u{feff}').expect("a byte order mark");
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
}

/// The sum of a column.
fn sum(rows: &[Vec<String>], column: usize, statement: &Statement) -> Money {
    let currency = statement.deposit.paid.currency();
    rows.iter()
        .map(|row| Money::parse(&row[column], currency).expect("an amount"))
        .fold(Money::zero(currency), |sum, amount| sum.checked_add(amount).expect("a sum"))
}

#[test]
fn the_sums_of_the_settlement_are_the_engines() {
    for (pack, log, tickets) in [(SCHOOL, YEAR, 25), (DESK, DESK_LOG, 5)] {
        let (engine, contract) = engine(pack, log);
        let statement = engine.statement(&contract).expect("a statement");
        assert_eq!(engine.tickets(&contract).count(), tickets);
        assert!(statement.penalties.len() >= 5 && statement.deposit.waived.minor() > 0, "{statement:?}");
        let files = written(&root().join(pack), log, &["--contract", "--lang", "zh"]);
        let by_clause = rows(&files[&format!("{contract}-statement-by_clause.csv")]);
        let penalties = rows(&files[&format!("{contract}-statement-penalties.csv")]);
        let deposit = &statement.deposit;
        let assessed = statement.by_clause.values().map(|total| total.amount.minor()).sum();
        let assessed = Money::from_minor(assessed, deposit.paid.currency());
        for (table, first) in [(&by_clause, 3), (&penalties, 4)] {
            assert_eq!(sum(table, first, &statement), assessed);
            assert_eq!(sum(table, first + 1, &statement), deposit.cut);
            assert_eq!(sum(table, first + 2, &statement), deposit.deducted);
            assert_eq!(sum(table, first + 3, &statement), deposit.shortfall);
        }
        assert_eq!(penalties.len(), statement.penalties.len());
        assert_eq!(
            rows(&files[&format!("{contract}-statement-ledger.csv")]).len(),
            engine.ledger(&contract).len()
        );
        let page = &files[&format!("{contract}-statement.html")];
        for amount in [deposit.paid, deposit.balance, deposit.deducted, assessed] {
            assert!(page.contains(&thousands(&amount.amount())), "{amount}");
        }
    }
}

/// `1,234.50` from `1234.50`, for amounts below a million.
fn thousands(amount: &str) -> String {
    let (whole, part) = amount.split_once('.').expect("a point");
    match whole.len() {
        0..=3 => amount.to_owned(),
        n => format!("{},{}.{part}", &whole[..n - 3], &whole[n - 3..]),
    }
}

#[test]
fn the_months_of_a_contract_add_up_to_it() {
    let (engine, contract) = engine(DESK, DESK_LOG);
    let statement = engine.statement(&contract).expect("a statement");
    let (mut lines, mut entries, mut tickets) = (0, 0, 0);
    for month in ["2026-02", "2026-03", "2026-04"] {
        let files = written(&root().join(DESK), DESK_LOG, &["--month", month, "--csv"]);
        assert!(files.keys().all(|name| name.ends_with(".csv")), "{:?}", files.keys());
        lines += rows(&files[&format!("{month}-statement-penalties.csv")]).len();
        entries += rows(&files[&format!("{month}-statement-ledger.csv")]).len();
        tickets += rows(&files[&format!("{month}-register.csv")]).len();
    }
    assert_eq!((lines, entries, tickets), (statement.penalties.len(), engine.ledger("desk").len(), 5));
}

/// 16:30 UTC of the last of March is half past midnight of the first of April in Shanghai.
#[test]
fn a_ticket_belongs_to_the_month_of_the_contracts_zone() {
    let register = |pack: &str, log: &str, month: &str| {
        let files = written(&root().join(pack), log, &["--month", month, "--form", "register"]);
        let rows = rows(&files[&format!("{month}-register.csv")]);
        rows.iter().map(|row| row[0].clone()).collect::<Vec<_>>()
    };
    assert_eq!(register(DESK, DESK_LOG, "2026-03"), ["T1", "T2", "T3", "T4"]);
    assert_eq!(register(DESK, DESK_LOG, "2026-04"), ["T5"]);
    assert!(register(SCHOOL, YEAR, "2026-04").contains(&"S-10".to_owned()));
    assert_eq!(register(SCHOOL, YEAR, "2026-03"), ["S-06", "S-07", "S-08", "S-09"]);
    // What was not ended is carried over, in the status table alone.
    let files = written(&root().join(DESK), DESK_LOG, &["--month", "2026-04", "--form", "status"]);
    let status = rows(&files["2026-04-status.csv"]);
    assert_eq!(status.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ["T4", "T5"]);
    assert!(status[0][11].contains("earlier month") && !status[1][11].contains("earlier month"));
}

#[test]
fn every_form_of_every_ticket_is_filled_in() {
    let (engine, contract) = engine(SCHOOL, YEAR);
    for (place, ticket) in engine.tickets(&contract).enumerate() {
        let lang = if place % 2 == 0 { "zh" } else { "en" };
        let files = written(&root().join(SCHOOL), YEAR, &["--ticket", ticket, "--lang", lang]);
        let receipt = files.contains_key(&format!("{ticket}-receipt.html"));
        assert_eq!(receipt, ["S-05", "S-16"].contains(&ticket), "{ticket}");
        for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".html")) {
            assert!(text.contains(ticket) && text.ends_with("</html>"), "{name}");
            assert!(!text.contains("<script") && !text.contains("http") && !text.contains("src="), "{name}");
        }
        assert!(!rows(&files[&format!("{ticket}-archive-decisions.csv")]).is_empty(), "{ticket}");
    }
    let blank = run(&root().join(SCHOOL), YEAR, &["--ticket", "S-25", "--form", "receipt", "--lang", "zh"]);
    assert!(blank.code == 0 && blank.out.contains("客户回执") && blank.out.contains("class=\"blank\""));
}

#[test]
fn what_is_not_there_is_told_with_the_nearest() {
    let told = |more: &[&str]| {
        let told = run(&root().join(SCHOOL), YEAR, more);
        assert_eq!((told.code, told.out.as_str()), (2, ""), "{more:?}");
        told.err
    };
    assert_eq!(told(&["--ticket", "S-7"]), "error: unknown ticket `S-7`; did you mean `S-07`?\n");
    assert!(
        told(&["--month", "2027-06"])
            .contains("nothing happened in `2027-06`; the nearest month with something is `202")
    );
    assert!(told(&["--month", "2024-06"]).contains("is `2025-12`"));
    assert!(told(&["--month", "2026-13"]).contains("such as `2026-03`"));
    assert!(told(&["--contract", "--contract-id", "schol-2026"]).contains("did you mean `school-2026`?"));
    assert!(
        told(&["--contract", "--form", "receipt"])
            .contains("a contract has no form `receipt`: expected `statement`")
    );
    assert!(told(&["--month", "2026-03"]).contains("4 forms: expected --out DIR"));
    assert!(told(&["--month", "2026-03", "--contract"]).contains("cannot be used with"));
    assert!(told(&[]).contains("required"));
    assert!(told(&["--ticket", "S-07", "--form", "archive", "--csv"]).contains("expected --out DIR"));
}

#[test]
fn one_form_is_printed_and_its_values_are_told() {
    let page = run(&root().join(DESK), DESK_LOG, &["--ticket", "T1", "--form", "acceptance"]);
    assert!(page.code == 0 && page.out.starts_with("<!DOCTYPE html>"), "{}", page.out);
    let table = run(&root().join(DESK), DESK_LOG, &["--month", "2026-03", "--form", "register", "--csv"]);
    assert!(table.out.starts_with("\u{feff}No.,"), "{}", table.out);
    let values =
        run(&root().join(DESK), DESK_LOG, &["--ticket", "T1", "--form", "order", "--format", "json"]);
    let values: serde_json::Value = serde_json::from_str(&values.out).expect("JSON");
    assert_eq!(values["order"]["ticket"]["acts"]["resolved"]["by"], "李强");
    assert_eq!(values["order"]["tables"]["work"]["rows"][1][1], "resolved (taken back)");
}

/// A copy of the small pack with other files in it.
fn pack_with(more: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for below in ["", "clauses", "records", "records/zh"] {
        fs::create_dir_all(folder.path().join(below)).expect("a folder");
        let Ok(files) = fs::read_dir(root().join(DESK).join(below)) else { continue };
        for file in files.flatten().filter(|file| file.path().is_file()) {
            fs::copy(file.path(), folder.path().join(below).join(file.file_name())).expect("a copy");
        }
    }
    for (path, text) in more {
        fs::write(folder.path().join(path), text).expect("a file");
    }
    folder
}

#[test]
fn a_pack_brings_its_own_letterhead_and_forms() {
    let pack = pack_with(&[
        ("records/letterhead.html", "<header>示范学校 {{ contract }}</header>\n"),
        ("records/zh/order.html", "{% include \"letterhead.html\" %}<h1>派工单 {{ ticket.id }}</h1>"),
    ]);
    let of = |form, lang| run(pack.path(), DESK_LOG, &["--ticket", "T1", "--form", form, "--lang", lang]).out;
    assert_eq!(of("order", "zh"), "<header>示范学校 desk</header><h1>派工单 T1</h1>");
    assert!(
        of("order", "en").contains("<header>示范学校 desk</header>")
            && of("order", "en").contains("task order")
    );
    assert!(of("archive", "zh").contains("<header>示范学校 desk</header>"));
    // Templates are no clauses: the pack decides as before.
    assert!(Pack::open(pack.path()).is_ok());
}

#[test]
fn a_broken_template_is_told_by_file_and_line_and_nothing_is_written() {
    for (path, template, expected) in [
        (
            "records/zh/order.html",
            "<p>\n{{ ticket.stauts }}",
            &["order.html:2: ", "did you mean `status`?"][..],
        ),
        ("records/order.html", "a\n{% if %}", &["order.html:2: ", "syntax error"]),
        (
            "records/zh/letterhead.html",
            "\n\n{{ tables.register|safe }}",
            &["letterhead.html:3: ", "always escaped"],
        ),
        (
            "records/words.toml",
            "[zh]\nrepair = 2\n",
            &["words.toml:2: ", "expected tables `[zh]` and `[en]`"],
        ),
    ] {
        let pack = pack_with(&[(path, template)]);
        // A template of the language comes before one for both.
        let lang = if path == "records/order.html" { "en" } else { "zh" };
        let out = pack.path().join("out");
        let told = run(
            pack.path(),
            DESK_LOG,
            &["--ticket", "T1", "--lang", lang, "--out", &out.display().to_string()],
        );
        assert_eq!(told.code, 2, "{path}");
        for text in expected.iter().chain(&[path]) {
            assert!(told.err.contains(text), "{path}: {}", told.err);
        }
        assert!(!out.exists(), "{path}: something was written");
    }
}

#[test]
fn hostile_texts_stay_texts() {
    let hostile = "</td><script>alert(1)</script>{{ 7 * 7 }}{% for %}\u{202e}\\u0000";
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log.ndjson");
    let mut text = String::new();
    for (place, (kind, ticket)) in [
        ("reported", "../../T \"<1>"),
        ("resolved", "../../T \"<1>"),
        ("cancelled", "../../T \"<1>"),
        ("reported", "=cmd|' /C calc'!A0"),
    ]
    .into_iter()
    .enumerate()
    {
        let data = if kind == "reported" {
            serde_json::json!({ "urgent": true, "note": hostile })
        } else {
            serde_json::json!({ "note": hostile, "reason": "=1+1" })
        };
        let event = serde_json::json!({
            "id": format!("h{place}"), "contract": "desk", "ticket": ticket, "kind": kind, "actor": "@SUM(1)",
            "via": hostile, "at": format!("2026-03-0{}T10:00:00Z", place + 1), "data": data,
        });
        text.push_str(&format!("{event}\n"));
    }
    fs::write(&log, text).expect("a log");
    let log = log.display().to_string();
    for more in [&["--ticket", "../../T \"<1>"][..], &["--month", "2026-03"], &["--contract"]] {
        let files = written(&root().join(DESK), &log, more);
        for (name, text) in &files {
            assert!(!name.contains('/') && !name.contains(".."), "{name}");
            if name.ends_with(".html") {
                assert!(
                    !text.contains("<script") && !text.contains("49") && !text.contains('\u{202e}'),
                    "{name}"
                );
            } else {
                for cell in rows(text).iter().flatten() {
                    assert!(!cell.starts_with(['=', '+', '-', '@']), "{name}: {cell}");
                }
            }
        }
    }
}

/// Of two runs into one folder the second takes the place of the first; nothing else is left there.
#[test]
fn files_have_their_names_only_when_they_are_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().display().to_string();
    for _ in 0..2 {
        let told = run(&root().join(DESK), DESK_LOG, &["--contract", "--out", &out]);
        assert_eq!(told.code, 0, "{}", told.err);
    }
    let mut names: Vec<String> = fs::read_dir(folder.path())
        .expect("a folder")
        .flatten()
        .map(|file| file.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "desk-statement-by_clause.csv",
            "desk-statement-ledger.csv",
            "desk-statement-penalties.csv",
            "desk-statement-sayings.csv",
            "desk-statement.html",
        ]
    );
}
