//! The Merkle tree over the chain, as RFC 9162 has it: proofs that a record is under a root, and that one root continues
//! another.

use super::digest::{Digest, Of};

/// The digest of a record as a leaf: of its link, which stands for all before it as well.
pub(crate) fn leaf(link: Digest) -> Digest {
    Digest::of(Of::Leaf, &[&link.0])
}

fn node(left: Digest, right: Digest) -> Digest {
    Digest::of(Of::Node, &[&left.0, &right.0])
}

/// A tree that grows by one leaf at a time. Holds the roots of its whole subtrees alone: one for each bit of its size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    /// Roots of whole subtrees, the largest first.
    peaks: Vec<Digest>,
}

impl Tree {
    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes the link of the next record. Gives the whole subtrees that it completes, each by its level and place.
    pub fn push(&mut self, link: Digest) -> Vec<(u32, u64, Digest)> {
        let mut whole = leaf(link);
        let mut done = Vec::new();
        let mut level = 0;
        let mut size = self.size;
        while size & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            whole = node(left, whole);
            level += 1;
            size >>= 1;
            done.push((level, size, whole));
        }
        self.peaks.push(whole);
        self.size += 1;
        done
    }

    /// A tree of this size from the roots of its whole subtrees, the largest first.
    pub(crate) fn of_peaks(size: u64, peaks: Vec<Digest>) -> Tree {
        Tree { size, peaks }
    }

    /// The root; for an empty tree the digest of nothing.
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev().copied();
        let Some(mut root) = peaks.next() else { return empty() };
        for left in peaks {
            root = node(left, root);
        }
        root
    }
}

fn empty() -> Digest {
    use sha2::Digest as _;
    Digest(sha2::Sha256::digest([]).into())
}

/// Gives the root of a whole subtree by its level and place; level 0 are the leaves.
pub(crate) type Nodes<'a, E> = &'a mut dyn FnMut(u32, u64) -> Result<Digest, E>;

/// The largest power of two below a size of at least two.
fn split(size: u64) -> u64 {
    let half = size.next_power_of_two() / 2;
    if half == size { size / 2 } else { half }
}

/// The root over leaves from one place to before another. Whole subtrees begin at multiples of their size.
pub(crate) fn root_of<E>(from: u64, until: u64, nodes: Nodes<'_, E>) -> Result<Digest, E> {
    let size = until.saturating_sub(from);
    if size == 0 {
        return Ok(empty());
    }
    if size.is_power_of_two() {
        let level = size.trailing_zeros();
        return nodes(level, from >> level);
    }
    let middle = from + split(size);
    let left = root_of(from, middle, nodes)?;
    Ok(node(left, root_of(middle, until, nodes)?))
}

