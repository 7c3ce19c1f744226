//! Does a pattern match what was observed? The reference meaning of patterns (STIX 2.1, section 9).
//!
//! ```
//! use stixc::{evaluate::{Evaluator, Observations}, pattern};
//!
//! let data = br#"[
//!   {"type": "observed-data", "number_observed": 1, "first_observed": "2024-01-01T00:00:00Z",
//!    "last_observed": "2024-01-01T00:00:00Z", "objects": {"0": {"type": "domain-name", "value": "evil.example"}}},
//!   {"type": "observed-data", "number_observed": 1, "first_observed": "2024-01-01T00:00:30Z",
//!    "last_observed": "2024-01-01T00:00:30Z", "objects": {"0": {"type": "ipv4-addr", "value": "192.0.2.7"}}}]"#;
//! let (observations, faults) = Observations::read(data.as_slice());
//! assert!(faults.is_empty());
//!
//! let text = "([domain-name:value = 'evil.example'] FOLLOWEDBY [ipv4-addr:value ISSUBSET '192.0.2.0/24']) WITHIN 60 SECONDS";
//! let pattern = pattern::parse(text).expect("a good pattern");
//! let evaluator = Evaluator::new(&pattern)?;
//! let found = evaluator.matches(&observations)?.expect("it matches");
//! assert_eq!(found.observations, [0, 1]);
//! # Ok::<(), stixc::evaluate::EvaluateError>(())
//! ```
//!
//! # One object
//!
//! | | |
//! |---|---|
//! | `[…]` | one object of one observation satisfies all of it; AND over two object types never holds |
//! | a property that is not there | never holds, not with `!=` or NOT either; only `NOT EXISTS` asks for it |
//! | `[*]` | one of the elements satisfies the comparison, with NOT too: of `x` and `y` one is `!= 'x'` |
//! | `[2]` | the third element; no element before the first |
//! | `_ref`, `_refs` | a step behind them goes on in the object that they name, in the observation or its bundle; without a further step they are texts |
//! | types | an integer can equal a float; other values of different types are not equal and have no order: `=` is false, `!=` true, `<` false and `NOT <` false |
//! | `null` | a value of a type of its own |
//! | strings | by code points, case-sensitive, not normalised |
//! | timestamps | as instants to the nanosecond, `t'…'` against a string in the standard's form; `'…'` is a string |
//! | bytes | `_hex` and `_bin` properties are the bytes that they stand for; against a string, code points up to 255 are bytes |
//! | IN | equal to one of the elements, which are of one type |
//! | LIKE | the whole text, `%` any text and `_` one character, newlines too, in normalisation form C; nothing escapes them |
//! | MATCHES | somewhere in the text, in normalisation form C; `.` matches a newline, `$` before a last newline too |
//! | ISSUBSET, ISSUPERSET | IPv4 and IPv6 addresses and prefixes; host bits don't count; other texts are no set |
//! | EXISTS | an object of that type has such a property; `NOT EXISTS`: one has it not |
//!
//! # Several observations
//!
//! An observed-data object stands for `number_observed` observations, each at some time from `first_observed` to
//! `last_observed`. A pattern matches if there are different observations for all its parts:
//!
//! | | |
//! |---|---|
//! | `a AND b` | both, by different observations |
//! | `a OR b` | one of them |
//! | `a FOLLOWEDBY b` | no observation of `b` has ended before one of `a` has begun |
//! | `a WITHIN s SECONDS` | a time of `s` seconds, both ends included, that touches each observation of `a` |
//! | `a REPEATS n TIMES` | `n` times `a`, all by different observations |
//! | `a START t STOP u` | each observation of `a` overlaps the time from `t` (included) to `u` (excluded) |
//!
//! Where observed data span a time, each of these asks by itself whether it can be so.
//!
//! # How long it takes
//!
//! Each comparison expression is held against each observation once. Then, for `n` observations and `m` operators, a
//! lower bound for all moments costs `m · n · log n`; it alone answers most of what does not match. The search behind it
//! takes the first way that works, and needs no second try unless observations satisfy several parts of the pattern and
//! are too few for all. There it is exact but can be long: REPEATS or AND over parts that compete for the same
//! observations under WITHIN or FOLLOWEDBY is a packing problem, for which no fast method is known. It ends with
//! [`EvaluateError::Budget`] after [`STEPS`] steps, never with a wrong answer.
//!
//! # Differences from the OASIS matcher
//!
//! | stix2-matcher 3.0.0 | here | reason |
//! |---|---|---|
//! | EXISTS is not known, `NOT EXISTS` answers as EXISTS | both work | section 9.6 |
//! | ISSUBSET and ISSUPERSET know IPv4 only, neither `/0` nor a lone address, and fail on other texts | all of them; other texts are no set | section 9.6 |
//! | `.` and `%` stop at a newline | they match it | sections 9.6.1, 9.6 |
//! | a string that is no timestamp against `t'…'` is an error | values of different types | one bad value is no reason to give up the rest |
//! | `_hex` or `_bin` that can't be decoded is an error | a string | the same |
//! | LIKE reads bytes as UTF-8, and fails where they are not | by code points, as `=` and MATCHES do | one meaning for all operators |
//! | `true IN (1)` holds, `'a' IN (h'61')` does not | as `=` | IN is a list of equals |
//! | `NOT <` of bytes and a string beyond code point 255 holds | it has no order | as for all other types |
//! | digits of a fraction of a second beyond the sixth are cut | beyond the ninth | they are different instants |
//! | `:60` seconds are an error | the first second of the next minute | leap seconds exist |
//! | `_ref = 'x'` compares an object | the identifier | section 9.7 |
//! | references lead to objects of the same observed data only | and to others of the bundle | identifiers are global in 2.1 |
//! | a lost element of `_refs` moves the others | it stays empty | `[1]` is the second |
//! | in 2.0, `START '…'` is refused and `START t'…'` taken | the reverse | its parser has them the wrong way round |

