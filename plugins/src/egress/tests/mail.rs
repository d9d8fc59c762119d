use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use mailin::response::{AUTH_OK, INVALID_CREDENTIALS, OK};
use mailin::{Action, AuthMechanism, Handler, Response, Session, SessionBuilder};
use rustls::ServerConfig;

use super::peers::{certified, serve, tls};
use super::*;
use crate::wire::{Mail, MailResponse};

/// 2 January 2026, 03:04:05 UTC.
const NOW: u64 = 1_767_323_045_000;

/// What a mail server has seen.
#[derive(Default)]
struct Seen {
    /// Whether the commands so far came under TLS.
    secure: bool,
    logins: Vec<(String, String, bool)>,
    from: String,
    to: Vec<String>,
    mail: Vec<u8>,
    mails: usize,
    /// Every line as it came.
    lines: Vec<String>,
}

/// How a mail server behaves.
#[derive(Clone)]
struct Server {
    seen: Arc<Mutex<Seen>>,
    tls: Option<Arc<ServerConfig>>,
    implicit: bool,
    auth: Option<AuthMechanism>,
    mail: Response,
    rcpt: Response,
    end: Response,
    /// Closes the connection instead of an answer to this line.
    closes_at: &'static str,
    /// Goes on in clear text after its leave to begin TLS.
    injects: bool,
}

impl Server {
    fn new() -> Server {
        Server {
            seen: Arc::default(),
            tls: None,
            implicit: false,
            auth: None,
            mail: OK,
            rcpt: OK,
            end: OK,
            closes_at: "never",
            injects: false,
        }
    }

    fn start(&self) -> SocketAddr {
        let server = self.clone();
        serve(move |stream| server.session(stream))
    }

    fn session(&self, mut stream: TcpStream) {
        let mut builder = SessionBuilder::new("mail.test");
        if self.tls.is_some() && !self.implicit {
            builder.enable_start_tls();
        }
        if let Some(mechanism) = &self.auth {
            builder.enable_auth(mechanism.clone()).insecure_enable_plaintext_auth();
        }
        let mut session = builder.build(stream.peer_addr().unwrap().ip(), self.clone());
        if self.implicit {
            self.seen.lock().unwrap().secure = true;
            let mut stream = tls(stream, self.tls.as_ref().unwrap());
            let _ = stream.write_all(&session.greeting().buffer().unwrap());
            self.talk(&mut session, &mut stream);
            return;
        }
        stream.write_all(&session.greeting().buffer().unwrap()).unwrap();
        if self.talk(&mut session, &mut stream) {
            let mut stream = tls(stream, self.tls.as_ref().unwrap());
            session.tls_active();
            self.seen.lock().unwrap().secure = true;
            self.talk(&mut session, &mut stream);
        }
    }

    /// Talks until the connection ends, or until TLS is to begin.
    fn talk(&self, session: &mut Session<Server>, stream: &mut (impl Read + Write)) -> bool {
        // Byte by byte, so that nothing of the handshake is read here.
        let mut reader = BufReader::with_capacity(1, stream);
        loop {
            let mut line = Vec::new();
            if reader.read_until(b'\n', &mut line).unwrap_or(0) == 0 {
                return false;
            }
            let shown = String::from_utf8_lossy(&line).into_owned();
            let closes = shown.starts_with(self.closes_at);
            self.seen.lock().unwrap().lines.push(shown);
            let reply = session.process(&line);
            if closes {
                return false;
            }
            let mut bytes = reply.buffer().unwrap();
            if reply.action == Action::UpgradeTls && self.injects {
                bytes.extend_from_slice(b"250-mail.test\r\n250 AUTH PLAIN\r\n");
            }
            if reply.action != Action::NoReply && reader.get_mut().write_all(&bytes).is_err() {
                return false;
            }
            match reply.action {
                Action::Close => return false,
                Action::UpgradeTls => return true,
                Action::NoReply | Action::Reply => {}
            }
        }
    }

    fn login(&self, user: &str, password: &str) -> Response {
        let mut seen = self.seen.lock().unwrap();
        let secure = seen.secure;
        seen.logins.push((user.to_owned(), password.to_owned(), secure));
        if password == "examplepass" { AUTH_OK } else { INVALID_CREDENTIALS }
    }
}

impl Handler for Server {
    fn mail(&mut self, _: IpAddr, _: &str, from: &str) -> Response {
        self.seen.lock().unwrap().from = from.to_owned();
        self.mail.clone()
    }

    fn rcpt(&mut self, to: &str) -> Response {
        self.seen.lock().unwrap().to.push(to.to_owned());
        self.rcpt.clone()
    }

