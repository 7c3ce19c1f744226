//! URLs on their way: two that are written otherwise may be sent as one.

use serde_json::Value as Json;
use url::Url;

use super::Sighting;
use crate::plan::{Plan, ValueKind};

/// A URL as its client reads it, without what it keeps to itself: user name, password and fragment. Without a scheme it is
/// one of http.
#[must_use]
pub fn sent(text: &str) -> Option<Url> {
    let mut url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) }.ok()?;
    url.set_fragment(None);
    // A URL without a host has neither, and nothing to strip.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if !url.is_special() {
        // Names ignore case in any scheme, and who asks for no path asks for the first one.
        let host = url.host_str().map(str::to_ascii_lowercase);
        let _ = url.set_host(host.as_deref());
        if host.is_some() && url.path().is_empty() {
            url.set_path("/");
        }
    }
    Some(url)
}

/// The spellings of a URL that is sent as `text` is: those that `plan` itself uses, and those that clients write down.
#[must_use]
pub fn spellings(plan: &Plan, text: &str) -> Vec<String> {
    let Some(url) = sent(text) else { return Vec::new() };
    let values = plan.tests().filter(|test| test.property.object_type() == "url").flat_map(|test| test.values.iter());
    let own = values.filter_map(|value| match &value.kind {
        ValueKind::Url(url) => Some(url.text.as_str()),
        ValueKind::Text(text) => Some(text.as_str()),
        _ => None,
    });
    let has_scheme = text.contains("://");
    let is_same = |other: &&str| other.contains("://") == has_scheme && sent(other).as_ref() == Some(&url);
    let mut all: Vec<String> = own.filter(is_same).map(str::to_owned).collect();
    let usual = if has_scheme { url.as_str() } else { url.as_str().strip_prefix("http://").unwrap_or(url.as_str()) };
    all.push(usual.to_owned());
    if url.path() == "/" && url.query().is_none() {
        all.push(usual.trim_end_matches('/').to_owned());
    }
    all.sort();
    all.dedup();
    all
}

/// The same sightings with their URLs in other spellings: one variant for each. No sensor can tell them apart.
#[must_use]
pub fn respelled(sightings: &[Sighting], plan: &Plan) -> Vec<Vec<Sighting>> {
    let text = |object: &Json| {
        let is_url = object.get("type").is_some_and(|kind| kind == "url");
        object.get("value").and_then(Json::as_str).filter(|_| is_url).map(str::to_owned)
    };
    let mut variants = Vec::new();
    for (number, sighting) in sightings.iter().enumerate() {
        for (key, object) in &sighting.objects {
            for spelling in text(object).into_iter().flat_map(|text| spellings(plan, &text)) {
                let mut variant = sightings.to_vec();
                variant[number].objects[key]["value"] = spelling.into();
                variants.push(variant);
            }
        }
    }
    variants
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{pattern, plan::lower::lower};

    fn spelt(pattern: &str, text: &str) -> Vec<String> {
        spellings(&lower(&pattern::parse(pattern).unwrap()).plan, text)
    }

    #[test]
    fn what_is_sent_as_one_is_one() {
        let own = "[url:value = 'http://Evil.example']";
        let all = ["http://Evil.example", "http://evil.example", "http://evil.example/"];
        assert_eq!(spelt(own, "HTTP://EVIL.EXAMPLE"), all);
        assert_eq!(spelt(own, "http://evil.example/a"), ["http://evil.example/a"]);
        assert!(!spelt(own, "https://evil.example").contains(&"http://Evil.example".to_owned()));
        assert_eq!(spelt("[url:value = 'evil.example']", "EVIL.example/"), ["evil.example", "evil.example/"]);
        assert_eq!(sent("tcp://Evil.example:443").unwrap().as_str(), "tcp://evil.example:443/");
    }
}
