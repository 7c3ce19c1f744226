//! The words of `templates/suricata/mapping.toml`: where a property is seen in the traffic, and how it is written there.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{plan::fidelity::Fidelity, targets::mapping};

use super::text::Keyword;

/// The mapping of this target.
pub type Mapping = mapping::Mapping<Traffic, Row>;

/// A data source of the mapping.
pub type Source = mapping::DataSource<Traffic>;

/// The traffic that one rule can see together.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// The protocol in front of its rules.
    pub protocol: Keyword,
    /// Its name for `msg` and for people: `DNS query`.
    pub about: String,
    /// The side of a conversation that its rules see.
    pub seen: FlowSide,
    /// Whether its rules ask for an established connection.
    #[serde(default)]
    pub established: bool,
    /// The victim's end of the packet, where that is clear.
    #[serde(default)]
    pub victim: Option<Victim>,
}

/// The side of a conversation whose packets the rules of a data source see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlowSide {
    /// Those of the client: the source is the source.
    ToServer,
    /// Those of the server: source and destination are swapped.
    ToClient,
    /// Those that carry what the rule looks for, whoever opened the conversation.
    Either,
    /// Any: where a rule says which end is which, those of the end that opened the conversation.
    Packets,
}

/// The end of the packet that the victim has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Victim {
    /// It sent the packet.
    Source,
    /// It receives the packet.
    Destination,
}

/// A row: one property in the rules of one data source.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "FileRow")]
pub struct Row {
    /// What compares it there.
    pub place: RulePart,
    /// Letter case there.
    pub case: Case,
    /// Whether the property ignores case by its nature, though the plan does not know it.
    pub natural: bool,
    /// Whether it says too little for a rule from which other tests were dropped.
    pub weak: bool,
    /// Which versions of Suricata have the place, where not all do.
    pub requires: Option<Requires>,
    /// The loss of every rule by this row, and why.
    pub loss: Option<(Fidelity, String)>,
    /// Whether it loses that only where a value has several parts, whose order may differ.
    pub ordered: bool,
}

/// Versions of Suricata. A rule that asks for others is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Requires {
    /// Up to 7.
    #[serde(rename = "before-8")]
    Before8,
    /// From 8 on.
    #[serde(rename = "from-8")]
    From8,
}

/// The part of a rule that compares a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RulePart {
    /// The whole of a buffer.
    Buffer(Keyword),
    /// The whole of a buffer, or its last segment after `/`.
    LastSegment(Keyword),
    /// The first bytes of a buffer.
    Start(Keyword),
    /// A field among the header fields of a request; its name is the last key of the property.
    Field(Keyword),
    /// Host and request target of a request.
    Url,
    /// The host of a URL, as a server name.
    UrlHost {
        /// The buffer of the server name.
        buffer: Keyword,
        /// Whether a rule for the host alone is wanted though the URL has a path.
        drop_path: bool,
    },
    /// An address.
    Address(EndOf),
    /// A port.
    Port(EndOf),
    /// The protocol.
    Protocol {
        /// The word of the rule language for each value; others are refused.
        values: BTreeMap<String, Keyword>,
        /// The values that Suricata recognises at their usual ports only, with these.
        usual_ports: BTreeMap<String, Vec<u16>>,
    },
    /// The hash of a whole file.
    FileHash,
    /// The size of a whole file.
    FileSize,
    /// A hash with colons between its bytes.
    Fingerprint(Keyword),
    /// A hash of the bytes in the buffer.
    Digest(Keyword),
    /// A number in hexadecimal, capital letters with colons.
    Serial(Keyword),
    /// A keyword with a number of its own, such as `itype`.
    Number(Keyword),
    /// An address in a mail.
    Mail {
        /// In which of its fields; anywhere where `None`.
        field: Option<MailField>,
        /// The buffer of the field; the text of the mail as it is sent where `None`.
        buffer: Option<Keyword>,
    },
}

/// A field of a mail that holds addresses (RFC 5322, section 3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum MailField {
    /// Who wrote it.
    From,
    /// Who sent it.
    Sender,
    /// To whom.
    To,
    /// To whom else.
    Cc,
}

/// The end of a conversation whose address or port it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndOf {
    /// The end that opened the conversation.
    Source,
    /// The end that it was opened to.
    Destination,
    /// Either.
    Either,
}

impl RulePart {
    /// Whether the place is in the header of a rule, not among its options.
    pub fn is_header(&self) -> bool {
        matches!(self, Self::Address(_) | Self::Port(_) | Self::Protocol { .. })
    }
}