    fn data(&mut self, line: &[u8]) -> io::Result<()> {
        self.seen.lock().unwrap().mail.extend_from_slice(line);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        self.seen.lock().unwrap().mails += 1;
        self.end.clone()
    }

    fn auth_plain(&mut self, _: &str, user: &str, password: &str) -> Response {
        self.login(user, password)
    }

    fn auth_login(&mut self, user: &str, password: &str) -> Response {
        self.login(user, password)
    }
}

fn allowance(address: SocketAddr, tls: MailTls) -> MailAllowance {
    MailAllowance {
        server: "127.0.0.1".to_owned(),
        port: address.port(),
        tls,
        network: Network::Loopback,
        from: "Holdback <alerts@example.test>".to_owned(),
        login: None,
        recipients: vec!["ops@example.test".to_owned(), "@client.test".to_owned()],
    }
}

fn with_login(address: SocketAddr, tls: MailTls) -> MailAllowance {
    let login = MailLogin { user: "alerts@example.test".to_owned(), password: "password".to_owned() };
    MailAllowance { login: Some(login), server: "mail.test".to_owned(), ..allowance(address, tls) }
}

fn password() -> Secrets {
    Secrets::from_values([("password", "examplepass")])
}

fn mail(to: &[&str]) -> Mail {
    Mail {
        to: to.iter().map(|to| (*to).to_owned()).collect(),
        subject: "违约: T-1001 is 4 h late".to_owned(),
        text: "The clock of clause 4.2 ran out.\n.\nSee the contract.".to_owned(),
        html: None,
        thread: Some("acme/T-1001/4.2".to_owned()),
    }
}

fn send(egress: &Egress, mail: &Mail, allowance: &MailAllowance) -> Result<MailResponse, SendError> {
    egress.mail(mail, "dlv-0001", NOW, allowance, &password())
}

fn plain() -> Egress {
    egress(&Names::default(), &[])
}

fn trusting(root: &str) -> Egress {
    let config = EgressConfig { roots: root.to_owned(), ..impatient() };
    let names = Names::of(&[("mail.test", &["127.0.0.1"]), ("other.test", &["127.0.0.1"])]);
    Egress::with(config, Box::new(names), Defences::default()).unwrap()
}

#[test]
fn a_mail_is_delivered_and_is_the_same_every_time() {
    let server = Server::new();
    let allowance = allowance(server.start(), MailTls::None);
    let mut trace = Trace::default();
    let mail = mail(&["ops@example.test", "Legal@Client.test", "ops@example.test"]);
    let answer =
        plain().mail_traced(&mail, "dlv-0001", NOW, &allowance, &Secrets::none(), &mut trace).unwrap();
    assert_eq!(answer, MailResponse { code: 250, lines: vec!["OK".to_owned()] });
    let first = {
        let mut seen = server.seen.lock().unwrap();
        assert_eq!(seen.from, "alerts@example.test");
        assert_eq!(seen.to, ["ops@example.test", "Legal@Client.test"]);
        assert_eq!(seen.mails, 1);
        std::mem::take(&mut seen.mail)
    };
    let text = String::from_utf8(first.clone()).unwrap();
    for line in [
        "From: Holdback <alerts@example.test>",
        "To: ops@example.test, Legal@Client.test",
        "Subject: =?utf-8?b?6L+d57qmOg==?= T-1001 is 4 h late",
        "Date: Fri, 02 Jan 2026 03:04:05 +0000",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
    ] {
        assert!(text.contains(&format!("{line}\r\n")), "{line}: {text}");
    }
    let of = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
    assert!(of("Message-ID: <").ends_with("@example.test>"));
    assert_eq!(of("In-Reply-To: "), of("References: "));
    assert!(!text.contains("dlv-0001") && !text.contains("acme"), "ids of ours are nobody's business");

    send(&plain(), &mail, &allowance).unwrap();
    assert_eq!(server.seen.lock().unwrap().mail, first);
    assert!(trace.steps.contains(&Step::Replied { command: "RCPT", code: 250 }));
    assert_eq!(trace.steps.last(), Some(&Step::Answered { status: 250, bytes: 0 }));
}

#[test]
fn html_comes_beside_the_text() {
    let server = Server::new();
    let allowance = allowance(server.start(), MailTls::None);
    let mail = Mail { html: Some("<p>late</p>".to_owned()), thread: None, ..mail(&["ops@example.test"]) };
    for _ in 0..2 {
        send(&plain(), &mail, &allowance).unwrap();
    }
    let text = String::from_utf8(server.seen.lock().unwrap().mail.clone()).unwrap();
    assert!(text.contains("multipart/alternative") && text.contains("<p>late</p>"), "{text}");
    assert!(!text.contains("In-Reply-To"));
    let (one, other) = text.split_at(text.len() / 2);
    assert_eq!(one, other, "the boundary is the same");
}

