//! What changed of a penalty, told in as few words as it needs.

use super::DecisionKind;
use crate::assess::PenaltyRun;
use crate::{Instant, Money};

/// One thing to tell of a penalty: what, when it took effect, how much, and what else there is to say.
pub(super) type Told = (DecisionKind, Instant, Money, String);

/// What changed between two assessments of one penalty that cost something; first what no longer holds.
pub(super) fn told(before: Option<&PenaltyRun>, after: Option<&PenaltyRun>) -> Vec<Told> {
    let goes_on = before.zip(after).is_some_and(|(before, after)| continues(before, after));
    let mut list = Vec::new();
    if let Some(before) = before.filter(|_| !goes_on) {
        list.push((DecisionKind::Reversed, before.since(), before.amount, String::new()));
    }
    let Some(after) = after else { return list };
    let known = match before {
        Some(before) if goes_on => before.steps.len(),
        // What changed is told in one, not step by step again.
        Some(_) => {
            list.push((DecisionKind::Penalised, after.since(), after.amount, String::new()));
            after.steps.len()
        }
        None => 0,
    };
    let mut total = known.checked_sub(1).and_then(|last| after.steps.get(last)).map(|step| step.1);
    for (at, amount) in after.steps.iter().skip(known) {
        list.push(match total {
            None => (DecisionKind::Penalised, *at, *amount, String::new()),
            Some(total) => {
                let grown = amount.checked_sub(total).unwrap_or(*amount);
                (DecisionKind::Accrued, *at, grown, format!("{amount} in all"))
            }
        });
        total = Some(*amount);
    }
    list
}

/// Whether a penalty is the same as before, or has only grown.
fn continues(before: &PenaltyRun, after: &PenaltyRun) -> bool {
    before.at == after.at && after.steps.starts_with(&before.steps)
}
