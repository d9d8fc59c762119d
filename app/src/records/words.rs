//! Words, times, lengths and amounts as the records write them: in one language, in the contract's zone.

use std::collections::BTreeMap;

use holdback::{FactType, Instant, Money, Pack, Span};
use serde::Serialize;
use serde_json::Value as Json;

use crate::Stop;
use crate::args::Language;
use crate::files::word;
use crate::page::amount;

/// Labels that a pack brings for its own names: `[zh]` and `[en]`, each `name = "label"`.
const WORDS_FILE: &str = "records/words.toml";

/// Values that answers are made of, as JSON has them: English, Chinese.
const VALUES: [(&str, &str, &str); 49] = [
    ("unreported", "not reported", "未报告"),
    ("open", "open", "处理中"),
    ("resolved", "resolved", "已解决"),
    ("closed", "closed", "已结案"),
    ("cancelled", "called off", "已取消"),
    ("waiting", "not begun", "未起算"),
    ("running", "running", "计时中"),
    ("paused", "paused", "暂停计时"),
    ("met", "in time", "按时"),
    ("breached", "missed", "逾期未完成"),
    ("late", "done late", "逾期完成"),
    ("deducted", "deducted", "已扣"),
    ("partly", "in part", "部分扣除"),
    ("shortfall", "not covered", "欠额"),
    ("held", "to confirm", "待确认"),
    ("waived", "waived", "已免除"),
    ("disputed", "disputed", "争议中"),
    ("earned_back", "earned back", "达标返还"),
    ("due", "due", "确定期限"),
    ("restored", "breach undone", "撤销逾期"),
    ("penalised", "penalty", "计扣违约金"),
    ("accrued", "penalty grew", "违约金增加"),
    ("reversed", "penalty undone", "撤销违约金"),
    ("classified", "free or paid", "认定收费方式"),
    ("escalated", "escalated", "升级通知"),
    ("found", "finding", "流程问题"),
    ("stopped", "cannot be judged", "无法评定"),
    ("paid", "paid in", "缴存"),
    ("released", "given back", "退还"),
    ("collected", "collected later", "补扣"),
    ("deposit", "deposit", "质保金"),
    ("supplier", "supplier", "乙方"),
    ("buyer", "buyer", "甲方"),
    ("claim", "claim", "甲方债权"),
    ("owed", "owed", "乙方欠付"),
    ("phone", "phone", "电话"),
    ("web", "web", "网络"),
    ("written", "in writing", "书面"),
    ("customer", "customer", "客户"),
    ("free", "free of charge", "无偿"),
    ("undecided", "undecided", "未定"),
    ("yes", "yes", "是"),
    ("no", "no", "否"),
    ("always", "day and night", "昼夜连续"),
    ("deposit_low", "deposit low", "质保金不足提醒"),
    ("deposit_exhausted", "deposit used up", "质保金扣完"),
    ("ticket", "ticket", "工单"),
    ("duty", "duty", "义务"),
    ("level", "service level", "服务水平"),
];

/// Kinds of entries of the ledger that are worded otherwise than values of the same name.
const ENTRIES: [(&str, &str, &str); 3] = [
    ("deducted", "deducted", "扣款"),
    ("shortfall", "not covered", "记欠额"),
    ("reversed", "taken back", "冲回"),
];

/// How the records write things.
pub(super) struct Words<'p> {
    pub(super) pack: &'p Pack,
    pub(super) language: Language,
    /// The pack's own labels.
    labels: BTreeMap<String, String>,
}

/// A known fact, ready to be shown.
#[derive(Clone, Debug, Serialize)]
pub(super) struct FactView {
    /// Its name in the pack.
    pub(super) name: String,
    pub(super) label: String,
    pub(super) value: String,
}

impl<'p> Words<'p> {
    /// The words of a pack in a language.
    ///
    /// # Errors
    /// When the pack's own labels cannot be read.
    pub(super) fn of(pack: &'p Pack, language: Language) -> Result<Words<'p>, Stop> {
        let labels = match pack.file(WORDS_FILE) {
            Some(text) => labels(text, language)?,
            None => BTreeMap::new(),
        };
        Ok(Words { pack, language, labels })
    }

    pub(super) fn is_chinese(&self) -> bool {
        self.language == Language::Zh
    }

    /// The language's code, as in `lang="zh"`.
    pub(super) fn code(&self) -> &'static str {
        self.pick("en", "zh")
    }

    pub(super) fn pick<'w>(&self, english: &'w str, chinese: &'w str) -> &'w str {
        if self.is_chinese() { chinese } else { english }
    }

    /// A name that clauses or events use: the pack's own label, else the name itself.
    pub(super) fn label(&self, name: &str) -> String {
        self.labels.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }

    /// A name for which the program has words as well: a way of intake, a calendar, a reason for a pause.
    pub(super) fn common(&self, name: &str) -> String {
        self.labels.get(name).cloned().unwrap_or_else(|| self.said(name))
    }

