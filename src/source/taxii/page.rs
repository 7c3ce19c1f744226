//! The body of an objects resource: TAXII's envelope, or the bundle that some servers send in its place.

use std::{borrow::Cow, collections::BTreeMap, str, time::Duration};

use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::{TaxiiError, client::Answer, request::Items, time::parse_timestamp};
use crate::stix::Timestamp;

/// One page of objects, borrowed from its answer. Each object is text still: one that is wrong spoils no other.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) objects: Vec<&'a RawValue>,
    /// `more`; `None` where the server does not say.
    pub(super) more: Option<bool>,
    pub(super) next: Option<String>,
    /// `X-TAXII-Date-Added-Last`; `None` where it is missing or can't be right.
    pub(super) last: Option<Last>,
    /// `X-TAXII-Date-Added-First`; `None` where it is missing or no time.
    pub(super) first: Option<Timestamp>,
    /// Which items of the collection these are, in TAXII 2.0.
    pub(super) items: Option<Items>,
}

/// The `date_added` of a page's last object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Last {
    pub(super) moment: Timestamp,
    /// As the server wrote it.
    pub(super) text: String,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(rename = "type", default, borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    objects: Option<Vec<&'a RawValue>>,
    #[serde(default, borrow)]
    more: Option<&'a RawValue>,
    #[serde(default, borrow)]
    next: Option<&'a RawValue>,
}

impl<'a> Page<'a> {
    /// Reads any JSON object that has `objects`, whatever its content type says: an envelope (TAXII 2.1, section 3.7)
    /// or a STIX bundle with `more` and `next`. An object without `objects` is an empty page if it is `{}`, has `more`
    /// or `next`, or is a bundle.
    ///
    /// # Errors
    /// [`TaxiiError::NotJson`] with the place where reading stopped, [`TaxiiError::NotTaxii`] for other JSON.
    pub(super) fn read(answer: &'a Answer) -> Result<Self, TaxiiError> {
        let text = json_text(answer)?;
        let body: Body = serde_json::from_str(text).map_err(|error| unreadable(answer, &error))?;
        let objects = match body.objects {
            Some(objects) => objects,
            None if body.more.is_some() || body.next.is_some() || body.kind.as_deref() == Some("bundle") => Vec::new(),
            None if has_only_page_members(text) => Vec::new(),
            None => return Err(not_taxii(answer, "it has no `objects`")),
        };
        let (more, next) = (body.more.and_then(truth), body.next.and_then(token));
        let first = answer.first_added.as_deref().and_then(parse_timestamp);
        Ok(Self { objects, more, next, last: Last::from_answer(answer), first, items: answer.items })
    }
}

impl Last {
    /// What the header of `answer` says. A moment that the server's own clock won't reach for a day is wrong: asking
    /// for what was added after it would bring nothing for as long.
    pub(super) fn from_answer(answer: &Answer) -> Option<Self> {
        const AHEAD: Duration = Duration::from_secs(24 * 3600);
        let text = answer.last_added.as_ref()?;
        let moment = parse_timestamp(text)?;
        let is_ahead = answer.date.is_some_and(|now| moment > now.saturating_add(AHEAD));
        (!is_ahead).then(|| Self { moment, text: text.clone() })
    }

    /// The same, but so much earlier; as the server wrote it where that is no time at all.
    pub(super) fn earlier(self, by: Duration) -> Self {
        if by.is_zero() {
            return self;
        }
        let moment = self.moment.saturating_sub(by);
        Self { moment, text: format!("{moment:.6}") }
    }
}

/// `value` read as the resource `T`.
pub(super) fn resource<'a, T: Deserialize<'a>>(answer: &'a Answer) -> Result<T, TaxiiError> {
    serde_json::from_str(json_text(answer)?).map_err(|error| unreadable(answer, &error))
}

/// The body as text, without the byte-order mark that some servers send.
fn json_text(answer: &Answer) -> Result<&str, TaxiiError> {
    let body = answer.body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&answer.body);
    str::from_utf8(body).map_err(|error| not_json(answer, format!("byte {} is not UTF-8", error.valid_up_to())))
}

fn unreadable(answer: &Answer, error: &serde_json::Error) -> TaxiiError {
    match error.classify() {
        serde_json::error::Category::Data => not_taxii(answer, &error.to_string()),
        _ => not_json(answer, error.to_string()),
    }
}

fn not_json(answer: &Answer, reason: String) -> TaxiiError {
    TaxiiError::NotJson { url: answer.url.clone(), reason, content_type: answer.content_type.clone() }
}

fn not_taxii(answer: &Answer, reason: &str) -> TaxiiError {
    let said = super::status::message(&answer.body, str::to_owned);
    let reason = said.map_or_else(|| reason.to_owned(), |said| format!("{reason} (it says: {said})"));
    TaxiiError::NotTaxii { url: answer.url.clone(), reason }
}

