//! The stages' results in the bucket, and the deletion of all objects of a document.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ObjectVersion;
use futures::future::try_join_all;
use shared::aws::Calls;
use shared::fault::point;
use shared::lease::AttemptId;
use shared::{Error, Result};
use tokio::time::timeout;

use super::{Gone, MAX_ANSWER_TIME, Objects, clean_key, unless_gone, upload_key, within};
use crate::store::Key;

/// The number of versions per list request.
const LISTED: i32 = 1000;
/// The number of concurrent delete requests.
const AT_ONCE: usize = 16;

impl Objects {
    /// Stores a result.
    pub async fn store(&self, key: &str, content_type: &str, body: Vec<u8>) -> Result<()> {
        let put = self.client.put_object().bucket(&self.bucket).key(key);
        let put = put.content_type(content_type).body(ByteStream::from(body));
        put.customize().config_override(within(Calls::Transfer)).send().await?;
        Ok(())
    }

    /// Reads a whole result.
    ///
    /// # Errors
    /// The result has more than `max_bytes`, or S3 failed.
    pub async fn fetch(&self, key: &str, max_bytes: u64) -> Result<Result<Vec<u8>, Gone>> {
        timeout(MAX_ANSWER_TIME, self.fetched(key, max_bytes)).await?
    }

    async fn fetched(&self, key: &str, max_bytes: u64) -> Result<Result<Vec<u8>, Gone>> {
        let get = self.client.get_object().bucket(&self.bucket).key(key);
        let object = match unless_gone(get.send().await)? {
            Ok(object) => object,
            Err(gone) => return Ok(Err(gone)),
        };
        let length = u64::try_from(object.content_length.unwrap_or_default())?;
        if length > max_bytes {
            let reason = format!("{key} has {length} bytes, more than {max_bytes}");
            return Err(Error::internal(reason));
        }
        Ok(Ok(object.body.collect().await?.to_vec()))
    }

    /// Copies a result of one document for another.
    pub async fn copy(&self, from: &str, to: &str) -> Result<Result<(), Gone>> {
        let copy = self.client.copy_object().bucket(&self.bucket).key(to);
        let copy = copy.copy_source(format!("{}/{from}", self.bucket));
        let copied = copy.customize().config_override(within(Calls::Copy)).send().await;
        Ok(unless_gone(copied)?.map(|_| ()))
    }

    /// Deletes one version of an upload.
    pub async fn delete_upload(&self, key: Key, version: &str) -> Result<()> {
        let delete = self.client.delete_object().bucket(&self.bucket);
        let delete = delete.key(upload_key(key)).version_id(version);
        point("objects.delete_upload", || delete.clone().send()).await?;
        Ok(())
    }

    /// The versions of a document's upload with their sizes in bytes, oldest first. If there are more than a
    /// thousand, the newest thousand.
    pub async fn uploads(&self, key: Key) -> Result<Vec<(String, u64)>> {
        let list = self.client.list_object_versions().bucket(&self.bucket).prefix(upload_key(key));
        let list = list.max_keys(LISTED);
        let listed = point("objects.uploads", || list.clone().send()).await?;
        let (versions, has_more) = (listed.versions.unwrap_or_default(), listed.is_truncated);
        if versions.is_empty() && has_more == Some(true) {
            // Delete markers fill the page. An empty answer would mean that there is no file.
            return Err(Error::internal(
                "the newest versions of the upload are all delete markers",
            ));
        }
        let version = |version: ObjectVersion| {
            let size = u64::try_from(version.size.unwrap_or_default())?;
            let id = version.version_id;
            Ok((id.ok_or_else(|| Error::internal("a version of the upload has no id"))?, size))
        };
        versions.into_iter().rev().map(version).collect()
    }

    /// Deletes every version of every object of a document, and aborts the multipart upload, if any.
    pub async fn purge(&self, key: Key, multipart: Option<&str>) -> Result<()> {
        if let Some(upload) = multipart {
            let abort = self.client.abort_multipart_upload().bucket(&self.bucket);
            let _ = unless_gone(abort.key(upload_key(key)).upload_id(upload).send().await)?;
        }
        for prefix in prefixes(key) {
            while self.purge_some(&prefix).await? {}
        }
        Ok(())
    }

    /// Deletes up to a thousand versions under a prefix. Gives whether there were any.
    async fn purge_some(&self, prefix: &str) -> Result<bool> {
        let list = self.client.list_object_versions().bucket(&self.bucket).prefix(prefix);
        let listed = list.max_keys(LISTED).send().await?;
        let versions = listed.versions.unwrap_or_default().into_iter();
        let versions = versions.map(|version| (version.key, version.version_id));
        let markers = listed.delete_markers.unwrap_or_default().into_iter();
        let markers = markers.map(|marker| (marker.key, marker.version_id));
        let found: Vec<_> = versions.chain(markers).collect();
        // One request for each version: delete requests are free, and some emulators require another
        // permission for `DeleteObjects`.
        for some in found.chunks(AT_ONCE) {
            let requests = some.iter().map(|(key, version)| {
                let delete = self.client.delete_object().bucket(&self.bucket);
                delete.set_key(key.clone()).set_version_id(version.clone()).send()
            });
            try_join_all(requests).await?;
        }
        Ok(!found.is_empty())
    }
}

/// The key of an attempt's text object.
#[must_use]
pub fn text_key((owner, id): Key, attempt: AttemptId, name: &str) -> String {
    format!("text/{owner}/{id}/{attempt}/{name}")
}

/// The key of an attempt's data.
#[must_use]
pub fn structure_key((owner, id): Key, attempt: AttemptId) -> String {
    format!("structure/{owner}/{id}/{attempt}.json")
}

fn prefixes(key @ (owner, id): Key) -> [String; 4] {
    [
        upload_key(key),
        clean_key(key),
        format!("text/{owner}/{id}/"),
        format!("structure/{owner}/{id}/"),
    ]
}
