//! A script in Chinese words, made from one in English words by exchanging names and nothing else.

use crate::vocabulary::table::{ENTRIES, EVENTS_ZH, FIELDS, GLOBALS, Names, ROUNDINGS, WORDS};
use crate::vocabulary::value::Sort;

/// Names that the examples give: parameters, functions, variables, facts and their values, terms, clocks, and texts for people.
const OWN: [(&str, &str); 55] = [
    ("ticket", "工单"),
    ("breach", "违约"),
    ("limit", "时长上限"),
    ("rate", "每日扣款"),
    ("kind", "事项"),
    ("failure", "故障"),
    ("wish", "需求"),
    ("question", "咨询"),
    ("mode", "维护方式"),
    ("paid", "有偿"),
    ("free", "无偿"),
    ("plan_due", "方案完成时间"),
    ("warranty", "免费维护期"),
    ("fee", "维护费"),
    ("fine", "每次扣款"),
    ("cap", "扣款上限"),
    ("least", "最低额"),
    ("answer", "响应"),
    ("repair", "排除"),
    ("plan", "方案"),
    ("agreed", "商定日期"),
    ("start", "开工"),
    ("test", "测试"),
    ("redo", "重做"),
    ("again", "前例"),
    ("period", "一期"),
    ("level", "服务水平"),
    ("missing", "缺少几个百分点"),
    ("full_backup", "全备份"),
    ("call_back", "定期回访"),
    ("handover", "移交"),
    ("archive_logs", "归档日志"),
    ("portal", "门户"),
    ("office", "办公系统"),
    ("answers", "按时响应"),
    ("repairs", "按时排除"),
    ("material", "教材"),
    ("course_at", "开课时间"),
    ("test_record", "有测试记录"),
    ("tiers", "分档"),
    ("goal", "目标"),
    ("counts", "次数分档"),
    ("amounts", "金额分档"),
    ("fines", "按次扣款"),
    ("// The second time within thirty days costs double.", "// 三十日内第二次，加倍。"),
    (
        "// A table, one percent for each full percent that is missing, an amount for each hour, or a small number.",
        "// 查表、每缺满一个百分点扣百分之一、每满一小时一笔，或者数量很少时按次。",
    ),
    ("review", "回访"),
    ("within the free period", "在免费维护期内"),
    ("agreed as paid", "商定为有偿"),
    ("closed without acceptance", "未经验收即结案"),
    ("closed while it was paused", "暂停期间即结案"),
    ("cancelled, and nobody noted how it came", "已取消且未登记渠道"),
    ("//! cap: cap", "//! cap: 扣款上限"),
    ("//! allow: W0904 an example shows how numbers are written", "//! allow: W0904 示例只为说明数字的写法"),
    (
        "// The matter as it was first registered decides, whatever it is called later.",
        "// 以首次登记的事项为准，后来更正也不变。",
    ),
];

/// The sorts that clauses have to do with, and what they are.
pub(super) const EVERY_SORT: [(Sort, &str, &str); 27] = [
    (Sort::Bool, "`true` or `false`", "是（`true`）或否（`false`）"),
    (Sort::Count, "a whole number", "整数"),
    (Sort::Money, "an amount of the contract's currency", "合同货币的金额"),
    (
        Sort::Time,
        "a length of time: elapsed, from subtracting instants; working, from lateness; plain, such as `hours(2)`, fits both",
        "时长：时刻相减得到经过的时间，逾期是工作时间，`小时(2)` 之类两者皆可",
    ),
    (Sort::Days, "a period of days, working days, weeks, months or years", "若干日、工作日、周、月或年"),
    (Sort::Share, "so many percent", "百分之若干"),
    (Sort::Instant, "a point of time", "某一时刻"),
    (
        Sort::Text,
        "words in double quotes; a one-of is a text out of a fixed list",
        "双引号中的文字；选项（one-of）是固定清单中的一个文字",
    ),
    (Sort::Deadline, "a clock while it is described", "正在设定的期限"),
    (Sort::Step, "a step of an escalation", "升级的一步"),
    (Sort::Verdict, "paid, free or undecided", "收费、免费或未定"),
    (Sort::Finding, "something that was wrong in how a ticket was handled", "处理过程中的一个问题"),
    (Sort::List, "things of one type, in their order", "同类事物，有先后次序"),
    (Sort::Ticket, "the ticket with its facts", "工单及其事实"),
    (Sort::First, "the facts as they were first given", "各事实首次登记的值"),
    (Sort::Contract, "the contract", "合同"),
    (Sort::Terms, "the numbers of terms.toml", "terms.toml 中的数字"),
    (Sort::Breach, "a clock that was missed", "一个逾期的期限"),
    (Sort::SharesByShare, "a table that gives a share for a share", "由比例查比例的表"),
    (Sort::SharesByCount, "a table that gives a share for a number", "由整数查比例的表"),
    (Sort::AmountsByShare, "a table that gives an amount for a share", "由比例查金额的表"),
    (Sort::AmountsByCount, "a table that gives an amount for a number", "由整数查金额的表"),
    (Sort::Duty, "a duty while it is described", "正在设定的义务"),
    (Sort::Level, "a service level while it is described", "正在设定的服务水平"),
    (Sort::Cap, "a cap on penalties", "扣款的上限"),
    (
        Sort::Period,
        "a closed period of a service level, with what was measured",
        "服务水平已结算的一期及其统计",
    ),
    (Sort::Again, "a penalty, with the earlier breaches of its clause", "一次扣款及本条款以前的违约"),
];

