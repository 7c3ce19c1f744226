//! From the regular expressions of STIX (PCRE) to the subset that all Sigma backends share: `.`, anchors, classes,
//! groups, alternation and greedy repetition. What has no counterpart there is refused.

use regex_syntax::ast::{
    self, AssertionKind, Ast, ClassBracketed, ClassPerl, ClassPerlKind, ClassSet, ClassSetItem, Flag, FlagsItemKind,
    GroupKind, RepetitionKind, RepetitionRange,
};

use super::regex_end::{ends, has_signs, takes_last};
use crate::hex;

/// A regular expression in Sigma's subset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SigmaRegex {
    /// The expression, not yet quoted.
    pub(super) text: String,
    /// Whether it ignores letter case.
    pub(super) ignores_case: bool,
    /// Whether it could end with the separator that a [closed](Subject::Closed) field has behind the subject.
    pub(super) takes_separator: bool,
}

/// The part of the field that the expression is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// The whole field.
    Field,
    /// What follows the last separator: the name in a path.
    Last(char),
    /// What stands before the last separator: the folders in a path.
    Folder(char),
    /// What stands before the last separator, and that separator: the folder of a file at a root.
    Root(char),
    /// The whole field, which may end with a separator that the subject does not have.
    Closed(char),
    /// The beginning of the field: the subject, and perhaps a backslash and more.
    Key,
}

/// Translates an expression so that it matches the field if, and only if, it matches the subject; for a
/// [key](Subject::Key) it may also match in what follows.
///
/// # Errors
/// What can't be said in Sigma, in words.
pub(super) fn translate(tree: &Ast, subject: Subject) -> Result<SigmaRegex, String> {
    let mut writer = Writer { out: String::new(), ignores_case: false, subject, depth: 0, barring: false };
    let closed = match ends(tree) {
        Some(closed) => closed,
        None if matches!(subject, Subject::Field | Subject::Key) => false,
        None => return Err("'$' must stand at the end of the expression, or of each alternative".to_owned()),
    };
    let takes_separator = matches!(subject, Subject::Closed(separator) if takes_last(tree, separator));
    let tail = match subject {
        Subject::Field | Subject::Key => String::new(),
        Subject::Last(_) if closed => "$".to_owned(),
        Subject::Last(separator) => format!("{}*$", without(separator)),
        Subject::Folder(separator) => folder_end(separator, closed),
        Subject::Root(separator) => format!("{}*$", without(separator)),
        Subject::Closed(separator) if closed => format!("{}?$", escaped(separator)),
        Subject::Closed(_) => String::new(),
    };
    let alternatives = matches!(tree, Ast::Alternation(_)) && !tail.is_empty();
    if alternatives {
        writer.out.push('(');
    }
    writer.node(tree, Edge { first: true, last: true })?;
    if alternatives {
        writer.out.push(')');
    }
    writer.out.push_str(&tail);
    Ok(SigmaRegex { text: writer.out, ignores_case: writer.ignores_case, takes_separator })
}

/// What stands in a field behind an expression for a folder: a separator and a name, with `closed` and nothing between.
pub(super) fn folder_end(separator: char, closed: bool) -> String {
    format!("{}{}{}*$", if closed { "" } else { ".*" }, escaped(separator), without(separator))
}

/// Any character but `separator`.
fn without(separator: char) -> String {
    format!("[^{}]", escaped(separator))
}

fn escaped(separator: char) -> &'static str {
    match separator {
        '\\' => r"\\",
        '/' => "/",
        _ => ":",
    }
}

struct Writer {
    out: String,
    ignores_case: bool,
    subject: Subject,
    /// How many groups of the expression are open.
    depth: usize,
    /// Whether what is written is a class from which the separator is to be taken.
    barring: bool,
}

/// Whether nothing can stand in front of a node, and behind it.
#[derive(Clone, Copy)]
struct Edge {
    first: bool,
    last: bool,
}

const INSIDE: Edge = Edge { first: false, last: false };

type Written = Result<(), String>;

impl Writer {
    /// The separator that the subject can't hold.
    fn barred(&self) -> Option<char> {
        match self.subject {
            Subject::Last(separator) => Some(separator),
            _ => None,
        }
    }

