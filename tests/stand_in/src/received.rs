//! What a client sent.

use http_body_util::BodyExt as _;
use hyper::Request;
use hyper::body::Incoming;
use serde_json::Value;

use crate::percent;

/// One request, as it arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// In upper case.
    pub method: String,
    /// The request target as sent: percent signs, query and all.
    pub path: String,
    /// Names in lower case, in the order of arrival; a repeated name stands with its first.
    pub headers: Vec<(String, String)>,
    /// What is not UTF-8 is replaced by U+FFFD.
    pub body: String,
}

impl Received {
    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON. Panics with the body when it is not.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("the body is not JSON ({error}): {}", self.body))
    }

    /// Whether the body is of this media type.
    pub(crate) fn is_of(&self, media_type: &str) -> bool {
        let content_type = self.header("content-type").unwrap_or_default();
        let sent = content_type.split(';').next().unwrap_or_default();
        sent.trim().eq_ignore_ascii_case(media_type)
    }

    /// A parameter of the query, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let (_, query) = self.path.split_once('?')?;
        let value = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find_map(|(key, value)| (key == name).then_some(value))?;
        Some(percent::decode(value))
    }

    /// Reads the request to its end.
    pub(crate) async fn read(request: Request<Incoming>) -> hyper::Result<Self> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Self {
            method: head.method.to_string(),
            path: head.uri.to_string(),
            headers: head
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
                .collect(),
            body: text(&body),
        })
    }
}