/// The name of a sort in Chinese.
pub(super) fn sort_in_chinese(sort: Sort) -> &'static str {
    match sort {
        Sort::Nothing => "无",
        Sort::Bool => "真假",
        Sort::Count => "整数",
        Sort::Money => "金额",
        Sort::Time => "时长",
        Sort::Days => "期间",
        Sort::Share => "比例",
        Sort::Instant => "时刻",
        Sort::Text => "文字",
        Sort::Deadline => "期限",
        Sort::Step => "步骤",
        Sort::Verdict => "判定",
        Sort::Finding => "问题",
        Sort::List => "列表",
        Sort::Ticket => "工单",
        Sort::First => "首次值",
        Sort::Contract => "合同",
        Sort::Terms => "约定",
        Sort::Breach => "违约",
        Sort::Duty => "义务",
        Sort::Level => "服务水平",
        Sort::Cap => "上限",
        Sort::SharesByShare => "比例查比例",
        Sort::SharesByCount => "整数查比例",
        Sort::AmountsByShare => "比例查金额",
        Sort::AmountsByCount => "整数查金额",
        Sort::Period => "一期",
        Sort::Again => "前例",
    }
}

/// What a text argument names, in Chinese.
pub(super) fn named_in_chinese(names: Names) -> &'static str {
    match names {
        Names::Prose => "说明",
        Names::NewClock | Names::Clock | Names::PackClock => "期限名",
        Names::Event | Names::ContractEvent => "事件",
        Names::Reason => "原因",
        Names::Role => "角色",
        Names::Calendar => "日历",
        Names::Fact => "事实名",
        Names::Date => "是时刻的事实名",
        Names::Rounding => "取整",
        Names::Amount => "金额",
        Names::Percent => "数字",
        Names::Recurrence => "重复规则",
        Names::Clause => "条款号",
    }
}

/// The script in Chinese words. Names that the tables do not have stay as they are.
pub(super) fn in_chinese(script: &str) -> String {
    let mut chinese = String::with_capacity(script.len());
    for line in script.split_inclusive('\n') {
        let text = line.trim_end();
        match own(text).filter(|_| text.starts_with("//")) {
            Some(comment) => chinese.push_str(&line.replace(text, comment)),
            None if text.starts_with("//") => chinese.push_str(line),
            None => exchange(line, &mut chinese),
        }
    }
    chinese
}

/// Exchanges the names and the texts of one line of code.
fn exchange(line: &str, chinese: &mut String) {
    let mut rest = line;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let quoted = rest.strip_prefix('"').and_then(|inner| inner.split_once('"'));
        let length = match quoted {
            Some((inner, _)) => {
                chinese.push('"');
                chinese.push_str(text(inner));
                chinese.push('"');
                inner.len() + 2
            }
            None if is_name(first) => {
                let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
                let (word, after) = rest.split_at(length);
                chinese.push_str(name(word, before == '.', after.starts_with('(')));
                length
            }
            None => {
                chinese.push(first);
                first.len_utf8()
            }
        };
        before = first;
        rest = rest.get(length..).unwrap_or("");
    }
}

/// A name by where it stands: after a point, before a parenthesis.
fn name(name: &str, follows_point: bool, is_called: bool) -> &str {
    let called = || {
        let words = WORDS.iter().map(|word| word.names);
        words.chain(ENTRIES.iter().map(|entry| entry.names)).find(|names| names[0] == name)
    };
    let found = match (follows_point, is_called) {
        (_, true) => called(),
        (true, false) => FIELDS.iter().map(|field| field.names).find(|names| names[0] == name),
        (false, false) => GLOBALS.iter().map(|(names, ..)| *names).find(|names| names[0] == name),
    };
    found.map(|names| names[1]).or_else(|| own(name)).unwrap_or(name)
}

/// A text by what it may name.
fn text(text: &str) -> &str {
    let event = EVENTS_ZH.iter().find(|(english, _)| *english == text).map(|(_, zh)| *zh);
    let rounding = || ROUNDINGS.iter().find(|names| names[0] == text).map(|names| names[1]);
    event.or_else(rounding).or_else(|| own(text)).unwrap_or(text)
}

fn own(name: &str) -> Option<&'static str> {
    OWN.iter().find(|(english, _)| *english == name).map(|(_, zh)| *zh)
}
