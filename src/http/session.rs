//! Requests within one deadline: attempts, pauses, and when to give up.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::deadline::Deadline;
use crate::error::Error;
use crate::http::client::Client;
use crate::http::request::Request;
use crate::http::response::Response;
use crate::http::retry::{self, Next, Policy, RetryHint, Tried};
use crate::output::log::Log;
use crate::status::url;

/// What a response comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It is a success.
    Accepted,
    /// It is not, and asking again will not change that.
    Refused(Error),
    /// It is not, this time.
    Failing {
        /// What it said.
        error: Error,
        /// When to try again.
        retry_hint: RetryHint,
    },
}

/// Sends requests, all of them within one deadline.
pub struct Session<'a, 'l> {
    client: &'a Client,
    policy: Policy,
    deadline: Deadline,
    log: &'a mut Log<'l>,
    attempts: u32,
    cancel: Option<&'a Cancel>,
}

impl<'a, 'l> Session<'a, 'l> {
    /// Sends nothing yet.
    pub fn new(
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
            cancel: None,
        }
    }

    /// The same for requests that may be cancelled.
    #[must_use]
    pub fn until(mut self, cancel: &'a Cancel) -> Self {
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
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The time that all requests have taken together, pauses included.
    pub fn elapsed(&self) -> Duration {
        self.deadline.elapsed()
    }

    /// The log that the session writes to.
    pub fn log(&mut self) -> &mut Log<'l> {
        self.log
    }

    /// Sends `request` until there is a response that another attempt would not change, and says
    /// which error it is, if it is one. `judge` tells what a response comes to.
    pub fn send(
        &mut self,
        request: &Request,
        judge: &dyn Fn(&Response) -> Verdict,
    ) -> Result<(Response, Option<Error>), Error> {
        self.send_anew(&|| request.clone(), judge)
    }

    /// The same for a request that is made anew for each attempt, because its signature is good for
    /// some minutes only.
    pub(crate) fn send_anew(
        &mut self,
        request: &dyn Fn() -> Request,
        judge: &dyn Fn(&Response) -> Verdict,
    ) -> Result<(Response, Option<Error>), Error> {
        self.attempts = 0;
        loop {
            let request = &request();
            if self.attempts == 0 {
                self.log
                    .detail(&format!("{} {}", request.method, request.url));
            }
            if self.cancel.is_some_and(Cancel::is_due) {
                return Err(Error::Cancelled);
            }
            self.attempts += 1;
            let begun = self.deadline.elapsed();
            let (error, retry_hint) = match self.attempt(request, begun) {
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

    fn attempt(&self, request: &Request, begun: Duration) -> Result<Response, (Error, RetryHint)> {
        match self.client.attempt(request, self.policy.attempt(begun)) {
            Ok(mut response) => {
                response.secrets = self.log.redactor().clone();
                Ok(response)
            }
            Err(failure) => Err((
                Error::Unreachable {
                    server: url::authority(&request.url),
                    message: failure.message,
                    gave_up: None,
                    hint: failure.hint,
                },
                failure.retry_hint,
            )),
        }
    }

    /// How long to wait after the attempt that was `begun` then.
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

/// Cancels a report that has not been sent yet, because a later one is about to be.
#[derive(Debug, Default)]
pub struct Cancel {
    due: Mutex<bool>,
    changed: Condvar,
}

impl Cancel {
    /// Cancels it.
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
