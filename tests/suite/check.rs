//! `build_status check` and `build_status show`.

use serde_json::{Value, json};
use stand_in::{
    Answer, Credential, DEFAULT_COMMIT, DEFAULT_TOKEN, DEFAULT_USER, SECOND_COMMIT, Setup, StandIn,
};

use crate::support::{Ran, Reporter, build_status, gitlab};

fn check(bitbucket: &StandIn) -> Reporter {
    gitlab(bitbucket, ["check"])
}

/// The verdicts, by question, in order.
fn verdicts(ran: &Ran) -> Vec<(String, String)> {
    let lines = ran.stdout.lines().take_while(|line| !line.is_empty());
    let pair = |line: &str| (line[6..17].trim().to_owned(), line[..4].trim().to_owned());
    lines.map(pair).collect()
}

#[track_caller]
fn answered(ran: &Ran, question: &str, verdict: &str) {
    let found = verdicts(ran).into_iter().find(|(name, _)| name == question);
    assert_eq!(
        found,
        Some((question.to_owned(), verdict.to_owned())),
        "{ran:#?}"
    );
}

const QUESTIONS: [&str; 12] = [
    "ci",
    "state",
    "commit",
    "repository",
    "url",
    "refname",
    "key",
    "credentials",
    "server",
    "token",
    "access",
    "on server",
];

#[test]
fn when_all_is_well_every_question_is_ok_and_nothing_is_created() {
    let bitbucket = StandIn::start();
    let ran = check(&bitbucket).run().exits(0);
    let expected = QUESTIONS.map(|question| (question.to_owned(), "ok".to_owned()));
    assert_eq!(verdicts(&ran), expected, "{ran:#?}");
    assert!(
        bitbucket
            .received()
            .iter()
            .all(|request| request.method == "GET")
    );
    assert_eq!(bitbucket.history(), []);
}

#[test]
fn outside_a_ci_every_question_is_asked_all_the_same() {
    let ran = build_status(["check"])
        .env("BITBUCKET_API_ROOT", "http://127.0.0.1:1")
        .run()
        .exits(3);
    let questions: Vec<_> = verdicts(&ran)
        .into_iter()
        .map(|(question, _)| question)
        .collect();
    assert_eq!(questions, QUESTIONS);
    for name in [
        "--commit",
        "BITBUCKET_NAMESPACE",
        "--url",
        "BITBUCKET_ACCESS_TOKEN",
    ] {
        assert!(ran.stdout.contains(name), "no {name} in {ran:#?}");
    }
}

