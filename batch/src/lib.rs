//! Contract packs compiled to column kernels, and histories of millions of tickets assessed by them.

mod batch;
mod cells;
mod charges;
mod clocks;
mod error;
pub mod generate;
mod history;
mod judge;
mod kernel;
mod last;
mod log;
mod months;
mod ndjson;
mod open_time;
mod plan;
mod sheet;
mod source;
mod table;
#[cfg(test)]
mod tests;
mod told;
mod write;

pub use batch::{Assessed, Batch, ClockNumbers, Numbers};
pub use error::{BatchError, Refused};
pub use history::{
    ClockTotal, ContractTotal, Job, MonthTotal, OnError, Output, Report, Stage, assess_history,
};
pub use last::{End, last_instant};
