//! What the rows of a durable engine mean. A contract goes by its place, a ticket by its place within the contract.

use std::sync::Arc;

use crate::Instant;
use crate::assess::End;
use crate::engine::{ContractStanding, ITSELF, Standing};
use crate::store::{Digest, Key, Of, Reader, StoreError, put_text};

/// The sorts of rows. Each key begins with one.
pub(super) mod sort {
    /// Contract by its place: the pack's digest, the id.
    pub(in crate::durable) const CONTRACT: u8 = b'c';
    /// The place of a contract by its id.
    pub(in crate::durable) const CONTRACT_ID: u8 = b'C';
    /// How a contract stands, by its place.
    pub(in crate::durable) const STANDING: u8 = b'b';
    /// The record that holds a pack, by its digest.
    pub(in crate::durable) const PACK: u8 = b'p';
    /// The record of an event, by its id.
    pub(in crate::durable) const EVENT: u8 = b'e';
    /// A ticket by contract and place: how it stands, its id.
    pub(in crate::durable) const TICKET: u8 = b't';
    /// The place of a ticket by its contract and id.
    pub(in crate::durable) const TICKET_ID: u8 = b'T';
    /// The records of a ticket's events, or of a contract's own.
    pub(in crate::durable) const HISTORY: u8 = b'h';
    /// What must be looked at when.
    pub(in crate::durable) const WAKE: u8 = b'w';
    /// Tickets of a contract by the last instant on which their answers hang.
    pub(in crate::durable) const UNTIL: u8 = b'u';
    /// What a contract owes, by the penalty's id.
    pub(in crate::durable) const OWED: u8 = b'o';
    /// The lines of a contract's statement, by instant and penalty.
    pub(in crate::durable) const LINE: u8 = b'j';
    /// The ledger of a contract.
    pub(in crate::durable) const LEDGER: u8 = b'l';
    /// When clocks ended, by contract and name.
    pub(in crate::durable) const END: u8 = b'd';
    /// Findings on the levels of a contract that were told, by their digests.
    pub(in crate::durable) const FOUND: u8 = b'f';
    /// The number of a notice, by its id.
    pub(in crate::durable) const NOTICE: u8 = b'n';
    /// The notices that wait, by number.
    pub(in crate::durable) const WAITING: u8 = b'q';
    /// Records with decisions on a ticket that none of its own events brought about.
    pub(in crate::durable) const DECIDED: u8 = b'D';
    /// The packs that judged a contract before: the digest, by the record that replaced it.
    pub(in crate::durable) const REPACKED: u8 = b'K';
    /// Digests that stand for those in a record's head, since values were erased.
    pub(in crate::durable) const ERASED: u8 = b'r';
    /// Tickets that a correction has still to judge, by contract and place.
    pub(in crate::durable) const PENDING: u8 = b'k';
    /// How the engine is run, and work that is not finished.
    pub(in crate::durable) const ENGINE: u8 = b'm';
    /// Roots of whole subtrees of the tree over the chain. In no sum: they follow from the chain.
    pub(in crate::durable) const TREE: u8 = b'x';
}

/// A place as it stands in keys; the contract itself comes last.
pub(super) fn number(place: usize) -> u32 {
    if place == ITSELF { u32::MAX } else { u32::try_from(place).unwrap_or(u32::MAX - 1) }
}

pub(super) fn place(number: u32) -> usize {
    if number == u32::MAX { ITSELF } else { usize::try_from(number).unwrap_or(ITSELF) }
}

/// What row a key is of, in words.
pub(super) fn say(key: &[u8]) -> String {
    let what = match key.first() {
        Some(&sort::CONTRACT | &sort::CONTRACT_ID) => "a contract",
        Some(&sort::STANDING) => "how a contract stands",
        Some(&sort::PACK | &sort::REPACKED) => "where a pack is",
        Some(&sort::EVENT) => "where an event is",
        Some(&sort::TICKET | &sort::TICKET_ID | &sort::UNTIL) => "a ticket",
        Some(&sort::HISTORY | &sort::DECIDED) => "a ticket's history",
        Some(&sort::WAKE) => "a due instant",
        Some(&sort::OWED) => "a penalty",
        Some(&sort::LINE) => "a line of a statement",
        Some(&sort::LEDGER) => "a ledger entry",
        Some(&sort::FOUND) => "a finding",
        Some(&sort::END) => "the end of a clock",
        Some(&sort::NOTICE | &sort::WAITING) => "a notice",
        Some(&sort::ERASED) => "an erasure",
        Some(&sort::PENDING) => "a ticket to be corrected",
        Some(&sort::TREE) => "a node of the tree",
        _ => "a row",
    };
    let key: String = key.iter().skip(1).flat_map(|byte| byte.escape_ascii()).map(char::from).collect();
    format!("{what} (`{key}`)")
}

pub(super) fn at(sort: u8, contract: usize) -> Key {
    Key::new(sort).u32(number(contract))
}

pub(super) fn history(contract: usize, ticket: usize, seq: u64) -> Key {
    at(sort::HISTORY, contract).u32(number(ticket)).u64(seq)
}

pub(super) fn decided(contract: usize, ticket: usize, seq: u64) -> Key {
    at(sort::DECIDED, contract).u32(number(ticket)).u64(seq)
}

pub(super) fn ticket(contract: usize, ticket: usize) -> Key {
    at(sort::TICKET, contract).u32(number(ticket))
}

