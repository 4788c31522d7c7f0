//! How much a credential may ask.

use std::thread;
use std::time::Duration;

use stand_in::{Credential, DEFAULT_COMMIT, DEFAULT_TOKEN, DEFAULT_USER, Setup};

use crate::{Reply, agent, ask, build_url, code, post};

#[test]
fn an_empty_bucket_gets_a_429_that_says_when_to_come_back() {
    let setup = Setup::default().data_center("9.4.0");
    let bitbucket = setup.token_bucket(2, 5).start();
    let url = format!(
        "{}/rest/api/1.0/projects/PROJ/repos/my-repo",
        bitbucket.server_url()
    );
    let get = |credential: Credential| -> Reply {
        ask("GET", &url, &[("authorization", &credential.header())], "")
    };
    let bearer = || get(Credential::bearer(DEFAULT_TOKEN));
    let first = bearer();
    assert_eq!((first.status, first.header("retry-after")), (200, None));
    assert_eq!(first.header("x-ratelimit-limit"), Some("2"));
    assert_eq!(first.header("x-ratelimit-remaining"), Some("1"));
    assert_eq!(first.header("x-ratelimit-interval-seconds"), Some("1"));
    assert_eq!(first.header("x-ratelimit-fillrate"), Some("5"));
    // The clock is real, so a token may have flowed in.
    let refused = (0..100)
        .map(|_| bearer())
        .find(|reply| reply.status != 200)
        .unwrap();
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (429, Some("1"))
    );
    assert_eq!(refused.header("x-ratelimit-remaining"), Some("0"));
    assert!(refused.json()["errors"][0]["message"].is_string());
    assert_eq!(
        get(Credential::basic(DEFAULT_USER, DEFAULT_TOKEN)).status,
        200
    );
    thread::sleep(Duration::from_millis(250));
    assert_eq!(bearer().status, 200);
}

#[test]
fn the_bucket_is_for_data_center_and_the_window_for_cloud() {
    let setup = Setup::default().data_center("9.4.0").token_bucket(1, 1);
    let bitbucket = setup.hourly_limit(2, Duration::from_hours(1)).start();
    let codes = [(); 3].map(|()| code(&post(&agent(), &bitbucket, "ci")));
    assert_eq!(codes, [201, 200, 429]);
    let url = format!(
        "{}/rest/build-status/1.0/commits/{DEFAULT_COMMIT}",
        bitbucket.server_url()
    );
    let authorization = Credential::bearer(DEFAULT_TOKEN).header();
    let codes = [(); 2].map(|()| ask("GET", &url, &[("authorization", &authorization)], "").status);
    assert_eq!(codes, [200, 429]);
}

#[test]
fn clouds_429_is_plain_text_and_says_nothing_of_when() {
    let bitbucket = Setup::default()
        .hourly_limit(0, Duration::from_hours(1))
        .start();
    let authorization = Credential::bearer(DEFAULT_TOKEN).header();
    let reply = ask(
        "POST",
        &build_url(&bitbucket),
        &[("authorization", &authorization)],
        "{}",
    );
    assert_eq!(reply.status, 429);
    assert_eq!(reply.body, "Rate limit for this resource has been exceeded");
    assert_eq!(reply.header("content-type"), Some("text/plain"));
    assert_eq!(reply.header("retry-after"), None);
    assert_eq!(reply.header("x-credential-type"), Some("repo_access_token"));
    assert_eq!(ask("POST", &build_url(&bitbucket), &[], "{}").status, 404);
}

#[test]
#[should_panic(expected = "call data_center too")]
fn a_bucket_needs_data_center() {
    Setup::default().token_bucket(60, 5).start();
}
