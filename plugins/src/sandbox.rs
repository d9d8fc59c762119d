//! Where components run: a new store for every call, held to [`Limits`], on threads of its own.

mod engine;
mod log;
mod state;
mod v1;
mod workers;

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Engine, Store, Trap};

pub use log::{LogLine, LogSink};

pub(crate) use engine::{Kind, compiling};

use crate::defence::Defences;
use crate::inspect::World;
use crate::secret::Secrets;
use crate::{Limits, wire};
use engine::{MEMORY_CEILING, Ticker, epochs, running};
use log::Lines;
use state::State;
use workers::{Missing, Workers};

/// Why a call of a component has no answer. The component's store is gone with it; the host is whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// It ran longer than it may.
    #[error("ran longer than {} ms", .limit.as_millis())]
    Time {
        /// What it may.
        limit: Duration,
    },
    /// The call did not come back: something outside of the component's own code holds it up.
    #[error("did not come back within {} ms", .limit.as_millis())]
    Outer {
        /// How long it was waited for.
        limit: Duration,
    },
    /// In deterministic mode: more instructions than it may.
    #[error("used more than {limit} units of fuel")]
    Fuel {
        /// What it may.
        limit: u64,
    },
    /// It wanted more memory.
    #[error("wanted more than {limit} bytes of memory")]
    Memory {
        /// What it may have.
        limit: usize,
    },
    /// It wanted larger tables.
    #[error("wanted more than {limit} elements of tables")]
    Tables {
        /// What it may have.
        limit: usize,
    },
    /// It used up its stack.
    #[error("used more than {limit} bytes of stack")]
    Stack {
        /// What it may.
        limit: usize,
    },
    /// It trapped, by its own doing or because it broke a rule of the interface.
    #[error("trapped: {0}")]
    Trap(String),
    /// It could not be started.
    #[error("could not be started: {0}")]
    Start(String),
    /// It is in quarantine, or waits after a failure.
    #[error("is put aside: {0}")]
    Aside(String),
    /// All threads for components are busy. Not the component's fault.
    #[error("all threads for components are busy")]
    Busy,
    /// The host's own fault: too many threads lost, or a panic. Not the component's fault.
    #[error("the host cannot run components: {0}")]
    Host(&'static str),
}

impl Fault {
    /// Whether it counts against the component.
    pub fn is_the_components(&self) -> bool {
        !matches!(self, Fault::Busy | Fault::Host(_) | Fault::Aside(_))
    }
}

/// Runs components.
pub(crate) struct Sandbox {
    engine: Engine,
    kind: Kind,
    pooled: bool,
    hash: String,
    limits: Arc<Limits>,
    fuel: Option<u64>,
    notifier: Linker<State>,
    escalator: Linker<State>,
    workers: Workers,
    log: Option<Arc<LogSink>>,
    defences: Defences,
    _ticker: Option<Ticker>,
}

/// A component ready to be started.
#[derive(Clone)]
pub(crate) struct Ready {
    pre: Pre,
    name: Arc<str>,
}

#[derive(Clone)]
enum Pre {
    Notifier(v1::notifier::NotifierPre<State>),
    Escalator(v1::escalator::EscalatorPre<State>),
}

/// What a call gave beside its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Fuel, in deterministic mode.
    pub fuel: Option<u64>,
    /// Log lines that were over the limit.
    pub dropped_lines: u64,
    /// How long the component's own function ran, without what it takes to start an instance and to throw it away.
    pub ran: Duration,
}

impl Ready {
    /// The same under another name, for the log.
    pub(crate) fn named(self, name: &str) -> Ready {
        Ready { name: name.into(), ..self }
    }
}

