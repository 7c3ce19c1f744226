//! MATCHES in one field.

use std::borrow::Cow;

use super::{
    field_test::{BELOW_KEY, Compared, Comparison, HIVE, PATH_PRESENT, REGEX, Refused},
    mapping_rows::FieldForm,
    regex::{self, Subject},
    registry,
    text::YamlScalar,
};
use crate::plan::{Operator, Value, ValueKind, fidelity::Fidelity};

impl Comparison<'_, '_> {
    fn key_expression(&mut self, pattern: &str) -> Result<Cow<'static, str>, Refused> {
        let (pattern, is_user) = registry::expression(pattern);
        if pattern.to_ascii_uppercase().contains("HKEY") {
            return Err((
                REGEX,
                "the expression does not spell out a hive, and logs spell it in another way".to_owned(),
            ));
        }
        self.lose(BELOW_KEY, Fidelity::BROADER, "keys and values below the key are matched too");
        if is_user {
            self.lose(HIVE, Fidelity::BROADER, "the log names the user's SID, so any user's key is matched");
        }
        Ok(Cow::Owned(pattern))
    }

    /// The log has a separator behind each folder, where STIX has one behind a root only. An expression that ends with
    /// one matches it too.
    fn at_end(&mut self, pattern: &str, subject: Subject) -> Result<Subject, Refused> {
        let separator = match self.row.form {
            FieldForm::WindowsFolder | FieldForm::Directory => r"\\",
            FieldForm::UnixFolder => "/",
            _ => return Ok(subject),
        };
        let ends = |end: char| pattern.contains(&format!("{separator}{end}"));
        if ends('|') || ends(')') {
            return Err((REGEX, "a part of the expression ends with a separator".to_owned()));
        }
        let is_closed = pattern.ends_with('$');
        if !pattern.trim_end_matches('$').ends_with(separator) {
            return Ok(subject);
        }
        self.lose(
            PATH_PRESENT,
            Fidelity::BROADER,
            "the log has a separator behind each folder, not behind a root only",
        );
        Ok(match subject {
            Subject::Folder(separator) if is_closed => Subject::Root(separator),
            Subject::Folder(_) => Subject::Field,
            other => other,
        })
    }

    /// An expression about the folders of another system, or about what is never logged, can't match.
    pub(super) fn refuse_system(&self, value: &Value, pattern: &str) -> Result<(), Refused> {
        let has_backslash = pattern.contains(r"\\");
        match self.row.form {
            FieldForm::Url if pattern.contains('#') => {
                Err(self.no_value(value, "has a fragment, which is never logged"))
            }
            _ if self.test.negated => Ok(()),
            _ if self.test.operator == Operator::Like => Ok(()),
            FieldForm::UnixFolder | FieldForm::UnixPath if has_backslash => {
                Err(self.no_value(value, "is no Unix path"))
            }
            FieldForm::WindowsFolder | FieldForm::WindowsPath | FieldForm::Directory
                if pattern.contains('/') && !has_backslash =>
            {
                Err(self.no_value(value, "is no Windows path"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn expressions(&mut self) -> Compared {
        self.refuse_forms()?;
        let subject = match self.row.form {
            FieldForm::Text
            | FieldForm::RegistryData
            | FieldForm::Domain
            | FieldForm::Url
            | FieldForm::Address
            | FieldForm::WindowsPath
            | FieldForm::UnixPath => Subject::Field,
            FieldForm::WindowsName | FieldForm::RegistryName | FieldForm::Account => Subject::Last('\\'),
            FieldForm::UnixName => Subject::Last('/'),
            FieldForm::StreamName => Subject::Last(':'),
            FieldForm::WindowsFolder => Subject::Folder('\\'),
            FieldForm::UnixFolder => Subject::Folder('/'),
            FieldForm::Directory => Subject::Closed('\\'),
            FieldForm::RegistryKey => Subject::Key,
            FieldForm::Number
            | FieldForm::Hash
            | FieldForm::RegistryPath
            | FieldForm::Serial
            | FieldForm::Transport
            | FieldForm::Word => {
                return Err(self.no_operator("MATCHES"));
            }
        };
        let mut translated = Vec::with_capacity(self.test.values.len());
        for value in &self.test.values {
            let ValueKind::Text(pattern) = &value.kind else { return Err(self.no_operator("MATCHES")) };
            self.refuse_system(value, pattern)?;
            let subject = self.at_end(pattern, subject)?;
            let pattern =
                if subject == Subject::Key { self.key_expression(pattern)? } else { Cow::Borrowed(&**pattern) };
            translated.push(regex::translate(&pattern, subject).map_err(|message| (REGEX, message))?);
        }
        if self.row.ignores_case {
            self.lose_case();
        }
        if translated.iter().any(|regex| regex.takes_separator) {
            self.lose(
                PATH_PRESENT,
                Fidelity::BROADER,
                "the log has a separator behind each folder, which the expression can take for its end",
            );
        }
        // Logs write names and keys in capitals or not; the pattern's letters stand for both.
        let any_case = self.row.ignores_case || self.test.property.ignores_case();
        let insensitive = translated.iter().filter(|regex| any_case || regex.ignores_case).count();
        let modifier = match insensitive {
            0 => "|re",
            all if all == translated.len() => "|re|i",
            _ => return Err((REGEX, "expressions with and without (?i) can't stand in one list".to_owned())),
        };
        Ok((modifier, translated.iter().map(|regex| YamlScalar::text(&regex.text)).collect()))
    }
}
