//! What a machine logs of files, programs and accounts.

use serde_json::Value as Json;

use super::{EventWriter, LogSource, json, some};
use crate::witness::Object;

const PROCESS: LogSource = LogSource::category("proc_creation_win", "process_creation", Some("windows"));
const PROCESS_LINUX: LogSource = LogSource::category("proc_creation_lnx", "process_creation", Some("linux"));
const IMAGE: LogSource = LogSource::category("image_load", "image_load", Some("windows"));
const DRIVER: LogSource = LogSource::category("driver_load_win", "driver_load", Some("windows"));
const FILE: LogSource = LogSource::category("file_event_win", "file_event", Some("windows"));
const FILE_LINUX: LogSource = LogSource::category("file_event_lnx", "file_event", Some("linux"));
const EXECUTABLE: LogSource =
    LogSource::category("file_executable_detected_win", "file_executable_detected", Some("windows"));
const STREAM: LogSource = LogSource::category("create_stream_hash", "create_stream_hash", Some("windows"));
const SERVICE: LogSource = LogSource::service("win_security_service", "windows", "security");
const SERVICE_MANAGER: LogSource = LogSource::service("win_system_service", "windows", "system");
const LOGON: LogSource = LogSource::service("win_security_logon", "windows", "security");

const SECURITY: (&str, &str) = ("Security", "Microsoft-Windows-Security-Auditing");
const SYSTEM: (&str, &str) = ("System", "Service Control Manager");

/// Folders and names of files of which only the other is known.
const FOLDER: &str = r"C:\ProgramData\Neutral";
const FOLDER_UNIX: &str = "/srv/neutral";
const NAME: &str = "neutral0.bin";

/// A system whose paths are written in its own way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum System {
    Windows,
    Unix,
}

impl System {
    /// The systems on which these folders may all be: that of which all are, else either.
    fn of<'f>(folders: impl IntoIterator<Item = &'f str>) -> &'static [Self] {
        let is_unix = |folder: &str| folder.contains('/') && !folder.contains('\\');
        let mut seen = folders.into_iter().map(is_unix);
        match seen.next() {
            Some(first) if seen.all(|other| other == first) => {
                if first {
                    &[Self::Unix]
                } else {
                    &[Self::Windows]
                }
            }
            _ => &[Self::Windows, Self::Unix],
        }
    }

    /// The path of a file in a folder, either of which may be unknown.
    fn path(self, folder: Option<&str>, name: Option<&str>) -> Option<String> {
        if folder.is_none() && name.is_none() {
            return None;
        }
        let (separator, neutral) = match self {
            Self::Windows => ("\\", FOLDER),
            Self::Unix => ("/", FOLDER_UNIX),
        };
        let folder = folder.unwrap_or(neutral);
        let gap = if folder.ends_with(separator) { "" } else { separator };
        Some(format!("{folder}{gap}{}", name.unwrap_or(NAME)))
    }
}

/// Where a file is: its folder and its name.
#[derive(Clone, Copy)]
struct FileLocation<'s> {
    folder: Option<&'s str>,
    name: Option<&'s str>,
}

impl<'s> FileLocation<'s> {
    fn new(file: Option<Object<'s>>) -> Self {
        let folder = file.and_then(|file| file.refer("parent_directory_ref")).and_then(|folder| folder.text("path"));
        Self { folder, name: file.and_then(|file| file.text("name")) }
    }

    fn on(self, system: System) -> Option<String> {
        system.path(self.folder, self.name)
    }
}

/// A file is written, run and loaded.
pub(super) fn file(file: Object<'_>, writer: &mut EventWriter<'_>) {
    paths(FileLocation::new(Some(file)), hashes(file, true), writer);
    let streams = file
        .extension("ntfs-ext")
        .into_iter()
        .flat_map(|ntfs| ntfs.list("alternate_data_streams").filter_map(move |stream| ntfs.part(stream)));
    for stream in streams {
        let host = FileLocation::new(Some(file)).on(System::Windows).unwrap_or_else(|| format!("{FOLDER}\\{NAME}"));
        let path = stream.text("name").map(|name| format!("{host}:{name}"));
        writer.sysmon(STREAM, 15, [("TargetFilename", json(path)), ("Hash", json(hashes(stream, false)))]);
    }
}

/// A folder shows where a file in it does.
pub(super) fn directory(directory: Object<'_>, writer: &mut EventWriter<'_>) {
    paths(FileLocation { folder: directory.text("path"), name: None }, None, writer);
}

fn paths(place: FileLocation<'_>, hashes: Option<String>, writer: &mut EventWriter<'_>) {
    let systems = System::of(place.folder);
    if systems.contains(&System::Windows) {
        let path = || json(place.on(System::Windows));
        let hashes = || json(hashes.clone());
        writer.sysmon(PROCESS, 1, [("Image", path()), ("Hashes", hashes())]);
        writer.sysmon(IMAGE, 7, [("ImageLoaded", path()), ("Hashes", hashes())]);
        writer.sysmon(DRIVER, 6, [("ImageLoaded", path()), ("Hashes", hashes())]);
        writer.sysmon(EXECUTABLE, 29, [("TargetFilename", path()), ("Hashes", hashes())]);
        writer.sysmon(FILE, 11, [("TargetFilename", path())]);
    }
    if systems.contains(&System::Unix) {
        let path = || json(place.on(System::Unix));
        writer.sysmon(PROCESS_LINUX, 1, [("Image", path())]);
        writer.sysmon(FILE_LINUX, 11, [("TargetFilename", path())]);
    }
}

