//! The guard as one target sees it.

use std::sync::Arc;

use ipnet::IpNet;

use super::{
    Action, DOCUMENTATION, Guard, KEPT, Side, TOO_WIDE,
    embedded::embedded,
    engine::{Hit, How},
    list::ListHead,
    subtract::subtract,
    user::BREADTH,
    width::Width,
};
use crate::{
    diagnostic::{Diagnostic, Severity},
    plan::{Value, ValueKind},
};

/// The guard as one target sees it: the action of each list.
#[derive(Debug, Clone)]
pub struct Policy {
    guard: Arc<Guard>,
    actions: Arc<[Action]>,
    side: Side,
    width: Width,
    breadth: Action,
}

/// What becomes of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Judgement {
    /// No list has it.
    Free,
    /// It is kept, though a list has it.
    Kept(Diagnostic),
    /// A part of it is taken out; the rest is kept.
    Part(Vec<IpNet>, Diagnostic),
    /// It is taken out.
    Guarded(Diagnostic),
}

impl Policy {
    /// The guard as the target of this name sees it.
    #[must_use]
    pub fn new(guard: Arc<Guard>, target: &str, side: Side) -> Self {
        let action = |head: &ListHead| {
            let mut rules = guard.rules.iter().rev().filter(|rule| rule.fits(head, target, side));
            rules.next().map_or_else(|| head.action(side), |rule| rule.action)
        };
        let actions = guard.heads().iter().map(action).collect();
        let width = guard.width(target, side);
        let breadth = guard.action_on(BREADTH, target, side);
        Self { guard, actions, side, width, breadth }
    }

    /// What becomes of rules that name nobody in particular.
    #[must_use]
    pub fn breadth(&self) -> Action {
        self.breadth
    }

    /// All lists.
    #[must_use]
    pub fn guard(&self) -> &Arc<Guard> {
        &self.guard
    }

    /// How wide what the target writes may be.
    #[must_use]
    pub fn width(&self) -> Width {
        self.width
    }

    /// What becomes of a value.
    #[must_use]
    pub fn judge(&self, value: &Value) -> Judgement {
        if let Some(found) = self.too_wide(value) {
            return Judgement::Guarded(found);
        }
        let mut strongest: Option<(Action, Hit<'_>)> = None;
        let mut holes = Vec::new();
        self.guard.hits(&value.kind, |hit| {
            let mut action = self.actions[hit.list as usize];
            if hit.is_page && self.side == Side::Detecting {
                action = action.min(Action::Warn);
            }
            if let (How::Holds(_, net), Action::Drop) = (&hit.how, action) {
                // What a prefix holds is subtracted from lists; an alert on the prefix tells of more than that.
                holes.push(*net);
                action = Action::Warn;
            }
            let is_stronger = strongest.as_ref().is_none_or(|(known, _)| *known < action);
            if action > Action::Ignore && is_stronger {
                strongest = Some((action, hit));
            }
        });
        let Some((action, hit)) = strongest else { return Judgement::Free };
        let head = self.guard.head(hit.list);
        let message = message(value, &hit, head);
        let found =
            |code, severity| Diagnostic { severity, ..Diagnostic::warning(code, message.clone()).at(value.span) };
        match (action, &value.kind) {
            (Action::Drop, _) => Judgement::Guarded(found(head.code, Severity::Warning)),
            (_, ValueKind::Address(net)) if self.side == Side::Blocking && !holes.is_empty() => {
                let rest = subtract(*net, &holes);
                let found = found(head.code, Severity::Warning);
                if rest.is_empty() { Judgement::Guarded(found) } else { Judgement::Part(rest, found) }
            }
            (Action::Warn, _) => Judgement::Kept(found(KEPT, Severity::Warning)),
            _ => {
                let code = if head.code == DOCUMENTATION { DOCUMENTATION } else { KEPT };
                Judgement::Kept(found(code, Severity::Note))
            }
        }
    }

    /// A prefix, or the one that it carries, may be too wide.
    fn too_wide(&self, value: &Value) -> Option<Diagnostic> {
        let ValueKind::Address(net) = value.kind else { return None };
        let inner = embedded(net).map(|(inner, _)| inner);
        let wide = [Some(net), inner].into_iter().flatten().find(|net| !self.width.allows(*net))?;
        let message = format!(
            "{} holds too much of the Internet: no prefix shorter than /{}",
            value.kind,
            self.width.shortest(wide)
        );
        Some(Diagnostic::warning(TOO_WIDE, message).at(value.span))
    }
}

/// Where the value and the list meet: `8.8.8.0/24 holds 8.8.8.8 (Google; guard list resolvers)`.
fn message(value: &Value, hit: &Hit<'_>, head: &ListHead) -> String {
    let name = &head.name;
    let said = |note: &str| if note.is_empty() { head.about.clone() } else { note.to_owned() };
    let mut subject = value.kind.to_string();
    if let Some((inner, carrier)) = hit.carried {
        subject = format!("{subject} ({carrier} of {})", ValueKind::Address(inner));
    } else if matches!(value.kind, ValueKind::Url(_)) && !matches!(hit.how, How::Within) {
        subject = format!("the host of {subject}");
    }
    match &hit.how {
        How::Equal(note) => format!("{subject} is on the guard list {name} ({})", said(note)),
        How::In(owner) => format!("{subject} is in {} ({}; guard list {name})", owner.net, said(&owner.note)),
        How::Holds(owner, _) => {
            let held = ValueKind::Address(owner.net);
            format!("{subject} holds {held} ({}; guard list {name})", said(&owner.note))
        }
        How::Below(parent) => format!("{subject} is below {parent} ({}; guard list {name})", said("")),
        How::Suffix => {
            format!("{subject} is a public suffix: names below it belong to many owners (guard list {name})")
        }
        How::Within => format!("{subject} has a text of the guard list {name} in it ({})", said("")),
    }
}
