//! Stock, in buckets.
//!
//! One item of DynamoDB takes 500 changes a second at most, and of two transactions that meet at it one
//! has to come again. The stock of a product that sells fast is spread over buckets, items of their own;
//! a reservation takes from one that has enough, whichever chance picks, so that buyers seldom meet.
//! When no bucket has enough, it takes the rest of several: the last units are sold too.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

/// The most buckets that a product has.
pub const MAX_BUCKETS: u32 = 16;

/// The most of a product that there is, in all its buckets.
pub const MAX_STOCK: u32 = 1_000_000_000;

/// A bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Which of the product's, from 0.
    pub number: u32,
    /// How many anyone may reserve.
    pub available: u32,
    /// How many are reserved, and have not left.
    pub reserved: u32,
}

/// So many from one bucket, or to it.
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

/// How many are reserved and have not left, in all.
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

/// How many of `quantity` each bucket gets, of which they have `available` before: the emptiest get the
/// most, so that all end as level as can be. Nobody gets any where there is no bucket.
#[must_use]
pub fn spread(quantity: u32, available: &[u32]) -> Vec<u32> {
    let up_to = |level: u32| available.iter().map(move |has| level.saturating_sub(*has));
    let needed = |level: u32| up_to(level).map(u64::from).sum::<u64>();
    // The highest level that all of them reach.
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
    fn one_bucket_is_enough_where_one_has_enough() {
        let stock = buckets(&[1, 5, 5]);
        assert_eq!(plan(&stock, 5, 0), Some(vec![Take { bucket: 1, quantity: 5 }]));
        assert_eq!(plan(&stock, 5, 2), Some(vec![Take { bucket: 2, quantity: 5 }]));
        assert_eq!(plan(&stock, 1, 0), Some(vec![Take { bucket: 0, quantity: 1 }]));
    }

    #[test]
    fn the_emptiest_are_filled_first() {
        assert_eq!(spread(10, &[0, 0, 0, 0]), [3, 3, 2, 2]);
        assert_eq!(spread(10, &[100, 0]), [0, 10]);
        assert_eq!(spread(10, &[4, 0]), [3, 7]);
        assert_eq!(spread(2, &[0, 0, 0]), [1, 1, 0]);
        assert_eq!(spread(5, &[]), [0; 0]);
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
        fn spreading_loses_nothing_and_levels(
            quantity in 0_u32..=MAX_STOCK,
            available in prop::collection::vec(0_u32..=MAX_STOCK, 1..=16),
        ) {
            let gets = spread(quantity, &available);
            prop_assert_eq!(gets.iter().sum::<u32>(), quantity);
            let after: Vec<_> = available.iter().zip(&gets).map(|(has, gets)| has + gets).collect();
            for (gets, after_it) in gets.iter().zip(&after) {
                // Who got any is no fuller than the emptiest, but for a remainder of 1.
                prop_assert!(*gets == 0 || after_it - after.iter().min().unwrap() <= 1);
            }
        }
    }
}
