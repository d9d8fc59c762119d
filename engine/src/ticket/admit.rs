//! Events checked against a pack's schema, and made small.

use rhai::ImmutableString;
use serde_json::Value as Json;

use super::{
    Detail, DowntimeDetail, DutyDetail, Entry, FactType, InvoiceDetail, OutageDetail, PenaltyDetail,
    ReliefDetail, Schema, Value,
};
use crate::event::{CONTRACT_DATA, Event, EventError, Kind, TICKET_DATA};
use crate::nearest::hint;
use crate::{Currency, Money};

impl Schema {
    pub(crate) fn fact(&self, name: &str) -> Option<usize> {
        self.facts.iter().position(|fact| fact.name == name)
    }

    fn fact_names(&self) -> impl Iterator<Item = &str> {
        self.facts.iter().map(|fact| fact.name.as_str())
    }

    /// Checks an event against the schema.
    pub(crate) fn admit(&self, event: &Event) -> Result<Entry, EventError> {
        let id = || event.id.clone();
        for (field, text) in [("id", &event.id), ("contract", &event.contract), ("kind", &event.kind)] {
            if text.is_empty() {
                return Err(EventError::Empty { id: id(), field });
            }
        }
        let kind = self.kinds.find(&event.kind).ok_or_else(|| EventError::UnknownKind {
            id: id(),
            kind: event.kind.clone(),
            hint: self.kinds.hint(&event.kind),
        })?;
        let scope = |expected| EventError::Scope { id: id(), kind: event.kind.clone(), expected };
        let detail = match (&event.ticket, kind.of_contract()) {
            (None, false) => return Err(scope("a ticket: `ticket` is missing")),
            (Some(_), true) => return Err(scope("the contract itself: `ticket` must be absent")),
            (Some(ticket), false) if ticket.is_empty() => {
                return Err(EventError::Empty { id: id(), field: "ticket" });
            }
            (Some(_), false) => self.ticket_detail(event, kind)?,
            (None, true) => self.contract_detail(event, kind)?,
        };
        Ok(Entry {
            at: event.at,
            id: event.id.as_str().into(),
            kind,
            via: event.via.as_deref().map(ImmutableString::from),
            reason: self.text(event, "reason")?.map(ImmutableString::from),
            detail,
        })
    }

    fn ticket_detail(&self, event: &Event, kind: Kind) -> Result<Detail, EventError> {
        let mut facts = Vec::new();
        let mut receipt = None;
        for (name, json) in &event.data {
            if let Some(place) = self.fact(name) {
                let fact = self.facts.get(place).map(|fact| &fact.of).unwrap_or(&FactType::Text);
                facts.push((u16::try_from(place).unwrap_or(u16::MAX), self.value(event, name, fact, json)?));
            } else if name == "receipt" && kind == Kind::CANCELLED {
                receipt = Some(json.as_bool().ok_or_else(|| wrong_type(event, name, json, "true or false"))?);
            } else if !TICKET_DATA.contains(&name.as_str()) {
                return Err(EventError::UnknownFact {
                    id: event.id.clone(),
                    kind: event.kind.clone(),
                    fact: name.clone(),
                    hint: hint(name, self.fact_names().chain(TICKET_DATA)),
                });
            }
        }
        Ok(match receipt {
            Some(given) if facts.is_empty() => Detail::Receipt(given),
            _ if facts.is_empty() => Detail::None,
            _ => Detail::Facts(facts.into_boxed_slice()),
        })
    }

