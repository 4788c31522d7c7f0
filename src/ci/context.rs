//! What a CI says about the job, before anybody overrides it.

use serde::{Serialize, Serializer};

use crate::status::commit::DetectedCommit;
use crate::status::refname::Refname;
use crate::status::repository::Repository;
use crate::status::state::State;
use crate::status::url;

/// What was read from the CI's environment. `None` means that the CI does not say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context {
    /// The commit under test, as Bitbucket knows it: the head of a pull request, never its merge.
    pub commit: DetectedCommit,
    /// The branch; in a pull request, the source branch.
    pub branch: Option<String>,
    /// The tag, in a build of one.
    pub tag: Option<String>,
    /// The repository that the CI says it builds.
    pub repository: Option<Repository>,
    /// The job's name, with what tells it apart from its siblings (matrix values, shard).
    pub job_name: Option<String>,
    /// The job's page.
    pub url: Option<String>,
    /// The page of the pipeline that the job belongs to.
    pub pipeline_url: Option<String>,
    /// The build's number, as people see it.
    pub build_number: Option<String>,
    /// The pull request's number.
    pub pull_request: Option<String>,
    /// How the job stands.
    pub state: Option<State>,
    /// Where the working copy is, if not in the working directory.
    pub directory: Option<String>,
    /// Which of the CI's files cannot be read, in words that name the variable and the path.
    pub unreadable: Option<String>,
}

impl Context {
    /// The branch, else the tag.
    pub(crate) fn refname(&self) -> Option<Refname> {
        let branch = self.branch.clone().map(Refname::Branch);
        branch.or_else(|| self.tag.clone().map(Refname::Tag))
    }

    /// Reads `refs/heads/…` into `branch` or `refs/tags/…` into `tag`.
    pub(crate) fn set_refname(&mut self, refname: Option<Refname>) {
        self.branch = refname.clone().and_then(Refname::branch);
        self.tag = refname.and_then(Refname::tag);
    }
}

/// The fields of `build_status context --output json`, without the provider's.
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
