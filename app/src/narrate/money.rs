//! What the breaches cost and what was taken for them.

use holdback::{ClockReason, Explanation, Money, Pack, PenaltyState, PriceStep, SayKind, StatementLine};

use super::lines::{Lines, glued, moment, period};
use super::{clause_name, named};
use crate::page::amount;

pub(super) fn tell(out: &mut Lines, explanation: &Explanation, pack: &Pack) {
    let free: Vec<&ClockReason> = explanation.clocks.iter().filter(|clock| is_free_breach(clock)).collect();
    let lines = &explanation.penalties;
    if lines.is_empty() && free.is_empty() {
        return;
    }
    out.heading("MONEY");
    for line in lines {
        penalty(out, line, explanation, pack);
    }
    total(out, lines);
    for clock in free {
        let found = &clock.outcome;
        let why = match (&clock.price, price_read(clock, pack)) {
            (Some(_), Some(read)) => format!("its price is nothing ({read})"),
            (Some(_), None) => "its price is nothing".to_owned(),
            (None, _) => "no clause prices it".to_owned(),
        };
        out.put(
            2,
            &format!("The breach of `{}` of clause {} costs nothing: {why}.", found.clock, found.clause),
        );
    }
}

/// What the price looked at.
fn price_read(clock: &ClockReason, pack: &Pack) -> Option<String> {
    named(pack, clock.price_inputs.iter().chain(clock.price_terms.iter()))
}

fn is_free_breach(clock: &ClockReason) -> bool {
    use holdback::ClockState::{Breached, Late};
    matches!(clock.outcome.state, Breached | Late) && clock.price.is_none_or(|price| price.minor() <= 0)
}

fn penalty(out: &mut Lines, line: &StatementLine, explanation: &Explanation, pack: &Pack) {
    out.put(2, &format!("{}: {}", line.id, money(line.amount)));
    let text = format!(
        "clause {}, the breach of `{}` at {}",
        clause_name(pack, &line.clause),
        line.clock,
        moment(pack, line.at)
    );
    out.label(4, "For", &text);
    let priced = explanation
        .clocks
        .iter()
        .find(|clock| clock.outcome.clause == line.clause && clock.outcome.clock == line.clock);
    if let Some(read) = priced.and_then(|clock| price_read(clock, pack)) {
        out.label(4, "Price", &read);
    }
    if let Some(steps) = priced.map(|clock| &clock.price_steps).filter(|steps| steps.len() > 1) {
        grown(out, steps, pack);
    }
    if line.base != line.amount {
        let text = format!(
            "{} the first time; earlier breaches of the clause make it more or less",
            money(line.base)
        );
        out.label(4, "Repeated", &text);
    }
    for cut in &line.cut_by {
        out.label(4, "Cut", &format!("{} by the cap {}", money(cut.amount), cut.cap));
    }
    let (taken, missing) = (money(line.deducted), money(line.shortfall));
    let state = match line.state {
        PenaltyState::Deducted => format!("in full, {taken} from the deposit"),
        PenaltyState::Partly => {
            format!("in part: {taken} from the deposit; {missing} was not covered and is owed")
        }
        PenaltyState::Shortfall => format!("nothing: the deposit had nothing left for it; {missing} is owed"),
        PenaltyState::Held => {
            "nothing yet: it waits for the buyer's confirmation (`penalty_confirmed`)".to_owned()
        }
        PenaltyState::Waived => "nothing: the buyer waived it".to_owned(),
        PenaltyState::Disputed => format!("{taken} from the deposit; nothing more while it is disputed"),
        PenaltyState::EarnedBack => "nothing: it was earned back by good service afterwards".to_owned(),
    };
    out.label(4, "Taken", &state);
    for say in &line.say {
        let kind = match say.kind {
            SayKind::Confirmed => "confirmed",
            SayKind::Waived => "waived",
            SayKind::Disputed => "disputed",
            SayKind::DisputeEnded => "the dispute ended",
        };
        let by = say.by.as_deref().map_or(String::new(), |by| format!(" by {by}"));
        let why = say.why.as_deref().map_or(String::new(), |why| format!(": {why}"));
        out.label(4, "Said", &format!("{kind} at {}{by}{why}", moment(pack, say.at)));
    }
}

/// Since when the breach cost how much.
fn grown(out: &mut Lines, steps: &[PriceStep], pack: &Pack) {
    for (place, step) in steps.iter().enumerate() {
        let when = match step.through {
            Some(through) => format!("{}, {} steps", period(pack, step.at, through), step.steps),
            None => moment(pack, step.at),
        };
        let sum = match place {
            0 => money(step.total),
            _ => format!("+ {} = {}", glued(&amount(step.amount)), money(step.total)),
        };
        out.label(4, if place == 0 { "Grew" } else { "" }, &format!("{when}: {sum}"));
    }
}

/// The sum, and what it is made of.
fn total(out: &mut Lines, lines: &[StatementLine]) {
    if lines.len() < 2 {
        return;
    }
    let sum = |of: &dyn Fn(&StatementLine) -> Option<Money>| {
        let mut amounts = lines.iter().filter_map(of);
        let first = amounts.next()?;
        amounts.try_fold(first, |sum, amount| sum.checked_add(amount).ok())
    };
    let Some(all) = sum(&|line| Some(line.amount)) else { return };
    let parts: Vec<String> = lines.iter().map(|line| glued(&amount(line.amount))).collect();
    out.label(2, "Sum", &format!("{} = {}", parts.join(" + "), money(all)));
    let of_state = |state| sum(&|line| (line.state == state).then_some(line.rest()));
    let shares = [
        ("taken", sum(&|line| Some(line.deducted))),
        ("not covered and owed", sum(&|line| Some(line.shortfall))),
        ("waiting for confirmation", of_state(PenaltyState::Held)),
        ("waived", of_state(PenaltyState::Waived)),
        ("cut by caps", sum(&|line| Some(line.cut))),
        ("disputed", of_state(PenaltyState::Disputed)),
        ("earned back", of_state(PenaltyState::EarnedBack)),
    ];
    let shares: Vec<String> = shares
        .into_iter()
        .filter_map(|(word, share)| share.filter(|share| share.minor() != 0).map(|share| (word, share)))
        .map(|(word, share)| format!("{} {word}", money(share)))
        .collect();
    out.label(2, "", &format!("of which {}", shares.join(", ")));
}

fn money(value: Money) -> String {
    glued(&format!("{} {}", amount(value), value.currency()))
}
