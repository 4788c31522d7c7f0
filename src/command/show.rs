//! `build_status show`: lists the build statuses of a commit.

use crate::bitbucket::delivery::Delivery;
use crate::bitbucket::statuses::{self, Status};
use crate::cli::{Options, Output};
use crate::command::plan::Plan;
use crate::deadline::Deadline;
use crate::env::Env;
use crate::error::Error;
use crate::http::retry::Policy;
use crate::http::session::Session;
use crate::output::log::Log;
use crate::output::{self, Exit};
use crate::secret::Redactor;
use crate::status::state::State;

/// Prints the statuses of all pages.
pub(super) fn run(options: &Options, env: &Env, mut log: Log<'_>) -> Exit {
    match statuses(options, env, &mut log) {
        Ok(statuses) => {
            if statuses.is_empty() {
                log.warn("the commit has no build statuses");
            }
            Exit::printed(match options.print.output {
                Output::Text => text(&statuses, log.redactor()),
                Output::Json => output::printable_json(&statuses, log.redactor()),
            })
        }
        Err(error) => {
            log.error(&error, false);
            Exit::failed(&error)
        }
    }
}

fn statuses(options: &Options, env: &Env, log: &mut Log<'_>) -> Result<Vec<Status>, Error> {
    let deadline = Deadline::after(options.network.timeout);
    let plan = Plan::new(options, env, deadline, log)?;
    let destination = plan.destination.clone()?;
    let commit = plan.claim().commit()?;
    let credentials = plan.credentials.clone()?;
    let client = plan.client(&destination)?;
    // The policy of a final state: retry until the timeout.
    let policy = Policy::new(State::Successful, deadline.total());
    let session = Session::new(&client, policy, deadline, log);
    statuses::all(
        &mut Delivery::new(session, &destination, Some(credentials)),
        &commit,
    )
}

/// The statuses as text: a line for each.
pub fn text(statuses: &[Status], redactor: &Redactor) -> String {
    let width = |field: fn(&Status) -> &str| {
        let lengths = statuses.iter().map(|status| field(status).chars().count());
        lengths.max().unwrap_or(0)
    };
    let (state, key) = (width(|it| &it.state), width(|it| &it.key));
    let line = |status: &Status| {
        let text = |field: &Option<String>| field.clone().unwrap_or_else(|| "-".into());
        let parent = status.parent.as_ref().filter(|it| **it != status.key);
        let line = format!(
            "{:<state$}  {:<key$}  {}  {}  {}  {}{}",
            status.state,
            status.key,
            text(&status.updated),
            text(&status.name),
            text(&status.url),
            text(&status.description),
            parent.map_or_else(String::new, |it| format!("  (parent: {it})")),
        );
        output::line(&line, redactor) + "\n"
    };
    statuses.iter().map(line).collect()
}
