//! Keeps a contract's ledger in step with what its tickets owe and what its events pay.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Item, ItemKey, Ledger, LedgerError};
use crate::assess::Case;
use crate::event::Kind;
use crate::policy::ClauseFault;
use crate::terms::TermValue;
use crate::ticket::{Detail, Entry};
use crate::{Instant, Money, Pack};

/// A contract's money: what is owed, and the ledger that follows from it.
pub(crate) struct Books {
    pub(crate) ledger: Ledger,
    pub(crate) penalties: BTreeMap<String, Owed>,
    confirmed: HashMap<String, Instant>,
    waived: HashMap<String, (Instant, Box<str>)>,
    /// The deposit's floor by version of the terms.
    floors: HashMap<usize, Result<i64, Box<ClauseFault>>>,
    pub(crate) low: bool,
    pub(crate) exhausted: bool,
}

/// A penalty as assessed, and where it stands in the ledger.
#[derive(Clone, Debug)]
pub(crate) struct Owed {
    pub(crate) ticket: String,
    pub(crate) clause: String,
    pub(crate) clock: String,
    pub(crate) at: Instant,
    pub(crate) amount: Money,
    pub(crate) reported_at: Instant,
    keys: Vec<ItemKey>,
}

impl Owed {
    pub(crate) fn new(
        ticket: &str,
        clause: &str,
        clock: &str,
        at: Instant,
        amount: Money,
        reported_at: Instant,
    ) -> Owed {
        Owed {
            ticket: ticket.to_owned(),
            clause: clause.to_owned(),
            clock: clock.to_owned(),
            at,
            amount,
            reported_at,
            keys: Vec::new(),
        }
    }
}

impl Books {
    pub(crate) fn new(contract: &str, pack: &Pack) -> Books {
        Books {
            ledger: Ledger::new(contract, pack.currency),
            penalties: BTreeMap::new(),
            confirmed: HashMap::new(),
            waived: HashMap::new(),
            floors: HashMap::new(),
            low: false,
            exhausted: false,
        }
    }

    /// Books a contract event that moves money. `history` holds the contract's entries, for the floor's clause.
    pub(crate) fn apply(&mut self, pack: &Pack, history: &[Arc<Entry>], entry: &Entry) {
        match (&entry.detail, entry.kind) {
            (Detail::Amount(amount), Kind::DEPOSIT_PAID) => {
                let item = Item::Paid(amount.minor());
                self.ledger.put(item.key(entry.at, &entry.id), item);
            }
            (Detail::Amount(amount), Kind::DEPOSIT_RELEASED) => {
                let item = Item::Released(amount.minor());
                self.ledger.put(item.key(entry.at, &entry.id), item);
            }
            (Detail::Penalty(id), Kind::PENALTY_CONFIRMED) => {
                let at = self.confirmed.entry(id.to_string()).or_insert(entry.at);
                *at = entry.at.min(*at);
                self.refile(pack, history, id);
            }
            (Detail::Penalty(id), Kind::PENALTY_WAIVED) => {
                let told = (entry.at, entry.id.clone());
                let first = self.waived.entry(id.to_string()).or_insert_with(|| told.clone());
                if told < *first {
                    *first = told;
                }
                self.refile(pack, history, id);
            }
            _ => {}
        }
    }

    /// Files a penalty, or files it anew when it has changed.
    pub(crate) fn file(&mut self, pack: &Pack, history: &[Arc<Entry>], id: &str, owed: Owed) {
        self.strike(id);
        self.penalties.insert(id.to_owned(), owed);
        self.refile(pack, history, id);
    }

    /// Takes a penalty out that is no longer owed.
    pub(crate) fn strike(&mut self, id: &str) {
        if let Some(owed) = self.penalties.remove(id) {
            for key in &owed.keys {
                self.ledger.remove(key);
            }
        }
    }

