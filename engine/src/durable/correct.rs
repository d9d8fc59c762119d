//! Another version of a pack taken for contracts that are open: what it alters is found by index, judged again, and the differences
//! are posted with their cause. Can be interrupted at any moment and gone on with.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::answers::raw;
use super::open::PackBody;
use super::rows::{self, sort};
use super::writing::{Writer, head, json};
use super::{DurableEngine, DurableError};
use crate::engine::ITSELF;
use crate::store::{Digest, Head, HeadKind, Reader, Record, StoreError};
use crate::{Decision, Instant, Pack};

/// Tickets that are judged again in one transaction.
const PART: usize = 1000;

/// How far a correction has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// The contract.
    pub contract: String,
    /// The pack before.
    pub from: Digest,
    /// The pack that judges now.
    pub to: Digest,
    /// Tickets on whose answers nothing after this instant bears are not affected.
    pub since: Instant,
    /// How many tickets are affected.
    pub affected: u64,
}

/// What a record of a correction says.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    Begun(Correction),
    /// So many tickets were judged again.
    Some(usize),
    Done,
}

impl DurableEngine {
    /// Takes another version of its pack for a contract, and notes which tickets it can alter. Nothing else can be done with the
    /// engine until [`DurableEngine::go_on_correcting`] has come to its end.
    ///
    /// # Errors
    /// [`DurableError::Unfinished`] when the packs differ in more than terms, calendars and the texts of clauses, or another
    /// correction is not finished; [`StoreError`]. Nothing is changed then.
    pub fn correct(&mut self, contract: &str, pack: Arc<Pack>) -> Result<Correction, DurableError> {
        self.may_step()?;
        let place = self.engine.place(contract);
        let place =
            place.ok_or_else(|| DurableError::Unfinished(format!("unknown contract `{contract}`")))?;
        let body = PackBody::of(&pack);
        self.begin()?;
        match self.begin_correction(place, pack, &body) {
            Ok(correction) => {
                self.commit()?;
                self.is_correcting = true;
                Ok(correction)
            }
            Err(error) => {
                let _ = self.give_up(StoreError::damaged("a correction was given up"));
                Err(error)
            }
        }
    }

    fn begin_correction(
        &mut self,
        place: usize,
        pack: Arc<Pack>,
        body: &PackBody,
    ) -> Result<Correction, DurableError> {
        let Some(contract) = self.engine.contracts.get(place) else {
            return Err(StoreError::damaged("a contract is missing").into());
        };
        let (id, old) = (contract.id.to_string(), Arc::clone(&contract.pack));
        let since = first_difference(&old, &pack).map_err(DurableError::Unfinished)?;
        let (from, to) = (old.digest()?, body.digest()?);
        let mut affected = Vec::new();
        let mut key = rows::at(sort::UNTIL, place).i64(since.micros()).0;
        let end = rows::at(sort::UNTIL, place).end();
        loop {
            let rows = self.shared.lock().scan(&key, &end, 4096)?;
            for (key, _) in &rows {
                affected.push(rows::place(Reader::after(key, 13).u32()?));
            }
            let full = rows.len() == 4096;
            let Some((last, _)) = rows.into_iter().last().filter(|_| full) else { break };
            key = last;
            key.push(0);
        }
        let correction =
            Correction { contract: id.clone(), from, to, since, affected: affected.len() as u64 };
        self.step += 1;
        self.engine.load(place);
        self.engine.load_books(place);
        self.engine.take_fault()?;
        {
            let shared = self.shared.clone();
            let mut store = shared.lock();
            let mut to_rows = Writer { store: &mut **store, tip: &mut self.tip, given: &mut self.given };
            for index in affected {
                to_rows.add(&rows::pending(place, index), b"")?;
            }
            to_rows.put(&rows::at(sort::CONTRACT, place), Some(&rows::contract_row(to, &id)))?;
            let seq = to_rows.tip.seq + 1;
            to_rows.add(&rows::at(sort::REPACKED, place).u64(seq), &from.0)?;
            to_rows.put(&rows::named(sort::ENGINE, "correction"), Some(&json(&correction)?))?;
            let known = to_rows.store.get(&rows::named_digest(to).0)?.is_some();
            if !known {
                to_rows.add(&rows::named_digest(to), &seq.to_be_bytes())?;
            }
        }
        self.packs.insert(from, old);
        self.packs.insert(to, Arc::clone(&pack));
        let mut decisions = Vec::new();
        let settled = self.engine.judge_by(place, pack, &mut decisions);
        self.engine.take_fault()?;
        let mut head = head(HeadKind::Corrected, self.engine.now());
        head.contract = Some(id);
        head.pack = Some(to);
        head.note = Some(raw(&Phase::Begun(correction.clone()))?);
        self.write_step(head, None, Some(json(body)?), &decisions)?;
        // Books that cannot follow say so in the statement; the tickets are corrected all the same.
        drop(settled);
        Ok(correction)
    }