/// `MD5=…,SHA256=…,IMPHASH=…`, as Sysmon writes those that it can make.
fn hashes(file: Object<'_>, with_imports: bool) -> Option<String> {
    const KINDS: [(&str, &str); 3] = [("SHA-1", "SHA1"), ("MD5", "MD5"), ("SHA-256", "SHA256")];
    let known = file.inside("hashes");
    let known = KINDS.iter().filter_map(|(key, name)| Some((*name, known?.text(key)?)));
    let imports = file.extension("windows-pebinary-ext").filter(|_| with_imports);
    let imports = imports.and_then(|program| program.text("imphash")).map(|imphash| ("IMPHASH", imphash));
    let written: Vec<String> =
        known.chain(imports).map(|(name, hash)| format!("{name}={}", hash.to_ascii_uppercase())).collect();
    (!written.is_empty()).then(|| written.join(","))
}

/// A program is started; a service is installed.
pub(super) fn process(process: Object<'_>, writer: &mut EventWriter<'_>) {
    let service = process.extension("windows-service-ext");
    let image = FileLocation::new(process.refer("image_ref"));
    let parent = FileLocation::new(process.refer("parent_ref").and_then(|parent| parent.refer("image_ref")));
    for system in System::of([image.folder, parent.folder, process.text("cwd")].into_iter().flatten()) {
        started(process, *system, writer);
    }
    let path = || json(image.on(System::Windows));
    if let Some(name) = service.and_then(|service| service.text("service_name")) {
        let fields = [("ServiceName", some(name)), ("ServiceFileName", path()), ("ServiceType", some("0x10"))];
        writer.event(SERVICE, 4697, SECURITY, fields);
    }
    if let Some(name) = service.and_then(|service| service.text("display_name")) {
        writer.event(SERVICE_MANAGER, 7045, SYSTEM, [("ServiceName", some(name)), ("ImagePath", path())]);
    }
}

fn started(process: Object<'_>, system: System, writer: &mut EventWriter<'_>) {
    let parent = process.refer("parent_ref");
    let image = process.refer("image_ref");
    let login = process.refer("creator_user_ref").and_then(|user| user.text("account_login"));
    let user = login.map(|login| match (system, writer.spelling) {
        (System::Unix, _) => login.to_owned(),
        // With the name of its domain, as the log has it.
        (System::Windows, _) if login.contains('\\') => login.to_owned(),
        (System::Windows, 0 | 1) => format!("CORP\\{login}"),
        (System::Windows, _) => format!("NT AUTHORITY\\{login}"),
    });
    // Windows ends the folder of a process with a backslash.
    let folder = process.text("cwd").map(|cwd| match system {
        System::Windows if !cwd.ends_with('\\') => format!("{cwd}\\"),
        _ => cwd.to_owned(),
    });
    let fields = [
        ("Image", json(FileLocation::new(image).on(system))),
        ("CommandLine", json(process.text("command_line"))),
        ("CurrentDirectory", json(folder)),
        ("User", json(user)),
        ("ParentImage", json(FileLocation::new(parent.and_then(|parent| parent.refer("image_ref"))).on(system))),
        ("ParentCommandLine", json(parent.and_then(|parent| parent.text("command_line")))),
    ];
    if system == System::Unix {
        return writer.sysmon(PROCESS_LINUX, 1, fields);
    }
    let runtime = process.extension("windows-process-ext");
    let level = runtime.and_then(|runtime| runtime.text("integrity_level")).and_then(level);
    let own = [("IntegrityLevel", json(level)), ("Hashes", json(image.and_then(|image| hashes(image, true))))];
    let [a, b, c, d, e, f] = fields;
    let [g, h] = own;
    writer.sysmon(PROCESS, 1, [a, b, c, d, e, f, g, h]);
}

/// An integrity level in the words of Windows, which has no others.
fn level(word: &str) -> Option<&'static str> {
    const LEVELS: [(&str, &str); 4] = [("low", "Low"), ("medium", "Medium"), ("high", "High"), ("system", "System")];
    LEVELS.iter().find(|(known, _)| *known == word).map(|(_, logged)| *logged)
}

/// An account logs on, or lets another log on.
pub(super) fn account(account: Object<'_>, writer: &mut EventWriter<'_>) {
    let values: [Option<Json>; 2] = [json(account.text("account_login")), json(account.text("user_id"))];
    let names =
        if writer.is_other_end() { ["SubjectUserName", "SubjectUserSid"] } else { ["TargetUserName", "TargetUserSid"] };
    let [(a, b), (c, d)] = [(names[0], values[0].clone()), (names[1], values[1].clone())];
    writer.event(LOGON, 4624, SECURITY, [(a, b), (c, d)]);
}

/// The path of a file by the property of its name or of its folder; `None` where it is one of the other system.
pub(super) fn path(object: Object<'_>, property: &str, is_unix: bool) -> Option<String> {
    let system = if is_unix { System::Unix } else { System::Windows };
    let location = match property.strip_suffix("parent_directory_ref.path + name") {
        _ if object.kind() == "directory" => FileLocation { folder: object.text("path"), name: None },
        whole => {
            let front =
                whole.or(property.strip_suffix("parent_directory_ref.path")).or(property.strip_suffix("name"))?;
            let mut file = object;
            for reference in front.split('.').filter(|reference| !reference.is_empty()) {
                file = file.refer(reference)?;
            }
            FileLocation::new(Some(file))
        }
    };
    location.on(system).filter(|_| System::of(location.folder).contains(&system))
}
