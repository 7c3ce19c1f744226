//! Setting up the HTTP client: who it is, whom it trusts, and by which way it goes.

use std::{fs, io, path::Path};

use reqwest::{Certificate, ClientBuilder, Identity, header::HeaderMap, redirect::Policy};
use url::Url;

use super::{
    FetchOptions, Proxy, TaxiiError, Tls,
    address::{is_loopback, shown},
    error::innermost,
    secret::read_private,
};

/// The HTTP client for `server`, which sends `headers` with each request.
pub(super) fn http(options: &FetchOptions, server: &Url, headers: HeaderMap) -> Result<reqwest::Client, TaxiiError> {
    let has_secret = headers.values().any(reqwest::header::HeaderValue::is_sensitive);
    let may_be_plain = is_loopback(server) && !matches!(options.proxy, Proxy::Url(_));
    if has_secret && server.scheme() == "http" && !may_be_plain {
        return Err(TaxiiError::PlainHttp { url: shown(server) });
    }
    // An error says that the program has chosen a provider before, which then serves as well.
    _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .user_agent(concat!("stixc/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        // The library strips `Authorization` from a redirect to elsewhere, but sends on every other header.
        .redirect(Policy::none())
        .referer(false)
        .connect_timeout(options.timeouts.connect)
        .read_timeout(options.timeouts.read)
        .timeout(options.timeouts.page);
    let builder = with_tls(builder, &options.tls)?;
    let builder = match &options.proxy {
        Proxy::Environment if !is_loopback(server) => builder,
        Proxy::Environment | Proxy::Direct => builder.no_proxy(),
        Proxy::Url(url) => builder.proxy(proxy(url)?),
    };
    builder.build().map_err(|error| TaxiiError::Setup { reason: innermost(&error) })
}

fn proxy(url: &str) -> Result<reqwest::Proxy, TaxiiError> {
    let invalid = |reason: String| TaxiiError::InvalidOption { option: "proxy", reason };
    let parsed = Url::parse(url).map_err(|error| invalid(format!("is no URL: {error}")))?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(invalid("holds a user or a password; put such a URL into HTTPS_PROXY".to_owned()));
    }
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(invalid(format!("is of the kind `{}:`; http: and https: are known", parsed.scheme())));
    }
    reqwest::Proxy::all(parsed).map_err(|error| invalid(innermost(&error)))
}

fn with_tls(mut builder: ClientBuilder, tls: &Tls) -> Result<ClientBuilder, TaxiiError> {
    if let Some(path) = &tls.ca {
        let roots = Certificate::from_pem_bundle(&read(path)?).map_err(|_| unusable(path, "is not PEM"))?;
        if roots.is_empty() {
            return Err(unusable(path, "holds no certificate"));
        }
        builder = builder.tls_certs_only(roots);
    }
    match (&tls.certificate, &tls.key) {
        (Some(certificate), key) => {
            let key = key.as_ref().unwrap_or(certificate);
            let mut pem = read_private(key, |error| unreadable(key, &error))?;
            if key != certificate {
                pem.push(b'\n');
                pem.extend(read(certificate)?);
            }
            let identity =
                Identity::from_pem(&pem).map_err(|_| unusable(key, "holds no certificate and key that can be used"))?;
            Ok(builder.identity(identity))
        }
        (None, Some(key)) => Err(unusable(key, "is the key of no certificate")),
        (None, None) => Ok(builder),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TaxiiError> {
    fs::read(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &io::Error) -> TaxiiError {
    unusable(path, &format!("can't be read: {error}"))
}

fn unusable(path: &Path, reason: &str) -> TaxiiError {
    TaxiiError::Certificate { file: path.display().to_string(), reason: reason.to_owned() }
}
