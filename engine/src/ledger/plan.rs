//! One penalty as items of the ledger: its steps, and what was said of it.

use std::sync::Arc;

use super::Ledger;
use super::asked::{Answers, Asking};
use super::books::{Owed, Penalty};
use super::say::Heard;
use super::settlement::{Filed, Item, ItemKey};
use crate::policy::ClauseFault;
use crate::terms::TermValue;
use crate::{Instant, Pack};

/// How one penalty is put into the ledger.
pub(super) struct Plan<'a> {
    pub(super) asking: Asking<'a>,
    pub(super) answers: &'a mut Answers,
    pub(super) heard: &'a Heard,
    pub(super) id: &'a str,
    /// The breaches of its clause before it; nothing when the clause says nothing of repetitions.
    pub(super) earlier: Option<Arc<[Instant]>>,
}

/// What a penalty comes to.
#[derive(Default)]
pub(super) struct Planned {
    /// Its steps, where they are others than those assessed.
    pub(super) repeated: Option<Vec<(Instant, i64)>>,
    pub(super) items: Vec<(ItemKey, Filed)>,
    /// At least its first step takes effect.
    pub(super) due: bool,
}

impl Plan<'_> {
    /// New steps after those that are filed; says whether they could be put after them.
    pub(super) fn grow(&mut self, penalty: &mut Penalty, ledger: &mut Ledger) -> bool {
        let Penalty { owed, repeated, keys, filed, .. } = penalty;
        if *filed == 0 || !self.heard.is_plain() || owed.earned_back.is_some() {
            return false;
        }
        let Some(new) = owed.steps.get(*filed..) else { return false };
        let known = repeated.as_deref().or(owed.steps.get(..*filed)).unwrap_or_default();
        if known.len() != *filed {
            return false;
        }
        let new = match &self.earlier {
            Some(earlier) => match self.asking.repeated(owed, earlier, new) {
                Ok(new) => new,
                Err(_) => return false,
            },
            None => new.to_vec(),
        };
        let (Some((_, mut sum)), Some(&(mut last, ..))) = (known.last().copied(), keys.last()) else {
            return false;
        };
        let Ok(capped) = self.answers.capped(self.asking, owed) else { return false };
        let mut items = Vec::with_capacity(new.len());
        for (at, next) in &new {
            let at = self.heard.confirmed.filter(|_| self.waits(owed)).map_or(*at, |said| said.max(*at));
            if *next < sum || at <= last {
                return false;
            }
            let Ok(floor) = self.answers.floor(self.asking, at) else { return false };
            if *next > sum {
                let item = Item::Penalty(next - sum, capped.clone());
                items.push((item.key(at, self.id), Filed { item, floor: Some(floor) }));
            }
            (sum, last) = (*next, at);
        }
        if let Some(repeated) = repeated {
            repeated.extend(new);
        }
        *filed = owed.steps.len();
        for (key, filed) in items {
            keys.push(key.clone());
            ledger.put(key, filed);
        }
        true
    }

    fn waits(&self, owed: &Owed) -> bool {
        on_confirmation(self.asking.pack, owed.reported_at)
    }

    /// All items of a penalty.
    pub(super) fn whole(&mut self, owed: &Owed) -> Result<Planned, Box<ClauseFault>> {
        let mut repeated = match &self.earlier {
            Some(earlier) => Some(self.asking.repeated(owed, earlier, &owed.steps)?),
            None => None,
        };
        let steps = repeated.as_deref().unwrap_or(&owed.steps);
        if let (Some((first, _)), Some((_, last))) = (steps.first(), steps.last())
            && !steps.is_sorted_by_key(|(_, sum)| *sum)
        {
            // A sum that falls is told at once.
            repeated = Some(vec![(*first, *last)]);
        }
        let steps = repeated.as_deref().unwrap_or(&owed.steps);
        let charges = self.charges(owed, steps);
        let due = !charges.is_empty();
        let capped = self.answers.capped(self.asking, owed)?;
        let mut items = Vec::with_capacity(charges.len());
        for (at, amount) in charges.into_iter().filter(|(_, amount)| *amount > 0) {
            let floor = Some(self.answers.floor(self.asking, at)?);
            let item = Item::Penalty(amount, capped.clone());
            items.push((item.key(at, self.id), Filed { item, floor }));
        }
        if let Some((first, ..)) = items.first().map(|(key, _)| key.clone()) {
            self.say(owed, first, &mut items);
        }
        Ok(Planned { repeated, items, due })
    }

    /// What is charged when, until the penalty ends.
    fn charges(&self, owed: &Owed, steps: &[(Instant, i64)]) -> Vec<(Instant, i64)> {
        let waits = self.waits(owed);
        let mut charges: Vec<(Instant, i64)> = Vec::new();
        let mut before = 0;
        for (at, sum) in steps {
            let from = if waits { self.heard.confirmed.map(|said| said.max(*at)) } else { Some(*at) };
            let Some(at) = from.and_then(|from| self.heard.undisputed(from)) else { break };
            if end(self.heard, owed).is_some_and(|end| at >= end) {
                break;
            }
            match charges.last_mut() {
                Some((last, amount)) if *last == at => *amount += sum - before,
                _ => charges.push((at, sum - before)),
            }
            before = *sum;
        }
        charges
    }

    /// The items of what was said of a penalty that is charged from an instant on.
    fn say(&mut self, owed: &Owed, first: Instant, items: &mut Vec<(ItemKey, Filed)>) {
        let ends = end(self.heard, owed);
        let mut said = Vec::new();
        for dispute in self.heard.stretches() {
            let (from, event) = dispute.from;
            if from <= first || ends.is_some_and(|end| end <= from) {
                continue;
            }
            said.push((from, event, Item::Disputed(self.id.to_owned())));
            if let Some((until, event)) = dispute.until.filter(|until| ends.is_none_or(|end| until.0 < end)) {
                said.push((until, event, Item::DisputeEnded(self.id.to_owned())));
            }
        }
        match (&self.heard.waived, owed.earned_back) {
            (Some((at, event)), back) if back.is_none_or(|back| *at <= back) => {
                said.push((*at, event.clone(), Item::Waived(self.id.to_owned())));
            }
            (_, Some(at)) => said.push((at, self.id.to_owned(), Item::EarnedBack)),
            _ => {}
        }
        for (at, name, item) in said {
            let floor = self.answers.floor(self.asking, at).ok();
            items.push((item.key(at, &name), Filed { item, floor }));
        }
    }
}

/// When a penalty was waived or given back, whichever came first.
pub(super) fn end(heard: &Heard, owed: &Owed) -> Option<Instant> {
    let waived = heard.waived.as_ref().map(|(at, _)| *at);
    waived.into_iter().chain(owed.earned_back).min()
}

/// Whether penalties wait for the buyer's word, by the term in force when the ticket was reported.
fn on_confirmation(pack: &Pack, reported_at: Instant) -> bool {
    let Some(term) = pack.deduction_term else { return false };
    let in_force = pack.terms_at(reported_at);
    matches!(in_force.values.get(term), Some(Some(TermValue::Text(word))) if word.as_str() == "on_confirmation")
}
