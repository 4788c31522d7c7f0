//! Names of resources.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>

use crate::ci::event::region::Region;

/// `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`, of a partition whose name begins with `aws`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Arn<'a> {
    pub(crate) service: &'a str,
    pub(crate) region: Region,
    /// Digits.
    pub(crate) account: &'a str,
    /// May hold colons.
    pub(crate) resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Reads the ARN of a resource that belongs to a region and an account.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
        let partition = parts.next()?;
        let service = parts.next()?;
        let region = Region::parse(parts.next()?)?;
        let account = parts.next()?;
        let resource = parts.next().filter(|it| !it.is_empty())?;
        let is_number = !account.is_empty() && account.bytes().all(|it| it.is_ascii_digit());
        let is_aws = partition == "aws" || partition.starts_with("aws-");
        (is_aws && is_number).then_some(Self {
            service,
            region,
            account,
            resource,
        })
    }

    /// The project and the id, `PROJECT:UUID`, of a CodeBuild build.
    pub(super) fn build(&self) -> Option<(&'a str, &'a str)> {
        let id = self.resource.strip_prefix("build/")?;
        let (project, uuid) = id.split_once(':')?;
        let is_build = self.service == "codebuild" && !project.is_empty() && !uuid.is_empty();
        is_build.then_some((project, id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_of_every_partition_are_read() {
        for partition in ["aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso-b"] {
            let arn = format!("arn:{partition}:codebuild:x-y-1:123456789012:build/web:8745a7a9");
            let arn = Arn::parse(&arn).unwrap();
            assert_eq!(arn.build(), Some(("web", "web:8745a7a9")), "{partition}");
            assert_eq!(
                (arn.region.as_str(), arn.account),
                ("x-y-1", "123456789012")
            );
        }
    }

    #[test]
    fn what_is_no_arn_of_a_build_is_none() {
        for text in [
            "",
            "arn:",
            "web:8745a7a9",
            "arn:aws:s3:::bucket/key",
            "arn:aws:codebuild:evil.example/:123456789012:build/web:8745a7a9",
            "arn:aws:codebuild:x-y-1:me:build/web:8745a7a9",
            "arn:other:codebuild:x-y-1:123456789012:build/web:8745a7a9",
            "arn:aws:codebuild:x-y-1:123456789012:build/web",
            "arn:aws:codebuild:x-y-1:123456789012:build-batch/web:8745a7a9",
            "arn:aws:other:x-y-1:123456789012:build/web:8745a7a9",
        ] {
            assert_eq!(Arn::parse(text).and_then(|arn| arn.build()), None, "{text}");
        }
    }
}
