use aws_sdk_dynamodb::types::{ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::id::{TenantId, UserId};
use shared::lease::AttemptId;
use shared::scopes::TenantRole;
use shared::table::{Item, Table, check, delete, key, number, put, update, value};
use shared::transaction::Sent;
use shared::write::{self, Written};
use shared::{Error, Result};

use super::{Account, Users, user_key, user_partition};
use crate::email::Email;
use crate::link::LinkToken;
use crate::tenant::{
    Given, Invitation, InvitationId, MAX_MEMBERS, MAX_TENANTS, Member, Removal, Tenant,
    invitation_id,
};
use crate::user::{Actor, User};

/// The sort key of tenants.
pub(super) const TENANT: &str = "TENANT";
/// The beginning of the sort keys of members.
pub(super) const MEMBER: &str = "MEMBER#";
/// The beginning of the sort keys of invitations.
pub(super) const INVITATION: &str = "INVITATION#";
/// The beginning of the sort keys of a user's memberships, and of the partitions of tenants.
const MEMBERSHIP: &str = "TENANT#";

/// What came of an attempt to become a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// The user is a member now.
    Made,
    /// The link or the invitation was used before, was revoked, or has expired.
    InvalidLink,
    /// The tenant does not exist any more.
    NoTenant,
    /// The tenant has [`MAX_MEMBERS`] members.
    TooManyMembers,
    /// The user is a member already.
    AlreadyMember,
    /// The user is a member of [`MAX_TENANTS`] tenants.
    TooManyTenants,
    /// The account does not exist any more.
    NoAccount,
    /// The member who has invited has another role than the one that was read. Nothing is written.
    Outdated,
}

/// What came of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invited {
    /// It is kept.
    Made,
    /// The address is invited as an owner already, and only an owner replaces that.
    OfOwner,
    /// The member who invites has another role than the one that was read.
    Outdated,
}

/// What came of a change of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberChanged {
    /// It is made.
    Made,
    /// It is not made: somebody has changed one of the two members, or the tenant, since they were read.
    Outdated,
    /// It is not made: the tenant would have no owner.
    LastOwner,
}

/// What is kept of a membership among the items of its user.
#[derive(Serialize, Deserialize)]
struct Membership {
    tenant: TenantId,
}

impl Users {
    /// The user as a member of this tenant, or alone in the user's own. `None` if the user is no member. No request for the user's
    /// own tenant, otherwise 1 RRU.
    pub async fn actor(&self, user: User, tenant: TenantId) -> Result<Option<Actor>> {
        if tenant == user.tenant {
            return Ok(Some(user.in_own_tenant()));
        }
        let member = self.member(tenant, user.id).await?;
        Ok(member.map(|member| Actor { user, tenant, membership: Some(member) }))
    }

    /// Makes a tenant, with its first member. 8 WRU.
    pub async fn create_tenant(&self, tenant: &Tenant, owner: &Member) -> Result<Joined> {
        let writes = vec![
            self.counting_tenant(owner.user)?,
            self.table.new_item(tenant_key(tenant.id), tenant)?,
            self.table.new_item(member_key(tenant.id, owner.user), owner)?,
            self.membership(owner.user, tenant.id)?,
        ];
        // The token is unique, because the id is new. It has 30 characters.
        Ok(match self.table.transact("tenants.create", &tenant.id.to_string(), writes).await? {
            Sent::Made => Joined::Made,
            Sent::Refused { index: 0, item: None } => Joined::NoAccount,
            Sent::Refused { index: 0, .. } => Joined::TooManyTenants,
            Sent::Refused { .. } => return Err(Error::internal("another tenant has the new id")),
        })
    }

    /// A tenant, strongly consistent. 1 RRU.
    pub async fn tenant(&self, tenant: TenantId) -> Result<Option<Tenant>> {
        self.table.get(tenant_key(tenant)).await
    }

    /// A member, strongly consistent. 1 RRU.
    pub async fn member(&self, tenant: TenantId, user: UserId) -> Result<Option<Member>> {
        self.table.get(member_key(tenant, user)).await
    }

