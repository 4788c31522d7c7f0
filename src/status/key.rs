//! Keys, which are unique among the build statuses of a commit.

use ring::digest::{SHA256, digest};

/// The default key of a job. It contains no build number, so that a re-run overwrites the previous
/// status.
pub fn of_job(provider: &str, job_name: &str) -> String {
    format!("ci/{provider}/{job_name}")
}

/// Shortens `key` to `limit` characters: its beginning, `-` and 8 hexadecimal digits of its SHA-256.
/// A key within the limit stays as it is.
///
/// Without the hash, two jobs may share a key (jenkinsci/bitbucket-branch-source-plugin#15). The
/// result for a key never changes.
pub fn within(key: &str, limit: usize) -> String {
    if key.chars().count() <= limit {
        return key.to_owned();
    }
    let hash = digest(&SHA256, key.as_bytes());
    let hash = hash.as_ref()[..4].try_into().map_or(0, u32::from_be_bytes);
    let prefix: String = key.chars().take(limit - "-01234567".len()).collect();
    format!("{prefix}-{hash:08x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Golden: a change here makes every status with a long key appear twice.
    #[test]
    fn long_keys_are_shortened_the_same_way_for_ever() {
        for case in [
            "ci/gitlab-ci/unit-tests -> ci/gitlab-ci/unit-tests",
            "ci/gitlab-ci/abcdefghijklmnopqrstuvwxyza -> ci/gitlab-ci/abcdefghijklmnopqrstuvwxyza",
            "ci/gitlab-ci/abcdefghijklmnopqrstuvwxyzab -> ci/gitlab-ci/abcdefghijklmnopqr-956948d4",
            "ci/gitlab-ci/deploystacks: [aws, monitoring \"app\" {1}] \
             -> ci/gitlab-ci/deploystacks: [aws-bb1c0411",
            "ci/gitlab-ci/prüfung-der-größenverhältnisse-überall \
             -> ci/gitlab-ci/prüfung-der-größen-6e068d33",
        ] {
            let (key, expected) = case.split_once(" -> ").unwrap();
            let short = within(key, 40);
            assert_eq!(short, expected);
            assert!(short.chars().count() <= 40);
        }
    }

    #[test]
    fn siblings_with_one_beginning_get_keys_of_their_own() {
        let job = |n| format!("integration-tests-on-postgres {n}/3");
        let key = |n| within(&of_job("gitlab-ci", &job(n)), 40);
        assert_ne!(key(1), key(2));
        assert_eq!(key(1), key(1));
    }
}