mod bound;
mod comparison;
mod data;
mod error;
mod flow;
mod instance;
mod literal;
mod network;
mod node;
mod path;
mod query;
mod search;
mod text;
mod timeline;
mod value;

pub use data::{Observation, Observations, Reader};
pub use error::{BAD_OBSERVATION, BUDGET_EXCEEDED, DANGLING, EvaluateError, NOT_EVALUABLE, REGEX_GAVE_UP};
pub use value::{Map, Value};

pub(crate) use comparison::Condition;
pub(crate) use literal::Constant;
pub(crate) use query::Query;
#[cfg(feature = "witness")]
pub(crate) use text::expression_tree;
pub(crate) use text::{Expression, Like};

use crate::pattern::Pattern;
use flow::Budget;
use instance::Builder;
use node::{Demand, NodeKind};
use path::World;
use query::Conditions;
use timeline::Timeline;

/// How many steps a search takes before it is given up; about a second's work.
pub const STEPS: u64 = 50_000_000;

/// A pattern, ready to be held against observations: its literals are decoded and its regular expressions compiled.
#[derive(Debug, Clone)]
pub struct Evaluator {
    conditions: Vec<Condition>,
    query: Query,
    steps: u64,
}

/// Observations that satisfy a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Their places in [`Observations`], in order.
    ///
    /// Where one observation is enough for the pattern, all those that satisfy it. Else one set that satisfies it
    /// together; there may be others.
    pub observations: Vec<usize>,
    /// Whether each of them satisfies the pattern by itself.
    pub each: bool,
}

impl Evaluator {
    /// Prepares a pattern.
    ///
    /// # Errors
    /// If a literal or a qualifier has no meaning: a date that does not exist, a prefix that is none, a regular
    /// expression that does not compile, literals of several types in one set, WITHIN or REPEATS of zero.
    pub fn new(pattern: &Pattern<'_>) -> Result<Self, EvaluateError> {
        let mut conditions = Conditions::default();
        let query = Query::new(&pattern.expression, &mut conditions)?;
        Ok(Self { conditions: conditions.all, query, steps: STEPS })
    }

