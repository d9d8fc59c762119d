//! The pack that generated clauses are written for: its facts, terms and names.

use super::{Elapse, Ty};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Applies,
    Deadlines,
    Penalty,
    Classify,
    Escalation,
    Findings,
    Floor,
    Duties,
    Levels,
    Credit,
    Caps,
    Repeated,
}

pub(crate) struct EntryRow {
    pub(crate) entry: Entry,
    pub(crate) names: [&'static str; 2],
    pub(crate) gives: Ty,
}

const fn entry(entry: Entry, names: [&'static str; 2], gives: Ty) -> EntryRow {
    EntryRow { entry, names, gives }
}

/// In the order of the engine's own table.
pub(crate) const ENTRIES: [EntryRow; 12] = [
    entry(Entry::Applies, ["applies", "适用"], Ty::Bool),
    entry(Entry::Deadlines, ["deadlines", "期限"], Ty::Deadlines),
    entry(Entry::Penalty, ["penalty", "扣款"], Ty::Money),
    entry(Entry::Classify, ["classify", "判定"], Ty::Verdict),
    entry(Entry::Escalation, ["escalation", "升级"], Ty::Steps),
    entry(Entry::Findings, ["findings", "检查"], Ty::Findings),
    entry(Entry::Floor, ["deposit_floor", "质保金最低额"], Ty::Money),
    entry(Entry::Duties, ["duties", "义务"], Ty::Duties),
    entry(Entry::Levels, ["service_levels", "服务水平"], Ty::Levels),
    entry(Entry::Credit, ["credit", "抵扣"], Ty::Money),
    entry(Entry::Caps, ["caps", "封顶"], Ty::Caps),
    entry(Entry::Repeated, ["repeated", "屡次"], Ty::Money),
];

/// Values of a one-of.
pub(crate) const CHOICES: [&[&str]; 8] = [
    &["failure", "emergency", "question"],
    &["故障", "紧急", "咨询"],
    &["software", "hardware", "other"],
    &["P1", "P2"],
    &["paid", "free"],
    &["always", "work"],
    &["software", "other", "unknown"],
    RULES,
];

/// The place of [`RULES`] among the [`CHOICES`].
pub(crate) const RHYTHM: usize = 7;

/// What a duty may follow.
pub(crate) const RULES: &[&str] =
    &["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=1", "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=-1"];

/// Tables: what they are asked with, and what they give.
pub(crate) const TABLES: [[Ty; 2]; 4] =
    [[Ty::Share, Ty::Share], [Ty::Count, Ty::Share], [Ty::Share, Ty::Money], [Ty::Count, Ty::Money]];

/// A fact: English name, Chinese name, type in English, choice seen through the Chinese name.
pub(crate) struct FactRow {
    pub(crate) names: [Option<&'static str>; 2],
    pub(crate) types: [Ty; 2],
}

const fn fact(name: &'static str, zh: Option<&'static str>, ty: Ty) -> FactRow {
    FactRow { names: [Some(name), zh], types: [ty, ty] }
}

/// In the order of their names, as a pack has them.
pub(crate) const FACTS: [FactRow; 11] = [
    fact("amount", Some("涉及金额"), Ty::Money),
    fact("cause", Some("原因"), Ty::OneOf(2)),
    fact("in_scope", Some("范围内"), Ty::Bool),
    FactRow { names: [Some("kind"), Some("类别")], types: [Ty::OneOf(0), Ty::OneOf(1)] },
    fact("level", None, Ty::OneOf(3)),
    fact("memo", Some("备注"), Ty::Text),
    fact("paid_by", None, Ty::Money),
    fact("plan_due", Some("方案日期"), Ty::Instant),
    fact("seats", None, Ty::Count),
    fact("students", Some("人数"), Ty::Count),
    fact("visited", None, Ty::Bool),
];

/// A term: names, type, unit of terms.toml, and its values: from ever, and from the second date.
pub(crate) struct TermRow {
    pub(crate) names: [Option<&'static str>; 2],
    pub(crate) ty: Ty,
    pub(crate) unit: &'static str,
    pub(crate) values: [Option<&'static str>; 2],
}

const fn term(
    names: [Option<&'static str>; 2],
    ty: Ty,
    unit: &'static str,
    values: [Option<&'static str>; 2],
) -> TermRow {
    TermRow { names, ty, unit, values }
}

#[rustfmt::skip]
pub(crate) const TERMS: [TermRow; 27] = [
    term([Some("auto"), Some("自动")], Ty::Bool, "bool", [Some("true"), Some("false")]),
    term([Some("calendar"), Some("日历")], Ty::OneOf(5), "one-of", [Some("work"), Some("always")]),
    term([Some("cap"), Some("上限")], Ty::Money, "CNY", [Some("92233720368547758.07"), Some("1500.00")]),
    term([Some("counts"), Some("次数表")], Ty::Table(1), "percent by count", [Some(COUNTS), None]),
    term([Some("credits"), Some("抵扣表")], Ty::Table(0), "percent by percent", [Some(CREDITS), Some("[{ is = \"5\" }]")]),
    term([Some("fee"), Some("费用")], Ty::Money, "CNY", [Some("500.00"), Some("0.01")]),
    term([Some("fines"), Some("罚款表")], Ty::Table(3), "CNY by count", [None, Some(FINES)]),
    term([Some("floor"), None], Ty::Money, "CNY", [Some("-3.50"), Some("1000.00")]),
    term([Some("half"), None], Ty::Time(Elapse::Plain), "seconds", [Some("30"), Some("0")]),
    term([Some("label"), Some("标签")], Ty::Text, "text", [Some("故障"), Some("")]),
    term([Some("later"), Some("以后")], Ty::Count, "count", [None, Some("3")]),
    term([Some("limit"), Some("最多")], Ty::Count, "count", [Some("9223372036854775807"), Some("-9223372036854775808")]),
    term([Some("mode"), Some("方式")], Ty::OneOf(4), "one-of", [None, Some("paid")]),
    term([Some("plan"), Some("方案期限")], Ty::Days(0), "days", [Some("3"), Some("4294967295")]),
    term([Some("rate"), Some("费率")], Ty::Share, "percent", [Some("2.5"), Some("79228162514264337593543950335")]),
    term([Some("repair"), Some("排除期限")], Ty::Time(Elapse::Plain), "hours", [Some("2"), Some("2000000000")]),
    term([Some("response"), Some("响应期限")], Ty::Time(Elapse::Plain), "minutes", [None, Some("10")]),
    term([Some("rhythm"), None], Ty::OneOf(RHYTHM), "one-of", [Some("FREQ=DAILY"), None]),
    term([Some("speed"), None], Ty::Days(3), "months", [Some("1"), Some("2400000")]),
    term([Some("split"), Some("比例")], Ty::Share, "percent", [Some("75"), Some("100")]),
    term([Some("strict"), None], Ty::Bool, "bool", [None, Some("true")]),
    term([Some("sums"), Some("金额表")], Ty::Table(2), "CNY by percent", [Some(SUMS), Some("[{ is = \"0.01\" }]")]),
    term([Some("tiers"), Some("档数")], Ty::Count, "count", [Some("2"), Some("0")]),
    term([Some("usual"), None], Ty::OneOf(6), "one-of", [Some("other"), Some("unknown")]),
    term([Some("warranty"), Some("质保期")], Ty::Days(4), "years", [Some("3"), Some("8000")]),
    term([Some("week"), None], Ty::Days(2), "weeks", [Some("1"), Some("0")]),
    term([Some("work"), Some("处理期限")], Ty::Days(1), "working_days", [Some("5"), Some("0")]),
];

const CREDITS: &str = r#"[{ below = "95", is = "100" }, { from = "95", to = "99.5", is = "12.5" }, { above = "99.5", is = "0" }]"#;
const COUNTS: &str =
    r#"[{ below = "1", is = "0" }, { from = "1", below = "3", is = "5" }, { from = "3", is = "50" }]"#;
const SUMS: &str = r#"[{ below = "99", is = "500.00" }, { from = "99", is = "0.50" }]"#;
const FINES: &str = r#"[{ to = "2", is = "0" }, { above = "2", is = "200.00" }]"#;

pub(crate) const PERIODS: [[&str; 2]; 5] =
    [["days", "天"], ["working_days", "工作日"], ["weeks", "周"], ["months", "月"], ["years", "年"]];

pub(crate) const ROUNDINGS: [&str; 8] =
    ["half_up", "四舍五入", "half_even", "四舍六入五成双", "down", "舍去", "up", "进一"];

/// Events of a ticket in both languages, and one that the pack declares.
pub(crate) const EVENTS: [&str; 9] = [
    "resolved",
    "已解决",
    "reported",
    "responded",
    "已响应",
    "closed",
    "已结案",
    "receipt_sent",
    "plan_agreed",
];

pub(crate) const CONTRACT_EVENTS: [&str; 4] = ["signed", "已签订", "project_accepted", "项目已验收"];

pub(crate) const DECLARED: [&str; 1] = ["receipt_sent"];
pub(crate) const CALENDARS: [&str; 2] = ["always", "work"];
pub(crate) const ROLES: [&str; 3] = ["engineer", "lead", "班长"];
pub(crate) const CLOCKS: [&str; 4] = ["repair", "响应", "plan", "last"];
pub(crate) const REASONS: [&str; 3] = ["customer", "假期", ""];
pub(crate) const LEVELS: [&str; 4] = ["portal", "响应率", "answers", "core"];
/// What variables hold, each under a name of its own.
pub(crate) const HELD: [&str; 3] = ["held", "备份", "spare"];
pub(crate) const SERVICES: [&str; 3] = ["web", "", "门户"];
pub(crate) const CLAUSES: [&str; 2] = ["1", "2"];
