//! Requests over HTTP/1.1: the framing is ureq's, the connection is ours.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ureq::config::{AutoHeaderValue, Config};
use ureq::http::{Uri, header};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Agent, Body};

use super::address::Network;
use super::connection::{Connection, Deadline};
use super::origin::{AllowedOrigin, Origin, Scheme};
use super::request::build;
use super::{Allowance, Egress, SendError, Step, Trace};
use crate::defence::Defence;
use crate::secret::Secrets;
use crate::wire::{HttpRequest, HttpResponse, Pair};

/// Of an answer's body, in bytes.
const MOST_BODY: usize = 64 * 1024;
/// Of an answer's status and headers, in bytes. That there are no more than 128 of them is ureq's own limit.
const MOST_HEADER_BYTES: usize = 16 * 1024;

impl Egress {
    /// Sends a request and returns the answer, whatever its status: redirects are answers, too.
    ///
    /// Should the answer quote a secret, `«slot»` stands in its place.
    ///
    /// # Errors
    /// See [`SendError`]. An answer that breaks off or does not end in time is [`SendError::Lost`].
    pub fn http(
        &self,
        request: &HttpRequest,
        allowance: &Allowance,
        secrets: &Secrets,
    ) -> Result<HttpResponse, SendError> {
        self.http_traced(request, allowance, secrets, &mut Trace::default())
    }

    /// The same, with every step that was taken added to the trace.
    ///
    /// # Errors
    /// As for [`Egress::http`].
    pub fn http_traced(
        &self,
        request: &HttpRequest,
        allowance: &Allowance,
        secrets: &Secrets,
        trace: &mut Trace,
    ) -> Result<HttpResponse, SendError> {
        self.exchange(request, allowance, secrets, trace).map_err(|failure| self.redacted(failure, secrets))
    }

    fn exchange(
        &self,
        request: &HttpRequest,
        allowance: &Allowance,
        secrets: &Secrets,
        trace: &mut Trace,
    ) -> Result<HttpResponse, SendError> {
        let origin = Origin::parse_with(&request.origin, &self.defences)
            .map_err(|reason| SendError::Refused(reason.to_string()))?;
        trace.add(Step::Parsed(origin.to_string()));
        let network = self.granted(&origin, &allowance.origins)?;
        trace.add(Step::Allowed(network));
        // Before anybody is asked for an address: what cannot be sent must not even be noticed.
        let filled = build(&origin, request, secrets, &self.defences).map_err(SendError::Refused)?;
        let secure = origin.scheme() == Scheme::Https;
        let (connection, deadline) = self.connect(origin.host(), origin.port(), network, secure, trace)?;

        let sent = Arc::new(AtomicUsize::new(0));
        let once = Once { connection: Mutex::new(Some(connection)), sent: sent.clone(), deadline };
        let agent = Agent::with_parts(self.framing(), once, Nowhere);
        let (mut parts, body) = filled.into_parts();
        parts.headers.insert(header::CONNECTION, header::HeaderValue::from_static("close"));
        let answer = if parts.method == ureq::http::Method::GET {
            agent.run(ureq::http::Request::from_parts(parts, ()))
        } else {
            agent.run(ureq::http::Request::from_parts(parts, body.as_slice()))
        };
        let bytes = sent.load(Ordering::Relaxed);
        let failed = |reason: String| match bytes {
            0 => SendError::NotSent(reason),
            _ => SendError::Lost(reason),
        };
        if bytes > 0 {
            trace.add(Step::Sent(bytes));
        }
        let answer = self.read(answer.map_err(|reason| failed(told(reason)))?, secrets).map_err(failed)?;
        trace.add(Step::Answered { status: answer.status, bytes: answer.body.len() });
        Ok(answer)
    }

    fn granted(&self, origin: &Origin, granted: &[AllowedOrigin]) -> Result<Network, SendError> {
        if let Some(allowed) = granted.iter().find(|allowed| allowed.origin() == origin) {
            return Ok(allowed.network());
        }
        if !self.defences.on(Defence::AllowList) {
            return Ok(granted.iter().map(AllowedOrigin::network).max().unwrap_or_default());
        }
        let all: Vec<String> = granted.iter().map(|allowed| format!("`{}`", allowed.origin())).collect();
        let all = if all.is_empty() { "nothing".to_owned() } else { all.join(", ") };
        Err(SendError::Refused(format!("`{origin}` is not granted; granted is {all}")))
    }

