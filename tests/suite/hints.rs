//! What a new user is told to do about what went wrong first.

use stand_in::{Answer, Setup, StandIn};

use crate::support::{Ran, build_status, codebuild, gitlab};

const SHA: &str = stand_in::DEFAULT_COMMIT;

/// The variables of a job on GitHub that reports to Cloud.
const GITHUB: &[(&str, &str)] = &[
    ("GITHUB_ACTIONS", "true"),
    ("GITHUB_JOB", "test"),
    ("GITHUB_REF", "refs/heads/main"),
    ("GITHUB_REPOSITORY", "octo/cat"),
    ("GITHUB_RUN_ID", "1658821493"),
    ("GITHUB_SERVER_URL", "https://github.com"),
    ("GITHUB_SHA", SHA),
    ("BITBUCKET_REPOSITORY", "my-workspace/my-repo"),
];

/// The hint alone.
#[track_caller]
fn hints(ran: &Ran, part: &str) {
    let hint = ran.stderr.lines().find(|line| line.contains("hint: "));
    let hint = hint.unwrap_or_else(|| panic!("no hint in {ran:#?}"));
    assert!(hint.contains(part), "no `{part}` in {hint}");
}

#[test]
fn a_state_that_is_not_known_is_passed_the_way_of_the_ci() {
    let bitbucket = StandIn::start();
    let words = "pass `${{ job.status }}` in a last step";
    let ran = build_status(&[] as &[&str])
        .envs(GITHUB)
        .to(&bitbucket)
        .run()
        .exits(3);
    hints(&ran, words);
    hints(&ran, "running, passed, failed or stopped");
    let ran = build_status(["check"]).envs(GITHUB).to(&bitbucket).run();
    assert!(ran.stdout.contains(words), "{ran:#?}");
    let ran = gitlab(&bitbucket, [])
        .env("CI_JOB_STATUS", "")
        .run()
        .exits(3);
    hints(&ran, "CI_JOB_STATUS: it is final in after_script only");
}

/// In parallel stages too, where Jenkins' own word is that of the whole build.
#[test]
fn jenkins_states_are_those_of_the_stage_and_its_merges_have_a_setting() {
    let bitbucket = StandIn::start();
    let jenkins = [
        ("JENKINS_URL", "https://ci.example.com/"),
        ("BUILD_TAG", "jenkins-12"),
        ("JOB_NAME", "team/app/PR-7-merge"),
        ("BRANCH_NAME", "PR-7-merge"),
        ("CHANGE_ID", "7"),
    ];
    let ran = build_status(["check"]).envs(&jenkins).to(&bitbucket).run();
    let words = "state: `run` knows it; else pass it in the stage's own `post`: `success { … passed }`, \
                 `failure { … failed }`, `aborted { … stopped }`";
    assert!(ran.stdout.contains(words), "{ran:#?}");
    let ran = build_status(["passed"]).envs(&jenkins).to(&bitbucket).run();
    ran.exits(3)
        .says("GIT_COMMIT is a merge commit made by Jenkins (BRANCH_NAME ends in -merge)")
        .says("in the branch source, choose `The current pull request revision`");
}

#[test]
fn a_rate_limit_is_that_of_the_product() {
    let bitbucket = Setup::default().data_center("9.4.0").start();
    bitbucket.always(Some(Answer::status(429)));
    let ran = gitlab(&bitbucket, ["--timeout", "1"])
        .without("BITBUCKET_API_ROOT")
        .env("BITBUCKET_SERVER_URL", bitbucket.server_url())
        .env("BITBUCKET_NAMESPACE", "PROJ")
        .run()
        .exits(5);
    hints(&ran, "this server limits requests for each user");
    assert!(!ran.stderr.contains("Cloud"), "{ran:#?}");
}

#[test]
fn a_certificate_file_that_is_not_there_may_be_outside_of_the_container() {
    let bitbucket = StandIn::start();
    let ran = gitlab(&bitbucket, [])
        .env("SSL_CERT_FILE", "nosuch.pem")
        .run()
        .exits(1);
    hints(&ran, "unset it, or set BUILD_STATUS_CA_FILE");
    hints(&ran, "in a container, the path is one inside the container");
    let ran = gitlab(&bitbucket, ["--ca-file", "nosuch.pem"])
        .run()
        .exits(1);
    hints(&ran, "in a container, it is one inside the container");
}

#[test]
fn a_page_that_is_not_known_may_be_a_setting_of_the_ci() {
    let bitbucket = StandIn::start();
    let ran = gitlab(&bitbucket, [])
        .without("CI_JOB_URL")
        .without("CI_JOB_ID")
        .run()
        .exits(3);
    hints(&ran, "external_url in GitLab's gitlab.rb");
    hints(&ran, "--url or BUILD_STATUS_URL");
}

#[test]
fn a_proxy_that_is_not_there_is_what_to_check() {
    let bitbucket = Setup::default().tls().start();
    let ran = gitlab(&bitbucket, ["--timeout", "1"])
        .env("HTTPS_PROXY", "http://127.0.0.1:1")
        .run()
        .exits(5)
        .says("through the proxy 127.0.0.1:1");
    hints(&ran, "check HTTPS_PROXY (or HTTP_PROXY, ALL_PROXY)");
    hints(
        &ran,
        "if the host can be reached directly, add it to NO_PROXY",
    );
}

