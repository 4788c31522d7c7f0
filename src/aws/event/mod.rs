//! One event of EventBridge, about a build of CodeBuild or an execution of CodePipeline.
//! <https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-codebuild.html>
//! <https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html>

mod build;
mod foreign;
mod pipeline;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::aws::api::{Answer, Call};
use crate::aws::arn::Arn;
use crate::aws::execution::Revision;
use crate::aws::json::{List, Object, Text};
use crate::aws::region::Region;
use crate::env::Env;
use crate::refname::Refname;
use crate::repository::{Repository, Site};
use crate::state::State;

/// What an event says, and AWS's answers have added.
///
/// While [`ask`](Self::ask) holds a call, something is missing that its answer may have: make the
/// call, give the answer to [`learn`](Self::learn), look again. There are two calls at most.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    /// `codebuild` or `codepipeline`, as in the key of the reporter inside the build.
    pub(crate) provider: &'static str,
    /// The project, with the identifier of a batch's child behind a slash; or the pipeline.
    pub(crate) job_name: String,
    /// Where it runs, and where to ask. Not always where a function that gets the event runs.
    pub(crate) region: Region,
    pub(crate) state: State,
    pub(crate) description: String,
    /// The page in the console, where the partition's is known.
    pub(crate) url: Option<String>,
    /// The page of the pipeline that the build belongs to.
    pub(crate) pipeline_url: Option<String>,
    pub(crate) build_number: Option<String>,
    pub(crate) source: Source,
    /// A full hash, in lower case.
    pub(crate) commit: Option<String>,
    pub(crate) refname: Option<Refname>,
    /// Variables of ours that the build was given. Whoever may start a build may set them: they must
    /// not lead the credentials of somebody else to another server.
    pub(crate) variables: Env,
    pub(crate) ask: Option<Call>,
}

/// Where the code comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    /// A repository on Bitbucket.
    Bitbucket(Repository),
    /// Another product, in AWS's words. It may be mirrored on Bitbucket.
    Elsewhere(String),
    /// It is not said: S3, a build in a pipeline, a build without a source.
    Unknown,
}

