//! Resolves arguments and environment into report, destination and credentials.

use crate::bitbucket::auth;
use crate::bitbucket::credentials::Credentials;
use crate::bitbucket::destination::Destination;
use crate::bitbucket::locate;
use crate::ci::context::{Context, Namesakes};
use crate::ci::event::Event;
use crate::ci::git;
use crate::ci::provider::{self, ProviderInfo};
use crate::cli::Options;
use crate::deadline::Deadline;
use crate::env::Env;
use crate::error::Error;
use crate::http::client::Client;
use crate::output::log::Log;
use crate::report::{Claim, Report, is_auto};
use crate::status::product::Product;
use crate::status::refname::Refname;
use crate::status::repository::Repository;
use crate::status::state::State;

/// Why an event leads to no repository, and where that is mended.
const UNNAMED: &str = "cannot determine the Bitbucket repository: the event does not name it, and \
                       BITBUCKET_REPOSITORY is set neither in the pipeline's action nor for this process";

/// Everything that is known before anything is sent. A part that cannot be resolved holds its error,
/// for commands that need the part.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) options: &'a Options,
    env: &'a Env,
    /// The CI, if one is recognised.
    pub(super) info: Option<&'static ProviderInfo>,
    /// What the CI says.
    pub(super) context: Context,
    /// The repository on Bitbucket.
    pub(super) destination: Result<Destination, Error>,
    /// The credentials, which fit the destination's product.
    pub(super) credentials: Result<Credentials, Error>,
    pub(super) is_of_event: bool,
}

impl<'a> Plan<'a> {
    /// Resolves the parts, and logs details, warnings and secrets.
    pub(super) fn new(
        options: &'a Options,
        env: &'a Env,
        deadline: Deadline,
        log: &mut Log<'_>,
    ) -> Result<Self, Error> {
        let (info, mut context) = provider::read(options.provider.as_deref(), env)?;
        if options.commit.is_none() {
            git::complete(&mut context, info.is_some(), env, deadline);
        }
        let remote = |context: &Context| git::remote(context, env, deadline);
        let plan = Self::with_context(options, env, info, context, remote);
        log.detail(&format!(
            "CI: {}",
            info.map_or("none recognised", |info| info.name)
        ));
        if let Some(unreadable) = &plan.context.unreadable {
            log.warn(unreadable);
        }
        plan.hide_credentials(log);
        Ok(plan)
    }

    /// The same for an event, which says what the CI's environment would: no repository that lies
    /// about is asked.
    pub(super) fn of_event(
        options: &'a Options,
        env: &'a Env,
        event: &Event,
        log: &mut Log<'_>,
    ) -> Self {
        let (info, context) = (Some(event.info), event.context.clone());
        let mut plan = Self::with_context(options, env, info, context, |_| None);
        plan.is_of_event = true;
        if let Err(Error::NoRepository {
            found: found @ None,
        }) = &mut plan.destination
        {
            *found = Some(UNNAMED.to_owned());
        }
        plan.hide_credentials(log);
        plan
    }

    fn hide_credentials(&self, log: &mut Log<'_>) {
        if let Ok(credentials) = &self.credentials {
            let origin = auth::origin(credentials, self.env);
            log.detail(&format!(
                "credentials: {} (from {origin})",
                credentials.describe()
            ));
            log.hide(credentials.secrets());
        }
    }

    fn with_context(
        options: &'a Options,
        env: &'a Env,
        info: Option<&'static ProviderInfo>,
        context: Context,
        remote: impl FnOnce(&Context) -> Option<Repository>,
    ) -> Self {
        let destination = locate::destination(options, &context, || remote(&context));
        let product = product(&destination);
        let credentials = auth::read(env, options, product).and_then(|credentials| {
            credentials.ok_or(Error::NoCredentials {
                caveat: info.map(|info| info.secrets_caveat),
            })
        });
        Self {
            options,
            env,
            info,
            context,
            destination,
            credentials,
            is_of_event: false,
        }
    }

    /// Whether the refname that Bitbucket has for the status is better than ours. An event does not say
    /// what the reporter inside the build knows; to Data Center, it does not matter.
    pub(super) fn may_adopt_refname(&self) -> bool {
        let is_given = self.options.build.refname.is_some();
        self.is_of_event && !is_given && self.product() == Product::Cloud
    }

    /// The destination's product; Cloud if there is no destination.
    pub(super) fn product(&self) -> Product {
        product(&self.destination)
    }

    /// What the report is made from.
    pub(super) fn claim(&self) -> Claim<'_> {
        Claim {
            options: self.options,
            info: self.info,
            context: &self.context,
            product: self.product(),
        }
    }

    /// The report for the state that `word` names, else for the CI's job status.
    pub(super) fn report(&self, word: Option<&str>, log: &mut Log<'_>) -> Result<Report, Error> {
        let claim = self.claim();
        let report = claim.report(word)?;
        let is_by_ci = word.is_none_or(is_auto) && !self.is_of_event;
        if let (State::InProgress, true, Some(info)) = (report.state, is_by_ci, self.info) {
            let (name, caveat) = (info.name, info.state_caveat);
            log.warn(&format!("{name} says INPROGRESS: {caveat}"));
        }
        if let Some(warning) = claim.key_warning() {
            log.warn(&warning);
        }
        // Most jobs have no matrix: where nothing says so, only `check` warns.
        if let (Some(warning), Namesakes::Matrix) = (claim.namesakes(), self.context.namesakes) {
            log.warn(&format!("{}: {warning}", report.key));
        }
        let refname = report.refname.as_ref().map_or("none", Refname::name);
        for (option, value) in [
            ("key", report.key.as_str()),
            ("name", &report.name),
            ("commit", &report.commit),
            ("url", &report.url),
            ("refname", refname),
        ] {
            let origin = claim.origin(option);
            log.detail(&format!("{option}: {value} (from {origin})"));
        }
        if let Some(place) = self.place() {
            log.detail(&format!("repository: {place}"));
        }
        Ok(report)
    }

    /// The repository and where it came from. An event's variables are not repeated.
    pub(super) fn place(&self) -> Option<String> {
        let known = self.destination.as_ref().ok();
        let destination = known.filter(|_| !self.is_of_event)?;
        let origin = self.claim().origin("repository");
        Some(format!("{} (from {origin})", destination.repository()))
    }

    /// What sending needs: destination, credentials and client.
    pub(super) fn connection(&self) -> Result<(Destination, Credentials, Client), Error> {
        let destination = self.destination.clone()?;
        let credentials = self.credentials.clone()?;
        let client = self.client(&destination)?;
        Ok((destination, credentials, client))
    }

    /// The HTTP client for `destination`.
    pub(super) fn client(&self, destination: &Destination) -> Result<Client, Error> {
        let (network, origins) = (&self.options.network, &self.options.origins);
        Client::new(network, origins, destination.url(), self.env)
    }
}

fn product(destination: &Result<Destination, Error>) -> Product {
    let destination = destination.as_ref();
    destination.map_or(Product::Cloud, Destination::product)
}
