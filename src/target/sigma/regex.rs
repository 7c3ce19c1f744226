//! From the regular expressions of STIX (PCRE) to the subset that all Sigma backends share: `.`, anchors, classes,
//! groups, alternation and greedy repetition. What has no counterpart there is refused.

use std::fmt::Write;

use regex_syntax::ast::{
    self, AssertionKind, Ast, ClassBracketed, ClassPerl, ClassPerlKind, ClassSet, ClassSetItem, Flag, FlagsItemKind,
    GroupKind, RepetitionKind, RepetitionRange,
};

/// A regular expression in Sigma's subset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SigmaRegex {
    /// The expression, not yet quoted.
    pub(super) text: String,
    /// Whether it ignores letter case.
    pub(super) ignores_case: bool,
}

/// Translates `pattern`. With a `separator`, the expression is about the last part of a path, but will be compared with
/// the whole path: `^` then stands for the separator.
///
/// # Errors
/// What can't be said in Sigma, in words.
pub(super) fn translate(pattern: &str, separator: Option<char>) -> Result<SigmaRegex, String> {
    let parsed = ast::parse::ParserBuilder::new().nest_limit(100).build().parse(pattern);
    let tree = parsed.map_err(|error| format!("the expression can't be read: {}", error.kind()))?;
    let mut writer = Writer { out: String::with_capacity(pattern.len() + 8), ignores_case: false, separator };
    writer.node(&tree, true)?;
    Ok(SigmaRegex { text: writer.out, ignores_case: writer.ignores_case })
}

struct Writer {
    out: String,
    ignores_case: bool,
    separator: Option<char>,
}

type Written = Result<(), String>;

impl Writer {
    /// `first` tells whether nothing can stand in front of this node.
    fn node(&mut self, node: &Ast, first: bool) -> Written {
        match node {
            Ast::Empty(_) => Ok(()),
            Ast::Flags(set) => self.flags(&set.flags, first),
            Ast::Literal(literal) => self.literal(literal.c, false),
            Ast::Dot(_) => self.push("."),
            Ast::Assertion(assertion) => self.assertion(&assertion.kind, first),
            Ast::ClassUnicode(_) => refuse("Unicode classes such as \\p{L}"),
            Ast::ClassPerl(class) => self.perl(class),
            Ast::ClassBracketed(class) => self.class(class),
            Ast::Repetition(repetition) => {
                // Whether a repetition is lazy decides on what is matched, not on whether anything is.
                self.operand(&repetition.ast)?;
                self.repeat(&repetition.op.kind)
            }
            Ast::Group(group) => {
                if let GroupKind::NonCapturing(flags) = &group.kind {
                    if !flags.items.is_empty() {
                        return refuse("flags inside the expression");
                    }
                }
                self.push("(")?;
                self.node(&group.ast, first)?;
                self.push(")")
            }
            Ast::Alternation(alternation) => {
                for (index, branch) in alternation.asts.iter().enumerate() {
                    if index > 0 {
                        self.push("|")?;
                    }
                    self.node(branch, first)?;
                }
                Ok(())
            }
            Ast::Concat(concat) => {
                let mut first = first;
                for part in &concat.asts {
                    self.node(part, first)?;
                    first &= matches!(part, Ast::Flags(_));
                }
                Ok(())
            }
        }
    }

