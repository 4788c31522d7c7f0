//! Bitbucket's products, and what each takes.

/// One of Bitbucket's products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// bitbucket.org
    Cloud,
    /// A server of one's own.
    DataCenter,
}

impl Product {
    /// What it takes.
    pub const fn limits(self) -> Limits {
        match self {
            Self::Cloud => CLOUD,
            Self::DataCenter => DATA_CENTER,
        }
    }

    /// Its name in JSON.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Cloud => "cloud",
            Self::DataCenter => "data-center",
        }
    }
}

/// What a destination takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The destination's name, for messages.
    pub(crate) product: &'static str,
    /// Characters in a key.
    pub key: usize,
    /// Characters in a name or description. No page of Atlassian's says so for Cloud: it is what
    /// other clients keep to (jenkinsci/bitbucket-branch-source-plugin#928).
    pub text: usize,
    /// Whether the host in a build's URL needs a dot.
    pub(crate) dotted_host: bool,
    /// Whether the first digits of a hash will do.
    pub(crate) short_commit: bool,
}

const CLOUD: Limits = Limits {
    product: "Bitbucket Cloud",
    // "key: Ensure this value has at most 40 characters"
    key: 40,
    text: 255,
    // "url: Enter a valid URL."
    dotted_host: true,
    short_commit: true,
};

const DATA_CENTER: Limits = Limits {
    product: "Bitbucket Data Center",
    key: 255,
    text: 255,
    dotted_host: false,
    short_commit: false,
};
