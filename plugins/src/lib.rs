//! Channels for Holdback's notices: wasm components in a sandbox that they cannot leave.
//!
//! A component **renders** a notice into a request and **judges** the answer; this crate sends the request. A component sees no network, no
//! clock, no file and no secret. `plugins/wit/channel.wit` is the interface and its documentation of record, `plugins/README.md` says how
//! to write a channel, and which attack is met by which defence.
//!
//! - [`Host`] takes components in: inspects, compiles in a process of its own, caches, asks what they are.
//! - [`Grant`] is what an operator allows one: never more than it asked for, bound to its digest.
//! - [`Channel`] renders, sends through [`Egress`] and judges; [`Report`] says what became of it and how.
//! - [`Escalator`] proposes steps of a ladder, which are held against the contract.
//! - [`Sink`] is the last resort, and depends on no component.

mod bounds;
mod cache;
mod channel;
mod compile;
pub mod componentize;
mod defence;
mod delivery;
mod digest;
mod egress;
mod fixture;
mod grant;
mod health;
mod home;
mod host;
mod inspect;
mod ladder;
mod limits;
mod sandbox;
mod secret;
mod shipped;
mod signature;
mod signing;
mod sink;
pub mod wire;

pub use bounds::OutOfBounds;
pub use cache::PrivateError;
pub use channel::{Channel, RenderError, Report};
pub use compile::{CompileError, Compiler, compile_worker};
pub use delivery::Destination;
pub use digest::{Digest, DigestError};
pub use egress::{
    Allowance, AllowedOrigin, Egress, EgressConfig, EgressError, MailAllowance, MailLogin, MailTls, Network,
    Origin, OriginError, SendError, Step, Trace,
};
pub use fixture::{Answer, Difference, Fixture, FixtureError, Rehearsed};
pub use grant::{Grant, GrantError, asked};
pub use health::{Quarantine, STRIKES};
pub use home::{Home, HomeError};
pub use host::{Host, HostConfig, HostError, Plugin};
pub use inspect::{InspectError, Inspection, World, inspect};
pub use ladder::{Escalator, LadderError, Steps};
pub use limits::{CompileLimits, Limits};
pub use sandbox::{Fault, LogLine, LogSink, Spent};
pub use secret::{SecretError, SecretSource, Secrets};
pub use shipped::{SHIPPED, Shipped, shipped};
pub use signature::{SignatureError, SignaturePolicy};
pub use sink::Sink;

#[cfg(test)]
mod tests;
