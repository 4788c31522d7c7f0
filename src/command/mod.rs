//! The commands, each in a file or folder.

mod check;
pub mod context;
mod event;
mod plan;
pub mod run;
mod send;
pub mod show;
pub mod summary;
mod sync;

use crate::bitbucket::auth;
use crate::cli::{Args, Command};
use crate::env::Env;
use crate::error::Error;
use crate::output::Exit;
use crate::output::log::Log;

/// Runs the command in `args`. Lines for stderr are passed to `stderr` at once.
pub fn run(args: &Args, env: &Env, mut stderr: fn(&str)) -> Exit {
    let options = &args.options;
    let direct = stderr;
    let log = Log::new(auth::redactor(env), options.print.level(), &mut stderr);
    match &args.command {
        Command::Send { state } => send::run(state.as_deref(), options, env, log),
        Command::Run {
            command,
            strict,
            ignored,
        } => run::Run {
            command,
            strict: *strict,
            options,
            env,
            stderr: direct,
        }
        .run(ignored, log),
        Command::Check => check::run(options, env, log),
        Command::Show => show::run(options, env, log),
        Command::Context => context::run(options, env, log),
        Command::Event { file } => event::run(file.as_deref(), options, env, log),
        Command::Function => {
            let redactor = log.redactor().clone();
            event::function::run(options, env, &redactor, &mut { direct })
        }
        Command::Sync(args) => sync::run(args, options, env, log),
    }
}

/// Says to Lambda that the function cannot start, because of a setting.
pub fn fail_function(error: &Error, env: &Env) {
    event::function::fail_to_start(error, env, &auth::redactor(env));
}
