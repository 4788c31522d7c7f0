//! What a test tells the server to do with a request.

use std::time::Duration;

/// What Bitbucket Cloud says to one who asks too much.
pub(crate) const RATE_LIMITED: &str = "Rate limit for this resource has been exceeded";

/// What to do with one request, instead of what Bitbucket would do.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Say this. Nothing is stored.
    Reply {
        /// From 200 to 999.
        status: u16,
        /// Sent in this order.
        headers: Vec<(String, String)>,
        /// May be empty.
        body: String,
    },
    /// Wait, then do as Bitbucket would, even if the client has left by then.
    Late(Duration),
    /// Wait, then do this.
    LateReply(Duration, Box<Self>),
    /// Never answer, and keep the connection open.
    Silence,
    /// Read the request, then close the connection without a byte.
    Reset,
    /// Do as Bitbucket would, but close the connection after half of the body.
    CutOff,
    /// Store the status as Bitbucket would, then close the connection without a byte.
    LostReply,
    /// Close the connection without a byte, and store the status after this long.
    LostAndLate(Duration),
}

impl Answer {
    /// A status without a body.
    pub fn status(status: u16) -> Self {
        Self::Reply {
            status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// A body of JSON, sent as it is.
    pub fn json(status: u16, body: &str) -> Self {
        Self::with_body(status, "application/json", body)
    }

    /// A web page, as a proxy or a login page would send it.
    pub fn html(status: u16, body: &str) -> Self {
        Self::with_body(status, "text/html; charset=utf-8", body)
    }

    /// Plain text.
    pub fn text(status: u16, body: &str) -> Self {
        Self::with_body(status, "text/plain", body)
    }

    /// A redirect without a body.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::status(status).with_header("location", location)
    }

    /// What Bitbucket Cloud says to one who asks too much: plain text and no `Retry-After`
    /// (SharpBucket#108, Jenkins' bitbucket-branch-source PR #414).
    pub fn rate_limited() -> Self {
        Self::text(429, RATE_LIMITED)
    }

    /// The same with one more header, for an answer that is said.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers_mut().push((name.to_owned(), value.to_owned()));
        self
    }

    fn with_body(status: u16, content_type: &str, body: &str) -> Self {
        Self::Reply {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body: body.to_owned(),
        }
    }

    fn headers_mut(&mut self) -> &mut Vec<(String, String)> {
        match self {
            Self::Reply { headers, .. } => headers,
            Self::LateReply(_, answer) => answer.headers_mut(),
            other => panic!("{other:?} has no headers of its own"),
        }
    }
}
