//! A session of SMTP (RFC 5321) that submits one mail.

use std::io::{Read as _, Write as _};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::Address;
use rustls::ClientConfig;
use zeroize::Zeroizing;

use super::connection::{Connection, Deadline};
use super::origin::Host;
use super::trace::{Step, Trace};
use crate::wire::MailResponse;

/// Of one reply, in bytes.
const MOST_REPLY: usize = 16 * 1024;

/// Who sends what to whom.
pub(super) struct Envelope<'a> {
    pub(super) from: &'a Address,
    pub(super) to: &'a [Address],
    pub(super) message: &'a [u8],
}

/// Why there is no answer. Only after the final dot is a mail the server's: before it, nothing was submitted.
pub(super) enum Failed {
    BeforeDot(String),
    AfterDot(String),
}

/// Submits a mail. A reply that refuses a step is the answer, whichever step it is.
///
/// With `upgrade`, nothing but the greeting, `EHLO` and `STARTTLS` goes over the connection in clear text.
pub(super) fn submit(
    connection: Connection,
    upgrade: Option<(Arc<ClientConfig>, &Host)>,
    login: Option<(&str, &[u8])>,
    envelope: &Envelope<'_>,
    trace: &mut Trace,
) -> Result<MailResponse, Failed> {
    let mut session = Session { connection, unread: Vec::new(), trace };
    match session.prepare(upgrade, login, envelope) {
        Ok(()) => {}
        Err(Stopped::Answered(reply)) => {
            session.goodbye();
            session.trace.add(Step::Answered { status: reply.code, bytes: 0 });
            return Ok(reply);
        }
        Err(Stopped::Failed(reason)) => return Err(Failed::BeforeDot(reason)),
    }
    session.write(&stuffed(envelope.message)).map_err(Failed::BeforeDot)?;
    session.trace.add(Step::Sent(envelope.message.len()));
    // From here on nobody knows, until the server says so.
    session.write(b".\r\n").map_err(Failed::AfterDot)?;
    let reply = session.read_reply().map_err(Failed::AfterDot)?;
    session.trace.add(Step::Answered { status: reply.code, bytes: 0 });
    session.goodbye();
    Ok(reply)
}

enum Stopped {
    Answered(MailResponse),
    Failed(String),
}

impl From<String> for Stopped {
    fn from(reason: String) -> Stopped {
        Stopped::Failed(reason)
    }
}

struct Session<'a> {
    connection: Connection,
    unread: Vec<u8>,
    trace: &'a mut Trace,
}

