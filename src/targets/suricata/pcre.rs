//! Regular expressions in Suricata's `pcre` option (PCRE2 over bytes).
//!
//! No expression of a feed is copied. It is parsed, and what it means is printed anew with every special byte in
//! hexadecimal: what comes out is always an expression that PCRE2 compiles, and never holds a quote, a semicolon or a
//! slash of the feed's.

use regex_syntax::hir::{
    Class, ClassBytes, ClassBytesRange, Hir, HirKind, Look, Repetition, translate::TranslatorBuilder,
};

use crate::{
    hex,
    plan::{LikePart, Regex, adapt::NO_VALUE},
};

use super::{
    fragment::{Refused, TOO_LONG},
    place::MailField,
    text::Pcre,
};

/// An expression and the longest text that everything that it matches contains: Suricata looks for that first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// The expression.
    pub pcre: Pcre,
    /// The text; empty where there is none.
    pub needle: Vec<u8>,
}

/// Errors of regular expressions in rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unprintable {
    /// It can't be said; one sentence.
    Unsayable(String),
    /// It is longer than a rule.
    TooLong,
}

impl From<String> for Unprintable {
    fn from(why: String) -> Self {
        Self::Unsayable(why)
    }
}

impl From<Unprintable> for Refused {
    fn from(refused: Unprintable) -> Self {
        match refused {
            Unprintable::Unsayable(why) => (NO_VALUE, why),
            Unprintable::TooLong => {
                (TOO_LONG, format!("the regular expression is longer than the {LONGEST} bytes that fit in a rule"))
            }
        }
    }
}

/// The most text that a printed expression may have; a rule is one line of less than 8192 bytes.
const LONGEST: usize = 4000;

/// What the operator MATCHES means by an expression; an explanation where that can't be said in a rule.
///
/// # Errors
/// Why not.
pub fn matching(regex: &Regex, ignore_case: bool) -> Result<Expression, Unprintable> {
    Printer { ignore_case, ..Printer::SEARCH }.print(&meaning(regex)?)
}

/// What the operator MATCHES means by an expression for the last segment of a path.
///
/// # Errors
/// Why not.
pub fn matching_segment(regex: &Regex) -> Result<Expression, Unprintable> {
    let hir = meaning(regex)?;
    // What is matched begins in the last segment, and the segment begins where the text does, or behind a slash.
    let within = Printer { before: "(?=[^\\/]*\\z)(?:", behind: ")", start: "(?:^|(?<=\\/))", ..Printer::SEARCH };
    within.print(&hir)
}

/// A mail address that is like `parts`, in the text of a mail: in a field with this name, or anywhere.
///
/// # Errors
/// Why not.
pub fn address(parts: &[LikePart], field: Option<MailField>) -> Result<Expression, Unprintable> {
    let within = ClassBytes::new([
        ClassBytesRange::new(b'!', b'!'),
        ClassBytesRange::new(b'#', b'\''),
        ClassBytesRange::new(b'*', b'+'),
        ClassBytesRange::new(b'-', b'9'),
        ClassBytesRange::new(b'=', b'='),
        ClassBytesRange::new(b'?', b'Z'),
        ClassBytesRange::new(b'^', b'~'),
    ]);
    let within = Hir::class(Class::Bytes(within));
    let hir = Hir::concat(parts.iter().map(|part| like_part(part, within.clone())).collect());
    let before = field.map_or("(?<![\\w.+-])", in_field);
    let printer = Printer { before, behind: "(?![\\w-]|\\.\\w)", flags: "m", ignore_case: true, ..Printer::SEARCH };
    printer.print(&hir)
}

/// A field of a mail up to an address: on the line of its name, or on one that continues it (RFC 5322, section 2.2.3).
fn in_field(field: MailField) -> &'static str {
    match field {
        MailField::From => "^From:(?:[^\\r\\n]|\\r\\n[ \\t])*(?<![\\w.+-])",
        MailField::Sender => "^Sender:(?:[^\\r\\n]|\\r\\n[ \\t])*(?<![\\w.+-])",
        MailField::To => "^To:(?:[^\\r\\n]|\\r\\n[ \\t])*(?<![\\w.+-])",
        MailField::Cc => "^Cc:(?:[^\\r\\n]|\\r\\n[ \\t])*(?<![\\w.+-])",
    }
}

