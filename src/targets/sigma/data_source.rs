//! Data sources: what the rules of one log source say of it.

use super::{mapping_rows::LogSource, text::YamlBlock};

/// A data source, ready to be written into rules.
#[derive(Debug)]
pub(super) struct DataSource {
    /// Its name: part of ids and file names.
    pub(super) name: String,
    /// The field that names the machine; empty where none does.
    pub(super) machine: String,
    /// For titles.
    pub(super) title: String,
    /// The lines below `logsource:`.
    pub(super) logsource: YamlBlock,
}

impl DataSource {
    /// The data source `name` of the mapping.
    pub(super) fn new(name: &str, source: &LogSource) -> Self {
        Self {
            name: name.to_owned(),
            machine: source.tie.as_ref().map(|tie| tie.field.as_str().to_owned()).unwrap_or_default(),
            title: source.title.clone(),
            logsource: logsource(source),
        }
    }
}

fn logsource(source: &LogSource) -> YamlBlock {
    let mut block = YamlBlock::default();
    let keys = [("category", &source.category), ("product", &source.product), ("service", &source.service)];
    for (key, value) in keys {
        if let Some(value) = value {
            block.line(4, &format!("{key}: {}", value.as_str()));
        }
    }
    block
}
