//! Mail.

use serde_json::Value as Json;

use super::{
    Object, Way, World,
    payload::{Mailed, Payload},
    text,
};

/// Who sends what nothing else is known of, and to whom.
pub(super) const SENDER: &str = "sender@mail.test";
pub(super) const RECIPIENT: &str = "recipient@mail.test";

pub(super) fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn mailed(from: &str, to: &str, headers: &[(&str, &str)], body: &str) -> Payload {
    let (from, to, body) = (from.to_owned(), to.to_owned(), body.to_owned());
    Payload::Mail(Box::new(Mailed { from, to, headers: owned(headers), body }))
}

/// A mail that says nothing.
pub(super) fn plain() -> Payload {
    mailed(SENDER, RECIPIENT, &[("From", SENDER), ("To", RECIPIENT), ("Subject", "hello")], "hello\n")
}

/// An address is in each of the places of a mail that hold one, by itself, with a name, or in capitals.
pub(super) fn address(object: &Object) -> Option<Vec<Way>> {
    let address = text(object, "value").filter(|value| is_address(value))?;
    let capitals = address.to_ascii_uppercase();
    let named = format!("\"Someone\" <{address}>");
    let two = format!("{RECIPIENT}, {address}");
    let ways = [
        mailed(address, RECIPIENT, &[("From", SENDER), ("To", RECIPIENT)], "hello\n"),
        mailed(SENDER, address, &[("From", SENDER), ("To", RECIPIENT)], "hello\n"),
        mailed(SENDER, RECIPIENT, &[("From", address), ("To", RECIPIENT)], "hello\n"),
        mailed(SENDER, RECIPIENT, &[("From", &named), ("To", RECIPIENT)], "hello\n"),
        mailed(SENDER, RECIPIENT, &[("From", SENDER), ("To", &two)], "hello\n"),
        mailed(SENDER, RECIPIENT, &[("From", &capitals), ("To", RECIPIENT)], "hello\n"),
    ]
    .map(Way::new);
    Some(ways.into())
}

/// Whether a text is an address as mails have it without quotes (RFC 5321, section 4.1.2).
fn is_address(text: &str) -> bool {
    let plain = |one: char| !one.is_control() && !one.is_whitespace() && !"()<>[]:;@\\,\"".contains(one);
    text.split_once('@').is_some_and(|(local, host)| {
        !local.is_empty() && !host.is_empty() && local.chars().chain(host.chars()).all(plain)
    })
}

/// A mail with the fields that were seen; its envelope tells who sent it and to whom.
pub(super) fn message(world: World<'_>, object: &Object) -> Option<Vec<Way>> {
    let value = |address: &Object| text(address, "value").map(str::to_owned);
    let one = |property| world.referred(object, property).and_then(value);
    let many =
        |property| -> Vec<String> { world.all_referred(object, property).into_iter().filter_map(value).collect() };
    let (from, sender) = (one("from_ref"), one("sender_ref"));
    let (to, cc) = (many("to_refs"), many("cc_refs"));
    if !from.iter().chain(&sender).chain(&to).chain(&cc).all(|address| is_address(address)) {
        return None;
    }
    let mut plain: Vec<(String, String)> = Vec::new();
    let mut push = |name: &str, value: Option<String>| plain.extend(value.map(|value| (name.to_owned(), value)));
    push("From", Some(from.clone().unwrap_or_else(|| SENDER.to_owned())));
    push("Sender", sender.clone());
    push("To", Some(if to.is_empty() { RECIPIENT.to_owned() } else { to.join(", ") }));
    push("Cc", (!cc.is_empty()).then(|| cc.join(", ")));
    for (name, property) in [("Subject", "subject"), ("Message-ID", "message_id"), ("Content-Type", "content_type")] {
        push(name, text(object, property).map(str::to_owned));
    }
    for (name, value) in object.get("additional_header_fields").and_then(Json::as_object).into_iter().flatten() {
        let values = value.as_array().map_or_else(|| vec![value], |values| values.iter().collect());
        values.into_iter().for_each(|value| push(name, value.as_str().map(str::to_owned)));
    }
    let mailed = |headers: &[(String, String)]| {
        Way::new(Payload::Mail(Box::new(Mailed {
            from: sender.clone().or_else(|| from.clone()).unwrap_or_else(|| SENDER.to_owned()),
            to: to.first().cloned().unwrap_or_else(|| RECIPIENT.to_owned()),
            headers: headers.to_vec(),
            body: text(object, "body").unwrap_or("hello\n").to_owned(),
        })))
    };
    // Names of fields ignore case, addresses may have a name in front, and a field may go on in the next line (RFC 5322).
    let addresses = |name: &str| matches!(name, "From" | "Sender" | "To" | "Cc");
    let named: Vec<(String, String)> = plain
        .iter()
        .map(|(name, value)| {
            let value =
                if addresses(name) && !value.contains(',') { format!("Someone <{value}>") } else { value.clone() };
            (name.to_ascii_uppercase(), value)
        })
        .collect();
    Some(vec![mailed(&plain), mailed(&named)])
}
