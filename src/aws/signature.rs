//! Signature Version 4, for requests whose URL is already encoded and has no dot segments.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use percent_encoding::{AsciiSet, utf8_percent_encode};
use ring::{digest, hmac};

use crate::aws::credentials::Credentials;
use crate::link::SEGMENT;
use crate::secret::Secret;

/// Already encoded, a path is encoded once more, for every service but S3.
const PATH: &AsciiSet = &SEGMENT.remove(b'/');

/// What a signature covers.
#[derive(Clone, Debug)]
pub(crate) struct Unsigned<'a> {
    pub(crate) method: &'a str,
    /// Absolute, without user and fragment.
    pub(crate) url: &'a str,
    /// Without `Host`, which the URL has. Only what no proxy changes.
    pub(crate) headers: &'a [(&'static str, &'a str)],
    pub(crate) body: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

impl Unsigned<'_> {
    /// The headers that sign the request. AWS refuses it when `time` is more than 5 minutes off, so
    /// each attempt is signed anew.
    pub(crate) fn sign(
        &self,
        credentials: &Credentials,
        time: SystemTime,
    ) -> Vec<(&'static str, Secret)> {
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
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            credentials.id.expose()
        );
        added.push(("Authorization", Secret::new(&authorization)));
        added
    }

    /// The names of the signed headers, and the canonical request.
    fn canonical(&self, added: &[(&'static str, Secret)]) -> (String, String) {
        let (host, path, query) = parts(self.url);
        let given = self.headers.iter().copied();
        let added = added.iter().map(|(name, value)| (*name, value.expose()));
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in given.chain(added).chain([("host", host)]) {
            let words: Vec<_> = value.split_whitespace().collect();
            let values = headers.entry(name.to_ascii_lowercase()).or_default();
            values.push(words.join(" "));
        }
        let names: Vec<_> = headers.keys().map(String::as_str).collect();
        let names = names.join(";");
        let mut lines = String::new();
        for (name, values) in &headers {
            let _ = writeln!(lines, "{name}:{}", values.join(","));
        }
        let path = utf8_percent_encode(path, PATH);
        let mut query: Vec<_> = query.split('&').filter(|pair| !pair.is_empty()).collect();
        query.sort_unstable_by_key(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let query: Vec<_> = query
            .into_iter()
            .map(|pair| match pair.split_once('=') {
                Some(_) => pair.to_owned(),
                None => format!("{pair}="),
            })
            .collect();
        let canonical = format!(
            "{}\n{path}\n{}\n{lines}\n{names}\n{}",
            self.method,
            query.join("&"),
            sha256(self.body)
        );
        (names, canonical)
    }
}

/// The host as the `Host` header has it, the path and the query.
fn parts(url: &str) -> (&str, &str, &str) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let default = if scheme == "http" { ":80" } else { ":443" };
    let host = host.strip_suffix(default).unwrap_or(host);
    (host, if path.is_empty() { "/" } else { path }, query)
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

    const TOKEN: &str = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWs\
        KWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8\
        phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7Z\
        D0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

    fn signature(request: &Unsigned<'_>, token: Option<&str>) -> String {
        let credentials = Credentials {
            id: Secret::new("AKIDEXAMPLE"),
            secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            token: token.map(Secret::new),
            expires: None,
        };
        let time = humantime::parse_rfc3339("2015-08-30T12:36:00Z").unwrap();
        let headers = request.sign(&credentials, time);
        let (name, value) = headers.last().unwrap();
        assert_eq!(*name, "Authorization");
        let (_, signature) = value.expose().rsplit_once("Signature=").unwrap();
        signature.to_owned()
    }

    /// <https://github.com/awslabs/aws-c-auth/tree/main/tests/aws-signing-test-suite/v4>
    #[test]
    fn the_vectors_that_aws_publishes_hold() {
        let post = Unsigned {
            method: "POST",
            url: "https://example.amazonaws.com/",
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
                method: "POST",
                url: &format!("https://{service}.us-east-1.amazonaws.com:443/"),
                headers: &[
                    ("X-Amz-Target", target),
                    ("Content-Type", " application/x-amz-json-1.1"),
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
        let years = Duration::from_hours(10_000 * 366 * 24);
        assert_eq!(timestamp(UNIX_EPOCH - years), "19700101T000000Z");
        assert_eq!(timestamp(UNIX_EPOCH + years), "99991231T235959Z");
    }
}
