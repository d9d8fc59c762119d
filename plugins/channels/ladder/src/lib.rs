//! A ladder of escalation for a breach that nobody has taken on: its roles are told one after the other, some minutes apart.
//!
//! It proposes; the contract's own steps happen besides. Who was told already is not told again.

use holdback_channel::types::{Description, Ladder, Level, Setting, SettingKind, Step};
use holdback_channel::{Escalation, described, number};

/// So many people are told at most, those told before among them.
const STEPS: usize = 5;
const MINUTE: u64 = 60_000;
/// A week: further apart is no ladder.
const LONGEST: u64 = 7 * 24 * 60;

struct OneByOne;

impl Escalation for OneByOne {
    fn describe() -> Description {
        Description {
            settings: vec![Setting {
                name: "every_minutes".to_owned(),
                about: "Minutes from one role to the next; the first one after the breach.".to_owned(),
                kind: SettingKind::Number,
                required: true,
                example: Some("15".to_owned()),
            }],
            supports: vec!["escalate".to_owned()],
            ..described(
                "ladder",
                env!("CARGO_PKG_VERSION"),
                "One role after the other until somebody takes the breach on.",
            )
        }
    }

    fn next(ladder: Ladder) -> Result<Vec<Step>, String> {
        let minutes = number(&ladder, "every_minutes")?.ok_or("setting `every_minutes` is missing")?;
        if !(1..=LONGEST).contains(&minutes) {
            return Err(format!("setting `every_minutes` is 1 to {LONGEST}, not {minutes}"));
        }
        if ladder.acknowledged_by.is_some() || !ladder.breached {
            return Ok(Vec::new());
        }
        let apart = minutes * MINUTE;
        // Counted from the last step, not from now: asked again, the answer is the same.
        let last = ladder.taken.iter().map(|step| step.at_ms).max().unwrap_or(ladder.due_ms);
        let mut at_ms = last.saturating_add(apart).max(ladder.now_ms);
        let mut steps: Vec<Step> = Vec::new();
        for role in &ladder.roles {
            if ladder.taken.len() + steps.len() >= STEPS {
                break;
            }
            let told =
                ladder.taken.iter().chain(&ladder.contracted).chain(&steps).any(|step| step.role == *role);
            if !told {
                steps.push(Step { role: role.clone(), at_ms, level: Level::Critical, text: None });
                at_ms = at_ms.saturating_add(apart);
            }
        }
        Ok(steps)
    }
}

holdback_channel::escalation!(OneByOne);
