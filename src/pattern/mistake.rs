//! The mistakes that people and programs make in patterns, each with its code.

use crate::diagnostic::coded;

coded! {
    /// What is wrong with a pattern. Each has a code, which `stixc explain` tells more about.
    #[derive(Debug, Clone, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Mistake {
        /// Something stands where the grammar doesn't allow it, and nothing better is known.
        UNEXPECTED = "P001", Unexpected { /** What may stand there. */ expected: &'static str, /** What stands there. */ found: String },
            error("expected {expected}, found {found}");
        /// There is no text at all, or blanks and comments only.
        EMPTY_PATTERN = "P002", EmptyPattern, error("the pattern is empty");
        /// The text is of another language.
        OTHER_LANGUAGE = "P003", OtherLanguage { /** Which one. */ language: &'static str },
            error("this is {language}, not a STIX pattern");
        /// A comparison stands outside of brackets.
        MISSING_BRACKETS = "P004", MissingBrackets, error("this comparison has no square brackets around it");
        /// A bracket or parenthesis is not closed.
        UNCLOSED_BRACKET = "P005", UnclosedBracket { /** The one that is missing. */ close: char, /** The one that is open. */ open: char },
            error("`{close}` is missing: the `{open}` is not closed");
        /// A bracket or parenthesis closes nothing.
        STRAY_BRACKET = "P006", StrayBracket { /** Which one. */ close: char }, error("this `{close}` closes nothing");
        /// Brackets of the wrong shape, or inside brackets.
        WRONG_BRACKET = "P007", WrongBracket { /** What stands there. */ found: char, /** What has to stand there. */ expected: &'static str },
            error("`{found}` can't stand here: {expected}");
        /// Brackets without a comparison in them.
        EMPTY_BRACKETS = "P008", EmptyBrackets, error("there is no comparison in the brackets");
        /// A text is not closed.
        UNCLOSED_STRING = "P009", UnclosedString, error("this quote is not closed");
        /// A backslash that is not doubled.
        BARE_BACKSLASH = "P010", BareBackslash, error("this backslash is not doubled");
        /// A quote inside a text.
        STRAY_QUOTE = "P011", StrayQuote, error("this quote inside text is not escaped");
        /// Double quotes around a text.
        DOUBLE_QUOTES = "P012", DoubleQuotes, error("this text has double quotes instead of single ones");
        /// Quotes as a word processor makes them.
        TYPOGRAPHIC_QUOTES = "P013", TypographicQuotes { /** The quote that opens the text. */ found: char },
            error("this text has `{found}` instead of a straight single quote");
        /// Text without quotes.
        UNQUOTED_TEXT = "P014", UnquotedText, error("this text has no quotes");
        /// A key with a hyphen and without quotes.
        BARE_HYPHEN_KEY = "P015", BareHyphenKey { /** The key. */ key: String }, error("the key `{key}` has a hyphen and no quotes");
        /// A word of the language as a type or property.
        RESERVED_WORD = "P016", ReservedWord { /** The word. */ word: String }, error("`{word}` is a word of the pattern language");
        /// A keyword that is not in upper case (or not in lower case, where it has to be).
        KEYWORD_CASE = "P017", KeywordCase { /** As it stands there. */ found: String, /** As it is written. */ keyword: &'static str },
            error("`{found}` is written `{keyword}`");
        /// A keyword that is misspelt, or of another language.
        KEYWORD_SPELLING = "P018", KeywordSpelling { /** As it stands there. */ found: String, /** What it could be. */ keyword: &'static str },
            error("`{found}` is not a word of the pattern language");
        /// An operator of another language.
        UNKNOWN_OPERATOR = "P019", UnknownOperator { /** As it stands there. */ found: String }, error("`{found}` is not an operator of the pattern language");
        /// A number that is not written as one.
        BAD_NUMBER = "P020", BadNumber { /** What is wrong. */ reason: &'static str }, error("this is not a number: {reason}");
        /// A number that is too large.
        NUMBER_RANGE = "P021", NumberRange { /** The largest possible one. */ limit: &'static str }, error("the number is too large: {limit}");
        /// A timestamp that is not written as one.
        BAD_TIMESTAMP = "P022", BadTimestamp { /** What is wrong. */ reason: &'static str }, error("this is not a timestamp: {reason}");
        /// Bytes that are not hexadecimal.
        BAD_HEX = "P023", BadHex { /** What is wrong. */ reason: &'static str }, error("these are not hexadecimal bytes: {reason}");
        /// Bytes that are not base64.
        BAD_BASE64 = "P024", BadBase64 { /** What is wrong. */ reason: &'static str }, error("this is not base64: {reason}");
        /// `null` and its kin.
        NULL = "P025", Null { /** As it stands there. */ found: String }, error("there is no `{found}` in patterns");
        /// NOT where it can't stand.
        MISPLACED_NOT = "P026", MisplacedNot, error("NOT stands only before a comparison operator or EXISTS");
        /// EXISTS behind the property.
        POSTFIX_EXISTS = "P027", PostfixExists, error("EXISTS stands before the property, not behind it");
        /// A property without an operator.
        MISSING_OPERATOR = "P028", MissingOperator { /** What stands there. */ found: String }, error("expected a comparison operator, found {found}");
        /// An operator without a value.
        MISSING_VALUE = "P029", MissingValue { /** What stands there. */ found: String }, error("expected a value, found {found}");
        /// Two comparisons, or two observations, without an operator between them.
        MISSING_CONNECTIVE = "P030", MissingConnective { /** The operators that could join them. */ expected: &'static str },
            error("{expected} is missing here");
        /// Nothing behind (or before) an operator.
        MISSING_OPERAND = "P031", MissingOperand { /** What is missing. */ expected: &'static str, /** What stands there. */ found: String },
            error("expected {expected}, found {found}");
        /// A value that the operator doesn't take.
        WRONG_VALUE = "P032", WrongValue { /** The operator. */ operator: &'static str, /** What it takes. */ expected: &'static str },
            error("{operator} takes {expected}");
        /// A set that is not written as one.
        BAD_SET = "P033", BadSet { /** What is wrong. */ reason: &'static str }, error("{reason}");
        /// A path that is not written as one.
        BAD_PATH = "P034", BadPath { /** What is wrong. */ reason: &'static str }, error("{reason}");
        /// An index that is none.
        BAD_INDEX = "P035", BadIndex { /** What is wrong. */ reason: &'static str }, error("{reason}");
        /// A time that is not in seconds.
        TIME_UNIT = "P036", TimeUnit { /** The unit. */ unit: String }, error("WITHIN counts seconds, not `{unit}`");
        /// A qualifier of which something is missing.
        BAD_QUALIFIER = "P037", BadQualifier { /** What is wrong. */ reason: &'static str, /** What stands there. */ found: String }, error("{reason}, found {found}");
        /// A qualifier or FOLLOWEDBY inside the brackets.
        INSIDE_BRACKETS = "P038", InsideBrackets { /** The word. */ word: &'static str }, error("{word} stands only outside of the brackets");
        /// START and STOP as the other version of STIX writes them.
        OTHER_VERSION = "P039", OtherVersion { /** What is of the other version. */ what: &'static str }, error("{what}");
        /// A character that nobody sees.
        INVISIBLE_CHARACTER = "P040", InvisibleCharacter { /** Its name. */ name: &'static str }, error("there is {name} here, which can't be seen");
        /// A semicolon behind the pattern.
        SEMICOLON = "P041", Semicolon, error("a pattern doesn't end with a semicolon");
        /// A comment is not closed.
        UNCLOSED_COMMENT = "P042", UnclosedComment, error("this comment is not closed");
        /// More levels than anybody needs.
        TOO_DEEP = "P043", TooDeep, error("more than 256 levels inside each other");
        /// A pattern whose positions can't be counted.
        TOO_LONG = "P044", TooLong, error("the pattern is longer than 4 GiB");
        /// What a converter leaves where it found nothing to convert to.
        PLACEHOLDER = "P045", Placeholder, error("this is a converter's placeholder for something that it couldn't express");
        /// A backslash before the quotes of a text, as code and JSON write them.
        ESCAPED_QUOTES = "P047", EscapedQuotes, error("the quotes around this text have backslashes before them");
        /// An address, a name or a hash and nothing else.
        VALUE_ALONE = "P048", ValueAlone, error("this is a value, and nothing says what it is compared with");
        /// There are more mistakes than are told.
        TOO_MANY = "P046", TooMany, error("too many mistakes: the rest of the pattern was not read");
    }
}
