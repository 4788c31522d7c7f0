//! A stand-in for GitLab: pipelines and their jobs, as far as GitLab's REST API shows them to one
//! who only reads, with GitLab's credentials, paging and refusals.
//!
//! ```
//! use stand_in::GitLab;
//! use stand_in::gitlab::{JOB_TOKEN, Job, Pipeline, Setup};
//!
//! let gitlab = Setup::default()
//!     .pipeline(Pipeline::new(1001).job(Job::new("test", "running").stage("check")))
//!     .start();
//! gitlab.change(|instance| instance.job(1001, "test").status = "success".to_owned());
//! let jobs = ureq::get(format!("{}/projects/42/pipelines/1001/jobs", gitlab.api_root()))
//!     .header("job-token", JOB_TOKEN)
//!     .call();
//! let jobs = jobs.unwrap().body_mut().read_to_string().unwrap();
//! assert!(jobs.contains(r#""status":"success""#));
//! ```

mod access;
mod instance;
mod page;
mod query;
mod route;
mod says;
mod setup;
mod show;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::{env, fmt};

use serde_json::json;

use self::page::Paging;
use self::query::Query;
use self::route::{Of, Route};
use crate::answer::Answer;
use crate::received::Received;
use crate::reply::Reply;
use crate::running::Running;
use crate::traffic::{Service, Traffic, lock, record};
use crate::version::Version;

pub use access::Token;
pub use instance::{Instance, Job, Pipeline};
pub use says::{asked_too_often, bad_gateway, sign_in_page, throttled};
pub use setup::{
    DEFAULT_PROJECT, DEFAULT_PROJECT_ID, DEFAULT_SHA, JOB_TOKEN, PRIVATE_TOKEN, Setup,
};

/// A running GitLab. It stops when dropped.
pub struct GitLab {
    shared: Arc<Shared>,
    running: Running,
    root: String,
}

impl GitLab {
    /// The server with its relative URL root, such as `http://127.0.0.1:PORT/gitlab`.
    pub fn url(&self) -> String {
        format!("{}{}", self.running.url, self.root)
    }

    /// What `CI_API_V4_URL` is.
    pub fn api_root(&self) -> String {
        format!("{}/api/v4", self.url())
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.running.port
    }

    /// The CA to trust, when the server speaks TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.running.ca_pem.as_deref()
    }

    /// Queues answers. The next requests get one each; `Answer::Late(Duration::ZERO)` is GitLab's
    /// own.
    pub fn will(&self, answers: impl IntoIterator<Item = Answer>) {
        self.shared.traffic.will(answers);
    }

    /// Gives this answer to every request that finds the queue empty.
    pub fn always(&self, answer: Option<Answer>) {
        self.shared.traffic.always(answer);
    }

    /// Every request that arrived whole, in order, whatever the answer was.
    pub fn received(&self) -> Vec<Received> {
        self.shared.traffic.received()
    }

    /// How many TCP connections were accepted so far.
    pub fn connections(&self) -> usize {
        self.shared.traffic.connections()
    }

    /// Changes pipelines and jobs now.
    pub fn change<T>(&self, f: impl FnOnce(&mut Instance) -> T) -> T {
        f(&mut lock(&self.shared.state).instance)
    }

    /// Calls `f` before each answer of GitLab's own, so that things change while a client reads.
    pub fn on_request(&self, f: impl FnMut(&mut Instance, &Received) + Send + 'static) {
        *lock(&self.shared.on_request) = Box::new(f);
    }

    fn lines(&self) -> String {
        let own = lock(&self.shared.own);
        let mut lines = String::new();
        for (index, request) in self.received().iter().enumerate() {
            let answer = own.get(&(index + 1)).map(|reply| {
                json!({"status": reply.status, "headers": reply.headers, "body": reply.body})
            });
            let line = json!({
                "gitlab": self.root,
                "method": request.method,
                "path": request.path,
                "headers": request.headers,
                "answer": answer,
            });
            lines += &format!("{line}\n");
        }
        lines
    }
}

