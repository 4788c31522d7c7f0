//! The stand-in GitLab.

use std::time::Duration;

use serde_json::{Value, json};
use stand_in::gitlab::{
    DEFAULT_SHA, JOB_TOKEN, Job, PRIVATE_TOKEN, Pipeline, Setup, Token, asked_too_often,
    bad_gateway, sign_in_page, throttled,
};
use stand_in::{Answer, GitLab, SECOND_COMMIT};

use crate::{Reply, agent};

const OTHER: u64 = 7;
const PRIVATE: (&str, &str) = ("private-token", PRIVATE_TOKEN);
const JOB: (&str, &str) = ("job-token", JOB_TOKEN);

/// A pipeline 1001 with three jobs, the last of them retried, and a child 1002 of one job.
fn setup() -> Setup {
    let pipeline = Pipeline::new(1001)
        .job(Job::new("build", "success").stage("build"))
        .job(Job::new("test: [a, b]", "canceled").with(|job| job.started = false))
        .job(Job::failed("lint", "runner_system_failure").with(|job| job.retried = true))
        .job(Job::new("lint", "running").with(|job| job.allow_failure = true))
        .job(Job::bridge("deploy", "success", Some(1002)));
    let child = Pipeline::child(1002).job(Job::new("build", "failed"));
    Setup::default().pipeline(pipeline).pipeline(child)
}

fn get(gitlab: &GitLab, token: (&str, &str), path: &str) -> Reply {
    crate::ask("GET", &format!("{}{path}", gitlab.api_root()), &[token], "")
}

/// Status and body of an answer.
fn says(gitlab: &GitLab, token: (&str, &str), path: &str) -> (u16, Value) {
    let reply = get(gitlab, token, path);
    (reply.status, reply.json())
}

/// One field of each item of a list.
#[track_caller]
fn each(reply: &Reply, field: &str) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let items = reply.json();
    let items = items.as_array().unwrap().iter();
    items.map(|item| item[field].clone()).collect()
}

fn message(text: &str) -> Value {
    json!({ "message": text })
}

#[test]
fn a_list_of_jobs_has_the_newest_attempts_newest_first_and_no_bridges() {
    let gitlab = setup().start();
    let jobs = "/projects/group%2Fmy-project/pipelines/1001/jobs";
    let shown = get(&gitlab, JOB, jobs);
    assert_eq!(each(&shown, "name"), ["lint", "test: [a, b]", "build"]);
    assert_eq!(each(&shown, "id"), [4, 2, 1]);
    let all = get(&gitlab, JOB, &format!("{jobs}?include_retried=true"));
    assert_eq!(each(&all, "id"), [4, 3, 2, 1]);
    let null = Value::Null;
    let reason = json!("runner_system_failure");
    assert_eq!(
        each(&all, "failure_reason"),
        [null.clone(), reason, null.clone(), null.clone()]
    );
    assert_eq!(each(&all, "allow_failure"), [true, false, false, false]);
    assert_eq!(
        each(&shown, "started_at")[1..],
        [null, json!("2026-11-20T10:00:05.120Z")]
    );
    let scope = "?scope%5B%5D=canceled&scope[]=running";
    assert_eq!(
        each(&get(&gitlab, JOB, &format!("{jobs}{scope}")), "id"),
        [4, 2]
    );
    assert_eq!(
        each(&shown, "web_url")[2],
        format!("{}/group/my-project/-/jobs/1", gitlab.url())
    );
}

#[test]
fn a_bridge_names_the_pipeline_that_it_created() {
    let gitlab = setup().start();
    gitlab.change(|it| it.add(1001, Job::bridge("late", "created", None)));
    for path in ["bridges", "trigger_jobs"] {
        let bridges = get(&gitlab, JOB, &format!("/projects/42/pipelines/1001/{path}"));
        assert_eq!(each(&bridges, "name"), ["late", "deploy"]);
        let downstream = each(&bridges, "downstream_pipeline");
        assert_eq!(downstream[0], Value::Null);
        assert_eq!(downstream[1]["id"], 1002);
        assert_eq!(downstream[1]["source"], "parent_pipeline");
    }
    let child = get(&gitlab, JOB, "/projects/42/pipelines/1002/jobs");
    assert_eq!(each(&child, "status"), ["failed"]);
}

