//! How far a run has come, as all of its threads see it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::ending::{End, Ended, ExitReason};
use crate::command::summary::Summary;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::http::session::Cancel;

/// Shared by the thread that waits for the command, the one that receives signals, and the one that
/// reports.
pub(super) struct Progress {
    started: Instant,
    state: Mutex<State>,
    changed: Condvar,
    /// Cancels an INPROGRESS that is not under way yet, once there is an end to report.
    pub(super) cancel: Cancel,
}

/// A second signal within this time is the first once more: `timeout` sends it to us and to our group,
/// and shells pass on what their group has got.
/// <https://git.savannah.gnu.org/cgit/coreutils.git/tree/src/timeout.c>
const ONE_REQUEST: Duration = Duration::from_millis(250);

#[derive(Default)]
struct State {
    /// When a signal first asked to stop.
    stopped: Option<Instant>,
    /// Whether a second one gives up what is being reported.
    is_given_up: bool,
    /// Whether all has been read that the command may change.
    is_planned: bool,
    /// Whether the command has started.
    is_started: bool,
    /// What there is to report: the first signal, or the command's own end.
    ended: Option<Ended>,
    /// Whether reporting is over.
    is_reported: bool,
    /// What came of it, unless it was given up.
    summary: Option<Summary>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            state: Mutex::default(),
            changed: Condvar::new(),
            cancel: Cancel::default(),
        }
    }

    /// All has been read that the command may change.
    pub(super) fn plan(&self) {
        self.lock().is_planned = true;
        self.changed.notify_all();
    }

    /// Waits until it has been, or reporting is over. `false` if that takes longer than `most`.
    pub(super) fn wait_for_plan(&self, most: Duration) -> bool {
        let is_early = |state: &mut State| !state.is_planned && !state.is_reported;
        let waited = self.changed.wait_timeout_while(self.lock(), most, is_early);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// The command has started.
    pub(super) fn start(&self) {
        self.lock().is_started = true;
        self.changed.notify_all();
    }

    /// Waits until it has. `false` if reporting is over instead.
    pub(super) fn wait_for_start(&self) -> bool {
        !self
            .wait(|state| !state.is_started && !state.is_reported)
            .is_reported
    }

    /// A signal asks to stop.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        let first = *state.stopped.get_or_insert_with(Instant::now);
        state.is_given_up |= first.elapsed() > ONE_REQUEST;
        drop(state);
        self.end(End::Stopped, self.started.elapsed());
    }

    /// Whoever started us is gone, and does not wait for the command.
    #[cfg(unix)]
    pub(super) fn abandon(&self) {
        self.end(End::Stopped, self.started.elapsed());
    }

    /// Whether a signal has asked to stop.
    pub(super) fn is_to_stop(&self) -> bool {
        self.lock().stopped.is_some()
    }

    /// The command has ended with `exit`. What ends a job may have got to the command before it gets to us:
    /// it is waited for.
    pub(super) fn exit(&self, exit: ExitReason, patience: Duration) {
        let elapsed = self.started.elapsed();
        // INPROGRESS is not worth a request now.
        self.cancel.now();
        let is_open = |state: &mut State| state.ended.is_none() && !state.is_reported;
        drop(
            self.changed
                .wait_timeout_while(self.lock(), patience, is_open),
        );
        self.end(End::Exit(exit), elapsed);
    }

    /// The first end is the one that counts.
    fn end(&self, end: End, elapsed: Duration) {
        self.lock().ended.get_or_insert(Ended { end, elapsed });
        self.changed.notify_all();
        self.cancel.now();
    }

    /// The deadline for reporting the end, of which nothing may have been left for an INPROGRESS that
    /// is slow.
    pub(super) fn deadline(&self, ended: Ended, total: Duration) -> Deadline {
        Deadline::since(self.started + ended.elapsed, total)
    }

    /// How long an INPROGRESS without an answer may still arrive: gateways wait for a minute.
    /// <https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout>
    pub(super) fn latest_arrival(&self) -> Deadline {
        Deadline::since(self.started, Duration::from_secs(70))
    }

    /// Waits until there is an end to report.
    pub(super) fn wait_for_end(&self) -> Ended {
        loop {
            if let Some(ended) = self.wait(|state| state.ended.is_none()).ended {
                return ended;
            }
        }
    }

    /// Reporting is over, with this result or given up.
    pub(super) fn report(&self, summary: Option<Summary>) {
        let mut state = self.lock();
        if !state.is_reported {
            state.is_reported = true;
            state.summary = summary;
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits for the result of reporting, until a second signal asks to stop.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`] if it does.
    pub(super) fn wait_for_report(&self) -> Result<Summary, Error> {
        let mut state = self.wait(|state| !state.is_reported && !state.is_given_up);
        if state.is_reported {
            Ok(state.summary.take().unwrap_or_default())
        } else {
            Err(Error::Cancelled)
        }
    }

    fn wait(&self, condition: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let waited = self
            .changed
            .wait_while(self.lock(), |state| condition(state));
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
