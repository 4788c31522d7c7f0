//! A report's way to Bitbucket: attempts and pauses, and what has to be asked before.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde::Deserialize;

use crate::answer::{Answer, Verdict};
use crate::auth::{self, Credentials};
use crate::client::Client;
use crate::destination::{self, DataCenter, Destination, Generation};
use crate::error::Error;
use crate::hint::Asker;
use crate::link;
use crate::outcome::Outcome;
use crate::report::Report;
use crate::request::Request;
use crate::retry::{self, Next, Policy, Setback, Tried};
use crate::state::State;
use crate::voice::Voice;

/// Sends requests, all of them within the time that one report may take.
pub struct Courier<'a, 'v> {
    client: &'a Client,
    policy: Policy,
    voice: &'a mut Voice<'v>,
    started: Instant,
    attempts: u32,
    recall: Option<&'a Recall>,
}

impl<'a, 'v> Courier<'a, 'v> {
    /// Starts the clock.
    pub fn new(client: &'a Client, policy: Policy, voice: &'a mut Voice<'v>) -> Self {
        Self {
            client,
            policy,
            voice,
            started: Instant::now(),
            attempts: 0,
            recall: None,
        }
    }

    /// The same, with a clock that was started before.
    #[must_use]
    pub fn since(mut self, started: Instant) -> Self {
        self.started = started;
        self
    }

    /// The same, for a report that may be called off.
    #[must_use]
    pub fn until(mut self, recall: &'a Recall) -> Self {
        self.recall = Some(recall);
        self
    }

    /// Delivers `report`, whatever it takes, and says how that ended.
    pub fn deliver(
        &mut self,
        destination: &Destination,
        report: &Report,
        credentials: &Credentials,
    ) -> Outcome {
        let result = self
            .authorized(destination, credentials)
            .and_then(|credentials| match destination {
                Destination::Cloud(_) => {
                    let request = destination.request(report, Some(&credentials));
                    self.send(&request, Asker::new(destination, Some(&credentials)))
                }
                Destination::DataCenter(place) => self.deliver_to_data_center(
                    place,
                    report,
                    Asker::new(destination, Some(&credentials)),
                ),
            });
        self.outcome(result)
    }

    /// How `result` came about.
    fn outcome(&self, result: Result<Answer, Error>) -> Outcome {
        let (http_status, error) = match result {
            Ok(answer) => (Some(answer.status), None),
            Err(error) => (error.http_status(), Some(error)),
        };
        Outcome {
            attempts: self.attempts,
            elapsed: self.started.elapsed(),
            http_status,
            error,
        }
    }

    /// Credentials that can be sent: an OAuth consumer's are exchanged for a token first.
    pub fn authorized(
        &mut self,
        destination: &Destination,
        credentials: &Credentials,
    ) -> Result<Credentials, Error> {
        let Credentials::Consumer { url, .. } = credentials else {
            return Ok(credentials.clone());
        };
        let body = "grant_type=client_credentials".to_owned();
        let request = Request::post_form(url.clone(), Some(credentials), body);
        let answer = self.send(&request, Asker::new(destination, Some(credentials)))?;
        let issued = auth::issued(&answer.body).ok_or(Error::NotBitbucket {
            status: answer.status,
            content_type: answer.content_type,
        })?;
        self.voice.hide(&issued);
        Ok(issued)
    }

    /// Asks for nothing unless it has to: what a server can do with a stopped build, and what it is
    /// when it does not have the place for builds.
    fn deliver_to_data_center(
        &mut self,
        place: &DataCenter,
        report: &Report,
        asker: Asker<'_>,
    ) -> Result<Answer, Error> {
        let cancelled = report.state == State::Stopped
            && match self.send(&place.build_capabilities(asker.credentials), asker) {
                Ok(answer) => destination::knows_cancelled(&answer.body),
                Err(error) if error.exit_code() == 5 => return Err(error),
                // Asking again would be one more failed login.
                Err(error) if error.http_status() == Some(401) => return Err(error),
                // An old server does not know the question.
                Err(_) => false,
            };
        if report.state == State::Stopped && !cancelled {
            self.voice
                .warn("this Bitbucket does not know CANCELLED: it stores FAILED");
        }
        let generation = Generation::Rich { cancelled };
        let sent = self.send(&place.request(report, generation, asker.credentials), asker);
        match sent {
            Err(Error::Refused { status: 404, .. }) if self.is_legacy(place, asker) => {
                self.voice.warn(
                    "this Bitbucket is older than 7.4: the status is stored the old way, whatever the \
                     repository and commit, and \"Required builds\" do not see it",
                );
                let request = place.request(report, Generation::Legacy, asker.credentials);
                self.send(&request, asker)
            }
            sent => sent,
        }
    }

