//! What is sent: states, options, keys, URLs, names, refs, repositories.

use serde_json::json;
use stand_in::{DEFAULT_COMMIT, SECOND_COMMIT, Setup, StandIn};

use crate::support::{build_status, codebuild, gitlab, only_status, shown};

const WORDS: &[(&str, &[&str])] = &[
    (
        "INPROGRESS",
        &["running", "pending", "started", "inprogress", "in_progress"],
    ),
    (
        "SUCCESSFUL",
        &["passed", "success", "successful", "succeeded"],
    ),
    (
        "FAILED",
        &[
            "failed",
            "failure",
            "error",
            "errored",
            "timedout",
            "timed_out",
            "unstable",
        ],
    ),
    (
        "STOPPED",
        &[
            "stopped",
            "canceled",
            "cancelled",
            "aborted",
            "skipped",
            "not_built",
        ],
    ),
];

#[test]
fn every_word_means_its_state_in_any_case_as_argument_and_as_variable() {
    let bitbucket = StandIn::start();
    for (state, words) in WORDS {
        for word in *words {
            gitlab(&bitbucket, [*word]).run().exits(0);
            assert_eq!(only_status(&bitbucket).state, *state, "{word}");
            let upper = word.to_uppercase();
            gitlab(&bitbucket, [])
                .env("BUILD_STATUS", &upper)
                .run()
                .exits(0);
            assert_eq!(only_status(&bitbucket).state, *state, "{upper}");
        }
    }
}

#[test]
fn each_state_has_the_description_of_gitlabs_script() {
    let bitbucket = StandIn::start();
    for (word, description) in [
        ("running", "The build is running!"),
        ("passed", "The build passed!"),
        ("failed", "The build failed."),
        ("stopped", "The build was stopped."),
    ] {
        gitlab(&bitbucket, [word]).run().exits(0);
        assert_eq!(
            only_status(&bitbucket).description.as_deref(),
            Some(description)
        );
    }
}

#[test]
fn the_argument_beats_the_variable_which_beats_the_ci() {
    let bitbucket = StandIn::start();
    let state = |args: &[&str], variable: &str| {
        gitlab(&bitbucket, args.iter().copied())
            .env("BUILD_STATUS", variable)
            .env("CI_JOB_STATUS", "failed")
            .run()
            .exits(0);
        only_status(&bitbucket).state
    };
    assert_eq!(state(&["passed"], "running"), "SUCCESSFUL");
    assert_eq!(state(&[], "running"), "INPROGRESS");
    assert_eq!(state(&[], ""), "FAILED");
    assert_eq!(state(&["auto"], "running"), "FAILED");
    assert_eq!(state(&["AUTO"], ""), "FAILED");
    assert_eq!(state(&[], "auto"), "FAILED");
}

#[test]
fn gitlabs_word_for_the_job_is_read() {
    let bitbucket = StandIn::start();
    for (word, state, description) in [
        ("success", "SUCCESSFUL", "The build passed!"),
        ("failed", "FAILED", "The build failed."),
        ("canceled", "STOPPED", "The build was stopped."),
        ("timedout", "FAILED", "The build timed out."),
        ("running", "INPROGRESS", "The build is running!"),
    ] {
        for args in [&[][..], &["auto"]] {
            let job = gitlab(&bitbucket, args.iter().copied());
            job.env("CI_JOB_STATUS", word).run().exits(0);
            let found = only_status(&bitbucket);
            assert_eq!(
                (&*found.state, found.description.as_deref()),
                (state, Some(description)),
                "{word}"
            );
        }
    }
}

#[test]
fn codebuilds_digit_for_the_build_is_read() {
    let bitbucket = StandIn::start();
    for (digit, state) in [("1", "SUCCESSFUL"), ("0", "FAILED")] {
        codebuild(&bitbucket, [])
            .env("CODEBUILD_BUILD_SUCCEEDING", digit)
            .run()
            .exits(0);
        assert_eq!(only_status(&bitbucket).state, state);
    }
}

