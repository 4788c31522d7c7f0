//! `CodePipeline Pipeline Execution State Change`, and `… Action Execution State Change` for source
//! actions, which know the commit when the start of the pipeline does not.
//! <https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html>

use percent_encoding::utf8_percent_encode;

use super::execution::{self, Revision};
use super::{Event, Question, commit, excerpt, is_name, missing, nothing, state_of_event};
use crate::ci::context::Context;
use crate::ci::event::arn::Arn;
use crate::ci::event::json::Json;
use crate::ci::event::region::Region;
use crate::ci::provider::ProviderInfo;
use crate::error::Error;
use crate::status::repository::{Repository, Site};
use crate::status::state::State;
use crate::status::url::{self, SEGMENT};

/// CodePipeline, which has no jobs of its own to report from.
pub(super) static INFO: ProviderInfo = ProviderInfo {
    id: "codepipeline",
    name: "AWS CodePipeline",
    docs: "https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html",
    key: "codepipeline",
    url_setting: "the event's pipeline",
    ..super::codebuild::INFO
};

/// What the action is called for every connection, whoever provides it.
const CONNECTION: &str = "CodeStarSourceConnection";

pub(super) fn read_execution(event: Json<'_>) -> Result<Event, Error> {
    let detail = event.get("detail");
    let word = detail.text_of("state");
    let state = state_of_event(word.as_deref(), "detail.state")?;
    // A Git trigger of a V2 pipeline says everything. Others say nothing of use.
    let trigger = detail.get("execution-trigger");
    // Its branch is not used: other events of the same execution lack it, and to Cloud, a status with
    // another refname is another status.
    let revision = Revision {
        provider: trigger.text_of("provider-type"),
        repository: trigger.text_of("full-repository-name"),
        ..Revision::read(trigger.text_of("commit-id"), None, None)
    };
    let mut read = read(event, state, revision)?;
    read.description = description(&word.unwrap_or_default(), state);
    Ok(read)
}

pub(super) fn read_action(event: Json<'_>) -> Result<Event, Error> {
    let detail = event.get("detail");
    let state = state_of_event(detail.text_of("state").as_deref(), "detail.state")?;
    let kind = detail.get("type");
    match kind.text_of("category").as_deref() {
        Some("Source") if state == State::Successful => {}
        Some("Source") => {
            return Err(nothing(
                "a source action that has not succeeded: the pipeline's own events say more",
            ));
        }
        Some(category) => {
            let category = excerpt(category);
            return Err(nothing(&format!(
                "an action of the category {category}: only Source tells of a commit"
            )));
        }
        None => return Err(missing("detail.type.category")),
    }
    let result = detail.get("execution-result");
    let text = |name| result.text_of(name);
    let (url, summary) = (
        text("external-execution-url"),
        text("external-execution-summary"),
    );
    let id = text("external-execution-id");
    let mut revision = Revision::read(id, url.as_deref(), summary.as_deref());
    let provider = kind.text_of("provider").filter(|it| it != CONNECTION);
    revision.provider = revision.provider.or(provider);
    read(event, State::InProgress, revision)
}

fn read(event: Json<'_>, state: State, revision: Revision) -> Result<Event, Error> {
    let detail = event.get("detail");
    let text = |name: &str| {
        let found = detail.text_of(name).filter(|it| is_name(it));
        found.ok_or_else(|| missing(&format!("detail.{name}")))
    };
    let (pipeline, id) = (text("pipeline")?, text("execution-id")?);
    let page = format!(
        "codepipeline/pipelines/{}/executions/{}/visualization",
        utf8_percent_encode(&pipeline, SEGMENT),
        utf8_percent_encode(&id, SEGMENT)
    );
    let region = region(event).ok_or_else(|| missing("region"))?;
    // A stage that is retried goes on in the same execution, whose page has one address.
    let attempt = detail.text_of("pipeline-execution-attempt");
    let attempt = attempt.and_then(|it| it.parse().ok()).unwrap_or(1);
    let context = Context {
        job_name: Some(pipeline.clone()),
        url: region.console(&page).map(|it| url::of_attempt(it, attempt)),
        state: Some(state),
        ..Context::default()
    };
    let mut event = Event::new(&INFO, region, context);
    event.description = description("", state);
    event.take_revision(revision);
    let context = &event.context;
    let is_known = context.commit.hash().is_some() && context.repository.is_some();
    if !is_known && event.elsewhere.is_none() {
        event.ask = Some(Question::Execution { pipeline, id });
    }
    Ok(event)
}

fn region(event: Json<'_>) -> Option<Region> {
    let own = event.text_of("region");
    own.as_deref().and_then(Region::parse).or_else(|| {
        let resource = event.get("resources").items().first()?.text()?;
        Some(Arn::parse(&resource)?.region)
    })
}

/// What happened, for a word of an event or of the API.
fn description(word: &str, state: State) -> String {
    match (word, state) {
        ("SUPERSEDED" | "Superseded", _) => "Superseded by a newer execution.",
        ("CANCELED" | "Cancelled", _) => "Cancelled: the pipeline was changed.",
        (_, State::InProgress) => "The pipeline is running!",
        (_, State::Successful) => "The pipeline passed!",
        (_, State::Failed) => "The pipeline failed.",
        (_, State::Stopped) => "The pipeline was stopped.",
    }
    .to_owned()
}

impl Event {
    /// Adds what is not known yet. The provider tells Bitbucket from others; without one, the
    /// repository may be anybody's.
    fn take_revision(&mut self, revision: Revision) {
        if self.context.repository.is_none() && self.elsewhere.is_none() {
            let path = revision.repository.as_deref();
            if revision.is_on_bitbucket() {
                self.context.repository =
                    path.and_then(|path| Repository::at(Site::Cloud, Some("bitbucket.org"), path));
            } else {
                self.elsewhere = revision.provider.as_deref().map(excerpt);
            }
        }
        if self.context.commit.hash().is_none() {
            self.context.commit = commit(revision.commit);
        }
    }

    /// Reads the answer to `GetPipelineExecution`.
    /// <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineExecution.html>
    pub(super) fn learn_execution(&mut self, answer: Json<'_>) {
        let execution = answer.get("pipelineExecution");
        if let Some(revision) = execution::revision(execution) {
            self.take_revision(revision);
        }
        if let Some(word) = execution.text_of("status") {
            self.overtake(&word, description);
        }
        let is_bad = matches!(self.context.state, Some(State::Failed | State::Stopped));
        if let Some(summary) = execution.text_of("statusSummary").filter(|_| is_bad) {
            self.description = format!("{} {summary}", self.description);
        }
        // It brings back an older execution's revision.
        if execution.text_of("executionType").as_deref() == Some("ROLLBACK") {
            self.description = format!("Rollback: {}", self.description);
        }
    }
}
