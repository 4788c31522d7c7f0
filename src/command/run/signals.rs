//! Signals that ask us to stop, passed on to the command.

use std::fs;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::low_level::siginfo::{Cause, Origin};

/// The signals that ask to stop.
pub(super) const STOPPING: [i32; 4] = [SIGTERM, SIGINT, SIGHUP, SIGQUIT];

/// The signals that have come, and where they go.
pub(super) struct Signals(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    arrived: Condvar,
}

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
        let caught = STOPPING.into_iter().chain([SIGUSR1, SIGUSR2]);
        let caught = caught.filter(|signal| ignored & (1 << (signal - 1)) == 0);
        let mut signals = SignalsInfo::<WithOrigin>::new(caught)?;
        let shared = Arc::new(Shared::default());
        let receiver = Arc::clone(&shared);
        thread::spawn(move || {
            for origin in signals.forever() {
                receiver.lock().receive(&origin);
                receiver.arrived.notify_all();
            }
        });
        Ok(Self(shared))
    }

    /// Passes on what has come, and what comes.
    pub(super) fn pass_on_to(&self, child: u32) {
        let mut state = self.0.lock();
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
        self.0.lock().child = None;
    }

    /// The first that came and asked to stop. One that went to the whole group may have ended the
    /// command before it has got to us: it is waited for this long.
    pub(super) fn first(&self, patience: Duration) -> Option<i32> {
        let shared = &self.0;
        let waited =
            (shared.arrived).wait_timeout_while(shared.lock(), patience, |it| it.first.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.first
    }
}

impl State {
    fn receive(&mut self, origin: &Origin) {
        if STOPPING.contains(&origin.signal) {
            self.first.get_or_insert(origin.signal);
        }
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

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The signals that we were started to ignore, as bits. Only Linux tells without unsafe code.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}