fn meaning(regex: &Regex) -> Result<Hir, String> {
    let tree = regex.tree().map_err(|error| format!("the regular expression can't be put in a rule: {error}"))?;
    // Without Unicode: Suricata compares bytes, and `\d` and `\w` are ASCII in PCRE.
    let mut translator = TranslatorBuilder::new().unicode(false).utf8(false).build();
    let hir = translator
        .translate(regex.text(), tree)
        .map_err(|error| format!("the regular expression can't be put in bytes: {}", error.kind()))?;
    if hir.properties().minimum_len().is_none() {
        return Err("the regular expression matches nothing".to_owned());
    }
    Ok(hir)
}

/// An expression of the program's own: pieces of it, each followed by a text that it matches literally.
pub fn around(pieces: &[(&'static str, &[u8])], flags: &'static str) -> Pcre {
    let mut text = String::from("\"/");
    for (piece, literal) in pieces {
        text.push_str(piece);
        literal.iter().for_each(|&byte| write_byte(&mut text, byte));
    }
    Pcre::printed(text + "/" + flags + "\"")
}

/// What the operator LIKE means by `parts`.
///
/// # Errors
/// Why not.
pub fn liking(parts: &[LikePart], ignore_case: bool) -> Result<Expression, Unprintable> {
    let mut operands = vec![Hir::look(Look::Start)];
    operands.extend(parts.iter().map(|part| like_part(part, bytes(0, 255))));
    operands.push(Hir::look(Look::End));
    Printer { ignore_case, ..Printer::WHOLE }.print(&Hir::concat(operands))
}

/// An expression for the whole of `name`, with or without a path in front of it.
///
/// # Errors
/// Why not.
pub fn last_segment(name: &[u8]) -> Result<Expression, Unprintable> {
    let whole = Hir::concat(vec![segment_start(), Hir::literal(name), Hir::look(Look::End)]);
    Printer::WHOLE.print(&whole)
}

/// What the operator LIKE means by `parts` for the last segment of a path.
///
/// # Errors
/// Why not.
pub fn liking_segment(parts: &[LikePart]) -> Result<Expression, Unprintable> {
    let mut operands = vec![segment_start()];
    let within = Hir::class(Class::Bytes(ClassBytes::new([
        ClassBytesRange::new(0, b'/' - 1),
        ClassBytesRange::new(b'/' + 1, 255),
    ])));
    operands.extend(parts.iter().map(|part| like_part(part, within.clone())));
    operands.push(Hir::look(Look::End));
    Printer::WHOLE.print(&Hir::concat(operands))
}

fn like_part(part: &LikePart, any: Hir) -> Hir {
    match part {
        LikePart::Text(text) => Hir::literal(text.as_bytes()),
        LikePart::One => one_character(),
        LikePart::Any => Hir::repetition(Repetition { min: 0, max: None, greedy: true, sub: Box::new(any) }),
    }
}

fn segment_start() -> Hir {
    Hir::alternation(vec![Hir::look(Look::Start), Hir::literal(*b"/")])
}

fn bytes(first: u8, last: u8) -> Hir {
    Hir::class(Class::Bytes(ClassBytes::new([ClassBytesRange::new(first, last)])))
}

/// A character in UTF-8: a byte of ASCII, or a first byte with those that follow it.
fn one_character() -> Hir {
    let following = Repetition { min: 1, max: Some(3), greedy: true, sub: Box::new(bytes(0x80, 0xbf)) };
    let longer = Hir::concat(vec![bytes(0xc2, 0xf4), Hir::repetition(following)]);
    Hir::alternation(vec![bytes(0, 0x7f), longer])
}

/// Prints what an expression means.
#[derive(Clone, Copy)]
struct Printer {
    /// The sign for the start.
    start: &'static str,
    /// The sign for the end: `$`, which also stands before a final line break, or `\z`, which does not.
    end: &'static str,
    /// The text around the expression.
    before: &'static str,
    behind: &'static str,
    /// Flags beside that for letter case.
    flags: &'static str,
    ignore_case: bool,
}

impl Printer {
    /// Anywhere in a buffer.
    const SEARCH: Self = Self { start: "^", end: "$", before: "", behind: "", flags: "", ignore_case: false };
    /// All of a buffer, a final line break included.
    const WHOLE: Self = Self { end: "\\z", ..Self::SEARCH };

    fn print(&self, hir: &Hir) -> Result<Expression, Unprintable> {
        let mut text = String::from("\"/");
        text.push_str(self.before);
        self.write(&mut text, hir)?;
        text.push_str(self.behind);
        text.push('/');
        if self.ignore_case {
            text.push('i');
        }
        text.push_str(self.flags);
        text.push('"');
        if text.len() > LONGEST {
            return Err(Unprintable::TooLong);
        }
        Ok(Expression { pcre: Pcre::printed(text), needle: needle(hir) })
    }

    fn write(&self, text: &mut String, hir: &Hir) -> Result<(), String> {
        if text.len() > LONGEST {
            return Ok(());
        }
        match hir.kind() {
            HirKind::Empty => {}
            HirKind::Literal(literal) => literal.0.iter().for_each(|&byte| write_byte(text, byte)),
            HirKind::Class(class) => write_class(text, class)?,
            HirKind::Look(look) => text.push_str(self.anchor(*look)?),
            HirKind::Repetition(repetition) => self.write_repetition(text, repetition)?,
            // What is matched matters here, not what is captured.
            HirKind::Capture(capture) => self.group(text, &capture.sub)?,
            HirKind::Concat(operands) => {
                for operand in operands {
                    if matches!(operand.kind(), HirKind::Alternation(_)) {
                        self.group(text, operand)?;
                    } else {
                        self.write(text, operand)?;
                    }
                }
            }
            HirKind::Alternation(operands) => {
                for (index, operand) in operands.iter().enumerate() {
                    if index > 0 {
                        text.push('|');
                    }
                    self.write(text, operand)?;
                }
            }
        }
        Ok(())
    }

    fn write_repetition(&self, text: &mut String, repetition: &Repetition) -> Result<(), String> {
        if repetition.max.unwrap_or(repetition.min) > 65_535 {
            return Err("the regular expression repeats more than 65,535 times".to_owned());
        }
        self.group(text, &repetition.sub)?;
        let count = match (repetition.min, repetition.max) {
            (0, None) => "*".to_owned(),
            (1, None) => "+".to_owned(),
            (0, Some(1)) => "?".to_owned(),
            (min, None) => format!("{{{min},}}"),
            (min, Some(max)) if min == max => format!("{{{min}}}"),
            (min, Some(max)) => format!("{{{min},{max}}}"),
        };
        text.push_str(&count);
        Ok(())
    }

    /// The expression as one unit.
    fn group(&self, text: &mut String, hir: &Hir) -> Result<(), String> {
        let single = match hir.kind() {
            HirKind::Literal(literal) => literal.0.len() == 1,
            HirKind::Class(_) | HirKind::Capture(_) => true,
            _ => false,
        };
        if single {
            return self.write(text, hir);
        }
        text.push_str("(?:");
        self.write(text, hir)?;
        text.push(')');
        Ok(())
    }

    fn anchor(&self, look: Look) -> Result<&'static str, String> {
        Ok(match look {
            Look::Start => self.start,
            Look::End => self.end,
            Look::StartLF => "(?m:^)",
            Look::EndLF => "(?m:$)",
            Look::WordAscii => "\\b",
            Look::WordAsciiNegate => "\\B",
            _ => return Err("the regular expression has an anchor that Suricata does not know".to_owned()),
        })
    }
}

fn write_byte(text: &mut String, byte: u8) {
    match byte {
        _ if byte.is_ascii_alphanumeric() || b" _=&%,@~<>'".contains(&byte) => text.push(char::from(byte)),
        b'.' | b'-' | b'/' | b'?' | b'+' | b'*' | b'(' | b')' => {
            text.push('\\');
            text.push(char::from(byte));
        }
        _ => write_escape(text, byte),
    }
}

fn write_class(text: &mut String, class: &Class) -> Result<(), String> {
    let ranges = match class {
        Class::Bytes(class) => class.ranges().to_vec(),
        // Without Unicode a class of characters is one of ASCII.
        Class::Unicode(class) => class
            .to_byte_class()
            .ok_or("the regular expression has a class of characters beyond ASCII")?
            .ranges()
            .to_vec(),
    };
    text.push('[');
    for range in ranges {
        class_byte(text, range.start());
        if range.end() > range.start() {
            text.push('-');
            class_byte(text, range.end());
        }
    }
    text.push(']');
    Ok(())
}

fn class_byte(text: &mut String, byte: u8) {
    if byte.is_ascii_alphanumeric() {
        text.push(char::from(byte));
    } else {
        write_escape(text, byte);
    }
}

fn write_escape(text: &mut String, byte: u8) {
    text.push_str("\\x");
    hex::push(text, byte);
}

/// The longest text that everything that `hir` matches contains.
fn needle(hir: &Hir) -> Vec<u8> {
    match hir.kind() {
        HirKind::Literal(literal) => literal.0.to_vec(),
        HirKind::Capture(capture) => needle(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => needle(&repetition.sub),
        HirKind::Concat(operands) => {
            let needles = operands.iter().map(needle);
            needles.reduce(|best, other| if other.len() > best.len() { other } else { best }).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::text::RuleText, *};
    use crate::plan::LikePattern;

    fn written(expression: &Expression) -> String {
        RuleText::default().pcre(&expression.pcre).to_string()
    }

    fn printed(pattern: &str) -> String {
        matching(&Regex::parse(pattern), false).map_or_else(|why| format!("{why:?}"), |expression| written(&expression))
    }

    #[test]
    fn an_expression_is_printed_from_its_meaning() {
        assert_eq!(printed(r"^evil\.(com|net)$"), r#""/^evil\.(?:com|net)$/""#);
        assert_eq!(printed("a|b"), r#""/[a-b]/""#);
        assert_eq!(printed(r"\d{1,3}x+?"), r#""/[0-9]{1,3}x+/""#);
        assert_eq!(printed("(?i)a"), r#""/[Aa]/""#);
        assert_eq!(printed(r"(?:ab){2,}\bc"), r#""/(?:ab){2,}\bc/""#);
    }

    #[test]
    fn nothing_of_a_feed_ends_the_option() {
        assert_eq!(printed("\"; sid:1; /\\/\n"), r#""/\x22\x3b sid\x3a1\x3b \/\/\x0a/""#);
        assert_eq!(printed("[;\"/]"), r#""/[\x22\x2f\x3b]/""#);
        assert_eq!(printed("é"), r#""/\xc3\xa9/""#);
    }

    #[test]
    fn what_can_not_be_read_is_refused() {
        for pattern in ["(?=a)b", r"(a)\1", "[", "a{99999}", "[é]", r"\p{Greek}"] {
            assert!(matching(&Regex::parse(pattern), false).is_err(), "{pattern}");
        }
    }

    #[test]
    fn the_needle_is_the_longest_certain_text() {
        let needle = |pattern| String::from_utf8(matching(&Regex::parse(pattern), false).unwrap().needle).unwrap();
        assert_eq!(needle(r"^ab[0-9]+gate\.php$"), "gate.php");
        assert_eq!(needle("a|bcd"), "");
        assert_eq!(needle("(?:long)?s"), "s");
    }

    #[test]
    fn like_is_anchored_and_counts_characters() {
        let text = |pattern| written(&liking(LikePattern::parse(pattern).parts(), true).unwrap());
        assert_eq!(text("a%b"), r#""/^a[\x00-\xff]*b\z/i""#);
        assert_eq!(text("_"), r#""/^(?:[\x00-\x7f]|[\xc2-\xf4][\x80-\xbf]{1,3})\z/i""#);
    }
}
