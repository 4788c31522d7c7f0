//! The binary: reads, runs, prints, exits.

use std::io::{self, Write as _};
use std::panic::{self, PanicHookInfo};
use std::process::{self, ExitCode};

use build_status::cli::{Args, Stop};
use build_status::env::Env;
use build_status::error::Error;
use build_status::output::Told;
use build_status::{Ending, auth, output};

fn main() -> ExitCode {
    panic::set_hook(Box::new(report_bug));
    let env = Env::from_process();
    let ending = match Args::read(std::env::args_os(), &env) {
        Ok(args) => build_status::run(&args, &env, &mut say),
        Err(Stop::Print(stdout)) => Ending::printed(stdout),
        Err(Stop::Fail(error)) => fail(&error, &env, wants_json(&env)),
    };
    let _ = io::stderr().lock().write_all(ending.stderr.as_bytes());
    let mut stdout = io::stdout().lock();
    let printed = stdout
        .write_all(ending.stdout.as_bytes())
        .and_then(|()| stdout.flush());
    let ending = match printed {
        Err(error) if ending.code == 0 => fail(
            &Error::Output {
                message: error.to_string(),
            },
            &env,
            false,
        ),
        _ => ending,
    };
    ExitCode::from(ending.code)
}

/// Whether a command line that cannot be read asks for JSON all the same.
fn wants_json(env: &Env) -> bool {
    let words: Vec<_> = std::env::args_os().collect();
    let pair = words
        .windows(2)
        .any(|pair| pair[0] == "--output" && pair[1] == "json");
    pair || words.iter().any(|word| word == "--output=json")
        || env.get("BUILD_STATUS_OUTPUT") == Some("json")
}

fn fail(error: &Error, env: &Env, json: bool) -> Ending {
    let redactor = auth::redactor(env);
    for line in output::error_lines(error, &redactor) {
        say(&line);
    }
    let told = Told {
        error: Some(error.clone()),
        ..Told::default()
    };
    Ending {
        stdout: if json {
            told.json(&redactor)
        } else {
            String::new()
        },
        ..Ending::failed(error)
    }
}

/// A panic is a bug: one line about it, no backtrace, and the exit code of "anything else".
#[expect(clippy::exit, reason = "after a panic there is nowhere to return to")]
fn report_bug(panic: &PanicHookInfo<'_>) {
    let place = panic
        .location()
        .map(ToString::to_string)
        .unwrap_or_default();
    say(&format!(
        "this is a bug, please report it: panic at {place}"
    ));
    process::exit(1);
}

/// Prints one line on stderr. If that is closed, there is nobody to tell.
fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "build_status: {line}");
}
