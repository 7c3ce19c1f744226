//! MATCHES in one field.

use regex_syntax::ast::Ast;

use super::{
    field_test::{BELOW_KEY, Compared, Comparison, HIVE, PATH_PRESENT, REGEX, Refused},
    mapping_rows::FieldForm,
    regex::{self, Subject},
    regex_end,
    registry::KeyExpression,
    text::YamlScalar,
};
use crate::plan::{Regex, Value, ValueKind, fidelity::Fidelity};

impl Comparison<'_, '_> {
    fn key_expression(&mut self, tree: &Ast) -> Result<Ast, Refused> {
        let KeyExpression { tree, names_user, names_unlogged } = KeyExpression::new(tree);
        if names_unlogged {
            return Err((
                REGEX,
                "the expression does not spell out a hive, and logs spell it in another way".to_owned(),
            ));
        }
        self.lose(BELOW_KEY, Fidelity::BROADER, "keys and values below the key are matched too");
        if names_user {
            self.lose(HIVE, Fidelity::BROADER, "the log names the user's SID, so any user's key is matched");
        }
        Ok(tree)
    }

    /// The log has a separator behind each folder, where STIX has one behind a root only. An expression that ends with
    /// one matches it too.
    fn at_end(&mut self, tree: &Ast, subject: Subject) -> Result<Subject, Refused> {
        let separator = match self.row.form {
            FieldForm::WindowsFolder | FieldForm::Directory => '\\',
            FieldForm::UnixFolder => '/',
            _ => return Ok(subject),
        };
        if regex_end::has_end_inside(tree, separator) {
            return Err((REGEX, "a part of the expression ends with a separator".to_owned()));
        }
        let (ends, is_closed) = regex_end::ends_with(tree, separator);
        if !ends {
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
    fn refuse_system(&self, value: &Value, regex: &Regex) -> Result<(), Refused> {
        let has = |asked| regex.count(|sign| sign == asked) > 0;
        let has_backslash = has('\\');
        match self.row.form {
            FieldForm::Url if has('#') => Err(self.fragment(value)),
            _ if self.test.negated => Ok(()),
            FieldForm::UnixFolder | FieldForm::UnixPath if has_backslash => {
                Err(self.no_value(value, "is no Unix path"))
            }
            FieldForm::WindowsFolder | FieldForm::WindowsPath | FieldForm::Directory if has('/') && !has_backslash => {
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
            let ValueKind::Regex(regex) = &value.kind else { return Err(self.no_operator("MATCHES")) };
            self.refuse_system(value, regex)?;
            let tree = regex.tree().map_err(|why| (REGEX, format!("the expression can't be read: {why}")))?;
            let subject = self.at_end(tree, subject)?;
            let expression = match subject {
                Subject::Key => regex::translate(&self.key_expression(tree)?, subject),
                subject => regex::translate(tree, subject),
            };
            translated.push(expression.map_err(|message| (REGEX, message))?);
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
