//! `build_status event`, with a stand-in AWS, and as a Lambda function.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use stand_in::aws::{CONTAINER_TOKEN, KEY_ID, SECRET_KEY};
use stand_in::{Answer, Aws, DEFAULT_TOKEN, Setup, StandIn, Status};

use crate::lambda::Function;
use crate::support::{NOTHING, Ran, Reporter, build_status, codebuild, gitlab};

/// The commit of the samples.
pub(crate) const SHA: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";
const BUILD: &str = "my-sample-project:8745a7a9-c340-456a-9166-edf953571bEX";
const EXECUTION: &str = "12345678-1234-5678-abcd-12345678abcd";
const PIPELINE: &str = "ci/codepipeline/myPipeline";
const KEY: &str = "ci/codebuild/my-sample-project";

fn sample_path(name: &str) -> PathBuf {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aws/events");
    samples.join(format!("{name}.json"))
}

fn sample(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(sample_path(name)).unwrap()).unwrap()
}

/// A sample with other values at some paths.
pub(crate) fn changed(name: &str, changes: &Value) -> Value {
    fn merge(value: &mut Value, changes: &Value) {
        match changes {
            Value::Object(changes) => {
                for (name, change) in changes {
                    merge(&mut value[name], change);
                }
            }
            change => *value = change.clone(),
        }
    }
    let mut value = sample(name);
    merge(&mut value, changes);
    value
}

/// An event of a build that a webhook has started.
pub(crate) fn build_event(project: &str, uuid: &str, status: &str) -> Value {
    changed(
        "codebuild-stopped",
        &json!({"detail": {
            "build-status": status,
            "build-id": format!("arn:aws:codebuild:us-west-2:123456789012:build/{project}:{uuid}"),
        }}),
    )
}

/// A Bitbucket that knows the commit of the samples.
pub(crate) fn bitbucket() -> StandIn {
    Setup::default().commit(SHA).start()
}

/// The one status that it shows for that.
#[track_caller]
fn only_status(bitbucket: &StandIn) -> Status {
    let mut statuses = bitbucket.statuses(SHA);
    assert_eq!(statuses.len(), 1, "{statuses:#?}");
    statuses.remove(0)
}

/// AWS with the build and the execution of the samples.
fn aws() -> Aws {
    let aws = Aws::start();
    aws.knows(
        BUILD,
        json!({"id": BUILD, "buildNumber": 55, "buildStatus": "TIMED_OUT", "sourceVersion": "main",
            "resolvedSourceVersion": SHA, "source": {"type": "BITBUCKET",
            "location": "https://bitbucket.org/my-workspace/my-repo.git"}}),
    );
    aws.knows(EXECUTION, execution("Failed", "Bitbucket"));
    aws
}

