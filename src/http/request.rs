//! An HTTP request, as plain data.

use crate::secret::Secret;

/// An HTTP request, exactly as it is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// `GET` or `POST`.
    pub(crate) method: &'static str,
    /// The whole URL.
    pub url: String,
    /// The headers, in order, without `Host` and `Content-Length`.
    pub(crate) headers: Vec<(&'static str, Value)>,
    /// The body.
    pub body: String,
    /// How many bytes are read of the answer's.
    pub(crate) longest_body: u64,
}

/// What is read of an answer.
const LONGEST_BODY: u64 = 64 * 1024;

/// What is read of a page of a list: GitLab's have 300 KB, and more where commits have long messages.
const LONGEST_PAGE: u64 = 4 * 1024 * 1024;

/// The value of a header.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// A value that may be printed.
    Plain(&'static str),
    /// An authentication scheme, and credentials that must not be printed.
    Authorization(&'static str, Secret),
    /// A token.
    Token(Secret),
}

impl Value {
    /// The value to send.
    pub(crate) fn expose(&self) -> String {
        match self {
            Self::Plain(text) => (*text).to_owned(),
            Self::Authorization(scheme, secret) => format!("{scheme} {}", secret.expose()),
            Self::Token(secret) => secret.expose().to_owned(),
        }
    }

    /// The value to print, with `***` for credentials.
    pub(crate) fn masked(&self) -> String {
        match self {
            Self::Plain(text) => (*text).to_owned(),
            Self::Authorization(scheme, _) => format!("{scheme} ***"),
            Self::Token(_) => "***".to_owned(),
        }
    }
}

/// The `User-Agent` of every request.
pub(crate) const USER_AGENT: &str = concat!("build_status/", env!("CARGO_PKG_VERSION"));

impl Request {
    /// A GET that accepts JSON.
    pub(crate) fn get(url: String) -> Self {
        Self::new("GET", url, None, String::new())
    }

    /// A GET of a page of a list.
    pub(crate) fn page(url: String) -> Self {
        Self {
            longest_body: LONGEST_PAGE,
            ..Self::get(url)
        }
    }

    /// A POST of JSON.
    pub(crate) fn post_json(url: String, body: String) -> Self {
        Self::new("POST", url, Some("application/json"), body)
    }

    /// A POST of a form.
    pub(crate) fn post_form(url: String, body: String) -> Self {
        let content_type = "application/x-www-form-urlencoded";
        Self::new("POST", url, Some(content_type), body)
    }

    /// Adds a header.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: Value) -> Self {
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
            // We could not read anything else.
            ("Accept-Encoding", Value::Plain("identity")),
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
