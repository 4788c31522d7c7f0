//! Bitbucket Cloud's OAuth 2 server, as far as consumers get tokens for themselves.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::json;

use crate::credential::Credential;
use crate::received::Received;
use crate::reply::Reply;
use crate::state::State;

pub(crate) const PATH: &str = "/site/oauth2/access_token";

/// The tokens that were issued, and to whom.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    issued: HashMap<String, Arc<Credential>>,
}

impl Tokens {
    /// The consumer whose token is in an `Authorization` header.
    pub(crate) fn consumer(&self, header: &str) -> Option<Arc<Credential>> {
        let (scheme, token) = header.split_once(' ')?;
        let consumer = self.issued.get(token)?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| Arc::clone(consumer))
    }

    fn issue(&mut self, consumer: Arc<Credential>) -> String {
        let token = format!("stand-in-access-{}=", self.issued.len() + 1);
        self.issued.insert(token.clone(), consumer);
        token
    }
}

/// What the endpoint says to a request.
pub(crate) fn answer(state: &mut State, request: &Received) -> Reply {
    if request.method != "POST" {
        return Reply::empty(405).with_header("allow", "POST");
    }
    // RFC 6749 has `invalid_client` for both; Bitbucket was seen to say this, with a 400
    // (p2/OAuth2#96, harness/harness#1650).
    let Some(header) = request.header("authorization") else {
        let text = "Requests must be authenticated using OAuth client credentials";
        return refusal("unauthorized_client", text);
    };
    let Some(consumer) = state.known.consumer(header) else {
        return refusal("unauthorized_client", "Invalid OAuth client credentials");
    };
    let is_form = request.is_of("application/x-www-form-urlencoded");
    let form = if is_form { request.body.as_str() } else { "" };
    match form_field(form, "grant_type") {
        Some("client_credentials") => {}
        Some(other) => {
            let text = format!("Unsupported grant type: {other}");
            return refusal("unsupported_grant_type", &text);
        }
        None => return refusal("invalid_request", "Missing grant_type"),
    }
    let scopes = consumer.cloud_scopes().join(" ");
    let body = json!({
        "scopes": scopes,
        "access_token": state.tokens.issue(consumer),
        "expires_in": 7200,
        "token_type": "bearer",
        "state": "client_credentials",
        "refresh_token": "stand-in-refresh",
    });
    Reply::json(200, &body)
}

fn refusal(error: &str, description: &str) -> Reply {
    let body = json!({ "error_description": description, "error": error });
    Reply::json(400, &body)
}

/// A field of a form, as it was sent: what we look for needs no encoding.
fn form_field<'a>(form: &'a str, name: &str) -> Option<&'a str> {
    form.split('&')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}
