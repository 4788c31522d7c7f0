//! The real thing: a process for each report, and the stand-in Bitbucket.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use stand_in::{Answer, DEFAULT_COMMIT, DEFAULT_TOKEN, Setup, StandIn};

use crate::limit::{Limit, ready_for};
use crate::simulation::{Scenario, Tally};

/// One call of the binary.
struct Call {
    /// Since the storm began.
    began: Duration,
    took: Duration,
    accepted: bool,
}

/// Lets `scenario` happen to processes. Gives how it ended, and when each job began in fact.
pub(crate) fn storm(binary: &Path, scenario: &Scenario) -> (Tally, Vec<Duration>) {
    let bitbucket = start(scenario.limit);
    if scenario.outage.is_some() {
        bitbucket.always(Some(Answer::status(503)));
    }
    let start = Instant::now();
    let jobs = thread::scope(|scope| {
        let jobs: Vec<_> = (scenario.starts.iter().enumerate())
            .map(|(number, at)| {
                let reporter = Reporter::new(binary, &bitbucket, scenario, number, start);
                let at = start + *at;
                let job = move || {
                    thread::sleep(at.saturating_duration_since(Instant::now()));
                    reporter.job(scenario.announced)
                };
                thread::Builder::new()
                    .stack_size(128 * 1024)
                    .spawn_scoped(scope, job)
                    .expect("the system gives a thread")
            })
            .collect();
        if let Some(outage) = scenario.outage {
            thread::sleep((start + outage.length).saturating_duration_since(Instant::now()));
            bitbucket.always(None);
        }
        let jobs = jobs.into_iter().map(|job| job.join().expect("no panic"));
        jobs.collect::<Vec<_>>()
    });
    let starts = jobs.iter().map(|calls| calls[0].began).collect();
    let finals: Vec<_> = jobs.iter().filter_map(|calls| calls.last()).collect();
    let shown = bitbucket.statuses(DEFAULT_COMMIT);
    let in_state = |state| shown.iter().filter(|status| status.state == state).count();
    let stored = in_state("SUCCESSFUL");
    let accepted = finals.iter().filter(|call| call.accepted).count();
    assert_eq!(accepted, stored, "exit codes and statuses agree");
    let mut began: Vec<_> = finals.iter().map(|call| call.began).collect();
    began.sort_unstable();
    let tally = Tally {
        jobs: jobs.len(),
        stored,
        ready: ready_for(&began, scenario.timeout, scenario.limit, scenario.outage),
        stuck: in_state("INPROGRESS"),
        requests: bitbucket.received().len(),
        slowest: finals
            .iter()
            .map(|call| call.took)
            .max()
            .unwrap_or_default(),
        waited: finals.iter().map(|call| call.took).sum(),
    };
    (tally, starts)
}

fn start(limit: Limit) -> StandIn {
    let setup = Setup::default();
    match limit {
        Limit::None => setup.start(),
        Limit::Bucket { size, per_second } => setup
            .data_center("9.4.0")
            .token_bucket(size, per_second)
            .start(),
        Limit::Window { requests, length } => setup.hourly_limit(requests, length).start(),
    }
}

struct Reporter {
    binary: PathBuf,
    number: usize,
    timeout: Duration,
    variables: Vec<(&'static str, String)>,
    start: Instant,
}

impl Reporter {
    fn new(
        binary: &Path,
        bitbucket: &StandIn,
        scenario: &Scenario,
        number: usize,
        start: Instant,
    ) -> Self {
        let (place, repository) = match scenario.limit {
            Limit::Bucket { .. } => (("BITBUCKET_SERVER_URL", bitbucket.server_url()), "PROJ"),
            _ => (("BITBUCKET_API_ROOT", bitbucket.api_root()), "my-workspace"),
        };
        Self {
            binary: binary.to_owned(),
            number,
            timeout: scenario.timeout,
            variables: vec![
                place,
                ("BITBUCKET_NAMESPACE", repository.to_owned()),
                ("BITBUCKET_REPOSITORY", "my-repo".to_owned()),
                ("BITBUCKET_ACCESS_TOKEN", DEFAULT_TOKEN.to_owned()),
                ("BUILD_STATUS_COMMIT", DEFAULT_COMMIT.to_owned()),
                ("BUILD_STATUS_OUTPUT", "json".to_owned()),
                ("BUILD_STATUS_REFNAME", "main".to_owned()),
            ],
            start,
        }
    }

    /// What a job reports: how it stands, when it is announced, and how it ended.
    fn job(&self, announced: Option<Duration>) -> Vec<Call> {
        let announcement = announced.map(|work| {
            let call = self.call("running");
            thread::sleep(work);
            call
        });
        announcement
            .into_iter()
            .chain([self.call("passed")])
            .collect()
    }

    fn call(&self, state: &str) -> Call {
        let child = Command::new(&self.binary)
            .args([state, "--quiet"])
            .arg(format!("--key=job-{}", self.number))
            .arg(format!("--url=https://ci.example.com/{}", self.number))
            .arg(format!("--timeout={}", self.timeout.as_secs_f64()))
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let began = self.start.elapsed();
        let output = child.wait_with_output().expect("it ends");
        let said: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", output.stdout.escape_ascii()));
        Call {
            began,
            took: Duration::from_millis(said["elapsed_ms"].as_u64().expect("a number")),
            accepted: output.status.success(),
        }
    }
}
