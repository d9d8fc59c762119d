//! The deposit the slow way: what happened, in order of time, one thing after the other.

use std::collections::BTreeMap;

use holdback::{Event, Instant, PenaltyState};

/// A breach that costs something, in minor units.
#[derive(Clone, Debug)]
pub(crate) struct Price {
    pub(crate) id: String,
    /// Since when it costs how much in all.
    pub(crate) steps: Vec<(Instant, i64)>,
}

impl Price {
    pub(crate) fn amount(&self) -> i64 {
        self.steps.last().map_or(0, |(_, sum)| *sum)
    }
}

/// What has become of a penalty, in minor units.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) amount: i64,
    pub(crate) deducted: i64,
    pub(crate) shortfall: i64,
    pub(crate) state: PenaltyState,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Account {
    pub(crate) balance: i64,
    pub(crate) lines: BTreeMap<String, Line>,
}

enum Move {
    Paid(i64),
    Released(i64),
    Penalty(String, i64),
    Waived(String),
}

/// Settles a contract: its money events up to now, and what its tickets owe.
pub(crate) fn settle(events: &[&Event], prices: &[Price], floor: i64, on_confirmation: bool) -> Account {
    let minor = |event: &Event| -> i64 {
        let text = event.data["amount"].as_str().unwrap();
        text.replace('.', "").parse().unwrap()
    };
    let first = |kind: &str, id: &str| {
        let told = events.iter().filter(|e| e.kind == kind && e.data["penalty"] == id);
        told.map(|event| event.at).min()
    };
    // Of one instant: what comes in, what is owed, what is waived, what goes back.
    let mut moves: Vec<(Instant, u8, String, Move)> = Vec::new();
    for event in events {
        match event.kind.as_str() {
            "deposit_paid" => moves.push((event.at, 0, event.id.clone(), Move::Paid(minor(event)))),
            "deposit_released" => moves.push((event.at, 3, event.id.clone(), Move::Released(minor(event)))),
            _ => {}
        }
    }
    let mut account = Account::default();
    for price in prices {
        let id = &price.id;
        let (confirmed, waived) = (first("penalty_confirmed", id), first("penalty_waived", id));
        let mut before = 0;
        for (at, sum) in &price.steps {
            let effective =
                if on_confirmation { confirmed.map(|confirmed| confirmed.max(*at)) } else { Some(*at) };
            // A penalty that is waived grows no more.
            if let Some(at) = effective.filter(|at| waived.is_none_or(|waived| *at < waived)) {
                moves.push((at, 1, id.clone(), Move::Penalty(id.clone(), sum - before)));
            }
            before = *sum;
        }
        if let Some(waived) = waived {
            moves.push((waived, 2, id.clone(), Move::Waived(id.clone())));
        }
        let state = if waived.is_some() { PenaltyState::Waived } else { PenaltyState::Held };
        let line = Line { amount: price.amount(), deducted: 0, shortfall: 0, state };
        account.lines.insert(id.clone(), line);
    }
    moves.sort_by(|a, b| (a.0, a.1, &a.2).cmp(&(b.0, b.1, &b.2)));
    let mut asked: Vec<(String, i64)> = Vec::new();
    for (_, _, _, happened) in moves {
        match happened {
            Move::Paid(amount) => account.balance += amount,
            Move::Released(amount) => account.balance -= amount.min(account.balance),
            Move::Penalty(id, amount) => {
                account.lines.get_mut(&id).unwrap().shortfall += amount;
                asked.push((id, amount));
            }
            Move::Waived(id) => {
                let line = account.lines.get_mut(&id).unwrap();
                account.balance += line.deducted;
                (line.deducted, line.shortfall) = (0, 0);
                asked.retain(|(of, _)| *of != id);
            }
        }
        // Whatever happened: what is owed is taken as far as the deposit stands above its floor, first come first served.
        for (id, open) in &mut asked {
            let line = account.lines.get_mut(id).unwrap();
            let taken = (*open).min((account.balance - floor).max(0));
            account.balance -= taken;
            *open -= taken;
            line.deducted += taken;
            line.shortfall -= taken;
        }
    }
    for line in account.lines.values_mut().filter(|line| line.state != PenaltyState::Waived) {
        line.state = match (line.deducted, line.shortfall) {
            (0, 0) => PenaltyState::Held,
            (_, 0) => PenaltyState::Deducted,
            (0, _) => PenaltyState::Shortfall,
            _ => PenaltyState::Partly,
        };
    }
    account
}