    /// Judges some of the affected tickets again, and posts what differs. Gives what was decided, nothing when all is done.
    ///
    /// # Errors
    /// [`DurableError`]; what was corrected before stays.
    pub fn go_on_correcting(&mut self) -> Result<Option<Vec<Decision>>, DurableError> {
        let Some(correction) = self.correction()? else { return Ok(None) };
        self.begin()?;
        let done = self.correct_some(&correction, PART);
        match done {
            Ok(decisions) => {
                self.commit()?;
                Ok(Some(decisions))
            }
            Err(error) => {
                let _ = self.give_up(StoreError::damaged("a correction was given up"));
                Err(error)
            }
        }
    }

    /// The correction that is not finished, if there is one.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn correction(&self) -> Result<Option<Correction>, StoreError> {
        let row = self.shared.lock().get(&rows::named(sort::ENGINE, "correction").0)?;
        let read = |row: Vec<u8>| {
            serde_json::from_slice(&row)
                .map_err(|error| StoreError::damaged(format!("the correction: {error}")))
        };
        row.map(read).transpose()
    }

    /// Nothing may be told between two parts of a correction: tickets would be judged by two packs.
    pub(super) fn may_step(&self) -> Result<(), StoreError> {
        match self.is_correcting {
            false => Ok(()),
            true => Err(StoreError::Failed {
                path: self.shared.lock().place().map_or("the store".to_owned(), |path| path.display().to_string()),
                reason: "a correction is not finished: go on with it (`holdback recompute`) before anything else is told"
                    .to_owned(),
            }),
        }
    }

    fn correct_some(&mut self, correction: &Correction, most: usize) -> Result<Vec<Decision>, DurableError> {
        let place = self.engine.place(&correction.contract).unwrap_or(ITSELF);
        let pending = rows::at(sort::PENDING, place);
        let rows = self.shared.lock().scan(&pending.0, &pending.end(), most)?;
        let indices = rows.iter().map(|(key, _)| Ok(rows::place(Reader::after(key, 5).u32()?)));
        let indices = indices.collect::<Result<Vec<usize>, StoreError>>()?;
        let (old, new) = (self.pack_of(correction.from)?, self.pack_of(correction.to)?);
        self.step += 1;
        self.engine.load(place);
        let mut decisions = Vec::new();
        let settled = self.engine.correct(place, &indices, (&old, &new), &mut decisions);
        self.engine.take_fault()?;
        let phase = if indices.is_empty() { Phase::Done } else { Phase::Some(indices.len()) };
        {
            let shared = self.shared.clone();
            let mut store = shared.lock();
            let mut to = Writer { store: &mut **store, tip: &mut self.tip, given: &mut self.given };
            for index in &indices {
                to.take(&rows::pending(place, *index), b"")?;
            }
            if indices.is_empty() {
                to.put(&rows::named(sort::ENGINE, "correction"), None)?;
            }
        }
        let mut head = head(HeadKind::Corrected, self.engine.now());
        head.contract = Some(correction.contract.clone());
        head.pack = Some(correction.to);
        head.note = Some(raw(&phase)?);
        self.write_step(head, None, None, &decisions)?;
        if indices.is_empty() {
            self.is_correcting = false;
        }
        drop(settled);
        Ok(decisions)
    }

    /// Does again what a record of a correction says.
    pub(super) fn corrected_again(&mut self, record: &Record, head: &Head) -> Result<(), DurableError> {
        let unreadable =
            || StoreError::damaged(format!("record {}: its correction cannot be read", record.seq));
        let note = head.note.as_ref().ok_or_else(unreadable)?;
        let phase: Phase = serde_json::from_str(note.get()).map_err(|_| unreadable())?;
        match phase {
            Phase::Begun(correction) => {
                let body = record.removable.body.as_deref().unwrap_or_default();
                let body: PackBody = serde_json::from_slice(body).map_err(|_| unreadable())?;
                let pack = Arc::new(body.read(correction.to)?);
                self.correct(&correction.contract, pack)?;
            }
            Phase::Some(_) | Phase::Done => {
                self.go_on_correcting()?;
            }
        }
        Ok(())
    }

    /// Whether a correction is not finished, for the opening.
    pub(super) fn find_correction(&mut self) -> Result<(), StoreError> {
        self.is_correcting = self.correction()?.is_some();
        Ok(())
    }
}

