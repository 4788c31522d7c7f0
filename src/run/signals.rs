//! Signals that ask us to stop, passed on to the command.

use std::fs;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::low_level::siginfo::{Cause, Origin};

/// The signals that have come, and where they go.
pub(super) struct Signals(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// The command, while it may be sent something: once it is reaped, its number may be another's.
    child: Option<Pid>,
    /// What came before it had started.
    waiting: Vec<i32>,
    /// The first that came.
    first: Option<i32>,
}

impl Signals {
    /// Catches them from now on.
    pub(super) fn catch() -> io::Result<Self> {
        let ignored = ignored();
        // What is ignored stays so, and the command inherits that: nohup means it.
        let caught = [SIGTERM, SIGINT, SIGHUP].into_iter();
        let caught = caught.filter(|signal| ignored & (1 << (signal - 1)) == 0);
        let mut signals = SignalsInfo::<WithOrigin>::new(caught)?;
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for origin in signals.forever() {
                lock(&shared).receive(&origin);
            }
        });
        Ok(Self(state))
    }

    /// Passes on what has come, and what comes.
    pub(super) fn pass_on_to(&self, child: u32) {
        let mut state = lock(&self.0);
        state.child = i32::try_from(child).ok().and_then(Pid::from_raw);
        for signal in std::mem::take(&mut state.waiting) {
            state.send(signal);
        }
    }

    /// Waits until the command has ended, and leaves it to be reaped. Nothing is sent to it after
    /// that.
    pub(super) fn wait_for(&self, child: u32) {
        let Some(pid) = i32::try_from(child).ok().and_then(Pid::from_raw) else {
            return;
        };
        let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(pid), ended), Err(Errno::INTR)) {}
        lock(&self.0).child = None;
    }

    /// The first that came.
    pub(super) fn first(&self) -> Option<i32> {
        lock(&self.0).first
    }
}

impl State {
    fn receive(&mut self, origin: &Origin) {
        self.first.get_or_insert(origin.signal);
        // The terminal sends to every process that it shows, the command among them.
        let nobody = origin
            .process
            .as_ref()
            .is_none_or(|process| process.pid == 0);
        if origin.cause == Cause::Kernel || nobody {
            return;
        }
        if self.child.is_some() {
            self.send(origin.signal);
        } else {
            self.waiting.push(origin.signal);
        }
    }

    fn send(&self, signal: i32) {
        if let (Some(child), Some(signal)) = (self.child, Signal::from_named_raw(signal)) {
            // It may just have ended: then it does not matter.
            let _ = kill_process(child, signal);
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The signals that we were started to ignore, as bits. Only Linux tells without unsafe code.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}
