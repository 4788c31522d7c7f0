//! Data Center's rules, one by one.

use std::sync::mpsc;

use serde_json::{Value, json};
use stand_in::{
    Credential, DEFAULT_COMMIT as SHA, DEFAULT_TOKEN, DEFAULT_USER, DataCenterDetails, Setup,
    StandIn, Status, TestResults,
};

use crate::{Reply, agent, ask, code, post};

const UNKNOWN_SHA: &str = "0123456789012345678901234567890123456789";
const REPOSITORY: &str = "api/1.0/projects/PROJ/repos/my-repo";

/// A Data Center below a context path, and a client of it.
struct DataCenter(StandIn);

impl DataCenter {
    fn new(version: &str) -> Self {
        Self::start(Setup::default().data_center(version))
    }

    fn start(setup: Setup) -> Self {
        Self(setup.context_path("/ctx").start())
    }

    fn ask(&self, method: &str, path: &str, authorization: &str, body: &str) -> Reply {
        let url = format!("{}/rest/{path}", self.0.server_url());
        let headers = [
            ("authorization", authorization),
            ("content-type", "application/json"),
        ];
        ask(method, &url, &headers, body)
    }

    fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &token(), "")
    }

    fn post(&self, path: &str, body: &Value) -> Reply {
        self.ask("POST", path, &token(), &body.to_string())
    }

    /// Posts where the repository knows.
    fn rich(&self, body: &Value) -> Reply {
        self.post(&builds("PROJ", "my-repo", SHA), body)
    }

    /// Posts where only the commit counts.
    fn legacy(&self, body: &Value) -> Reply {
        self.post(&format!("build-status/1.0/commits/{SHA}"), body)
    }

    fn keys(&self, query: &str) -> Vec<String> {
        let page = self.get(&format!("build-status/latest/commits/{SHA}?{query}"));
        let values = page.json()["values"].as_array().unwrap().clone();
        let key = |value: &Value| value["key"].as_str().unwrap().to_owned();
        values.iter().map(key).collect()
    }
}

fn token() -> String {
    Credential::bearer(DEFAULT_TOKEN).header()
}

fn basic(password: &str) -> String {
    Credential::basic(DEFAULT_USER, password).header()
}

fn builds(project: &str, slug: &str, sha: &str) -> String {
    format!("api/latest/projects/{project}/repos/{slug}/commits/{sha}/builds")
}

fn build(key: &str) -> Value {
    json!({ "key": key, "state": "SUCCESSFUL", "url": "https://ci.example.com/1" })
}

fn with(field: &str, value: impl Into<Value>) -> Value {
    let mut body = build("ci");
    body[field] = value.into();
    body
}

/// Context, message and exception of the only error.
fn error(reply: &Reply) -> (String, String, String) {
    let errors = reply.json()["errors"].as_array().unwrap().clone();
    assert_eq!(errors.len(), 1, "{errors:?}");
    let text = |name| errors[0][name].as_str().unwrap_or_default().to_owned();
    (text("context"), text("message"), text("exceptionName"))
}

fn exception(reply: &Reply) -> String {
    error(reply).2.replace("com.atlassian.bitbucket.", "")
}

#[test]
fn a_build_is_stored_with_all_that_it_says() {
    let server = DataCenter::new("9.4.0");
    let body = json!({
        "key": "k".repeat(255),
        "state": "CANCELLED",
        "url": "http://jenkins:8080/job/1",
        "name": "tests",
        "description": "d".repeat(1000),
        "ref": "refs/heads/main",
        "parent": "plan",
        "buildNumber": "17",
        "duration": 125_000,
        "testResults": { "failed": 3, "successful": 212 },
        "somethingElse": 1,
    });
    let reply = server.rich(&body);
    assert_eq!((reply.status, reply.body.as_str()), (204, ""));
    let status = &server.0.statuses(SHA)[0];
    assert_eq!(
        (&*status.workspace, &*status.repository),
        ("PROJ", "my-repo")
    );
    assert_eq!((&*status.commit, &*status.state), (SHA, "CANCELLED"));
    assert_eq!(status.refname.as_deref(), Some("refs/heads/main"));
    let details = DataCenterDetails {
        parent: Some("plan".to_owned()),
        build_number: Some("17".to_owned()),
        duration: Some(125_000),
        test_results: Some(TestResults {
            failed: 3,
            skipped: 0,
            successful: 212,
        }),
    };
    assert_eq!(status.data_center, Some(details));
}

