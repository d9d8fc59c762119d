//! Units worked on by all threads, and taken in the order of the input.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;

use super::{Unit, Units, Worker};
use crate::error::BatchError;

/// Runs something over all units, on all threads, and takes the results in the order of the input. Gives how many rows there were.
pub(super) fn over_units<R: Send>(
    mut units: Units<'_>,
    threads: usize,
    work: &(dyn Fn(&mut Worker, Unit) -> Result<R, BatchError> + Sync),
    take: &mut dyn FnMut(R) -> Result<(), BatchError>,
    read: &mut dyn FnMut(u64),
) -> Result<u64, BatchError> {
    if threads <= 1 {
        let mut worker = Worker::default();
        while let Some(unit) = units.next_unit()? {
            take(work(&mut worker, unit)?)?;
            read(units.row - 1);
        }
        return Ok(units.row - 1);
    }
    let most = threads * 2;
    let (give, wanted) = sync_channel::<Unit>(most);
    let wanted = Mutex::new(wanted);
    let (tell, told) = sync_channel::<(u64, Result<R, BatchError>)>(most * 2);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (wanted, tell) = (&wanted, tell.clone());
            scope.spawn(move || {
                let mut worker = Worker::default();
                loop {
                    let Ok(unit) = wanted.lock().map_or(Err(()), |wanted| wanted.recv().map_err(|_| ()))
                    else {
                        return;
                    };
                    let number = unit.number;
                    if tell.send((number, work(&mut worker, unit))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(tell);
        let mut give = Some(give);
        let mut waiting: BTreeMap<u64, R> = BTreeMap::new();
        let (mut next, mut given) = (units.number, units.number);
        let mut result = Ok(());
        loop {
            if result.is_ok() && given < next + most as u64 {
                match (units.next_unit(), &give) {
                    (Ok(Some(unit)), Some(to)) => {
                        given += 1;
                        if to.send(unit).is_err() {
                            give = None;
                        }
                        read(units.row - 1);
                        if given < next + most as u64 {
                            continue;
                        }
                    }
                    (Ok(_), _) => give = None,
                    (Err(error), _) => (result, give) = (Err(error), None),
                }
            }
            if result.is_err() {
                give = None;
            }
            let Ok((number, done)) = told.recv() else { break };
            match done {
                Ok(done) => {
                    waiting.insert(number, done);
                }
                Err(error) => result = result.and(Err(error)),
            }
            while let Some(done) = waiting.remove(&next) {
                next += 1;
                if result.is_ok() {
                    result = take(done);
                }
            }
            if give.is_none() && given == next && result.is_ok() {
                break;
            }
        }
        drop(give);
        drop(told);
        result
    })?;
    Ok(units.row - 1)
}