#[test]
fn a_pipeline_and_a_merge_request_are_shown() {
    let merged = Pipeline::new(1003).merged_result(7, "aa", SECOND_COMMIT);
    let merged = merged
        .with(|it| it.sha = DEFAULT_SHA.to_owned())
        .job(Job::new("a", "success"));
    let gitlab = setup()
        .pipeline(merged)
        .merge_request(7, "feature", SECOND_COMMIT)
        .start();
    let pipeline = get(&gitlab, PRIVATE, "/projects/42/pipelines/1003").json();
    assert_eq!(pipeline["ref"], "refs/merge-requests/7/merge");
    assert_eq!(pipeline["source"], "merge_request_event");
    let jobs = get(&gitlab, PRIVATE, "/projects/42/pipelines/1003/jobs");
    assert_eq!(
        each(&jobs, "commit")[0]["parent_ids"],
        json!(["aa", SECOND_COMMIT])
    );
    let request = get(&gitlab, JOB, "/projects/42/merge_requests/7").json();
    assert_eq!(
        [&request["source_branch"], &request["sha"]],
        ["feature", SECOND_COMMIT]
    );
}

#[test]
fn pipelines_are_listed_by_their_last_change_without_children() {
    let old = Pipeline::new(1000).updated_ago(Duration::from_hours(48));
    let gitlab = setup().pipeline(old).pipeline(Pipeline::new(1004)).start();
    let list = |query: &str| get(&gitlab, JOB, &format!("/projects/42/pipelines?{query}"));
    assert_eq!(each(&list(""), "id"), [1004, 1001, 1000]);
    assert_eq!(
        each(&list("order_by=updated_at&sort=asc"), "id"),
        [1000, 1001, 1004]
    );
    assert_eq!(each(&list("source=parent_pipeline"), "id"), [1002]);
    let updated = each(&list(""), "updated_at");
    let since = |time: &str| list(&format!("updated_after={time}")).json();
    assert_eq!(
        since(updated[2].as_str().unwrap())
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        since("2020-01-01T00:00:00%2B01:00")
            .as_array()
            .unwrap()
            .len(),
        3
    );
    for time in ["24h", "2026-11-20", "2020-01-01T00:00:00+01:00"] {
        assert_eq!(
            since(time),
            json!({ "error": "updated_after is invalid" }),
            "{time}"
        );
    }
}

#[test]
fn a_page_says_where_the_next_one_is() {
    let mut pipeline = Pipeline::new(1);
    for n in 1..=250 {
        pipeline = pipeline.job(Job::new(&format!("job {n}/250"), "success"));
    }
    let gitlab = Setup::default()
        .relative_url_root("/gitlab")
        .external_url("https://gitlab.other.example")
        .pipeline(pipeline)
        .start();
    let page = |query| {
        get(
            &gitlab,
            JOB,
            &format!("/projects/42/pipelines/1/jobs?{query}"),
        )
    };
    let second = page("page=2&per_page=100");
    assert_eq!(each(&second, "id")[..2], [150, 149]);
    let headers = [
        "x-page",
        "x-per-page",
        "x-prev-page",
        "x-next-page",
        "x-total",
        "x-total-pages",
    ];
    let of = |reply: &Reply| headers.map(|name| reply.header(name).unwrap().to_owned());
    assert_eq!(of(&second), ["2", "100", "1", "3", "250", "3"]);
    assert_eq!(
        of(&page("per_page=1000&page=3")),
        ["3", "100", "2", "", "250", "3"]
    );
    assert_eq!(of(&page("")), ["1", "20", "", "2", "250", "13"]);
    assert_eq!(page("page=99").body, "[]");
    let link = |page, rel| {
        format!(
            "<https://gitlab.other.example/gitlab/api/v4/projects/42/pipelines/1/jobs?id=42\
             &include_retried=false&page={page}&per_page=100&pipeline_id=1>; rel=\"{rel}\""
        )
    };
    let links = [
        link(1, "prev"),
        link(3, "next"),
        link(1, "first"),
        link(3, "last"),
    ];
    assert_eq!(second.header("link"), Some(&*links.join(", ")));
    let size = second.body.len();
    assert!((230_000..350_000).contains(&size), "{size}");
    assert!(page("page=1").body.contains(
        r#""web_url":"https://gitlab.other.example/gitlab/group/my-project/-/jobs/250""#
    ));
}

#[test]
fn parameters_that_gitlab_cannot_use_are_refused() {
    let gitlab = setup().start();
    for (path, error) in [
        ("/1001/jobs?page=x", "page is invalid"),
        ("/1001/jobs?page=0", "page does not have a valid value"),
        ("/1001/jobs?per_page=0", "per_page has a value not allowed"),
        (
            "/1001/jobs?include_retried=yes",
            "include_retried is invalid",
        ),
        (
            "/1001/bridges?scope[]=done",
            "scope does not have a valid value",
        ),
        ("/x/jobs", "pipeline_id is invalid"),
        ("?sort=up", "sort does not have a valid value"),
    ] {
        let path = format!("/projects/42/pipelines{path}");
        let expected = (400, json!({ "error": error }));
        assert_eq!(says(&gitlab, PRIVATE, &path), expected, "{path}");
    }
}

