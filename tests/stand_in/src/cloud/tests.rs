//! The rules, one by one, without a server.

use serde_json::{Value, json};

use super::answer;
use crate::credential::Credential;
use crate::known::Known;
use crate::received::Received;
use crate::reply::Reply;
use crate::rules::Rules;
use crate::state::State;

const SHA: &str = "9fceb02d0ae598e95dc970b74767f19372d61af8";
const BUILD: &str =
    "/2.0/repositories/w/r/commit/9fceb02d0ae598e95dc970b74767f19372d61af8/statuses/build";

/// A Bitbucket that knows one repository, one commit, and the credentials of the tests.
struct Cloud(State);

impl Cloud {
    fn new() -> Self {
        let mut known = Known::default();
        known.add_repository("w", "r");
        known.add_repository("{w-uuid}", "{r-uuid}");
        known.add_commit(SHA);
        known.add_credential(Credential::bearer("token"));
        known.add_credential(Credential::bearer("other"));
        known.add_credential(Credential::bearer("admin").as_admin());
        known.add_credential(Credential::basic("me@example.com", "token"));
        let url = "http://127.0.0.1:1".to_owned();
        Self(State::new(url, known, Rules::default()))
    }

    fn know(mut self, credential: Credential) -> Self {
        self.0.known.add_credential(credential);
        self
    }

    fn ask(&mut self, method: &str, path: &str, authorization: &str, body: &str) -> Reply {
        let headers = [
            ("authorization", authorization),
            ("content-type", "application/json"),
        ];
        let headers = headers.into_iter().filter(|(_, value)| !value.is_empty());
        let request = Received {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: headers.map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            body: body.to_owned(),
        };
        answer(&mut self.0, &request)
    }

    fn get(&mut self, path: &str) -> Reply {
        self.ask("GET", path, "Bearer token", "")
    }

    fn post(&mut self, body: &Value) -> Reply {
        self.post_as("Bearer token", body)
    }

    fn post_as(&mut self, authorization: &str, body: &Value) -> Reply {
        self.ask("POST", BUILD, authorization, &body.to_string())
    }
}

fn build(key: &str) -> Value {
    json!({ "key": key, "state": "SUCCESSFUL", "url": "https://ci.example.com/1" })
}

fn with(field: &str, value: impl Into<Value>) -> Value {
    let mut body = build("ci");
    body[field] = value.into();
    body
}

fn json_of(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap()
}