#[test]
fn a_password_goes_under_tls_only() {
    let (root, config) = certified("mail.test");
    for (implicit, mechanism) in
        [(false, AuthMechanism::Plain), (false, AuthMechanism::Login), (true, AuthMechanism::Plain)]
    {
        let server = Server { tls: Some(config.clone()), implicit, auth: Some(mechanism), ..Server::new() };
        let mode = if implicit { MailTls::Implicit } else { MailTls::StartTls };
        let allowance = with_login(server.start(), mode);
        let mut trace = Trace::default();
        let mail = mail(&["ops@example.test"]);
        let answer =
            trusting(&root).mail_traced(&mail, "dlv-0001", NOW, &allowance, &password(), &mut trace).unwrap();
        assert_eq!(answer.code, 250);
        assert!(trace.steps.contains(&Step::Secured));
        assert!(!format!("{trace:?}").contains("examplepass"));
        let seen = server.seen.lock().unwrap();
        assert_eq!(seen.logins, [("alerts@example.test".to_owned(), "examplepass".to_owned(), true)]);
        assert!(
            seen.lines.iter().all(|line| implicit || line.starts_with("EHLO [127.0.0.1]") || seen.secure)
        );
    }
}

#[test]
fn a_server_without_starttls_gets_nothing() {
    let server = Server { auth: Some(AuthMechanism::Plain), ..Server::new() };
    let allowance = with_login(server.start(), MailTls::StartTls);
    let (root, _) = certified("mail.test");
    let reason = not_sent(send(&trusting(&root), &mail(&["ops@example.test"]), &allowance));
    assert_eq!(reason, "`mail.test` does not offer STARTTLS; nothing is sent in clear text");
    let seen = server.seen.lock().unwrap();
    assert!(
        seen.logins.is_empty() && seen.lines.iter().all(|line| line.starts_with("EHLO ")),
        "{:?}",
        seen.lines
    );
}

#[test]
fn a_server_that_speaks_on_before_tls_gets_nothing() {
    let (root, config) = certified("mail.test");
    let server = Server { tls: Some(config), injects: true, ..Server::new() };
    let allowance = with_login(server.start(), MailTls::StartTls);
    let reason = not_sent(send(&trusting(&root), &mail(&["ops@example.test"]), &allowance));
    assert_eq!(reason, "the server spoke on before TLS began");
}

#[test]
fn a_server_has_to_prove_its_name() {
    let (root, config) = certified("mail.test");
    for implicit in [true, false] {
        let server = Server { tls: Some(config.clone()), implicit, ..Server::new() };
        let mode = if implicit { MailTls::Implicit } else { MailTls::StartTls };
        let other = MailAllowance { server: "other.test".to_owned(), ..with_login(server.start(), mode) };
        let reason = not_sent(send(&trusting(&root), &mail(&["ops@example.test"]), &other));
        assert!(reason.starts_with("no TLS with `other.test`"), "{reason}");
        assert!(server.seen.lock().unwrap().logins.is_empty());
    }
}

#[test]
fn whatever_a_server_refuses_is_an_answer() {
    let busy = || Response::custom(451, "try again".to_owned());
    let never = || Response::custom(550, "no such user".to_owned());
    let servers = [
        (Server { mail: busy(), ..Server::new() }, 451, "try again"),
        (Server { rcpt: never(), ..Server::new() }, 550, "no such user"),
        (Server { end: busy(), ..Server::new() }, 451, "try again"),
        (Server { end: never(), ..Server::new() }, 550, "no such user"),
    ];
    for (server, code, line) in servers {
        let allowance = allowance(server.start(), MailTls::None);
        let answer = send(&plain(), &mail(&["ops@example.test"]), &allowance).unwrap();
        assert_eq!(answer, MailResponse { code, lines: vec![line.to_owned()] });
    }
    let (root, config) = certified("mail.test");
    let server = Server { tls: Some(config), auth: Some(AuthMechanism::Plain), ..Server::new() };
    let allowance = with_login(server.start(), MailTls::StartTls);
    let wrong = Secrets::from_values([("password", "wrongpass")]);
    let answer = trusting(&root).mail(&mail(&["ops@example.test"]), "dlv", NOW, &allowance, &wrong).unwrap();
    assert_eq!(answer.code, 535);
    assert_eq!(server.seen.lock().unwrap().mails, 0);
}

