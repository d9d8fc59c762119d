//! What the parties say of penalties: confirmed, waived, disputed; and what it comes to, whatever was told first.

use std::collections::{BTreeMap, BTreeSet};

use rhai::ImmutableString;
use serde::{Deserialize, Serialize};

use crate::Instant;

/// What was said of a penalty.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SayKind {
    /// The buyer deducts it: `penalty_confirmed`.
    Confirmed,
    /// The buyer ends it: `penalty_waived`.
    Waived,
    /// It is disputed: `penalty_disputed`. Nothing more is deducted for it meanwhile.
    Disputed,
    /// The dispute is over: `dispute_ended`.
    DisputeEnded,
}

/// One thing that was said of a penalty, whether or not it has an effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Say {
    /// What.
    pub kind: SayKind,
    /// When.
    pub at: Instant,
    /// The event that says it.
    pub event: String,
    /// Who says it, if the event names an actor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why, if the event gives a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// The order of events: by instant, then by id.
type Order = (Instant, Box<str>);

#[derive(Clone, Debug)]
struct Word {
    kind: SayKind,
    by: Option<Box<str>>,
    why: Option<ImmutableString>,
}

/// Everything that was said of the penalties of one contract.
#[derive(Clone, Debug, Default)]
pub(super) struct Sayings {
    words: BTreeMap<String, BTreeMap<Order, Word>>,
    /// When the parties settled accounts.
    settled: BTreeSet<Order>,
}

/// What the sayings about one penalty come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Heard {
    pub(super) confirmed: Option<Instant>,
    /// The waiver that counts, and its event.
    pub(super) waived: Option<(Instant, String)>,
    pub(super) disputes: Vec<Dispute>,
    /// What is wrong with some of them.
    remarks: Vec<(Order, String)>,
}

/// From when until when a penalty is disputed, with the events that say so.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Dispute {
    pub(super) from: (Instant, String),
    /// Nothing: it still is.
    pub(super) until: Option<(Instant, String)>,
}

impl Heard {
    /// Nothing but a confirmation was said, if anything.
    pub(super) fn is_plain(&self) -> bool {
        self.waived.is_none() && self.disputes.is_empty()
    }

    pub(super) fn is_disputed(&self) -> bool {
        self.disputes.last().is_some_and(|dispute| dispute.until.is_none())
    }

    /// The first instant from this one on at which no dispute stands; nothing while one does.
    pub(super) fn undisputed(&self, mut at: Instant) -> Option<Instant> {
        for dispute in self.disputes.iter().filter(|dispute| dispute.from.0 < dispute.end()) {
            if at < dispute.from.0 {
                break;
            }
            at = at.max(dispute.until.as_ref()?.0);
        }
        Some(at)
    }

    /// The disputes as stretches of time: those that follow at once are one, those of no length none.
    pub(super) fn stretches(&self) -> Vec<Dispute> {
        let mut all: Vec<Dispute> = Vec::new();
        for dispute in self.disputes.iter().filter(|dispute| dispute.from.0 < dispute.end()) {
            match all.last_mut() {
                Some(last) if last.end() == dispute.from.0 => last.until.clone_from(&dispute.until),
                _ => all.push(dispute.clone()),
            }
        }
        all
    }
}

impl Dispute {
    fn end(&self) -> Instant {
        self.until.as_ref().map_or(Instant::MAX, |until| until.0)
    }
}

impl Sayings {
    pub(super) fn say(
        &mut self,
        penalty: &str,
        (at, event): (Instant, &str),
        kind: SayKind,
        by: Option<&str>,
        why: Option<&ImmutableString>,
    ) {
        let by = by.filter(|by| !by.trim().is_empty()).map(Box::from);
        let why = why.filter(|why| !why.trim().is_empty()).cloned();
        let of_penalty = self.words.entry(penalty.to_owned()).or_default();
        of_penalty.insert((at, event.into()), Word { kind, by, why });
    }

    /// The parties have settled accounts; gives the penalties of which anything was said.
    pub(super) fn settle(&mut self, at: Instant, event: &str) -> impl Iterator<Item = &String> {
        self.settled.insert((at, event.into()));
        self.words.keys()
    }

