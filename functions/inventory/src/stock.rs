//! Stock, in buckets.
//!
//! One item of DynamoDB takes some 500 changes a second. The stock of a product that sells faster is
//! spread over buckets, items of their own; a reservation takes from one that has enough, whichever
//! chance picks, so that buyers seldom meet. When no bucket has enough, it takes the rest of several:
//! the last units are sold too.

use serde::{Deserialize, Serialize};

/// The most buckets that a product has.
pub const MAX_BUCKETS: u32 = 16;

/// A bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Which of the product's.
    pub number: u32,
    /// How many anyone may reserve.
    pub available: u32,
    /// How many are reserved, and have not left.
    pub reserved: u32,
}

/// So many from one bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Take {
    /// The bucket.
    pub bucket: u32,
    /// How many.
    pub quantity: u32,
}

/// How many anyone may reserve, in all.
#[must_use]
pub fn available(buckets: &[Bucket]) -> u32 {
    buckets.iter().map(|bucket| bucket.available).sum()
}

/// How many are reserved, and have not left.
#[must_use]
pub fn reserved(buckets: &[Bucket]) -> u32 {
    buckets.iter().map(|bucket| bucket.reserved).sum()
}

/// From which buckets to take `quantity`: the first with enough, counted from `start`; or else the
/// fullest, as many as it needs. Nothing if there are not so many in all.
#[must_use]
pub fn plan(buckets: &[Bucket], quantity: u32, start: usize) -> Option<Vec<Take>> {
    let from_start = buckets.iter().cycle().skip(start).take(buckets.len());
    if let Some(bucket) = from_start.clone().find(|bucket| bucket.available >= quantity) {
        return Some(vec![Take { bucket: bucket.number, quantity }]);
    }
    let mut fullest: Vec<_> = from_start.collect();
    fullest.sort_by_key(|bucket| std::cmp::Reverse(bucket.available));
    let (mut left, mut takes) = (quantity, Vec::new());
    for bucket in fullest {
        let quantity = bucket.available.min(left);
        if quantity > 0 {
            takes.push(Take { bucket: bucket.number, quantity });
            left -= quantity;
        }
    }
    (left == 0).then_some(takes)
}

/// How to spread `quantity` over `buckets`: as evenly as can be.
#[must_use]
pub fn spread(quantity: u32, buckets: u32) -> Vec<u32> {
    let buckets = buckets.max(1);
    (0..buckets).map(|at| quantity / buckets + u32::from(at < quantity % buckets)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn buckets(available: &[u32]) -> Vec<Bucket> {
        let bucket = |(number, &available)| Bucket { number, available, reserved: 0 };
        (0..).zip(available).map(bucket).collect()
    }

    #[test]
    fn one_bucket_is_enough_where_one_has_enough() {
        let stock = buckets(&[1, 5, 5]);
        assert_eq!(plan(&stock, 5, 0), Some(vec![Take { bucket: 1, quantity: 5 }]));
        assert_eq!(plan(&stock, 5, 2), Some(vec![Take { bucket: 2, quantity: 5 }]));
        assert_eq!(plan(&stock, 1, 0), Some(vec![Take { bucket: 0, quantity: 1 }]));
    }

    proptest! {
        #[test]
        fn a_plan_takes_what_is_there_and_all_that_is_wanted(
            available in prop::collection::vec(0_u32..20, 0..8),
            quantity in 1_u32..60,
            start in 0_usize..10,
        ) {
            let stock = buckets(&available);
            match plan(&stock, quantity, start) {
                Some(takes) => {
                    prop_assert_eq!(takes.iter().map(|take| take.quantity).sum::<u32>(), quantity);
                    for take in &takes {
                        prop_assert!(take.quantity <= available[take.bucket as usize]);
                        let same = takes.iter().filter(|other| other.bucket == take.bucket);
                        prop_assert_eq!(same.count(), 1);
                    }
                }
                None => prop_assert!(available.iter().sum::<u32>() < quantity),
            }
        }

        #[test]
        fn spreading_loses_nothing(quantity in 0_u32..10_000, buckets in 1..=MAX_BUCKETS) {
            let spread = spread(quantity, buckets);
            prop_assert_eq!(spread.iter().sum::<u32>(), quantity);
            prop_assert!(spread.iter().max().unwrap() - spread.iter().min().unwrap() <= 1);
        }
    }
}
