//! What a user asks for: one file or folder per command.

mod check;
pub mod context;
mod event;
mod plan;
mod run;
mod send;
pub mod show;
pub mod summary;
mod sync;

use crate::bitbucket::auth;
use crate::cli::{Args, Command};
use crate::env::Env;
use crate::output::Exit;
use crate::output::log::Log;

/// Does what `args` ask for. `stderr` gets each line that is for it, as soon as it is known.
pub fn run(args: &Args, env: &Env, stderr: &mut dyn FnMut(&str)) -> Exit {
    let options = &args.options;
    let log = Log::new(auth::redactor(env), options.print.level(), stderr);
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
        }
        .run(ignored, log),
        Command::Check => check::run(options, env, log),
        Command::Show => show::run(options, env, log),
        Command::Context => context::run(options, env, log),
        Command::Event { file } => event::run(file.as_deref(), options, env, log),
        Command::Function => {
            let redactor = log.redactor().clone();
            event::function::run(options, env, &redactor, stderr)
        }
        Command::Sync(args) => sync::run(args, options, env, log),
    }
}
