//! Waiting for the command, and as PID 1 for what it leaves behind.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus};

use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, WaitOptions, wait as wait_for_any, waitid};

use super::signals::Signals;

/// The number of its process.
pub(super) fn pid(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

/// Waits for `child`. It is not reaped before nothing is sent to it any more.
pub(super) fn wait(mut child: Child, signals: Option<&Signals>) -> io::Result<ExitStatus> {
    let pid = pid(&child);
    let reaped = match pid {
        // Whatever nobody else waits for is ours to reap.
        Some(pid) if std::process::id() == 1 => wait_as_init(pid),
        Some(pid) => wait_until_ended(&WaitId::Pid(pid)),
        None => None,
    };
    if let Some(signals) = signals {
        signals.pass_on_to(None);
    }
    match reaped {
        Some(status) => Ok(status),
        None => child.wait(),
    }
}

/// Leaves it to be reaped.
fn wait_until_ended(which: &WaitId<'_>) -> Option<ExitStatus> {
    let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while matches!(waitid(which.clone(), ended), Err(Errno::INTR)) {}
    None
}

/// Waits for `child`, and reaps the orphans that end before it. Its own status, if that was among
/// them.
fn wait_as_init(child: Pid) -> Option<ExitStatus> {
    let now = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    loop {
        wait_until_ended(&WaitId::All);
        if !matches!(waitid(WaitId::Pid(child), now), Ok(None)) {
            return None;
        }
        match wait_for_any(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) if pid == child => {
                return Some(ExitStatus::from_raw(status.as_raw()));
            }
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}
