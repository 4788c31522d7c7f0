//! The command that is wrapped: started, waited for, and sent the signals that we get.

use std::ffi::OsString;
use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;

use super::ending::ExitReason;
use super::progress::Progress;
#[cfg(windows)]
use super::{console, program};
#[cfg(unix)]
use super::{parent, script, signals, wait};

/// A command that runs, or could not be started.
pub(super) struct Running {
    child: io::Result<Child>,
    #[cfg(unix)]
    signals: Option<signals::Signals>,
    #[cfg(unix)]
    parent: Option<parent::Parent>,
    #[cfg(windows)]
    job: Option<console::Job>,
}

impl Running {
    /// Starts `words`, with our streams, environment and directory. Calls `prepare` first, when no
    /// signal is lost any more.
    pub(super) fn start(
        words: &[OsString],
        progress: &Arc<Progress>,
        prepare: impl FnOnce(),
    ) -> Self {
        // Before it starts, so that no signal is lost between the two.
        #[cfg(unix)]
        let signals = signals::Signals::catch(progress).ok();
        #[cfg(windows)]
        let job = console::Job::around_us();
        #[cfg(windows)]
        console::catch(progress);
        prepare();
        let child = match command(words) {
            Some(mut command) => spawn(&mut command, words),
            None => Err(io::ErrorKind::NotFound.into()),
        };
        #[cfg(unix)]
        if let (Some(signals), Ok(child)) = (&signals, &child) {
            signals.pass_on_to(wait::pid(child));
        }
        Self {
            #[cfg(unix)]
            parent: child
                .as_ref()
                .ok()
                .and_then(|_| parent::Parent::watch(progress)),
            child,
            #[cfg(unix)]
            signals,
            #[cfg(windows)]
            job,
        }
    }

    /// Why this machine starts no process, if it is not the command's fault: it has too many of them,
    /// or forbids it.
    #[cfg(unix)]
    pub(super) fn refused(&self) -> Option<&io::Error> {
        use io::ErrorKind::{
            ArgumentListTooLong, ExecutableFileBusy, InvalidFilename, IsADirectory, NotADirectory,
            NotFound, PermissionDenied,
        };
        let is_of_command = |error: &io::Error| match error.kind() {
            ArgumentListTooLong | ExecutableFileBusy | InvalidFilename | IsADirectory
            | NotADirectory | NotFound => true,
            // Where it permits no thread either, it is not about the command: some containers
            // refuse clone3. https://github.com/moby/moby/pull/42681
            PermissionDenied => self.signals.is_some(),
            _ => is_not_a_program(error) || is_endless(error),
        };
        let error = self.child.as_ref().err();
        error.filter(|error| !is_of_command(error))
    }

    /// Windows puts no process in our place, so that the reason is the command's end.
    #[cfg(not(unix))]
    pub(super) const fn refused(&self) -> Option<&io::Error> {
        None
    }

    /// Waits until it has ended.
    pub(super) fn wait(self) -> ExitReason {
        match self.child {
            Ok(child) => {
                #[cfg(unix)]
                let status = wait::wait(child, self.signals.as_ref());
                #[cfg(unix)]
                self.parent.as_ref().map(parent::Parent::is_gone);
                #[cfg(not(unix))]
                let status = { child }.wait();
                #[cfg(windows)]
                self.job.iter().for_each(console::Job::let_go);
                status.map_or(ExitReason::Code(1), exit)
            }
            Err(error) => not_started(&error),
        }
    }
}

fn not_started(error: &io::Error) -> ExitReason {
    match error.kind() {
        io::ErrorKind::NotFound => ExitReason::NotFound,
        // https://doc.rust-lang.org/std/process/index.html#windows-argument-splitting
        #[cfg(windows)]
        _ => match error.raw_os_error() {
            Some(code) => ExitReason::Refused(code),
            None => ExitReason::UnsafeArguments,
        },
        #[cfg(not(windows))]
        _ if is_not_a_program(error) => ExitReason::NotAProgram,
        #[cfg(not(windows))]
        kind => ExitReason::NotExecutable(kind),
    }
}

fn command(words: &[OsString]) -> Option<Command> {
    let (program, arguments) = words.split_first()?;
    #[cfg(windows)]
    let program = &program::path(program).map_or_else(|| program.clone(), Into::into);
    let mut command = Command::new(program);
    command.args(arguments);
    Some(command)
}

#[cfg(unix)]
fn spawn(command: &mut Command, words: &[OsString]) -> io::Result<Child> {
    match command.spawn() {
        Err(error) if is_not_a_program(&error) => match by_shell(words) {
            Some(mut command) => command.spawn(),
            None => Err(error),
        },
        child => child,
    }
}

#[cfg(not(unix))]
fn spawn(command: &mut Command, _: &[OsString]) -> io::Result<Child> {
    command.spawn()
}

/// A script without `#!`: shells run it with sh.
#[cfg(unix)]
fn by_shell(words: &[OsString]) -> Option<Command> {
    let script = script::path(&words[0])?;
    let mut command = Command::new("/bin/sh");
    command.arg(script).args(&words[1..]);
    Some(command)
}

/// Puts the command in our place, where a process of its own cannot be started. It returns only if
/// that fails too.
pub(super) fn replace_us(words: &[OsString]) -> ExitReason {
    #[cfg(unix)]
    if let Some(mut command) = command(words) {
        use std::os::unix::process::CommandExt as _;
        let mut error = command.exec();
        if is_not_a_program(&error)
            && let Some(mut command) = by_shell(words)
        {
            error = command.exec();
        }
        return not_started(&error);
    }
    let _ = words;
    ExitReason::NotFound
}

#[cfg(unix)]
fn is_not_a_program(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error())
}

/// Whether its links, or the interpreters after its `#!`, go round.
#[cfg(unix)]
fn is_endless(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

fn exit(status: ExitStatus) -> ExitReason {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return ExitReason::Signal(signal);
    }
    ExitReason::Code(status.code().unwrap_or(1))
}
