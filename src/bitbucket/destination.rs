//! Where a status goes: a repository on one of Bitbucket's products.

use percent_encoding::utf8_percent_encode;

use crate::bitbucket::cloud::Cloud;
use crate::bitbucket::data_center::{DataCenter, Generation};
use crate::http::request::Request;
use crate::report::Report;
use crate::status::product::Product;
use crate::status::url;

/// A repository on one of Bitbucket's products.
#[derive(Clone, Debug, PartialEq)]
pub enum Destination {
    /// bitbucket.org
    Cloud(Cloud),
    /// A server of one's own.
    DataCenter(DataCenter),
}

impl Destination {
    /// The product.
    pub fn product(&self) -> Product {
        match self {
            Self::Cloud(_) => Product::Cloud,
            Self::DataCenter(_) => Product::DataCenter,
        }
    }

    /// The root of its API, or of the server.
    pub fn url(&self) -> &str {
        match self {
            Self::Cloud(place) => &place.api_root,
            Self::DataCenter(place) => &place.server,
        }
    }

    /// The repository in its API.
    pub(crate) fn repository_url(&self) -> String {
        match self {
            Self::Cloud(place) => place.repository_url(),
            Self::DataCenter(place) => place.repository_url(),
        }
    }

    /// A commit of it in its API.
    pub(crate) fn commit_url(&self, commit: &str) -> String {
        match self {
            Self::Cloud(place) => place.commit_url(commit),
            Self::DataCenter(place) => place.commit_url(commit),
        }
    }

    /// `workspace/repository`, or `PROJECT/repository`.
    pub(crate) fn repository(&self) -> String {
        match self {
            Self::Cloud(place) => format!("{}/{}", place.workspace, place.repository),
            Self::DataCenter(place) => format!("{}/{}", place.project, place.repository),
        }
    }

    /// The request that asks for the status that `report` has stored.
    pub(crate) fn look_up(&self, report: &Report) -> Request {
        let key = utf8_percent_encode(&report.key, url::SEGMENT);
        let commit = self.commit_url(&report.commit);
        let url = match self {
            Self::Cloud(_) => format!("{commit}/statuses/build/{key}"),
            Self::DataCenter(_) => format!("{commit}/builds?key={key}"),
        };
        Request::get(url)
    }

    /// The request that stores `report` on a product of today.
    pub fn request(&self, report: &Report) -> Request {
        match self {
            Self::Cloud(place) => place.request(report),
            Self::DataCenter(place) => place.request(report, Generation::Rich { cancelled: true }),
        }
    }
}
