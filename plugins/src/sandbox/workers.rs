//! Threads that calls run on, so that a call which does not come back costs its own thread and no one else's time.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Threads that never came back, at most. With more the host is not sane, and says so instead of going on.
const LOST: usize = 16;

/// Says whether its thread is still needed.
type Job = Box<dyn FnOnce() -> bool + Send>;

/// A fixed number of threads; one that is lost is replaced.
pub(super) struct Workers {
    shared: Arc<Shared>,
    /// The longest a call waits for a thread.
    queue: Duration,
    stack: usize,
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    closed: bool,
    lost: usize,
}

/// Why a job has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// All threads were busy for too long. The job was not begun.
    Busy,
    /// It did not come back. Its thread is taken for lost.
    Late,
    /// It panicked.
    Panicked,
    /// Too many threads are lost, or none could be started.
    Insane,
}

/// What a caller waits on.
struct Slot<T> {
    stage: Mutex<Stage<T>>,
    moved: Condvar,
}

enum Stage<T> {
    Queued,
    /// Nobody waits for it any more, and it need not begin.
    Given,
    Running(Instant),
    /// Nobody waits for its end any more.
    Abandoned,
    Done(T),
    Panicked,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What the locks guard is whole between any two statements; a panic elsewhere does not spoil it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Workers {
    pub(super) fn new(threads: usize, queue: Duration, stack: usize) -> std::io::Result<Workers> {
        let shared = Arc::new(Shared { state: Mutex::default(), wake: Condvar::new() });
        let workers = Workers { shared, queue, stack };
        for _ in 0..threads {
            workers.start()?;
        }
        Ok(workers)
    }

    fn start(&self) -> std::io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let work = move || {
            while let Some(job) = shared.next() {
                if !job() {
                    break;
                }
            }
        };
        std::thread::Builder::new()
            .name("holdback-plugin".to_owned())
            .stack_size(self.stack)
            .spawn(work)
            .map(drop)
    }

    /// Runs a job on one of the threads and waits for it, `outer` at most from its beginning.
    pub(super) fn run<T: Send + 'static>(
        &self,
        outer: Duration,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Missing> {
        let slot = Arc::new(Slot { stage: Mutex::new(Stage::Queued), moved: Condvar::new() });
        let theirs = Arc::clone(&slot);
        let shared = Arc::downgrade(&self.shared);
        let job: Job = Box::new(move || {
            if !theirs.begin() {
                return true;
            }
            let done = catch_unwind(AssertUnwindSafe(job));
            let abandoned = theirs.finish(done.ok());
            if abandoned && let Some(shared) = shared.upgrade() {
                // Given up and replaced in the meantime: this thread is one too many.
                let mut state = lock(&shared.state);
                state.lost = state.lost.saturating_sub(1);
            }
            !abandoned
        });
        {
            let mut state = lock(&self.shared.state);
            if state.closed || state.lost >= LOST {
                return Err(Missing::Insane);
            }
            state.jobs.push_back(job);
        }
        self.shared.wake.notify_one();
        slot.wait(self.queue, outer).inspect_err(|missing| {
            if *missing == Missing::Late {
                lock(&self.shared.state).lost += 1;
                if self.start().is_err() {
                    lock(&self.shared.state).lost = LOST;
                }
            }
        })
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        lock(&self.shared.state).closed = true;
        self.shared.wake.notify_all();
    }
}

impl Shared {
    fn next(&self) -> Option<Job> {
        let mut state = lock(&self.state);
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<T> Slot<T> {
    /// Whether the job is still wanted.
    fn begin(&self) -> bool {
        let mut stage = lock(&self.stage);
        let wanted = matches!(*stage, Stage::Queued);
        if wanted {
            *stage = Stage::Running(now());
        }
        wanted
    }

    /// Leaves the result. Says whether nobody waits for it.
    fn finish(&self, done: Option<T>) -> bool {
        let mut stage = lock(&self.stage);
        let abandoned = matches!(*stage, Stage::Abandoned);
        *stage = done.map_or(Stage::Panicked, Stage::Done);
        drop(stage);
        self.moved.notify_one();
        abandoned
    }

    /// The waiter is not woken when its job begins, only when it ends: that would cost every call a switch of threads.
    fn wait(&self, queue: Duration, outer: Duration) -> Result<T, Missing> {
        let asked = now();
        let mut stage = lock(&self.stage);
        loop {
            let left = match &*stage {
                Stage::Queued => queue.checked_sub(asked.elapsed()).map(|left| left.min(outer)),
                Stage::Running(since) => outer.checked_sub(since.elapsed()),
                _ => break,
            };
            let Some(left) = left else {
                let queued = matches!(*stage, Stage::Queued);
                *stage = if queued { Stage::Given } else { Stage::Abandoned };
                return Err(if queued { Missing::Busy } else { Missing::Late });
            };
            stage = self.moved.wait_timeout(stage, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        match std::mem::replace(&mut *stage, Stage::Given) {
            Stage::Done(result) => Ok(result),
            _ => Err(Missing::Panicked),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a call has run; no answer depends on it")]
fn now() -> Instant {
    Instant::now()
}
