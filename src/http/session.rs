//! Sends requests within one deadline, with retries.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::deadline::Deadline;
use crate::error::Error;
use crate::http::client::Client;
use crate::http::failure::{Arrival, Failure};
use crate::http::request::Request;
use crate::http::response::Response;
use crate::http::retry::{self, Next, Policy, RetryHint, Tried};
use crate::output::log::Log;
use crate::status::url;

/// The meaning of a response.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// A success.
    Accepted,
    /// A refusal: another attempt would not change it.
    Refused(Error),
    /// A failure that may pass.
    Failing {
        /// The error to report after the last attempt.
        error: Error,
        /// Whether, and when, to try again.
        retry_hint: RetryHint,
    },
}

/// A response, with an error if it is a refusal.
pub(crate) type Answer = Result<(Response, Option<Error>), Error>;

/// The response, if it is a success.
pub(crate) fn accepted(answer: Answer) -> Result<Response, Error> {
    match answer? {
        (response, None) => Ok(response),
        (_, Some(refusal)) => Err(refusal),
    }
}

/// Sends requests within one deadline.
pub(crate) struct Session<'a, 'l> {
    client: &'a Client,
    policy: Policy,
    deadline: Deadline,
    log: &'a mut Log<'l>,
    attempts: u32,
    arrival: Arrival,
    cancel: Option<&'a Cancel>,
}

impl<'a, 'l> Session<'a, 'l> {
    /// A session for requests within `deadline`. Opens no connection yet.
    pub(crate) fn new(
        client: &'a Client,
        policy: Policy,
        deadline: Deadline,
        log: &'a mut Log<'l>,
    ) -> Self {
        Self {
            client,
            policy,
            deadline,
            log,
            attempts: 0,
            arrival: Arrival::None,
            cancel: None,
        }
    }

    /// Lets `cancel` stop the requests.
    #[must_use]
    pub(crate) fn until(mut self, cancel: &'a Cancel) -> Self {
        self.cancel = Some(cancel);
        self
    }

    /// Goes by another policy from now on, and returns the one so far.
    pub(crate) const fn change_policy(&mut self, policy: Policy) -> Policy {
        std::mem::replace(&mut self.policy, policy)
    }

    /// The time that all requests have together.
    pub(crate) const fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// How often the last request was sent.
    pub(crate) const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// When the server may act on an attempt that was given up, of those so far.
    pub(crate) const fn arrival(&self) -> Arrival {
        self.arrival
    }

    /// The time since the start of the deadline.
    pub(crate) fn elapsed(&self) -> Duration {
        self.deadline.elapsed()
    }

    /// The log that the session writes to.
    pub(crate) fn log(&mut self) -> &mut Log<'l> {
        self.log
    }

    /// Sends `request`, and retries while `judge` and the policy allow. Returns the final response,
    /// with an error if it is a refusal.
    pub(crate) fn send(
        &mut self,
        request: &Request,
        judge: &dyn Fn(&Response) -> Verdict,
    ) -> Answer {
        self.send_anew(&|| request.clone(), judge)
    }

    /// The same for a request that is made anew for each attempt, because its signature is good for
    /// some minutes only.
    pub(crate) fn send_anew(
        &mut self,
        request: &dyn Fn() -> Request,
        judge: &dyn Fn(&Response) -> Verdict,
    ) -> Answer {
        self.attempts = 0;
        loop {
            let request = &request();
            if self.attempts == 0 {
                self.announce(request);
            }
            if self.cancel.is_some_and(Cancel::is_due) {
                return Err(Error::Cancelled);
            }
            self.attempts += 1;
            let begun = self.deadline.elapsed();
            let (error, retry_hint) = match self.attempt(request, self.policy.attempt(begun)) {
                Ok(response) => match judge(&response) {
                    Verdict::Accepted => return Ok((response, None)),
                    Verdict::Refused(refusal) => return Ok((response, Some(refusal))),
                    Verdict::Failing { error, retry_hint } => (error, retry_hint),
                },
                Err(failed) => failed,
            };
            let pause = match self.pause(begun, retry_hint) {
                Ok(pause) => pause,
                Err(reason) => return Err(error.giving_up(reason)),
            };
            let (attempt, seconds) = (self.attempts, retry::seconds(pause));
            self.log.detail(&format!(
                "attempt {attempt}: {error}; trying again in {seconds} s"
            ));
            match self.cancel {
                Some(cancel) => cancel.wait(pause),
                None => thread::sleep(pause),
            }
        }
    }

    fn announce(&mut self, request: &Request) {
        let what = format!("{} {}", request.method, request.url);
        self.log.detail(&what);
    }

    fn attempt(
        &mut self,
        request: &Request,
        limit: Duration,
    ) -> Result<Response, (Error, RetryHint)> {
        let arrival = &mut self.arrival;
        let unreachable = |failure: Failure| {
            *arrival = failure.arrival.max(*arrival);
            let error = Error::Unreachable {
                server: url::authority(&request.url),
                message: failure.message,
                gave_up: None,
                hint: failure.hint,
            };
            (error, failure.retry_hint)
        };
        let response = self.client.attempt(request, limit).map_err(unreachable)?;
        self.arrival = Arrival::after(response.status).max(self.arrival);
        Ok(Response {
            secrets: self.log.redactor().clone(),
            ..response
        })
    }

    /// The pause after an attempt that began at `begun`, or the reason to give up.
    fn pause(&self, begun: Duration, retry_hint: RetryHint) -> Result<Duration, Option<String>> {
        let elapsed = self.deadline.elapsed();
        let tried = Tried {
            attempts: self.attempts,
            elapsed,
            took: elapsed.saturating_sub(begun),
        };
        match self.policy.next(tried, retry_hint, fastrand::f64()) {
            Next::TryAfter(pause) => Ok(pause),
            Next::GiveUp(reason) => Err(reason),
        }
    }
}

/// Cancels a report that is not sent yet, because a later one is due.
#[derive(Debug, Default)]
pub(crate) struct Cancel {
    due: Mutex<bool>,
    changed: Condvar,
}

impl Cancel {
    /// Cancels the report, and ends its pause.
    pub(crate) fn now(&self) {
        *self.lock() = true;
        self.changed.notify_all();
    }

    fn is_due(&self) -> bool {
        *self.lock()
    }

    fn wait(&self, pause: Duration) {
        let is_early = |due: &mut bool| !*due;
        drop(
            self.changed
                .wait_timeout_while(self.lock(), pause, is_early),
        );
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
