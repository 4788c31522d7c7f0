//! The conversation with Bitbucket: answers, retries, redirects.

use std::time::{Duration, Instant, SystemTime};

use serde_json::json;
use stand_in::{Answer, Credential, DEFAULT_COMMIT, DEFAULT_TOKEN, DEFAULT_USER, Setup, StandIn};

use crate::support::{codebuild, gitlab, shown};

#[test]
fn what_may_pass_is_tried_again_until_it_does() {
    // side by side, because each takes its pauses
    std::thread::scope(|scope| {
        for status in [408, 425, 429, 500, 502, 503, 504, 520, 522, 524, 530] {
            scope.spawn(move || {
                let bitbucket = StandIn::start();
                bitbucket.will([
                    Answer::status(status),
                    Answer::Reset,
                    Answer::status(status),
                ]);
                let ran = gitlab(&bitbucket, ["--output", "json"]).run().exits(0);
                assert_eq!(ran.json()["attempts"], 4, "{status}");
                assert_eq!(shown(&bitbucket).len(), 1);
            });
        }
    });
}

#[test]
fn what_lasts_is_not_tried_again() {
    for status in [400, 401, 402, 403, 404, 405, 409, 410, 415, 422, 451] {
        let bitbucket = StandIn::start();
        bitbucket.will([Answer::text(status, "No.")]);
        let ran = gitlab(&bitbucket, ["--output", "json"]).run().exits(4);
        assert_eq!(bitbucket.received().len(), 1, "{status}");
        let json = ran.json();
        assert_eq!(
            (&json["http_status"], &json["attempts"]),
            (&json!(status), &json!(1))
        );
        assert_eq!(json["error"]["kind"], "refused");
        ran.says(&format!("HTTP {status}: ")).says("No.");
    }
    for status in [501, 505, 511, 531] {
        let bitbucket = StandIn::start();
        bitbucket.will([Answer::text(status, "No.")]);
        gitlab(&bitbucket, [])
            .run()
            .exits(5)
            .says(&format!("HTTP {status}: No."));
        assert_eq!(bitbucket.received().len(), 1, "{status}");
    }
}

#[test]
fn a_final_state_is_tried_for_all_of_the_time_and_inprogress_once_more() {
    for (state, attempts) in [("passed", 3..99), ("running", 2..3)] {
        let bitbucket = StandIn::start();
        bitbucket.always(Some(Answer::rate_limited()));
        let started = Instant::now();
        let ran = gitlab(&bitbucket, [state, "--timeout", "3"]).run().exits(5);
        assert!(started.elapsed() < Duration::from_secs(4));
        assert!(attempts.contains(&bitbucket.received().len()), "{state}");
        ran.says("Rate limit for this resource has been exceeded")
            .says("hint: Bitbucket Cloud allows 1,000 requests an hour");
    }
}

#[test]
fn retry_after_is_honoured_when_it_fits_and_ends_the_run_when_it_does_not() {
    let bitbucket = StandIn::start();
    bitbucket.will([Answer::status(429).with_header("Retry-After", "1")]);
    let started = Instant::now();
    gitlab(&bitbucket, ["--timeout", "4"]).run().exits(0);
    let waited = started.elapsed();
    // And up to a third of the time left on top.
    assert!(
        waited >= Duration::from_secs(1) && waited < Duration::from_secs(3),
        "{waited:?}"
    );

    for wait in ["31", "9223372036854775807", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        bitbucket.will([Answer::status(429).with_header("Retry-After", wait)]);
        let started = Instant::now();
        gitlab(&bitbucket, [])
            .run()
            .exits(5)
            .says("it asks to wait")
            .says("--timeout");
        assert!(started.elapsed() < Duration::from_secs(1));
        // One that is away may be back earlier.
        bitbucket.will([Answer::status(503).with_header("Retry-After", wait)]);
        gitlab(&bitbucket, []).run().exits(0);
        assert!(started.elapsed() < Duration::from_secs(3));
    }
}

#[test]
fn a_server_that_never_answers_is_left_in_time_and_asked_again() {
    let bitbucket = StandIn::start();
    bitbucket.always(Some(Answer::Silence));
    let started = Instant::now();
    gitlab(&bitbucket, ["--timeout", "2"])
        .run()
        .exits(5)
        .says("no answer in time");
    assert!(started.elapsed() < Duration::from_secs(3));
    bitbucket.always(None);
    bitbucket.will([Answer::Silence]);
    gitlab(&bitbucket, ["--timeout", "4"]).run().exits(0);
}

