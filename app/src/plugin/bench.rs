//! `holdback plugin bench`: how long it takes to instantiate a component, to let it render, and to drop it.

use std::path::Path;
use std::time::{Duration, Instant};

use holdback_plugins::wire::{Delivery, Ladder};
use holdback_plugins::{Channel, Digest, Escalator, Fixture, Host, Plugin, Secrets, World};
use serde::Serialize;

use super::args::BenchArgs;
use super::component::{Found, Rather, called};
use super::{Hosts, escaped, sample, say_json, test};
use crate::args::Format;
use crate::{Console, FINE, Stop};

/// What was measured, times in microseconds.
#[derive(Serialize)]
struct Answer {
    /// The version of this JSON.
    format: u32,
    component: String,
    digest: Digest,
    /// What was rendered.
    of: String,
    calls: usize,
    median_us: f64,
    p99_us: f64,
    max_us: f64,
    /// Of one call.
    #[serde(skip_serializing_if = "Option::is_none")]
    fuel: Option<u64>,
    /// Instances came from a pool.
    pooled: bool,
}

/// What is called again and again.
enum Work {
    Channel(Box<Channel>, Box<Delivery>),
    Ladder(Box<Escalator>, Box<Ladder>),
}

pub(crate) fn bench(args: &BenchArgs, home: Option<&Path>, console: &mut Console<'_>) -> Result<u8, Stop> {
    let hosts = Hosts::new(&console.machine, home);
    let found = Found::find(&args.component, &hosts, Rather::Granted)?;
    let fixture = args
        .fixture
        .as_ref()
        .map(|file| test::read(file).map_err(|why| Stop::Unusable(format!("{}: {why}", file.display()))));
    let fixture = fixture.transpose()?;
    let fuel = {
        let host = hosts.without_folder(Some(test::FUEL))?;
        let plugin = found.load(&host).map_err(Stop::Unusable)?;
        Work::of(&host, &plugin, fixture.as_ref())?.once()?
    };
    let host = hosts.without_folder(None)?;
    let plugin = found.load(&host).map_err(Stop::Unusable)?;
    let work = Work::of(&host, &plugin, fixture.as_ref())?;
    let times = measure(&work, args.calls)?;
    let of = match &args.fixture {
        Some(file) => file.display().to_string(),
        None => "a sample".to_owned(),
    };
    let answer = Answer {
        format: 1,
        component: called(&plugin),
        digest: plugin.digest(),
        of,
        calls: times.len(),
        median_us: at(&times, 50),
        p99_us: at(&times, 99),
        max_us: at(&times, 100),
        fuel,
        pooled: host.is_pooled(),
    };
    match args.format {
        Format::Text => console.say(&text(&answer))?,
        Format::Json => say_json(console, &answer)?,
    }
    Ok(FINE)
}

impl Work {
    fn of(host: &Host, plugin: &Plugin, fixture: Option<&Fixture>) -> Result<Work, Stop> {
        let unusable = |error: holdback_plugins::HostError| Stop::Unusable(escaped(&error.to_string()));
        let description = plugin.description();
        let other = |wanted: &str| {
            Stop::Unusable(format!("the fixture has no `{wanted}`, which the component's world asks for"))
        };
        match plugin.inspection().world {
            World::Escalator => {
                let ladder = match fixture {
                    Some(fixture) => fixture.ladder.clone().ok_or_else(|| other("ladder"))?,
                    None => sample::ladder(description),
                };
                Ok(Work::Ladder(Box::new(host.escalator(plugin).map_err(unusable)?), Box::new(ladder)))
            }
            World::Notifier => {
                let (delivery, secrets) = match fixture {
                    Some(fixture) => {
                        let delivery = fixture.delivery.clone().ok_or_else(|| other("delivery"))?;
                        let secrets = Secrets::from_texts(&fixture.secrets, &description.secrets);
                        (delivery, secrets.map_err(|error| Stop::Unusable(error.to_string()))?)
                    }
                    None => {
                        let destination = sample::destination(description);
                        let delivery = Delivery::of(sample::notice(), &destination, sample::INSTANT_MS);
                        (delivery, sample::secrets(description)?)
                    }
                };
                let channel = host.rehearsal(plugin, secrets).map_err(unusable)?;
                Ok(Work::Channel(Box::new(channel), Box::new(delivery)))
            }
        }
    }

    /// One call, and its fuel if the host counts it.
    fn once(&self) -> Result<Option<u64>, Stop> {
        let failed = |why: String| Stop::Unusable(format!("nothing to measure: {}", escaped(&why)));
        match self {
            Work::Channel(channel, delivery) => match channel.render_measured(delivery) {
                Ok((_, spent)) => Ok(spent.fuel),
                Err(error) => Err(failed(channel.redact(&error.to_string()))),
            },
            Work::Ladder(escalator, ladder) => {
                escalator.next(ladder).map(|_| None).map_err(|error| failed(error.to_string()))
            }
        }
    }
}

/// The times of so many calls, the shortest first.
#[expect(clippy::disallowed_methods, reason = "a measurement of time; no answer of the engine depends on it")]
fn measure(work: &Work, calls: u32) -> Result<Vec<Duration>, Stop> {
    // The first calls fill caches.
    for _ in 0..calls.min(50) {
        work.once()?;
    }
    let mut times = Vec::new();
    for _ in 0..calls {
        let start = Instant::now();
        work.once()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times)
}

/// The time that so many of a hundred calls stay within, in microseconds.
fn at(times: &[Duration], percent: usize) -> f64 {
    let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
    let nanoseconds = times.get(place).map_or(0, Duration::as_nanos);
    nanoseconds as f64 / 1_000.0
}

fn text(answer: &Answer) -> String {
    let Answer { component, of, calls, median_us, p99_us, max_us, fuel, pooled, .. } = answer;
    let fuel = fuel.map(|fuel| format!("; {fuel} fuel a call")).unwrap_or_default();
    let pool = if *pooled { "instances from a pool" } else { "no pool of instances here" };
    format!(
        "{component}\n  instantiate, render, drop, {calls} times, {of}\n  \
         median {median_us:.1} us, p99 {p99_us:.1} us, max {max_us:.1} us{fuel}\n  {pool}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_time_that_so_many_calls_stay_within() {
        let times: Vec<Duration> = (1..=200).map(Duration::from_micros).collect();
        assert_eq!([at(&times, 50), at(&times, 99), at(&times, 100)], [100.0, 198.0, 200.0]);
        assert_eq!(at(&times[..1], 99), 1.0);
    }
}
