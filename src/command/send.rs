//! `build_status [STATE]`: sends one report.

use crate::bitbucket::credentials::Credentials;
use crate::bitbucket::delivery::{Delivery, Outcome};
use crate::bitbucket::destination::Destination;
use crate::bitbucket::guard;
use crate::cli::{Options, Output};
use crate::command::plan::Plan;
use crate::command::summary::Summary;
use crate::deadline::Deadline;
use crate::env::Env;
use crate::error::Error;
use crate::http::client::Client;
use crate::http::request::Request;
use crate::http::retry::Policy;
use crate::http::session::Session;
use crate::junit;
use crate::output::Exit;
use crate::output::log::Log;
use crate::report::Report;
use crate::status::product::Product;
use crate::status::state::State;

/// Sends the report and prints the result.
pub(super) fn run(state: Option<&str>, options: &Options, env: &Env, mut log: Log<'_>) -> Exit {
    let summary = report(state, options, env, &mut log);
    exit(&summary, options, log)
}

/// Says how it went.
pub(super) fn exit(summary: &Summary, options: &Options, mut log: Log<'_>) -> Exit {
    let mut code = 0;
    if let Some(error) = &summary.error {
        let forgiven = options.no_fail && error.is_forgivable();
        code = if forgiven { 0 } else { error.exit_code() };
        log.error(error, forgiven);
    }
    Exit {
        code,
        ..Exit::printed(match options.print.output {
            Output::Json => summary.json(log.redactor()),
            Output::Text if options.print.quiet && !options.dry_run => String::new(),
            Output::Text => summary.text(log.redactor()),
        })
    }
}

/// The steps from options and environment to Bitbucket's answer.
fn report(state: Option<&str>, options: &Options, env: &Env, log: &mut Log<'_>) -> Summary {
    let deadline = Deadline::after(options.network.timeout);
    let plan = match Plan::new(options, env, deadline, log) {
        Ok(plan) => plan,
        Err(error) => return Summary::failed(error),
    };
    // First, since an error in the report matters more than one in the destination.
    let mut report = match plan.report(state, log) {
        Ok(report) => report,
        Err(error) => return Summary::of(&plan).with_error(error),
    };
    if plan.destination.is_ok() {
        count_tests(&mut report, options, plan.product(), deadline, log);
    }
    finish(&plan, report, deadline, &mut Warm::default(), log)
}

/// Sends `report`, or only says what would be sent.
pub(super) fn finish(
    plan: &Plan<'_>,
    report: Report,
    deadline: Deadline,
    warm: &mut Warm,
    log: &mut Log<'_>,
) -> Summary {
    let mut summary = Summary::of(plan);
    let sent = if plan.options.dry_run {
        dry_run(plan, &report, log).map(|request| summary.dry_run = Some(request))
    } else {
        deliver(plan, &report, deadline, warm, log).map(|outcome| summary.end(outcome, &report))
    };
    summary.report = Some(report);
    match sent {
        Ok(()) => summary,
        Err(error) => summary.with_error(error),
    }
}

fn count_tests(
    report: &mut Report,
    options: &Options,
    product: Product,
    deadline: Deadline,
    log: &mut Log<'_>,
) {
    let counted = junit::count(&options.tests.junit, None, deadline, || false);
    counted
        .warnings
        .iter()
        .for_each(|warning| log.warn(warning));
    if let Some(results) = counted.results {
        report.describe(options, &results.to_string(), product);
        report.test_results = Some(results);
    }
}

/// The request that would have been sent.
fn dry_run(plan: &Plan<'_>, report: &Report, log: &mut Log<'_>) -> Result<Request, Error> {
    let request = plan.destination.clone()?.request(report);
    if report.state == State::Stopped && plan.product() == Product::DataCenter {
        log.warn("a server before 8.0 has no state CANCELLED and would get FAILED");
    }
    match &plan.credentials {
        Ok(credentials) => Ok(credentials.sign_dry_run(request)),
        Err(error @ Error::NoCredentials { .. }) => {
            log.warn(&error.to_string());
            Ok(request)
        }
        Err(error) => Err(error.clone()),
    }
}

fn deliver(
    plan: &Plan<'_>,
    report: &Report,
    deadline: Deadline,
    warm: &mut Warm,
    log: &mut Log<'_>,
) -> Result<Outcome, Error> {
    let destination = plan.destination.clone()?;
    let credentials = plan.credentials.clone()?;
    let client = warm.client(plan, &destination)?;
    let policy = Policy::new(report.state, deadline.total());
    let session = Session::new(&client, policy, deadline, log);
    let mut delivery = Delivery::new(session, &destination, Some(credentials));
    delivery = delivery.with_issued(warm.issued.take());
    let outcome = if guard::is_on(plan.options.guard, report.state) && plan.may_adopt_refname() {
        guard::deliver_on_any_ref(&mut delivery, report)
    } else if guard::is_on(plan.options.guard, report.state) {
        guard::deliver(&mut delivery, report, plan.is_of_event)
    } else {
        delivery.deliver(report)
    };
    warm.issued = delivery.into_issued();
    warm.client = Some((destination.url().to_owned(), client));
    Ok(outcome)
}

/// What one delivery leaves to the next: the connection, and the token that the credentials were
/// exchanged for.
#[derive(Debug, Default)]
pub(super) struct Warm {
    client: Option<(String, Client)>,
    issued: Option<Credentials>,
}

impl Warm {
    fn client(&mut self, plan: &Plan<'_>, destination: &Destination) -> Result<Client, Error> {
        match self.client.take() {
            Some((url, client)) if url == destination.url() => Ok(client),
            _ => plan.client(destination),
        }
    }
}
