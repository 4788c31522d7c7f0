//! What Data Center says when it refuses. Verbatim where a report quotes it: those with an exception
//! of `com.atlassian.bitbucket`, "Please specify a valid url" and "null for uri"; the rest is in
//! their manner.

use serde_json::{Value, json};

use super::json;
use crate::reply::Reply;

/// One of several errors.
pub(super) struct Problem {
    pub(super) context: Option<&'static str>,
    pub(super) message: String,
}

/// Nothing of Bitbucket's is there. Below /rest its framework answers, in a way of its own
/// (ArcBees/teamcity-plugins#49); elsewhere the web interface does.
pub(super) fn no_such_resource(url: &str, context_path: &str, target: &str) -> Reply {
    let below = target.strip_prefix(context_path).unwrap_or_default();
    if below.starts_with("/rest/") {
        return framework(404, &format!("null for uri: {url}{target}"));
    }
    let page = "<!DOCTYPE html><html><body><h1>Oops, you've found a dead link.</h1></body></html>";
    Reply::text_as("text/html;charset=UTF-8", 404, page)
}

pub(super) fn method_not_allowed(allowed: &[&str]) -> Reply {
    framework(405, "Method Not Allowed").with_header("allow", allowed.join(", "))
}

pub(super) fn unsupported_media_type() -> Reply {
    framework(415, "Unsupported Media Type")
}

/// jenkinsci/stashnotifier-plugin#168.
pub(super) fn wrong_password() -> Reply {
    wrong_token().with_header("www-authenticate", BASIC)
}

pub(super) fn wrong_token() -> Reply {
    let message = "Authentication failed. Please check your credentials and try again.";
    let exception = "auth.IncorrectPasswordAuthenticationException";
    error(401, message, Some(exception))
}

/// jenkinsci/stashnotifier-plugin#263.
pub(super) fn locked(url: &str) -> Reply {
    let message = format!(
        "CAPTCHA required. Your Bitbucket account has been locked. To unlock it and log in again you \
         must solve a CAPTCHA. This is typically caused by too many attempts to login with an \
         incorrect password. The account lock prevents your SCM client from accessing Bitbucket and \
         its mirrors until it is solved, even if you enter your password correctly.\n\nIf you are \
         currently logged in to Bitbucket via a browser you may need to logout and then log back in \
         in order to solve the CAPTCHA.\n\nVisit Bitbucket at {url} for more details."
    );
    let exception = "auth.CaptchaRequiredAuthenticationException";
    error(401, &message, Some(exception)).with_header("www-authenticate", BASIC)
}

/// Said with a 401, not a 403, and to strangers too.
pub(super) fn not_permitted() -> Reply {
    let message = "You are not permitted to access this resource";
    error(401, message, Some("AuthorisationException"))
}

pub(super) fn rate_limited(seconds: u64) -> Reply {
    let message = "You have been rate limited. Try again later.";
    error(429, message, None).with_header("retry-after", seconds.to_string())
}

pub(super) fn no_project(key: &str) -> Reply {
    let message = format!("Project {key} does not exist.");
    error(404, &message, Some("project.NoSuchProjectException"))
}

pub(super) fn no_repository(project: &str, slug: &str) -> Reply {
    let message = format!("Repository {project}/{slug} does not exist.");
    let exception = "repository.NoSuchRepositoryException";
    error(404, &message, Some(exception))
}

pub(super) fn no_commit(sha: &str, repository: &str) -> Reply {
    let message = format!("Commit '{sha}' does not exist in repository '{repository}'.");
    error(404, &message, Some("commit.NoSuchCommitException"))
}

pub(super) fn no_status(key: &str, sha: &str) -> Reply {
    let message = format!("Build status '{key}' does not exist for commit '{sha}'.");
    error(404, &message, None)
}

pub(super) fn not_a_hash(sha: &str) -> Reply {
    let message = format!("'{sha}' is not a full 40-character SHA1");
    error(400, &message, None)
}

pub(super) fn bad_parameter(name: &str) -> Reply {
    let message = format!("The query parameter '{name}' is missing or not valid");
    error(400, &message, None)
}

pub(super) fn not_json() -> Reply {
    error(400, "The request body is not a JSON object", None)
}

/// Names every bad field.
pub(super) fn bad_fields(problems: &[Problem]) -> Reply {
    let entries: Vec<_> = problems
        .iter()
        .map(|problem| entry(problem.context, &problem.message, None))
        .collect();
    json(400, &json!({ "errors": entries }))
}

const BASIC: &str = r#"Basic realm="Atlassian Bitbucket""#;

fn error(status: u16, message: &str, exception: Option<&str>) -> Reply {
    json(
        status,
        &json!({ "errors": [entry(None, message, exception)] }),
    )
}

fn entry(context: Option<&str>, message: &str, exception: Option<&str>) -> Value {
    json!({
        "context": context,
        "message": message,
        "exceptionName": exception.map(|name| format!("com.atlassian.bitbucket.{name}")),
    })
}

fn framework(status: u16, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({ "message": message, "status-code": status }),
    )
}