#[expect(clippy::too_many_lines, reason = "a table")]
#[test]
fn each_thing_that_is_wrong_is_found_with_the_code_of_a_report() {
    let narrow = Credential::bearer("narrow").with_scopes(["account"]);
    let wide = Credential::bearer("wide").with_scopes(["repository:admin", "pullrequest:write"]);
    let bitbucket = Setup::default().credential(narrow).credential(wide).start();
    let nobody = "http://127.0.0.1:1/2.0";
    let foreign = "0123456789012345678901234567890123456789";
    let long = "k".repeat(41);
    for (variable, value, question, verdict, code, words) in [
        ("CI_JOB_STATUS", "", "state", "warn", 0, "as an argument"),
        (
            "BUILD_STATUS",
            "green",
            "state",
            "FAIL",
            2,
            "running, passed, failed or stopped",
        ),
        (
            "CI_COMMIT_SHA",
            "HEAD",
            "commit",
            "FAIL",
            3,
            "CI_COMMIT_SHA is `HEAD`",
        ),
        (
            "CI_COMMIT_SHA",
            foreign,
            "on server",
            "FAIL",
            4,
            "Bitbucket does not have this commit: push it",
        ),
        (
            "CI_PROJECT_NAMESPACE",
            "a/b",
            "repository",
            "FAIL",
            2,
            "BITBUCKET_NAMESPACE",
        ),
        (
            "CI_PROJECT_NAME",
            "nosuch",
            "access",
            "FAIL",
            4,
            "workspace and the repository's name",
        ),
        (
            "CI_JOB_URL",
            "http://gitlab/1",
            "url",
            "FAIL",
            2,
            "external_url",
        ),
        (
            "BUILD_KEY",
            long.as_str(),
            "key",
            "warn",
            0,
            "pass a shorter --key",
        ),
        (
            "BITBUCKET_ACCESS_TOKEN",
            "",
            "credentials",
            "FAIL",
            2,
            "protected",
        ),
        (
            "BITBUCKET_ACCESS_TOKEN",
            "$TOKEN",
            "credentials",
            "FAIL",
            2,
            "literal reference",
        ),
        (
            "BITBUCKET_ACCESS_TOKEN",
            "ATCTT-old",
            "token",
            "FAIL",
            4,
            "has expired, is revoked",
        ),
        (
            "BITBUCKET_ACCESS_TOKEN",
            "narrow",
            "token",
            "FAIL",
            4,
            "read:repository:bitbucket",
        ),
        (
            "BITBUCKET_ACCESS_TOKEN",
            "wide",
            "token",
            "warn",
            0,
            "more scopes than needed",
        ),
        (
            "BITBUCKET_USERNAME",
            "me",
            "token",
            "FAIL",
            4,
            "not an email",
        ),
        (
            "BITBUCKET_API_ROOT",
            nobody,
            "server",
            "FAIL",
            5,
            "HTTPS_PROXY",
        ),
        (
            "BITBUCKET_API_ROOT",
            "http://example.com",
            "repository",
            "FAIL",
            2,
            "plain http",
        ),
        (
            "SSL_CERT_FILE",
            "nosuch.pem",
            "server",
            "FAIL",
            1,
            "nosuch.pem",
        ),
    ] {
        let ran = check(&bitbucket).env(variable, value).run().exits(code);
        answered(&ran, question, verdict);
        assert!(ran.stdout.contains(words), "no `{words}` in {ran:#?}");
    }
    assert_eq!(bitbucket.history(), []);
}

#[test]
fn what_answers_in_bitbuckets_place_is_found() {
    let bitbucket = StandIn::start();
    for answer in [
        Answer::redirect(302, "/login"),
        Answer::html(200, "<html>Log in</html>"),
    ] {
        bitbucket.will([answer]);
        let ran = check(&bitbucket).run().exits(4);
        answered(&ran, "server", "FAIL");
        answered(&ran, "token", "warn");
    }
}

#[test]
fn the_account_behind_an_api_token_is_named() {
    let bitbucket = StandIn::start();
    let ran = check(&bitbucket)
        .env("BITBUCKET_USERNAME", DEFAULT_USER)
        .run()
        .exits(0);
    let line = ran
        .stdout
        .lines()
        .find(|line| line.contains("token  "))
        .unwrap();
    assert!(line.contains("accepted, as "), "{line}");
}

#[test]
fn json_has_an_object_for_each_question() {
    let bitbucket = StandIn::start();
    let ran = gitlab(&bitbucket, ["check", "--output", "json"])
        .run()
        .exits(0);
    let json = ran.json();
    let questions: Vec<_> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["question"])
        .collect();
    assert_eq!(questions, QUESTIONS);
    let expected = json!({
        "question": "key",
        "verdict": "ok",
        "answer": "ci/gitlab-ci/unit-tests (from GitLab CI)",
        "hint": null,
    });
    assert_eq!(json[6], expected);
}

#[test]
fn data_center_tells_its_version_and_what_it_can() {
    for (version, server, stopped) in [
        ("9.4.0", "ok", Some("CANCELLED")),
        ("7.9.0", "ok", Some("FAILED")),
        ("7.0.0", "warn", None),
    ] {
        let bitbucket = Setup::default().data_center(version).start();
        let ran = check(&bitbucket)
            .without("BITBUCKET_API_ROOT")
            .env("BITBUCKET_SERVER_URL", bitbucket.server_url())
            .env("BITBUCKET_NAMESPACE", "PROJ")
            .run()
            .exits(0);
        assert!(
            ran.stdout.contains(&format!("Bitbucket {version}")),
            "{ran:#?}"
        );
        answered(&ran, "server", server);
        for question in ["token", "access", "on server"] {
            answered(&ran, question, "ok");
        }
        if let Some(word) = stopped {
            assert!(
                ran.stdout.contains(&format!("stored as {word}")),
                "{ran:#?}"
            );
        }
        assert_eq!(bitbucket.history(), []);
    }
}

