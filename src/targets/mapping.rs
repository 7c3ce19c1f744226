//! The mapping of properties to places, as data.
//!
//! A mapping file has three tables: `data_source` (where a rule can look: the log sources of Sigma, the protocols of
//! Suricata), `row` (one property in one data source; several rows for both are alternatives) and `unsupported` (a
//! property and the reason why it has no place). `data_source` and `row` hold keys of the target's own beside the common
//! ones.
//!
//! A user's file is laid over the shipped one: see [`Mapping::read_over`].

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, de::DeserializeOwned};

use crate::plan::Test;

/// A mapping file, read: `S` is what the target says of a data source, `R` of a row, in its own words. Both should refuse
/// unknown keys (`#[serde(deny_unknown_fields)]`).
///
/// ```
/// use stixc::targets::mapping::Mapping;
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct DataSource { product: String }
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Place { field: String }
/// let mapping = Mapping::<DataSource, Place>::read(r#"
/// [data_source.dns]
/// product = "zeek"
/// [[row]]
/// property = "domain-name:value"
/// data_source = "dns"
/// field = "query"
/// [unsupported]
/// "mac-addr:value" = "no log source has it"
/// "#).unwrap();
/// assert_eq!(mapping.data_sources()[0].name, "dns");
/// assert!(Mapping::<DataSource, Place>::read("colour = 1").is_err());
/// ```
#[derive(Debug, Clone)]
pub struct Mapping<S, R> {
    data_sources: Vec<DataSource<S>>,
    rows: HashMap<String, Vec<Row<R>>>,
    unsupported: BTreeMap<String, String>,
}

/// What a target says of its data sources or rows that have no keys of its own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoKeys {}

/// Where a rule can look: a log source, a protocol, a kind of list.
#[derive(Debug, Clone)]
pub struct DataSource<S> {
    /// Its name; part of the ids of its rules.
    pub name: String,
    /// What the target says of it.
    pub data: S,
}

/// One property in one data source.
#[derive(Debug, Clone)]
pub struct Row<R> {
    /// Object types that a reference may point to; empty for any.
    pub referent: Vec<String>,
    /// Number of the data source in [`Mapping::data_sources`].
    pub data_source: usize,
    /// What the target says of it.
    pub data: R,
}

impl<R> Row<R> {
    /// Whether the row is about the referent of `test`.
    fn covers(&self, test: &Test) -> bool {
        self.referent.is_empty()
            || test.property.referent.as_deref().is_some_and(|referent| self.referent.iter().any(|one| one == referent))
    }
}

