//! What components write to the operator's log.

use std::sync::Arc;

use crate::wire::Level;

/// Where a component's lines go: one call a line. It is called on the component's thread, within its time; one that blocks
/// costs the component its outer time-out.
pub type LogSink = dyn Fn(&LogLine<'_>) + Send + Sync;

/// A line that a component wrote.
#[derive(Clone, Copy, Debug)]
pub struct LogLine<'a> {
    /// The component's name.
    pub component: &'a str,
    /// How much it matters.
    pub level: Level,
    /// The line: control characters escaped, cut at the limit.
    pub text: &'a str,
}

/// The lines of one call.
pub(super) struct Lines {
    component: Arc<str>,
    sink: Option<Arc<LogSink>>,
    left: u32,
    limit: usize,
    /// Lines that were not let through.
    pub(super) dropped: u64,
}

impl Lines {
    pub(super) fn new(component: &Arc<str>, sink: Option<&Arc<LogSink>>, lines: u32, limit: usize) -> Lines {
        Lines { component: Arc::clone(component), sink: sink.cloned(), left: lines, limit, dropped: 0 }
    }

    pub(super) fn write(&mut self, level: Level, message: &str) {
        let Some(left) = self.left.checked_sub(1) else {
            self.dropped = self.dropped.saturating_add(1);
            return;
        };
        self.left = left;
        let Some(sink) = &self.sink else { return };
        let end = message.floor_char_boundary(self.limit);
        let text: String = message[..end].chars().flat_map(shown).collect();
        sink(&LogLine { component: &self.component, level, text: &text });
    }
}

/// A line stays a line, and cannot move a terminal's cursor or turn its text around.
fn shown(char: char) -> impl Iterator<Item = char> {
    let turns = matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let escaped = (char.is_control() || turns).then(|| char.escape_default());
    let plain = escaped.is_none().then_some(char);
    escaped.into_iter().flatten().chain(plain)
}