#[test]
fn an_unknown_word_is_an_error_that_names_words_and_variable() {
    let bitbucket = StandIn::start();
    for word in ["ok", "1", "0", "true", "green", "passed!"] {
        gitlab(&bitbucket, [word])
            .run()
            .exits(2)
            .says(&format!("`{word}` is not a known state (from STATE)"))
            .says("running, passed, failed or stopped");
        gitlab(&bitbucket, [])
            .env("BUILD_STATUS", word)
            .run()
            .exits(2)
            .says(&format!(
                "`{word}` is not a known state (from BUILD_STATUS)"
            ));
    }
    assert_eq!(shown(&bitbucket), []);
}

#[test]
fn a_state_that_nobody_gives_is_never_guessed() {
    let bitbucket = StandIn::start();
    for word in ["", "skipped", "SUCCESS", "1", "unknown"] {
        gitlab(&bitbucket, ["auto"])
            .env("CI_JOB_STATUS", word)
            .run()
            .exits(3)
            .says("BUILD_STATUS")
            .says("CI_JOB_STATUS");
    }
    for digit in ["", "2", "true", "success"] {
        codebuild(&bitbucket, [])
            .env("CODEBUILD_BUILD_SUCCEEDING", digit)
            .run()
            .exits(3)
            .says("CODEBUILD_BUILD_SUCCEEDING");
    }
    assert_eq!(shown(&bitbucket), []);
}

/// Option, variable, where it shows in the request's body.
const BUILD_OPTIONS: &[(&str, &str, &str)] = &[
    ("--key", "BUILD_STATUS_KEY", "key"),
    ("--name", "BUILD_STATUS_NAME", "name"),
    ("--description", "BUILD_STATUS_DESCRIPTION", "description"),
    ("--refname", "BUILD_STATUS_REFNAME", "refname"),
];

#[test]
fn an_option_beats_its_variable_which_beats_the_ci_and_empty_is_unset() {
    let bitbucket = StandIn::start();
    let sent = |args: &[&str], variable: &str, value: &str, field: &str| {
        gitlab(&bitbucket, args.iter().copied())
            .env(variable, value)
            .run()
            .exits(0);
        bitbucket.received().last().unwrap().json()[field].clone()
    };
    for (option, variable, field) in BUILD_OPTIONS {
        let by_ci = sent(&[], variable, "", field);
        assert!(by_ci.as_str().is_some_and(|text| !text.is_empty()));
        assert_eq!(
            sent(&[], variable, "by-variable", field),
            json!("by-variable")
        );
        assert_eq!(
            sent(&[option, "by-option"], variable, "by-variable", field),
            json!("by-option")
        );
    }
    let (one, two) = ("https://one.example.com/", "https://two.example.com/");
    assert_eq!(sent(&[], "BUILD_STATUS_URL", one, "url"), json!(one));
    assert_eq!(
        sent(&["--url", two], "BUILD_STATUS_URL", one, "url"),
        json!(two)
    );
}