    fn is_legacy(&mut self, place: &DataCenter, asker: Asker<'_>) -> bool {
        let answer = self.send(&place.properties(), asker).ok();
        let version = answer.and_then(|answer| destination::version(&answer.body));
        version.is_some_and(|version| !destination::is_rich(&version))
    }

    /// Sends `request` until it is accepted or refused, or until it is not worth another attempt.
    pub fn send(&mut self, request: &Request, asker: Asker<'_>) -> Result<Answer, Error> {
        match self.judged(request, asker)? {
            (answer, None) => Ok(answer),
            (_, Some(refusal)) => Err(refusal),
        }
    }

    /// Sends `request` until there is an answer that another attempt would not change, which may be
    /// a refusal.
    pub fn ask(&mut self, request: &Request, asker: Asker<'_>) -> Result<Answer, Error> {
        self.judged(request, asker).map(|(answer, _)| answer)
    }

    /// The same, with the refusal if it is one.
    fn judged(
        &mut self,
        request: &Request,
        asker: Asker<'_>,
    ) -> Result<(Answer, Option<Error>), Error> {
        self.voice
            .detail(&format!("{} {}", request.method, request.url));
        self.attempts = 0;
        loop {
            if self.recall.is_some_and(Recall::is_due) {
                return Err(Error::Recalled);
            }
            self.attempts += 1;
            let begun = self.started.elapsed();
            let limit = self.policy.attempt(begun);
            let (error, setback) = match self.client.attempt(request, limit) {
                Ok(mut answer) => match answer
                    .keeping(self.voice.redactor())
                    .verdict(asker, SystemTime::now())
                {
                    Verdict::Accepted => return Ok((answer, None)),
                    Verdict::Refused(refusal) => return Ok((answer, Some(refusal))),
                    Verdict::Failing { error, setback } => (error, setback),
                },
                Err(failure) => (
                    Error::Unreachable {
                        server: link::authority(&request.url),
                        message: failure.message,
                        gave_up: None,
                        hint: failure.hint,
                    },
                    failure.setback,
                ),
            };
            let pause = match self.pause(begun, setback) {
                Ok(pause) => pause,
                Err(reason) => return Err(error.giving_up(reason)),
            };
            let (attempt, seconds) = (self.attempts, retry::seconds(pause));
            self.voice.detail(&format!(
                "attempt {attempt}: {error}; trying again in {seconds} s"
            ));
            match self.recall {
                Some(recall) => recall.wait(pause),
                None => thread::sleep(pause),
            }
        }
    }

    /// The state that Bitbucket shows for `report` now, in its own word, if it tells.
    pub fn shown_state(
        &mut self,
        destination: &Destination,
        report: &Report,
        credentials: &Credentials,
    ) -> Option<String> {
        #[derive(Deserialize)]
        struct Shown {
            state: String,
        }
        let credentials = self.authorized(destination, credentials).ok()?;
        let request = destination.look_up(report, &credentials);
        let answer = self
            .send(&request, Asker::new(destination, Some(&credentials)))
            .ok()?;
        serde_json::from_slice(&answer.body)
            .ok()
            .map(|shown: Shown| shown.state)
    }

    /// How long to wait after the attempt that was `begun` then.
    fn pause(&self, begun: Duration, setback: Setback) -> Result<Duration, Option<String>> {
        let elapsed = self.started.elapsed();
        let tried = Tried {
            attempts: self.attempts,
            elapsed,
            took: elapsed.saturating_sub(begun),
        };
        match self.policy.next(tried, setback, fastrand::f64()) {
            Next::TryAfter(pause) => Ok(pause),
            Next::GiveUp(reason) => Err(reason),
        }
    }
}

/// Calls a report off that has not been sent yet, because a later one is about to be.
#[derive(Debug, Default)]
pub struct Recall {
    due: Mutex<bool>,
    changed: Condvar,
}

impl Recall {
    /// Calls it off.
    pub fn now(&self) {
        *self.lock() = true;
        self.changed.notify_all();
    }

    fn is_due(&self) -> bool {
        *self.lock()
    }

    fn wait(&self, pause: Duration) {
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), pause, |due| !*due);
        drop(waited);
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
