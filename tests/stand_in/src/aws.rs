//! A stand-in for AWS: the five calls that `build_status` makes, whose signatures it verifies, and the
//! endpoint that gives containers their credentials.
//!
//! Signature Version 4 is written here a second time, from AWS's description of it:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use ring::{digest, hmac};
use serde_json::{Value, json};
use time::macros::format_description;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

use crate::answer::Answer;
use crate::received::Received;
use crate::reply::Reply;
use crate::running::Running;
use crate::traffic::{Service, Traffic, lock};

/// The id of the only key.
pub const KEY_ID: &str = "AKIDEXAMPLE";

/// The only key.
pub const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// What the credentials' endpoint wants as `Authorization`.
pub const CONTAINER_TOKEN: &str = "Bearer of-the-container";

/// A running AWS. It stops when dropped.
pub struct Aws {
    shared: Arc<Shared>,
    running: Running,
}

impl Aws {
    /// Starts one that knows nothing.
    pub fn start() -> Self {
        let (running, shared) = Running::start(0, None, |_| Shared {
            traffic: Traffic::default(),
            known: Mutex::new(Known {
                region: "us-west-2".to_owned(),
                ..Known::default()
            }),
        });
        Self { shared, running }
    }

    /// What `AWS_ENDPOINT_URL` is.
    pub fn url(&self) -> String {
        self.running.url.clone()
    }

    /// What `AWS_CONTAINER_CREDENTIALS_FULL_URI` is.
    pub fn credentials_url(&self) -> String {
        format!("{}/credentials", self.running.url)
    }

    /// The session token that is good now.
    pub fn session_token(&self) -> String {
        lock(&self.shared.known).session_token()
    }

    /// Ends the session: from now on, another token is good.
    pub fn end_session(&self) {
        lock(&self.shared.known).sessions += 1;
    }

    /// Is in another region than `us-west-2` from now on: what is signed for others it refuses.
    pub fn moves_to(&self, region: &str) {
        region.clone_into(&mut lock(&self.shared.known).region);
    }

    /// Knows a thing from now on: a build or a batch by `id` or ARN, an execution by its id, a secret or
    /// a parameter by its ARN.
    pub fn knows(&self, id: &str, thing: Value) {
        lock(&self.shared.known).things.insert(id.to_owned(), thing);
    }

    /// Queues answers to the next requests.
    pub fn will(&self, answers: impl IntoIterator<Item = Answer>) {
        self.shared.traffic.will(answers);
    }

    /// Every request that arrived whole, in order.
    pub fn received(&self) -> Vec<Received> {
        self.shared.traffic.received()
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Aws").field(&self.url()).finish()
    }
}

struct Shared {
    traffic: Traffic,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    region: String,
    things: BTreeMap<String, Value>,
    sessions: usize,
}

impl Known {
    fn session_token(&self) -> String {
        format!("FwoGZXIvYXdzEXAMPLE/token+{}==", self.sessions)
    }
}

impl Service for Shared {
    fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    fn answer(&self, _: usize, received: &Received) -> Reply {
        let known = lock(&self.known);
        answer(&known, received).unwrap_or_else(|refusal| refusal)
    }
}

fn refusal(status: u16, name: &str, message: &str) -> Reply {
    let body = json!({"__type": format!("com.amazon.coral.service#{name}"), "Message": message});
    let mut reply = Reply::json_as("application/x-amz-json-1.1", status, &body);
    let id = ("x-amzn-RequestId".to_owned(), "r-1".to_owned());
    reply.headers.push(id);
    reply
}

fn answer(known: &Known, request: &Received) -> Result<Reply, Reply> {
    if request.method == "GET" && request.path == "/credentials" {
        if request.header("authorization") != Some(CONTAINER_TOKEN) {
            return Err(Reply::json(403, &json!({"code": "AccessDenied"})));
        }
        let body = json!({"AccessKeyId": KEY_ID, "SecretAccessKey": SECRET_KEY,
            "Token": known.session_token(), "Expiration": "2099-01-01T00:00:00Z"});
        return Ok(Reply::json(200, &body));
    }
    if (request.method.as_str(), request.path.as_str()) != ("POST", "/") {
        return Err(refusal(404, "UnknownOperationException", ""));
    }
    let service = verify(known, request)?;
    let target = request.header("x-amz-target").unwrap_or_default();
    let content_type = request.header("content-type").unwrap_or_default();
    if content_type != "application/x-amz-json-1.1" {
        return Err(refusal(404, "UnknownOperationException", content_type));
    }
    let body = request.json();
    let wrong = || {
        refusal(
            400,
            "ValidationException",
            "the fields are not those of the call",
        )
    };
    let field = |name: &str| body[name].as_str().ok_or_else(wrong);
    let fields = body.as_object().map_or(0, serde_json::Map::len);
    let thing = |id: &str| known.things.get(id).cloned();
    let missing = |name: &str| refusal(400, name, "it is not there");
    let found = match (service.as_str(), target, fields) {
        ("codebuild", "CodeBuild_20161006.BatchGetBuilds", 1) => {
            json!({"builds": many(&body, thing).ok_or_else(wrong)?, "buildsNotFound": []})
        }
        ("codebuild", "CodeBuild_20161006.BatchGetBuildBatches", 1) => {
            json!({"buildBatches": many(&body, thing).ok_or_else(wrong)?})
        }
        ("codepipeline", "CodePipeline_20150709.GetPipelineExecution", 2) => {
            field("pipelineName")?;
            let found = thing(field("pipelineExecutionId")?);
            let found = found.ok_or_else(|| missing("PipelineExecutionNotFoundException"))?;
            json!({"pipelineExecution": found})
        }
        ("secretsmanager", "secretsmanager.GetSecretValue", 1) => {
            let found = thing(field("SecretId")?);
            let found = found.ok_or_else(|| missing("ResourceNotFoundException"))?;
            json!({"SecretString": found, "Name": "a"})
        }
        ("ssm", "AmazonSSM.GetParameter", 2) if body["WithDecryption"] == true => {
            let found = thing(field("Name")?);
            let found = found.ok_or_else(|| missing("ParameterNotFound"))?;
            json!({"Parameter": {"Value": found, "Version": 1}})
        }
        _ => return Err(refusal(400, "ValidationException", target)),
    };
    Ok(Reply::json_as("application/x-amz-json-1.1", 200, &found))
}