#[test]
fn every_other_option_has_a_variable_too() {
    let bitbucket = Setup::default().repository("w2", "r2").start();
    let gitlab = |args: &[&str]| gitlab(&bitbucket, args.iter().copied());
    let path = || bitbucket.received().last().unwrap().path.clone();
    let to = |workspace, repository, commit| {
        format!("/2.0/repositories/{workspace}/{repository}/commit/{commit}/statuses/build")
    };
    gitlab(&[])
        .env("BITBUCKET_NAMESPACE", "w2")
        .env("BITBUCKET_REPOSITORY", "r2")
        .env("BUILD_STATUS_COMMIT", SECOND_COMMIT)
        .run()
        .exits(0);
    assert_eq!(path(), to("w2", "r2", SECOND_COMMIT));
    for args in [["--workspace", "w2"], ["--project", "w2"]] {
        gitlab(&args)
            .env("BITBUCKET_REPOSITORY", "r2")
            .run()
            .exits(0);
        assert_eq!(path(), to("w2", "r2", DEFAULT_COMMIT));
    }
    gitlab(&["--repository", "w2/r2"])
        .env("BITBUCKET_NAMESPACE", "other")
        .run()
        .exits(0);
    assert_eq!(path(), to("w2", "r2", DEFAULT_COMMIT));
    gitlab(&["--workspace", "w2"])
        .env("BITBUCKET_REPOSITORY", "other/r2")
        .run()
        .exits(0);
    assert_eq!(path(), to("w2", "r2", DEFAULT_COMMIT));
    gitlab(&["--commit", &SECOND_COMMIT[..7]]).run().exits(0);
    assert_eq!(path(), to("my-workspace", "my-repo", &SECOND_COMMIT[..7]));

    let count = bitbucket.received().len();
    let dry = gitlab(&[])
        .env("BUILD_STATUS_DRY_RUN", "1")
        .env("BUILD_STATUS_OUTPUT", "json")
        .run();
    assert_eq!(dry.exits(0).json()["dry_run"], true);
    gitlab(&[])
        .env("BUILD_STATUS_PROVIDER", "nosuch")
        .run()
        .exits(2)
        .says("codebuild, ");
    gitlab(&["--provider", "codebuild"]).run().exits(3);
    gitlab(&["--url", "x"])
        .env("BUILD_STATUS_NO_FAIL", "true")
        .run()
        .exits(2);
    gitlab(&["--commit", "x"])
        .env("BUILD_STATUS_NO_FAIL", "true")
        .run()
        .exits(0)
        .says("warning: ");
    gitlab(&[])
        .env("BUILD_STATUS_TIMEOUT", "no")
        .run()
        .exits(2)
        .says("BUILD_STATUS_TIMEOUT");
    gitlab(&["--timeout", "no"])
        .run()
        .exits(2)
        .says("--timeout");
    gitlab(&[])
        .env("BUILD_STATUS_DRY_RUN", "maybe")
        .run()
        .exits(2)
        .says("BUILD_STATUS_DRY_RUN");
    gitlab(&[])
        .env("BUILD_STATUS_CA_FILE", "nosuch.pem")
        .run()
        .exits(1)
        .says("BUILD_STATUS_CA_FILE");
    gitlab(&[])
        .env("SSL_CERT_FILE", "nosuch.pem")
        .run()
        .exits(1)
        .says("SSL_CERT_FILE");
    gitlab(&[])
        .env("BITBUCKET_AUTH", "basic")
        .run()
        .exits(2)
        .says("BITBUCKET_USERNAME");
    gitlab(&[])
        .env("BITBUCKET_API_ROOT", "http://bitbucket.example.com/")
        .run()
        .exits(2)
        .says("plain http");
    assert_eq!(bitbucket.received().len(), count);
}

#[test]
fn build_key_is_read_after_build_status_key() {
    let bitbucket = StandIn::start();
    for (ours, scripts, expected) in [("", "push", "push"), ("mine", "push", "mine")] {
        gitlab(&bitbucket, [])
            .env("BUILD_STATUS_KEY", ours)
            .env("BUILD_KEY", scripts)
            .run()
            .exits(0);
        assert_eq!(bitbucket.history().last().unwrap().key, expected);
    }
}

#[test]
fn the_key_is_the_jobs_name_and_a_rerun_overwrites() {
    let bitbucket = StandIn::start();
    for (job, state) in [("4242", "failed"), ("4243", "success")] {
        gitlab(&bitbucket, [])
            .env("CI_JOB_STATUS", state)
            .env("CI_JOB_ID", job)
            .env("CI_PIPELINE_IID", job)
            .run()
            .exits(0);
    }
    codebuild(&bitbucket, []).run().exits(0);
    codebuild(&bitbucket, [])
        .env("CODEBUILD_BATCH_BUILD_IDENTIFIER", "linux_small")
        .run()
        .exits(0);
    let expected = [
        ("ci/gitlab-ci/unit-tests", "SUCCESSFUL"),
        ("ci/codebuild/my-project", "SUCCESSFUL"),
        ("ci/codebuild/my-project/linux_small", "SUCCESSFUL"),
    ];
    assert_eq!(
        shown(&bitbucket),
        expected.map(|(key, state)| (key.into(), state.into()))
    );
}

