//! Our requests against `.ci/aws.py`, which verifies them with AWS's own library. `.ci/aws` runs it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::aws::api::{Answer, Call, Request};
use crate::aws::credentials::{Container, Credentials, Source};
use crate::aws::endpoint::Endpoints;
use crate::aws::refusal::{Kind, Refusal};
use crate::aws::region::Region;
use crate::aws::signature::Unsigned;
use crate::env::Env;
use crate::secret::Secret;

struct FakeAws {
    process: Child,
    url: String,
    agent: ureq::Agent,
}

impl FakeAws {
    fn start() -> Self {
        let python = std::env::var("FAKE_AWS").expect("FAKE_AWS is a Python that has botocore");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/aws.py");
        let mut process = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        let stdout = process.stdout.as_mut().unwrap();
        BufReader::new(stdout).read_line(&mut url).unwrap();
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        Self {
            process,
            url: url.trim().to_owned(),
            agent: config.proxy(None).build().into(),
        }
    }

    fn send(&self, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = self
            .agent
            .run(request.body(body.to_owned()).unwrap())
            .unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        (response.status().as_u16(), text)
    }

    fn get(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        self.send("GET", &format!("{}{path}", self.url), headers, "")
    }

    /// The credentials, as its container's endpoint gives them.
    fn credentials(&self) -> Credentials {
        let url = format!("{}/credentials", self.url);
        let env = Env::from_iter([
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Bearer container"),
        ]);
        let Ok(Source::Container(container)) = Source::from_env(&env) else {
            panic!("the container's endpoint is a source");
        };
        let token = container.authorization(None).unwrap().unwrap();
        let headers = [("Authorization", token.expose())];
        let (status, body) = self.send("GET", &container.url, &headers, "");
        Container::credentials(status, &body).unwrap()
    }

    fn call(&self, call: &Call, with: &Credentials, time: SystemTime) -> Result<Answer, Refusal> {
        let env = Env::from_iter([("AWS_ENDPOINT_URL", &self.url)]);
        let region = Region::parse("us-west-2").unwrap();
        let request = call.request(&Endpoints::from_env(&env), &region, with, time);
        let Request { url, headers, body } = request.unwrap();
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.expose()))
            .collect();
        let (status, text) = self.send("POST", &url, &headers, &body);
        call.answer(status, Some("r-1"), &text)
    }
}

