//! Tokens for a device, which polls until the user has decided.

use secrecy::SecretString;

use super::{By, OAuthTokens, check, granted_scopes, invalid_request};
use crate::oauth::application::Grant;
use crate::oauth::device::{DeviceCode, Permission, Standing};
use crate::oauth::error::{Code as ErrorCode, Failure, OAuthError};
use crate::oauth::id_token::{self, SignIn};
use crate::session::{Client, Granted, Session};
use crate::store::{Exchanged, Polled};

const PENDING: OAuthError =
    OAuthError::new(ErrorCode::AuthorizationPending, "the user has not decided yet");
const TOO_SOON: OAuthError =
    OAuthError::new(ErrorCode::SlowDown, "wait 5 seconds more between two polls");
const DENIED: OAuthError = OAuthError::new(ErrorCode::AccessDenied, "the user has not allowed it");
const EXPIRED: OAuthError =
    OAuthError::new(ErrorCode::ExpiredToken, "the codes have ended after 10 minutes: begin again");

/// The same for each reason, which is in the log only.
const INVALID: OAuthError = OAuthError::new(
    ErrorCode::InvalidGrant,
    "the device code was used, is unknown or of another application, or the user's account has changed",
);

impl By<'_> {
    /// Tokens for a device that the user has allowed: begins a session. One write decides whether a poll comes in time, so
    /// polls at once are counted exactly.
    pub(super) async fn device_code(
        &self,
        code: Option<SecretString>,
        client: Client,
    ) -> Result<OAuthTokens, Failure> {
        check(self.application, Grant::DeviceCode)?;
        let code = code.ok_or(invalid_request("device_code is missing"))?;
        let code = DeviceCode::try_from(code).map_err(|_| INVALID)?;
        let users = &self.state.users;
        let attempt = self.state.ids.next();
        let device = match users.poll(&code, self.application.id, self.now, attempt).await? {
            Polled::InTime => return Err(PENDING.into()),
            Polled::Refused(device) => device,
            Polled::Unknown => return Err(INVALID.into()),
        };
        match device.standing(self.now) {
            Standing::Pending => {
                users.slow_down(&code, attempt).await?;
                Err(TOO_SOON.into())
            }
            Standing::Allowed(permission) => self.allowed(&code, permission, client).await,
            Standing::Denied => Err(DENIED.into()),
            Standing::Expired => Err(EXPIRED.into()),
            // Its session goes on: a device that got no answer polls again.
            Standing::Used => Err(INVALID.into()),
        }
    }

    /// Begins the session that the user has allowed.
    async fn allowed(
        &self,
        code: &DeviceCode,
        permission: Permission,
        client: Client,
    ) -> Result<OAuthTokens, Failure> {
        let users = &self.state.users;
        let account = users.account(permission.user).await?.ok_or(INVALID)?;
        // A change of the password meanwhile, or a sign-out everywhere, ends what was allowed before.
        if account.epoch != permission.epoch {
            return Err(INVALID.into());
        }
        let Permission { scopes, signed_in_at, .. } = permission;
        let application = self.application.id;
        let granted = Granted { id: application, scopes: scopes.clone() };
        let id = self.state.ids.next();
        let session = Session::begun(id, &account.user, account.epoch, client, self.now);
        let session = session.of_application(granted);
        // Before the code is used, so that a failure leaves it good.
        let sign_in = SignIn { application, scopes: &scopes, nonce: None, signed_in_at };
        let id_token = id_token::issue(self.issuer, sign_in, &account.user, self.now)?;
        if users.begin_on_device(code, &session, self.now).await? == Exchanged::Refused {
            return Err(INVALID.into());
        }
        let user_id = account.user.id;
        tracing::info!(%user_id, %application, session_id = %session.id, "signed in on a device");
        self.tokens(&account.user, &session, &granted_scopes(&session), id_token)
    }
}
