//! What Windows has in place of signals: the console's events, and an object that ends what the command
//! has started when we are ended.

#![expect(unsafe_code, reason = "windows-sys has declarations only")]

use std::ffi::c_void;
use std::mem::size_of_val;
use std::ptr;
use std::sync::{Arc, OnceLock};
use std::thread;

use windows_sys::Win32::Foundation::{FALSE, HANDLE, TRUE};
use windows_sys::Win32::System::Console::{
    CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_CLOSE_EVENT, CTRL_SHUTDOWN_EVENT, SetConsoleCtrlHandler,
};
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT, JOB_OBJECT_LIMIT_BREAKAWAY_OK,
    JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, JOBOBJECT_EXTENDED_LIMIT_INFORMATION,
    JobObjectExtendedLimitInformation, SetInformationJobObject,
};
use windows_sys::Win32::System::Threading::GetCurrentProcess;
use windows_sys::core::BOOL;

use super::progress::Progress;

/// Who hears of the console's events.
static PROGRESS: OnceLock<Arc<Progress>> = OnceLock::new();

/// Tells `progress` of what asks to stop. The console tells the command itself.
/// <https://learn.microsoft.com/en-us/windows/console/handlerroutine>
pub(super) fn catch(progress: &Arc<Progress>) {
    PROGRESS.get_or_init(|| Arc::clone(progress));
    // SAFETY: `on_event` lives as long as the process. Without a console there is nothing to hear.
    unsafe { SetConsoleCtrlHandler(Some(on_event), TRUE) };
}

/// Windows calls it in a thread of its own.
unsafe extern "system" fn on_event(event: u32) -> BOOL {
    // A service gets CTRL_LOGOFF_EVENT whenever some user logs off.
    let may_go_on = [CTRL_C_EVENT, CTRL_BREAK_EVENT].contains(&event);
    let ends_us = [CTRL_CLOSE_EVENT, CTRL_SHUTDOWN_EVENT].contains(&event);
    let Some(progress) = PROGRESS.get().filter(|_| may_go_on || ends_us) else {
        return FALSE;
    };
    progress.stop();
    while ends_us {
        // The process ends when this returns, and after five seconds in any case.
        thread::park();
    }
    TRUE
}

/// Everything that the command starts, and we.
/// <https://learn.microsoft.com/en-us/windows/win32/procthread/job-objects>
pub(super) struct Job(HANDLE);

impl Job {
    /// Ends all of it when this process is ended, by which its last handle is closed. `None` where the
    /// system does not allow that.
    pub(super) fn around_us() -> Option<Self> {
        // SAFETY: without attributes and without a name. No child inherits the handle.
        let job = Self(unsafe { CreateJobObjectW(ptr::null(), ptr::null()) });
        // A program may ask for a child outside, as it may without us.
        let limits = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_BREAKAWAY_OK;
        let is_set = !job.0.is_null() && job.limit(limits);
        // SAFETY: both handles are open. We are in it before the command begins, so that nothing the
        // command starts is outside.
        (is_set && unsafe { AssignProcessToJobObject(job.0, GetCurrentProcess()) } != FALSE)
            .then_some(job)
    }

    /// What the command leaves behind, such as a build's daemon, stays.
    pub(super) fn let_go(&self) {
        self.limit(JOB_OBJECT_LIMIT_BREAKAWAY_OK);
    }

    fn limit(&self, limits: JOB_OBJECT_LIMIT) -> bool {
        let mut information = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        information.BasicLimitInformation.LimitFlags = limits;
        let size = u32::try_from(size_of_val(&information)).unwrap_or_default();
        let pointer: *const c_void = ptr::from_ref(&information).cast();
        // SAFETY: `pointer` leads to the structure that this class of information has, and `size` is
        // its size.
        let is_set = unsafe {
            SetInformationJobObject(self.0, JobObjectExtendedLimitInformation, pointer, size)
        };
        is_set != FALSE
    }
}
