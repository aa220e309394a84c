use std::collections::BTreeSet;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::id::{TenantId, UserId};
use shared::lease::AttemptId;
use shared::table::{Item, delete, key, number, put, string, text, update, value};
use shared::transaction::Sent;
use shared::write::{self, Written};

use super::{Account, FactorSet, Users, user_key, user_partition};
use crate::second_factor::{ENROLMENT, MOST_WRONG, Proof};
use crate::session::Client;

pub(super) const TOTP: &str = "TOTP";
pub(super) const RECOVERY: &str = "RECOVERY";

/// An authenticator app of a user with the recovery codes: in force since it was confirmed, or an enrolment before. Or the
/// recovery codes alone, of a user with passkeys and without an app: exactly such a user has this item, beside no other.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Totp {
    /// The user.
    pub user: UserId,
    /// The user's tenant.
    pub tenant: TenantId,
    /// The secret, encrypted. Empty if there is no app.
    pub secret: String,
    /// The user's [`epoch`](Account::epoch) at the enrolment. In a later epoch, it cannot be confirmed.
    pub epoch: u32,
    /// The second, since 1970, from which on an enrolment cannot be confirmed. DynamoDB deletes it some time after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
    /// When it was confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
    /// The step of the last accepted code.
    #[serde(default)]
    pub last_step: i64,
    /// The wrong codes in a row, with those that are being checked.
    #[serde(default)]
    pub wrong: u32,
    /// The MACs of the recovery codes that are left.
    #[serde(
        default,
        skip_serializing_if = "BTreeSet::is_empty",
        serialize_with = "serde_dynamo::string_set::serialize"
    )]
    pub codes: BTreeSet<String>,
    /// How the recovery codes were made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codes_made: Option<CodesMade>,
    /// Who used the last accepted code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    spent_by: Option<AttemptId>,
}

/// How recovery codes were made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodesMade {
    /// When.
    pub at: Timestamp,
    /// The client of the request.
    #[serde(flatten)]
    pub client: Client,
}

/// What came of a try of a code.
#[derive(Clone, Debug)]
pub enum Tried {
    /// It is counted as wrong, until a right one clears the count.
    Counted(Totp),
    /// It is not counted: [`MOST_WRONG`] codes in a row were wrong. Only a recovery code may be accepted.
    Locked(Totp),
    /// There is no second factor in force.
    Off,
}

/// What came of a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// It is made.
    Made,
    /// It is not made, because the account has changed since it was read.
    Account,
    /// It is not made, because the code was used meanwhile.
    Code,
}

impl Totp {
    /// An enrolment of this user at `now`, with an encrypted secret.
    #[must_use]
    pub fn enrolled(account: &Account, secret: String, now: Timestamp) -> Self {
        Self {
            user: account.user.id,
            tenant: account.user.tenant,
            secret,
            epoch: account.epoch,
            expires: Some((now + ENROLMENT).as_second()),
            confirmed_at: None,
            last_step: 0,
            wrong: 0,
            codes: BTreeSet::new(),
            codes_made: None,
            spent_by: None,
        }
    }

    /// The recovery codes alone, of a user who gets them with the first passkey.
    #[must_use]
    pub fn recovery(account: &Account, codes: Vec<String>, made: CodesMade) -> Self {
        Self {
            expires: None,
            confirmed_at: Some(made.at),
            codes: codes.into_iter().collect(),
            codes_made: Some(made),
            ..Self::enrolled(account, String::new(), Timestamp::UNIX_EPOCH)
        }
    }

    /// The recovery codes that are left without the app, after this proof was used.
    fn without_app(&self, proof: &Proof) -> Self {
        let mut codes = self.codes.clone();
        if let Proof::Recovery(used) = proof {
            codes.remove(used);
        }
        Self {
            secret: String::new(),
            last_step: 0,
            wrong: 0,
            codes,
            spent_by: None,
            ..self.clone()
        }
    }

    /// Whether there is an authenticator app.
    #[must_use]
    pub fn has_app(&self) -> bool {
        !self.secret.is_empty()
    }

    fn key(&self) -> Item {
        if self.has_app() { totp_key(self.user) } else { recovery_key(self.user) }
    }

    /// Whether it can be confirmed at `now`, by a user in this epoch.
    #[must_use]
    pub fn is_enrolment(&self, epoch: u32, now: Timestamp) -> bool {
        let is_in_time = self.expires.is_some_and(|expires| expires > now.as_second());
        self.confirmed_at.is_none() && self.epoch == epoch && is_in_time
    }
}

/// The condition that a second factor in force has the secret that was checked, and the proof is not used.
const UNUSED_STEP: &str =
    "attribute_exists(confirmed_at) AND secret = :secret AND last_step < :proof";
const UNUSED_RECOVERY: &str =
    "attribute_exists(confirmed_at) AND secret = :secret AND contains(codes, :proof)";

/// The condition that the account has no app.
pub(super) const NO_APP: &str =
    "(attribute_not_exists(second_factor) OR second_factor.is_on = :off)";

