//! The schema: what it says of paths, and that its table is whole.

use crate::support::check as check_support;

use check_support::{path, snapshots};
use stixc::plan::schema::{self, PropertyType, Status, Text};

/// The canonical text, the row of the table and the status of a path.
fn resolved(text: &str) -> (String, Option<&'static str>, Status) {
    let path = path(text);
    let resolved = schema::resolve(&path);
    (resolved.path.into_owned(), resolved.property, resolved.status)
}

#[test]
fn known_paths_keep_their_spelling_and_need_no_allocation() {
    for text in [
        "domain-name:value",
        "file:hashes.'SHA-256'",
        "file:hashes.MD5",
        "network-traffic:dst_ref.value",
        "network-traffic:dst_ref.type",
        "network-traffic:protocols[*]",
        "email-message:from_ref.value",
        "email-message:to_refs[*].value",
        "file:parent_directory_ref.path",
        "file:extensions.'windows-pebinary-ext'.sections[*].hashes.'SHA-1'",
        "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'",
        "email-message:body_multipart[*].body_raw_ref.name",
        "windows-registry-key:values[*].data",
        "process:parent_ref.command_line",
    ] {
        let path = path(text);
        let resolved = schema::resolve(&path);
        assert_eq!(resolved.path, text);
        assert!(matches!(resolved.path, std::borrow::Cow::Borrowed(_)), "{text}");
        assert_eq!(resolved.status, Status::Known, "{text}");
    }
}

#[test]
fn other_spellings_become_those_of_the_standard() {
    for (given, canonical, step) in [
        ("file:hashes.sha256", "file:hashes.'SHA-256'", 1),
        ("file:hashes.SHA256", "file:hashes.'SHA-256'", 1),
        ("file:hashes.'sha-1'", "file:hashes.'SHA-1'", 1),
        ("file:hashes.ssdeep", "file:hashes.SSDEEP", 1),
        ("file:hashes.'SHA-3-256'", "file:hashes.'SHA3-256'", 1),
        ("file:created", "file:ctime", 0),
        ("directory:accessed", "directory:atime", 0),
        ("process:binary_ref.name", "process:image_ref.name", 0),
        ("process:created", "process:created_time", 0),
        ("process:parent_ref.binary_ref.name", "process:parent_ref.image_ref.name", 1),
        ("user-account:password_last_changed", "user-account:credential_last_changed", 0),
        ("windows-registry-key:modified", "windows-registry-key:modified_time", 0),
        (
            "network-traffic:extensions.'http-request-ext'.request_header.'user-agent'",
            "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'",
            3,
        ),
    ] {
        let (text, _, status) = resolved(given);
        assert_eq!(text, canonical);
        assert_eq!(status, Status::Renamed { step, exact: true }, "{given}");
    }
    assert_eq!(resolved("file:hashes.'MD5'").0, "file:hashes.MD5");
}

#[test]
fn the_name_of_a_process_is_nearly_the_name_of_its_image() {
    let (text, row, status) = resolved("process:name");
    assert_eq!(text, "process:image_ref.name");
    assert_eq!(row, Some("process:image_ref.name"));
    assert_eq!(status, Status::Renamed { step: 0, exact: false });
    assert_eq!(resolved("process:parent_ref.name").0, "process:parent_ref.image_ref.name");
}

#[test]
fn what_only_stix_2_0_has_is_known_as_such() {
    for (text, step) in
        [("process:arguments[*]", 0), ("file:is_encrypted", 0), ("file:extensions.'archive-ext'.version", 2)]
    {
        assert_eq!(resolved(text).2, Status::Removed { step }, "{text}");
    }
    assert_eq!(resolved("file:hashes.'SHA-224'").2, Status::Known);
}

#[test]
fn indices_and_keys_stay_in_the_path_and_vanish_from_the_row() {
    for (given, row) in [
        ("windows-registry-key:values[0].name", "windows-registry-key:values[*].name"),
        ("network-traffic:protocols[-1]", "network-traffic:protocols[*]"),
        ("email-message:to_refs[0].value", "email-message:to_refs[*].value"),
        ("process:environment_variables.PROXY", "process:environment_variables.*"),
        (
            "network-traffic:extensions.'http-request-ext'.request_header.'X-Odd'",
            "network-traffic:extensions.'http-request-ext'.request_header.*",
        ),
        ("file:hashes.IMPHASH", "file:hashes.*"),
    ] {
        let (text, property, _) = resolved(given);
        assert_eq!(text, given);
        assert_eq!(property, Some(row));
    }
    let header = "email-message:additional_header_fields.'X-Mailer'";
    assert_eq!(resolved(header).1, Some("email-message:additional_header_fields.*"));
    assert_eq!(resolved(&format!("{header}[*]")).0, header);
    assert_eq!(resolved("file:hashes.IMPHASH").2, Status::Custom);
}

