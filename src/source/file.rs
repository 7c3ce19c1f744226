//! Files, folders and standard input.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufRead, BufReader, Cursor, Read, Seek},
    path::{Path, PathBuf},
    sync::Arc,
};

use flate2::read::MultiGzDecoder;

use crate::{
    diagnostic::{Code, Diagnostic, coded},
    stix::{Fault, OBJECT_LIMIT, codes::UNREADABLE},
};

/// A line of a pattern file can't be read.
const BAD_LINE: Code = Code("S015");

/// The name of standard input, as an argument and in messages.
const STANDARD_INPUT: &str = "-";

/// Something to read, as often as needed.
#[derive(Debug, Clone)]
pub struct Input {
    name: String,
    kind: Storage,
}

#[derive(Debug, Clone)]
enum Storage {
    File(PathBuf),
    /// What can be read only once, kept in a temporary file that has no name: it vanishes with the last reader, however
    /// the process ends.
    Spooled(Arc<File>),
}

coded! {
    /// Why an input can't be read.
    #[derive(Debug)]
    #[non_exhaustive]
    pub enum SourceError {
        /// It can't be opened, listed or read.
        UNREADABLE, Unreadable {
            /// The input, as the user wrote it or as its folder lists it.
            name: String,
            /// What the system says.
            #[source]
            cause: io::Error,
        },
            error("cannot read {name}: {cause}");
        /// An argument that stands where a file should, and is something else.
        NO_FILE = "S018", NoFile {
            /// The argument.
            name: String,
            /// What it is.
            what: &'static str,
            /// What to do with it.
            way: &'static str,
        },
            error("{name} is {what}, not a file"), help(*way);
        /// A folder without a file that ends in `.json` or `.stix2`, at any depth.
        EMPTY_FOLDER = "S002", EmptyFolder { /** The folder, as the user wrote it. */ name: String },
            error("{name} holds no .json or .stix2 file");
        /// A passing input can't be kept for the second reading.
        SPOOL = "S014", Spool {
            /// The input.
            name: String,
            /// What the system says.
            #[source]
            cause: io::Error,
        },
            error("cannot keep {name} in a temporary file: {cause}");
    }
}

impl Input {
    /// What messages call it: the path as given, or `-`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that it is, where it is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.kind {
            Storage::File(path) => Some(path),
            Storage::Spooled(_) => None,
        }
    }

    /// How many bytes it holds, where that is known; for a display of progress.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        match &self.kind {
            Storage::File(path) => fs::metadata(path),
            Storage::Spooled(file) => file.metadata(),
        }
        .ok()
        .map(|metadata| metadata.len())
    }

    /// A reader from the first byte, independent of all others; of what is compressed with gzip, a reader of what it holds.
    /// It has no buffer.
    ///
    /// # Errors
    /// If the file can't be opened.
    pub fn open(&self) -> Result<Box<dyn Read + Send>, SourceError> {
        match &self.kind {
            Storage::File(path) => match File::open(path) {
                Ok(file) => Ok(decompressed(file)),
                Err(cause) => Err(SourceError::Unreadable { name: self.name.clone(), cause }),
            },
            Storage::Spooled(file) => Ok(decompressed(Replay { file: Arc::clone(file), position: 0 })),
        }
    }
}

/// What a reader gives, decompressed where its first bytes are those of gzip.
fn decompressed(mut reader: impl Read + Send + 'static) -> Box<dyn Read + Send> {
    let mut first = Vec::with_capacity(GZIP.len());
    let begun = reader.by_ref().take(GZIP.len() as u64).read_to_end(&mut first);
    let is_gzip = first == GZIP;
    // A file that can't be read says so again when it is read on.
    let whole = Cursor::new(first).chain(Failed(begun.err()).chain(reader));
    if is_gzip { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) }
}

/// The first bytes of a gzip file (RFC 1952, section 2.3.1).
const GZIP: [u8; 2] = [0x1F, 0x8B];

/// An error that is yet to be told, once.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// A reader of a file that keeps its position to itself, so that any number of them may share the file.
struct Replay {
    file: Arc<File>,
    position: u64,
}

impl Read for Replay {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let length = std::os::unix::fs::FileExt::read_at(&*self.file, buffer, self.position)?;
        #[cfg(windows)]
        let length = std::os::windows::fs::FileExt::seek_read(&*self.file, buffer, self.position)?;
        self.position += length as u64;
        Ok(length)
    }
}

/// What a list of arguments stands for.
#[derive(Debug, Default)]
pub struct Inputs {
    /// What can be read: the arguments in their order, a folder as its files in the order of their paths.
    pub inputs: Vec<Input>,
    /// What can't.
    pub errors: Vec<SourceError>,
}

