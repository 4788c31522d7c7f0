//! Delivers a report, with the requests that it needs first.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::bitbucket::credentials::Credentials;
use crate::bitbucket::data_center::{self, DataCenter, Generation};
use crate::bitbucket::destination::Destination;
use crate::bitbucket::hint::Sender;
use crate::bitbucket::{auth, verdict};
use crate::error::Error;
use crate::http::request::Request;
use crate::http::response::Response;
use crate::http::retry::Policy;
use crate::http::session::{self, Answer, Session, Verdict};
use crate::report::Report;
use crate::status::state::State;

/// What an urgent question takes for all the time that is left: it gets three seconds of it where the
/// server is silent. GitHub ends a job 7.5 s after it has asked.
/// <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation>
const URGENT: Duration = Duration::from_secs(8);

/// How a delivery ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// How often the last request was sent.
    pub(crate) attempts: u32,
    /// How long all requests took, including pauses.
    pub(crate) elapsed: Duration,
    /// The HTTP status of the last answer, if there was one.
    pub(crate) http_status: Option<u16>,
    /// Why the status is not stored; `None` if it is.
    pub(crate) error: Option<Error>,
    /// The status that Bitbucket has and keeps instead.
    pub(crate) kept: Option<Kept>,
}

/// A status that Bitbucket keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Its state, in the product's words.
    pub(crate) state: String,
    /// Whether a newer run has sent it, or the same one before.
    pub(crate) is_newer: bool,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = if self.is_newer {
            "a newer run"
        } else {
            "the same run"
        };
        write!(f, "kept {} of {run}", self.state)
    }
}

/// A session that sends credentials to a destination.
pub(crate) struct Delivery<'a, 'l> {
    session: Session<'a, 'l>,
    destination: &'a Destination,
    credentials: Option<Credentials>,
    /// What they were exchanged for.
    issued: Option<Credentials>,
    /// Whether that was some time ago, so that it may have been replaced since.
    is_old: bool,
    /// What is known of the server so far.
    generation: Option<Generation>,
    /// Whether somebody waits who soon ends us.
    is_urgent: bool,
}

impl<'a, 'l> Delivery<'a, 'l> {
    /// A delivery to `destination`. Sends nothing yet.
    pub(crate) fn new(
        session: Session<'a, 'l>,
        destination: &'a Destination,
        credentials: Option<Credentials>,
    ) -> Self {
        Self {
            session,
            destination,
            credentials,
            issued: None,
            is_old: false,
            generation: None,
            is_urgent: false,
        }
    }

    /// The same where little time may be left: a question gets some seconds at most.
    #[must_use]
    pub(crate) const fn urgent(mut self, is_urgent: bool) -> Self {
        self.is_urgent = is_urgent;
        self
    }

    /// The same with what an earlier delivery has exchanged the credentials for.
    #[must_use]
    pub(crate) fn with_issued(mut self, issued: Option<Credentials>) -> Self {
        self.is_old = issued.is_some();
        let secrets = issued.iter().flat_map(Credentials::secrets);
        self.session.log().hide(secrets);
        self.issued = issued;
        self
    }

    /// Delivers `report`, with every request that this needs.
    pub(crate) fn deliver(&mut self, report: &Report) -> Outcome {
        let result = self.authorize().and_then(|()| match self.destination {
            Destination::Cloud(_) => self.store(&self.destination.request(report)),
            Destination::DataCenter(server) => self.deliver_to_data_center(server, report),
        });
        match result {
            Ok(response) => self.outcome(Some(response.status), None, None),
            Err(error) => self.outcome(error.http_status(), Some(error), None),
        }
    }

    /// How a report ended.
    pub(crate) fn outcome(
        &self,
        http_status: Option<u16>,
        error: Option<Error>,
        kept: Option<Kept>,
    ) -> Outcome {
        Outcome {
            attempts: self.session.attempts(),
            elapsed: self.session.elapsed(),
            http_status,
            error,
            kept,
        }
    }

    /// The session that everything is sent in.
    pub(crate) const fn session(&mut self) -> &mut Session<'a, 'l> {
        &mut self.session
    }

    /// Exchanges an OAuth consumer's credentials for a token, and asks AWS for the one that it keeps;
    /// others are ready to be sent.
    pub(crate) fn authorize(&mut self) -> Result<(), Error> {
        let issued = match &self.credentials {
            Some(Credentials::Consumer { url, .. }) if self.issued.is_none() => {
                let body = "grant_type=client_credentials".to_owned();
                let request = Request::post_form(url.clone(), body);
                let response = session::accepted(self.ask(&request))?;
                auth::issued(&response.body).ok_or_else(|| verdict::not_bitbucket(&response))?
            }
            Some(Credentials::Stored(stored)) if self.issued.is_none() => {
                let deadline = self.session.deadline();
                auth::fetch(stored, deadline, self.session.log())?
            }
            _ => return Ok(()),
        };
        self.session.log().hide(issued.secrets());
        self.issued = Some(issued);
        Ok(())
    }

    /// The credentials: after [`authorize`](Self::authorize), the issued token.
    pub(crate) fn into_credentials(self) -> Option<Credentials> {
        self.issued.or(self.credentials)
    }

    /// What the credentials were exchanged for, for the next delivery: one that is refused there is
    /// exchanged anew.
    pub(crate) fn into_issued(self) -> Option<Credentials> {
        self.issued
    }

