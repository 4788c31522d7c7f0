//! The build status to send: options, else what the CI says, within Bitbucket's limits.

use std::time::Duration;

use crate::ci::context::{Context, Namesakes};
use crate::ci::provider::ProviderInfo;
use crate::cli::{Options, nearest_word};
use crate::env;
use crate::error::Error;
use crate::junit::TestResults;
use crate::status::commit::{self, DetectedCommit};
use crate::status::key;
use crate::status::product::{Limits, Product};
use crate::status::refname::Refname;
use crate::status::repository::{Repository, Site};
use crate::status::state::State;
use crate::status::url;

/// A build status, before it is written in a product's format.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The state of the build.
    pub state: State,
    /// Unique on the commit: a later report with the same key overwrites this one.
    pub key: String,
    /// The name of the status, shown as its link.
    pub name: String,
    /// The description of the status.
    pub description: String,
    /// The URL that the status links to.
    pub url: String,
    /// The commit's hash, in lower case.
    pub(crate) commit: String,
    /// The branch or tag.
    pub(crate) refname: Option<Refname>,
    /// The key that a "Required builds" merge check on Data Center expects, if it is not `key`.
    pub(crate) parent: Option<String>,
    /// The build's number in the CI.
    pub(crate) build_number: Option<String>,
    /// How long the command of `run` took.
    pub(crate) duration: Option<Duration>,
    /// The counts from JUnit files.
    pub(crate) test_results: Option<TestResults>,
}

/// The name of a job outside a CI.
const NAMELESS: &str = "build";

/// What a report is made from. Each value is an option's, else the CI's, else a default.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The options and their variables.
    pub options: &'a Options,
    /// The CI, if one was recognised.
    pub info: Option<&'static ProviderInfo>,
    /// What the CI says.
    pub context: &'a Context,
    /// The product whose limits apply.
    pub product: Product,
}

/// Whether the CI is to say the state.
pub(crate) fn is_auto(word: &str) -> bool {
    word.eq_ignore_ascii_case("auto")
}