/// Golden, as in `key.rs`, but as Bitbucket gets them.
#[test]
fn long_keys_are_shortened_and_siblings_keep_apart() {
    let bitbucket = StandIn::start();
    for (job, key) in [
        (
            "abcdefghijklmnopqrstuvwxyza",
            "ci/gitlab-ci/abcdefghijklmnopqrstuvwxyza",
        ),
        (
            "abcdefghijklmnopqrstuvwxyzab",
            "ci/gitlab-ci/abcdefghijklmnopqr-956948d4",
        ),
        (
            r#"deploystacks: [aws, monitoring "app" {1}]"#,
            "ci/gitlab-ci/deploystacks: [aws-bb1c0411",
        ),
        (
            "prüfung-der-größenverhältnisse-überall",
            "ci/gitlab-ci/prüfung-der-größen-6e068d33",
        ),
    ] {
        let ran = gitlab(&bitbucket, [])
            .env("CI_JOB_NAME", job)
            .run()
            .exits(0);
        assert_eq!(bitbucket.history().last().unwrap().key, key);
        assert_eq!(ran.stderr, "", "nobody chose that key, so nobody is warned");
    }
    gitlab(&bitbucket, ["--key", &"k".repeat(41)])
        .run()
        .exits(0)
        .says("warning: --key: the key has 41 characters, but Bitbucket Cloud allows 40");
    assert_eq!(bitbucket.history().last().unwrap().key.len(), 40);
    gitlab(&bitbucket, ["--key", &"k".repeat(40)])
        .run()
        .exits(0);
    assert_eq!(bitbucket.history().last().unwrap().key, "k".repeat(40));
}

#[test]
fn names_and_descriptions_are_cut_at_255_characters() {
    let bitbucket = StandIn::start();
    let long = "ü".repeat(256);
    gitlab(&bitbucket, ["--name", &long, "--description", &long])
        .run()
        .exits(0);
    let status = only_status(&bitbucket);
    let cut = "ü".repeat(254) + "…";
    assert_eq!(status.name.as_deref(), Some(cut.as_str()));
    assert_eq!(status.description.as_deref(), Some(cut.as_str()));
    gitlab(&bitbucket, ["--name", &long[2..]]).run().exits(0);
    assert_eq!(only_status(&bitbucket).name.as_deref(), Some(&long[2..]));
}

#[test]
fn urls_are_made_fit_or_refused_before_anything_is_sent() {
    let bitbucket = StandIn::start();
    for (url, sent) in [
        (
            "https://ci.example.com/{a}/b c",
            "https://ci.example.com/%7Ba%7D/b%20c",
        ),
        ("http://10.0.0.7:8080/1", "http://10.0.0.7:8080/1"),
        ("https://me:pw@ci.example.com/1", "https://ci.example.com/1"),
    ] {
        gitlab(&bitbucket, []).env("CI_JOB_URL", url).run().exits(0);
        assert_eq!(only_status(&bitbucket).url, sent);
    }
    let count = bitbucket.received().len();
    let long = format!("https://ci.example.com/{}", "a".repeat(428));
    for (url, reason) in [
        ("http://gitlab/x/-/jobs/1", "external_url"),
        ("http://localhost:8080/", "no dot"),
        ("/x/-/jobs/1", "not an absolute"),
        (long.as_str(), "451 characters"),
    ] {
        gitlab(&bitbucket, [])
            .env("CI_JOB_URL", url)
            .run()
            .exits(2)
            .says(reason);
        gitlab(&bitbucket, ["--url", url])
            .run()
            .exits(2)
            .says("--url");
    }
    assert_eq!(bitbucket.received().len(), count);
}

