//! What is printed, and how it exits.

use serde_json::{Value, json};
use stand_in::{Answer, DEFAULT_COMMIT, StandIn};

use crate::support::{build_status, gitlab};

#[test]
fn text_is_one_line_on_stdout() {
    let bitbucket = StandIn::start();
    let ran = gitlab(&bitbucket, []).run().exits(0);
    let (start, end) = ran.stdout.split_once("(201, 1 attempt, ").unwrap();
    assert_eq!(
        start,
        "SUCCESSFUL ci/gitlab-ci/unit-tests -> my-workspace/my-repo@9fceb02d0ae5 "
    );
    let seconds = end.strip_suffix(" s)\n").unwrap();
    assert!(seconds.parse::<f64>().is_ok_and(|seconds| seconds < 5.0) && seconds.contains('.'));
    assert_eq!(ran.stderr, "");
    bitbucket.will([Answer::status(503)]);
    let ran = gitlab(&bitbucket, ["failed"]).run().exits(0);
    assert!(ran.stdout.starts_with("FAILED ci/gitlab-ci/unit-tests -> "));
    assert!(ran.stdout.contains("(200, 2 attempts, "));
}

#[test]
fn json_is_one_object_on_one_line() {
    let bitbucket = StandIn::start();
    let ran = gitlab(&bitbucket, ["--output", "json", "--quiet"])
        .run()
        .exits(0);
    assert_eq!(ran.stdout.lines().count(), 1);
    let mut json = ran.json();
    assert!(
        json["elapsed_ms"]
            .take()
            .as_u64()
            .is_some_and(|ms| ms < 5000)
    );
    let expected = json!({
        "state": "SUCCESSFUL",
        "key": "ci/gitlab-ci/unit-tests",
        "name": "unit-tests #17",
        "url": "https://gitlab.example.com/my-workspace/my-repo/-/jobs/4242",
        "commit": DEFAULT_COMMIT,
        "refname": "main",
        "repository": "my-workspace/my-repo",
        "destination": "cloud",
        "provider": "gitlab",
        "http_status": 201,
        "attempts": 1,
        "elapsed_ms": null,
        "dry_run": false,
    });
    assert_eq!(json, expected);
}

