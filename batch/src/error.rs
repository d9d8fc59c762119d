//! What can be wrong with a batch, and with a row of it.

use holdback::{Instant, SettleError};
use serde::{Deserialize, Serialize};

/// Why a batch cannot be assessed at all. A row that is wrong is [`Refused`] by itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// The instant of assessment lies beyond the years of calendars.
    #[error("tickets cannot be assessed as of {as_of}: expected the years 1901 to 2298")]
    AsOf {
        /// The instant.
        as_of: Instant,
    },
    /// A column that must be there is not.
    #[error("the column `{column}` is missing: {expected}{hint}")]
    Missing {
        /// The column.
        column: String,
        /// What it holds.
        expected: &'static str,
        /// The nearest column there is, or nothing.
        hint: String,
    },
    /// A column that nothing is known of.
    #[error("the column `{column}` is neither a fact nor an event of the pack{hint}")]
    Unknown {
        /// The column.
        column: String,
        /// The nearest known one, or nothing.
        hint: String,
    },
    /// Two columns that say the same.
    #[error("the columns `{first}` and `{second}` both give `{what}`")]
    Twice {
        /// The one.
        first: String,
        /// The other.
        second: String,
        /// What both give.
        what: String,
    },
    /// A column of a type that cannot hold what it should.
    #[error("the column `{column}` is {found}: expected {expected}")]
    Type {
        /// The column.
        column: String,
        /// Its Arrow type.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// A row is refused, and the work was to stop at the first.
    #[error("{place}: {refused}")]
    Stopped {
        /// The input.
        place: String,
        /// The row.
        refused: Box<Refused>,
    },
    /// The same ticket stands in a ticket table twice, or its events lie apart where they must lie together.
    #[error("{0}")]
    Order(String),
    /// A file cannot be read or written.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// Arrow or Parquet data that is not what it says.
    #[error("{place}: {reason}")]
    Data {
        /// The input.
        place: String,
        /// Why.
        reason: String,
    },
    /// A contract cannot be settled.
    #[error("contract `{contract}`: {source}")]
    Settle {
        /// The contract.
        contract: String,
        /// Why.
        source: Box<SettleError>,
    },
}

/// A row that was left out, and why. Nothing of it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Its number in the input, from 1; the header of a CSV file does not count.
    pub row: u64,
    /// The column that is wrong, if it is one's fault.
    pub column: Option<String>,
    /// What is wrong, and what was expected.
    pub reason: String,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "row {}", self.row)?;
        if let Some(column) = &self.column {
            write!(f, ", column `{column}`")?;
        }
        write!(f, ": {}", self.reason)
    }
}
