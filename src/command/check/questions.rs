//! The questions that requests to Bitbucket answer.

use std::time::Duration;

use crate::bitbucket::credentials::Credentials;
use crate::bitbucket::data_center::{self, DataCenter};
use crate::bitbucket::delivery::Delivery;
use crate::bitbucket::destination::Destination;
use crate::bitbucket::verdict;
use crate::command::check::findings::Findings;
use crate::command::check::scopes::{self, Scopes};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::http::client::Client;
use crate::http::request::Request;
use crate::http::response::Response;
use crate::http::retry::Policy;
use crate::http::session::{Answer, Session, accepted};
use crate::output::log::Log;
use crate::status::product::Product;
use crate::status::state::State;

/// The time limit of one question, which leaves time for the others.
pub(super) const QUESTION: Duration = Duration::from_secs(10);

/// What asking needs, and the findings so far.
pub(super) struct Questions<'a, 'v> {
    pub(super) deadline: Deadline,
    pub(super) client: &'a Client,
    pub(super) destination: &'a Destination,
    pub(super) repository_known: bool,
    pub(super) credentials: Option<Credentials>,
    pub(super) log: &'a mut Log<'v>,
    pub(super) findings: &'a mut Findings,
    /// Whether the credentials were refused.
    pub(super) refused: bool,
}

