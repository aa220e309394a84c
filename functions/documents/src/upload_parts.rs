//! How a file is split into parts for a multipart upload. S3's limits:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>

use crate::objects::UploadedPart;

/// The smallest part size in bytes: large enough to make requests few, small enough to send again.
const MIN_PART_SIZE: u64 = 8 << 20;
/// The maximum number of parts; S3 allows 10,000.
const MAX_PARTS: u64 = 1_000;

/// A file's parts. All have the same size, except the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The size of a part in bytes.
    pub part_size: u64,
    /// The number of parts.
    pub parts: u64,
}

impl Parts {
    /// The parts of a file of `size` bytes.
    #[must_use]
    pub fn of(size: u64) -> Self {
        let part_size = MIN_PART_SIZE.max(size.div_ceil(MAX_PARTS));
        Self { part_size, parts: size.div_ceil(part_size).max(1) }
    }

    /// The number (from 1) and the size in bytes of each part that has not arrived, in order. A part that
    /// arrived with another size is missing.
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
        fn the_parts_add_up_to_the_file(size in 1_u64..20 << 30) {
            let parts = Parts::of(size);
            let all = parts.missing(size, &[]);
            prop_assert_eq!(all.iter().map(|(_, size)| size).sum::<u64>(), size);
            prop_assert_eq!(all.len() as u64, parts.parts);
            prop_assert!(all.len() as u64 <= MAX_PARTS);
            prop_assert!(all.iter().all(|(_, size)| *size > 0));
            // S3 refuses a part under 5 MiB, except the last.
            prop_assert!(all[..all.len() - 1].iter().all(|(_, size)| *size >= 5 << 20));
        }
    }

    #[test]
    fn a_part_with_a_wrong_size_is_missing() {
        let size = (8 << 20) + 5;
        let part = |number, size| UploadedPart { number, size, etag: String::new() };
        let missing = |arrived: &[UploadedPart]| Parts::of(size).missing(size, arrived);
        assert_eq!(missing(&[]), [(1, 8 << 20), (2, 5)]);
        assert_eq!(missing(&[part(1, 8 << 20)]), [(2, 5)]);
        assert_eq!(missing(&[part(1, 8 << 20), part(2, 4)]), [(2, 5)]);
        assert_eq!(missing(&[part(1, 8 << 20), part(2, 5)]), []);
    }
}
