//! `CodePipeline Pipeline Execution State Change`, and `… Action Execution State Change` for source
//! actions, which know the commit when the start of the pipeline does not.
//! <https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html>

use percent_encoding::utf8_percent_encode;
use serde::Deserialize;

use super::execution::{Execution, Revision};
use super::{Envelope, Event, Question, commit, excerpt, missing, nothing, state_of_event};
use crate::ci::context::Context;
use crate::ci::event::json::{Object, Text};
use crate::ci::provider::ProviderInfo;
use crate::env::Env;
use crate::error::Error;
use crate::status::refname::Refname;
use crate::status::repository::{Repository, Site};
use crate::status::state::State;
use crate::status::url::SEGMENT;

/// CodePipeline, which has no jobs of its own to report from.
pub(super) static INFO: ProviderInfo = ProviderInfo {
    id: "codepipeline",
    name: "AWS CodePipeline",
    docs: "https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html",
    key: "codepipeline",
    url_setting: "the event's pipeline",
    ..super::codebuild::INFO
};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Detail {
    pipeline: Text,
    execution_id: Text,
    state: Text,
    execution_trigger: Object<Trigger>,
    #[serde(rename = "type")]
    kind: Object<ActionType>,
    execution_result: Object<ActionResult>,
}

/// A Git trigger of a V2 pipeline says everything. Others say nothing of use.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Trigger {
    provider_type: Text,
    full_repository_name: Text,
    commit_id: Text,
    branch_name: Text,
    tag_name: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ActionType {
    category: Text,
    provider: Text,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct ActionResult {
    external_execution_id: Text,
    external_execution_url: Text,
    external_execution_summary: Text,
}

/// What the action is called for every connection, whoever provides it.
const CONNECTION: &str = "CodeStarSourceConnection";

pub(super) fn read_execution(envelope: &Envelope, detail: &str) -> Result<Event, Error> {
    let Object(detail): Object<Detail> = serde_json::from_str(detail).unwrap_or_default();
    let state = state_of_event(&detail.state, "detail.state")?;
    let trigger = &detail.execution_trigger;
    let mut event = event(envelope, &detail, state)?;
    event.description = description(detail.state.get().unwrap_or_default(), state);
    event.context.set_refname(trigger.refname());
    event.take_revision(Revision {
        provider: trigger.provider_type.get().map(str::to_owned),
        repository: trigger.full_repository_name.get().map(str::to_owned),
        ..Revision::read(trigger.commit_id.get(), None, None)
    });
    Ok(event.asking(&detail))
}

pub(super) fn read_action(envelope: &Envelope, detail: &str) -> Result<Event, Error> {
    let Object(detail): Object<Detail> = serde_json::from_str(detail).unwrap_or_default();
    let state = state_of_event(&detail.state, "detail.state")?;
    match detail.kind.category.get() {
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
    let mut event = event(envelope, &detail, State::InProgress)?;
    let result = &detail.execution_result;
    let mut revision = Revision::read(
        result.external_execution_id.get(),
        result.external_execution_url.get(),
        result.external_execution_summary.get(),
    );
    let provider = detail.kind.provider.get().filter(|it| *it != CONNECTION);
    revision.provider = revision.provider.or(provider.map(str::to_owned));
    event.take_revision(revision);
    Ok(event.asking(&detail))
}

fn event(envelope: &Envelope, detail: &Detail, state: State) -> Result<Event, Error> {
    let pipeline = detail
        .pipeline
        .get()
        .ok_or_else(|| missing("detail.pipeline"))?;
    let id = detail
        .execution_id
        .get()
        .ok_or_else(|| missing("detail.execution-id"))?;
    let region = envelope.region().ok_or_else(|| missing("region"))?;
    let page = format!(
        "codepipeline/pipelines/{}/executions/{}/visualization",
        utf8_percent_encode(pipeline, SEGMENT),
        utf8_percent_encode(id, SEGMENT)
    );
    Ok(Event {
        info: &INFO,
        context: Context {
            job_name: Some(pipeline.to_owned()),
            url: region.console(&page),
            state: Some(state),
            ..Context::default()
        },
        region,
        description: description("", state),
        elsewhere: None,
        is_named: true,
        variables: Env::default(),
        secrets: Vec::new(),
        ask: None,
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

impl Trigger {
    fn refname(&self) -> Option<Refname> {
        let name = |text: &Text| text.get().map(str::to_owned);
        let branch = name(&self.branch_name).map(Refname::Branch);
        branch.or_else(|| name(&self.tag_name).map(Refname::Tag))
    }
}

impl Event {
    fn asking(mut self, detail: &Detail) -> Self {
        let context = &self.context;
        let is_known = context.commit.hash().is_some() && context.repository.is_some();
        if !is_known && self.elsewhere.is_none() {
            self.ask = Some(Question::Execution {
                pipeline: context.job_name.clone().unwrap_or_default(),
                id: detail.execution_id.get().unwrap_or_default().to_owned(),
            });
        }
        self
    }

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
    pub(super) fn learn_execution(&mut self, answer: &str) -> Option<Question> {
        #[derive(Default, Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        struct Answer {
            pipeline_execution: Object<Execution>,
        }
        let Object(answer): Object<Answer> = serde_json::from_str(answer).unwrap_or_default();
        let execution = answer.pipeline_execution.0;
        if let Some(revision) = execution.revision() {
            self.take_revision(revision);
        }
        if let Some(word) = execution.status.get() {
            self.overtake(word, description);
        }
        let is_bad = matches!(self.context.state, Some(State::Failed | State::Stopped));
        if let Some(summary) = execution.status_summary.get().filter(|_| is_bad) {
            self.description = format!("{} {summary}", self.description);
        }
        if execution.is_rollback() {
            self.description = format!("Rollback: {}", self.description);
        }
        None
    }
}