    fn framing(&self) -> Config {
        let redirects = if self.defences.on(Defence::NoRedirects) { 0 } else { 10 };
        Agent::config_builder()
            .http_status_as_error(false)
            // By default it would be read from the environment.
            .proxy(None)
            .max_redirects(redirects)
            .max_redirects_will_error(false)
            .save_redirect_history(false)
            .user_agent(concat!("holdback/", env!("CARGO_PKG_VERSION")))
            .accept(AutoHeaderValue::None)
            .accept_encoding(AutoHeaderValue::None)
            .max_response_header_size(MOST_HEADER_BYTES)
            .max_idle_connections(0)
            .build()
    }

    fn read(&self, answer: ureq::http::Response<Body>, secrets: &Secrets) -> Result<HttpResponse, String> {
        let (parts, body) = answer.into_parts();
        // A secret that is quoted where the body is cut must still be seen whole.
        let reach = MOST_BODY + secrets.longest();
        let mut raw = Vec::new();
        body.into_reader()
            .take(reach as u64 + 1)
            .read_to_end(&mut raw)
            .map_err(|reason| format!("the answer broke off after {} bytes: {reason}", raw.len()))?;
        let mut truncated = raw.len() > MOST_BODY;
        let whole = raw.len() <= reach;
        let shown = |bytes: &[u8]| match self.defences.on(Defence::Redaction) {
            true => secrets.redact_bytes(bytes),
            false => bytes.to_vec(),
        };
        let mut body = shown(&raw);
        if !whole {
            body.truncate(body.len().saturating_sub(secrets.longest()));
        }
        truncated |= body.len() > MOST_BODY;
        body.truncate(MOST_BODY);
        let headers = parts
            .headers
            .iter()
            .map(|(name, value)| Pair {
                name: name.as_str().to_owned(),
                value: String::from_utf8_lossy(&shown(value.as_bytes())).into_owned(),
            })
            .collect();
        Ok(HttpResponse { status: parts.status.as_u16(), headers, body, truncated })
    }
}

/// What went wrong, without the URL: ureq's own words may quote it.
fn told(reason: ureq::Error) -> String {
    match reason {
        ureq::Error::Io(reason) if reason.kind() == io::ErrorKind::TimedOut => "no answer in time".to_owned(),
        ureq::Error::Io(reason) => reason.to_string(),
        ureq::Error::Timeout(_) => "no answer in time".to_owned(),
        ureq::Error::Protocol(reason) => {
            format!("the answer is not HTTP, or more of it than is taken: {reason}")
        }
        ureq::Error::LargeResponseHeader(..) => {
            format!("the answer's headers have more than {MOST_HEADER_BYTES} bytes")
        }
        ureq::Error::BodyStalled => "the answer broke off".to_owned(),
        _ => "the exchange failed".to_owned(),
    }
}

/// Gives ureq the connection that is open already, once.
struct Once {
    connection: Mutex<Option<Connection>>,
    sent: Arc<AtomicUsize>,
    #[cfg_attr(not(test), expect(dead_code, reason = "for redirects, which only tests follow"))]
    deadline: Deadline,
}

impl Connector<()> for Once {
    type Out = Carrier;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<Carrier>, ureq::Error> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner).take();
        #[cfg(test)]
        let connection = connection.or_else(|| {
            // With the defence against redirects switched off: wherever the answer says.
            let address = details.uri.authority()?.as_str().parse().ok()?;
            Connection::open(&[address], self.deadline).ok().map(|(connection, _)| connection)
        });
        let Some(connection) = connection else {
            return Err(ureq::Error::ConnectionFailed);
        };
        let buffers =
            LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Carrier { connection, buffers, sent: self.sent.clone() }))
    }
}

/// Carries ureq's bytes over a connection and counts those that go out. Its time is the connection's own.
struct Carrier {
    connection: Connection,
    buffers: LazyBuffers,
    sent: Arc<AtomicUsize>,
}

impl Transport for Carrier {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        // Counted before: after a failure nobody knows how much of it went out.
        self.sent.fetch_add(amount, Ordering::Relaxed);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.connection.write_all(output)?;
        self.connection.flush()?;
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let amount = self.connection.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        false
    }

    fn is_tls(&self) -> bool {
        self.connection.is_secure()
    }
}

/// Looks nothing up: the connection is open already.
#[derive(Debug)]
struct Nowhere;

impl Resolver for Nowhere {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut none = self.empty();
        none.push(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0));
        Ok(none)
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}

impl fmt::Debug for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Carrier")
    }
}
