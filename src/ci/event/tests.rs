use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::status::refname::Refname;

const SHA: &str = "1ecfd275763eff1d6b4844ea3168962458c9f27a";

/// AWS's own examples, from the pages that `event`, `event::build` and `event::pipeline` name; what those
/// lack (a Bitbucket source, a stopped and a superseded run) is put in.
const SAMPLES: [&str; 8] = [
    "action-failed",
    "codebuild-stopped",
    "codebuild-succeeded",
    "codebuild-timed-out",
    "codepipeline-failed",
    "codepipeline-started",
    "codepipeline-succeeded",
    "codepipeline-superseded",
];

fn data(name: &str) -> Value {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aws");
    let text = std::fs::read_to_string(directory.join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn sample(name: &str) -> Value {
    data(&format!("events/{name}"))
}

/// A sample with other values at some paths.
fn changed(name: &str, changes: &Value) -> Value {
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
    if changes.is_object() {
        merge(&mut value, changes);
    }
    value
}

fn parse(event: &Value) -> Result<Event, Error> {
    Event::parse(&event.to_string())
}

/// All that is known, in one line.
fn line(event: &Result<Event, Error>) -> String {
    let event = match event {
        Ok(event) => event,
        Err(error) => return error.to_string(),
    };
    let context = &event.context;
    let source = match (&context.repository, &event.elsewhere) {
        (Some(repository), _) => repository.path(),
        (None, Some(product)) => format!("({product})"),
        (None, None) => "?".to_owned(),
    };
    let or_none = |text: Option<&str>| text.unwrap_or("-").to_owned();
    let ask = match &event.ask {
        None => String::new(),
        Some(Question::Build { id }) => format!(" ask {id}"),
        Some(Question::BatchChild { batch, child }) => format!(" ask {batch} for {child}"),
        Some(Question::Execution { pipeline, id }) => format!(" ask {pipeline} {id}"),
    };
    format!(
        "{} {}/{} #{} {} {} {source}: {}{ask}",
        context.state.unwrap(),
        event.info.id,
        or_none(context.job_name.as_deref()),
        or_none(context.build_number.as_deref()),
        or_none(context.commit.hash()),
        or_none(context.refname().as_ref().map(Refname::full).as_deref()),
        event.description,
    )
}

const EXECUTION: &str = "12345678-1234-5678-abcd-12345678abcd";
const BUILD: &str = "my-sample-project:8745a7a9-c340-456a-9166-edf953571bEX";

#[test]
fn every_sample_and_what_the_services_send_besides_gives_a_state_or_a_reason() {
    let Value::Array(cases) = data("table") else {
        panic!("the table is a list");
    };
    for case in cases {
        let event = changed(case["event"].as_str().unwrap(), &case["change"]);
        assert_eq!(line(&parse(&event)), case["gives"], "{case}");
    }
}

#[test]
fn links_lead_to_the_console_of_the_partition() {
    let build = |region: &str| {
        let arn = format!("arn:aws:codebuild:{region}:123456789012:build/{BUILD}");
        parse(&changed(
            "codebuild-stopped",
            &json!({"detail": {"build-id": arn,
            "additional-information": {"initiator": "codepipeline/my.web"}}}),
        ))
        .unwrap()
    };
    let host = "https://cn-north-1.console.amazonaws.cn/codesuite";
    let region = "?region=cn-north-1";
    let event = build("cn-north-1");
    assert_eq!(
        (event.context.url, event.context.pipeline_url),
        (
            Some(format!(
                "{host}/codebuild/123456789012/projects/my-sample-project/build/{}/{region}",
                BUILD.replace(':', "%3A")
            )),
            Some(format!("{host}/codepipeline/pipelines/my.web/view{region}"))
        )
    );
    assert_eq!(build("us-iso-east-1").context.url, None);
    let pipeline = parse(&changed(
        "codepipeline-failed",
        &json!({"region": "cn-north-1"}),
    ))
    .unwrap();
    assert_eq!(
        pipeline.context.url,
        Some(format!(
            "{host}/codepipeline/pipelines/myPipeline/executions/{EXECUTION}/visualization{region}"
        ))
    );
}

/// Answers the calls of an event until it has none, with the bodies of the API.
fn learned(event: &Value, bodies: &[Value]) -> Result<Event, Error> {
    let mut event = parse(event)?;
    for body in bodies {
        assert_ne!(event.ask, None);
        event.learn(&body.to_string())?;
    }
    assert_eq!(event.ask, None);
    Ok(event)
}

#[test]
fn what_the_event_does_not_say_is_learned_from_the_api() {
    let batch = "arn:aws:codebuild:us-west-2:123456789012:build-batch/my-sample-project:b";
    let arn = format!("arn:aws:codebuild:us-west-2:123456789012:build/{BUILD}");
    let builds = |build: Value| json!({"builds": [build], "buildsNotFound": []});
    let child = changed(
        "codebuild-stopped",
        &json!({"detail": {"additional-information": {"initiator": "my-sample-project/AWSCodeBuild-1"}}}),
    );
    let first = changed(
        "codebuild-timed-out",
        &json!({"detail": {"build-status": "IN_PROGRESS", "additional-information": null}}),
    );
    let group = json!({"identifier": "unit", "currentBuildSummary": {"arn": arn}});
    let execution = |status: &str, more: Value| {
        let mut value = json!({"pipelineExecution": {"status": status, "artifactRevisions": more}});
        value["pipelineExecution"]["statusSummary"] = json!("Why.");
        value
    };
    let revisions = json!([{"revisionId": SHA, "revisionUrl": "https://x/?FullRepositoryId=ws%2Frepo",
        "revisionSummary": r#"{"ProviderType":"BitBucket"}"#}]);
    let known = format!("{SHA} - my-workspace/my-repo:");
    for (event, answers, expected) in [
        (
            &sample("codebuild-timed-out"),
            vec![builds(
                json!({"buildStatus": "TIMED_OUT", "resolvedSourceVersion": SHA}),
            )],
            format!(
                "FAILED codebuild/my-sample-project #55 {known} The build timed out in BUILD: \
                 BUILD_TIMED_OUT: Build has timed out."
            ),
        ),
        (
            &first,
            vec![builds(
                json!({"buildStatus": "FAILED", "sourceVersion": SHA, "buildNumber": 7.0,
                "source": {"type": "BITBUCKET", "location": "https://bitbucket.org/my-workspace/my-repo.git"},
                "phases": [{"phaseType": "INSTALL", "phaseStatus": "FAILED"}]}),
            )],
            format!("FAILED codebuild/my-sample-project #7 {known} The build failed in INSTALL."),
        ),
        (
            &child,
            vec![
                builds(json!({"buildBatchArn": batch, "buildStatus": "IN_PROGRESS"})),
                json!({"buildBatches": [{"buildGroups": [group]}]}),
            ],
            format!(
                "STOPPED codebuild/my-sample-project/unit #55 {known} The build was stopped in BUILD."
            ),
        ),
        (
            &child,
            vec![builds(json!({}))],
            format!(
                "STOPPED codebuild/my-sample-project #55 {known} The build was stopped in BUILD."
            ),
        ),
        (
            &child,
            vec![json!({"builds": []})],
            "nothing to report: AWS does not know the build any more".into(),
        ),
        (
            &sample("codepipeline-started"),
            vec![execution("InProgress", json!([]))],
            "INPROGRESS codepipeline/myPipeline #- - - ?: The pipeline is running!".into(),
        ),
        (
            &sample("codepipeline-started"),
            vec![execution("Cancelled", revisions.clone())],
            format!(
                "STOPPED codepipeline/myPipeline #- {SHA} - ws/repo: Cancelled: the pipeline was changed. \
                 Why."
            ),
        ),
        (
            &sample("codepipeline-failed"),
            vec![execution("InProgress", revisions)],
            format!("FAILED codepipeline/myPipeline #- {SHA} - ws/repo: The pipeline failed. Why."),
        ),
    ] {
        assert_eq!(line(&learned(event, &answers)), expected);
    }
}

#[test]
fn no_commit_yet_is_told_apart_from_none_at_all() {
    let started = parse(&sample("codepipeline-started"))
        .unwrap()
        .check_commit()
        .unwrap_err();
    let ended = parse(&sample("codepipeline-failed"))
        .unwrap()
        .check_commit()
        .unwrap_err();
    assert!(started.to_string().contains("the next event has it"));
    assert!(!ended.to_string().contains("the next event has it"));
}

#[test]
fn what_is_not_an_event_is_named() {
    for (text, expected) in [
        ("", "an empty document"),
        (
            "{",
            "not JSON: EOF while parsing an object at line 1 column 1",
        ),
        ("7", "JSON, but not an object"),
        ("\"t0ken\"", "JSON, but not an object"),
        (
            r#"["CodeBuild Build State Change", "aws.codebuild"]"#,
            "a list: send each event by itself",
        ),
        ("{}", "an empty JSON object"),
        (
            r#"{"key1": "value1"}"#,
            "a JSON object with the fields key1",
        ),
        (
            r#"{"Records": [{"EventSource": "aws:sns"}]}"#,
            "an SNS notification: send the event itself",
        ),
        (
            r#"{"Type": "Notification", "TopicArn": "a"}"#,
            "an SNS notification: send the event itself",
        ),
        (
            r#"{"Records": [{"eventSource": "aws:sqs"}]}"#,
            "a batch of records of `aws:sqs`: send the event itself, from a rule of EventBridge",
        ),
        (
            r#"{"Records": [{"eventSource": "aws:kinesis"}]}"#,
            "a batch of records of `aws:kinesis`: send the event itself, from a rule of EventBridge",
        ),
        (
            r#"{"detailType": "CodeBuild Build State Change", "notificationRuleArn": "a"}"#,
            "a notification rule's message: send the event itself, from a rule of EventBridge",
        ),
        (
            r#"{"requestContext": {}, "requestPayload": {}}"#,
            "a record of a failed invocation: send its `requestPayload`",
        ),
        (
            r#"{"awslogs": {"data": "x"}}"#,
            "a payload of CloudWatch Logs",
        ),
        (
            r#"{"requestContext": {}}"#,
            "an HTTP request of API Gateway or a function URL",
        ),
        (
            r#"{"pipeline": "a", "execution-id": "b"}"#,
            "the `detail` of an event alone: send the whole event, without InputPath or input transformer",
        ),
        (
            r#"{"detail-type": "Scheduled Event", "source": "aws.events"}"#,
            "`Scheduled Event` of `aws.events`",
        ),
        (
            r#"{"detail-type": "CodeBuild Build State Change", "source": "my.app"}"#,
            "`CodeBuild Build State Change` of `my.app`",
        ),
    ] {
        let problem = format!("not one of CodeBuild or CodePipeline: {expected}");
        let expected = Err(Error::BadEvent { problem });
        assert_eq!(Event::parse(text), expected, "{text}");
    }
    assert!(Event::parse(&format!("\u{feff}{}", sample("codepipeline-failed"))).is_ok());
}

/// The pointers to all that a document holds.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    let children: Vec<_> = match value {
        Value::Object(fields) => fields.iter().map(|(name, it)| (name.clone(), it)).collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(n, it)| (n.to_string(), it))
            .collect(),
        _ => Vec::new(),
    };
    for (name, child) in children {
        let pointer = format!("{at}/{name}");
        pointers(child, &pointer, all);
        all.push(pointer);
    }
}

fn without(event: &Value, pointer: &str) -> Value {
    let mut event = event.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match event.pointer_mut(parent).unwrap() {
        Value::Object(fields) => drop(fields.remove(name)),
        Value::Array(items) => drop(items.remove(name.parse().unwrap())),
        _ => unreachable!("it has children"),
    }
    event
}

/// Fields that no status needs do not keep it from being sent.
#[test]
fn only_what_is_needed_changes_the_result_when_it_is_missing() {
    for (name, needed) in [
        (
            "codebuild-stopped",
            &[
                "/detail",
                "/detail-type",
                "/detail/additional-information",
                "/detail/additional-information/build-number",
                "/detail/additional-information/phases",
                "/detail/additional-information/phases/4",
                "/detail/additional-information/phases/4/phase-status",
                "/detail/additional-information/phases/4/phase-type",
                "/detail/additional-information/source",
                "/detail/additional-information/source-version",
                "/detail/additional-information/source/location",
                "/detail/build-status",
                "/source",
            ][..],
        ),
        (
            "codepipeline-failed",
            &[
                "/detail",
                "/detail-type",
                "/detail/execution-id",
                "/detail/pipeline",
                "/detail/state",
                "/source",
            ],
        ),
    ] {
        let event = sample(name);
        let expected = line(&parse(&event));
        let mut all = Vec::new();
        pointers(&event, "", &mut all);
        all.retain(|pointer| line(&parse(&without(&event, pointer))) != expected);
        all.sort();
        assert_eq!(all, needed, "{name}");
    }
}

/// Each field of each sample, replaced by everything that it should not be.
#[test]
fn no_value_of_any_field_is_more_than_a_reason() {
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let long = format!(r#""{}""#, "ü".repeat(5_000));
    let hostile = [
        "null",
        "7",
        "-0.0",
        "1e999",
        "123456789012345678901234567890",
        "true",
        r#""""#,
        r#""x""#,
        r#""\ud800""#,
        r#""../../@evil.example/#""#,
        r#""a\r\nb""#,
        "[]",
        "{}",
        r#"[{"a": 1e999}]"#,
        r#"{"type": []}"#,
        &deep,
        &long,
    ];
    for name in SAMPLES {
        let event = sample(name);
        let mut all = Vec::new();
        pointers(&event, "", &mut all);
        for pointer in all {
            for value in hostile {
                let mut event = event.clone();
                *event.pointer_mut(&pointer).unwrap() = json!("@@HERE@@");
                let text = event.to_string().replace(r#""@@HERE@@""#, value);
                let result = Event::parse(&text);
                if let Err(error) = &result {
                    let reason = error.to_string();
                    assert!(
                        !reason.is_empty() && reason.len() < 500,
                        "{name} {pointer}: {reason}"
                    );
                }
                for url in result.iter().filter_map(|event| event.context.url.as_ref()) {
                    let host = url.split('/').nth(2).unwrap();
                    assert!(
                        host.ends_with(".console.aws.amazon.com"),
                        "{name} {pointer}: {url}"
                    );
                    assert!(
                        url.bytes().all(|byte| byte.is_ascii_graphic()),
                        "{name} {pointer}: {url}"
                    );
                }
            }
        }
    }
}
