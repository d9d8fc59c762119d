//! Texts of the page: escaped, in two languages, amounts and times readable.

use holdback::{Instant, Money, Pack};

/// User text within HTML, between tags or in quoted attributes. Control characters and marks that turn the direction
/// of writing are shown as what they are not: a replacement character.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A label in both languages.
pub(super) fn both(english: &str, chinese: &str) -> String {
    format!("{english} · <span lang=\"zh\">{chinese}</span>")
}

/// A label in both languages for places without tags, such as drawings.
pub(super) fn plain_both(english: &str, chinese: &str) -> String {
    format!("{english} · {chinese}")
}

/// An amount with separators between the thousands, without its currency: `-1,234.50`.
pub(crate) fn amount(value: Money) -> String {
    let text = value.amount();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", thousands(whole))
}

/// A count with separators between the thousands.
pub(super) fn count(n: usize) -> String {
    thousands(&n.to_string())
}

fn thousands(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// How many of a hundred, with one decimal, rounded down so that only all of them are 100 %; a dash of none.
pub(super) fn share(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let tenths = part.saturating_mul(1000) / whole;
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// `2026-03-02 10:00:00` in the contract's zone.
pub(super) fn moment(pack: &Pack, at: Instant) -> String {
    at.to_chrono().with_timezone(&pack.zone).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A length in its two largest units, `1,468 h 5 min` or `12 min 1 s`. Open time has no days of a fixed length, so
/// hours are the largest.
pub(super) fn rough(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let parts = match (hours, minutes) {
        (0, 0) => [(rest, "s"), (0, "")],
        (0, _) => [(minutes, "min"), (rest, "s")],
        _ => [(hours, "h"), (minutes, "min")],
    };
    let [(first, unit), second] = parts;
    let second = if second.0 > 0 { format!(" {} {}", second.0, second.1) } else { String::new() };
    format!("{} {unit}{second}", thousands(&first.to_string()))
}