    /// Puts a penalty into the ledger as its confirmation and waiver have it.
    fn refile(&mut self, pack: &Pack, history: &[Arc<Entry>], id: &str) {
        let Some(owed) = self.penalties.get(id).cloned() else { return };
        let effective = match on_confirmation(pack, owed.reported_at) {
            false => Some(owed.at),
            true => self.confirmed.get(id).map(|confirmed| owed.at.max(*confirmed)),
        };
        let floor = effective.map(|at| self.floor(pack, history, at));
        let mut keys = Vec::new();
        let mut items = Vec::new();
        if let (Some(at), Some(Ok(floor))) = (effective, floor) {
            let item = Item::Penalty { amount: owed.amount.minor(), floor };
            items.push((item.key(at, id), item));
            if let Some((waived, event)) = self.waived.get(id) {
                let item = Item::Waived(id.to_owned());
                items.push((item.key(at.max(*waived), event), item));
            }
        }
        for key in &owed.keys {
            if !items.iter().any(|(new, _)| new == key) {
                self.ledger.remove(key);
            }
        }
        for (key, item) in items {
            self.ledger.put(key.clone(), item);
            keys.push(key);
        }
        if let Some(owed) = self.penalties.get_mut(id) {
            owed.keys = keys;
        }
    }

    /// The contract's own facts have changed: floors and all that rests on them are taken anew.
    pub(crate) fn refile_all(&mut self, pack: &Pack, history: &[Arc<Entry>]) {
        self.floors.clear();
        let ids: Vec<String> = self.penalties.keys().cloned().collect();
        for id in ids {
            self.refile(pack, history, &id);
        }
    }

    fn floor(&mut self, pack: &Pack, history: &[Arc<Entry>], at: Instant) -> Result<i64, Box<ClauseFault>> {
        let version = pack.terms_at(at).version;
        if let Some(known) = self.floors.get(&version) {
            return known.clone();
        }
        let floor = Books::floor_at(pack, history, at);
        self.floors.insert(version, floor.clone());
        floor
    }

    /// Below what the deposit may not fall by the terms in force at an instant.
    pub(crate) fn floor_at(
        pack: &Pack,
        history: &[Arc<Entry>],
        at: Instant,
    ) -> Result<i64, Box<ClauseFault>> {
        let nobody = Arc::from("");
        let case = Case { pack, contract: history, history: &[], ticket: &nobody, as_of: Instant::MAX };
        let floor = pack.policy.deposit_floor(&case.inputs(&[], at));
        floor.map(|floor| floor.map_or(0, Money::minor)).map_err(Box::new)
    }

    /// Why no floor can be had, if so: penalties are then not deducted.
    pub(crate) fn floor_fault(&self) -> Option<&ClauseFault> {
        self.floors.values().find_map(|floor| floor.as_ref().err()).map(|fault| &**fault)
    }

    pub(crate) fn settle(&mut self, booked: Instant, cause: Option<&str>) -> Result<bool, LedgerError> {
        self.ledger.settle(booked, cause)
    }

    pub(crate) fn is_waived(&self, id: &str) -> bool {
        self.waived.contains_key(id)
    }

    /// Confirmations and waivers of penalties that do not exist.
    pub(crate) fn unmatched(&self) -> Vec<String> {
        let named = self.confirmed.keys().chain(self.waived.keys());
        let mut unmatched: Vec<String> =
            named.filter(|id| !self.penalties.contains_key(*id)).cloned().collect();
        unmatched.sort_unstable();
        unmatched.dedup();
        unmatched
    }
}

/// Whether penalties wait for the buyer's word, by the term in force when the ticket was reported.
fn on_confirmation(pack: &Pack, reported_at: Instant) -> bool {
    let Some(term) = pack.deduction_term else { return false };
    let in_force = pack.terms_at(reported_at);
    matches!(in_force.values.get(term), Some(Some(TermValue::Text(word))) if word.as_str() == "on_confirmation")
}
