//! Stock in buckets.
//!
//! One DynamoDB item accepts at most 500 transactional changes a second, and of two concurrent transactions
//! on one item, one must be retried. So the stock of a product is spread over buckets, each in its own item.
//! A reservation takes from one bucket that has enough, starting at a random one, so that buyers seldom
//! conflict. If no bucket has enough, it takes from several, so that the last units can be sold too.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The maximum number of buckets of a product.
pub const MAX_BUCKETS: u32 = 16;

/// The maximum stock of a product, in all buckets.
pub const MAX_STOCK: u32 = 1_000_000_000;

/// A bucket of a product's stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Bucket {
    /// The number within the product, from 0.
    pub number: u32,
    /// The available quantity.
    pub available: u32,
    /// The reserved quantity.
    pub reserved: u32,
}

/// A quantity that is taken from a bucket or added to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Take {
    /// The number of the bucket.
    pub bucket: u32,
    /// The quantity.
    pub quantity: u32,
}

/// The available quantity over all buckets.
#[must_use]
pub fn available(buckets: &[Bucket]) -> u32 {
    buckets.iter().map(|bucket| bucket.available).sum()
}

/// The reserved quantity over all buckets.
#[must_use]
pub fn reserved(buckets: &[Bucket]) -> u32 {
    buckets.iter().map(|bucket| bucket.reserved).sum()
}

/// Plans which buckets to take `quantity` from: the first bucket with enough, beginning at index `start` and
/// wrapping around; otherwise several, the fullest first. `None` if all buckets together have too little.
#[must_use]
pub fn plan(buckets: &[Bucket], quantity: u32, start: usize) -> Option<Vec<Take>> {
    let from_start = buckets.iter().cycle().skip(start).take(buckets.len());
    if let Some(bucket) = from_start.clone().find(|bucket| bucket.available >= quantity) {
        return Some(vec![Take { bucket: bucket.number, quantity }]);
    }
    let mut fullest: Vec<_> = from_start.collect();
    fullest.sort_by_key(|bucket| Reverse(bucket.available));
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

/// Spreads `quantity` over buckets that have `available` before, and returns the quantity for each bucket.
/// The emptiest get the most, so that the buckets end as level as possible. Empty if there is no bucket.
#[must_use]
pub fn spread(quantity: u32, available: &[u32]) -> Vec<u32> {
    let up_to = |level: u32| available.iter().map(move |has| level.saturating_sub(*has));
    let needed = |level: u32| up_to(level).map(u64::from).sum::<u64>();
    // Binary search for the highest level that all buckets can reach.
    let (mut low, mut high) = (0, u32::MAX);
    while low < high {
        let middle = high - (high - low) / 2;
        if needed(middle) <= quantity.into() {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    let mut left = u64::from(quantity) - needed(low);
    let mut gets: Vec<u32> = up_to(low).collect();
    for (gets, has) in gets.iter_mut().zip(available) {
        if left > 0 && *has <= low {
            *gets += 1;
            left -= 1;
        }
    }
    gets
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
    fn a_plan_uses_one_bucket_if_one_has_enough() {
        let stock = buckets(&[1, 5, 5]);
        assert_eq!(plan(&stock, 5, 0), Some(vec![Take { bucket: 1, quantity: 5 }]));
        assert_eq!(plan(&stock, 5, 2), Some(vec![Take { bucket: 2, quantity: 5 }]));
        assert_eq!(plan(&stock, 1, 0), Some(vec![Take { bucket: 0, quantity: 1 }]));
    }

    #[test]
    fn the_emptiest_buckets_are_filled_first() {
        assert_eq!(spread(10, &[0, 0, 0, 0]), [3, 3, 2, 2]);
        assert_eq!(spread(10, &[100, 0]), [0, 10]);
        assert_eq!(spread(10, &[4, 0]), [3, 7]);
        assert_eq!(spread(2, &[0, 0, 0]), [1, 1, 0]);
        assert_eq!(spread(5, &[]), [0; 0]);
    }

    proptest! {
        #[test]
        fn a_plan_takes_the_whole_quantity_and_no_more_than_available(
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
        fn spreading_keeps_the_sum_and_levels_the_buckets(
            quantity in 0_u32..=MAX_STOCK,
            available in prop::collection::vec(0_u32..=MAX_STOCK, 1..=16),
        ) {
            let gets = spread(quantity, &available);
            prop_assert_eq!(gets.iter().sum::<u32>(), quantity);
            let after: Vec<_> = available.iter().zip(&gets).map(|(has, gets)| has + gets).collect();
            for (gets, after_it) in gets.iter().zip(&after) {
                // A bucket that got units has at most 1 more than the emptiest.
                prop_assert!(*gets == 0 || after_it - after.iter().min().unwrap() <= 1);
            }
        }
    }
}