    fn node(&mut self, node: &Ast, edge: Edge) -> Written {
        match node {
            Ast::Empty(_) => Ok(()),
            Ast::Flags(set) => self.flags(&set.flags, edge),
            Ast::Literal(literal) if self.barred() == Some(literal.c) => {
                Err(format!("the expression asks for '{}', which can't be in a name", literal.c))
            }
            Ast::Literal(literal) => self.literal(literal.c, false),
            Ast::Dot(_) => match self.barred() {
                Some(separator) => self.push(&without(separator)),
                None => self.push("."),
            },
            Ast::Assertion(assertion) => self.assertion(&assertion.kind, edge),
            Ast::ClassUnicode(_) => refuse("Unicode classes such as \\p{L}"),
            Ast::ClassPerl(class) => self.perl(class),
            Ast::ClassBracketed(class) => self.class(class),
            Ast::Repetition(repetition) => {
                // Whether a repetition is lazy decides on what is matched, not on whether anything is.
                self.operand(&repetition.ast)?;
                self.repeat(&repetition.op.kind)
            }
            Ast::Group(group) => {
                if let GroupKind::NonCapturing(flags) = &group.kind
                    && !flags.items.is_empty()
                {
                    return refuse("flags inside the expression");
                }
                self.push("(")?;
                self.depth += 1;
                self.node(&group.ast, edge)?;
                self.depth -= 1;
                self.push(")")
            }
            Ast::Alternation(alternation) => {
                for (index, branch) in alternation.asts.iter().enumerate() {
                    if index > 0 {
                        self.push("|")?;
                    }
                    self.node(branch, edge)?;
                }
                Ok(())
            }
            Ast::Concat(concat) => {
                let mut first = edge.first;
                for (index, part) in concat.asts.iter().enumerate() {
                    let last = edge.last && index + 1 == concat.asts.len();
                    self.node(part, Edge { first, last })?;
                    first &= matches!(part, Ast::Flags(_));
                }
                Ok(())
            }
        }
    }

    /// The operand of a repetition: one character, class or group.
    fn operand(&mut self, node: &Ast) -> Written {
        match node {
            Ast::Assertion(_) | Ast::Flags(_) | Ast::Empty(_) => refuse("a repeated anchor"),
            // `a++` gives nothing back in PCRE; as a repeated repetition it would.
            Ast::Repetition(_) => refuse("possessive repetitions"),
            other => self.node(other, INSIDE),
        }
    }

    fn repeat(&mut self, kind: &RepetitionKind) -> Written {
        match kind {
            RepetitionKind::ZeroOrOne => self.push("?"),
            RepetitionKind::ZeroOrMore => self.push("*"),
            RepetitionKind::OneOrMore => self.push("+"),
            RepetitionKind::Range(RepetitionRange::Exactly(count)) => self.push(&format!("{{{count}}}")),
            RepetitionKind::Range(RepetitionRange::AtLeast(count)) => self.push(&format!("{{{count},}}")),
            RepetitionKind::Range(RepetitionRange::Bounded(least, most)) => self.push(&format!("{{{least},{most}}}")),
        }
    }

    /// `(?i)` at the very beginning is Sigma's `|i`; other flags, or flags elsewhere, have no counterpart.
    fn flags(&mut self, flags: &ast::Flags, edge: Edge) -> Written {
        let is_case = |item: &ast::FlagsItem| matches!(item.kind, FlagsItemKind::Flag(Flag::CaseInsensitive));
        if edge.first && self.depth == 0 && matches!(self.out.as_str(), "" | "(") && flags.items.iter().all(is_case) {
            self.ignores_case = true;
            return Ok(());
        }
        refuse("flags other than (?i) at the beginning")
    }

    fn assertion(&mut self, kind: &AssertionKind, edge: Edge) -> Written {
        match (kind, self.subject) {
            (AssertionKind::StartLine | AssertionKind::StartText, Subject::Last(separator)) if edge.first => {
                self.push(escaped(separator))
            }
            (AssertionKind::StartLine | AssertionKind::StartText, Subject::Last(_)) => {
                refuse("'^' inside an expression")
            }
            (AssertionKind::StartLine | AssertionKind::StartText, _) => self.push("^"),
            (AssertionKind::EndLine | AssertionKind::EndText, Subject::Field) => self.push("$"),
            (AssertionKind::EndLine | AssertionKind::EndText, Subject::Key) => self.push(r"(\\|$)"),
            // The tail of the whole expression says it.
            (AssertionKind::EndLine | AssertionKind::EndText, _) if edge.last => Ok(()),
            (AssertionKind::EndLine | AssertionKind::EndText, _) => refuse("'$' inside an expression"),
            _ => refuse("word boundaries"),
        }
    }

    fn perl(&mut self, class: &ClassPerl) -> Written {
        self.push(if class.negated { "[^" } else { "[" })?;
        self.push(members(&class.kind))?;
        self.bar(class.negated)?;
        self.push("]")
    }

    /// Keeps a negated class from the separator.
    fn bar(&mut self, negated: bool) -> Written {
        match self.barred() {
            Some(separator) if negated => self.push(escaped(separator)),
            _ => Ok(()),
        }
    }

