//! Stage 7: service levels: the periods over which they are measured, and what is measured.

mod measure;
mod outage;
mod period;
mod stretches;

#[cfg(test)]
mod tests;

pub(crate) use measure::{ClockEnd, Measured, availability, earned_back, in_time, invoiced};
pub(crate) use outage::{Outage, OutageBook, OutageFinding};
pub(crate) use period::{Course, Period};
