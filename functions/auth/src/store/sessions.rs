use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use futures::future::try_join_all;
use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::id::{SessionId, TenantId, UserId};
use shared::lease::AttemptId;
use shared::scopes::TenantRole;
use shared::table::{Item, Table, check, key, milliseconds, number, text, update, value};
use shared::transaction::Sent;
use shared::write::{self, Written};

use super::api_keys::API_KEY;
use super::applications::application_key;
use super::second_factors::{recovery_key, totp_key};
use super::tenants::member_key;
use super::{Users, user_key, user_partition};
use crate::oauth::application::ApplicationId;
use crate::session::{Client, Ended, IDLE, LIFETIME, Reason, RefreshToken, Session, Verdict};

pub(super) const SESSION: &str = "SESSION#";
/// The condition and the filter of sessions that are alive.
pub(super) const ALIVE: &str =
    "epoch = :epoch AND attribute_not_exists(ended) AND expires_at > :now AND refreshed_at > :idle";

/// How many items are deleted at once.
const FORGOTTEN_AT_ONCE: i32 = 25;

/// What came of a refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// The session, with the token that is current now.
    Session(Box<Session>),
    /// The token had been replaced before: the session has ended now.
    Reused,
    /// The session has ended before, or does not exist.
    Over,
    /// The account has changed since it was read: its epoch is a later one.
    AccountChanged,
}

/// A session as the table has it.
#[derive(Serialize)]
pub(super) struct Stored<'a> {
    #[serde(flatten)]
    session: &'a Session,
    /// DynamoDB deletes the item some time after this one, in seconds.
    expires: i64,
}

impl<'a> Stored<'a> {
    pub(super) fn of(session: &'a Session) -> Self {
        Self { session, expires: (session.created_at + LIFETIME).as_second() }
    }
}

impl Users {
    /// Stores a new session. 1 WRU.
    pub async fn begin_session(&self, session: &Session) -> Result<()> {
        let key = session_key(session.user, session.id);
        let put = self.table.put(key, &Stored::of(session))?;
        let put = put.condition_expression("attribute_not_exists(pk)");
        write::send("sessions.begin", put).await.map(|_| ())
    }

    /// Replaces the session's token by its successor, if it is the current one: one write, on the condition of the
    /// token's number. 1 WRU; 2 for a token that was replaced before.
    ///
    /// `application` is the one that presents the token, of which the session must be; `None` for a session of none.
    pub async fn rotate(
        &self,
        token: RefreshToken,
        epoch: u32,
        (client, application): (&Client, Option<ApplicationId>),
        now: Timestamp,
    ) -> Result<Rotated> {
        let of_application = match application {
            Some(_) => "application.id = :application",
            None => "attribute_not_exists(application)",
        };
        let mut update = self
            .table
            .update(session_key(token.user, token.session))
            .update_expression(
                "SET generation = :next, refreshed_at = :now, user_agent = :agent, ip = :ip",
            )
            .condition_expression(format!("generation = :current AND {of_application} AND {ALIVE}"))
            .expression_attribute_values(":current", number(token.generation))
            .expression_attribute_values(":next", number(token.generation.saturating_add(1)))
            .expression_attribute_values(":agent", value(&client.user_agent)?)
            .expression_attribute_values(":ip", value(&client.ip)?)
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        for (name, value) in alive_values(epoch, now) {
            update = update.expression_attribute_values(name, value);
        }
        if let Some(application) = application {
            update = update.expression_attribute_values(":application", text(application));
        }
        let (is_made, item) = match write::send("sessions.rotate", update).await? {
            Written::Made(item) => (true, item),
            Written::Refused(item) => (false, item),
        };
        let Some(item) = item else { return Ok(Rotated::Over) };
        let session: Box<Session> = serde_dynamo::from_item(item)?;
        if is_made {
            return Ok(Rotated::Session(session));
        }
        if session.application_id() != application {
            return Ok(Rotated::Over);
        }
        if session.epoch > epoch {
            return Ok(Rotated::AccountChanged);
        }
        match session.judge(token.generation, now) {
            Verdict::JustReplaced if session.epoch == epoch => Ok(Rotated::Session(session)),
            Verdict::Reused => {
                self.end_session(token.user, token.session, Reason::TokenReused, now).await?;
                Ok(Rotated::Reused)
            }
            // The account's epoch is a later one than that of the session.
            Verdict::Current | Verdict::JustReplaced | Verdict::Over => Ok(Rotated::Over),
        }
    }

