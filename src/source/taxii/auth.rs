//! Credentials, and how they stay out of sight.

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};

use super::{Secret, TaxiiError};

/// How the client tells the server who it is. Sent as a header with each request to the server's own origin and
/// nowhere else; never in a URL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// HTTP Basic (RFC 7617), which TAXII 2.1 section 1.6.9 requires of servers. The user may be empty: several
    /// vendors want the key as the password of nobody.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer(Secret),
    /// A header of the server's own, such as `X-API-Key`, or `Authorization` with another scheme.
    Header {
        /// Its name.
        name: String,
        /// Its whole value.
        value: Secret,
    },
}

impl Auth {
    /// The header to send, marked as sensitive so that no log of the HTTP library shows it.
    ///
    /// # Errors
    /// [`TaxiiError::InvalidOption`] if the name or the value can't stand in a header; the value is not shown.
    pub(super) fn header(&self) -> Result<Option<(HeaderName, HeaderValue)>, TaxiiError> {
        let Some((name, value)) = self.name_and_value() else { return Ok(None) };
        let invalid = |reason: &str| TaxiiError::InvalidOption { option: "credentials", reason: reason.to_owned() };
        let name = HeaderName::try_from(name).map_err(|_| invalid("the header's name is not a header name"))?;
        let mut value = HeaderValue::try_from(value)
            .map_err(|_| invalid("the secret has characters that can't stand in a header, such as a line end"))?;
        value.set_sensitive(true);
        Ok(Some((name, value)))
    }

    fn name_and_value(&self) -> Option<(&str, String)> {
        let authorization = AUTHORIZATION.as_str();
        match self {
            Self::None => None,
            Self::Basic { user, password } => Some((authorization, format!("Basic {}", basic(user, password)))),
            Self::Bearer(token) => Some((authorization, format!("Bearer {}", token.text()))),
            Self::Header { name, value } => Some((name, value.text().to_owned())),
        }
    }

    /// `text` with each of the secrets replaced by `***`: a server may repeat what it was sent.
    pub(super) fn redact(&self, text: &str) -> String {
        let mut secrets = match self {
            Self::None => vec![],
            Self::Basic { user, password } => vec![password.text().to_owned(), basic(user, password)],
            Self::Bearer(secret) | Self::Header { value: secret, .. } => {
                // A header's value may be a scheme and a key: the key alone must not show either.
                let last_word = secret.text().rsplit(' ').next().unwrap_or_default().to_owned();
                vec![secret.text().to_owned(), last_word]
            }
        };
        // A server may also have hidden it in a `next`, which goes into the URL.
        let in_urls = |secret: &String| url::form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>();
        secrets.extend(secrets.iter().map(in_urls).collect::<Vec<_>>());
        secrets
            .iter()
            .filter(|secret| !secret.is_empty())
            .fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

fn basic(user: &str, password: &Secret) -> String {
    STANDARD.encode(format!("{user}:{}", password.text()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(auth: &Auth) -> (String, String) {
        let (name, value) = auth.header().unwrap().unwrap();
        assert!(value.is_sensitive());
        (name.to_string(), value.to_str().unwrap().to_owned())
    }

    #[test]
    fn headers() {
        assert_eq!(Auth::None.header().unwrap(), None);
        let basic = Auth::Basic { user: "admin".into(), password: Secret::new("Password0") };
        assert_eq!(sent(&basic), ("authorization".into(), "Basic YWRtaW46UGFzc3dvcmQw".into()));
        assert_eq!(sent(&Auth::Bearer(Secret::new("k"))), ("authorization".into(), "Bearer k".into()));
        let header = Auth::Header { name: "X-API-Key".into(), value: Secret::new("k") };
        assert_eq!(sent(&header), ("x-api-key".into(), "k".into()));
    }

    #[test]
    fn an_empty_user_is_allowed() {
        let auth = Auth::Basic { user: String::new(), password: Secret::new("k") };
        assert_eq!(sent(&auth).1, "Basic Oms=");
    }

    #[test]
    fn a_secret_that_fits_no_header_is_refused_unseen() {
        let error = Auth::Bearer(Secret::new("hidden\r\nX-Evil: 1")).header().unwrap_err();
        assert!(!error.to_string().contains("hidden"), "{error}");
        let error = Auth::Header { name: "no good".into(), value: Secret::new("hidden") }.header().unwrap_err();
        assert!(!error.to_string().contains("hidden"), "{error}");
    }

    #[test]
    fn debug_and_server_messages_hide_secrets() {
        let auths = [
            Auth::Basic { user: "admin".into(), password: Secret::new("hidden") },
            Auth::Bearer(Secret::new("hidden")),
            Auth::Header { name: "Authorization".into(), value: Secret::new("Token hidden") },
        ];
        for auth in auths {
            assert!(!format!("{auth:?}").contains("hidden"), "{auth:?}");
            assert_eq!(auth.redact("bad key hidden"), "bad key ***");
            assert_eq!(auth.redact("?next=hidden"), "?next=***");
        }
    }

    #[test]
    fn a_secret_is_known_in_a_url_too() {
        let auth = Auth::Bearer(Secret::new("a+b/c=="));
        assert_eq!(
            auth.redact("> GET https://feed.example/?next=a%2Bb%2Fc%3D%3D"),
            "> GET https://feed.example/?next=***"
        );
    }

    #[test]
    fn an_empty_secret_does_not_redact_everything() {
        let auth = Auth::Bearer(Secret::new(""));
        assert_eq!(auth.redact("fine"), "fine");
    }
}
