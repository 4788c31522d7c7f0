//! What GitLab's answers mean.

use std::time::SystemTime;

use serde_json::Value;

use crate::error::{Error, Server};
use crate::gitlab::credentials::Token;
use crate::gitlab::server::GitLab;
use crate::http::judge;
use crate::http::response::{HTML_PAGE, Response};
use crate::http::session::Verdict;

pub(super) fn judge(response: &Response, gitlab: &GitLab, now: SystemTime) -> Verdict {
    judge::judge(response, Server::GitLab, now, || {
        let message = message(response);
        let hint = hint(response.status, &message, &gitlab.token);
        (said_by(gitlab, &message), hint)
    })
}

/// The refusal that an empty list is.
pub(super) fn no_jobs(gitlab: &GitLab, message: &str) -> Error {
    Error::unexpected(said_by(gitlab, message), hint(403, "", &gitlab.token))
}

fn said_by(gitlab: &GitLab, message: &str) -> String {
    match &gitlab.version {
        Some(version) => format!("{message} (GitLab {version}, {})", gitlab.token.describe()),
        None => format!("{message} (GitLab, {})", gitlab.token.describe()),
    }
}

/// What the body says went wrong: `message`, which may be an object, or OAuth's `error` with its
/// description.
fn message(response: &Response) -> String {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(fields) => fields.values().find_map(Value::as_str).map(str::to_owned),
        _ => None,
    };
    let description = ["message", "error_description", "error"]
        .into_iter()
        .find_map(|name| text(&body[name]));
    let message = description
        .or_else(|| response.first_line())
        .unwrap_or_else(|| "no message".into());
    let line: String = message.chars().take(300).collect();
    response.secrets.redact_outside(&line)
}

/// What a job's token may read, and what to do where that is not enough. Where an old GitLab does not
/// take it, the question is nobody's: 404 in a private project.
const JOB_TOKEN: &str = "job tokens may read jobs from GitLab 18.3 on, and child pipelines from 18.6 \
                         on, with the rights of the user who started the job; otherwise create a \
                         project access token with the scope read_api and the role Reporter, and put \
                         it into the masked CI/CD variable BUILD_STATUS_GITLAB_TOKEN";

fn hint(status: u16, message: &str, token: &Token) -> Option<&'static str> {
    Some(match (status, token) {
        _ if message.starts_with(HTML_PAGE) && status < 500 => {
            "that is not GitLab's API: check CI_API_V4_URL, and what stands in front of GitLab"
        }
        (429, _) => "GitLab limits requests for each user: raise --timeout, or run this less often",
        (500.., _) => "GitLab, or a proxy before it, is down or busy: try again later",
        // Grape's words; the pipeline's are "404 Not found".
        (404, _) if message == "404 Not Found" => {
            "there is no such place in this GitLab's API: check CI_API_V4_URL, which ends in /api/v4"
        }
        (404, _) if message == "404 Not found" => {
            "there is no such pipeline in this project: check --pipeline"
        }
        (401 | 403 | 404, Token::Job(_)) => JOB_TOKEN,
        (401, Token::Access(_)) => {
            "the token in BUILD_STATUS_GITLAB_TOKEN is wrong, expired or revoked: create a project \
             access token with the scope read_api and the role Reporter"
        }
        (403 | 404, Token::Access(_)) => {
            "the token in BUILD_STATUS_GITLAB_TOKEN needs the scope read_api, and the role Reporter \
             in this project"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_in_every_shape_of_body() {
        for (body, expected) in [
            (
                r#"{"message":"404 Project Not Found"}"#,
                "404 Project Not Found",
            ),
            (
                r#"{"message":{"error":"Too many times."}}"#,
                "Too many times.",
            ),
            (
                r#"{"error":"invalid_token","error_description":"Token was revoked."}"#,
                "Token was revoked.",
            ),
            (r#"{"error":"404 Not Found"}"#, "404 Not Found"),
            ("Retry later\n", "Retry later"),
            ("", "no message"),
            ("[]", "[]"),
        ] {
            let response = Response {
                status: 404,
                body: body.into(),
                ..Response::default()
            };
            assert_eq!(message(&response), expected);
        }
    }
}