#[test]
fn a_second_reference_is_followed() {
    let path = path("process:opened_connection_refs[*].dst_ref.value");
    let resolved = schema::resolve(&path);
    assert_eq!(resolved.path, "process:opened_connection_refs[*].dst_ref.value");
    assert_eq!(resolved.kind, PropertyType::String(Text::Endpoint));
    assert_eq!(resolved.referenced, ["ipv4-addr", "ipv6-addr", "mac-addr", "domain-name"]);
    assert_eq!(resolved.status, Status::Known);
}

#[test]
fn references_name_the_types_they_may_point_to() {
    let path = path("network-traffic:src_ref.value");
    let resolved = schema::resolve(&path);
    assert_eq!(resolved.referenced, ["ipv4-addr", "ipv6-addr", "mac-addr", "domain-name"]);
    assert_eq!(resolved.kind, PropertyType::String(Text::Endpoint));
}

#[test]
fn custom_and_unknown_names_are_told_apart() {
    assert_eq!(resolved("file:x_ID").2, Status::Custom);
    assert_eq!(resolved("file:content_ref.x_misp_filename").2, Status::Custom);
    assert_eq!(resolved("x-elevator-fooz:ftp_command").2, Status::Custom);
    assert_eq!(
        resolved("file:extensions.'extension-definition--005e229c-fffc-42b0-a912-84671ab2829d'.a").2,
        Status::Custom
    );
    assert_eq!(resolved("cryptocurrency-wallet:value").2, Status::UnknownType);
    assert_eq!(resolved("file:nmae").2, Status::UnknownProperty { step: 0 });
    assert_eq!(resolved("file:name[0]").2, Status::UnknownProperty { step: 1 });
    assert_eq!(resolved("file:extensions.'http-request-ext'.request_value").2, Status::UnknownProperty { step: 1 });
    assert_eq!(resolved("app:cert.'it\\'s'[2]").0, "app:cert.'it\\'s'[2]");
}

#[test]
fn a_list_stepped_into_is_read_as_any_element() {
    let (text, row, status) = resolved("windows-registry-key:values.data");
    assert_eq!(text, "windows-registry-key:values[*].data");
    assert_eq!(row, Some("windows-registry-key:values[*].data"));
    assert_eq!(status, Status::ImpliedElement { step: 1 });
    assert_eq!(resolved("process:child_refs.pid").0, "process:child_refs[*].pid");
    let list = path("network-traffic:protocols");
    assert!(matches!(schema::resolve(&list).kind, PropertyType::List(_)));
}

#[test]
fn misspelt_names_have_suggestions() {
    for (text, expected) in [
        ("file:nmae", Some("name")),
        ("file:Name", Some("name")),
        ("file:path", Some("parent_directory_ref.path")),
        ("email:subject", Some("email-message")),
        ("file:extensions.'windows-pebinary-ext'.section[*].name", Some("sections")),
        ("network-traffic:dst_ref.vaule", Some("value")),
        ("file:zzzz", None),
        ("bank-card:number", None),
        ("file:name", None),
    ] {
        assert_eq!(schema::suggestion(&path(text)), expected, "{text}");
    }
}

#[test]
fn each_row_of_the_table_resolves_to_itself() {
    let mut count = 0;
    for property in schema::properties() {
        // `.*` stands for any key.
        let text = property.path.replace(".*", ".x_any");
        let path = path(&text);
        let resolved = schema::resolve(&path);
        assert_eq!(resolved.property, Some(property.path));
        assert_eq!(resolved.kind, property.kind, "{}", property.path);
        count += 1;
    }
    assert!(count > 400, "{count}");
}

#[test]
fn the_table_is_whole() {
    let rows = schema::properties().map(|row| {
        let mark = match (row.common, row.removed) {
            (true, _) => " (common)",
            (_, true) => " (2.0)",
            _ => "",
        };
        format!("{}{mark}\n", row.path)
    });
    snapshots().bind(|| insta::assert_snapshot!("schema", rows.collect::<String>()));
}
