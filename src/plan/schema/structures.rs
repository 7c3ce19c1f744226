//! The table, continued: predefined extensions and the objects inside objects (STIX 2.1, section 6).

use super::{
    kind::{PropertyType, Structure, Text},
    shorthand::{
        ANYTHING, BOOLEAN, FILE_NAME, HEADERS, HEX, INTEGER, NATURAL, PATH, STRING, STRINGS, TIMESTAMP, TO_ARTIFACT,
        TO_CONTAINED, TO_FILE, property, refers, removed,
    },
    vocabulary::{
        ADDRESS_FAMILY, INTEGRITY_LEVEL, PE_TYPE, REGISTRY_DATATYPE, SERVICE_START_TYPE, SERVICE_STATUS, SERVICE_TYPE,
        SOCKET_TYPE,
    },
};

/// `email-mime-part-type` (section 6.6.2).
pub(super) static EMAIL_MIME_PART: Structure = Structure {
    name: "email-mime-part-type",
    properties: &[
        property("body", STRING),
        property("body_raw_ref", refers(&["artifact", "file"])),
        property("content_type", STRING),
        property("content_disposition", STRING),
    ],
};

/// Archive File Extension (section 6.7.2).
pub(super) static ARCHIVE_EXT: Structure = Structure {
    name: "archive-ext",
    properties: &[
        property("contains_refs", PropertyType::List(&TO_CONTAINED)),
        property("comment", STRING),
        removed("version", STRING),
    ],
};

/// `alternate-data-stream-type` (section 6.7.3).
static ALTERNATE_DATA_STREAM: Structure = Structure {
    name: "alternate-data-stream-type",
    properties: &[property("name", FILE_NAME), property("hashes", PropertyType::Hashes), property("size", NATURAL)],
};

/// NTFS File Extension (section 6.7.3).
pub(super) static NTFS_EXT: Structure = Structure {
    name: "ntfs-ext",
    properties: &[
        property("sid", STRING),
        property("alternate_data_streams", PropertyType::List(&PropertyType::Object(&ALTERNATE_DATA_STREAM))),
    ],
};

/// PDF File Extension (section 6.7.4).
pub(super) static PDF_EXT: Structure = Structure {
    name: "pdf-ext",
    properties: &[
        property("version", STRING),
        property("is_optimized", BOOLEAN),
        property("document_info_dict", PropertyType::Dictionary(&STRING)),
        property("pdfid0", STRING),
        property("pdfid1", STRING),
    ],
};

/// Raster Image File Extension (section 6.7.5).
pub(super) static RASTER_IMAGE_EXT: Structure = Structure {
    name: "raster-image-ext",
    properties: &[
        property("image_height", INTEGER),
        property("image_width", INTEGER),
        property("bits_per_pixel", INTEGER),
        property("exif_tags", ANYTHING),
        removed("image_compression_algorithm", STRING),
    ],
};

/// `windows-pe-optional-header-type` (section 6.7.6).
static WINDOWS_PE_OPTIONAL_HEADER: Structure = Structure {
    name: "windows-pe-optional-header-type",
    properties: &[
        property("magic_hex", PropertyType::HexNumber),
        property("major_linker_version", INTEGER),
        property("minor_linker_version", INTEGER),
        property("size_of_code", NATURAL),
        property("size_of_initialized_data", NATURAL),
        property("size_of_uninitialized_data", NATURAL),
        property("address_of_entry_point", INTEGER),
        property("base_of_code", INTEGER),
        property("base_of_data", INTEGER),
        property("image_base", INTEGER),
        property("section_alignment", INTEGER),
        property("file_alignment", INTEGER),
        property("major_os_version", INTEGER),
        property("minor_os_version", INTEGER),
        property("major_image_version", INTEGER),
        property("minor_image_version", INTEGER),
        property("major_subsystem_version", INTEGER),
        property("minor_subsystem_version", INTEGER),
        property("win32_version_value_hex", PropertyType::HexNumber),
        property("size_of_image", NATURAL),
        property("size_of_headers", NATURAL),
        property("checksum_hex", PropertyType::HexNumber),
        property("subsystem_hex", PropertyType::HexNumber),
        property("dll_characteristics_hex", PropertyType::HexNumber),
        property("size_of_stack_reserve", NATURAL),
        property("size_of_stack_commit", NATURAL),
        property("size_of_heap_reserve", INTEGER),
        property("size_of_heap_commit", INTEGER),
        property("loader_flags_hex", PropertyType::HexNumber),
        property("number_of_rva_and_sizes", INTEGER),
        property("hashes", PropertyType::Hashes),
    ],
};

/// `windows-pe-section-type` (section 6.7.6).
static WINDOWS_PE_SECTION: Structure = Structure {
    name: "windows-pe-section-type",
    properties: &[
        property("name", STRING),
        property("size", NATURAL),
        property("entropy", PropertyType::Float),
        property("hashes", PropertyType::Hashes),
    ],
};

