//! What goes out: the one way from a component's request to the network.
//!
//! A request is read once, held against what the operator granted, and only then filled with secrets. Its host is looked up once,
//! every address of it is checked, and the connection goes to one that was. Nothing is followed, and everything has an end: time,
//! headers, body.

mod address;
mod connection;
mod http;
mod mail;
mod origin;
mod request;
mod smtp;
#[cfg(test)]
mod tests;
mod trace;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};

pub use self::address::Network;
use self::address::{Resolve, System, Unreachable, checked};
use self::connection::{Connection, Deadline};
pub use self::mail::{MailAllowance, MailLogin, MailTls};
use self::origin::Host;
pub use self::origin::{AllowedOrigin, Origin, OriginError};
pub(crate) use self::request::percent;
pub use self::trace::{Step, Trace};
use crate::defence::{Defence, Defences};
use crate::secret::Secrets;

/// What the operator grants to a destination. The default grants nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    /// Origins that may be sent to over HTTP.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<AllowedOrigin>,
    /// The mail server and the recipients that may be sent to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<MailAllowance>,
}

/// How patient the host is, and whose certificates it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EgressConfig {
    /// For looking up, connecting and the handshake of TLS. 5 seconds by default.
    pub connect: Duration,
    /// For all of it, the answer included. 15 seconds by default; 10 minutes at most.
    pub whole: Duration,
    /// Root certificates beside those of the system, in PEM; for one's own authority. Usually empty.
    pub roots: String,
}

impl Default for EgressConfig {
    fn default() -> EgressConfig {
        EgressConfig { connect: Duration::from_secs(5), whole: Duration::from_secs(15), roots: String::new() }
    }
}

/// Why nothing can go out with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EgressError {
    /// No time, or no end of it.
    #[error(
        "`{0}` is no time to wait: expected more than zero and at most 10 minutes, `connect` at most `whole`"
    )]
    Patience(&'static str),
    /// The extra root certificates cannot be read.
    #[error("the extra root certificates are not PEM: {0}")]
    Roots(String),
}

/// Why there is no answer. No text holds a secret, nor a URL that one was filled into.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Outside of the grant or of the interface: the same again will be refused again.
    #[error("refused: {0}")]
    Refused(String),
    /// Nothing has reached the receiver: the same again may work.
    #[error("not sent: {0}")]
    NotSent(String),
    /// Something has gone out, and nobody knows what became of it.
    #[error("sent, and its fate is unknown: {0}")]
    Lost(String),
}

/// The way out.
///
/// It remembers nothing from one request to the next, and can be shared between threads.
pub struct Egress {
    config: EgressConfig,
    extra_roots: Vec<CertificateDer<'static>>,
    // Read when it is first needed: a machine without root certificates can still send within its own network.
    tls: OnceLock<Result<Arc<ClientConfig>, String>>,
    resolver: Box<dyn Resolve>,
    defences: Defences,
}

impl Egress {
    /// A way out with this patience and these certificates.
    ///
    /// # Errors
    /// A time that is zero or longer than 10 minutes, more of it for connecting than for the whole, and certificates that are not PEM.
    pub fn new(config: EgressConfig) -> Result<Egress, EgressError> {
        Egress::with(config, Box::new(System), Defences::default())
    }

    pub(crate) fn with(
        config: EgressConfig,
        resolver: Box<dyn Resolve>,
        defences: Defences,
    ) -> Result<Egress, EgressError> {
        if config.whole.is_zero() || config.whole > Duration::from_secs(600) {
            return Err(EgressError::Patience("whole"));
        }
        if config.connect.is_zero() || config.connect > config.whole {
            return Err(EgressError::Patience("connect"));
        }
        let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(config.roots.as_bytes()).collect();
        let extra_roots = roots.map_err(|reason| EgressError::Roots(reason.to_string()))?;
        if extra_roots.is_empty() && !config.roots.trim().is_empty() {
            return Err(EgressError::Roots("there is none in the text".to_owned()));
        }
        Ok(Egress { config, extra_roots, tls: OnceLock::new(), resolver, defences })
    }

    /// A connection to one of the host's addresses, all of which were checked, and the end of all patience.
    fn connect(
        &self,
        host: &Host,
        port: u16,
        network: Network,
        secure: bool,
        trace: &mut Trace,
    ) -> Result<(Connection, Deadline), SendError> {
        let whole = Deadline::after(self.config.whole);
        let connect = Deadline::after(self.config.connect).or(whole);
        let not_sent = |what: &str, reason: std::io::Error| SendError::NotSent(format!("{what}: {reason}"));
        let addresses = checked(host, port, network, &*self.resolver, self.config.connect, &self.defences)
            .map_err(|unreachable| match unreachable {
                Unreachable::Outside(reason) => SendError::Refused(reason),
                Unreachable::Unknown(reason) => SendError::NotSent(reason),
            })?;
        trace.add(Step::Resolved(addresses.iter().map(|address| address.ip()).collect()));
        let (mut connection, address) = Connection::open(&addresses, connect)
            .map_err(|reason| not_sent(&format!("no connection to `{host}`"), reason))?;
        trace.add(Step::Connected(address));
        if secure {
            connection
                .secure(self.tls()?, host)
                .map_err(|reason| not_sent(&format!("no TLS with `{host}`"), reason))?;
            trace.add(Step::Secured);
        }
        connection.until(whole);
        Ok((connection, whole))
    }

    /// One configuration for requests and mails.
    fn tls(&self) -> Result<Arc<ClientConfig>, SendError> {
        let built =
            self.tls.get_or_init(|| self.build_tls().map(Arc::new).map_err(|reason| reason.to_string()));
        built.clone().map_err(|reason| SendError::NotSent(format!("TLS cannot be used: {reason}")))
    }

    fn build_tls(&self) -> Result<ClientConfig, rustls::Error> {
        // Named here: the choice must not depend on what other crates of a program have switched on.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = self.extra_roots.clone();
        let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(roots, provider.clone())?;
        Ok(ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            // Called dangerous since a verifier could be anything; this one is the system's own.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth())
    }

    /// The same failure, without secrets.
    fn redacted(&self, failure: SendError, secrets: &Secrets) -> SendError {
        if !self.defences.on(Defence::Redaction) {
            return failure;
        }
        match failure {
            SendError::Refused(reason) => SendError::Refused(secrets.redact(&reason)),
            SendError::NotSent(reason) => SendError::NotSent(secrets.redact(&reason)),
            SendError::Lost(reason) => SendError::Lost(secrets.redact(&reason)),
        }
    }
}

impl std::fmt::Debug for Egress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Egress").field("config", &self.config).finish_non_exhaustive()
    }
}
