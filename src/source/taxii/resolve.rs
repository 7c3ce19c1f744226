//! From the address that a user gives to the objects of one collection.
//!
//! The rule, which never asks more of the server than it must:
//!
//! 1. A URL that ends in `/collections/ID/` or `/collections/ID/objects/` names the collection: nothing is asked.
//! 2. Otherwise, with a collection named, its objects are asked for below the URL, as if that were the API root and the
//!    name an id. If they are there, the answer is the first page.
//! 3. Otherwise the URL itself is asked for. If it is a discovery resource, its `api_roots` (which may be relative) are
//!    looked at in order, each as in 2; if not, the URL is taken for an API root.
//! 4. Otherwise the collections of these API roots are listed, and the name is compared with their ids, then aliases,
//!    then titles, then titles whatever their case.
//!
//! Without a name, steps 3 and 4 are taken, and a collection that is the only one is meant. An API root that fails does
//! not keep the others from being searched. One on another server is not asked.

use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use super::{
    Auth, Client, TaxiiError, Version,
    address::{Address, below, objects_url, shown},
    client::Answer,
    page::{Page, resource},
    request::Request,
    status::shortened,
};

/// A collection as the server describes it (TAXII 2.1, section 5.2).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Collection {
    /// Its id: by the standard a UUID, in the field any text.
    pub id: String,
    /// Its name for people.
    #[serde(default)]
    pub title: Option<String>,
    /// Another name, to be used like the id.
    #[serde(default)]
    pub alias: Option<String>,
    /// What it holds.
    #[serde(default)]
    pub description: Option<String>,
    /// Whether these credentials may read it.
    #[serde(default)]
    pub can_read: Option<bool>,
}

impl Collection {
    /// The same with every text searched for the credentials that the server was sent.
    pub(super) fn redacted(self, auth: &Auth) -> Self {
        let clean = |text: String| auth.redact(&text);
        Self {
            id: clean(self.id),
            title: self.title.map(clean),
            alias: self.alias.map(clean),
            description: self.description.map(clean),
            ..self
        }
    }

    fn name(&self) -> String {
        match self.title.as_deref() {
            Some(title) if !title.is_empty() => format!("`{}` ({})", shortened(title), shortened(&self.id)),
            _ => format!("`{}`", shortened(&self.id)),
        }
    }
}

/// The objects of a collection, and their first page if finding them brought it along.
#[derive(Debug)]
pub(super) struct FoundCollection {
    pub(super) objects: Url,
    pub(super) first: Option<Answer>,
}

/// Finds the collection `wanted` at `address`. `first_page` is the walk's first request for the objects
/// at a URL.
pub(super) async fn find(
    client: &Client,
    address: &Address,
    wanted: Option<&str>,
    first_page: impl Fn(&Url, Version) -> Request,
) -> Result<FoundCollection, TaxiiError> {
    if let Address::Collection { root, id } = address {
        return match wanted {
            Some(wanted) if wanted != id => Err(TaxiiError::InvalidOption {
                option: "collection",
                reason: format!("`{wanted}` is wanted, but the URL names `{id}`"),
            }),
            _ => Ok(FoundCollection { objects: objects_url(root, id), first: None }),
        };
    }
    let probe = async |root: &Url| match wanted {
        // No id has a space; a title often does.
        Some(id) if !id.is_empty() && !id.contains(char::is_whitespace) => {
            let objects = objects_url(root, id);
            let first = objects_at(client, |version| first_page(&objects, version)).await?;
            Ok(first.map(|answer| FoundCollection { objects, first: Some(answer) }))
        }
        _ => Ok::<_, TaxiiError>(None),
    };
    let mut failures = Vec::new();
    match probe(address.url()).await {
        Ok(Some(found)) => return Ok(found),
        Ok(None) => {}
        // What a server says of a path that it does not have may be wide of the mark.
        Err(error) if error.status().is_some_and(|status| !matches!(status, 401 | 429)) => failures.push(error),
        Err(error) => return Err(error),
    }
    let roots = api_roots(client, address).await?;
    for root in roots.iter().filter(|root| *root != address.url()) {
        match probe(root).await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => {}
            Err(error) => failures.push(error),
        }
    }
    let listed = list(client, &roots, &mut failures).await;
    match choose(&listed, wanted, address.url()) {
        Ok((root, chosen)) => Ok(FoundCollection { objects: objects_url(root, &chosen.id), first: None }),
        // It may be where nobody could look: why that is so says more.
        Err(TaxiiError::NoSuchCollection { .. }) if !failures.is_empty() => Err(failures.swap_remove(0)),
        Err(_) if listed.is_empty() && !failures.is_empty() => Err(failures.swap_remove(0)),
        Err(error) => Err(error),
    }
}

