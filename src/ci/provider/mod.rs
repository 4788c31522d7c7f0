//! The known CIs. Each has a file, and a line in [`PROVIDERS`].

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
mod info;
mod jenkins;
mod job_name;
mod matrix;
mod prelude;
mod puppet;
mod semaphore;
mod teamcity;
mod travis;
mod woodpecker;

pub use self::info::{Provider, ProviderInfo, Sign};
use crate::ci::context::Context;
use crate::env::Env;
use crate::error::Error;

/// A line of [`PROVIDERS`].
#[derive(Debug)]
pub struct Entry {
    /// Which CI.
    pub info: ProviderInfo,
    read: fn(&Env) -> Result<Context, envy::Error>,
}

impl Entry {
    const fn of<P: Provider>() -> Self {
        Self {
            info: P::INFO,
            read: |env| env.read::<P>(P::MIXED_CASE).map(P::context),
        }
    }

    /// What this CI's variables say.
    pub fn context(&self, env: &Env) -> Result<Context, Error> {
        (self.read)(env).map_err(|error| Error::Environment {
            provider: self.info.name,
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
        let known = PROVIDERS.iter().find(|entry| entry.info.id == id);
        return known.map(Some).ok_or_else(|| Error::UnknownProvider {
            id: id.to_owned(),
            known: PROVIDERS.iter().map(|entry| entry.info.id).collect(),
        });
    }
    let found: Vec<_> = PROVIDERS
        .iter()
        .filter(|entry| entry.info.signs.iter().all(|sign| sign.holds(env)))
        .collect();
    match found[..] {
        [] => Ok(None),
        [entry] => Ok(Some(entry)),
        _ => Err(Error::SeveralProviders {
            ids: found.iter().map(|entry| entry.info.id).collect(),
        }),
    }
}

/// The description of the CI, if one is recognised, and what it says.
pub(crate) fn read(
    id: Option<&str>,
    env: &Env,
) -> Result<(Option<&'static ProviderInfo>, Context), Error> {
    let Some(entry) = find(id, env)? else {
        return Ok((None, Context::default()));
    };
    Ok((Some(&entry.info), entry.context(env)?))
}
