use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::id::UserId;
use shared::lease::AttemptId;
use shared::table::{Item, Table, delete, key, value};
use shared::transaction::Sent;
use shared::write::{self, Written};
use shared::{Error, Result};

use super::Users;
use crate::oauth::application::{
    Application, ApplicationId, Secret, SecretHash, TooManySecrets, knows, renewed,
};

pub(super) const APPLICATION: &str = "APPLICATION";
/// The partition that lists all applications.
const APPLICATIONS: &str = "APPLICATIONS";

/// An application with the hashes of its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// The application.
    #[serde(flatten)]
    pub application: Application,
    /// The administrator who registered it.
    admin: UserId,
    /// Its secrets, the current one first. Without any, the application is public.
    secrets: Vec<SecretHash>,
}

impl Registered {
    /// A new application, with its secret if it can keep one.
    #[must_use]
    pub fn new(
        application: Application,
        admin: UserId,
        secret: Option<&Secret>,
        now: Timestamp,
    ) -> Self {
        let secrets = secret.and_then(|secret| renewed(&[], secret, false, now).ok());
        let secrets = secrets.unwrap_or_default();
        Self { application, admin, secrets }
    }

    /// The administrator who registered it.
    #[must_use]
    pub fn admin(&self) -> UserId {
        self.admin
    }

    /// Its secrets with a new one.
    ///
    /// # Errors
    /// When as many as may be good at once are good.
    pub fn renewed(
        &self,
        secret: &Secret,
        emergency: bool,
        now: Timestamp,
    ) -> Result<Vec<SecretHash>, TooManySecrets> {
        renewed(&self.secrets, secret, emergency, now)
    }

    /// Whether one of its secrets is this one, at `now`.
    #[must_use]
    pub fn knows(&self, secret: &Secret, now: Timestamp) -> bool {
        knows(&self.secrets, secret, now)
    }
}

impl Users {
    /// Stores a new application. 4 WRU.
    pub async fn add_application(&self, registered: &Registered) -> Result<()> {
        let application = &registered.application;
        let writes = vec![
            self.table.new_item(application_key(application.id), registered)?,
            self.table.new_item(listed_key(application.id), application)?,
        ];
        let attempt = application.id.to_string();
        match self.table.transact("applications.add", &attempt, writes).await? {
            Sent::Made => Ok(()),
            Sent::Refused { .. } => Err(Error::internal("another application has the new id")),
        }
    }

    /// An application, strongly consistent. 1 RRU.
    pub async fn application(&self, id: ApplicationId) -> Result<Option<Registered>> {
        self.table.get(application_key(id)).await
    }

    /// Up to `limit` applications, newest first, before the application `before`; and whether there are more. 0.5 RRU for
    /// 4 KB.
    pub async fn applications(
        &self,
        before: Option<ApplicationId>,
        limit: i32,
    ) -> Result<(Vec<Application>, bool)> {
        let query = self
            .table
            .query(APPLICATIONS.to_owned(), "app_")
            .scan_index_forward(false)
            .set_exclusive_start_key(before.map(listed_key));
        Table::page(query, limit).await
    }

    /// Replaces the secrets of an application, if they are as they were read. Gives `false` if they have changed meanwhile. 1
    /// WRU.
    pub async fn renew_secret(&self, known: &Registered, secrets: &[SecretHash]) -> Result<bool> {
        let update = self
            .table
            .update(application_key(known.application.id))
            .update_expression("SET secrets = :new")
            .condition_expression("secrets = :old")
            .expression_attribute_values(":old", value(&known.secrets)?)
            .expression_attribute_values(":new", value(secrets)?);
        Ok(matches!(write::send("applications.renew_secret", update).await?, Written::Made(_)))
    }

    /// Deletes an application. Its sessions end with it. Gives `false` if there is none. 4 WRU.
    pub async fn delete_application(&self, id: ApplicationId, attempt: AttemptId) -> Result<bool> {
        let exists = "attribute_exists(pk)";
        let writes = vec![
            delete(self.table.deleting(application_key(id)).condition_expression(exists))?,
            delete(self.table.deleting(listed_key(id)))?,
        ];
        let sent = self.table.transact("applications.delete", &attempt.to_string(), writes).await?;
        Ok(matches!(sent, Sent::Made))
    }
}

pub(super) fn application_key(id: ApplicationId) -> Item {
    key(format!("APP#{id}"), APPLICATION)
}

fn listed_key(id: ApplicationId) -> Item {
    key(APPLICATIONS, id.to_string())
}
