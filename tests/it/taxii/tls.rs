//! Certificates: the server's, by an authority of the user's choice, and the client's own.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use serde_json::json;
use stixc::source::taxii::{Auth, FetchOptions, Secret, Tls};

use crate::support::server::{Reply, Server, assert_holds, indicators, options, run};

/// An authority, and a certificate with key that it has signed for each of its names.
struct Authority(tempfile::TempDir);

impl Authority {
    fn new() -> Self {
        let authority = Self(tempfile::tempdir().unwrap());
        fs::write(authority.file("empty.cnf"), "[req]\ndistinguished_name = dn\n[dn]\n").unwrap();
        authority.issue("ca", &["-addext", "basicConstraints=critical,CA:TRUE"]);
        let by_ca = [&authority.text("ca.pem"), "-CAkey", &authority.text("ca.key")];
        for name in ["server", "client"] {
            let extensions =
                ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "subjectAltName=IP:127.0.0.1"];
            authority.issue(name, &[&["-CA"], &by_ca[..], &extensions[..]].concat());
        }
        authority
    }

    fn issue(&self, name: &str, more: &[&str]) {
        let output = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
            .args(["-subj", &format!("/CN={name}"), "-config", &self.text("empty.cnf")])
            .args(["-keyout", &self.text(&format!("{name}.key")), "-out", &self.text(&format!("{name}.pem"))])
            .args(more)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.file(name).display().to_string()
    }

    fn certificate(&self, name: &str) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.file(name)).unwrap()
    }

    /// A server with this authority's certificate, which asks for the client's if `mutual`.
    fn server(&self, mutual: bool) -> Server {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let builder = if mutual {
            let mut roots = RootCertStore::empty();
            roots.add(self.certificate("ca.pem")).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.unwrap().with_client_cert_verifier(verifier)
        } else {
            builder.unwrap().with_no_client_auth()
        };
        let key = PrivateKeyDer::from_pem_file(self.file("server.key")).unwrap();
        let config = Arc::new(builder.with_single_cert(vec![self.certificate("server.pem")], key).unwrap());
        Server::over(
            move |stream: TcpStream| Some(StreamOwned::new(ServerConnection::new(Arc::clone(&config)).ok()?, stream)),
            |_, _| Reply::json(&json!({"objects": indicators(0..3)})),
        )
    }
}

fn over_tls(server: &Server, tls: Tls) -> FetchOptions {
    let mut options = options(format!("https://127.0.0.1:{}/root/collections/c/", server.port()));
    options.auth = Auth::Bearer(Secret::new("sesame"));
    options.backoff.attempts = 2;
    options.tls = tls;
    options
}

fn trusting(authority: &Authority) -> Tls {
    Tls { ca: Some(authority.file("ca.pem")), ..Tls::default() }
}

fn code(options: &FetchOptions) -> &'static str {
    run(options).0.unwrap_err().code().0
}

#[test]
#[ignore = "needs openssl: tests/run installs it"]
fn openssl_only_a_trusted_server_gets_a_request() {
    let authority = Authority::new();
    let server = authority.server(false);
    let (outcome, bundle) = run(&over_tls(&server, trusting(&authority)));
    outcome.unwrap();
    assert_holds(&bundle, 0..3);
    assert_eq!(server.requests()[0].headers["authorization"], "Bearer sesame");

    // The system does not know the authority, nor does another one.
    let before = server.requests().len();
    assert_eq!(code(&over_tls(&server, Tls::default())), "S026");
    assert_eq!(code(&over_tls(&server, trusting(&Authority::new()))), "S026");
    assert_eq!(server.requests().len(), before);
}

#[test]
#[ignore = "needs openssl: tests/run installs it"]
fn openssl_a_server_that_wants_a_certificate_gets_the_clients() {
    let authority = Authority::new();
    let server = authority.server(true);
    let own = Tls {
        certificate: Some(authority.file("client.pem")),
        key: Some(authority.file("client.key")),
        ..trusting(&authority)
    };
    assert_holds(&run(&over_tls(&server, own.clone())).1, 0..3);

    // Both in one file.
    let both = authority.file("both.pem");
    write_private(
        &both,
        &[&fs::read(authority.file("client.pem")).unwrap(), &fs::read(authority.file("client.key")).unwrap()],
    );
    assert_holds(&run(&over_tls(&server, Tls { certificate: Some(both), key: None, ..trusting(&authority) })).1, 0..3);

    let before = server.requests().len();
    let stranger = Authority::new();
    let strange = Tls {
        certificate: Some(stranger.file("client.pem")),
        key: Some(stranger.file("client.key")),
        ..trusting(&authority)
    };
    for tls in [trusting(&authority), strange] {
        let code = code(&over_tls(&server, tls));
        // When the refusal comes is up to the version of TLS.
        assert!(["S026", "S028"].contains(&code), "{code}");
    }
    assert_eq!(server.requests().len(), before);
}

#[test]
#[ignore = "needs openssl: tests/run installs it"]
fn openssl_certificates_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let server = authority.server(true);
    let garbage = authority.file("garbage.pem");
    write_private(&garbage, &[b"no certificate"]);
    let missing = authority.file("missing.pem");
    let with = |ca: Option<&Path>, certificate: Option<&Path>, key: Option<&Path>| Tls {
        ca: ca.map(Into::into),
        certificate: certificate.map(Into::into),
        key: key.map(Into::into),
    };
    let client = authority.file("client.pem");
    for tls in [
        with(Some(&garbage), None, None),
        with(Some(&missing), None, None),
        with(None, Some(&client), Some(&garbage)),
        with(None, Some(&client), Some(&missing)),
        with(None, Some(&missing), None),
        with(None, None, Some(&garbage)),
    ] {
        assert_eq!(code(&over_tls(&server, tls.clone())), "S064", "{tls:?}");
    }
    assert_eq!(server.requests().len(), 0);
}

#[cfg(unix)]
#[test]
#[ignore = "needs openssl: tests/run installs it"]
fn openssl_a_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let authority = Authority::new();
    let key = authority.file("client.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let tls = Tls { certificate: Some(authority.file("client.pem")), key: Some(key), ..trusting(&authority) };
    assert_eq!(code(&over_tls(&authority.server(true), tls)), "S063");
}

fn write_private(path: &Path, parts: &[&[u8]]) {
    fs::write(path, parts.concat()).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}
