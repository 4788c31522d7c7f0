//! What is sent, as plain data.

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
    /// How many bytes are read of the answer's.
    pub longest_body: u64,
}

/// What is read of an answer.
const LONGEST_BODY: u64 = 64 * 1024;

/// What is read of a page of a list: GitLab's have 300 KB, and more where commits have long messages.
const LONGEST_PAGE: u64 = 4 * 1024 * 1024;

/// The value of a header.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Seen by everybody.
    Plain(&'static str),
    /// A scheme that is seen, and credentials that are not.
    Authorization(&'static str, Secret),
    /// A token.
    Token(Secret),
}

impl Value {
    /// What goes over the wire.
    pub fn expose(&self) -> String {
        match self {
            Self::Plain(text) => (*text).to_owned(),
            Self::Authorization(scheme, secret) => format!("{scheme} {}", secret.expose()),
            Self::Token(secret) => secret.expose().to_owned(),
        }
    }

    /// What may be printed.
    pub fn masked(&self) -> String {
        match self {
            Self::Plain(text) => (*text).to_owned(),
            Self::Authorization(scheme, _) => format!("{scheme} ***"),
            Self::Token(_) => "***".to_owned(),
        }
    }
}

/// Our name and version, in every request.
pub const USER_AGENT: &str = concat!("build_status/", env!("CARGO_PKG_VERSION"));

impl Request {
    /// A GET of JSON.
    pub fn get(url: String) -> Self {
        Self::new("GET", url, None, String::new())
    }

    /// A GET of a page of a list.
    pub fn page(url: String) -> Self {
        Self {
            longest_body: LONGEST_PAGE,
            ..Self::get(url)
        }
    }

    /// A POST of JSON.
    pub fn post_json(url: String, body: String) -> Self {
        Self::new("POST", url, Some("application/json"), body)
    }

    /// A POST of a form.
    pub fn post_form(url: String, body: String) -> Self {
        let content_type = "application/x-www-form-urlencoded";
        Self::new("POST", url, Some(content_type), body)
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Value) -> Self {
        self.headers.push((name, value));
        self
    }

    fn new(
        method: &'static str,
        url: String,
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
        Self {
            method,
            url,
            headers,
            body,
            longest_body: LONGEST_BODY,
        }
    }
}