/// The condition that the account has as many passkeys as were read.
pub(super) fn as_many_passkeys(account: &Account) -> &'static str {
    match account.passkeys {
        0 => "(attribute_not_exists(passkeys) OR passkeys = :passkeys)",
        _ => "passkeys = :passkeys",
    }
}

/// The condition that a proof is not used, and the value of `:proof`.
fn unused(proof: &Proof) -> (&'static str, AttributeValue) {
    match proof {
        Proof::Step(step) => (UNUSED_STEP, number(step)),
        Proof::Recovery(hash) => (UNUSED_RECOVERY, string(hash)),
    }
}

impl Users {
    /// The recovery codes of a user, with the app if there is one, strongly consistent. 1 RRU.
    pub async fn codes(&self, account: &Account) -> Result<Option<Totp>> {
        self.table.get(codes_key(account)).await
    }

    /// The authenticator app of a user, strongly consistent. 1 RRU.
    pub async fn totp(&self, user: UserId) -> Result<Option<Totp>> {
        self.table.get(totp_key(user)).await
    }

    /// Stores an enrolment, which replaces another one. Returns `false` if a second factor is in force. 1 WRU.
    pub async fn enrol(&self, totp: &Totp) -> Result<bool> {
        let put = self.table.put(totp_key(totp.user), totp)?;
        let put = put.condition_expression("attribute_not_exists(confirmed_at)");
        Ok(matches!(write::send("totp.enrol", put).await?, Written::Made(_)))
    }

    /// Puts an enrolment in force, with these recovery codes, if the account and the enrolment are as they were read. They
    /// replace those that came with a passkey. Returns `false` if they have changed. 4 WRU, or 6 with passkeys.
    pub async fn confirm_totp(
        &self,
        account: &Account,
        (totp, step): (&Totp, i64),
        codes: Vec<String>,
        set: &FactorSet,
        attempt: AttemptId,
    ) -> Result<bool> {
        let of_account = self
            .table
            .updating(user_key(totp.user))
            .update_expression("SET second_factor = :set")
            .condition_expression(format!(
                "epoch = :epoch AND {NO_APP} AND {}",
                as_many_passkeys(account)
            ))
            .expression_attribute_values(":set", value(set)?)
            .expression_attribute_values(":off", AttributeValue::Bool(false))
            .expression_attribute_values(":passkeys", number(account.passkeys))
            .expression_attribute_values(":epoch", number(totp.epoch));
        let made = CodesMade { at: set.at, client: set.client.clone() };
        let of_totp = self
            .table
            .updating(totp_key(totp.user))
            .update_expression(
                "SET confirmed_at = :at, last_step = :step, codes = :codes, codes_made = :made REMOVE expires",
            )
            .condition_expression(
                "attribute_not_exists(confirmed_at) AND secret = :secret AND expires > :now",
            )
            .expression_attribute_values(":at", text(set.at))
            .expression_attribute_values(":step", number(step))
            .expression_attribute_values(":codes", AttributeValue::Ss(codes))
            .expression_attribute_values(":made", value(&made)?)
            .expression_attribute_values(":secret", string(&totp.secret))
            .expression_attribute_values(":now", number(set.at.as_second()));
        let mut writes = vec![update(of_account)?, update(of_totp)?];
        if account.passkeys > 0 {
            writes.push(delete(self.table.deleting(recovery_key(totp.user)))?);
        }
        let answer = self.table.transact("totp.confirm", &attempt.to_string(), writes).await?;
        Ok(matches!(answer, Sent::Made))
    }

