//! `build_status show`: the build statuses that a commit has.

use serde::{Deserialize, Serialize};

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
                Output::Text => text(&statuses, &voice),
                Output::Json => output::printable_json(&statuses, voice.redactor()),
            })
        }
        Err(error) => {
            voice.error(&error, false);
            Ending::failed(&error)
        }
    }
}

fn text(statuses: &[Shown], voice: &Voice<'_>) -> String {
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
        output::line(&line, voice.redactor()) + "\n"
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

/// <https://developer.atlassian.com/cloud/bitbucket/rest/intro/#pagination>. A page is small enough
/// for what is read of a body.
fn cloud(
    courier: &mut Courier<'_, '_>,
    first: String,
    api_root: &str,
    credentials: &Credentials,
    destination: &Destination,
) -> Result<Vec<Shown>, Error> {
    #[derive(Deserialize)]
    struct Page {
        values: Vec<Value>,
        next: Option<String>,
    }
    #[derive(Deserialize)]
    struct Value {
        state: String,
        key: String,
        name: Option<String>,
        description: Option<String>,
        url: Option<String>,
        refname: Option<String>,
        updated_on: Option<String>,
    }
    let mut shown = Vec::new();
    let mut next = Some(first);
    while let Some(url) = next {
        let page: Page = page(courier, url, credentials, destination)?;
        shown.extend(page.values.into_iter().map(|value| Shown {
            state: value.state,
            key: value.key,
            name: value.name.filter(|name| !name.is_empty()),
            description: value.description,
            url: value.url,
            refname: value.refname,
            updated: value.updated_on,
        }));
        // Credentials go nowhere else, whoever says so.
        next = page
            .next
            .filter(|url| url.starts_with(&format!("{api_root}/")));
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
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Page {
        values: Vec<Value>,
        #[serde(default)]
        is_last_page: bool,
        next_page_start: Option<u64>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Value {
        state: String,
        key: String,
        name: Option<String>,
        description: Option<String>,
        url: Option<String>,
        #[serde(rename = "ref")]
        refname: Option<String>,
        updated_date: Option<u64>,
        created_date: Option<u64>,
        /// Before 7.4.
        date_added: Option<u64>,
    }
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
        let page: Page = page(courier, url, credentials, destination)?;
        shown.extend(page.values.into_iter().map(|value| {
            Shown {
                state: value.state,
                key: value.key,
                name: value.name,
                description: value.description,
                url: value.url,
                refname: value.refname,
                updated: (value.updated_date.or(value.created_date))
                    .or(value.date_added)
                    .map(output::rfc3339),
            }
        }));
        let further = page.next_page_start.filter(|next| *next > start);
        next = further.filter(|_| !page.is_last_page);
    }
    Ok(shown)
}

fn page<T: serde::de::DeserializeOwned>(
    courier: &mut Courier<'_, '_>,
    url: String,
    credentials: &Credentials,
    destination: &Destination,
) -> Result<T, Error> {
    let asker = Asker::new(destination, Some(credentials));
    let answer = courier.send(&Request::get(url, Some(credentials)), asker)?;
    serde_json::from_slice(&answer.body).map_err(|_| Error::NotBitbucket {
        status: answer.status,
        content_type: answer.content_type,
    })
}
