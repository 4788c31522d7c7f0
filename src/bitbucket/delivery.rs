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
use crate::http::session::{Session, Verdict};
use crate::report::Report;
use crate::status::state::State;

/// What Bitbucket said in the end, and what it took to hear it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// How often the last request was sent.
    pub(crate) attempts: u32,
    /// How long everything took, pauses included.
    pub(crate) elapsed: Duration,
    /// The last HTTP status, if there was one.
    pub(crate) http_status: Option<u16>,
    /// What kept the status from being stored; nothing, if it is.
    pub(crate) error: Option<Error>,
}

/// A session with one of Bitbucket's products.
pub(crate) struct Delivery<'a, 'l> {
    session: Session<'a, 'l>,
    destination: &'a Destination,
    credentials: Option<Credentials>,
}

impl<'a, 'l> Delivery<'a, 'l> {
    /// Sends nothing yet.
    pub(crate) const fn new(
        session: Session<'a, 'l>,
        destination: &'a Destination,
        credentials: Option<Credentials>,
    ) -> Self {
        Self {
            session,
            destination,
            credentials,
        }
    }

    /// Delivers `report`, whatever it takes, and says how that ended.
    pub(crate) fn deliver(&mut self, report: &Report) -> Outcome {
        let result = self.authorize().and_then(|()| match self.destination {
            Destination::Cloud(_) => {
                let response = self.send(&self.destination.request(report))?;
                let contradiction = verdict::contradicts(&response, report.state.as_str());
                contradiction.map_or(Ok(response), Err)
            }
            Destination::DataCenter(server) => self.deliver_to_data_center(server, report),
        });
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

    /// Exchanges an OAuth consumer's credentials for a token; others are ready to be sent.
    pub(crate) fn authorize(&mut self) -> Result<(), Error> {
        let Some(Credentials::Consumer { url, .. }) = &self.credentials else {
            return Ok(());
        };
        let body = "grant_type=client_credentials".to_owned();
        let response = self.send(&Request::post_form(url.clone(), body))?;
        let issued =
            auth::issued(&response.body).ok_or_else(|| verdict::not_bitbucket(&response))?;
        self.session.log().hide(issued.secrets());
        self.credentials = Some(issued);
        Ok(())
    }

    /// The credentials that are sent, after [`authorize`](Self::authorize).
    pub(crate) fn into_credentials(self) -> Option<Credentials> {
        self.credentials
    }

    /// Sends `request` with the credentials until it is accepted or refused, or until it is not
    /// worth another attempt.
    pub(crate) fn send(&mut self, request: &Request) -> Result<Response, Error> {
        match self.ask(request)? {
            (response, None) => Ok(response),
            (_, Some(refusal)) => Err(refusal),
        }
    }

    /// The same, with the refusal beside the response that is one.
    pub(crate) fn ask(&mut self, request: &Request) -> Result<(Response, Option<Error>), Error> {
        let request = self.signed(request);
        self.session.send(
            &request,
            &judge(self.destination, self.credentials.as_ref()),
        )
    }

    /// The same for a question that anybody may ask, so that no credentials go with it.
    pub(crate) fn ask_unsigned(
        &mut self,
        request: &Request,
    ) -> Result<(Response, Option<Error>), Error> {
        self.session.send(request, &judge(self.destination, None))
    }

    /// Asks with one attempt, for what a report can do without.
    fn ask_once(&mut self, request: &Request) -> Result<(Response, Option<Error>), Error> {
        let request = self.signed(request);
        self.session.once(
            &request,
            &judge(self.destination, self.credentials.as_ref()),
        )
    }

    fn signed(&self, request: &Request) -> Request {
        let request = request.clone();
        match &self.credentials {
            Some(credentials) => credentials.sign(request),
            None => request,
        }
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
            let warning = "this server has no state CANCELLED (before 8.0): sending FAILED";
            self.session.log().warn(warning);
        }
        let generation = Generation::Rich { cancelled };
        match self.send(&server.request(report, generation)) {
            Err(Error::Refused { status: 404, .. }) if self.is_legacy(server) => {
                self.session.log().warn(
                    "Data Center before 7.4 stores the status without checking repository and \
                     commit, and \"Required builds\" ignore it",
                );
                self.send(&server.request(report, Generation::Legacy))
            }
            sent => sent,
        }
    }

    fn knows_cancelled(&mut self, server: &DataCenter) -> Result<bool, Error> {
        let asked = self.ask_once(&server.build_capabilities());
        match asked {
            Ok((response, None)) => Ok(data_center::knows_cancelled(&response.body)),
            // Asking again would be one more failed login.
            Ok((_, Some(error))) if error.http_status() == Some(401) => Err(error),
            // An old server does not know the question. FAILED is better than nothing.
            Ok(_) | Err(_) => Ok(false),
        }
    }

    fn is_legacy(&mut self, server: &DataCenter) -> bool {
        let answer = self.ask_unsigned(&server.properties()).ok();
        let version = answer.and_then(|(response, _)| data_center::version(&response.body));
        version.is_some_and(|version| data_center::is_legacy(&version))
    }

    /// The state that Bitbucket shows for `report` now, in its own word, if it tells.
    pub(crate) fn shown_state(&mut self, report: &Report) -> Option<String> {
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
