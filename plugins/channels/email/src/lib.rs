//! Notices by mail, as plain text and as simple HTML. The host makes it MIME and submits it; a channel has no way to write a header.

use holdback_channel::types::{
    Callback, CallbackOutcome, Delivery, Description, HostRequest, Mail, MailResponse, Outcome, Request,
    Response, SecretEncoding, SecretSlot, Setting, SettingKind,
};
use holdback_channel::{Channel, cut, described, no_callbacks, setting, unlike, words};

/// What a list of mails has room for, in bytes.
const SUBJECT: usize = 200;
/// What an operator wants to read of a server's message, in bytes.
const REASON: usize = 500;

struct Email;

impl Channel for Email {
    fn describe() -> Description {
        Description {
            wants: vec![HostRequest::Mail],
            // The host logs in; the component never names it.
            secrets: vec![SecretSlot {
                name: "password".to_owned(),
                about: "Of the account at the mail server, if it asks for one.".to_owned(),
                encoding: SecretEncoding::Text,
                required: false,
            }],
            settings: vec![Setting {
                name: "to".to_owned(),
                about: "Addresses that get every notice besides those it is for, with commas between them."
                    .to_owned(),
                kind: SettingKind::Text,
                required: false,
                example: Some("duty@example.com, contracts@example.com".to_owned()),
            }],
            supports: vec!["update".to_owned()],
            ..described("email", env!("CARGO_PKG_VERSION"), "Mail, in one thread for each obligation.")
        }
    }

    fn render(delivery: Delivery) -> Result<Request, String> {
        let to = recipients(&delivery);
        if to.is_empty() {
            return Err("nobody who is to be told has a mail address".to_owned());
        }
        Ok(Request::Mail(Mail {
            to,
            subject: cut(&words::headline(&delivery), SUBJECT).into_owned(),
            text: words::plain(&delivery),
            html: Some(html(&delivery)),
            thread: Some(delivery.dedup_key),
        }))
    }

    fn judge(_: Delivery, response: Response) -> Outcome {
        let Response::Mail(response) = response else { return unlike(&response) };
        match response.code {
            // From here on the server is responsible for it, and may still send it back.
            200..=299 => Outcome::Accepted(queued(&response)),
            400..=499 => Outcome::Retry(reason(&response)),
            500..=599 => Outcome::Permanent(reason(&response)),
            code => Outcome::Unknown(Some(format!("code {code} is none"))),
        }
    }

    fn on_callback(_: Callback) -> CallbackOutcome {
        no_callbacks()
    }
}

/// Everybody once, in their order.
fn recipients(delivery: &Delivery) -> Vec<String> {
    let mut to: Vec<String> = Vec::new();
    let people = delivery.to.iter().filter_map(|contact| contact.email.as_deref());
    for address in people.chain(setting(delivery, "to").unwrap_or("").split(',')).map(str::trim) {
        if !address.is_empty() && !to.iter().any(|known| known.eq_ignore_ascii_case(address)) {
            to.push(address.to_owned());
        }
    }
    to
}

fn reason(response: &MailResponse) -> String {
    format!("{} {}", response.code, cut(&words::one_line(&response.lines.join(" ")), REASON))
}

/// The server's own name of the mail, as the two usual servers say it.
fn queued(response: &MailResponse) -> Option<String> {
    let line = response.lines.last()?;
    let (_, id) = line.rsplit_once("queued as ").or_else(|| line.rsplit_once("id="))?;
    let id = id.split(' ').next().unwrap_or("");
    (!id.is_empty()).then(|| cut(&words::one_line(id), REASON).into_owned())
}

fn html(delivery: &Delivery) -> String {
    let lang = if words::chinese(&delivery.locale) { "zh" } else { "en" };
    let mut html = format!("<html lang=\"{lang}\"><body>\n<h3>");
    escape(&mut html, &words::headline(delivery));
    html.push_str("</h3>\n<p>");
    escape(&mut html, &delivery.notice.text);
    html.push_str("</p>\n<table>\n");
    for (label, value) in words::lines(delivery) {
        html.push_str("<tr><th align=\"left\">");
        html.push_str(label);
        html.push_str("</th><td>");
        escape(&mut html, &value);
        html.push_str("</td></tr>\n");
    }
    html.push_str("</table>\n</body></html>\n");
    html
}

fn escape(html: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' => html.push_str("<br>\n"),
            _ => html.push(letter),
        }
    }
}

holdback_channel::channel!(Email);
