//! The reference page of the vocabulary, written from its table.

mod chinese;

use std::fmt::Write;

use chinese::{EVERY_SORT, in_chinese, named_in_chinese, sort_in_chinese};
use rust_decimal::Decimal;

use super::operators::SIGNS;
use super::table::{ENTRIES, EVENTS_ZH, Entry, FIELDS, GLOBALS, Names, ROUNDINGS, Take, WORDS, Word};
use super::value::Sort;
use crate::{Currency, Money, Rounding};

/// The page's prose. A line such as `@WORDS@` is replaced by a table.
const PAGE: &str = include_str!("page/page.md");
/// A clause with every word that the examples of the words leave out.
const EXAMPLE: &str = include_str!("page/example.rhai");
/// What a contract asks for itself.
const CONTRACT: &str = include_str!("page/contract.rhai");

/// The words, in groups by what they give.
const GROUPS: [(&str, &[Sort]); 9] = [
    ("Times and periods · 时长与期间", &[Sort::Time, Sort::Days, Sort::Instant]),
    ("Amounts, shares and numbers · 金额、比例与整数", &[Sort::Money, Sort::Share, Sort::Count]),
    ("Deadlines · 期限", &[Sort::Deadline]),
    ("Duties · 义务", &[Sort::Duty]),
    ("Service levels · 服务水平", &[Sort::Level]),
    ("Caps · 上限", &[Sort::Cap]),
    ("Steps of an escalation · 升级步骤", &[Sort::Step]),
    ("Paid or free, and findings · 收费免费与问题", &[Sort::Verdict, Sort::Finding]),
    ("Asking · 询问", &[Sort::Bool]),
];

/// The reference of the words of clauses as Markdown, in English and in Chinese: what `rules/vocabulary.md` holds.
///
/// Always the same text, ending in one line end.
///
/// ```
/// let page = holdback::vocabulary_page();
/// assert!(page.contains("| `hours(2)` |") && page.contains("| `小时(2)` |"));
/// ```
pub fn vocabulary_page() -> String {
    let mut page = String::new();
    for line in PAGE.lines() {
        match line {
            "@ENTRIES@" => entries(&mut page),
            "@FIELDS@" => fields(&mut page),
            "@WORDS@" => words(&mut page),
            "@EVENTS@" => events(&mut page),
            "@ROUNDINGS@" => roundings(&mut page),
            "@SIGNS@" => signs(&mut page),
            "@TYPES@" => types(&mut page),
            "@EXAMPLE@" => page.push_str(EXAMPLE),
            "@EXAMPLE-ZH@" => page.push_str(&in_chinese(EXAMPLE)),
            "@CONTRACT@" => page.push_str(CONTRACT),
            "@CONTRACT-ZH@" => page.push_str(&in_chinese(CONTRACT)),
            prose => row(&mut page, format_args!("{prose}")),
        }
    }
    page
}

/// A line of the page. Writing to a text does not fail.
fn row(page: &mut String, line: std::fmt::Arguments<'_>) {
    let _ = writeln!(page, "{line}");
}

fn head(page: &mut String, cells: &[&str]) {
    row(page, format_args!("| {} |", cells.join(" | ")));
    row(page, format_args!("|{}", "---|".repeat(cells.len())));
}

fn entries(page: &mut String) {
    head(page, &["Function · 函数", "Gives · 结果", "Meaning · 说明"]);
    for entry in &ENTRIES {
        let [gives, gives_zh] = given(entry);
        let parameter = entry.takes.map_or("", Sort::name);
        let parameter_zh = entry.takes.map_or("", sort_in_chinese);
        let ([english, chinese], [doc, doc_zh]) = (entry.names, entry.doc);
        row(page, format_args!("| `{english}({parameter})` | {gives} | {doc} |"));
        row(page, format_args!("| `{chinese}({parameter_zh})` | {gives_zh} | {doc_zh} |"));
    }
}

/// What an entry function gives, in both languages.
fn given(entry: &Entry) -> [String; 2] {
    match entry.gives {
        Sort::List => {
            [format!("a list of {}s", entry.of.name()), format!("{}的列表", sort_in_chinese(entry.of))]
        }
        sort => [sort.name().to_owned(), sort_in_chinese(sort).to_owned()],
    }
}

fn fields(page: &mut String) {
    head(page, &["Written · 写法", "Is · 类型", "Meaning · 说明"]);
    for ([english, chinese], sort, [doc, doc_zh]) in GLOBALS {
        row(page, format_args!("| `{english}` | {} | {doc} |", sort.name()));
        row(page, format_args!("| `{chinese}` | {} | {doc_zh} |", sort_in_chinese(sort)));
    }
    for field in FIELDS {
        let ([english, chinese], [doc, doc_zh]) = (field.names, field.doc);
        let (of, of_zh) = (field.of.name(), sort_in_chinese(field.of));
        row(page, format_args!("| `{of}.{english}` | {} | {doc} |", field.gives.name()));
        row(page, format_args!("| `{of_zh}.{chinese}` | {} | {doc_zh} |", sort_in_chinese(field.gives)));
    }
}

