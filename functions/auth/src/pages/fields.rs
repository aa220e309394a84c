//! The fields of forms: `templates/fields.html`.
//!
//! **Guarantee.** A text that a browser has cut at `maxlength` is refused, so nobody gets another password or another
//! address than they pasted. A browser counts UTF-16 code units, and a character has at most two of them.

use crate::email::Email;
use crate::pages::form::Form;
use crate::password::NewPassword;

/// The field of an e-mail address.
#[derive(Debug, Default)]
pub(super) struct EmailField {
    /// What is in the field.
    pub(super) value: String,
    /// Why it is refused.
    pub(super) error: Option<&'static str>,
}

impl EmailField {
    /// One more than an address can have.
    pub(super) const MAX_LENGTH: usize = Email::MAX_BYTES + 1;

    /// The address in a form; or the field, with what was typed and the error.
    pub(super) fn read(form: &Form) -> Result<Email, Self> {
        let value = form.text("email");
        Email::try_from(value.to_owned()).map_err(|_| Self {
            value: value.to_owned(),
            error: Some("Enter your whole e-mail address, such as name@example.org."),
        })
    }
}

/// The field of a new password. It never has what was typed.
#[derive(Debug, Default)]
pub(super) struct PasswordField {
    /// Why the password is refused.
    pub(super) error: Option<&'static str>,
}

impl PasswordField {
    /// The bounds of a password, in characters.
    pub(super) const MIN: usize = NewPassword::MIN;
    pub(super) const MAX: usize = NewPassword::MAX;
    /// Two for each character of a password, and for one more.
    pub(super) const MAX_LENGTH: usize = 2 * (NewPassword::MAX + 1);

    /// The password in a form; or the field, with the error.
    pub(super) fn read(form: &Form) -> Result<NewPassword, Self> {
        let password = form.secret("password");
        NewPassword::try_from(password)
            .map_err(|_| Self { error: Some("Choose a password of 15 to 128 characters.") })
    }
}
