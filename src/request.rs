//! What is sent, as plain data.

use crate::auth::Credentials;
use crate::secret::Secret;

/// An HTTP request, exactly as it goes out.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The whole URL.
    pub url: String,
    /// The headers, in order, without `Host` and `Content-Length`.
    pub headers: Vec<(&'static str, Value)>,
    /// The body.
    pub body: String,
}

/// The value of a header.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Seen by everybody.
    Plain(&'static str),
    /// A scheme that is seen, and credentials that are not.
    Authorization(&'static str, Secret),
}

impl Value {
    /// What goes over the wire.
    pub fn expose(&self) -> String {
        match self {
            Self::Plain(text) => (*text).to_owned(),
            Self::Authorization(scheme, secret) => format!("{scheme} {}", secret.expose()),
        }
    }

    /// What may be printed.
    pub fn masked(&self) -> String {
        match self {
            Self::Plain(text) => (*text).to_owned(),
            Self::Authorization(scheme, _) => format!("{scheme} ***"),
        }
    }
}

/// Our name and version, in every request.
pub const USER_AGENT: &str = concat!("build_status/", env!("CARGO_PKG_VERSION"));

impl Request {
    /// A GET of JSON.
    pub fn get(url: String, credentials: Option<&Credentials>) -> Self {
        Self::new("GET", url, credentials, None, String::new())
    }

    /// A POST of JSON.
    pub fn post_json(url: String, credentials: Option<&Credentials>, body: String) -> Self {
        Self::new("POST", url, credentials, Some("application/json"), body)
    }

    /// A POST of a form.
    pub fn post_form(url: String, credentials: Option<&Credentials>, body: String) -> Self {
        let content_type = "application/x-www-form-urlencoded";
        Self::new("POST", url, credentials, Some(content_type), body)
    }

    fn new(
        method: &'static str,
        url: String,
        credentials: Option<&Credentials>,
        content_type: Option<&'static str>,
        body: String,
    ) -> Self {
        let mut headers = vec![
            ("User-Agent", Value::Plain(USER_AGENT)),
            ("Accept", Value::Plain("application/json")),
        ];
        if let Some(content_type) = content_type {
            headers.push(("Content-Type", Value::Plain(content_type)));
        }
        if let Some(credentials) = credentials {
            let (scheme, secret) = credentials.authorization();
            headers.push(("Authorization", Value::Authorization(scheme, secret)));
        }
        Self {
            method,
            url,
            headers,
            body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_print_of_a_request_shows_the_credentials() {
        let credentials = Credentials::Basic {
            username: "me@example.com".into(),
            token: Secret::new("t0ken"),
        };
        let request =
            Request::post_json("https://x.example/".into(), Some(&credentials), "{}".into());
        let (_, secret) = credentials.authorization();
        let debug = format!("{request:?}");
        assert!(
            !debug.contains("t0ken") && !debug.contains(secret.expose()),
            "{debug}"
        );
        assert_eq!(request.headers.last().unwrap().1.masked(), "Basic ***");
    }
}