impl Claim<'_> {
    /// Makes the report for the state that `word` names, else for the CI's job status.
    pub fn report(&self, word: Option<&str>) -> Result<Report, Error> {
        let state = self.state(word)?;
        let commit = self.commit()?;
        let url = self.url()?;
        let (build, limits) = (&self.options.build, self.limits());
        let timed_out = match word.filter(|word| !is_auto(word)) {
            Some(word) => State::is_timeout(word),
            None => self.context.has_timed_out,
        };
        let description = match &build.description {
            Some(given) => given,
            None if timed_out => "The build timed out.",
            None => state.description(),
        };
        Ok(Report {
            state,
            key: self.key()?,
            name: shortened(&self.name(), limits.text),
            description: shortened(description, limits.text),
            url,
            commit,
            refname: self.refname()?,
            parent: self.parent(),
            build_number: self.context.build_number.clone(),
            duration: None,
            test_results: None,
        })
    }

    /// The build that "Required builds" on Data Center wait for, if it is not the key: they need one
    /// that is the same on every branch.
    pub(crate) fn parent(&self) -> Option<String> {
        let given = self.options.destination.parent.clone();
        given.or_else(|| {
            let name = self.context.job_name_on_any_branch.as_deref();
            let name = name.filter(|_| self.options.build.key.is_none())?;
            let whole = key::of_job(self.info?.key, name);
            Some(key::within(&whole, Product::DataCenter.limits().key))
        })
    }

    /// Where the values come from: the option or its variable, else the CI. For people.
    pub(crate) fn origin(&self, option: &str) -> String {
        let build = &self.options.build;
        let given = match option {
            "key" => &build.key,
            "name" => &build.name,
            "url" => &build.url,
            "refname" => &build.refname,
            "commit" => &self.options.commit,
            "parent" => match &self.options.destination.parent {
                None if build.key.is_some() => return self.origin("key"),
                parent => parent,
            },
            _ => return self.repository_origin(),
        };
        match (given, self.info) {
            (Some(_), _) => self.options.origins.name(option),
            (None, Some(info)) => info.name.to_owned(),
            (None, None) if option == "commit" => "git".to_owned(),
            (None, None) => "the default".to_owned(),
        }
    }

    /// Where workspace and repository come from: one may be given without the other.
    fn repository_origin(&self) -> String {
        let args = &self.options.destination;
        let name = |option| self.options.origins.name(option);
        let is_known = |it: &Repository| it.site != Site::Elsewhere;
        let of_ci = self.context.repository.as_ref().is_some_and(is_known);
        let found = match self.info {
            Some(info) if of_ci => info.name,
            _ => "the git remote",
        };
        let is_typed = |option| self.options.origins.variable(option).is_none();
        let is_overridden = is_typed("workspace") && !is_typed("repository");
        let (first, second) = match (&args.workspace, args.repository.as_deref()) {
            (None, None) => return found.to_owned(),
            (workspace, Some(path))
                if path.contains('/') && (workspace.is_none() || !is_overridden) =>
            {
                return name("repository");
            }
            (None, Some(_)) => (name("repository"), found.to_owned()),
            (Some(_), None) => (name("workspace"), found.to_owned()),
            (Some(_), Some(_)) => (name("workspace"), name("repository")),
        };
        first + " and " + &second
    }

    fn limits(&self) -> Limits {
        self.product.limits()
    }

    /// The state that `word` names. Without a word, or for `auto`, the CI's job status.
    pub(crate) fn state(&self, word: Option<&str>) -> Result<State, Error> {
        match word {
            Some(word) if !is_auto(word) => {
                let variable = self.options.origins.variable("state");
                State::from_word(word).ok_or_else(|| Error::UnknownState {
                    origin: variable.unwrap_or("STATE").to_owned(),
                    word: word.to_owned(),
                    meant: nearest_word(word),
                })
            }
            _ => self.context.state.ok_or(Error::NoState {
                variable: self.info.and_then(|info| info.state),
                caveat: self.info.map(|info| info.state_caveat),
            }),
        }
    }

    /// The key within the product's limit: the given one, else one made from the job's name.
    pub(crate) fn key(&self) -> Result<String, Error> {
        let origin = || self.options.origins.name("key");
        if let Some(given) = &self.options.build.key {
            env::check_expanded(&origin(), given)?;
            if given.trim().is_empty() {
                let hint = "unset it to use a key made from the job's name";
                return Err(Error::setting(origin(), "it is blank", hint));
            }
        }
        Ok(key::within(&self.whole_key(), self.limits().key))
    }

    fn whole_key(&self) -> String {
        match (&self.options.build.key, self.info) {
            (Some(given), _) => given.clone(),
            (None, Some(info)) => key::of_job(info.key, self.job_name()),
            (None, None) => "build_status".to_owned(),
        }
    }

    /// A warning, if the given key is too long and is shortened.
    pub fn key_warning(&self) -> Option<String> {
        let given = self.options.build.key.as_deref()?;
        let limits = self.limits();
        let short = key::within(given, limits.key);
        (short != given).then(|| {
            format!(
                "{}: the key has {} characters, but {} allows {}: sending `{short}`",
                self.options.origins.name("key"),
                given.chars().count(),
                limits.product,
                limits.key,
            )
        })
    }

    /// A warning, if other jobs write the same status, or may do so.
    pub(crate) fn namesakes(&self) -> Option<&'static str> {
        match self.context.namesakes {
            _ if self.options.build.key.is_some() => None,
            Namesakes::None => None,
            Namesakes::Matrix => Some(
                "the jobs of the matrix share this status: set BUILD_STATUS_MATRIX to ${{ \
                 toJSON(matrix) }} in the step's env",
            ),
            Namesakes::Unknown => Some(
                "if the job has a matrix, its jobs share this status: set BUILD_STATUS_MATRIX to ${{ \
                 toJSON(matrix) }} in the step's env",
            ),
        }
    }

    fn job_name(&self) -> &str {
        self.context.job_name.as_deref().unwrap_or(NAMELESS)
    }

    fn name(&self) -> String {
        let job = self.job_name();
        match (&self.options.build.name, &self.context.build_number) {
            (Some(given), _) => given.clone(),
            (None, Some(number)) => format!("{job} #{number}"),
            (None, None) => job.to_owned(),
        }
    }

    /// The commit's hash: the given one, else the CI's.
    pub(crate) fn commit(&self) -> Result<String, Error> {
        let short_will_do = self.limits().short_commit;
        if let Some(given) = &self.options.commit {
            return self.given_commit(given);
        }
        match &self.context.commit {
            DetectedCommit::Hash(hash) => Ok(hash.clone()),
            // git could not complete the prefix. Cloud accepts prefixes.
            DetectedCommit::Refused {
                revision: Some(prefix),
                ..
            } if short_will_do && commit::is_hash_or_prefix(prefix) => {
                Ok(prefix.to_ascii_lowercase())
            }
            DetectedCommit::Refused { reason, .. } => Err(Error::NotACommit {
                reason: reason.clone(),
                given: false,
            }),
            DetectedCommit::Nothing => Err(Error::NoCommit),
        }
    }

    fn given_commit(&self, given: &str) -> Result<String, Error> {
        let (fits, digits) = if self.limits().short_commit {
            (commit::is_hash_or_prefix(given), "7 to 64")
        } else {
            (commit::is_full_hash(given), "40 or 64")
        };
        if fits {
            return Ok(given.to_ascii_lowercase());
        }
        let origin = self.options.origins.name("commit");
        Err(Error::NotACommit {
            reason: format!("{origin} is `{given}`, not {digits} hexadecimal digits"),
            given: true,
        })
    }

    /// The URL to link to: the given one, else the job's page, else the pipeline's.
    pub(crate) fn url(&self) -> Result<String, Error> {
        let given = self.options.build.url.as_deref();
        let text = given
            .or(self.context.url.as_deref())
            .or(self.context.pipeline_url.as_deref());
        let text = text.ok_or(Error::NoUrl {
            setting: self.info.map(|info| info.url_setting),
        })?;
        let bad = |problem| Error::BadUrl {
            origin: match self.info {
                Some(info) if given.is_none() => info.url_setting.to_owned(),
                _ => self.options.origins.name("url"),
            },
            url: url::without_user(text),
            problem,
        };
        let checked = url::build_url(text).map_err(bad)?;
        let (host, limits) = (url::host(&checked), self.limits());
        if limits.dotted_host && !host.trim_end_matches('.').contains('.') {
            let needed = format!("{} requires a full name or an IPv4 address", limits.product);
            return Err(bad(format!("its host `{host}` has no dot, but {needed}")));
        }
        Ok(checked)
    }

    /// The branch or tag: the given one, else the CI's. An empty one means none.
    pub(crate) fn refname(&self) -> Result<Option<Refname>, Error> {
        let Some(given) = self.options.build.refname.as_deref() else {
            return Ok(self.context.refname());
        };
        env::check_expanded(&self.options.origins.name("refname"), given)?;
        Ok((!given.is_empty()).then(|| self.given_refname(given)))
    }

    /// A given name. It is a tag if it is the tag that the CI builds, else a branch.
    fn given_refname(&self, name: &str) -> Refname {
        let is_tag = self.context.tag.as_deref() == Some(name);
        let kind = if is_tag {
            Refname::Tag
        } else {
            Refname::Branch
        };
        Refname::from_full(name).unwrap_or_else(|| kind(name.to_owned()))
    }
}

impl Report {
    /// Sets the description to `text`, unless `options` has one.
    pub(crate) fn describe(&mut self, options: &Options, text: &str, product: Product) {
        if options.build.description.is_none() {
            self.description = shortened(text, product.limits().text);
        }
    }
}

/// `text`, cut to `limit` characters, of which the last is `…` then.
fn shortened(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit - 1).chain(['…']).collect()
}