fn execution(status: &str, provider: &str) -> Value {
    json!({"pipelineName": "myPipeline", "pipelineExecutionId": EXECUTION, "status": status,
        "artifactRevisions": [{"name": "Source", "revisionId": SHA,
            "revisionSummary": format!(r#"{{"ProviderType":"{provider}","CommitMessage":"a\n"}}"#),
            "revisionUrl": "https://us-west-2.console.aws.amazon.com/codesuite/settings/connections/\
                redirect?connectionArn=x&FullRepositoryId=my-workspace/my-repo&Commit=y"}]})
}

/// The binary with AWS's keys, as a Lambda function has them.
fn event<'a>(bitbucket: &StandIn, aws: &Aws, args: impl IntoIterator<Item = &'a str>) -> Reporter {
    build_status(args)
        .to(bitbucket)
        .env("AWS_ENDPOINT_URL", aws.url())
        .env("AWS_ACCESS_KEY_ID", KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .env("AWS_SESSION_TOKEN", aws.session_token())
}

fn report(bitbucket: &StandIn, aws: &Aws, document: &Value) -> Ran {
    event(bitbucket, aws, ["event"]).run_with_stdin(&document.to_string())
}

#[test]
fn each_sample_gives_the_status_that_the_console_shows_or_a_reason() {
    let build = format!("my-sample-project/build/{}", BUILD.replace(':', "%3A"));
    let pipeline = format!("myPipeline/executions/{EXECUTION}");
    for (name, state, key, description, page) in [
        (
            "codebuild-stopped",
            "STOPPED",
            KEY,
            "The build was stopped in BUILD.",
            &build,
        ),
        (
            "codebuild-timed-out",
            "FAILED",
            KEY,
            "The build timed out in BUILD: BUILD_TIMED_OUT: Build has timed out.",
            &build,
        ),
        (
            "codebuild-succeeded",
            "SUCCESSFUL",
            KEY,
            "The build passed!",
            &build,
        ),
        (
            "codepipeline-started",
            "FAILED",
            PIPELINE,
            "The pipeline failed.",
            &pipeline,
        ),
        (
            "codepipeline-succeeded",
            "SUCCESSFUL",
            PIPELINE,
            "The pipeline passed!",
            &pipeline,
        ),
        (
            "codepipeline-failed",
            "FAILED",
            PIPELINE,
            "The pipeline failed.",
            &pipeline,
        ),
        (
            "codepipeline-superseded",
            "STOPPED",
            PIPELINE,
            "Superseded by a newer execution.",
            &pipeline,
        ),
    ] {
        let (bitbucket, aws) = (bitbucket(), aws());
        let path = sample_path(name);
        aws.moves_to(sample(name)["region"].as_str().unwrap());
        event(&bitbucket, &aws, ["event", path.to_str().unwrap()])
            .run()
            .exits(0);
        let status = only_status(&bitbucket);
        assert_eq!(
            (
                status.state.as_str(),
                status.key.as_str(),
                status.description.as_deref()
            ),
            (state, key, Some(description)),
            "{name}"
        );
        assert!(status.url.contains(page.as_str()), "{name}: {}", status.url);
    }
    let (bitbucket, aws) = (bitbucket(), aws());
    report(&bitbucket, &aws, &sample("action-failed"))
        .exits(3)
        .says("an action of the category Deploy");
    assert_eq!((bitbucket.received().len(), aws.received().len()), (0, 0));
}

#[test]
fn what_has_no_status_is_said_and_nothing_is_sent() {
    let (bitbucket, aws) = (bitbucket(), aws());
    aws.knows(
        EXECUTION,
        json!({"status": "InProgress", "artifactRevisions": []}),
    );
    let github = json!({"detail": {"additional-information": {
        "source": {"type": "GITHUB", "location": "https://github.com/o/r.git"}}}});
    let stage = json!({"detail-type": "CodePipeline Stage Execution State Change"});
    for (document, code, reason) in [
        (
            changed("codepipeline-started", &json!({"region": "us-west-2"})),
            3,
            "the next event has it",
        ),
        (
            changed("codebuild-stopped", &github),
            3,
            "the code comes from GITHUB",
        ),
        (
            changed(
                "codepipeline-failed",
                &json!({"detail": {"state": "STOPPING"}}),
            ),
            3,
            "it is about to stop",
        ),
        (
            changed(
                "codepipeline-failed",
                &json!({"detail": {"state": "ODD\u{1b}[31m"}}),
            ),
            2,
            r"its state is `ODD\u{1b}[31m`",
        ),
        (
            changed("codepipeline-failed", &stage),
            2,
            "Stage Execution State Change",
        ),
        (
            json!({"Records": [{"EventSource": "aws:sns"}]}),
            2,
            "send the event itself",
        ),
        (json!(null), 2, "JSON, but not an object"),
    ] {
        report(&bitbucket, &aws, &document).exits(code).says(reason);
    }
    aws.knows(EXECUTION, execution("Failed", "GitLab"));
    report(&bitbucket, &aws, &sample("codepipeline-failed"))
        .exits(3)
        .says("the code comes from GitLab");
    event(&bitbucket, &aws, ["event", "/nowhere/event.json"])
        .run()
        .exits(1)
        .says("cannot read the file `/nowhere/event.json`");
    assert_eq!(bitbucket.received(), []);
    let mirror = [
        "event",
        "--repository",
        "my-workspace/my-repo",
        "--output",
        "json",
    ];
    let ran = event(&bitbucket, &aws, mirror)
        .run_with_stdin(&changed("codebuild-stopped", &github).to_string())
        .exits(0);
    let fields = ["state", "key", "provider", "repository"].map(|name| ran.json()[name].clone());
    assert_eq!(
        fields,
        ["STOPPED", KEY, "codebuild", "my-workspace/my-repo"]
    );
}

#[test]
fn a_batchs_child_has_the_key_that_its_own_reporter_uses() {
    let (bitbucket, aws) = (bitbucket(), aws());
    let arn = "arn:aws:codebuild:us-west-2:123456789012";
    let batch = format!("{arn}:build-batch/my-sample-project:b");
    aws.knows(
        BUILD,
        json!({"buildStatus": "STOPPED", "buildBatchArn": batch}),
    );
    let group = json!({"identifier": "unit", "currentBuildSummary": {"arn": format!("{arn}:build/{BUILD}")}});
    aws.knows(&batch, json!({"buildGroups": [group]}));
    let child = changed(
        "codebuild-stopped",
        &json!({"detail": {"additional-information": {"initiator": "my-sample-project/AWSCodeBuild-1"}}}),
    );
    report(&bitbucket, &aws, &child).exits(0);
    assert_eq!(only_status(&bitbucket).key, format!("{KEY}/unit"));
}

/// Whoever may start a build may set its variables.
#[test]
fn variables_of_the_build_count_where_they_lead_the_credentials_nowhere() {
    let (bitbucket, aws, other) = (bitbucket(), aws(), bitbucket());
    let variable =
        |name: &str, value: &str| json!({"name": name, "type": "PLAINTEXT", "value": value});
    let variables = json!([
        variable("BUILD_STATUS_KEY", "my-key"),
        variable("BUILD_STATUS_NAME", "my-name"),
        variable("BITBUCKET_ACCESS_TOKEN", "pl4intext-token"),
        variable("API_PASSWORD", "pl4intext-password"),
        variable("BITBUCKET_API_ROOT", &other.api_root()),
        variable("BITBUCKET_SERVER_URL", &other.server_url()),
        variable("BITBUCKET_ACCESS_TOKEN_FILE", "/etc/passwd"),
        variable("BITBUCKET_OAUTH_URL", &other.oauth_url()),
        variable("BUILD_STATUS_ALLOW_HTTP", "true"),
        variable("BUILD_STATUS_DRY_RUN", "true"),
    ]);
    let document = changed(
        "codebuild-timed-out",
        &json!({"detail": {"additional-information": {
            "environment": {"environment-variables": variables},
            "phases": [{"phase-type": "BUILD", "phase-status": "FAILED",
                "phase-context": ["COMMAND_EXECUTION_ERROR: curl -u me:pl4intext-password \u{1b}[31m"]}],
        }}}),
    );
    let ran = event(&bitbucket, &aws, ["event", "-v"])
        .run_with_stdin(&document.to_string())
        .exits(0);
    assert!(!format!("{ran:?}").contains("pl4intext"), "{ran:#?}");
    assert_eq!(other.received(), []);
    let status = only_status(&bitbucket);
    assert_eq!(
        (status.key.as_str(), status.name.as_deref()),
        ("my-key", Some("my-name"))
    );
    assert_eq!(
        status.description.as_deref(),
        Some("The build timed out in BUILD: COMMAND_EXECUTION_ERROR: curl -u me:*** \u{1b}[31m")
    );
    event(&bitbucket, &aws, ["event", "--key", "other"])
        .run_with_stdin(&document.to_string())
        .exits(0);
    assert_eq!(bitbucket.statuses(SHA)[1].key, "other");
}

#[test]
fn what_aws_refuses_is_explained_and_what_may_pass_is_asked_again() {
    let (bitbucket, aws) = (bitbucket(), aws());
    let document = sample("codepipeline-failed").to_string();
    let call = |change: fn(Reporter) -> Reporter| {
        let ran = change(event(&bitbucket, &aws, ["event", "-v"])).run_with_stdin(&document);
        assert!(
            !format!("{ran:?}").contains(&aws.session_token()),
            "{ran:#?}"
        );
        assert!(!format!("{ran:?}").contains(SECRET_KEY), "{ran:#?}");
        ran
    };
    let aws_says = |status: u16, name: &str, message: &str| {
        let body = json!({"__type": format!("ns#{name}"), "Message": message});
        Answer::json(status, &body.to_string())
    };
    let denied = "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: \
                  codepipeline:GetPipelineExecution on resource: arn:aws:codepipeline:us-west-2:1:web";
    aws.will([aws_says(400, "AccessDeniedException", denied)]);
    call(|it| it)
        .exits(4)
        .says("on resource: arn:aws:codepipeline:us-west-2:1:web")
        .says("in the policy of the role");
    call(|it| it.env("AWS_SECRET_ACCESS_KEY", "wrong"))
        .exits(4)
        .says("check AWS_ACCESS_KEY_ID");
    call(|it| it.without("AWS_SESSION_TOKEN"))
        .exits(4)
        .says("UnrecognizedClientException");
    call(|it| it.env("AWS_ENDPOINT_URL_CODEPIPELINE", "http://169.254.1.1"))
        .exits(2)
        .says("AWS_ENDPOINT_URL_CODEPIPELINE: it is plain http");
    call(|it| {
        it.without("AWS_ACCESS_KEY_ID")
            .without("AWS_SECRET_ACCESS_KEY")
    })
    .exits(2)
    .says(
        "AWS credentials: there are none, and they are needed to ask CodePipeline for the commit of \
         this execution",
    )
    .says("pass --commit and --repository; or set AWS_ACCESS_KEY_ID");
    aws.will([Answer::html(200, "<html>Log in</html>")]);
    call(|it| it).exits(4).says("not that of the API");
    aws.knows(EXECUTION, json!(7));
    call(|it| it).exits(3);
    aws.knows(EXECUTION, execution("Failed", "Bitbucket"));
    assert_eq!(bitbucket.received(), []);
    aws.will([
        aws_says(400, "ThrottlingException", "Rate exceeded"),
        Answer::status(503),
    ]);
    call(|it| it).exits(0).says("Rate exceeded; trying again");
}

/// What examples/aws/README.md has its reader try: nobody is asked, and nothing is set.
#[test]
fn the_example_event_is_shown_without_any_credentials_and_a_commit_on_the_command_line_is_enough() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/aws/event.json");
    let event: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let printed = |args: &[&str], event: &Value| {
        let ran = build_status([&["event", "--dry-run", "--output", "json"], args].concat());
        let ran = ran.run_with_stdin(&event.to_string());
        let json = ran.json();
        let fields = ["state", "key", "repository", "commit"].map(|name| json[name].clone());
        (ran, fields)
    };
    let expected = ["FAILED", "ci/codebuild/web", "my-workspace/my-repo", SHA];
    let (ran, fields) = printed(&[], &event);
    ran.exits(0);
    assert_eq!(fields, expected);

    let mut by_hand = event;
    by_hand["detail"]["additional-information"]["source-version"] = json!("main");
    let (ran, _) = printed(&[], &by_hand);
    ran.exits(2)
        .says("they are needed to ask CodeBuild for the commit of this build")
        .says("pass --commit and --repository; or set AWS_ACCESS_KEY_ID");
    let args = ["--commit", SHA, "--repository", "my-workspace/my-repo"];
    let (ran, fields) = printed(&args, &by_hand);
    ran.exits(0);
    assert_eq!(fields, expected);
}

