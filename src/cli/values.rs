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
pub enum Output {
    /// Text, for people
    #[default]
    Text,
    /// JSON, for programs
    Json,
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
    fn seconds_may_have_a_fraction_but_not_be_nothing() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for bad in ["0", "-1", "NaN", "inf", "1e9", "", "10s"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