/// Whether no member of the object `text` speaks against its being a page; so also for `{}`.
fn has_only_page_members(text: &str) -> bool {
    serde_json::from_str::<BTreeMap<Cow<str>, IgnoredAny>>(text)
        .is_ok_and(|members| members.keys().all(|name| matches!(name.as_ref(), "objects" | "more" | "next")))
}

fn truth(value: &RawValue) -> Option<bool> {
    match value.get() {
        "true" | "\"true\"" | "1" => Some(true),
        "false" | "\"false\"" | "0" => Some(false),
        _ => None,
    }
}

/// `next` is a string (section 3.7), but a server may count its pages with numbers. An empty one is none.
fn token(value: &RawValue) -> Option<String> {
    match serde_json::from_str::<Cow<str>>(value.get()) {
        Ok(text) => (!text.is_empty()).then(|| text.into_owned()),
        Err(_) => value.get().starts_with(|first: char| first.is_ascii_digit()).then(|| value.get().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: impl Into<Vec<u8>>) -> Answer {
        Answer { url: "https://feed.example/".into(), body: body.into(), ..Answer::default() }
    }

    fn read(body: &str) -> (usize, Option<bool>, Option<String>) {
        let answer = answer(body);
        let page = Page::read(&answer).unwrap();
        (page.objects.len(), page.more, page.next)
    }

    #[test]
    fn bodies_of_every_make() {
        let next = || Some("a+b/=".to_owned());
        assert_eq!(read(r#"{"more":true,"next":"a+b/=","objects":[{},{}]}"#), (2, Some(true), next()));
        assert_eq!(
            read(r#"{"type":"bundle","id":"bundle--1","spec_version":"2.1","objects":[{}],"more":false}"#),
            (1, Some(false), None)
        );
        assert_eq!(read("\u{feff} {} "), (0, None, None));
        assert_eq!(read(r#"{"objects":null,"more":null,"next":null}"#), (0, None, None));
        assert_eq!(read(r#"{"more":false}"#), (0, Some(false), None));
        assert_eq!(read(r#"{"type":"bundle","id":"bundle--1"}"#), (0, None, None));
        assert_eq!(
            read(r#"{"objects":[1,"x",null,{"a":{}}],"more":"true","next":7}"#),
            (4, Some(true), Some("7".into()))
        );
        assert_eq!(read(r#"{"objects":[],"next":""}"#), (0, None, None));
        assert_eq!(read(r#"{"objects":[],"next":"\u0041"}"#), (0, None, Some("A".into())));
    }

    #[test]
    fn other_json_is_no_page() {
        for body in [r#"{"title":"Not a page"}"#, "[]", "null", r#"{"objects":{}}"#, r#"{"api_roots":[]}"#, "7"] {
            let error = Page::read(&answer(body)).map(drop).unwrap_err();
            assert!(matches!(error, TaxiiError::NotTaxii { .. }), "{body}: {error}");
        }
        let error = Page::read(&answer(r#"{"title":"No key"}"#)).map(drop).unwrap_err();
        assert!(error.to_string().ends_with("(it says: No key)"), "{error}");
    }

    #[test]
    fn what_is_not_json_says_where() {
        for (body, place) in [
            (b"<html>".to_vec(), "line 1 column 1"),
            (b"{\"objects\":[{}".to_vec(), "line 1 column 14"),
            (b"{\"objects\":[\"\xff\"]}".to_vec(), "byte 13"),
            (b"".to_vec(), "line 1 column 0"),
            (b"{} {}".to_vec(), "line 1 column 4"),
        ] {
            let error = Page::read(&answer(body)).map(drop).unwrap_err();
            assert!(matches!(error, TaxiiError::NotJson { .. }), "{error}");
            assert!(error.to_string().contains(place), "{error}");
        }
    }

    #[test]
    fn deep_nesting_overflows_nothing() {
        let deep = format!(r#"{{"objects":[{}1{}]}}"#, "[".repeat(100_000), "]".repeat(100_000));
        let answer = answer(deep);
        assert_eq!(Page::read(&answer).unwrap().objects.len(), 1);
    }

    #[test]
    fn the_last_header_is_kept_as_it_came() {
        let mut answer = answer("{}");
        answer.last_added = Some("2026-01-01T00:00:00Z".into());
        assert_eq!(Page::read(&answer).unwrap().last.unwrap().text, "2026-01-01T00:00:00Z");
        answer.date = parse_timestamp("2025-12-31");
        assert!(Page::read(&answer).unwrap().last.is_some());
        answer.date = parse_timestamp("2025-12-30");
        assert_eq!(Page::read(&answer).unwrap().last, None);
        answer.last_added = Some("soon".into());
        assert_eq!(Page::read(&answer).unwrap().last, None);
    }
}
