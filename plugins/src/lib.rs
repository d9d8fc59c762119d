//! Channels for Holdback's notices: wasm components in a sandbox that they cannot leave.
mod defence;
mod egress;
mod secret;
#[cfg_attr(not(test), expect(dead_code, reason = "the sandbox calls it"))]
mod signing;
pub mod wire;

pub use egress::{
    Allowance, AllowedOrigin, Egress, EgressConfig, EgressError, MailAllowance, MailLogin, MailTls, Network,
    Origin, OriginError, SendError, Step, Trace,
};
pub use secret::{SecretError, SecretSource, Secrets};
