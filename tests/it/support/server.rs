//! A small HTTP server whose every byte the tests decide, and what they share.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::{Value, json};
use stixc::source::taxii::{FetchOptions, FetchSummary, TaxiiError, fetch, parse_timestamp};

/// What the client asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// What the request line asks for: a path, to a proxy a URL, to a tunnel a host.
    pub target: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    /// The names in the query, with those that are there twice.
    pub names: Vec<String>,
    pub headers: BTreeMap<String, String>,
}

impl Request {
    pub fn has(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }
}

/// What the server answers.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// How many bytes of the body are missing although the length was announced.
    pub cut: usize,
    /// How often the body is sent, one after the other.
    pub times: u64,
    /// How long nothing comes.
    pub silence: Duration,
    /// How long nothing comes after each byte of the body.
    pub drip: Duration,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![],
            body: body.into(),
            cut: 0,
            times: 1,
            silence: Duration::ZERO,
            drip: Duration::ZERO,
        }
    }

    /// A TAXII resource.
    pub fn json(body: &Value) -> Self {
        Self::new(200, body.to_string()).with("Content-Type", "application/taxii+json;version=2.1")
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With the header by which clients go on.
    pub fn last_added(self, moment: &str) -> Self {
        self.with("X-TAXII-Date-Added-Last", moment)
    }
}

/// A server on a free port of loopback; it ends when dropped.
pub struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers each request with what `answer` makes of it and of the number of requests before it.
    pub fn start(answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::over(Some, answer)
    }

    /// The same over what `secure` makes of a connection.
    pub fn over<S: Read + Write>(
        secure: impl Fn(TcpStream) -> Option<S> + Send + Sync + 'static,
        answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, stopping) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (log, stop, answer) = (Arc::clone(&requests), Arc::clone(&stopping), Arc::new(answer));
        let secure = Arc::new(secure);
        let thread = thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let (log, answer, secure) = (Arc::clone(&log), Arc::clone(&answer), Arc::clone(&secure));
                thread::spawn(move || {
                    let Some(mut stream) = secure(stream) else { return };
                    let Some(request) = read(&mut stream) else { return };
                    let number = {
                        let mut log = log.lock().unwrap();
                        log.push(request.clone());
                        log.len() - 1
                    };
                    // The client may have gone away, which some tests are about.
                    let _ = write(&mut stream, &answer(&request, number));
                });
            }
        });
        Self { address, requests, stopping, thread: Some(thread) }
    }

    /// Gives the answers in order, the last one again and again.
    pub fn scripted(replies: Vec<Reply>) -> Self {
        Self::start(move |_, number| replies[number.min(replies.len() - 1)].clone())
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub fn paths(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.path).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().unwrap().join();
    }
}

fn read(stream: &mut impl Read) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let line = lines.next()?;
    let target = line.split(' ').nth(1)?;
    let url = url::Url::parse("http://127.0.0.1").unwrap().join(target).unwrap();
    let headers = lines.filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    });
    Some(Request {
        target: target.to_owned(),
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        names: url.query_pairs().map(|(name, _)| name.into_owned()).collect(),
        headers: headers.collect(),
    })
}

fn write(stream: &mut impl Write, reply: &Reply) -> std::io::Result<()> {
    thread::sleep(reply.silence);
    let length = reply.body.len() as u64 * reply.times;
    let mut head = format!("HTTP/1.1 {} -\r\nConnection: close\r\nContent-Length: {length}\r\n", reply.status);
    for (name, value) in &reply.headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    stream.write_all(head.as_bytes())?;
    stream.write_all(b"\r\n")?;
    let body = &reply.body[..reply.body.len() - reply.cut];
    for _ in 0..reply.times {
        if reply.drip.is_zero() {
            stream.write_all(body)?;
        } else {
            for byte in body {
                stream.write_all(&[*byte])?;
                stream.flush()?;
                thread::sleep(reply.drip);
            }
        }
    }
    stream.flush()
}

/// An indicator that no other number gives.
pub fn indicator(number: usize) -> Value {
    json!({
        "type": "indicator", "spec_version": "2.1", "id": format!("indicator--00000000-0000-4000-8000-{number:012}"),
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
        "pattern": format!("[ipv4-addr:value = '192.0.2.{}']", number % 256), "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00Z",
    })
}

pub fn indicators(numbers: std::ops::Range<usize>) -> Vec<Value> {
    numbers.map(indicator).collect()
}

/// Options that don't wait.
pub fn options(url: String) -> FetchOptions {
    let mut options = FetchOptions::new(url);
    options.limit = 100;
    options.backoff.base = Duration::from_millis(1);
    options.backoff.jitter = |_| 0.0;
    options
}

/// Options for the collection `c` of the API root `/root/`.
pub fn collection(server: &Server) -> FetchOptions {
    options(server.url("/root/collections/c/"))
}

/// The outcome, and what was written.
pub fn run(options: &FetchOptions) -> (Result<FetchSummary, TaxiiError>, String) {
    let mut output = Vec::new();
    let outcome = fetch(options, &mut output);
    (outcome, String::from_utf8(output).unwrap())
}

/// The ids in a whole bundle.
pub fn ids(bundle: &str) -> Vec<String> {
    let bundle: Value = serde_json::from_str(bundle).unwrap();
    assert_eq!(bundle["type"], "bundle");
    let objects = bundle.get("objects").map_or(&[][..], |objects| objects.as_array().unwrap());
    objects.iter().map(|object| object["id"].as_str().unwrap().to_owned()).collect()
}

/// Asserts that `bundle` holds the indicators of `numbers`, each once.
pub fn assert_holds(bundle: &str, numbers: std::ops::Range<usize>) {
    let mut found = ids(bundle);
    found.sort();
    let mut expected: Vec<_> =
        indicators(numbers).iter().map(|object| object["id"].as_str().unwrap().to_owned()).collect();
    expected.sort();
    assert_eq!(found.len(), expected.len());
    assert_eq!(found, expected);
}

/// Asserts what must hold for each request for objects: servers answer 406, 400 or 500 otherwise.
pub fn assert_well_formed(requests: &[Request]) {
    let requests: Vec<_> = requests.iter().filter(|request| request.path.ends_with("/objects/")).collect();
    // What the walk began with, which no page may change.
    let filters = |request: &Request| {
        request.query.iter().filter(|(name, _)| name.starts_with("match[")).map(|(_, value)| value.clone()).collect()
    };
    let first: Option<Vec<String>> = requests.first().map(|request| filters(request));
    for request in &requests {
        assert_eq!(request.headers["accept"], "application/taxii+json;version=2.1");
        assert!(!request.headers.contains_key("range"));
        assert_eq!(request.names.len(), request.query.len(), "{request:?}");
        assert_eq!(Some(filters(request)), first);
        assert!(request.has("limit").is_some_and(|limit| limit.parse::<u32>().is_ok()), "{request:?}");
        if let Some(added_after) = request.has("added_after") {
            assert_eq!(added_after.len(), "2026-01-01T00:00:00.000000Z".len(), "{added_after}");
            assert_eq!(format!("{:.6}", parse_timestamp(added_after).unwrap()), added_after);
        }
        for name in request.query.keys() {
            assert!(["limit", "added_after", "next"].contains(&name.as_str()) || name.starts_with("match["), "{name}");
        }
        assert!(!request.headers.contains_key("referer"));
    }
}
