//! Stand-in.

mod stand_in {
    /// An instant.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Timestamp(pub i64);

    impl Timestamp {
        /// `2024-01-31`.
        #[must_use]
        pub fn date(self) -> String {
            format!("2024-01-{:02}", 1 + self.0 % 28)
        }
    }

    /// Traffic light protocol.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Tlp {
        /// Clear.
        Clear,
        /// Green.
        Green,
        /// Amber.
        Amber,
        /// Amber, strict.
        AmberStrict,
        /// Red.
        Red,
    }

    impl Tlp {
        /// `amber+strict`, as the standard writes it.
        #[must_use]
        pub fn name(self) -> &'static str {
            match self {
                Self::Clear => "clear",
                Self::Green => "green",
                Self::Amber => "amber",
                Self::AmberStrict => "amber+strict",
                Self::Red => "red",
            }
        }
    }
}
pub use stand_in::{Timestamp, Tlp};
