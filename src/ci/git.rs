//! What the working copy says, when the CI does not.

use std::process::{Command, Stdio};

use crate::ci::context::Context;
use crate::status::commit::{self, DetectedCommit};
use crate::status::repository::Repository;

/// The repository that the remote `origin` leads to, if there is a `git` program and a working copy.
pub(crate) fn remote(context: &Context) -> Option<Repository> {
    let url = git(
        context.directory.as_deref(),
        &["remote", "get-url", "origin"],
    )?;
    Repository::from_url(&url)
}

/// Puts the hash into `context` where the CI has only a word for it that git knows. In no CI, it is
/// the commit that is checked out; in a CI, that may be a merge commit that Bitbucket does not have.
pub(crate) fn complete(context: &mut Context, in_ci: bool) {
    let revision = match &context.commit {
        DetectedCommit::Refused { revision, .. } => revision.as_deref(),
        DetectedCommit::Nothing if !in_ci => Some("HEAD"),
        DetectedCommit::Nothing | DetectedCommit::Hash(_) => None,
    };
    let directory = context.directory.as_deref();
    if let Some(hash) = revision.and_then(|revision| hash(directory, revision)) {
        context.commit = DetectedCommit::Hash(hash);
    }
}

fn hash(directory: Option<&str>, revision: &str) -> Option<String> {
    let revision = format!("{revision}^{{commit}}");
    let hash = git(
        directory,
        &[
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &revision,
        ],
    )?;
    commit::is_full_hash(&hash).then_some(hash)
}

fn git(directory: Option<&str>, args: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    if let Some(directory) = directory {
        command.args(["-C", directory]);
    }
    let output = command
        // The checkout often belongs to another user than the one that the job's container runs as,
        // and git refuses such a one. This reads and runs nothing from it.
        .args(["-c", "safe.directory=*"])
        .args(args)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = output.status.success().then_some(output.stdout)?;
    Some(String::from_utf8(text).ok()?.trim().to_owned())
}
