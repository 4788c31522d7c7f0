//! Bitbucket's products and their limits.

/// One of Bitbucket's products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// bitbucket.org
    Cloud,
    /// Bitbucket Data Center, a self-hosted server.
    DataCenter,
}

impl Product {
    /// The limits of the product.
    pub const fn limits(self) -> Limits {
        match self {
            Self::Cloud => CLOUD,
            Self::DataCenter => DATA_CENTER,
        }
    }

    /// The product's name in JSON.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Cloud => "cloud",
            Self::DataCenter => "data-center",
        }
    }
}

/// What a product accepts in a build status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The product's name, for messages.
    pub(crate) product: &'static str,
    /// The most characters in a key.
    pub key: usize,
    /// The most characters in a name or description. Undocumented for Cloud: it is the limit that
    /// other clients use (jenkinsci/bitbucket-branch-source-plugin#928).
    pub text: usize,
    /// Whether the host in a build's URL must contain a dot.
    pub(crate) dotted_host: bool,
    /// Whether the first digits of a hash are accepted.
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
