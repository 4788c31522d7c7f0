//! What a CI says about the job, before options override it.

use serde::{Serialize, Serializer};

use crate::status::commit::DetectedCommit;
use crate::status::refname::Refname;
use crate::status::repository::Repository;
use crate::status::state::State;
use crate::status::url;

/// What a CI's environment says about the job. `None` means that it does not say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context {
    /// The commit under test, as Bitbucket knows it: the head of a pull request, never its merge.
    pub commit: DetectedCommit,
    /// The branch; in a pull request, the source branch.
    pub branch: Option<String>,
    /// The tag, in a build of a tag.
    pub tag: Option<String>,
    /// The repository that the CI says it builds.
    pub repository: Option<Repository>,
    /// The job's name, including matrix values and shard, so that it is unique.
    pub job_name: Option<String>,
    /// The job's name without the part for the branch or pull request, where it has one.
    pub job_name_on_any_branch: Option<String>,
    /// The job's page.
    pub url: Option<String>,
    /// The page of the pipeline that the job belongs to.
    pub pipeline_url: Option<String>,
    /// The build's number, as people see it.
    pub build_number: Option<String>,
    /// The pull request's number.
    pub pull_request: Option<String>,
    /// The job's status.
    pub state: Option<State>,
    /// Whether it has failed because it took too long.
    pub has_timed_out: bool,
    /// The directory of the working copy, if it is not the working directory.
    pub directory: Option<String>,
    /// Whether other jobs have this name too.
    pub namesakes: Namesakes,
    /// A warning about a file of the CI that cannot be read, with its variable and path.
    pub unreadable: Option<String>,
}

/// Whether other jobs of the run have the same name, and so the same default key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Namesakes {
    /// None has.
    #[default]
    None,
    /// Those of a matrix, if the job has one, which nothing says.
    Unknown,
    /// The other jobs of a matrix.
    Matrix,
}

impl Context {
    /// The branch, else the tag.
    pub(crate) fn refname(&self) -> Option<Refname> {
        let branch = self.branch.clone().map(Refname::Branch);
        branch.or_else(|| self.tag.clone().map(Refname::Tag))
    }

    /// Reads `refs/heads/…` into `branch` or `refs/tags/…` into `tag`.
    pub(crate) fn set_refname(&mut self, refname: Option<Refname>) {
        (self.branch, self.tag) = match refname {
            Some(Refname::Branch(name)) => (Some(name), None),
            Some(Refname::Tag(name)) => (None, Some(name)),
            None => (None, None),
        };
    }

    /// Nothing but the branch or tag.
    pub(crate) fn on(refname: Option<Refname>) -> Self {
        let mut context = Self::default();
        context.set_refname(refname);
        context
    }
}

/// The fields of `build_status context --output json`, except the provider's.
impl Serialize for Context {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<'a> {
            commit: Option<&'a str>,
            branch: &'a Option<String>,
            tag: &'a Option<String>,
            repository: Option<String>,
            repository_host: Option<&'a str>,
            job_name: &'a Option<String>,
            url: Option<String>,
            pipeline_url: Option<String>,
            build_number: &'a Option<String>,
            pull_request: &'a Option<String>,
            state: Option<State>,
        }
        let repository = self.repository.as_ref();
        Fields {
            commit: self.commit.hash(),
            branch: &self.branch,
            tag: &self.tag,
            repository: repository.map(Repository::path),
            repository_host: repository.and_then(|it| it.host.as_deref()),
            job_name: &self.job_name,
            url: self.url.as_deref().map(url::without_user),
            pipeline_url: self.pipeline_url.as_deref().map(url::without_user),
            build_number: &self.build_number,
            pull_request: &self.pull_request,
            state: self.state,
        }
        .serialize(serializer)
    }
}
