//! Movements of stock: deliveries and corrections. A sale is not a movement; its reservation records it.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::id::UserId;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::stock::{Bucket, MAX_BUCKETS, MAX_STOCK, Take, available, plan, reserved, spread};

/// The largest quantity of one movement.
pub const MAX_QUANTITY: i32 = 999_999;
/// The maximum length of a note, in characters.
pub const MAX_NOTE: usize = 200;

/// A movement of a product's stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Movement {
    /// The sequence number within the product, from 1, without gaps.
    pub number: u64,
    /// The added quantity. A negative quantity was removed.
    pub quantity: Quantity,
    /// The reason.
    pub reason: Reason,
    /// The note of the user who moved the stock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// The user who moved the stock.
    pub by: UserId,
    /// The time of the movement.
    pub at: Timestamp,
}

/// Why stock moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MovementReason)]
pub enum Reason {
    /// A delivery.
    Restock,
    /// A correction after a count or a loss.
    Adjustment,
}

/// The stock of a product before a movement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductStock {
    /// The number of movements.
    pub movements: u64,
    /// The buckets, sorted by number.
    pub buckets: Vec<Bucket>,
}

/// Why a movement is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Only this quantity is available. Reserved stock is not removed.
    NotEnough(u32),
    /// The stock would exceed [`MAX_STOCK`].
    TooMuch,
}

/// The change of each bucket by a movement of `quantity`. A product keeps its buckets, and gets new ones if
/// it has fewer than `wanted`. The result has every new bucket, even if its quantity is 0.
///
/// Added stock goes to the emptiest buckets. Removed stock comes from the fullest buckets.
pub fn changes(
    buckets: &[Bucket],
    quantity: Quantity,
    wanted: BucketCount,
) -> Result<Vec<Take>, Refusal> {
    let size = quantity.0.unsigned_abs();
    if quantity.0 < 0 {
        let fullest = buckets.iter().enumerate().max_by_key(|(_, bucket)| bucket.available);
        let start = fullest.map_or(0, |(index, _)| index);
        return plan(buckets, size, start).ok_or_else(|| Refusal::NotEnough(available(buckets)));
    }
    if available(buckets) + reserved(buckets) + size > MAX_STOCK {
        return Err(Refusal::TooMuch);
    }
    let mut has: Vec<u32> = buckets.iter().map(|bucket| bucket.available).collect();
    has.resize(has.len().max(wanted.0 as usize), 0);
    let gains = (0..).zip(spread(size, &has));
    let gains = gains.map(|(bucket, quantity)| Take { bucket, quantity });
    Ok(gains.filter(|gain| gain.quantity > 0 || gain.bucket as usize >= buckets.len()).collect())
}

/// A moved quantity: from -999,999 to 999,999, and not 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i32")]
pub struct Quantity(i32);

impl PartialSchema for Quantity {
    fn schema() -> RefOr<Schema> {
        let part = |least: i32, most: i32| {
            let part = ObjectBuilder::new().schema_type(Type::Integer);
            part.minimum(Some(least)).maximum(Some(most))
        };
        let description = "A moved quantity: from -999,999 to 999,999, and not 0.";
        let parts = OneOfBuilder::new().item(part(-MAX_QUANTITY, -1)).item(part(1, MAX_QUANTITY));
        parts.description(Some(description)).examples([50]).into()
    }
}

impl ToSchema for Quantity {
    fn name() -> Cow<'static, str> {
        "MovedQuantity".into()
    }
}

/// The number is not a valid [`Quantity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a quantity is from -{MAX_QUANTITY} to {MAX_QUANTITY}, and not 0")]
pub struct InvalidQuantity;

impl TryFrom<i64> for Quantity {
    type Error = InvalidQuantity;

    fn try_from(number: i64) -> Result<Self, InvalidQuantity> {
        let number = i32::try_from(number).map_err(|_| InvalidQuantity)?;
        let fits = number != 0 && (-MAX_QUANTITY..=MAX_QUANTITY).contains(&number);
        if fits { Ok(Self(number)) } else { Err(InvalidQuantity) }
    }
}

