//! Proxies: which one is asked, and what it gets to see.

use serde_json::json;
use stixc::source::taxii::{Auth, Proxy, Secret};

use crate::support::server::{Reply, Server, assert_holds, indicators, options, run};

fn page_server() -> Server {
    Server::scripted(vec![Reply::json(&json!({"objects": indicators(0..3)}))])
}

#[test]
fn a_proxy_that_was_named_is_asked() {
    let proxy = page_server();
    let mut options = options("http://feed.invalid/root/collections/c/".to_owned());
    options.proxy = Proxy::Url(proxy.url(""));
    assert_holds(&run(&options).1, 0..3);
    assert_eq!(proxy.requests()[0].target, "http://feed.invalid/root/collections/c/objects/?limit=100");
}

#[test]
fn a_proxy_sees_of_a_secure_request_only_the_host() {
    let proxy = Server::scripted(vec![Reply::new(502, "")]);
    let mut options = options("https://feed.invalid/root/collections/c/".to_owned());
    options.proxy = Proxy::Url(proxy.url(""));
    options.auth = Auth::Header { name: "X-API-Key".into(), value: Secret::new("sesame") };
    options.backoff.attempts = 1;
    let error = run(&options).0.unwrap_err();
    assert_eq!(error.code().0, "S026", "{error}");
    let requests = proxy.requests();
    assert_eq!((requests.len(), requests[0].target.as_str()), (1, "feed.invalid:443"));
    assert!(!format!("{requests:?}").contains("sesame"));
}

#[test]
fn credentials_do_not_go_over_plain_http_by_way_of_a_proxy() {
    let proxy = page_server();
    for url in ["http://127.0.0.1:9/root/collections/c/", "http://feed.invalid/root/collections/c/"] {
        let mut options = options(url.to_owned());
        options.proxy = Proxy::Url(proxy.url(""));
        options.auth = Auth::Bearer(Secret::new("sesame"));
        assert_eq!(run(&options).0.unwrap_err().code().0, "S022");
    }
    assert_eq!(proxy.requests().len(), 0);
}

#[test]
fn a_proxy_that_is_none_is_refused() {
    for url in ["feed.example:3128", "http://u:hidden@proxy.example", "ftp://proxy.example", ""] {
        let mut options = options("https://feed.invalid/root/collections/c/".to_owned());
        options.proxy = Proxy::Url(url.to_owned());
        let error = run(&options).0.unwrap_err();
        assert_eq!(error.code().0, "S024", "{url}");
        assert!(!error.to_string().contains("hidden"));
    }
}
