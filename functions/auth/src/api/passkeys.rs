//! What the endpoints and the pages of passkeys share.

use std::fmt::Display;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::Serialize;
use shared::conflict::retried;
use shared::http::StatusCode;
use shared::id::{SessionId, UserId};
use shared::problem::{NOT_FOUND, Problem, ProblemType};
use shared::{Error, Result};
use utoipa::ToSchema;

use super::codes::{RecoveryCodes, forgive};
use super::current_password::checked;
use super::recent::{require_recent, require_second_factor};
use super::{account_of, take_try};
use crate::passkey::ceremony::Ceremony;
use crate::passkey::json::{CreationOptions, NewCredential, RequestOptions, UsedCredential};
use crate::passkey::{
    Challenge, MAX_PASSKEYS, Passkey, PasskeyId, PasskeyName, Purpose, Refusal, Refused, Registered,
};
use crate::second_factor;
use crate::session::Client;
use crate::store::{Account, CodesMade, PasskeyAdded, PasskeyRemoved, PasskeyUsed, Totp};
use crate::system::System;
use crate::token::Issuer;

/// The same for each reason, which is in the log only.
pub(crate) const PASSKEY_REFUSED: ProblemType =
    ProblemType::new(StatusCode::UNAUTHORIZED, "passkey-refused", "The passkey is not accepted");
pub(crate) const INVALID_PASSKEY: ProblemType = ProblemType::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "invalid-passkey",
    "The new passkey is not accepted",
);
pub(crate) const PASSKEY_KNOWN: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "passkey-known", "The passkey was added before");
pub(crate) const TOO_MANY_PASSKEYS: ProblemType =
    ProblemType::new(StatusCode::CONFLICT, "too-many-passkeys", "There are too many passkeys");

/// A passkey, as its user sees it.
#[derive(Serialize, ToSchema)]
#[schema(as = Passkey)]
pub(crate) struct Shown {
    id: PasskeyId,
    name: PasskeyName,
    /// When it was added.
    created_at: Timestamp,
    /// The last sign-in with it. Absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_at: Option<Timestamp>,
    /// Whether its authenticator may copy it to other devices of the user.
    is_backup_eligible: bool,
    /// Whether there are such copies, as far as the authenticator has told.
    is_backed_up: bool,
    /// The client that added it.
    client: Client,
}

impl From<Passkey> for Shown {
    fn from(passkey: Passkey) -> Self {
        let Passkey { id, name, created_at, used_at, .. } = passkey;
        let Passkey { is_backup_eligible, is_backed_up, client, .. } = passkey;
        Self { id, name, created_at, used_at, is_backup_eligible, is_backed_up, client }
    }
}

/// The options of a sign-in by whoever has a passkey. Nothing is written.
pub(crate) fn sign_in(issuer: &Issuer, now: Timestamp) -> Result<RequestOptions> {
    options(issuer, Purpose::SignIn, now)
}

/// The options of the second step of a sign-in, by the user of this challenge.
pub(crate) fn second_step(
    issuer: &Issuer,
    challenge: &second_factor::Challenge,
    now: Timestamp,
) -> Result<RequestOptions> {
    let second_factor::Challenge { user, epoch, .. } = *challenge;
    options(issuer, Purpose::SecondStep { user, epoch }, now)
}

fn options(issuer: &Issuer, purpose: Purpose, now: Timestamp) -> Result<RequestOptions> {
    let challenge = issuer.passkeys().encode(&Challenge::new(purpose, now)?);
    Ok(RequestOptions::new(&issuer.party()?, challenge))
}

