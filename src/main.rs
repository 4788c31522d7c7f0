//! The binary: reads, runs, prints, exits.

use std::io::{self, Write as _};
use std::panic::{self, PanicHookInfo};
use std::process;
#[cfg(unix)]
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
#[cfg(unix)]
use std::time::Instant;

use build_status::bitbucket::auth;
use build_status::cli::{self, Args, EarlyExit};
use build_status::command;
use build_status::command::summary::Summary;
use build_status::env::Env;
use build_status::error::Error;
use build_status::output::{self, Exit};

fn main() {
    panic::set_hook(Box::new(report_bug));
    let words: Vec<_> = std::env::args_os().collect();
    let env = Env::from_process();
    let json = cli::asks_for_json(&words, env.get("BUILD_STATUS_OUTPUT"));
    let is_function = cli::is_function(&words);
    let exit = match Args::read(words) {
        Ok(args) => command::run(&args, &env, say),
        Err(EarlyExit::Print(stdout)) => Exit::printed(stdout),
        Err(EarlyExit::Fail(error)) => {
            if is_function {
                command::fail_function(&error, &env);
            }
            fail(error, &env, json)
        }
    };
    print_on_stderr(&exit.stderr);
    let mut stdout = io::stdout().lock();
    // A line or two; of more, the reader takes its time, as a pager does.
    let is_short = (1..=PIPE).contains(&exit.stdout.len());
    let printed = if is_short && !takes_text(&stdout) {
        Err(io::ErrorKind::TimedOut.into())
    } else {
        let written = stdout.write_all(exit.stdout.as_bytes());
        written.and_then(|()| stdout.flush())
    };
    let code = match printed {
        Err(error) if exit.code == 0 => {
            let message = error.to_string();
            fail(Error::Output { message }, &env, false).code
        }
        _ => exit.code,
    };
    // ExitCode has 8 bits on every system.
    process::exit(code);
}

fn fail(error: Error, env: &Env, json: bool) -> Exit {
    let redactor = auth::redactor(env);
    for line in output::error_lines(&error, &redactor) {
        say(&line);
    }
    let exit = Exit::failed(&error);
    let stdout = if json {
        Summary::failed(error).json(&redactor)
    } else {
        String::new()
    };
    Exit { stdout, ..exit }
}

/// Reports a panic, which is a bug: one line, no backtrace, exit code 1.
#[expect(clippy::exit, reason = "after a panic there is nowhere to return to")]
fn report_bug(panic: &PanicHookInfo<'_>) {
    let location = panic
        .location()
        .map(ToString::to_string)
        .unwrap_or_default();
    say(&format!(
        "this is a bug, please report it: panic at {location}"
    ));
    if command::run::give_up_reporting() {
        loop {
            thread::park();
        }
    }
    process::exit(1);
}

/// A pipe that is ready takes this much at once. <https://man7.org/linux/man-pages/man7/pipe.7.html>
const PIPE: usize = 4096;

/// Prints a line on stderr.
fn say(line: &str) {
    print_on_stderr(&format!("build_status: {line}\n"));
}

/// Prints on stderr. If it is closed, there is nowhere to report that. What nobody reads is lost: no
/// report waits for a terminal that was stopped, or for a reader that hangs.
fn print_on_stderr(text: &str) {
    let mut stderr = io::stderr().lock();
    // A short line is one write, because the command of `run` may be writing, too.
    for part in text.as_bytes().chunks(PIPE) {
        if !takes_text(&stderr) || stderr.write_all(part).is_err() {
            return;
        }
    }
}

/// Whether the stream takes text, or will soon. All waiting together ends after a second, also for a reader
/// that is slow.
#[cfg(unix)]
fn takes_text(stream: &impl std::os::fd::AsFd) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    static WAITED: AtomicU32 = AtomicU32::new(0); // in milliseconds
    let left = 1000_u32.saturating_sub(WAITED.load(Ordering::Relaxed));
    let most = Timespec {
        tv_sec: i64::from(left / 1000),
        tv_nsec: i64::from(left % 1000) * 1_000_000,
    };
    let mut streams = [PollFd::new(stream, PollFlags::OUT)];
    let begun = Instant::now();
    let is_stuck = poll(&mut streams, Some(&most)) == Ok(0);
    let waited = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
    WAITED.fetch_add(waited.min(left), Ordering::Relaxed);
    !is_stuck
}

#[cfg(not(unix))]
const fn takes_text<T>(_: &T) -> bool {
    true
}