#[test]
fn what_is_not_there_is_not_found() {
    let gitlab = setup().relative_url_root("/gitlab").start();
    let no_route = || json!({ "error": "404 Not Found" });
    for (path, body) in [
        ("/projects/42/pipelines/9/jobs", message("404 Not found")),
        (
            "/projects/43/pipelines/1001/jobs",
            message("404 Project Not Found"),
        ),
        ("/projects/group/my-project/pipelines", no_route()),
        ("/projects/42/pipeline", no_route()),
    ] {
        assert_eq!(says(&gitlab, PRIVATE, path), (404, body), "{path}");
    }
    let jobs = format!("{}/projects/42/pipelines/1001/jobs", gitlab.api_root());
    assert_eq!(crate::ask("POST", &jobs, &[PRIVATE], "").status, 405);
    let wrong_root = jobs.replace("/gitlab/", "/");
    assert_eq!(crate::ask("GET", &wrong_root, &[PRIVATE], "").status, 404);
    let outside = crate::ask("GET", &format!("{}/group", gitlab.url()), &[], "");
    let sign_in = format!("{}/users/sign_in", gitlab.url());
    assert_eq!(
        (outside.status, outside.header("location")),
        (302, Some(&*sign_in))
    );
    let page = crate::ask("GET", &sign_in, &[], "");
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
}

#[test]
fn an_access_token_needs_scope_project_and_rights() {
    let token = |value: &str| Token::private(value, &[42]);
    let gitlab = setup()
        .project(OTHER, "group/other")
        .pipeline(Pipeline::new(2001).with(|it| it.project_id = OTHER))
        .token(token("user").with(|it| it.scopes = vec!["read_user".to_owned()]))
        .token(token("old").with(|it| it.ended = Some("Token was revoked.".to_owned())))
        .token(token("guest").with(|it| it.reads_pipelines = false))
        .token(token("no builds").with(|it| it.reads_builds = false))
        .start();
    let jobs =
        |name: &str, value: &str| says(&gitlab, (name, value), "/projects/42/pipelines/1001/jobs");
    let bearer = format!("Bearer {PRIVATE_TOKEN}");
    let unauthorized = (401, message("401 Unauthorized"));
    assert_eq!(jobs("private-token", JOB_TOKEN), unauthorized);
    assert_eq!(jobs("job-token", PRIVATE_TOKEN), unauthorized);
    assert_eq!(jobs("authorization", &bearer).0, 200);
    assert_eq!(jobs("", ""), (404, message("404 Project Not Found")));
    assert_eq!(
        jobs("private-token", "old"),
        (
            401,
            json!({ "error": "invalid_token", "error_description": "Token was revoked." })
        )
    );
    let scope = json!({
        "error": "insufficient_scope",
        "error_description": "The request requires higher privileges than provided by the access token.",
        "scope": "api read_api",
    });
    assert_eq!(jobs("private-token", "user"), (403, scope));
    assert_eq!(
        jobs("private-token", "guest"),
        (403, message("403 Forbidden"))
    );
    assert_eq!(jobs("private-token", "no builds"), (200, json!([])));
    let bridges = "/projects/42/pipelines/1001/bridges";
    let forbidden = (403, message("403 Forbidden"));
    assert_eq!(
        says(&gitlab, ("private-token", "no builds"), bridges),
        forbidden
    );
    let other = says(&gitlab, PRIVATE, "/projects/7/pipelines/2001");
    assert_eq!(other, (404, message("404 Project Not Found")));
}

#[test]
fn what_a_job_token_may_read_depends_on_the_version() {
    let paths = [
        "/1001/jobs",
        "/1001",
        "/1001/bridges",
        "",
        "/1001/trigger_jobs",
    ];
    for (version, public, expected) in [
        ("17.9", false, [404, 404, 404, 404, 404]),
        ("18.3.0", false, [200, 404, 404, 404, 404]),
        ("18.6", false, [200, 200, 200, 200, 404]),
        ("19.2", false, [200, 200, 200, 200, 200]),
        ("17.9", true, [200, 200, 200, 200, 404]),
    ] {
        let setup = setup().version(version);
        let gitlab = if public { setup.public() } else { setup }.start();
        let read = |path| get(&gitlab, JOB, &format!("/projects/42/pipelines{path}")).status;
        assert_eq!(paths.map(read), expected, "{version} {public}");
    }
}