#[test]
fn a_slow_answer_is_waited_for() {
    let bitbucket = StandIn::start();
    bitbucket.will([Answer::Late(Duration::from_millis(1500))]);
    let ran = gitlab(&bitbucket, ["--output", "json"]).run().exits(0);
    assert_eq!(ran.json()["attempts"], 1);
}

#[test]
fn a_status_whose_answer_got_lost_is_sent_again_and_stored_once() {
    let bitbucket = StandIn::start();
    bitbucket.will([Answer::LostReply, Answer::LostReply]);
    gitlab(&bitbucket, []).run().exits(0);
    assert_eq!(bitbucket.received().len(), 3);
    assert_eq!(shown(&bitbucket).len(), 1);
}

#[test]
fn no_redirect_is_followed() {
    for status in [301, 302, 303, 307, 308] {
        let bitbucket = StandIn::start();
        let location = format!("{}/login?next=1", bitbucket.url());
        bitbucket.will([Answer::redirect(status, &location)]);
        let ran = gitlab(&bitbucket, []).run().exits(4);
        ran.says(&format!("HTTP {status}, a redirect to {location}"));
        assert_eq!(bitbucket.received().len(), 1);
    }
}

#[test]
fn a_login_page_is_no_success() {
    for status in [200, 201, 202] {
        let bitbucket = StandIn::start();
        bitbucket.will([Answer::html(status, "<html><title>Log in</title></html>")]);
        gitlab(&bitbucket, [])
            .run()
            .exits(4)
            .says("not from Bitbucket")
            .says("text/html");
        assert_eq!(bitbucket.received().len(), 1);
    }
}

#[test]
fn every_success_with_an_empty_body_or_json_is_one() {
    for answer in [
        Answer::status(204),
        Answer::status(201),
        Answer::json(200, "{}"),
        Answer::json(202, "{\"key\": 1}"),
        Answer::text(200, " \n"),
    ] {
        let bitbucket = StandIn::start();
        bitbucket.will([answer]);
        gitlab(&bitbucket, []).run().exits(0);
    }
}

