//! Hives of the Windows registry, by their full names (STIX 2.1, section 6.17) and by those that people abbreviate.

/// A hive: a root of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hive {
    /// `HKEY_CLASSES_ROOT`.
    ClassesRoot,
    /// `HKEY_CURRENT_CONFIG`.
    CurrentConfig,
    /// `HKEY_CURRENT_USER`.
    CurrentUser,
    /// `HKEY_LOCAL_MACHINE`.
    LocalMachine,
    /// `HKEY_USERS`.
    Users,
}

impl Hive {
    /// All hives.
    pub const ALL: [Self; 5] =
        [Self::ClassesRoot, Self::CurrentConfig, Self::CurrentUser, Self::LocalMachine, Self::Users];

    /// The full name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ClassesRoot => "HKEY_CLASSES_ROOT",
            Self::CurrentConfig => "HKEY_CURRENT_CONFIG",
            Self::CurrentUser => "HKEY_CURRENT_USER",
            Self::LocalMachine => "HKEY_LOCAL_MACHINE",
            Self::Users => "HKEY_USERS",
        }
    }

    /// The abbreviation: `HKLM`.
    #[must_use]
    pub fn abbreviation(self) -> &'static str {
        match self {
            Self::ClassesRoot => "HKCR",
            Self::CurrentConfig => "HKCC",
            Self::CurrentUser => "HKCU",
            Self::LocalMachine => "HKLM",
            Self::Users => "HKU",
        }
    }

    /// The hive that has this name or abbreviation, in any letter case.
    ///
    /// ```
    /// use stixc::plan::Hive;
    /// assert_eq!(Hive::parse("hklm"), Some(Hive::LocalMachine));
    /// assert_eq!(Hive::parse("HKEY_LOCAL_MACHINE"), Hive::parse("HKLM"));
    /// assert_eq!(Hive::parse("SOFTWARE"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_called =
            |hive: &Self| [hive.name(), hive.abbreviation()].iter().any(|name| name.eq_ignore_ascii_case(text));
        Self::ALL.into_iter().find(is_called)
    }
}