/// What leads from a leaf, by its place from 0, to the root of a tree of some size.
pub(crate) fn inclusion_proof<E>(place: u64, size: u64, nodes: Nodes<'_, E>) -> Result<Vec<Digest>, E> {
    let (mut from, mut until) = (0, size);
    let mut path = Vec::new();
    while until - from > 1 {
        let middle = from + split(until - from);
        if place < middle {
            path.push(root_of(middle, until, nodes)?);
            until = middle;
        } else {
            path.push(root_of(from, middle, nodes)?);
            from = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// What shows that a tree of one size is the beginning of one of another size.
pub(crate) fn consistency_proof<E>(old: u64, size: u64, nodes: Nodes<'_, E>) -> Result<Vec<Digest>, E> {
    let (mut from, mut until) = (0, size);
    let mut whole = true;
    let mut path = Vec::new();
    while old != until {
        let middle = from + split(until - from);
        if old <= middle {
            path.push(root_of(middle, until, nodes)?);
            until = middle;
        } else {
            path.push(root_of(from, middle, nodes)?);
            from = middle;
            whole = false;
        }
    }
    if !whole {
        path.push(root_of(from, until, nodes)?);
    }
    path.reverse();
    Ok(path)
}

/// Whether a record, by its place from 0 and its link, is in the tree of some size with this root (RFC 9162, 2.1.3.2).
pub fn included(link: Digest, place: u64, size: u64, proof: &[Digest], root: Digest) -> bool {
    if place >= size {
        return false;
    }
    let (mut at, mut last) = (place, size - 1);
    let mut found = leaf(link);
    for part in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            found = node(*part, found);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            found = node(found, *part);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && found == root
}

/// Whether a tree of one size and root is the beginning of another (RFC 9162, 2.1.4.2).
pub fn consistent(old: (u64, Digest), new: (u64, Digest), proof: &[Digest]) -> bool {
    let ((old, old_root), (size, root)) = (old, new);
    if old > size {
        return false;
    }
    if old == size {
        return proof.is_empty() && old_root == root;
    }
    if old == 0 {
        return proof.is_empty() && old_root == empty();
    }
    let mut parts = proof.iter().copied();
    let first = if old.is_power_of_two() { Some(old_root) } else { parts.next() };
    let Some(first) = first else { return false };
    let (mut at, mut last) = (old - 1, size - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let (mut of_old, mut of_new) = (first, first);
    for part in parts {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            of_old = node(part, of_old);
            of_new = node(part, of_new);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            of_new = node(of_new, part);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && of_old == old_root && of_new == root
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(n: u64) -> Vec<Digest> {
        (0..n).map(|n| Digest::of(Of::Link, &[&n.to_be_bytes()])).collect()
    }

    /// The definition of RFC 9162, 2.1.1, word by word.
    fn defined(links: &[Digest]) -> Digest {
        match links {
            [] => empty(),
            [one] => leaf(*one),
            many => {
                let (left, right) = many.split_at(split(many.len() as u64) as usize);
                node(defined(left), defined(right))
            }
        }
    }

    fn nodes(links: &[Digest]) -> impl FnMut(u32, u64) -> Result<Digest, ()> {
        move |level, place| {
            let (from, size) = ((place << level) as usize, 1_usize << level);
            links.get(from..from + size).map(defined).ok_or(())
        }
    }

    #[test]
    fn a_growing_tree_has_the_root_that_is_defined() {
        let links = links(70);
        let mut tree = Tree::default();
        for n in 0..links.len() {
            assert_eq!(tree.root(), defined(&links[..n]), "{n} leaves");
            for (level, place, root) in tree.push(links[n]) {
                assert_eq!(nodes(&links)(level, place), Ok(root));
            }
        }
        assert_eq!(root_of(0, 70, &mut nodes(&links)), Ok(tree.root()));
    }

    #[test]
    fn every_record_is_shown_to_be_included_and_no_other_is() {
        let links = links(40);
        for size in 1..=links.len() {
            let root = defined(&links[..size]);
            for place in 0..size {
                let proof = inclusion_proof(place as u64, size as u64, &mut nodes(&links)).unwrap();
                let shows = |link, place: usize, proof: &[Digest]| {
                    included(link, place as u64, size as u64, proof, root)
                };
                assert!(shows(links[place], place, &proof), "{place} of {size}");
                assert!(!shows(links[(place + 1) % 40], place, &proof));
                assert!(size == 1 || !shows(links[place], (place + 1) % size, &proof));
                if !proof.is_empty() {
                    assert!(!shows(links[place], place, &proof[1..]));
                }
            }
        }
    }

    #[test]
    fn one_root_is_shown_to_continue_another_and_a_rewritten_one_is_not() {
        let links = links(40);
        let mut other = links.clone();
        other[3] = links[4];
        for size in 0..=links.len() {
            let root = defined(&links[..size]);
            for old in 1..=size {
                let proof = consistency_proof(old as u64, size as u64, &mut nodes(&links)).unwrap();
                let old_root = defined(&links[..old]);
                assert!(consistent((old as u64, old_root), (size as u64, root), &proof), "{old} of {size}");
                if old > 3 {
                    let rewritten = defined(&other[..old]);
                    assert!(!consistent((old as u64, rewritten), (size as u64, root), &proof));
                }
                if let [_, rest @ ..] = &proof[..] {
                    assert!(!consistent((old as u64, old_root), (size as u64, root), rest));
                }
            }
        }
    }
}
