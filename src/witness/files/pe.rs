//! Windows programs: a file in the Portable Executable format with the fields that a sighting names (Microsoft's
//! "PE Format"; STIX 2.1, section 6.7.6).
//!
//! The program does nothing. It has headers, sections, and at most one imported function.

use serde_json::{Map, Value as Json, json};

use crate::{
    plan::HashAlgorithm,
    stix::Timestamp,
    witness::files::known::{Import, digest},
};

/// In how many ways a program is made up.
pub const TURNS: usize = 3;
/// Where the PE signature stands: right behind the DOS header.
const SIGNATURE: usize = 0x40;
/// The COFF header, behind the signature.
const COFF: usize = SIGNATURE + 4;
/// The optional header, behind the COFF header.
const OPTIONAL: usize = COFF + 20;
/// Bytes of a section's header, and of an import descriptor.
const SECTION: usize = 40;
const DESCRIPTOR: usize = 20;
/// The magic number of programs with 64-bit addresses.
const PLUS: u64 = 0x20b;
/// Where sections begin in memory: far above the headers, so that an address below is a place in the file.
const LOWEST: usize = 0x10_0000;
/// Sections begin at multiples of this in the file.
const ALIGNMENT: usize = 0x200;
/// More sections than any reader takes.
const MOST_SECTIONS: u64 = 96;

/// How STIX writes a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Number,
    Hex,
    Time,
}

