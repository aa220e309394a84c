//! Rules for the colour spaces used in painting (ISO 19005-1, 6.2.3; ISO 19005-2, 6.2.4; ISO
//! 19005-4, 6.2.4).

use super::{
    Checked, Graphics,
    colour::{DeviceN, Separation, Space},
    resources::Resources,
    state::Paint,
};
use cos::{Name, Object, Stream};
use std::rc::Rc;

/// Maximum nesting depth of compared objects, and maximum number of compared values in a file.
const NESTING: usize = 20;
const COMPARISONS: u32 = 200_000;

/// Colorants that are not spot colours (ISO 32000-1, 8.6.6.5).
const PROCESS: [&str; 5] = ["Cyan", "Magenta", "Yellow", "Black", "None"];

/// Overprint parameters (ISO 32000-1, 8.6.7).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Overprint {
    /// Whether overprinting is on.
    pub(super) on: bool,
    /// Whether `/OPM` is not 0.
    pub(super) mode: bool,
}

impl Graphics<'_> {
    /// Checks a colour space and the spaces inside it.
    pub(super) fn check_space(&self, space: &Rc<Space>, overprint: Overprint) {
        let overprint_all = overprint.on && overprint.mode;
        let checked = Checked::Space {
            address: Rc::as_ptr(space).addr(),
            overprint: overprint_all,
            surroundings: self.surroundings.get(),
        };
        if !self.first(checked) {
            return;
        }
        match &**space {
            Space::Gray => self.device_gray(),
            Space::Rgb => self.device_rgb(),
            Space::Cmyk => self.device_cmyk(),
            Space::Calibrated(_) | Space::Pattern(_) => {}
            Space::Icc(stream) => self.icc_based(stream, overprint_all),
            Space::Indexed(base) => self.check_inner(base.as_ref()),
            Space::Separation(separation) => self.separation(separation),
            Space::DeviceN(device_n) => self.device_n_rules(device_n),
        }
    }

    fn check_inner(&self, space: Option<&Rc<Space>>) {
        if let Some(space) = space {
            self.check_space(space, Overprint::default());
        }
    }

    /// Checks the space of a colour or of a shading pattern.
    pub(super) fn check_paint(&self, paint: &Paint, overprint: Overprint) {
        match paint {
            Paint::Space(space) => self.check_space(space, overprint),
            Paint::Shading(space) => self.check_inner(space.as_ref()),
            Paint::Tiling(_) | Paint::Nothing => {}
        }
    }

    /// 6.2.3.3-3, 6.2.4.3-4: DeviceGray needs an output intent.
    fn device_gray(&self) {
        if self.surroundings.get().output.is_none() {
            let rule = self.rule(("6.2.3.3", 3), ("6.2.4.3", 4));
            self.fail(rule, None, || "DeviceGray without an output intent".to_owned());
        }
    }

    /// 6.2.3.3-1, 6.2.4.3-2: DeviceRGB needs an output intent of an RGB device, or (part 4) an RGB
    /// blending space.
    fn device_rgb(&self) {
        let around = self.surroundings.get();
        if !around.is_output(*b"RGB ") && !around.is_blending(*b"RGB ") {
            let rule = self.rule(("6.2.3.3", 1), ("6.2.4.3", 2));
            self.fail(rule, None, || "DeviceRGB without an RGB output intent".to_owned());
        }
    }

    /// 6.2.3.3-2, 6.2.4.3-3: DeviceCMYK needs an output intent of a CMYK device, or (part 4) a CMYK
    /// blending space.
    fn device_cmyk(&self) {
        let around = self.surroundings.get();
        if !around.is_output(*b"CMYK") && !around.is_blending(*b"CMYK") {
            let rule = self.rule(("6.2.3.3", 2), ("6.2.4.3", 3));
            self.fail(rule, None, || "DeviceCMYK without a CMYK output intent".to_owned());
        }
    }

    /// 6.2.3.2-1 and -2, 6.2.4.2-1: class, colour space and version of the profile are permitted in
    /// this part; 6.2.4.2-2: a CMYK space is not overprinted in mode 1.
    fn icc_based(&self, stream: &Stream, overprint: bool) {
        let profile = self.profile(stream);
        let version = if self.part_1 { 3 } else { 5 };
        if !profile.fits_space(version) {
            let rule = self.rule(("6.2.3.2", 1), ("6.2.4.2", 1));
            self.fail(rule, Some(stream.id()), || profile.describe());
        }
        if self.part_1 && !profile.components_fit() {
            self.fail(("6.2.3.2", 2), Some(stream.id()), || profile.describe());
        }
        if !self.part_1 && overprint && profile.components == Some(4) {
            self.fail(("6.2.4.2", 2), Some(stream.id()), || {
                "an ICCBased CMYK colour space is overprinted in mode 1".to_owned()
            });
        }
        if profile.components == Some(4) {
            self.no_destination_profile(stream);
        }
    }

    /// 6.2.4.4-2 (part 2): Separation spaces with the same name have the same alternate space and
    /// tint transform.
    fn separation(&self, separation: &Separation) {
        self.check_inner(separation.space.as_ref());
        if self.part_1 || matches!(separation.colorant.as_bytes(), b"All" | b"None") {
            return;
        }
        let known = self.separations.borrow().get(&separation.colorant).cloned();
        let this = (separation.alternate.clone(), separation.tint.clone());
        let Some(others) = known else {
            let others = vec![this];
            self.separations.borrow_mut().insert(separation.colorant.clone(), others);
            return;
        };
        let same = others.iter().all(|(alternate, tint)| {
            self.same(alternate, &this.0, 0) && self.same(tint, &this.1, 0)
        });
        if !same {
            self.fail(("6.2.4.4", 2), None, || {
                format!("Separation spaces of {} differ", separation.colorant)
            });
        }
    }

    /// 6.1.12-9, 6.1.13-9: the number of colorants is limited; 6.2.4.4-1 (part 2): all spot colours
    /// among them are described.
    fn device_n_rules(&self, device_n: &DeviceN) {
        let most = if self.part_1 { 8 } else { 32 };
        if device_n.colorants.len() > most {
            let rule = self.rule(("6.1.12", 9), ("6.1.13", 9));
            self.fail(rule, None, || {
                format!("a DeviceN space of {} colorants", device_n.colorants.len())
            });
        }
        self.check_inner(device_n.space.as_ref());
        for separation in &device_n.separations {
            self.check_inner(Some(separation));
        }
        let spot = |name: &&Name| !PROCESS.iter().any(|process| **name == *process);
        let missing =
            device_n.colorants.iter().filter(spot).find(|name| !device_n.described.contains(*name));
        if !self.part_1
            && let Some(name) = missing
        {
            self.fail(("6.2.4.4", 1), None, || {
                format!("the DeviceN colorant {name} is not in the Colorants dictionary")
            });
        }
    }

    /// Whether two objects are equal, ignoring references and the compression of their data.
    ///
    /// Objects that exceed the limits of the comparison count as equal.
    fn same(&self, one: &Object, other: &Object, depth: usize) -> bool {
        let compared = self.compared.get() + 1;
        self.compared.set(compared);
        if depth > NESTING || compared > COMPARISONS || one == other {
            return true;
        }
        match (self.resolve(one), self.resolve(other)) {
            (Object::Array(one), Object::Array(other)) => {
                one.len() == other.len()
                    && one.iter().zip(&other).all(|(a, b)| self.same(a, b, depth + 1))
            }
            (Object::Dict(one), Object::Dict(other)) => self.same_entries(&one, &other, depth),
            (Object::Stream(one), Object::Stream(other)) => {
                one.id() == other.id()
                    || self.same_entries(one.dict(), other.dict(), depth)
                        && self.data(&one) == self.data(&other)
            }
            (one, other) => match (one.as_f64(), other.as_f64()) {
                (Some(a), Some(b)) => (a - b).abs() < 1e-9,
                _ => one == other,
            },
        }
    }

    fn same_entries(&self, one: &cos::Dict, other: &cos::Dict, depth: usize) -> bool {
        const STORAGE: [&str; 4] = ["Length", "Filter", "DecodeParms", "DL"];
        let count = |dict: &cos::Dict| {
            dict.iter().filter(|(key, _)| !STORAGE.iter().any(|other| *key == *other)).count()
        };
        count(one) == count(other)
            && one.iter().filter(|(key, _)| !STORAGE.iter().any(|other| *key == *other)).all(
                |(key, value)| {
                    let theirs = key.as_str().and_then(|key| other.get(key));
                    theirs.is_some_and(|theirs| self.same(value, theirs, depth + 1))
                },
            )
    }

    /// The colour space of a shading.
    pub(super) fn shading_space(
        &self,
        shading: &Object,
        resources: &Resources,
    ) -> Option<Rc<Space>> {
        let shading = self.resolve(shading);
        self.space(shading.as_dict()?.get("ColorSpace")?, resources)
    }
}
