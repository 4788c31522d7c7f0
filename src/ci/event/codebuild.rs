//! `CodeBuild Build State Change`, and what CodeBuild's API says besides.
//! <https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications-ref.html>

use percent_encoding::utf8_percent_encode;

use super::build::{Build, IDENTIFIER};
use super::{
    CREDENTIALS, Event, Question, commit, excerpt, is_name, missing, nothing, state_of_event,
};
use crate::ci::context::Context;
use crate::ci::event::arn::Arn;
use crate::ci::event::json::Json;
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
    secrets_caveat: CREDENTIALS,
};

pub(super) fn read(event: Json<'_>) -> Result<Event, Error> {
    let detail = event.get("detail");
    let status = detail.text_of("build-status");
    let state = state_of_event(status.as_deref(), "detail.build-status")?;
    // An ARN, although it is called an id.
    let mut arns = event.get("resources").items();
    arns.insert(0, detail.get("build-id"));
    let arns: Vec<_> = arns.into_iter().filter_map(Json::text).collect();
    let found = arns.iter().find_map(|arn| {
        let arn = Arn::parse(arn)?;
        let (project, id) = arn.build().filter(|(_, id)| is_name(id))?;
        Some((arn, project, id))
    });
    let (arn, project, id) = found.ok_or_else(|| missing("detail.build-id"))?;
    let build = Build(detail.get("additional-information"));
    let pipeline_url = |pipeline: String| {
        let pipeline = utf8_percent_encode(&pipeline, SEGMENT);
        let page = format!("codepipeline/pipelines/{pipeline}/view");
        arn.region.console(&page)
    };
    let page = format!(
        "codebuild/{}/projects/{}/build/{}/",
        arn.account,
        utf8_percent_encode(project, SEGMENT),
        utf8_percent_encode(id, SEGMENT)
    );
    let context = Context {
        job_name: Some(project.to_owned()),
        url: arn.region.console(&page),
        pipeline_url: build.pipeline().and_then(pipeline_url),
        state: Some(state),
        ..Context::default()
    };
    let mut event = Event::new(&INFO, arn.region.clone(), context);
    event.description = build.description(&status.unwrap_or_default(), state);
    // The first event says of nobody who has started it.
    event.is_named = build.0.text_of("initiator").is_some() && !build.may_be_child();
    event.fill(build);
    let is_named = event.name_child_by_variable() || !build.may_be_child();
    if event.context.commit.hash().is_none() || !is_named {
        let id = id.to_owned();
        event.ask = Some(Question::Build { id });
    }
    Ok(event)
}

impl Event {
    /// Adds what `build` says, and is not known yet.
    fn fill(&mut self, build: Build<'_>) {
        let context = &mut self.context;
        if context.repository.is_none() && self.elsewhere.is_none() {
            (context.repository, self.elsewhere) = source(build.0.get("source"));
        }
        if context.commit.hash().is_none() {
            context.commit = commit(build.commit());
        }
        if context.refname().is_none() {
            context.set_refname(build.refname());
        }
        if context.build_number.is_none() {
            context.build_number = build.0.text_of("build-number");
        }
        if self.variables == Env::default() {
            self.variables = build.variables();
        }
        self.secrets.extend(build.secrets());
    }

    /// Whether the build has been given its name in the batch.
    fn name_child_by_variable(&mut self) -> bool {
        let identifier = self.variables.get(IDENTIFIER).filter(|it| is_name(it));
        let identifier = identifier.map(str::to_owned);
        identifier.is_some_and(|identifier| {
            self.name_child(&identifier);
            true
        })
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
        answer: Json<'_>,
    ) -> Result<Option<Question>, Error> {
        let build = answer.get("builds").items().first().copied().map(Build);
        let build = build.ok_or_else(|| nothing("AWS does not know the build any more"))?;
        build.check_id(id)?;
        let was_named = self.variables.get(IDENTIFIER).is_some();
        self.fill(build);
        if let Some(word) = build.0.text_of("buildStatus") {
            self.overtake(&word, |word, state| build.description(word, state));
        }
        if was_named || self.name_child_by_variable() {
            return Ok(None);
        }
        // The ARN of the build is that of its batch but for the last part.
        let question = build.0.text_of("buildBatchArn").and_then(|batch| {
            let (before, _) = batch.split_once(":build-batch/")?;
            let child = format!("{before}:build/{id}");
            Some(Question::BatchChild { batch, child })
        });
        Ok(question)
    }

    /// Reads the answer to `BatchGetBuildBatches`.
    pub(super) fn learn_child(
        &mut self,
        child: &str,
        answer: Json<'_>,
    ) -> Result<Option<Question>, Error> {
        let batches = answer.get("buildBatches").items();
        let mut groups = batches.iter().flat_map(|it| it.get("buildGroups").items());
        let group = groups.find(|group| {
            let mut builds = group.get("priorBuildSummaryList").items();
            builds.push(group.get("currentBuildSummary"));
            builds
                .iter()
                .any(|it| it.text_of("arn").as_deref() == Some(child))
        });
        let identifier = group.and_then(|group| group.text_of("identifier"));
        let identifier = identifier.filter(|it| is_name(it));
        let gone = || nothing("AWS does not know the build's batch any more");
        self.name_child(&identifier.ok_or_else(gone)?);
        Ok(None)
    }
}

/// The repository on Bitbucket, or the product that the code comes from instead.
fn source(source: Json<'_>) -> (Option<Repository>, Option<String>) {
    let location = source.text_of("location");
    let repository = location.as_deref().and_then(Repository::from_url);
    // CodeBuild knows a Data Center as a GitHub Enterprise at most.
    match (repository, source.text_of("type").as_deref()) {
        (Some(repository), _) if repository.site != Site::Elsewhere => (Some(repository), None),
        (_, Some("BITBUCKET" | "CODEPIPELINE" | "S3" | "NO_SOURCE") | None) => (None, None),
        (_, Some(kind)) => (None, Some(excerpt(kind))),
    }
}
