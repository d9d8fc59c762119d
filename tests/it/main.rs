//! Tests over the public interfaces.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the verdict"
)]

mod cli;
mod hostile;
mod json;
mod laws;
mod model;
mod refused;
mod rules;
mod tidy;