    /// What a repetition repeats: one character, class or group.
    fn operand(&mut self, node: &Ast) -> Written {
        match node {
            Ast::Assertion(_) | Ast::Flags(_) | Ast::Empty(_) => refuse("a repeated anchor"),
            Ast::Repetition(_) => {
                self.push("(")?;
                self.node(node, false)?;
                self.push(")")
            }
            other => self.node(other, false),
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
    fn flags(&mut self, flags: &ast::Flags, first: bool) -> Written {
        let is_case = |item: &ast::FlagsItem| matches!(item.kind, FlagsItemKind::Flag(Flag::CaseInsensitive));
        if first && self.out.is_empty() && flags.items.iter().all(is_case) {
            self.ignores_case = true;
            return Ok(());
        }
        refuse("flags other than (?i) at the beginning")
    }

    fn assertion(&mut self, kind: &AssertionKind, first: bool) -> Written {
        match (kind, self.separator) {
            (AssertionKind::StartLine | AssertionKind::StartText, None) => self.push("^"),
            (AssertionKind::StartLine | AssertionKind::StartText, Some(separator)) if first => {
                self.literal(separator, false)
            }
            (AssertionKind::StartLine | AssertionKind::StartText, Some(_)) => refuse("'^' inside the expression"),
            (AssertionKind::EndLine | AssertionKind::EndText, _) => self.push("$"),
            _ => refuse("word boundaries"),
        }
    }

    fn perl(&mut self, class: &ClassPerl) -> Written {
        self.push(if class.negated { "[^" } else { "[" })?;
        self.push(members(&class.kind))?;
        self.push("]")
    }

    fn class(&mut self, class: &ClassBracketed) -> Written {
        self.push(if class.negated { "[^" } else { "[" })?;
        match &class.kind {
            ClassSet::Item(item) => self.item(item)?,
            ClassSet::BinaryOp(_) => return refuse("operations between classes"),
        }
        self.push("]")
    }

    fn item(&mut self, item: &ClassSetItem) -> Written {
        match item {
            ClassSetItem::Empty(_) => Ok(()),
            ClassSetItem::Literal(literal) => self.literal(literal.c, true),
            ClassSetItem::Range(range) => {
                self.literal(range.start.c, true)?;
                self.push("-")?;
                self.literal(range.end.c, true)
            }
            ClassSetItem::Perl(class) if !class.negated => self.push(members(&class.kind)),
            ClassSetItem::Perl(_) => refuse("\\D, \\S or \\W inside a class"),
            ClassSetItem::Ascii(class) if !class.negated => self.push(ascii(&class.kind)),
            ClassSetItem::Ascii(_) | ClassSetItem::Unicode(_) => refuse("Unicode and negated classes inside a class"),
            ClassSetItem::Bracketed(_) => refuse("a class inside a class"),
            ClassSetItem::Union(union) => union.items.iter().try_for_each(|item| self.item(item)),
        }
    }

    fn literal(&mut self, character: char, in_class: bool) -> Written {
        let special = if in_class { "\\]^-[&~" } else { "\\.+*?()|[]{}^$" };
        match character {
            '\n' => self.push("\\n"),
            '\r' => self.push("\\r"),
            '\t' => self.push("\\t"),
            control if control.is_ascii_control() => {
                // Writing into a String does not fail.
                let _ = write!(self.out, "\\x{:02x}", u32::from(control));
                Ok(())
            }
            other => {
                if special.contains(other) {
                    self.out.push('\\');
                }
                self.out.push(other);
                Ok(())
            }
        }
    }

    fn push(&mut self, text: &str) -> Written {
        self.out.push_str(text);
        Ok(())
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

    fn text(pattern: &str) -> String {
        translate(pattern, None).unwrap().text
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
        ] {
            assert_eq!(text(pattern), expected, "{pattern}");
        }
        let insensitive = translate("(?i)evil", None).unwrap();
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
        ] {
            assert!(translate(pattern, None).is_err(), "{pattern}");
        }
    }

    #[test]
    fn the_beginning_of_a_name_is_a_separator_in_a_path() {
        assert_eq!(translate("^a.*$|^b", Some('\\')).unwrap().text, r"\\a.*$|\\b");
        assert_eq!(translate("(^a)", Some('/')).unwrap().text, "(/a)");
        assert!(translate("a^b", Some('\\')).is_err());
    }

    #[test]
    fn deep_nesting_is_an_error() {
        assert!(translate(&"(".repeat(10_000), None).is_err());
        assert!(translate(&format!("{}a{}", "(".repeat(5000), ")".repeat(5000)), None).is_err());
    }
}
