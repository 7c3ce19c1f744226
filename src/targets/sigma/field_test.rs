//! A test in one field: the form of its values there, and what that loses.

use super::{
    address::forms,
    mapping_rows::{Constant, Field, FieldForm},
    regex, registry,
    text::{YamlScalar, readable},
    wildcard::{SigmaValue, modified},
};
use crate::{
    diagnostic::Code,
    plan::{
        HashAlgorithm, Hive, Operator, Property, Test, UrlParts, Value, ValueKind,
        adapt::{CASE, NO_OPERATOR, NO_VALUE},
        fidelity::Fidelity,
        schema::{PropertyType, Text},
        serial_octets,
    },
};

/// A wildcard in a file name can also match across folders.
pub const ACROSS_FOLDERS: Code = Code("L100");
/// Folders below the folder are matched too.
pub const SUBFOLDERS: Code = Code("L101");
/// Keys and values below the registry key are matched too.
pub const BELOW_KEY: Code = Code("L102");
/// The hive is not certain in the log.
pub const HIVE: Code = Code("L103");
/// The regular expression has no counterpart in Sigma's subset.
pub const REGEX: Code = Code("L104");
/// A negated test on an element of a list.
pub const ANY_ELEMENT: Code = Code("L105");
/// The field holds more than the property.
pub const NEARBY_FIELD: Code = Code("L106");
/// Parts of a URL that are never sent.
pub const UNSENT: Code = Code("L107");
/// The event may lack this kind of hash.
pub const HASH_PRESENT: Code = Code("L108");

/// A certain element of a list.
pub const INDEX: Code = Code("L109");
/// Folder and name of a file stand in one field.
pub const PATH_PRESENT: Code = Code("L112");
/// A prefix and the addresses in it.
pub const PREFIX: Code = Code("L110");
/// More combinations of log sources than are watched.
pub const COMBINATIONS: Code = Code("L111");

/// A field and what it is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Clause<'m> {
    /// The field.
    pub(super) field: &'m str,
    /// `|contains`, `|re|i`; empty for a plain comparison.
    pub(super) modifier: &'static str,
    /// One of these.
    pub(super) values: Vec<YamlScalar>,
}

impl<'m> Clause<'m> {
    /// A field that has to have a certain value.
    pub(super) fn constant(field: &'m str, value: &Constant) -> Self {
        let value = match value {
            Constant::Number(number) => YamlScalar::integer(*number),
            Constant::Text(text) => modified(&[SigmaValue::literal(text)]).1.swap_remove(0),
        };
        Self { field, modifier: "", values: vec![value] }
    }

    /// A field that has to be there.
    pub(super) fn exists(field: &'m str) -> Self {
        Self { field, modifier: "|exists", values: vec![YamlScalar::word("true")] }
    }
}

/// A test in a field.
#[derive(Debug, Clone)]
pub(super) struct FieldTest<'m> {
    /// The row behind it.
    pub(super) row: &'m Field,
    /// The test, without its negation.
    pub(super) clause: Clause<'m>,
    /// Whether it singles nothing out.
    pub(super) weak: bool,
    /// What is lost, of the test without its negation.
    pub(super) losses: Vec<TestLoss>,
}

/// Why a field can't hold a test: a code and one sentence.
pub(super) type Refused = (Code, String);

/// A loss of one test, before it is known where in the pattern it is.
pub(super) type TestLoss = (Code, Fidelity, String);

/// Writes `test` down for the field of `row`. With `minds_case` letter case is told apart where STIX does: plain
/// comparisons become regular expressions.
///
/// # Errors
/// Why the field can't hold it.
pub(super) fn field_test<'m>(row: &'m Field, test: &Test, minds_case: bool) -> Result<FieldTest<'m>, Refused> {
    let existence = test.operator == Operator::Exists;
    if test.negated && !existence && test.property.is_any_element() {
        let message = "it asks for any element that differs, and an event shows one element at a time";
        return Err((ANY_ELEMENT, message.to_owned()));
    }
    let minds_case = minds_case || test.negated;
    let mut comparison =
        Comparison { row, test, losses: Vec::new(), weak: row.weak || existence, minds_case, case_matters: false };
    if let Some((effect, message)) = row.own_loss() {
        comparison.lose(NEARBY_FIELD, effect, message);
    }
    comparison.lose_presence();
    let (modifier, values) = comparison.compare()?;
    let field = row.field.as_str();
    let clause = if modifier == "|exists" { Clause::exists(field) } else { Clause { field, modifier, values } };
    Ok(FieldTest { row, clause, weak: comparison.weak, losses: comparison.losses })
}

