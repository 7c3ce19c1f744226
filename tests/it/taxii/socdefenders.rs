//! A mock of the SOCDefenders API with a behaviour for each way in which its documents can be read. It belongs to others and is
//! read where it lies.

use std::{
    collections::BTreeSet,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::support::corpus;

/// Behaviours in which nothing may be missing after one walk.
const WHOLE: &[&str] = &[
    "a",
    "b",
    "b2",
    "b3",
    "b4",
    "c",
    "c3",
    "c4",
    "d",
    "d2",
    "e",
    "e2",
    "e3",
    "e4",
    "h",
    "j",
    "k_s",
    "k_ms",
    "k_us",
    "k_msround",
    "k_sround",
    "k_off",
    "k_naive",
    "k_naive_next",
    "k_space",
    "k_rfc",
    "l_ahead",
    "l_behind",
    "l_ahead3d",
    "m",
    "m2",
    "p",
    "r",
    "r_chunk",
    "s_path",
    "t",
    "u",
    "rev",
    "nomore",
    "nomore2",
    "stamp",
    "now",
    "limit100",
    "stampcap",
    "f429ra",
];

/// Behaviours in which something is missing, and the code says so: more objects at one moment than a page, newest first, no
/// way on, an end in the middle.
const PARTIAL: &[&str] = &[
    "c2",
    "g",
    "j2",
    "j3",
    "k_epoch",
    "q_mid",
    "rev2",
    "stampcap2",
    "stamphdr",
    "quota",
    "f401",
    "f403",
    "f404",
    "f429always",
];

struct Mock(Child, u16);

impl Mock {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let script = corpus::folder().join("../taxii-lab/soc/soc.py");
        let mut command = Command::new("python3");
        let child = command.arg(script).arg(port.to_string()).stderr(Stdio::null()).spawn().unwrap();
        let mock = Self(child, port);
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return mock;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the mock does not answer");
    }

    /// The ids that the server holds in a behaviour.
    fn held(&self, mode: &str) -> BTreeSet<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.1)).unwrap();
        write!(stream, "GET /admin/expect/{mode}/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        serde_json::from_str::<Value>(body).unwrap().as_object().unwrap().keys().cloned().collect()
    }

    /// What comes of one walk: the ids, and the exit code.
    fn fetched(&self, mode: &str) -> (BTreeSet<String>, i32, String) {
        let url = format!("http://127.0.0.1:{}/m/{mode}/api/taxii2/api/", self.1);
        let folder = tempfile::tempdir().unwrap();
        let bundle = folder.path().join("bundle.json");
        let mut command = Command::new(env!("CARGO_BIN_EXE_stixc"));
        command.args(["fetch", &url, "--collection", "all-iocs", "--token", "env:SOC_KEY", "--limit", "100", "-o"]);
        let output = command.arg(&bundle).env("SOC_KEY", "sk_live_SECRETKEY1").output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!errors.contains("SECRETKEY"), "{errors}");
        let objects = std::fs::read(&bundle).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let objects = objects.and_then(|bundle| bundle["objects"].as_array().cloned()).unwrap_or_default();
        let indicators = objects.iter().filter(|object| object["type"] == "indicator");
        let ids = indicators.filter_map(|object| Some(object["id"].as_str()?.to_owned())).collect();
        (ids, output.status.code().unwrap(), errors)
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

#[test]
#[ignore = "reads the corpus"]
fn corpus_a_walk_brings_everything_or_says_that_it_does_not() {
    let mock = Mock::start();
    for mode in WHOLE {
        let (ids, code, errors) = mock.fetched(mode);
        let lost = mock.held(mode).difference(&ids).count();
        assert_eq!((lost, code), (0, 0), "{mode}: {errors}");
    }
    for mode in PARTIAL {
        let (_, code, errors) = mock.fetched(mode);
        assert_ne!(code, 0, "{mode}: {errors}");
        assert!(errors.contains("[S0"), "{mode}: {errors}");
    }
}
