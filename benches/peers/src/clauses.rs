//! How cost grows with the number of clauses: clause `j` gives tickets of kind `j % 8` one more clock.

use pulp::{Arch, Simd, WithSimd};

use crate::data::Columns;
use crate::policy::AS_OF;

/// Microseconds from the report to the instant due by clause `j`; the clock stops at `resolved`.
pub const fn limit(j: usize) -> i64 {
    (60 + 37 * j as i64) * 60_000_000
}
/// Cents for a breach of clause `j`.
pub const fn price(j: usize) -> i64 {
    1_000 + 100 * (j as i64 % 50)
}

/// The sums over all tickets and clauses; `dues` and `lates` are modulo 2^63.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClauseTotals {
    pub breaches: i64,
    pub penalty: i64,
    pub dues: i64,
    pub lates: i64,
}
impl ClauseTotals {
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "breaches": self.breaches, "penalty": self.penalty, "dues": self.dues, "lates": self.lates,
        })
    }
}

/// By ticket: over its clauses, the count of breaches and the sums.
pub struct ClauseOutcomes {
    pub breaches: Vec<i64>,
    pub penalty: Vec<i64>,
    pub dues: Vec<i64>,
    pub lates: Vec<i64>,
}
impl ClauseOutcomes {
    pub fn new(n: usize) -> Self {
        Self { breaches: vec![-1; n], penalty: vec![-1; n], dues: vec![-1; n], lates: vec![-1; n] }
    }
    pub fn spoil(&mut self) {
        for column in [&mut self.breaches, &mut self.penalty, &mut self.dues, &mut self.lates] {
            column.fill(-1);
        }
    }
    pub fn totals(&self) -> ClauseTotals {
        let sum = |column: &[i64]| {
            (column.iter().fold(0u64, |sum, &v| sum.wrapping_add(v as u64)) & (u64::MAX >> 1)) as i64
        };
        ClauseTotals {
            breaches: sum(&self.breaches),
            penalty: sum(&self.penalty),
            dues: sum(&self.dues),
            lates: sum(&self.lates),
        }
    }
}

/// The clauses by hand: the `s`-th clause of every kind is one step over a block of rows.
struct Step {
    limit: [i64; 8],
    price: [i64; 8],
    /// -1 where the kind has such a clause, 0 where it has not.
    there: [i64; 8],
}

const B: usize = 64;

#[inline(always)]
fn block(
    steps: &[Step],
    (kind, reported, resolved, mask): (&[u8; B], &[i64; B], &[i64; B], u64),
    (breaches, penalty, dues, lates): (&mut [i64; B], &mut [i64; B], &mut [i64; B], &mut [i64; B]),
) -> i64 {
    let mut end = [0; B];
    for i in 0..B {
        end[i] = if mask >> i & 1 == 1 { resolved[i] } else { AS_OF };
    }
    let (mut count, mut cents, mut due_sum, mut late_sum) = ([0i64; B], [0i64; B], [0i64; B], [0i64; B]);
    let mut over = 0;
    for step in steps {
        for i in 0..B {
            let code = kind[i] as usize & 7;
            let there = step.there[code];
            let due = reported[i].wrapping_add(step.limit[code]);
            over |= (reported[i] ^ due) & (step.limit[code] ^ due) & there;
            let late = -((due < end[i]) as i64) & there;
            let behind = end[i].wrapping_sub(due);
            over |= (end[i] ^ due) & (end[i] ^ behind) & late;
            count[i] -= late;
            let sum = cents[i].wrapping_add(step.price[code] & late);
            over |= (cents[i] ^ sum) & (step.price[code] ^ sum) & late;
            cents[i] = sum;
            // Sums of instants mean nothing but to compare by: modulo 2^64.
            due_sum[i] = due_sum[i].wrapping_add(due & there);
            late_sum[i] = late_sum[i].wrapping_add(behind & late);
        }
    }
    *breaches = count;
    *penalty = cents;
    *dues = due_sum;
    *lates = late_sum;
    over
}

struct Work<'a> {
    steps: &'a [Step],
    columns: &'a Columns,
    out: &'a mut ClauseOutcomes,
}
impl WithSimd for Work<'_> {
    type Output = i64;
    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> i64 {
        let Self { steps, columns, out } = self;
        let mut over = 0;
        let kind = columns.kind.as_chunks::<B>().0;
        let reported = columns.reported.as_chunks::<B>().0;
        let resolved = columns.resolved.as_chunks::<B>().0;
        let breaches = out.breaches.as_chunks_mut::<B>().0;
        let penalty = out.penalty.as_chunks_mut::<B>().0;
        let dues = out.dues.as_chunks_mut::<B>().0;
        let lates = out.lates.as_chunks_mut::<B>().0;
        for b in 0..kind.len() {
            over |= block(
                steps,
                (&kind[b], &reported[b], &resolved[b], columns.resolved_mask[b]),
                (&mut breaches[b], &mut penalty[b], &mut dues[b], &mut lates[b]),
            );
        }
        over
    }
}

/// Only whole blocks: the counts of rows measured are multiples of 64.
pub fn native(columns: &Columns, clauses: usize, out: &mut ClauseOutcomes) {
    assert!(columns.len().is_multiple_of(B));
    let steps: Vec<Step> = (0..clauses.div_ceil(8))
        .map(|s| {
            let mut step = Step { limit: [0; 8], price: [0; 8], there: [0; 8] };
            for kind in 0..8 {
                let j = s * 8 + kind;
                if j < clauses {
                    step.limit[kind] = limit(j);
                    step.price[kind] = price(j);
                    step.there[kind] = -1;
                }
            }
            step
        })
        .collect();
    let over = Arch::new().dispatch(Work { steps: &steps, columns, out });
    assert!(over >= 0, "overflow");
}

/// The clauses as a rhai script, flat and with whole numbers, interpreted.
#[cfg(feature = "rivals")]
pub fn rhai(columns: &Columns, clauses: usize, out: &mut ClauseOutcomes) {
    use std::fmt::Write;

    use rhai::{CallFnOptions, Dynamic, Engine, Scope};

    let mut text = String::from(
        "fn decide(kind, reported, resolved) {\n    if resolved == () { resolved = 1735689600000000; }\n    \
         let breaches = 0; let penalty = 0; let dues = 0; let lates = 0; let due = 0;\n",
    );
    for j in 0..clauses {
        let _ = writeln!(
            text,
            "    if kind == {} {{ due = reported + {}; dues += due; \
             if due < resolved {{ breaches += 1; penalty += {}; lates += resolved - due; }} }}",
            j % 8,
            limit(j),
            price(j),
        );
    }
    text.push_str("    outcome(breaches, penalty, dues, lates)\n}\n");
    let mut engine = Engine::new();
    engine.register_fn("outcome", |a: i64, b: i64, c: i64, d: i64| [a, b, c, d]);
    let ast = engine.compile(text).unwrap();
    let mut scope = Scope::new();
    for row in 0..columns.len() {
        let ticket = columns.row(row);
        let options = CallFnOptions::new().eval_ast(false).rewind_scope(true);
        let resolved = ticket.resolved.map_or(Dynamic::UNIT, Dynamic::from_int);
        let args = (ticket.kind as i64, ticket.reported, resolved);
        let [breaches, penalty, dues, lates]: [i64; 4] =
            engine.call_fn_with_options(options, &mut scope, &ast, "decide", args).unwrap();
        out.breaches[row] = breaches;
        out.penalty[row] = penalty;
        out.dues[row] = dues;
        out.lates[row] = lates;
    }
}
