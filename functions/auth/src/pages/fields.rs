//! The fields of forms: `templates/fields.html`.
//!
//! **Guarantee.** A text that a browser has cut at `maxlength` is refused, so nobody gets another password or another
//! address than they pasted: no spelling of one is as long. A browser counts UTF-16 code units, of which a text has no
//! more than bytes of UTF-8.

use shared::{Error, Result};

use crate::email::{self, Email};
use crate::form::Form;
use crate::password::{self, NewPassword};

/// The names of the fields, in forms and in problems.
const EMAIL: &str = "email";
const PASSWORD: &str = "password";

/// The field of an e-mail address.
#[derive(Debug, Default)]
pub(super) struct EmailField {
    /// What is in the field.
    pub(super) value: String,
    /// Why it is refused.
    pub(super) error: Option<String>,
}

impl EmailField {
    pub(super) const MAX_LENGTH: usize = email::MAX_SPELLING_BYTES + 1;

    /// The address in a form; or the field, with what was typed and the error.
    pub(super) fn read(form: &Form) -> Result<Email, Self> {
        Email::try_from(form.text(EMAIL).to_owned()).map_err(|reason| Self::with(form, &reason))
    }

    /// The field with the error, if the error is about it.
    ///
    /// # Errors
    /// The error, if it is about something else.
    pub(super) fn refused(form: &Form, error: Error) -> Result<Self> {
        reason(&error, EMAIL).map(|reason| Self::with(form, &reason)).ok_or(error)
    }

    fn with(form: &Form, reason: &impl ToString) -> Self {
        Self { value: form.text(EMAIL).to_owned(), error: Some(reason.to_string()) }
    }
}

/// The field of a new password. It never has what was typed.
#[derive(Debug, Default)]
pub(super) struct PasswordField {
    /// Why the password is refused.
    pub(super) error: Option<String>,
}

impl PasswordField {
    /// The bounds of a password, in characters.
    pub(super) const MIN: usize = *password::LENGTH.start();
    pub(super) const MAX: usize = *password::LENGTH.end();
    pub(super) const MAX_LENGTH: usize = password::MAX_SPELLING_BYTES + 1;

    /// The password in a form; or the field, with the error.
    pub(super) fn read(form: &Form) -> Result<NewPassword, Self> {
        let password = NewPassword::try_from(form.secret(PASSWORD));
        password.map_err(|reason| Self { error: Some(reason.to_string()) })
    }

    /// The field with the error, if the error is about it.
    ///
    /// # Errors
    /// The error, if it is about something else.
    pub(super) fn refused(error: Error) -> Result<Self> {
        reason(&error, PASSWORD).map(|reason| Self { error: Some(reason) }).ok_or(error)
    }
}

/// What a problem says about a field.
fn reason(error: &Error, field: &str) -> Option<String> {
    match error {
        Error::Problem(problem) => problem.error_of(field).map(str::to_owned),
        _ => None,
    }
}