/// A comparison of a field with the values of a test, while it is made.
pub(super) struct Comparison<'m, 'p> {
    pub(super) row: &'m Field,
    pub(super) test: &'p Test,
    losses: Vec<TestLoss>,
    weak: bool,
    /// Whether letter case may not be ignored. Under negation a comparison that ignores it would miss events.
    minds_case: bool,
    /// Whether letter case matters to STIX and not to a plain comparison in Sigma.
    case_matters: bool,
}

pub(super) type Compared = Result<(&'static str, Vec<YamlScalar>), Refused>;

impl Comparison<'_, '_> {
    pub(super) fn lose(&mut self, code: Code, effect: Fidelity, message: &str) {
        if !self.losses.iter().any(|(known, ..)| *known == code) {
            self.losses.push((code, effect, message.to_owned()));
        }
    }

    fn compare(&mut self) -> Compared {
        match self.test.operator {
            Operator::Equal | Operator::Like if self.minds_case && self.folder().is_some() => self.folders(),
            Operator::Exists if matches!(self.row.form, FieldForm::Hash | FieldForm::Transport) => {
                Err(self.no_operator("EXISTS"))
            }
            Operator::Exists if self.test.negated && self.is_part() => Err(self.no_operator("NOT EXISTS")),
            Operator::Exists => Ok(("|exists", Vec::new())),
            Operator::Equal | Operator::IsSubset | Operator::IsSuperset if self.row.form == FieldForm::Address => {
                self.addresses()
            }
            Operator::IsSubset | Operator::IsSuperset => Err(self.no_operator("prefixes")),
            Operator::Equal if self.row.form == FieldForm::Number => Ok(("", self.numbers()?)),
            Operator::Equal => self.texts(),
            Operator::Less => self.bound("|lt", "<"),
            Operator::LessOrEqual => self.bound("|lte", "<="),
            Operator::Greater => self.bound("|gt", ">"),
            Operator::GreaterOrEqual => self.bound("|gte", ">="),
            Operator::Like => self.patterns(),
            Operator::Matches => self.expressions(),
        }
    }

    pub(super) fn no_operator(&self, operator: &str) -> Refused {
        (NO_OPERATOR, format!("the field {} can't be compared by {operator}", self.row.field.as_str()))
    }

    pub(super) fn no_value(&self, value: &Value, why: &str) -> Refused {
        (NO_VALUE, format!("{} {why}", shown(value)))
    }

    pub(super) fn fragment(&self, value: &Value) -> Refused {
        self.no_value(value, "has a fragment, which is never logged")
    }

    fn bound(&self, modifier: &'static str, operator: &str) -> Compared {
        if self.row.form == FieldForm::Number {
            Ok((modifier, self.numbers()?))
        } else {
            Err(self.no_operator(operator))
        }
    }

    fn numbers(&self) -> Result<Vec<YamlScalar>, Refused> {
        let number = |value: &Value| match value.kind {
            ValueKind::Integer(number) => Some(YamlScalar::integer(number)),
            ValueKind::Float(number) => YamlScalar::float(number),
            _ => None,
        };
        let values = self.test.values.iter();
        values.map(|value| number(value).ok_or_else(|| self.no_value(value, "is no number"))).collect()
    }

    /// Addresses stand as text, in each of the forms that logs have for them, unless one of them is a prefix: then all
    /// do, for `|cidr`.
    fn addresses(&mut self) -> Compared {
        let values = self.test.values.iter();
        let nets = values.map(|value| match value.kind {
            ValueKind::Address(net) => Ok(net),
            _ => Err(self.no_value(value, "is no address")),
        });
        let nets: Vec<ipnet::IpNet> = nets.collect::<Result<_, _>>()?;
        let are_single = nets.iter().all(|net| net.prefix_len() == net.max_prefix_len());
        if self.test.operator == Operator::IsSuperset {
            if !are_single {
                return Err(self.no_operator("ISSUPERSET with a prefix"));
            }
            self.lose(PREFIX, Fidelity::NARROWER, "logs show single addresses, not the prefixes around one");
        }
        if are_single {
            let forms = nets.iter().flat_map(|net| forms(net.addr()));
            return Ok(("", forms.map(|form| YamlScalar::text(&form)).collect()));
        }
        Ok(("|cidr", nets.iter().map(|net| YamlScalar::text(&net.to_string())).collect()))
    }

    fn texts(&mut self) -> Compared {
        let mut values = Vec::with_capacity(self.test.values.len());
        for value in &self.test.values {
            self.equal(value, &mut values)?;
        }
        if self.row.form == FieldForm::Hash && self.test.negated {
            // Negation will swap it: an event with other kinds of hashes only is not one that differs in this one.
            self.lose(HASH_PRESENT, Fidelity::NARROWER, "an event without this kind of hash is matched too");
        }
        Ok(self.written(&values))
    }

    /// What the field holds where the property is `value`.
    fn equal(&mut self, value: &Value, out: &mut Vec<SigmaValue>) -> Result<(), Refused> {
        match (self.row.form, &value.kind) {
            (FieldForm::Hash, kind) => {
                let (name, hex) = self.hash(kind).ok_or_else(|| self.no_value(value, "is no hash of this kind"))?;
                out.push(SigmaValue::default().then_any().then(format!("{name}={hex}")).then_any());
            }
            (FieldForm::Domain, ValueKind::Domain(name)) => out.push(SigmaValue::literal(name.as_str())),
            (FieldForm::Domain, _) => return Err(self.no_value(value, "is no DNS name")),
            (FieldForm::Url, ValueKind::Url(url)) => self.url(url, out),
            (FieldForm::Url, _) => return Err(self.no_value(value, "is no URL")),
            (FieldForm::Number | FieldForm::Address, _) => {
                return Err(self.no_value(value, "can't stand in this field"));
            }
            (form, ValueKind::Text(text)) => {
                self.wrapped(value, SigmaValue::literal(text), out)?;
                if form == FieldForm::RegistryData {
                    out.extend(registry::numbers(text).into_iter().map(|form| SigmaValue::literal(&form)));
                }
            }
            (FieldForm::Text, ValueKind::Hash(hash)) => out.push(SigmaValue::literal(hash.hex())),
            (FieldForm::Text, ValueKind::Integer(number)) => out.push(SigmaValue::literal(&number.to_string())),
            _ => return Err(self.no_value(value, "can't stand in this field")),
        }
        Ok(())
    }

    /// Sysmon writes `SHA1=…,MD5=…,SHA256=…,IMPHASH=…` into one field.
    fn hash<'v>(&self, kind: &'v ValueKind) -> Option<(&'static str, &'v str)> {
        match kind {
            ValueKind::Hash(hash) => match hash.algorithm() {
                HashAlgorithm::Md5 => Some(("MD5", hash.hex())),
                HashAlgorithm::Sha1 => Some(("SHA1", hash.hex())),
                HashAlgorithm::Sha256 => Some(("SHA256", hash.hex())),
                HashAlgorithm::Sha512 => None,
            },
            ValueKind::Text(text) => (self.test.property.kind == PropertyType::String(Text::ImportHash)
                && text.len() == 32
                && text.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .then_some(("IMPHASH", text.as_str())),
            _ => None,
        }
    }

    /// As sent, and as the pattern writes it where that differs.
    fn url(&mut self, url: &UrlParts, out: &mut Vec<SigmaValue>) {
        let host = &url.host;
        let port = url.port.map(|port| format!(":{port}")).unwrap_or_default();
        let rest = format!("{host}{port}{}", url.target);
        let schemes: &[&str] = if url.scheme.is_empty() { &["http", "https"] } else { &[url.scheme.as_str()] };
        let sent: Vec<String> = schemes.iter().map(|scheme| format!("{scheme}://{rest}")).collect();
        let written = url.text.split('#').next().unwrap_or_default();
        let differs = !sent.iter().any(|sent| sent.eq_ignore_ascii_case(written));
        if url.has_userinfo || url.has_fragment {
            let message = "the user name, the password and the fragment of a URL are never logged";
            self.lose(UNSENT, Fidelity::BROADER, message);
        }
        if differs {
            self.lose(UNSENT, Fidelity::BROADER, "the URL is matched as clients send it, too");
        }
        // Whatever the target is: scheme and host are letters, and a client sends them in small ones.
        self.lose_case();
        out.extend(sent.iter().map(|sent| SigmaValue::literal(sent)));
        // A plain `/` at the end, a host in Unicode, a quote in the path: logs have either form.
        if differs && !url.has_userinfo && !url.scheme.is_empty() {
            out.push(SigmaValue::literal(written));
        }
    }

    /// Letter case matters, unless it does not by the property's nature. Where the log itself does not keep it, no
    /// comparison gets it back.
    pub(super) fn lose_case(&mut self) {
        // The names of protocols are written in small letters, by STIX and by logs.
        if self.test.property.ignores_case() || matches!(self.row.form, FieldForm::Word | FieldForm::Transport) {
            return;
        }
        if self.row.ignores_case || self.row.form == FieldForm::Serial {
            self.lose(CASE, Fidelity::BROADER, "the log does not keep letter case");
        } else {
            self.case_matters = true;
        }
    }

    /// Whether the field holds the property with another one: a file's name with its folder, a value's with its key.
    fn is_part(&self) -> bool {
        use FieldForm::{RegistryKey, RegistryName, UnixFolder, UnixName, WindowsFolder, WindowsName};
        matches!(self.row.form, WindowsName | UnixName | WindowsFolder | UnixFolder | RegistryKey | RegistryName)
    }

    /// Such a field is there although an observation may lack one of the two. A test that it is there, or that it differs
    /// from something, then holds of what was not observed.
    fn lose_presence(&mut self) {
        let exists = self.test.operator == Operator::Exists;
        if self.is_part() && (exists || self.test.negated) {
            // Negation will swap it.
            let effect = if exists { Fidelity::BROADER } else { Fidelity::NARROWER };
            self.lose(
                PATH_PRESENT,
                effect,
                "the log names a file with its folder, and a value with its key, observed or not",
            );
        }
    }

    /// The values with their modifier. Where letter case may not be ignored a regular expression, which Sigma compares
    /// with case, takes the place of plain values. It also does for control characters, which Sigma's tools take for
    /// mistakes in plain values.
    fn written(&mut self, values: &[SigmaValue]) -> (&'static str, Vec<YamlScalar>) {
        let has_control = values.iter().any(SigmaValue::has_control);
        if has_control || (self.case_matters && self.minds_case) {
            let modifier = if self.case_matters { "|re" } else { "|re|i" };
            return (modifier, values.iter().map(|value| YamlScalar::text(&value.expression())).collect());
        }
        if self.case_matters {
            self.lose(CASE, Fidelity::BROADER, "Sigma ignores letter case where STIX does not");
        }
        modified(values)
    }

    /// Text alone does not tell what IPv6 address it is: logs write each in several forms.
    pub(super) fn refuse_forms(&self) -> Result<(), Refused> {
        let Property { path, referent, .. } = &self.test.property;
        if self.row.form == FieldForm::Address
            && (path == "ipv6-addr:value" || referent.as_deref() == Some("ipv6-addr"))
        {
            return Err((NO_OPERATOR, "logs write an IPv6 address in several forms: compare prefixes".to_owned()));
        }
        Ok(())
    }

    /// The separator of a field that begins with a folder.
    fn folder(&self) -> Option<char> {
        match self.row.form {
            FieldForm::WindowsFolder => Some('\\'),
            FieldForm::UnixFolder => Some('/'),
            _ => None,
        }
    }

    /// Folders as regular expressions, which tell a folder from those below it.
    fn folders(&mut self) -> Compared {
        let separator = self.folder().unwrap_or('/');
        let mut values = Vec::with_capacity(self.test.values.len());
        for value in &self.test.values {
            let folder = match &value.kind {
                ValueKind::Text(text) => SigmaValue::literal(text),
                ValueKind::Like(pattern) => SigmaValue::from(pattern),
                _ => return Err(self.no_operator("this kind of value")),
            };
            // That a folder is none of another system's is true.
            if folder.is_unix_path() != (separator == '/') && !self.test.negated {
                return Err(self.no_value(value, "is a path of another system"));
            }
            // Behind a root there is no further separator.
            let folder = folder.without_end(separator);
            let expression = folder.anchored(regex::literal) + &regex::folder_end(separator, !folder.ends_open());
            values.push(YamlScalar::text(&expression));
        }
        Ok(("|re", values))
    }

    fn patterns(&mut self) -> Compared {
        self.refuse_forms()?;
        // The same number is spelled in several ways.
        if matches!(self.row.form, FieldForm::Number | FieldForm::Hash | FieldForm::Transport | FieldForm::Serial) {
            return Err(self.no_operator("LIKE"));
        }
        let mut values = Vec::with_capacity(self.test.values.len());
        for value in &self.test.values {
            let ValueKind::Like(pattern) = &value.kind else { return Err(self.no_operator("LIKE")) };
            let plain = SigmaValue::from(pattern);
            if self.row.form == FieldForm::Url && plain.has(|text| text.contains('#')) {
                return Err(self.fragment(value));
            }
            if plain.is_anything() {
                self.weak = true;
                return Ok(("|exists", Vec::new()));
            }
            self.weak |= !plain.says_something();
            self.wrapped(value, plain, &mut values)?;
        }
        Ok(self.written(&values))
    }

    /// Text or a LIKE pattern, as the field's form wants it.
    fn wrapped(&mut self, value: &Value, plain: SigmaValue, out: &mut Vec<SigmaValue>) -> Result<(), Refused> {
        if plain.has_case() {
            self.lose_case();
        }
        let refuse = |why: &str| Err((NO_VALUE, format!("{} {why}", shown(value))));
        let form = self.row.form;
        let any = || SigmaValue::default().then_any();
        match form {
            FieldForm::WindowsName | FieldForm::UnixName if plain.is_empty() => return refuse("names no file"),
            FieldForm::WindowsName | FieldForm::UnixName if plain.has(|text| text.contains(['\\', '/'])) => {
                return refuse("is a path, not a file name");
            }
            // That a path is none of another system's is true.
            _ if self.test.negated => {}
            FieldForm::WindowsFolder | FieldForm::WindowsPath | FieldForm::Directory if plain.is_unix_path() => {
                return refuse("is no Windows path");
            }
            FieldForm::UnixFolder | FieldForm::UnixPath if !plain.is_unix_path() => return refuse("is no Unix path"),
            FieldForm::Transport if !plain.has(|text| matches!(text, "tcp" | "udp")) => {
                return refuse("is no transport protocol of this field");
            }
            _ => {}
        }
        let wrapped = match form {
            FieldForm::WindowsName | FieldForm::UnixName => {
                if plain.is_open_inside() {
                    self.lose(
                        ACROSS_FOLDERS,
                        Fidelity::BROADER,
                        "a wildcard in the name can also match across folders",
                    );
                }
                let separator = if form == FieldForm::WindowsName { "\\" } else { "/" };
                any().then(if plain.begins_open() { "" } else { separator }).followed_by(plain)
            }
            FieldForm::WindowsFolder | FieldForm::UnixFolder => {
                self.lose(SUBFOLDERS, Fidelity::BROADER, "folders below the folder are matched too");
                // An open end takes in the separator, which is part of the folder where that is a root.
                let separator = if form == FieldForm::WindowsFolder { "\\" } else { "/" };
                if plain.ends_open() { plain } else { closed(plain, separator).then_any() }
            }
            FieldForm::Directory => closed(plain, "\\"),
            FieldForm::RegistryKey => {
                let key = self.key(value, plain)?;
                self.lose(BELOW_KEY, Fidelity::BROADER, "keys and values below the key are matched too");
                // An open end goes on below by itself.
                if !key.ends_open() {
                    out.push(key.clone().then("\\").then_any());
                }
                key
            }
            FieldForm::RegistryPath => self.key(value, plain)?,
            // With the name of its domain, an account is the whole field.
            FieldForm::Account if plain.has(|text| text.contains('\\')) => plain,
            FieldForm::RegistryName | FieldForm::Account => {
                any().then(if plain.begins_open() { "" } else { "\\" }).followed_by(plain)
            }
            FieldForm::StreamName => any().then(":").followed_by(plain),
            FieldForm::Serial => {
                let digits = plain.spelled().and_then(|text| serial_octets(&text));
                SigmaValue::literal(&digits.ok_or_else(|| self.no_value(value, "is no serial number in hexadecimal"))?)
            }
            _ => plain,
        };
        out.push(wrapped);
        Ok(())
    }

    fn key(&mut self, value: &Value, plain: SigmaValue) -> Result<SigmaValue, Refused> {
        let names_other = plain.has(|text| text.to_ascii_uppercase().contains("HKEY"));
        let begins_as_a_hive = registry::begins_as_a_hive(&plain);
        let (hive, key) = registry::logged(plain);
        match hive {
            None if names_other => {
                return Err(self.no_value(value, "begins with no hive that there is"));
            }
            // Logs spell the hives in another way.
            None if begins_as_a_hive => {
                return Err(self.no_value(value, "has a wildcard in the name of a hive"));
            }
            None => self.lose(HIVE, Fidelity::BROADER, "the pattern names no hive, so any hive is matched"),
            Some(Hive::CurrentUser) => {
                self.lose(HIVE, Fidelity::BROADER, "the log names the user's SID, so any user's key is matched");
            }
            Some(_) => {}
        }
        Ok(key)
    }
}

/// A value for a message.
fn shown(value: &Value) -> String {
    readable(&value.to_string(), 80)
}

/// The folder with a separator at its end.
fn closed(folder: SigmaValue, separator: &str) -> SigmaValue {
    if folder.ends_with(separator) { folder } else { folder.then(separator) }
}
