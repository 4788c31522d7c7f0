//! `CodeBuild Build State Change`.
//! <https://docs.aws.amazon.com/codebuild/latest/userguide/sample-build-notifications-ref.html>

use percent_encoding::utf8_percent_encode;
use serde::Deserialize;

use super::{Envelope, Event, Source, Unusable, excerpt, state, state_of_event};
use crate::aws::api::Call;
use crate::aws::arn::Arn;
use crate::aws::build::{self, Build};
use crate::aws::json::{Object, Text};
use crate::aws::region::Region;
use crate::link::SEGMENT;
use crate::repository::{Repository, Site};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Detail {
    build_status: Text,
    /// An ARN, although it is called an id.
    build_id: Text,
    additional_information: Object<Build>,
}

/// What tells a batch's child from its siblings. The reporter inside the build reads it too.
const IDENTIFIER: &str = "CODEBUILD_BATCH_BUILD_IDENTIFIER";

pub(super) fn read(envelope: &Envelope, detail: &str) -> Result<Event, Unusable> {
    let Object(detail): Object<Detail> = serde_json::from_str(detail).unwrap_or_default();
    let state = state_of_event(&detail.build_status, "detail.build-status")?;
    let status = detail.build_status.get().unwrap_or_default();
    let mut arns = [&detail.build_id]
        .into_iter()
        .chain(envelope.resources.iter())
        .filter_map(|arn| Arn::parse(arn.get()?));
    let (arn, project, uuid) = arns
        .find_map(|arn| arn.build().map(|(project, uuid)| (arn, project, uuid)))
        .ok_or(Unusable::Missing("detail.build-id"))?;
    let build = detail.additional_information.0;
    let id = format!("{project}:{uuid}");
    let page = format!(
        "codebuild/{}/projects/{}/build/{}/",
        arn.account,
        utf8_percent_encode(project, SEGMENT),
        utf8_percent_encode(&id, SEGMENT)
    );
    let mut event = Event {
        provider: "codebuild",
        job_name: project.to_owned(),
        url: arn.region.console(&page),
        pipeline_url: build
            .pipeline()
            .and_then(|it| pipeline_url(&arn.region, it)),
        region: arn.region,
        state,
        description: build.description(status, state),
        build_number: None,
        source: Source::Unknown,
        commit: None,
        refname: None,
        variables: build.variables(),
        ask: None,
    };
    event.fill(&build);
    let identifier = event.variables.get(IDENTIFIER).map(str::to_owned);
    let is_named = identifier.is_some() || !build.may_be_child();
    if let Some(identifier) = identifier {
        event.job_name = format!("{project}/{identifier}");
    }
    if event.commit.is_none() || !is_named {
        event.ask = Some(Call::Build { id });
    }
    Ok(event)
}

fn pipeline_url(region: &Region, pipeline: &str) -> Option<String> {
    let pipeline = utf8_percent_encode(pipeline, SEGMENT);
    region.console(&format!("codepipeline/pipelines/{pipeline}/view"))
}

impl Event {
    /// Adds what `build` says, and is not known yet.
    fn fill(&mut self, build: &Build) {
        if self.source == Source::Unknown {
            self.source = Source::of_build(&build.source);
        }
        self.commit = self.commit.take().or_else(|| build.commit());
        self.refname = self.refname.take().or_else(|| build.refname());
        let number = || build.build_number.get().map(str::to_owned);
        self.build_number = self.build_number.take().or_else(number);
    }

    /// Adds what the API says about the build `id`, and gives what is to be asked then.
    pub(super) fn learn_build(&mut self, id: &str, build: &Build) -> Option<Call> {
        self.fill(build);
        if self.variables == crate::env::Env::default() {
            self.variables = build.variables();
        }
        if let Some(word) = build.build_status.get()
            && let Ok(Some(state)) = state(word)
            && self.is_overtaken_by(state)
        {
            self.state = state;
            self.description = build.description(word, state);
        }
        let batch = build.build_batch_arn.get()?;
        let is_named = self.variables.get(IDENTIFIER).is_some();
        // The ARN of the build is that of its batch but for the last part.
        let (before, _) = batch.split_once(":build-batch/")?;
        (!is_named).then(|| Call::BatchChild {
            batch: batch.to_owned(),
            child: format!("{before}:build/{id}"),
        })
    }
}

impl Source {
    fn of_build(source: &build::Source) -> Self {
        let repository = source.location.get().and_then(Repository::from_url);
        // CodeBuild knows a Data Center as a GitHub Enterprise at most.
        match (repository, source.kind.get()) {
            (Some(repository), _) if repository.site != Site::Elsewhere => {
                Self::Bitbucket(repository)
            }
            (_, Some("BITBUCKET" | "CODEPIPELINE" | "S3" | "NO_SOURCE") | None) => Self::Unknown,
            (_, Some(kind)) => Self::Elsewhere(excerpt(kind)),
        }
    }
}
