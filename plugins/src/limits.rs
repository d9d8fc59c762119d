//! The numbers that a component is held to.

use std::time::Duration;

/// What one call of a component may take. The defaults are those that the interface promises to guests; an operator may
/// set them lower.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The component's own running time.
    pub time: Duration,
    /// After this from the call's start the host waits no longer, whatever holds the call up, and takes the thread for lost.
    pub outer: Duration,
    /// Bytes of all its memories together.
    pub memory: usize,
    /// Elements of all its tables together.
    pub table_elements: usize,
    /// Instances, tables and memories, each.
    pub instances: usize,
    /// Bytes that it may hand to the host in one call.
    pub host_bytes: usize,
    /// Handles that it may hold.
    pub handles: usize,
    /// Bytes of stack.
    pub stack: usize,
    /// Lines it may log.
    pub log_lines: u32,
    /// Bytes of a line; the rest is cut.
    pub log_line: usize,
    /// Signatures it may ask for.
    pub signatures: u32,
    /// Bytes of a component's file.
    pub component: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            time: Duration::from_millis(200),
            outer: Duration::from_secs(2),
            memory: 16 << 20,
            table_elements: 10_000,
            instances: 16,
            host_bytes: 1 << 20,
            handles: 64,
            stack: 512 << 10,
            log_lines: 64,
            log_line: 1 << 10,
            signatures: 64,
            component: 32 << 20,
        }
    }
}

/// What compiling a component may take, in a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// Bytes of address space.
    pub memory: u64,
    /// Seconds of processor time.
    pub seconds: u64,
    /// The longest it is waited for.
    pub outer: Duration,
}

impl Default for CompileLimits {
    fn default() -> CompileLimits {
        CompileLimits { memory: 2 << 30, seconds: 30, outer: Duration::from_secs(60) }
    }
}
