//! `BITBUCKET_ACCESS_TOKEN_ARN`: the token, where AWS keeps it.

use crate::aws::api::Call;
use crate::ci::event::arn::Arn;
use crate::ci::event::json::Json;
use crate::secret::Secret;

/// A secret or a parameter, and which key of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredToken {
    pub(super) call: Call,
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
        let call = match (parsed.service, parsed.resource.split_once([':', '/'])) {
            // What ECS puts behind the name is not a part of it.
            ("secretsmanager", Some(("secret", name))) if name.contains(':') => {
                return Err(
                    "the ARN of the secret goes on after its name: name the key as `ARN#KEY`",
                );
            }
            ("secretsmanager", Some(("secret", _))) => Call::secret(arn, &parsed.region),
            ("ssm", Some(("parameter", _))) => Call::parameter(arn, &parsed.region),
            _ => {
                return Err(
                    "it is the ARN of neither a Secrets Manager secret nor a Systems Manager \
                     parameter",
                );
            }
        };
        Ok(Self { call, key })
    }

    /// The token in AWS's answer: all that is stored, or the value of one key.
    pub(super) fn token(&self, answer: &[u8]) -> Result<Secret, String> {
        let answer = String::from_utf8_lossy(answer);
        let answer = Json::read(&answer);
        let parameter = || answer.get("Parameter").text_of("Value");
        let stored = answer.text_of("SecretString").or_else(parameter);
        let stored_text = stored.ok_or("there is no text: store the token as a string")?;
        let stored = Json::read(&stored_text);
        if stored.fields().is_none() {
            return match &self.key {
                Some(_) => Err("what is stored is not a JSON object: leave `#KEY` out".to_owned()),
                None => Ok(Secret::new(&stored_text)),
            };
        }
        let key = self.key.as_deref().unwrap_or(USUAL_KEY);
        match stored.text_of(key) {
            Some(token) => Ok(Secret::new(&token)),
            None => Err(format!(
                "what is stored is a JSON object without a text `{key}`: name the key as `ARN#KEY`"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ci::event::region::Region;
    use serde_json::json;

    const SECRET: &str = "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:ci/token-AbCdEf";
    const PARAMETER: &str = "arn:aws:ssm:us-west-2:123456789012:parameter/ci/token";

    #[test]
    fn the_arn_says_which_service_and_region_to_ask() {
        let secret = StoredToken::parse(SECRET).unwrap();
        let region = |name| Region::parse(name).unwrap();
        assert_eq!(secret.call, Call::secret(SECRET, &region("cn-north-1")));
        let parameter = StoredToken::parse(&format!("{PARAMETER}#KEY")).unwrap();
        let expected = Call::parameter(PARAMETER, &region("us-west-2"));
        assert_eq!(parameter.call, expected);
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
            ("#n", object, Some("7")),
            ("#missing", object, None),
            ("#other", "t0ken", None),
            ("", r#"{"other": "0ther"}"#, None),
            ("", r#""t0ken""#, Some(r#""t0ken""#)),
        ] {
            let stored_token = StoredToken::parse(&format!("{SECRET}{key}")).unwrap();
            let answer = json!({"SecretString": stored}).to_string();
            let token = stored_token.token(answer.as_bytes());
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

    #[test]
    fn a_parameter_is_read_and_a_binary_secret_is_not() {
        let token = |answer: &str| {
            StoredToken::parse(PARAMETER)
                .unwrap()
                .token(answer.as_bytes())
        };
        assert_eq!(
            token(r#"{"Parameter": {"Value": "t0ken\n"}}"#),
            Ok(Secret::new("t0ken"))
        );
        for answer in [r#"{"SecretBinary": "dDBrZW4="}"#, "{}", "7", ""] {
            assert!(token(answer).unwrap_err().contains("as a string"));
        }
    }
}
