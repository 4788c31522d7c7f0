//! OAuth consumers.

use stand_in::{Answer, Setup, StandIn};

use crate::support::{Reporter, gitlab, shown};

const SECRET: &str = "stand-in-secret";

/// A job of GitLab CI with an OAuth consumer in place of a token.
fn consumer<'a>(bitbucket: &StandIn, args: impl IntoIterator<Item = &'a str>) -> Reporter {
    gitlab(bitbucket, args)
        .without("BITBUCKET_ACCESS_TOKEN")
        .env("BITBUCKET_CLIENT_ID", "stand-in-client")
        .env("BITBUCKET_CLIENT_SECRET", SECRET)
        .env("BITBUCKET_OAUTH_URL", bitbucket.oauth_url())
}

#[test]
fn a_consumer_is_exchanged_for_a_token_and_reports_from_start_to_end() {
    let bitbucket = StandIn::start();
    consumer(&bitbucket, ["running"]).run().exits(0);
    consumer(&bitbucket, ["passed"]).run().exits(0);
    assert_eq!(
        shown(&bitbucket),
        [("ci/gitlab-ci/unit-tests".into(), "SUCCESSFUL".into())]
    );
    let received = bitbucket.received();
    assert_eq!(received.len(), 4);
    let exchange = &received[0];
    assert_eq!(
        (exchange.method.as_str(), exchange.body.as_str()),
        ("POST", "grant_type=client_credentials")
    );
    let header = |name| exchange.header(name);
    assert_eq!(
        header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert!(header("authorization").is_some_and(|value| value.starts_with("Basic ")));
    assert!(
        received[1]
            .header("authorization")
            .is_some_and(|value| value.starts_with("Bearer "))
    );
}

#[test]
fn a_wrong_secret_and_a_dead_token_are_told_apart() {
    let bitbucket = StandIn::start();
    consumer(&bitbucket, [])
        .env("BITBUCKET_CLIENT_SECRET", "wrong-secret")
        .run()
        .exits(4)
        .says("the OAuth consumer's key or secret is wrong");
    assert_eq!(bitbucket.received().len(), 1);
    let bitbucket = Setup::default().tokens_expire_at_once().start();
    consumer(&bitbucket, [])
        .run()
        .exits(4)
        .says("has just issued");
}

#[test]
fn a_token_that_comes_with_an_error_is_not_printed() {
    let bitbucket = StandIn::start();
    for status in [200, 400] {
        let body = r#"{"error":{"message":"no minted-token-1 for minted-token-2"},
            "access_token":"minted-token-1","refresh_token":"minted-token-2"}"#;
        bitbucket.will([Answer::json(status, body)]);
        let ran = consumer(&bitbucket, []).run().exits(4);
        assert!(
            ran.stderr.contains("no ") && !ran.stderr.contains("minted"),
            "{ran:?}"
        );
    }
}

#[test]
fn what_is_not_a_token_is_not_sent_on() {
    let bitbucket = StandIn::start();
    let long = format!(r#"{{"access_token":"{}"}}"#, "t0ken".repeat(1000));
    for answer in [
        Answer::json(200, "{}"),
        Answer::json(200, r#"{"access_token":""}"#),
        Answer::json(200, &long),
        Answer::json(200, "{\"access_token\":\"a\\r\\nX: y\"}"),
        Answer::html(200, "<html>Log in</html>"),
    ] {
        bitbucket.will([answer]);
        consumer(&bitbucket, [])
            .run()
            .exits(4)
            .says("not from Bitbucket");
    }
    assert_eq!(bitbucket.received().len(), 5);
}

#[test]
fn half_a_consumer_or_two_kinds_of_credentials_are_errors() {
    let bitbucket = StandIn::start();
    consumer(&bitbucket, [])
        .without("BITBUCKET_CLIENT_ID")
        .run()
        .exits(2)
        .says("BITBUCKET_CLIENT_ID: it is not set");
    consumer(&bitbucket, [])
        .without("BITBUCKET_CLIENT_SECRET")
        .run()
        .exits(2)
        .says("BITBUCKET_CLIENT_SECRET: ");
    let both = |args: &[&'static str]| {
        consumer(&bitbucket, args.iter().copied())
            .env("BITBUCKET_ACCESS_TOKEN", stand_in::DEFAULT_TOKEN)
    };
    both(&[])
        .run()
        .exits(2)
        .says("two kinds of credentials")
        .says("--auth");
    both(&["--auth", "oauth"]).run().exits(0);
    let requests = bitbucket.received().len();
    both(&["--auth", "bearer", "--key", "k"]).run().exits(0);
    assert_eq!(bitbucket.received().len(), requests + 1);
    gitlab(&bitbucket, ["--auth", "oauth"])
        .run()
        .exits(2)
        .says("BITBUCKET_CLIENT_ID");
    consumer(&bitbucket, [])
        .env("BITBUCKET_OAUTH_URL", "http://example.com/")
        .run()
        .exits(2)
        .says("plain http");
}

#[test]
fn a_consumer_is_no_credential_for_data_center() {
    let bitbucket = Setup::default().data_center("9.4.0").start();
    for command in [&[][..], &["check"], &["show"]] {
        let ran = consumer(&bitbucket, command.iter().copied())
            .without("BITBUCKET_OAUTH_URL")
            .without("BITBUCKET_API_ROOT")
            .env("BITBUCKET_SERVER_URL", bitbucket.server_url())
            .run()
            .exits(2);
        assert!(format!("{ran:?}").contains("HTTP access token"), "{ran:#?}");
    }
}

#[test]
fn neither_secret_nor_token_is_printed() {
    let bitbucket = StandIn::start();
    for answer in [Answer::text(400, SECRET), Answer::text(400, "x")] {
        bitbucket.will([answer]);
        let ran = consumer(&bitbucket, ["-v"]).run().exits(4);
        assert!(!format!("{ran:?}").contains(SECRET), "{ran:#?}");
    }
    let ran = consumer(&bitbucket, ["-v", "--dry-run"]).run().exits(0);
    assert!(
        ran.stdout.contains("Authorization: Bearer ***"),
        "{}",
        ran.stdout
    );
}