    /// Everything that was said of a penalty, in order of time.
    pub(super) fn of(&self, penalty: &str) -> Vec<Say> {
        let words = self.words.get(penalty).into_iter().flatten();
        let say = |((at, event), word): (&Order, &Word)| Say {
            kind: word.kind,
            at: *at,
            event: event.to_string(),
            by: word.by.as_deref().map(str::to_owned),
            why: word.why.as_deref().map(str::to_owned),
        };
        words.map(say).collect()
    }

    /// What it comes to. `last` is the instant of the penalty's last step: what was settled at or after it stays so.
    pub(super) fn hear(&self, penalty: &str, last: Instant) -> Heard {
        let mut heard = Heard::default();
        for (order, word) in self.words.get(penalty).into_iter().flatten() {
            let settled = || self.settled_between(last, order);
            let remark = match word.kind {
                SayKind::Confirmed => {
                    heard.confirmed.get_or_insert(order.0);
                    None
                }
                SayKind::Waived => match (&heard.waived, settled()) {
                    (Some((_, first)), _) => Some(format!(
                        "waives the penalty `{penalty}` again: the first waiver, event `{first}`, counts"
                    )),
                    (None, Some(at)) => Some(too_late("waives", penalty, at)),
                    (None, None) => {
                        heard.waived = Some((order.0, order.1.to_string()));
                        word.unsaid().map(|what| {
                            format!("waives the penalty `{penalty}` without saying {what}: it is waived all the same")
                        })
                    }
                },
                SayKind::Disputed => match (heard.open_dispute(), settled()) {
                    (Some(open), _) => Some(format!(
                        "disputes the penalty `{penalty}` again: event `{}` disputes it already",
                        open.from.1
                    )),
                    (None, Some(at)) => Some(too_late("disputes", penalty, at)),
                    (None, None) => {
                        let from = (order.0, order.1.to_string());
                        heard.disputes.push(Dispute { from, until: None });
                        None
                    }
                },
                SayKind::DisputeEnded => match heard.open_dispute() {
                    Some(open) => {
                        open.until = Some((order.0, order.1.to_string()));
                        None
                    }
                    None => Some(format!(
                        "ends the dispute of the penalty `{penalty}`, which is not disputed then"
                    )),
                },
            };
            heard.remarks.extend(remark.map(|text| (order.clone(), text)));
        }
        heard
    }

    /// What is wrong with what was said, in order of time. `last` gives the last step of a penalty that is owed.
    pub(super) fn remarks(&self, last: impl Fn(&str) -> Option<Instant>) -> Vec<String> {
        let mut all: Vec<(Order, String)> = Vec::new();
        for (penalty, words) in &self.words {
            match last(penalty) {
                Some(last) => all.extend(self.hear(penalty, last).remarks),
                None => all.extend(words.iter().map(|(order, word)| {
                    let says = word.kind.says();
                    (order.clone(), format!("{says} the penalty `{penalty}`, but no such penalty is owed"))
                })),
            }
        }
        all.sort();
        all.into_iter().map(|((_, event), text)| format!("event `{event}` {text}")).collect()
    }

    /// The first settling of accounts at or after one instant and before an event.
    fn settled_between(&self, from: Instant, before: &Order) -> Option<Instant> {
        let from = (from, Box::from(""));
        let mut between = (from < *before).then(|| self.settled.range(&from..before))?;
        between.next().map(|(at, _)| *at)
    }
}

impl Heard {
    fn open_dispute(&mut self) -> Option<&mut Dispute> {
        self.disputes.last_mut().filter(|dispute| dispute.until.is_none())
    }
}

impl Word {
    /// What a waiver should say and does not.
    fn unsaid(&self) -> Option<&'static str> {
        match (&self.by, &self.why) {
            (None, None) => Some("who or why"),
            (None, Some(_)) => Some("who"),
            (Some(_), None) => Some("why"),
            (Some(_), Some(_)) => None,
        }
    }
}

impl SayKind {
    fn says(self) -> &'static str {
        match self {
            SayKind::Confirmed => "confirms",
            SayKind::Waived => "waives",
            SayKind::Disputed => "disputes",
            SayKind::DisputeEnded => "ends the dispute of",
        }
    }
}

fn too_late(verb: &str, penalty: &str, settled: Instant) -> String {
    format!("{verb} the penalty `{penalty}` after accounts were settled at {settled}: it has no effect")
}
