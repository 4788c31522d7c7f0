//! Signals that would end us, passed on to the command.

use std::fs;
use std::io;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{
    SIGABRT, SIGALRM, SIGCHLD, SIGINT, SIGPROF, SIGQUIT, SIGSYS, SIGUSR1, SIGUSR2, SIGVTALRM,
    SIGXCPU, SIGXFSZ,
};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::low_level::siginfo::{Cause, Origin};

use super::ending::STOPPING;
use super::progress::Progress;
use crate::background;

/// Others that end a process which does not expect them.
const ENDING: [i32; 9] = [
    SIGABRT, SIGALRM, SIGPROF, SIGSYS, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU, SIGXFSZ,
];

/// The same where only Linux has them: SIGSTKFLT, SIGIO, SIGPWR and the real-time signals that the C
/// library leaves to programs, of which musl keeps one more.
/// <https://man7.org/linux/man-pages/man7/signal.7.html>
fn ending_on_linux() -> impl Iterator<Item = i32> {
    let linux = cfg!(target_os = "linux");
    let first = if cfg!(target_env = "musl") { 35 } else { 34 };
    [16, 29, 30]
        .into_iter()
        .chain(first..=64)
        .filter(move |_| linux)
}

/// Where signals go.
pub(super) struct Signals(Arc<Mutex<Receiver>>);

#[derive(Default)]
struct Receiver {
    /// The command, while it may be sent something: once it is reaped, its number may be another's.
    child: Option<Pid>,
    /// What came before it had started.
    waiting: Vec<i32>,
}

impl Signals {
    /// Catches them from now on, and tells `progress` of those that ask to stop.
    pub(super) fn catch(progress: &Arc<Progress>) -> io::Result<Self> {
        let receiver = Arc::default();
        let (shared, progress) = (Arc::clone(&receiver), Arc::clone(progress));
        let (caught, is_caught) = mpsc::channel();
        // The thread comes first: what is caught without one would be lost.
        background::start(move || {
            let Ok(mut signals) = SignalsInfo::<WithOrigin>::new(all()) else {
                return;
            };
            // Nobody listens any more if the command could not be started.
            let _ = caught.send(());
            for origin in signals.forever() {
                lock(&shared).receive(&origin);
                if STOPPING.contains(&origin.signal) {
                    progress.stop();
                }
            }
        })?;
        is_caught.recv().map_err(io::Error::other)?;
        Ok(Self(receiver))
    }

    /// Passes on what has come, and what comes.
    pub(super) fn pass_on_to(&self, child: Option<Pid>) {
        let mut receiver = lock(&self.0);
        receiver.child = child;
        for signal in std::mem::take(&mut receiver.waiting) {
            receiver.send(signal);
        }
    }
}

impl Receiver {
    fn receive(&mut self, origin: &Origin) {
        if origin.signal == SIGCHLD || went_to_the_command(origin) {
            return;
        }
        if self.child.is_some() {
            self.send(origin.signal);
        } else {
            self.waiting.push(origin.signal);
        }
    }

    fn send(&self, signal: i32) {
        let Some(child) = self.child else { return };
        // It may just have ended: then it does not matter.
        if let Some(signal) = Signal::from_named_raw(signal) {
            let _ = kill_process(child, signal);
        } else {
            // rustix does not send real-time signals.
            let kill = format!("kill -{signal} {}", child.as_raw_nonzero());
            let mut sh = Command::new("/bin/sh");
            let _ = sh
                .args(["-c", &kill])
                .env_clear()
                .stderr(Stdio::null())
                .status();
        }
    }
}

/// Whether the command has got the signal too: the terminal sends Ctrl-C to every process that it
/// shows. Where it closes, only the first of them hears it.
fn went_to_the_command(origin: &Origin) -> bool {
    let from_terminal = if cfg!(target_os = "linux") {
        // Without a sender, it may come from outside of our PID namespace, as `docker stop` does.
        origin.cause == Cause::Kernel
    } else {
        let nobody = |process: &signal_hook::low_level::siginfo::Process| process.pid == 0;
        origin.cause == Cause::Kernel || origin.process.as_ref().is_none_or(nobody)
    };
    from_terminal && [SIGINT, SIGQUIT].contains(&origin.signal)
}

/// The signals to catch. What is ignored stays so, and the command inherits that: nohup means it.
/// SIGCHLD is not passed on: were it ignored, nobody could tell how the command has ended.
fn all() -> impl Iterator<Item = i32> {
    let ignored = ignored();
    let others = STOPPING.into_iter().chain(ENDING).chain(ending_on_linux());
    let others = others.filter(move |signal| ignored & bit(*signal) == 0);
    others.chain([SIGCHLD])
}

/// Whether we were started to ignore `signal`.
pub(super) fn is_ignored(signal: i32) -> bool {
    ignored() & bit(signal) != 0
}

const fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

/// The signals that we were started to ignore, as bits. Only Linux tells without unsafe code.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

fn lock(receiver: &Mutex<Receiver>) -> MutexGuard<'_, Receiver> {
    receiver.lock().unwrap_or_else(PoisonError::into_inner)
}