    /// The program's own words for what a value is called in JSON.
    pub(super) fn said(&self, name: &str) -> String {
        let known = VALUES.iter().find(|(known, ..)| *known == name);
        known.map_or_else(|| name.replace('_', " "), |(_, en, zh)| self.pick(en, zh).to_owned())
    }

    /// The kind of an entry of the ledger, which is an act where a penalty's state is an outcome.
    pub(super) fn entry(&self, kind: holdback::EntryKind) -> String {
        let word = word(&kind);
        let known = ENTRIES.iter().find(|(known, ..)| *known == word);
        known.map_or_else(|| self.said(&word), |(_, en, zh)| self.pick(en, zh).to_owned())
    }

    /// The program's own word for a value.
    pub(super) fn value(&self, value: &impl Serialize) -> String {
        self.said(&word(value))
    }

    /// An event's kind.
    pub(super) fn kind(&self, kind: &str) -> String {
        if let Some(label) = self.labels.get(kind) {
            return label.clone();
        }
        match self.pack.event_zh(kind) {
            Some(chinese) if self.is_chinese() => chinese.to_owned(),
            _ => kind.replace('_', " "),
        }
    }

    /// A clause's number with its heading.
    pub(super) fn clause(&self, id: &str) -> String {
        match self.pack.clauses.iter().find(|clause| clause.id == id) {
            Some(clause) => format!("{id} {}", self.split(&clause.title)),
            None => id.to_owned(),
        }
    }