#[test]
fn an_answer_that_quotes_the_password_is_shown_without_it() {
    let end = Response::custom(554, "examplepass, or ZXhhbXBsZXBhc3M=, is bad".to_owned());
    let server = Server { end, ..Server::new() };
    let allowance = allowance(server.start(), MailTls::None);
    let answer = send(&plain(), &mail(&["ops@example.test"]), &allowance).unwrap();
    assert_eq!(answer.lines, ["«password», or «password»=, is bad"]);
    let off = egress(&Names::default(), &[Defence::Redaction]);
    let answer = send(&off, &mail(&["ops@example.test"]), &allowance).unwrap();
    assert!(answer.lines[0].contains("examplepass"));
}

#[test]
fn only_after_the_final_dot_is_a_mail_lost() {
    for (closes_at, is_lost) in
        [("EHLO", false), ("MAIL", false), ("RCPT", false), ("DATA", false), (".\r\n", true)]
    {
        let server = Server { closes_at, ..Server::new() };
        let allowance = allowance(server.start(), MailTls::None);
        let answer = send(&plain(), &mail(&["ops@example.test"]), &allowance);
        if is_lost {
            lost(answer);
        } else {
            not_sent(answer);
        }
        assert_eq!(server.seen.lock().unwrap().mails, usize::from(is_lost), "{closes_at}");
    }
}

