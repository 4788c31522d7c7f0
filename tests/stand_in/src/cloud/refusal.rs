//! What Bitbucket Cloud says when it refuses. Verbatim where a report quotes it: the credentials,
//! scopes, repository, commit, fields and "Forbidden"; the rest is in their manner.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::answer::RATE_LIMITED;
use crate::reply::Reply;

pub(super) fn no_such_resource() -> Reply {
    message(404, "Resource not found")
}

pub(super) fn method_not_allowed(allowed: &str) -> Reply {
    message(405, "Method not allowed").with_header("allow", allowed)
}

/// Also said to those who may not see the repository.
pub(super) fn no_repository() -> Reply {
    message(
        404,
        "You may not have access to this repository or it no longer exists in this workspace. \
         If you think this repository exists and you have access, make sure you are authenticated.",
    )
}

pub(super) fn no_commit(sha: &str) -> Reply {
    let data = json!({ "shas": [sha] });
    Body {
        data: Some(data.clone()),
        error: Error {
            data: Some(data),
            ..Error::new("Commit not found")
        },
        ..Body::default()
    }
    .reply(404)
}

pub(super) fn no_status() -> Reply {
    message(404, "Build status not found")
}

/// Nothing but a header (runatlantis/atlantis#599).
pub(super) fn bad_basic() -> Reply {
    Reply::empty(401).with_header("www-authenticate", r#"Basic realm="Bitbucket.org HTTP""#)
}

pub(super) fn bad_token() -> Reply {
    message(
        401,
        "Token is invalid, expired, or not supported for this endpoint.",
    )
}

pub(super) fn expired_token() -> Reply {
    message(
        401,
        "Access token expired. Use your refresh token to obtain a new access token.",
    )
}

pub(super) fn rate_limited() -> Reply {
    Reply::text_as("text/plain", 429, RATE_LIMITED)
}

pub(super) fn lacks_scopes(required: &str, granted: &[&str]) -> Reply {
    Body {
        error: Error {
            detail: Some(json!({ "required": [required], "granted": granted })),
            ..Error::new("Your credentials lack one or more required privilege scopes.")
        },
        ..Body::default()
    }
    .reply(403)
}

pub(super) fn forbidden() -> Reply {
    message(403, "Forbidden")
}

pub(super) fn bad_request(text: &str) -> Reply {
    message(400, text)
}

/// Names every bad field, and the first in the message (buildbot/buildbot#7049).
pub(super) fn bad_fields(problems: &[(&str, String)]) -> Reply {
    let first = problems
        .first()
        .map(|(field, text)| format!("{field}: {text}"))
        .unwrap_or_default();
    let mut fields = Map::new();
    for (field, text) in problems {
        fields.insert((*field).to_owned(), json!([text]));
    }
    Body {
        error: Error {
            fields: Some(fields),
            ..Error::new(&first)
        },
        ..Body::default()
    }
    .reply(400)
}

fn message(status: u16, text: &str) -> Reply {
    Body {
        error: Error::new(text),
        ..Body::default()
    }
    .reply(status)
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
    r#type: &'static str,
    error: Error<'a>,
}

#[derive(Default, Serialize)]
struct Error<'a> {
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
}

impl Default for Body<'_> {
    fn default() -> Self {
        Self {
            data: None,
            r#type: "error",
            error: Error::default(),
        }
    }
}

impl Body<'_> {
    fn reply(&self, status: u16) -> Reply {
        Reply::json(status, self)
    }
}

impl<'a> Error<'a> {
    fn new(message: &'a str) -> Self {
        Self {
            message,
            ..Self::default()
        }
    }
}