/// A field: its name in STIX, its form, its place and width in a program with 32-bit addresses and in one with 64-bit
/// addresses, and what it is where a sighting does not say: something that no pattern is likely to ask for, larger than
/// what they ask for, or, in the other turns, smaller. No place is of width 0.
type Field = (&'static str, Form, (usize, usize), (usize, usize), u64);

const fn same(name: &'static str, form: Form, at: usize, width: usize, usual: u64) -> Field {
    (name, form, (at, width), (at, width), usual)
}

/// Of the COFF header, by offsets into it.
const HEADER: &[Field] = &[
    same("machine_hex", Form::Hex, 0, 2, 0x14c),
    same("number_of_sections", Form::Number, 2, 2, 3),
    same("time_date_stamp", Form::Time, 4, 4, 1_420_070_400),
    same("pointer_to_symbol_table_hex", Form::Hex, 8, 4, 0x0a77_0101),
    same("number_of_symbols", Form::Number, 12, 4, 77_001),
    same("size_of_optional_header", Form::Number, 16, 2, 0),
    same("characteristics_hex", Form::Hex, 18, 2, 0x102),
];

/// Of the optional header, by offsets into it.
const OPTIONAL_HEADER: &[Field] = &[
    same("magic_hex", Form::Hex, 0, 2, 0x10b),
    same("major_linker_version", Form::Number, 2, 1, 114),
    same("minor_linker_version", Form::Number, 3, 1, 129),
    same("size_of_code", Form::Number, 4, 4, 77_002),
    same("size_of_initialized_data", Form::Number, 8, 4, 77_003),
    same("size_of_uninitialized_data", Form::Number, 12, 4, 77_004),
    same("address_of_entry_point", Form::Number, 16, 4, 77_005),
    same("base_of_code", Form::Number, 20, 4, 77_006),
    ("base_of_data", Form::Number, (24, 4), (24, 0), 77_007),
    ("image_base", Form::Number, (28, 4), (24, 8), 0x40_0000),
    same("section_alignment", Form::Number, 32, 4, 0x4000),
    same("file_alignment", Form::Number, 36, 4, 0x200),
    same("major_os_version", Form::Number, 40, 2, 706),
    same("minor_os_version", Form::Number, 42, 2, 701),
    same("major_image_version", Form::Number, 44, 2, 703),
    same("minor_image_version", Form::Number, 46, 2, 702),
    same("major_subsystem_version", Form::Number, 48, 2, 705),
    same("minor_subsystem_version", Form::Number, 50, 2, 704),
    same("win32_version_value_hex", Form::Hex, 52, 4, 0x0a77_0102),
    same("size_of_image", Form::Number, 56, 4, 0x11_4000),
    same("size_of_headers", Form::Number, 60, 4, 0x600),
    same("checksum_hex", Form::Hex, 64, 4, 0x0a77_0103),
    same("subsystem_hex", Form::Hex, 68, 2, 3),
    same("dll_characteristics_hex", Form::Hex, 70, 2, 0x8140),
    ("size_of_stack_reserve", Form::Number, (72, 4), (72, 8), 1_077_008),
    ("size_of_stack_commit", Form::Number, (76, 4), (80, 8), 77_009),
    ("size_of_heap_reserve", Form::Number, (80, 4), (88, 8), 2_077_010),
    ("size_of_heap_commit", Form::Number, (84, 4), (96, 8), 77_011),
    ("loader_flags_hex", Form::Hex, (88, 4), (104, 4), 0x0a77_0104),
    ("number_of_rva_and_sizes", Form::Number, (92, 4), (108, 4), 16),
];

/// Fields that are what they are: other readers would not take the file for a program.
const NEEDED: &[&str] =
    &["machine_hex", "characteristics_hex", "magic_hex", "section_alignment", "file_alignment", "size_of_headers"];
/// In each turn, the most that another field is.
const MOST: [u64; TURNS] = [u64::MAX, 3, 0];

/// Directories behind the optional header's fields; the second is that of imports.
const DIRECTORIES: usize = 16;

/// Writes the program that an extension `windows-pebinary-ext` describes, as far as it does.
///
/// `content` gives what a section holds that is named by a hash, `import` the function to import. The numbers that are
/// not said are large in the first turn (0), small in the second, and 0 in the third.
///
/// `None` where no program is like this: a number that its field does not hold, fewer sections than are named.
pub(super) fn write<'k>(
    extension: &Map<String, Json>,
    content: impl Fn(&str) -> Option<&'k [u8]>,
    import: Option<&Import>,
    turn: usize,
) -> Option<Vec<u8>> {
    let nothing = Map::new();
    let optional = match extension.get("optional_header") {
        Some(header) => header.as_object()?,
        None => &nothing,
    };
    let plus = number(optional, &OPTIONAL_HEADER[0], turn)? == PLUS;
    let fields_end = if plus { 112 } else { 96 };
    let sections = sections(extension, content)?;
    let count = match extension.get("number_of_sections") {
        Some(_) => number(extension, &HEADER[1], turn)?,
        None => u64::try_from(sections.len()).ok()?.max(HEADER[1].4),
    };
    if count > MOST_SECTIONS || usize::try_from(count).ok()? < sections.len() {
        return None;
    }
    let count = usize::try_from(count).ok()?;
    let size_of_optional = match extension.get("size_of_optional_header") {
        Some(_) => usize::try_from(number(extension, &HEADER[5], turn)?).ok()?,
        None => fields_end + DIRECTORIES * 8,
    };
    let directories = number(optional, OPTIONAL_HEADER.last()?, turn)?;
    if !(fields_end + DIRECTORIES * 8..=usize::from(u16::MAX)).contains(&size_of_optional)
        || (import.is_some() && directories < 2)
    {
        return None;
    }
    let section_table = OPTIONAL + size_of_optional;
    let imports_at = section_table + count * SECTION;
    let table = import.map(|import| import_table(import, imports_at, plus)).unwrap_or_default();
    let mut file = vec![0; imports_at];
    file[..2].copy_from_slice(b"MZ");
    put(&mut file, 0x3c, 4, SIGNATURE as u64)?;
    file[SIGNATURE..SIGNATURE + 2].copy_from_slice(b"PE");
    for field in HEADER {
        put(&mut file, COFF + field.2.0, field.2.1, number(extension, field, turn)?)?;
    }
    put(&mut file, COFF + 2, 2, count as u64)?;
    put(&mut file, COFF + 16, 2, size_of_optional as u64)?;
    for field in OPTIONAL_HEADER {
        let (at, width) = if plus { field.3 } else { field.2 };
        if width == 0 && optional.contains_key(field.0) {
            return None;
        }
        if width > 0 {
            put(&mut file, OPTIONAL + at, width, number(optional, field, turn)?)?;
        }
    }
    if import.is_some() {
        let directory = OPTIONAL + fields_end + 8;
        put(&mut file, directory, 4, imports_at as u64)?;
        put(&mut file, directory + 4, 4, table.len() as u64)?;
    }
    file.extend(table);
    let mut address = LOWEST;
    for index in 0..count {
        let unnamed = || (format!(".s{index}"), vec![u8::try_from(index).unwrap_or_default(); 16]);
        let (name, bytes) = sections.get(index).cloned().unwrap_or_else(unnamed);
        let start = file.len().next_multiple_of(ALIGNMENT);
        file.resize(start, 0);
        let header = section_table + index * SECTION;
        file.get_mut(header..header + name.len())?.copy_from_slice(name.as_bytes());
        let places = [(8, bytes.len()), (12, address), (16, bytes.len()), (20, start), (36, 0x6000_0020)];
        for (at, value) in places {
            put(&mut file, header + at, 4, value as u64)?;
        }
        address += bytes.len().next_multiple_of(0x1000);
        file.extend(bytes);
    }
    Some(file)
}