#[test]
fn a_build_is_shown_by_its_key() {
    let server = DataCenter::new("7.14.0");
    server.rich(&with("ref", "refs/tags/v1"));
    let path = builds("PROJ", "my-repo", SHA);
    let found = server.get(&format!("{path}?key=ci"));
    let type_sent = "application/json;charset=UTF-8";
    assert_eq!(found.header("content-type"), Some(type_sent));
    assert_eq!(
        found.json(),
        json!({
            "key": "ci",
            "state": "SUCCESSFUL",
            "url": "https://ci.example.com/1",
            "ref": "refs/tags/v1",
            "projectKey": "PROJ",
            "repositorySlug": "my-repo",
            "createdDate": 1_767_225_600_000_u64,
            "updatedDate": 1_767_225_600_000_u64,
        })
    );
    assert_eq!(server.get(&format!("{path}?key=other")).status, 404);
    assert_eq!(server.get(&path).status, 400);
}

#[test]
fn a_build_overwrites_the_one_of_its_key_whoever_posted_it() {
    let server = DataCenter::new("9.4.0");
    server.rich(&with("ref", "refs/heads/a"));
    let body = with("ref", "refs/heads/b").to_string();
    let basic = basic(DEFAULT_TOKEN);
    let reply = server.ask("POST", &builds("proj", "my-repo", SHA), &basic, &body);
    assert_eq!(reply.status, 204);
    let statuses = server.0.statuses(SHA);
    let refs: Vec<_> = statuses.iter().map(|s| s.refname.as_deref()).collect();
    assert_eq!(refs, [Some("refs/heads/b")]);
    let created: Vec<_> = server.0.history().iter().map(|s| s.created).collect();
    assert_eq!(created, [true, false]);
    server.post(&builds("~jdoe", "tools", SHA), &build("ci"));
    server.legacy(&build("ci"));
    assert_eq!(server.0.statuses(SHA).len(), 3);
}

