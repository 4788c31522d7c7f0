//! What the server can tell afterwards.

use std::sync::mpsc;
use std::thread;

use serde_json::json;
use stand_in::{Answer, Credential, DEFAULT_COMMIT, SECOND_COMMIT, Setup, StandIn};

use crate::{agent, build_url, code, post};

#[test]
fn a_request_is_remembered_as_it_was_sent() {
    let bitbucket = StandIn::start();
    bitbucket.will([Answer::status(500)]);
    let url = format!("{}/a%20b?c=d%2Fe", bitbucket.url());
    agent()
        .put(&url)
        .header("X-Name", "value")
        .send(r#"{"a": "ü"}"#)
        .unwrap();
    let received = bitbucket.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].method, "PUT");
    assert_eq!(received[0].path, "/a%20b?c=d%2Fe");
    assert_eq!(received[0].header("x-NAME"), Some("value"));
    assert_eq!(received[0].header("x-other"), None);
    assert_eq!(received[0].body, r#"{"a": "ü"}"#);
    assert_eq!(received[0].json(), json!({ "a": "ü" }));
}

#[test]
#[should_panic(expected = "not JSON at all")]
fn a_body_that_is_not_json_is_shown() {
    let bitbucket = StandIn::start();
    agent()
        .post(bitbucket.url())
        .send("not JSON at all")
        .unwrap();
    bitbucket.received()[0].json();
}

#[test]
fn statuses_and_their_history_are_told() {
    let bitbucket = StandIn::start();
    for key in ["a", "b", "a"] {
        post(&agent(), &bitbucket, key).unwrap();
    }
    let keys = |statuses: Vec<stand_in::Status>| -> Vec<_> {
        statuses.into_iter().map(|s| (s.key, s.created)).collect()
    };
    let (a, b) = (|created| ("a".to_owned(), created), ("b".to_owned(), true));
    assert_eq!(
        keys(bitbucket.statuses(DEFAULT_COMMIT)),
        [a(false), b.clone()]
    );
    assert_eq!(keys(bitbucket.statuses(&DEFAULT_COMMIT[..7])).len(), 2);
    assert_eq!(keys(bitbucket.history()), [a(true), b, a(false)]);
    assert_eq!(bitbucket.statuses(SECOND_COMMIT), []);
    assert_eq!(bitbucket.statuses("0000000"), []);
}

#[test]
fn a_listener_hears_each_accepted_status() {
    let bitbucket = StandIn::start();
    let (tell, heard) = mpsc::channel();
    bitbucket.on_status(move |status| tell.send(status.key.clone()).unwrap());
    bitbucket.will([Answer::status(500)]);
    for key in ["refused", "a", "b"] {
        post(&agent(), &bitbucket, key).unwrap();
    }
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn connections_are_counted_not_requests() {
    let bitbucket = StandIn::start();
    let kept = agent();
    for _ in 0..3 {
        let mut response = post(&kept, &bitbucket, "ci").unwrap();
        response.body_mut().read_to_string().unwrap();
    }
    assert_eq!(bitbucket.connections(), 1);
    post(&agent(), &bitbucket, "ci").unwrap();
    assert_eq!(bitbucket.connections(), 2);
}

#[test]
fn requests_are_numbered() {
    let bitbucket = StandIn::start();
    for number in ["0000000000000001", "0000000000000002"] {
        let response = post(&agent(), &bitbucket, "ci").unwrap();
        assert_eq!(response.headers()["x-request-id"], number);
    }
}

#[test]
fn many_clients_are_served_at_once() {
    let bitbucket = StandIn::start();
    thread::scope(|scope| {
        for client in 0..50 {
            let bitbucket = &bitbucket;
            scope.spawn(move || {
                let key = format!("ci {client}");
                assert_eq!(code(&post(&agent(), bitbucket, &key)), 201);
            });
        }
    });
    assert_eq!(bitbucket.statuses(DEFAULT_COMMIT).len(), 50);
}

#[test]
fn anything_goes_when_playing_by_hand() {
    let setup = Setup::default().no_defaults();
    let bitbucket = setup.any_commit().any_repository().any_credential().start();
    assert_eq!(code(&post(&agent(), &bitbucket, "ci")), 201);
    let stranger = agent().post(build_url(&bitbucket)).send_empty();
    assert_eq!(code(&stranger), 404);
}

#[test]
fn a_setup_without_defaults_knows_what_it_is_told() {
    let bitbucket = Setup::default()
        .no_defaults()
        .repository("my-workspace", "my-repo")
        .commit(DEFAULT_COMMIT)
        .credential(Credential::bearer("mine"))
        .start();
    assert_eq!(code(&post(&agent(), &bitbucket, "ci")), 401);
    let get = agent().get(format!(
        "{}/repositories/my-workspace/my-repo",
        bitbucket.api_root()
    ));
    assert_eq!(
        code(&get.header("authorization", "Bearer mine").call()),
        200
    );
}

#[test]
fn a_port_can_be_chosen_and_is_free_afterwards() {
    let first = StandIn::start();
    let port = first.port();
    post(&agent(), &first, "ci").unwrap();
    drop(first);
    let second = Setup::default().port(port).start();
    assert_eq!(second.url(), format!("http://127.0.0.1:{port}"));
    assert_eq!(code(&post(&agent(), &second, "ci")), 201);
}
