//! Connections that are refused, reset, closed or silent.

use crate::case::{Case, Time};
use crate::front::Call;

pub(crate) fn reset_unread(call: &mut Call) {
    call.leave_unread();
}

pub(crate) fn reset_read(call: &mut Call) {
    call.request();
    call.reset();
}

fn close(call: &mut Call) {
    call.request();
}

fn lose_answer(call: &mut Call) {
    call.answer();
    call.reset();
}

pub(crate) fn silence(call: &mut Call) {
    call.request();
    call.hold();
}

/// Every fault of this kind.
pub(crate) fn cases() -> Vec<Case> {
    let lasts = |fault, act| Case::http(fault).then(act);
    vec![
        Case::http("nobody listens").nowhere(),
        lasts("reset before the request is read", reset_unread),
        lasts("reset after the request is read", reset_read),
        lasts("closed after the request is read", close),
        Case::http("reset twice, then all is well")
            .first(&[reset_unread, reset_read])
            .ready(Time::Soon),
        lasts("stored, but the answer is lost, each time", lose_answer).stores(),
        Case::http("stored, but the answer is lost, twice")
            .first(&[lose_answer, lose_answer])
            .ready(Time::Soon),
        lasts("no answer", silence),
        Case::http("no answer once, then all is well")
            .first(&[silence])
            .ready(Time::Soon),
    ]
}
