//! Receivers of HTTP on loopback, and certificates for them.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A request as it came over the line.
#[derive(Debug)]
pub(super) struct Came {
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Came {
    pub(super) fn line(&self) -> &str {
        self.head.lines().next().unwrap()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let of_name = |line: &&str| line.split(':').next().unwrap().eq_ignore_ascii_case(name);
        self.head.lines().skip(1).find(of_name).map(|line| line[name.len() + 1..].trim())
    }
}

/// Serves every connection by `answer`, each on a thread of its own.
pub(super) fn serve(answer: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = answer.clone();
            std::thread::spawn(move || answer(stream.unwrap()));
        }
    });
    address
}

pub(super) fn read(stream: &mut impl Read) -> Option<Came> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let came = Came { head, body: Vec::new() };
    let length = came.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Came { body, ..came })
}

/// A receiver that answers every request with these bytes, and what it has received.
pub(super) fn receiver(answer: &str) -> (SocketAddr, mpsc::Receiver<Came>) {
    let (came, received) = mpsc::channel();
    let answer = answer.to_owned();
    let address = serve(move |mut stream| {
        if let Some(request) = read(&mut stream) {
            let _ = came.send(request);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (address, received)
}

/// A receiver that accepts what comes and says `ok`.
pub(super) fn good() -> (SocketAddr, mpsc::Receiver<Came>) {
    receiver("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
}

pub(super) fn one(received: &mpsc::Receiver<Came>) -> Came {
    received.recv_timeout(Duration::from_secs(5)).expect("a request should have come")
}

pub(super) fn none(received: &mpsc::Receiver<Came>) {
    assert!(received.recv_timeout(Duration::from_millis(100)).is_err(), "nothing should have come");
}

/// An authority of a test's own: its certificate in PEM, and a server's configuration for a name that it vouches for.
pub(super) fn certified(name: &str) -> (String, Arc<ServerConfig>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let root = params.self_signed(&key).unwrap().pem();
    let authority = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    (root, Arc::new(config))
}

pub(super) fn tls(stream: TcpStream, config: &Arc<ServerConfig>) -> StreamOwned<ServerConnection, TcpStream> {
    StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream)
}

/// A receiver under TLS that says `ok`.
pub(super) fn secured(config: Arc<ServerConfig>) -> (SocketAddr, mpsc::Receiver<Came>) {
    let (came, received) = mpsc::channel();
    let address = serve(move |stream| {
        let mut stream = tls(stream, &config);
        if let Some(request) = read(&mut stream) {
            let _ = came.send(request);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    (address, received)
}
