//! One notice over one channel: rendered by the component, sent by the host, judged by the component.

use std::sync::Arc;

use serde::Serialize;

use crate::Digest;
use crate::bounds::{self, OutOfBounds};
use crate::defence::Defence;
use crate::egress::{Egress, SendError, Trace};
use crate::grant::Grant;
use crate::host::{Host, HostError, Inner, Plugin, check_settings};
use crate::inspect::World;
use crate::sandbox::{Fault, Sandbox, Spent};
use crate::secret::Secrets;
use crate::wire::{Callback, CallbackOutcome, Delivery, Outcome, Request, Response};

/// A component with what it was granted.
pub struct Channel {
    host: Arc<Inner>,
    plugin: Plugin,
    grant: Grant,
    secrets: Arc<Secrets>,
}

/// Why there is no request. The notice is kept in every case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The component failed. It may do better later.
    #[error("the component {0}")]
    Fault(#[from] Fault),
    /// The component says that it can never render this.
    #[error("the component refuses: {0}")]
    Refused(String),
    /// What it rendered is outside of the interface's bounds.
    #[error("the request is outside of the interface's bounds: {0}")]
    Bounds(#[from] OutOfBounds),
    /// A setting is missing, or does not fit.
    #[error("{0}")]
    Settings(String),
}

impl RenderError {
    /// Whether the same again may work.
    pub fn is_passing(&self) -> bool {
        matches!(self, RenderError::Fault(_))
    }
}

/// What became of one attempt, with how it went. Holds no secret: requests name their slots.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The component.
    pub component: Digest,
    /// What became of it.
    pub outcome: Outcome,
    /// What the component rendered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// What came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Response>,
    /// What the host did between the two.
    pub trace: Trace,
}

impl Host {
    /// A channel of a component, within a grant.
    ///
    /// # Errors
    /// When the grant is for another component or more than it asks for, or the component is no notifier.
    pub fn channel(&self, plugin: &Plugin, grant: Grant, secrets: Secrets) -> Result<Channel, HostError> {
        if plugin.inspection.world != World::Notifier {
            return Err(Fault::Start("is an escalator, and renders nothing".to_owned()).into());
        }
        grant.fits_with(plugin.digest(), plugin.description(), &self.inner.defences)?;
        Ok(Channel {
            host: Arc::clone(&self.inner),
            plugin: plugin.clone(),
            grant,
            secrets: Arc::new(secrets),
        })
    }

    /// A channel that can send nowhere: for fixtures, and for showing what would be sent.
    ///
    /// # Errors
    /// When the component is no notifier.
    pub fn rehearsal(&self, plugin: &Plugin, secrets: Secrets) -> Result<Channel, HostError> {
        let grant = Grant::none(plugin.digest(), plugin.description());
        self.channel(plugin, grant, secrets)
    }
}

impl Channel {
    /// The component.
    pub fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    /// What it was granted.
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// A text with this channel's secrets cut out.
    pub fn redact(&self, text: &str) -> String {
        self.secrets.redact(text)
    }

    /// The request for an attempt. Nothing is sent.
    ///
    /// # Errors
    /// [`RenderError`]; [`RenderError::is_passing`] says whether to try again.
    pub fn render(&self, delivery: &Delivery) -> Result<Request, RenderError> {
        self.render_measured(delivery).map(|(request, _)| request)
    }

    /// [`Channel::render`], with what it took.
    ///
    /// # Errors
    /// As [`Channel::render`].
    pub fn render_measured(&self, delivery: &Delivery) -> Result<(Request, Spent), RenderError> {
        let given = delivery.settings.iter().map(|pair| (pair.name.as_str(), pair.value.as_str())).collect();
        check_settings(&self.plugin.description.settings, &given)
            .map_err(|error| RenderError::Settings(error.to_string()))?;
        let (rendered, spent) = self.run(delivery.now_ms, |sandbox, secrets| {
            sandbox.render(&self.plugin.ready, secrets, delivery.clone())
        })?;
        let guarded = self.host.defences.on(Defence::AnswerBounds);
        match rendered {
            Ok(request) => {
                if guarded {
                    bounds::request(&request)?;
                }
                Ok((request, spent))
            }
            Err(reason) => {
                bounds::refusal(&reason)?;
                Err(RenderError::Refused(reason))
            }
        }
    }

