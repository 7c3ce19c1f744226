//! A bundle that lies at a plain URL: a feed without TAXII.

use std::io::{BufReader, Seek, Write};

use reqwest::{
    Response, StatusCode,
    header::{ACCEPT, ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED},
};
use url::Url;

use super::{
    Client, FetchOptions, FetchSummary, ObjectSink, TaxiiError,
    address::{shown, without_secret},
    client::transport,
    fetch::blocking,
    request::Request,
};
use crate::{
    diagnostic::Severity,
    stix::{BundleReader, Fault},
};

/// Downloads the bundle at `options.url` and hands its objects to `sink`. The whole of it is downloaded into a temporary
/// file before the first object is handed on, again where it breaks off. The URL may have a query, but no secret in it.
/// Without credentials redirects may lead to other servers, over TLS. Of the options, those about TAXII mean nothing
/// here; [`FetchOptions::cursor`] is the [`FetchSummary::cursor`] of an earlier download, and where the bundle is still
/// the same, [`FetchSummary::unchanged`] is set and nothing handed on.
///
/// # Errors
/// See [`TaxiiError`]; [`TaxiiError::Incomplete`] if `sink` was given some objects before, as when the bundle lacks its
/// end.
pub fn download_into(options: &FetchOptions, sink: &mut dyn ObjectSink) -> Result<FetchSummary, TaxiiError> {
    let url = without_secret(&options.url)?;
    let client = Client::for_server(options, url.clone(), true)?;
    let mut summary = FetchSummary { objects_url: shown(&url), ..FetchSummary::default() };
    let request = conditional(url, options.cursor.as_deref());
    let outcome = blocking(client.in_time(client.download(&request, sink, &mut summary)))?;
    if summary.unchanged {
        summary.cursor.clone_from(&options.cursor);
    }
    client.account(summary, outcome)
}

/// Asks for the bundle only if it is not the one that `cursor` stands for.
fn conditional(url: Url, cursor: Option<&str>) -> Request {
    let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json, */*;q=0.5"))]);
    if let Some(value) = cursor.and_then(|cursor| HeaderValue::try_from(cursor).ok()) {
        // An entity tag is in quotes (RFC 9110, section 8.8.3), a date is not.
        let is_tag = value.as_bytes().ends_with(b"\"");
        headers.insert(if is_tag { IF_NONE_MATCH } else { IF_MODIFIED_SINCE }, value);
    }
    Request { url, headers }
}

/// Whether an answer that the bundle is the one that is known makes sense.
fn is_conditional(request: &Request) -> bool {
    [IF_NONE_MATCH, IF_MODIFIED_SINCE].iter().any(|name| request.headers.contains_key(name))
}

/// What stands for the bundle in `response`.
fn cursor_of(response: &Response) -> Option<String> {
    [ETAG, LAST_MODIFIED].iter().find_map(|name| Some(response.headers().get(name)?.to_str().ok()?.to_owned()))
}

impl Client {
    async fn download(
        &self,
        request: &Request,
        sink: &mut dyn ObjectSink,
        summary: &mut FetchSummary,
    ) -> Result<(), TaxiiError> {
        let downloaded = self
            .patiently(true, async || {
                let (url, response) = self.open(request).await?;
                if response.status() == StatusCode::NOT_MODIFIED && is_conditional(request) {
                    return Ok(None);
                }
                let cursor = cursor_of(&response);
                let saved = self.save(&url, response).await?;
                if saved.1 == 0 {
                    let reason = "the answer is empty".to_owned();
                    return Err(TaxiiError::NotJson { url: url.to_string(), reason, content_type: None });
                }
                Ok(Some((saved, cursor)))
            })
            .await?;
        let Some(((file, bytes), cursor)) = downloaded else {
            summary.unchanged = true;
            return Ok(());
        };
        (summary.pages, summary.bytes) = (1, bytes);
        self.hand_on(file, sink, summary)?;
        summary.cursor = cursor;
        Ok(())
    }

    /// The body in a temporary file, and its length.
    async fn save(&self, url: &Url, mut response: Response) -> Result<(std::fs::File, u64), TaxiiError> {
        let limit = self.limits().bytes;
        let (mut file, mut bytes) = (tempfile::tempfile()?, 0);
        while let Some(chunk) = response.chunk().await.map_err(|error| transport(url, &error))? {
            bytes += chunk.len() as u64;
            if bytes > limit {
                return Err(TaxiiError::TooManyBytes { limit });
            }
            file.write_all(&chunk)?;
        }
        file.rewind()?;
        Ok((file, bytes))
    }

    fn hand_on(
        &self,
        file: std::fs::File,
        sink: &mut dyn ObjectSink,
        summary: &mut FetchSummary,
    ) -> Result<(), TaxiiError> {
        let limit = self.limits().objects;
        for batch in BundleReader::new(BufReader::new(file)) {
            for object in batch.objects() {
                let Ok(text) = serde_json::from_slice(object.raw) else {
                    summary.skipped += 1;
                    continue;
                };
                if summary.objects >= limit {
                    return Err(TaxiiError::TooManyObjects { limit });
                }
                sink.object(text, object.head())?;
                summary.objects += 1;
            }
            sink.page(summary)?;
            if let Some(fault) = batch.faults.iter().find(|fault| fault.diagnostic.severity == Severity::Error) {
                return Err(self.damaged(summary, fault));
            }
        }
        Ok(())
    }

    fn damaged(&self, summary: &FetchSummary, fault: &Fault) -> TaxiiError {
        let reason = format!("line {}: {}", fault.line, fault.diagnostic.message);
        TaxiiError::NotJson { url: summary.objects_url.clone(), reason, content_type: None }
    }
}