fn many(body: &Value, thing: impl Fn(&str) -> Option<Value>) -> Option<Vec<Value>> {
    let ids = body["ids"]
        .as_array()
        .filter(|ids| (1..=100).contains(&ids.len()))?;
    let ids: Option<Vec<_>> = ids.iter().map(Value::as_str).collect();
    Some(ids?.into_iter().filter_map(thing).collect())
}

/// The service that the request is signed for.
fn verify(known: &Known, request: &Received) -> Result<String, Reply> {
    let incomplete = || refusal(400, "IncompleteSignature", "Authorization is not complete");
    let authorization = request.header("authorization").ok_or_else(incomplete)?;
    let rest = authorization
        .strip_prefix("AWS4-HMAC-SHA256 ")
        .ok_or_else(incomplete)?;
    let parts: Option<BTreeMap<_, _>> = rest.split(", ").map(|it| it.split_once('=')).collect();
    let parts = parts.ok_or_else(incomplete)?;
    let part = |name| parts.get(name).copied().ok_or_else(incomplete);
    let (key, scope) = part("Credential")?.split_once('/').ok_or_else(incomplete)?;
    let signed: Vec<_> = part("SignedHeaders")?.split(';').collect();
    let must_be = |name: &str| name == "host" || name.starts_with("x-amz-");
    let mut names = request.headers.iter().map(|(name, _)| name.as_str());
    if let Some(name) = names.find(|name| must_be(name) && !signed.contains(name)) {
        let message = format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.");
        return Err(refusal(403, "SignatureDoesNotMatch", &message));
    }
    let session = request.header("x-amz-security-token").unwrap_or_default();
    let unknown = "The security token included in the request is invalid.";
    if key != KEY_ID || !session.starts_with("FwoGZXIvYXdzEXAMPLE/token+") {
        return Err(refusal(400, "UnrecognizedClientException", unknown));
    }
    if session != known.session_token() {
        let message = "The security token included in the request is expired";
        return Err(refusal(400, "ExpiredTokenException", message));
    }
    let time = request.header("x-amz-date").unwrap_or_default();
    let [date, region, service, "aws4_request"] = scope.split('/').collect::<Vec<_>>()[..] else {
        return Err(incomplete());
    };
    let canonical = canonical(request, &signed);
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(&canonical));
    let mut signing_key = format!("AWS4{SECRET_KEY}").into_bytes();
    for part in [date, region, service, "aws4_request"] {
        signing_key = hmac_sha256(&signing_key, part);
    }
    let is_right = hex(&hmac_sha256(&signing_key, &to_sign)) == part("Signature")?;
    if !is_right || !time.starts_with(date) || region != known.region {
        let message = format!(
            "The request signature we calculated does not match the signature you provided.\n\n\
             The Canonical String for this request should have been\n'{canonical}'\n"
        );
        return Err(refusal(403, "SignatureDoesNotMatch", &message));
    }
    if !is_now(time) {
        let message = format!("Signature expired: {time} is now earlier than it should be");
        return Err(refusal(400, "InvalidSignatureException", &message));
    }
    Ok(service.to_owned())
}

fn canonical(request: &Received, signed: &[&str]) -> String {
    let lines = signed.iter().map(|name| {
        let value = request.header(name).unwrap_or_default();
        format!("{name}:{}\n", value.trim())
    });
    let lines: String = lines.collect();
    let (names, body) = (signed.join(";"), sha256(&request.body));
    format!(
        "{}\n{}\n\n{lines}\n{names}\n{body}",
        request.method, request.path
    )
}

fn is_now(time: &str) -> bool {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let Ok(time) = PrimitiveDateTime::parse(time, format) else {
        return false;
    };
    (OffsetDateTime::now_utc() - time.assume_utc()).abs() < Duration::minutes(5)
}

fn hmac_sha256(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

fn sha256(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