fn message(reply: &Reply) -> String {
    json_of(reply)["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let found = reply.headers.iter().find(|(header, _)| header == name);
    found.map(|(_, value)| value.as_str())
}

#[test]
fn a_wrong_password_gets_an_empty_401() {
    let reply = Cloud::new().post_as(&Credential::basic("me", "x").header(), &build("ci"));
    assert_eq!((reply.status, reply.body.as_str()), (401, ""));
    assert_eq!(
        header(&reply, "www-authenticate"),
        Some(r#"Basic realm="Bitbucket.org HTTP""#)
    );
    assert_eq!(header(&reply, "x-credential-type"), None);
}

#[test]
fn a_wrong_token_gets_a_401_that_says_so() {
    for authorization in ["Bearer wrong", "Bearer", "Digest token"] {
        let reply = Cloud::new().post_as(authorization, &build("ci"));
        assert_eq!(reply.status, 401);
        assert_eq!(
            reply.body,
            r#"{"type":"error","error":{"message":"Token is invalid, expired, or not supported for this endpoint."}}"#
        );
    }
}

#[test]
fn a_scheme_may_be_in_any_case() {
    assert_eq!(
        Cloud::new().post_as("bEARER token", &build("ci")).status,
        201
    );
}

#[test]
fn a_stranger_is_told_that_there_is_no_repository() {
    let stranger = Cloud::new().post_as("", &build("ci"));
    let unknown = Cloud::new().get("/2.0/repositories/w/other");
    assert_eq!((stranger.status, unknown.status), (404, 404));
    assert!(message(&stranger).starts_with("You may not have access to this repository"));
    assert_eq!(stranger.body, unknown.body);
}

#[test]
fn a_missing_scope_gets_a_403_with_what_is_required_and_granted() {
    for (credential, required) in [
        (Credential::bearer("weak"), "repository"),
        (Credential::basic("me", "weak"), "read:repository:bitbucket"),
    ] {
        let credential = credential.with_scopes(["account", "write:repository:bitbucket"]);
        let authorization = credential.header();
        let reply = Cloud::new()
            .know(credential)
            .post_as(&authorization, &build("ci"));
        assert_eq!(reply.status, 403);
        assert_eq!(
            json_of(&reply)["error"],
            json!({
                "message": "Your credentials lack one or more required privilege scopes.",
                "detail": {
                    "required": [required],
                    "granted": ["account", "write:repository:bitbucket"],
                },
            })
        );
        assert_eq!(
            header(&reply, "x-oauth-scopes"),
            Some("account, write:repository:bitbucket")
        );
    }
}

#[test]
fn some_scopes_imply_reading_the_repository() {
    for scope in [
        "repository",
        "repository:write",
        "repository:admin",
        "pullrequest",
        "read:repository:bitbucket",
    ] {
        let mut cloud = Cloud::new().know(Credential::bearer("x").with_scopes([scope]));
        assert_eq!(
            cloud.post_as("Bearer x", &build("ci")).status,
            201,
            "{scope}"
        );
    }
}

#[test]
fn an_api_token_without_scopes_is_no_token() {
    let credential = Credential::basic("me", "x").with_scopes([""; 0]);
    let authorization = credential.header();
    let reply = Cloud::new()
        .know(credential)
        .post_as(&authorization, &build("ci"));
    assert_eq!(reply.status, 401);
    assert!(message(&reply).starts_with("Token is invalid"));
}

#[test]
fn an_unknown_commit_gets_bitbuckets_exact_404() {
    let reply = Cloud::new().get("/2.0/repositories/w/r/commit/8cc05016c7b5");
    assert_eq!(reply.status, 404);
    assert_eq!(
        reply.body,
        r#"{"data":{"shas":["8cc05016c7b5"]},"type":"error","error":{"message":"Commit not found","data":{"shas":["8cc05016c7b5"]}}}"#
    );
}

#[test]
fn a_commit_is_found_by_prefix_and_in_any_case() {
    let mut cloud = Cloud::new();
    for sha in [SHA, "9fceb02", "9FCEB02D0AE5"] {
        let path = format!("/2.0/repositories/w/r/commit/{sha}/statuses/build/");
        let reply = cloud.ask("POST", &path, "Bearer token", &build(sha).to_string());
        assert_eq!(reply.status, 201, "{sha}");
        assert_eq!(json_of(&reply)["commit"]["hash"], SHA);
    }
    assert_eq!(cloud.get("/2.0/repositories/w/r/commit/9fceb0").status, 404);
}

#[test]
fn a_repository_answers_to_the_names_it_was_given() {
    let mut cloud = Cloud::new();
    for (path, status) in [
        ("/2.0/repositories/w/r", 200),
        ("/2.0/repositories/w/r/", 200),
        ("/2.0/repositories/%7Bw-uuid%7D/%7Br-uuid%7D", 200),
        ("/2.0/repositories/{w-uuid}/{r-uuid}", 200),
        ("/2.0/repositories/w/%7Br-uuid%7D", 404),
        ("/2.0/repositories//", 404),
    ] {
        assert_eq!(cloud.get(path).status, status, "{path}");
    }
}

#[test]
fn a_body_that_is_not_json_gets_a_400() {
    let mut cloud = Cloud::new();
    for body in ["", "key=ci", "[]", "{"] {
        let reply = cloud.ask("POST", BUILD, "Bearer token", body);
        assert_eq!(reply.status, 400, "{body}");
        assert_eq!(message(&reply), "The body is not a JSON object");
    }
}

#[test]
fn a_content_type_that_is_not_json_gets_a_400() {
    for (content_type, status) in [
        (None, 400),
        (Some("text/plain"), 400),
        (Some("application/json"), 201),
        (Some("Application/JSON; charset=utf-8"), 201),
    ] {
        let mut headers = vec![("authorization".to_owned(), "Bearer token".to_owned())];
        headers.extend(content_type.map(|value| ("content-type".to_owned(), value.to_owned())));
        let request = Received {
            method: "POST".to_owned(),
            path: BUILD.to_owned(),
            headers,
            body: build("ci").to_string(),
        };
        let reply = answer(&mut Cloud::new().0, &request);
        assert_eq!(reply.status, status, "{content_type:?}");
    }
}

#[test]
fn a_bad_field_gets_a_400_that_names_it() {
    let required = "This field is required.";
    let url = "Enter a valid URL.";
    for (field, value, expected) in [
        ("key", json!(null), required),
        ("key", json!("  "), required),
        ("key", json!(1), "Not a valid string."),
        (
            "key",
            json!("k".repeat(48)),
            "Ensure this value has at most 40 characters (it has 48).",
        ),
        ("state", json!(null), required),
        (
            "state",
            json!("PENDING"),
            "\"PENDING\" is not a valid choice.",
        ),
        (
            "state",
            json!("failed"),
            "\"failed\" is not a valid choice.",
        ),
        ("url", json!(null), required),
        ("url", json!("http://jenkins:8080/"), url),
        ("url", json!("http://localhost/"), url),
        ("url", json!("ftp://ci.example.com/"), url),
        (
            "name",
            json!("n".repeat(256)),
            "Ensure this value has at most 255 characters (it has 256).",
        ),
        ("name", json!(false), "Not a valid string."),
        ("description", json!([]), "Not a valid string."),
        ("refname", json!({}), "Not a valid string."),
    ] {
        let reply = Cloud::new().post(&with(field, value.clone()));
        assert_eq!(reply.status, 400, "{field}: {value}");
        assert_eq!(
            json_of(&reply),
            json!({
                "type": "error",
                "error": {
                    "message": format!("{field}: {expected}"),
                    "fields": { field: [expected] },
                },
            }),
            "{field}: {value}"
        );
    }
}

#[test]
fn every_bad_field_is_named_and_the_first_in_the_message() {
    let reply = Cloud::new().post(&json!({ "state": "OK", "url": "ci", "name": 1 }));
    assert_eq!(message(&reply), "key: This field is required.");
    let fields = json_of(&reply)["error"]["fields"].clone();
    let names: Vec<_> = fields.as_object().unwrap().keys().collect();
    assert_eq!(names, ["key", "name", "state", "url"]);
}

#[test]
fn forty_characters_are_not_too_long_whatever_their_bytes() {
    assert_eq!(Cloud::new().post(&with("key", "ü".repeat(40))).status, 201);
    assert_eq!(
        Cloud::new().post(&with("name", "ü".repeat(255))).status,
        201
    );
}

#[test]
fn every_state_of_bitbucket_is_taken() {
    for state in ["SUCCESSFUL", "FAILED", "INPROGRESS", "STOPPED"] {
        assert_eq!(Cloud::new().post(&with("state", state)).status, 201);
    }
}

#[test]
fn absent_and_null_text_is_fine() {
    let mut body = build("ci");
    for field in ["name", "description", "refname"] {
        body[field] = Value::Null;
    }
    assert_eq!(Cloud::new().post(&body).status, 201);
}

#[test]
fn checks_are_made_in_bitbuckets_order() {
    let wrong = "/2.0/repositories/x/y/commit/0000000/statuses/build";
    let no_commit = "/2.0/repositories/w/r/commit/0000000/statuses/build";
    let mut cloud = Cloud::new().know(Credential::bearer("weak").with_scopes(["account"]));
    for (path, authorization, status) in [
        (wrong, "Bearer wrong", 401),
        (wrong, "Bearer weak", 403),
        (wrong, "Bearer token", 404),
        (no_commit, "Bearer token", 404),
        (BUILD, "Bearer token", 400),
    ] {
        let reply = cloud.ask("POST", path, authorization, "not JSON");
        assert_eq!(reply.status, status, "{path} {authorization}");
    }
}

#[test]
fn a_second_post_overwrites() {
    let mut cloud = Cloud::new();
    let first = cloud.post(&with("state", "INPROGRESS"));
    let second = cloud.post(&with("state", "FAILED"));
    assert_eq!((first.status, second.status), (201, 200));
    let (first, second) = (json_of(&first), json_of(&second));
    assert_eq!(second["state"], "FAILED");
    assert_eq!(second["created_on"], first["created_on"]);
    assert_ne!(second["updated_on"], first["updated_on"]);
    assert_eq!(cloud.0.all().count(), 1);
    assert_eq!(cloud.0.history().len(), 2);
}

#[test]
fn another_key_or_commit_is_another_status() {
    let mut cloud = Cloud::new();
    cloud.0.known.any_commit = true;
    assert_eq!(cloud.post(&build("a")).status, 201);
    assert_eq!(cloud.post(&build("b")).status, 201);
    let path = BUILD.replace(SHA, "0123456789");
    let reply = cloud.ask("POST", &path, "Bearer token", &build("a").to_string());
    assert_eq!(reply.status, 201);
}

#[test]
fn another_refname_is_another_status() {
    let mut cloud = Cloud::new();
    for (refname, status) in [
        (json!(null), 201),
        (json!("main"), 201),
        (json!("next"), 201),
        (json!("main"), 200),
        (json!(null), 200),
    ] {
        assert_eq!(
            cloud.post(&with("refname", refname.clone())).status,
            status,
            "{refname}"
        );
    }
    assert_eq!(cloud.0.all().count(), 3);
}

#[test]
fn a_refname_cannot_be_taken_back() {
    let mut cloud = Cloud::new();
    cloud.post(&with("refname", "main"));
    let reply = cloud.post(&build("ci"));
    assert_eq!(reply.status, 200);
    assert_eq!(json_of(&reply)["refname"], "main");
    cloud.post(&with("refname", "next"));
    // Two have the key now, and neither is meant.
    assert_eq!(cloud.post(&build("ci")).status, 201);
}

#[test]
fn only_the_creator_and_an_admin_may_overwrite() {
    let mut cloud = Cloud::new();
    assert_eq!(cloud.post(&build("ci")).status, 201);
    let reply = cloud.post_as("Bearer other", &build("ci"));
    assert_eq!(reply.status, 403);
    assert_eq!(
        reply.body,
        r#"{"type":"error","error":{"message":"Forbidden"}}"#
    );
    assert_eq!(cloud.post_as("Bearer admin", &build("ci")).status, 200);
    assert_eq!(cloud.post(&build("ci")).status, 200);
    assert_eq!(cloud.0.history().len(), 3);
}

#[test]
fn a_status_is_shown_as_bitbucket_shows_it() {
    let body = json!({
        "key": "ci test/1",
        "state": "STOPPED",
        "url": "https://ci.example.com/1",
        "refname": "main",
        "description": "cancelled",
    });
    let reply = Cloud::new().post(&body);
    let repository = "http://127.0.0.1:1/2.0/repositories/w/r";
    let commit = format!("{repository}/commit/{SHA}");
    assert_eq!(
        json_of(&reply),
        json!({
            "key": "ci test/1",
            "type": "build",
            "state": "STOPPED",
            "name": "",
            "refname": "main",
            "commit": {
                "type": "commit",
                "hash": SHA,
                "links": { "self": { "href": commit } },
            },
            "url": "https://ci.example.com/1",
            "repository": {
                "type": "repository",
                "full_name": "w/r",
                "name": "r",
                "uuid": "{00000000-0000-4000-8000-000000000001}",
                "links": { "self": { "href": repository } },
            },
            "description": "cancelled",
            "created_on": "2026-01-01T00:00:00.000000+00:00",
            "updated_on": "2026-01-01T00:00:00.000000+00:00",
            "links": {
                "self": { "href": format!("{commit}/statuses/build/ci%20test/1") },
                "commit": { "href": commit },
            },
        })
    );
}

#[test]
fn one_status_is_found_by_its_key_with_slashes_or_without() {
    let mut cloud = Cloud::new();
    cloud.post(&build("ci/gitlab-ci/my job"));
    for key in ["ci/gitlab-ci/my%20job", "ci%2Fgitlab-ci%2Fmy%20job"] {
        let reply = cloud.get(&format!("{BUILD}/{key}"));
        assert_eq!(reply.status, 200, "{key}");
        assert_eq!(json_of(&reply)["key"], "ci/gitlab-ci/my job");
    }
    assert_eq!(cloud.get(&format!("{BUILD}/ci")).status, 404);
}

#[test]
fn statuses_are_listed_in_pages() {
    let mut cloud = Cloud::new();
    for number in 0..23 {
        cloud.post(&build(&format!("ci {number}")));
    }
    let root = "http://127.0.0.1:1";
    let mut path = BUILD.trim_end_matches("/build").to_owned();
    let mut sizes = Vec::new();
    let mut keys = Vec::new();
    loop {
        let page = json_of(&cloud.get(&path));
        let values = page["values"].as_array().unwrap();
        assert_eq!((&page["size"], &page["pagelen"]), (&json!(23), &json!(10)));
        sizes.push(values.len());
        keys.extend(values.iter().map(|value| value["key"].clone()));
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = next.strip_prefix(root).unwrap().to_owned();
    }
    assert_eq!(sizes, [10, 10, 3]);
    let expected: Vec<_> = (0..23)
        .map(|number| json!(format!("ci {number}")))
        .collect();
    assert_eq!(keys, expected);
}

#[test]
fn a_page_has_at_most_a_hundred_statuses() {
    let mut cloud = Cloud::new();
    let list = BUILD.trim_end_matches("/build");
    for (query, status) in [
        ("pagelen=100", 200),
        ("pagelen=101", 400),
        ("pagelen=0", 400),
        ("page=2&pagelen=1", 200),
        ("page=x", 400),
        ("sort=created_on", 200),
    ] {
        assert_eq!(
            cloud.get(&format!("{list}?{query}")).status,
            status,
            "{query}"
        );
    }
}

#[test]
fn a_list_for_a_refname_has_those_without_one_too() {
    let mut cloud = Cloud::new();
    for (key, refname) in [
        ("a", json!(null)),
        ("b", json!("main")),
        ("c", json!("next")),
    ] {
        let mut body = build(key);
        body["refname"] = refname;
        cloud.post(&body);
    }
    let list = BUILD.trim_end_matches("/build");
    let page = json_of(&cloud.get(&format!("{list}?refname=main&pagelen=1")));
    assert_eq!(page["size"], 2);
    let next = page["next"].as_str().unwrap();
    assert!(next.ends_with("?pagelen=1&page=2&refname=main"), "{next}");
}

#[test]
fn an_api_token_has_an_account_and_an_access_token_has_none() {
    let mut cloud = Cloud::new();
    let basic = Credential::basic("me@example.com", "token").header();
    let account = cloud.ask("GET", "/2.0/user", &basic, "");
    assert_eq!(account.status, 200);
    assert_eq!(json_of(&account)["nickname"], "me");
    assert_eq!(header(&account, "x-credential-type"), Some("api_token"));

    let refused = cloud.get("/2.0/user");
    assert_eq!(refused.status, 403);
    assert_eq!(
        header(&refused, "x-credential-type"),
        Some("repo_access_token")
    );
    assert_eq!(header(&refused, "x-oauth-scopes"), Some("repository"));
    assert_eq!(header(&refused, "x-accepted-oauth-scopes"), Some("account"));
    assert_eq!(cloud.ask("GET", "/2.0/user", "", "").status, 401);
}

#[test]
fn what_is_not_there_gets_a_404_and_a_wrong_method_a_405() {
    let mut cloud = Cloud::new();
    let unknown = cloud.get("/2.0/teams");
    assert_eq!(unknown.status, 404);
    assert_eq!(message(&unknown), "Resource not found");
    for (method, path, allowed) in [
        ("GET", BUILD, "POST"),
        ("DELETE", "/2.0/user", "GET"),
        ("PUT", &format!("{BUILD}/ci"), "GET"),
    ] {
        let reply = cloud.ask(method, path, "Bearer token", "");
        assert_eq!(reply.status, 405, "{method} {path}");
        assert_eq!(header(&reply, "allow"), Some(allowed));
    }
}
