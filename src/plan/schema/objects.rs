//! The table: the cyber-observable object types of STIX 2.1 (section 6) and their properties.
//!
//! A STIX 2.0 name stands beside the 2.1 name that replaced it; a property that 2.1 dropped is marked so.

use super::{
    kind::{Bounds, Definition, ObjectType, Origin, PropertyType, Structure, Text},
    shorthand::{
        ANYTHING, BOOLEAN, FILE_NAME, HEADERS, HEX, INTEGER, NATURAL, PATH, STRING, STRINGS, TIMESTAMP, TO_ARTIFACT,
        TO_CONTAINED, TO_FILE, property, refers, removed, renamed,
    },
    structures::{
        ARCHIVE_EXT, EMAIL_MIME_PART, HTTP_REQUEST_EXT, ICMP_EXT, NTFS_EXT, PDF_EXT, RASTER_IMAGE_EXT, SOCKET_EXT,
        TCP_EXT, UNIX_ACCOUNT_EXT, WINDOWS_PEBINARY_EXT, WINDOWS_PROCESS_EXT, WINDOWS_REGISTRY_VALUE,
        WINDOWS_SERVICE_EXT, X509_V3_EXTENSIONS,
    },
    vocabulary::{ACCOUNT_TYPE, ENCRYPTION_ALGORITHM},
};

const PORT: PropertyType = PropertyType::Integer(Bounds::PORT);

/// A 2.0 property whose nearest successor in 2.1 does not mean quite the same.
const fn replaced(name: &'static str, to: &'static str) -> Definition {
    Definition { name, origin: Origin::Renamed { to, exact: false } }
}

const fn object(
    name: &'static str,
    properties: &'static [Definition],
    extensions: &'static [&'static Structure],
) -> ObjectType {
    ObjectType { name, properties, extensions }
}

const TO_EMAIL_ADDR: PropertyType = refers(&["email-addr"]);
const TO_USER_ACCOUNT: PropertyType = refers(&["user-account"]);
const TO_PROCESS: PropertyType = refers(&["process"]);
const TO_TRAFFIC: PropertyType = refers(&["network-traffic"]);
const TO_MAC_ADDR: PropertyType = refers(&["mac-addr"]);
const TO_AUTONOMOUS_SYSTEM: PropertyType = refers(&["autonomous-system"]);
const TO_MARKING: PropertyType = refers(&["marking-definition"]);
const TO_RESOLVED: PropertyType = refers(&["ipv4-addr", "ipv6-addr", "domain-name"]);
const TO_ENDPOINT: PropertyType = refers(&["ipv4-addr", "ipv6-addr", "mac-addr", "domain-name"]);
/// A file may contain any object.
const TO_ANY: PropertyType = refers(&[
    "file",
    "directory",
    "artifact",
    "autonomous-system",
    "domain-name",
    "email-addr",
    "email-message",
    "ipv4-addr",
    "ipv6-addr",
    "mac-addr",
    "mutex",
    "network-traffic",
    "process",
    "software",
    "url",
    "user-account",
    "windows-registry-key",
    "x509-certificate",
]);

/// `granular-marking` (section 7.2.3).
static GRANULAR_MARKING: Structure = Structure {
    name: "granular-marking",
    properties: &[property("lang", STRING), property("marking_ref", TO_MARKING), property("selectors", STRINGS)],
};

/// What every object has (section 3.2). `extensions` is added for each type, with its own extensions.
pub(super) static COMMON: &[Definition] = &[
    property("type", PropertyType::String(Text::ObjectType)),
    property("id", STRING),
    property("spec_version", STRING),
    property("object_marking_refs", PropertyType::List(&TO_MARKING)),
    property("granular_markings", PropertyType::List(&PropertyType::Object(&GRANULAR_MARKING))),
    property("defanged", BOOLEAN),
];

const ADDRESS_RELATIONS: [Definition; 2] = [
    property("resolves_to_refs", PropertyType::List(&TO_MAC_ADDR)),
    property("belongs_to_refs", PropertyType::List(&TO_AUTONOMOUS_SYSTEM)),
];

