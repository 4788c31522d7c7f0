//! What an event of EventBridge says about a build of CodeBuild or an execution of CodePipeline, in
//! place of a job's environment.
//! <https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-codebuild.html>
//! <https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html>

pub(crate) mod arn;
mod build;
mod codebuild;
mod codepipeline;
mod execution;
mod foreign;
pub(crate) mod json;
pub(crate) mod region;
#[cfg(test)]
mod tests;

use self::json::Json;
use self::region::Region;
use crate::ci::context::Context;
use crate::ci::provider::ProviderInfo;
use crate::env::Env;
use crate::error::Error;
use crate::secret::Secret;
use crate::status::commit::DetectedCommit;
use crate::status::state::State;

/// Whose credentials count.
pub(crate) const CREDENTIALS: &str = "what a build has is not used: this process needs \
                                      BITBUCKET_ACCESS_TOKEN, or BITBUCKET_ACCESS_TOKEN_ARN, for one that \
                                      AWS keeps";

/// What an event says, and AWS's answers have added.
///
/// While [`ask`](Self::ask) holds a question, something is missing that its answer may have: ask it,
/// give the answer to [`learn`](Self::learn), look again. There are two questions at most.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) info: &'static ProviderInfo,
    /// The job is the project, with the identifier of a batch's child behind a slash; or the
    /// pipeline.
    pub(crate) context: Context,
    /// Where it runs, and where to ask. Not always where a function that gets the event runs.
    pub(crate) region: Region,
    pub(crate) description: String,
    /// Which other product the code comes from, in AWS's words. It may be mirrored on Bitbucket.
    pub(crate) elsewhere: Option<String>,
    /// Whether the job's name is the one that the reporter inside the build uses: a batch's child has
    /// one more word in it.
    pub(crate) is_named: bool,
    /// Variables of ours that the build was given. Whoever may start a build may set them: they must
    /// not lead the credentials of somebody else to another server.
    pub(crate) variables: Env,
    /// What must not be printed.
    pub(crate) secrets: Vec<Secret>,
    pub(crate) ask: Option<Question>,
}

/// What AWS can be asked about an event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Question {
    /// A build, by `PROJECT:UUID`.
    Build { id: String },
    /// What the child of a batch is called there, by the ARNs of both.
    BatchChild { batch: String, child: String },
    /// An execution of a pipeline.
    Execution { pipeline: String, id: String },
}

impl Event {
    /// An event of which nothing is known but what `context` says.
    fn new(info: &'static ProviderInfo, region: Region, context: Context) -> Self {
        Self {
            info,
            context,
            region,
            description: String::new(),
            elsewhere: None,
            is_named: true,
            variables: Env::default(),
            secrets: Vec::new(),
            ask: None,
        }
    }

    /// Reads an event.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        // PowerShell begins a file so.
        let text = text.trim_start_matches('\u{feff}');
        let foreign = || Error::BadEvent {
            problem: format!(
                "not one of CodeBuild or CodePipeline: {}",
                foreign::describe(text)
            ),
        };
        let event = Json::parse(text).map_err(|_| foreign())?;
        let (source, kind) = (event.text_of("source"), event.text_of("detail-type"));
        match (source.as_deref(), kind.as_deref()) {
            (Some("aws.codebuild"), Some("CodeBuild Build State Change")) => codebuild::read(event),
            (Some("aws.codepipeline"), Some("CodePipeline Pipeline Execution State Change")) => {
                codepipeline::read_execution(event)
            }
            (Some("aws.codepipeline"), Some("CodePipeline Action Execution State Change")) => {
                codepipeline::read_action(event)
            }
            _ => Err(foreign()),
        }
    }

    /// Adds what the answer to [`ask`](Self::ask) says, and finds out whether there is more to ask.
    pub(crate) fn learn(&mut self, answer: &str) -> Result<(), Error> {
        let answer = Json::read(answer);
        self.ask = match self.ask.take() {
            Some(Question::Build { id }) => self.learn_build(&id, answer)?,
            Some(Question::BatchChild { child, .. }) => self.learn_child(&child, answer)?,
            Some(Question::Execution { .. }) => {
                self.learn_execution(answer);
                None
            }
            None => None,
        };
        Ok(())
    }

    /// Refuses an event without a commit, after everything has been asked.
    pub(crate) fn check_commit(&self) -> Result<(), Error> {
        match (&self.context.commit, self.context.state) {
            (DetectedCommit::Hash(_), _) => Ok(()),
            (_, Some(State::InProgress)) => Err(nothing(
                "no commit is known yet: the source is not fetched; the next event has it",
            )),
            _ => Err(nothing(
                "no commit is known: the source was not fetched, or is not a git repository",
            )),
        }
    }

    /// Takes over the state that the API has. An INPROGRESS that is late must not be sent when the API
    /// knows the end already. The end that an event has is not taken back: the API may lag behind.
    fn overtake(&mut self, word: &str, describe: impl FnOnce(&str, State) -> String) {
        let is_final = self.context.state.is_some_and(State::is_final);
        if let Ok(Some(state)) = state(word)
            && state.is_final()
            && !is_final
        {
            self.context.state = Some(state);
            self.description = describe(word, state);
        }
    }
}

fn commit(hash: Option<String>) -> DetectedCommit {
    hash.map_or(DetectedCommit::Nothing, DetectedCommit::Hash)
}

fn missing(field: &str) -> Error {
    Error::BadEvent {
        problem: format!("it has no usable `{field}`"),
    }
}

fn nothing(reason: &str) -> Error {
    Error::NothingToReport {
        reason: reason.to_owned(),
    }
}

/// The state that a word of an event or of the API means. `None`: it is on its way to a state.
fn state(word: &str) -> Result<Option<State>, Error> {
    Ok(Some(match word {
        "IN_PROGRESS" | "STARTED" | "RESUMED" | "InProgress" => State::InProgress,
        "SUCCEEDED" | "Succeeded" => State::Successful,
        "FAILED" | "FAULT" | "TIMED_OUT" | "Failed" => State::Failed,
        "STOPPED" | "SUPERSEDED" | "CANCELED" | "ABANDONED" | "Stopped" | "Superseded"
        | "Cancelled" => State::Stopped,
        "STOPPING" | "Stopping" => return Ok(None),
        _ => {
            let problem = format!("its state is `{}`, which is not a known one", excerpt(word));
            return Err(Error::BadEvent { problem });
        }
    }))
}

/// The same for the state of an event, which has to have one.
fn state_of_event(word: Option<&str>, field: &str) -> Result<State, Error> {
    let word = word.ok_or_else(|| missing(field))?;
    state(word)?.ok_or_else(|| nothing("it is about to stop; the next event says so"))
}

/// Whether `text` may be a name or an id. AWS allows 150 characters at most.
fn is_name(text: &str) -> bool {
    text.chars().count() <= 255 && !text.contains(char::is_control)
}

/// As much of a word from outside as a message bears.
fn excerpt(text: &str) -> String {
    text.chars().take(60).collect()
}