/// Why a mapping file was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MappingError {
    /// Not TOML, or not of this form.
    #[error("{0}")]
    Form(#[from] toml::de::Error),
    /// A row in a data source that is not declared.
    #[error("row for {property}: there is no data source {data_source}")]
    UnknownDataSource {
        /// The row's property.
        property: String,
        /// The data source that it names.
        data_source: String,
    },
    /// A property that is mapped and listed as unsupported.
    #[error("{0} is mapped and unsupported at once")]
    Both(String),
    /// Keys of the target's own that are unknown or wrong.
    #[error("{place}: {message}")]
    Keys {
        /// The row or data source.
        place: String,
        /// What is wrong.
        message: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Whether nothing of the shipped file is to stay.
    #[serde(default)]
    replace: bool,
    #[serde(default, alias = "scene")]
    data_source: toml::Table,
    #[serde(default)]
    row: Vec<FileRow>,
    #[serde(default)]
    unsupported: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct FileRow {
    property: String,
    #[serde(alias = "scene")]
    data_source: String,
    #[serde(default)]
    referent: Vec<String>,
    #[serde(flatten)]
    data: toml::Table,
}

impl File {
    /// This file over the shipped one: its keys of data sources, its rows and its reasons take the places of those that
    /// are there.
    fn over(self, shipped: Self) -> Self {
        let Self { replace, data_source: own_sources, row: own_rows, unsupported: own_reasons } = self;
        let Self { mut data_source, mut row, mut unsupported, .. } = shipped;
        row.retain(|shipped| {
            let reason = own_reasons.contains_key(&shipped.property);
            !reason && !own_rows.iter().any(|own| own.takes_the_place_of(shipped))
        });
        unsupported.retain(|property, _| !own_rows.iter().any(|own| own.property == *property));
        for (name, own) in own_sources {
            match (data_source.get_mut(&name), own) {
                (Some(toml::Value::Table(keys)), toml::Value::Table(own)) => keys.extend(own),
                (_, own) => _ = data_source.insert(name, own),
            }
        }
        row.extend(own_rows);
        unsupported.extend(own_reasons);
        Self { replace, data_source, row, unsupported }
    }
}

impl FileRow {
    fn takes_the_place_of(&self, shipped: &Self) -> bool {
        let for_any = self.referent.is_empty() || shipped.referent.is_empty();
        self.property == shipped.property
            && self.data_source == shipped.data_source
            && (for_any || self.referent.iter().any(|one| shipped.referent.contains(one)))
    }
}

impl<S: DeserializeOwned, R: DeserializeOwned> Mapping<S, R> {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// An unknown key, an undeclared data source, a property both mapped and unsupported.
    pub fn read(text: &str) -> Result<Self, MappingError> {
        Self::new(toml::from_str(text)?)
    }

    /// Reads a user's mapping file, laid over the shipped one: rows for a property in a data source take the place of the
    /// shipped rows for both, a reason that of rows, and a data source has the shipped keys that the file does not name.
    /// With `replace = true` at its top nothing of the shipped file stays; without a user's file all of it does.
    ///
    /// ```
    /// use stixc::targets::mapping::Mapping;
    /// type Loose = Mapping<toml::Value, toml::Value>;
    /// let shipped = "row = [{ property = 'url:value', data_source = 'proxy', field = 'c-uri' }]\n\
    ///                [data_source.proxy]\nproduct = 'any'\nenabled = true\n[unsupported]\n'mutex:name' = 'unseen'\n";
    /// let own = "row = [{ property = 'mutex:name', data_source = 'edr', field = 'mutex' }]\n\
    ///            [data_source.edr]\n[data_source.proxy]\nenabled = false\n";
    /// let mapping = Loose::read_over(Some(own), shipped).unwrap();
    /// assert!(mapping.maps("url:value") && mapping.maps("mutex:name") && mapping.reason("mutex:name").is_none());
    /// let proxy = &mapping.data_sources()[1].data;
    /// assert_eq!((proxy["product"].as_str(), proxy["enabled"].as_bool()), (Some("any"), Some(false)));
    /// let alone = Loose::read_over(Some(&format!("replace = true\n{own}")), shipped).unwrap();
    /// assert!(!alone.maps("url:value"));
    /// ```
    ///
    /// # Errors
    /// Those of [`Mapping::read`].
    pub fn read_over(own: Option<&str>, shipped: &str) -> Result<Self, MappingError> {
        let shipped: File = toml::from_str(shipped)?;
        let own = own.map(toml::from_str::<File>).transpose()?;
        Self::new(match own {
            None => shipped,
            Some(own) if own.replace => own,
            Some(own) => own.over(shipped),
        })
    }

    fn new(file: File) -> Result<Self, MappingError> {
        let mut data_sources = Vec::with_capacity(file.data_source.len());
        for (name, data) in file.data_source {
            let data = typed(data, || format!("data source {name}"))?;
            data_sources.push(DataSource { name, data });
        }
        let mut rows: HashMap<String, Vec<Row<R>>> = HashMap::new();
        for FileRow { property, data_source, referent, data } in file.row {
            let Some(data_source) = data_sources.iter().position(|known| known.name == data_source) else {
                return Err(MappingError::UnknownDataSource { property, data_source });
            };
            if file.unsupported.contains_key(&property) {
                return Err(MappingError::Both(property));
            }
            let data = typed(toml::Value::Table(data), || format!("row for {property}"))?;
            rows.entry(property).or_default().push(Row { referent, data_source, data });
        }
        Ok(Self { data_sources, rows, unsupported: file.unsupported })
    }
}

impl<S, R> Mapping<S, R> {
    /// The data sources, by name.
    #[must_use]
    pub fn data_sources(&self) -> &[DataSource<S>] {
        &self.data_sources
    }

    /// The rows for the property and referent of `test` in one data source, in file order. A key of a dictionary that has
    /// no rows of its own has those of the dictionary (`….request_header.*`).
    pub fn rows<'a>(&'a self, data_source: usize, test: &Test) -> impl Iterator<Item = &'a R> {
        let own = self.rows.get(test.property.path.as_ref());
        let rows = own.or_else(|| self.rows.get(test.property.family?)).into_iter().flatten();
        rows.filter(move |row| row.data_source == data_source && row.covers(test)).map(|row| &row.data)
    }

    /// Why `property` has no place, where the file says so. An entry that ends in `*` speaks for all properties that
    /// begin like it; the longest entry wins.
    #[must_use]
    pub fn reason(&self, property: &str) -> Option<&str> {
        let exact = self.unsupported.get(property);
        let family = || {
            let entries = self.unsupported.iter().filter_map(|(entry, why)| Some((entry.strip_suffix('*')?, why)));
            let fitting = entries.filter(|(prefix, _)| property.starts_with(prefix));
            fitting.max_by_key(|(prefix, _)| prefix.len()).map(|(_, why)| why)
        };
        exact.or_else(family).map(String::as_str)
    }

    /// The names of the data sources that have a row for `property`.
    #[must_use]
    pub fn data_sources_of(&self, property: &str) -> Vec<&str> {
        let rows = self.rows.get(property).into_iter().flatten();
        let numbers: BTreeSet<usize> = rows.map(|row| row.data_source).collect();
        numbers.into_iter().filter_map(|number| Some(self.data_sources.get(number)?.name.as_str())).collect()
    }

    /// All rows with their properties, in the order of the properties.
    pub fn all_rows(&self) -> impl Iterator<Item = (&str, &Row<R>)> {
        let sorted: BTreeMap<&String, &Vec<Row<R>>> = self.rows.iter().collect();
        sorted.into_iter().flat_map(|(property, rows)| rows.iter().map(move |row| (property.as_str(), row)))
    }

    /// The types of objects that some row is about, by its property or by what that refers to.
    #[must_use]
    pub fn object_types(&self) -> BTreeSet<String> {
        let own = self.rows.keys().filter_map(|property| property.split(':').next());
        let referents = self.rows.values().flatten().flat_map(|row| &row.referent).map(String::as_str);
        own.chain(referents).map(str::to_owned).collect()
    }

    /// All properties that have a row, in any order.
    pub fn mapped(&self) -> impl Iterator<Item = &str> {
        self.rows.keys().map(String::as_str)
    }

    /// Whether the file has a row for `property`, in any data source.
    #[must_use]
    pub fn maps(&self, property: &str) -> bool {
        self.rows.contains_key(property)
    }
}

fn typed<T: DeserializeOwned>(data: toml::Value, place: impl Fn() -> String) -> Result<T, MappingError> {
    data.try_into()
        .map_err(|error: toml::de::Error| MappingError::Keys { place: place(), message: error.message().to_owned() })
}