    /// What an answer means. A component that fails here leaves the fate of what was sent unknown.
    pub fn judge(&self, delivery: &Delivery, response: &Response) -> Outcome {
        let judged = self.run(delivery.now_ms, |sandbox, secrets| {
            sandbox.judge(&self.plugin.ready, secrets, delivery.clone(), response.clone())
        });
        match judged {
            Ok((outcome, _)) => match bounds::outcome(&outcome) {
                Err(error) if self.host.defences.on(Defence::AnswerBounds) => Outcome::Permanent(format!(
                    "the component's judgement is outside of the interface's bounds: {error}"
                )),
                _ => outcome,
            },
            Err(fault) => Outcome::Unknown(Some(format!(
                "sent, and the answer could not be judged: the component {fault}"
            ))),
        }
    }

    /// One attempt: renders, sends, judges.
    ///
    /// What the component may not do is `permanent`, as is what it can never render; what did not reach the receiver is to be tried again;
    /// what was lost on the way back is `unknown`.
    pub fn deliver(&self, delivery: &Delivery, egress: &Egress) -> Report {
        let report = |outcome, request, response, trace| Report {
            component: self.plugin.digest(),
            outcome,
            request,
            response,
            trace,
        };
        let mut trace = Trace::default();
        let request = match self.render(delivery) {
            Ok(request) => request,
            Err(error) => {
                let reason = self.secrets.redact(&error.to_string());
                let outcome =
                    if error.is_passing() { Outcome::Retry(reason) } else { Outcome::Permanent(reason) };
                return report(outcome, None, None, trace);
            }
        };
        let sent = match &request {
            Request::Http(http) => {
                egress.http_traced(http, &self.grant.allow, &self.secrets, &mut trace).map(Response::Http)
            }
            Request::Mail(mail) => match &self.grant.allow.mail {
                Some(allowed) => egress
                    .mail_traced(mail, &delivery.id, delivery.now_ms, allowed, &self.secrets, &mut trace)
                    .map(Response::Mail),
                None => Err(SendError::Refused("mail is not granted".to_owned())),
            },
        };
        match sent {
            Ok(response) => {
                let outcome = self.judge(delivery, &response);
                report(outcome, Some(request), Some(response), trace)
            }
            Err(error) => {
                let outcome = match &error {
                    SendError::Refused(_) => Outcome::Permanent(error.to_string()),
                    SendError::NotSent(_) => Outcome::Retry(error.to_string()),
                    SendError::Lost(_) => Outcome::Unknown(Some(error.to_string())),
                };
                report(outcome, Some(request), None, trace)
            }
        }
    }

    /// What a request from the channel means. One that the component fails on is rejected: nothing is acknowledged by accident.
    pub fn callback(&self, callback: &Callback) -> CallbackOutcome {
        let meant = self.run(callback.now_ms, |sandbox, secrets| {
            sandbox.on_callback(&self.plugin.ready, secrets, callback.clone())
        });
        match meant {
            Ok((outcome, _)) => match bounds::callback(&outcome) {
                Ok(()) => outcome,
                Err(error) => CallbackOutcome::Reject(error.to_string()),
            },
            Err(fault) => CallbackOutcome::Reject(format!("the component {fault}")),
        }
    }

    fn run<T>(
        &self,
        now_ms: u64,
        call: impl FnOnce(&Sandbox, &Arc<Secrets>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.host.watched(self.plugin.digest(), now_ms, |sandbox| call(sandbox, &self.secrets))
    }
}
