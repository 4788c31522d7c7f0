//! What a response comes to, by its HTTP status, whoever sent it.

use std::time::SystemTime;

use crate::error::{Error, Server};
use crate::http::response::Response;
use crate::http::retry::RetryHint;
use crate::http::session::Verdict;
use crate::status::url;

/// Judges a response of `server`. What it says went wrong, and what to do about that, is asked of
/// `says` when something did.
pub(crate) fn judge(
    response: &Response,
    server: Server,
    now: SystemTime,
    says: impl FnOnce() -> (String, Option<&'static str>),
) -> Verdict {
    let status = response.status;
    match status {
        200 | 201 | 202 | 204 if response.is_empty_or_json() => return Verdict::Accepted,
        200..=299 => return Verdict::Refused(not_from(server, response)),
        300..=399 => {
            return Verdict::Refused(Error::Redirected {
                server,
                status,
                location: response
                    .printable_header("location")
                    .map(|location| url::without_user(&location)),
            });
        }
        _ => {}
    }
    let (message, hint) = says();
    let request_id = response.request_id();
    match RetryHint::of_status(status, response.retry_after(now)) {
        Some(retry_hint) => Verdict::Failing {
            error: Error::Failing {
                status,
                message,
                request_id,
                gave_up: None,
                hint,
            },
            retry_hint,
        },
        None => Verdict::Refused(Error::Refused {
            status,
            message,
            request_id,
            hint,
        }),
    }
}

/// The error for a success that is not the server's.
pub(crate) fn not_from(server: Server, response: &Response) -> Error {
    Error::NotFrom {
        server,
        status: response.status,
        content_type: response.printable_header("content-type"),
    }
}
