//! `BITBUCKET_ACCESS_TOKEN_ARN`: the token, where AWS keeps it.

use serde_json::{Map, Value};

use crate::aws::api::Call;
use crate::aws::arn::Arn;
use crate::aws::region::Region;
use crate::secret::Secret;

/// A secret or a parameter, and which key of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredToken {
    pub(crate) region: Region,
    pub(crate) call: Call,
    key: Option<String>,
}

/// The key that is taken when the variable names none.
const USUAL_KEY: &str = "BITBUCKET_ACCESS_TOKEN";

impl StoredToken {
    /// Reads the variable. Its value is not repeated: somebody may have put the token there.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let (arn, key) = match text.split_once('#') {
            Some((_, "")) => return Err("no key follows its `#`"),
            Some((arn, key)) => (arn, Some(key.to_owned())),
            None => (text, None),
        };
        let parsed = Arn::parse(arn).ok_or("it is not an ARN")?;
        let name = arn.to_owned();
        let call = match (parsed.service, parsed.resource.split_once([':', '/'])) {
            // What ECS puts behind the name is not a part of it.
            ("secretsmanager", Some(("secret", name))) if name.contains(':') => {
                return Err(
                    "the ARN of the secret goes on after its name: name the key as `ARN#KEY`",
                );
            }
            ("secretsmanager", Some(("secret", _))) => Call::Secret { arn: name },
            ("ssm", Some(("parameter", _))) => Call::Parameter { arn: name },
            _ => {
                return Err(
                    "it is the ARN of neither a Secrets Manager secret nor a Systems Manager \
                            parameter",
                );
            }
        };
        let region = parsed.region;
        Ok(Self { region, call, key })
    }

    /// The token in what is stored: all of it, or the value of one key.
    pub(crate) fn token(&self, stored: &Secret) -> Result<Secret, String> {
        let object: Option<Map<String, Value>> = serde_json::from_str(stored.expose()).ok();
        let Some(object) = object else {
            return match &self.key {
                Some(_) => Err("what is stored is not a JSON object: leave `#KEY` out".to_owned()),
                None => Ok(stored.clone()),
            };
        };
        let key = self.key.as_deref().unwrap_or(USUAL_KEY);
        match object.get(key).and_then(Value::as_str) {
            Some(token) => Ok(Secret::new(token)),
            None => Err(format!(
                "what is stored is a JSON object without a text `{key}`: name the key as `ARN#KEY`"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:ci/token-AbCdEf";
    const PARAMETER: &str = "arn:aws:ssm:us-west-2:123456789012:parameter/ci/token";

    #[test]
    fn the_arn_says_which_service_and_region_to_ask() {
        let secret = StoredToken::parse(SECRET).unwrap();
        assert_eq!(secret.call, Call::Secret { arn: SECRET.into() });
        assert_eq!(secret.region.as_str(), "cn-north-1");
        let parameter = StoredToken::parse(&format!("{PARAMETER}#KEY")).unwrap();
        assert_eq!(
            parameter.call,
            Call::Parameter {
                arn: PARAMETER.into()
            }
        );
        for text in [
            "ATCTT3xFfGN0",
            "arn:aws:s3:::bucket/token",
            "arn:aws:kms:us-west-2:123456789012:key/1",
            "arn:aws:ssm:us-west-2:123456789012:document/x",
            &format!("{SECRET}:KEY::"),
            &format!("{SECRET}#"),
        ] {
            let problem = StoredToken::parse(text).unwrap_err();
            assert!(!problem.contains("ATCTT"), "{problem}");
        }
    }

    #[test]
    fn the_token_is_all_that_is_stored_or_one_key_of_it() {
        let object = r#"{"BITBUCKET_ACCESS_TOKEN": "t0ken", "other": "0ther", "n": 7}"#;
        for (key, stored, expected) in [
            ("", "t0ken", Some("t0ken")),
            ("", object, Some("t0ken")),
            ("#other", object, Some("0ther")),
            ("#n", object, None),
            ("#missing", object, None),
            ("#other", "t0ken", None),
            ("", r#"{"other": "0ther"}"#, None),
            ("", r#""t0ken""#, Some(r#""t0ken""#)),
        ] {
            let stored_token = StoredToken::parse(&format!("{SECRET}{key}")).unwrap();
            let token = stored_token.token(&Secret::new(stored));
            assert_eq!(
                token.as_ref().ok().map(Secret::expose),
                expected,
                "{key} {stored}"
            );
            let problem = token.err().unwrap_or_default();
            assert!(
                !problem.contains("t0ken") && !problem.contains("0ther"),
                "{problem}"
            );
        }
    }
}
