//! Things as GitLab shows them, with all their fields: a page of 100 jobs has about 300 KB.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::State;
use super::instance::{Job, MergeRequest, Pipeline, Project};

/// What is null where GitLab's schema allows it, and [`super::Setup::nulls`] asks for it.
const NULLABLE: &str = "artifacts_expire_at architecture avatar_url before_sha bio commit committed_at \
                        contacted_at coverage description detailed_status details_path duration \
                        erased_at file_format finished_at illustration ip_address job_title linkedin \
                        location online organization platform public_email queued_duration revision \
                        runner runner_manager started_at twitter version website_url";

const CREATED: &str = "2026-11-20T10:00:00.000Z";
const STARTED: &str = "2026-11-20T10:00:05.120Z";
const FINISHED: &str = "2026-11-20T10:01:17.700Z";

/// In the list of a project's pipelines.
pub(super) fn listed_pipeline(state: &State, pipeline: &Pipeline) -> Value {
    let mut shown = short_pipeline(state, pipeline);
    shown["name"] = Value::Null;
    finish(state, shown, &Map::new())
}

pub(super) fn pipeline(state: &State, pipeline: &Pipeline) -> Value {
    let status = &pipeline.status;
    let ended = ["success", "failed", "canceled", "skipped"].contains(&status.as_str());
    let path = path_of(state, pipeline.project_id);
    let mut shown = short_pipeline(state, pipeline);
    let rest = json!({
        "name": null,
        "before_sha": "0000000000000000000000000000000000000000",
        "tag": pipeline.tag,
        "yaml_errors": null,
        "user": user(state),
        "started_at": STARTED,
        "finished_at": ended.then_some(FINISHED),
        "committed_at": null,
        "duration": ended.then_some(72),
        "queued_duration": 5,
        "coverage": null,
        "detailed_status": {
            "icon": format!("status_{status}"), "text": status, "label": status, "group": status,
            "tooltip": status, "has_details": true,
            "details_path": format!("/{path}/-/pipelines/{}", pipeline.id),
            "illustration": null,
            "favicon": format!("/assets/ci_favicons/favicon_status_{status}.png"),
        },
        "archived": false,
    });
    extend(&mut shown, rest);
    finish(state, shown, &Map::new())
}

pub(super) fn job(state: &State, pipeline: &Pipeline, job: &Job) -> Value {
    let mut shown = common(state, pipeline, job);
    let log =
        json!({"file_type": "trace", "size": 41_817, "filename": "job.log", "file_format": null});
    let report = json!({
        "file_type": "junit", "size": 1_024, "filename": "junit.xml.gz", "file_format": "gzip"
    });
    let ran = ran(job);
    let runner = ran.then(|| {
        json!({
            "id": 12_270_852, "description": "4-blue.saas-linux-small-amd64.runners-manager.gitlab.com/default",
            "ip_address": "10.1.2.3", "active": true, "paused": false, "is_shared": true,
            "runner_type": "instance_type", "name": "gitlab-runner", "online": true,
            "created_at": CREATED, "status": "online", "job_execution_status": "active",
        })
    });
    let manager = ran.then(|| {
        json!({
            "id": 70_345_001, "system_id": "s_9c2e3f4b7a61", "version": "18.5.0", "revision": "bda84871",
            "platform": "linux", "architecture": "amd64", "created_at": CREATED,
            "contacted_at": FINISHED, "ip_address": "10.1.2.3", "status": "online",
            "job_execution_status": "active",
        })
    });
    let rest = json!({
        "artifacts": if ran { json!([log, report]) } else { json!([]) },
        "artifacts_expire_at": null,
        "runner": runner,
        "runner_manager": manager,
        "tag_list": ["docker", "linux"],
        "archived": false,
    });
    extend(&mut shown, rest);
    finish(state, shown, &job.fields)
}

pub(super) fn bridge(state: &State, pipeline: &Pipeline, bridge: &Job) -> Value {
    let mut shown = common(state, pipeline, bridge);
    let id = bridge.downstream.flatten();
    let created = state.instance.pipelines.iter().find(|it| Some(it.id) == id);
    shown["downstream_pipeline"] = json!(created.map(|it| short_pipeline(state, it)));
    finish(state, shown, &bridge.fields)
}

/// As far as reports need it.
pub(super) fn merge_request(state: &State, project: &Project, request: &MergeRequest) -> Value {
    let url = format!("{}{}/{}", state.external_url, state.root, project.path);
    json!({
        "id": 9_000 + request.iid, "iid": request.iid, "project_id": project.id,
        "state": "opened", "sha": request.sha,
        "source_branch": request.source_branch, "target_branch": "main",
        "web_url": format!("{url}/-/merge_requests/{}", request.iid),
    })
}