/// The extension as a reader of a file would write it; `None` where the file is no program.
pub(super) fn read(file: &[u8], said: &Map<String, Json>) -> Option<Json> {
    if !file.starts_with(b"MZ") || file.get(SIGNATURE..COFF) != Some(b"PE\0\0") {
        return None;
    }
    let mut extension = said.clone();
    let mut optional = said.get("optional_header").and_then(Json::as_object).cloned().unwrap_or_default();
    let plus = take(file, OPTIONAL, 2)? == PLUS;
    for field in HEADER {
        say(&mut extension, field, take(file, COFF + field.2.0, field.2.1)?);
    }
    for field in OPTIONAL_HEADER {
        let (at, width) = if plus { field.3 } else { field.2 };
        if width > 0 {
            say(&mut optional, field, take(file, OPTIONAL + at, width)?);
        }
    }
    let count = usize::try_from(take(file, COFF + 2, 2)?).ok()?;
    let table = OPTIONAL + usize::try_from(take(file, COFF + 16, 2)?).ok()?;
    let said_sections = said.get("sections").and_then(Json::as_array).cloned().unwrap_or_default();
    let mut sections = Vec::with_capacity(count);
    for index in 0..count {
        let header = table + index * SECTION;
        let place = |at| usize::try_from(take(file, header + at, 4)?).ok();
        let (start, size) = (place(20)?, place(16)?);
        let bytes = file.get(start..start + size)?;
        let name = file.get(header..header + 8)?;
        let name = String::from_utf8_lossy(name.split(|byte| *byte == 0).next()?).into_owned();
        let mut section = said_sections.get(index).and_then(Json::as_object).cloned().unwrap_or_default();
        section.insert("name".to_owned(), json!(name));
        section.insert("size".to_owned(), json!(size));
        section.insert("hashes".to_owned(), hashes(section.get("hashes"), bytes));
        sections.push(Json::Object(section));
    }
    extension.insert("sections".to_owned(), Json::Array(sections));
    extension.insert("optional_header".to_owned(), Json::Object(optional));
    match imported(file, plus) {
        Some(import) => _ = extension.insert("imphash".to_owned(), json!(import.imphash())),
        None => _ = extension.remove("imphash"),
    }
    Some(Json::Object(extension))
}

/// The hashes of bytes in a hashes dictionary; those of algorithms that are not known here stay as they are.
pub(super) fn hashes(said: Option<&Json>, bytes: &[u8]) -> Json {
    let mut hashes = said.and_then(Json::as_object).cloned().unwrap_or_default();
    let keys = [
        ("MD5", HashAlgorithm::Md5),
        ("SHA-1", HashAlgorithm::Sha1),
        ("SHA-256", HashAlgorithm::Sha256),
        ("SHA-512", HashAlgorithm::Sha512),
    ];
    for (key, algorithm) in keys {
        hashes.insert(key.to_owned(), json!(digest(algorithm, bytes)));
    }
    Json::Object(hashes)
}

