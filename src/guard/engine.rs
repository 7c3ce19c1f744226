//! All lists of a run, and what they say of a value.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use aho_corasick::AhoCorasick;
use ipnet::IpNet;
use psl::Psl;
use smallvec::SmallVec;

use super::{
    Action, GuardError, Side, builtin,
    embedded::{carry, embedded},
    entry::{Entry, is_root, url_key},
    list::{List, ListHead, Loaded, UrlReach},
    networks::{Networks, Owner},
    user::{GuardOptions, Rule, SHARE, WIDTH},
    width::Width,
};
use crate::{
    diagnostic::Diagnostic,
    plan::{
        Condition, Plan, UrlParts, Value, ValueKind,
        value::{Host, parse_address},
    },
};

/// The numbers of lists.
type Numbers = SmallVec<[u16; 2]>;

/// All lists of a run.
pub struct Guard {
    heads: Vec<ListHead>,
    networks: Networks,
    /// By name: the lists that hold it, and whether they mean all names below it.
    names: HashMap<Box<str>, SmallVec<[(u16, bool); 2]>>,
    digests: HashMap<Box<str>, Numbers>,
    urls: HashMap<Box<str>, Numbers>,
    texts: HashMap<Box<str>, Numbers>,
    /// Of each list that looks into texts, what finds its own.
    parts: Vec<(AhoCorasick, u16)>,
    patterns: Vec<(fancy_regex::Regex, u16)>,
    /// The list that all public suffixes are on.
    suffixes: Option<u16>,
    pub(super) rules: Vec<Rule>,
    width: Option<Width>,
    notes: Vec<Diagnostic>,
}

/// A list that says something of a value.
#[derive(Debug, Clone)]
pub(super) struct Hit<'g> {
    pub list: u16,
    pub how: How<'g>,
    /// The IPv4 address or prefix that the value stands for, and how it carries it.
    pub carried: Option<(IpNet, &'static str)>,
    /// Whether the value is a page of a host of which detections may name pages.
    pub is_page: bool,
}

impl<'g> Hit<'g> {
    fn new(list: u16, how: How<'g>) -> Self {
        Self { list, how, carried: None, is_page: false }
    }
}

