//! The bucket: uploads under `uploads/<owner>/<document>.pdf`, texts under
//! `text/<owner>/<document>/<attempt>.txt`.

use std::path::Path;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use shared::id::UserId;
use shared::{Error, Result};
use tokio::io::AsyncWriteExt;

use crate::document::{AttemptId, Document, DocumentId};

/// The longest that a file may take to arrive from S3.
const MAX_DOWNLOAD_TIME: Duration = Duration::from_secs(15);
/// How long a link to a text is good for.
pub const TEXT_LINK_LIFETIME: Duration = Duration::from_mins(5);

/// The bucket.
#[derive(Clone, Debug)]
pub struct Objects {
    client: Client,
    bucket: String,
}

/// Why a file could not be fetched.
#[derive(Debug)]
pub enum FetchError {
    /// This version of it is no more.
    Gone,
    /// S3 failed, or the disk did.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for FetchError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// A client for S3. With an endpoint of its own, as a local one is, buckets are named in the path:
/// `<bucket>.localhost` would have to resolve otherwise.
#[must_use]
pub fn client(aws: &SdkConfig) -> Client {
    let config = aws_sdk_s3::config::Builder::from(aws);
    Client::from_conf(config.force_path_style(aws.endpoint_url().is_some()).build())
}

impl Objects {
    /// The objects in `bucket`.
    #[must_use]
    pub fn new(client: Client, bucket: String) -> Self {
        Self { client, bucket }
    }

    /// The bucket's name.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Writes the upload of `document`, in the version that was recorded, to the file at `path`, in
    /// pieces as they come.
    pub async fn fetch(&self, document: &Document, path: &Path) -> Result<(), FetchError> {
        let answer = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(upload_key(document.owner, document.id))
            .set_version_id(document.object_version.clone())
            .send()
            .await;
        let object = match answer {
            Ok(object) => object,
            Err(error) if is_gone(&error) => return Err(FetchError::Gone),
            Err(error) => return Err(error.into()),
        };
        tokio::time::timeout(MAX_DOWNLOAD_TIME, write(object, document.size, path)).await??;
        Ok(())
    }

    /// Stores the text that `attempt` found. Each attempt has a key of its own, so that one that
    /// stalled cannot write over another's.
    pub async fn store_text(
        &self,
        document: &Document,
        attempt: AttemptId,
        text: &Path,
    ) -> Result<()> {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(text_key(document.owner, document.id, attempt))
            .content_type("text/plain; charset=utf-8")
            .body(ByteStream::from_path(text).await?)
            .send()
            .await?;
        Ok(())
    }

    /// A link that lets its holder download the text, for [`TEXT_LINK_LIFETIME`].
    pub async fn text_link(&self, document: &Document, attempt: AttemptId) -> Result<String> {
        let request = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(text_key(document.owner, document.id, attempt))
            .presigned(PresigningConfig::expires_in(TEXT_LINK_LIFETIME)?)
            .await?;
        Ok(request.uri().to_owned())
    }

    /// Where forms are posted to: the bucket's own URL, in whatever style and partition the client
    /// addresses it.
    pub async fn form_url(&self) -> Result<String> {
        const ANY_KEY: &str = "key";
        let config = PresigningConfig::expires_in(TEXT_LINK_LIFETIME)?;
        let request =
            self.client.put_object().bucket(&self.bucket).key(ANY_KEY).presigned(config).await?;
        let (url, _query) = request.uri().split_once('?').unwrap_or((request.uri(), ""));
        Ok(url.strip_suffix(ANY_KEY).unwrap_or(url).to_owned())
    }
}

async fn write(mut object: GetObjectOutput, size: u64, path: &Path) -> Result<()> {
    let mut file = tokio::fs::File::create(path).await?;
    let mut written = 0;
    while let Some(piece) = object.body.try_next().await? {
        written += piece.len() as u64;
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    if written == size {
        Ok(())
    } else {
        Err(Error::internal(format!("{written} bytes came where {size} were announced")))
    }
}

fn is_gone(error: &SdkError<GetObjectError>) -> bool {
    let code = error.as_service_error().and_then(|error| error.meta().code());
    matches!(code, Some("NoSuchKey" | "NoSuchVersion" | "MethodNotAllowed"))
}

/// The key of a document's upload.
#[must_use]
pub fn upload_key(owner: UserId, id: DocumentId) -> String {
    format!("uploads/{owner}/{id}.pdf")
}

/// The document whose upload has this key.
#[must_use]
pub fn parse_upload_key(key: &str) -> Option<(UserId, DocumentId)> {
    let (owner, id) = key.strip_prefix("uploads/")?.strip_suffix(".pdf")?.split_once('/')?;
    Some((owner.parse().ok()?, id.parse().ok()?))
}

fn text_key(owner: UserId, id: DocumentId, attempt: AttemptId) -> String {
    format!("text/{owner}/{id}/{attempt}.txt")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::clock::Clock;
    use shared::id::Ids;

    use super::*;

    #[test]
    fn a_key_leads_back_to_its_document() {
        let ids = Ids::random(Clock::System);
        let (owner, id) = (ids.next(), ids.next());
        assert_eq!(parse_upload_key(&upload_key(owner, id)), Some((owner, id)));
    }

    proptest! {
        #[test]
        fn any_other_key_is_nobodys(key in "(uploads/)?[a-zA-Z0-9_/.]{0,80}(\\.pdf)?") {
            if let Some((owner, id)) = parse_upload_key(&key) {
                prop_assert_eq!(upload_key(owner, id), key);
            }
        }
    }
}