impl Drop for FakeAws {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn build() -> Call {
    Call::Build { id: "web:1".into() }
}

const ARN: &str = "arn:aws:codebuild:us-west-2:123456789012";
const SHA: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";

#[test]
#[ignore = "needs botocore: .ci/aws runs it"]
fn every_call_is_signed_as_botocore_does_it_and_its_answer_read() {
    let aws = FakeAws::start();
    let credentials = aws.credentials();
    let ask = |call: &Call| aws.call(call, &credentials, SystemTime::now()).unwrap();
    let Answer::Build(Some(found)) = ask(&build()) else {
        panic!("there is a build");
    };
    assert_eq!(found.commit().as_deref(), Some(SHA));
    let child = Call::BatchChild {
        batch: found.build_batch_arn.get().unwrap().to_owned(),
        child: format!("{ARN}:build/web:1"),
    };
    assert_eq!(ask(&child), Answer::BatchChild(Some("unit".into())));
    let unknown = Call::Build { id: "web:2".into() };
    assert_eq!(ask(&unknown), Answer::Build(None));
    let execution = Call::Execution {
        pipeline: "web".into(),
        id: "1".into(),
    };
    let Answer::Execution(execution) = ask(&execution) else {
        panic!("there is an execution");
    };
    let revision = execution.revision().unwrap();
    assert!(revision.is_on_bitbucket());
    assert_eq!(revision.repository.as_deref(), Some("my-workspace/my-repo"));
    let arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:ci-AbCdEf".to_owned();
    let stored = Secret::new(r#"{"BITBUCKET_ACCESS_TOKEN":"t0ken"}"#);
    assert_eq!(ask(&Call::Secret { arn }), Answer::Stored(stored));
    let arn = "arn:aws:ssm:us-west-2:123456789012:parameter/ci/token".to_owned();
    let stored = Secret::new("t0ken");
    assert_eq!(ask(&Call::Parameter { arn }), Answer::Stored(stored));
}

#[test]
#[ignore = "needs botocore: .ci/aws runs it"]
fn what_aws_refuses_says_what_follows_from_it() {
    let aws = FakeAws::start();
    let good = aws.credentials();
    let now = SystemTime::now();
    let changed = |id: &str, secret: &str, token: Option<&str>| Credentials {
        id: Secret::new(id),
        secret: Secret::new(secret),
        token: token.map(Secret::new),
        expires: None,
    };
    let (id, secret) = (good.id.expose(), good.secret.expose());
    let token = good.token.as_ref().map(Secret::expose);
    let hour = Duration::from_hours(1);
    let denied = Call::Secret {
        arn: "arn:aws:secretsmanager:us-west-2:1:secret:denied".into(),
    };
    let gone = Call::Execution {
        pipeline: "web".into(),
        id: "2".into(),
    };
    for (call, credentials, time, expected) in [
        (
            &build(),
            changed(id, "wrong", token),
            now,
            Kind::Credentials,
        ),
        (&build(), changed(id, secret, None), now, Kind::Credentials),
        (
            &build(),
            changed("ASIAEXPIRED", secret, token),
            now,
            Kind::Expired,
        ),
        (&build(), good.clone(), now - hour, Kind::Clock),
        (&build(), good.clone(), now + hour, Kind::Clock),
        (
            &denied,
            good.clone(),
            now,
            Kind::Denied {
                action: "secretsmanager:GetSecretValue".into(),
                resource: Some("arn:aws:secretsmanager:us-west-2:1:secret:denied".into()),
            },
        ),
        (&gone, good.clone(), now, Kind::NotFound),
    ] {
        let refusal = aws.call(call, &credentials, time).unwrap_err();
        assert_eq!(refusal.kind, expected);
        let printed = format!("{refusal} {refusal:?} {:?}", refusal.hint());
        for secret in good.secrets() {
            assert!(!printed.contains(secret.expose()), "{printed}");
        }
    }
    aws.send("PUT", &format!("{}/throttle/1", aws.url), &[], "");
    let refusal = aws.call(&build(), &good, now).unwrap_err();
    assert!(refusal.is_retryable());
    assert!(aws.call(&build(), &good, now).is_ok());
}

#[test]
#[ignore = "needs botocore: .ci/aws runs it"]
fn requests_of_every_shape_are_signed_as_botocore_does_it() {
    let aws = FakeAws::start();
    let credentials = aws.credentials();
    let long = "a/".repeat(2000);
    for (method, path, headers, body) in [
        ("GET", "", &[][..], ""),
        ("GET", "/a%20b/%C3%BC/~-_.", &[], ""),
        (
            "POST",
            "/a+b;c:d@e!$&'()*,=",
            &[],
            "{\"a\": \"ü\u{1f600}\"}",
        ),
        ("PUT", "/x?b=2&a=1&a=0&c&d=%2F%3D&aa=", &[], "x"),
        ("GET", "/x?B=1&a=1&a-b=1&a=%C3%BC", &[], ""),
        (
            "POST",
            "/x",
            &[
                ("X-Amz-Target", "  a   b  "),
                ("A-Header", "1"),
                ("Z", "\"q  r\""),
            ],
            "",
        ),
        ("POST", "/x", &[("X-Amz-Meta-Empty", "")], "\n"),
        ("POST", &format!("/{long}x"), &[], &long),
    ] {
        let url = format!("{}/verify{path}", aws.url);
        for (region, service) in [("us-west-2", "codebuild"), ("eu-isoe-west-1", "ssm")] {
            let request = Unsigned {
                method,
                url: &url,
                headers,
                body,
                region,
                service,
            };
            let added = request.sign(&credentials, SystemTime::now());
            let added = added.iter().map(|(name, value)| (*name, value.expose()));
            let all: Vec<_> = headers.iter().copied().chain(added).collect();
            let (status, text) = aws.send(method, &url, &all, body);
            assert_eq!(status, 200, "{method} {path}: {text}");
        }
    }
}

#[test]
#[ignore = "needs botocore: .ci/aws runs it"]
fn every_endpoint_that_botocore_knows_is_ours() {
    let (_, known) = FakeAws::start().get("/endpoints", &[]);
    let known: Vec<[String; 3]> = serde_json::from_str(&known).unwrap();
    let fips = |name: &String| name.contains("fips");
    let known: Vec<_> = known
        .into_iter()
        .filter(|it| !it.iter().any(fips))
        .collect();
    assert!(known.len() > 100, "{}", known.len());
    for [service, region, host] in known {
        assert_eq!(Region::parse(&region).unwrap().host(&service), host);
    }
}