/// Finds what to read.
///
/// An argument is a file of any name, `-` for standard input, or a folder, which stands for all files in it and in the
/// folders within that end in `.json` or `.stix2`, or in one of these and `.gz`. Names that begin with a dot and folders of outputs are passed
/// over, links are followed, and a folder that several ways lead to is read once. What can be read only once (standard input, pipes) is read here and
/// kept in a temporary file without a name.
pub fn inputs<P: AsRef<Path>>(arguments: impl IntoIterator<Item = P>) -> Inputs {
    let mut found = Inputs::default();
    for argument in arguments {
        let path = argument.as_ref();
        if let Err(error) = add(path, &mut found) {
            found.errors.push(error);
        }
    }
    found
}

fn add(path: &Path, found: &mut Inputs) -> Result<(), SourceError> {
    let name = path.display().to_string();
    if name == STANDARD_INPUT {
        found.inputs.push(spool(name, io::stdin().lock())?);
        return Ok(());
    }
    let unreadable = |cause| SourceError::Unreadable { name: name.clone(), cause };
    let metadata = fs::metadata(path).map_err(|cause| no_file(&name).unwrap_or_else(|| unreadable(cause)))?;
    if metadata.is_dir() {
        let (inputs, errors) = (found.inputs.len(), found.errors.len());
        add_folder(path, &mut BTreeSet::new(), found);
        found.inputs[inputs..].sort_by(|one, other| one.name.cmp(&other.name));
        if found.inputs.len() == inputs && found.errors.len() == errors {
            return Err(SourceError::EmptyFolder { name });
        }
    } else if metadata.is_file() {
        // Opened once to say now, not halfway through, that it can't be.
        drop(File::open(path).map_err(unreadable)?);
        found.inputs.push(Input { name, kind: Storage::File(path.to_owned()) });
    } else {
        let file = File::open(path).map_err(unreadable)?;
        found.inputs.push(spool(name, file)?);
    }
    Ok(())
}

/// Adds the files of a folder and of those within; `visited` holds the folders that were read already.
fn add_folder(folder: &Path, visited: &mut BTreeSet<PathBuf>, found: &mut Inputs) {
    let unreadable = |path: &Path, cause| SourceError::Unreadable { name: path.display().to_string(), cause };
    let entries = match folder.canonicalize().and_then(|real| {
        if visited.insert(real) { fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>() } else { Ok(Vec::new()) }
    }) {
        Ok(entries) => entries,
        Err(cause) => return found.errors.push(unreadable(folder, cause)),
    };
    let mut paths: Vec<_> = entries.iter().map(fs::DirEntry::path).filter(|path| !is_hidden(path)).collect();
    if paths.iter().any(|path| is_manifest(path)) {
        return;
    }
    paths.sort();
    for path in paths {
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => add_folder(&path, visited, found),
            Ok(metadata) if metadata.is_file() && is_bundle(&path) => match File::open(&path) {
                Ok(_) => found.inputs.push(Input { name: path.display().to_string(), kind: Storage::File(path) }),
                Err(cause) => found.errors.push(unreadable(&path, cause)),
            },
            Err(cause) if is_bundle(&path) => found.errors.push(unreadable(&path, cause)),
            Ok(_) | Err(_) => {}
        }
    }
}

/// What an argument is that names no file.
fn no_file(name: &str) -> Option<SourceError> {
    let argument = name.trim_start();
    let (what, way) = if argument.starts_with("http://") || argument.starts_with("https://") {
        ("a URL", "fetch it first: stixc fetch URL | stixc convert - …, with --bundle for a file of a web server")
    } else if argument.starts_with(['[', '(']) {
        ("a pattern", "give it with --pattern")
    } else {
        return None;
    };
    Some(SourceError::NoFile { name: name.to_owned(), what, way })
}

/// Whether a file is the manifest of a folder of outputs: what was made of feeds is none.
fn is_manifest(path: &Path) -> bool {
    const BEGINNING: &[u8] = b"{\n  \"schema\": \"stixc-manifest/";
    let mut first = Vec::with_capacity(BEGINNING.len());
    path.file_name().is_some_and(|name| name == "manifest.json")
        && File::open(path).is_ok_and(|file| file.take(BEGINNING.len() as u64).read_to_end(&mut first).is_ok())
        && first == BEGINNING
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn is_bundle(path: &Path) -> bool {
    let ends_in = |path: &Path, ends: &[&str]| {
        path.extension().is_some_and(|end| ends.iter().any(|one| end.eq_ignore_ascii_case(one)))
    };
    let unpacked = if ends_in(path, &["gz"]) { path.file_stem().map(Path::new) } else { Some(path) };
    unpacked.is_some_and(|path| ends_in(path, &["json", "stix2"]))
}

/// Keeps what `reader` gives in a temporary file without a name, to be read as often as needed.
///
/// # Errors
/// If the reader fails or the temporary file can't be written.
pub fn spool(name: impl Into<String>, mut reader: impl Read) -> Result<Input, SourceError> {
    let name = name.into();
    let spooled = tempfile::tempfile().and_then(|mut file| {
        io::copy(&mut reader, &mut file)?;
        file.rewind()?;
        Ok(file)
    });
    match spooled {
        Ok(file) => Ok(Input { name, kind: Storage::Spooled(Arc::new(file)) }),
        Err(cause) => Err(SourceError::Spool { name, cause }),
    }
}

/// A pattern of a pattern file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternLine {
    /// Its line, counted from 1.
    pub line: u64,
    /// Where it begins in the file, in bytes.
    pub offset: u64,
    /// Its column, counted from 1, in characters.
    pub column: u64,
    /// The pattern, without white space around it.
    pub pattern: String,
}