    fn class(&mut self, class: &ClassBracketed) -> Written {
        let ClassSet::Item(item) = &class.kind else { return refuse("operations between classes") };
        self.push(if class.negated { "[^" } else { "[" })?;
        let before = self.out.len();
        self.barring = !class.negated;
        self.item(item)?;
        self.barring = false;
        if self.out.len() == before {
            return Err("a class of the expression holds nothing that can be in a name".to_owned());
        }
        self.bar(class.negated)?;
        self.push("]")
    }

    fn item(&mut self, item: &ClassSetItem) -> Written {
        match item {
            ClassSetItem::Empty(_) => Ok(()),
            ClassSetItem::Literal(literal) => self.range(literal.c, literal.c),
            ClassSetItem::Range(range) => self.range(range.start.c, range.end.c),
            ClassSetItem::Perl(class) if !class.negated => self.push(members(&class.kind)),
            ClassSetItem::Perl(_) => refuse("\\D, \\S or \\W inside a class"),
            ClassSetItem::Ascii(class) if !(class.negated || self.barring && has_signs(&class.kind)) => {
                self.push(ascii(&class.kind))
            }
            ClassSetItem::Ascii(_) | ClassSetItem::Unicode(_) => refuse("Unicode and negated classes inside a class"),
            ClassSetItem::Bracketed(_) => refuse("a class inside a class"),
            ClassSetItem::Union(union) => union.items.iter().try_for_each(|item| self.item(item)),
        }
    }

    /// From one character of a class to another, without the separator where the class may not hold it.
    fn range(&mut self, start: char, end: char) -> Written {
        let around = self.barred().filter(|separator| self.barring && (start..=end).contains(separator));
        if let Some(separator) = around {
            let (before, behind) = (u32::from(separator) - 1, u32::from(separator) + 1);
            for (start, end) in [(u32::from(start), before), (behind, u32::from(end))] {
                if let (Some(start), Some(end)) = (char::from_u32(start), char::from_u32(end))
                    && start <= end
                {
                    self.range(start, end)?;
                }
            }
            return Ok(());
        }
        self.literal(start, true)?;
        if start != end {
            self.push("-")?;
            self.literal(end, true)?;
        }
        Ok(())
    }

    fn literal(&mut self, character: char, in_class: bool) -> Written {
        push_literal(&mut self.out, character, if in_class { "\\]^-[&~" } else { SIGNS });
        Ok(())
    }

    fn push(&mut self, text: &str) -> Written {
        self.out.push_str(text);
        Ok(())
    }
}

/// The characters that are signs outside of a class.
const SIGNS: &str = "\\.+*?()|[]{}^$";

/// An expression for a text.
pub(super) fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|character| push_literal(&mut out, character, SIGNS));
    out
}

fn push_literal(out: &mut String, character: char, signs: &str) {
    match character {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        control if control.is_ascii_control() => {
            out.push_str("\\x");
            // ASCII fits in a byte.
            hex::push(out, control as u8);
        }
        other => {
            if signs.contains(other) {
                out.push('\\');
            }
            out.push(other);
        }
    }
}

fn refuse(what: &str) -> Written {
    Err(format!("Sigma's regular expressions lack {what}"))
}

/// PCRE's meaning without its Unicode option.
fn members(kind: &ClassPerlKind) -> &'static str {
    match kind {
        ClassPerlKind::Digit => "0-9",
        ClassPerlKind::Space => " \\t\\n\\r\\f\\v",
        ClassPerlKind::Word => "A-Za-z0-9_",
    }
}

