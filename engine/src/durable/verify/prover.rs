//! The hashing part of verifying, in a thread of its own: one thread reads the store, this one looks at what was read.

use std::collections::BTreeMap;
use std::sync::mpsc::{channel, sync_channel};

use super::{Erasure, Left};
use crate::durable::rows::sort;
use crate::durable::writing::TREE_LEVEL;
use crate::store::{Broken, Digest, HeadKind, PackedRows, Record, RowSum, StoreError, Tree, Walk};

/// What was read, a piece at a time.
pub(super) enum Part {
    Records(Vec<Record>),
    Rows(PackedRows),
}

/// A node of the tree as the records have it, to be compared with its row: its level, its place, its root.
pub(super) type Node = (u32, u64, Digest);

/// Pieces that may wait to be looked at: what bounds the memory.
const WAITING: usize = 4;

/// Looks at records and rows in their order.
pub(super) struct Prover {
    walk: Walk,
    pub(super) tree: Tree,
    /// What the last record that can be read says of the rows.
    pub(super) closes_over: Option<Digest>,
    pub(super) sum: RowSum,
    pub(super) records: u64,
    pub(super) rows: u64,
    pub(super) broken: Vec<Broken>,
    /// Records whose removable part is not what their head says, until an erasure explains it.
    unlike: BTreeMap<u64, Left>,
    erased: BTreeMap<u64, Left>,
}

impl Prover {
    fn new() -> Prover {
        Prover {
            walk: Walk::new(),
            tree: Tree::default(),
            closes_over: None,
            sum: RowSum::default(),
            records: 0,
            rows: 0,
            broken: Vec::new(),
            unlike: BTreeMap::new(),
            erased: BTreeMap::new(),
        }
    }

    fn take(&mut self, part: &Part, nodes: &mut dyn FnMut(Node)) {
        match part {
            Part::Records(records) => records.iter().for_each(|record| self.record(record, nodes)),
            Part::Rows(rows) => {
                for (key, value) in rows.iter().filter(|(key, _)| key.first() != Some(&sort::TREE)) {
                    self.sum.add(key, value);
                    self.rows += 1;
                }
            }
        }
    }

    fn record(&mut self, record: &Record, nodes: &mut dyn FnMut(Node)) {
        let head = self.walk.step(record, &mut self.broken);
        self.records += 1;
        self.tree.push(record.link).into_iter().filter(|(level, ..)| *level >= TREE_LEVEL).for_each(nodes);
        let Some(head) = head else { return };
        let is = record.removable.digests();
        if is != (head.body, head.results) {
            self.unlike.insert(record.seq, is);
        } else if record.removable.salt.is_empty() != (is == (None, None)) {
            self.broken.push(Broken { seq: record.seq, what: "its salt was altered".to_owned() });
        }
        if head.kind == HeadKind::Erased {
            let note = head.note.map(|note| serde_json::from_str::<Vec<Erasure>>(note.get()));
            for erasure in note.and_then(Result::ok).unwrap_or_default() {
                self.erased.insert(erasure.record, (erasure.body, erasure.results));
            }
        }
        self.closes_over = Some(head.rows);
    }

    /// All was read.
    fn end(mut self) -> Prover {
        for (seq, is) in std::mem::take(&mut self.unlike) {
            if self.erased.get(&seq) != Some(&is) {
                let what = "its event or its decisions were altered or removed".to_owned();
                self.broken.push(Broken { seq, what });
            }
        }
        self.broken.sort_by_key(|broken| broken.seq);
        self
    }
}

/// Takes a piece, and gives the nodes that are due to be compared.
pub(super) type Take<'a> = &'a mut dyn FnMut(Part) -> Vec<Node>;

/// Has `read` hand over all records and rows, in their order; gives what was found, and the nodes that are left to be compared.
///
/// # Errors
/// What `read` says.
pub(super) fn prove(
    read: &mut dyn FnMut(Take<'_>) -> Result<(), StoreError>,
) -> Result<(Prover, Vec<Node>), StoreError> {
    let (parts, coming) = sync_channel::<Part>(WAITING);
    let (found, nodes) = channel::<Node>();
    std::thread::scope(|scope| {
        let beside = std::thread::Builder::new().spawn_scoped(scope, move || {
            let mut prover = Prover::new();
            for part in coming {
                // Who reads may have given up; then nobody asks for nodes any more.
                prover.take(&part, &mut |node| {
                    let _ = found.send(node);
                });
            }
            prover.end()
        });
        let Ok(beside) = beside else { return here(read) };
        let told = read(&mut |part| {
            // It takes pieces until no more can come. If it does not, joining it says so.
            drop(parts.send(part));
            nodes.try_iter().collect()
        });
        drop(parts);
        let prover =
            beside.join().map_err(|_| StoreError::damaged("the store could not be looked through"))?;
        told?;
        Ok((prover, nodes.try_iter().collect()))
    })
}

/// The same where no thread can be had.
fn here(read: &mut dyn FnMut(Take<'_>) -> Result<(), StoreError>) -> Result<(Prover, Vec<Node>), StoreError> {
    let (mut prover, mut nodes) = (Prover::new(), Vec::new());
    read(&mut |part| {
        prover.take(&part, &mut |node| nodes.push(node));
        std::mem::take(&mut nodes)
    })?;
    Ok((prover.end(), nodes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beside_and_here_find_the_same() {
        let record = |seq: u64| Record {
            seq,
            head: format!("{{\"seq\":{seq}}}").into_bytes(),
            link: Digest([7; 32]),
            removable: Default::default(),
        };
        let mut read = |take: Take<'_>| {
            let mut nodes = 0;
            for first in (1..2000).step_by(100) {
                nodes += take(Part::Records((first..first + 100).map(record).collect())).len();
            }
            nodes +=
                take(Part::Rows([(vec![b't'], vec![1]), (vec![sort::TREE], vec![2])].into_iter().collect()))
                    .len();
            assert!(nodes <= 13, "{nodes}");
            Ok(())
        };
        let ((one, _), (other, left)) = (prove(&mut read).unwrap(), here(&mut read).unwrap());
        assert_eq!((one.records, one.rows, one.sum), (2000, 1, other.sum));
        assert_eq!((one.tree.root(), one.broken), (other.tree.root(), other.broken));
        assert!(left.is_empty());
        let refused = prove(&mut |_| Err(StoreError::damaged("no disk")));
        assert!(refused.is_err());
    }
}
