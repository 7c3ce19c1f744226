//! Texts that never show, and the places that hold them.

use std::{
    env, fmt,
    fs::File,
    io::{self, Read},
    path::Path,
    process::{Command, Stdio},
};

use super::TaxiiError;

/// A text that is never printed: `Debug` shows `***`.
///
/// ```
/// use stixc::source::taxii::Secret;
/// assert_eq!(format!("{:?}", Secret::new("abc")), "***");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret that the caller already holds.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret at the place that `reference` names: `env:VARIABLE`, `file:PATH` or `command:COMMAND`.
    ///
    /// # Errors
    /// [`TaxiiError::InvalidOption`] for any other text, which is not shown since it may be the secret itself; those of
    /// [`Secret::from_env`], [`Secret::from_file`] and [`Secret::from_command`].
    pub fn from_reference(reference: &str) -> Result<Self, TaxiiError> {
        match reference.split_once(':') {
            Some(("env", name)) => Self::from_env(name),
            Some(("file", path)) => Self::from_file(Path::new(path)),
            Some(("command", command)) => Self::from_command(command),
            _ => Err(TaxiiError::InvalidOption {
                option: "secret",
                reason: "say where it is, not what it is: env:VARIABLE, file:PATH or command:COMMAND".to_owned(),
            }),
        }
    }

    /// The value of the environment variable `name`.
    ///
    /// # Errors
    /// [`TaxiiError::MissingSecret`] if it is not set, empty, or not UTF-8.
    pub fn from_env(name: &str) -> Result<Self, TaxiiError> {
        let place = format!("the environment variable {name}");
        match env::var(name) {
            Ok(text) => Self::filled(&text, place),
            Err(env::VarError::NotPresent) => Err(missing(place, "is not set")),
            Err(env::VarError::NotUnicode(_)) => Err(missing(place, "is not UTF-8")),
        }
    }

    /// The text of the file at `path`, without the line end that editors add.
    ///
    /// # Errors
    /// [`TaxiiError::MissingSecret`] if it can't be read, is empty, or not UTF-8; [`TaxiiError::ExposedSecret`] if
    /// anyone but its owner may read or write it (on Unix; elsewhere that is not looked at).
    pub fn from_file(path: &Path) -> Result<Self, TaxiiError> {
        let place = format!("the file {}", path.display());
        let bytes = read_private(path, |error| missing(place.clone(), format!("can't be read: {error}")))?;
        let text = String::from_utf8(bytes).map_err(|_| missing(place.clone(), "is not UTF-8"))?;
        Self::filled(without_line_end(&text), place)
    }

    /// What `command` prints, without the line end: a password manager's, say. It is run by the shell, without input.
    ///
    /// # Errors
    /// [`TaxiiError::MissingSecret`] if it can't be run, fails, or prints nothing or what is not UTF-8. What it prints
    /// is never shown.
    pub fn from_command(command: &str) -> Result<Self, TaxiiError> {
        let place = "the command for a secret".to_owned();
        let (shell, option) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
        let output = Command::new(shell)
            .args([option, command])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .map_err(|error| missing(place.clone(), format!("can't be run: {error}")))?;
        if !output.status.success() {
            return Err(missing(place, format!("failed ({}); run it by hand to see why", output.status)));
        }
        let text = String::from_utf8(output.stdout).map_err(|_| missing(place.clone(), "prints what is not UTF-8"))?;
        Self::filled(without_line_end(&text), place)
    }

    /// The secret itself, for the one place that sends it.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    fn filled(text: &str, place: String) -> Result<Self, TaxiiError> {
        if text.is_empty() { Err(missing(place, "is empty")) } else { Ok(Self(text.to_owned())) }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// The bytes of a file that nobody but its owner may read or write; any other is refused. What is no file, such as a
/// pipe, has its own guard.
pub(super) fn read_private(path: &Path, unreadable: impl Fn(io::Error) -> TaxiiError) -> Result<Vec<u8>, TaxiiError> {
    let mut file = File::open(path).map_err(&unreadable)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        const OTHERS: u32 = 0o077;
        let metadata = file.metadata().map_err(&unreadable)?;
        let mode = metadata.permissions().mode() & 0o777;
        if metadata.is_file() && mode & OTHERS != 0 {
            return Err(TaxiiError::ExposedSecret { file: path.display().to_string(), mode });
        }
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

fn without_line_end(text: &str) -> &str {
    text.trim_end_matches(['\r', '\n'])
}

fn missing(place: String, reason: impl Into<String>) -> TaxiiError {
    TaxiiError::MissingSecret { place, reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn from_file(content: &str) -> Result<Secret, TaxiiError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        Secret::from_reference(&format!("file:{}", file.path().display()))
    }

    #[test]
    fn secrets_from_files_lose_only_the_line_end() {
        assert_eq!(from_file(" key \r\n").unwrap().text(), " key ");
        assert!(from_file("\n").unwrap_err().to_string().ends_with("is empty"));
        let error = Secret::from_file(Path::new("/no/such/file")).unwrap_err();
        assert!(matches!(error, TaxiiError::MissingSecret { .. }), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "hidden").unwrap();
        for (mode, refused) in
            [(0o600, false), (0o400, false), (0o640, true), (0o604, true), (0o620, true), (0o644, true), (0o777, true)]
        {
            fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
            let outcome = Secret::from_file(file.path());
            assert_eq!(matches!(outcome, Err(TaxiiError::ExposedSecret { .. })), refused, "{mode:o}: {outcome:?}");
        }
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let error = Secret::from_reference("env:STIXC_TEST_NO_SUCH_VARIABLE").unwrap_err();
        assert_eq!(error.to_string(), "the environment variable STIXC_TEST_NO_SUCH_VARIABLE is not set");
    }

    #[test]
    fn commands() {
        assert_eq!(Secret::from_reference("command:echo a:b").unwrap().text(), "a:b");
        for command in ["echo hidden; exit 3", "exit 0", "no-such-command-hidden"] {
            let error = Secret::from_command(command).unwrap_err();
            assert!(matches!(error, TaxiiError::MissingSecret { .. }), "{error}");
            assert!(!format!("{error} {error:?}").contains("hidden"), "{error}");
        }
    }

    #[test]
    fn the_secret_itself_is_no_reference_and_not_shown() {
        for text in ["hidden", "hidden:x", "", "ENV:hidden"] {
            let error = Secret::from_reference(text).unwrap_err();
            assert!(matches!(error, TaxiiError::InvalidOption { .. }), "{error}");
            assert!(!error.to_string().contains("hidden"), "{error}");
        }
    }
}
