//! What was done, by whom and how: events as the forms tell them.

use holdback::{Event, TICKET_KINDS};
use serde::Serialize;
use serde_json::Value as Json;

use super::table::Table;
use super::words::{FactView, Words};

/// One event. In a form that asks for something that has not happened all texts are empty, to be filled in by hand.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Act {
    /// It has happened.
    pub(super) there: bool,
    pub(super) kind: String,
    /// The kind in words.
    pub(super) what: String,
    pub(super) at: String,
    /// Who, as the event says.
    pub(super) by: String,
    /// By which way it came.
    pub(super) via: String,
    pub(super) reason: String,
    pub(super) note: String,
    /// Reason and note in one.
    pub(super) text: String,
    pub(super) facts: Vec<FactView>,
    /// Undone by a later rejection or reopening.
    pub(super) taken_back: bool,
    pub(super) event: String,
}

/// Kinds that a rejection or a reopening takes back.
const REVOCABLE: [&str; 4] = ["resolved", "accepted", "closed", "cancelled"];
const TAKES_BACK: [&str; 2] = ["rejected", "reopened"];

impl Act {
    fn of(event: &Event, words: &Words<'_>) -> Act {
        let text = |name: &str| event.data.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let (reason, note) = (text("reason"), text("note"));
        let reason = if event.kind == "paused" { words.common(&reason) } else { reason };
        let both = [reason.as_str(), note.as_str()].into_iter().filter(|text| !text.is_empty());
        Act {
            there: true,
            text: both.collect::<Vec<_>>().join(words.pick("; ", "；")),
            kind: event.kind.clone(),
            what: words.kind(&event.kind),
            at: words.moment(event.at),
            by: event.actor.clone().unwrap_or_default(),
            via: event.via.as_deref().map_or_else(String::new, |via| words.common(via)),
            reason,
            note,
            facts: event.data.iter().filter_map(|(name, value)| words.fact(name, value)).collect(),
            taken_back: false,
            event: event.id.clone(),
        }
    }

    /// Facts, reason and note in one text.
    fn said(&self, words: &Words<'_>) -> String {
        let mut said = vec![words.facts(&self.facts), self.text.clone()];
        said.retain(|text| !text.is_empty());
        said.join(words.pick("; ", "；"))
    }
}

/// A ticket's events in the order in which they count.
pub(super) struct Acts(pub(super) Vec<Act>);

impl Acts {
    pub(super) fn of(events: &[&Event], words: &Words<'_>) -> Acts {
        let mut acts: Vec<Act> = events.iter().map(|event| Act::of(event, words)).collect();
        let last = acts.iter().rposition(|act| TAKES_BACK.contains(&act.kind.as_str()));
        for act in acts.iter_mut().take(last.unwrap_or(0)) {
            act.taken_back = REVOCABLE.contains(&act.kind.as_str());
        }
        Acts(acts)
    }

    /// The last of a kind that was not taken back, by its kind; every kind that tickets of the pack know has its place, empty
    /// when nothing of it stands.
    pub(super) fn standing(&self, declared: &[&str]) -> std::collections::BTreeMap<String, Act> {
        let known = TICKET_KINDS.iter().chain(declared).map(|kind| ((*kind).to_owned(), Act::default()));
        let mut standing: std::collections::BTreeMap<String, Act> = known.collect();
        for act in self.0.iter().filter(|act| !act.taken_back) {
            standing.insert(act.kind.clone(), act.clone());
        }
        // The first report is the report.
        if let Some(first) = self.0.iter().find(|act| act.kind == "reported") {
            standing.insert(first.kind.clone(), first.clone());
        }
        standing
    }

    /// The facts as last given, in the order of the pack.
    pub(super) fn facts(&self, words: &Words<'_>) -> Vec<FactView> {
        let given =
            |name: &str| self.0.iter().rev().flat_map(|act| &act.facts).find(|fact| fact.name == name);
        words.pack.facts().iter().filter_map(|fact| given(&fact.name)).cloned().collect()
    }

    /// Those of some kinds, or all, as a table.
    pub(super) fn table(&self, name: &'static str, kinds: &[&str], words: &Words<'_>) -> Table {
        let head = if words.is_chinese() {
            ["@时间", "事项", "经办人", "方式", "内容"]
        } else {
            ["@Time", "What", "By", "Way", "Said"]
        };
        let mut table = Table::new(name, &head);
        for act in self.0.iter().filter(|act| kinds.is_empty() || kinds.contains(&act.kind.as_str())) {
            let back = if act.taken_back { words.pick(" (taken back)", "（已收回）") } else { "" };
            table.push(vec![
                act.at.as_str().into(),
                format!("{}{back}", act.what).into(),
                act.by.as_str().into(),
                act.via.as_str().into(),
                act.said(words).into(),
            ]);
        }
        table
    }
}