pub(super) fn ticket_id(contract: usize, id: &str) -> Key {
    at(sort::TICKET_ID, contract).text(id)
}

pub(super) fn wake(when: Instant, contract: usize, ticket: usize) -> Key {
    Key::new(sort::WAKE).i64(when.micros()).u32(number(contract)).u32(number(ticket))
}

pub(super) fn until(when: Instant, contract: usize, ticket: usize) -> Key {
    at(sort::UNTIL, contract).i64(when.micros()).u32(number(ticket))
}

pub(super) fn found(contract: usize, row: &[u8]) -> Key {
    let mut key = at(sort::FOUND, contract);
    key.0.extend(Digest::of(Of::Row, &[row]).0);
    key
}

pub(super) fn owed(contract: usize, penalty: &str) -> Key {
    at(sort::OWED, contract).text(penalty)
}

pub(super) fn line(contract: usize, when: Instant, penalty: &str) -> Key {
    at(sort::LINE, contract).i64(when.micros()).text(penalty)
}

pub(super) fn ledger(contract: usize, entry: u64) -> Key {
    at(sort::LEDGER, contract).u64(entry)
}

pub(super) fn end(contract: usize, name: &str, (when, ticket, clock, met): End) -> Key {
    let key = ends(contract, name).i64(when.micros()).u32(number(ticket)).u32(u32::from(clock));
    key.u32(u32::from(met))
}

/// The ends of a contract's clocks of a name.
pub(super) fn ends(contract: usize, name: &str) -> Key {
    at(sort::END, contract).part(name)
}

pub(super) fn named(sort: u8, name: &str) -> Key {
    Key::new(sort).text(name)
}

pub(super) fn named_digest(pack: Digest) -> Key {
    let mut key = Key::new(sort::PACK);
    key.0.extend(pack.0);
    key
}

pub(super) fn pending(contract: usize, ticket: usize) -> Key {
    at(sort::PENDING, contract).u32(number(ticket))
}

pub(super) fn numbered(sort: u8, seq: u64) -> Key {
    Key::new(sort).u64(seq)
}

pub(super) fn node(level: u32, at: u64) -> Key {
    Key::new(sort::TREE).u32(level).u64(at)
}

fn instant(micros: i64) -> Result<Instant, StoreError> {
    Instant::from_micros(micros).map_err(|error| StoreError::damaged(format!("an instant of a row: {error}")))
}

/// No instant, in the place of one: before all that there are.
const NEVER: i64 = i64::MIN;

fn put_instant(value: &mut Vec<u8>, when: Option<Instant>) {
    value.extend(when.map_or(NEVER, Instant::micros).to_be_bytes());
}

fn read_instant(from: &mut Reader<'_>) -> Result<Option<Instant>, StoreError> {
    match from.u64()?.cast_signed() {
        NEVER => Ok(None),
        micros => instant(micros).map(Some),
    }
}

pub(super) fn read_wake(key: &[u8]) -> Result<(Instant, usize, usize), StoreError> {
    let mut from = Reader::after(key, 1);
    Ok((instant(from.i64()?)?, place(from.u32()?), place(from.u32()?)))
}

pub(super) fn ticket_row(standing: &Standing, id: &str) -> Vec<u8> {
    let mut value = Vec::with_capacity(20 + id.len());
    put_instant(&mut value, standing.wake);
    put_instant(&mut value, Some(standing.until));
    put_text(&mut value, id);
    value
}

pub(super) fn read_ticket(value: &[u8]) -> Result<(Standing, Arc<str>), StoreError> {
    let mut from = Reader::new(value);
    let (wake, until) = (read_instant(&mut from)?, read_instant(&mut from)?.unwrap_or(Instant::MAX));
    Ok((Standing { wake, until, touched: 0 }, from.part()?.into()))
}

pub(super) fn standing_row(standing: &ContractStanding) -> Vec<u8> {
    let mut value = number(standing.tickets).to_be_bytes().to_vec();
    value.extend(standing.entries.to_be_bytes());
    put_instant(&mut value, standing.wake);
    value.extend([u8::from(standing.low), u8::from(standing.exhausted)]);
    value
}

pub(super) fn read_standing(value: &[u8]) -> Result<ContractStanding, StoreError> {
    let mut from = Reader::new(value);
    Ok(ContractStanding {
        tickets: place(from.u32()?),
        entries: from.u64()?,
        wake: read_instant(&mut from)?,
        low: from.u8()? == 1,
        exhausted: from.u8()? == 1,
    })
}

pub(super) fn contract_row(pack: Digest, id: &str) -> Vec<u8> {
    let mut value = pack.0.to_vec();
    value.extend(id.as_bytes());
    value
}

pub(super) fn read_contract(value: &[u8]) -> Result<(Digest, &str), StoreError> {
    let mut from = Reader::new(value);
    let pack = Digest::from_slice(from.bytes(32)?).unwrap_or(Digest([0; 32]));
    Ok((pack, from.rest()?))
}

pub(super) fn read_seq(value: &[u8]) -> Result<u64, StoreError> {
    Reader::new(value).u64()
}

pub(super) fn read_end(key: &[u8]) -> Result<(Arc<str>, End), StoreError> {
    let mut from = Reader::after(key, 5);
    let name = from.part()?.into();
    let when = instant(from.i64()?)?;
    let (ticket, clock) = (place(from.u32()?), u16::try_from(from.u32()?).unwrap_or(u16::MAX));
    Ok((name, (when, ticket, clock, from.u32()? == 1)))
}