#[test]
fn json_tells_a_failure_too_as_far_as_it_got() {
    let bitbucket = StandIn::start();
    bitbucket.will([Answer::text(400, "No.").with_header("X-Request-Id", "r1")]);
    let json = gitlab(&bitbucket, ["--output", "json"])
        .run()
        .exits(4)
        .json();
    assert_eq!(json["state"], "SUCCESSFUL");
    assert_eq!(json["http_status"], 400);
    let expected =
        json!({"kind": "refused", "message": "refused: HTTP 400: No. (request r1)", "hint": null});
    assert_eq!(json["error"], expected);
    let json = build_status(["passed", "--output", "json"])
        .run()
        .exits(3)
        .json();
    assert_eq!(json["error"]["kind"], "no_commit");
    assert_eq!(
        (&json["provider"], &json["key"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn json_tells_a_wrong_command_line_too() {
    for (args, variable) in [
        (&["--output", "json", "--nosuch"][..], ""),
        (&["--output=json", "passed", "--timeout", "x"], ""),
        (&["--nosuch"], "json"),
    ] {
        let ran = build_status(args)
            .env("BUILD_STATUS_OUTPUT", variable)
            .run()
            .exits(2);
        assert_eq!(ran.json()["error"]["kind"], "usage");
    }
}

#[test]
fn a_dry_run_prints_the_exact_request_and_sends_nothing() {
    let bitbucket = StandIn::start();
    let ran = gitlab(&bitbucket, ["--dry-run"]).run().exits(0);
    let url = format!(
        "{}/repositories/my-workspace/my-repo/commit/{DEFAULT_COMMIT}/statuses/build",
        bitbucket.api_root()
    );
    let version = env!("CARGO_PKG_VERSION");
    let body = r#"{"state":"SUCCESSFUL","key":"ci/gitlab-ci/unit-tests","name":"unit-tests #17","description":"The build passed!","url":"https://gitlab.example.com/my-workspace/my-repo/-/jobs/4242","refname":"main"}"#;
    let expected = format!(
        "POST {url}\nUser-Agent: build_status/{version}\nAccept: application/json\nAccept-Encoding: identity\n\
         Content-Type: application/json\nAuthorization: Bearer ***\n\n{body}\n"
    );
    assert_eq!(ran.stdout, expected);
    let quiet = gitlab(&bitbucket, ["--dry-run", "--quiet"]).run().exits(0);
    assert_eq!(quiet.stdout, expected);

    let json = gitlab(&bitbucket, ["--dry-run", "--output", "json"])
        .run()
        .exits(0)
        .json();
    let expected = json!({
        "method": "POST",
        "url": url,
        "headers": {
            "User-Agent": format!("build_status/{version}"),
            "Accept": "application/json",
                "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "Authorization": "Bearer ***",
        },
        "body": serde_json::from_str::<Value>(body).unwrap(),
    });
    assert_eq!(
        (&json["request"], &json["dry_run"]),
        (&expected, &json!(true))
    );
    assert_eq!(
        (&json["attempts"], &json["http_status"]),
        (&json!(0), &json!(null))
    );

    // And that is what goes out.
    gitlab(&bitbucket, []).run().exits(0);
    let received = bitbucket.received();
    assert_eq!((received.len(), received[0].body.as_str()), (1, body));
}

#[test]
fn a_dry_run_needs_no_credentials_and_says_that_there_are_none() {
    let bitbucket = StandIn::start();
    let ran = gitlab(&bitbucket, ["--dry-run"])
        .without("BITBUCKET_ACCESS_TOKEN")
        .run()
        .exits(0);
    assert!(!ran.stdout.contains("Authorization"));
    ran.says("warning: no credentials: set BITBUCKET_ACCESS_TOKEN");
    assert_eq!(bitbucket.connections(), 0);
}

#[test]
fn each_exit_code_means_what_the_table_says() {
    let bitbucket = StandIn::start();
    gitlab(&bitbucket, []).run().exits(0);
    gitlab(&bitbucket, ["--ca-file", "nosuch.pem"])
        .run()
        .exits(1)
        .says("nosuch.pem");
    gitlab(&bitbucket, ["--nosuch"])
        .run()
        .exits(2)
        .says("--nosuch");
    gitlab(&bitbucket, ["-q", "-v"])
        .run()
        .exits(2)
        .says("--quiet");
    gitlab(&bitbucket, [])
        .without("BITBUCKET_ACCESS_TOKEN")
        .run()
        .exits(2)
        .says("credentials");
    gitlab(&bitbucket, [])
        .without("CI_JOB_STATUS")
        .run()
        .exits(3);
    bitbucket.will([
        Answer::redirect(302, "/login"),
        Answer::status(400),
        Answer::html(200, ""),
    ]);
    for _ in 0..2 {
        gitlab(&bitbucket, []).run().exits(4);
    }
    bitbucket.will([Answer::status(501)]);
    gitlab(&bitbucket, []).run().exits(0);
    gitlab(&bitbucket, []).run().exits(5);
}

#[test]
fn quiet_keeps_errors_only_and_verbose_says_what_is_done() {
    let bitbucket = StandIn::start();
    let long = "k".repeat(41);
    let ran = gitlab(&bitbucket, ["-q", "--key", &long]).run().exits(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
    let ran = gitlab(&bitbucket, ["-q", "green"]).run().exits(2);
    assert!(ran.stdout.is_empty() && !ran.stderr.is_empty());
    bitbucket.will([Answer::status(503)]);
    gitlab(&bitbucket, ["-v"])
        .run()
        .exits(0)
        .says("CI: GitLab CI")
        .says("/statuses/build")
        .says("attempt 1: failing: HTTP 503: no message");
}

#[test]
fn help_and_version_go_to_stdout() {
    let help = build_status(["--help"]).run().exits(0);
    assert!(
        help.stdout
            .starts_with("Report the status of this CI job to Bitbucket.\n")
            && help.stderr.is_empty()
    );
    let set = build_status(["--help"])
        .env("BUILD_STATUS_KEY", "")
        .env("BUILD_KEY", "secret");
    assert_eq!(
        set.run().exits(0).stdout,
        help.stdout,
        "help does not depend on the environment"
    );
    let version = build_status(["--version"]).run().exits(0);
    assert_eq!(
        version.stdout,
        concat!("build_status ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_printed_is_exit_code_1() {
    let bitbucket = StandIn::start();
    for args in [&["passed"][..], &["--help"], &["context"]] {
        let full = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let mut reporter = gitlab(&bitbucket, args.iter().copied());
        reporter.command().stdout(full);
        reporter
            .run()
            .exits(1)
            .says("output: cannot write to stdout: ");
    }
    assert_eq!(
        bitbucket.history().len(),
        1,
        "the status was stored before that"
    );
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut reporter = gitlab(&bitbucket, ["green"]);
    reporter.command().stderr(full);
    reporter.run().exits(2);
}

#[test]
fn context_prints_what_is_known_and_nothing_outside_a_ci() {
    let bitbucket = StandIn::start();
    let json = gitlab(&bitbucket, ["context", "--output", "json"])
        .run()
        .exits(0)
        .json();
    let expected = json!({
        "provider": "gitlab",
        "provider_name": "GitLab CI",
        "commit": DEFAULT_COMMIT,
        "branch": "main",
        "tag": null,
        "repository": "my-workspace/my-repo",
        "repository_host": null,
        "job_name": "unit-tests",
        "url": "https://gitlab.example.com/my-workspace/my-repo/-/jobs/4242",
        "pipeline_url": null,
        "build_number": "17",
        "pull_request": null,
        "state": "SUCCESSFUL",
    });
    assert_eq!(json, expected);

    let text = gitlab(&bitbucket, ["context"]).run().exits(0).stdout;
    assert!(
        text.contains("provider        gitlab (GitLab CI)\n"),
        "{text}"
    );
    assert!(text.contains("tag             -\n"), "{text}");
    assert!(
        text.contains("CI_JOB_STATUS: it is final in after_script only"),
        "{text}"
    );

    let nothing = build_status(["context", "--output", "json"])
        .run()
        .exits(0)
        .json();
    let object = nothing.as_object().unwrap();
    assert_eq!(object.len(), expected.as_object().unwrap().len());
    assert!(object.values().all(Value::is_null), "{nothing}");
    build_status(["context", "--provider", "nosuch"])
        .run()
        .exits(2);
    assert_eq!(bitbucket.connections(), 0);
}
