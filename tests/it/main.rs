//! Tests over the public interfaces.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the verdict"
)]

mod check;
mod chinese;
mod cli;
mod differential;
mod fuzz;
mod guide;
mod hostile;
mod json;
mod laws;
mod mistakes;
mod model;
mod new;
mod penalties;
mod refused;
mod rules;
mod tidy;
mod vocabulary;
