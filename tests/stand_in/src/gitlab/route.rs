//! Which endpoint a path means.

use super::{State, says};
use crate::percent::decode;
use crate::reply::Reply;

/// An endpoint of a project.
#[derive(Debug)]
pub(super) struct Route {
    /// The whole path, as sent.
    pub(super) path: String,
    /// The project's id or path, decoded.
    pub(super) id: String,
    pub(super) of: Of,
}

/// What of a project.
#[derive(Debug)]
pub(super) enum Of {
    Pipelines,
    Pipeline(u64),
    Jobs(u64),
    Bridges(u64),
    MergeRequest(u64),
}

impl Route {
    pub(super) fn of(state: &State, target: &str) -> Result<Self, Reply> {
        let path = target.split('?').next().unwrap_or_default();
        let Some(below) = path.strip_prefix(&state.root) else {
            return Err(Reply::text_as("text/html", 404, "<h1>404</h1>\n"));
        };
        let Some(endpoint) = below.strip_prefix("/api/v4/") else {
            return Err(elsewhere(state, below));
        };
        let parts: Vec<&str> = endpoint.split('/').collect();
        let ["projects", id, rest @ ..] = &parts[..] else {
            return Err(says::no_route());
        };
        let number = |text: &str| {
            let invalid = |_| says::error(400, "pipeline_id is invalid");
            text.parse().map_err(invalid)
        };
        let of = match rest {
            ["pipelines"] => Of::Pipelines,
            ["pipelines", id] => Of::Pipeline(number(id)?),
            ["pipelines", id, "jobs"] => Of::Jobs(number(id)?),
            ["pipelines", id, "bridges"] => Of::Bridges(number(id)?),
            ["pipelines", id, "trigger_jobs"] if state.version.since(19, 2) => {
                Of::Bridges(number(id)?)
            }
            ["merge_requests", iid] => Of::MergeRequest(number(iid)?),
            _ => return Err(says::no_route()),
        };
        Ok(Self {
            path: path.to_owned(),
            id: decode(id),
            of,
        })
    }
}

impl Of {
    /// The version from which on a job's token may be relied on to read it, and the permission that
    /// a job of another project needs.
    pub(super) fn job_token(&self) -> ((u32, u32), &'static str) {
        match self {
            Self::Jobs(_) => ((18, 3), "read_jobs"),
            Self::Pipelines | Self::Pipeline(_) | Self::Bridges(_) => ((18, 6), "read_pipelines"),
            Self::MergeRequest(_) => ((0, 0), "read_merge_requests"),
        }
    }
}

/// What is said outside of the API: people sign in first.
fn elsewhere(state: &State, path: &str) -> Reply {
    match path {
        "/users/sign_in" => Reply::text_as("text/html; charset=utf-8", 200, says::SIGN_IN),
        _ if path.starts_with("/api") => says::no_route(),
        _ => {
            let to = format!("{}{}/users/sign_in", state.external_url, state.root);
            Reply::empty(302).with_header("location", to)
        }
    }
}