#[test]
fn the_url_is_the_jobs_else_the_pipelines() {
    let bitbucket = StandIn::start();
    let url = |reporter: crate::support::Reporter| {
        reporter.run().exits(0);
        bitbucket.history().last().unwrap().url.clone()
    };
    let job = "https://gitlab.example.com/my-workspace/my-repo/-/jobs/4242";
    let gitlab = || gitlab(&bitbucket, []);
    assert_eq!(url(gitlab()), job);
    assert_eq!(url(gitlab().without("CI_JOB_URL")), job);
    let pipeline = "https://gitlab.example.com/my-workspace/my-repo/-/pipelines/1";
    let without = gitlab().without("CI_JOB_URL").without("CI_JOB_ID");
    assert_eq!(url(without.env("CI_PIPELINE_URL", pipeline)), pipeline);
    gitlab()
        .without("CI_JOB_URL")
        .without("CI_JOB_ID")
        .run()
        .exits(3)
        .says("--url");
    assert_eq!(
        url(codebuild(&bitbucket, [])),
        "https://eu-west-1.console.aws.amazon.com/codesuite/codebuild/123456789012/projects/my-project/build/my-project%3A8745a7a9-c340-456a-9166-edf953571bEX/?region=eu-west-1"
    );
}

#[test]
fn the_commit_is_a_hash_or_nothing_is_sent() {
    let bitbucket = StandIn::start();
    for value in [
        "main",
        "HEAD",
        "9fceb02d0ae5",
        "arn:aws:s3:::bucket/key.zip",
        "refs/heads/x",
    ] {
        gitlab(&bitbucket, [])
            .env("CI_COMMIT_SHA", value)
            .run()
            .exits(3)
            .says(&format!(
                "CI_COMMIT_SHA is `{value}`, which is not a commit hash"
            ));
    }
    for value in ["9fceb0", "main", &"a".repeat(65)] {
        gitlab(&bitbucket, ["--commit", value])
            .run()
            .exits(3)
            .says("--commit");
    }
    gitlab(&bitbucket, [])
        .without("CI_COMMIT_SHA")
        .run()
        .exits(3)
        .says("BUILD_STATUS_COMMIT");
    assert_eq!(bitbucket.received().len(), 0);
    gitlab(&bitbucket, [])
        .env("CI_COMMIT_SHA", DEFAULT_COMMIT.to_uppercase())
        .run()
        .exits(0);
    assert_eq!(only_status(&bitbucket).commit, DEFAULT_COMMIT);
}

#[test]
fn the_refname_is_the_bare_source_branch_else_the_tag() {
    let bitbucket = StandIn::start();
    let refname = |args: &[&str], variables: &[(&str, &str)]| {
        let reporter = gitlab(&bitbucket, args.iter().copied()).envs(variables);
        reporter
            .env("BUILD_KEY", bitbucket.received().len().to_string())
            .run()
            .exits(0);
        bitbucket.received().last().unwrap().json()["refname"].clone()
    };
    let no_branch = ("CI_COMMIT_BRANCH", "");
    assert_eq!(refname(&[], &[]), json!("main"));
    let tag = ("CI_COMMIT_TAG", "v1");
    assert_eq!(
        refname(&[], &[no_branch, tag, ("CI_COMMIT_REF_NAME", "v1")]),
        json!("v1")
    );
    let source = ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "feature/x");
    assert_eq!(refname(&[], &[no_branch, source]), json!("feature/x"));
    assert_eq!(refname(&["--refname", ""], &[]), json!(null));
    assert_eq!(refname(&["--refname", "refs/heads/a/b"], &[]), json!("a/b"));
    assert_eq!(refname(&["--refname", "refs/tags/v2"], &[]), json!("v2"));
}

