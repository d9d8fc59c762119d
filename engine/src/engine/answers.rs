//! What an engine can be asked.

use std::sync::Arc;

use super::Engine;
use super::contract::Contract;
use crate::assess::{Assessment, Case, ContractAssessment, ContractCase, ContractState};
use crate::event::Event;
use crate::explain::{Explanation, explain};
use crate::ledger::{LedgerEntry, Statement, statement};
use crate::outbox::Notice;
use crate::{Instant, Pack};

impl Engine {
    /// The engine's time: nothing after it has been looked at.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The first instant at which [`Engine::advance`] will change something, if nothing else happens before. A clock is
    /// missed one microsecond after its due instant; that is the instant given here. The same holds for the next step of a
    /// penalty that grows with time: `full` hours cost more at the instant they are full, `started` ones just after.
    pub fn next_due(&self) -> Option<Instant> {
        self.wakes.first().map(|(at, _, _)| *at)
    }

    /// The contracts that are open.
    pub fn contracts(&self) -> impl Iterator<Item = &str> {
        self.contracts.iter().map(|contract| &*contract.id)
    }

    /// The pack of a contract.
    pub fn pack(&self, contract: &str) -> Option<&Arc<Pack>> {
        self.contract(contract).map(|contract| &contract.pack)
    }

    /// The tickets of a contract, in the order in which they were first heard of.
    pub fn tickets(&self, contract: &str) -> impl Iterator<Item = &str> {
        self.contract(contract)
            .into_iter()
            .flat_map(|contract| contract.tickets.iter().map(|ticket| &*ticket.id))
    }

    /// A ticket as it was judged last; nothing for a ticket never heard of. Clocks that run are read at
    /// [`Engine::now`].
    pub fn assessment(&self, contract: &str, ticket: &str) -> Option<Assessment> {
        let case = self.case(contract, ticket)?;
        Some(case.assessment(contract, &case.outcome(None, None)))
    }

    /// A contract's own obligations: its duties and service levels, read at [`Engine::now`]. Costs a judgement of its whole
    /// history.
    pub fn contract_assessment(&self, contract: &str) -> Option<ContractAssessment> {
        let contract = self.contract(contract)?;
        let case = ContractCase { pack: &contract.pack, entries: &contract.entries, as_of: self.now };
        let mut state = ContractState::build(case, &contract.deeds);
        state.close(case, &contract.ends, &mut Default::default());
        Some(state.assessment(case, &contract.id, &contract.ends))
    }

    /// A ticket's assessment with the arithmetic written down.
    pub fn explain(&self, contract: &str, ticket: &str) -> Option<Explanation> {
        let events = self.journal.events().filter(|event| {
            event.contract == contract && (event.ticket.is_none() || event.ticket.as_deref() == Some(ticket))
        });
        let lines = self.statement(contract)?.penalties;
        Some(explain(&self.case(contract, ticket)?, contract, events.cloned().collect(), lines))
    }

    /// What a contract owes and what is left of its deposit.
    pub fn statement(&self, contract: &str) -> Option<Statement> {
        let contract = self.contract(contract)?;
        Some(statement(&contract.id, &contract.pack, &contract.entries, &contract.books, self.now))
    }

    /// The ledger of a contract, in the order of booking.
    pub fn ledger(&self, contract: &str) -> &[LedgerEntry] {
        self.contract(contract).map_or(&[], |contract| &contract.books.ledger.entries)
    }

    /// The events that were taken, in the order of telling.
    pub fn events(&self) -> impl ExactSizeIterator<Item = &Event> {
        self.journal.events()
    }

    /// The notices not taken yet.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Hands the waiting notices over. None of them is made again.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    pub(crate) fn place(&self, contract: &str) -> Option<usize> {
        self.by_id.get(contract).copied()
    }

    fn contract(&self, id: &str) -> Option<&Contract> {
        self.contracts.get(*self.by_id.get(id)?)
    }

    fn case<'a>(&'a self, contract: &str, ticket: &str) -> Option<Case<'a>> {
        let contract = self.contract(contract)?;
        let ticket = contract.tickets.get(contract.tickets.find(ticket)?)?;
        Some(Case {
            pack: &contract.pack,
            contract: &contract.entries,
            relief: &contract.relief,
            history: &ticket.entries,
            ticket: &ticket.id,
            as_of: self.now,
        })
    }
}
