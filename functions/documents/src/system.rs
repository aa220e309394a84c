//! Builds what the Lambdas of documents share, from environment variables.

use aws_credential_types::provider::SharedCredentialsProvider;
use axum::extract::FromRef;
use shared::budget::Budgets;
use shared::clock::Clock;
use shared::config::var;
use shared::id::Ids;
use shared::idempotency::Records;
use shared::program::Environment;
use shared::rate_limit::RateLimiter;
use shared::{Error, Result};

use crate::allowance::Allowance;
use crate::objects::{self, Objects};
use crate::on_upload::OnUpload;
use crate::queues::Queues;
use crate::store::Documents;

/// The state of the documents endpoints.
#[derive(Clone, Debug)]
pub struct System {
    /// The documents' table.
    pub documents: Documents,
    /// The bucket.
    pub objects: Objects,
    /// The queues whose URLs are in the function's environment.
    pub queues: Queues,
    /// Idempotency records.
    pub records: Records,
    /// Rate limits.
    pub limiter: RateLimiter,
    /// The clock.
    pub clock: Clock,
    /// Creates ids.
    pub ids: Ids,
}

/// The configuration of uploads and their limits.
#[derive(Clone)]
pub struct Uploads {
    /// The credentials that sign the form: those of the function's role.
    pub credentials: SharedCredentialsProvider,
    /// The bucket's region.
    pub region: String,
    /// The tenants' budgets.
    pub budgets: Budgets,
    /// A tenant's daily limits.
    pub allowance: Allowance,
    /// The maximum file size in bytes.
    pub max_bytes: u64,
}

impl System {
    /// Reads the configuration from the function's environment.
    pub fn load(environment: &Environment) -> Result<Self> {
        Ok(Self {
            documents: documents(environment)?,
            objects: objects(environment)?,
            queues: queues(environment)?,
            records: environment.records()?,
            limiter: environment.limiter()?,
            clock: environment.clock.clone(),
            ids: environment.ids(),
        })
    }
}

impl FromRef<System> for Clock {
    fn from_ref(system: &System) -> Self {
        system.clock.clone()
    }
}

/// The documents' table.
pub fn documents(environment: &Environment) -> Result<Documents> {
    Ok(Documents::new(environment.dynamodb.clone(), var("DOCUMENTS_TABLE")?))
}

/// The bucket.
pub fn objects(environment: &Environment) -> Result<Objects> {
    Ok(Objects::new(objects::client(&environment.aws), var("DOCUMENTS_BUCKET")?))
}

/// The queues whose URLs are in the function's environment.
pub fn queues(environment: &Environment) -> Result<Queues> {
    Queues::from_environment(&aws_sdk_sqs::Client::new(&environment.aws))
}

/// The tenants' daily budgets.
pub fn budgets(environment: &Environment) -> Result<Budgets> {
    let (client, table) = (environment.dynamodb.clone(), environment.requests_table()?);
    Ok(Budgets::new(client, table, environment.clock.clone()))
}

/// The task that records uploads.
pub fn on_upload(environment: &Environment) -> Result<OnUpload> {
    Ok(OnUpload {
        documents: documents(environment)?,
        objects: objects(environment)?,
        queues: queues(environment)?,
        budgets: budgets(environment)?,
        clock: environment.clock.clone(),
    })
}

/// The configuration of uploads and their limits.
pub fn uploads(environment: &Environment) -> Result<Uploads> {
    let credentials = environment.aws.credentials_provider();
    Ok(Uploads {
        credentials: credentials.ok_or(Error::internal("no credentials"))?,
        region: var("AWS_REGION")?,
        budgets: budgets(environment)?,
        allowance: Allowance {
            upload_bytes: var("DAILY_UPLOAD_BYTES")?,
            scans: var("DAILY_SCANS")?,
        },
        max_bytes: var("MAX_UPLOAD_BYTES")?,
    })
}