/// How the value and an entry of the list lie to each other.
#[derive(Debug, Clone)]
pub(super) enum How<'g> {
    /// They are the same.
    Equal(&'g str),
    /// The value is in this prefix.
    In(&'g Owner),
    /// The value holds this prefix, which is the same as the second one in the value's own addresses.
    Holds(&'g Owner, IpNet),
    /// The value is below this name.
    Below(String),
    /// The value is a public suffix.
    Suffix,
    /// The value has a text of the list in it.
    Within,
}

impl Guard {
    /// The lists that are built in, and no wish of the user.
    #[must_use]
    pub fn builtin() -> Arc<Self> {
        static BUILTIN: LazyLock<Arc<Guard>> =
            LazyLock::new(|| Arc::new(Guard::from_lists(builtin::lists(), Vec::new(), None, Vec::new())));
        Arc::clone(&BUILTIN)
    }

    /// The lists that are built in and those of the user.
    ///
    /// # Errors
    /// A list that can't be read or holds a wrong line, and a name that no list has.
    ///
    /// ```
    /// use stixc::guard::{Allowed, Guard, GuardOptions, Policy, Side};
    /// use stixc::{pattern, plan::lower::lower};
    ///
    /// let allow = vec![Allowed::Value("partner.example".to_owned())];
    /// let guard = Guard::new(&GuardOptions { allow, ..GuardOptions::default() }).unwrap();
    /// let policy = Policy::new(guard.into(), "blocklist", Side::Blocking);
    /// let plan = |text| lower(&pattern::parse(text).unwrap()).plan;
    /// let left = policy.apply(plan("[domain-name:value IN ('partner.example', 'evil.example')]"));
    /// assert_eq!(left.plan.unwrap().to_string(), "[domain-name:value = 'evil.example']");
    /// ```
    pub fn new(options: &GuardOptions) -> Result<Self, GuardError> {
        let mut lists = builtin::lists();
        let mut known: Vec<String> = lists.iter().map(|list| list.head.name.clone()).collect();
        lists.retain(|list| !options.is_lifted(&list.head.name));
        let Loaded { lists: loaded, names, notes } = options.load()?;
        lists.extend(loaded);
        known.extend(names);
        options.check_names(&known)?;
        Ok(Self::from_lists(lists, options.rules.clone(), options.width, notes))
    }

    fn from_lists(lists: Vec<List>, rules: Vec<Rule>, width: Option<Width>, notes: Vec<Diagnostic>) -> Self {
        let mut guard = Self {
            heads: Vec::with_capacity(lists.len()),
            networks: Networks::new([]),
            names: HashMap::new(),
            digests: HashMap::new(),
            urls: HashMap::new(),
            texts: HashMap::new(),
            parts: Vec::new(),
            patterns: Vec::new(),
            suffixes: None,
            rules,
            width,
            notes,
        };
        let mut owners = Vec::new();
        for (number, list) in (0..=u16::MAX).zip(lists) {
            let List { head, lines, parts: texts, patterns } = list;
            if head.suffixes {
                guard.suffixes = Some(number);
            }
            for line in lines {
                match line.entry {
                    Entry::Network(net) => owners.push(Owner { net, list: number, note: line.note }),
                    Entry::Name(name, below) => {
                        guard.names.entry(name.as_str().into()).or_default().push((number, below));
                    }
                    Entry::Digest(digest) => guard.digests.entry(digest).or_default().push(number),
                    Entry::Url(url) => guard.urls.entry(url).or_default().push(number),
                    Entry::Text(text) => guard.texts.entry(text).or_default().push(number),
                }
            }
            if !texts.is_empty() {
                // Only more texts than memory holds would be refused.
                let built = AhoCorasick::builder().ascii_case_insensitive(true).build(&texts).ok();
                guard.parts.extend(built.map(|automaton| (automaton, number)));
            }
            guard.patterns.extend(patterns.into_iter().map(|pattern| (pattern, number)));
            guard.heads.push(head);
        }
        guard.networks = Networks::new(owners);
        guard
    }

    /// What the lists are.
    #[must_use]
    pub fn heads(&self) -> &[ListHead] {
        &self.heads
    }

    pub(super) fn head(&self, list: u16) -> &ListHead {
        &self.heads[list as usize]
    }

    /// What was said while the user's lists were read.
    #[must_use]
    pub fn notes(&self) -> &[Diagnostic] {
        &self.notes
    }

    /// How wide what targets of a side write may be, where no rule lifts the limits.
    fn limits(&self, side: Side) -> Width {
        match side {
            Side::Blocking => self.width.unwrap_or(Width::BLOCKING),
            Side::Detecting => Width::DETECTING,
        }
    }

    /// How wide what a target writes may be.
    pub(super) fn width(&self, target: &str, side: Side) -> Width {
        let mut width = self.limits(side);
        if self.action_on(WIDTH, target, side) < Action::Drop {
            (width.ipv4, width.ipv6) = (Width::ANY.ipv4, Width::ANY.ipv6);
        }
        if self.action_on(SHARE, target, side) < Action::Drop {
            width.share = Width::ANY.share;
        }
        width
    }

    /// What is done about what a guard finds that is no list.
    pub(super) fn action_on(&self, guard: &str, target: &str, side: Side) -> Action {
        let mut rules = self.rules.iter().rev().filter(|rule| rule.list == guard && rule.scope.holds(target, side));
        rules.next().map_or(Action::Drop, |rule| rule.action)
    }

    /// Whether any list has anything to say about a plan. Of nearly all plans of a feed, none has.
    #[must_use]
    pub fn touches(&self, plan: &Plan) -> bool {
        let limits = [self.limits(Side::Blocking), self.limits(Side::Detecting)];
        let is_hit = |value: &Value| {
            let mut is_hit = match &value.kind {
                ValueKind::Address(net) => limits.iter().any(|limit| !limit.allows_carried(*net)),
                ValueKind::Text(text) => address_in(text).is_some(),
                _ => false,
            };
            if !is_hit {
                self.hits(&value.kind, |_| is_hit = true);
            }
            is_hit
        };
        plan.tests().flat_map(|test| &test.values).any(is_hit) || plan.observation.conditions().any(names_nobody)
    }

    /// Hands over what each list says of a value.
    pub(super) fn hits<'g>(&'g self, value: &ValueKind, mut found: impl FnMut(Hit<'g>)) {
        let mut checked = |hit: Hit<'g>| {
            if self.head(hit.list).kinds.holds(value) {
                found(hit);
            }
        };
        match value {
            ValueKind::Address(net) => self.hits_of_net(*net, &mut checked),
            ValueKind::Domain(name) => self.hits_of_name(name.as_str(), &mut checked),
            ValueKind::Url(url) => self.hits_of_url(url, &mut checked),
            ValueKind::Hash(hash) => self.hits_of_text(&self.digests, hash.hex(), &mut checked),
            ValueKind::Text(text) => {
                let is_digest = text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
                let wanted = [(&self.texts, !self.texts.is_empty()), (&self.digests, is_digest)];
                for (known, _) in wanted.into_iter().filter(|(_, is_wanted)| *is_wanted) {
                    self.hits_of_text(known, &text.to_lowercase(), &mut checked);
                }
            }
            _ => {}
        }
        if !self.parts.is_empty() || !self.patterns.is_empty() {
            self.hits_within(value, &mut checked);
        }
    }

    fn hits_of_net<'g>(&'g self, net: IpNet, found: &mut impl FnMut(Hit<'g>)) {
        let how = |owner: &'g Owner, asked| if owner.net == asked { How::Equal(&owner.note) } else { How::In(owner) };
        self.networks.around(net, |owner| found(Hit::new(owner.list, how(owner, net))));
        self.networks.within(net, |owner| {
            found(Hit::new(owner.list, How::Holds(owner, owner.net)));
        });
        let Some((inner, name)) = embedded(net) else { return };
        let carried = Some((inner, name));
        self.networks.around(inner, |owner| found(Hit { carried, ..Hit::new(owner.list, how(owner, inner)) }));
        self.networks.within(inner, |owner| {
            if let Some(own) = carry(net, owner.net) {
                found(Hit { carried, ..Hit::new(owner.list, How::Holds(owner, own)) });
            }
        });
    }

    fn hits_of_name<'g>(&'g self, name: &str, found: &mut impl FnMut(Hit<'g>)) {
        if let Some(lists) = self.names.get(name) {
            lists.iter().for_each(|(list, _)| found(Hit::new(*list, How::Equal(""))));
        }
        let mut rest = name;
        while let Some((_, parent)) = rest.split_once('.') {
            rest = parent;
            let Some(lists) = self.names.get(parent) else { continue };
            for (list, _) in lists.iter().filter(|(_, below)| *below) {
                if !self.head(*list).within_owner || has_one_owner(name, parent) {
                    found(Hit::new(*list, How::Below(parent.to_owned())));
                }
            }
        }
        if let Some(list) = self.suffixes.filter(|_| is_suffix(name)) {
            found(Hit::new(list, How::Suffix));
        }
    }

    /// What is said of a URL: by itself, and by its host where a list speaks of such URLs.
    fn hits_of_url<'g>(&'g self, url: &UrlParts, found: &mut impl FnMut(Hit<'g>)) {
        if !self.urls.is_empty() {
            self.hits_of_text(&self.urls, &url_key(url), found);
        }
        let is_root = is_root(url);
        let mut of_host = |hit: Hit<'g>| match self.head(hit.list).urls {
            UrlReach::Any => found(hit),
            UrlReach::Pages => found(Hit { is_page: !is_root, ..hit }),
            UrlReach::Root if is_root => found(hit),
            _ => {}
        };
        match &url.host {
            Host::Address(address) => self.hits_of_net((*address).into(), &mut of_host),
            Host::Domain(name) => self.hits_of_name(name.as_str(), &mut of_host),
        }
    }

    fn hits_of_text<'g>(&'g self, texts: &'g HashMap<Box<str>, Numbers>, text: &str, found: &mut impl FnMut(Hit<'g>)) {
        let lists = texts.get(text).into_iter().flatten();
        lists.for_each(|list| found(Hit::new(*list, How::Equal(""))));
    }

    /// What lists say that look into the text of a value.
    fn hits_within<'g>(&'g self, value: &ValueKind, found: &mut impl FnMut(Hit<'g>)) {
        let speaks = |list: &u16| {
            let head = self.head(*list);
            head.kinds.holds(value) && (head.urls != UrlReach::None || !matches!(value, ValueKind::Url(_)))
        };
        let mut parts = self.parts.iter().filter(|(_, list)| speaks(list)).peekable();
        let mut patterns = self.patterns.iter().filter(|(_, list)| speaks(list)).peekable();
        if parts.peek().is_none() && patterns.peek().is_none() {
            return;
        }
        let Some(text) = value.as_text() else { return };
        let parts = parts.filter(|(parts, _)| parts.is_match(text.as_ref())).map(|(_, list)| list);
        // A pattern that takes too long says nothing.
        let patterns = patterns.filter(|(pattern, _)| pattern.is_match(text.as_ref()).unwrap_or(false));
        for list in parts.chain(patterns.map(|(_, list)| list)) {
            found(Hit::new(*list, How::Within));
        }
    }
}

/// The address or prefix that a text is.
pub(super) fn address_in(text: &str) -> Option<IpNet> {
    (text.len() < 50 && text.contains(['.', ':'])).then(|| parse_address(text)).flatten()
}

/// Whether an AND is nothing but details: a port and a protocol.
fn names_nobody(condition: &Condition) -> bool {
    match condition {
        Condition::Test(_) => false,
        Condition::Any(operands) => operands.iter().any(names_nobody),
        Condition::All(_) => condition.tests().all(|test| test.negated || test.property.is_detail()),
    }
}

/// Whether `name` and `parent` above it are the same owner's: no public suffix lies between them.
fn has_one_owner(name: &str, parent: &str) -> bool {
    psl::List.domain(name.as_bytes()).is_some_and(|own| own.as_bytes().len() <= parent.len())
}

fn is_suffix(name: &str) -> bool {
    psl::List.suffix(name.as_bytes()).is_some_and(|suffix| suffix.as_bytes() == name.as_bytes())
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.heads.iter().map(|head| head.name.as_str()).collect();
        formatter.debug_struct("Guard").field("lists", &names).field(WIDTH, &self.width).finish_non_exhaustive()
    }
}
