use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_dynamodb::types::{ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use shared::id::UserId;
use shared::lease::AttemptId;
use shared::table::{Item, delete, key, number, put, text, update};
use shared::transaction::Sent;
use shared::write::{self, Written};
use shared::{Error, Result};

use super::links::Taken;
use super::{Account, Users, email_key, user_key, user_partition};
use crate::identity::{Identity, IdentityId, MAX_IDENTITIES, Subject};
use crate::link::LinkToken;
use crate::provider::Attempt;

/// The beginning of the sort keys of identities in a user's partition.
pub(super) const IDENTITY: &str = "IDENTITY#";
/// The condition of an identity's item under its subject: nobody has it, or a user has had it whose account is deleted.
const FREE: &str = "attribute_not_exists(pk) OR user_id = :gone";

/// To whom an identity leads.
#[derive(Clone, Debug)]
pub enum Owner {
    /// To this account.
    User(Box<Account>),
    /// To nobody, or to a user whose account is deleted.
    Nobody(Option<UserId>),
}

/// What came of making an account with an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// Both are made.
    Made,
    /// The address or the identity has an account. Nothing is written.
    Taken,
}

/// What came of linking an identity to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linked {
    /// It is linked, and the link in the mail is used.
    Made,
    /// The link was used, has expired, or the account has changed since. Nothing is written.
    InvalidLink,
    /// The user has [`MAX_IDENTITIES`]. Nothing is written.
    Full,
    /// The identity leads to an account. Nothing is written.
    Taken,
}

/// The item of an identity under its subject.
#[derive(Serialize, Deserialize)]
struct Leads {
    user_id: UserId,
    identity_id: IdentityId,
}

impl Users {
    /// Uses an attempt to sign in. Gives `false` if it was used before. 1 WRU.
    pub async fn use_attempt(&self, attempt: &Attempt, by: AttemptId) -> Result<bool> {
        #[derive(Serialize, Deserialize)]
        struct Used {
            used_by: AttemptId,
            expires: i64,
        }
        let used = Used { used_by: by, expires: attempt.expires };
        let key = key(format!("ATTEMPT#{}", attempt.state().hash()), "ATTEMPT");
        let put = self
            .table
            .put(key, &used)?
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        Ok(match write::send("attempts.use", put).await? {
            Written::Made(_) => true,
            Written::Refused(None) => false,
            // The SDK may have sent the request twice.
            Written::Refused(Some(item)) => serde_dynamo::from_item::<_, Used>(item)?.used_by == by,
        })
    }

    /// To whom an identity leads, strongly consistent; `None` while its items do not agree: it is being linked or removed. 1 RRU if
    /// it is unknown, and 3 otherwise.
    pub async fn owner(&self, subject: &Subject) -> Result<Option<Owner>> {
        let Some(Leads { user_id, identity_id }) = self.table.get(subject_key(subject)).await?
        else {
            return Ok(Some(Owner::Nobody(None)));
        };
        let Some(account) = self.account(user_id).await? else {
            return Ok(Some(Owner::Nobody(Some(user_id))));
        };
        let of_user = self.identity(user_id, identity_id).await?;
        let is_linked = of_user.is_some_and(|identity| identity.subject == *subject);
        Ok(is_linked.then(|| Owner::User(Box::new(account))))
    }

