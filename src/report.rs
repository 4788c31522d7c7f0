//! What we claim: the CI's facts, the options that override them, and Bitbucket's limits.

use std::time::Duration;

use crate::auth;
use crate::cli::{Origins, ReportArgs};
use crate::commit::{self, Found};
use crate::context::Context;
use crate::error::Error;
use crate::junit::TestResults;
use crate::key;
use crate::link;
use crate::provider::About;
use crate::refname::Refname;
use crate::state::State;

/// A build status, ready to be put into a destination's words.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// How the build stands.
    pub state: State,
    /// What tells this status apart from others on the commit.
    pub key: String,
    /// The text of the link.
    pub name: String,
    /// What happened.
    pub description: String,
    /// Where the link leads.
    pub url: String,
    /// The commit's hash.
    pub commit: String,
    /// The branch or tag.
    pub refname: Option<Refname>,
    /// The build that "Required builds" on Data Center ask for, if it is not the key.
    pub parent: Option<String>,
    /// The build's number.
    pub build_number: Option<String>,
    /// How long the build took.
    pub duration: Option<Duration>,
    /// How its tests ended.
    pub test_results: Option<TestResults>,
}

/// What a destination takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The destination's name, for messages.
    pub product: &'static str,
    /// Characters in a key.
    pub key: usize,
    /// Characters in a name or description. No page of Atlassian's says so for Cloud: it is what
    /// other clients keep to (jenkinsci/bitbucket-branch-source-plugin#928).
    pub text: usize,
    /// Whether the host in a build's URL needs a dot.
    pub dotted_host: bool,
    /// Whether the first digits of a hash will do.
    pub short_commit: bool,
}

/// What a build that no CI names is called.
const NAMELESS: &str = "build";

impl Report {
    /// Puts the report together: option, else our variable (both in `args`), else what the CI says,
    /// else the default. `warnings` takes what a person should know.
    pub fn new(
        args: &ReportArgs,
        about: Option<&About>,
        context: &Context,
        limits: Limits,
        warnings: &mut Vec<String>,
    ) -> Result<Self, Error> {
        let build = &args.build;
        let state = state(args.state.as_deref(), &args.origins, about, context)?;
        let commit = commit(build.commit.as_deref(), &args.origins, context, limits)?;
        let url = url(build.url.as_deref(), &args.origins, about, context, limits)?;
        for (option, value) in [("key", &build.key), ("refname", &build.refname)] {
            if let Some(value) = value {
                auth::check_expanded(&args.origins.name(option), value)?;
            }
        }
        if build
            .key
            .as_deref()
            .is_some_and(|key| key.trim().is_empty())
        {
            return Err(Error::Setting {
                origin: args.origins.name("key"),
                problem: "it is blank".into(),
                hint: Some("leave it out for a key made of the job's name".into()),
            });
        }
        let key = key(
            build.key.as_deref(),
            &args.origins,
            about,
            context,
            limits,
            warnings,
        );
        let name = build.name.clone().unwrap_or_else(|| {
            let job = context.job_name.as_deref().unwrap_or(NAMELESS);
            match &context.build_number {
                Some(number) => format!("{job} #{number}"),
                None => job.to_owned(),
            }
        });
        let description = build.description.as_deref();
        Ok(Self {
            state,
            key,
            name: shortened(&name, limits.text),
            description: shortened(description.unwrap_or(state.description()), limits.text),
            url,
            commit,
            refname: match build.refname.as_deref() {
                Some("") => None,
                Some(name) => Some(refname(name, context)),
                None => context.refname(),
            },
            parent: args.destination.parent.clone(),
            build_number: context.build_number.clone(),
            duration: None,
            test_results: None,
        })
    }

    /// Says in the description what `text` says, unless somebody has given one.
    pub(crate) fn describe(&mut self, args: &ReportArgs, text: &str, limits: Limits) {
        if args.build.description.is_none() {
            self.description = shortened(text, limits.text);
        }
    }
}

