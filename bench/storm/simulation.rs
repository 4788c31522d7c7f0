//! Many reporters and one server, in virtual time: nothing sleeps, and the same seed gives the same
//! result.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use build_status::http::retry::{Next, Policy, RetryHint};
use build_status::status::state::State;

use crate::limit::{Limit, Outage, Said, Server, ready_for};
use crate::rules::{Ask, Rule};

/// What happens.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    /// When each job calls `build_status` first.
    pub(crate) starts: Vec<Duration>,
    pub(crate) timeout: Duration,
    pub(crate) limit: Limit,
    pub(crate) outage: Option<Outage>,
    /// How long each job takes between its report of INPROGRESS and its final one; none when it
    /// makes the final one only.
    pub(crate) announced: Option<Duration>,
    /// From the client's decision to send until the request is with the server, and as long for the
    /// answer.
    pub(crate) way: Duration,
}

/// How it ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) jobs: usize,
    /// Final states stored.
    pub(crate) stored: usize,
    /// Final states that the server was ready to store, had nobody else asked.
    pub(crate) ready: usize,
    /// INPROGRESS shown for ever: the final state was lost.
    pub(crate) stuck: usize,
    pub(crate) requests: usize,
    /// The longest that a final report took, stored or not.
    pub(crate) slowest: Duration,
    /// What all final reports took together.
    pub(crate) waited: Duration,
}

impl Tally {
    /// Lost although the server was ready.
    pub(crate) fn needlessly(&self) -> usize {
        self.ready.saturating_sub(self.stored)
    }
}

struct Job {
    state: State,
    began: Duration,
    attempts: u32,
    paused: Duration,
    announced: bool,
}

/// Lets `scenario` happen to reporters that follow `rule`.
pub(crate) fn simulate(scenario: &Scenario, rule: Rule, seed: u64) -> Tally {
    let first = match scenario.announced {
        Some(_) => State::InProgress,
        None => State::Successful,
    };
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut server = Server::new(scenario.limit, scenario.outage);
    let mut jobs: Vec<_> = scenario
        .starts
        .iter()
        .map(|start| Job::begin(first, *start))
        .collect();
    let way = scenario.way;
    let arrivals = scenario.starts.iter().map(|start| *start + way);
    let mut events: BinaryHeap<_> = arrivals
        .zip(0..)
        .map(|(at, job)| Reverse((at, job)))
        .collect();
    let mut tally = Tally {
        jobs: jobs.len(),
        ..Tally::default()
    };
    let mut finals = Vec::with_capacity(jobs.len());
    while let Some(Reverse((now, number))) = events.pop() {
        let job = &mut jobs[number];
        tally.requests += 1;
        let begun = now.saturating_sub(way);
        let policy = Policy::new(job.state, scenario.timeout);
        let limit = policy.attempt(begun.saturating_sub(job.began));
        let (told, setback) = match server.answer(now) {
            // Half of what an attempt may take is for connecting, see client.rs.
            Said::Nothing => (now + limit / 2, Some(RetryHint::Passing)),
            _ if way * 2 > limit => (begun + limit, Some(RetryHint::Passing)),
            Said::Stored => (now + way, None),
            Said::Not(setback) => (now + way, Some(setback)),
        };
        let elapsed = told.saturating_sub(job.began);
        let next = setback.map(|setback| {
            job.attempts += 1;
            rule(&Ask {
                state: job.state,
                timeout: scenario.timeout,
                attempts: job.attempts,
                elapsed,
                took: told.saturating_sub(begun),
                setback,
                dice: dice.f64(),
                paused: job.paused,
            })
        });
        match (next, scenario.announced) {
            (Some(Next::TryAfter(pause)), _) => {
                job.paused = pause;
                events.push(Reverse((told + pause + way, number)));
            }
            (ended, Some(work)) if job.state == State::InProgress => {
                *job = Job::begin(State::Successful, told + work);
                job.announced = ended.is_none();
                events.push(Reverse((job.began + way, number)));
            }
            (ended, _) => {
                finals.push(job.began);
                tally.waited += elapsed;
                tally.slowest = tally.slowest.max(elapsed);
                tally.stored += usize::from(ended.is_none());
                tally.stuck += usize::from(ended.is_some() && job.announced);
            }
        }
    }
    finals.sort_unstable();
    tally.ready = ready_for(&finals, scenario.timeout, scenario.limit, scenario.outage);
    tally
}

impl Job {
    const fn begin(state: State, began: Duration) -> Self {
        Self {
            state,
            began,
            attempts: 0,
            paused: Duration::ZERO,
            announced: false,
        }
    }
}
