//! Stage 5: what a contract asks for again and again: when it falls, and whether it was done in time.

mod recurrence;
mod relief;
mod run;
#[cfg(test)]
mod tests;
mod track;

pub(crate) use recurrence::{Recurrence, Series};
pub(crate) use relief::{Relief, reliefs, still};
pub(crate) use run::{DutySpec, run};
pub(crate) use track::{Flaw, MOST_OCCURRENCES, Stage, Told, Track};
