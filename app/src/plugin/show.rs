//! What components say and render, as text for people. Whatever comes from a component is escaped.

use std::fmt::Write as _;

use holdback_plugins::wire::{
    Description, Field, HttpRequest, Idempotency, Mail, Outcome, Part, Request, Response, SecretEncoding,
    SettingKind, Want,
};
use holdback_plugins::{Grant, Limits};

use super::{escaped, word};

/// Bytes of a body that are shown.
const SHOWN: usize = 4 << 10;

/// What a component asks for, a line each.
pub(crate) fn asked(description: &Description) -> Vec<String> {
    let mut lines = Vec::new();
    for want in &description.wants {
        lines.push(match want {
            Want::Origin(origin) => format!("send to  {}", escaped(origin)),
            Want::Setting(name) => format!("send to  the origin of the URL in setting `{}`", escaped(name)),
            Want::Mail => "send     mail, to recipients that you grant".to_owned(),
        });
    }
    for slot in &description.secrets {
        let encoding = match &slot.encoding {
            SecretEncoding::Text => String::new(),
            SecretEncoding::Base64(None) => ", base64".to_owned(),
            SecretEncoding::Base64(Some(prefix)) => format!(", base64 after `{}`", escaped(prefix)),
        };
        let need = if slot.required { "required" } else { "may be left out" };
        lines.push(format!("secret   {} ({need}{encoding}): {}", escaped(&slot.name), line(&slot.about)));
    }
    for setting in &description.settings {
        let kind = match setting.kind {
            SettingKind::Text => "text",
            SettingKind::Url => "URL",
            SettingKind::Number => "whole number",
            SettingKind::Flag => "true or false",
        };
        let need = if setting.required { "required" } else { "may be left out" };
        let example = setting.example.as_ref().map(|example| format!(" For example `{}`.", line(example)));
        let about = line(&setting.about);
        lines.push(format!(
            "setting  {} ({need}, {kind}): {about}{}",
            escaped(&setting.name),
            example.unwrap_or_default()
        ));
    }
    if lines.is_empty() {
        lines.push("nothing".to_owned());
    }
    lines
}

/// How the receiver bears what is sent.
pub(crate) fn receiver(description: &Description) -> String {
    let doubles = match description.idempotency {
        Idempotency::Keyed => "takes the same delivery twice for one",
        Idempotency::None => "takes the same delivery twice for two",
    };
    match description.per_minute {
        Some(number) => format!("{doubles}; bears {number} a minute"),
        None => doubles.to_owned(),
    }
}

/// What a grant allows, a line each.
pub(crate) fn granted(grant: &Grant) -> Vec<String> {
    let origins = grant.allow.origins.iter();
    let mut lines: Vec<String> =
        origins.map(|allowed| format!("send to  {} ({})", allowed.origin(), allowed.network())).collect();
    if let Some(mail) = &grant.allow.mail {
        let login = mail.login.as_ref().map(|login| format!(", as {}", login.user)).unwrap_or_default();
        let (server, port, tls) = (&mail.server, mail.port, word(&mail.tls));
        lines.push(format!(
            "mail     by {server}:{port} ({}, TLS {tls}) from {}{login}",
            mail.network, mail.from
        ));
        lines.push(format!("mail     to {}", mail.recipients.join(", ")));
    }
    lines.extend(grant.secrets.iter().map(|(slot, source)| format!("secret   {slot}, from {source}")));
    if lines.is_empty() {
        lines.push("nothing".to_owned());
    }
    lines
}

/// What a call of a component may take.
pub(crate) fn limits(limits: &Limits) -> String {
    format!(
        "{} ms, {} MiB of memory, {} KiB through the interface, {} log lines of {} bytes, {} signatures",
        limits.time.as_millis(),
        limits.memory >> 20,
        limits.host_bytes >> 10,
        limits.log_lines,
        limits.log_line,
        limits.signatures
    )
}

/// A request, its secrets as the names of their slots.
pub(crate) fn request(request: &Request) -> String {
    match request {
        Request::Http(request) => http(request),
        Request::Mail(request) => mail(request),
    }
}

