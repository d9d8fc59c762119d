//! Holdback's own engines on the same columns.
//!
//! They are built with the feature `holdback` and without `rivals`; `run.sh` makes a program of each.

#[cfg(not(feature = "holdback"))]
mod absent {
    use crate::clauses::ClauseTotals;
    use crate::data::Columns;
    use crate::policy::{Timing, Totals};

    pub fn compiled(_: &Columns, _: usize, _: usize) -> Option<(Totals, Timing)> {
        None
    }
    pub fn typed(_: &Columns, _: usize, _: usize) -> Option<(Totals, Timing)> {
        None
    }
    pub fn rhai(_: &Columns, _: usize, _: usize) -> Option<(Totals, Timing)> {
        None
    }
    pub fn compiled_clauses(_: &Columns, _: usize, _: usize) -> Option<(ClauseTotals, Timing)> {
        None
    }
    pub fn files(_: &str, _: &std::path::Path, _: usize, _: usize) -> Option<(usize, f64)> {
        None
    }
}
#[cfg(not(feature = "holdback"))]
pub use absent::*;

#[cfg(feature = "holdback")]
pub use present::*;

#[cfg(feature = "holdback")]
mod present {
    use std::collections::BTreeMap;
    use std::fmt::Write;
    use std::path::Path;
    use std::sync::{Arc, Mutex};
    use std::time::Instant as Watch;

    use arrow::array::RecordBatch;
    use holdback::{ClockState, Evaluator, Event, Instant, Pack, assess};
    use holdback_batch::{Batch, Job, Numbers, OnError, Output, assess_history};

    use crate::clauses::{self, ClauseTotals};
    use crate::data::{self, Columns};
    use crate::native::{self, Room};
    use crate::policy::{AS_OF, KINDS, Outcome, Outcomes, Timing, Totals};

    /// Rows judged at a time: what a reader of Parquet hands over.
    const ROWS: usize = 1 << 14;