/// The object types, sorted by name.
pub(super) static OBJECT_TYPES: &[ObjectType] = &[
    object(
        "artifact",
        &[
            property("mime_type", STRING),
            property("payload_bin", PropertyType::Binary),
            property("url", PropertyType::String(Text::Url)),
            property("hashes", PropertyType::Hashes),
            property("encryption_algorithm", PropertyType::Vocabulary(&ENCRYPTION_ALGORITHM)),
            property("decryption_key", STRING),
        ],
        &[],
    ),
    object("autonomous-system", &[property("number", NATURAL), property("name", STRING), property("rir", STRING)], &[]),
    object(
        "directory",
        &[
            property("path", PATH),
            property("path_enc", STRING),
            property("ctime", TIMESTAMP),
            property("mtime", TIMESTAMP),
            property("atime", TIMESTAMP),
            property("contains_refs", PropertyType::List(&TO_CONTAINED)),
            renamed("created", "ctime"),
            renamed("modified", "mtime"),
            renamed("accessed", "atime"),
        ],
        &[],
    ),
    object(
        "domain-name",
        &[
            property("value", PropertyType::String(Text::DomainName)),
            property("resolves_to_refs", PropertyType::List(&TO_RESOLVED)),
        ],
        &[],
    ),
    object(
        "email-addr",
        &[
            property("value", PropertyType::String(Text::EmailAddress)),
            property("display_name", STRING),
            property("belongs_to_ref", TO_USER_ACCOUNT),
        ],
        &[],
    ),
    object(
        "email-message",
        &[
            property("is_multipart", BOOLEAN),
            property("date", TIMESTAMP),
            property("content_type", STRING),
            property("from_ref", TO_EMAIL_ADDR),
            property("sender_ref", TO_EMAIL_ADDR),
            property("to_refs", PropertyType::List(&TO_EMAIL_ADDR)),
            property("cc_refs", PropertyType::List(&TO_EMAIL_ADDR)),
            property("bcc_refs", PropertyType::List(&TO_EMAIL_ADDR)),
            property("message_id", STRING),
            property("subject", STRING),
            property("received_lines", STRINGS),
            property("additional_header_fields", HEADERS),
            property("body", STRING),
            property("body_multipart", PropertyType::List(&PropertyType::Object(&EMAIL_MIME_PART))),
            property("raw_email_ref", TO_ARTIFACT),
        ],
        &[],
    ),
    object(
        "file",
        &[
            property("hashes", PropertyType::Hashes),
            property("size", NATURAL),
            property("name", FILE_NAME),
            property("name_enc", STRING),
            property("magic_number_hex", HEX),
            property("mime_type", STRING),
            property("ctime", TIMESTAMP),
            property("mtime", TIMESTAMP),
            property("atime", TIMESTAMP),
            property("parent_directory_ref", refers(&["directory"])),
            property("contains_refs", PropertyType::List(&TO_ANY)),
            property("content_ref", TO_ARTIFACT),
            renamed("created", "ctime"),
            renamed("modified", "mtime"),
            renamed("accessed", "atime"),
            removed("is_encrypted", BOOLEAN),
            removed("encryption_algorithm", STRING),
            removed("decryption_key", STRING),
        ],
        &[&ARCHIVE_EXT, &NTFS_EXT, &PDF_EXT, &RASTER_IMAGE_EXT, &WINDOWS_PEBINARY_EXT],
    ),
    object(
        "ipv4-addr",
        &[property("value", PropertyType::String(Text::Ipv4Address)), ADDRESS_RELATIONS[0], ADDRESS_RELATIONS[1]],
        &[],
    ),
    object(
        "ipv6-addr",
        &[property("value", PropertyType::String(Text::Ipv6Address)), ADDRESS_RELATIONS[0], ADDRESS_RELATIONS[1]],
        &[],
    ),
    object("mac-addr", &[property("value", PropertyType::String(Text::MacAddress))], &[]),
    object("mutex", &[property("name", STRING)], &[]),
    object(
        "network-traffic",
        &[
            property("start", TIMESTAMP),
            property("end", TIMESTAMP),
            property("is_active", BOOLEAN),
            property("src_ref", TO_ENDPOINT),
            property("dst_ref", TO_ENDPOINT),
            property("src_port", PORT),
            property("dst_port", PORT),
            property("protocols", PropertyType::List(&PropertyType::String(Text::Protocol))),
            property("src_byte_count", NATURAL),
            property("dst_byte_count", NATURAL),
            property("src_packets", NATURAL),
            property("dst_packets", NATURAL),
            property("ipfix", ANYTHING),
            property("src_payload_ref", TO_ARTIFACT),
            property("dst_payload_ref", TO_ARTIFACT),
            property("encapsulates_refs", PropertyType::List(&TO_TRAFFIC)),
            property("encapsulated_by_ref", TO_TRAFFIC),
            renamed("encapsulates_by_ref", "encapsulated_by_ref"),
        ],
        &[&HTTP_REQUEST_EXT, &ICMP_EXT, &SOCKET_EXT, &TCP_EXT],
    ),
    object(
        "process",
        &[
            property("is_hidden", BOOLEAN),
            property("pid", INTEGER),
            property("created_time", TIMESTAMP),
            property("cwd", PATH),
            property("command_line", STRING),
            property("environment_variables", PropertyType::Dictionary(&STRING)),
            property("opened_connection_refs", PropertyType::List(&TO_TRAFFIC)),
            property("creator_user_ref", TO_USER_ACCOUNT),
            property("image_ref", TO_FILE),
            property("parent_ref", TO_PROCESS),
            property("child_refs", PropertyType::List(&TO_PROCESS)),
            renamed("created", "created_time"),
            renamed("binary_ref", "image_ref"),
            // The name of a process is most often, but not by definition, the name of its image.
            replaced("name", "image_ref.name"),
            removed("arguments", STRINGS),
        ],
        &[&WINDOWS_PROCESS_EXT, &WINDOWS_SERVICE_EXT],
    ),
    object(
        "software",
        &[
            property("name", STRING),
            property("cpe", STRING),
            property("swid", STRING),
            property("languages", STRINGS),
            property("vendor", STRING),
            property("version", STRING),
        ],
        &[],
    ),
    object("url", &[property("value", PropertyType::String(Text::Url))], &[]),
    object(
        "user-account",
        &[
            property("user_id", STRING),
            property("credential", STRING),
            property("account_login", STRING),
            property("account_type", PropertyType::Vocabulary(&ACCOUNT_TYPE)),
            property("display_name", STRING),
            property("is_service_account", BOOLEAN),
            property("is_privileged", BOOLEAN),
            property("can_escalate_privs", BOOLEAN),
            property("is_disabled", BOOLEAN),
            property("account_created", TIMESTAMP),
            property("account_expires", TIMESTAMP),
            property("credential_last_changed", TIMESTAMP),
            property("account_first_login", TIMESTAMP),
            property("account_last_login", TIMESTAMP),
            renamed("password_last_changed", "credential_last_changed"),
        ],
        &[&UNIX_ACCOUNT_EXT],
    ),
    object(
        "windows-registry-key",
        &[
            property("key", PropertyType::String(Text::RegistryKey)),
            property("values", PropertyType::List(&PropertyType::Object(&WINDOWS_REGISTRY_VALUE))),
            property("modified_time", TIMESTAMP),
            property("creator_user_ref", TO_USER_ACCOUNT),
            property("number_of_subkeys", NATURAL),
            renamed("modified", "modified_time"),
        ],
        &[],
    ),
    object(
        "x509-certificate",
        &[
            property("is_self_signed", BOOLEAN),
            property("hashes", PropertyType::Hashes),
            property("version", STRING),
            property("serial_number", PropertyType::String(Text::SerialNumber)),
            property("signature_algorithm", STRING),
            property("issuer", STRING),
            property("validity_not_before", TIMESTAMP),
            property("validity_not_after", TIMESTAMP),
            property("subject", STRING),
            property("subject_public_key_algorithm", STRING),
            property("subject_public_key_modulus", STRING),
            property("subject_public_key_exponent", INTEGER),
            property("x509_v3_extensions", PropertyType::Object(&X509_V3_EXTENSIONS)),
        ],
        &[],
    ),
];
