//! Refusals of GitLab, and what says something in its stead.

use serde_json::json;

use crate::answer::Answer;
use crate::reply::Reply;

/// Rack::Attack's refusal of one who asks too much, with all its headers.
pub fn throttled(retry_after: u64) -> Answer {
    Answer::text(429, "Retry later\n")
        .with_header("ratelimit-limit", "2000")
        .with_header("ratelimit-name", "throttle_authenticated_api")
        .with_header("ratelimit-observed", "2001")
        .with_header("ratelimit-remaining", "0")
        .with_header("ratelimit-reset", "1609844400")
        .with_header("ratelimit-resettime", "Tue, 05 Jan 2021 11:00:00 GMT")
        .with_header("retry-after", &retry_after.to_string())
}

/// The refusal of a limit of GitLab's own: no header says when to come back.
pub fn asked_too_often() -> Answer {
    let text = "This endpoint has been requested too many times. Try again later.";
    Answer::json(429, &json!({ "message": { "error": text } }).to_string())
}

/// The page to sign in, said with 200.
pub fn sign_in_page() -> Answer {
    Answer::html(200, SIGN_IN)
}

/// nginx finds no GitLab behind it.
pub fn bad_gateway() -> Answer {
    Answer::html(
        502,
        "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n</html>\r\n",
    )
}

pub(super) const SIGN_IN: &str = "<!DOCTYPE html>\n<html><title>Sign in · GitLab</title></html>\n";

/// A body with a `message`: what GitLab's own code says.
pub(super) fn message(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({ "message": text }))
}

/// A body with an `error`: what Grape, below it, says.
pub(super) fn error(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({ "error": text }))
}

pub(super) fn unauthorized() -> Reply {
    message(401, "401 Unauthorized")
}

pub(super) fn invalid_token(description: &str) -> Reply {
    let body = json!({ "error": "invalid_token", "error_description": description });
    Reply::json(401, &body)
}

pub(super) fn insufficient_scope() -> Reply {
    let text = "The request requires higher privileges than provided by the access token.";
    let scope = "api read_api";
    let body = json!({ "error": "insufficient_scope", "error_description": text, "scope": scope });
    Reply::json(403, &body)
}

/// Said to a job of another project.
pub(super) fn lacks_permission(project: &str, permission: &str) -> Reply {
    let text = format!(
        "403 Forbidden - Insufficient permissions to access this resource in project {project}. \
         The following token permission is required: {permission}."
    );
    message(403, &text)
}

/// Also said to those who may not see the project.
pub(super) fn no_project() -> Reply {
    message(404, "404 Project Not Found")
}

pub(super) fn no_route() -> Reply {
    error(404, "404 Not Found")
}
