//! Versions of Data Center and GitLab.

use std::fmt;

/// `major.minor.patch`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) struct Version(u32, u32, u32);

impl Version {
    /// From a version such as `9.4.0` or `9.4`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let numbers: Result<Vec<u32>, _> = text.split('.').map(str::parse).collect();
        match numbers.ok()?[..] {
            [major, minor] => Some(Self(major, minor, 0)),
            [major, minor, patch] => Some(Self(major, minor, patch)),
            _ => None,
        }
    }

    /// Whether it is this one or later.
    pub(crate) fn since(self, major: u32, minor: u32) -> bool {
        self >= Self(major, minor, 0)
    }

    /// What Bitbucket calls its build number: 9004000 for 9.4.0.
    pub(crate) fn build_number(self) -> String {
        let Self(major, minor, patch) = self;
        format!("{major}{minor:03}{patch:03}")
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(major, minor, patch) = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let version = |text| Version::parse(text).unwrap();
        assert!(version("7.14.0").since(7, 4));
        assert!(version("10.0").since(9, 4));
        assert!(!version("7.3.9").since(7, 4));
        assert_eq!(version("9.4").to_string(), "9.4.0");
        assert_eq!(version("9.4.1").build_number(), "9004001");
        for other in ["", "9", "9.x", "9.4.0-rc1", "9.4.0.1"] {
            assert_eq!(Version::parse(other), None, "{other}");
        }
    }
}
