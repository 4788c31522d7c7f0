//! What the working copy says, when nothing else does.
//!
//! Whoever wrote the code under test may have written the working copy's configuration too. Nothing
//! in it may run a program, open a connection or hold us up.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::background;
use crate::ci::context::Context;
use crate::deadline::Deadline;
use crate::env::Env;
use crate::status::commit::{self, DetectedCommit};
use crate::status::repository::Repository;

/// How long `git` may take.
const LONGEST: Duration = Duration::from_secs(2);

/// How long it takes until we look again whether it has ended.
const LOOK: Duration = Duration::from_millis(2);

/// Longer than any hash or URL.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// Settings that go before those of the working copy: no hook or monitor is run, and files that somebody has
/// committed are no repository, which a folder with `HEAD`, `objects` and `refs` is otherwise.
/// <https://git-scm.com/docs/git-config>
const SETTINGS: [&str; 5] = [
    "safe.bareRepository=explicit",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.sshCommand=false",
    "core.pager=cat",
];

/// The repository that the remote `origin` leads to, if there is a `git` program and a working copy.
pub(crate) fn remote(context: &Context, env: &Env, deadline: Deadline) -> Option<Repository> {
    let arguments = ["remote", "get-url", "origin"];
    Repository::from_url(&git(context, env, deadline, &arguments)?)
}

/// Puts the hash into `context` where the CI has only a word for it that git knows. In no CI, it is
/// the commit that is checked out; in a CI, that may be a merge commit that Bitbucket does not have.
pub(crate) fn complete(context: &mut Context, in_ci: bool, env: &Env, deadline: Deadline) {
    let revision = match &context.commit {
        DetectedCommit::Refused { revision, .. } => revision.as_deref(),
        DetectedCommit::Nothing if !in_ci => Some("HEAD"),
        DetectedCommit::Nothing | DetectedCommit::Hash(_) => None,
    };
    let Some(revision) = revision else { return };
    let revision = format!("{revision}^{{commit}}");
    let arguments = [
        "rev-parse",
        "--verify",
        "--quiet",
        "--end-of-options",
        &revision,
    ];
    let hash = git(context, env, deadline, &arguments);
    if let Some(hash) = hash.filter(|hash| commit::is_full_hash(hash)) {
        context.commit = DetectedCommit::Hash(hash);
    }
}

/// The variables that git may need to find itself, its caller's configuration and the working copy.
const INHERITED: [&str; 10] = [
    "PATH",
    "HOME",
    "XDG_CONFIG_HOME",
    "USERPROFILE",
    "SYSTEMROOT",
    "GIT_DIR",
    "GIT_CEILING_DIRECTORIES",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
];

/// The `git` program on PATH. Entries that are not absolute lead into the working copy.
fn program(env: &Env) -> Option<PathBuf> {
    let name = format!("git{}", std::env::consts::EXE_SUFFIX);
    let path = env.get("PATH").unwrap_or("/usr/bin:/bin");
    let directories = std::env::split_paths(path).filter(|directory| directory.is_absolute());
    let mut candidates = directories.map(|directory| directory.join(&name));
    candidates.find(|path| path.is_file())
}

/// What `git` prints, if it succeeds in time.
///
/// It refuses a working copy that belongs to another user ("dubious ownership"), whose configuration
/// that would be, unless the caller's own configuration has it as a `safe.directory`.
fn git(context: &Context, env: &Env, deadline: Deadline, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program(env)?);
    if let Some(directory) = &context.directory {
        command.args(["-C", directory]);
    }
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    // None of the job's other variables, which may be secrets.
    command.env_clear();
    for name in INHERITED {
        command.envs(env.get(name).map(|value| (name, value)));
    }
    command
        .args(arguments)
        // An object that is missing is not fetched (`extensions.partialClone`). Versions of git before
        // 2.45 do not know the first. The second names the transports that are allowed, which is none
        // of this name, whatever the working copy says for each: `protocol.ext.allow`.
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_ALLOW_PROTOCOL", "none")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let text = output(&mut command, deadline.part(LONGEST))?;
    Some(String::from_utf8(text).ok()?.trim().to_owned())
}

/// What `command` prints on stdout, if it succeeds in time. It is killed otherwise, with all that it
/// has started.
fn output(command: &mut Command, deadline: Deadline) -> Option<Vec<u8>> {
    let mut child = command.spawn().ok()?;
    let printed = child.stdout.take().and_then(in_background);
    let succeeded = wait(&mut child, deadline);
    kill(&mut child);
    let printed = printed?.recv_timeout(deadline.left().max(LOOK));
    printed.ok().filter(|_| succeeded)
}

/// Reads `pipe` to its end, which may never come.
fn in_background(pipe: ChildStdout) -> Option<mpsc::Receiver<Vec<u8>>> {
    let (send, receive) = mpsc::channel();
    let read = move || {
        let mut text = Vec::new();
        if pipe.take(LONGEST_ANSWER).read_to_end(&mut text).is_ok() {
            // Nobody listens any more if it took too long.
            let _ = send.send(text);
        }
    };
    background::start(read).ok().map(|()| receive)
}

/// Whether `child` ends well in time.
fn wait(child: &mut Child, deadline: Deadline) -> bool {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            // Whoever started us ignores SIGCHLD: how it ended is not known then.
            Err(_) => return true,
            Ok(None) if deadline.is_over() => return false,
            Ok(None) => thread::sleep(LOOK),
        }
    }
}

fn kill(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        // All that it has started, too.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    // One that waits for a file system which does not answer is left behind.
    wait(child, Deadline::after(Duration::from_millis(250)));
}
