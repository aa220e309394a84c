//! The header of ICC profiles (ICC.1, 7.2).

use super::Graphics;
use cos::Stream;
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    rc::Rc,
};

/// The header of a profile.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Profile {
    /// Major and minor version.
    pub(super) version: Option<(u8, u8)>,
    /// Device class, such as `mntr`.
    pub(super) class: Option<[u8; 4]>,
    /// Data colour space, such as `RGB `.
    pub(super) space: Option<[u8; 4]>,
    /// `/N` of the stream.
    pub(super) components: Option<i64>,
    /// A hash of all its data.
    pub(super) digest: u64,
}

impl Profile {
    /// Reads a header; fields beyond the end of the data are `None`.
    pub(super) fn parse(data: &[u8], components: Option<i64>) -> Self {
        let signature = |at: usize| <[u8; 4]>::try_from(data.get(at..at + 4)?).ok();
        let version = data.get(8).zip(data.get(9)).map(|(major, minor)| (*major, minor >> 4));
        Self { version, class: signature(12), space: signature(16), components, digest: 0 }
    }

    fn version_below(&self, major: u8) -> bool {
        self.version.is_some_and(|version| version.0 < major)
    }

    /// Whether the class is in `classes`.
    fn class_in(&self, classes: &[&[u8; 4]]) -> bool {
        self.class.is_some_and(|class| classes.contains(&&class))
    }

    fn space_in(&self, spaces: &[&[u8; 4]]) -> bool {
        self.space.is_some_and(|space| spaces.contains(&&space))
    }

    /// Whether an output intent may use the profile; its version must be lower than `version`.
    pub(super) fn fits_output(&self, version: u8) -> bool {
        self.class_in(&[b"prtr", b"mntr"])
            && self.space_in(&[b"RGB ", b"CMYK", b"GRAY"])
            && self.version_below(version)
    }

    /// Whether an ICCBased colour space may use the profile; its version must be lower than
    /// `version`.
    pub(super) fn fits_space(&self, version: u8) -> bool {
        self.class_in(&[b"prtr", b"mntr", b"scnr", b"spac"])
            && self.space_in(&[b"RGB ", b"CMYK", b"GRAY", b"Lab "])
            && self.version_below(version)
    }

    /// Whether `/N` equals the number of components of the data colour space.
    pub(super) fn components_fit(&self) -> bool {
        match self.components {
            Some(1) => self.space_in(&[b"GRAY"]),
            Some(3) => self.space_in(&[b"RGB ", b"Lab "]),
            Some(4) => self.space_in(&[b"CMYK"]),
            _ => false,
        }
    }

    /// A short description of the header.
    pub(super) fn describe(&self) -> String {
        let text = |signature: Option<[u8; 4]>| {
            signature.map_or_else(String::new, |bytes| bytes.escape_ascii().to_string())
        };
        let (major, minor) = self.version.unwrap_or_default();
        format!(
            "ICC profile of class \"{}\", colour space \"{}\", version {major}.{minor}, N {}",
            text(self.class),
            text(self.space),
            self.components.map_or_else(|| "missing".to_owned(), |n| n.to_string()),
        )
    }
}

impl Graphics<'_> {
    /// The header of the profile in `stream`.
    pub(super) fn profile(&self, stream: &Stream) -> Rc<Profile> {
        if let Some(profile) = self.profiles.borrow().get(&stream.id()) {
            return profile.clone();
        }
        let components = self.get(stream.dict(), "N").as_i64();
        let data = self.data(stream).unwrap_or_default();
        let mut hasher = DefaultHasher::new();
        data.hash(&mut hasher);
        let digest = hasher.finish();
        let profile = Rc::new(Profile { digest, ..Profile::parse(&data, components) });
        self.profiles.borrow_mut().insert(stream.id(), profile.clone());
        profile
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(version: u8, class: &[u8], space: &[u8]) -> Vec<u8> {
        let mut data = vec![0; 128];
        data[8] = version;
        data[9] = 0x40;
        data[12..16].copy_from_slice(class);
        data[16..20].copy_from_slice(space);
        data
    }

    #[test]
    fn reads_a_header() {
        let profile = Profile::parse(&header(2, b"mntr", b"RGB "), Some(3));
        assert_eq!(profile.version, Some((2, 4)));
        assert!(profile.fits_output(3) && profile.fits_space(3) && profile.components_fit());
        let profile = Profile::parse(&header(4, b"scnr", b"RGB "), Some(4));
        assert!(!profile.fits_output(5) && profile.fits_space(5) && !profile.fits_space(3));
        assert!(!profile.components_fit());
    }

    #[test]
    fn a_cut_header_fits_nothing() {
        let profile = Profile::parse(&header(2, b"mntr", b"RGB ")[..14], Some(3));
        assert!(!profile.fits_output(5) && !profile.fits_space(5) && !profile.components_fit());
        assert_eq!(Profile::parse(b"", None), Profile::default());
    }
}
