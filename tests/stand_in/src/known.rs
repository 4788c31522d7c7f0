//! What the server knows from its start.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::credential::{Credential, CredentialKind};

/// Repositories, projects, commits and credentials.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) any_commit: bool,
    pub(crate) any_repository: bool,
    pub(crate) any_credential: bool,
    repositories: HashSet<String>,
    /// Keys of projects and slugs, of Data Center.
    projects: Vec<(String, String)>,
    commits: BTreeSet<String>,
    credentials: HashMap<String, Arc<Credential>>,
    consumers: HashMap<String, Arc<Credential>>,
}

/// Which part of a path means nothing.
#[derive(Debug, PartialEq)]
pub(crate) enum Missing {
    Project,
    Repository,
}

impl Known {
    pub(crate) fn add_repository(&mut self, workspace: &str, slug: &str) {
        self.repositories.insert(format!("{workspace}/{slug}"));
    }

    pub(crate) fn add_project(&mut self, key: &str, slug: &str) {
        self.projects.push((key.to_owned(), slug.to_owned()));
    }

    pub(crate) fn add_commit(&mut self, sha: &str) {
        assert!(is_hash_or_prefix(sha), "not a commit hash: {sha}");
        self.commits.insert(sha.to_ascii_lowercase());
    }

    pub(crate) fn add_credential(&mut self, credential: Credential) {
        let header = lower_scheme(&credential.header());
        let of_its_kind = match credential.kind {
            CredentialKind::Consumer { .. } => &mut self.consumers,
            _ => &mut self.credentials,
        };
        of_its_kind.insert(header, Arc::new(credential));
    }

    pub(crate) fn has_repository(&self, workspace: &str, slug: &str) -> bool {
        self.any_repository || self.repositories.contains(&format!("{workspace}/{slug}"))
    }

    /// The key of a repository's project on Data Center, as registered. A key is found in any case.
    pub(crate) fn project(&self, key: &str, slug: &str) -> Result<String, Missing> {
        let is_key = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(key);
        let mut of_project = self.projects.iter().filter(is_key).peekable();
        let Some((known, _)) = of_project.peek().copied() else {
            let any = self.any_repository.then(|| key.to_owned());
            return any.ok_or(Missing::Project);
        };
        if self.any_repository || of_project.any(|(_, known)| known == slug) {
            return Ok(known.clone());
        }
        Err(Missing::Repository)
    }

    /// The whole hash of the commit that `sha` stands for. An ambiguous prefix stands for none.
    pub(crate) fn commit(&self, sha: &str) -> Option<String> {
        if !is_hash_or_prefix(sha) {
            return None;
        }
        let sha = sha.to_ascii_lowercase();
        if self.commits.contains(&sha) {
            return Some(sha);
        }
        let mut matches = self
            .commits
            .range(sha.clone()..)
            .take_while(|commit| commit.starts_with(&sha));
        match (matches.next(), matches.next()) {
            (Some(commit), None) => Some(commit.clone()),
            (None, _) if self.any_commit => Some(sha),
            _ => None,
        }
    }

    /// The credential in an `Authorization` header.
    pub(crate) fn credential(&self, header: &str) -> Option<Arc<Credential>> {
        match self.credentials.get(&lower_scheme(header)) {
            Some(credential) => Some(Arc::clone(credential)),
            None if self.any_credential => Credential::from_header(header).map(Arc::new),
            None => None,
        }
    }

    /// The OAuth consumer in an `Authorization` header.
    pub(crate) fn consumer(&self, header: &str) -> Option<Arc<Credential>> {
        if let Some(consumer) = self.consumers.get(&lower_scheme(header)) {
            return Some(Arc::clone(consumer));
        }
        match Credential::from_header(header)?.kind {
            CredentialKind::Basic { user, token } if self.any_credential => {
                Some(Arc::new(Credential::consumer(&user, &token)))
            }
            _ => None,
        }
    }
}

fn is_hash_or_prefix(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The scheme of an `Authorization` header is case-insensitive, the rest is not (RFC 9110, 11.1).
fn lower_scheme(header: &str) -> String {
    match header.split_once(' ') {
        Some((scheme, rest)) => format!("{} {rest}", scheme.to_ascii_lowercase()),
        None => header.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_answers_to_its_unambiguous_prefixes() {
        let mut known = Known::default();
        known.add_commit("abcdef0123");
        known.add_commit("abcdef0199");
        assert_eq!(known.commit("ABCDEF0123").as_deref(), Some("abcdef0123"));
        assert_eq!(known.commit("abcdef012").as_deref(), Some("abcdef0123"));
        for unknown in ["abcdef", "abcdef01", "abcdef0124", "abcdef01234", "HEAD"] {
            assert_eq!(known.commit(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn any_commit_is_still_hexadecimal() {
        let known = Known {
            any_commit: true,
            ..Known::default()
        };
        assert_eq!(known.commit("ABCDEF0").as_deref(), Some("abcdef0"));
        assert_eq!(known.commit("release"), None);
    }

    #[test]
    fn any_credential_is_still_one() {
        let known = Known {
            any_credential: true,
            ..Known::default()
        };
        let basic = Credential::basic("me", "a:b");
        assert_eq!(known.credential(&basic.header()).as_deref(), Some(&basic));
        assert_eq!(
            known.credential("bearer x").as_deref(),
            Some(&Credential::bearer("x"))
        );
        for other in ["", "Bearer", "Basic ?", "Digest x"] {
            assert_eq!(known.credential(other), None, "{other}");
        }
    }
}
