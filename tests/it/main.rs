//! Tests over the public interfaces.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is the verdict"
)]

mod accrual;
mod batch;
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
mod money;
mod new;
mod obligations;
mod penalties;
mod plugin;
mod records;
mod refused;
mod rules;
mod store;
mod tidy;
mod vocabulary;