/// All collections at `address`, with their API roots.
pub(super) async fn all_collections(client: &Client, address: &Address) -> Result<Vec<(Url, Collection)>, TaxiiError> {
    let roots = api_roots(client, address).await?;
    let mut failures = Vec::new();
    let listed = list(client, &roots, &mut failures).await;
    match failures.into_iter().next() {
        Some(error) if listed.is_empty() => Err(error),
        _ => Ok(listed.into_iter().map(|(root, collection)| (root.clone(), collection)).collect()),
    }
}

/// The collections of all `roots`; a root that fails is noted in `failures`.
async fn list<'a>(client: &Client, roots: &'a [Url], failures: &mut Vec<TaxiiError>) -> Vec<(&'a Url, Collection)> {
    let mut listed = Vec::new();
    for root in roots {
        match collections(client, root).await {
            Ok(collections) => listed.extend(collections.into_iter().map(|collection| (root, collection))),
            Err(error) => failures.push(error),
        }
    }
    listed
}

/// The page that `ask` asks for, or `None` if there is nothing of the kind.
async fn objects_at(client: &Client, ask: impl Fn(Version) -> Request) -> Result<Option<Answer>, TaxiiError> {
    let answer = match client.get(ask, true).await {
        Ok(answer) => answer,
        Err(error) if is_miss(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    // Some servers answer any path with a web page.
    let is_page = match Page::read(&answer) {
        Ok(_) => true,
        Err(error) if is_miss(&error) => false,
        Err(error) => return Err(error),
    };
    Ok(is_page.then_some(answer))
}

fn is_miss(error: &TaxiiError) -> bool {
    matches!(error, TaxiiError::NotJson { .. } | TaxiiError::NotTaxii { .. })
        || matches!(error.status(), Some(404 | 405 | 410))
}

#[derive(Deserialize)]
struct Discovery {
    #[serde(default)]
    api_roots: Vec<String>,
}

/// The API roots that `address` leads to.
async fn api_roots(client: &Client, address: &Address) -> Result<Vec<Url>, TaxiiError> {
    let Address::Unknown(url) = address else { return Ok(vec![address.url().clone()]) };
    let (url, discovery) = match discovery(client, url).await? {
        Some(discovery) => (url.clone(), discovery),
        None => match older_discovery(client, url).await? {
            Some((url, discovery)) => (url, discovery),
            None => (url.clone(), Discovery { api_roots: Vec::new() }),
        },
    };
    let mut roots: Vec<Url> = Vec::new();
    for root in discovery.api_roots.iter().filter_map(|root| url.join(root).ok()) {
        let root = as_this_server(client.server(), below(&root, &[]));
        if !roots.contains(&root) {
            roots.push(root);
        }
    }
    if roots.is_empty() {
        roots.push(url);
    }
    Ok(roots)
}

/// The discovery resource at `url`, if there is one.
async fn discovery(client: &Client, url: &Url) -> Result<Option<Discovery>, TaxiiError> {
    match client.resource(url).await {
        Ok(answer) => match resource(&answer) {
            Ok(discovery) => Ok(Some(discovery)),
            Err(error) if is_miss(&error) => Ok(None),
            Err(error) => Err(error),
        },
        Err(error) if is_miss(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// TAXII 2.0 has its discovery at `/taxii/` (section 4.1), TAXII 2.1 at `/taxii2/`: who gives the one may mean the other.
async fn older_discovery(client: &Client, url: &Url) -> Result<Option<(Url, Discovery)>, TaxiiError> {
    if url.path() != "/taxii2/" {
        return Ok(None);
    }
    let mut older = url.clone();
    older.set_path("/taxii/");
    // It is only a guess, so that a failure says nothing.
    let found = discovery(client, &older).await.ok().flatten();
    Ok(found.filter(|discovery| !discovery.api_roots.is_empty()).map(|discovery| (older, discovery)))
}

/// Behind a proxy that speaks TLS, servers often list their API roots as plain HTTP.
fn as_this_server(server: &Url, mut root: Url) -> Url {
    if server.scheme() == "https" && root.scheme() == "http" && root.host() == server.host() && root.port().is_none() {
        // Changing `http` to `https` is always allowed; were it not, the request would be refused later.
        let _ = root.set_scheme("https");
        let _ = root.set_port(server.port());
    }
    root
}

/// The collections of the API root `root`; entries that can't be read are left out.
async fn collections(client: &Client, root: &Url) -> Result<Vec<Collection>, TaxiiError> {
    #[derive(Deserialize)]
    struct Collections<'a> {
        #[serde(default, borrow)]
        collections: Vec<&'a RawValue>,
    }
    let answer = client.resource(&below(root, &["collections"])).await?;
    let listing: Collections = resource(&answer)?;
    Ok(listing.collections.iter().filter_map(|entry| serde_json::from_str(entry.get()).ok()).collect())
}

fn choose<'a>(
    listed: &'a [(&'a Url, Collection)],
    wanted: Option<&str>,
    server: &Url,
) -> Result<&'a (&'a Url, Collection), TaxiiError> {
    let names = |entries: &mut dyn Iterator<Item = &(&Url, Collection)>| {
        entries.map(|(root, collection)| format!("{} at {}", collection.name(), shown(root))).collect::<Vec<_>>()
    };
    let matching: Vec<_> = match wanted {
        Some(wanted) => best_match(listed, wanted),
        None => listed.iter().filter(|(_, collection)| collection.can_read != Some(false)).collect(),
    };
    match (matching.as_slice(), wanted) {
        ([one], _) if one.1.can_read == Some(false) => {
            Err(TaxiiError::UnreadableCollection { collection: one.1.name() })
        }
        ([one], _) => Ok(one),
        ([], Some(wanted)) => Err(TaxiiError::NoSuchCollection {
            url: shown(server),
            wanted: wanted.to_owned(),
            available: names(&mut listed.iter()),
        }),
        ([], None) => Err(TaxiiError::WhichCollection { url: shown(server), available: names(&mut listed.iter()) }),
        (several, _) => {
            Err(TaxiiError::WhichCollection { url: shown(server), available: names(&mut several.iter().copied()) })
        }
    }
}

