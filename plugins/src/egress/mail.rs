//! Mails: what is granted, and the mail as the host writes it.

use std::time::{Duration, UNIX_EPOCH};

use lettre::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::address::Network;
use super::origin::{Host, is_name, shown};
use super::smtp::{self, Envelope, Failed};
use super::{Egress, SendError, Step, Trace};
use crate::defence::Defence;
use crate::secret::Secrets;
use crate::wire::{Mail, MailResponse};

const MOST_RECIPIENTS: usize = 50;
/// As it stands in the mail, encoded, in bytes (RFC 5322).
const MOST_SUBJECT: usize = 998;
/// Plain text and HTML together, in bytes.
const MOST_TEXT: usize = 256 * 1024;
/// The year 10000, where dates of mails end.
const END_OF_DATES: u64 = 253_402_300_800_000;

/// When a connection to a mail server is under TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailTls {
    /// From the first byte: port 465.
    Implicit,
    /// From the command STARTTLS on: port 587. A server that does not offer it gets nothing.
    StartTls,
    /// Never. For a relay on this machine only.
    None,
}

/// Who the host is to a mail server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailLogin {
    /// The user.
    pub user: String,
    /// The slot of the password among the destination's secrets.
    pub password: String,
}

/// The mail server and the recipients that the operator grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailAllowance {
    /// The server's name or address, in its canonical spelling.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// When it is under TLS.
    pub tls: MailTls,
    /// Where its addresses have to be.
    #[serde(default)]
    pub network: Network,
    /// The sender: `alerts@example.com` or `Holdback <alerts@example.com>`.
    pub from: String,
    /// Without it the server has to take mails from anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<MailLogin>,
    /// Whole addresses, or `@example.com` for all of exactly that domain.
    pub recipients: Vec<String>,
}

impl MailAllowance {
    /// Whether it can be used at all.
    ///
    /// # Errors
    /// What is wrong with it, in words: a host that is none or not in its canonical spelling, port 0, clear text to another
    /// machine, a sender or a recipient that is no address.
    pub fn check(&self) -> Result<(), String> {
        self.read().map(|_| ())
    }

    fn read(&self) -> Result<(Host, Mailbox), String> {
        let server = Host::parse(&self.server).map_err(|reason| reason.to_string())?;
        if self.port == 0 {
            return Err("port 0 is no port".to_owned());
        }
        if self.tls == MailTls::None && self.network != Network::Loopback {
            return Err("mails go without TLS to a server on `loopback` only".to_owned());
        }
        let from: Mailbox =
            self.from.parse().map_err(|_| format!("`{}` is no sender of mails", shown(&self.from)))?;
        let email: &str = from.email.as_ref();
        if is_single_line(&self.from).is_err() || address(email).is_err() {
            return Err(format!("`{}` is no sender of mails", shown(&self.from)));
        }
        if self.login.as_ref().is_some_and(|login| is_single_line(&login.user).is_err()) {
            return Err("the user of the mail server has control characters".to_owned());
        }
        for recipient in &self.recipients {
            match recipient.strip_prefix('@') {
                Some(domain) if is_name(&domain.to_ascii_lowercase()) => {}
                None if address(recipient).is_ok() => {}
                _ => return Err(format!("`{}` is no recipient, nor `@` and a domain", shown(recipient))),
            }
        }
        Ok((server, from))
    }

    /// Whether a recipient is granted. Domains are the same in any case; what stands before the `@` is not.
    fn grants(&self, recipient: &Address) -> bool {
        self.recipients.iter().any(|granted| match granted.rsplit_once('@') {
            Some((user, domain)) => {
                domain.eq_ignore_ascii_case(recipient.domain())
                    && (user.is_empty() || user == recipient.user())
            }
            None => false,
        })
    }
}

impl Egress {
    /// Submits a mail and returns the server's answer to it, or to the step that the server refused.
    ///
    /// Date and ids are made of the arguments: the same delivery is the same mail.
    ///
    /// # Errors
    /// See [`SendError`]. A connection that is lost after the final dot is [`SendError::Lost`]; before that nothing was
    /// submitted.
    pub fn mail(
        &self,
        mail: &Mail,
        delivery_id: &str,
        now_ms: u64,
        allowance: &MailAllowance,
        secrets: &Secrets,
    ) -> Result<MailResponse, SendError> {
        self.mail_traced(mail, delivery_id, now_ms, allowance, secrets, &mut Trace::default())
    }

    /// The same, with every step that was taken added to the trace.
    ///
    /// # Errors
    /// As for [`Egress::mail`].
    pub fn mail_traced(
        &self,
        mail: &Mail,
        delivery_id: &str,
        now_ms: u64,
        allowance: &MailAllowance,
        secrets: &Secrets,
        trace: &mut Trace,
    ) -> Result<MailResponse, SendError> {
        let answer = self
            .submit(mail, delivery_id, now_ms, allowance, secrets, trace)
            .map_err(|failure| self.redacted(failure, secrets))?;
        if !self.defences.on(Defence::Redaction) {
            return Ok(answer);
        }
        let lines = answer.lines.iter().map(|line| secrets.redact(line)).collect();
        Ok(MailResponse { code: answer.code, lines })
    }

