//! Who may do what.

use super::instance::Project;
use super::route::Route;
use super::{State, says};
use crate::received::Received;
use crate::reply::Reply;

/// A token that GitLab knows.
#[derive(Clone, Debug)]
pub struct Token {
    pub(super) value: String,
    is_job: bool,
    projects: Vec<u64>,
    /// Only those of an access token count.
    pub scopes: Vec<String>,
    /// Whether its role is high enough for pipelines.
    pub reads_pipelines: bool,
    /// The right `read_build`. Without it a pipeline's list of jobs is empty, and the rest forbidden.
    pub reads_builds: bool,
    /// What is wrong with it, such as `Token was revoked. …`; for a job's token, the job has ended.
    pub ended: Option<String>,
}

impl Token {
    /// A personal, project or group access token with scope `read_api` that sees these projects.
    pub fn private(value: &str, projects: &[u64]) -> Self {
        Self {
            value: value.to_owned(),
            is_job: false,
            projects: projects.to_vec(),
            scopes: vec!["read_api".to_owned()],
            reads_pipelines: true,
            reads_builds: true,
            ended: None,
        }
    }

    /// The token of a running job in this project.
    pub fn job(value: &str, project: u64) -> Self {
        Self::private(value, &[project]).with(|token| token.is_job = true)
    }

    /// The same after a change.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

/// Whose request this is; nobody's without a token. An access token goes first.
pub(super) fn identify<'a>(
    state: &'a State,
    request: &Received,
    route: &Route,
) -> Result<Option<&'a Token>, Reply> {
    let header = |name| request.header(name).filter(|value| !value.is_empty());
    let bearer = || header("authorization")?.strip_prefix("Bearer ");
    let known = |is_job, value| {
        let mut tokens = state.tokens.iter();
        let token = tokens.find(|token| token.is_job == is_job && token.value == value);
        token.ok_or_else(says::unauthorized)
    };
    if let Some(value) = header("private-token").or_else(bearer) {
        let token = known(false, value)?;
        if let Some(description) = &token.ended {
            return Err(says::invalid_token(description));
        }
        let enough = |scope: &String| ["api", "read_api"].contains(&scope.as_str());
        let allowed = token.scopes.iter().any(enough);
        return allowed
            .then_some(Some(token))
            .ok_or_else(says::insufficient_scope);
    }
    let ((major, minor), _) = route.of.job_token();
    // Where a job's token is not taken, nobody looks at it.
    let taken = header("job-token").filter(|_| state.version.since(major, minor));
    let token = taken.map(|value| known(true, value)).transpose()?;
    match token {
        Some(token) if token.ended.is_some() => Err(says::unauthorized()),
        token => Ok(token),
    }
}

/// The project of a route, if the caller sees it.
pub(super) fn project<'a>(
    state: &'a State,
    caller: Option<&Token>,
    route: &Route,
) -> Result<&'a Project, Reply> {
    let found = state
        .instance
        .projects
        .iter()
        .find(|it| match route.id.parse::<u64>() {
            Ok(id) => it.id == id,
            Err(_) => it.path.eq_ignore_ascii_case(&route.id),
        });
    let project = found.ok_or_else(says::no_project)?;
    let own = caller.is_some_and(|token| token.projects.contains(&project.id));
    match caller {
        Some(token) if token.is_job && !own && project.public => {
            let (_, permission) = route.of.job_token();
            Err(says::lacks_permission(&project.path, permission))
        }
        Some(token) if token.is_job && !own => Err(says::no_project()),
        _ if !own && !project.public => Err(says::no_project()),
        Some(token) if !token.reads_pipelines => Err(says::message(403, "403 Forbidden")),
        _ => Ok(project),
    }
}