    /// `2026-03-02 10:00:00` in the contract's zone.
    pub(super) fn moment(&self, at: Instant) -> String {
        at.to_chrono().with_timezone(&self.pack.zone).format("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// The same for a due instant: midnight is the end of the day before, `2026-03-01 24:00:00`.
    pub(super) fn due(&self, at: Instant) -> String {
        let local = at.to_chrono().with_timezone(&self.pack.zone);
        let day_before = local
            .date_naive()
            .pred_opt()
            .filter(|_| local.time() == chrono::NaiveTime::MIN && at.micros().rem_euclid(1_000_000) == 0);
        day_before.map_or_else(|| self.moment(at), |day| format!("{day} 24:00:00"))
    }

    pub(super) fn moment_if(&self, at: Option<Instant>) -> String {
        at.map_or_else(String::new, |at| self.moment(at))
    }

    pub(super) fn due_if(&self, at: Option<Instant>) -> String {
        at.map_or_else(String::new, |at| self.due(at))
    }

    /// A length in hours, minutes and seconds.
    pub(super) fn span(&self, span: Span) -> String {
        self.quantity(&span.to_string())
    }

    /// `a + b = total` when the parts give the total, else the total alone: no sum is written that is wrong.
    pub(super) fn sum(&self, parts: &[Span], total: Span) -> String {
        let found = parts.iter().try_fold(Span::ZERO, |sum, part| sum.checked_add(*part));
        if parts.len() < 2 || found != Some(total) {
            return self.span(total);
        }
        let parts: Vec<String> = parts.iter().map(|part| self.span(*part)).collect();
        format!("{} = {}", parts.join(" + "), self.span(total))
    }

    /// An amount with its currency.
    pub(super) fn money(&self, value: Money) -> String {
        format!("{} {}", amount(value), value.currency())
    }

    /// A quantity as the engine writes it, `10 h 1 s` or `2 working days`; other texts stay as they are.
    pub(super) fn quantity(&self, text: &str) -> String {
        if !self.is_chinese() {
            return text.to_owned();
        }
        chinese_quantity(text).unwrap_or_else(|| text.to_owned())
    }

    /// Of a text in both languages, `中文 · English` in either order, the half that is wanted.
    pub(super) fn split(&self, text: &str) -> String {
        let Some((a, b)) = text.split_once(" · ").filter(|(_, rest)| !rest.contains(" · ")) else {
            return text.to_owned();
        };
        let (chinese, english) = match (has_chinese(a), has_chinese(b)) {
            (true, false) => (a, b),
            (false, true) => (b, a),
            _ => return text.to_owned(),
        };
        self.pick(english, chinese).to_owned()
    }

    /// Facts in one text.
    pub(super) fn facts(&self, facts: &[FactView]) -> String {
        let (colon, end) = (self.pick(": ", "："), self.pick("; ", "；"));
        let list: Vec<String> =
            facts.iter().map(|fact| format!("{}{colon}{}", fact.label, fact.value)).collect();
        list.join(end)
    }

    /// A fact of an event's data; nothing for what is no fact of the pack.
    pub(super) fn fact(&self, name: &str, value: &Json) -> Option<FactView> {
        let fact = self.pack.facts().iter().find(|fact| fact.name == name)?;
        let chinese = fact.zh.as_deref().filter(|_| self.is_chinese());
        let label = match (self.labels.get(name), chinese) {
            (Some(label), _) => label.clone(),
            (None, Some(chinese)) => chinese.to_owned(),
            (None, None) => capital(&name.replace('_', " ")),
        };
        let plain = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let value = match &fact.of {
            FactType::Bool => self.said(if value.as_bool() == Some(true) { "yes" } else { "no" }),
            FactType::OneOf(values) => {
                let place = values.iter().position(|known| known.as_str() == plain);
                let chinese = place.and_then(|place| fact.zh_values.get(place)).filter(|_| self.is_chinese());
                chinese.map_or_else(|| self.label(&plain), |chinese| chinese.to_string())
            }
            FactType::Money => {
                Money::parse(&plain, self.pack.currency).map_or(plain, |amount| self.money(amount))
            }
            FactType::Instant => plain.parse().map_or(plain, |at| self.moment(at)),
            FactType::Integer | FactType::Text => plain,
        };
        Some(FactView { name: name.to_owned(), label, value })
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn has_chinese(text: &str) -> bool {
    text.chars()
        .any(|c| matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3fffd}'))
}

fn chinese_quantity(text: &str) -> Option<String> {
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let mut words = text.split(' ').peekable();
    let mut parts = Vec::new();
    while let Some(number) = words.next() {
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let unit = match words.next()? {
            "h" => "小时",
            "min" => "分钟",
            "s" => "秒",
            "us" => "微秒",
            "working" => {
                words.next()?;
                "个工作日"
            }
            "day" | "days" => "天",
            "week" | "weeks" => "周",
            "month" | "months" => "个月",
            "year" | "years" => "年",
            _ => return None,
        };
        parts.push(format!("{number} {unit}"));
    }
    Some(format!("{sign}{}", parts.join(" ")))
}

/// The labels of one language, and faults of the file told with their lines.
fn labels(text: &str, language: Language) -> Result<BTreeMap<String, String>, Stop> {
    let fault = |at: usize, what: &str| {
        let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
        Stop::Unusable(format!("{WORDS_FILE}:{line}: {what}"))
    };
    let read: Result<BTreeMap<String, BTreeMap<String, String>>, _> = toml::from_str(text);
    let mut tables = read.map_err(|error| {
        let what =
            format!("{}: expected tables `[zh]` and `[en]` of `name = \"label\"`", error.message().trim());
        fault(error.span().map_or(0, |span| span.start), &what)
    })?;
    if let Some(name) = tables.keys().find(|name| !["zh", "en"].contains(&name.as_str())) {
        let at = text.find(&format!("[{name}")).unwrap_or(0);
        return Err(fault(at, &format!("unknown table `{name}`: expected `[zh]` or `[en]`")));
    }
    let code = if language == Language::Zh { "zh" } else { "en" };
    Ok(tables.remove(code).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack() -> Pack {
        Pack::open("../rules/school-after-sales".as_ref()).unwrap()
    }

    #[test]
    fn a_text_in_both_languages_is_told_in_one() {
        let pack = pack();
        let (zh, en) = (Words::of(&pack, Language::Zh).unwrap(), Words::of(&pack, Language::En).unwrap());
        assert_eq!(
            (zh.split("受理 · Intake").as_str(), en.split("受理 · Intake").as_str()),
            ("受理", "Intake")
        );
        assert_eq!(en.split("closed · 已结案"), "closed");
        for text in ["a · b", "a · 乙 · c", "受理", "", "甲 · 乙"] {
            assert_eq!((zh.split(text), en.split(text)), (text.to_owned(), text.to_owned()));
        }
    }

    #[test]
    fn lengths_are_told_in_chinese_and_strange_texts_left_alone() {
        assert_eq!(chinese_quantity("10 h 1 s").as_deref(), Some("10 小时 1 秒"));
        assert_eq!(chinese_quantity("-2 working days").as_deref(), Some("-2 个工作日"));
        for text in ["", "1", "h", "1 x", "true", "1  s", "500.00 CNY", "1 working"] {
            assert_eq!(chinese_quantity(text), None, "{text}");
        }
    }

    #[test]
    fn midnight_ends_the_day_before() {
        let pack = pack();
        let words = Words::of(&pack, Language::En).unwrap();
        assert_eq!(words.due("2026-02-28T16:00:00Z".parse().unwrap()), "2026-02-28 24:00:00");
        assert_eq!(words.due("2026-02-28T16:00:00.000001Z".parse().unwrap()), "2026-03-01 00:00:00");
        assert_eq!(words.due("2026-02-28T16:00:01Z".parse().unwrap()), "2026-03-01 00:00:01");
    }

    #[test]
    fn labels_that_cannot_be_read_are_told_by_line() {
        let told = |text| labels(text, Language::Zh).unwrap_err().to_string();
        assert!(told("[zh]\na = 1\n").starts_with("records/words.toml:2: "), "{}", told("[zh]\na = 1\n"));
        assert!(told("\n[fr]\na = \"b\"\n").starts_with("records/words.toml:2: unknown table `fr`"));
        assert_eq!(labels("[en]\na = \"b\"\n", Language::Zh).unwrap().len(), 0);
    }
}
