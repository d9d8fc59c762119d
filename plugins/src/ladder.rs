//! Ladders of escalation that a component proposes, held against the contract before they count.

use std::sync::Arc;

use crate::defence::Defence;
use crate::host::{Host, HostError, Inner, Plugin, check_settings};
use crate::inspect::World;
use crate::sandbox::Fault;
use crate::secret::Secrets;
use crate::wire::{Ladder, Step};
use crate::{bounds, bounds::OutOfBounds};

/// A component that proposes steps.
pub struct Escalator {
    host: Arc<Inner>,
    plugin: Plugin,
}

/// What will happen on a ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps {
    /// The contract's own steps and those proposed that count, in the order of their instants.
    pub steps: Vec<Step>,
    /// Of these, the proposed ones, in the component's order.
    pub proposed: Vec<Step>,
    /// Proposed steps that do not count, and why.
    pub refused: Vec<(Step, String)>,
}

/// Why a component has proposed nothing. The contract's own steps stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LadderError {
    /// It failed.
    #[error("the component {0}")]
    Fault(#[from] Fault),
    /// Its own reason.
    #[error("the component proposes nothing: {0}")]
    Refused(String),
    /// Its answer is outside of the interface's bounds.
    #[error("the answer is outside of the interface's bounds: {0}")]
    Bounds(#[from] OutOfBounds),
    /// A setting is missing or is none of the component's.
    #[error("{0}")]
    Settings(String),
}

impl Host {
    /// An escalator of a component. It needs no grant: it can do nothing but propose.
    ///
    /// # Errors
    /// When the component lives in another world.
    pub fn escalator(&self, plugin: &Plugin) -> Result<Escalator, HostError> {
        if plugin.inspection.world != World::Escalator {
            return Err(Fault::Start("is a notifier, and proposes no steps".to_owned()).into());
        }
        Ok(Escalator { host: Arc::clone(&self.inner), plugin: plugin.clone() })
    }
}

impl Escalator {
    /// Asks for the steps to come. What is in the past, for an unknown role or over the limit of 32 does not count; the contract's own steps
    /// are never taken away or put off.
    ///
    /// # Errors
    /// When there is no usable answer; then the contract's own steps are all there is.
    pub fn next(&self, ladder: &Ladder) -> Result<Steps, LadderError> {
        let given = ladder.settings.iter().map(|pair| (pair.name.as_str(), pair.value.as_str())).collect();
        check_settings(&self.plugin.description.settings, &given)
            .map_err(|error| LadderError::Settings(error.to_string()))?;
        let (proposed, _) = self.host.watched(self.plugin.digest(), ladder.now_ms, |sandbox| {
            sandbox.next(&self.plugin.ready, &Arc::new(Secrets::none()), ladder.clone())
        })?;
        let proposed = proposed.map_err(|reason| match bounds::refusal(&reason) {
            Ok(()) => LadderError::Refused(reason),
            Err(error) => error.into(),
        })?;
        if !self.host.defences.on(Defence::AnswerBounds) {
            return Ok(Steps { steps: proposed.clone(), proposed, refused: Vec::new() });
        }
        bounds::steps(&proposed)?;
        let mut all = Steps { steps: ladder.contracted.clone(), proposed: Vec::new(), refused: Vec::new() };
        for step in proposed {
            match counts(&step, ladder) {
                Ok(()) => all.proposed.push(step),
                Err(why) => all.refused.push((step, why)),
            }
        }
        all.steps.extend(all.proposed.iter().cloned());
        all.steps.sort_by(|a, b| a.at_ms.cmp(&b.at_ms).then_with(|| a.role.cmp(&b.role)));
        Ok(all)
    }
}

fn counts(step: &Step, ladder: &Ladder) -> Result<(), String> {
    if !ladder.roles.contains(&step.role) {
        let known: Vec<_> = ladder.roles.iter().map(|role| format!("`{role}`")).collect();
        return Err(format!("role `{}` is none of {}", step.role.escape_debug(), known.join(", ")));
    }
    if step.at_ms < ladder.now_ms {
        return Err(format!("at {} ms is before now, {} ms", step.at_ms, ladder.now_ms));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Level;

    #[test]
    fn what_is_past_or_for_a_stranger_does_not_count() {
        let ladder = Ladder {
            contract: "c".to_owned(),
            ticket: None,
            clause: "1".to_owned(),
            clock: "repair".to_owned(),
            now_ms: 1_000,
            due_ms: 0,
            breached: true,
            acknowledged_by: None,
            taken: Vec::new(),
            contracted: Vec::new(),
            roles: vec!["engineer".to_owned(), "director".to_owned()],
            settings: Vec::new(),
        };
        let step = |role: &str, at_ms| Step { role: role.to_owned(), at_ms, level: Level::Info, text: None };
        assert_eq!(counts(&step("engineer", 1_000), &ladder), Ok(()));
        let past = "at 999 ms is before now, 1000 ms".to_owned();
        assert_eq!(counts(&step("engineer", 999), &ladder), Err(past));
        let stranger = r"role `mayor\n` is none of `engineer`, `director`".to_owned();
        assert_eq!(counts(&step("mayor\n", 1_000), &ladder), Err(stranger));
    }
}