/// A row as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRow {
    place: FilePlace,
    #[serde(default)]
    buffer: Option<Keyword>,
    #[serde(default)]
    case: Case,
    #[serde(default)]
    natural: bool,
    #[serde(default)]
    weak: bool,
    #[serde(default)]
    broader: Option<String>,
    #[serde(default)]
    narrower: Option<String>,
    #[serde(default)]
    values: BTreeMap<String, Keyword>,
    #[serde(default)]
    drop_path: bool,
    #[serde(default)]
    field: Option<MailField>,
    #[serde(default)]
    requires: Option<Requires>,
    #[serde(default)]
    ordered: bool,
    #[serde(default)]
    usual_ports: BTreeMap<String, Vec<u16>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FilePlace {
    Buffer,
    LastSegment,
    Start,
    Field,
    Url,
    UrlHost,
    SourceAddress,
    DestinationAddress,
    EitherAddress,
    SourcePort,
    DestinationPort,
    Protocol,
    FileHash,
    FileSize,
    Fingerprint,
    Digest,
    Serial,
    Number,
    Mail,
}

impl TryFrom<FileRow> for Row {
    type Error = String;

    fn try_from(row: FileRow) -> Result<Self, Self::Error> {
        let buffer = || row.buffer.clone().ok_or("`buffer` is missing");
        let is_protocol = matches!(row.place, FilePlace::Protocol);
        let has_values = !row.values.is_empty();
        let place = match row.place {
            FilePlace::Buffer => RulePart::Buffer(buffer()?),
            FilePlace::LastSegment => RulePart::LastSegment(buffer()?),
            FilePlace::Start => RulePart::Start(buffer()?),
            FilePlace::Field => RulePart::Field(buffer()?),
            FilePlace::UrlHost => RulePart::UrlHost { buffer: buffer()?, drop_path: row.drop_path },
            FilePlace::Fingerprint => RulePart::Fingerprint(buffer()?),
            FilePlace::Digest => RulePart::Digest(buffer()?),
            FilePlace::Serial => RulePart::Serial(buffer()?),
            FilePlace::Number => RulePart::Number(buffer()?),
            FilePlace::Mail => RulePart::Mail { field: row.field, buffer: row.buffer.clone() },
            FilePlace::Url => RulePart::Url,
            FilePlace::SourceAddress => RulePart::Address(EndOf::Source),
            FilePlace::DestinationAddress => RulePart::Address(EndOf::Destination),
            FilePlace::EitherAddress => RulePart::Address(EndOf::Either),
            FilePlace::SourcePort => RulePart::Port(EndOf::Source),
            FilePlace::DestinationPort => RulePart::Port(EndOf::Destination),
            FilePlace::Protocol => RulePart::Protocol { values: row.values, usual_ports: row.usual_ports },
            FilePlace::FileHash => RulePart::FileHash,
            FilePlace::FileSize => RulePart::FileSize,
        };
        let is_buffer = !place.is_header() && !matches!(place, RulePart::Url | RulePart::FileHash | RulePart::FileSize);
        let misplaced = [
            (row.buffer.is_some() && !is_buffer, "`buffer` goes with the places that are buffers"),
            (has_values != is_protocol, "`values` goes with the place `protocol`"),
            (row.drop_path && !matches!(place, RulePart::UrlHost { .. }), "`drop_path` goes with the place `url-host`"),
            (row.field.is_some() && !matches!(place, RulePart::Mail { .. }), "`field` goes with the place `mail`"),
        ];
        if let Some((_, why)) = misplaced.into_iter().find(|(is_misplaced, _)| *is_misplaced) {
            return Err(why.to_owned());
        }
        let loss = match (row.broader, row.narrower) {
            (None, None) => None,
            (Some(why), None) => Some((Fidelity::BROADER, why)),
            (None, Some(why)) => Some((Fidelity::NARROWER, why)),
            (Some(more), Some(fewer)) => Some((Fidelity::APPROXIMATE, format!("{more}; {fewer}"))),
        };
        let FileRow { case, natural, weak, requires, ordered, .. } = row;
        Ok(Self { place, case, natural, weak, requires, loss, ordered })
    }
}

/// Letter case in a buffer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Case {
    /// It keeps it, and so does the comparison.
    #[default]
    Keep,
    /// It keeps it, and the comparison ignores it.
    Ignore,
    /// It may keep it, and takes no `nocase`: it is put in lower case first.
    Lower,
    /// The standard writes the value in lower case and the wire has capitals.
    Capital,
}

impl Case {
    /// Whether a comparison ignores case.
    pub fn is_ignored(self) -> bool {
        matches!(self, Self::Ignore | Self::Lower)
    }
}
