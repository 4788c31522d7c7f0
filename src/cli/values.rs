//! Types of option values other than text.

use std::time::Duration;

use clap::ValueEnum;

/// A way to send credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    /// User name, and password or token
    Basic,
    /// Token only
    Bearer,
    /// Key and secret of an OAuth consumer, exchanged for a token
    #[value(name = "oauth")]
    OAuth,
}

/// The format of stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Text, for people
    #[default]
    Text,
    /// JSON, for programs
    Json,
}

/// Which jobs' statuses `sync` sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Jobs {
    /// All of the pipeline's
    #[default]
    All,
    /// The pipeline's own status only
    None,
}

/// Reads a time span such as `24h` or `1day 6h`, of a year at most. An error is a phrase after "the
/// value is".
pub(super) fn time_span(text: &str) -> Result<Duration, String> {
    const YEAR: Duration = Duration::from_hours(366 * 24);
    match humantime::parse_duration(text) {
        Ok(time) if !time.is_zero() && time <= YEAR => Ok(time),
        Ok(_) => Err("not between 1s and a year".into()),
        Err(_) => Err("not a time span such as 24h, 90min or 2days".into()),
    }
}

/// Reads seconds, with or without a fraction. An error is a phrase after "the value is".
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.1..=86_400.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("not between 0.1 and 86400".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_span_has_units_and_is_not_endless() {
        assert_eq!(time_span("24h"), Ok(Duration::from_hours(24)));
        assert_eq!(time_span("1day 30min"), Ok(Duration::from_mins(1470)));
        for bad in [
            "",
            "24",
            "0s",
            "h",
            "-1h",
            "2years",
            "99999999999999999999h",
        ] {
            assert!(time_span(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn seconds_may_have_a_fraction_but_not_be_nothing() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for bad in ["0", "-1", "NaN", "inf", "1e9", "", "10s"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
