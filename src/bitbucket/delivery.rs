//! A report's way to Bitbucket, and what has to be asked before.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::Deserialize;

use crate::bitbucket::credentials::Credentials;
use crate::bitbucket::data_center::{self, DataCenter, Generation};
use crate::bitbucket::destination::Destination;
use crate::bitbucket::hint::Sender;
use crate::bitbucket::{auth, verdict};
use crate::error::Error;
use crate::http::request::Request;
use crate::http::response::Response;
use crate::http::session::Session;
use crate::report::Report;
use crate::status::state::State;

/// What Bitbucket said in the end, and what it took to hear it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// How often the last request was sent.
    pub attempts: u32,
    /// How long everything took, pauses included.
    pub elapsed: Duration,
    /// The last HTTP status, if there was one.
    pub http_status: Option<u16>,
    /// What kept the status from being stored; nothing, if it is.
    pub error: Option<Error>,
    /// What Bitbucket has instead, which was left as it is.
    pub kept: Option<Kept>,
}

/// What Bitbucket has, and keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its state, in the product's word.
    pub state: String,
    /// Whether a newer run has said so, or the same one before.
    pub is_newer: bool,
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

/// A session with one of Bitbucket's products.
pub struct Delivery<'a, 'l> {
    session: Session<'a, 'l>,
    destination: &'a Destination,
    credentials: Option<Credentials>,
    /// What they were exchanged for.
    issued: Option<Credentials>,
    /// Whether that was some time ago, so that it may have been replaced since.
    is_old: bool,
    /// What is known of the server so far.
    generation: Option<Generation>,
}

impl<'a, 'l> Delivery<'a, 'l> {
    /// Sends nothing yet.
    pub fn new(
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
        }
    }

    /// The same with what an earlier delivery has exchanged the credentials for.
    #[must_use]
    pub fn with_issued(mut self, issued: Option<Credentials>) -> Self {
        self.is_old = issued.is_some();
        let secrets = issued.iter().flat_map(Credentials::secrets);
        self.session.log().hide(secrets);
        self.issued = issued;
        self
    }

    /// Delivers `report`, whatever it takes, and says how that ended.
    pub fn deliver(&mut self, report: &Report) -> Outcome {
        let result = self.authorize().and_then(|()| match self.destination {
            Destination::Cloud(_) => self.send(&self.destination.request(report)),
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
    pub fn authorize(&mut self) -> Result<(), Error> {
        let url = match &self.credentials {
            Some(Credentials::Consumer { url, .. }) if self.issued.is_none() => url,
            Some(Credentials::Stored(stored)) if self.issued.is_none() => {
                let deadline = self.session.deadline();
                let token = auth::fetch(stored, deadline, self.session.log())?;
                self.session.log().hide(token.secrets());
                self.issued = Some(token);
                return Ok(());
            }
            _ => return Ok(()),
        };
        let body = "grant_type=client_credentials".to_owned();
        let response = self.send(&Request::post_form(url.clone(), body))?;
        let issued =
            auth::issued(&response.body).ok_or_else(|| verdict::not_bitbucket(&response))?;
        self.session.log().hide(issued.secrets());
        self.issued = Some(issued);
        Ok(())
    }

    /// The credentials that are sent, after [`authorize`](Self::authorize).
    pub fn into_credentials(self) -> Option<Credentials> {
        self.issued.or(self.credentials)
    }

    /// What the credentials were exchanged for, for the next delivery: one that is refused there is
    /// exchanged anew.
    pub fn into_issued(self) -> Option<Credentials> {
        self.issued
    }

    fn sent_credentials(&self) -> Option<&Credentials> {
        self.issued.as_ref().or(self.credentials.as_ref())
    }

    /// Sends `request` with the credentials until it is accepted or refused, or until it is not
    /// worth another attempt.
    pub fn send(&mut self, request: &Request) -> Result<Response, Error> {
        match self.ask(request)? {
            (response, None) => Ok(response),
            (response, Some(_)) if response.status == 401 && self.is_old => {
                self.is_old = false;
                self.issued = None;
                self.authorize()?;
                self.send(request)
            }
            (_, Some(refusal)) => Err(refusal),
        }
    }

    /// The same, with the refusal beside the response that is one.
    pub fn ask(&mut self, request: &Request) -> Result<(Response, Option<Error>), Error> {
        let signed = match self.sent_credentials() {
            Some(credentials) => &credentials.sign(request.clone()),
            None => request,
        };
        self.ask_as_it_is(signed)
    }

    /// The same for a question that anybody may ask, so that no credentials go with it.
    pub fn ask_as_it_is(&mut self, request: &Request) -> Result<(Response, Option<Error>), Error> {
        let sender = Sender {
            credentials: self.issued.as_ref().or(self.credentials.as_ref()),
            product: self.destination.product(),
        };
        let judge = |response: &Response| verdict::judge(response, sender, SystemTime::now());
        self.session.send(request, &judge)
    }

    /// Asks for nothing unless it has to, and once: what a server can do with a stopped build, and
    /// which version it is when it does not have the endpoint for builds.
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
        match self.send(&server.request(report, generation)) {
            Err(Error::Refused { status: 404, .. }) if self.is_legacy(server) => {
                self.session.log().warn(
                    "this Bitbucket is older than 7.4: it stores the status without looking at the \
                     repository and the commit, and \"Required builds\" do not see it",
                );
                self.generation = Some(Generation::Legacy);
                self.send(&server.request(report, Generation::Legacy))
            }
            sent => sent,
        }
    }

    /// Whether `server` knows CANCELLED. Where it does not, it stores FAILED.
    pub(crate) fn knows_cancelled(&mut self, server: &DataCenter) -> Result<bool, Error> {
        if let Some(known) = self.generation {
            return Ok(known == Generation::Rich { cancelled: true });
        }
        let cancelled = match self.send(&server.build_capabilities()) {
            Ok(response) => data_center::knows_cancelled(&response.body),
            Err(error) if error.exit_code() == 5 => return Err(error),
            // Asking again would be one more failed login.
            Err(error) if error.http_status() == Some(401) => return Err(error),
            // An old server does not know the question.
            Err(_) => false,
        };
        if !cancelled {
            let warning = "this Bitbucket does not know CANCELLED: it stores FAILED";
            self.session.log().warn(warning);
        }
        self.generation = Some(Generation::Rich { cancelled });
        Ok(cancelled)
    }

    fn is_legacy(&mut self, server: &DataCenter) -> bool {
        let answer = self.ask_as_it_is(&server.properties()).ok();
        let version = answer.and_then(|(response, _)| data_center::version(&response.body));
        version.is_some_and(|version| !data_center::is_rich(&version))
    }

    /// The state that Bitbucket shows for `report` now, in its own word, if it tells.
    pub fn shown_state(&mut self, report: &Report) -> Option<String> {
        #[derive(Deserialize)]
        struct Shown {
            state: String,
        }
        self.authorize().ok()?;
        let response = self.send(&self.destination.look_up(report)).ok()?;
        serde_json::from_slice(&response.body)
            .ok()
            .map(|shown: Shown| shown.state)
    }

    /// Where the session leads.
    pub const fn destination(&self) -> &'a Destination {
        self.destination
    }
}