#[test]
fn a_request_is_one_post_of_compact_json_with_our_name() {
    let bitbucket = StandIn::start();
    gitlab(&bitbucket, []).run().exits(0);
    let received = bitbucket.received();
    assert_eq!((received.len(), bitbucket.connections()), (1, 1));
    let request = &received[0];
    assert_eq!(request.method, "POST");
    assert_eq!(
        request.body,
        r#"{"state":"SUCCESSFUL","key":"ci/gitlab-ci/unit-tests","name":"unit-tests #17","description":"The build passed!","url":"https://gitlab.example.com/my-workspace/my-repo/-/jobs/4242","refname":"main"}"#
    );
    for (name, value) in [
        ("content-type", "application/json"),
        ("accept", "application/json"),
        ("authorization", "Bearer stand-in-token"),
        (
            "user-agent",
            concat!("build_status/", env!("CARGO_PKG_VERSION")),
        ),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
}

#[test]
fn workspaces_and_repositories_may_be_uuids() {
    let bitbucket = Setup::default().repository("{w-1}", "{r-1}").start();
    gitlab(&bitbucket, ["--repository", "{w-1}/{r-1}"])
        .run()
        .exits(0);
    let path = &bitbucket.received()[0].path;
    assert!(
        path.starts_with("/2.0/repositories/%7Bw-1%7D/%7Br-1%7D/commit/"),
        "{path}"
    );
}

#[test]
fn a_repository_that_is_not_on_bitbucket_is_asked_for() {
    let bitbucket = StandIn::start();
    let both = |reporter: crate::support::Reporter| {
        let ran = reporter.run().exits(2);
        ran.says("BITBUCKET_NAMESPACE").says("BITBUCKET_REPOSITORY");
    };
    both(gitlab(&bitbucket, []).env("CI_PROJECT_NAMESPACE", "group/sub"));
    both(gitlab(&bitbucket, []).without("CI_PROJECT_NAME"));
    let github = "https://github.com/octo/cat.git";
    both(codebuild(&bitbucket, []).env("CODEBUILD_SOURCE_REPO_URL", github));
    both(codebuild(&bitbucket, []).env("CODEBUILD_SOURCE_REPO_URL", "s3://bucket/key.zip"));
    both(codebuild(&bitbucket, []).without("CODEBUILD_SOURCE_REPO_URL"));
    gitlab(&bitbucket, ["--repository", "a/b/c"])
        .run()
        .exits(2)
        .says("--repository");
    gitlab(&bitbucket, ["--workspace", "$WORKSPACE"])
        .run()
        .exits(2)
        .says("literal reference");
    assert_eq!(bitbucket.received().len(), 0);
}

#[test]
fn the_remote_of_a_full_clone_leads_to_the_repository() {
    let bitbucket = StandIn::start();
    let clone = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("full-clone");
    std::fs::create_dir_all(&clone).unwrap();
    let url = "https://codestar-connections.eu-west-1.amazonaws.com/git-http/123456789012/eu-west-1/ec1/my-workspace/my-repo.git";
    for args in [
        &["init", "--quiet"][..],
        &["config", "remote.origin.url", url],
    ] {
        let git = std::process::Command::new("git")
            .args(args)
            .current_dir(&clone)
            .status();
        assert!(git.unwrap().success());
    }
    codebuild(&bitbucket, [])
        .without("CODEBUILD_SOURCE_REPO_URL")
        .within(&clone)
        .run()
        .exits(0);
    assert_eq!(only_status(&bitbucket).repository, "my-repo");
}

#[test]
fn without_a_ci_the_options_say_everything() {
    let bitbucket = StandIn::start();
    build_status([
        "passed",
        "--commit",
        DEFAULT_COMMIT,
        "--url",
        "https://ci.example.com/1",
        "--repository",
        "my-workspace/my-repo",
        "--key",
        "nightly",
    ])
    .to(&bitbucket)
    .run()
    .exits(0);
    assert_eq!(shown(&bitbucket), [("nightly".into(), "SUCCESSFUL".into())]);
}

#[test]
fn without_a_ci_the_working_copy_says_the_commit_and_the_repository() {
    let bitbucket = Setup::default().any_commit().start();
    let clone = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("working-copy");
    let _ = std::fs::remove_dir_all(&clone);
    std::fs::create_dir_all(&clone).unwrap();
    let git = |args: &[&str]| {
        let identity = ["-c", "user.name=n", "-c", "user.email=e@example.com"];
        let output = std::process::Command::new("git")
            .args(identity)
            .args(args)
            .current_dir(&clone)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "--quiet"]);
    git(&["commit", "--quiet", "--allow-empty", "--message", "first"]);
    git(&[
        "remote",
        "add",
        "origin",
        "git@bitbucket.org:my-workspace/my-repo.git",
    ]);
    let by_hand = || {
        let args = ["passed", "--url", "https://ci.example.com/1"];
        build_status(args).to(&bitbucket).within(&clone)
    };
    by_hand().run().exits(0);
    let own = git(&["rev-parse", "HEAD"]);
    assert_eq!(bitbucket.history()[0].commit, own);
    // Files that somebody has committed, with another commit and another remote.
    git(&["clone", "--quiet", "--bare", ".", "committed"]);
    git(&["commit", "--quiet", "--allow-empty", "--message", "second"]);
    let committed = by_hand().within(&clone.join("committed"));
    let ran = committed.run().exits(3);
    ran.says("no commit: neither the CI nor git names one");
    // A CI that does not say may have checked out a merge.
    by_hand()
        .env("GITLAB_CI", "true")
        .run()
        .exits(3)
        .says("no commit: neither the CI nor git names one");
}

