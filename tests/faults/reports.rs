//! INPROGRESS, and a command with its reports around it.

use crate::answers::drip;
use crate::case::{Case, Time};
use crate::connections::{reset_read, reset_unread, silence};
use crate::front::pass;

/// Every fault of this kind.
pub(crate) fn cases() -> Vec<Case> {
    let running = |fault| Case::http(fault).args(&["running"]);
    let wrapped = |fault| Case::http(fault).args(&["run", "--", "true"]);
    let strict = |fault| Case::http(fault).args(&["run", "--strict", "--", "true"]);
    vec![
        running("`running`: nobody listens")
            .nowhere()
            .ends(Time::Soon),
        // Two attempts, of two thirds of the time left each.
        running("`running`: no answer")
            .then(silence)
            .ends(Time::Soon),
        running("`running`: reset once, then all is well")
            .first(&[reset_read])
            .ready(Time::Soon),
        wrapped("`run -- true`: nobody listens").nowhere(),
        wrapped("`run -- true`: no answer").then(silence),
        strict("`run --strict -- true`: no answer").then(silence),
        wrapped("`run -- true`: one byte a second")
            .then(drip)
            .timeout(4)
            .stores(),
        // Long enough for INPROGRESS to be on its way.
        Case::http("`run -- sleep 0.5`: no answer to INPROGRESS, then all is well")
            .args(&["run", "--", "sleep", "0.5"])
            .first(&[silence])
            .then(pass)
            .ready(Time::UntilTimeout),
        // INPROGRESS may be stored late, and is watched for.
        Case::http("`run -- sleep 0.5`: INPROGRESS is reset, then all is well")
            .args(&["run", "--", "sleep", "0.5"])
            .first(&[reset_read, reset_unread])
            .ready(Time::UntilTimeout),
    ]
}