#[test]
fn a_server_that_is_silent_or_talks_for_ever_is_not_waited_for() {
    let endless = |bytes: &'static [u8]| serve(move |mut stream| while stream.write_all(bytes).is_ok() {});
    let silent = serve(|stream| {
        std::thread::sleep(Duration::from_secs(20));
        drop(stream);
    });
    let dripping = serve(|mut stream| {
        while stream.write_all(b"2").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    for address in [silent, dripping, endless(b"220-again\r\n"), endless(b"2"), endless(b"HTTP/1.1 400\r\n")]
    {
        not_sent(hasty().mail(
            &mail(&["ops@example.test"]),
            "dlv",
            NOW,
            &allowance(address, MailTls::None),
            &password(),
        ));
    }
}

#[test]
fn attack_a_recipient_who_is_not_granted() {
    let server = Server::new();
    let allowance = allowance(server.start(), MailTls::None);
    for to in
        ["ceo@example.test", "OPS@example.test", "ops@sub.client.test", "ops@xclient.test", "a@evil.test"]
    {
        let mail = mail(&["ops@example.test", to]);
        let reason = refused(send(&plain(), &mail, &allowance));
        assert_eq!(reason, format!("recipient `{to}` is not granted"));
        assert!(server.seen.lock().unwrap().lines.is_empty());
        send(&egress(&Names::default(), &[Defence::AllowList]), &mail, &allowance).unwrap();
        let mut seen = server.seen.lock().unwrap();
        assert_eq!(std::mem::take(&mut seen.to), ["ops@example.test", to]);
        seen.lines.clear();
    }
}

#[test]
fn attack_a_mail_server_with_an_address_of_ours() {
    let (root, config) = certified("mail.test");
    let server = Server { tls: Some(config), implicit: true, ..Server::new() };
    let allowance =
        MailAllowance { network: Network::Public, ..with_login(server.start(), MailTls::Implicit) };
    let allowance = MailAllowance { login: None, ..allowance };
    let reason = refused(send(&trusting(&root), &mail(&["ops@example.test"]), &allowance));
    assert!(reason.ends_with("loopback; granted is public"), "{reason}");
    let config = EgressConfig { roots: root, ..impatient() };
    let names = Names::of(&[("mail.test", &["127.0.0.1"])]);
    let off = Egress::with(config, Box::new(names), Defences::without(&[Defence::AddressCheck])).unwrap();
    assert_eq!(send(&off, &mail(&["ops@example.test"]), &allowance).unwrap().code, 250);
}

#[test]
fn nothing_in_a_mail_becomes_a_command_or_a_header() {
    let server = Server::new();
    let allowance = allowance(server.start(), MailTls::None);
    for to in [
        "ops@example.test>\r\nRCPT TO:<evil@evil.test",
        "ops@example.test\r\nBcc: evil@evil.test",
        "ops@example.test,evil@evil.test",
        "ops@example.test, evil@evil.test",
        "<ops@example.test>",
        "Ops <ops@example.test>",
        "\"evil@evil.test,\"@client.test",
        "evil(@)evil@client.test",
        "evil@evil.test@client.test",
        "@evil.test:ops@client.test",
        "ops@[127.0.0.1]",
        "ops@client.test.",
        "ops @client.test",
        "ops\0@client.test",
        "öps@client.test",
        "ops@client.test\u{2028}",
        "",
        "@client.test",
    ] {
        let reason = refused(send(&plain(), &mail(&[to]), &allowance));
        assert!(reason.ends_with("is no address of a recipient") && !reason.contains('\r'), "{reason}");
    }
    for subject in ["a\r\nBcc: evil@evil.test", "a\nb", "a\rb", "a\0b", "a\u{85}b", "a\tb"] {
        let mail = Mail { subject: subject.to_owned(), ..mail(&["ops@example.test"]) };
        assert_eq!(refused(send(&plain(), &mail, &allowance)), "the subject has control characters");
    }
    assert!(server.seen.lock().unwrap().lines.is_empty());
    // The text may hold what it likes: the dots of a smuggler, and lines that look like commands.
    for end in ["\r\n.\r\n", "\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r", "\0\r\n.\r\n"] {
        let text = format!("x{end}MAIL FROM:<evil@evil.test>\r\nRCPT TO:<evil@evil.test>\r\nDATA\r\n");
        let mail = Mail { text, thread: Some("a\r\nBcc: b".to_owned()), ..mail(&["ops@example.test"]) };
        send(&plain(), &mail, &allowance).unwrap();
    }
    let seen = server.seen.lock().unwrap();
    assert_eq!(seen.mails, 7);
    assert!(seen.to.iter().all(|to| to == "ops@example.test"));
    assert!(!String::from_utf8_lossy(&seen.mail).contains("Bcc"));
}

#[test]
fn a_mail_has_bounds() {
    let server = Server::new();
    let allowance = allowance(server.start(), MailTls::None);
    let many = |count: usize| (0..count).map(|n| format!("u{n}@client.test")).collect::<Vec<_>>();
    let to = |to| Mail { to, ..mail(&[]) };
    assert_eq!(send(&plain(), &to(many(50)), &allowance).unwrap().code, 250);
    assert_eq!(refused(send(&plain(), &to(many(51)), &allowance)), "51 recipients; 1 to 50 are taken");
    assert_eq!(refused(send(&plain(), &to(Vec::new()), &allowance)), "0 recipients; 1 to 50 are taken");
    let subject = |subject: String| Mail { subject, ..mail(&["ops@example.test"]) };
    assert_eq!(send(&plain(), &subject("word ".repeat(190)), &allowance).unwrap().code, 250);
    refused(send(&plain(), &subject("s".repeat(999)), &allowance));
    let reason = refused(send(&plain(), &subject("约".repeat(330)), &allowance));
    assert_eq!(reason, "the subject has more than 998 bytes when it is encoded");
    let long = |text: usize, html: usize| Mail {
        text: "t".repeat(text),
        html: Some("h".repeat(html)),
        ..mail(&["ops@example.test"])
    };
    assert_eq!(send(&plain(), &long(200_000, 62_144), &allowance).unwrap().code, 250);
    refused(send(&plain(), &long(200_000, 62_145), &allowance));
    let beyond = plain().mail(&mail(&["ops@example.test"]), "dlv", u64::MAX, &allowance, &password());
    assert_eq!(refused(beyond), "the date is beyond the year 9999");
}

#[test]
fn a_grant_of_mail_is_checked() {
    let address = "127.0.0.1:25".parse().unwrap();
    let good = || with_login(address, MailTls::StartTls);
    assert_eq!(good().check(), Ok(()));
    let text = toml::to_string(&good()).unwrap();
    assert_eq!(toml::from_str::<MailAllowance>(&text).unwrap(), good());
    for wrong in [
        MailAllowance { server: "Mail.test".to_owned(), ..good() },
        MailAllowance { server: "127.1".to_owned(), ..good() },
        MailAllowance { server: "mail.test:25".to_owned(), ..good() },
        MailAllowance { port: 0, ..good() },
        MailAllowance { tls: MailTls::None, network: Network::Private, ..good() },
        MailAllowance { from: "nobody".to_owned(), ..good() },
        MailAllowance { from: "a@b.test\r\nBcc: c@d.test".to_owned(), ..good() },
        MailAllowance { from: "\"a b\"@c.test".to_owned(), ..good() },
        MailAllowance { recipients: vec!["*".to_owned()], ..good() },
        MailAllowance { recipients: vec!["@".to_owned()], ..good() },
    ] {
        assert!(wrong.check().is_err(), "{wrong:?}");
    }
    let unknown = MailLogin { user: "u".to_owned(), password: "other".to_owned() };
    let allowance = MailAllowance { login: Some(unknown), ..good() };
    let reason = refused(send(&plain(), &mail(&["ops@example.test"]), &allowance));
    assert_eq!(reason, "secret `other` is not described, or not granted");
}
