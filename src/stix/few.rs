//! A list that is nearly always empty or of one element.

use std::ops::Deref;

/// A list that needs no allocation for none or one element, which is what feeds send in nearly every list property.
///
/// Read it as a slice.
///
/// ```
/// use stixc::stix::Few;
/// let mut labels = Few::None;
/// labels.push("a");
/// labels.push("b");
/// assert_eq!(&labels[..], ["a", "b"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Few<T> {
    /// No element.
    #[default]
    None,
    /// One element.
    One(T),
    /// Two or more elements.
    Many(Vec<T>),
}

impl<T> Few<T> {
    /// Adds an element at the end.
    pub fn push(&mut self, element: T) {
        *self = match std::mem::take(self) {
            Self::None => Self::One(element),
            Self::One(first) => Self::Many(vec![first, element]),
            Self::Many(mut elements) => {
                elements.push(element);
                Self::Many(elements)
            }
        };
    }

    /// The list of what `change` makes of each element.
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> Few<U> {
        match self {
            Self::None => Few::None,
            Self::One(element) => Few::One(change(element)),
            Self::Many(elements) => Few::Many(elements.into_iter().map(change).collect()),
        }
    }
}

impl<T> From<Vec<T>> for Few<T> {
    fn from(mut elements: Vec<T>) -> Self {
        match elements.len() {
            0 => Self::None,
            1 => elements.pop().map_or(Self::None, Self::One),
            _ => Self::Many(elements),
        }
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        elements.into_iter().fold(Self::None, |mut all, element| {
            all.push(element);
            all
        })
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::None => &[],
            Self::One(element) => std::slice::from_ref(element),
            Self::Many(elements) => elements,
        }
    }
}

impl<'a, T> IntoIterator for &'a Few<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T> IntoIterator for Few<T> {
    type Item = T;
    type IntoIter = std::iter::Chain<std::option::IntoIter<T>, std::vec::IntoIter<T>>;

    fn into_iter(self) -> Self::IntoIter {
        let (one, many) = match self {
            Self::None => (None, Vec::new()),
            Self::One(element) => (Some(element), Vec::new()),
            Self::Many(elements) => (None, elements),
        };
        one.into_iter().chain(many)
    }
}