/// Checks a signature of a passkey, and uses its challenge. Gives the account of its user.
///
/// # Errors
/// 401 for each reason.
pub(crate) async fn checked_passkey(
    system: &System,
    issuer: &Issuer,
    used: &UsedCredential,
    client: &Client,
) -> Result<Account> {
    let (party, now) = (issuer.party()?, system.clock.now());
    let ceremony = Ceremony { party: &party, key: issuer.passkeys(), now };
    let signed = ceremony.asserted(used).map_err(refused)?;
    let passkey = system.users.passkey_called(&signed.credential).await?;
    let passkey = passkey.ok_or_else(|| refused("there is no such passkey"))?;
    signed.is_of(&passkey).map_err(refused)?;
    let account = system.users.account(passkey.user).await?;
    let account = account.ok_or_else(|| refused(Refusal::User))?;
    let is_second_step = is_second_step(&signed.challenge, &account).map_err(refused)?;

    match system.users.use_passkey(&passkey, &signed, now, system.ids.next()).await? {
        PasskeyUsed::Made => {}
        PasskeyUsed::Challenge => return Err(refused(Refusal::Challenge).into()),
        PasskeyUsed::Gone => return Err(refused("the passkey is removed").into()),
        PasskeyUsed::Counter => {
            let (id, attempt) = (passkey.id, system.ids.next());
            tracing::warn!(user_id = %passkey.user, passkey = %id, "the counter has not gone up");
            let noted = Refused { at: now, client: client.clone() };
            system.users.refuse_passkey(&passkey, &signed.challenge, &noted, attempt).await?;
            return Err(refused("the counter").into());
        }
    }
    // A passkey alone says nothing of the password, so guesses of it go on to count.
    if is_second_step {
        forgive(system, &account.user.email).await;
    }
    Ok(account)
}

/// Whether the challenge is that of a second step of this user.
///
/// # Errors
/// When it is for something else than a sign-in of this user, in the epoch in which the password was right.
fn is_second_step(challenge: &Challenge, account: &Account) -> Result<bool, Refusal> {
    match challenge.purpose {
        Purpose::SignIn => Ok(false),
        Purpose::SecondStep { user, epoch }
            if (user, epoch) == (account.user.id, account.epoch) =>
        {
            Ok(true)
        }
        Purpose::SecondStep { .. } | Purpose::Enrolment { .. } => Err(Refusal::Challenge),
    }
}

fn refused(reason: impl Display) -> Problem {
    tracing::info!(%reason, "passkey refused");
    Problem::of(PASSKEY_REFUSED).detail("Begin again, or sign in in another way.")
}

/// A user who changes passkeys, in a session of the user's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct By {
    /// The user.
    pub(crate) user: UserId,
    /// The session.
    pub(crate) session: SessionId,
}

impl By {
    /// The options for a new passkey, for a user who knows the password.
    ///
    /// # Errors
    /// 422 for another password; 403 for a user with a second factor whose sign-in is too old; 409 for one with
    /// [`MAX_PASSKEYS`].
    pub(crate) async fn begins(
        self,
        state: &System,
        issuer: &Issuer,
        current_password: SecretString,
    ) -> Result<CreationOptions> {
        let account = self.proved(state, current_password).await?;
        if account.passkeys >= MAX_PASSKEYS {
            return Err(too_many().into());
        }
        let (user, epoch) = (self.user, account.epoch);
        let purpose = Purpose::Enrolment { user, session: self.session, epoch };
        let challenge = issuer.passkeys().encode(&Challenge::new(purpose, state.clock.now())?);
        let known = state.users.passkeys(user).await?.into_iter().map(|known| known.credential);
        let whose = (user, account.user.email.as_str());
        Ok(CreationOptions::new(&issuer.party()?, whose, challenge, known))
    }

    /// Adds a passkey that an authenticator has made for these options. The first second factor of a user brings recovery codes.
    ///
    /// # Errors
    /// 422 for an answer that is not what it must be; 403 if the user has got a second factor since, with which the session has not
    /// begun; 409 for a passkey that is known, and for a user with [`MAX_PASSKEYS`].
    pub(crate) async fn adds(
        self,
        state: &System,
        issuer: &Issuer,
        (name, made): (PasskeyName, &NewCredential),
        client: Client,
    ) -> Result<(Passkey, Option<RecoveryCodes>)> {
        let (party, now) = (issuer.party()?, state.clock.now());
        let ceremony = Ceremony { party: &party, key: issuer.passkeys(), now };
        let made = ceremony.registered(made).map_err(invalid)?;
        let added = retried(async || {
            let account = account_of(state, self.user).await?;
            self.is_for(&made, &account)?;
            require_second_factor(state, self.session, &account).await?;
            let challenge = made.challenge.clone();
            let by = (client.clone(), now);
            let id = state.ids.next();
            let passkey = Passkey::new(id, &account.user, name.clone(), made.clone(), by);
            let codes = recovery(issuer, &account, &passkey)?;
            let row = codes.as_ref().map(|(_, row)| row);
            let attempt = state.ids.next();
            match state.users.add_passkey(&account, &passkey, &challenge, row, attempt).await? {
                PasskeyAdded::Made => Ok(Some((passkey, codes.map(|(codes, _)| codes)))),
                PasskeyAdded::Account => Ok(None),
                PasskeyAdded::Full => Err(too_many().into()),
                PasskeyAdded::Used => Err(invalid(Refusal::Challenge).into()),
                PasskeyAdded::Known => Err(known().into()),
            }
        })
        .await?;
        tracing::info!(user_id = %self.user, passkey = %added.0.id, "passkey added");
        Ok(added)
    }