impl Session<'_> {
    /// All up to the server's leave to send the message.
    fn prepare(
        &mut self,
        upgrade: Option<(Arc<ClientConfig>, &Host)>,
        login: Option<(&str, &[u8])>,
        envelope: &Envelope<'_>,
    ) -> Result<(), Stopped> {
        self.reply("greeting", &[220])?;
        let mut offers = self.hello()?;
        if let Some((tls, host)) = upgrade {
            if !offers.iter().any(|offer| offer.eq_ignore_ascii_case("STARTTLS")) {
                return Err(format!("`{host}` does not offer STARTTLS; nothing is sent in clear text").into());
            }
            self.command("STARTTLS", "STARTTLS", &[220])?;
            // What came in clear text must not be taken for an answer under TLS (CVE-2011-0411).
            if !self.unread.is_empty() {
                return Err("the server spoke on before TLS began".to_owned().into());
            }
            self.connection.secure(tls, host).map_err(|reason| format!("no TLS with `{host}`: {reason}"))?;
            self.trace.add(Step::Secured);
            offers = self.hello()?;
        }
        if let Some((user, password)) = login {
            self.authenticate(&offers, user, password)?;
        }
        self.command("MAIL", &format!("MAIL FROM:<{}>", envelope.from), &[250])?;
        for to in envelope.to {
            self.command("RCPT", &format!("RCPT TO:<{to}>"), &[250, 251])?;
        }
        self.command("DATA", "DATA", &[354])?;
        Ok(())
    }

    /// Says who we are, by address: the name of this machine is nobody's business. Returns what the server offers.
    fn hello(&mut self) -> Result<Vec<String>, Stopped> {
        let who = match self.connection.local() {
            Ok(IpAddr::V6(address)) => format!("[IPv6:{address}]"),
            Ok(address) => format!("[{address}]"),
            Err(reason) => return Err(reason.to_string().into()),
        };
        self.command("EHLO", &format!("EHLO {who}"), &[250]).map(|reply| reply.lines)
    }

    fn authenticate(&mut self, offers: &[String], user: &str, password: &[u8]) -> Result<(), Stopped> {
        let local = self.connection.local().is_ok_and(|address| address.is_loopback());
        if !self.connection.is_secure() && !local {
            return Err("no password is sent in clear text".to_owned().into());
        }
        let offered = |mechanism: &str| {
            offers.iter().any(|offer| {
                let mut words = offer.split_ascii_whitespace();
                words.next().is_some_and(|word| word.eq_ignore_ascii_case("AUTH"))
                    && words.any(|word| word.eq_ignore_ascii_case(mechanism))
            })
        };
        if offered("PLAIN") {
            let mut plain = Zeroizing::new(Vec::with_capacity(user.len() + password.len() + 2));
            plain.push(0);
            plain.extend_from_slice(user.as_bytes());
            plain.push(0);
            plain.extend_from_slice(password);
            let line = Zeroizing::new(format!("AUTH PLAIN {}", *encoded(&plain)));
            self.command("AUTH", &line, &[235])?;
        } else if offered("LOGIN") {
            self.command("AUTH", "AUTH LOGIN", &[334])?;
            self.command("AUTH", &encoded(user.as_bytes()), &[334])?;
            self.command("AUTH", &encoded(password), &[235])?;
        } else {
            return Err("the server offers neither AUTH PLAIN nor AUTH LOGIN".to_owned().into());
        }
        Ok(())
    }

    fn command(&mut self, command: &'static str, line: &str, good: &[u16]) -> Result<MailResponse, Stopped> {
        // Nothing that comes here has a line break; if something ever should, it must not become a second command.
        if line.contains(['\r', '\n']) {
            return Err(format!("a line break in {command}").into());
        }
        let line = Zeroizing::new(format!("{line}\r\n"));
        self.write(line.as_bytes())?;
        self.reply(command, good)
    }

    fn reply(&mut self, command: &'static str, good: &[u16]) -> Result<MailResponse, Stopped> {
        let reply = self.read_reply()?;
        self.trace.add(Step::Replied { command, code: reply.code });
        if good.contains(&reply.code) { Ok(reply) } else { Err(Stopped::Answered(reply)) }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let written = self.connection.write_all(bytes).and_then(|()| self.connection.flush());
        written.map_err(|reason| format!("the connection to the mail server failed: {reason}"))
    }

    fn read_reply(&mut self) -> Result<MailResponse, String> {
        let mut lines = Vec::new();
        let mut bytes = 0;
        loop {
            let line = self.read_line()?;
            bytes += line.len();
            if bytes > MOST_REPLY {
                return Err(format!("a reply of more than {MOST_REPLY} bytes"));
            }
            let no_reply = || "the mail server's reply is not SMTP".to_owned();
            let (code, rest) = line.split_at_checked(3).ok_or_else(no_reply)?;
            let code: u16 = code.parse().map_err(|_| no_reply())?;
            if !(200..600).contains(&code) {
                return Err(no_reply());
            }
            let (last, text) = match rest.split_at_checked(1) {
                None => (true, ""),
                Some((" ", text)) => (true, text),
                Some(("-", text)) => (false, text),
                Some(_) => return Err(no_reply()),
            };
            lines.push(text.to_owned());
            if last {
                return Ok(MailResponse { code, lines });
            }
        }
    }

    fn read_line(&mut self) -> Result<String, String> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned());
            }
            if self.unread.len() > MOST_REPLY {
                return Err(format!("a reply of more than {MOST_REPLY} bytes"));
            }
            let mut some = [0; 4096];
            let read = self.connection.read(&mut some);
            match read.map_err(|reason| format!("no reply from the mail server: {reason}"))? {
                0 => return Err("the mail server closed the connection".to_owned()),
                amount => self.unread.extend_from_slice(some.get(..amount).unwrap_or_default()),
            }
        }
    }

    /// Good manners. The answer is known; nothing depends on whether the server hears this.
    fn goodbye(&mut self) {
        self.connection.until(Deadline::after(Duration::from_millis(200)));
        if self.write(b"QUIT\r\n").is_ok() {
            let _ = self.read_line();
        }
    }
}

fn encoded(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(bytes))
}

/// A message as it goes over the line: every line ends with CR and LF, whatever ended it, and a dot that begins one is doubled. So
/// nothing in it can be taken for its end, by whichever reading of line breaks.
fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 128);
    let mut begins = true;
    let mut rest = message;
    loop {
        match rest {
            [] => break,
            [b'\r', b'\n', others @ ..] | [b'\r' | b'\n', others @ ..] => {
                out.extend_from_slice(b"\r\n");
                begins = true;
                rest = others;
            }
            [byte, others @ ..] => {
                if begins && *byte == b'.' {
                    out.push(b'.');
                }
                out.push(*byte);
                begins = false;
                rest = others;
            }
        }
    }
    if !begins {
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_message_ends_it() {
        for (message, line) in [
            ("a\r\n.\r\nb", "a\r\n..\r\nb\r\n"),
            ("a\n.\nb\n", "a\r\n..\r\nb\r\n"),
            ("a\r.\rb", "a\r\n..\r\nb\r\n"),
            (".a\r\n", "..a\r\n"),
            ("a\n\r.\r\n", "a\r\n\r\n..\r\n"),
            ("", ""),
        ] {
            assert_eq!(String::from_utf8(stuffed(message.as_bytes())).unwrap(), line, "{message:?}");
        }
    }
}