/// Names and contents of the sections that are described.
fn sections<'k>(
    extension: &Map<String, Json>,
    content: impl Fn(&str) -> Option<&'k [u8]>,
) -> Option<Vec<(String, Vec<u8>)>> {
    let Some(sections) = extension.get("sections") else { return Some(Vec::new()) };
    let each = sections.as_array()?.iter().enumerate();
    each.map(|(index, section)| {
        let name = match section.get("name") {
            Some(name) => name.as_str()?.to_owned(),
            None => format!(".n{index}"),
        };
        let named = section.get("hashes").and_then(Json::as_object).into_iter().flatten();
        let digests: Vec<&str> = named.filter_map(|(_, digest)| digest.as_str()).collect();
        let known = digests.iter().find_map(|digest| content(digest)).map(<[u8]>::to_vec);
        let bytes = known.unwrap_or_else(|| format!("section {index} {}", digests.concat()).into_bytes());
        (name.len() <= 8 && !name.contains('\0')).then_some((name, bytes))
    })
    .collect()
}

/// One descriptor and the empty one behind it, the two tables of one function each, and the names.
fn import_table(import: &Import, at: usize, plus: bool) -> Vec<u8> {
    let pointer = if plus { 8 } else { 4 };
    let lookup = 2 * DESCRIPTOR;
    let addresses = lookup + 2 * pointer;
    let hint = addresses + 2 * pointer;
    let library = hint + 2 + import.function.len() + 1;
    let mut table = vec![0; library];
    let places = [(0, lookup), (12, library), (16, addresses), (lookup, hint), (addresses, hint)];
    for (place, value) in places {
        // All places are inside: the table was made for them.
        let _ = put(&mut table, place, 4, (at + value) as u64);
    }
    table[hint + 2..hint + 2 + import.function.len()].copy_from_slice(import.function.as_bytes());
    table.extend(import.library.as_bytes());
    table.push(0);
    table
}

/// What a program of [`write`] imports.
fn imported(file: &[u8], plus: bool) -> Option<Import> {
    let place = |at| usize::try_from(take(file, at, 4)?).ok().filter(|place| *place > 0);
    let descriptor = place(OPTIONAL + if plus { 112 } else { 96 } + 8)?;
    let text = |at: usize| {
        let bytes = file.get(at..)?.split(|byte| *byte == 0).next()?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    };
    let function = text(place(place(descriptor)?)? + 2)?;
    Some(Import { library: text(place(descriptor + 12)?)?, function })
}

/// What a field is to be; `None` where it is said in a form that it does not have.
fn number(said: &Map<String, Json>, field: &Field, turn: usize) -> Option<u64> {
    let Some(value) = said.get(field.0) else {
        return Some(if NEEDED.contains(&field.0) {
            field.4
        } else {
            field.4.min(MOST.get(turn).copied().unwrap_or_default())
        });
    };
    match field.1 {
        Form::Number => value.as_u64(),
        Form::Hex => u64::from_str_radix(value.as_str()?, 16).ok(),
        Form::Time => {
            let moment: Timestamp = value.as_str()?.parse().ok()?;
            (moment.subsecond_nanoseconds() == 0).then(|| moment.unix_seconds()).and_then(|at| u64::try_from(at).ok())
        }
    }
}

/// Notes what a field is, in the one spelling that it has: a number in hexadecimal has no zeros in front.
fn say(said: &mut Map<String, Json>, field: &Field, value: u64) {
    let text = match field.1 {
        Form::Number => json!(value),
        Form::Hex => {
            let digits = format!("{value:x}");
            json!(format!("{digits:0>width$}", width = digits.len().next_multiple_of(2)))
        }
        Form::Time => {
            let moment = jiff::Timestamp::from_second(i64::try_from(value).unwrap_or_default()).unwrap_or_default();
            json!(moment.to_string())
        }
    };
    said.insert(field.0.to_owned(), text);
}

/// Writes a little-endian number; `None` where it does not fit its width, or the file.
fn put(file: &mut [u8], at: usize, width: usize, value: u64) -> Option<()> {
    let bytes = value.to_le_bytes();
    if bytes[width..].iter().any(|byte| *byte != 0) {
        return None;
    }
    file.get_mut(at..at + width)?.copy_from_slice(&bytes[..width]);
    Some(())
}

/// Reads a little-endian number.
fn take(file: &[u8], at: usize, width: usize) -> Option<u64> {
    let mut bytes = [0; 8];
    bytes[..width].copy_from_slice(file.get(at..at + width)?);
    Some(u64::from_le_bytes(bytes))
}