#[test]
fn an_address_of_a_server_that_is_none_gets_an_example() {
    let bitbucket = StandIn::start();
    for url in [
        "git.example.com",
        "https://git.example.com/scm/proj/repo.git",
        "ftp://git.example.com",
    ] {
        let ran = gitlab(&bitbucket, [])
            .without("BITBUCKET_API_ROOT")
            .env("BITBUCKET_SERVER_URL", url)
            .run()
            .exits(2);
        hints(&ran, "such as https://git.example.com");
    }
    let ran = gitlab(&bitbucket, [])
        .env("BITBUCKET_API_ROOT", "api.bitbucket.org")
        .run()
        .exits(2);
    hints(&ran, "such as https://api.bitbucket.org/2.0");
}

#[test]
fn one_variable_is_enough_for_workspace_and_repository() {
    let bitbucket = StandIn::start();
    let ran = gitlab(&bitbucket, [])
        .without("CI_PROJECT_NAME")
        .run()
        .exits(2);
    hints(&ran, "set BITBUCKET_REPOSITORY to WORKSPACE/REPO");
}

#[test]
fn a_branch_given_for_a_commit_leads_to_git() {
    let bitbucket = StandIn::start();
    let ran = gitlab(&bitbucket, ["--commit", "main"]).run().exits(3);
    hints(&ran, r#"--commit "$(git rev-parse HEAD)""#);
    // What is checked out may be a merge commit where the CI says something else.
    let ran = gitlab(&bitbucket, [])
        .env("CI_COMMIT_SHA", "main")
        .run()
        .exits(3);
    assert!(!ran.stderr.contains("rev-parse"), "{ran:#?}");
}

#[test]
fn a_reference_that_was_not_expanded_may_be_to_nothing() {
    let bitbucket = StandIn::start();
    let ran = codebuild(&bitbucket, [])
        .env("BITBUCKET_ACCESS_TOKEN", "$(TOKEN)")
        .run()
        .exits(2);
    hints(&ran, "define that variable in this pipeline");
}

#[test]
fn a_merge_on_github_is_not_reported_without_its_event() {
    let bitbucket = StandIn::start();
    build_status(["passed"])
        .envs(GITHUB)
        .env("GITHUB_REF", "refs/pull/7/merge")
        .to(&bitbucket)
        .run()
        .exits(3)
        .says("GITHUB_EVENT_PATH, which names the file with the head, is not set");
    assert_eq!(bitbucket.received().len(), 0);
}

#[test]
fn a_file_of_the_cis_that_cannot_be_read_is_named() {
    let bitbucket = StandIn::start();
    let teamcity = [
        ("TEAMCITY_VERSION", "2024.03"),
        ("TEAMCITY_BUILD_PROPERTIES_FILE", "/nosuch/build.properties"),
        ("BUILD_VCS_NUMBER", SHA),
    ];
    build_status(["passed"])
        .envs(&teamcity)
        .to(&bitbucket)
        .run()
        .exits(3)
        .says(
            "warning: TEAMCITY_BUILD_PROPERTIES_FILE: cannot read the file `/nosuch/build.properties`",
        );
    let ran = build_status(["check"]).envs(&teamcity).to(&bitbucket).run();
    assert!(ran.stdout.contains("/nosuch/build.properties"), "{ran:#?}");
    build_status(["passed"])
        .envs(GITHUB)
        .env("GITHUB_HEAD_REF", "feature/a")
        .env("GITHUB_EVENT_PATH", "/nosuch/event.json")
        .to(&bitbucket)
        .run()
        .exits(3)
        .says("the file with the head, `/nosuch/event.json` (GITHUB_EVENT_PATH), cannot be read");
}

#[test]
fn a_job_that_still_runs_is_said_to_when_nobody_passed_the_state() {
    let words = "GitLab CI says INPROGRESS: it is final in after_script only";
    for (args, is_said) in [(&[][..], true), (&["auto"], true), (&["running"], false)] {
        let bitbucket = StandIn::start();
        let job = gitlab(&bitbucket, args.iter().copied());
        let ran = job.env("CI_JOB_STATUS", "running").run().exits(0);
        assert_eq!(ran.stderr.contains(words), is_said, "{ran:#?}");
    }
}

#[test]
fn a_command_behind_options_and_a_job_outside_of_a_ci_are_recognised() {
    let ran = build_status(["--repository", "my-workspace/my-repo", "check"]);
    let ran = ran.run().exits(2);
    hints(&ran, "put the options behind it: build_status check …");
    let ran = build_status(["--commit", SHA]).run().exits(3);
    hints(&ran, "no CI is recognised here");
}

#[test]
fn a_value_that_is_no_token_or_no_workspace_is_said_to_be_none() {
    let bitbucket = StandIn::start();
    bitbucket.always(Some(Answer::json(401, "{}")));
    let none = "it is expired, revoked or not a token: access tokens begin with ATCTT";
    let expired = "the access token has expired, is revoked, belongs to another repository, or was not copied";
    for (token, hint) in [("%TOKEN%", none), ("ATCTTt0ken", expired)] {
        let job = gitlab(&bitbucket, []).env("BITBUCKET_ACCESS_TOKEN", token);
        hints(&job.run().exits(4), hint);
    }
    // The host that somebody pastes is not dropped.
    let ran = gitlab(&bitbucket, [])
        .without("BITBUCKET_API_ROOT")
        .env(
            "BITBUCKET_REPOSITORY",
            "https://git.example.com/scm/proj/repo.git",
        )
        .run()
        .exits(2)
        .says("the repository is on a Bitbucket Data Center");
    hints(&ran, "set BITBUCKET_SERVER_URL to https://git.example.com");
    let ran = gitlab(&bitbucket, [])
        .env("BITBUCKET_NAMESPACE", "group/sub")
        .run()
        .exits(2)
        .says("BITBUCKET_NAMESPACE: `group/sub` has a slash, and no workspace and no project has");
    hints(&ran, "use the names in the URL");
}
