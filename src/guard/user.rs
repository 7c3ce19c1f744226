//! The user's own lists, and what is to be done about each list.

use std::path::{Path, PathBuf};

use super::{
    Action, GuardError, Side, USER_LIST,
    entry::Entry,
    list::{Kinds, Line, List, ListHead, Loaded, UrlReach, lines, read},
    misp,
    width::Width,
};

/// The name by which the limits of prefixes are lifted.
pub(super) const WIDTH: &str = "width";
/// The name by which the limit of all prefixes of a run together is lifted.
pub(super) const SHARE: &str = "share";
/// The name by which rules that name nobody are let through.
pub(super) const BREADTH: &str = "breadth";
/// The name of all MISP warninglists together.
pub(super) const WARNINGLISTS: &str = "warninglists";
/// How many names of a popularity list count, where the user does not say.
const TOP: usize = 10_000;

/// What the user wants of the guard.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GuardOptions {
    /// What is never to be blocked.
    pub allow: Vec<Allowed>,
    /// The user's own addresses, prefixes and names; with a name, all below it.
    pub own: Vec<Allowed>,
    /// A folder of lists in MISP's format.
    pub warninglists: Option<PathBuf>,
    /// A list of names by popularity.
    pub popular: Option<Popular>,
    /// What to do about lists; of several rules that fit, the last one counts.
    pub rules: Vec<Rule>,
    /// The widest prefixes that targets may block; `None` for [`Width::BLOCKING`].
    pub width: Option<Width>,
}

/// A value, or a file with a value a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// An address, a prefix, a name, a URL or a hash.
    Value(String),
    /// A file.
    File(PathBuf),
}

impl Allowed {
    /// Endings by which a text is the path of a file; none of them is a top-level domain.
    const ENDINGS: [&'static str; 5] = [".txt", ".csv", ".list", ".lst", ".json"];

    /// What `text` stands for: a value if it looks like one, a path below `folder` if it is that of a file, or looks like
    /// one.
    #[must_use]
    pub fn from_text(text: &str, folder: &Path) -> Self {
        let path = folder.join(text);
        let looks_like_path = Self::ENDINGS.iter().any(|ending| text.to_ascii_lowercase().ends_with(ending));
        if looks_like_path || (Entry::all_of(text).is_empty() && text.contains(['/', '\\', '.'])) || path.is_file() {
            Self::File(path)
        } else {
            Self::Value(text.to_owned())
        }
    }
}

/// The names that everybody uses, the most popular first: a name a line, or a rank and a name with a comma between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Popular {
    /// The file.
    pub list: PathBuf,
    /// How many of them count; 10,000 where nothing is said.
    pub top: Option<usize>,
}

/// What to do about a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The list's name; `warninglists` for all of MISP's, `width` for the limits of prefixes, `share` for that of all of them
    /// together, `breadth` for rules that name nobody in particular.
    pub list: String,
    /// For which targets.
    pub scope: Scope,
    /// What to do.
    pub action: Action,
}

/// Some targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All.
    All,
    /// Those that detect.
    Detecting,
    /// The one of this name.
    Target(String),
}

impl Scope {
    pub(super) fn holds(&self, target: &str, side: Side) -> bool {
        match self {
            Self::All => true,
            Self::Detecting => side == Side::Detecting,
            Self::Target(name) => name == target,
        }
    }
}

impl Rule {
    /// Reads `LIST=ACTION` or `TARGET:LIST=ACTION`; `None` where it is none.
    ///
    /// ```
    /// use stixc::guard::{Action, Rule, Scope};
    /// let rule = Rule::parse("suricata:private=warn").unwrap();
    /// assert_eq!((rule.list.as_str(), rule.action), ("private", Action::Warn));
    /// assert_eq!(rule.scope, Scope::Target("suricata".to_owned()));
    /// assert!(Rule::parse("private").is_none());
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (list, action) = text.split_once('=')?;
        let action = Action::from_name(action.trim())?;
        let (scope, list) = match list.split_once(':') {
            Some((target, list)) => (Scope::Target(target.trim().to_owned()), list),
            None => (Scope::All, list),
        };
        Some(Self { list: list.trim().to_owned(), scope, action })
    }

    /// The target that it is for, where that is one.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        match &self.scope {
            Scope::Target(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn fits(&self, head: &ListHead, target: &str, side: Side) -> bool {
        let is_list = self.list == head.name || (self.list == WARNINGLISTS && head.is_warninglist);
        is_list && self.scope.holds(target, side)
    }
}

