//! What the host keeps of one call: what the component has taken, what it has said, what it may sign with.

use std::sync::Arc;

use wasmtime::ResourceLimiter;

use super::Fault;
use super::log::Lines;
use crate::defence::Defences;
use crate::secret::Secrets;
use crate::signing::Budget;
use crate::{Limits, signing, wire};

/// The data of one call's store.
pub(super) struct State {
    limits: Arc<Limits>,
    /// Of all memories together, bytes.
    memory: usize,
    /// Of all tables together.
    table_elements: usize,
    pub(super) lines: Lines,
    secrets: Arc<Secrets>,
    budget: Budget,
    defences: Defences,
}

impl State {
    pub(super) fn new(
        limits: &Arc<Limits>,
        secrets: &Arc<Secrets>,
        lines: Lines,
        defences: &Defences,
    ) -> State {
        State {
            limits: Arc::clone(limits),
            memory: 0,
            table_elements: 0,
            lines,
            secrets: Arc::clone(secrets),
            budget: Budget { signatures: limits.signatures, bytes: limits.host_bytes },
            defences: defences.clone(),
        }
    }

    pub(super) fn sign(&mut self, key: &wire::Key, message: &[wire::Part]) -> Result<Vec<u8>, wire::Refusal> {
        signing::sign(&self.secrets, &self.defences, key, message, &mut self.budget)
    }

    pub(super) fn verify(
        &mut self,
        key: &wire::Key,
        message: &[wire::Part],
        signature: &[u8],
    ) -> Result<bool, wire::Refusal> {
        signing::verify(&self.secrets, &self.defences, key, message, signature, &mut self.budget)
    }
}

/// Growth over a limit ends the call: a component that is told "no" could go on asking.
impl ResourceLimiter for State {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let sum = self.memory.saturating_add(desired.saturating_sub(current));
        if sum > self.limits.memory {
            return Err(wasmtime::Error::new(Fault::Memory { limit: self.limits.memory }));
        }
        self.memory = sum;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let sum = self.table_elements.saturating_add(desired.saturating_sub(current));
        if sum > self.limits.table_elements {
            return Err(wasmtime::Error::new(Fault::Tables { limit: self.limits.table_elements }));
        }
        self.table_elements = sum;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.limits.instances
    }

    fn tables(&self) -> usize {
        self.limits.instances
    }

    fn memories(&self) -> usize {
        self.limits.instances
    }
}
