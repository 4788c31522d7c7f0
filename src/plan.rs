//! What a report takes: the claim, where it goes and who sends it.

use crate::auth::{self, Credentials};
use crate::cli::ReportArgs;
use crate::destination::{Destination, Product};
use crate::env::Env;
use crate::error::Error;
use crate::git;
use crate::output::Told;
use crate::provider;
use crate::report::Report;
use crate::voice::Voice;

/// Everything that is known before anything is sent.
#[derive(Debug)]
pub struct Plan {
    /// The claim.
    pub report: Report,
    /// Where it goes.
    pub destination: Destination,
    /// Who sends it, or why nobody can.
    pub credentials: Result<Credentials, Error>,
}

impl Plan {
    /// Puts it together, and keeps in `told` how far that got.
    pub fn new(
        args: &ReportArgs,
        env: &Env,
        told: &mut Told,
        voice: &mut Voice<'_>,
    ) -> Result<Self, Error> {
        let allow_http = args.network.allow_http;
        let id = args.build.provider.as_deref();
        let (about, context) = provider::read_for_report(id, env)?;
        told.provider = about.map(|about| about.id);
        let name = about.map_or("none is known", |about| about.name);
        voice.detail(&format!("CI: {name}"));
        if let Some(unreadable) = &context.unreadable {
            voice.warn(unreadable);
        }

        let remote = || git::remote(&context);
        let (to, origins) = (&args.destination, &args.origins);
        let destination = Destination::find(to, origins, allow_http, &context, remote);
        // What is missing for the report matters more than where it would have gone.
        let product = destination
            .as_ref()
            .map_or(Product::Cloud, Destination::product);
        let mut warnings = Vec::new();
        let report = Report::new(args, about, &context, product.limits(), &mut warnings)?;
        for warning in &warnings {
            voice.warn(warning);
        }
        told.report = Some(report.clone());
        let destination = told.destination.insert(destination?).clone();

        let credentials = auth::read(env, args.credentials.auth, allow_http)?;
        if let Some(credentials) = &credentials {
            credentials.check_product(product)?;
            voice.hide(credentials);
            voice.detail(&format!("credentials: {}", credentials.describe()));
        }
        Ok(Self {
            report,
            destination,
            credentials: credentials.ok_or(Error::NoCredentials {
                caveat: about.map(|about| about.secrets_caveat),
            }),
        })
    }
}