#[test]
fn a_containers_credentials_are_fetched() {
    let (bitbucket, aws) = (bitbucket(), aws());
    let container = |token: &str| {
        build_status(["event"])
            .to(&bitbucket)
            .env("AWS_ENDPOINT_URL", aws.url())
            .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", aws.credentials_url())
            .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", token)
            // Not for this.
            .env("HTTP_PROXY", "http://127.0.0.1:1")
            .env("NO_PROXY", "127.0.0.1")
            .run_with_stdin(&sample("codepipeline-failed").to_string())
    };
    container(CONTAINER_TOKEN).exits(0);
    assert_eq!(only_status(&bitbucket).state, "FAILED");
    container("w0rng-token")
        .exits(4)
        .says("it gives no credentials");
}

const SECRET: &str = "arn:aws:secretsmanager:us-west-2:123456789012:secret:ci/token-AbCdEf";
const PARAMETER: &str = "arn:aws:ssm:us-west-2:123456789012:parameter/ci/token";

/// A reporter whose token AWS keeps.
fn stored(reporter: Reporter, aws: &Aws, arn: &str) -> Reporter {
    reporter
        .without("BITBUCKET_ACCESS_TOKEN")
        .env("BITBUCKET_ACCESS_TOKEN_ARN", arn)
        .env("AWS_ENDPOINT_URL", aws.url())
        .env("AWS_ACCESS_KEY_ID", KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .env("AWS_SESSION_TOKEN", aws.session_token())
}

#[test]
fn any_command_takes_a_token_that_aws_keeps() {
    let aws = aws();
    let object = json!({"BITBUCKET_ACCESS_TOKEN": DEFAULT_TOKEN, "other": "0ther-token"});
    aws.knows(SECRET, json!(object.to_string()));
    aws.knows(PARAMETER, json!(DEFAULT_TOKEN));
    for (arn, args) in [
        (SECRET, &["passed", "-v"][..]),
        (&format!("{SECRET}#BITBUCKET_ACCESS_TOKEN"), &["passed"]),
        (PARAMETER, &["passed"]),
        (PARAMETER, &["check"]),
        (PARAMETER, &[&["run", "--"], NOTHING].concat()),
    ] {
        let bitbucket = StandIn::start();
        let before = aws.received().len();
        stored(codebuild(&bitbucket, args.iter().copied()), &aws, arn)
            .run()
            .exits(0);
        let asked = aws.received().len() - before;
        assert_eq!(asked, 1, "{args:?}: it is kept");
        assert!(!bitbucket.received().is_empty());
    }
    let bitbucket = StandIn::start();
    stored(gitlab(&bitbucket, []), &aws, SECRET)
        .without("AWS_ACCESS_KEY_ID")
        .without("AWS_SECRET_ACCESS_KEY")
        .run()
        .exits(2)
        .says("they are needed to read the token that BITBUCKET_ACCESS_TOKEN_ARN names");
    for (arn, code, reason) in [
        (
            "stand-in-token",
            2,
            "BITBUCKET_ACCESS_TOKEN_ARN: it is not an ARN",
        ),
        (&format!("{SECRET}#none")[..], 2, "without a text `none`"),
        (&format!("{SECRET}x"), 4, "ResourceNotFoundException"),
        (&format!("{SECRET}#other"), 4, "refused: HTTP 401"),
    ] {
        let ran = stored(gitlab(&bitbucket, ["-v"]), &aws, arn).run();
        assert!(!format!("{ran:?}").contains("0ther-token"), "{ran:#?}");
        ran.exits(code).says(reason);
    }
    let long = "x".repeat(100_000);
    for (stored_value, reason) in [
        (r#"["stand-in-token"]"#, "it is a JSON list"),
        (r#""stand-in-token""#, "it is in quotes"),
        ("stand-in token", "it contains white space"),
        (
            "\u{feff}{\"BITBUCKET_ACCESS_TOKEN\": \"stand-in-token\"}",
            "BITBUCKET_ACCESS_TOKEN_ARN: it begins like JSON, and is not valid JSON",
        ),
        (
            "BITBUCKET_ACCESS_TOKEN=stand-in-token",
            "BITBUCKET_ACCESS_TOKEN_ARN: it holds the name of the variable too",
        ),
        (&long, "it has 100000 bytes"),
    ] {
        aws.knows(SECRET, json!(stored_value));
        let bitbucket = StandIn::start();
        let ran = stored(gitlab(&bitbucket, []), &aws, SECRET).run().exits(2);
        ran.says(reason);
        assert_eq!(bitbucket.received(), []);
    }
    let before = aws.received().len();
    stored(gitlab(&bitbucket, ["--dry-run"]), &aws, SECRET)
        .run()
        .exits(0);
    stored(gitlab(&bitbucket, []), &aws, SECRET)
        .env("BITBUCKET_ACCESS_TOKEN", DEFAULT_TOKEN)
        .run()
        .exits(0);
    assert_eq!(
        aws.received().len(),
        before,
        "a dry run asks nobody, and the variable comes first"
    );
}

fn function(bitbucket: &StandIn, aws: &Aws) -> Function {
    Function::start(event(bitbucket, aws, []))
}

#[cfg(target_os = "linux")]
#[test]
fn a_thousand_events_take_one_process_one_connection_and_no_more_memory() {
    let (bitbucket, aws) = (Setup::default().any_commit().tls().start(), aws());
    let ca = Path::new(env!("CARGO_TARGET_TMPDIR")).join("function-ca.pem");
    std::fs::write(&ca, bitbucket.ca_pem().unwrap()).unwrap();
    let function = Function::start(event(&bitbucket, &aws, []).env("SSL_CERT_FILE", ca));
    let variables =
        json!([{"name": "DEPLOY_TOKEN", "type": "PLAINTEXT", "value": "pl4intext-token"}]);
    let ends = ["SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED"];
    let commit = |number: usize| format!("{number:040x}");
    let mut early = 0;
    for number in 0..250 {
        let send = |status: &str| {
            let mut event = build_event(&format!("project-{number}"), "8745a7a9", status);
            let build = &mut event["detail"]["additional-information"];
            build["source-version"] = json!(commit(number));
            build["environment"]["environment-variables"] = variables.clone();
            function.send(&event);
        };
        // An INPROGRESS comes late, and does not replace the end.
        send("IN_PROGRESS");
        send(ends[number % 4]);
        send("IN_PROGRESS");
        let name = ["codepipeline-failed", "codepipeline-started"][number % 2];
        function.send(&changed(name, &json!({"region": "us-west-2"})));
        if number == 25 {
            function.finish();
            early = function.peak_memory();
        }
    }
    let answers = function.finish();
    let late = function.peak_memory();
    println!("peak memory: {early} KiB after a hundred, {late} KiB after a thousand");
    assert_eq!(answers.len(), 1000);
    let refused = answers.iter().find(|answer| answer.is_error);
    assert!(refused.is_none(), "{refused:?}");
    assert_eq!(bitbucket.connections(), 1);
    assert!(function.connections() <= 2, "{}", function.connections());
    // The figure that is promised is of the released file: bench/function.py holds it.
    assert!(late <= early + 512, "{early} KiB, then {late} KiB");
    for number in 0..250 {
        let statuses = bitbucket.statuses(&commit(number));
        let shown: Vec<_> = statuses
            .iter()
            .map(|it| (it.key.as_str(), it.state.as_str()))
            .collect();
        let key = format!("ci/codebuild/project-{number}");
        let expected = ["SUCCESSFUL", "FAILED", "FAILED", "STOPPED"][number % 4];
        assert_eq!(shown, [(key.as_str(), expected)]);
    }
    assert_eq!(only_status(&bitbucket).key, PIPELINE);
    let log = function.end();
    assert_eq!(log.lines().count(), 1000, "one line for each event");
    for secret in [DEFAULT_TOKEN, SECRET_KEY, "pl4intext", &aws.session_token()] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn what_a_retry_can_change_is_an_error_and_all_else_is_done() {
    let (bitbucket, aws) = (bitbucket(), aws());
    let function = function(&bitbucket, &aws);
    let stopped = build_event("p", "1", "STOPPED");
    for (answer, is_error) in [
        (Answer::status(404), true),
        (Answer::status(401), true),
        (Answer::html(200, "<html>Log in</html>"), true),
        (Answer::status(502), false),
    ] {
        // The second answer is to the attempt that follows, or to the next event.
        bitbucket.always(Some(answer.clone()));
        let id = function.send_within(Duration::from_secs(3), &stopped);
        if !is_error {
            std::thread::sleep(Duration::from_millis(200));
            bitbucket.always(None);
        }
        assert_eq!(function.wait(&id).is_error, is_error, "{answer:?}");
    }
    bitbucket.always(None);
    for document in [
        json!({"detail-type": "Scheduled Event", "source": "aws.events"}),
        sample("action-failed"),
        json!("x"),
    ] {
        let answer = function.invoke(&document);
        assert!(
            !answer.is_error && answer.body["error"].is_object(),
            "{answer:?}"
        );
    }
    bitbucket.always(Some(Answer::Silence));
    let id = function.send_within(Duration::from_millis(1500), &stopped);
    let answer = function.wait(&id);
    assert!(answer.is_error, "{answer:?}");
    assert_eq!(answer.body["errorType"], "Function.NotDelivered");
    let log = function.end();
    assert!(
        log.lines()
            .all(|line| line.contains("8476a536-e9f4-11e8-9739-")),
        "{log}"
    );
}

#[test]
fn a_connection_that_has_gone_stale_is_replaced() {
    let bitbucket = bitbucket();
    let (port, aws) = (bitbucket.port(), aws());
    let function = function(&bitbucket, &aws);
    assert!(!function.invoke(&build_event("a", "1", "STOPPED")).is_error);
    drop(bitbucket);
    let bitbucket = Setup::default().commit(SHA).port(port).start();
    assert!(!function.invoke(&build_event("b", "1", "STOPPED")).is_error);
    assert!(!function.invoke(&build_event("c", "1", "STOPPED")).is_error);
    assert_eq!(bitbucket.statuses(SHA).len(), 2);
}

#[test]
fn a_token_that_was_replaced_is_asked_for_again() {
    let (bitbucket, aws) = (bitbucket(), aws());
    aws.knows(SECRET, json!(DEFAULT_TOKEN));
    let function = Function::start(stored(
        build_status::<&str>([]).to(&bitbucket),
        &aws,
        SECRET,
    ));
    let asked = || {
        let received = aws.received();
        let target = |name: &str| name == "secretsmanager.GetSecretValue";
        let is_secret = |it: &&stand_in::Received| it.header("x-amz-target").is_some_and(target);
        received.iter().filter(is_secret).count()
    };
    for project in ["a", "b", "c"] {
        assert!(
            !function
                .invoke(&build_event(project, "1", "STOPPED"))
                .is_error
        );
    }
    assert_eq!(asked(), 1);
    bitbucket.will([Answer::status(401)]);
    let answer = function.invoke(&build_event("d", "1", "STOPPED"));
    assert!(!answer.is_error, "{answer:?}");
    assert_eq!((asked(), bitbucket.statuses(SHA).len()), (2, 4));
    assert!(!function.end().contains(DEFAULT_TOKEN));
}

#[test]
fn a_container_whose_session_has_ended_gets_new_credentials() {
    let (bitbucket, aws) = (bitbucket(), aws());
    let container = build_status::<&str>([])
        .to(&bitbucket)
        .env("AWS_ENDPOINT_URL", aws.url())
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", aws.credentials_url())
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", CONTAINER_TOKEN);
    let function = Function::start(container);
    for _ in 0..3 {
        let answer = function.invoke(&sample("codepipeline-failed"));
        assert!(!answer.is_error, "{answer:?}");
        aws.end_session();
    }
}

#[test]
fn a_function_that_cannot_work_says_so_at_its_start() {
    let (bitbucket, aws) = (bitbucket(), aws());
    let function = Function::start(event(&bitbucket, &aws, []).without("BITBUCKET_ACCESS_TOKEN"));
    let (code, log, answers) = function.ended();
    assert_eq!(code, Some(2), "{log}");
    assert!(
        log.contains("no credentials: set BITBUCKET_ACCESS_TOKEN")
            && log.contains("or BITBUCKET_ACCESS_TOKEN_ARN, for one that AWS keeps"),
        "{log}"
    );
    assert_eq!((answers.len(), answers[0].id.as_str()), (1, "init"));
    let reporter = event(&bitbucket, &aws, []).env("BITBUCKET_API_ROOT", "http://api.example.com");
    let (code, log, answers) = Function::start(reporter).ended();
    assert_eq!((code, answers.len()), (Some(2), 1), "{log}");
    assert!(log.contains("it is plain http"), "{log}");
    let reporter = event(&bitbucket, &aws, []).env("BUILD_STATUS_TIMEOUT", "soon");
    let (code, log, answers) = Function::start(reporter).ended();
    assert_eq!((code, answers.len()), (Some(2), 1), "{log}");
    assert_eq!(
        answers[0].body["errorMessage"],
        "BUILD_STATUS_TIMEOUT: `soon` is not a number"
    );
}

#[cfg(unix)]
#[test]
fn as_bootstrap_it_is_the_function_and_in_a_build_on_lambda_it_is_not() {
    let (bitbucket, aws) = (bitbucket(), aws());
    let bootstrap = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bootstrap");
    let _ = std::fs::remove_file(&bootstrap);
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_build_status"), &bootstrap).unwrap();
    crate::support::program(&bootstrap)
        .to(&bitbucket)
        .run()
        .exits(2)
        .says("AWS_LAMBDA_RUNTIME_API: it is not set");
    let function = Function::start(
        crate::support::program(&bootstrap)
            .to(&bitbucket)
            .env("AWS_REGION", "us-west-2"),
    );
    assert!(!function.invoke(&build_event("a", "1", "STOPPED")).is_error);
    let job = StandIn::start();
    codebuild(&job, [])
        .env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")
        .run()
        .exits(0);
    assert_eq!(job.received().len(), 1);
    drop(aws);
}

/// A build of CodeBuild, seen from inside: the build of `build_event("p", UUID, …)`.
fn own_step<'a>(bitbucket: &StandIn, args: impl IntoIterator<Item = &'a str>) -> Reporter {
    build_status(args)
        .to(bitbucket)
        .env("CODEBUILD_BUILD_ID", format!("p:{UUID}"))
        .env("CODEBUILD_BUILD_NUMBER", "55")
        .env(
            "CODEBUILD_BUILD_URL",
            format!("https://us-west-2.console.aws.amazon.com/codebuild/home?region=us-west-2#/builds/p:{UUID}/view/new"),
        )
        .env("CODEBUILD_RESOLVED_SOURCE_VERSION", SHA)
        .env(
            "CODEBUILD_SOURCE_REPO_URL",
            "https://bitbucket.org/my-workspace/my-repo.git",
        )
}

const UUID: &str = "8745a7a9-c340-456a-9166-edf953571b00";

type Step<'a> = Box<dyn Fn(&StandIn) + 'a>;

#[test]
fn a_build_that_is_stopped_ends_with_one_row_whoever_comes_first() {
    let aws = aws();
    let started = build_event("p", UUID, "IN_PROGRESS");
    let stopped = build_event("p", UUID, "STOPPED");
    let event = |document: &Value| -> Step<'_> {
        let document = document.clone();
        let aws = &aws;
        Box::new(move |bitbucket: &StandIn| {
            report(bitbucket, aws, &document).exits(0);
        })
    };
    let own = |state: &'static str| -> Step<'_> {
        Box::new(move |bitbucket: &StandIn| {
            own_step(bitbucket, [state]).run().exits(0);
        })
    };
    for order in [
        [own("running"), event(&started), event(&stopped)],
        [event(&started), own("running"), event(&stopped)],
        [own("running"), event(&stopped), event(&started)],
        [own("running"), own("stopped"), event(&started)],
        [own("stopped"), event(&stopped), event(&started)],
        [event(&stopped), event(&started), own("stopped")],
    ] {
        let bitbucket = bitbucket();
        for step in &order {
            step(&bitbucket);
        }
        let status = only_status(&bitbucket);
        assert_eq!(
            (status.key.as_str(), status.state.as_str()),
            ("ci/codebuild/p", "STOPPED")
        );
    }
}

#[test]
fn the_end_of_a_build_reaches_what_its_own_reporter_began_on_a_branch() {
    let aws = aws();
    let own = |bitbucket: &StandIn, state: &str| {
        let ran = own_step(bitbucket, [state]).env("CODEBUILD_WEBHOOK_HEAD_REF", "refs/heads/main");
        ran.run().exits(0);
    };
    let event = |bitbucket: &StandIn, status: &str| {
        report(bitbucket, &aws, &build_event("p", UUID, status)).exits(0);
    };
    let rows = |bitbucket: &StandIn| -> Vec<_> {
        let statuses = bitbucket.statuses(SHA).into_iter();
        statuses.map(|it| (it.refname, it.state)).collect()
    };
    let row = |name: Option<&str>, state: &str| (name.map(str::to_owned), state.to_owned());
    let bitbucket_of_one = bitbucket();
    own(&bitbucket_of_one, "running");
    event(&bitbucket_of_one, "STOPPED");
    event(&bitbucket_of_one, "IN_PROGRESS");
    let one = [row(Some("main"), "STOPPED")];
    assert_eq!(rows(&bitbucket_of_one), one);
    assert_eq!(bitbucket_of_one.received().len(), 4);
    // The event is the first: it cannot know the branch.
    let bitbucket = bitbucket();
    event(&bitbucket, "IN_PROGRESS");
    own(&bitbucket, "running");
    event(&bitbucket, "FAILED");
    let both = |bitbucket: &StandIn| {
        let mut both = rows(bitbucket);
        both.sort();
        both
    };
    let failed = [row(None, "FAILED"), row(Some("main"), "FAILED")];
    assert_eq!(both(&bitbucket), failed);
    // The upload of artifacts fails, when the build has said that it passed.
    for early in ["IN_PROGRESS", "FAILED"] {
        let bitbucket = self::bitbucket();
        event(&bitbucket, early);
        own(&bitbucket, "running");
        own(&bitbucket, "passed");
        event(&bitbucket, "FAILED");
        assert_eq!(both(&bitbucket), failed, "{early}");
    }
    // What an older build has left ends with the newer one, which began on a branch.
    let older = UUID.replace('a', "b");
    assert_ne!(older, UUID);
    let bitbucket = self::bitbucket();
    let stopped = build_event("p", &older, "STOPPED");
    report(&bitbucket, &aws, &stopped).exits(0);
    own(&bitbucket, "running");
    own(&bitbucket, "failed");
    event(&bitbucket, "FAILED");
    assert_eq!(both(&bitbucket), failed);
}

/// What the build knows, such as its tests, an event does not.
#[test]
fn an_event_that_bitbucket_has_already_is_not_sent_again() {
    type To = fn(Reporter, &StandIn) -> Reporter;
    let cloud: To = |reporter, _| reporter;
    let server: To = |reporter, bitbucket| {
        reporter
            .without("BITBUCKET_API_ROOT")
            .env("BITBUCKET_SERVER_URL", bitbucket.server_url())
            .env("BITBUCKET_REPOSITORY", "PROJ/my-repo")
            .without("CODEBUILD_SOURCE_REPO_URL")
    };
    let of_server = |version| Setup::default().data_center(version).commit(SHA).start();
    let aws = aws();
    for (bitbucket, to, cancelled) in [
        (bitbucket(), cloud, "STOPPED"),
        (of_server("9.4.0"), server, "CANCELLED"),
        (of_server("7.21.0"), server, "FAILED"),
    ] {
        for (own, kept, same, other) in [
            ("running", "INPROGRESS", "IN_PROGRESS", "FAILED"),
            ("passed", "SUCCESSFUL", "SUCCEEDED", "FAILED"),
            ("failed", "FAILED", "TIMED_OUT", "SUCCEEDED"),
            ("stopped", cancelled, "STOPPED", "SUCCEEDED"),
        ] {
            let event = |status: &str, args: &[&str]| {
                let reporter = event(&bitbucket, &aws, [&["event"], args].concat());
                let document = build_event("p", UUID, status).to_string();
                to(reporter, &bitbucket).run_with_stdin(&document).exits(0)
            };
            // A branch is one more thing that the event does not know.
            let own_step = own_step(&bitbucket, [own, "--description", "3 passed"])
                .env("CODEBUILD_WEBHOOK_HEAD_REF", "refs/heads/main");
            to(own_step, &bitbucket).run().exits(0);
            let before = bitbucket.history().len();
            let text = event(same, &[]).stdout;
            let end = format!(": kept {kept} of the same run\n");
            assert!(text.ends_with(&end), "{text}");
            let json = event(same, &["--output", "json"]).json();
            assert_eq!(
                (&json["kept"], &json["error"]),
                (&json!(kept), &Value::Null)
            );
            assert_eq!(bitbucket.history().len(), before);
            let status = only_status(&bitbucket);
            assert_eq!(status.description.as_deref(), Some("3 passed"));
            event(other, &[]);
            assert_eq!(bitbucket.history().len(), before + 1, "{other} is news");
        }
    }
    // Where Bitbucket does not tell, it is sent.
    let bitbucket = bitbucket();
    let stopped = build_event("p", UUID, "STOPPED");
    report(&bitbucket, &aws, &stopped).exits(0);
    bitbucket.will([Answer::status(403)]);
    report(&bitbucket, &aws, &stopped).exits(0);
    assert_eq!(bitbucket.history().len(), 2);
}

/// Until it tells, an end may be there that the event would overwrite, or a row on a branch.
#[test]
fn an_event_waits_for_what_bitbucket_has_and_fails_where_only_the_next_call_may_know() {
    let aws = aws();
    let busy = |status| vec![Answer::status(status); 20];
    for (answers, code, state) in [
        (busy(503), 5, "INPROGRESS"),
        (busy(429), 5, "INPROGRESS"),
        (vec![Answer::status(503); 2], 0, "STOPPED"),
        (
            vec![Answer::status(429).with_header("Retry-After", "2")],
            0,
            "STOPPED",
        ),
    ] {
        let bitbucket = bitbucket();
        own_step(&bitbucket, ["running"])
            .env("CODEBUILD_WEBHOOK_HEAD_REF", "refs/heads/main")
            .run()
            .exits(0);
        bitbucket.will(answers);
        let document = build_event("p", UUID, "STOPPED").to_string();
        let timeout = ["event", "--timeout", "10"];
        event(&bitbucket, &aws, timeout)
            .run_with_stdin(&document)
            .exits(code);
        assert_eq!(only_status(&bitbucket).state, state);
    }
    // A beginning is never sent blindly.
    for (status, code) in [(403, 4), (503, 5)] {
        let bitbucket = bitbucket();
        report(&bitbucket, &aws, &build_event("p", UUID, "SUCCEEDED")).exits(0);
        bitbucket.will(busy(status));
        let document = build_event("p", UUID, "IN_PROGRESS").to_string();
        let timeout = ["event", "--timeout", "6"];
        event(&bitbucket, &aws, timeout)
            .run_with_stdin(&document)
            .exits(code);
        assert_eq!(only_status(&bitbucket).state, "SUCCESSFUL");
    }
}

#[test]
fn an_event_that_comes_twice_still_ends_what_began_on_a_branch() {
    let (bitbucket, aws) = (bitbucket(), aws());
    report(&bitbucket, &aws, &build_event("p", UUID, "FAILED")).exits(0);
    own_step(&bitbucket, ["running"])
        .env("CODEBUILD_WEBHOOK_HEAD_REF", "refs/heads/main")
        .run()
        .exits(0);
    let ran = report(&bitbucket, &aws, &build_event("p", UUID, "FAILED")).exits(0);
    assert!(ran.stdout.contains(" (200, "), "{ran:?}");
    let states: Vec<_> = bitbucket
        .statuses(SHA)
        .into_iter()
        .map(|it| it.state)
        .collect();
    assert_eq!(states, ["FAILED", "FAILED"]);
    assert_eq!(bitbucket.history().len(), 3);
}

#[test]
fn all_events_of_an_execution_write_one_row() {
    let (bitbucket, aws) = (bitbucket(), aws());
    let trigger = json!({"detail": {"execution-trigger": {"provider-type": "Bitbucket",
        "full-repository-name": "my-workspace/my-repo", "branch-name": "main", "commit-id": SHA}}});
    aws.knows(EXECUTION, execution("InProgress", "Bitbucket"));
    let mut started = sample("codepipeline-started");
    started["region"] = json!("us-west-2");
    report(&bitbucket, &aws, &started).exits(0);
    report(&bitbucket, &aws, &changed("codepipeline-failed", &trigger)).exits(0);
    let status = only_status(&bitbucket);
    assert_eq!((status.state.as_str(), status.refname), ("FAILED", None));
}

#[test]
fn a_setting_that_is_missing_reaches_queue_and_alarm() {
    let (bitbucket, aws) = (bitbucket(), aws());
    let reporter = event(&bitbucket, &aws, []).without("BITBUCKET_API_ROOT");
    let function = Function::start(reporter);
    let source = |kind: &str, location: Value| {
        changed(
            "codebuild-stopped",
            &json!({"detail": {"additional-information": {
                "source": {"type": kind, "location": location}}}}),
        )
    };
    for (document, problem) in [
        (
            source("CODEPIPELINE", Value::Null),
            Some(
                "repository: cannot determine the Bitbucket repository: the event does not name it, and \
                 BITBUCKET_REPOSITORY is set neither in the pipeline's action nor for this process",
            ),
        ),
        (
            source(
                "GITHUB_ENTERPRISE",
                json!("https://git.example.com/scm/p/r.git"),
            ),
            Some(
                "server: the repository is on a Bitbucket Data Center (git.example.com), and \
                  BITBUCKET_SERVER_URL is not set",
            ),
        ),
        (source("GITHUB", json!("https://github.com/o/r.git")), None),
        (
            changed(
                "codepipeline-failed",
                &json!({"detail": {"state": "STOPPING"}}),
            ),
            None,
        ),
    ] {
        let answer = function.invoke(&document);
        assert_eq!(
            (answer.is_error, answer.body["errorMessage"].as_str()),
            (problem.is_some(), problem)
        );
    }
}

#[test]
fn what_a_build_was_given_is_not_repeated() {
    let (bitbucket, aws) = (bitbucket(), aws());
    let function = function(&bitbucket, &aws);
    for (name, value) in [
        ("BUILD_STATUS_COMMIT", "pl4intext"),
        ("BUILD_STATUS_COMMIT", "p\u{1b}4"),
        ("BUILD_STATUS_URL", "javascript:pl4intext"),
        ("BITBUCKET_REPOSITORY", "../pl4intext"),
        ("BUILD_STATUS_KEY", "\t"),
        ("BUILD_STATUS_COMMIT", "#{pl4intext.CommitId}"),
    ] {
        let variable = json!([{"name": name, "type": "PLAINTEXT", "value": value}]);
        let mut document = changed(
            "codebuild-stopped",
            &json!({"detail": {"additional-information": {
                "environment": {"environment-variables": variable}}}}),
        );
        if name == "BITBUCKET_REPOSITORY" {
            document["detail"]["additional-information"]["source"] =
                json!({"type": "CODEPIPELINE"});
        }
        let answer = function.invoke(&document);
        let text = answer.body["errorMessage"].as_str().unwrap_or_default();
        let expected = if value.starts_with('#') {
            format!(
                "{name}, which the build was given: it is a literal reference to a variable, which \
                 the CI has not expanded"
            )
        } else {
            format!("{name}: the build has this variable, and its value is not usable")
        };
        assert_eq!(text, expected, "{value}");
    }
    let log = function.end();
    assert!(!log.contains("pl4intext"), "{log}");
    assert!(
        log.contains("hint: set `Namespace: SourceVariables` at the source action"),
        "{log}"
    );
}

#[test]
fn another_build_than_the_one_asked_for_is_not_reported() {
    let (bitbucket, aws) = (bitbucket(), aws());
    let arn = "arn:aws:codebuild:us-west-2:123456789012:build/other:1";
    for wrong in [json!({"id": "other:1"}), json!({"arn": arn})] {
        let mut build = wrong.clone();
        build["buildStatus"] = json!("SUCCEEDED");
        build["resolvedSourceVersion"] = json!(SHA);
        aws.knows(BUILD, build);
        report(&bitbucket, &aws, &sample("codebuild-timed-out"))
            .exits(4)
            .says("another build than the one that was asked for");
    }
    assert_eq!(bitbucket.received(), []);
}

#[test]
fn attempts_of_an_execution_are_told_apart() {
    let (bitbucket, aws) = (bitbucket(), aws());
    aws.knows(EXECUTION, execution("InProgress", "Bitbucket"));
    let event = |state: &str, attempt: Value| {
        let changes = json!({"detail": {"state": state, "pipeline-execution-attempt": attempt}});
        let document = changed("codepipeline-failed", &changes);
        report(&bitbucket, &aws, &document).exits(0);
        only_status(&bitbucket).state
    };
    assert_eq!(event("FAILED", json!(1.0)), "FAILED");
    assert_eq!(event("STARTED", json!(0)), "FAILED");
    assert_eq!(event("RESUMED", json!(2.0)), "INPROGRESS");
    assert_eq!(event("FAILED", json!(1.0)), "INPROGRESS");
    assert_eq!(event("SUCCEEDED", json!(2.0)), "SUCCESSFUL");
    for (state, attempt) in [
        ("FAILED", json!(1.0)),
        ("RESUMED", json!(2.0)),
        ("STOPPED", Value::Null),
    ] {
        assert_eq!(event(state, attempt), "SUCCESSFUL", "{state}");
    }
    assert!(only_status(&bitbucket).url.ends_with("#attempt=2"));
}

#[test]
fn what_no_event_has_is_refused_and_the_next_event_is_reported() {
    let (bitbucket, aws) = (bitbucket(), aws());
    let function = function(&bitbucket, &aws);
    let answer = function.invoke(&json!("x".repeat(2 * 1024 * 1024)));
    assert!(answer.is_error);
    assert_eq!(
        answer.body["errorMessage"],
        "event: it is longer than 2097152 bytes, which no event is"
    );
    let long = "x".repeat(300_000);
    for name in [&long, "a\r\nb"] {
        let pipeline = changed(
            "codepipeline-failed",
            &json!({"detail": {"pipeline": name}}),
        );
        let mut project = build_event(name, "1", "STOPPED");
        project["resources"] = json!([]);
        for document in [pipeline, project] {
            let answer = function.invoke(&document);
            let message = answer.body["error"]["message"].as_str().unwrap_or_default();
            assert!(
                message.starts_with("event: it has no usable `detail."),
                "{answer:?}"
            );
        }
    }
    for (kind, location) in [
        (
            "GITHUB_ENTERPRISE",
            "https://me:s3cret-word@git.example.com/scm/p/r.git",
        ),
        (
            "GITHUB_ENTERPRISE",
            "https://me:s3cret-word@git.example.com/r",
        ),
        (
            "BITBUCKET",
            "https://me:s3cret-word@bitbucket.org/a/b/c.git",
        ),
        ("BITBUCKET", "https://s3cret-word@other.example.com/a/b.git"),
        ("GITHUB", "https://me:s3cret-word@github.com/a/b.git"),
    ] {
        let source = json!({"source": {"type": kind, "location": location}});
        let document = changed(
            "codebuild-stopped",
            &json!({"detail": {"additional-information": source}}),
        );
        let answer = function.invoke(&document);
        assert!(!answer.body.to_string().contains("s3cret"), "{answer:?}");
    }
    assert_eq!(bitbucket.received(), []);
    assert!(!function.invoke(&build_event("a", "1", "STOPPED")).is_error);
    assert_eq!(only_status(&bitbucket).key, "ci/codebuild/a");
    let logged = function.end();
    assert!(
        logged.len() < 10_000 && !logged.contains("s3cret"),
        "{logged}"
    );
}
