//! The guard: what a newer run has said is kept, and so is the end of a run against its own beginning.

use std::time::Duration;

use stand_in::{Answer, DEFAULT_COMMIT, StandIn};

use crate::support::{NOTHING, Ran, Reporter, codebuild, gitlab, only_status};

/// A job of this number.
fn job<'a>(bitbucket: &StandIn, number: u64, args: impl IntoIterator<Item = &'a str>) -> Reporter {
    let url = format!("https://gitlab.example.com/my-workspace/my-repo/-/jobs/{number}");
    gitlab(bitbucket, args).env("CI_JOB_URL", url)
}

fn requests(bitbucket: &StandIn) -> Vec<String> {
    let received = bitbucket.received().into_iter();
    received.map(|it| it.method).collect()
}

const KEPT: &str = "STOPPED ci/gitlab-ci/unit-tests -> my-workspace/my-repo@9fceb02d0ae5: kept \
                    SUCCESSFUL of a newer run\n";

#[test]
fn a_run_that_was_stopped_does_not_overwrite_the_newer_one() {
    let bitbucket = StandIn::start();
    job(&bitbucket, 2, ["passed"]).run().exits(0);
    let ran = job(&bitbucket, 1, ["stopped"]).run().exits(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (KEPT, ""));
    assert_eq!(only_status(&bitbucket).state, "SUCCESSFUL");
    let json = job(&bitbucket, 1, ["stopped", "--output", "json"])
        .run()
        .exits(0)
        .json();
    assert_eq!(
        [
            &json["state"],
            &json["kept"],
            &json["http_status"],
            &json["error"]
        ],
        [
            "STOPPED".into(),
            "SUCCESSFUL".into(),
            serde_json::Value::Null,
            serde_json::Value::Null
        ]
        .each_ref()
    );
    assert_eq!(requests(&bitbucket), ["POST", "GET", "GET"]);

    job(&bitbucket, 3, ["stopped"]).run().exits(0);
    assert_eq!(only_status(&bitbucket).state, "STOPPED");
    job(&bitbucket, 1, ["stopped", "--no-guard"]).run().exits(0);
    assert!(only_status(&bitbucket).url.ends_with("/jobs/1"));
}

#[test]
fn other_states_ask_when_they_are_told_to_and_are_one_request_else() {
    for (arguments, variable, asks) in [
        (&["failed"][..], None, false),
        (&["failed", "--guard"], None, true),
        (&["failed"], Some("true"), true),
        (&["failed", "--no-guard"], Some("true"), false),
        (&["stopped"], Some("false"), false),
        (&["stopped", "--guard"], Some("false"), true),
    ] {
        let bitbucket = StandIn::start();
        job(&bitbucket, 2, ["passed"]).run().exits(0);
        let ran = job(&bitbucket, 1, arguments.iter().copied());
        let ran = ran
            .env("BUILD_STATUS_GUARD", variable.unwrap_or_default())
            .run()
            .exits(0);
        let expected = if asks {
            ["POST", "GET"]
        } else {
            ["POST", "POST"]
        };
        assert_eq!(requests(&bitbucket), expected, "{ran:?}");
        assert_eq!(only_status(&bitbucket).state == "SUCCESSFUL", asks);
    }
}

#[test]
fn the_end_of_a_run_is_kept_against_its_own_beginning() {
    let bitbucket = StandIn::start();
    job(&bitbucket, 1, ["failed"]).run().exits(0);
    let ran = job(&bitbucket, 1, ["running", "--guard"]).run().exits(0);
    assert!(
        ran.stdout.ends_with(": kept FAILED of the same run\n"),
        "{ran:?}"
    );
    job(&bitbucket, 1, ["passed", "--guard"]).run().exits(0);
    assert_eq!(only_status(&bitbucket).state, "SUCCESSFUL");
}

