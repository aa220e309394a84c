use aws_sdk_dynamodb::types::AttributeValue;

pub(super) use crate::table::Item;
use crate::{Error, Result};

pub(super) const IN_PROGRESS: &str = "INPROGRESS";
pub(super) const COMPLETED: &str = "COMPLETED";

/// A record, written by Rust or by Powertools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) is_completed: bool,
    pub(super) in_progress_expiration: Option<i64>,
    pub(super) owner: Option<String>,
    pub(super) validation: Option<String>,
    /// The answer, in JSON.
    pub(super) data: Option<String>,
}

impl Record {
    pub(super) fn from_item(mut item: Item) -> Result<Self> {
        Ok(Self {
            is_completed: match text(&mut item, "status").as_deref() {
                Some(COMPLETED) => true,
                Some(IN_PROGRESS) => false,
                other => return Err(Error::internal(format!("a record has the status {other:?}"))),
            },
            in_progress_expiration: match item.remove("in_progress_expiration") {
                Some(AttributeValue::N(number)) => number.parse().ok(),
                _ => None,
            },
            owner: text(&mut item, "owner"),
            validation: text(&mut item, "validation"),
            data: match item.remove("data") {
                None => None,
                Some(AttributeValue::S(json)) => Some(json),
                // The format of Powertools for TypeScript.
                Some(native) => {
                    let value: serde_json::Value = serde_dynamo::from_attribute_value(native)?;
                    Some(value.to_string())
                }
            },
        })
    }
}

fn text(item: &mut Item, name: &str) -> Option<String> {
    match item.remove(name) {
        Some(AttributeValue::S(text)) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(text: &str) -> AttributeValue {
        AttributeValue::S(text.into())
    }

    #[test]
    fn data_is_read_as_json_text_and_as_a_native_map() {
        let number = AttributeValue::N("10".into());
        let native = AttributeValue::M(Item::from([("amount".into(), number)]));
        for data in [s(r#"{"amount":10}"#), native] {
            let item = Item::from([("status".into(), s(COMPLETED)), ("data".into(), data)]);
            let record = Record::from_item(item).unwrap();
            assert_eq!(record.data.as_deref(), Some(r#"{"amount":10}"#));
        }
    }

    #[test]
    fn an_unknown_status_is_an_error() {
        assert!(Record::from_item(Item::from([("status".into(), s("EXPIRED"))])).is_err());
        assert!(Record::from_item(Item::new()).is_err());
    }
}