fn ascii(kind: &ast::ClassAsciiKind) -> &'static str {
    use ast::ClassAsciiKind::{
        Alnum, Alpha, Ascii, Blank, Cntrl, Digit, Graph, Lower, Print, Punct, Space, Upper, Word, Xdigit,
    };
    match kind {
        Alnum => "A-Za-z0-9",
        Alpha => "A-Za-z",
        Ascii => "\\x00-\\x7f",
        Blank => " \\t",
        Cntrl => "\\x00-\\x1f\\x7f",
        Digit => "0-9",
        Graph => "!-~",
        Lower => "a-z",
        Print => " -~",
        Punct => "!-/:-@\\[-`{-~",
        Space => " \\t\\n\\r\\f\\v",
        Upper => "A-Z",
        Word => "A-Za-z0-9_",
        Xdigit => "0-9A-Fa-f",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Regex;

    fn translate(pattern: &str, subject: Subject) -> Result<SigmaRegex, String> {
        super::translate(Regex::parse(pattern).tree().map_err(ToString::to_string)?, subject)
    }

    fn text(pattern: &str) -> String {
        translate(pattern, Subject::Field).unwrap().text
    }

    #[test]
    fn keeps_what_sigma_has() {
        for pattern in
            [r"^a.b$", r"[a-z]{2,3}", r"(a|b)+", r"a{4}", r"a{2,}", r"\\srv\\[^\\]+", r"a\.b\*\?", r"[\]\-\^]"]
        {
            assert_eq!(text(pattern), pattern);
        }
    }

    #[test]
    fn rewrites_what_sigma_says_otherwise() {
        for (pattern, expected) in [
            (r"\d+\D", "[0-9]+[^0-9]"),
            (r"[\w.]", "[A-Za-z0-9_.]"),
            (r"\s", r"[ \t\n\r\f\v]"),
            ("(?:ab)*?c", "(ab)*c"),
            ("(?P<x>a)", "(a)"),
            (r"\/a\-b", "/a-b"),
            (r"[[:xdigit:]]", "[0-9A-Fa-f]"),
            (r"\x41\u0042\n", r"AB\n"),
            ("(?:a*)*", "(a*)*"),
            ("a+?b", "a+b"),
        ] {
            assert_eq!(text(pattern), expected, "{pattern}");
        }
        let insensitive = translate("(?i)evil", Subject::Field).unwrap();
        assert_eq!((insensitive.text.as_str(), insensitive.ignores_case), ("evil", true));
    }

    #[test]
    fn refuses_what_sigma_lacks() {
        for pattern in [
            "(?=a)",
            "(?<!a)b",
            r"(a)\1",
            r"\bx",
            r"\p{L}",
            "a(?i)b",
            "(?s)a",
            "[a-z&&[^b]]",
            "(?i:a)b",
            "a{",
            r"[^\S]",
            "((?i)a)b",
            "^a++a",
            "x{2}+",
        ] {
            assert!(translate(pattern, Subject::Field).is_err(), "{pattern}");
        }
    }

    #[test]
    fn a_name_is_the_last_part_of_a_path() {
        for (pattern, expected) in [
            ("^a.*$", r"\\a[^\\]*$"),
            ("a", r"a[^\\]*$"),
            ("^a$|^b$", r"(\\a|\\b)$"),
            ("^a|b", r"(\\a|b)[^\\]*$"),
            ("(?i)a|b", r"(a|b)[^\\]*$"),
            (r"[^x]\D", r"[^x\\][^0-9\\][^\\]*$"),
            ("(^a)", r"(\\a)[^\\]*$"),
            (r"[A-z][\\/]", r"[A-\[\]-z][/][^\\]*$"),
        ] {
            assert_eq!(translate(pattern, Subject::Last('\\')).unwrap().text, expected, "{pattern}");
        }
        for pattern in ["a^b", "a$|b", "(a$)b", r"a\\b", r"[\\]evil", "[[:punct:]]"] {
            assert!(translate(pattern, Subject::Last('\\')).is_err(), "{pattern}");
        }
        assert_eq!(translate("^a/?", Subject::Last(':')).unwrap().text, ":a/?[^:]*$");
    }

    #[test]
    fn a_folder_is_what_stands_before_the_name() {
        for (pattern, expected) in
            [("Temp", r"Temp.*\\[^\\]*$"), (r"^C:\\Temp$", r"^C:\\Temp\\[^\\]*$"), ("a|b", r"(a|b).*\\[^\\]*$")]
        {
            assert_eq!(translate(pattern, Subject::Folder('\\')).unwrap().text, expected, "{pattern}");
        }
        assert_eq!(translate("^/tmp$", Subject::Folder('/')).unwrap().text, "^/tmp/[^/]*$");
        assert_eq!(translate("Temp$", Subject::Closed('\\')).unwrap().text, r"Temp\\?$");
        assert_eq!(translate("Temp", Subject::Closed('\\')).unwrap().text, "Temp");
        for pattern in ["Windows.", r"^C:\\[^x]{8}$", r"Te(m|\D)", "a.b?"] {
            assert!(translate(pattern, Subject::Closed('\\')).unwrap().takes_separator, "{pattern}");
        }
        assert!(!translate("T.*", Subject::Closed('\\')).unwrap().takes_separator);
        assert_eq!(translate(r"T.*[^\\]$", Subject::Closed('\\')).unwrap().text, r"T.*[^\\]\\?$");
        assert_eq!(translate("T.*", Subject::Closed('\\')).unwrap().text, "T.*");
        assert_eq!(translate("^A$", Subject::Key).unwrap().text, r"^A(\\|$)");
    }

    #[test]
    fn deep_nesting_is_an_error() {
        assert!(translate(&"(".repeat(10_000), Subject::Field).is_err());
        assert!(translate(&format!("{}a{}", "(".repeat(5000), ")".repeat(5000)), Subject::Field).is_err());
    }
}
