//! `CodeBuild Build State Change`, and what CodeBuild's API says besides.
//! <https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications-ref.html>

use percent_encoding::utf8_percent_encode;
use serde::Deserialize;

use super::build::{self, Build, IDENTIFIER};
use super::{Envelope, Event, Question, commit, excerpt, missing, nothing, state_of_event};
use crate::ci::context::Context;
use crate::ci::event::arn::Arn;
use crate::ci::event::json::{List, Object, Text};
use crate::ci::provider::ProviderInfo;
use crate::env::Env;
use crate::error::Error;
use crate::status::repository::{Repository, Site};
use crate::status::url::SEGMENT;

/// CodeBuild, seen from outside.
pub(super) static INFO: ProviderInfo = ProviderInfo {
    id: "codebuild",
    name: "AWS CodeBuild",
    docs: "https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications-ref.html",
    // That of the reporter inside the build: both write one status.
    key: "codebuild",
    signs: &[],
    commit: &[],
    state: None,
    state_caveat: "the event says it",
    url_setting: "the event's build-id",
    secrets_caveat: "what the build has is not used: the credentials are those of this process",
};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Detail {
    build_status: Text,
    /// An ARN, although it is called an id.
    build_id: Text,
    additional_information: Object<Build>,
}

pub(super) fn read(envelope: &Envelope, detail: &str) -> Result<Event, Error> {
    let Object(detail): Object<Detail> = serde_json::from_str(detail).unwrap_or_default();
    let state = state_of_event(&detail.build_status, "detail.build-status")?;
    let status = detail.build_status.get().unwrap_or_default();
    let arns = [&detail.build_id]
        .into_iter()
        .chain(envelope.resources.iter());
    let mut arns = arns.filter_map(|arn| Arn::parse(arn.get()?));
    let (arn, project, id) = arns
        .find_map(|arn| arn.build().map(|(project, id)| (arn, project, id)))
        .ok_or_else(|| missing("detail.build-id"))?;
    let build = detail.additional_information.0;
    let pipeline_url = |pipeline| {
        let pipeline = utf8_percent_encode(pipeline, SEGMENT);
        let page = format!("codepipeline/pipelines/{pipeline}/view");
        arn.region.console(&page)
    };
    let page = format!(
        "codebuild/{}/projects/{}/build/{}/",
        arn.account,
        utf8_percent_encode(project, SEGMENT),
        utf8_percent_encode(id, SEGMENT)
    );
    let mut event = Event {
        info: &INFO,
        context: Context {
            job_name: Some(project.to_owned()),
            url: arn.region.console(&page),
            pipeline_url: build.pipeline().and_then(pipeline_url),
            state: Some(state),
            ..Context::default()
        },
        description: build.description(status, state),
        region: arn.region.clone(),
        elsewhere: None,
        // The first event says of nobody who has started it.
        is_named: build.initiator.get().is_some() && !build.may_be_child(),
        variables: Env::default(),
        secrets: Vec::new(),
        ask: None,
    };
    event.fill(&build);
    let is_nameless_child = build.may_be_child() && event.variables.get(IDENTIFIER).is_none();
    let identifier = event.variables.get(IDENTIFIER).map(str::to_owned);
    if let Some(identifier) = identifier {
        event.name_child(&identifier);
    }
    if event.context.commit.hash().is_none() || is_nameless_child {
        let id = id.to_owned();
        event.ask = Some(Question::Build { id });
    }
    Ok(event)
}

impl Event {
    /// Adds what `build` says, and is not known yet.
    fn fill(&mut self, build: &Build) {
        let context = &mut self.context;
        if context.repository.is_none() && self.elsewhere.is_none() {
            (context.repository, self.elsewhere) = source(&build.source);
        }
        if context.commit.hash().is_none() {
            context.commit = commit(build.commit());
        }
        if context.refname().is_none() {
            context.set_refname(build.refname());
        }
        if context.build_number.is_none() {
            context.build_number = build.build_number.get().map(str::to_owned);
        }
        if self.variables == Env::default() {
            self.variables = build.variables();
        }
        self.secrets.extend(build.secrets());
    }

    fn name_child(&mut self, identifier: &str) {
        let project = self.context.job_name.take().unwrap_or_default();
        self.context.job_name = Some(format!("{project}/{identifier}"));
        self.is_named = true;
    }

    /// Reads the answer to `BatchGetBuilds`. A batch's child has to be asked for its name.
    pub(super) fn learn_build(
        &mut self,
        id: &str,
        answer: &str,
    ) -> Result<Option<Question>, Error> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Answer {
            builds: List<Object<Build>>,
        }
        let Object(answer): Object<Answer> = serde_json::from_str(answer).unwrap_or_default();
        let build = answer.builds.iter().next();
        let build = build.ok_or_else(|| nothing("AWS does not know the build any more"))?;
        let was_named = self.variables.get(IDENTIFIER).is_some();
        self.fill(build);
        if let Some(word) = build.build_status.get() {
            self.overtake(word, |word, state| build.description(word, state));
        }
        if was_named {
            return Ok(None);
        }
        if let Some(identifier) = self.variables.get(IDENTIFIER).map(str::to_owned) {
            self.name_child(&identifier);
            return Ok(None);
        }
        // The ARN of the build is that of its batch but for the last part.
        let batch = build.build_batch_arn.get();
        let before = batch.and_then(|batch| Some((batch, batch.split_once(":build-batch/")?.0)));
        Ok(before.map(|(batch, before)| Question::BatchChild {
            batch: batch.to_owned(),
            child: format!("{before}:build/{id}"),
        }))
    }

    /// Reads the answer to `BatchGetBuildBatches`.
    pub(super) fn learn_child(
        &mut self,
        child: &str,
        answer: &str,
    ) -> Result<Option<Question>, Error> {
        let Object(answer): Object<Batches> = serde_json::from_str(answer).unwrap_or_default();
        let mut groups = answer
            .build_batches
            .iter()
            .flat_map(|it| it.build_groups.iter());
        let group = groups.find(|group| {
            let prior = group.prior_build_summary_list.iter();
            let mut builds = prior.chain([&group.current_build_summary]);
            builds.any(|build| build.arn.get() == Some(child))
        });
        let identifier = group.and_then(|group| group.identifier.get());
        let gone = || nothing("AWS does not know the build's batch any more");
        self.name_child(identifier.ok_or_else(gone)?);
        Ok(None)
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Batches {
    build_batches: List<Object<Batch>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Batch {
    build_groups: List<Object<Group>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Group {
    identifier: Text,
    current_build_summary: Object<Summary>,
    prior_build_summary_list: List<Object<Summary>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Summary {
    arn: Text,
}

/// The repository on Bitbucket, or the product that the code comes from instead.
fn source(source: &build::Source) -> (Option<Repository>, Option<String>) {
    let repository = source.location.get().and_then(Repository::from_url);
    // CodeBuild knows a Data Center as a GitHub Enterprise at most.
    match (repository, source.kind.get()) {
        (Some(repository), _) if repository.site != Site::Elsewhere => (Some(repository), None),
        (_, Some("BITBUCKET" | "CODEPIPELINE" | "S3" | "NO_SOURCE") | None) => (None, None),
        (_, Some(kind)) => (None, Some(excerpt(kind))),
    }
}
