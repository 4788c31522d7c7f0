//! The values that options take, where that is not any text.

use std::time::Duration;

use clap::ValueEnum;

/// A way to send credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    /// A user name and a password or token
    Basic,
    /// A token alone
    Bearer,
    /// An OAuth consumer's key and secret, which are exchanged for a token
    #[value(name = "oauth")]
    OAuth,
}

/// A format of what is printed on stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    #[default]
    Text,
    /// One object, for programs
    Json,
}

/// Reads a number of seconds, with or without a fraction.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "it is not a number".to_owned())?;
    if (0.1..=86_400.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("it is not between 0.1 and 86400".into())
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