    /// Sends a report's request. An answer that shows another state is an error.
    fn store(&mut self, request: &Request) -> Result<Response, Error> {
        let response = self.send(request)?;
        verdict::contradiction(&response, &request.body).map_or(Ok(response), Err)
    }

    /// Sends `request` with the credentials, exchanged where they have to be, and retries if that may
    /// help. A refusal is an error.
    pub(crate) fn send(&mut self, request: &Request) -> Result<Response, Error> {
        self.authorize()?;
        match self.ask(request) {
            Ok((response, Some(_))) if response.status == 401 && self.is_old => {
                self.is_old = false;
                self.issued = None;
                self.send(request)
            }
            answer => session::accepted(answer),
        }
    }

    /// The same with the credentials as they are. A refusal is returned with its response.
    pub(crate) fn ask(&mut self, request: &Request) -> Answer {
        let credentials = self.issued.as_ref().or(self.credentials.as_ref());
        let judge = judge(self.destination, credentials);
        let request = request.clone();
        let request = match credentials {
            Some(credentials) => credentials.sign(request),
            None => request,
        };
        self.session.send(&request, &judge)
    }

    /// The same for a question that anybody may ask, so that no credentials go with it.
    pub(crate) fn ask_unsigned(&mut self, request: &Request) -> Answer {
        self.session.send(request, &judge(self.destination, None))
    }

    /// Asks what has to be known before a report is sent, in a part of the time that is left for both.
    pub(crate) fn question<T>(&mut self, ask: impl FnOnce(&mut Self) -> T) -> T {
        let deadline = self.session.deadline();
        let left = deadline.left();
        let left = if self.is_urgent {
            left.min(URGENT)
        } else {
            left
        };
        let hasty = Policy::question(deadline.elapsed(), left);
        let policy = self.session.change_policy(hasty);
        let found = ask(self);
        self.session.change_policy(policy);
        found
    }

    /// Asks the server first only if needed: for its capabilities if the build was stopped, and for
    /// its version if the endpoint for builds is missing.
    fn deliver_to_data_center(
        &mut self,
        server: &DataCenter,
        report: &Report,
    ) -> Result<Response, Error> {
        let generation = match (self.generation, report.state) {
            (Some(known), _) => known,
            (None, State::Stopped) => Generation::Rich {
                cancelled: self.knows_cancelled(server)?,
            },
            (None, _) => Generation::Rich { cancelled: false },
        };
        let is_guessed = self.generation.is_none();
        match self.store(&server.request(report, generation)) {
            Err(Error::Refused { status: 400, .. })
                if is_guessed && report.state == State::Stopped =>
            {
                let known = Generation::Rich { cancelled: false };
                self.generation = Some(known);
                self.warn_of_failed();
                self.store(&server.request(report, known))
            }
            Err(Error::Refused { status: 404, .. }) if self.is_legacy(server) => {
                self.session.log().warn(
                    "Data Center before 7.4 stores the status without checking repository and \
                     commit, and \"Required builds\" ignore it",
                );
                self.generation = Some(Generation::Legacy);
                self.store(&server.request(report, Generation::Legacy))
            }
            sent => sent,
        }
    }

    /// Whether `server` has the state CANCELLED. Where it does not, FAILED is sent.
    pub(crate) fn knows_cancelled(&mut self, server: &DataCenter) -> Result<bool, Error> {
        if let Some(known) = self.generation {
            return Ok(known == Generation::Rich { cancelled: true });
        }
        let cancelled = match self.question(|it| it.ask(&server.build_capabilities())) {
            // Another request would be another failed login, which may lock the account.
            Ok((_, Some(error))) if error.http_status() == Some(401) && self.is_login() => {
                return Err(error);
            }
            Ok((response, None)) => data_center::knows_cancelled(&response.body),
            // An old server lacks this endpoint.
            Ok((Response { status: 404, .. }, _)) => false,
            // It does not say. One that does not know the word refuses it.
            Ok(_) | Err(_) => return Ok(true),
        };
        if !cancelled {
            self.warn_of_failed();
        }
        self.generation = Some(Generation::Rich { cancelled });
        Ok(cancelled)
    }

    fn is_login(&self) -> bool {
        let credentials = self.issued.as_ref().or(self.credentials.as_ref());
        matches!(credentials, Some(Credentials::Basic { .. }))
    }

    fn warn_of_failed(&mut self) {
        let warning = "this server has no state CANCELLED (before 8.0): sending FAILED";
        self.session.log().warn(warning);
    }

    fn is_legacy(&mut self, server: &DataCenter) -> bool {
        let answer = self.ask_unsigned(&server.properties()).ok();
        let version = answer.and_then(|(response, _)| data_center::version(&response.body));
        version.is_some_and(|version| data_center::is_legacy(&version))
    }

    /// The repository that the session is for.
    pub(crate) const fn destination(&self) -> &'a Destination {
        self.destination
    }
}

fn judge<'a>(
    destination: &Destination,
    credentials: Option<&'a Credentials>,
) -> impl Fn(&Response) -> Verdict + 'a {
    let product = destination.product();
    let sender = Sender {
        credentials,
        product,
    };
    move |response| verdict::judge(response, sender, SystemTime::now())
}