fn http(request: &HttpRequest) -> String {
    let HttpRequest { method, origin, path, query, headers, body } = request;
    let mut text = format!("{} {}{}", word(method), line(origin), line(&parts(path)));
    for (place, Field { name, value }) in query.iter().enumerate() {
        let sign = if place == 0 { '?' } else { '&' };
        let _ = write!(text, "{sign}{}={}", line(name), line(&parts(value)));
    }
    for Field { name, value } in headers {
        let _ = write!(text, "\n{}: {}", line(name), line(&parts(value)));
    }
    let _ = write!(text, "\n\n{}", cut(&parts(body)));
    text
}

fn mail(mail: &Mail) -> String {
    let mut text = format!("MAIL to {}\nsubject: {}", line(&mail.to.join(", ")), line(&mail.subject));
    if let Some(thread) = &mail.thread {
        let _ = write!(text, "\nthread: {}", line(thread));
    }
    let _ = write!(text, "\n\n{}", cut(&mail.text));
    if let Some(html) = &mail.html {
        let _ = write!(text, "\n\n(and {} bytes of HTML)", html.len());
    }
    text
}

/// The text that parts make.
fn parts(parts: &[Part]) -> String {
    let one = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Bytes(bytes) => bytes_text(bytes),
        Part::Secret(slot) => format!("«{slot}»"),
    };
    parts.iter().map(one).collect()
}

fn bytes_text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| format!("({} bytes)", bytes.len()), str::to_owned)
}

/// An answer.
pub(crate) fn response(response: &Response) -> String {
    match response {
        Response::Http(answer) => {
            let mut text = format!("status {}", answer.status);
            if !answer.body.is_empty() {
                let more = if answer.truncated { ", cut" } else { "" };
                let _ =
                    write!(text, ", {} bytes{more}: {}", answer.body.len(), cut(&bytes_text(&answer.body)));
            }
            text
        }
        Response::Mail(answer) => format!("code {}: {}", answer.code, line(&answer.lines.join(" / "))),
    }
}

/// What became of a delivery.
pub(crate) fn outcome(outcome: &Outcome) -> String {
    let as_id =
        |id: &Option<String>| id.as_ref().map(|id| format!(", there as {}", line(id))).unwrap_or_default();
    match outcome {
        Outcome::Delivered(id) => format!("delivered{}", as_id(id)),
        Outcome::Accepted(id) => format!("accepted{}; it may still fail", as_id(id)),
        Outcome::RateLimited(Some(wait)) => format!("too fast: to be tried again in {wait} ms"),
        Outcome::RateLimited(None) => "too fast: to be tried again later".to_owned(),
        Outcome::Retry(why) => format!("to be tried again: {}", line(why)),
        Outcome::Permanent(why) => format!("failed for good: {}", line(why)),
        Outcome::Unknown(Some(why)) => format!("fate unknown: {}", line(why)),
        Outcome::Unknown(None) => "fate unknown".to_owned(),
    }
}

/// A text on one line.
fn line(text: &str) -> String {
    escaped(&text.replace('\n', "\\n"))
}

/// A long text, cut.
fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(SHOWN);
    let rest = text.len() - end;
    let shown = escaped(&text[..end]);
    if rest == 0 { shown } else { format!("{shown} (and {rest} bytes)") }
}

/// Each line of a text further to the right.
pub(crate) fn indented(text: &str, by: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let _ = writeln!(out, "{:by$}{line}", "");
    }
    out
}

#[cfg(test)]
mod tests {
    use holdback_plugins::wire::Method;

    use super::*;

    #[test]
    fn a_request_is_shown_with_the_names_of_its_secrets_and_without_control_characters() {
        let text = |text: &str| vec![Part::Text(text.to_owned())];
        let shown = request(&Request::Http(HttpRequest {
            method: Method::Post,
            origin: "https://a.example".to_owned(),
            path: vec![Part::Text("/in/".to_owned()), Part::Secret("token".to_owned())],
            query: vec![Field { name: "q".to_owned(), value: text("1\n2") }],
            headers: vec![Field { name: "x".to_owned(), value: text("\u{1b}[2J") }],
            body: vec![Part::Bytes(vec![0xff, 0xfe]), Part::Text("ok".to_owned())],
        }));
        assert_eq!(shown, "POST https://a.example/in/«token»?q=1\\n2\nx: \\u{1b}[2J\n\n(2 bytes)ok");
    }
}
