//! What AWS says when it does not do what it was asked.
//! <https://docs.aws.amazon.com/codebuild/latest/APIReference/CommonErrors.html>

use crate::aws::api::Call;
use crate::ci::event::json::Json;
use crate::error::Error;
use crate::http::response::Response;
use crate::http::retry::RetryHint;
use crate::http::session::Verdict;

/// What an answer to `call` comes to.
pub(super) fn judge(call: &Call, response: &Response) -> Verdict {
    let body = String::from_utf8_lossy(&response.body);
    if response.status == 200 && Json::read(&body).fields().is_some() {
        return Verdict::Accepted;
    }
    let (status, (name, text)) = (response.status, words(&body));
    let said = match [&*name, &*text] {
        ["", ""] => "the answer is not that of the API".to_owned(),
        [name, ""] => name.to_owned(),
        [name, text] => response.secrets.redact_outside(&format!("{name}: {text}")),
    };
    let said: String = said.chars().take(500).collect();
    let message = format!("AWS, {}: {said}", call.permission());
    let request_id = response.printable_header("x-amzn-requestid");
    if is_passing(status, &name) {
        return Verdict::Failing {
            error: Error::Failing {
                status,
                message,
                request_id,
                gave_up: None,
                hint: None,
            },
            retry_hint: RetryHint::Passing,
        };
    }
    Verdict::Refused(Error::Refused {
        status,
        message,
        request_id,
        hint: hint(&name, &text),
    })
}

/// Whether the session has ended, so that new credentials may help.
pub(super) fn is_expired(response: &Response) -> bool {
    let (name, _) = words(&String::from_utf8_lossy(&response.body));
    response.status != 200 && name.starts_with("ExpiredToken")
}

/// The error's name, and what AWS says about it: `ns#Name:http://…` is `Name`, and of the rest the first
/// line, because the further lines of a wrong signature's message repeat the request, session token
/// included.
fn words(body: &str) -> (String, String) {
    let body = Json::read(body);
    let kind = body.text_of("__type").unwrap_or_default();
    let name = kind.split(':').next().unwrap_or_default();
    let name = name.rsplit('#').next().unwrap_or(name);
    let text = body.text_of("message").or(body.text_of("Message"));
    let text = text.unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    (name.to_owned(), line.to_owned())
}

fn is_passing(status: u16, name: &str) -> bool {
    status >= 500
        || matches!(status, 408 | 429)
        || name.starts_with("Throttl")
        || name.starts_with("RequestTimeout")
        || ["TooManyRequestsException", "RequestLimitExceeded"].contains(&name)
}

fn hint(name: &str, text: &str) -> Option<&'static str> {
    let is_about_clock =
        text.starts_with("Signature expired") || text.starts_with("Signature not yet current");
    Some(match name {
        "" => "check AWS_ENDPOINT_URL and the proxy variables",
        "RequestTimeTooSkewed" | "RequestExpired" => CLOCK,
        _ if is_about_clock => CLOCK,
        _ if name.starts_with("AccessDenied") && text.contains("KMS") => {
            "allow kms:Decrypt on the key in the policy of the role"
        }
        _ if name.starts_with("AccessDenied") => "allow it in the policy of the role",
        "ResourceNotFoundException" if text.contains("AWSCURRENT") => {
            "the secret has no value yet: aws secretsmanager put-secret-value"
        }
        _ if name.starts_with("ExpiredToken") => "the AWS credentials have expired: pass new ones",
        "IncompleteSignature"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "MissingAuthenticationTokenException"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => {
            "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN: all three are of \
             one session, and of the partition of the region"
        }
        _ => return None,
    })
}

const CLOCK: &str = "set this machine's clock: AWS allows 5 minutes";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ci::event::Question;
    use crate::ci::event::region::Region;

    fn response(status: u16, body: &str) -> Response {
        Response {
            status,
            headers: vec![("x-amzn-requestid".to_owned(), "r-1".to_owned())],
            body: body.as_bytes().to_vec(),
            ..Response::default()
        }
    }

    fn verdict(status: u16, body: &str) -> Verdict {
        let id = "web:1".to_owned();
        let region = Region::parse("us-west-2").unwrap();
        let call = Call::of_event(&Question::Build { id }, &region);
        judge(&call, &response(status, body))
    }

    fn body(name: &str, message: &str) -> String {
        serde_json::json!({"__type": name, "Message": message}).to_string()
    }

    #[test]
    fn a_refusal_says_what_follows_from_it() {
        let kms = "The ciphertext refers to a KMS key that you may not use";
        let empty =
            "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT";
        for (status, name, message, expected) in [
            (400, "ThrottlingException", "Rate exceeded", "later"),
            (400, "com.amazon.coral#ThrottlingException", "", "later"),
            (429, "", "", "later"),
            (500, "InternalServiceError", "", "later"),
            (503, "", "", "later"),
            (400, "ExpiredTokenException:http://x/", "", "pass new ones"),
            (
                400,
                "AccessDeniedException",
                "User: x",
                "policy of the role",
            ),
            (400, "AccessDeniedException", kms, "kms:Decrypt"),
            (
                400,
                "InvalidSignatureException",
                "Signature expired: 1",
                "clock",
            ),
            (403, "RequestTimeTooSkewed", "", "clock"),
            (403, "SignatureDoesNotMatch", "x", "AWS_SECRET_ACCESS_KEY"),
            (400, "ResourceNotFoundException", empty, "put-secret-value"),
            (400, "ResourceNotFoundException", "", ""),
            (400, "ValidationException", "", ""),
            (407, "", "", "proxy"),
        ] {
            let said = match verdict(status, &body(name, message)) {
                Verdict::Failing { .. } => "later",
                Verdict::Refused(Error::Refused { hint, .. }) => hint.unwrap_or_default(),
                other => panic!("{other:?}"),
            };
            assert!(said.contains(expected), "{name} {message}: {said}");
            assert_eq!(expected.is_empty(), said.is_empty(), "{name}");
        }
    }

    #[test]
    fn the_session_token_that_aws_repeats_is_not_kept() {
        let message = "The request signature does not match.\n\nThe Canonical String should have \
                       been\n'POST\nx-amz-security-token:t0ken";
        let Verdict::Refused(error) = verdict(403, &body("SignatureDoesNotMatch", message)) else {
            panic!("it is refused");
        };
        assert!(!format!("{error:?}").contains("t0ken"));
        assert_eq!(
            error.to_string(),
            "refused: HTTP 403: AWS, codebuild:BatchGetBuilds: SignatureDoesNotMatch: The request \
             signature does not match. (request r-1)"
        );
    }

    #[test]
    fn a_success_is_an_object() {
        assert_eq!(verdict(200, " {}"), Verdict::Accepted);
        for body in ["", "<html>", "[1]", "null", "{"] {
            assert!(matches!(verdict(200, body), Verdict::Refused(_)), "{body}");
        }
        let expired = body("ns#ExpiredTokenException", "");
        assert!(is_expired(&response(400, &expired)) && !is_expired(&response(400, "")));
    }
}