    /// Makes an account with an identity, unless its address or the identity has one. `gone` is the user who had the identity, whose
    /// account is deleted. All is written or nothing. 10 WRU.
    pub async fn create_with(
        &self,
        account: &Account,
        identity: &Identity,
        gone: Option<UserId>,
    ) -> Result<Made> {
        #[derive(Serialize)]
        struct New<'a> {
            #[serde(flatten)]
            account: &'a Account,
            identities: u32,
        }
        let user = &account.user;
        let mut writes = vec![
            self.table.new_item(email_key(&user.email), &Taken { user_id: user.id })?,
            self.table.new_item(user_key(user.id), &New { account, identities: 1 })?,
            // Tries before there was an account do not lock it.
            self.forgetting_tries(&user.email)?,
        ];
        writes.extend(self.adding(identity, gone)?);
        // The token is unique, because the id is new. It has 30 characters.
        let token = user.id.to_string();
        Ok(match self.table.transact("identities.create", &token, writes).await? {
            Sent::Made => Made::Made,
            Sent::Refused { index: 0 | 3, .. } => Made::Taken,
            Sent::Refused { .. } => return Err(Error::internal("another user has the new id")),
        })
    }

    /// Links an identity to an account by a link in a mail, if the account has the epoch in which the link was made. All is written or
    /// nothing. 8 WRU.
    pub async fn link_identity(
        &self,
        token: &LinkToken,
        identity: &Identity,
        epoch: u32,
        gone: Option<UserId>,
    ) -> Result<Linked> {
        let count = self
            .table
            .updating(user_key(identity.user))
            .update_expression("SET identities = if_not_exists(identities, :none) + :one")
            .condition_expression(
                "epoch = :epoch AND (attribute_not_exists(identities) OR identities < :max)",
            )
            .expression_attribute_values(":epoch", number(epoch))
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":max", number(MAX_IDENTITIES))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let mut writes = vec![self.using(token, identity.linked_at)?, update(count)?];
        writes.extend(self.adding(identity, gone)?);
        let attempt = identity.id.to_string();
        Ok(match self.table.transact("identities.link", &attempt, writes).await? {
            Sent::Made => Linked::Made,
            Sent::Refused { index: 1, item: Some(item) } if has_epoch(&item, epoch) => Linked::Full,
            Sent::Refused { index: 0 | 1, .. } => Linked::InvalidLink,
            Sent::Refused { .. } => Linked::Taken,
        })
    }

    /// The identities of a user, oldest first, strongly consistent. 1 RRU for 4 KB.
    pub async fn identities(&self, user: UserId) -> Result<Vec<Identity>> {
        self.table.all(user_partition(user), IDENTITY).await
    }

    /// An identity of a user, strongly consistent. 1 RRU.
    pub async fn identity(&self, user: UserId, id: IdentityId) -> Result<Option<Identity>> {
        self.table.get(identity_key(user, id)).await
    }

    /// Removes an identity. Gives `false` if it is removed already, or there is no account. 6 WRU.
    pub async fn remove_identity(&self, removed: &Identity, attempt: AttemptId) -> Result<bool> {
        let of_user = self
            .table
            .deleting(identity_key(removed.user, removed.id))
            .condition_expression("attribute_exists(pk)");
        let count = self
            .table
            .updating(user_key(removed.user))
            .update_expression("SET identities = if_not_exists(identities, :one) - :one")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":one", number(1));
        let of_subject = self
            .table
            .deleting(subject_key(&removed.subject))
            .condition_expression("attribute_not_exists(pk) OR identity_id = :identity")
            .expression_attribute_values(":identity", text(removed.id));
        let writes = vec![delete(of_user)?, update(count)?, delete(of_subject)?];
        let sent = self.table.transact("identities.remove", &attempt.to_string(), writes).await?;
        Ok(matches!(sent, Sent::Made))
    }

    /// Deletes all identities of a user without an account. Those under their subjects go first, so that a repeated call finds
    /// what is left. 2 WRU for each.
    pub(super) async fn forget_identities(&self, user: UserId) -> Result<()> {
        for identity in self.identities(user).await? {
            let of_subject = self
                .table
                .delete(subject_key(&identity.subject))
                .condition_expression("user_id = :user")
                .expression_attribute_values(":user", text(user));
            // Somebody may have begun anew with it.
            write::send("identities.forget_subject", of_subject).await?;
            let of_user = self.table.delete(identity_key(user, identity.id));
            write::send("identities.forget", of_user).await?;
        }
        Ok(())
    }

    /// The two items of an identity.
    fn adding(&self, identity: &Identity, gone: Option<UserId>) -> Result<[TransactWriteItem; 2]> {
        let leads = Leads { user_id: identity.user, identity_id: identity.id };
        // No user has the empty id.
        let gone = gone.map(|user| user.to_string()).unwrap_or_default();
        let of_subject = self
            .table
            .putting(subject_key(&identity.subject), &leads)?
            .condition_expression(FREE)
            .expression_attribute_values(":gone", text(gone));
        let of_user = identity_key(identity.user, identity.id);
        Ok([put(of_subject)?, self.table.new_item(of_user, identity)?])
    }
}

fn has_epoch(account: &Item, epoch: u32) -> bool {
    account.get("epoch") == Some(&number(epoch))
}

/// The key has a hash of the subject, which may have any length and any characters.
fn subject_key(Subject { provider, subject }: &Subject) -> Item {
    let hash = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, subject.as_bytes()));
    key(format!("IDENTITY#{provider}#{hash}"), "IDENTITY")
}

fn identity_key(user: UserId, id: IdentityId) -> Item {
    key(user_partition(user), format!("{IDENTITY}{id}"))
}