/// The state: the word given, else what the CI says.
pub(crate) fn state(
    given: Option<&str>,
    origins: &Origins,
    about: Option<&About>,
    context: &Context,
) -> Result<State, Error> {
    match given {
        Some(word) if !word.eq_ignore_ascii_case("auto") => {
            State::from_word(word).ok_or_else(|| Error::UnknownState {
                origin: origins.variable("state").unwrap_or("STATE").to_owned(),
                word: word.to_owned(),
            })
        }
        _ => context.state.ok_or(Error::NoState {
            variable: about.and_then(|about| about.state),
            caveat: about.map(|about| about.state_caveat),
        }),
    }
}

/// The key: as given, or made from the job's name; within the limit.
pub(crate) fn key(
    given: Option<&str>,
    origins: &Origins,
    about: Option<&About>,
    context: &Context,
    limits: Limits,
    warnings: &mut Vec<String>,
) -> String {
    let key = match (given, about) {
        (Some(key), _) => key.to_owned(),
        (None, Some(about)) => {
            key::of_job(about.key, context.job_name.as_deref().unwrap_or(NAMELESS))
        }
        (None, None) => "build_status".to_owned(),
    };
    let short = key::within(&key, limits.key);
    if given.is_some() && short != key {
        warnings.push(format!(
            "{}: it has {} characters, {} takes {}: it is sent as `{short}`",
            origins.name("key"),
            key.chars().count(),
            limits.product,
            limits.key,
        ));
    }
    short
}

/// The commit: the hash given, else the CI's.
pub(crate) fn commit(
    given: Option<&str>,
    origins: &Origins,
    context: &Context,
    limits: Limits,
) -> Result<String, Error> {
    if let Some(given) = given {
        let fits = if limits.short_commit {
            commit::is_hash_or_prefix(given)
        } else {
            commit::is_full_hash(given)
        };
        return if fits {
            Ok(given.to_ascii_lowercase())
        } else {
            let origin = origins.name("commit");
            let digits = if limits.short_commit {
                "7 to 64"
            } else {
                "40 or 64"
            };
            Err(Error::NotACommit {
                reason: format!("{origin} is `{given}`, and not {digits} hexadecimal digits"),
                given: true,
            })
        };
    }
    match &context.commit {
        Found::Hash(hash) => Ok(hash.clone()),
        // Nobody has completed it, and Cloud takes it as it is.
        Found::Refused {
            revision: Some(prefix),
            ..
        } if limits.short_commit && commit::is_hash_or_prefix(prefix) => {
            Ok(prefix.to_ascii_lowercase())
        }
        Found::Refused { reason, .. } => Err(Error::NotACommit {
            reason: reason.clone(),
            given: false,
        }),
        Found::Nothing => Err(Error::NoCommit),
    }
}

/// The build's URL: the one given, else the job's, else the pipeline's.
pub(crate) fn url(
    given: Option<&str>,
    origins: &Origins,
    about: Option<&About>,
    context: &Context,
    limits: Limits,
) -> Result<String, Error> {
    let text = given
        .or(context.url.as_deref())
        .or(context.pipeline_url.as_deref());
    let text = text.ok_or(Error::NoUrl {
        setting: about.map(|about| about.url_setting),
    })?;
    let bad = |problem| Error::BadUrl {
        origin: match about {
            Some(about) if given.is_none() => about.url_setting.to_owned(),
            _ => origins.name("url"),
        },
        url: link::without_user(text),
        problem,
    };
    let url = link::build_url(text).map_err(bad)?;
    let host = link::host(&url);
    if limits.dotted_host && !host.trim_end_matches('.').contains('.') {
        return Err(bad(format!(
            "its host `{host}` has no dot, and {} wants a full name or an IPv4 address",
            limits.product
        )));
    }
    Ok(url)
}

/// A name that somebody gave: a tag if the CI builds that tag, else a branch.
fn refname(name: &str, context: &Context) -> Refname {
    Refname::from_full(name).unwrap_or_else(|| {
        if context.tag.as_deref() == Some(name) {
            Refname::Tag(name.to_owned())
        } else {
            Refname::Branch(name.to_owned())
        }
    })
}

/// `text`, or its beginning and `…`.
fn shortened(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit - 1).chain(['…']).collect()
}
