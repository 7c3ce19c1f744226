//! The syntax tree of a STIX pattern (STIX 2.1, section 9), in the standard's own names.
//!
//! The tree borrows from the text that was parsed; only a literal or a key with escapes owns its text.
//! AND, OR and FOLLOWEDBY are n-ary: `a OR b OR c` is one node with three operands. A node keeps the grouping
//! of the source, so `(a OR b) OR c` has two operands. Each node has its [`Span`].

use std::borrow::Cow;

use crate::span::Span;

/// A whole pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern<'a> {
    /// The text that was parsed; every span points into it.
    pub source: &'a str,
    /// What has to be observed.
    pub expression: ObservationExpression<'a>,
}

/// What has to be observed (section 9.2).
#[derive(Debug, Clone, PartialEq)]
pub struct ObservationExpression<'a> {
    /// Which kind of expression.
    pub kind: ObservationKind<'a>,
    /// From the first byte of the expression to its last, without parentheses around it.
    pub span: Span,
}

/// The kinds of observation expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum ObservationKind<'a> {
    /// `[…]`: one observation that satisfies the comparison expression.
    Single(ComparisonExpression<'a>),
    /// Two or more operands under one operator.
    Combined {
        /// AND, OR or FOLLOWEDBY.
        operator: ObservationOperator,
        /// At least two.
        operands: Vec<ObservationExpression<'a>>,
    },
    /// An expression with a qualifier behind it. Several qualifiers nest, the first one innermost.
    Qualified {
        /// What is qualified.
        expression: Box<ObservationExpression<'a>>,
        /// By what.
        qualifier: Qualifier,
    },
}

/// Operators between observation expressions, from loosest to tightest binding (section 9.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObservationOperator {
    /// The second at the same time as the first, or later.
    FollowedBy,
    /// Either.
    Or,
    /// Both, by different observations.
    And,
}

/// A limit on the observations that satisfy an expression (section 9.3).
#[derive(Debug, Clone, PartialEq)]
pub struct Qualifier {
    /// Which one.
    pub kind: QualifierKind,
    /// From its keyword to its last word.
    pub span: Span,
}

/// The qualifiers.
#[derive(Debug, Clone, PartialEq)]
pub enum QualifierKind {
    /// `WITHIN 300 SECONDS`.
    Within {
        /// Seconds; never negative in a parsed pattern.
        seconds: f64,
    },
    /// `REPEATS 5 TIMES`.
    Repeats {
        /// How often. Zero is grammatical; the type check refuses it.
        times: u64,
    },
    /// `START t'…' STOP t'…'`.
    StartStop {
        /// First instant inside, as written between the quotes.
        start: String,
        /// First instant outside, as written between the quotes.
        stop: String,
    },
}

/// What one observation has to satisfy (section 9.5).
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonExpression<'a> {
    /// Which kind of expression.
    pub kind: ComparisonKind<'a>,
    /// From the first byte of the expression to its last, without parentheses around it.
    pub span: Span,
}

/// The kinds of comparison expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum ComparisonKind<'a> {
    /// One comparison.
    Test(Comparison<'a>),
    /// Two or more operands under one operator.
    Combined {
        /// AND or OR.
        operator: BooleanOperator,
        /// At least two.
        operands: Vec<ComparisonExpression<'a>>,
    },
}

/// Operators between comparisons, from loosest to tightest binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BooleanOperator {
    /// Either.
    Or,
    /// Both, on the same object.
    And,
}

/// One comparison: a property against a literal.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison<'a> {
    /// The property.
    pub path: ObjectPath<'a>,
    /// Whether NOT stands before the operator (or before EXISTS).
    pub negated: bool,
    /// The operator.
    pub operator: ComparisonOperator,
    /// Where the operator stands, NOT included.
    pub operator_span: Span,
    /// What the property is compared with.
    pub operand: Operand<'a>,
}

/// Comparison operators (section 9.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ComparisonOperator {
    /// `=` or `==`.
    Equal,
    /// `!=` or `<>`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
    /// `IN`.
    In,
    /// `LIKE`: `%` stands for any text, `_` for one character.
    Like,
    /// `MATCHES`: a regular expression that matches somewhere.
    Matches,
    /// `ISSUBSET`: an address or prefix inside a prefix.
    IsSubset,
    /// `ISSUPERSET`: a prefix around an address or prefix.
    IsSuperset,
    /// `EXISTS`.
    Exists,
}

/// The right-hand side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand<'a> {
    /// EXISTS has none.
    None,
    /// One literal.
    Literal(Literal<'a>),
    /// The set of IN; may be empty.
    Set(Vec<Literal<'a>>),
}

/// A property of a cyber-observable object (section 9.7): `file:hashes.'SHA-256'`.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectPath<'a> {
    /// The object type, before the colon.
    pub object_type: &'a str,
    /// Where the object type stands.
    pub type_span: Span,
    /// The steps behind the colon; at least one, the first a property.
    pub steps: Vec<PathStep<'a>>,
    /// The whole path.
    pub span: Span,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
pub struct PathStep<'a> {
    /// Which kind of step.
    pub kind: PathStepKind<'a>,
    /// Without the dot before it; brackets and quotes included.
    pub span: Span,
}

impl PathStep<'_> {
    /// Whether it is the property or key `name`.
    #[must_use]
    pub fn is_property(&self, name: &str) -> bool {
        matches!(&self.kind, PathStepKind::Property(property) if property == name)
    }
}

/// The kinds of path steps.
#[derive(Debug, Clone, PartialEq)]
pub enum PathStepKind<'a> {
    /// `.name` or `.'any text'`: a property or dictionary key, unescaped.
    Property(Cow<'a, str>),
    /// `[3]`.
    Index(i64),
    /// `[*]`: any element.
    AnyIndex,
}

/// Whether a property of this name holds the identifiers of other objects, into which a path leads on.
///
/// ```
/// use stixc::pattern::is_reference;
/// assert!(is_reference("dst_ref") && is_reference("object_refs") && !is_reference("value"));
/// ```
#[must_use]
pub fn is_reference(property: &str) -> bool {
    property.ends_with("_ref") || property.ends_with("_refs")
}

/// A literal (section 9.6.2).
#[derive(Debug, Clone, PartialEq)]
pub struct Literal<'a> {
    /// Its value.
    pub value: LiteralValue<'a>,
    /// Quotes and prefix included.
    pub span: Span,
}

/// The kinds of literals.
#[derive(Debug, Clone, PartialEq)]
pub enum LiteralValue<'a> {
    /// `'…'`, unescaped.
    String(Cow<'a, str>),
    /// An integer that fits 64 bits.
    Integer(i64),
    /// An integer beyond 64 bits, as written: grammatical, but nothing can be compared with it.
    BigInteger(&'a str),
    /// A number with a decimal point, with the text as written so that it prints unchanged.
    Float {
        /// The number.
        value: f64,
        /// As written.
        text: &'a str,
    },
    /// `true` or `false`.
    Boolean(bool),
    /// `t'…'`, the text between the quotes: checked for form, not against the calendar.
    Timestamp(Cow<'a, str>),
    /// `h'…'`: bytes in hexadecimal, the text between the quotes.
    Hex(&'a str),
    /// `b'…'`: bytes in base64, the text between the quotes.
    Binary(&'a str),
}
