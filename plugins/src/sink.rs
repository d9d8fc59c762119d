//! The last resort: a channel that depends on nothing. Each notice becomes a line of JSON, rendered if a component can, plain if not.

use std::io::Write;

use serde::Serialize;

use crate::Digest;
use crate::channel::Channel;
use crate::delivery::Destination;
use crate::wire::{Delivery, Notice, Request};

/// Writes notices to a file or to standard error. What a component cannot render is written all the same.
pub struct Sink<'h> {
    /// Renders, but does not send.
    channel: Option<&'h Channel>,
    destination: Destination,
}

/// What one notice became.
#[derive(Debug, Serialize)]
struct Line<'n> {
    #[serde(flatten)]
    notice: &'n holdback::Notice,
    /// What would be sent, secrets as the names of their slots.
    #[serde(skip_serializing_if = "Option::is_none")]
    rendered: Option<Request>,
    /// The component that rendered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<Digest>,
    /// Why it is not rendered.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_rendered: Option<String>,
}

impl<'h> Sink<'h> {
    /// A sink of plain notices.
    pub fn plain() -> Sink<'static> {
        Sink { channel: None, destination: Destination::named("sink") }
    }

    /// A sink that shows what a channel would send to a destination.
    pub fn rendering(channel: &'h Channel, destination: Destination) -> Sink<'h> {
        Sink { channel: Some(channel), destination }
    }

    /// Writes a notice. The instant of the rendering is the notice's own, so that the same log gives the same lines. Says whether it
    /// was rendered, if it was to be.
    ///
    /// # Errors
    /// What the writer says. A component that fails is no error.
    pub fn write(&self, notice: &holdback::Notice, to: &mut dyn Write) -> std::io::Result<bool> {
        let mut line = Line { notice, rendered: None, by: None, not_rendered: None };
        if let Some(channel) = self.channel {
            let now_ms = u64::try_from(notice.at.micros() / 1_000).unwrap_or_default();
            let delivery = Delivery::of(Notice::from(notice), &self.destination, now_ms);
            match channel.render(&delivery) {
                Ok(request) => {
                    line.rendered = Some(request);
                    line.by = Some(channel.plugin().digest());
                }
                Err(error) => line.not_rendered = Some(channel.redact(&error.to_string())),
            }
        }
        serde_json::to_writer(&mut *to, &line)?;
        to.write_all(b"\n")?;
        Ok(line.not_rendered.is_none())
    }
}
