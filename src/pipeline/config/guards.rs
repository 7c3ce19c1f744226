//! What `[guard]` says of values: the user's lists, and what is to be done about each list.

use std::{ops::Range, path::Path};

use toml::{Spanned, Value};

use super::raw::{RawGuard, RawWidest};
use crate::{
    guard::{Action, Allowed, GuardOptions, Popular, Rule, Scope, Width},
    targets,
};

/// Takes the place of what is wrong, the message, and what to do about it.
pub(super) type Refuse<'r> = &'r mut dyn FnMut(Range<usize>, String, String);

/// Reads the keys; paths are relative to `folder`.
pub(super) fn guards(raw: &RawGuard, folder: &Path, refuse: Refuse<'_>) -> GuardOptions {
    let allowed = |texts: &[Spanned<String>]| -> Vec<Allowed> {
        texts.iter().map(|text| Allowed::from_text(text.get_ref(), folder)).collect()
    };
    let mut rules = Vec::new();
    if let Some(text) = &raw.private {
        let rule = |action| Rule { list: "private".to_owned(), scope: Scope::Detecting, action };
        rules.extend(action(text.get_ref(), text.span(), refuse).map(rule));
    }
    for (list, wanted) in &raw.lists {
        let span = wanted.span();
        let mut add = |scope, text: &Value, refuse: Refuse<'_>| {
            let text = text.as_str().unwrap_or(text.type_str());
            let action = action(text, span.clone(), refuse);
            rules.extend(action.map(|action| Rule { list: list.clone(), scope, action }));
        };
        match wanted.get_ref() {
            Value::Table(of_targets) => {
                for (target, text) in of_targets {
                    if targets::find(target).is_none() {
                        refuse(wanted.span(), format!("no target {target}"), "see stixc targets".to_owned());
                    }
                    add(Scope::Target(target.clone()), text, refuse);
                }
            }
            text => add(Scope::All, text, refuse),
        }
    }
    GuardOptions {
        allow: allowed(&raw.allow),
        own: allowed(&raw.own),
        warninglists: raw.warninglists.as_ref().map(|path| folder.join(path)),
        popular: raw.popular.as_ref().map(|popular| Popular { list: folder.join(&popular.list), top: popular.top }),
        rules,
        width: width(raw, refuse),
    }
}

fn action(text: &str, span: Range<usize>, refuse: Refuse<'_>) -> Option<Action> {
    let found = Action::from_name(text);
    if found.is_none() {
        let names = Action::ALL.map(Action::name).join(", ");
        refuse(span, format!("no action {text}"), format!("choose among {names}"));
    }
    found
}

fn width(raw: &RawGuard, refuse: Refuse<'_>) -> Option<Width> {
    if raw.widest.is_none() && raw.share.is_none() {
        return None;
    }
    let mut width = Width::BLOCKING;
    if let Some(RawWidest { ipv4, ipv6 }) = &raw.widest {
        for (given, most, length) in [(ipv4, 32, &mut width.ipv4), (ipv6, 128, &mut width.ipv6)] {
            let Some(given) = given else { continue };
            *length = *given.get_ref();
            if *length > most {
                refuse(given.span(), format!("no prefix is longer than /{most}"), "write a smaller number".to_owned());
            }
        }
    }
    if let Some(text) = &raw.share {
        match Width::parse_share(text.get_ref()) {
            Ok(share) => width.share = share,
            Err(_) => refuse(text.span(), "not a share".to_owned(), "write it as \"1%\"".to_owned()),
        }
    }
    Some(width)
}
