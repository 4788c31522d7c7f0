//! What AWS says when it does not do what it was asked.
//! <https://docs.aws.amazon.com/codebuild/latest/APIReference/CommonErrors.html>

use std::fmt;

use serde::Deserialize;

use crate::aws::api::Call;
use crate::aws::json::{Object, Text};

/// An answer that is not a success.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) kind: Kind,
    pub(crate) status: u16,
    /// AWS's name for it, as `ThrottlingException`, and the first line of AWS's words.
    pub(crate) message: String,
    pub(crate) request_id: Option<String>,
}

/// What follows from it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Too many requests: the same one later.
    Throttled,
    /// A fault of AWS: the same one later.
    Failing,
    /// The session has ended: once more with new credentials, where there are any to be had.
    Expired,
    /// The role lacks a permission.
    Denied {
        action: String,
        resource: Option<String>,
    },
    /// This machine's clock is wrong.
    Clock,
    /// The credentials are not AWS's, or belong to another partition.
    Credentials,
    /// There is no such pipeline, execution, secret or parameter.
    NotFound,
    /// An answer that is not the API's.
    NotAws,
    Other,
}

impl Refusal {
    pub(super) fn read(call: &Call, status: u16, request_id: Option<&str>, body: &str) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Body {
            #[serde(rename = "__type")]
            kind: Text,
            #[serde(alias = "Message")]
            message: Text,
        }
        let body: Object<Body> = serde_json::from_str(body).unwrap_or_default();
        let Object(body) = body;
        let name = body.kind.get().map(short_name).unwrap_or_default();
        // The further lines of a wrong signature's message repeat the request, session token included.
        let line = body.message.get().unwrap_or_default().lines().next();
        let line: String = line.unwrap_or_default().chars().take(500).collect();
        let parts = [name.as_str(), line.as_str()];
        let parts: Vec<_> = parts.into_iter().filter(|it| !it.is_empty()).collect();
        Self {
            kind: kind(call, status, &name, &line),
            status,
            message: parts.join(": "),
            request_id: request_id.map(str::to_owned),
        }
    }

    /// A success whose body has not what was asked for.
    pub(super) fn not_aws(status: u16, request_id: Option<&str>, message: &str) -> Self {
        Self {
            kind: Kind::NotAws,
            status,
            message: message.to_owned(),
            request_id: request_id.map(str::to_owned),
        }
    }

    /// Whether the same request may go better later.
    pub(crate) const fn is_retryable(&self) -> bool {
        matches!(self.kind, Kind::Throttled | Kind::Failing)
    }

    pub(crate) fn hint(&self) -> Option<String> {
        Some(match &self.kind {
            Kind::Denied { action, resource } => {
                let resource = resource.as_deref().unwrap_or("what was asked for");
                format!("allow {action} on {resource} in the policy of the role")
            }
            Kind::Expired => "the AWS credentials have expired: pass new ones".to_owned(),
            Kind::Clock => "set this machine's clock: AWS allows 5 minutes".to_owned(),
            Kind::Credentials => {
                "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN: all three are of \
                 one session, and of the partition of the region"
                    .to_owned()
            }
            Kind::NotAws => "check AWS_ENDPOINT_URL and the proxy variables".to_owned(),
            Kind::NotFound | Kind::Throttled | Kind::Failing | Kind::Other => return None,
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AWS: HTTP {}", self.status)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        match &self.request_id {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

/// `ns#Name:http://…` is `Name`.
fn short_name(kind: &str) -> String {
    let name = kind.split(':').next().unwrap_or(kind);
    let name = name.rsplit('#').next().unwrap_or(name);
    name.chars().take(100).collect()
}

fn kind(call: &Call, status: u16, name: &str, message: &str) -> Kind {
    let is_one_of = |names: &[&str]| names.contains(&name);
    let is_about_clock = message.starts_with("Signature expired")
        || message.starts_with("Signature not yet current");
    if status == 429
        || name.starts_with("Throttl")
        || is_one_of(&[
            "TooManyRequestsException",
            "RequestLimitExceeded",
            "SlowDown",
        ])
    {
        Kind::Throttled
    } else if status >= 500 || status == 408 || name.starts_with("RequestTimeout") {
        Kind::Failing
    } else if is_one_of(&["RequestTimeTooSkewed", "RequestExpired"]) || is_about_clock {
        Kind::Clock
    } else if name.starts_with("ExpiredToken") {
        Kind::Expired
    } else if name.starts_with("AccessDenied") {
        denied(call, message)
    } else if is_one_of(&[
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    ]) {
        Kind::Credentials
    } else if name.ends_with("NotFoundException") || name.ends_with("NotFound") {
        Kind::NotFound
    } else if name.is_empty() {
        Kind::NotAws
    } else {
        Kind::Other
    }
}

/// `User: … is not authorized to perform: ACTION on resource: ARN because …`
fn denied(call: &Call, message: &str) -> Kind {
    let word_behind = |words: &str| {
        let (_, behind) = message.split_once(words)?;
        let word = behind.split_whitespace().next()?;
        Some(word.trim_end_matches(',').to_owned())
    };
    let about_key = message.contains("KMS") || message.contains("ciphertext");
    let usual = if about_key {
        "kms:Decrypt"
    } else {
        call.permission()
    };
    Kind::Denied {
        action: word_behind("not authorized to perform: ").unwrap_or_else(|| usual.to_owned()),
        resource: word_behind(" on resource: "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, name: &str, message: &str) -> Refusal {
        let call = Call::Build { id: "web:1".into() };
        let body = serde_json::json!({"__type": name, "Message": message});
        Refusal::read(&call, status, None, &body.to_string())
    }

    #[test]
    fn a_refusal_says_what_follows_from_it() {
        let denied = |action: &str, resource: Option<&str>| Kind::Denied {
            action: action.into(),
            resource: resource.map(str::to_owned),
        };
        let who = "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: codebuild:BatchGetBuilds";
        for (status, name, message, expected) in [
            (400, "ThrottlingException", "Rate exceeded", Kind::Throttled),
            (
                400,
                "com.amazon.coral.availability#ThrottlingException",
                "",
                Kind::Throttled,
            ),
            (429, "", "", Kind::Throttled),
            (500, "InternalServiceError", "", Kind::Failing),
            (503, "", "", Kind::Failing),
            (400, "ExpiredTokenException:http://x/", "", Kind::Expired),
            (
                400,
                "AccessDeniedException",
                who,
                denied("codebuild:BatchGetBuilds", None),
            ),
            (
                400,
                "AccessDeniedException",
                &format!("{who} on resource: arn:aws:codebuild:r:1:project/web because no policy"),
                denied(
                    "codebuild:BatchGetBuilds",
                    Some("arn:aws:codebuild:r:1:project/web"),
                ),
            ),
            (
                400,
                "AccessDeniedException",
                "",
                denied("codebuild:BatchGetBuilds", None),
            ),
            (
                400,
                "AccessDeniedException",
                "Access to KMS is not allowed",
                denied("kms:Decrypt", None),
            ),
            (
                400,
                "InvalidSignatureException",
                "Signature expired: 1 is now",
                Kind::Clock,
            ),
            (
                403,
                "SignatureDoesNotMatch",
                "The request signature",
                Kind::Credentials,
            ),
            (400, "UnrecognizedClientException", "", Kind::Credentials),
            (
                400,
                "PipelineExecutionNotFoundException",
                "",
                Kind::NotFound,
            ),
            (400, "ns#ParameterNotFound", "", Kind::NotFound),
            (400, "ValidationException", "", Kind::Other),
            (407, "", "", Kind::NotAws),
        ] {
            assert_eq!(
                refusal(status, name, message).kind,
                expected,
                "{name} {message}"
            );
        }
        assert!(refusal(503, "", "").is_retryable());
        assert!(!refusal(400, "ValidationException", "").is_retryable());
    }

    #[test]
    fn the_session_token_that_aws_repeats_is_not_kept() {
        let message = "The request signature does not match.\n\nThe Canonical String should have \
                       been\n'POST\nx-amz-security-token:t0ken";
        let refusal = refusal(403, "SignatureDoesNotMatch", message);
        assert!(!format!("{refusal:?} {refusal}").contains("t0ken"));
        assert_eq!(
            refusal.to_string(),
            "AWS: HTTP 403: SignatureDoesNotMatch: The request signature does not match."
        );
    }

    #[test]
    fn an_answer_that_is_not_json_is_not_aws() {
        let call = Call::Build { id: "web:1".into() };
        for body in ["", "<html>", "[1]", "null"] {
            let refusal = Refusal::read(&call, 403, Some("r-1"), body);
            assert_eq!(refusal.kind, Kind::NotAws, "{body}");
            assert_eq!(refusal.to_string(), "AWS: HTTP 403 (request r-1)");
        }
    }
}