fn words(page: &mut String) {
    for (i, (title, sorts)) in GROUPS.iter().enumerate() {
        row(page, format_args!("{}### {title}\n", if i == 0 { "" } else { "\n" }));
        head(page, &["Word · 词", "Gives · 结果", "Example · 例", "Meaning · 说明", "Cost · 开销"]);
        for word in WORDS.iter().filter(|word| sorts.contains(&word.gives)) {
            let ([doc, doc_zh], example, cost) = (word.doc, word.example, word.cost);
            let (gives, gives_zh) = (word.gives.name(), sort_in_chinese(word.gives));
            let (call, call_zh) = (call(word, false), call(word, true));
            let example_zh = in_chinese(example);
            row(page, format_args!("| `{call}` | {gives} | `{example}` | {doc} | {cost} |"));
            row(page, format_args!("| `{call_zh}` | {gives_zh} | `{example_zh}` | {doc_zh} | {cost} |"));
        }
    }
}

/// How a word is called: `hours(count)`, `deadline.met_by("event", ...)`.
fn call(word: &Word, chinese: bool) -> String {
    let name = word.names[usize::from(chinese)];
    let mut takes: Vec<String> = word.takes.iter().map(|take| taken(take, chinese)).collect();
    if word.repeats {
        takes.push("...".to_owned());
    }
    let is_method = word.example.contains(&format!(".{}(", word.names[0]));
    match takes.split_first() {
        Some((receiver, rest)) if is_method => format!("{receiver}.{name}({})", rest.join(", ")),
        _ => format!("{name}({})", takes.join(", ")),
    }
}

fn taken(take: &Take, chinese: bool) -> String {
    if take.sort != Sort::Text {
        let name = if chinese { sort_in_chinese(take.sort) } else { take.sort.name() };
        return name.to_owned();
    }
    let english = match take.names {
        Names::Prose => "words",
        Names::NewClock | Names::Clock | Names::PackClock => "clock",
        Names::Event | Names::ContractEvent => "event",
        Names::Reason => "reason",
        Names::Role => "role",
        Names::Calendar => "calendar",
        Names::Fact => "fact",
        Names::Date => "fact that is an instant",
        Names::Rounding => "rounding",
        Names::Amount => "amount",
        Names::Percent => "number",
        Names::Recurrence => "rule",
        Names::Clause => "clause",
    };
    format!("\"{}\"", if chinese { named_in_chinese(take.names) } else { english })
}

fn events(page: &mut String) {
    head(page, &["English · 英文", "Chinese · 中文"]);
    for (english, chinese) in EVENTS_ZH {
        row(page, format_args!("| `\"{english}\"` | `\"{chinese}\"` |"));
    }
}

fn roundings(page: &mut String) {
    let amounts = [50, 54, 53];
    let currency: Option<Currency> = "CNY".parse().ok();
    let money = |minor: i64| currency.map(|currency| Money::from_minor(minor, currency));
    let amount = |money: Option<Money>| money.map(Money::amount).unwrap_or_default();
    let titles = amounts.map(|minor| amount(money(minor)));
    let mut cells = vec!["English · 英文", "Chinese · 中文"];
    cells.extend(titles.iter().map(String::as_str));
    head(page, &cells);
    for [english, chinese] in ROUNDINGS {
        let quarter = |minor: i64| {
            let rounding: Rounding = english.parse().ok()?;
            money(minor)?.share(Decimal::new(25, 2), rounding).ok()
        };
        let results = amounts.map(|minor| amount(quarter(minor)));
        row(page, format_args!("| `\"{english}\"` | `\"{chinese}\"` | {} |", results.join(" | ")));
    }
}

fn signs(page: &mut String) {
    head(page, &["Written · 写法", "Gives · 结果", "中文写法", "结果"]);
    for (left, sign, right, gives) in SIGNS {
        let text = sign.text();
        let [l, r, g] = [left, right, gives].map(sort_in_chinese);
        let (left, right, gives) = (left.name(), right.name(), gives.name());
        row(page, format_args!("| {left} `{text}` {right} | {gives} | {l} `{text}` {r} | {g} |"));
    }
}

fn types(page: &mut String) {
    head(page, &["Type · 类型", "What it is · 说明"]);
    for (sort, english, chinese) in EVERY_SORT {
        row(page, format_args!("| {} · {} | {english} · {chinese} |", sort.name(), sort_in_chinese(sort)));
    }
}
