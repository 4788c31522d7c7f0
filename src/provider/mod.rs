//! The CIs that are known: one file each, one line each in [`PROVIDERS`].

mod actions;
mod appcircle;
mod appveyor;
mod azure;
mod bamboo;
mod bitbucket;
mod bitrise;
mod buildkite;
mod circleci;
mod cirrus;
mod cloudbuild;
mod codebuild;
mod codefresh;
mod codemagic;
mod concourse;
mod drone;
mod forgejo;
mod gitea;
mod github;
mod gitlab;
mod harness;
mod jenkins;
mod job_name;
mod matrix;
mod puppet;
mod semaphore;
mod teamcity;
mod travis;
mod woodpecker;

use serde::de::DeserializeOwned;

use crate::commit::Found;
use crate::context::Context;
use crate::env::Env;
use crate::error::Error;
use crate::git;

/// A CI: the variables it sets, as the fields of a struct, and what they mean.
///
/// A field has the name of its variable in lower case and is an `Option`; an enum of a CI's own
/// words ends in `#[serde(other)]`. So no value that a CI may set keeps the struct from being read.
pub trait Provider: DeserializeOwned {
    /// What is known of the CI before its variables are read.
    const ABOUT: About;

    /// What the variables mean.
    fn context(self) -> Context;
}

/// What is known of a CI before its variables are read.
#[derive(Debug, PartialEq)]
pub struct About {
    /// The word for it on the command line.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Where it documents its variables.
    pub docs: &'static str,
    /// What stands between `ci/` and the job's name in a key.
    pub key: &'static str,
    /// What gives it away. All must hold, and no two CIs' may hold together.
    pub signs: &'static [Sign],
    /// The variables that may name the commit, the first first.
    pub commit: &'static [&'static str],
    /// The variable that holds the job's state, if there is one.
    pub state: Option<&'static str>,
    /// When `state` is right; without one, how to pass it.
    pub state_caveat: &'static str,
    /// The setting that the host in the job's URL comes from.
    pub url_setting: &'static str,
    /// Why a secret that was set up may still be missing in a job.
    pub secrets_caveat: &'static str,
}

/// A variable that gives a CI away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sign {
    /// It is set.
    Set(&'static str),
    /// At least one of them is set.
    OneOf(&'static [&'static str]),
    /// It is set to this.
    Is(&'static str, &'static str),
    /// It is not set: another CI that runs on this one's machines sets it.
    Unset(&'static str),
}

impl Sign {
    fn holds(self, env: &Env) -> bool {
        match self {
            Self::Set(name) => env.get(name).is_some(),
            Self::OneOf(names) => names.iter().any(|name| env.get(name).is_some()),
            Self::Is(name, value) => env.get(name) == Some(value),
            Self::Unset(name) => env.get(name).is_none(),
        }
    }
}

/// A line of the table.
#[derive(Debug)]
pub struct Entry {
    /// Which CI.
    pub about: About,
    read: fn(&Env) -> Result<Context, envy::Error>,
}

impl Entry {
    const fn of<P: Provider>() -> Self {
        Self {
            about: P::ABOUT,
            read: |env| env.read::<P>().map(P::context),
        }
    }

    /// What this CI's variables say.
    pub fn context(&self, env: &Env) -> Result<Context, Error> {
        (self.read)(env).map_err(|error| Error::Environment {
            provider: self.about.name,
            message: error.to_string(),
        })
    }
}

/// Every CI, by id.
pub static PROVIDERS: &[Entry] = &[
    Entry::of::<appcircle::Appcircle>(),
    Entry::of::<appveyor::AppVeyor>(),
    Entry::of::<azure::Azure>(),
    Entry::of::<bamboo::Bamboo>(),
    Entry::of::<bitbucket::Bitbucket>(),
    Entry::of::<bitrise::Bitrise>(),
    Entry::of::<buildkite::Buildkite>(),
    Entry::of::<circleci::CircleCi>(),
    Entry::of::<cirrus::Cirrus>(),
    Entry::of::<cloudbuild::CloudBuild>(),
    Entry::of::<codebuild::CodeBuild>(),
    Entry::of::<codefresh::Codefresh>(),
    Entry::of::<codemagic::Codemagic>(),
    Entry::of::<concourse::Concourse>(),
    Entry::of::<drone::Drone>(),
    Entry::of::<forgejo::Forgejo>(),
    Entry::of::<gitea::Gitea>(),
    Entry::of::<github::GitHub>(),
    Entry::of::<gitlab::GitLab>(),
    Entry::of::<harness::Harness>(),
    Entry::of::<jenkins::Jenkins>(),
    Entry::of::<puppet::Puppet>(),
    Entry::of::<semaphore::Semaphore>(),
    Entry::of::<teamcity::TeamCity>(),
    Entry::of::<travis::Travis>(),
    Entry::of::<woodpecker::Woodpecker>(),
];

/// The CI that `id` names, else the one whose signs hold in `env`, if any.
pub fn find(id: Option<&str>, env: &Env) -> Result<Option<&'static Entry>, Error> {
    if let Some(id) = id {
        let known = PROVIDERS.iter().find(|entry| entry.about.id == id);
        return known.map(Some).ok_or_else(|| Error::UnknownProvider {
            id: id.to_owned(),
            known: PROVIDERS.iter().map(|entry| entry.about.id).collect(),
        });
    }
    let found: Vec<_> = PROVIDERS
        .iter()
        .filter(|entry| entry.about.signs.iter().all(|sign| sign.holds(env)))
        .collect();
    match found[..] {
        [] => Ok(None),
        [entry] => Ok(Some(entry)),
        _ => Err(Error::SeveralProviders {
            ids: found.iter().map(|entry| entry.about.id).collect(),
        }),
    }
}

/// The same for a report: without a CI, the working copy says what commit it is.
pub fn read_for_report(
    id: Option<&str>,
    env: &Env,
) -> Result<(Option<&'static About>, Context), Error> {
    let (about, mut context) = read(id, env)?;
    // In a CI it may be a merge commit that is checked out: what the CI says is all there is.
    if about.is_none() {
        context.commit = git::head().map_or(Found::Nothing, Found::Hash);
    }
    Ok((about, context))
}

/// What the CI is, if it is a known one, and what it says.
pub fn read(id: Option<&str>, env: &Env) -> Result<(Option<&'static About>, Context), Error> {
    let Some(entry) = find(id, env)? else {
        return Ok((None, Context::default()));
    };
    let mut context = entry.context(env)?;
    git::complete(&mut context);
    Ok((Some(&entry.about), context))
}
