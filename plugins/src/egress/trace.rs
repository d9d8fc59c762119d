//! What happened on the way out, step by step. Nothing in it is secret.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Serialize, Serializer};

use super::address::Network;

/// One step on the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// The destination could be read: an origin, or a mail server.
    Parsed(String),
    /// It is granted, within this network.
    Allowed(Network),
    /// Its addresses, all of them checked.
    Resolved(Vec<IpAddr>),
    /// A connection is open.
    Connected(SocketAddr),
    /// The peer has proved who it is, and what follows is under TLS.
    Secured,
    /// A mail server's answer to a command.
    Replied {
        /// The command without its arguments: `MAIL`.
        command: &'static str,
        /// Its reply code.
        code: u16,
    },
    /// So many bytes of a request or a mail went out.
    Sent(usize),
    /// The answer is here.
    Answered {
        /// The status of HTTP, or the reply code of SMTP.
        status: u16,
        /// The bytes of its body that were kept.
        bytes: usize,
    },
}

/// The steps that were taken, in order. The step that failed is not among them: its reason is the error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The steps.
    pub steps: Vec<Step>,
}

impl Trace {
    pub(crate) fn add(&mut self, step: Step) {
        self.steps.push(step);
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Parsed(to) => write!(f, "to {to}"),
            Step::Allowed(network) => write!(f, "granted, {network}"),
            Step::Resolved(addresses) => {
                let all: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
                write!(f, "resolved to {}", all.join(", "))
            }
            Step::Connected(address) => write!(f, "connected to {address}"),
            Step::Secured => f.write_str("under TLS"),
            Step::Replied { command, code } => write!(f, "{command}: {code}"),
            Step::Sent(bytes) => write!(f, "sent {bytes} bytes"),
            Step::Answered { status, bytes } => write!(f, "answered {status}, {bytes} bytes"),
        }
    }
}

/// As the sentences that people read.
impl Serialize for Trace {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.steps.iter().map(Step::to_string))
    }
}
