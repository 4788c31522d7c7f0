//! A report's way to Bitbucket, and what has to be asked before.

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
}

/// A session with one of Bitbucket's products.
pub struct Delivery<'a, 'l> {
    session: Session<'a, 'l>,
    destination: &'a Destination,
    credentials: Option<Credentials>,
    /// What they were exchanged for.
    issued: Option<Credentials>,
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
        }
    }

    /// The same with what an earlier delivery has exchanged the credentials for.
    #[must_use]
    pub fn with_issued(mut self, issued: Option<Credentials>) -> Self {
        self.issued = issued;
        self
    }

    /// Delivers `report`, whatever it takes, and says how that ended.
    pub fn deliver(&mut self, report: &Report) -> Outcome {
        let was_kept = self.issued.is_some();
        let mut result = self.try_to_deliver(report);
        // A token that was issued some time ago may have been replaced since.
        if was_kept && self.issued.is_none() {
            result = self.try_to_deliver(report);
        }
        let (http_status, error) = match result {
            Ok(response) => (Some(response.status), None),
            Err(error) => (error.http_status(), Some(error)),
        };
        Outcome {
            attempts: self.session.attempts(),
            elapsed: self.session.elapsed(),
            http_status,
            error,
        }
    }

    fn try_to_deliver(&mut self, report: &Report) -> Result<Response, Error> {
        self.authorize()?;
        let result = match self.destination {
            Destination::Cloud(_) => self.send(&self.destination.request(report)),
            Destination::DataCenter(server) => self.deliver_to_data_center(server, report),
        };
        if result
            .as_ref()
            .is_err_and(|it| it.http_status() == Some(401))
        {
            self.issued = None;
        }
        result
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

    /// What the credentials were exchanged for, for the next delivery.
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

    /// Asks for nothing unless it has to: what a server can do with a stopped build, and which
    /// version it is when it does not have the endpoint for builds.
    fn deliver_to_data_center(
        &mut self,
        server: &DataCenter,
        report: &Report,
    ) -> Result<Response, Error> {
        let cancelled = report.state == State::Stopped && self.knows_cancelled(server)?;
        if report.state == State::Stopped && !cancelled {
            let warning = "this Bitbucket does not know CANCELLED: it stores FAILED";
            self.session.log().warn(warning);
        }
        let generation = Generation::Rich { cancelled };
        match self.send(&server.request(report, generation)) {
            Err(Error::Refused { status: 404, .. }) if self.is_legacy(server) => {
                self.session.log().warn(
                    "this Bitbucket is older than 7.4: it stores the status without looking at the \
                     repository and the commit, and \"Required builds\" do not see it",
                );
                self.send(&server.request(report, Generation::Legacy))
            }
            sent => sent,
        }
    }

    fn knows_cancelled(&mut self, server: &DataCenter) -> Result<bool, Error> {
        match self.send(&server.build_capabilities()) {
            Ok(response) => Ok(data_center::knows_cancelled(&response.body)),
            Err(error) if error.exit_code() == 5 => Err(error),
            // Asking again would be one more failed login.
            Err(error) if error.http_status() == Some(401) => Err(error),
            // An old server does not know the question.
            Err(_) => Ok(false),
        }
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