    /// Ends a session, unless it has ended before. Returns `false` if there is none. 1 WRU.
    pub async fn end_session(
        &self,
        user: UserId,
        session: SessionId,
        reason: Reason,
        now: Timestamp,
    ) -> Result<bool> {
        let update = self
            .table
            .update(session_key(user, session))
            .update_expression("SET ended = if_not_exists(ended, :ended)")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":ended", value(&Ended { at: now, reason })?);
        Ok(matches!(write::send("sessions.end", update).await?, Written::Made(_)))
    }

    /// Up to `limit` sessions of a user that are alive, newest first, before the session `before`; and whether
    /// there are more, strongly consistent. 1 RRU for 4 KB, including sessions that have ended.
    pub async fn sessions(
        &self,
        user: UserId,
        epoch: u32,
        before: Option<SessionId>,
        limit: i32,
        now: Timestamp,
    ) -> Result<(Vec<Session>, bool)> {
        let mut query = self
            .table
            .query(user_partition(user), SESSION)
            .consistent_read(true)
            .scan_index_forward(false)
            .filter_expression(ALIVE)
            .set_exclusive_start_key(before.map(|before| session_key(user, before)));
        for (name, value) in alive_values(epoch, now) {
            query = query.expression_attribute_values(name, value);
        }
        Table::page(query, limit).await
    }

    /// Up to `limit` sessions of a user that the table has, newest first, also those that have ended. 0.5 RRU for 4 KB.
    pub async fn last_sessions(&self, user: UserId, limit: i32) -> Result<Vec<Session>> {
        let query = self.table.query(user_partition(user), SESSION).scan_index_forward(false);
        Ok(Table::page(query, limit).await?.0)
    }

    /// Deletes the second factors, all sessions, all API keys, all identities and all passkeys of a user without an account. 1 WRU
    /// for each, 2 for an identity, and 4 for a passkey.
    pub async fn forget(&self, user: UserId) -> Result<()> {
        write::send("totp.forget", self.table.delete(totp_key(user))).await?;
        write::send("recovery.forget", self.table.delete(recovery_key(user))).await?;
        self.forget_passkeys(user).await?;
        for kind in [SESSION, API_KEY] {
            self.forget_all(user, kind).await?;
        }
        self.forget_identities(user).await
    }

    /// Deletes all items of a user whose sort keys begin with `kind`, page by page.
    async fn forget_all(&self, user: UserId, kind: &str) -> Result<()> {
        #[derive(Deserialize)]
        struct Kept {
            sk: String,
        }
        loop {
            let page = self.table.query(user_partition(user), kind).consistent_read(true);
            let (kept, has_more) = Table::page::<Kept>(page, FORGOTTEN_AT_ONCE).await?;
            let deletions = kept.into_iter().map(async |Kept { sk }| {
                let deletion = self.table.delete(key(user_partition(user), sk));
                write::send("users.forget", deletion).await
            });
            try_join_all(deletions).await?;
            if !has_more {
                return Ok(());
            }
        }
    }

    /// A session, strongly consistent. 1 RRU.
    pub async fn session(&self, user: UserId, session: SessionId) -> Result<Option<Session>> {
        self.table.get(session_key(user, session)).await
    }

    /// Lets a session act for another tenant, if it is alive and its user is a member there, or for the user's own. Gives `false` if
    /// not. 2 WRU for the user's own, otherwise 4.
    pub async fn act_for(
        &self,
        (user, session, epoch): (UserId, SessionId, u32),
        (tenant, is_own): (TenantId, bool),
        (now, attempt): (Timestamp, AttemptId),
    ) -> Result<bool> {
        let mut change = self
            .table
            .updating(session_key(user, session))
            .update_expression("SET tenant = :tenant")
            .condition_expression(format!("{ALIVE} AND attribute_not_exists(application)"))
            .expression_attribute_values(":tenant", text(tenant));
        for (name, value) in alive_values(epoch, now) {
            change = change.expression_attribute_values(name, value);
        }
        let mut writes = vec![update(change)?];
        if !is_own {
            let member = self.table.checking(member_key(tenant, user));
            writes.push(check(member.condition_expression("attribute_exists(pk)"))?);
        }
        let sent = self.table.transact("sessions.act_for", &attempt.to_string(), writes).await?;
        Ok(matches!(sent, Sent::Made))
    }

    /// Whether a session is alive and acts for the tenant, its user still has the role there, and the application that the
    /// session is for exists, strongly consistent. 2 RRU, and one for a role and for an application each, in one request.
    pub async fn is_alive(
        &self,
        (user, session): (UserId, SessionId),
        (tenant, role): (TenantId, Option<TenantRole>),
        application: Option<ApplicationId>,
        now: Timestamp,
    ) -> Result<bool> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Row {
            Session(Box<Session>),
            /// What tells how the password was set tells it from a session.
            Account {
                epoch: u32,
                #[expect(dead_code)]
                password_set: IgnoredAny,
            },
            /// So do the secrets.
            Application {
                id: ApplicationId,
                #[expect(dead_code)]
                secrets: IgnoredAny,
            },
            /// And the time at which a member joined.
            Member {
                role: TenantRole,
                #[expect(dead_code)]
                joined_at: IgnoredAny,
            },
        }
        let keys = [user_key(user), session_key(user, session)].into_iter();
        let keys = keys.chain(application.map(application_key));
        let keys = keys.chain(role.map(|_| member_key(tenant, user))).collect();
        let (mut epoch, mut found, mut known, mut member) = (None, None, None, None);
        for row in self.table.batch(keys).await? {
            match row {
                Row::Session(session) => found = Some(session),
                Row::Account { epoch: current, .. } => epoch = Some(current),
                Row::Application { id, .. } => known = Some(id),
                Row::Member { role, .. } => member = Some(role),
            }
        }
        let is_alive = epoch.zip(found).is_some_and(|(epoch, session)| {
            session.application_id() == application
                && session.tenant == tenant
                && session.is_alive(epoch, now)
        });
        Ok(is_alive && known == application && member == role)
    }
}

pub(super) fn alive_values(epoch: u32, now: Timestamp) -> [(&'static str, AttributeValue); 3] {
    [(":epoch", number(epoch)), (":now", milliseconds(now)), (":idle", milliseconds(now - IDLE))]
}

pub(super) fn session_key(user: UserId, session: SessionId) -> Item {
    key(user_partition(user), format!("{SESSION}{session}"))
}