impl<'v> Questions<'_, 'v> {
    /// Asks all questions that earlier answers allow.
    pub(super) fn ask_all(&mut self, commit: Option<&str>) {
        let reached = match self.destination {
            Destination::Cloud(cloud) => self.ask_cloud(&cloud.api_root),
            Destination::DataCenter(server) => self.ask_data_center(server),
        };
        if let Err(error) = reached {
            self.findings.fail("server", &error);
            let questions = ["token", "access", "on server"];
            return self.not_asked(&questions, "the server does not answer");
        }
        if self.credentials.is_none() {
            let questions = ["token", "access", "on server"];
            let asked = usize::from(self.refused);
            return self.not_asked(&questions[asked..], "no credentials");
        }
        if !self.repository_known {
            // Data Center has no request for the token alone: one for the repository tests it.
            if self.destination.product() == Product::DataCenter {
                self.not_asked(&["token"], "the repository is unknown");
            }
            return self.not_asked(&["access", "on server"], "the repository is unknown");
        }
        if !self.refused {
            self.ask_about_repository(commit);
        }
        if self.refused {
            // Further failed logins may lock the account.
            self.not_asked(&["access", "on server"], "the token was refused");
        }
    }

    fn ask_about_repository(&mut self, commit: Option<&str>) {
        let asked = self.ask(&Request::get(self.destination.repository_url()));
        if let Destination::DataCenter(server) = self.destination {
            self.judge_data_center_token(&asked);
            if self.refused {
                return;
            }
            self.ask_about_stopped(server);
        }
        let repository = self.destination.repository();
        self.findings.result("access", accepted(asked), |_| {
            format!("{repository} is visible")
        });
        let Some(commit) = commit else {
            return self.not_asked(&["on server"], "the commit is unknown");
        };
        let asked = self.ask(&Request::get(self.destination.commit_url(commit)));
        self.findings
            .result("on server", accepted(asked), |_| format!("{commit} exists"));
    }

    fn not_asked(&mut self, questions: &[&'static str], because: &str) {
        for question in questions {
            self.findings.not_asked(question, because);
        }
    }

    /// Asks for the token's account, which also tests the server. Fails if the server does not answer.
    fn ask_cloud(&mut self, api_root: &str) -> Result<(), Error> {
        let refusal = match self.authorize() {
            Ok(()) => None,
            Err(error) if error.exit_code() == 5 => return Err(error),
            Err(error) => Some(error),
        };
        let (response, verdict) = self.ask(&Request::get(format!("{api_root}/user")))?;
        if !verdict::is_from_bitbucket(&response) {
            return Err(verdict.unwrap_or_else(|| verdict::not_bitbucket(&response)));
        }
        let way = self.client.way(self.destination.url());
        self.findings
            .ok("server", format!("{api_root} answers ({way})"));
        if let Some(error) = refusal {
            self.findings.fail("token", &error);
            self.refused = true;
        } else if self.credentials.is_some() {
            self.judge_cloud_token(&response, verdict);
        }
        Ok(())
    }

    /// Exchanges an OAuth consumer's credentials for a token. Without a token, there are no
    /// credentials.
    fn authorize(&mut self) -> Result<(), Error> {
        let mut delivery = self.delivery();
        let result = delivery.authorize();
        let credentials = delivery.into_credentials();
        self.credentials = credentials.filter(|_| result.is_ok());
        result
    }

    /// A repository access token has no user and gets 403, with headers that describe the token:
    /// `X-Credential-Type` and `X-OAuth-Scopes`.
    fn judge_cloud_token(&mut self, response: &Response, verdict: Option<Error>) {
        let scopes = response.header("x-oauth-scopes");
        let kind = response.header("x-credential-type");
        let described = response.status == 403 && (scopes.is_some() || kind.is_some());
        if let Some(error) = verdict.filter(|_| !described) {
            self.findings.fail("token", &error);
            self.refused = true;
            return;
        }
        let name = verdict::user_name(response);
        let who = name.unwrap_or_else(|| kind.unwrap_or("a token").replace('_', " "));
        let who = format!("accepted, as {who}");
        let Some(scopes) = scopes else {
            return self.findings.ok("token", who);
        };
        let answer = format!("{who}; scopes: {scopes}");
        match scopes::judge(scopes) {
            Scopes::Enough => self.findings.ok("token", answer),
            Scopes::More(more) => {
                let why = format!("the token has more scopes than needed ({more})");
                let hint = format!("{why}: repository read is enough");
                self.findings.warn("token", answer, &hint);
            }
            Scopes::Missing => self.findings.fail("token", &lacks_scope(scopes)),
        }
    }

    fn ask_data_center(&mut self, server: &DataCenter) -> Result<(), Error> {
        let response = accepted(self.delivery().ask_unsigned(&server.properties()))?;
        let version = data_center::version(&response.body);
        let version = version.ok_or_else(|| verdict::not_bitbucket(&response))?;
        let way = self.client.way(self.destination.url());
        let answer = format!("{} answers: Bitbucket {version} ({way})", server.server);
        if data_center::is_legacy(&version) {
            let hint = "upgrade to 7.4 or later for \"Required builds\": they ignore the statuses \
                         that older servers store";
            self.findings.warn("server", answer, hint);
        } else {
            self.findings.ok("server", answer);
        }
        Ok(())
    }

    fn ask_about_stopped(&mut self, server: &DataCenter) {
        let asked = self.ask(&server.build_capabilities());
        let stored = match accepted(asked) {
            Ok(response) if data_center::knows_cancelled(&response.body) => "CANCELLED",
            _ => "FAILED, because the server has no state CANCELLED (before 8.0)",
        };
        self.findings
            .ok("stopped", format!("a stopped build is stored as {stored}"));
    }

    fn judge_data_center_token(&mut self, asked: &Answer) {
        match asked {
            Err(_) => self.findings.not_asked("token", "no answer"),
            Ok((response, Some(error))) if matches!(response.status, 401 | 403) => {
                self.findings.fail("token", error);
                self.refused = true;
            }
            Ok((response, _)) => self.findings.ok(
                "token",
                match response.header("x-ausername") {
                    Some(user) => format!("accepted, as {user}"),
                    None => "accepted (the server does not say as whom)".into(),
                },
            ),
        }
    }

    fn ask(&mut self, request: &Request) -> Answer {
        self.delivery().ask(request)
    }

    fn delivery(&mut self) -> Delivery<'_, 'v> {
        let deadline = self.deadline.part(QUESTION);
        let policy = Policy::new(State::InProgress, deadline.total());
        let session = Session::new(self.client, policy, deadline, self.log);
        Delivery::new(session, self.destination, self.credentials.clone())
    }
}

fn lacks_scope(scopes: &str) -> Error {
    Error::Refused {
        status: 403,
        message: format!("the token lacks the scope repository; it has: {scopes}"),
        request_id: None,
        hint: Some(
            "create a token with the scope repository (API token: read:repository:bitbucket); scopes \
             cannot be added to an existing token",
        ),
    }
}