#[test]
fn what_cannot_be_compared_or_is_not_told_is_overwritten() {
    let late = || Answer::Late(Duration::from_secs(9));
    for (host, answers) in [
        ("gitlab.example.org", vec![]),
        ("gitlab.example.com", vec![Answer::status(403)]),
        ("gitlab.example.com", vec![Answer::json(200, "[]")]),
        ("gitlab.example.com", vec![late(), late()]),
    ] {
        let url = format!("https://{host}/my-workspace/my-repo/-/jobs/2");
        let bitbucket = StandIn::start();
        job(&bitbucket, 0, ["passed", "--url", &url]).run().exits(0);
        bitbucket.will(answers);
        let ran = job(&bitbucket, 1, ["stopped", "--timeout", "4"])
            .run()
            .exits(0);
        assert_eq!(only_status(&bitbucket).state, "STOPPED", "{ran:?}");
    }
}

#[test]
fn what_bitbucket_has_is_waited_for_and_a_warning_says_that_it_is_not_known() {
    for answers in [
        vec![Answer::status(429).with_header("Retry-After", "2"); 2],
        vec![Answer::status(503); 2],
    ] {
        let bitbucket = StandIn::start();
        job(&bitbucket, 2, ["passed"]).run().exits(0);
        bitbucket.will(answers);
        let ran = job(&bitbucket, 1, ["stopped", "--timeout", "12"]).run();
        assert_eq!((ran.stdout.as_str(), ran.code), (KEPT, Some(0)), "{ran:?}");
    }
    let bitbucket = StandIn::start();
    bitbucket.will([Answer::status(403)]);
    job(&bitbucket, 1, ["stopped"])
        .run()
        .exits(0)
        .says("warning: what Bitbucket has is not known, so that it is overwritten");
}

#[test]
fn a_status_of_another_branch_is_another_one() {
    let bitbucket = StandIn::start();
    let branch = |name: &str, number, state| {
        let ran = job(&bitbucket, number, [state]).env("CI_COMMIT_BRANCH", name);
        ran.run().exits(0)
    };
    branch("a", 2, "passed");
    branch("b", 1, "stopped");
    let states: Vec<_> = bitbucket
        .statuses(DEFAULT_COMMIT)
        .into_iter()
        .map(|it| it.state)
        .collect();
    assert_eq!(states, ["SUCCESSFUL", "STOPPED"]);
}

#[test]
fn data_center_compares_build_numbers() {
    let bitbucket = stand_in::Setup::default().data_center("9.4.0").start();
    // The links of CodeBuild have no numbers.
    let build = |number: &str, id: &str, state| -> Ran {
        codebuild(&bitbucket, [state])
            .without("BITBUCKET_API_ROOT")
            .env("BITBUCKET_SERVER_URL", bitbucket.server_url())
            .env("BITBUCKET_REPOSITORY", "PROJ/my-repo")
            .without("CODEBUILD_SOURCE_REPO_URL")
            .env("CODEBUILD_BUILD_NUMBER", number)
            .env(
                "CODEBUILD_BUILD_URL",
                format!("https://console.aws.example.com/{id}"),
            )
            .run()
            .exits(0)
    };
    build("13", "a", "passed");
    assert!(
        build("12", "b", "stopped")
            .stdout
            .ends_with("kept SUCCESSFUL of a newer run\n")
    );
    build("14", "c", "stopped");
    assert_eq!(only_status(&bitbucket).state, "CANCELLED");
    // Of a stopped build: what is there, what the server can do, and the status.
    assert_eq!(requests(&bitbucket), ["POST", "GET", "GET", "GET", "POST"]);
    assert_eq!(bitbucket.connections(), 3);
}

/// Their links have no numbers either; their names have them.
#[test]
fn cloud_compares_the_build_numbers_in_names() {
    let bitbucket = StandIn::start();
    let build = |number: &str, state, key: &str| -> Ran {
        codebuild(&bitbucket, [state, "--guard", "--key", key])
            .env("CODEBUILD_BUILD_NUMBER", number)
            .env(
                "CODEBUILD_BUILD_URL",
                format!("https://console.aws.example.com/{number}x"),
            )
            .run()
            .exits(0)
    };
    for (ours, key) in [("stopped", "stopped"), ("passed", "passed")] {
        build("13", "failed", key);
        let ran = build("12", ours, key);
        assert!(
            ran.stdout.ends_with("kept FAILED of a newer run\n"),
            "{ran:?}"
        );
        build("14", ours, key);
    }
    assert_eq!(requests(&bitbucket).len(), 12 - 2);
}

