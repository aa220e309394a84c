//! The bucket.
//!
//! | key | object | readers |
//! |---|---|---|
//! | `uploads/<owner>/<id>.pdf` | the upload, in quarantine | the stages `validate` and `scan` |
//! | `clean/<owner>/<id>.pdf` | a copy of the upload that was found clean | later stages, and the owner |
//! | `text/<owner>/<id>/<attempt>/…` | the text | the stage `structure`, and the owner |
//! | `structure/<owner>/<id>/<attempt>.json` | the data | the owner |

mod download;
mod ranges;
mod results;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, TaggingDirective};
use shared::aws::Calls;
use shared::id::UserId;
use shared::{Error, Result};

pub use ranges::Ranges;
pub use results::{structure_key, text_key};

use crate::document::{Document, DocumentId};
use crate::store::Key;

/// The maximum time until S3 begins to answer; if the answer is not streamed, the time of the whole answer.
const MAX_ANSWER_TIME: Duration = Duration::from_secs(10);
/// How long a link is valid.
pub const LINK_LIFETIME: Duration = Duration::from_mins(5);
/// The tag of scanned files. The bucket's policy requires it.
const CLEAN_TAG: &str = "scan=clean";

/// The bucket.
#[derive(Clone, Debug)]
pub struct Objects {
    client: Client,
    bucket: String,
}

/// The object was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// A part of a multipart upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadedPart {
    /// The part's number, from 1.
    pub number: i32,
    /// The size in bytes.
    pub size: u64,
    /// S3's `ETag` of the part.
    pub etag: String,
}

/// A client for S3. With a custom endpoint, such as a local one, the bucket is in the path, because
/// `<bucket>.localhost` may not resolve.
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

    /// The recorded version of a document's upload, for reading by ranges.
    #[must_use]
    pub fn upload(&self, document: &Document) -> Ranges {
        let version = document.object_version.clone();
        Ranges::new(self.clone(), upload_key(document.key()), version, document.announced.size)
    }

    /// The scanned version of a document's clean copy, for reading by ranges.
    #[must_use]
    pub fn clean(&self, document: &Document) -> Ranges {
        let version = document.clean_version.clone();
        Ranges::new(self.clone(), clean_key(document.key()), version, document.announced.size)
    }

    /// The recorded version of a document's upload, as a stream.
    pub async fn stream(&self, document: &Document) -> Result<Result<GetObjectOutput, Gone>> {
        let get = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(upload_key(document.key()))
            .set_version_id(document.object_version.clone());
        unless_gone(tokio::time::timeout(MAX_ANSWER_TIME, get.send()).await?)
    }

    /// Copies the recorded version of a document's upload to `clean/`. Gives the copy's version.
    pub async fn release_from_quarantine(
        &self,
        document: &Document,
    ) -> Result<Result<String, Gone>> {
        let version = document.object_version.as_deref().unwrap_or_default();
        let source = upload_key(document.key());
        let copy = self
            .client
            .copy_object()
            .bucket(&self.bucket)
            .copy_source(format!("{}/{source}?versionId={version}", self.bucket))
            .key(clean_key(document.key()))
            .tagging_directive(TaggingDirective::Replace)
            .tagging(CLEAN_TAG);
        let copied = match unless_gone(
            copy.customize().config_override(within(Calls::Copy)).send().await,
        )? {
            Ok(copied) => copied,
            Err(gone) => return Ok(Err(gone)),
        };
        let version = copied.version_id;
        Ok(Ok(version.ok_or_else(|| Error::internal("the bucket does not keep versions"))?))
    }

    /// The value of a tag of the recorded version of a document's upload.
    pub async fn upload_tag(
        &self,
        document: &Document,
        name: &str,
    ) -> Result<Result<Option<String>, Gone>> {
        let get = self
            .client
            .get_object_tagging()
            .bucket(&self.bucket)
            .key(upload_key(document.key()))
            .set_version_id(document.object_version.clone());
        let tags = unless_gone(get.send().await)?;
        Ok(tags.map(|tags| {
            let tag = tags.tag_set.into_iter().find(|tag| tag.key == name);
            tag.map(|tag| tag.value)
        }))
    }

    /// Begins a multipart upload. Gives S3's upload id.
    pub async fn begin_parts(&self, key: Key, content_type: &str) -> Result<String> {
        let request = self.client.create_multipart_upload().bucket(&self.bucket);
        let begun = request.key(upload_key(key)).content_type(content_type).send().await?;
        begun.upload_id.ok_or_else(|| Error::internal("S3 gave no upload id"))
    }

    /// The parts that have arrived; `None` if the multipart upload does not exist any more.
    pub async fn parts(&self, key: Key, upload: &str) -> Result<Option<Vec<UploadedPart>>> {
        let (mut parts, mut marker) = (Vec::new(), None);
        loop {
            let list = self.client.list_parts().bucket(&self.bucket).key(upload_key(key));
            let listed = list.upload_id(upload).set_part_number_marker(marker).send().await;
            let Ok(listed) = unless_gone(listed)? else { return Ok(None) };
            for part in listed.parts.unwrap_or_default() {
                parts.push(UploadedPart {
                    number: part.part_number.unwrap_or_default(),
                    size: u64::try_from(part.size.unwrap_or_default())?,
                    etag: part.e_tag.unwrap_or_default(),
                });
            }
            marker = listed.next_part_number_marker;
            if !listed.is_truncated.unwrap_or_default() || marker.is_none() {
                return Ok(Some(parts));
            }
        }
    }

    /// A presigned link for uploading one part of exactly `size` bytes, valid for [`LINK_LIFETIME`].
    pub async fn part_link(
        &self,
        key: Key,
        upload: &str,
        (number, size): (i32, u64),
    ) -> Result<String> {
        let part = self.client.upload_part().bucket(&self.bucket).key(upload_key(key));
        let part = part.upload_id(upload).part_number(number);
        let part = part.content_length(i64::try_from(size)?);
        let request = part.presigned(PresigningConfig::expires_in(LINK_LIFETIME)?).await?;
        Ok(request.uri().to_owned())
    }

    /// Joins the parts into one file. Idempotent.
    pub async fn complete_parts(
        &self,
        key: Key,
        upload: &str,
        parts: Vec<UploadedPart>,
    ) -> Result<()> {
        let parts = parts
            .into_iter()
            .map(|part| CompletedPart::builder().part_number(part.number).e_tag(part.etag).build());
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
        let complete = self.client.complete_multipart_upload().bucket(&self.bucket);
        let complete = complete.key(upload_key(key)).upload_id(upload).multipart_upload(parts);
        let completed = complete.customize().config_override(within(Calls::Transfer)).send().await;
        // `Gone`: another request has completed the upload.
        unless_gone(completed)?.map_or_else(|Gone| Ok(()), |_| Ok(()))
    }

    /// The URL that forms are posted to: the bucket's URL, as the client addresses it.
    pub async fn form_url(&self) -> Result<String> {
        const ANY_KEY: &str = "key";
        let config = PresigningConfig::expires_in(LINK_LIFETIME)?;
        let request =
            self.client.put_object().bucket(&self.bucket).key(ANY_KEY).presigned(config).await?;
        let (url, _query) = request.uri().split_once('?').unwrap_or((request.uri(), ""));
        Ok(url.strip_suffix(ANY_KEY).unwrap_or(url).to_owned())
    }

    /// A presigned link for downloading the clean file under its name, valid for [`LINK_LIFETIME`]. `None` if
    /// there is no clean copy.
    pub async fn file_link(&self, document: &Document) -> Result<Option<String>> {
        let Some(version) = document.clean_version.clone() else { return Ok(None) };
        let name = download::file_name(document.announced.name.as_str(), "pdf");
        let get = self.get(&clean_key(document.key())).version_id(version);
        Ok(Some(self.link(get.response_content_disposition(download::attachment(&name))).await?))
    }

    /// A presigned link for downloading the whole text of a document, valid for [`LINK_LIFETIME`].
    pub async fn text_link(&self, document: &Document, key: &str) -> Result<String> {
        let name = download::file_name(document.announced.name.as_str(), "txt");
        self.link(self.get(key).response_content_disposition(download::attachment(&name))).await
    }

    /// A presigned link for downloading the object at `key`, valid for [`LINK_LIFETIME`].
    pub async fn result_link(&self, key: &str) -> Result<String> {
        self.link(self.get(key)).await
    }

    fn get(&self, key: &str) -> GetObjectFluentBuilder {
        self.client.get_object().bucket(&self.bucket).key(key)
    }

    async fn link(&self, get: GetObjectFluentBuilder) -> Result<String> {
        let request = get.presigned(PresigningConfig::expires_in(LINK_LIFETIME)?).await?;
        Ok(request.uri().to_owned())
    }
}

