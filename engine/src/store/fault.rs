//! What can be wrong with a store, and the way out.

/// Why a store cannot be used. What was committed before stays; what was not is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such file.
    #[error("`{path}`: no such store: create one with a pack, or give another path")]
    Missing {
        /// The file.
        path: String,
    },
    /// A new store was to be made where something is already.
    #[error("`{path}` exists already: open it, or give another path")]
    Exists {
        /// The file.
        path: String,
    },
    /// The file is another program's, or no database at all.
    #[error("`{path}` is no store of Holdback ({found}): nothing was changed; give another path")]
    Foreign {
        /// The file.
        path: String,
        /// What it is instead.
        found: String,
    },
    /// A later version of this program wrote it.
    #[error(
        "`{path}` has schema {found}, this program knows schemas up to {known}: use the newer program; nothing was changed"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its schema.
        found: i64,
        /// The last one that this program knows.
        known: i64,
    },
    /// An older version wrote it, and it was opened for reading alone.
    #[error(
        "`{path}` has schema {found}, this program reads schema {known}: open it once for writing, which brings it up to date"
    )]
    Older {
        /// The file.
        path: String,
        /// Its schema.
        found: i64,
        /// The one that this program reads.
        known: i64,
    },
    /// Another process has it open for writing.
    #[error(
        "`{path}` is open in another process: end that one, or wait for it; backups, receipts and `verify` may go on beside it"
    )]
    Locked {
        /// The file.
        path: String,
    },
    /// No room is left.
    #[error(
        "`{path}`: nothing more can be written, the disk or a limit on files is full: make room and tell the events of this step \
         again; what was acknowledged before is kept"
    )]
    Full {
        /// The file.
        path: String,
    },
    /// The file or its folder cannot be written.
    #[error("`{path}`: cannot be written: the file and its folder must be writable ({reason})")]
    ReadOnly {
        /// The file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// What was committed last could not be marked as acknowledged.
    #[error(
        "`{path}`: the mark of its last record cannot be written ({reason}): all that was answered is kept, this step was not \
         taken; make room for `{path}-mark` or make it writable, then tell the events of this step again"
    )]
    Unmarked {
        /// The file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// What is in it is not what was written.
    #[error("{what}: run `holdback verify` to see how much is wrong, then restore a backup")]
    Damaged {
        /// What, and where.
        what: String,
    },
    /// The system refuses for another reason.
    #[error("`{path}`: {reason}")]
    Failed {
        /// The file.
        path: String,
        /// What the system says.
        reason: String,
    },
}

impl StoreError {
    pub(crate) fn damaged(what: impl Into<String>) -> StoreError {
        StoreError::Damaged { what: what.into() }
    }
}
