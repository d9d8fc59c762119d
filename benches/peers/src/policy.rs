//! The dense policy: its numbers, what it gives for a ticket, and the sums that must be equal everywhere.

/// The values of `kind`; a ticket holds the index.
pub const KINDS: [&str; 8] =
    ["failure", "emergency", "usability", "performance", "question", "training", "personalised", "other"];
const MINUTE: i64 = 60_000_000;
const fn times(values: [i64; 8], by: i64) -> [i64; 8] {
    let mut out = values;
    let mut i = 0;
    while i < 8 {
        out[i] *= by;
        i += 1;
    }
    out
}
/// Microseconds from the report to the response due.
pub const RESPONSE_LIMIT: [i64; 8] = times([10, 30, 60, 120, 240, 480, 60, 30], MINUTE);
/// Microseconds from the report to the resolution due.
pub const RESOLUTION_LIMIT: [i64; 8] = times([2, 4, 8, 24, 72, 168, 24, 8], 60 * MINUTE);
/// Cents for a late response.
pub const RESPONSE_PENALTY: [i64; 8] = [50_000, 20_000, 10_000, 5_000, 0, 0, 10_000, 5_000];
/// Cents for a late resolution.
pub const RESOLUTION_PENALTY: [i64; 8] = [100_000, 50_000, 20_000, 10_000, 2_000, 0, 20_000, 10_000];
/// 2025-01-01T00:00:00Z: a clock that nothing stopped has run until here.
pub const AS_OF: i64 = 1_735_689_600_000_000;
/// What every contract has paid in, in cents.
pub const DEPOSIT: i64 = 10_000_000;
/// What deductions leave, in cents.
pub const FLOOR: i64 = 100_000;

/// One ticket as a host of a row engine has it.
#[derive(Clone, Copy)]
pub struct Ticket {
    pub contract: u32,
    pub kind: u8,
    pub reported: i64,
    pub responded: Option<i64>,
    pub resolved: Option<i64>,
}

/// What the policy says about one ticket.
#[derive(Clone, Copy, Default)]
pub struct Outcome {
    pub due_response: i64,
    pub due_resolution: i64,
    pub late_response: i64,
    pub late_resolution: i64,
    pub penalty: i64,
    pub breach_response: bool,
    pub breach_resolution: bool,
    pub free: bool,
}

/// The same as columns, and what the deposit gave.
pub struct Outcomes {
    pub due_response: Vec<i64>,
    pub due_resolution: Vec<i64>,
    pub late_response: Vec<i64>,
    pub late_resolution: Vec<i64>,
    pub penalty: Vec<i64>,
    pub breach_response: Vec<u8>,
    pub breach_resolution: Vec<u8>,
    pub free: Vec<u8>,
    pub deducted: Vec<i64>,
}

impl Outcomes {
    /// Room for `n` tickets, filled with what no policy gives.
    pub fn new(n: usize) -> Self {
        Self {
            due_response: vec![-1; n],
            due_resolution: vec![-1; n],
            late_response: vec![-1; n],
            late_resolution: vec![-1; n],
            penalty: vec![-1; n],
            breach_response: vec![9; n],
            breach_resolution: vec![9; n],
            free: vec![9; n],
            deducted: vec![-1; n],
        }
    }

    /// Overwrites everything, so that no run can pass with what the one before it left.
    pub fn spoil(&mut self) {
        for column in [
            &mut self.due_response,
            &mut self.due_resolution,
            &mut self.late_response,
            &mut self.late_resolution,
            &mut self.penalty,
            &mut self.deducted,
        ] {
            column.fill(-1);
        }
        for column in [&mut self.breach_response, &mut self.breach_resolution, &mut self.free] {
            column.fill(9);
        }
    }

    /// Puts the outcomes of some tickets from a row on.
    pub fn set(&mut self, first: usize, part: &Outcomes) {
        let numbers =
            |whole: &mut Vec<i64>, part: &Vec<i64>| whole[first..first + part.len()].copy_from_slice(part);
        numbers(&mut self.due_response, &part.due_response);
        numbers(&mut self.due_resolution, &part.due_resolution);
        numbers(&mut self.late_response, &part.late_response);
        numbers(&mut self.late_resolution, &part.late_resolution);
        numbers(&mut self.penalty, &part.penalty);
        let bytes =
            |whole: &mut Vec<u8>, part: &Vec<u8>| whole[first..first + part.len()].copy_from_slice(part);
        bytes(&mut self.breach_response, &part.breach_response);
        bytes(&mut self.breach_resolution, &part.breach_resolution);
        bytes(&mut self.free, &part.free);
    }

    /// Puts the outcome of one ticket.
    #[inline]
    pub fn put(&mut self, row: usize, outcome: &Outcome) {
        self.due_response[row] = outcome.due_response;
        self.due_resolution[row] = outcome.due_resolution;
        self.late_response[row] = outcome.late_response;
        self.late_resolution[row] = outcome.late_resolution;
        self.penalty[row] = outcome.penalty;
        self.breach_response[row] = outcome.breach_response as u8;
        self.breach_resolution[row] = outcome.breach_resolution as u8;
        self.free[row] = outcome.free as u8;
    }

    /// The sums over all tickets.
    pub fn totals(&self) -> Totals {
        let count = |column: &[u8]| column.iter().map(|&v| v as i64).sum();
        let sum = |column: &[i64]| column.iter().fold(0u64, |sum, &v| sum.wrapping_add(v as u64));
        let held = |sum: u64| (sum & (u64::MAX >> 1)) as i64;
        Totals {
            responses_late: count(&self.breach_response),
            resolutions_late: count(&self.breach_resolution),
            free: count(&self.free),
            penalty: held(sum(&self.penalty)),
            deducted: held(sum(&self.deducted)),
            dues: held(sum(&self.due_response).wrapping_add(sum(&self.due_resolution))),
            lates: held(sum(&self.late_response).wrapping_add(sum(&self.late_resolution))),
        }
    }
}

/// The sums which every engine must reach. `dues` and `lates` are modulo 2^63.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub responses_late: i64,
    pub resolutions_late: i64,
    pub free: i64,
    pub penalty: i64,
    pub deducted: i64,
    pub dues: i64,
    pub lates: i64,
}

impl Totals {
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "responses_late": self.responses_late,
            "resolutions_late": self.resolutions_late,
            "free": self.free,
            "penalty": self.penalty,
            "deducted": self.deducted,
            "dues": self.dues,
            "lates": self.lates,
        })
    }
}

/// What an engine took. Nanoseconds a ticket, the median of the runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timing {
    /// Everything but `deducted`.
    pub evaluate: f64,
    /// Everything.
    pub total: f64,
    pub runs: usize,
}