/// Why nothing can be reported.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Unusable {
    /// It is something else.
    Foreign(String),
    /// A field that is needed is not there, or is not what it should be.
    Missing(&'static str),
    UnknownState(String),
    /// There is nothing to report, and nobody is at fault.
    Nothing(String),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign(found) => write!(f, "not an event of CodeBuild or CodePipeline: {found}"),
            Self::Missing(field) => write!(f, "the event has no usable `{field}`"),
            Self::UnknownState(word) => {
                write!(f, "the event's state is `{word}`, not a known state")
            }
            Self::Nothing(reason) => write!(f, "nothing to report: {reason}"),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Envelope {
    detail_type: Text,
    source: Text,
    region: Text,
    resources: List<Text>,
    detail: Option<Box<RawValue>>,
}

impl Envelope {
    fn region(&self) -> Option<Region> {
        let resource = self.resources.iter().next().and_then(Text::get);
        let of_resource = || Some(Arn::parse(resource?)?.region);
        self.region
            .get()
            .and_then(Region::parse)
            .or_else(of_resource)
    }
}

impl Event {
    /// Reads an event.
    pub(crate) fn parse(text: &str) -> Result<Self, Unusable> {
        // PowerShell begins a file so.
        let text = text.trim_start_matches('\u{feff}');
        let foreign = || Unusable::Foreign(foreign::describe(text));
        let envelope: Object<Envelope> = serde_json::from_str(text).map_err(|_| foreign())?;
        let detail = envelope.detail.as_ref().map_or("{}", |detail| detail.get());
        match (envelope.source.get(), envelope.detail_type.get()) {
            (Some("aws.codebuild"), Some("CodeBuild Build State Change")) => {
                build::read(&envelope, detail)
            }
            (Some("aws.codepipeline"), Some("CodePipeline Pipeline Execution State Change")) => {
                pipeline::read_execution(&envelope, detail)
            }
            (Some("aws.codepipeline"), Some("CodePipeline Action Execution State Change")) => {
                pipeline::read_action(&envelope, detail)
            }
            _ => Err(foreign()),
        }
    }

    /// Adds what the answer to [`ask`](Self::ask) says.
    pub(crate) fn learn(&mut self, answer: &Answer) -> Result<(), Unusable> {
        let gone = |what: &str| {
            Err(Unusable::Nothing(format!(
                "AWS does not know {what} any more"
            )))
        };
        self.ask = match (self.ask.take(), answer) {
            (Some(Call::Build { id }), Answer::Build(Some(build))) => self.learn_build(&id, build),
            (_, Answer::Build(None)) => return gone("the build"),
            (_, Answer::Build(Some(_)) | Answer::Stored(_)) => None,
            (_, Answer::BatchChild(Some(identifier))) => {
                self.job_name = format!("{}/{identifier}", self.job_name);
                None
            }
            (_, Answer::BatchChild(None)) => return gone("the build's batch"),
            (_, Answer::Execution(execution)) => {
                self.learn_execution(execution);
                None
            }
        };
        Ok(())
    }

    /// Why there is no commit, when everything has been asked.
    pub(crate) fn without_commit(&self) -> Unusable {
        Unusable::Nothing(match self.state {
            State::InProgress => {
                "no commit is known yet: the source is not fetched; the next event has it"
                    .to_owned()
            }
            _ => "no commit is known: the source was not fetched, or is not a git repository"
                .to_owned(),
        })
    }

    /// An INPROGRESS that is late must not be sent when the API knows the end already. The end that an
    /// event has is not taken back: the API may lag behind.
    fn is_overtaken_by(&self, state: State) -> bool {
        !self.state.is_final() && state.is_final()
    }

    fn take_revision(&mut self, revision: Revision) {
        if self.source == Source::Unknown {
            self.source = Source::of(&revision);
        }
        self.commit = self.commit.take().or(revision.commit);
    }
}

impl Source {
    fn of(revision: &Revision) -> Self {
        let path = revision.repository.as_deref();
        let repository =
            path.and_then(|path| Repository::at(Site::Cloud, Some("bitbucket.org"), path));
        match (&revision.provider, repository) {
            (Some(_), Some(repository)) if revision.is_on_bitbucket() => {
                Self::Bitbucket(repository)
            }
            (Some(provider), _) if !revision.is_on_bitbucket() => {
                Self::Elsewhere(excerpt(provider))
            }
            _ => Self::Unknown,
        }
    }
}

/// The state that a word of an event or of the API means. `None`: it is on its way to a state.
fn state(word: &str) -> Result<Option<State>, Unusable> {
    Ok(Some(match word {
        "IN_PROGRESS" | "STARTED" | "RESUMED" | "InProgress" => State::InProgress,
        "SUCCEEDED" | "Succeeded" => State::Successful,
        "FAILED" | "FAULT" | "TIMED_OUT" | "Failed" => State::Failed,
        "STOPPED" | "SUPERSEDED" | "CANCELED" | "ABANDONED" | "Stopped" | "Superseded"
        | "Cancelled" => State::Stopped,
        "STOPPING" | "Stopping" => return Ok(None),
        _ => return Err(Unusable::UnknownState(excerpt(word))),
    }))
}

/// The same for the state of an event, which has to have one.
fn state_of_event(word: &Text, field: &'static str) -> Result<State, Unusable> {
    let word = word.get().ok_or(Unusable::Missing(field))?;
    state(word)?
        .ok_or_else(|| Unusable::Nothing("it is about to stop; the next event says so".into()))
}

/// As much of a word from outside as a message bears.
fn excerpt(text: &str) -> String {
    text.chars().take(60).collect()
}
