//! How far a run has come, as all of its threads see it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::ending::{End, Ended, ExitReason};
use crate::command::summary::Summary;
use crate::deadline::Deadline;
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

#[derive(Default)]
struct State {
    /// How many signals have asked to stop.
    stops: u32,
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

    /// A signal asks to stop.
    pub(super) fn stop(&self) {
        self.lock().stops += 1;
        self.end(End::Stopped);
    }

    /// The command has ended with `exit`. A signal that went to the whole process group may have
    /// ended it before it has got to us: it is waited for.
    pub(super) fn exit(&self, exit: ExitReason, patience: Duration) {
        let no_stop = |state: &mut State| state.stops == 0;
        drop(
            self.changed
                .wait_timeout_while(self.lock(), patience, no_stop),
        );
        self.end(End::Exit(exit));
    }

    /// The first end is the one that counts.
    fn end(&self, end: End) {
        let elapsed = self.started.elapsed();
        self.lock().ended.get_or_insert(Ended { end, elapsed });
        self.changed.notify_all();
        self.cancel.now();
    }

    /// The deadline for reporting the end, of which nothing may have been left for an INPROGRESS that
    /// is slow.
    pub(super) fn deadline(&self, ended: Ended, total: Duration) -> Deadline {
        Deadline::since(self.started + ended.elapsed, total)
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
    pub(super) fn wait_for_report(&self) -> Option<Summary> {
        let mut state = self.wait(|state| !state.is_reported && state.stops < 2);
        state.summary.take()
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
