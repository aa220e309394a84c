//! The context of colours: the output intent in effect, and the blending space (ISO 32000-2,
//! 11.3.4, 14.11.5).

use super::{
    Graphics,
    colour::{Calibration, Space},
    resources::Resources,
};
use cos::{Dict, Ref, Stream};

/// A profile, or its colour space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Target {
    /// The data colour space, as written in the header of a profile.
    pub(super) space: [u8; 4],
    /// The stream, and a hash of its data.
    pub(super) profile: Option<(Ref, u64)>,
}

/// The context in which something is painted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Surroundings {
    /// The PDF/A output intent: of the page (part 4), or else of the document.
    pub(super) output: Option<Target>,
    /// The device-independent blending space, in part 4.
    pub(super) blending: Option<Target>,
}

impl Surroundings {
    /// Whether the output intent is for a device with this colour space.
    pub(super) fn is_output(&self, space: [u8; 4]) -> bool {
        self.output.is_some_and(|output| output.space == space)
    }

    /// Whether this is the blending space.
    pub(super) fn is_blending(&self, space: [u8; 4]) -> bool {
        self.blending.is_some_and(|blending| blending.space == space)
    }

    /// Whether the output intent or the blending space has this profile: the same object, or
    /// another object with the same data.
    fn has_profile(&self, profile: (Ref, u64)) -> bool {
        [self.output, self.blending]
            .iter()
            .flatten()
            .filter_map(|target| target.profile)
            .any(|(id, digest)| id == profile.0 || digest == profile.1)
    }
}

impl Graphics<'_> {
    /// The target that the profile in `stream` describes; `None` if its header is incomplete.
    pub(super) fn target(&self, stream: &Stream) -> Option<Target> {
        let profile = self.profile(stream);
        Some(Target { space: profile.space?, profile: Some((stream.id(), profile.digest)) })
    }

    /// The blending space of the transparency group `group`: its own, or else the surrounding one.
    /// Only part 4 has rules for it.
    pub(super) fn blending_of(&self, group: &Dict, resources: &Resources) -> Option<Target> {
        let around = self.surroundings.get().blending;
        if !self.is_part_4() || !self.get(group, "S").is_name("Transparency") {
            return around;
        }
        let Some(object) = group.get("CS") else { return around };
        match &*self.space(object, resources)? {
            Space::Icc(stream) => self.target(stream),
            Space::Calibrated(Calibration::Rgb) => Some(Target { space: *b"RGB ", profile: None }),
            _ => None,
        }
    }

    /// Runs `draw` with `blending` as the blending space.
    pub(super) fn blended<T>(&self, blending: Option<Target>, draw: impl FnOnce() -> T) -> T {
        let around = self.surroundings.get();
        self.surroundings.set(Surroundings { blending, ..around });
        let drawn = draw();
        self.surroundings.set(around);
        drawn
    }

    /// 6.2.4.2-3 (part 4): an ICCBased CMYK colour space does not have the profile of the output
    /// intent or of the blending space.
    pub(super) fn no_destination_profile(&self, stream: &Stream) {
        let profile = (stream.id(), self.profile(stream).digest);
        if self.is_part_4() && self.surroundings.get().has_profile(profile) {
            self.fail_named(("6.2.4.2", 3), Some(stream.id()), || {
                "an ICCBased CMYK colour space of the profile of the output intent or of the blending \
                 space"
                    .to_owned()
            });
        }
    }
}
