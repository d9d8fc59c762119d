//! Notices on their way into a file: with each the request that a channel would make of it. Nothing is sent.

use std::collections::VecDeque;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use holdback::Notice;
use holdback_plugins::{Channel, Destination, Digest, Sink};
use serde::{Deserialize, Serialize};

use crate::args::RunArgs;
use crate::plugin::{Found, Hosts, Rather, escaped, note, sample, send};
use crate::summary::thousands_of;
use crate::{Console, Stop};

/// Notices that are rendered at once: enough that handing them over costs nothing.
const BATCH: usize = 256;
/// Threads that render; the host takes as many calls at a time.
const THREADS: usize = 2;
/// Batches that may wait, so that a log of any length needs no more memory.
const WAITING: usize = 8;
/// Failures that are shown.
const SHOWN: usize = 5;

/// How the notices were rendered.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Told {
    pub(crate) rendered: u64,
    pub(crate) not_rendered: u64,
    /// The first that were not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) first: Vec<NotRendered>,
    /// The component that rendered them.
    component: String,
    version: String,
    digest: Digest,
    /// The file that they are in.
    file: String,
}

/// A notice without a request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct NotRendered {
    pub(crate) notice: String,
    pub(crate) reason: String,
}

/// Renders notices on threads of its own, and gives them back in their order.
pub(crate) struct Renderer {
    told: Told,
    batch: Vec<Notice>,
    threads: Vec<SyncSender<Job>>,
    next: usize,
    pending: VecDeque<Receiver<Written>>,
}

/// A batch, and where its lines go.
struct Job {
    notices: Vec<Notice>,
    to: SyncSender<Written>,
}

/// The lines of a batch.
#[derive(Default)]
struct Written {
    lines: Vec<u8>,
    rendered: u64,
    not_rendered: Vec<NotRendered>,
}

/// Takes lines to the file.
type Write<'w> = dyn FnMut(&[u8]) -> Result<(), Stop> + 'w;

impl Renderer {
    /// Takes in the component that the arguments name; nothing if they name none.
    pub(crate) fn open(args: &RunArgs, console: &mut Console<'_>) -> Result<Option<Renderer>, Stop> {
        let named = args.destination.as_deref().map(send::destination).transpose()?;
        if args.channel == Path::new("none") {
            return Ok(None);
        }
        let hosts = Hosts::new(&console.machine, args.home.as_deref());
        let found = Found::find(&args.channel, &hosts, Rather::Shipped)?;
        let (host, told) = hosts.perhaps_with_folder(!found.is_shipped())?;
        if let Some(told) = told {
            note(console, &told);
        }
        let plugin = found.load(&host).map_err(Stop::Unusable)?;
        let description = plugin.description();
        let destination = named.unwrap_or_else(|| sample::destination(description));
        let told = Told {
            rendered: 0,
            not_rendered: 0,
            first: Vec::new(),
            component: description.name.clone(),
            version: description.version.clone(),
            digest: plugin.digest(),
            file: String::new(),
        };
        let secrets = sample::secrets(description)?;
        let channel = host.rehearsal(&plugin, secrets);
        let channel = Arc::new(channel.map_err(|error| Stop::Unusable(escaped(&error.to_string())))?);
        let threads =
            (0..THREADS).map(|_| thread(Arc::clone(&channel), destination.clone())).collect::<Result<_, _>>();
        let threads =
            threads.map_err(|error| Stop::Unusable(format!("no thread to render notices on: {error}")))?;
        Ok(Some(Renderer { told, batch: Vec::new(), threads, next: 0, pending: VecDeque::new() }))
    }

    /// Takes notices on, and writes lines that are ready.
    pub(crate) fn take(&mut self, notices: Vec<Notice>, write: &mut Write<'_>) -> Result<(), Stop> {
        self.batch.extend(notices);
        if self.batch.len() >= BATCH { self.hand_over(write) } else { Ok(()) }
    }

    /// Writes all lines that are left, and says how it went.
    pub(crate) fn end(mut self, file: &Path, write: &mut Write<'_>) -> Result<Told, Stop> {
        self.hand_over(write)?;
        while !self.pending.is_empty() {
            self.give_back(write)?;
        }
        Ok(Told { file: file.display().to_string(), ..self.told })
    }

    fn hand_over(&mut self, write: &mut Write<'_>) -> Result<(), Stop> {
        if self.batch.is_empty() {
            return Ok(());
        }
        while self.pending.len() >= WAITING {
            self.give_back(write)?;
        }
        let (to, written) = sync_channel(1);
        let notices = std::mem::take(&mut self.batch);
        let thread = self.threads.get(self.next % THREADS);
        self.next = self.next.wrapping_add(1);
        let sent = thread.map(|thread| thread.send(Job { notices, to }));
        match sent {
            Some(Ok(())) => self.pending.push_back(written),
            _ => return Err(gone()),
        }
        Ok(())
    }

    /// Writes the oldest batch.
    fn give_back(&mut self, write: &mut Write<'_>) -> Result<(), Stop> {
        let Some(oldest) = self.pending.pop_front() else { return Ok(()) };
        let written = oldest.recv().map_err(|_| gone())?;
        write(&written.lines)?;
        self.told.rendered += written.rendered;
        self.told.not_rendered += written.not_rendered.len() as u64;
        let room = SHOWN.saturating_sub(self.told.first.len());
        self.told.first.extend(written.not_rendered.into_iter().take(room));
        Ok(())
    }
}

fn gone() -> Stop {
    Stop::Unusable("notices: a thread that renders them has ended".to_owned())
}

/// A thread that renders one batch after the other until nobody gives it any more.
fn thread(channel: Arc<Channel>, destination: Destination) -> std::io::Result<SyncSender<Job>> {
    let (jobs, given) = sync_channel::<Job>(WAITING);
    std::thread::Builder::new().name("holdback-notices".to_owned()).spawn(move || {
        let sink = Sink::rendering(&channel, destination);
        for Job { notices, to } in given {
            // Nobody waits for it once the run was given up.
            let _ = to.send(written(&sink, &notices));
        }
    })?;
    Ok(jobs)
}

/// What of a line is told.
#[derive(Deserialize)]
struct Line {
    not_rendered: Option<String>,
}

fn written(sink: &Sink<'_>, notices: &[Notice]) -> Written {
    let mut written = Written::default();
    for notice in notices {
        let start = written.lines.len();
        // Writing to memory does not fail.
        match sink.write(notice, &mut written.lines) {
            Ok(true) => written.rendered += 1,
            Ok(false) | Err(_) => {
                let line = written.lines.get(start..).unwrap_or_default();
                let told: Option<Line> = serde_json::from_slice(line).ok();
                let reason = told.and_then(|line| line.not_rendered).unwrap_or_default();
                written
                    .not_rendered
                    .push(NotRendered { notice: notice.id.clone(), reason: escaped(&reason) });
            }
        }
    }
    written
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Told { component, version, digest, file, .. } = self;
        write!(
            f,
            "{} rendered by {} {} ",
            thousands_of(self.rendered),
            escaped(component),
            escaped(version)
        )?;
        write!(f, "(sha256:{}), none sent: {file}", digest.short())?;
        if self.not_rendered > 0 {
            write!(f, "; {} not rendered", thousands_of(self.not_rendered))?;
        }
        Ok(())
    }
}
