//! The destination of a status: a repository on one of Bitbucket's products.

use crate::bitbucket::cloud::Cloud;
use crate::bitbucket::data_center::{DataCenter, Generation};
use crate::http::request::Request;
use crate::report::Report;
use crate::status::product::Product;
use crate::status::url::segment;

/// A repository on one of Bitbucket's products.
#[derive(Clone, Debug, PartialEq)]
pub enum Destination {
    /// A repository on bitbucket.org.
    Cloud(Cloud),
    /// A repository on a Bitbucket Data Center.
    DataCenter(DataCenter),
}

impl Destination {
    /// The product of the repository.
    pub fn product(&self) -> Product {
        match self {
            Self::Cloud(_) => Product::Cloud,
            Self::DataCenter(_) => Product::DataCenter,
        }
    }

    /// The base URL of Cloud's API, or of the server.
    pub fn url(&self) -> &str {
        match self {
            Self::Cloud(cloud) => &cloud.api_root,
            Self::DataCenter(data_center) => &data_center.server,
        }
    }

    /// The API's URL for the repository.
    pub(crate) fn repository_url(&self) -> String {
        match self {
            Self::Cloud(cloud) => cloud.repository_url(),
            Self::DataCenter(data_center) => data_center.repository_url(),
        }
    }

    /// The API's URL for a commit of the repository.
    pub(crate) fn commit_url(&self, commit: &str) -> String {
        match self {
            Self::Cloud(cloud) => cloud.commit_url(commit),
            Self::DataCenter(data_center) => data_center.commit_url(commit),
        }
    }

    /// `workspace/repository`, or `PROJECT/repository`.
    pub(crate) fn repository(&self) -> String {
        match self {
            Self::Cloud(cloud) => format!("{}/{}", cloud.workspace, cloud.repository),
            Self::DataCenter(data_center) => {
                format!("{}/{}", data_center.project, data_center.repository)
            }
        }
    }

    /// The request for the stored status with `report`'s key.
    pub(crate) fn look_up(&self, report: &Report) -> Request {
        let key = segment(&report.key);
        let commit = self.commit_url(&report.commit);
        let url = match self {
            Self::Cloud(_) => format!("{commit}/statuses/build/{key}"),
            Self::DataCenter(_) => format!("{commit}/builds?key={key}"),
        };
        Request::get(url)
    }

    /// The request that stores `report`, on a Data Center of version 8.0 or later.
    pub fn request(&self, report: &Report) -> Request {
        match self {
            Self::Cloud(cloud) => cloud.request(report),
            Self::DataCenter(data_center) => {
                data_center.request(report, Generation::Rich { cancelled: true })
            }
        }
    }
}
