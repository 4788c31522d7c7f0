//! The process that started us. Some CIs end a step's shell alone, and what is left of the step later:
//! Azure Pipelines (<https://github.com/microsoft/azure-pipelines-agent/issues/5501>), and GitHub's runner
//! where the shell was not replaced by `exec`.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, getppid};
use signal_hook::consts::SIGHUP;

use super::progress::Progress;
use super::signals;
use crate::background;

/// How often it is looked for.
const INTERVAL: Duration = Duration::from_millis(250);

/// The process that started us, unless we are to outlive it.
#[derive(Clone)]
pub(super) struct Parent {
    pid: Option<Pid>,
    progress: Arc<Progress>,
}

impl Parent {
    /// Looks for it from now on, and tells `progress` when it is gone. `nohup` means to outlive it.
    pub(super) fn watch(progress: &Arc<Progress>) -> Option<Self> {
        if signals::is_ignored(SIGHUP) {
            return None;
        }
        let parent = Self {
            pid: getppid(),
            progress: Arc::clone(progress),
        };
        let watcher = parent.clone();
        let work = move || {
            while !watcher.is_gone() {
                thread::sleep(INTERVAL);
            }
        };
        // Without a thread, it is looked for in the end.
        let _ = background::start(work);
        Some(parent)
    }

    /// Whether it has ended. That is the end to report, if there is none yet.
    pub(super) fn is_gone(&self) -> bool {
        let is_gone = getppid() != self.pid;
        if is_gone {
            self.progress.abandon();
        }
        is_gone
    }
}
