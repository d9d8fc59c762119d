//! A connection to an address that was checked, in clear text or under TLS, with an end to its time.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::origin::Host;

/// An instant at which patience ends. A cap on single reads would not do: a peer that sends a byte now and then would keep
/// the host for ever.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn after(patience: Duration) -> Deadline {
        Deadline(Deadline::now() + patience)
    }

    /// What is left.
    ///
    /// # Errors
    /// `TimedOut` if nothing is.
    pub(crate) fn left(self) -> io::Result<Duration> {
        let left = self.0.saturating_duration_since(Deadline::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }

    /// The earlier of the two.
    pub(crate) fn or(self, other: Deadline) -> Deadline {
        Deadline(self.0.min(other.0))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "patience with a peer; no answer of the engine depends on it"
    )]
    fn now() -> Instant {
        Instant::now()
    }
}

/// A socket whose every read and write ends by the deadline.
struct Timed {
    socket: TcpStream,
    deadline: Deadline,
}

/// An open connection.
pub(crate) struct Connection(Stream);

enum Stream {
    Clear(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
    /// While it changes from clear text to TLS, and after that has failed.
    Closed,
}

impl Connection {
    /// Connects to the first of the addresses that answers.
    ///
    /// # Errors
    /// What the last of them failed with.
    pub(crate) fn open(addresses: &[SocketAddr], deadline: Deadline) -> io::Result<(Connection, SocketAddr)> {
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for (tried, address) in addresses.iter().enumerate() {
            // One that is silent leaves time for those behind it.
            let others = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
            let patience = (deadline.left()? / others).max(Duration::from_millis(1));
            match TcpStream::connect_timeout(address, patience) {
                Ok(socket) => {
                    socket.set_nodelay(true)?;
                    return Ok((Connection(Stream::Clear(Timed { socket, deadline })), *address));
                }
                Err(reason) => last = reason,
            }
        }
        Err(last)
    }

    /// Goes on under TLS. The peer has to prove that it is this host.
    ///
    /// # Errors
    /// When the handshake fails, or when it is under TLS already.
    pub(crate) fn secure(&mut self, tls: Arc<ClientConfig>, host: &Host) -> io::Result<()> {
        let Stream::Clear(mut timed) = std::mem::replace(&mut self.0, Stream::Closed) else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let name = match host {
            Host::Name(name) => ServerName::try_from(name.clone()).map_err(io::Error::other)?,
            Host::Address(address) => ServerName::IpAddress((*address).into()),
        };
        let mut tls = ClientConnection::new(tls, name).map_err(io::Error::other)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut timed)?;
        }
        self.0 = Stream::Tls(Box::new(StreamOwned::new(tls, timed)));
        Ok(())
    }

    pub(crate) fn is_secure(&self) -> bool {
        matches!(self.0, Stream::Tls(_))
    }

    /// From now on patience ends then.
    pub(crate) fn until(&mut self, deadline: Deadline) {
        match &mut self.0 {
            Stream::Clear(timed) => timed.deadline = deadline,
            Stream::Tls(tls) => tls.sock.deadline = deadline,
            Stream::Closed => {}
        }
    }

    /// The address on this side.
    pub(crate) fn local(&self) -> io::Result<IpAddr> {
        match &self.0 {
            Stream::Clear(timed) => timed.socket.local_addr().map(|address| address.ip()),
            Stream::Tls(tls) => tls.sock.socket.local_addr().map(|address| address.ip()),
            Stream::Closed => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

/// A socket says `WouldBlock` when its time is over.
fn timed_out(reason: io::Error) -> io::Error {
    if reason.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { reason }
}

impl Read for Timed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(Some(self.deadline.left()?))?;
        self.socket.read(into).map_err(timed_out)
    }
}

impl Write for Timed {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(Some(self.deadline.left()?))?;
        self.socket.write(from).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

impl Read for Connection {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Stream::Clear(timed) => timed.read(into),
            Stream::Tls(tls) => tls.read(into),
            Stream::Closed => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl Write for Connection {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Stream::Clear(timed) => timed.write(from),
            Stream::Tls(tls) => tls.write(from),
            Stream::Closed => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Stream::Clear(timed) => timed.flush(),
            Stream::Tls(tls) => tls.flush(),
            Stream::Closed => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_secure() { "Connection(tls)" } else { "Connection(clear)" })
    }
}