impl Sandbox {
    /// # Errors
    /// When the engine or its threads cannot be made; what the system said.
    pub(crate) fn new(
        mut limits: Limits,
        fuel: Option<u64>,
        threads: usize,
        log: Option<Arc<LogSink>>,
        defences: Defences,
    ) -> Result<Sandbox, String> {
        limits.memory = limits.memory.min(MEMORY_CEILING);
        let kind = Kind { fuel: fuel.is_some() };
        let said = |error: &dyn std::fmt::Display| format!("components cannot be run here: {error}");
        let instances = u32::try_from(threads).unwrap_or(u32::MAX).clamp(1, 256).saturating_add(16);
        let (engine, pooled) = running(kind, &limits, instances).map_err(|error| said(&error))?;
        let link = |mut linker: Linker<State>, world: World| {
            match world {
                World::Notifier => {
                    v1::notifier::Notifier::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)
                }
                World::Escalator => {
                    v1::escalator::Escalator::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)
                }
            }
            .map(|()| linker)
        };
        let notifier = link(Linker::new(&engine), World::Notifier).map_err(|error| said(&error))?;
        let escalator = link(Linker::new(&engine), World::Escalator).map_err(|error| said(&error))?;
        // wasmtime wants the host's part of the stack beside the component's.
        let workers = Workers::new(threads, Duration::from_secs(10), limits.stack.saturating_add(1 << 20));
        let workers = workers.map_err(|error| said(&error))?;
        let ticker = match kind.fuel {
            true => None,
            false => Some(Ticker::start(&engine).map_err(|error| said(&error))?),
        };
        Ok(Sandbox {
            hash: engine::hash(&engine),
            engine,
            kind,
            pooled,
            limits: Arc::new(limits),
            fuel,
            notifier,
            escalator,
            workers,
            log,
            defences,
            _ticker: ticker,
        })
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Instances come from a pool; else each is made when it is needed.
    pub(crate) fn is_pooled(&self) -> bool {
        self.pooled
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Components compiled for an engine of this hash run here.
    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Makes a compiled component ready to be started.
    pub(crate) fn ready(&self, component: &Component, world: World, name: &str) -> Result<Ready, Fault> {
        let start = |error: wasmtime::Error| Fault::Start(format!("{error:#}"));
        let pre = match world {
            World::Notifier => {
                let pre = self.notifier.instantiate_pre(component).map_err(start)?;
                Pre::Notifier(v1::notifier::NotifierPre::new(pre).map_err(start)?)
            }
            World::Escalator => {
                let pre = self.escalator.instantiate_pre(component).map_err(start)?;
                Pre::Escalator(v1::escalator::EscalatorPre::new(pre).map_err(start)?)
            }
        };
        Ok(Ready { pre, name: name.into() })
    }

    /// One call: a store, an instance, the call, and both are gone. All calls come through here.
    fn call<T: Send + 'static>(
        &self,
        ready: &Ready,
        secrets: &Arc<Secrets>,
        call: impl FnOnce(&Pre, &mut Store<State>) -> wasmtime::Result<Timed<T>> + Send + 'static,
    ) -> Result<(T, Spent), Fault> {
        let (limits, fuel) = (Arc::clone(&self.limits), self.fuel);
        let lines = Lines::new(&ready.name, self.log.as_ref(), limits.log_lines, limits.log_line);
        let state = State::new(&limits, secrets, lines, &self.defences);
        let (engine, pre) = (self.engine.clone(), ready.pre.clone());
        let done = self.workers.run(self.limits.outer, move || {
            let mut store = Store::new(&engine, state);
            store.limiter(|state| state);
            store.set_hostcall_fuel(limits.host_bytes);
            store.set_max_component_handles(limits.handles);
            match fuel {
                Some(fuel) => store.set_fuel(fuel).map_err(|error| Fault::Start(error.to_string()))?,
                None => store.set_epoch_deadline(epochs(limits.time)),
            }
            let Timed { answer, ran } =
                call(&pre, &mut store).map_err(|error| fault(&error, &limits, fuel))?;
            let left = fuel.and_then(|fuel| store.get_fuel().ok().map(|left| fuel.saturating_sub(left)));
            Ok((answer, Spent { fuel: left, dropped_lines: store.data().lines.dropped, ran }))
        });
        match done {
            Ok(done) => done,
            Err(Missing::Busy) => Err(Fault::Busy),
            Err(Missing::Late) => Err(Fault::Outer { limit: self.limits.outer }),
            Err(Missing::Panicked) => Err(Fault::Host("a panic while a component ran")),
            Err(Missing::Insane) => Err(Fault::Host("too many calls did not come back")),
        }
    }

    pub(crate) fn describe(&self, ready: &Ready) -> Result<wire::Description, Fault> {
        let told = self.call(ready, &Arc::new(Secrets::none()), |pre, store| match pre {
            Pre::Notifier(pre) => {
                let guest = pre.instantiate(&mut *store)?;
                timed(|| guest.holdback_channel_channel().call_describe(store))
            }
            Pre::Escalator(pre) => {
                let guest = pre.instantiate(&mut *store)?;
                timed(|| guest.holdback_channel_escalation().call_describe(store))
            }
        });
        told.map(|(described, _)| described.into())
    }

    pub(crate) fn render(
        &self,
        ready: &Ready,
        secrets: &Arc<Secrets>,
        delivery: wire::Delivery,
    ) -> Result<(Result<wire::Request, String>, Spent), Fault> {
        let (rendered, spent) = self.call(ready, secrets, move |pre, store| {
            let guest = notifier(pre)?.instantiate(&mut *store)?;
            let delivery = delivery.into();
            timed(|| guest.holdback_channel_channel().call_render(store, &delivery))
        })?;
        Ok((rendered.map(Into::into), spent))
    }

    pub(crate) fn judge(
        &self,
        ready: &Ready,
        secrets: &Arc<Secrets>,
        delivery: wire::Delivery,
        response: wire::Response,
    ) -> Result<(wire::Outcome, Spent), Fault> {
        let (outcome, spent) = self.call(ready, secrets, move |pre, store| {
            let guest = notifier(pre)?.instantiate(&mut *store)?;
            let (delivery, response) = (delivery.into(), response.into());
            timed(|| guest.holdback_channel_channel().call_judge(store, &delivery, &response))
        })?;
        Ok((outcome.into(), spent))
    }

    pub(crate) fn on_callback(
        &self,
        ready: &Ready,
        secrets: &Arc<Secrets>,
        callback: wire::Callback,
    ) -> Result<(wire::CallbackOutcome, Spent), Fault> {
        let (outcome, spent) = self.call(ready, secrets, move |pre, store| {
            let guest = notifier(pre)?.instantiate(&mut *store)?;
            let callback = callback.into();
            timed(|| guest.holdback_channel_channel().call_on_callback(store, &callback))
        })?;
        Ok((outcome.into(), spent))
    }

    pub(crate) fn next(
        &self,
        ready: &Ready,
        secrets: &Arc<Secrets>,
        ladder: wire::Ladder,
    ) -> Result<(Result<Vec<wire::Step>, String>, Spent), Fault> {
        let (steps, spent) = self.call(ready, secrets, move |pre, store| {
            let Pre::Escalator(pre) = pre else { wasmtime::bail!("a notifier has no ladder") };
            let guest = pre.instantiate(&mut *store)?;
            let ladder = ladder.into();
            timed(|| guest.holdback_channel_escalation().call_next(store, &ladder))
        })?;
        Ok((steps.map(v1::all), spent))
    }
}

