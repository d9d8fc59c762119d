//! Lines of plain text: wrapped, indented, free of control characters.

use holdback::{Instant, Pack, Span};

/// Columns of a line. A Chinese character takes two.
const WIDTH: usize = 98;
/// Columns of a label such as `Rule`, the space after it included.
const LABEL: usize = 9;
/// Stands for a space at which no line is broken; written as a plain space.
const GLUE: char = '\u{a0}';

/// The text so far.
#[derive(Default)]
pub(super) struct Lines(String);

impl Lines {
    pub(super) fn finish(self) -> String {
        self.0
    }

    pub(super) fn blank(&mut self) {
        self.0.push('\n');
    }

    /// A heading with an empty line before it.
    pub(super) fn heading(&mut self, text: &str) {
        self.blank();
        self.put(0, text);
    }

    /// A paragraph; its further lines are indented by two more columns.
    pub(super) fn put(&mut self, indent: usize, text: &str) {
        self.wrap(indent, indent + 2, "", text);
    }

    /// A paragraph with a label before it; its further lines stand under its first.
    pub(super) fn label(&mut self, indent: usize, label: &str, text: &str) {
        self.wrap(indent, indent + LABEL, &format!("{label:<LABEL$}"), text);
    }

    fn wrap(&mut self, indent: usize, hanging: usize, label: &str, text: &str) {
        let mut column = indent + width(label);
        self.0.extend(std::iter::repeat_n(' ', indent));
        self.0.push_str(label);
        let mut fresh = true;
        for piece in pieces(text) {
            let gap = usize::from(piece.spaced && !fresh);
            if !fresh && column + gap + width(&piece.text) > WIDTH {
                self.0.push('\n');
                self.0.extend(std::iter::repeat_n(' ', hanging));
                column = hanging;
            } else if gap > 0 {
                self.0.push(' ');
                column += 1;
            }
            column += width(&piece.text);
            self.0.push_str(&piece.text);
            fresh = false;
        }
        while self.0.ends_with(' ') {
            self.0.pop();
        }
        self.0.push('\n');
    }
}

/// What is not broken over two lines.
struct Piece {
    text: String,
    /// A space stands before it.
    spaced: bool,
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut list: Vec<Piece> = Vec::new();
    let (mut spaced, mut open) = (false, false);
    for c in text.chars() {
        if c == ' ' {
            (spaced, open) = (true, false);
            continue;
        }
        if !open || is_wide(c) {
            list.push(Piece { text: String::new(), spaced });
        }
        if let Some(last) = list.last_mut() {
            push_clean(&mut last.text, c);
        }
        // After a Chinese character a line may be broken.
        (spaced, open) = (false, !is_wide(c));
    }
    rejoin(list)
}

/// Chinese marks that do not begin a line.
const CLOSING: &str = "，。；：、！？）》」』】";

/// Hangs closing marks on the piece before them.
fn rejoin(list: Vec<Piece>) -> Vec<Piece> {
    let mut joined: Vec<Piece> = Vec::new();
    for piece in list {
        let closes = piece.text.chars().next().is_some_and(|c| CLOSING.contains(c)) && !piece.spaced;
        match joined.last_mut() {
            Some(last) if closes => last.text.push_str(&piece.text),
            _ => joined.push(piece),
        }
    }
    joined
}

/// Control characters of user text would steer the terminal; they are written as `\u{1b}` and the like.
fn push_clean(out: &mut String, c: char) {
    match c {
        GLUE => out.push(' '),
        // Marks that turn the direction of writing would show a line as what it is not.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' => {
            out.extend(c.escape_unicode());
        }
        c if c.is_control() => out.extend(c.escape_default()),
        c => out.push(c),
    }
}

/// Columns that a text takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

fn is_wide(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}')
}

/// The same text, not to be broken over two lines.
pub(super) fn glued(text: &str) -> String {
    text.replace(' ', "\u{a0}")
}

/// `2026-03-02 Mon 10:00:00 +08:00`, in the contract's zone.
pub(super) fn moment(pack: &Pack, at: Instant) -> String {
    let local = at.to_chrono().with_timezone(&pack.zone);
    glued(&local.format("%Y-%m-%d %a %H:%M:%S%.f %:z").to_string())
}

/// The same without the offset, for lines whose offset stands nearby.
pub(super) fn short_moment(pack: &Pack, at: Instant) -> String {
    let local = at.to_chrono().with_timezone(&pack.zone);
    glued(&local.format("%Y-%m-%d %a %H:%M:%S%.f").to_string())
}

/// A period without offsets; the second date only where it is another.
pub(super) fn period(pack: &Pack, from: Instant, to: Instant) -> String {
    let (a, b) = (from.to_chrono().with_timezone(&pack.zone), to.to_chrono().with_timezone(&pack.zone));
    let form = if a.date_naive() == b.date_naive() { "%H:%M:%S%.f" } else { "%Y-%m-%d %a %H:%M:%S%.f" };
    format!("{} to {}", short_moment(pack, from), glued(&b.format(form).to_string()))
}

/// ` (24:00 of 2026-03-01 Sun)` for a local midnight: the end of a day is written as the start of the next.
pub(super) fn day_end(pack: &Pack, at: Instant) -> String {
    let local = at.to_chrono().with_timezone(&pack.zone);
    if local.format("%H:%M:%S%.f").to_string() != "00:00:00" {
        return String::new();
    }
    let before = local.date_naive().pred_opt().map(|day| day.format("%Y-%m-%d %a").to_string());
    before.map_or(String::new(), |day| glued(&format!(" (24:00 of {day})")).replacen('\u{a0}', " ", 1))
}

/// `2026-03-02 Mon` from `2026-03-02`; a text that is no date stays as it is.
pub(super) fn day(date: &str) -> String {
    match format!("{date}T00:00:00Z").parse::<Instant>() {
        Ok(at) => glued(&at.to_chrono().format("%Y-%m-%d %a").to_string()),
        Err(_) => date.to_owned(),
    }
}

/// How a length of time is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Time on the wall: days of 24 hours, hours, minutes, seconds.
    Elapsed,
    /// Open time: hours, minutes, seconds; a day of it would be no fixed length.
    Open,
}

impl Unit {
    pub(super) fn write(self, span: Span) -> String {
        let text = match self {
            Unit::Open => span.to_string(),
            Unit::Elapsed => elapsed(span),
        };
        glued(&text)
    }

    /// `a + b = total` when the parts give the total, else the total alone: no sum is written that is wrong.
    pub(super) fn sum(self, parts: &[Span], total: Span) -> String {
        let found = parts.iter().try_fold(Span::ZERO, |sum, part| sum.checked_add(*part));
        if parts.len() < 2 || found != Some(total) {
            return self.write(total);
        }
        let parts: Vec<String> = parts.iter().map(|part| self.write(*part)).collect();
        format!("{} = {}", parts.join(" + "), self.write(total))
    }
}

fn elapsed(span: Span) -> String {
    const DAY: i64 = 86_400_000_000;
    let (days, rest) = (span.micros() / DAY, Span::from_micros((span.micros() % DAY).saturating_abs()));
    if days == 0 {
        return span.to_string();
    }
    let rest = if rest == Span::ZERO { String::new() } else { format!(" {rest}") };
    format!("{days} d{rest}")
}
