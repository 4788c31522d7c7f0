//! Against `.ci/aws.py`, which verifies our requests with AWS's own library. `.ci/aws` runs it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::json;
use stand_in::{DEFAULT_TOKEN, StandIn};

use crate::event::{SHA, bitbucket, build_event, changed};
use crate::support::{Reporter, build_status, codebuild};

struct FakeAws {
    process: Child,
    url: String,
}

impl FakeAws {
    fn start() -> Self {
        let python = std::env::var("FAKE_AWS").expect("FAKE_AWS is a Python that has botocore");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/aws.py");
        let mut command = Command::new(python);
        command.arg(script).env("TOKEN", DEFAULT_TOKEN);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut url = String::new();
        let stdout = process.stdout.as_mut().unwrap();
        BufReader::new(stdout).read_line(&mut url).unwrap();
        let url = url.trim().to_owned();
        Self { process, url }
    }

    fn credentials(&self, reporter: Reporter) -> Reporter {
        let url = format!("{}/credentials", self.url);
        reporter
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
            .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Bearer container")
    }
}

impl Drop for FakeAws {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
#[ignore = "needs botocore: .ci/aws runs it"]
fn every_question_about_an_event_is_what_botocore_would_ask() {
    let (aws, bitbucket) = (FakeAws::start(), bitbucket());
    let mut child = build_event("web", "1", "TIMED_OUT");
    child["detail"]["additional-information"]["initiator"] = json!("web/AWSCodeBuild-9");
    let pipeline = json!({"detail": {"pipeline": "web", "execution-id": "1"}});
    for document in [child, changed("codepipeline-failed", &pipeline)] {
        let reporter = build_status(["event", "-v"]).to(&bitbucket);
        aws.credentials(reporter)
            .run_with_stdin(&document.to_string())
            .exits(0);
    }
    let statuses = bitbucket.statuses(SHA);
    let keys: Vec<_> = statuses.iter().map(|it| it.key.as_str()).collect();
    assert_eq!(keys, ["ci/codebuild/web/unit", "ci/codepipeline/web"]);
}

#[test]
#[ignore = "needs botocore: .ci/aws runs it"]
fn a_token_is_asked_for_as_botocore_does_it() {
    let aws = FakeAws::start();
    for (arn, code) in [
        ("secretsmanager:us-west-2:123456789012:secret:ci-AbCdEf", 0),
        ("ssm:us-west-2:123456789012:parameter/ci/token", 0),
        ("secretsmanager:us-west-2:123456789012:secret:denied", 4),
        ("ssm:us-west-2:123456789012:parameter/none", 4),
    ] {
        let bitbucket = StandIn::start();
        let job = codebuild(&bitbucket, ["-v"]).without("BITBUCKET_ACCESS_TOKEN");
        let job = job.env("BITBUCKET_ACCESS_TOKEN_ARN", format!("arn:aws:{arn}"));
        aws.credentials(job).run().exits(code);
    }
}