/// An answer, and how long the component took for it.
struct Timed<T> {
    answer: T,
    ran: Duration,
}

#[expect(clippy::disallowed_methods, reason = "how long a component ran; no answer depends on it")]
fn timed<T>(call: impl FnOnce() -> wasmtime::Result<T>) -> wasmtime::Result<Timed<T>> {
    let begun = std::time::Instant::now();
    let answer = call()?;
    Ok(Timed { answer, ran: begun.elapsed() })
}

fn notifier(pre: &Pre) -> wasmtime::Result<&v1::notifier::NotifierPre<State>> {
    match pre {
        Pre::Notifier(pre) => Ok(pre),
        Pre::Escalator(_) => wasmtime::bail!("an escalator renders nothing"),
    }
}

/// What ended a call, in the host's words.
fn fault(error: &wasmtime::Error, limits: &Limits, fuel: Option<u64>) -> Fault {
    if let Some(own) = error.downcast_ref::<Fault>() {
        return own.clone();
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => Fault::Time { limit: limits.time },
        Some(Trap::OutOfFuel) => Fault::Fuel { limit: fuel.unwrap_or_default() },
        Some(Trap::StackOverflow) => Fault::Stack { limit: limits.stack },
        Some(trap) => Fault::Trap(trap.to_string()),
        None => Fault::Trap(error.root_cause().to_string()),
    }
}