    /// Counts a try of a code of a user, before it is checked. Of tries at once, each is counted by itself. 1 WRU.
    pub async fn try_code(&self, account: &Account) -> Result<Tried> {
        let update = self
            .table
            .update(codes_key(account))
            .update_expression("SET wrong = wrong + :one")
            .condition_expression("attribute_exists(confirmed_at) AND wrong < :most")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(MOST_WRONG))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let (is_counted, item) = match write::send("totp.try", update).await? {
            Written::Made(item) => (true, item),
            Written::Refused(item) => (false, item),
        };
        let totp: Option<Totp> = item.map(serde_dynamo::from_item).transpose()?;
        Ok(match totp.filter(|totp| totp.confirmed_at.is_some()) {
            Some(totp) if is_counted => Tried::Counted(totp),
            Some(totp) => Tried::Locked(totp),
            None => Tried::Off,
        })
    }

    /// Uses a proof, and clears the count of wrong codes. Returns `false` if it was used before, or if the second factor has
    /// changed since it was read. 1 WRU.
    pub async fn use_code(&self, totp: &Totp, proof: &Proof, attempt: AttemptId) -> Result<bool> {
        let change = match proof {
            Proof::Step(_) => "SET wrong = :none, spent_by = :attempt, last_step = :proof",
            Proof::Recovery(_) => "SET wrong = :none, spent_by = :attempt DELETE codes :code",
        };
        let mut update = self.table.update(totp.key()).update_expression(change);
        if let Proof::Recovery(hash) = proof {
            let code = AttributeValue::Ss(vec![hash.clone()]);
            update = update.expression_attribute_values(":code", code);
        }
        self.spend("totp.use", update, (totp, proof), attempt).await
    }

    /// Replaces the recovery codes, and uses a proof in the same write. Returns `false` as [`Users::use_code`] does. 1 WRU.
    pub async fn renew_codes(
        &self,
        (totp, proof): (&Totp, &Proof),
        codes: Vec<String>,
        made: &CodesMade,
        attempt: AttemptId,
    ) -> Result<bool> {
        let change = match proof {
            Proof::Step(_) => {
                "SET wrong = :none, spent_by = :attempt, codes = :codes, codes_made = :made, last_step = :proof"
            }
            Proof::Recovery(_) => {
                "SET wrong = :none, spent_by = :attempt, codes = :codes, codes_made = :made"
            }
        };
        let update = self
            .table
            .update(totp.key())
            .update_expression(change)
            .expression_attribute_values(":codes", AttributeValue::Ss(codes))
            .expression_attribute_values(":made", value(made)?);
        self.spend("totp.renew_codes", update, (totp, proof), attempt).await
    }

    /// Sends an update that uses a proof. The item has the attempt, so an answer that was lost does not make it look used by
    /// another one.
    async fn spend(
        &self,
        name: &'static str,
        update: UpdateItemFluentBuilder,
        (totp, proof): (&Totp, &Proof),
        attempt: AttemptId,
    ) -> Result<bool> {
        let (condition, proof) = unused(proof);
        let update = update
            .condition_expression(condition)
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":attempt", text(attempt))
            .expression_attribute_values(":proof", proof)
            .expression_attribute_values(":secret", string(&totp.secret))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        Ok(match write::send(name, update).await? {
            Written::Made(_) => true,
            Written::Refused(None) => false,
            Written::Refused(Some(item)) => {
                let found: Totp = serde_dynamo::from_item(item)?;
                found.spent_by == Some(attempt)
            }
        })
    }

    /// Switches the app off and deletes it, with a proof that is not used, if the account has the epoch and the number of
    /// passkeys that were read. Of a user with passkeys, the recovery codes stay. 4 WRU, or 6 with passkeys.
    pub async fn remove_totp(
        &self,
        account: &Account,
        (totp, proof): (&Totp, &Proof),
        set: &FactorSet,
        attempt: AttemptId,
    ) -> Result<Removed> {
        let of_account = self
            .table
            .updating(user_key(totp.user))
            .update_expression("SET second_factor = :set")
            .condition_expression(format!(
                "epoch = :epoch AND second_factor.is_on = :on AND {}",
                as_many_passkeys(account)
            ))
            .expression_attribute_values(":set", value(set)?)
            .expression_attribute_values(":passkeys", number(account.passkeys))
            .expression_attribute_values(":on", AttributeValue::Bool(true))
            .expression_attribute_values(":epoch", number(account.epoch));
        let (condition, used) = unused(proof);
        let mut of_totp = self
            .table
            .deleting(totp_key(totp.user))
            .expression_attribute_values(":proof", used)
            .expression_attribute_values(":secret", string(&totp.secret));
        if account.passkeys == 0 {
            let writes =
                vec![update(of_account)?, delete(of_totp.condition_expression(condition))?];
            return self.removed_totp(writes, attempt).await;
        }
        // A code that was used since they were read must not come back.
        let is_same = if totp.codes.is_empty() {
            "attribute_not_exists(codes)"
        } else {
            let codes = AttributeValue::Ss(totp.codes.iter().cloned().collect());
            of_totp = of_totp.expression_attribute_values(":codes", codes);
            "codes = :codes"
        };
        let of_totp = of_totp.condition_expression(format!("{condition} AND {is_same}"));
        let kept = self.table.putting(recovery_key(totp.user), &totp.without_app(proof))?;
        let writes = vec![update(of_account)?, delete(of_totp)?, put(kept)?];
        self.removed_totp(writes, attempt).await
    }

    async fn removed_totp(
        &self,
        writes: Vec<TransactWriteItem>,
        attempt: AttemptId,
    ) -> Result<Removed> {
        Ok(match self.table.transact("totp.remove", &attempt.to_string(), writes).await? {
            Sent::Made => Removed::Made,
            Sent::Refused { index: 0, .. } => Removed::Account,
            Sent::Refused { .. } => Removed::Code,
        })
    }
}

pub(super) fn totp_key(user: UserId) -> Item {
    key(user_partition(user), TOTP)
}

pub(super) fn recovery_key(user: UserId) -> Item {
    key(user_partition(user), RECOVERY)
}

/// Where the recovery codes of a user are.
fn codes_key(account: &Account) -> Item {
    let user = account.user.id;
    if account.has_totp() { totp_key(user) } else { recovery_key(user) }
}