/// What jobs and bridges have in common.
fn common(state: &State, pipeline: &Pipeline, job: &Job) -> Value {
    let ended = ["success", "failed", "canceled", "skipped"].contains(&job.status.as_str());
    let ran = ran(job);
    let web = format!(
        "{}{}/{}",
        state.external_url,
        state.root,
        path_of(state, pipeline.project_id)
    );
    let mut shown = json!({
        "id": job.id, "status": job.status, "stage": job.stage, "name": job.name,
        "ref": pipeline.git_ref, "tag": pipeline.tag,
        "coverage": null,
        "allow_failure": job.allow_failure,
        "created_at": CREATED,
        "started_at": ran.then_some(STARTED),
        "finished_at": ended.then_some(FINISHED),
        "erased_at": null,
        "duration": ran.then_some(72.58),
        "queued_duration": ran.then_some(0.731),
        "user": user(state),
        "commit": commit(pipeline),
        "pipeline": short_pipeline(state, pipeline),
        "web_url": format!("{web}/-/jobs/{}", job.id),
        "project": { "ci_job_token_scope_enabled": false },
    });
    if job.status == "failed" {
        shown["failure_reason"] = json!(job.failure_reason);
    }
    shown
}

/// Whether a runner took it.
fn ran(job: &Job) -> bool {
    job.started
        && ["running", "success", "failed", "canceled", "canceling"].contains(&job.status.as_str())
}

fn short_pipeline(state: &State, pipeline: &Pipeline) -> Value {
    let path = path_of(state, pipeline.project_id);
    let updated_at = OffsetDateTime::from(pipeline.updated_at).format(&Rfc3339);
    json!({
        "id": pipeline.id, "iid": pipeline.id % 1_000, "project_id": pipeline.project_id,
        "sha": pipeline.sha, "ref": pipeline.git_ref,
        "status": pipeline.status, "source": pipeline.source,
        "created_at": CREATED,
        "updated_at": updated_at.expect("a year of four digits"),
        "web_url": format!("{}{}/{path}/-/pipelines/{}", state.external_url, state.root, pipeline.id),
    })
}

fn path_of(state: &State, project: u64) -> &str {
    let found = state.instance.projects.iter().find(|it| it.id == project);
    &found
        .unwrap_or_else(|| panic!("there is no project {project}"))
        .path
}

/// Pipelines show less of it.
fn user(state: &State) -> Value {
    json!({
        "id": 4_242, "username": "jdoe", "name": "Jane Doe", "state": "active",
        "avatar_url": "https://secure.gravatar.com/avatar/0bc83cb571cd1c50ba6f3e8a78ef1346?s=80",
        "web_url": format!("{}{}/jdoe", state.external_url, state.root),
        "created_at": "2019-03-04T05:06:07.089Z", "bio": "", "location": null,
        "public_email": null, "linkedin": "", "twitter": "", "website_url": "",
        "organization": null, "job_title": "", "bot": false,
    })
}

fn commit(pipeline: &Pipeline) -> Value {
    json!({
        "id": pipeline.sha,
        "short_id": pipeline.sha.get(..8),
        "created_at": "2026-11-20T10:59:41.000+01:00",
        "parent_ids": pipeline.parents,
        "title": "Cache: keep what was read",
        "message": "Cache: keep what was read\n\nThe same page was read once for each job that mentions \
                    it,\nand a pipeline of some hundred jobs waited for minutes.\n",
        "author_name": "Jane Doe", "author_email": "jane.doe@example.com",
        "authored_date": "2026-11-20T10:58:02.000+01:00",
        "committer_name": "Jane Doe", "committer_email": "jane.doe@example.com",
        "committed_date": "2026-11-20T10:59:41.000+01:00",
    })
}

/// Fields come in any release; some are null; a test has the last word.
fn finish(state: &State, mut shown: Value, fields: &Map<String, Value>) -> Value {
    shown["came_with_a_later_release"] = json!({ "of": [null, 1.5, {}] });
    if state.nulls {
        nulls(&mut shown);
    }
    extend(&mut shown, Value::Object(fields.clone()));
    shown
}

fn nulls(shown: &mut Value) {
    match shown {
        Value::Object(fields) => {
            for (name, value) in fields {
                if NULLABLE.split(' ').any(|it| it == name) {
                    *value = Value::Null;
                }
                nulls(value);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(nulls),
        _ => {}
    }
}

fn extend(shown: &mut Value, more: Value) {
    if let (Value::Object(shown), Value::Object(more)) = (shown, more) {
        shown.extend(more);
    }
}