impl Drop for GitLab {
    fn drop(&mut self) {
        self.running.stop();
        if let Some(path) = env::var_os("STAND_IN_RECORD") {
            record(&self.lines(), &path);
        }
    }
}

impl fmt::Debug for GitLab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GitLab").field(&self.url()).finish()
    }
}

/// What the server thread and the test both see.
struct Shared {
    traffic: Traffic,
    state: Mutex<State>,
    on_request: Mutex<OnRequest>,
    /// GitLab's own answers by the number of the request.
    own: Mutex<HashMap<usize, Reply>>,
}

type OnRequest = Box<dyn FnMut(&mut Instance, &Received) + Send>;

impl Service for Shared {
    fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    fn answer(&self, number: usize, received: &Received) -> Reply {
        let mut state = lock(&self.state);
        lock(&self.on_request)(&mut state.instance, received);
        let reply = answer(&state, received).unwrap_or_else(|refusal| refusal);
        lock(&self.own).insert(number, reply.clone());
        reply
    }
}

/// What GitLab is and knows.
#[derive(Debug)]
struct State {
    /// The server's own address, without the relative URL root.
    url: String,
    root: String,
    /// GitLab's configured address, without the relative URL root.
    external_url: String,
    version: Version,
    /// Whether everything is null that may be.
    nulls: bool,
    tokens: Vec<Token>,
    instance: Instance,
}

fn answer(state: &State, request: &Received) -> Result<Reply, Reply> {
    let route = Route::of(state, &request.path)?;
    if request.method != "GET" {
        return Err(says::error(405, "405 Not Allowed"));
    }
    let caller = access::identify(state, request, &route)?;
    let query = Query::read(request);
    let paging = Paging::read(state, &route, &query)?;
    let reads_builds = caller.is_none_or(|token| token.reads_builds);
    let read_builds = || {
        let forbidden = || says::message(403, "403 Forbidden");
        reads_builds.then_some(()).ok_or_else(forbidden)
    };
    let not_found = || says::message(404, "404 Not found");
    let project = || access::project(state, caller, &route);
    let pipeline = |id: u64| {
        let project = project()?.id;
        let mut pipelines = state.instance.pipelines.iter();
        let found = pipelines.find(|it| it.id == id && it.project_id == project);
        found.ok_or_else(not_found)
    };
    match route.of {
        Of::Pipelines => {
            let filter = query::Filter::read(&query)?;
            let project = project()?.id;
            read_builds()?;
            let pipelines = state.instance.pipelines.iter();
            let mut pipelines = pipelines.filter(|it| it.project_id == project).collect();
            filter.apply(&mut pipelines);
            Ok(paging.of(&pipelines, |it| show::listed_pipeline(state, it)))
        }
        Of::Pipeline(id) => Ok(Reply::json(200, &show::pipeline(state, pipeline(id)?))),
        Of::Jobs(id) => {
            let (scope, retried) = (query.scope()?, query.flag("include_retried")?);
            let pipeline = pipeline(id)?;
            let mut jobs = pipeline.newest(false);
            jobs.retain(|job| (retried || !job.retried) && scope.has(job) && reads_builds);
            Ok(paging.of(&jobs, |job| show::job(state, pipeline, job)))
        }
        Of::Bridges(id) => {
            let (scope, pipeline) = (query.scope()?, pipeline(id)?);
            read_builds()?;
            let mut bridges = pipeline.newest(true);
            bridges.retain(|bridge| !bridge.retried && scope.has(bridge));
            Ok(paging.of(&bridges, |bridge| show::bridge(state, pipeline, bridge)))
        }
        Of::MergeRequest(iid) => {
            let project = project()?;
            let own = project.id == DEFAULT_PROJECT_ID;
            let mut requests = state.instance.merge_requests.iter();
            let found = requests.find(|request| own && request.iid == iid);
            let request = found.ok_or_else(not_found)?;
            let shown = show::merge_request(state, project, request);
            Ok(Reply::json(200, &shown))
        }
    }
}
