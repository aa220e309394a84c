//! Configuration from environment variables, read once at cold start.
//!
//! **Guarantees.** If a variable is missing or does not parse, the function does not start, and the error
//! names the variable. No error contains a value, which may be a secret.
//!
//! ```
//! use shared::config::var;
//!
//! let path: String = var("PATH").unwrap();
//! let error = var::<u64>("MAX_UPLOAD_BYTES").unwrap_err();
//! assert_eq!(error.to_string(), "environment variable MAX_UPLOAD_BYTES is not set");
//! ```

use std::fmt::Display;
use std::str::FromStr;

/// An error in a variable. It names the variable, never its value.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The variable is not set.
    #[error("environment variable {0} is not set")]
    Missing(&'static str),
    /// The variable's value does not parse.
    #[error("environment variable {name} is not valid: {reason}")]
    Invalid {
        /// The variable's name.
        name: &'static str,
        /// Why the value does not parse.
        reason: String,
    },
}

/// Reads the variable `name` as a `T`.
///
/// # Errors
/// [`ConfigError`] when the variable is missing, is not Unicode, or does not parse.
pub fn var<T>(name: &'static str) -> Result<T, ConfigError>
where
    T: FromStr<Err: Display>,
{
    parse(name, std::env::var(name))
}

fn parse<T>(name: &'static str, value: Result<String, std::env::VarError>) -> Result<T, ConfigError>
where
    T: FromStr<Err: Display>,
{
    let invalid = |reason: String| ConfigError::Invalid { name, reason };
    match value {
        Ok(value) => value.parse().map_err(|e: T::Err| invalid(e.to_string())),
        Err(std::env::VarError::NotPresent) => Err(ConfigError::Missing(name)),
        Err(std::env::VarError::NotUnicode(_)) => Err(invalid("it is not Unicode".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_a_missing_variable_names_it() {
        let error = var::<String>("ARSENAL_NO_SUCH_VARIABLE").unwrap_err();
        assert_eq!(error.to_string(), "environment variable ARSENAL_NO_SUCH_VARIABLE is not set");
    }

    #[test]
    fn the_error_of_a_bad_value_names_the_variable_and_not_the_value() {
        let error = parse::<u32>("MAX_BYTES", Ok("s3cret".into())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "environment variable MAX_BYTES is not valid: invalid digit found in string"
        );
    }
}