/// Reads a text file with a pattern a line.
///
/// Blank lines and lines that begin with `#` are passed over; a byte-order mark and carriage returns are dropped. A line
/// that is not UTF-8, or larger than [`OBJECT_LIMIT`], is a [`Fault`], and the next one follows.
///
/// ```
/// use stixc::source::PatternLines;
/// let file = "# mine\n[a:b = 1]\n\n[a:b = 2]\n";
/// let lines: Vec<_> = PatternLines::new(file.as_bytes()).map(Result::unwrap).collect();
/// assert_eq!(lines[1].pattern, "[a:b = 2]");
/// assert_eq!(lines[1].line, 4);
/// ```
#[derive(Debug)]
pub struct PatternLines<R> {
    reader: BufReader<R>,
    line: u64,
    offset: u64,
    ended: bool,
}

impl<R: Read> PatternLines<R> {
    /// Reads from `reader`, which needs no buffer of its own.
    pub fn new(reader: R) -> Self {
        Self { reader: BufReader::new(reader), line: 0, offset: 0, ended: false }
    }

    /// The next line; nothing at the end or, with `ended`, after an error of the reader.
    fn read_line(&mut self) -> Option<Result<PatternLine, Fault>> {
        let mut bytes = Vec::new();
        let offset = self.offset;
        self.line += 1;
        match self.reader.by_ref().take(OBJECT_LIMIT as u64 + 1).read_until(b'\n', &mut bytes) {
            Ok(0) => return None,
            Ok(length) => self.offset += length as u64,
            Err(cause) => {
                self.ended = true;
                return Some(Err(self.fault(offset, 1, UNREADABLE, format!("cannot read further: {cause}"))));
            }
        }
        if bytes.len() > OBJECT_LIMIT && bytes.last() != Some(&b'\n') {
            self.skip_line();
            let message = format!("a line of more than {OBJECT_LIMIT} bytes was skipped");
            return Some(Err(self.fault(offset, 1, BAD_LINE, message)));
        }
        let mark = if offset == 0 && bytes.starts_with("\u{FEFF}".as_bytes()) { "\u{FEFF}".len() } else { 0 };
        Some(match std::str::from_utf8(&bytes[mark..]) {
            Ok(text) => {
                let blank = text.len() - text.trim_start().len();
                Ok(PatternLine {
                    line: self.line,
                    offset: offset + (mark + blank) as u64,
                    column: text[..blank].chars().count() as u64 + 1,
                    pattern: text.trim().to_owned(),
                })
            }
            Err(error) => {
                let at = offset + (mark + error.valid_up_to()) as u64;
                let valid = String::from_utf8_lossy(&bytes[mark..][..error.valid_up_to()]);
                Err(self.fault(at, valid.chars().count() as u64 + 1, BAD_LINE, "the line is not UTF-8".to_owned()))
            }
        })
    }

    fn skip_line(&mut self) {
        loop {
            match self.reader.fill_buf() {
                Ok([]) | Err(_) => return,
                Ok(buffer) => {
                    let newline = memchr::memchr(b'\n', buffer);
                    let length = newline.map_or(buffer.len(), |newline| newline + 1);
                    self.reader.consume(length);
                    self.offset += length as u64;
                    if newline.is_some() {
                        return;
                    }
                }
            }
        }
    }

    fn fault(&self, offset: u64, column: u64, code: Code, message: String) -> Fault {
        Fault { offset, line: self.line, column, id: None, diagnostic: Diagnostic::error(code, message) }
    }
}

impl<R: Read> Iterator for PatternLines<R> {
    type Item = Result<PatternLine, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match self.read_line() {
                None => self.ended = true,
                Some(Ok(line)) if line.pattern.is_empty() || line.pattern.starts_with('#') => {}
                Some(found) => return Some(found),
            }
        }
        None
    }
}