    fn pack() -> Pack {
        Pack::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("pack")).unwrap()
    }

    fn as_of() -> Instant {
        Instant::from_micros(AS_OF).unwrap()
    }

    /// The acceptance of every contract.
    fn events(contracts: usize) -> Vec<Event> {
        let event = |contract: usize| Event {
            id: format!("accepted-{contract}"),
            contract: data::contract_name(contract),
            ticket: None,
            kind: "project_accepted".to_owned(),
            at: Instant::from_seconds(data::accepted(contract) * 86_400).unwrap(),
            actor: None,
            via: None,
            data: serde_json::Map::new(),
        };
        (0..contracts).map(event).collect()
    }

    fn batches(columns: &Columns) -> Vec<RecordBatch> {
        let n = columns.len();
        (0..n).step_by(ROWS).map(|from| data::batch(columns, from, (from + ROWS).min(n)).unwrap()).collect()
    }

    /// Judges all batches on so many threads, and takes the numbers of each at once: seconds of judging by the slowest thread.
    fn judge(
        batch: &Batch,
        all: &[RecordBatch],
        threads: usize,
        take: &(dyn Fn(usize, &Numbers) + Sync),
    ) -> f64 {
        let share = all.len().div_ceil(threads.max(1)).max(1);
        let part = |first: usize, part: &[RecordBatch]| {
            let (mut numbers, mut seconds) = (Numbers::default(), 0.0);
            for (nth, rows) in part.iter().enumerate() {
                let start = Watch::now();
                batch.judge_into(rows, &mut numbers).unwrap();
                seconds += start.elapsed().as_secs_f64();
                take(first + nth, &numbers);
            }
            seconds
        };
        if threads <= 1 {
            return part(0, all);
        }
        std::thread::scope(|scope| {
            let part = &part;
            let parts = all.chunks(share).enumerate();
            let work: Vec<_> =
                parts.map(|(nth, rows)| scope.spawn(move || part(nth * share, rows))).collect();
            work.into_iter().map(|work| work.join().unwrap()).fold(0.0, f64::max)
        })
    }

    /// Packs compiled to column kernels.
    pub fn compiled(columns: &Columns, threads: usize, runs: usize) -> Option<(Totals, Timing)> {
        let n = columns.len();
        let batch = Batch::new(Arc::new(pack()), as_of()).unwrap().of_any_contract();
        let batch = batch.with_contract_events(events(columns.warranty_end.len()));
        assert!(batch.uncompiled().is_empty());
        let all = batches(columns);
        let mut out = Outcomes::new(n);
        let mut rooms: Vec<Room> = (0..threads.max(1)).map(|_| Room::default()).collect();
        // One part of the sums for each batch, so that threads do not wait for each other.
        let parts: Vec<Mutex<Outcomes>> =
            all.iter().map(|rows| Mutex::new(Outcomes::new(rows.num_rows()))).collect();
        let timing = crate::measure(n, runs, || {
            parts.iter().for_each(|part| part.lock().unwrap().spoil());
            let evaluated =
                judge(&batch, &all, threads, &|nth, numbers| put(numbers, &mut parts[nth].lock().unwrap()));
            // The sums are taken of what was judged; moving it there is not the engine's.
            for (nth, part) in parts.iter().enumerate() {
                out.set(nth * ROWS, &part.lock().unwrap());
            }
            let start = Watch::now();
            native::settle(columns, &mut out, &mut rooms).unwrap();
            (evaluated, evaluated + start.elapsed().as_secs_f64())
        });
        Some((out.totals(), timing))
    }

    fn put(numbers: &Numbers, out: &mut Outcomes) {
        assert_eq!((numbers.singles, numbers.refused.len()), (0, 0));
        let rows = numbers.free.len();
        out.penalty[..rows].fill(0);
        for (row, free) in numbers.free.iter().enumerate() {
            out.free[row] = u8::from(*free == 1);
        }
        for clock in &numbers.clocks {
            assert!(clock.rows.is_none());
            let response = &*clock.clock == "response";
            for row in 0..rows {
                let missed = matches!(clock.state[row], 4 | 5);
                if missed {
                    out.penalty[row] += clock.penalty[row];
                }
                let (due, late, breach) = match response {
                    true => (&mut out.due_response, &mut out.late_response, &mut out.breach_response),
                    false => (&mut out.due_resolution, &mut out.late_resolution, &mut out.breach_resolution),
                };
                (due[row], late[row], breach[row]) = (clock.due[row], clock.late[row], u8::from(missed));
            }
        }
    }

    /// One ticket at a time, by an evaluator of the pack.
    fn by_rows(columns: &Columns, runs: usize, evaluator: Evaluator) -> Option<(Totals, Timing)> {
        let n = columns.len();
        let pack = pack().evaluated_by(evaluator);
        let own: Vec<Vec<Event>> =
            events(columns.warranty_end.len()).into_iter().map(|event| vec![event]).collect();
        let told: Vec<Vec<Event>> = (0..n).map(|row| ticket(columns, row)).collect();
        let mut out = Outcomes::new(n);
        let mut rooms = [Room::default()];
        let timing = crate::measure(n, runs, || {
            out.spoil();
            let start = Watch::now();
            for (row, events) in told.iter().enumerate() {
                let judged = assess(&pack, &own[columns.contract[row] as usize], events, as_of()).unwrap();
                let clock = |name: &str| {
                    let clock = judged.clocks.iter().find(|clock| clock.clock == name).unwrap();
                    let missed = [ClockState::Breached, ClockState::Late].contains(&clock.state);
                    (clock.due.unwrap().micros(), clock.late.micros(), missed)
                };
                let (
                    (due_response, late_response, breach_response),
                    (due_resolution, late_resolution, breach_resolution),
                ) = (clock("response"), clock("resolution"));
                let penalty = judged.penalties.iter().map(|penalty| penalty.amount.minor()).sum();
                let free = judged.class.is_some_and(|class| class.free);
                let outcome = Outcome {
                    due_response,
                    due_resolution,
                    late_response,
                    late_resolution,
                    penalty,
                    breach_response,
                    breach_resolution,
                    free,
                };
                out.put(row, &outcome);
            }
            let evaluated = start.elapsed().as_secs_f64();
            native::settle(columns, &mut out, &mut rooms).unwrap();
            (evaluated, start.elapsed().as_secs_f64())
        });
        Some((out.totals(), timing))
    }

    fn ticket(columns: &Columns, row: usize) -> Vec<Event> {
        let ticket = columns.row(row);
        let event = |nth: usize, kind: &str, at: i64| Event {
            id: format!("{nth}"),
            contract: data::contract_name(ticket.contract as usize),
            ticket: Some(format!("T{row:09}")),
            kind: kind.to_owned(),
            at: Instant::from_micros(at).unwrap(),
            actor: None,
            via: None,
            data: serde_json::Map::new(),
        };
        let mut reported = event(0, "reported", ticket.reported);
        reported.data.insert("kind".to_owned(), KINDS[ticket.kind as usize].into());
        let mut all = vec![reported];
        all.extend(ticket.responded.map(|at| event(1, "responded", at)));
        all.extend(ticket.resolved.map(|at| event(2, "resolved", at)));
        all
    }

    /// The typed evaluator, one ticket at a time: events in, assessments out.
    pub fn typed(columns: &Columns, _: usize, runs: usize) -> Option<(Totals, Timing)> {
        by_rows(columns, runs, Evaluator::Program)
    }

    /// The reference: the clauses interpreted by rhai, likewise.
    pub fn rhai(columns: &Columns, _: usize, runs: usize) -> Option<(Totals, Timing)> {
        by_rows(columns, runs, Evaluator::Reference)
    }

    /// A pack of `count` clauses (see `crate::clauses`), compiled to column kernels.
    pub fn compiled_clauses(columns: &Columns, count: usize, runs: usize) -> Option<(ClauseTotals, Timing)> {
        let n = columns.len();
        let pack = Pack::from_files(clause_files(count)).unwrap_or_else(|error| panic!("{error}"));
        let batch = Batch::new(Arc::new(pack), as_of()).unwrap().of_any_contract();
        assert!(batch.uncompiled().is_empty());
        let all = batches(columns);
        let sums = Mutex::new([0_u64; 4]);
        let timing = crate::measure(n, runs, || {
            *sums.lock().unwrap() = [0; 4];
            let evaluated = judge(&batch, &all, 1, &|_, numbers| {
                let [breaches, penalty, dues, lates] = &mut *sums.lock().unwrap();
                for clock in &numbers.clocks {
                    for (row, state) in clock.state.iter().enumerate().filter(|(_, state)| **state != 7) {
                        *dues = dues.wrapping_add(clock.due[row] as u64);
                        *lates = lates.wrapping_add(clock.late[row] as u64);
                        if matches!(state, 4 | 5) {
                            *breaches += 1;
                            *penalty = penalty.wrapping_add(clock.penalty[row] as u64);
                        }
                    }
                }
            });
            (evaluated, evaluated)
        });
        let [breaches, penalty, dues, lates] = *sums.lock().unwrap();
        let held = |sum: u64| (sum & (u64::MAX >> 1)) as i64;
        let totals = ClauseTotals {
            breaches: held(breaches),
            penalty: held(penalty),
            dues: held(dues),
            lates: held(lates),
        };
        Some((totals, timing))
    }

    /// A history from file to file, as `holdback assess` does it: its tickets, and the median of the seconds. `tickets` are judged by the
    /// dense policy, `events` by that of rules/it-incidents.
    pub fn files(what: &str, folder: &Path, threads: usize, runs: usize) -> Option<(usize, f64)> {
        let (pack, own) = match what {
            "tickets" => (pack(), events(100)),
            _ => (
                Pack::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules/it-incidents")).unwrap(),
                Vec::new(),
            ),
        };
        let batch = Batch::new(Arc::new(pack), as_of()).unwrap().of_any_contract();
        let mut seconds = Vec::new();
        let mut tickets = 0;
        for _ in 0..runs {
            let job = Job {
                input: folder.join(format!("{what}.parquet")),
                contract_events: own.clone(),
                output: Output::File(folder.join(format!("holdback-{what}.parquet"))),
                on_error: OnError::Stop,
                threads,
                memory: 2 << 30,
                ends: false,
            };
            let start = Watch::now();
            let report = assess_history(&batch, &job, &mut |_| {}).unwrap();
            seconds.push(start.elapsed().as_secs_f64());
            assert_eq!((report.refused, report.faults, report.by_rows), (0, 0, 0));
            tickets = report.tickets as usize;
        }
        seconds.sort_by(f64::total_cmp);
        Some((tickets, seconds[seconds.len() / 2]))
    }

    /// Clauses with a guard each, as the hand-written ones have them.
    fn clause_files(count: usize) -> BTreeMap<String, String> {
        let kinds: Vec<String> = KINDS.iter().map(|kind| format!("{kind:?}")).collect();
        let mut pack = format!(
            "format = 1\nname = \"clauses\"\nversion = \"1\"\ncurrency = \"USD\"\nzone = \"UTC\"\ncontracts = [\"c00000\"]\n\
             [facts.kind]\ntype = \"one-of\"\nvalues = [{}]\ndoc = \"kind\"\n",
            kinds.join(", ")
        );
        pack.push('\n');
        let mut contract = String::new();
        let mut files = BTreeMap::new();
        for clause in 0..count {
            writeln!(contract, "# [{clause}] Clause {clause}").unwrap();
            let (kind, limit, price) =
                (KINDS[clause % 8], clauses::limit(clause) / 1_000_000, clauses::price(clause));
            let text = format!(
                "//! clause: {clause}\nfn applies(ticket) {{ ticket.kind == \"{kind}\" }}\n\
                 fn deadlines(ticket) {{ [due(\"clock\").within(seconds({limit})).met_by(\"resolved\")] }}\n\
                 fn penalty(breach) {{ money(\"{}.{:02}\") }}\n",
                price / 100,
                price % 100
            );
            files.insert(format!("clauses/{clause}.rhai"), text);
        }
        contract.push_str("# [floor] Deposit\n");
        files.insert(
            "clauses/floor.rhai".to_owned(),
            "//! clause: floor\nfn deposit_floor() { money(\"0.00\") }\n".to_owned(),
        );
        files.insert("pack.toml".to_owned(), pack);
        files.insert("contract.md".to_owned(), contract);
        files
    }
}