/// They have no question for one key: the list of the commit has the same.
#[test]
fn data_center_before_7_14_is_asked_too() {
    for version in ["6.10.0", "7.3.2", "7.4.0", "7.13.0", "7.14.0"] {
        let bitbucket = stand_in::Setup::default().data_center(version).start();
        let job = |number, args: [&'static str; 2]| {
            job(&bitbucket, number, args)
                .without("BITBUCKET_API_ROOT")
                .env("BITBUCKET_SERVER_URL", bitbucket.server_url())
                .env("BITBUCKET_REPOSITORY", "PROJ/my-repo")
                .run()
                .exits(0)
        };
        job(2, ["passed", "--guard"]);
        for args in [["stopped", "--guard"], ["failed", "--guard"]] {
            let ran = job(1, args);
            let kept = ran.stdout.ends_with("kept SUCCESSFUL of a newer run\n");
            assert!(kept, "{version} {ran:?}");
        }
        assert_eq!(only_status(&bitbucket).state, "SUCCESSFUL", "{version}");
        job(3, ["failed", "--guard"]);
        assert_eq!(only_status(&bitbucket).state, "FAILED", "{version}");
    }
}

#[test]
fn a_command_that_is_run_keeps_what_a_newer_run_has_said() {
    let bitbucket = StandIn::start();
    job(&bitbucket, 2, ["passed"]).run().exits(0);
    let args = [&["run", "--guard", "--"], NOTHING].concat();
    let ran = job(&bitbucket, 1, args).run().exits(0);
    assert!(
        ran.stderr.contains(": kept SUCCESSFUL of a newer run\n"),
        "{ran:?}"
    );
    assert!(only_status(&bitbucket).url.ends_with("/jobs/2"));
    let args = [&["run", "--"], NOTHING].concat();
    job(&bitbucket, 1, args).run().exits(0);
    assert!(only_status(&bitbucket).url.ends_with("/jobs/1"));
}

#[test]
fn a_build_of_another_repository_on_data_center_is_no_newer_run() {
    for (repository, sent) in [("fork", 1), ("my-repo", 0)] {
        let bitbucket = stand_in::Setup::default().data_center("9.4.0").start();
        let url = "https://gitlab.example.com/my-workspace/my-repo/-/jobs/2";
        let build = serde_json::json!({"key": "ci/gitlab-ci/unit-tests", "state": "SUCCESSFUL",
            "url": url, "projectKey": "PROJ", "repositorySlug": repository});
        bitbucket.will([Answer::json(200, &build.to_string())]);
        job(&bitbucket, 1, ["stopped"])
            .without("BITBUCKET_API_ROOT")
            .env("BITBUCKET_SERVER_URL", bitbucket.server_url())
            .env("BITBUCKET_REPOSITORY", "PROJ/my-repo")
            .run()
            .exits(0);
        assert_eq!(bitbucket.history().len(), sent, "{repository}");
    }
}

#[test]
fn show_leaves_out_what_data_center_lists_of_another_repository() {
    let bitbucket = stand_in::Setup::default().data_center("9.4.0").start();
    let build = |repository: &str| {
        serde_json::json!({"key": repository, "state": "SUCCESSFUL", "url": "https://x.example.com/1",
            "projectKey": "PROJ", "repositorySlug": repository})
    };
    let list = serde_json::json!({"values": [build("fork"), build("my-repo")], "isLastPage": true});
    let known = Answer::Late(Duration::ZERO);
    bitbucket.will([known, Answer::json(200, &list.to_string())]);
    let ran = gitlab(&bitbucket, ["show"])
        .without("BITBUCKET_API_ROOT")
        .env("BITBUCKET_SERVER_URL", bitbucket.server_url())
        .env("BITBUCKET_REPOSITORY", "PROJ/my-repo")
        .run()
        .exits(0);
    assert!(
        ran.stdout.contains("my-repo") && !ran.stdout.contains("fork"),
        "{ran:?}"
    );
}