impl GuardOptions {
    /// Whether a list is out of the game for all targets.
    pub(super) fn is_lifted(&self, name: &str) -> bool {
        let mut rules = self.rules.iter().filter(|rule| rule.list == name).peekable();
        rules.peek().is_some() && rules.all(|rule| rule.scope == Scope::All && rule.action == Action::Ignore)
    }

    /// Reads all lists.
    pub(super) fn load(&self) -> Result<Loaded, GuardError> {
        let mut loaded = Loaded::default();
        for (name, about, allowed, below) in
            [("allow", "what you allow", &self.allow, false), ("own", "what is your own", &self.own, true)]
        {
            loaded.names.push(name.to_owned());
            if allowed.is_empty() || self.is_lifted(name) {
                continue;
            }
            let mut all = Vec::new();
            for one in allowed {
                all.extend(one.lines()?);
            }
            if below {
                all.iter_mut().for_each(|line| line.entry.take_all_below());
            }
            loaded.lists.push(List::new(user_head(name, about, Action::Drop), all));
        }
        loaded.names.extend(["popular", WIDTH, SHARE, BREADTH, WARNINGLISTS].map(str::to_owned));
        if let Some(popular) = self.popular.as_ref().filter(|_| !self.is_lifted("popular")) {
            let head = ListHead {
                urls: UrlReach::Root,
                source: popular.list.display().to_string(),
                ..user_head("popular", "a popular name", Action::Warn)
            };
            loaded.lists.push(List::new(head, popular.lines()?));
        }
        if let Some(folder) = &self.warninglists {
            misp::load(folder, &mut |name| self.is_lifted(name) || self.is_lifted(WARNINGLISTS), &mut loaded)?;
        }
        Ok(loaded)
    }

    /// # Errors
    /// A rule about a list that there is not.
    pub(super) fn check_names(&self, known: &[String]) -> Result<(), GuardError> {
        let Some(unknown) = self.rules.iter().find(|rule| !known.contains(&rule.list)) else { return Ok(()) };
        let names = known.iter().map(String::as_str);
        let known = match crate::plan::schema::nearest(&unknown.list, names.clone()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("the lists are {}", names.take(20).collect::<Vec<_>>().join(", ")),
        };
        Err(GuardError::UnknownList { name: unknown.list.clone(), known })
    }
}

fn user_head(name: &str, about: &str, detecting: Action) -> ListHead {
    ListHead {
        name: name.to_owned(),
        about: about.to_owned(),
        source: "yours".to_owned(),
        date: String::new(),
        code: USER_LIST,
        blocking: Action::Drop,
        detecting,
        urls: UrlReach::Any,
        within_owner: false,
        suffixes: false,
        is_warninglist: false,
        kinds: Kinds::ALL,
    }
}

impl Allowed {
    fn lines(&self) -> Result<Vec<Line>, GuardError> {
        let bad = |path: String| move |(line, word): (usize, String)| GuardError::BadLine { path, line, word };
        match self {
            Self::Value(value) => {
                let entries = Entry::all_of(value);
                if entries.is_empty() {
                    return Err(bad("allow".to_owned())((1, value.clone())));
                }
                Ok(entries.into_iter().map(|entry| Line { entry, note: "".into() }).collect())
            }
            Self::File(path) => {
                let mut found = lines(&read(path)?, Entry::all_of).map_err(bad(path.display().to_string()))?;
                let name: Box<str> = path.file_name().unwrap_or_default().to_string_lossy().into();
                found.iter_mut().filter(|line| line.note.is_empty()).for_each(|line| line.note = name.clone());
                Ok(found)
            }
        }
    }
}

impl Popular {
    fn lines(&self) -> Result<Vec<Line>, GuardError> {
        let text = read(&self.list)?;
        let mut found = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let name = line.rsplit(',').next().unwrap_or_default().trim().trim_matches('"');
            // The names of columns, and top-level domains, which other lists guard.
            if !name.contains('.') || line.starts_with('#') {
                continue;
            }
            if found.len() == self.top.unwrap_or(TOP) {
                break;
            }
            match Entry::parse(name) {
                Some(entry @ Entry::Name(..)) => found.push(Line { entry, note: "".into() }),
                _ => {
                    let path = self.list.display().to_string();
                    return Err(GuardError::BadLine { path, line: number, word: name.to_owned() });
                }
            }
        }
        Ok(found)
    }
}
