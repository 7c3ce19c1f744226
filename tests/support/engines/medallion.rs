//! medallion 3.0.0, the OASIS TAXII 2.1 server, on loopback for as long as a test needs it.

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{python_program, scratch};

/// Who may read.
pub const USER: &str = "reader";
/// The password of [`USER`].
pub const PASSWORD: &str = "in the test only";
/// The path of the one API root.
pub const API_ROOT: &str = "trustgroup1";

const PATIENCE: Duration = Duration::from_secs(30);

/// A running server. It ends when this is dropped.
pub struct Medallion {
    process: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Medallion {
    /// Starts a server with one API root, [`API_ROOT`], which has these collections: in medallion's own layout,
    /// each with `id`, `title`, `can_read`, `can_write`, `media_types`, `objects` and `manifest`.
    #[track_caller]
    pub fn start(collections: &Value, page_size: usize) -> Self {
        let address = free_address();
        let folder = scratch();
        let root = format!("http://{address}/{API_ROOT}/");
        let data = folder.path().join("data.json");
        let configuration = folder.path().join("configuration.json");
        let backend = json!({
            "/discovery": { "title": "test", "default": root, "api_roots": [root] },
            API_ROOT: {
                "information": {
                    "title": "test", "versions": ["application/taxii+json;version=2.1"], "max_content_length": 104_857_600,
                },
                "status": [],
                "collections": collections,
            },
        });
        let settings = json!({
            "backend": {
                "module": "medallion.backends.memory_backend", "module_class": "MemoryBackend", "filename": data,
            },
            "users": { USER: PASSWORD },
            "taxii": { "max_page_size": page_size },
        });
        fs::write(&data, backend.to_string()).expect("medallion's data");
        fs::write(&configuration, settings.to_string()).expect("medallion's configuration");
        let process = Command::new(python_program())
            .args(["-c", "from medallion.scripts.run import main; main()", "--host", &address.ip().to_string()])
            .args(["--port", &address.port().to_string()])
            .arg(configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}; tests/run installs it", python_program().display()));
        let mut server = Self { process, address, _folder: folder };
        server.await_answer();
        server
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of its API root.
    pub fn api_root(&self) -> String {
        format!("http://{}/{API_ROOT}/", self.address)
    }

    #[track_caller]
    fn await_answer(&mut self) {
        let start = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.process.try_wait().expect("medallion's state") {
                panic!("medallion ended with {status}; tests/run installs it");
            }
            assert!(start.elapsed() < PATIENCE, "medallion does not answer");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Medallion {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing else to do about either failure.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port of loopback that nothing listens on now.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port on loopback");
    listener.local_addr().expect("its address")
}
