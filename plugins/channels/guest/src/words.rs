//! A notice in plain words, Chinese and English.

use crate::types::{Delivery, Level};

/// Whether a text is to be Chinese. All else is English.
pub fn chinese(locale: &str) -> bool {
    locale == "zh" || locale.starts_with("zh-")
}

/// How much it matters, in one word.
pub fn level(level: Level, locale: &str) -> &'static str {
    match (level, chinese(locale)) {
        (Level::Info, true) => "提示",
        (Level::Warning, true) => "预警",
        (Level::Critical, true) => "严重",
        (Level::Info, false) => "Info",
        (Level::Warning, false) => "Warning",
        (Level::Critical, false) => "Critical",
    }
}

/// The code of a level, for machines.
pub fn level_code(level: Level) -> &'static str {
    match level {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Critical => "critical",
    }
}

/// What happened. A word that is not known stands for itself.
pub fn about<'a>(about: &'a str, locale: &str) -> &'a str {
    let (zh, en) = match about {
        "escalated" => ("升级", "escalated"),
        "breached" => ("违约", "breached"),
        "penalised" => ("扣款", "penalised"),
        "reversed" => ("冲回", "reversed"),
        "closed" => ("结算", "closed"),
        "stopped" => ("停止核算", "stopped"),
        "deposit_low" => ("保证金不足", "deposit low"),
        "deposit_exhausted" => ("保证金用尽", "deposit exhausted"),
        _ => (about, about),
    };
    if chinese(locale) { zh } else { en }
}

/// What is known of the notice, as labels and values in the order people ask. What is not there is left out.
pub fn lines(delivery: &Delivery) -> Vec<(&'static str, String)> {
    let notice = &delivery.notice;
    let zh = chinese(&delivery.locale);
    let to = crate::names(&delivery.to, &delivery.locale);
    let all = [
        ("级别", "Level", Some(level(delivery.level, &delivery.locale))),
        ("事件", "Event", Some(about(&notice.about, &delivery.locale))),
        ("合同", "Contract", Some(notice.contract.as_str())),
        ("工单", "Ticket", notice.ticket.as_deref()),
        ("事项", "Subject", notice.subject.as_deref()),
        ("条款", "Clause", notice.clause.as_deref()),
        ("时限", "Clock", notice.clock.as_deref()),
        ("应于", "Due", notice.due.as_deref()),
        ("金额", "Amount", notice.amount.as_ref().map(|amount| amount.text.as_str())),
        ("发生", "At", Some(notice.at.as_str())),
        ("角色", "Role", Some(notice.role.as_str())),
        ("通知", "To", Some(to.as_str())),
    ];
    all.into_iter()
        .filter_map(|(chinese, english, value)| {
            let value = value.filter(|value| !value.is_empty())?;
            Some((if zh { chinese } else { english }, value.to_owned()))
        })
        .collect()
}

/// The sign between a label and its value.
pub fn colon(locale: &str) -> &'static str {
    if chinese(locale) { "：" } else { ": " }
}

/// The whole notice as plain text: its sentence, an empty line, the lines.
pub fn plain(delivery: &Delivery) -> String {
    let mut text = format!("{}\n", delivery.notice.text);
    for (label, value) in lines(delivery) {
        text.push('\n');
        text.push_str(label);
        text.push_str(colon(&delivery.locale));
        text.push_str(&value);
    }
    text
}

/// The line that a list of messages shows: the level and the title, without line breaks.
pub fn headline(delivery: &Delivery) -> String {
    let title = match delivery.title.as_str() {
        "" => about(&delivery.notice.about, &delivery.locale),
        title => title,
    };
    let level = level(delivery.level, &delivery.locale);
    one_line(&if chinese(&delivery.locale) {
        format!("【{level}】{title}")
    } else {
        format!("{level}: {title}")
    })
}

/// A text as one line: every control character is a space.
pub fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_ascii_control() { ' ' } else { letter }).collect()
}