/// Gateways do, with a status of success, and caches answer to another request.
#[test]
fn a_success_that_tells_of_an_error_or_of_another_state_is_none() {
    for (answer, says) in [
        (
            Answer::json(200, r#"{"type":"error","error":{"message":"No."}}"#),
            "refused: HTTP 200: No.",
        ),
        (
            Answer::json(201, r#"{"errors":[{"context":null,"message":"No."}]}"#),
            "refused: HTTP 201: No.",
        ),
        (
            Answer::json(202, r#"{"error":"No."}"#),
            r#"{"error":"No."}"#,
        ),
        (Answer::json(200, "null"), "not from Bitbucket"),
        (Answer::json(200, "[]"), "not from Bitbucket"),
        (Answer::json(201, "true"), "not from Bitbucket"),
        (
            Answer::json(201, r#"{"key":"k","state":"INPROGRESS"}"#),
            "sent SUCCESSFUL, and the answer shows `INPROGRESS`",
        ),
        (
            Answer::json(200, r#"{"state":{"name":"FAILED"}}"#),
            "sent SUCCESSFUL, and the answer shows",
        ),
    ] {
        let bitbucket = Setup::default().data_center("9.4.0").start();
        bitbucket.always(Some(answer));
        let server = bitbucket.server_url();
        gitlab(&bitbucket, []).run().exits(4).says(says);
        gitlab(&bitbucket, [])
            .without("BITBUCKET_API_ROOT")
            .env("BITBUCKET_SERVER_URL", server)
            .run()
            .exits(4)
            .says(says);
        assert_eq!(bitbucket.received().len(), 2, "it is not sent again");
    }
}

/// Whoever answers compresses only what may be.
#[test]
fn every_request_asks_for_an_answer_that_is_not_compressed() {
    let bitbucket = StandIn::start();
    gitlab(&bitbucket, []).run().exits(0);
    gitlab(&bitbucket, ["show"]).run().exits(0);
    gitlab(&bitbucket, ["check"]).run().exits(0);
    let received = bitbucket.received();
    assert!(received.len() > 2);
    for request in received {
        assert_eq!(
            request.header("accept-encoding"),
            Some("identity"),
            "{request:?}"
        );
    }
}

/// An hour before or behind ours.
#[test]
fn a_date_to_wait_for_is_one_of_the_servers_clock() {
    let hour = Duration::from_hours(1);
    for its_now in [SystemTime::now() + hour, SystemTime::now() - hour] {
        let bitbucket = StandIn::start();
        let date = |time| httpdate::fmt_http_date(time);
        bitbucket.will([Answer::status(429)
            .with_header("Date", &date(its_now))
            .with_header("Retry-After", &date(its_now + Duration::from_secs(1)))]);
        let started = Instant::now();
        gitlab(&bitbucket, ["--timeout", "4"]).run().exits(0);
        let waited = started.elapsed();
        assert!(waited >= Duration::from_secs(1), "{waited:?}");
    }
}

#[test]
fn an_endless_body_is_read_to_64_kib_only() {
    let bitbucket = StandIn::start();
    bitbucket.will([Answer::text(400, &"x".repeat(10_000_000))]);
    let ran = gitlab(&bitbucket, []).run().exits(4);
    assert!(ran.stderr.len() < 1000, "{}", ran.stderr.len());
}

#[test]
fn bitbuckets_words_its_request_id_and_a_hint_are_printed() {
    let bitbucket = StandIn::start();
    bitbucket.will([Answer::json(
        400,
        r#"{"type":"error","error":{"message":"Bad request","fields":{"key":["Too long."]}}}"#,
    )
    .with_header("X-Request-Id", "abc123")]);
    gitlab(&bitbucket, [])
        .run()
        .exits(4)
        .says("HTTP 400: Bad request; key: Too long. (request abc123)");
}

#[test]
fn each_refusal_of_bitbuckets_gets_a_hint_that_fits_the_credential() {
    let narrow = Credential::bearer("narrow").with_scopes(["account"]);
    let bitbucket = Setup::default().credential(narrow).start();
    let refused = |variables: &[(&str, &str)], args: &[&str], parts: &[&str]| {
        let ran = gitlab(&bitbucket, args.iter().copied())
            .envs(variables)
            .run()
            .exits(4);
        for part in parts {
            assert!(ran.stderr.contains(part), "no `{part}` in {ran:#?}");
        }
    };
    let token = |token| ("BITBUCKET_ACCESS_TOKEN", token);
    let user = |name| ("BITBUCKET_USERNAME", name);
    refused(
        &[token("ATCTT-wrong")],
        &[],
        &["HTTP 401", "has expired, is revoked"],
    );
    refused(
        &[token("ATATT-wrong")],
        &[],
        &["HTTP 401", "set BITBUCKET_USERNAME"],
    );
    refused(
        &[token("ATATT-wrong"), user(DEFAULT_USER)],
        &[],
        &["HTTP 401", "after a year at most"],
    );
    refused(
        &[token("ATATT-wrong"), user("me")],
        &[],
        &["HTTP 401", "not an email address"],
    );
    refused(
        &[token("ATCTT-x"), user("a@b.c")],
        &["--auth", "basic"],
        &["HTTP 401", "as Bearer"],
    );
    refused(
        &[token("narrow")],
        &[],
        &[
            "HTTP 403",
            "granted: account",
            "required: repository",
            "read:repository:bitbucket",
        ],
    );
    refused(
        &[],
        &["--repository", "my-workspace/nosuch"],
        &["HTTP 404", "may read the repository"],
    );
    let foreign = "0123456789012345678901234567890123456789";
    refused(
        &[],
        &["--commit", foreign],
        &["HTTP 404", "Commit not found", "merge commit"],
    );
}

/// Bitbucket Cloud sends it for a wrong API token, and a proxy may send a page.
#[test]
fn a_401_is_about_the_credentials_whatever_its_body_is() {
    let page = "<html><title>Unauthorized</title></html>";
    for answer in [
        Answer::html(401, ""),
        Answer::html(401, page),
        Answer::text(401, ""),
    ] {
        let bitbucket = StandIn::start();
        bitbucket.always(Some(answer.clone()));
        for args in [&["passed"][..], &["show"]] {
            let ran = gitlab(&bitbucket, args.iter().copied())
                .env("BITBUCKET_ACCESS_TOKEN", "ATATT-wrong")
                .env("BITBUCKET_USERNAME", DEFAULT_USER)
                .run()
                .exits(4)
                .says("the API token has expired");
            assert!(!ran.stderr.contains("not Bitbucket"), "{answer:?} {ran:#?}");
        }
    }
}

#[test]
fn another_credentials_status_cannot_be_overwritten_and_the_hint_says_why() {
    let other = Credential::basic(DEFAULT_USER, DEFAULT_TOKEN);
    let bitbucket = Setup::default().credential(other).start();
    gitlab(&bitbucket, ["running"]).run().exits(0);
    gitlab(&bitbucket, ["passed"])
        .env("BITBUCKET_USERNAME", DEFAULT_USER)
        .run()
        .exits(4)
        .says("only the credential that created a status may overwrite it");
    assert_eq!(shown(&bitbucket)[0].1, "INPROGRESS");
}

#[test]
fn nobody_there_is_told_from_nobody_known() {
    let bitbucket = StandIn::start();
    gitlab(&bitbucket, ["--timeout", "1"])
        .env("BITBUCKET_API_ROOT", "http://127.0.0.1:1/2.0")
        .run()
        .exits(5)
        .says("refused");
    let ran = gitlab(&bitbucket, ["--output", "json"])
        .env("BITBUCKET_API_ROOT", "https://nosuch.invalid/2.0")
        .run()
        .exits(5);
    let attempts = ran.json()["attempts"].clone();
    assert!(
        attempts == 2 || ran.stderr.contains("Temporary failure"),
        "{ran:#?}"
    );
}

#[test]
fn a_request_that_no_server_takes_is_not_sent() {
    let bitbucket = StandIn::start();
    let ran = gitlab(&bitbucket, ["-v"])
        .env("BITBUCKET_USERNAME", "jdoe".repeat(2000))
        .run()
        .exits(5)
        .says("its URL and headers have 1")
        .says("a value in the request is too long");
    assert!(!ran.stderr.contains("trying again"), "{ran:?}");
    assert_eq!(bitbucket.received().len(), 0);
}

#[test]
fn tls_with_a_ca_of_ones_own_works_and_without_it_is_refused_at_once() {
    let bitbucket = Setup::default().tls().start();
    let ca = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("ca.pem");
    std::fs::write(&ca, bitbucket.ca_pem().unwrap()).unwrap();
    gitlab(&bitbucket, [])
        .env("SSL_CERT_FILE", &ca)
        .run()
        .exits(0);
    codebuild(&bitbucket, ["--ca-file", ca.to_str().unwrap()])
        .run()
        .exits(0);
    assert_eq!(shown(&bitbucket).len(), 2);
    let connections = bitbucket.connections();
    gitlab(&bitbucket, [])
        .run()
        .exits(5)
        .says("UnknownIssuer")
        .says("openssl s_client")
        .says("--ca-file");
    let further = bitbucket.connections() - connections;
    assert_eq!(further, 1, "it is not tried again");
    assert_eq!(bitbucket.received().len(), 2);
    std::fs::write(&ca, "no certificate").unwrap();
    gitlab(&bitbucket, [])
        .env("SSL_CERT_FILE", &ca)
        .run()
        .exits(2)
        .says("SSL_CERT_FILE");
}

#[test]
fn with_no_fail_only_codes_3_to_5_are_forgiven() {
    let bitbucket = StandIn::start();
    bitbucket.always(Some(Answer::status(400)));
    gitlab(&bitbucket, ["--no-fail"])
        .run()
        .exits(0)
        .says("warning: refused: HTTP 400");
    bitbucket.always(Some(Answer::status(503)));
    gitlab(&bitbucket, ["--no-fail", "--timeout", "0.3"])
        .run()
        .exits(0)
        .says("warning: failing");
    gitlab(&bitbucket, ["--no-fail"])
        .env("CI_COMMIT_SHA", "main")
        .run()
        .exits(0)
        .says("warning: commit");
    gitlab(&bitbucket, ["--no-fail", "green"]).run().exits(2);
    gitlab(&bitbucket, ["--no-fail"])
        .without("BITBUCKET_ACCESS_TOKEN")
        .run()
        .exits(2);
    assert_eq!(bitbucket.statuses(DEFAULT_COMMIT).len(), 0);
}