    /// An evaluator of a query over conditions, which it names by their places.
    pub(crate) fn from_query(query: Query, conditions: Vec<Condition>) -> Self {
        Self { conditions, query, steps: STEPS }
    }

    /// The same, with another limit than [`STEPS`].
    #[must_use]
    pub fn with_steps(self, steps: u64) -> Self {
        Self { steps, ..self }
    }

    /// Which of the observations satisfy the pattern, if any do.
    ///
    /// # Errors
    /// If a regular expression goes back too often on a value, or the search is longer than allowed.
    pub fn matches(&self, observations: &Observations) -> Result<Option<Match>, EvaluateError> {
        let satisfied = self.satisfied(observations)?;
        let time = Timeline::new(observations);
        let mut builder = Builder::new(observations, &time, &satisfied);
        let Some(root) = builder.node(&self.query, &mut Vec::new()) else { return Ok(None) };
        let sets = builder.sets;
        if let NodeKind::Bag(demands) = &root.kind
            && let [Demand { set, times: 1 }] = demands[..]
        {
            let mut observations: Vec<usize> = sets[set].order.iter().map(|one| *one as usize).collect();
            observations.sort_unstable();
            return Ok(Some(Match { observations, each: true }));
        }
        let found = search::search(&root, &sets, &time, &mut Budget::new(self.steps))?;
        Ok(found.map(|found| Match { observations: found.iter().map(|one| *one as usize).collect(), each: false }))
    }

    /// Whether one observation of these objects, by their keys as in STIX 2.0, satisfies the pattern by itself at some
    /// time: START and STOP are not asked, and a pattern that needs two observations is not satisfied.
    ///
    /// ```
    /// use stixc::{evaluate::{Evaluator, Value}, pattern};
    ///
    /// let evaluator = Evaluator::new(&pattern::parse("[file:size > 5]").expect("a good pattern"))?;
    /// let objects: Value = serde_json::from_str(r#"{"0": {"type": "file", "size": 7}}"#).expect("JSON");
    /// let Value::Map(objects) = objects else { unreachable!("a JSON object is a map") };
    /// assert!(evaluator.matches_objects(&objects)?);
    /// # Ok::<(), stixc::evaluate::EvaluateError>(())
    /// ```
    ///
    /// # Errors
    /// If a regular expression goes back too often on a value.
    pub fn matches_objects(&self, objects: &Map) -> Result<bool, EvaluateError> {
        self.matches_some(objects, |_| true)
    }

    /// The same, of one object by its key: the others are only what it refers to.
    ///
    /// # Errors
    /// If a regular expression goes back too often on a value.
    pub fn matches_object(&self, objects: &Map, key: &str) -> Result<bool, EvaluateError> {
        self.matches_some(objects, |other| other == key)
    }

    fn matches_some(&self, objects: &Map, is_asked: impl Fn(&str) -> bool) -> Result<bool, EvaluateError> {
        let world = World::Objects(objects);
        self.query.is_satisfied_by_one(&mut |condition| {
            for (key, value) in objects.iter() {
                if let Value::Map(object) = value
                    && is_asked(key)
                    && self.conditions[condition].holds(object, world)?
                {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    /// For each condition the observations that satisfy it.
    fn satisfied(&self, observations: &Observations) -> Result<Vec<Vec<u32>>, EvaluateError> {
        self.conditions.iter().map(|condition| satisfied(condition, observations)).collect()
    }
}

/// The observations of which an object satisfies the condition, in order.
fn satisfied(condition: &Condition, observations: &Observations) -> Result<Vec<u32>, EvaluateError> {
    let mut types = Vec::new();
    condition.types(&mut types);
    types.sort_unstable();
    types.dedup();
    let mut members = Vec::new();
    for object_type in &types {
        for index in observations.with_type(object_type) {
            let observation = &observations.all[*index as usize];
            let world = World::Data(observations, observation);
            for object in observations.roots(observation) {
                if condition.holds(object, world)? {
                    members.push(*index);
                    break;
                }
            }
        }
    }
    if types.len() > 1 {
        members.sort_unstable();
        members.dedup();
    }
    Ok(members)
}
