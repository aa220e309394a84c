//! The steps of a document through its stages. Each step is one conditional update. Except for claiming and
//! giving up, only the attempt that holds the document can make it.

use std::fmt::Write;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use jiff::Timestamp;
use serde::Serialize;
use shared::Result;
use shared::lease::{self, AttemptId, FREE, HELD, LET_GO, Lease, TAKE};
use shared::table::{milliseconds, number, text, value};

use super::due::with_due;
use super::{Change, Documents, Key, change, history_entry};
use crate::document::{Entry, Sha256};
use crate::queues::MAX_ATTEMPTS;
use crate::stage::{Done, Failure, Progress, Rejection, Stage, Waiting};

/// The end of a stage, as it is written to the record.
#[derive(Clone, Debug)]
pub struct Ended<T> {
    /// The stage.
    pub stage: Stage,
    /// The stage's result.
    pub done: Done<T>,
    /// Where the document goes next.
    pub end: End,
    /// From the scan: the file's hash, and the version of the clean copy.
    pub clean: Option<(Sha256, String)>,
}

/// Where a document goes after a stage.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// To the next stage, or, after the last, to `ready`.
    Onward,
    /// To `rejected`.
    Rejected(Rejection),
}

impl Documents {
    /// Claims a document for an attempt at `stage`, with a lease until `until`. The document must be in that
    /// stage, and either `processing` without a lease or with an expired one, or `failed` with
    /// [`Failure::GaveUp`]. 1 to 3 WRU.
    pub async fn claim(
        &self,
        document: Key,
        stage: Stage,
        attempt: AttemptId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Change> {
        let lease = Lease { attempt, until };
        let update = lease
            .claim(self.update(document), now)
            .update_expression(format!(
                "SET #status = :processing, {TAKE}, started_at = :now, \
                 due_shard = if_not_exists(due_shard, :due_shard), \
                 due_at = if_not_exists(due_at, :due_at) \
                 ADD attempts :one, failed_attempts :one REMOVE failure, finished_at"
            ))
            .condition_expression(format!(
                "stage = :stage AND ((#status = :processing AND {FREE}) \
                 OR (#status = :failed AND failure = :gave_up))"
            ))
            .expression_attribute_values(":stage", text(stage))
            .expression_attribute_values(":processing", text("processing"))
            .expression_attribute_values(":failed", text("failed"))
            .expression_attribute_values(":gave_up", text("gave_up"))
            .expression_attribute_values(":now", text(now))
            .expression_attribute_values(":one", number(1));
        change("stage.claim", with_due(update, document, now)).await
    }

    /// Releases the attempt's lease after an error, so that the next attempt need not wait for its end.
    /// 1 to 3 WRU.
    pub async fn release(&self, document: Key, attempt: AttemptId) -> Result<Change> {
        let update = self.held(document, attempt).update_expression(format!("REMOVE {LET_GO}"));
        change("stage.release", update).await
    }

    /// Releases the attempt's lease after a part of the work is done and saved. The next attempt continues.
    /// 1 to 3 WRU.
    pub async fn pause(&self, document: Key, attempt: AttemptId) -> Result<Change> {
        let update = self
            .held(document, attempt)
            .update_expression(format!("SET failed_attempts = :zero REMOVE {LET_GO}"))
            .expression_attribute_values(":zero", number(0));
        change("stage.pause", update).await
    }

    /// Releases the attempt's lease and counts that the file terminated its reader process. 1 to 3 WRU.
    pub async fn count_death(&self, document: Key, attempt: AttemptId) -> Result<Change> {
        let update = self
            .held(document, attempt)
            .update_expression(format!("ADD deaths :one REMOVE {LET_GO}"))
            .expression_attribute_values(":one", number(1));
        change("stage.count_death", update).await
    }

    /// Releases the attempt's lease; the document waits for something unavailable. The attempt does not
    /// count. `since` is the beginning of an earlier wait for the same thing; without one, the wait begins
    /// now and the history gets an entry. 1 to 3 WRU.
    pub async fn wait(
        &self,
        document: Key,
        (stage, attempt): (Stage, AttemptId),
        (waiting, since): (Waiting, Option<Timestamp>),
        now: Timestamp,
    ) -> Result<Change> {
        let entry = || Entry { at: now, event: "waiting".into(), stage: Some(stage) };
        let new_entries: Vec<Entry> = since.is_none().then(entry).into_iter().collect();
        let update = self
            .held(document, attempt)
            .update_expression(format!(
                "SET waiting = :waiting, waiting_since = :since, failed_attempts = :zero, \
                 history = list_append(history, :new_entries) \
                 ADD attempts :minus_one REMOVE {LET_GO}"
            ))
            .expression_attribute_values(":waiting", value(&waiting)?)
            .expression_attribute_values(":since", text(since.unwrap_or(now)))
            .expression_attribute_values(":new_entries", value(&new_entries)?)
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":minus_one", number(-1));
        change("stage.wait", update).await
    }