    fn contract_detail(&self, event: &Event, kind: Kind) -> Result<Detail, EventError> {
        let missing = |fact, expected| EventError::MissingFact {
            id: event.id.clone(),
            kind: event.kind.clone(),
            fact,
            expected,
        };
        self.contract_data(event, kind)?;
        match kind {
            Kind::DEPOSIT_PAID | Kind::DEPOSIT_RELEASED | Kind::INVOICED => {
                let json = event
                    .data
                    .get("amount")
                    .ok_or_else(|| missing("amount", "an amount such as \"10000.00\""))?;
                match self.value(event, "amount", &FactType::Money, json)? {
                    Value::Money(money) if money.minor() >= 0 && kind == Kind::INVOICED => {
                        let service = self.text(event, "service")?.map(Box::from);
                        Ok(Detail::Invoice(Box::new(InvoiceDetail { amount: money, service })))
                    }
                    Value::Money(money) if money.minor() >= 0 => Ok(Detail::Amount(money)),
                    _ => Err(wrong_type(event, "amount", json, "zero or more")),
                }
            }
            Kind::PENALTY_CONFIRMED | Kind::PENALTY_WAIVED | Kind::PENALTY_DISPUTED | Kind::DISPUTE_ENDED => {
                let penalty = self.text(event, "penalty")?;
                let penalty =
                    penalty.ok_or_else(|| missing("penalty", "its id, `<ticket>/<clause>/<clock>`"))?;
                let by = event.actor.as_deref().map(Box::from);
                Ok(Detail::Penalty(Box::new(PenaltyDetail { penalty: penalty.into(), by })))
            }
            Kind::DUTY_DONE => {
                let duty = self.text(event, "duty")?.ok_or_else(|| missing("duty", "the duty's name"))?;
                let mut facts = Vec::new();
                for (name, json) in event.data.iter().filter(|(name, _)| *name != "duty") {
                    let Some(place) = self.fact(name) else { continue };
                    let of = self.facts.get(place).map_or(&FactType::Text, |fact| &fact.of);
                    let place = u16::try_from(place).unwrap_or(u16::MAX);
                    facts.push((place, self.value(event, name, of, json)?));
                }
                Ok(Detail::Duty(Box::new(DutyDetail { duty: duty.into(), facts: facts.into() })))
            }
            Kind::OUTAGE_STARTED | Kind::OUTAGE_ENDED => {
                let (outage, service) = (self.text(event, "outage")?, self.text(event, "service")?);
                let (outage, service) = (outage.map(Box::from), service.map(Box::from));
                Ok(Detail::Outage(Box::new(OutageDetail { outage, service })))
            }
            Kind::DOWNTIME_PLANNED => {
                let time = |name: &'static str| match event.data.get(name) {
                    None => Err(missing(name, "an instant: RFC 3339 with offset, or a date")),
                    Some(Json::String(text)) => match self.instant(event, name, text)? {
                        Value::Instant(at) => Ok(at),
                        _ => Err(missing(name, "an instant")),
                    },
                    Some(json) => Err(wrong_type(event, name, json, "a text: RFC 3339 with offset")),
                };
                let (from, until) = (time("from")?, time("until")?);
                if until < from {
                    let until = event.data.get("until").unwrap_or(&Json::Null);
                    return Err(wrong_type(
                        event,
                        "until",
                        until,
                        &format!("an instant after `from`, {from}"),
                    ));
                }
                let service = self.text(event, "service")?.map(Box::from);
                Ok(Detail::Downtime(Box::new(DowntimeDetail { from, until, service })))
            }
            Kind::FORCE_MAJEURE_STARTED | Kind::FORCE_MAJEURE_ENDED => {
                let window = self.text(event, "window")?.map(Box::from);
                let clocks = match event.data.get("clocks") {
                    None => Vec::new(),
                    Some(Json::Array(names)) if names.iter().all(Json::is_string) && !names.is_empty() => {
                        names.iter().filter_map(Json::as_str).map(Box::from).collect()
                    }
                    Some(json) => return Err(wrong_type(event, "clocks", json, "a list of names of clocks")),
                };
                let clocks = clocks.into_boxed_slice();
                Ok(Detail::Relief(Box::new(ReliefDetail { window, clocks })))
            }
            _ => Ok(Detail::None),
        }
    }

    /// Data that no event of the kind carries is a mistake, not a remark.
    fn contract_data(&self, event: &Event, kind: Kind) -> Result<(), EventError> {
        let own = CONTRACT_DATA.iter().find(|(name, _)| *name == event.kind).map_or(&[][..], |(_, own)| own);
        let own = if kind == Kind::FORCE_MAJEURE_ENDED { &["window"] } else { own };
        let evidence = |name: &str| kind == Kind::DUTY_DONE && self.fact(name).is_some();
        for name in event.data.keys() {
            if !own.contains(&name.as_str())
                && !["reason", "note"].contains(&name.as_str())
                && !evidence(name)
            {
                let facts = self.fact_names().filter(|_| kind == Kind::DUTY_DONE);
                return Err(EventError::UnknownFact {
                    id: event.id.clone(),
                    kind: event.kind.clone(),
                    fact: name.clone(),
                    hint: hint(name, own.iter().copied().chain(["reason", "note"]).chain(facts)),
                });
            }
        }
        Ok(())
    }

    fn text<'a>(&self, event: &'a Event, name: &str) -> Result<Option<&'a str>, EventError> {
        match event.data.get(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) if self.fact(name).is_some() => Ok(None),
            Some(json) => Err(wrong_type(event, name, json, "a text")),
        }
    }

    fn value(&self, event: &Event, name: &str, of: &FactType, json: &Json) -> Result<Value, EventError> {
        let wrong = |expected: &str| wrong_type(event, name, json, expected);
        match (of, json) {
            (FactType::Bool, Json::Bool(yes)) => Ok(Value::Bool(*yes)),
            (FactType::Integer, Json::Number(n)) => {
                n.as_i64().map(Value::Integer).ok_or_else(|| wrong("a whole number of 64 bits"))
            }
            (FactType::Money, json) => self.money(event, name, json),
            (FactType::Text, Json::String(text)) => Ok(Value::Text(text.into())),
            (FactType::Instant, Json::String(text)) => self.instant(event, name, text),
            (FactType::OneOf(allowed), Json::String(text)) => {
                let found = allowed.iter().find(|allowed| allowed.as_str() == text).cloned();
                found.map(Value::Text).ok_or_else(|| {
                    let near = hint(text, allowed.iter().map(ImmutableString::as_str));
                    let all: Vec<_> = allowed.iter().map(ImmutableString::as_str).collect();
                    wrong(&format!("one of {}{near}", all.join(", ")))
                })
            }
            (FactType::Bool, _) => Err(wrong("true or false")),
            (FactType::Integer, _) => Err(wrong("a whole number")),
            (FactType::Text, _) => Err(wrong("a text")),
            (FactType::Instant, _) => Err(wrong("a text: RFC 3339 with offset, or a date")),
            (FactType::OneOf(_), _) => Err(wrong("a text")),
        }
    }

    /// `"500.00"`, or `{"amount": "500.00", "currency": "CNY"}`.
    fn money(&self, event: &Event, name: &str, json: &Json) -> Result<Value, EventError> {
        let refuse = |source| EventError::Money { id: event.id.clone(), fact: name.to_owned(), source };
        let (text, currency) = match json {
            Json::String(text) => (text.as_str(), None),
            Json::Object(fields) => {
                (fields.get("amount").and_then(Json::as_str).unwrap_or(""), fields.get("currency"))
            }
            _ => return Err(wrong_type(event, name, json, "an amount as text, such as \"500.00\"")),
        };
        if let Some(currency) = currency {
            let found: Currency = currency.as_str().unwrap_or("").parse().map_err(refuse)?;
            if found != self.currency {
                return Err(refuse(crate::MoneyError::Mixed { found, expected: self.currency }));
            }
        }
        Money::parse(text, self.currency).map(Value::Money).map_err(refuse)
    }

    fn instant(&self, event: &Event, name: &str, text: &str) -> Result<Value, EventError> {
        if let Ok(date) = text.parse::<chrono::NaiveDate>()
            && let Ok(end) = self.days.end_of_day(date)
        {
            return Ok(Value::Instant(end));
        }
        let time = text.parse().map(Value::Instant);
        time.map_err(|source| EventError::Time { id: event.id.clone(), fact: name.to_owned(), source })
    }
}

fn wrong_type(event: &Event, fact: &str, json: &Json, expected: &str) -> EventError {
    let found: String = json.to_string().chars().take(60).collect();
    EventError::FactType {
        id: event.id.clone(),
        fact: fact.to_owned(),
        found: format!("`{found}`"),
        expected: expected.to_owned(),
    }
}