#[test]
fn a_bad_field_gets_a_400_that_names_it() {
    let size = |limit| format!("size must be between 0 and {limit}");
    let required = |name| format!("{name} is required and must not be blank");
    let url = || "Please specify a valid url".to_owned();
    let long = |length| json!("x".repeat(length));
    for (field, value, expected) in [
        ("key", json!(null), required("key")),
        ("key", json!(" "), required("key")),
        ("key", long(256), size(255)),
        ("key", json!(1), "must be a string".to_owned()),
        ("state", json!(null), required("state")),
        (
            "state",
            json!("STOPPED"),
            "'STOPPED' is not one of SUCCESSFUL, FAILED, INPROGRESS, CANCELLED, UNKNOWN".to_owned(),
        ),
        ("url", json!(""), required("url")),
        ("url", json!("jobs/1"), url()),
        ("url", json!("https:///jobs/1"), url()),
        (
            "url",
            json!(format!("https://ci/{}", "x".repeat(440))),
            size(450),
        ),
        ("name", long(256), size(255)),
        ("parent", long(1025), size(1024)),
        ("ref", json!("main"), r#"must match "^refs\/.*""#.to_owned()),
        ("buildNumber", json!(17), "must be a string".to_owned()),
        ("duration", json!(1.5), "must be an integer".to_owned()),
        (
            "testResults",
            json!({ "failed": "3" }),
            "must be an object of integers".to_owned(),
        ),
        (
            "testResults",
            json!(3),
            "must be an object of integers".to_owned(),
        ),
    ] {
        let reply = DataCenter::new("9.4.0").rich(&with(field, value.clone()));
        assert_eq!(reply.status, 400, "{field}: {value}");
        let expected = (field.to_owned(), expected, String::new());
        assert_eq!(error(&reply), expected, "{field}: {value}");
    }
}

#[test]
fn every_bad_field_is_named() {
    let reply = DataCenter::new("9.4.0").rich(&json!({ "state": "OK", "name": [] }));
    let errors = reply.json()["errors"].as_array().unwrap().clone();
    let contexts: Vec<_> = errors.iter().map(|error| &error["context"]).collect();
    assert_eq!(contexts, ["key", "state", "url", "name"]);
}

#[test]
fn a_build_can_be_cancelled_since_8_0() {
    for state in ["CANCELLED", "UNKNOWN"] {
        for (version, status) in [("7.21.0", 400), ("8.0.0", 204)] {
            let reply = DataCenter::new(version).rich(&with("state", state));
            assert_eq!(reply.status, status, "{state} {version}");
        }
    }
}

#[test]
fn builds_are_posted_since_7_4_and_read_since_7_14() {
    let path = builds("PROJ", "my-repo", SHA);
    let old_server = DataCenter::new("7.3.2");
    let old = old_server.rich(&build("ci"));
    assert_eq!(old.status, 404);
    let message = format!("null for uri: {}/rest/{path}", old_server.0.server_url());
    assert_eq!(
        old.json(),
        json!({ "message": message, "status-code": 404 })
    );
    let middle = DataCenter::new("7.4.0");
    assert_eq!(middle.rich(&build("ci")).status, 204);
    let reading = middle.get(&format!("{path}?key=ci"));
    assert_eq!(reading.status, 405);
    assert_eq!(reading.header("allow"), Some("POST"));
}

#[test]
fn a_project_is_found_in_any_case_but_not_without_its_tilde() {
    let server = DataCenter::new("9.4.0");
    for (project, slug, expected) in [
        ("PROJ", "my-repo", None),
        ("proj", "my-repo", None),
        ("~jdoe", "tools", None),
        ("%7Ejdoe", "tools", None),
        ("jdoe", "tools", Some("project.NoSuchProjectException")),
        (
            "PROJ",
            "other",
            Some("repository.NoSuchRepositoryException"),
        ),
        (
            "~jdoe",
            "my-repo",
            Some("repository.NoSuchRepositoryException"),
        ),
    ] {
        let reply = server.get(&format!("api/1.0/projects/{project}/repos/{slug}"));
        match expected {
            None => assert_eq!(reply.json()["slug"], slug),
            Some(name) => assert_eq!((reply.status, &*exception(&reply)), (404, name)),
        }
        let post = server.post(&builds(project, slug, SHA), &build("ci"));
        let status = if expected.is_some() { 404 } else { 204 };
        assert_eq!(post.status, status, "{project}/{slug}");
    }
}

#[test]
fn a_commit_is_its_whole_hash() {
    let server = DataCenter::new("9.4.0");
    for (sha, status) in [
        (SHA, 200),
        (&SHA.to_ascii_uppercase(), 200),
        (&SHA[..12], 400),
        (&format!("{SHA}{SHA}")[..64], 400),
        ("main", 400),
        (UNKNOWN_SHA, 404),
    ] {
        let path = format!("api/latest/projects/PROJ/repos/my-repo/commits/{sha}");
        let reply = server.get(&path);
        assert_eq!(reply.status, status, "{sha}");
        let post = server.post(&format!("{path}/builds"), &build("ci"));
        let status = if status == 200 { 204 } else { status };
        assert_eq!(post.status, status, "{sha}");
    }
    let unknown = server.post(&builds("PROJ", "my-repo", UNKNOWN_SHA), &build("ci"));
    assert_eq!(exception(&unknown), "commit.NoSuchCommitException");
    assert!(
        error(&unknown)
            .1
            .contains("does not exist in repository 'my-repo'")
    );
}

#[test]
fn the_old_endpoint_has_its_own_limits_and_takes_any_commit() {
    for (field, value, status) in [
        ("key", json!("k".repeat(256)), 400),
        ("name", json!("n".repeat(256)), 400),
        ("description", json!("d".repeat(255)), 204),
        ("description", json!("d".repeat(256)), 400),
        ("state", json!("CANCELLED"), 400),
        ("ref", json!("whatever"), 204),
    ] {
        let reply = DataCenter::new("9.4.0").legacy(&with(field, value.clone()));
        assert_eq!(reply.status, status, "{field}: {value}");
    }
    let server = DataCenter::new("6.10.0");
    let reply = server.legacy(&with("url", "/job/1"));
    assert_eq!(
        reply.json(),
        json!({ "errors": [{
            "context": null,
            "message": "Please specify a valid url",
            "exceptionName": null,
        }] })
    );
    for (sha, status) in [(UNKNOWN_SHA, 204), (&SHA[..12], 400)] {
        let path = format!("build-status/1.0/commits/{sha}");
        assert_eq!(server.post(&path, &build("ci")).status, status);
    }
    assert_eq!(server.0.history()[0].workspace, "");
}

#[test]
fn the_old_endpoint_lists_what_there_is_in_pages() {
    let server = DataCenter::new("9.4.0");
    server.rich(&with("state", "FAILED"));
    server.legacy(&build("old"));
    server.post(
        &builds("~jdoe", "tools", SHA),
        &json!({ "key": "mine", "state": "INPROGRESS", "url": "https://ci.example.com/" }),
    );
    assert_eq!(server.keys(""), ["mine", "old", "ci"]);
    assert_eq!(server.keys("orderBy=OLDEST"), ["ci", "old", "mine"]);
    assert_eq!(server.keys("orderBy=status"), ["ci", "mine", "old"]);
    let path = format!("build-status/latest/commits/{SHA}");
    let mut pages = [0, 2].map(|start| server.get(&format!("{path}?limit=2&start={start}")).json());
    let values = pages.each_mut().map(|page| page["values"].take());
    assert_eq!(
        values.map(|values| values.as_array().unwrap().len()),
        [2, 1]
    );
    let page = |size, start, next: Option<u32>| {
        json!({
            "size": size,
            "limit": 2,
            "isLastPage": next.is_none(),
            "values": null,
            "start": start,
            "nextPageStart": next,
        })
    };
    assert_eq!(pages, [page(2, 0, Some(2)), page(1, 2, None)]);
    assert_eq!(server.get(&format!("{path}?orderBy=AGE")).status, 400);
    assert_eq!(
        server
            .get(&format!("build-status/latest/commits/stats/{SHA}"))
            .json(),
        json!({ "successful": 1, "failed": 1, "inProgress": 1, "cancelled": 0, "unknown": 0 })
    );
}

#[test]
fn a_hundred_statuses_are_listed_at_most() {
    let server = DataCenter::new("9.4.0");
    for number in 0..105 {
        server.rich(&build(&number.to_string()));
    }
    assert_eq!(server.keys("").len(), 25);
    let all = server.keys("limit=1000&orderBy=OLDEST");
    assert_eq!((all.len(), &*all[0]), (100, "5"));
}

#[test]
fn anybody_may_ask_what_the_server_is_and_can() {
    let server = DataCenter::new("7.3.2");
    for path in ["latest", "1.0"].map(|api| format!("api/{api}/application-properties")) {
        let properties = server.ask("GET", &path, "", "").json();
        assert_eq!(properties["version"], "7.3.2");
        assert_eq!(properties["displayName"], "Bitbucket");
    }
    for (version, can) in [
        ("7.3.2", json!(null)),
        ("7.4.0", json!(["richBuildStatus"])),
        ("8.0.0", json!(["richBuildStatus", "cancelledStatus"])),
    ] {
        let server = DataCenter::new(version);
        let all = server.ask("GET", "capabilities", "", "").json();
        assert_eq!(all["application"], "stash");
        let build = &all["capabilities"]["build"];
        let path = "api/latest/build/capabilities";
        let reply = server.ask("GET", path, "", "");
        if can.is_null() {
            assert_eq!((build, reply.status), (&Value::Null, 404));
        } else {
            assert_eq!(
                build,
                &json!(format!("{}/rest/{path}", server.0.server_url()))
            );
            assert_eq!(reply.json()["buildStatus"], can);
        }
    }
}

#[test]
fn who_may_not_read_the_repository_is_told_so_with_a_401() {
    let weak = Credential::bearer("weak").with_scopes(["repository"]);
    let server = DataCenter::start(Setup::default().data_center("9.4.0").credential(weak));
    for authorization in ["", "Bearer weak"] {
        let path = builds("PROJ", "my-repo", SHA);
        let reply = server.ask("POST", &path, authorization, &build("ci").to_string());
        assert_eq!(reply.status, 401);
        let message = "You are not permitted to access this resource".to_owned();
        let exception = "com.atlassian.bitbucket.AuthorisationException".to_owned();
        assert_eq!(error(&reply), (String::new(), message, exception));
        assert_eq!(reply.header("www-authenticate"), None);
        assert_eq!(server.0.failed_logins(), 0);
    }
}

#[test]
fn a_wrong_credential_is_refused_wherever_it_is_sent() {
    let wrong = basic("x");
    for (authorization, challenge) in [
        (wrong.as_str(), Some(r#"Basic realm="Atlassian Bitbucket""#)),
        ("Bearer x", None),
        ("Digest x", None),
    ] {
        let path = "api/latest/application-properties";
        let reply = DataCenter::new("9.4.0").ask("GET", path, authorization, "");
        assert_eq!(reply.status, 401);
        assert!(error(&reply).1.starts_with("Authentication failed."));
        assert_eq!(
            exception(&reply),
            "auth.IncorrectPasswordAuthenticationException"
        );
        assert_eq!(reply.header("www-authenticate"), challenge);
        assert_eq!(reply.header("x-ausername"), None);
        assert!(reply.header("x-arequestid").is_some());
    }
}

#[test]
fn three_wrong_passwords_lock_the_account_for_the_right_one_too() {
    let server = DataCenter::new("9.4.0");
    let [right, wrong] = [DEFAULT_TOKEN, "x"].map(basic);
    let log_in = |authorization: &str| {
        let reply = server.ask("GET", REPOSITORY, authorization, "");
        (reply.status == 401).then(|| exception(&reply).replace("AuthenticationException", ""))
    };
    let failed = Some("auth.IncorrectPassword".to_owned());
    let locked = Some("auth.CaptchaRequired".to_owned());
    assert_eq!(log_in(&wrong), failed);
    assert_eq!(log_in(&right), None);
    for _ in 0..3 {
        assert_eq!(log_in(&wrong), failed);
    }
    assert_eq!(log_in(&right), locked);
    assert_eq!(log_in(&wrong), locked);
    assert_eq!(log_in(&token()), None);
    assert_eq!(server.0.failed_logins(), 6);
}

#[test]
fn answers_say_who_asked_and_have_an_id() {
    let server = DataCenter::new("9.4.0");
    let basic = basic(DEFAULT_TOKEN);
    for (number, (authorization, user)) in [
        (&*basic, Some(DEFAULT_USER)),
        (&*token(), Some("access-token-user")),
        ("", None),
    ]
    .iter()
    .enumerate()
    {
        let reply = server.ask("GET", REPOSITORY, authorization, "");
        assert_eq!(reply.header("x-ausername"), *user);
        let id = format!("@STANDINx1x{}x0", number + 1);
        assert_eq!(reply.header("x-arequestid"), Some(id.as_str()));
    }
}

#[test]
fn what_is_not_json_is_refused() {
    let server = DataCenter::new("9.4.0");
    for (content_type, body, status) in [
        ("text/plain", build("ci").to_string(), 415),
        (
            "application/x-www-form-urlencoded",
            "key=ci".to_owned(),
            415,
        ),
        ("application/json", "key=ci".to_owned(), 400),
        ("application/json", "[]".to_owned(), 400),
        (
            "application/json; charset=UTF-8",
            build("ci").to_string(),
            204,
        ),
    ] {
        let path = builds("PROJ", "my-repo", SHA);
        let url = format!("{}/rest/{path}", server.0.server_url());
        let headers = [("authorization", &*token()), ("content-type", content_type)];
        let reply = ask("POST", &url, &headers, &body);
        assert_eq!(reply.status, status, "{content_type}");
    }
}

#[test]
fn what_is_not_below_rest_is_a_web_page() {
    let server = DataCenter::new("9.4.0");
    for (path, content_type) in [
        ("/", "text/html;charset=UTF-8"),
        ("/rest/capabilities", "text/html;charset=UTF-8"),
        ("/ctx/login", "text/html;charset=UTF-8"),
        ("/ctx/rest/other/1.0", "application/json"),
    ] {
        let reply = ask("GET", &format!("{}{path}", server.0.url()), &[], "");
        let sent = reply.header("content-type");
        assert_eq!((reply.status, sent), (404, Some(content_type)), "{path}");
    }
}

#[test]
fn a_listener_hears_of_builds_too() {
    let server = DataCenter::new("9.4.0");
    let (tell, heard) = mpsc::channel();
    let listener = move |status: &Status| tell.send(status.key.clone()).unwrap();
    server.0.on_status(listener);
    server.rich(&build("a"));
    server.rich(&json!({}));
    server.legacy(&build("b"));
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn the_same_server_is_cloud_too() {
    let server = DataCenter::new("9.4.0");
    assert_eq!(code(&post(&agent(), &server.0, "ci")), 201);
    server.rich(&build("ci"));
    let statuses = server.0.statuses(SHA);
    let on_data_center = statuses.iter().map(|status| status.data_center.is_some());
    assert_eq!(on_data_center.collect::<Vec<_>>(), [false, true]);
    assert_eq!(server.keys(""), ["ci"]);
}

#[test]
fn an_administrator_deletes_a_build_and_leaves_the_others() {
    let admin = Credential::bearer("an-admin").with_scopes(["REPO_ADMIN"]);
    let data_center = DataCenter::start(
        Setup::default()
            .data_center("9.4")
            .credential(admin.clone()),
    );
    for key in ["a", "b", "c"] {
        let body = json!({"key": key, "state": "FAILED", "url": "https://ci.example.com/1"});
        assert_eq!(data_center.rich(&body).status, 204);
    }
    let delete = |key: &str, authorization: &str| {
        let path = format!("{}?key={key}", builds("PROJ", "my-repo", SHA));
        data_center.ask("DELETE", &path, authorization, "").status
    };
    assert_eq!(delete("a", &token()), 401);
    assert_eq!(delete("a", &admin.header()), 204);
    assert_eq!(delete("a", &admin.header()), 404);
    assert_eq!(data_center.keys("orderBy=OLDEST"), ["b", "c"]);
    let again = json!({"key": "b", "state": "SUCCESSFUL", "url": "https://ci.example.com/2"});
    assert_eq!(data_center.rich(&again).status, 204);
    assert_eq!(data_center.keys("orderBy=OLDEST"), ["c", "b"]);
    let states: Vec<_> = (data_center.0.statuses(SHA).into_iter())
        .map(|status| (status.key, status.state))
        .collect();
    let pair = |key: &str, state: &str| (key.to_owned(), state.to_owned());
    assert_eq!(states, [pair("b", "SUCCESSFUL"), pair("c", "FAILED")]);
}