#[test]
fn names_that_cannot_be_are_refused_and_white_space_around_them_is_not() {
    let bitbucket = StandIn::start();
    for name in [
        "ws/..",
        "../..",
        ".",
        "a b/c",
        "git@github.com:ws/repo.git",
        "https://github.com/ws/repo",
        "ws/",
        "/r",
        "a%2Fb",
    ] {
        gitlab(&bitbucket, ["--repository", name])
            .run()
            .exits(2)
            .says("--repository");
    }
    for name in ["", " ", "a:b"] {
        gitlab(&bitbucket, ["--workspace", name])
            .run()
            .exits(2)
            .says("--workspace");
    }
    for reference in [
        "$REPO",
        "${REPO}",
        "$(REPO)",
        "#{SourceVariables.FullRepositoryName}",
    ] {
        let reporter = gitlab(&bitbucket, []).env("BITBUCKET_REPOSITORY", reference);
        reporter.run().exits(2).says("literal reference");
        let reporter = gitlab(&bitbucket, []).env("BUILD_STATUS_REFNAME", reference);
        reporter.run().exits(2).says("literal reference");
    }
    for (variable, code) in [
        ("BITBUCKET_REPOSITORY", 2),
        ("BUILD_STATUS_REFNAME", 2),
        ("BUILD_STATUS_URL", 2),
        ("BUILD_STATUS_COMMIT", 3),
    ] {
        gitlab(&bitbucket, [])
            .env(variable, "#{SourceVariables.CommitId}")
            .run()
            .exits(code)
            .says(variable)
            .says("hint: set `Namespace: SourceVariables` at the source action");
    }
    for key in ["", " "] {
        gitlab(&bitbucket, ["--key", key])
            .run()
            .exits(2)
            .says("--key: it is blank");
    }
    assert_eq!(bitbucket.received(), []);
    for pasted in [
        "my-workspace/my-repo.git",
        "https://bitbucket.org/my-workspace/my-repo",
        "https://bitbucket.org/my-workspace/my-repo/src/main/README.md",
        "git@bitbucket.org:my-workspace/my-repo.git",
    ] {
        gitlab(&bitbucket, ["--repository", pasted]).run().exits(0);
    }
    gitlab(&bitbucket, [])
        .env("BITBUCKET_NAMESPACE", " my-workspace\n")
        .run()
        .exits(0);
}

#[test]
fn a_port_that_is_none_is_refused() {
    let bitbucket = StandIn::start();
    for port in ["99999", "abc", ""] {
        let root = format!("http://127.0.0.1:{port}/2.0");
        gitlab(&bitbucket, ["--api-root", &root])
            .run()
            .exits(2)
            .says("is not a port");
    }
}
