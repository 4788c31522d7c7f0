//! What the server says, before it becomes HTTP.

use serde::Serialize;

/// A response as data.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    /// A status without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// A body of JSON.
    pub(crate) fn json(status: u16, body: &impl Serialize) -> Self {
        Self::json_as("application/json", status, body)
    }

    /// A body of JSON under another name.
    pub(crate) fn json_as(content_type: &str, status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_string(body).expect("the keys of our bodies are strings");
        Self::text_as(content_type, status, body)
    }

    /// A body of text.
    pub(crate) fn text_as(content_type: &str, status: u16, body: impl Into<String>) -> Self {
        let mut reply = Self::empty(status).with_header("content-type", content_type);
        reply.body = body.into();
        reply
    }

    /// The same with one more header.
    pub(crate) fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}