impl From<Quantity> for i32 {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}

/// A note: 1 to 200 characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(min_length = 1, max_length = 200)]
pub struct Note(String);

/// The text is not a valid [`Note`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a note has 1 to {MAX_NOTE} characters")]
pub struct InvalidNote;

impl TryFrom<String> for Note {
    type Error = InvalidNote;

    fn try_from(text: String) -> Result<Self, InvalidNote> {
        let fits = (1..=MAX_NOTE).contains(&text.chars().count());
        if fits { Ok(Self(text)) } else { Err(InvalidNote) }
    }
}

impl From<Note> for String {
    fn from(note: Note) -> Self {
        note.0
    }
}

/// A number of buckets: 1 to 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "u32")]
#[schema(minimum = 1, maximum = 16)]
pub struct BucketCount(u32);

/// The number is not a valid [`BucketCount`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a product has 1 to {MAX_BUCKETS} buckets")]
pub struct InvalidBucketCount;

impl Default for BucketCount {
    fn default() -> Self {
        Self(1)
    }
}

impl TryFrom<u32> for BucketCount {
    type Error = InvalidBucketCount;

    fn try_from(number: u32) -> Result<Self, InvalidBucketCount> {
        let fits = (1..=MAX_BUCKETS).contains(&number);
        if fits { Ok(Self(number)) } else { Err(InvalidBucketCount) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(buckets: &[(u32, u32)], quantity: i64, wanted: u32) -> Result<Vec<Take>, Refusal> {
        let bucket = |(number, &(available, reserved))| Bucket { number, available, reserved };
        let buckets: Vec<_> = (0..).zip(buckets).map(bucket).collect();
        changes(&buckets, quantity.try_into().unwrap(), wanted.try_into().unwrap())
    }

    fn takes(takes: &[(u32, u32)]) -> Vec<Take> {
        takes.iter().map(|&(bucket, quantity)| Take { bucket, quantity }).collect()
    }

    #[test]
    fn added_stock_levels_the_buckets_and_new_buckets_are_in_the_result() {
        assert_eq!(moved(&[], 5, 1), Ok(takes(&[(0, 5)])));
        assert_eq!(moved(&[], 1, 3), Ok(takes(&[(0, 1), (1, 0), (2, 0)])));
        assert_eq!(moved(&[(9, 1), (0, 9)], 4, 1), Ok(takes(&[(1, 4)])), "never fewer than before");
        assert_eq!(moved(&[(9, 0)], 4, 2), Ok(takes(&[(1, 4)])));
    }

    #[test]
    fn only_available_stock_is_removed() {
        assert_eq!(moved(&[(2, 0), (7, 5)], -5, 1), Ok(takes(&[(1, 5)])));
        assert_eq!(moved(&[(2, 0), (7, 5)], -9, 1), Ok(takes(&[(1, 7), (0, 2)])));
        assert_eq!(moved(&[(2, 0), (7, 5)], -10, 1), Err(Refusal::NotEnough(9)));
        assert_eq!(moved(&[], -1, 1), Err(Refusal::NotEnough(0)));
    }

    #[test]
    fn stock_does_not_exceed_the_limit() {
        assert_eq!(moved(&[(MAX_STOCK - 10, 5)], 5, 1), Ok(takes(&[(0, 5)])));
        assert_eq!(moved(&[(MAX_STOCK - 10, 5)], 6, 1), Err(Refusal::TooMuch));
    }

    #[test]
    fn limits_are_exact() {
        for (number, valid) in
            [(0, false), (1, true), (-999_999, true), (1_000_000, false), (i64::MIN, false)]
        {
            assert_eq!(Quantity::try_from(number).is_ok(), valid, "{number}");
        }
        for (number, valid) in [(0, false), (1, true), (16, true), (17, false)] {
            assert_eq!(BucketCount::try_from(number).is_ok(), valid, "{number}");
        }
        for (length, valid) in [(0, false), (1, true), (200, true), (201, false)] {
            assert_eq!(Note::try_from("é".repeat(length)).is_ok(), valid, "{length}");
        }
    }
}
