//! An HTTP response, as plain data.

use std::time::{Duration, SystemTime};

use serde_json::value::RawValue;

use crate::secret::Redactor;

/// An HTTP response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, up to the limit for reading.
    pub body: Vec<u8>,
    /// Redacts secrets that the response may repeat.
    pub secrets: Redactor,
}

/// The name for an HTML page in messages.
pub(crate) const HTML_PAGE: &str = "an HTML page";

impl Response {
    /// The value of the header `name`, in lower case. The value may repeat a secret.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The same, redacted.
    pub(crate) fn printable_header(&self, name: &str) -> Option<String> {
        self.header(name)
            .map(|value| self.secrets.redact_outside(value))
    }

    /// The server's id of the request: Data Center's, the usual one, or that of Atlassian's edge.
    pub(crate) fn request_id(&self) -> Option<String> {
        ["x-arequestid", "x-request-id", "atl-traceid"]
            .into_iter()
            .find_map(|name| self.printable_header(name))
    }

    /// Drops the last word of an incomplete body: it may be part of a secret.
    pub(crate) fn body_was_cut(&mut self) {
        let whole = self.body.iter().rposition(u8::is_ascii_whitespace);
        self.body.truncate(whole.unwrap_or(0));
    }

    /// Whether the body is empty or valid JSON, as that of an API.
    pub(crate) fn is_empty_or_json(&self) -> bool {
        self.body.trim_ascii().is_empty() || serde_json::from_slice::<&RawValue>(&self.body).is_ok()
    }

    /// `Retry-After`: seconds (some servers send 2^63 - 1) or a date, relative to `now`.
    pub(crate) fn retry_after(&self, now: SystemTime) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
        }
        let date = |text| httpdate::parse_http_date(text).ok();
        let until = date(text)?;
        // The server's clock, because ours may be another one.
        let now = self.header("date").and_then(date).unwrap_or(now);
        Some(until.duration_since(now).unwrap_or_default())
    }

    /// The first line of the body; of an HTML page, the title.
    pub(crate) fn first_line(&self) -> Option<String> {
        // Redact first: a secret that is cut is no longer found.
        let text = (self.secrets).redact_outside(&String::from_utf8_lossy(&self.body));
        let line = text.lines().map(str::trim).find(|line| !line.is_empty());
        let kind = self.header("content-type").unwrap_or_default();
        let is_html = kind.to_ascii_lowercase().contains("html") && line.is_some();
        if is_html || line.is_some_and(|line| line.starts_with('<')) {
            return Some(match title(&text) {
                Some(title) => format!("{HTML_PAGE}, \"{title}\""),
                None => HTML_PAGE.into(),
            });
        }
        let line = line?;
        Some(line.chars().take(300).collect())
    }
}

/// The title of an HTML page, which often names the problem.
fn title(html: &str) -> Option<String> {
    let (_, rest) = html
        .split_once("<title>")
        .or_else(|| html.split_once("<TITLE>"))?;
    let title = rest
        .split('<')
        .next()?
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    (!title.is_empty()).then(|| title.chars().take(100).collect())
}
