//! Recorded deliveries and answers, run on the real component: how a channel is tested.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::channel::RenderError;
use crate::host::{Host, HostError, Plugin};
use crate::inspect::World;
use crate::secret::Secrets;
use crate::wire::{Callback, CallbackOutcome, Delivery, Ladder, Outcome, Request, Response, Step};

/// One recorded story of a channel or a ladder, as JSON: what goes in and exactly what must come out.
///
/// Fields are those of the interface. A channel's has `delivery` with `request` or `refused`, `answers` to it, or a `callback` with
/// `callback-outcome`; a ladder's has `ladder` with `steps` or `refused`. `secrets` are the contents of slots, made up for the test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Fixture {
    /// What the story shows.
    pub about: String,
    /// What is in the slots, as an operator would write it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    /// What is to be rendered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// What it must be rendered to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// The reason for which it must be refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Answers to the request, and what they must be taken for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
    /// What comes in from the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<Callback>,
    /// What it must be taken for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_outcome: Option<CallbackOutcome>,
    /// Where a ladder stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ladder: Option<Ladder>,
    /// The steps that it must propose and that must count, without the contract's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<Step>>,
}

/// An answer, and what it must be taken for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// What came back.
    pub response: Response,
    /// What it must be taken for.
    pub outcome: Outcome,
}

/// Where a component does otherwise than its fixture says.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Which part: `request`, `answers[2]` ...
    pub what: String,
    /// What the fixture says.
    pub expected: Value,
    /// What the component did.
    pub found: Value,
}

/// How a fixture went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rehearsed {
    /// Calls of the component.
    pub calls: usize,
    /// Where it does otherwise.
    pub differences: Vec<Difference>,
    /// Fuel of its dearest call, if the host counts it.
    pub fuel: Option<u64>,
}

/// A fixture that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FixtureError {
    /// Not the JSON of a fixture.
    #[error("line {line}, column {column}: {reason}")]
    Malformed {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// It expects nothing.
    #[error(
        "nothing is expected: `delivery` wants `request` or `refused`, `callback` wants `callback-outcome`, `ladder` wants `steps` or `refused`"
    )]
    Vacuous,
    /// It is for the other world.
    #[error("the component is {is}, and the fixture is for {fixture}")]
    World {
        /// What the component is.
        is: &'static str,
        /// What the fixture is for.
        fixture: &'static str,
    },
    /// The component cannot be used with it.
    #[error(transparent)]
    Host(#[from] HostError),
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

impl Fixture {
    /// Reads a fixture.
    ///
    /// # Errors
    /// Where it is no fixture, or that it expects nothing and so could not fail.
    pub fn from_json(text: &str) -> Result<Fixture, FixtureError> {
        let fixture: Fixture = serde_json::from_str(text).map_err(|error| FixtureError::Malformed {
            line: error.line(),
            column: error.column(),
            reason: error.to_string(),
        })?;
        let rendered = fixture.request.is_some() || fixture.refused.is_some();
        let whole = match (&fixture.delivery, &fixture.callback, &fixture.ladder) {
            (Some(_), None, None) => rendered,
            (delivery, Some(_), None) => {
                fixture.callback_outcome.is_some() && (delivery.is_none() || rendered)
            }
            (None, None, Some(_)) => fixture.steps.is_some() || fixture.refused.is_some(),
            _ => false,
        };
        whole.then_some(fixture).ok_or(FixtureError::Vacuous)
    }

    /// Runs the story on a component. A component that fails is a difference, not an error.
    ///
    /// # Errors
    /// When the fixture is for the other world, or its secrets are not those that the component describes.
    pub fn run(&self, host: &Host, plugin: &Plugin) -> Result<Rehearsed, FixtureError> {
        match (&self.ladder, plugin.inspection().world) {
            (Some(ladder), World::Escalator) => self.climb(host, plugin, ladder),
            (None, World::Notifier) => self.rehearse(host, plugin),
            (Some(_), World::Notifier) => {
                Err(FixtureError::World { is: "a notifier", fixture: "an escalator" })
            }
            (None, World::Escalator) => {
                Err(FixtureError::World { is: "an escalator", fixture: "a notifier" })
            }
        }
    }

    fn rehearse(&self, host: &Host, plugin: &Plugin) -> Result<Rehearsed, FixtureError> {
        let secrets =
            Secrets::from_texts(&self.secrets, &plugin.description().secrets).map_err(HostError::from)?;
        let channel = host.rehearsal(plugin, secrets)?;
        let mut done = Rehearsed::default();
        if let Some(delivery) = &self.delivery {
            let rendered = channel.render_measured(delivery);
            done.calls += 1;
            let found = match rendered {
                Ok((request, spent)) => {
                    done.fuel = spent.fuel;
                    Ok(request)
                }
                Err(error) => Err(error),
            };
            done.compare_rendered(self, found);
            for (place, answer) in self.answers.iter().enumerate() {
                done.calls += 1;
                let found = channel.judge(delivery, &answer.response);
                done.compare(format!("answers[{place}]"), &answer.outcome, &found);
            }
        }
        if let (Some(callback), Some(expected)) = (&self.callback, &self.callback_outcome) {
            done.calls += 1;
            done.compare("callback-outcome".to_owned(), expected, &channel.callback(callback));
        }
        Ok(done)
    }

    fn climb(&self, host: &Host, plugin: &Plugin, ladder: &Ladder) -> Result<Rehearsed, FixtureError> {
        let escalator = host.escalator(plugin)?;
        let mut done = Rehearsed { calls: 1, ..Rehearsed::default() };
        match (escalator.next(ladder), &self.steps, &self.refused) {
            (Ok(found), Some(expected), _) => done.compare("steps".to_owned(), expected, &found.proposed),
            (Ok(found), None, expected) => done.compare("refused".to_owned(), expected, &found.proposed),
            (
                Err(crate::LadderError::Refused(found) | crate::LadderError::Settings(found)),
                None,
                Some(expected),
            ) => {
                done.compare("refused".to_owned(), expected, &found);
            }
            (Err(error), steps, _) => done.compare("steps".to_owned(), steps, &error.to_string()),
        }
        Ok(done)
    }
}

impl Rehearsed {
    fn compare<A: Serialize, B: Serialize>(&mut self, what: String, expected: &A, found: &B) {
        let (expected, found) = (json(expected), json(found));
        if expected != found {
            self.differences.push(Difference { what, expected, found });
        }
    }

    fn compare_rendered(&mut self, fixture: &Fixture, found: Result<Request, RenderError>) {
        match (found, &fixture.request, &fixture.refused) {
            (Ok(found), Some(expected), _) => self.compare("request".to_owned(), expected, &found),
            (Ok(found), None, expected) => self.compare("refused".to_owned(), expected, &found),
            // The host refuses settings that do not fit before the component is asked.
            (Err(RenderError::Refused(found) | RenderError::Settings(found)), None, Some(expected)) => {
                self.compare("refused".to_owned(), expected, &found);
            }
            (Err(error), request, _) => self.compare("request".to_owned(), request, &error.to_string()),
        }
    }
}
