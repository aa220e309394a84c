//! The texts of mails.

use crate::email::Email;
use crate::link::LinkToken;
use crate::mail::Mail;
use crate::tenant::TenantName;

/// The pages that mails link to: ours, or those of your application.
#[derive(Clone, Debug)]
pub struct Pages(String);

impl Pages {
    /// The pages below `url`, such as `https://example.org/auth`.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self(url.trim_end_matches('/').to_owned())
    }

    fn page(&self, name: &str) -> String {
        format!("{}/{name}", self.0)
    }

    fn link(&self, name: &str, token: &LinkToken) -> String {
        format!("{}?token={}", self.page(name), token.expose())
    }
}

/// To an address without an account, for which somebody has asked for one.
#[must_use]
pub fn confirm(to: Email, pages: &Pages, token: &LinkToken) -> Mail {
    let text = format!(
        "Somebody has asked for an account with this e-mail address.\n\n\
         To create it, open this page and choose a password:\n\n{}\n\n\
         The link works once, and for one hour. If it was not you, do nothing: there will be no account.\n",
        pages.link("confirm", token)
    );
    Mail { to, subject: "Confirm your e-mail address".into(), text }
}

/// To an address with an account, for which somebody has asked for one.
#[must_use]
pub fn already_registered(to: Email, pages: &Pages) -> Mail {
    let text = format!(
        "Somebody has asked for an account with this e-mail address. You have one already, so sign in.\n\n\
         If you do not know the password any more, choose a new one:\n\n{}\n\n\
         If it was not you, do nothing. Your account has not changed.\n",
        pages.page("forgot-password")
    );
    Mail { to, subject: "You already have an account".into(), text }
}

/// To an address with an account whose password is to be reset.
#[must_use]
pub fn reset(to: Email, pages: &Pages, token: &LinkToken) -> Mail {
    let text = format!(
        "Somebody has asked for a new password for your account.\n\n\
         To choose it, open this page:\n\n{}\n\n\
         The link works once, and for one hour. If it was not you, do nothing: your password stays as it is.\n",
        pages.link("reset-password", token)
    );
    Mail { to, subject: "Choose a new password".into(), text }
}

/// To an address with an account, which somebody has proved at a provider. `pages` are ours: a sign-in at a provider is only there.
#[must_use]
pub fn link_identity(to: Email, pages: &Pages, token: &LinkToken, provider: &str) -> Mail {
    let text = format!(
        "Somebody has signed in with {provider}, where this e-mail address is theirs too. You have an account with this address.\n\n\
         If it was you, and you want to sign in to your account with {provider} from now on, open this page:\n\n{}\n\n\
         The link works once, and for one hour. If it was not you, do nothing: your account stays as it is.\n",
        pages.link("link-identity", token)
    );
    Mail { to, subject: format!("Sign in with {provider}"), text }
}

/// To an address without an account, for which somebody has asked for a new password.
#[must_use]
pub fn unknown(to: Email, pages: &Pages) -> Mail {
    let text = format!(
        "Somebody has asked for a new password for this e-mail address. There is no account with it.\n\n\
         Perhaps you have registered with another address. To create an account with this one:\n\n{}\n\n\
         If it was not you, do nothing.\n",
        pages.page("register")
    );
    Mail { to, subject: "There is no account with this address".into(), text }
}

/// To an address whose owner a member, with the address `by`, invites into a tenant.
#[must_use]
pub fn invitation(
    to: Email,
    (by, tenant): (&Email, &TenantName),
    pages: &Pages,
    token: &LinkToken,
) -> Mail {
    let tenant = tenant.as_str();
    let text = format!(
        "{by} invites you to work with others in \u{201c}{tenant}\u{201d}.\n\n\
         To join, open this page and sign in as {to}:\n\n{}\n\n\
         If you have no account yet, create one with this address first:\n\n{}\n\n\
         The link works once, and for 7 days. If you do not know what this is about, do nothing.\n",
        pages.link("join", token),
        pages.page("register")
    );
    Mail { to, subject: "An invitation".into(), text }
}
