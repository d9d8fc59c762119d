//! Channels for Holdback's notices: wasm components in a sandbox that they cannot leave.
pub mod wire;
mod defence;
