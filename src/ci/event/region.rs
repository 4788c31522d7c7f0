//! Regions, and what their partition decides: the domain of the APIs, the host of the console.

/// A region whose name can stand in a host name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Region(String);

const AWS: &str = "amazonaws.com";

/// By the beginning of the region's name: the domain, as the SDKs have it, and the console's host. No
/// page of AWS lists the latter: without one, no URL is invented.
const PARTITIONS: &[(&str, &str, Option<&str>)] = &[
    ("cn-", "amazonaws.com.cn", Some("console.amazonaws.cn")),
    ("us-gov-", AWS, Some("console.amazonaws-us-gov.com")),
    ("eusc-", "amazonaws.eu", None),
    ("us-iso-", "c2s.ic.gov", None),
    ("us-isob-", "sc2s.sgov.gov", None),
    ("eu-isoe-", "cloud.adc-e.uk", None),
    ("us-isof-", "csp.hci.ic.gov", None),
];

impl Region {
    /// Signed requests go to the host that this name is a part of, so nothing but a name passes.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let is_label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let fits = (1..=63).contains(&name.len())
            && name.bytes().all(|byte| is_label(byte) || byte == b'-')
            && !name.starts_with('-')
            && !name.ends_with('-');
        fits.then(|| Self(name.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn partition(&self) -> (&'static str, Option<&'static str>) {
        let mut partitions = PARTITIONS.iter();
        let own = partitions.find(|(prefix, ..)| self.0.starts_with(prefix));
        own.map_or((AWS, Some("console.aws.amazon.com")), |own| (own.1, own.2))
    }

    /// The host of a service's API.
    pub(crate) fn host(&self, service: &str) -> String {
        format!("{service}.{}.{}", self.0, self.partition().0)
    }

    /// A page of the developer tools' console, where its host is known.
    pub(crate) fn console(&self, path: &str) -> Option<String> {
        let host = self.partition().1?;
        let region = &self.0;
        Some(format!(
            "https://{region}.{host}/codesuite/{path}?region={region}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_console_is_that_of_the_partition_or_not_known() {
        for (region, expected) in [
            ("eu-west-1", Some("eu-west-1.console.aws.amazon.com")),
            (
                "us-gov-west-1",
                Some("us-gov-west-1.console.amazonaws-us-gov.com"),
            ),
            ("cn-north-1", Some("cn-north-1.console.amazonaws.cn")),
            ("eusc-de-east-1", None),
            ("us-isob-east-1", None),
        ] {
            let url = Region::parse(region).unwrap().console("x");
            let expected =
                expected.map(|host| format!("https://{host}/codesuite/x?region={region}"));
            assert_eq!(url, expected, "{region}");
        }
    }

    #[test]
    fn what_cannot_stand_in_a_host_name_is_no_region() {
        for name in ["", "-a", "a-", "a.b", "a/b", "a@b", "A", "ü", "a b", "a:1"] {
            assert_eq!(Region::parse(name), None, "{name}");
        }
        assert_eq!(Region::parse(&"a".repeat(64)), None);
    }

    #[test]
    #[ignore = "needs botocore: .ci/aws runs it"]
    fn every_endpoint_that_botocore_knows_is_ours() {
        let path = std::env::var("AWS_ENDPOINTS").expect("it names .ci/aws.py's list");
        let known = std::fs::read_to_string(path).unwrap();
        assert!(known.lines().count() > 100);
        for line in known.lines().filter(|line| !line.contains("fips")) {
            let [service, region, host] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            assert_eq!(Region::parse(region).unwrap().host(service), host);
        }
    }
}