    fn submit(
        &self,
        mail: &Mail,
        delivery_id: &str,
        now_ms: u64,
        allowance: &MailAllowance,
        secrets: &Secrets,
        trace: &mut Trace,
    ) -> Result<MailResponse, SendError> {
        let (server, from) = allowance.read().map_err(SendError::Refused)?;
        trace.add(Step::Parsed(format!("{server}:{}", allowance.port)));
        let recipients = self.recipients(mail, allowance).map_err(SendError::Refused)?;
        trace.add(Step::Allowed(allowance.network));
        let bytes = write(mail, delivery_id, now_ms, &from, &recipients).map_err(SendError::Refused)?;
        let login = match &allowance.login {
            None => None,
            Some(MailLogin { user, password }) => {
                let password = secrets.get(password).ok_or_else(|| {
                    SendError::Refused(format!(
                        "secret `{}` is not described, or not granted",
                        shown(password)
                    ))
                })?;
                Some((user.as_str(), password))
            }
        };
        let implicit = allowance.tls == MailTls::Implicit;
        let (connection, _) = self.connect(&server, allowance.port, allowance.network, implicit, trace)?;
        let upgrade = match allowance.tls {
            MailTls::StartTls => Some((self.tls()?, &server)),
            MailTls::Implicit | MailTls::None => None,
        };
        let envelope = Envelope { from: &from.email, to: &recipients, message: &bytes };
        smtp::submit(connection, upgrade, login, &envelope, trace).map_err(|failed| match failed {
            Failed::BeforeDot(reason) => SendError::NotSent(reason),
            Failed::AfterDot(reason) => SendError::Lost(reason),
        })
    }

    fn recipients(&self, mail: &Mail, allowance: &MailAllowance) -> Result<Vec<Address>, String> {
        if mail.to.is_empty() || mail.to.len() > MOST_RECIPIENTS {
            return Err(format!("{} recipients; 1 to {MOST_RECIPIENTS} are taken", mail.to.len()));
        }
        let mut recipients = Vec::new();
        for recipient in &mail.to {
            let recipient = address(recipient)?;
            if !allowance.grants(&recipient) && self.defences.on(Defence::AllowList) {
                return Err(format!("recipient `{recipient}` is not granted"));
            }
            if !recipients.contains(&recipient) {
                recipients.push(recipient);
            }
        }
        Ok(recipients)
    }
}

/// An address in the form that needs no quotes: with quotes, comments and lists a text can name more than one.
fn address(text: &str) -> Result<Address, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte);
    let no_address = || format!("`{}` is no address of a recipient", shown(text));
    let (user, domain) = text.split_once('@').ok_or_else(no_address)?;
    if user.is_empty() || !user.bytes().all(plain) || !is_name(&domain.to_ascii_lowercase()) {
        return Err(no_address());
    }
    Address::new(user, domain).map_err(|_| no_address())
}

fn is_single_line(text: &str) -> Result<(), ()> {
    if text.chars().any(char::is_control) { Err(()) } else { Ok(()) }
}

/// The mail in MIME.
fn write(
    mail: &Mail,
    delivery_id: &str,
    now_ms: u64,
    from: &Mailbox,
    recipients: &[Address],
) -> Result<Vec<u8>, String> {
    is_single_line(&mail.subject).map_err(|()| "the subject has control characters".to_owned())?;
    let html = mail.html.as_deref();
    let length = mail.text.len() + html.map_or(0, str::len);
    if length > MOST_TEXT || mail.subject.len() > MOST_SUBJECT {
        return Err(format!(
            "the mail has {length} bytes of text and {} of subject; {MOST_TEXT} and {MOST_SUBJECT} are taken",
            mail.subject.len()
        ));
    }
    if now_ms >= END_OF_DATES {
        return Err("the date is beyond the year 9999".to_owned());
    }
    let domain = from.email.domain();
    let mut built = Message::builder()
        .from(from.clone())
        .date(UNIX_EPOCH + Duration::from_millis(now_ms))
        .subject(mail.subject.as_str())
        .message_id(Some(format!("<{}@{domain}>", hash("delivery", delivery_id))))
        // Holiday messages answer nothing that says this (RFC 3834).
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ));
    if let Some(thread) = &mail.thread {
        let thread = format!("<{}@{domain}>", hash("thread", thread));
        built = built.in_reply_to(thread.clone()).references(thread);
    }
    for recipient in recipients {
        built = built.to(Mailbox::new(None, recipient.clone()));
    }
    let plain = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(mail.text.clone());
    let message = match html {
        None => built.singlepart(plain),
        Some(html) => {
            // Of its own making it would be another at every attempt.
            let boundary = hash("boundary", delivery_id);
            let html = SinglePart::builder().header(ContentType::TEXT_HTML).body(html.to_owned());
            let both = MultiPart::alternative().boundary(boundary).build();
            built.multipart(both.singlepart(plain).singlepart(html))
        }
    };
    let bytes = message.map_err(|reason| format!("no mail can be made of it: {reason}"))?.formatted();
    if subject_length(&bytes) > MOST_SUBJECT {
        return Err(format!("the subject has more than {MOST_SUBJECT} bytes when it is encoded"));
    }
    Ok(bytes)
}

/// The length of the subject as it is written, folded lines included.
fn subject_length(message: &[u8]) -> usize {
    let text = String::from_utf8_lossy(message);
    let mut lines = text.split("\r\n").take_while(|line| !line.is_empty());
    let first = lines.by_ref().find_map(|line| line.strip_prefix("Subject: ")).map_or(0, str::len);
    first + lines.take_while(|line| line.starts_with([' ', '\t'])).map(str::len).sum::<usize>()
}

/// 128 bits of a hash: whoever knows the ids in a mail learns nothing of ours from them.
fn hash(about: &str, id: &str) -> String {
    let digest = Sha256::digest(format!("holdback {about}\n{id}"));
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