/// Windows PE Binary File Extension (section 6.7.6).
pub(super) static WINDOWS_PEBINARY_EXT: Structure = Structure {
    name: "windows-pebinary-ext",
    properties: &[
        property("pe_type", PropertyType::Vocabulary(&PE_TYPE)),
        property("imphash", PropertyType::String(Text::ImportHash)),
        property("machine_hex", PropertyType::HexNumber),
        property("number_of_sections", NATURAL),
        property("time_date_stamp", TIMESTAMP),
        property("pointer_to_symbol_table_hex", PropertyType::HexNumber),
        property("number_of_symbols", NATURAL),
        property("size_of_optional_header", NATURAL),
        property("characteristics_hex", PropertyType::HexNumber),
        property("file_header_hashes", PropertyType::Hashes),
        property("optional_header", PropertyType::Object(&WINDOWS_PE_OPTIONAL_HEADER)),
        property("sections", PropertyType::List(&PropertyType::Object(&WINDOWS_PE_SECTION))),
    ],
};

/// HTTP Request Extension (section 6.12.2).
pub(super) static HTTP_REQUEST_EXT: Structure = Structure {
    name: "http-request-ext",
    properties: &[
        property("request_method", STRING),
        property("request_value", STRING),
        property("request_version", STRING),
        property("request_header", HEADERS),
        property("message_body_length", NATURAL),
        property("message_body_data_ref", TO_ARTIFACT),
    ],
};

/// ICMP Extension (section 6.12.3).
pub(super) static ICMP_EXT: Structure =
    Structure { name: "icmp-ext", properties: &[property("icmp_type_hex", HEX), property("icmp_code_hex", HEX)] };

/// Network Socket Extension (section 6.12.4).
pub(super) static SOCKET_EXT: Structure = Structure {
    name: "socket-ext",
    properties: &[
        property("address_family", PropertyType::Vocabulary(&ADDRESS_FAMILY)),
        property("is_blocking", BOOLEAN),
        property("is_listening", BOOLEAN),
        property("options", PropertyType::Dictionary(&INTEGER)),
        property("socket_type", PropertyType::Vocabulary(&SOCKET_TYPE)),
        property("socket_descriptor", NATURAL),
        property("socket_handle", INTEGER),
        removed("protocol_family", STRING),
    ],
};

/// TCP Extension (section 6.12.5).
pub(super) static TCP_EXT: Structure =
    Structure { name: "tcp-ext", properties: &[property("src_flags_hex", HEX), property("dst_flags_hex", HEX)] };

/// Windows Process Extension (section 6.13.2).
pub(super) static WINDOWS_PROCESS_EXT: Structure = Structure {
    name: "windows-process-ext",
    properties: &[
        property("aslr_enabled", BOOLEAN),
        property("dep_enabled", BOOLEAN),
        property("priority", STRING),
        property("owner_sid", STRING),
        property("window_title", STRING),
        property("startup_info", ANYTHING),
        property("integrity_level", PropertyType::Vocabulary(&INTEGRITY_LEVEL)),
    ],
};

/// Windows Service Extension (section 6.13.3).
pub(super) static WINDOWS_SERVICE_EXT: Structure = Structure {
    name: "windows-service-ext",
    properties: &[
        property("service_name", STRING),
        property("descriptions", STRINGS),
        property("display_name", STRING),
        property("group_name", STRING),
        property("start_type", PropertyType::Vocabulary(&SERVICE_START_TYPE)),
        property("service_dll_refs", PropertyType::List(&TO_FILE)),
        property("service_type", PropertyType::Vocabulary(&SERVICE_TYPE)),
        property("service_status", PropertyType::Vocabulary(&SERVICE_STATUS)),
    ],
};

/// UNIX Account Extension (section 6.16.2).
pub(super) static UNIX_ACCOUNT_EXT: Structure = Structure {
    name: "unix-account-ext",
    properties: &[
        property("gid", INTEGER),
        property("groups", STRINGS),
        property("home_dir", PATH),
        property("shell", STRING),
    ],
};

/// `windows-registry-value-type` (section 6.17.2).
pub(super) static WINDOWS_REGISTRY_VALUE: Structure = Structure {
    name: "windows-registry-value-type",
    properties: &[
        property("name", PropertyType::String(Text::RegistryValueName)),
        property("data", PropertyType::String(Text::RegistryValueData)),
        property("data_type", PropertyType::Vocabulary(&REGISTRY_DATATYPE)),
    ],
};

/// `x509-v3-extensions-type` (section 6.18.2).
pub(super) static X509_V3_EXTENSIONS: Structure = Structure {
    name: "x509-v3-extensions-type",
    properties: &[
        property("basic_constraints", STRING),
        property("name_constraints", STRING),
        property("policy_constraints", STRING),
        property("key_usage", STRING),
        property("extended_key_usage", STRING),
        property("subject_key_identifier", STRING),
        property("authority_key_identifier", STRING),
        property("subject_alternative_name", STRING),
        property("issuer_alternative_name", STRING),
        property("subject_directory_attributes", STRING),
        property("crl_distribution_points", STRING),
        property("inhibit_any_policy", STRING),
        property("private_key_usage_period_not_before", TIMESTAMP),
        property("private_key_usage_period_not_after", TIMESTAMP),
        property("certificate_policies", STRING),
        property("policy_mappings", STRING),
    ],
};