#[test]
fn a_wrong_token_on_data_center_is_found() {
    let bitbucket = Setup::default().data_center("9.4.0").start();
    let ran = check(&bitbucket)
        .without("BITBUCKET_API_ROOT")
        .env("BITBUCKET_SERVER_URL", bitbucket.server_url())
        .env("BITBUCKET_NAMESPACE", "PROJ")
        .env("BITBUCKET_ACCESS_TOKEN", "BBDC-wrong")
        .run()
        .exits(4);
    answered(&ran, "token", "FAIL");
    assert!(ran.stdout.contains("Repository read"), "{ran:#?}");
}

#[test]
fn a_wrong_password_on_data_center_is_tried_once() {
    let bitbucket = Setup::default().data_center("9.4.0").start();
    let ran = check(&bitbucket)
        .without("BITBUCKET_API_ROOT")
        .env("BITBUCKET_SERVER_URL", bitbucket.server_url())
        .env("BITBUCKET_NAMESPACE", "PROJ")
        .env("BITBUCKET_USERNAME", "jdoe")
        .env("BITBUCKET_ACCESS_TOKEN", "name")
        .run()
        .exits(4);
    answered(&ran, "token", "FAIL");
    answered(&ran, "access", "warn");
    assert_eq!(bitbucket.failed_logins(), 1);
    assert!(
        ran.stdout.contains("a user name and a token"),
        "a short password cuts no words: {ran:#?}"
    );
}

#[test]
fn no_answer_shows_a_secret() {
    let bitbucket = StandIn::start();
    bitbucket.always(Some(Answer::text(400, DEFAULT_TOKEN)));
    check(&bitbucket).run().exits(4);
    bitbucket.always(Some(Answer::text(401, &format!("x {DEFAULT_TOKEN}"))));
    gitlab(&bitbucket, ["check", "--output", "json", "-v"])
        .run()
        .exits(4);
}

#[test]
fn show_lists_every_status_of_the_commit_over_all_pages() {
    let bitbucket = StandIn::start();
    for number in 0..30 {
        gitlab(&bitbucket, ["failed", "--key", &format!("k{number:02}")])
            .run()
            .exits(0);
    }
    let ran = gitlab(&bitbucket, ["show", "--output", "json"])
        .run()
        .exits(0);
    let json = ran.json();
    let statuses = json.as_array().unwrap();
    assert_eq!(statuses.len(), 30);
    let fields: Vec<_> = statuses[0].as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        [
            "description",
            "key",
            "name",
            "parent",
            "refname",
            "state",
            "updated",
            "url"
        ]
    );
    assert_eq!(
        (&statuses[7]["key"], &statuses[7]["state"]),
        (&json!("k07"), &json!("FAILED"))
    );
    let text = gitlab(&bitbucket, ["show"]).run().exits(0).stdout;
    assert_eq!(text.lines().count(), 30);
    assert!(text.starts_with("FAILED  k00  20"), "{text}");
    let first = text.lines().next().unwrap();
    let columns: Vec<_> = first.split("  ").skip(3).collect();
    let page = "https://gitlab.example.com/my-workspace/my-repo/-/jobs/4242";
    assert_eq!(columns, ["unit-tests #17", page, "The build failed."]);

    let none = gitlab(&bitbucket, ["show", "--commit", SECOND_COMMIT])
        .run()
        .exits(0);
    assert_eq!(none.stdout, "");
    none.says("no build statuses");
    let none = gitlab(
        &bitbucket,
        ["show", "--commit", SECOND_COMMIT, "--output", "json"],
    )
    .run();
    assert_eq!(none.exits(0).json(), json!([]));
}

