//! Sends the mail that somebody has asked for.
//!
//! **Guarantees.** The request only queues a job, so its answer cannot depend on whether the address has an account:
//! this task is the first to look. A job sends its mail at least once, or ends in the dead-letter queue. A retry may
//! send a second mail, whose link works as well, until one of them is used. An address gets at most 5 mails of each
//! kind at once, then one each 12 minutes; more are dropped, so that nobody can fill a mailbox that is not theirs.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::batch::{Consumer, Failure, Message};
use shared::clock::Clock;
use shared::id::TenantId;
use shared::program::Environment;
use shared::queue::Queue;
use shared::rate_limit::{Quota, RateLimiter};

use crate::email::Email;
use crate::letters::{self, Pages};
use crate::link::{LIFETIME, Link, LinkToken, NewIdentity, Purpose};
use crate::mail::{Mail, Mailer};
use crate::store::Users;
use crate::system;

/// A job: a mail that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "version")]
pub enum Job {
    /// The first version.
    #[serde(rename = "1")]
    V1 {
        /// What was asked for.
        wanted: Wanted,
        /// The address.
        email: Email,
    },
}

/// What somebody has asked for who knows an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// An account.
    Account,
    /// A new password.
    Password,
    /// To become a member of a tenant: a member has invited the address.
    Membership {
        /// The tenant.
        tenant: TenantId,
    },
    /// To link an identity at a provider, which has proved the address.
    Identity(NewIdentity),
}

impl Wanted {
    fn name(&self) -> &'static str {
        match self {
            Self::Account => "mails-account",
            Self::Password => "mails-password",
            Self::Membership { .. } => "mails-membership",
            Self::Identity(_) => "mails-identity",
        }
    }

    /// The mails of a kind to one address: 5 at once, then one each 12 minutes. Each kind has its own: with one for both,
    /// a stranger who asks for accounts could keep the owner from a new password.
    fn mails(&self) -> Quota {
        Quota::new(self.name(), 5, Duration::from_hours(1))
    }
}

/// Runs the Lambda.
pub async fn run(environment: &Environment) -> Result<()> {
    let task = SendMail {
        users: system::users(environment)?,
        limiter: environment.limiter()?,
        mailer: system::mailer(environment)?,
        pages: system::pages()?,
        own_pages: system::own_pages()?,
        clock: environment.clock.clone(),
    };
    let jobs = consumer(system::mails(environment)?, environment.dead_letters()?);
    shared::invocation::run(async |event, invocation| {
        jobs.consume(event, &invocation, |job| task.handle(job)).await
    })
    .await
}

/// The consumer of the jobs of `queue`.
#[must_use]
pub fn consumer(queue: Queue, dead_letters: Queue) -> Consumer {
    Consumer::new(queue).dead_letters(dead_letters)
}

/// The task's dependencies.
#[derive(Clone, Debug)]
pub struct SendMail {
    /// The users' table.
    pub users: Users,
    /// The limit of mails to one address.
    pub limiter: RateLimiter,
    /// Sends mails.
    pub mailer: Mailer,
    /// What mails link to.
    pub pages: Pages,
    /// Our own pages, to which the mail about an identity links.
    pub own_pages: Pages,
    /// The clock.
    pub clock: Clock,
}

impl SendMail {
    /// Sends the mail of a job.
    ///
    /// # Errors
    /// When the table or SES does not answer; a permanent failure when SES refuses the mail.
    pub async fn handle(&self, message: Message<Job>) -> Result<(), Failure> {
        let (id, Job::V1 { wanted, email }) = (message.message_id, message.body);
        // A retry is the same mail, if an earlier attempt came so far.
        let is_admitted = message.receive_count > 1 && self.users.knows_mail(&id).await?;
        if !is_admitted {
            if !self.is_admitted(&wanted, &email).await? {
                tracing::warn!(
                    wanted = wanted.name(),
                    "too many mails to one address: this one is dropped"
                );
                return Ok(());
            }
            self.users.admit_mail(&id, self.clock.now()).await?;
        }
        let name = wanted.name();
        let Some(mail) = self.mail(wanted, email).await? else {
            tracing::info!(wanted = name, "what the mail would be about has ended");
            return Ok(());
        };
        self.mailer.send(&mail).await?;
        tracing::info!(wanted = name, "sent a mail");
        Ok(())
    }

    async fn is_admitted(&self, wanted: &Wanted, email: &Email) -> Result<bool> {
        let subject = BASE64_URL_SAFE_NO_PAD.encode(email.hash());
        Ok(self.limiter.admit(&wanted.mails(), &subject).await?.is_admitted)
    }

    async fn mail(&self, wanted: Wanted, email: Email) -> Result<Option<Mail>> {
        if let Wanted::Membership { tenant } = wanted {
            return self.invitation(tenant, email).await;
        }
        let account = self.users.by_email(&email).await?;
        let pages = &self.pages;
        Ok(Some(match (wanted, account) {
            (Wanted::Account, None) => {
                let token = self.link(&email, Purpose::Register).await?;
                letters::confirm(email, pages, &token)
            }
            (Wanted::Account, Some(_)) => letters::already_registered(email, pages),
            (Wanted::Password, Some(account)) => {
                let purpose = Purpose::Reset { user: account.user.id, epoch: account.epoch };
                let token = self.link(&email, purpose).await?;
                letters::reset(email, pages, &token)
            }
            (Wanted::Password, None) => letters::unknown(email, pages),
            (Wanted::Identity(identity), Some(account)) => {
                let provider = identity.provider_name.clone();
                let (user, epoch) = (account.user.id, account.epoch);
                let token = self.link(&email, Purpose::Identity { user, epoch, identity }).await?;
                letters::link_identity(email, &self.own_pages, &token, &provider)
            }
            (Wanted::Identity(_), None) | (Wanted::Membership { .. }, _) => return Ok(None),
        }))
    }

    /// The mail of an invitation that is still good.
    async fn invitation(&self, tenant: TenantId, email: Email) -> Result<Option<Mail>> {
        let now = self.clock.now();
        let invitation = self.users.invitation(tenant, &email, now).await?;
        let Some(invitation) = invitation else { return Ok(None) };
        let by = self.users.member(tenant, invitation.given.by).await?;
        let by = by.filter(|by| invitation.stands(by));
        let known = self.users.tenant(tenant).await?;
        let Some((by, known)) = by.zip(known) else { return Ok(None) };
        let (purpose, expires) = (Purpose::Join { tenant }, invitation.expires);
        let token = self.link_until(&email, purpose, expires).await?;
        Ok(Some(letters::invitation(email, (&by.email, &known.name), &self.pages, &token)))
    }

    /// Stores a new link for [`LIFETIME`].
    async fn link(&self, email: &Email, purpose: Purpose) -> Result<LinkToken> {
        let expires = (self.clock.now() + LIFETIME).as_second();
        self.link_until(email, purpose, expires).await
    }

    /// Stores a new link that can be used until this second.
    async fn link_until(&self, email: &Email, purpose: Purpose, expires: i64) -> Result<LinkToken> {
        let token = LinkToken::generate()?;
        let link = Link { email: email.clone(), purpose, expires };
        self.users.add_link(&token, &link).await?;
        Ok(token)
    }
}