    /// The tenants of which a user is a member, with the membership, in no particular order, strongly consistent. 1 RRU, and 2 for
    /// each tenant.
    pub async fn tenants(&self, user: UserId) -> Result<Vec<(Tenant, Member)>> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Row {
            Member(Box<Member>),
            Tenant(Box<Tenant>),
        }
        let query = self.table.query(user_partition(user), MEMBERSHIP).consistent_read(true);
        let (kept, _) = Table::page::<Membership>(query, MAX_TENANTS.cast_signed()).await?;
        let keys = kept.iter().map(|kept| kept.tenant);
        let keys = keys.flat_map(|id| [tenant_key(id), member_key(id, user)]).collect();
        let (mut tenants, mut members) = (Vec::new(), Vec::new());
        for row in self.table.batch(keys).await? {
            match row {
                Row::Member(member) => members.push(*member),
                Row::Tenant(tenant) => tenants.push(*tenant),
            }
        }
        let with_member = |tenant: Tenant| {
            let member = members.iter().find(|member| member.tenant == tenant.id)?.clone();
            Some((tenant, member))
        };
        Ok(tenants.into_iter().filter_map(with_member).collect())
    }

    /// Up to `limit` members of a tenant, in the order in which their accounts were made, after the user `after`; and whether there
    /// are more, strongly consistent. 1 RRU for 4 KB.
    pub async fn members(
        &self,
        tenant: TenantId,
        after: Option<UserId>,
        limit: i32,
    ) -> Result<(Vec<Member>, bool)> {
        let query = self
            .table
            .query(tenant_partition(tenant), MEMBER)
            .consistent_read(true)
            .set_exclusive_start_key(after.map(|after| member_key(tenant, after)));
        Table::page(query, limit).await
    }

    /// Keeps an invitation, in the place of an earlier one of the address, if `by` still has the role that was read. Only an owner
    /// replaces that of an owner. 4 WRU.
    pub async fn invite(
        &self,
        invitation: &Invitation,
        by: &Member,
        attempt: AttemptId,
    ) -> Result<Invited> {
        let key = invitation_key(invitation.tenant, invitation.id());
        let mut kept = self.table.putting(key, invitation)?;
        if by.role != TenantRole::Owner {
            kept = kept
                .condition_expression(
                    "attribute_not_exists(pk) OR #role <> :owner OR expires <= :now",
                )
                .expression_attribute_names("#role", "role")
                .expression_attribute_values(":owner", value(&TenantRole::Owner)?)
                .expression_attribute_values(":now", number(invitation.given.at.as_second()));
        }
        let writes = vec![self.still(by)?, put(kept)?];
        let sent = self.table.transact("tenants.invite", &attempt.to_string(), writes).await?;
        Ok(match sent {
            Sent::Made => Invited::Made,
            Sent::Refused { index: 1, .. } => Invited::OfOwner,
            Sent::Refused { .. } => Invited::Outdated,
        })
    }

    /// The invitation of an address, if it is good at `now`, strongly consistent. 1 RRU.
    pub async fn invitation(
        &self,
        tenant: TenantId,
        email: &Email,
        now: Timestamp,
    ) -> Result<Option<Invitation>> {
        let key = invitation_key(tenant, invitation_id(tenant, email));
        let found: Option<Invitation> = self.table.get(key).await?;
        Ok(found.filter(|invitation| invitation.expires > now.as_second()))
    }

    /// Up to `limit` invitations of a tenant that are good at `now`, after the invitation `after`; and whether there are more,
    /// strongly consistent. 1 RRU for 4 KB, including some that have expired.
    pub async fn invitations(
        &self,
        tenant: TenantId,
        after: Option<InvitationId>,
        limit: i32,
        now: Timestamp,
    ) -> Result<(Vec<Invitation>, bool)> {
        let query = self
            .table
            .query(tenant_partition(tenant), INVITATION)
            .consistent_read(true)
            .filter_expression("expires > :now")
            .expression_attribute_values(":now", number(now.as_second()))
            .set_exclusive_start_key(after.map(|after| invitation_key(tenant, after)));
        Table::page(query, limit).await
    }

    /// Revokes an invitation, for a member with this role: only an owner revokes those of owners. Gives `false` if there is none. 1 WRU.
    pub async fn revoke_invitation(
        &self,
        tenant: TenantId,
        id: InvitationId,
        own: TenantRole,
    ) -> Result<bool> {
        let mut deletion = self.table.delete(invitation_key(tenant, id));
        deletion = match own {
            TenantRole::Owner => deletion.condition_expression("attribute_exists(pk)"),
            _ => deletion
                .condition_expression("attribute_exists(pk) AND #role <> :owner")
                .expression_attribute_names("#role", "role")
                .expression_attribute_values(":owner", value(&TenantRole::Owner)?),
        };
        let sent = write::send("tenants.revoke_invitation", deletion).await?;
        Ok(matches!(sent, Written::Made(_)))
    }

    /// Uses a link and its invitation to make the owner of the account a member, if `by` still has the role that was read. All is
    /// written or nothing. 14 WRU.
    pub async fn join(
        &self,
        token: &LinkToken,
        (invitation, by): (&Invitation, &Member),
        account: &Account,
        (now, attempt): (Timestamp, AttemptId),
    ) -> Result<Joined> {
        let (tenant, role, user) = (invitation.tenant, invitation.role, &account.user);
        let invited = self
            .table
            .deleting(invitation_key(tenant, invitation.id()))
            .condition_expression("expires > :now AND #role = :role")
            .expression_attribute_names("#role", "role")
            .expression_attribute_values(":now", number(now.as_second()))
            .expression_attribute_values(":role", value(&role)?);
        let counted = self
            .table
            .updating(tenant_key(tenant))
            .update_expression("SET members = members + :one, owners = owners + :owner")
            .condition_expression("attribute_exists(pk) AND members < :max")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":owner", number(u8::from(role == TenantRole::Owner)))
            .expression_attribute_values(":max", number(MAX_MEMBERS))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let (email, given) = (user.email.clone(), invitation.given);
        let member = Member { tenant, user: user.id, email, role, joined_at: now, given };
        let writes = vec![
            self.using(token, now)?,
            delete(invited)?,
            update(counted)?,
            self.table.new_item(member_key(tenant, user.id), &member)?,
            self.membership(user.id, tenant)?,
            self.counting_tenant(user.id)?,
            self.still(by)?,
        ];
        Ok(match self.table.transact("tenants.join", &attempt.to_string(), writes).await? {
            Sent::Made => Joined::Made,
            Sent::Refused { index: 0 | 1, .. } => Joined::InvalidLink,
            Sent::Refused { index: 2, item: None } => Joined::NoTenant,
            Sent::Refused { index: 2, .. } => Joined::TooManyMembers,
            Sent::Refused { index: 3 | 4, .. } => Joined::AlreadyMember,
            Sent::Refused { index: 5, item: None } => Joined::NoAccount,
            Sent::Refused { index: 5, .. } => Joined::TooManyTenants,
            Sent::Refused { .. } => Joined::Outdated,
        })
    }

    /// Gives a member another role, if both members are as they were read. 2 to 6 WRU.
    pub async fn give_role(
        &self,
        (by, of): (&Member, &Member),
        role: TenantRole,
        (now, attempt): (Timestamp, AttemptId),
    ) -> Result<MemberChanged> {
        let given = Given { by: by.user, at: now };
        let changed = self
            .table
            .updating(member_key(of.tenant, of.user))
            .update_expression("SET #role = :role, given = :given")
            .condition_expression("#role = :old")
            .expression_attribute_names("#role", "role")
            .expression_attribute_values(":role", value(&role)?)
            .expression_attribute_values(":given", value(&given)?)
            .expression_attribute_values(":old", value(&of.role)?);
        let mut writes = vec![update(changed)?];
        let owners = (of.role == TenantRole::Owner, role == TenantRole::Owner);
        if owners.0 != owners.1 {
            let (change, condition) = if owners.0 {
                ("owners - :one", "owners > :one")
            } else {
                ("owners + :one", "attribute_exists(pk)")
            };
            let counted = self
                .table
                .updating(tenant_key(of.tenant))
                .update_expression(format!("SET owners = {change}"))
                .condition_expression(condition)
                .expression_attribute_values(":one", number(1));
            writes.push(update(counted)?);
        }
        // The condition of the change says it already.
        if by.user != of.user {
            writes.push(self.still(by)?);
        }
        let sent = self.table.transact("tenants.give_role", &attempt.to_string(), writes).await?;
        Ok(match sent {
            Sent::Made => MemberChanged::Made,
            Sent::Refused { index: 1, .. } if owners == (true, false) => MemberChanged::LastOwner,
            Sent::Refused { .. } => MemberChanged::Outdated,
        })
    }

    /// Ends a membership, if both members are as they were read; with the last one, also the tenant. Who is removed by another member
    /// loses an invitation too. 8 to 12 WRU.
    pub async fn remove_member(
        &self,
        (by, of): (&Member, &Member),
        tenant: &Tenant,
        (now, attempt): (Timestamp, AttemptId),
    ) -> Result<MemberChanged> {
        let removed = self
            .table
            .deleting(member_key(of.tenant, of.user))
            .condition_expression("#role = :role")
            .expression_attribute_names("#role", "role")
            .expression_attribute_values(":role", value(&of.role)?);
        let mut writes = vec![
            delete(removed)?,
            self.without_member((by, of), tenant, now)?,
            delete(self.table.deleting(membership_key(of.user, of.tenant)))?,
            self.counting_tenant_no_more(of.user)?,
        ];
        if by.user != of.user {
            writes.push(self.still(by)?);
            // Nobody comes back by an invitation from before.
            let invitation = invitation_key(of.tenant, invitation_id(of.tenant, &of.email));
            writes.push(delete(self.table.deleting(invitation))?);
        }
        let sent = self.table.transact("tenants.remove", &attempt.to_string(), writes).await?;
        let is_last_owner =
            of.role == TenantRole::Owner && tenant.owners == 1 && tenant.members > 1;
        Ok(match sent {
            Sent::Made => MemberChanged::Made,
            Sent::Refused { index: 1, .. } if is_last_owner => MemberChanged::LastOwner,
            Sent::Refused { .. } => MemberChanged::Outdated,
        })
    }

    /// The tenant without a member: it is deleted with the last one, and keeps an owner as long as it has others.
    fn without_member(
        &self,
        (by, of): (&Member, &Member),
        tenant: &Tenant,
        now: Timestamp,
    ) -> Result<TransactWriteItem> {
        let one = number(1);
        if tenant.members == 1 {
            let deletion = self.table.deleting(tenant_key(tenant.id));
            return delete(
                deletion
                    .condition_expression("members = :one")
                    .expression_attribute_values(":one", one),
            );
        }
        let (owners, condition) = match of.role {
            TenantRole::Owner => (", owners = owners - :one", " AND owners > :one"),
            _ => ("", ""),
        };
        let is_by_other = by.user != of.user;
        let noted = if is_by_other { ", removed = :removed" } else { "" };
        let mut counted = self
            .table
            .updating(tenant_key(tenant.id))
            .update_expression(format!("SET members = members - :one{owners}{noted}"))
            .condition_expression(format!("members > :one{condition}"))
            .expression_attribute_values(":one", one);
        if is_by_other {
            let removal = Removal { user: of.user, by: by.user, at: now };
            counted = counted.expression_attribute_values(":removed", value(&removal)?);
        }
        update(counted)
    }

    fn membership(&self, user: UserId, tenant: TenantId) -> Result<TransactWriteItem> {
        self.table.new_item(membership_key(user, tenant), &Membership { tenant })
    }

    /// The check that a member still has the role that was read.
    fn still(&self, member: &Member) -> Result<TransactWriteItem> {
        check(
            self.table
                .checking(member_key(member.tenant, member.user))
                .condition_expression("#role = :role")
                .expression_attribute_names("#role", "role")
                .expression_attribute_values(":role", value(&member.role)?),
        )
    }

    /// The account's count of tenants goes up, if it exists and there is room.
    fn counting_tenant(&self, user: UserId) -> Result<TransactWriteItem> {
        update(
            self.table
                .updating(user_key(user))
                .update_expression("SET tenants = if_not_exists(tenants, :none) + :one")
                .condition_expression(
                    "attribute_exists(pk) AND (attribute_not_exists(tenants) OR tenants < :max)",
                )
                .expression_attribute_values(":none", number(0))
                .expression_attribute_values(":one", number(1))
                .expression_attribute_values(":max", number(MAX_TENANTS))
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                ),
        )
    }

    /// It goes down. The account exists: it cannot be deleted before.
    fn counting_tenant_no_more(&self, user: UserId) -> Result<TransactWriteItem> {
        update(
            self.table
                .updating(user_key(user))
                .update_expression("SET tenants = tenants - :one")
                .condition_expression("attribute_exists(pk)")
                .expression_attribute_values(":one", number(1)),
        )
    }
}

fn tenant_partition(tenant: TenantId) -> String {
    format!("{MEMBERSHIP}{tenant}")
}

fn tenant_key(tenant: TenantId) -> Item {
    key(tenant_partition(tenant), TENANT)
}

/// The key of a member.
pub(super) fn member_key(tenant: TenantId, user: UserId) -> Item {
    key(tenant_partition(tenant), format!("{MEMBER}{user}"))
}

fn invitation_key(tenant: TenantId, id: InvitationId) -> Item {
    key(tenant_partition(tenant), format!("{INVITATION}{id}"))
}

fn membership_key(user: UserId, tenant: TenantId) -> Item {
    key(user_partition(user), format!("{MEMBERSHIP}{tenant}"))
}