/// The collections that `wanted` names, by the closest kind of name that fits any.
fn best_match<'a>(listed: &'a [(&'a Url, Collection)], wanted: &str) -> Vec<&'a (&'a Url, Collection)> {
    let kinds: [&dyn Fn(&Collection) -> bool; 4] = [
        &|collection| collection.id == wanted,
        &|collection| collection.alias.as_deref() == Some(wanted),
        &|collection| collection.title.as_deref() == Some(wanted),
        &|collection| collection.title.as_ref().is_some_and(|title| title.to_lowercase() == wanted.to_lowercase()),
    ];
    kinds
        .iter()
        .map(|fits| listed.iter().filter(|(_, collection)| fits(collection)).collect::<Vec<_>>())
        .find(|matching| !matching.is_empty())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collection(id: &str, title: &str, alias: Option<&str>) -> Collection {
        Collection {
            id: id.into(),
            title: Some(title.into()),
            alias: alias.map(Into::into),
            description: None,
            can_read: None,
        }
    }

    #[test]
    fn the_closest_kind_of_name_wins() {
        let root = Url::parse("https://feed.example/api/").unwrap();
        let listed = [
            (&root, collection("1", "all", None)),
            (&root, collection("2", "All", Some("1"))),
            (&root, collection("3", "ALL", None)),
        ];
        let id = |wanted| choose(&listed, Some(wanted), &root).map(|(_, chosen)| chosen.id.clone());
        assert_eq!(id("1").unwrap(), "1");
        assert_eq!(id("all").unwrap(), "1");
        assert_eq!(id("ALL").unwrap(), "3");
        assert!(matches!(id("aLL"), Err(TaxiiError::WhichCollection { available, .. }) if available.len() == 3));
        assert!(matches!(id("none"), Err(TaxiiError::NoSuchCollection { .. })));
    }

    #[test]
    fn roots_behind_a_proxy_are_asked_by_tls() {
        let url = |text| Url::parse(text).unwrap();
        let server = url("https://feed.example:8443/taxii2/");
        assert_eq!(as_this_server(&server, url("http://feed.example/a/")), url("https://feed.example:8443/a/"));
        assert_eq!(as_this_server(&server, url("http://other.example/a/")), url("http://other.example/a/"));
        assert_eq!(
            as_this_server(&url("http://feed.example/"), url("http://feed.example/a/")),
            url("http://feed.example/a/")
        );
    }
}
