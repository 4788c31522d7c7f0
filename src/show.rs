//! `build_status show`: the build statuses that a commit has.

pub mod page;

use serde::Serialize;

use crate::Ending;
use crate::auth::{self, Credentials};
use crate::cli::{Output, ShowArgs};
use crate::client::Client;
use crate::delivery::Courier;
use crate::destination::{DataCenter, Destination};
use crate::env::Env;
use crate::error::Error;
use crate::git;
use crate::hint::Asker;
use crate::output;
use crate::provider;
use crate::report;
use crate::request::Request;
use crate::retry::Policy;
use crate::secret::Redactor;
use crate::state::State;
use crate::voice::Voice;

/// One status, in the words of its product.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    state: String,
    key: String,
    name: Option<String>,
    description: Option<String>,
    url: Option<String>,
    refname: Option<String>,
    /// When it was last written, as RFC 3339.
    updated: Option<String>,
}

/// Lists the statuses, all pages.
pub fn run(args: &ShowArgs, env: &Env, log: &mut dyn FnMut(&str)) -> Ending {
    let mut voice = Voice::new(env, log, args.print.quiet, args.print.verbose);
    match statuses(args, env, &mut voice) {
        Ok(statuses) => {
            if statuses.is_empty() {
                voice.warn("the commit has no build statuses");
            }
            Ending::printed(match args.print.output {
                Output::Text => text(&statuses, voice.redactor()),
                Output::Json => output::printable_json(&statuses, voice.redactor()),
            })
        }
        Err(error) => {
            voice.error(&error, false);
            Ending::failed(&error)
        }
    }
}

/// For people: a line for each.
pub fn text(statuses: &[Shown], redactor: &Redactor) -> String {
    let width = |field: fn(&Shown) -> &str| {
        let lengths = statuses.iter().map(|status| field(status).chars().count());
        lengths.max().unwrap_or(0)
    };
    let (state, key) = (width(|it| &it.state), width(|it| &it.key));
    let line = |status: &Shown| {
        let text = |field: &Option<String>| field.clone().unwrap_or_else(|| "-".into());
        let line = format!(
            "{:<state$}  {:<key$}  {}  {}  {}",
            status.state,
            status.key,
            text(&status.updated),
            text(&status.name),
            text(&status.url),
        );
        output::line(&line, redactor) + "\n"
    };
    statuses.iter().map(line).collect()
}

fn statuses(args: &ShowArgs, env: &Env, voice: &mut Voice<'_>) -> Result<Vec<Shown>, Error> {
    let allow_http = args.network.allow_http;
    let (about, context) = provider::read_for_report(args.provider.as_deref(), env)?;
    let (to, origins) = (&args.destination, &args.origins);
    let destination =
        Destination::find(to, origins, allow_http, &context, || git::remote(&context))?;
    let limits = destination.product().limits();
    let commit = report::commit(args.commit.as_deref(), origins, &context, limits)?;
    let credentials = auth::read(env, args.credentials.auth, allow_http)?;
    let credentials = credentials.ok_or(Error::NoCredentials {
        caveat: about.map(|about| about.secrets_caveat),
    })?;
    credentials.check_product(destination.product())?;
    voice.hide(&credentials);
    let client = Client::new(&args.network, origins, destination.url(), env)?;
    // Somebody waits for this, so that it is worth all of the time.
    let policy = Policy::new(State::Successful, args.network.timeout);
    let mut courier = Courier::new(&client, policy, voice);
    let credentials = courier.authorized(&destination, &credentials)?;
    match &destination {
        Destination::Cloud(place) => {
            let first = format!("{}/statuses?pagelen=25", place.commit_url(&commit));
            cloud(
                &mut courier,
                first,
                &place.api_root,
                &credentials,
                &destination,
            )
        }
        Destination::DataCenter(place) => {
            data_center(&mut courier, place, &commit, &credentials, &destination)
        }
    }
}

/// A page is small enough for what is read of a body.
fn cloud(
    courier: &mut Courier<'_, '_>,
    first: String,
    api_root: &str,
    credentials: &Credentials,
    destination: &Destination,
) -> Result<Vec<Shown>, Error> {
    let mut shown = Vec::new();
    let mut next = Some(first);
    while let Some(url) = next {
        let (statuses, further) = ask(courier, url, credentials, destination, page::of_cloud)?;
        shown.extend(statuses);
        // Credentials go nowhere else, whoever says so.
        next = further.filter(|url| url.starts_with(&format!("{api_root}/")));
    }
    Ok(shown)
}

/// The only list that there is: that of the commit, whatever the repository. It has the newer
/// statuses too, 100 at the most.
fn data_center(
    courier: &mut Courier<'_, '_>,
    place: &DataCenter,
    commit: &str,
    credentials: &Credentials,
    destination: &Destination,
) -> Result<Vec<Shown>, Error> {
    // The list answers for any repository and commit, so that these are asked for first.
    let asker = Asker::new(destination, Some(credentials));
    courier.send(
        &Request::get(place.commit_url(commit), Some(credentials)),
        asker,
    )?;
    let mut shown = Vec::new();
    let mut next = Some(0);
    while let Some(start) = next {
        let server = &place.server;
        let url =
            format!("{server}/rest/build-status/latest/commits/{commit}?limit=40&start={start}");
        let (statuses, further) =
            ask(courier, url, credentials, destination, page::of_data_center)?;
        shown.extend(statuses);
        next = further.filter(|next| *next > start);
    }
    Ok(shown)
}

fn ask<T>(
    courier: &mut Courier<'_, '_>,
    url: String,
    credentials: &Credentials,
    destination: &Destination,
    read: fn(&[u8]) -> Option<T>,
) -> Result<T, Error> {
    let asker = Asker::new(destination, Some(credentials));
    let answer = courier.send(&Request::get(url, Some(credentials)), asker)?;
    read(&answer.body).ok_or(Error::NotBitbucket {
        status: answer.status,
        content_type: answer.content_type,
    })
}
