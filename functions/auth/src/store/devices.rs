use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::Result;
use shared::lease::AttemptId;
use shared::table::{Item, key, number, put, text, update, value};
use shared::transaction::Sent;
use shared::write::{self, Written};

use super::sessions::{Stored, session_key};
use super::{Exchanged, Users};
use crate::oauth::application::ApplicationId;
use crate::oauth::device::{Decision, Device, DeviceCode, INTERVAL, REMEMBERED};
use crate::oauth::user_code::UserCode;
use crate::session::Session;

/// A device that a user code leads to.
#[derive(Clone, Debug)]
pub struct FoundDevice {
    /// The hash of its device code.
    hash: String,
    /// The device.
    pub device: Device,
}

/// What came of a poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Polled {
    /// The user has not decided yet, and the poll came in time. It is noted.
    InTime,
    /// The user has decided, the device code has ended, or the poll came too soon. Nothing is changed.
    Refused(Box<Device>),
    /// No device has this code, or it is of another application.
    Unknown,
}

impl Users {
    /// Stores a new device under both codes. Gives `false` if another device has the user code, which is good at `now`. 4 WRU.
    pub async fn add_device(
        &self,
        (code, user_code): (&DeviceCode, &UserCode),
        device: &Device,
        now: Timestamp,
        attempt: AttemptId,
    ) -> Result<bool> {
        #[derive(Serialize)]
        struct Kept<'a> {
            #[serde(flatten)]
            device: &'a Device,
            /// DynamoDB deletes the item some time after this one, in seconds.
            expires: i64,
        }
        #[derive(Serialize)]
        struct Named {
            device: String,
            good_until: i64,
            expires: i64,
        }
        let (hash, good_until) = (code.hash(), device.good_until.as_second());
        let expires = (device.good_until + REMEMBERED).as_second();
        let named = Named { device: hash.clone(), good_until, expires: good_until };
        let naming = self
            .table
            .putting(user_code_key(user_code), &named)?
            // Whoever had the code before may be in the table still.
            .condition_expression("attribute_not_exists(pk) OR good_until <= :now")
            .expression_attribute_values(":now", number(now.as_second()));
        let writes =
            vec![put(naming)?, self.table.new_item(device_key(&hash), &Kept { device, expires })?];
        let sent = self.table.transact("devices.add", &attempt.to_string(), writes).await?;
        Ok(matches!(sent, Sent::Made))
    }

    /// The device that shows this code, also if it has ended, strongly consistent. 2 RRU; 1 RRU if there is none.
    pub async fn device(&self, user_code: &UserCode) -> Result<Option<FoundDevice>> {
        #[derive(Deserialize)]
        struct Named {
            device: String,
        }
        let named: Option<Named> = self.table.get(user_code_key(user_code)).await?;
        let Some(Named { device: hash }) = named else { return Ok(None) };
        let device = self.table.get(device_key(&hash)).await?;
        Ok(device.map(|device| FoundDevice { hash, device }))
    }

    /// Writes what the user says, once: of two decisions at once, one counts. Gives `false` if another one was made before, or
    /// if the codes have ended at `now`. 1 WRU.
    pub async fn decide(
        &self,
        found: &FoundDevice,
        decision: &Decision,
        now: Timestamp,
    ) -> Result<bool> {
        let update = self
            .table
            .update(device_key(&found.hash))
            .update_expression("SET decision = :decision")
            .condition_expression("attribute_not_exists(decision) AND good_until > :now")
            .expression_attribute_values(":decision", value(decision)?)
            .expression_attribute_values(":now", number(now.as_second()))
            .return_values_on_condition_check_failure(AllOld);
        match write::send("devices.decide", update).await? {
            Written::Made(_) => Ok(true),
            // The same decision, whose answer was lost.
            Written::Refused(item) => Ok(read(item)?.is_some_and(|device| {
                device.is_good(now) && device.decision.as_ref() == Some(decision)
            })),
        }
    }

    /// Notes a poll of a device, if the user has not decided yet and it comes in time. 1 WRU.
    pub async fn poll(
        &self,
        code: &DeviceCode,
        application: ApplicationId,
        now: Timestamp,
        attempt: AttemptId,
    ) -> Result<Polled> {
        let update = self
            .table
            .update(device_key(&code.hash()))
            .update_expression("SET next_poll = poll_interval + :now, polled_by = :attempt")
            .condition_expression(
                "application = :application AND attribute_not_exists(decision) AND good_until > :now AND next_poll <= :now",
            )
            .expression_attribute_values(":application", text(application))
            .expression_attribute_values(":now", number(now.as_second()))
            .expression_attribute_values(":attempt", text(attempt))
            .return_values_on_condition_check_failure(AllOld);
        let item = match write::send("devices.poll", update).await? {
            Written::Made(_) => return Ok(Polled::InTime),
            Written::Refused(item) => item,
        };
        Ok(match read(item)?.filter(|device| device.application == application) {
            // The same request, whose answer was lost on the way.
            Some(device) if device.polled_by == Some(attempt) => Polled::InTime,
            Some(device) => Polled::Refused(Box::new(device)),
            None => Polled::Unknown,
        })
    }

    /// Makes a device wait longer between two polls, and before the next one. Of polls at once, each counts. 1 WRU.
    pub async fn slow_down(&self, code: &DeviceCode, attempt: AttemptId) -> Result<()> {
        let update = self
            .table
            .update(device_key(&code.hash()))
            .update_expression(
                "SET poll_interval = poll_interval + :more, next_poll = next_poll + :more, slowed_by = :attempt",
            )
            // The SDK sends a request again whose answer was lost.
            .condition_expression("attribute_exists(pk) AND NOT slowed_by = :attempt")
            .expression_attribute_values(":more", number(INTERVAL))
            .expression_attribute_values(":attempt", text(attempt));
        write::send("devices.slow_down", update).await.map(|_| ())
    }

    /// Begins the session that the user has allowed. Both are written or nothing, and of many polls one gets it. 4 WRU.
    pub async fn begin_on_device(
        &self,
        code: &DeviceCode,
        session: &Session,
        now: Timestamp,
    ) -> Result<Exchanged> {
        let using = self
            .table
            .updating(device_key(&code.hash()))
            .update_expression("SET began = :session")
            .condition_expression(
                "attribute_exists(decision.allowed) AND attribute_not_exists(began) AND good_until > :now",
            )
            .expression_attribute_values(":session", text(session.id))
            .expression_attribute_values(":now", number(now.as_second()));
        let key = session_key(session.user, session.id);
        let writes = vec![update(using)?, self.table.new_item(key, &Stored::of(session))?];
        let sent = self.table.transact("devices.begin", &session.id.to_string(), writes).await?;
        Ok(match sent {
            Sent::Made => Exchanged::Made,
            Sent::Refused { .. } => Exchanged::Refused,
        })
    }
}

fn read(item: Option<Item>) -> Result<Option<Device>> {
    Ok(item.map(serde_dynamo::from_item).transpose()?)
}

fn device_key(hash: &str) -> Item {
    key(format!("DEVICE#{hash}"), "DEVICE")
}

/// The table has the code itself: a hash of so few codes would hide none. Whoever reads one can only let a device act for
/// themselves, in the next minutes.
fn user_code_key(code: &UserCode) -> Item {
    key(format!("USERCODE#{}", code.expose()), "USERCODE")
}