    /// Removes a passkey of a user who knows the password.
    ///
    /// # Errors
    /// 404 without such a passkey; 422 for another password; 403 for a sign-in that is too old.
    pub(crate) async fn removes(
        self,
        state: &System,
        id: PasskeyId,
        current_password: SecretString,
    ) -> Result<()> {
        let proved = self.proved(state, current_password).await?;
        retried(async || {
            let account = account_of(state, self.user).await?;
            if account.epoch != proved.epoch {
                return Err(Problem::unauthenticated().into());
            }
            let passkey = state.users.passkey(self.user, id).await?.ok_or_else(gone)?;
            match state.users.remove_passkey(&account, &passkey, state.ids.next()).await? {
                PasskeyRemoved::Made => Ok(Some(())),
                PasskeyRemoved::Gone => Err(gone()),
                PasskeyRemoved::Account => Ok(None),
            }
        })
        .await?;
        tracing::info!(user_id = %self.user, passkey = %id, "passkey removed");
        Ok(())
    }

    /// The account of the user, who knows the password, and has signed in lately if there is a second factor.
    async fn proved(self, state: &System, current_password: SecretString) -> Result<Account> {
        take_try(state, &account_of(state, self.user).await?.user.email).await?;
        let account = checked(state, self.user, current_password).await?;
        require_recent(state, self.session, &account).await?;
        Ok(account)
    }

    /// Checks that the challenge is for an enrolment of this user, in this session and in the epoch of the password.
    fn is_for(self, made: &Registered, account: &Account) -> Result<(), Problem> {
        let Self { user, session } = self;
        let expected = Purpose::Enrolment { user, session, epoch: account.epoch };
        let is_for = made.challenge.purpose == expected;
        if is_for { Ok(()) } else { Err(invalid(Refusal::Challenge)) }
    }
}

/// The recovery codes that a user without a second factor gets with the first passkey, and how they are stored.
fn recovery(
    issuer: &Issuer,
    account: &Account,
    passkey: &Passkey,
) -> Result<Option<(RecoveryCodes, Totp)>> {
    if account.has_second_factor() {
        return Ok(None);
    }
    let (codes, hashes) = RecoveryCodes::generate(issuer.factors()?, account.user.id)?;
    let made = CodesMade { at: passkey.created_at, client: passkey.client.clone() };
    Ok(Some((codes, Totp::recovery(account, hashes, made))))
}

/// The refusal of a new passkey, with the reason: its user is signed in.
fn invalid(reason: Refusal) -> Problem {
    tracing::info!(%reason, "new passkey refused");
    Problem::of(INVALID_PASSKEY).field("credential", reason.to_string())
}

fn too_many() -> Problem {
    Problem::of(TOO_MANY_PASSKEYS).detail(format!("The maximum is {MAX_PASSKEYS}."))
}

fn known() -> Problem {
    Problem::of(PASSKEY_KNOWN).detail("If a request got no answer, it was made: look at the list.")
}

fn gone() -> Error {
    Problem::not_found("passkey").into()
}

/// The refusals of a removal, besides those of a password.
pub(super) const OF_REMOVAL: [ProblemType; 2] = [NOT_FOUND, super::recent::SIGN_IN_TOO_OLD];
