//! How a file is cut into parts:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>

use crate::objects::UploadedPart;

/// The size of a part, unless there would be too many: large enough for a request to be worth it,
/// small enough to send again.
const PART: u64 = 8 << 20;
/// The most parts; S3 takes 10,000.
const MAX_PARTS: u64 = 1_000;

/// A file's parts: all of one size, but for the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The size of a part in bytes.
    pub part_size: u64,
    /// How many there are.
    pub parts: u64,
}

impl Parts {
    /// The parts of a file of `size` bytes.
    #[must_use]
    pub fn of(size: u64) -> Self {
        let part_size = PART.max(size.div_ceil(MAX_PARTS));
        Self { part_size, parts: size.div_ceil(part_size).max(1) }
    }

    /// The numbers and sizes of the parts that have not arrived, in their order.
    #[must_use]
    pub fn missing(self, size: u64, arrived: &[UploadedPart]) -> Vec<(i32, u64)> {
        let wanted = (1..)
            .zip(0..self.parts)
            .map(|(number, index)| (number, self.part_size.min(size - index * self.part_size)));
        wanted
            .filter(|(number, size)| {
                !arrived.iter().any(|part| part.number == *number && part.size == *size)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_make_up_the_file(size in 1_u64..20 << 30) {
            let parts = Parts::of(size);
            let all = parts.missing(size, &[]);
            prop_assert_eq!(all.iter().map(|(_, size)| size).sum::<u64>(), size);
            prop_assert_eq!(all.len() as u64, parts.parts);
            prop_assert!(all.len() as u64 <= MAX_PARTS);
            prop_assert!(all.iter().all(|(_, size)| *size > 0));
            // S3 takes no part but the last under 5 MiB.
            prop_assert!(all[..all.len() - 1].iter().all(|(_, size)| *size >= 5 << 20));
        }
    }

    #[test]
    fn a_part_of_another_size_is_missing() {
        let size = (8 << 20) + 5;
        let part = |number, size| UploadedPart { number, size, etag: String::new() };
        let missing = |arrived: &[UploadedPart]| Parts::of(size).missing(size, arrived);
        assert_eq!(missing(&[]), [(1, 8 << 20), (2, 5)]);
        assert_eq!(missing(&[part(1, 8 << 20)]), [(2, 5)]);
        assert_eq!(missing(&[part(1, 8 << 20), part(2, 4)]), [(2, 5)]);
        assert_eq!(missing(&[part(1, 8 << 20), part(2, 5)]), []);
    }
}
