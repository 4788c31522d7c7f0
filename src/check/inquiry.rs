//! The questions that Bitbucket answers.

use std::time::SystemTime;

use crate::answer::{Answer, Verdict};
use crate::auth::Credentials;
use crate::check::findings::Findings;
use crate::cli::CheckArgs;
use crate::client::Client;
use crate::delivery::Courier;
use crate::destination::{self, DataCenter, Destination, Product};
use crate::error::Error;
use crate::hint::Asker;
use crate::request::Request;
use crate::retry::Policy;
use crate::scopes;
use crate::state::State;
use crate::voice::Voice;

/// What the questions are asked with.
pub(super) struct Inquiry<'a, 'v> {
    pub(super) args: &'a CheckArgs,
    pub(super) client: &'a Client,
    pub(super) destination: &'a Destination,
    pub(super) repository_known: bool,
    pub(super) credentials: Option<Credentials>,
    pub(super) voice: &'a mut Voice<'v>,
    pub(super) findings: &'a mut Findings,
    /// Whether the credentials were.
    pub(super) refused: bool,
}

impl<'v> Inquiry<'_, 'v> {
    /// Asks them all.
    pub(super) fn run(&mut self, commit: Option<&str>) {
        let reached = match self.destination {
            Destination::Cloud(place) => self.ask_cloud(&place.api_root.clone()),
            Destination::DataCenter(place) => self.ask_data_center(&place.clone()),
        };
        if !reached {
            self.not_asked(
                &["token", "access", "on server"],
                "the server does not answer",
            );
            return;
        }
        let Some(credentials) = self.credentials.clone() else {
            let questions = ["token", "access", "on server"];
            let asked = usize::from(self.refused);
            self.not_asked(&questions[asked..], "there are no credentials");
            return;
        };
        if !self.repository_known {
            // Data Center judges credentials by what they may do with a repository.
            if self.destination.product() == Product::DataCenter {
                self.findings
                    .not_asked("token", "the repository is not known");
            }
            self.not_asked(&["access", "on server"], "the repository is not known");
            return;
        }
        if self.refused {
            self.not_asked(&["access", "on server"], "the token is refused");
            return;
        }
        let url = self.destination.repository_url();
        let asked = self.ask(&Request::get(url, Some(&credentials)));
        if let Destination::DataCenter(place) = self.destination {
            self.judge_data_center_token(&asked);
            // Each further failed login brings the account nearer to its lock.
            if self.refused {
                self.not_asked(&["access", "on server"], "the token is refused");
                return;
            }
            self.ask_about_stopped(place);
        }
        let accepted = asked.and_then(|answer| self.accepted(answer));
        let repository = self.destination.repository();
        self.findings
            .result("access", accepted, |_| format!("{repository} is visible"));
        let Some(commit) = commit else {
            self.not_asked(&["on server"], "the commit is not known");
            return;
        };
        let url = self.destination.commit_url(commit);
        let asked = self.ask(&Request::get(url, Some(&credentials)));
        let accepted = asked.and_then(|answer| self.accepted(answer));
        self.findings
            .result("on server", accepted, |_| format!("{commit} is there"));
    }

    fn not_asked(&mut self, questions: &[&'static str], because: &str) {
        for question in questions {
            self.findings.not_asked(question, because);
        }
    }

    /// Asks who the token is, which tells whether the server is reached, too.
    fn ask_cloud(&mut self, api_root: &str) -> bool {
        let mut refusal = None;
        let credentials = match &self.credentials {
            None => None,
            Some(credentials) => {
                let credentials = credentials.clone();
                let destination = self.destination;
                match self.courier().authorized(destination, &credentials) {
                    Ok(credentials) => Some(credentials),
                    Err(error) if error.exit_code() == 5 => {
                        self.findings.fail("server", &error);
                        return false;
                    }
                    Err(error) => {
                        refusal = Some(error);
                        self.refused = true;
                        self.credentials = None;
                        None
                    }
                }
            }
        };
        let asked = self.ask(&Request::get(
            format!("{api_root}/user"),
            credentials.as_ref(),
        ));
        let answer = match asked {
            Ok(answer) if answer.is_from_bitbucket() => answer,
            Ok(answer) => {
                let error = self.accepted(answer).err().unwrap_or(Error::NotBitbucket {
                    status: 200,
                    content_type: None,
                });
                self.findings.fail("server", &error);
                return false;
            }
            Err(error) => {
                self.findings.fail("server", &error);
                return false;
            }
        };
        self.findings.ok(
            "server",
            format!(
                "{api_root} answers ({})",
                self.client.way(self.destination.url())
            ),
        );
        if let Some(error) = refusal {
            self.findings.fail("token", &error);
        }
        if credentials.is_some() {
            self.credentials = credentials;
            self.judge_cloud_token(&answer);
        }
        true
    }

    /// A token of a repository has no user and gets 403, with headers that describe it.
    fn judge_cloud_token(&mut self, answer: &Answer) {
        let identity = &answer.identity;
        let known = identity.credential_type.is_some() || identity.scopes.is_some();
        let described = answer.status == 403 && known;
        if !described && let Err(error) = self.accepted(answer.clone()) {
            self.findings.fail("token", &error);
            self.refused = true;
            return;
        }
        let who = match answer.user_name() {
            Some(name) => format!("accepted, as {name}"),
            None => format!(
                "accepted, as {}",
                identity
                    .credential_type
                    .as_deref()
                    .unwrap_or("a token")
                    .replace('_', " ")
            ),
        };
        match &identity.scopes {
            None => self.findings.ok("token", who),
            Some(scopes) => match scopes::judge(scopes) {
                scopes::Scopes::Enough => self
                    .findings
                    .ok("token", format!("{who}; scopes: {scopes}")),
                scopes::Scopes::More(more) => self.findings.warn(
                    "token",
                    format!("{who}; scopes: {scopes}"),
                    &format!("it may do more than it has to ({more}): repository read is enough"),
                ),
                scopes::Scopes::Missing => self.findings.fail(
                    "token",
                    &Error::Refused {
                        status: 403,
                        message: format!("the token lacks the scope repository; it has: {scopes}"),
                        request_id: None,
                        hint: Some(
                            "make a token with the scope repository (API token: \
                             read:repository:bitbucket); scopes cannot be added to a token",
                        ),
                    },
                ),
            },
        }
    }

    fn ask_data_center(&mut self, place: &DataCenter) -> bool {
        let asked = self
            .ask(&place.properties())
            .and_then(|answer| self.accepted(answer));
        let version = match asked {
            Ok(answer) => destination::version(&answer.body),
            Err(error) => {
                self.findings.fail("server", &error);
                return false;
            }
        };
        let Some(version) = version else {
            let error = Error::NotBitbucket {
                status: 200,
                content_type: None,
            };
            self.findings.fail("server", &error);
            return false;
        };
        let way = self.client.way(self.destination.url());
        let answer = format!("{} answers: Bitbucket {version} ({way})", place.server);
        if !destination::is_rich(&version) {
            let hint = "before 7.4, statuses are stored the old way: \"Required builds\" do not see \
                        them";
            self.findings.warn("server", answer, hint);
            return true;
        }
        self.findings.ok("server", answer);
        true
    }

    fn ask_about_stopped(&mut self, place: &DataCenter) {
        let credentials = self.credentials.clone();
        let asked = self.ask(&place.build_capabilities(credentials.as_ref()));
        let stored = match asked.and_then(|answer| self.accepted(answer)) {
            Ok(answer) if destination::knows_cancelled(&answer.body) => "CANCELLED",
            _ => "FAILED, because the server does not know CANCELLED (before 8.0)",
        };
        self.findings
            .ok("stopped", format!("a stopped build is stored as {stored}"));
    }

    fn judge_data_center_token(&mut self, asked: &Result<Answer, Error>) {
        let Ok(answer) = asked else {
            self.findings.not_asked("token", "there was no answer");
            return;
        };
        let user = answer.identity.user.as_deref();
        match (answer.status, user) {
            (401 | 403, _) => {
                if let Err(error) = self.accepted(answer.clone()) {
                    self.findings.fail("token", &error);
                    self.refused = true;
                }
            }
            (_, Some(user)) => self.findings.ok("token", format!("accepted, as {user}")),
            (_, None) => self
                .findings
                .ok("token", "accepted (the server does not say as whom)"),
        }
    }

    /// Asks one question. Each has the time of an INPROGRESS, so that one that hangs leaves some for
    /// the others.
    fn ask(&mut self, request: &Request) -> Result<Answer, Error> {
        let credentials = self.credentials.clone();
        let asker = Asker::new(self.destination, credentials.as_ref());
        self.courier().ask(request, asker)
    }

    fn courier(&mut self) -> Courier<'_, 'v> {
        let policy = Policy::new(State::InProgress, self.args.network.timeout);
        Courier::new(self.client, policy, self.voice)
    }

    /// The answer, if it is a success of Bitbucket's.
    fn accepted(&self, answer: Answer) -> Result<Answer, Error> {
        let asker = Asker::new(self.destination, self.credentials.as_ref());
        match answer.verdict(asker, SystemTime::now()) {
            Verdict::Accepted => Ok(answer),
            Verdict::Refused(error) | Verdict::Failing { error, .. } => Err(error),
        }
    }
}