    /// Saves the attempt's progress. 1 to 3 WRU.
    pub async fn save_progress(
        &self,
        document: Key,
        attempt: AttemptId,
        progress: &Progress,
    ) -> Result<Change> {
        let update = self
            .held(document, attempt)
            .update_expression("SET progress = :progress")
            .expression_attribute_values(":progress", value(progress)?);
        change("stage.save_progress", update).await
    }

    /// Ends the attempt's stage: the document goes to the next stage, to `ready` or to `rejected`.
    /// 2 to 6 WRU.
    pub async fn end_stage<T: Serialize>(
        &self,
        document: Key,
        attempt: AttemptId,
        ended: &Ended<T>,
        now: Timestamp,
    ) -> Result<Change> {
        let Ended { stage, done, end, clean } = ended;
        let mut set =
            "SET stages.#stage = :done, history = list_append(history, :new_entries)".to_owned();
        let mut update = self
            .held(document, attempt)
            .expression_attribute_names("#stage", stage.name())
            .expression_attribute_values(":done", value(done)?);
        let mut new_entries =
            vec![Entry { at: now, event: name_of(&done.outcome)?, stage: Some(*stage) }];
        match (end, stage.next()) {
            (End::Onward, Some(next)) => {
                set += ", stage = :next, attempts = :zero, failed_attempts = :zero, deaths = :zero";
                update = update
                    .expression_attribute_values(":next", text(next))
                    .expression_attribute_values(":zero", number(0));
            }
            (End::Onward, None) => {
                set += ", #status = :status, finished_at = :now";
                update = update
                    .expression_attribute_values(":status", text("ready"))
                    .expression_attribute_values(":now", text(now));
                new_entries.push(Entry { at: now, event: "ready".into(), stage: None });
            }
            (End::Rejected(rejection), _) => {
                set += ", #status = :status, finished_at = :now, rejection = :rejection";
                update = update
                    .expression_attribute_values(":status", text("rejected"))
                    .expression_attribute_values(":now", text(now))
                    .expression_attribute_values(":rejection", value(rejection)?);
            }
        }
        if let Some((sha256, version)) = clean {
            set += ", content_sha256 = :sha256, clean_version = :clean_version";
            update = update
                .expression_attribute_values(":sha256", text(sha256.as_str()))
                .expression_attribute_values(":clean_version", text(version));
        }
        write!(set, " REMOVE {LET_GO}, waiting, waiting_since, progress")?;
        if *end != End::Onward || stage.next().is_none() {
            set += ", due_shard, due_at";
        }
        let update = update
            .update_expression(set)
            .expression_attribute_values(":new_entries", value(&new_entries)?);
        change("stage.end", update).await
    }

    /// Ends the attempt with `failed`. 2 to 4 WRU.
    pub async fn fail(
        &self,
        document: Key,
        (stage, attempt): (Stage, AttemptId),
        failure: Failure,
        now: Timestamp,
    ) -> Result<Change> {
        let update = self
            .held(document, attempt)
            .update_expression(failed())
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":failed", text("failed"))
            .expression_attribute_values(":failure", value(&failure)?)
            .expression_attribute_values(":now", text(now))
            .expression_attribute_values(
                ":history_entry",
                history_entry("failed", Some(stage), now)?,
            );
        change("stage.fail", update).await
    }

    /// `processing` → `failed`, with [`Failure::GaveUp`]. The document must be in this stage, without a valid
    /// lease, and its last [`MAX_ATTEMPTS`] attempts must have failed. 2 to 4 WRU.
    pub async fn give_up(&self, document: Key, stage: Stage, now: Timestamp) -> Result<Change> {
        let update = self
            .update(document)
            .update_expression(failed())
            .condition_expression(format!(
                "stage = :stage AND #status = :processing AND failed_attempts >= :most AND {FREE}"
            ))
            .expression_attribute_values(":stage", text(stage))
            .expression_attribute_values(":processing", text("processing"))
            .expression_attribute_values(":lease_now", milliseconds(now))
            .expression_attribute_values(":most", number(MAX_ATTEMPTS))
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":failed", text("failed"))
            .expression_attribute_values(":failure", value(&Failure::GaveUp)?)
            .expression_attribute_values(":now", text(now))
            .expression_attribute_values(
                ":history_entry",
                history_entry("failed", Some(stage), now)?,
            );
        change("stage.give_up", update).await
    }

    /// An update with the condition that this attempt holds the document.
    fn held(&self, document: Key, attempt: AttemptId) -> UpdateItemFluentBuilder {
        lease::held_by(self.update(document), attempt)
            .condition_expression(format!("#status = :processing AND {HELD}"))
            .expression_attribute_values(":processing", text("processing"))
    }
}

/// The update to `failed`.
fn failed() -> String {
    format!(
        "SET #status = :failed, failure = :failure, finished_at = :now, failed_attempts = :zero, \
         history = list_append(history, :history_entry) \
         REMOVE {LET_GO}, waiting, waiting_since, due_shard, due_at"
    )
}

fn name_of<T: Serialize>(outcome: &T) -> Result<String> {
    let name = serde_json::to_value(outcome)?;
    Ok(name.as_str().unwrap_or_default().to_owned())
}