#[test]
fn a_job_token_is_good_in_its_project_while_the_job_runs() {
    let ended = Token::job("ended", 42).with(|it| it.ended = Some(String::new()));
    let setup = || {
        setup()
            .token(ended.clone())
            .token(Token::job("foreign", OTHER))
    };
    let jobs = "/projects/42/pipelines/1001/jobs";
    let private = setup().start();
    let unauthorized = (401, message("401 Unauthorized"));
    assert_eq!(says(&private, ("job-token", "ended"), jobs), unauthorized);
    let not_found = (404, message("404 Project Not Found"));
    assert_eq!(says(&private, ("job-token", "foreign"), jobs), not_found);
    let public = setup().public().start();
    let text = "403 Forbidden - Insufficient permissions to access this resource in project \
                group/my-project. The following token permission is required: read_jobs.";
    assert_eq!(
        says(&public, ("job-token", "foreign"), jobs),
        (403, message(text))
    );
    assert_eq!(get(&public, ("", ""), jobs).status, 200);
}

#[test]
fn jobs_change_while_a_client_reads() {
    let gitlab = setup().start();
    let mut requests = 0;
    gitlab.on_request(move |instance, _| {
        requests += 1;
        match requests {
            2 => instance.job(1001, "lint").status = "success".to_owned(),
            3 => instance.retry(1001, "test: [a, b]", "pending"),
            _ => {}
        }
    });
    let read = || {
        each(
            &get(&gitlab, JOB, "/projects/42/pipelines/1001/jobs"),
            "status",
        )
    };
    assert_eq!(read(), ["running", "canceled", "success"]);
    assert_eq!(read(), ["success", "canceled", "success"]);
    assert_eq!(read(), ["pending", "success", "success"]);
    let all = get(
        &gitlab,
        JOB,
        "/projects/42/pipelines/1001/jobs?include_retried=1",
    );
    assert_eq!(each(&all, "id"), [7, 4, 3, 2, 1]);
}

#[test]
fn nulls_new_fields_and_new_words_are_shown() {
    let odd = Job::new("odd", "on_hold")
        .field("name_of_tomorrow", 1)
        .field("coverage", 12.5);
    let gitlab = setup().nulls().start();
    gitlab.change(|it| it.add(1001, odd));
    let jobs = get(&gitlab, JOB, "/projects/42/pipelines/1001/jobs").json();
    let of = |name: &str| jobs[0][name].clone();
    assert_eq!(
        ["status", "name_of_tomorrow", "coverage"].map(of),
        [json!("on_hold"), json!(1), json!(12.5)]
    );
    assert_eq!(
        jobs[0]["came_with_a_later_release"],
        json!({ "of": [null, 1.5, {}] })
    );
    let nullable = [
        "commit",
        "runner",
        "started_at",
        "finished_at",
        "duration",
        "coverage",
    ];
    assert_eq!(
        nullable.map(|name| jobs[3][name].clone()),
        [(); 6].map(|()| Value::Null)
    );
}

#[test]
fn what_goes_wrong_is_said_as_gitlab_and_its_proxies_say_it() {
    let gitlab = setup().start();
    gitlab.will([
        throttled(30),
        asked_too_often(),
        sign_in_page(),
        bad_gateway(),
    ]);
    let said: Vec<_> = (0..4)
        .map(|_| {
            let reply = get(&gitlab, JOB, "/projects/42/pipelines/1001/jobs");
            let header = |name| reply.header(name).map(str::to_owned);
            (
                reply.status,
                header("content-type").unwrap(),
                header("retry-after"),
            )
        })
        .collect();
    let html = || "text/html; charset=utf-8".to_owned();
    assert_eq!(
        said,
        [
            (429, "text/plain".to_owned(), Some("30".to_owned())),
            (429, "application/json".to_owned(), None),
            (200, html(), None),
            (502, html(), None),
        ]
    );
    gitlab.will([Answer::CutOff]);
    let url = format!("{}/projects/42/pipelines/1001/jobs", gitlab.api_root());
    let mut cut = agent()
        .get(url)
        .header("job-token", JOB_TOKEN)
        .call()
        .unwrap();
    assert!(cut.body_mut().read_to_string().is_err());
}

#[test]
fn requests_and_connections_are_remembered_and_tls_is_spoken() {
    let gitlab = setup().tls().start();
    let client = crate::tls::trusting_ca(gitlab.ca_pem().unwrap());
    for page in 1..=3 {
        let jobs = format!("/projects/42/pipelines/1001/jobs?per_page=1&page={page}");
        let url = format!("{}{jobs}", gitlab.api_root());
        let mut reply = client
            .get(url)
            .header("job-token", JOB_TOKEN)
            .call()
            .unwrap();
        reply.body_mut().read_to_string().unwrap();
        let received = gitlab.received().pop().unwrap();
        assert_eq!(received.path, format!("/api/v4{jobs}"));
        assert_eq!(received.header("job-token"), Some(JOB_TOKEN));
    }
    assert_eq!((gitlab.received().len(), gitlab.connections()), (3, 1));
}
