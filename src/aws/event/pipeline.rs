//! `CodePipeline Pipeline Execution State Change`, and `… Action Execution State Change` for source
//! actions, which know the commit when the start of the pipeline does not.
//! <https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html>

use percent_encoding::utf8_percent_encode;
use serde::Deserialize;

use super::{Envelope, Event, Source, Unusable, excerpt, state, state_of_event};
use crate::aws::api::Call;
use crate::aws::execution::{Execution, Revision};
use crate::aws::json::{Object, Text};
use crate::env::Env;
use crate::link::SEGMENT;
use crate::refname::Refname;
use crate::state::State;

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

pub(super) fn read_execution(envelope: &Envelope, detail: &str) -> Result<Event, Unusable> {
    let Object(detail): Object<Detail> = serde_json::from_str(detail).unwrap_or_default();
    let state = state_of_event(&detail.state, "detail.state")?;
    let trigger = &detail.execution_trigger;
    let mut event = event(envelope, &detail, state)?;
    event.description = description(detail.state.get().unwrap_or_default(), state);
    event.refname = trigger.refname();
    let mut revision = Revision::read(trigger.commit_id.get(), None, None);
    revision.provider = trigger.provider_type.get().map(str::to_owned);
    revision.repository = trigger.full_repository_name.get().map(str::to_owned);
    event.take_revision(revision);
    Ok(event.asking(&detail))
}

pub(super) fn read_action(envelope: &Envelope, detail: &str) -> Result<Event, Unusable> {
    let Object(detail): Object<Detail> = serde_json::from_str(detail).unwrap_or_default();
    let state = state_of_event(&detail.state, "detail.state")?;
    match detail.kind.category.get() {
        Some("Source") if state == State::Successful => {}
        Some("Source") => {
            let reason =
                "a source action that has not succeeded: the pipeline's own events say more";
            return Err(Unusable::Nothing(reason.to_owned()));
        }
        Some(category) => {
            let category = excerpt(category);
            let reason =
                format!("an action of the category {category}: only Source tells of a commit");
            return Err(Unusable::Nothing(reason));
        }
        None => return Err(Unusable::Missing("detail.type.category")),
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

fn event(envelope: &Envelope, detail: &Detail, state: State) -> Result<Event, Unusable> {
    let pipeline = detail
        .pipeline
        .get()
        .ok_or(Unusable::Missing("detail.pipeline"))?;
    let id = detail
        .execution_id
        .get()
        .ok_or(Unusable::Missing("detail.execution-id"))?;
    let region = envelope.region().ok_or(Unusable::Missing("region"))?;
    let page = format!(
        "codepipeline/pipelines/{}/executions/{}/visualization",
        utf8_percent_encode(pipeline, SEGMENT),
        utf8_percent_encode(id, SEGMENT)
    );
    Ok(Event {
        provider: "codepipeline",
        job_name: pipeline.to_owned(),
        url: region.console(&page),
        pipeline_url: None,
        region,
        state,
        description: description("", state),
        build_number: None,
        source: Source::Unknown,
        commit: None,
        refname: None,
        variables: Env::default(),
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
        let branch = self
            .branch_name
            .get()
            .map(|it| Refname::Branch(it.to_owned()));
        branch.or_else(|| self.tag_name.get().map(|it| Refname::Tag(it.to_owned())))
    }
}

impl Event {
    fn asking(mut self, detail: &Detail) -> Self {
        let is_elsewhere = matches!(self.source, Source::Elsewhere(_));
        if !is_elsewhere && (self.commit.is_none() || self.source == Source::Unknown) {
            self.ask = Some(Call::Execution {
                pipeline: self.job_name.clone(),
                id: detail.execution_id.get().unwrap_or_default().to_owned(),
            });
        }
        self
    }

    pub(super) fn learn_execution(&mut self, execution: &Execution) {
        if let Some(revision) = execution.revision() {
            self.take_revision(revision);
        }
        if let Some(word) = execution.status.get()
            && let Ok(Some(state)) = state(word)
            && self.is_overtaken_by(state)
        {
            self.state = state;
            self.description = description(word, state);
        }
        let is_bad = matches!(self.state, State::Failed | State::Stopped);
        if let Some(summary) = execution.status_summary.get().filter(|_| is_bad) {
            self.description = format!("{} {summary}", self.description);
        }
        if execution.is_rollback() {
            self.description = format!("Rollback: {}", self.description);
        }
    }
}