/// The first instant at which two versions of a pack say different things of the same history; or what else differs.
fn first_difference(old: &Pack, new: &Pack) -> Result<Instant, String> {
    let differ = |what: &str| {
        Err(format!(
            "the packs differ in {what}: a correction may alter terms, calendars and the texts of clauses; open a new contract for more"
        ))
    };
    let clauses = |pack: &Pack| -> Vec<String> {
        pack.policy.clauses.iter().map(|clause| clause.id.to_string()).collect()
    };
    if clauses(old) != clauses(new) {
        return differ("their clauses");
    }
    let facts = |pack: &Pack| format!("{:?}", pack.schema.facts);
    let kinds = |pack: &Pack| -> Vec<String> { pack.schema.kinds.names().map(str::to_owned).collect() };
    if facts(old) != facts(new) || kinds(old) != kinds(new) {
        return differ("the facts or events they declare");
    }
    if (old.currency, old.zone) != (new.currency, new.zone) {
        return differ("their currency or zone");
    }
    if old.opening != new.opening {
        return differ("the events that come with them");
    }
    let scripts = |pack: &Pack| -> Vec<(String, String)> {
        let scripts = pack.files.iter().filter(|(path, _)| path.ends_with(".rhai"));
        scripts.map(|(path, text)| (path.clone(), text.clone())).collect()
    };
    let names = |pack: &Pack| -> Vec<String> {
        pack.calendars.iter().map(|calendar| calendar.name.clone()).collect()
    };
    if scripts(old) != scripts(new) || names(old) != names(new) || old.low_term != new.low_term {
        return Ok(Instant::MIN);
    }
    let terms = terms_differ(old, new);
    let calendars = old.calendars.iter().zip(&new.calendars).map(|(old, new)| calendars_differ(old, new));
    Ok(calendars.chain([terms]).flatten().min().unwrap_or(Instant::MAX))
}

fn terms_differ(old: &Pack, new: &Pack) -> Option<Instant> {
    let (before, after) = (&old.policy.words.terms, &new.policy.words.terms);
    if before.names().ne(after.names()) || old.deduction_term != new.deduction_term {
        return Some(Instant::MIN);
    }
    let mut dates: Vec<chrono::NaiveDate> = before.begins().chain(after.begins()).collect();
    dates.sort_unstable();
    let first = dates.into_iter().find(|date| before.on(*date).values != after.on(*date).values)?;
    // The date begins in the contract's zone; a day before it is before it anywhere.
    let day = first.pred_opt()?.and_hms_opt(0, 0, 0)?;
    Some(Instant::from_chrono(&day.and_utc()).unwrap_or(Instant::MIN))
}

fn calendars_differ(old: &crate::pack::DatedCalendar, new: &crate::pack::DatedCalendar) -> Option<Instant> {
    let known = |calendar: &crate::pack::DatedCalendar| -> Vec<Instant> {
        calendar.versions.iter().map(|(from, _)| *from).collect()
    };
    if known(old) != known(new) {
        return Some(Instant::MIN);
    }
    let pairs = old.versions.iter().zip(&new.versions);
    pairs.filter_map(|((_, old), (_, new))| old.first_difference(new)).min()
}
