//! OAuth consumers, and the tokens that they get.

use serde_json::json;
use stand_in::{
    Credential, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_TOKEN, Setup, StandIn,
};

use crate::{Reply, ask, build_url};

const FORM: &str = "application/x-www-form-urlencoded";
const GRANT: &str = "grant_type=client_credentials";

fn request(bitbucket: &StandIn, authorization: &str, content_type: &str, form: &str) -> Reply {
    let headers = [
        ("authorization", authorization),
        ("content-type", content_type),
    ];
    ask("POST", &bitbucket.oauth_url(), &headers, form)
}

/// A token of this consumer, as an `Authorization` header.
fn token(bitbucket: &StandIn, id: &str, secret: &str) -> String {
    let header = Credential::consumer(id, secret).header();
    let reply = request(bitbucket, &header, FORM, GRANT);
    format!("Bearer {}", reply.json()["access_token"].as_str().unwrap())
}

fn default_token(bitbucket: &StandIn) -> String {
    token(bitbucket, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET)
}

fn post(bitbucket: &StandIn, authorization: &str) -> Reply {
    let headers = [
        ("authorization", authorization),
        ("content-type", "application/json"),
    ];
    let body = json!({ "key": "ci", "state": "FAILED", "url": "https://ci.example.com/1" });
    ask("POST", &build_url(bitbucket), &headers, &body.to_string())
}

#[test]
fn a_consumer_gets_a_fresh_token_each_time() {
    let bitbucket = StandIn::start();
    let header = Credential::consumer(DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET).header();
    let mut reply = request(&bitbucket, &header, FORM, GRANT).json();
    let token = reply["access_token"].take();
    assert_eq!(
        reply,
        json!({
            "scopes": "repository",
            "access_token": null,
            "expires_in": 7200,
            "token_type": "bearer",
            "state": "client_credentials",
            "refresh_token": "stand-in-refresh",
        })
    );
    assert_ne!(
        default_token(&bitbucket),
        format!("Bearer {}", token.as_str().unwrap())
    );
}

#[test]
fn the_consumer_owns_what_its_tokens_do() {
    let bitbucket = Setup::default().consumer("other", "secret").start();
    assert_eq!(post(&bitbucket, &default_token(&bitbucket)).status, 201);
    assert_eq!(post(&bitbucket, &default_token(&bitbucket)).status, 200);
    let bearer = Credential::bearer(DEFAULT_TOKEN).header();
    for authorization in [token(&bitbucket, "other", "secret"), bearer] {
        assert_eq!(post(&bitbucket, &authorization).status, 403);
    }
}

#[test]
fn a_consumer_itself_is_no_credential_of_the_api() {
    let bitbucket = StandIn::start();
    let header = Credential::consumer(DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET).header();
    assert_eq!(post(&bitbucket, &header).status, 401);
    let token = default_token(&bitbucket);
    let basic = token.replace("Bearer", "Basic");
    assert_eq!(post(&bitbucket, &basic).status, 401);
    assert_eq!(
        post(&bitbucket, &token.replace("Bearer", "bearer")).status,
        201
    );
}

#[test]
fn a_token_is_described_as_the_consumers() {
    let narrow = Credential::consumer("narrow", "secret").with_scopes(["account"]);
    let bitbucket = Setup::default().credential(narrow).start();
    let refused = post(&bitbucket, &token(&bitbucket, "narrow", "secret"));
    assert_eq!(refused.status, 403);
    assert_eq!(refused.header("x-oauth-scopes"), Some("account"));
    assert_eq!(refused.header("x-credential-type"), Some("oauth2"));
    let url = format!("{}/user", bitbucket.api_root());
    let headers = [("authorization", &*default_token(&bitbucket))];
    let user = ask("GET", &url, &headers, "");
    assert_eq!(user.status, 403);
    assert_eq!(
        user.json()["error"]["detail"]["required"],
        json!(["account"])
    );
}

#[test]
fn a_bad_request_for_a_token_gets_what_bitbucket_says() {
    let bitbucket = StandIn::start();
    let good = Credential::consumer(DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET).header();
    let bad = Credential::consumer(DEFAULT_CLIENT_ID, "x").header();
    let bearer = Credential::bearer(DEFAULT_TOKEN).header();
    for (authorization, content_type, form, error, description) in [
        (
            "",
            FORM,
            GRANT,
            "unauthorized_client",
            "Requests must be authenticated using OAuth client credentials",
        ),
        (
            &*bad,
            FORM,
            GRANT,
            "unauthorized_client",
            "Invalid OAuth client credentials",
        ),
        (
            &*bearer,
            FORM,
            GRANT,
            "unauthorized_client",
            "Invalid OAuth client credentials",
        ),
        (
            &*good,
            FORM,
            "grant_type=password",
            "unsupported_grant_type",
            "Unsupported grant type: password",
        ),
        (&*good, FORM, "", "invalid_request", "Missing grant_type"),
        (
            &*good,
            "application/json",
            GRANT,
            "invalid_request",
            "Missing grant_type",
        ),
    ] {
        let reply = request(&bitbucket, authorization, content_type, form);
        let expected = json!({ "error": error, "error_description": description });
        assert_eq!((reply.status, reply.json()), (400, expected));
    }
    assert_eq!(ask("GET", &bitbucket.oauth_url(), &[], "").status, 405);
}

#[test]
fn a_token_can_expire_before_it_is_used() {
    let bitbucket = Setup::default().tokens_expire_at_once().start();
    let reply = post(&bitbucket, &default_token(&bitbucket));
    assert_eq!(reply.status, 401);
    assert_eq!(
        reply.json()["error"]["message"],
        "Access token expired. Use your refresh token to obtain a new access token."
    );
    let bearer = Credential::bearer(DEFAULT_TOKEN).header();
    assert_eq!(post(&bitbucket, &bearer).status, 201);
}

#[test]
fn any_consumer_goes_when_playing_by_hand() {
    let bitbucket = Setup::default()
        .no_defaults()
        .any_credential()
        .any_repository();
    let bitbucket = bitbucket.any_commit().start();
    assert_eq!(post(&bitbucket, &token(&bitbucket, "me", "x")).status, 201);
}