#[test]
fn show_lists_what_data_center_has() {
    let bitbucket = Setup::default().data_center("9.4.0").start();
    let on_server = |args: &[&'static str]| {
        gitlab(&bitbucket, args.iter().copied())
            .without("BITBUCKET_API_ROOT")
            .env("BITBUCKET_SERVER_URL", bitbucket.server_url())
            .env("BITBUCKET_NAMESPACE", "PROJ")
    };
    on_server(&["passed"]).run().exits(0);
    on_server(&["running", "--key", "other", "--parent", "PLAN"])
        .run()
        .exits(0);
    let json = on_server(&["show", "--output", "json"])
        .run()
        .exits(0)
        .json();
    let keys: Vec<_> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["key"].clone())
        .collect();
    assert!(keys.contains(&json!("ci/gitlab-ci/unit-tests")) && keys.contains(&json!("other")));
    assert!(
        json[0]["updated"]
            .as_str()
            .is_some_and(|time| time.starts_with("20")),
        "{json}"
    );
    let parents = json.as_array().unwrap().iter();
    let mut parents: Vec<_> = parents.map(|it| it["parent"].as_str().unwrap()).collect();
    parents.sort_unstable();
    assert_eq!(parents, ["PLAN", "ci/gitlab-ci/unit-tests"]);
    // As text, where it is not the key.
    let text = on_server(&["show"]).run().exits(0).stdout;
    let of = |key: &str| text.lines().find(|it| it.contains(key)).unwrap();
    assert!(of("  other  ").ends_with("  (parent: PLAN)"), "{text}");
    assert!(!of("ci/gitlab-ci/unit-tests").contains("parent"), "{text}");
}

#[test]
fn show_reads_pages_of_more_than_64_kib() {
    let bitbucket = Setup::default().data_center("9.4.0").start();
    let status = json!({"state": "FAILED", "key": "k", "description": "x".repeat(20_000)});
    let page = json!({"values": vec![status; 25], "isLastPage": true});
    bitbucket.always(Some(Answer::json(200, &page.to_string())));
    let show = || gitlab(&bitbucket, ["show", "--output", "json"]);
    let server = bitbucket.server_url();
    let on_server = show().without("BITBUCKET_API_ROOT");
    for reporter in [show(), on_server.env("BITBUCKET_SERVER_URL", server)] {
        // Data Center is asked for the commit first.
        let commit = (bitbucket.received().len() == 1).then(|| Answer::json(200, "{}"));
        bitbucket.will(commit);
        let shown = reporter.run().exits(0).json();
        assert_eq!(shown.as_array().unwrap().len(), 25);
    }
}

#[test]
fn show_fails_as_a_report_does_and_sends_its_token_to_nobody_else() {
    let bitbucket = StandIn::start();
    gitlab(&bitbucket, ["show"])
        .env("BITBUCKET_ACCESS_TOKEN", "ATCTT-old")
        .run()
        .exits(4);
    gitlab(&bitbucket, ["show"])
        .env("CI_COMMIT_SHA", "HEAD")
        .run()
        .exits(3);
    gitlab(&bitbucket, ["show"])
        .without("BITBUCKET_ACCESS_TOKEN")
        .run()
        .exits(2);
    let other = StandIn::start();
    let page = json!({"values": [], "next": format!("{}/next", other.api_root())});
    bitbucket.will([
        Answer::json(200, &page.to_string()),
        Answer::json(200, "[]"),
    ]);
    gitlab(&bitbucket, ["show"])
        .run()
        .exits(4)
        .says("the next page of the list is elsewhere");
    gitlab(&bitbucket, ["show"])
        .run()
        .exits(4)
        .says("not from Bitbucket");
    assert_eq!((other.connections(), Value::Null), (0, Value::Null));
    assert_eq!(bitbucket.statuses(DEFAULT_COMMIT), []);
}
