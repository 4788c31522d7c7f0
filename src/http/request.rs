//! An HTTP request, as plain data.

use crate::secret::Secret;

/// An HTTP request, exactly as it is sent.
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
    /// A value that may be printed.
    Plain(&'static str),
    /// An authentication scheme, and credentials that must not be printed.
    Authorization(&'static str, Secret),
}

impl Value {
    /// The value to send.
    pub fn expose(&self) -> String {
        match self {
            Self::Plain(text) => (*text).to_owned(),
            Self::Authorization(scheme, secret) => format!("{scheme} {}", secret.expose()),
        }
    }

    /// The value to print, with `***` for credentials.
    pub fn masked(&self) -> String {
        match self {
            Self::Plain(text) => (*text).to_owned(),
            Self::Authorization(scheme, _) => format!("{scheme} ***"),
        }
    }
}

/// The `User-Agent` of every request.
pub const USER_AGENT: &str = concat!("build_status/", env!("CARGO_PKG_VERSION"));

impl Request {
    /// A GET that accepts JSON.
    pub fn get(url: String) -> Self {
        Self::new("GET", url, None, String::new())
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

    /// Adds a header.
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
        }
    }
}
