//! Signature Version 4, for a POST to `/` without a query, which is all that these APIs take.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::{digest, hmac};

use crate::aws::credentials::Credentials;
use crate::http::request::Value;
use crate::secret::Secret;

/// What a signature covers.
#[derive(Clone, Debug)]
pub(super) struct Unsigned<'a> {
    /// As the `Host` header has it.
    pub(super) host: &'a str,
    /// Without white space around the values. Only what no proxy changes.
    pub(super) headers: &'a [(&'static str, &'a str)],
    pub(super) body: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

impl Unsigned<'_> {
    /// The headers that sign the request. AWS refuses it when `time` is more than 5 minutes off, so
    /// each attempt is signed anew.
    pub(super) fn sign(
        &self,
        credentials: &Credentials,
        time: SystemTime,
    ) -> Vec<(&'static str, Value)> {
        let time = timestamp(time);
        let mut added = vec![("X-Amz-Date", Secret::new(&time))];
        if let Some(token) = &credentials.token {
            added.push(("X-Amz-Security-Token", token.clone()));
        }
        let (names, canonical) = self.canonical(&added);
        let date = &time[..8];
        let (region, service) = (self.region, self.service);
        let scope = format!("{date}/{region}/{service}/aws4_request");
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(&canonical));
        let key = format!("AWS4{}", credentials.secret.expose()).into_bytes();
        let key = [date, region, service, "aws4_request"]
            .iter()
            .fold(key, |key, part| hmac_sha256(&key, part));
        let signature = hex(&hmac_sha256(&key, &to_sign));
        let authorization = format!(
            "Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            credentials.id.expose()
        );
        let added = added
            .into_iter()
            .map(|(name, value)| (name, Value::Token(value)));
        let authorization = Value::Authorization("AWS4-HMAC-SHA256", Secret::new(&authorization));
        added.chain([("Authorization", authorization)]).collect()
    }

    /// The names of the signed headers, and the canonical request.
    fn canonical(&self, added: &[(&'static str, Secret)]) -> (String, String) {
        let given = self.headers.iter().copied();
        let added = added.iter().map(|(name, value)| (*name, value.expose()));
        let all = given.chain(added).chain([("host", self.host)]);
        let mut headers: Vec<_> = all
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        headers.sort_unstable();
        let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let mut lines = String::new();
        for (name, value) in &headers {
            let _ = writeln!(lines, "{name}:{value}");
        }
        let canonical = format!("POST\n/\n\n{lines}\n{names}\n{}", sha256(self.body));
        (names, canonical)
    }
}

/// `20150830T123600Z`. A time before 1970 or after 9999 is brought within, and AWS says that the
/// clock is wrong.
fn timestamp(time: SystemTime) -> String {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since_epoch.as_secs().min(253_402_300_799);
    let time = UNIX_EPOCH + Duration::from_secs(seconds);
    let time = humantime::format_rfc3339_seconds(time).to_string();
    time.replace(['-', ':'], "")
}

fn hmac_sha256(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

fn sha256(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request::Value;

    const TOKEN: &str = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWs\
        KWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8\
        phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7Z\
        D0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

    fn signature(request: &Unsigned<'_>, token: Option<&str>) -> String {
        let credentials = Credentials {
            id: Secret::new("AKIDEXAMPLE"),
            secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            token: token.map(Secret::new),
        };
        let time = humantime::parse_rfc3339("2015-08-30T12:36:00Z").unwrap();
        let headers = request.sign(&credentials, time);
        let (name, value) = headers.last().unwrap();
        assert_eq!(*name, "Authorization");
        assert!(matches!(value, Value::Authorization("AWS4-HMAC-SHA256", _)));
        let value = value.expose();
        let (_, signature) = value.rsplit_once("Signature=").unwrap();
        signature.to_owned()
    }

    /// <https://github.com/awslabs/aws-c-auth/tree/main/tests/aws-signing-test-suite/v4>
    #[test]
    fn the_vectors_that_aws_publishes_hold() {
        let post = Unsigned {
            host: "example.amazonaws.com",
            headers: &[],
            body: "",
            region: "us-east-1",
            service: "service",
        };
        let sorted = Unsigned {
            headers: &[("My-Header1", "value1")],
            ..post.clone()
        };
        for (case, request, token, expected) in [
            (
                "post-vanilla",
                &post,
                None,
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                "post-header-key-sort",
                &sorted,
                None,
                "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
            ),
            (
                "post-sts-header-before",
                &post,
                Some(TOKEN),
                "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
            ),
        ] {
            assert_eq!(signature(request, token), expected, "{case}");
        }
    }

    #[test]
    fn the_calls_are_signed_as_botocore_signs_them() {
        for (service, target, body, expected) in [
            (
                "codebuild",
                "CodeBuild_20161006.BatchGetBuilds",
                r#"{"ids":["my-sample-project:8745a7a9-c340-456a-9166-edf953571b00"]}"#,
                "c6690beb12a66a0621a04507a4d8866af8a822d68404f50cbd62328d7f1779f8",
            ),
            (
                "codepipeline",
                "CodePipeline_20150709.GetPipelineExecution",
                r#"{"pipelineName":"myPipeline","pipelineExecutionId":"12345678-1234-5678-abcd-12345678abcd"}"#,
                "26d01a3afa7695e1277aa01acd35a029ec939a34104e364ea83a9aa6ca1f1c55",
            ),
        ] {
            let request = Unsigned {
                host: &format!("{service}.us-east-1.amazonaws.com"),
                headers: &[
                    ("X-Amz-Target", target),
                    ("Content-Type", "application/x-amz-json-1.1"),
                ],
                body,
                region: "us-east-1",
                service,
            };
            let token = Some("FwoGZXIvYXdzEXAMPLE/token+==");
            assert_eq!(signature(&request, token), expected, "{service}");
        }
    }

    #[test]
    fn no_clock_is_too_wrong_to_sign() {
        let years = |count: u64| Duration::from_hours(count * 366 * 24);
        // Time begins in 1601 on Windows.
        assert_eq!(timestamp(UNIX_EPOCH - years(300)), "19700101T000000Z");
        assert_eq!(timestamp(UNIX_EPOCH + years(10_000)), "99991231T235959Z");
    }
}