/// Time-outs for calls that take longer than the default.
fn within(calls: Calls) -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::config::Builder::new().timeout_config(calls.timeouts())
}

/// Separates a deleted object from other S3 errors.
fn unless_gone<T, E, R>(result: Result<T, SdkError<E, R>>) -> Result<Result<T, Gone>>
where
    SdkError<E, R>: std::error::Error + Send + Sync + 'static,
    E: ProvideErrorMetadata,
{
    match result {
        Ok(answer) => Ok(Ok(answer)),
        Err(error) => {
            let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
            match code {
                Some("NoSuchKey" | "NoSuchVersion" | "NoSuchUpload" | "MethodNotAllowed") => {
                    Ok(Err(Gone))
                }
                _ => Err(error.into()),
            }
        }
    }
}

/// The key of a document's upload.
#[must_use]
pub fn upload_key((owner, id): Key) -> String {
    format!("uploads/{owner}/{id}.pdf")
}

/// The key of a document's clean copy.
#[must_use]
pub fn clean_key((owner, id): Key) -> String {
    format!("clean/{owner}/{id}.pdf")
}

/// The owner and id of the document whose upload has this key; `None` if the key is not that of an upload.
#[must_use]
pub fn parse_upload_key(key: &str) -> Option<(UserId, DocumentId)> {
    let (owner, id) = key.strip_prefix("uploads/")?.strip_suffix(".pdf")?.split_once('/')?;
    Some((owner.parse().ok()?, id.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::clock::Clock;
    use shared::id::Ids;

    use super::*;

    #[test]
    fn an_upload_key_parses_to_its_document() {
        let ids = Ids::random(Clock::System);
        let key = (ids.next(), ids.next());
        assert_eq!(parse_upload_key(&upload_key(key)), Some(key));
    }

    proptest! {
        #[test]
        fn other_keys_do_not_parse(text in "(uploads/)?[a-zA-Z0-9_/.]{0,80}(\\.pdf)?") {
            if let Some(key) = parse_upload_key(&text) {
                prop_assert_eq!(upload_key(key), text);
            }
        }
    }
}
