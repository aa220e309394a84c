//! Colour spaces (ISO 32000-1, 8.6), as far as the rules need them.

use super::{Graphics, resources::Resources};
use cos::{Array, Dict, Name, Object, Ref, Stream};
use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    rc::Rc,
};

/// Maximum nesting depth of colour spaces.
const NESTING: usize = 12;

/// A colour space.
pub(super) enum Space {
    Gray,
    Rgb,
    Cmyk,
    Calibrated(Calibration),
    Icc(Stream),
    Indexed(Option<Rc<Space>>),
    Separation(Separation),
    DeviceN(DeviceN),
    /// Pattern, with the space for the colours of uncoloured patterns.
    Pattern(Option<Rc<Space>>),
}

/// A CIE-based colour space.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Calibration {
    /// CalRGB.
    Rgb,
    /// CalGray, Lab.
    Other,
}

/// A Separation colour space.
pub(super) struct Separation {
    pub(super) colorant: Name,
    pub(super) alternate: Object,
    pub(super) tint: Object,
    pub(super) space: Option<Rc<Space>>,
}

/// A DeviceN colour space.
pub(super) struct DeviceN {
    pub(super) colorants: Vec<Name>,
    pub(super) space: Option<Rc<Space>>,
    /// Names in `/Colorants` and `/Process` of the attributes.
    pub(super) described: HashSet<Name>,
    /// The Separation spaces in `/Colorants`.
    pub(super) separations: Vec<Rc<Space>>,
}

/// A colour space, or `None`.
type Found = Option<Rc<Space>>;
/// The address of a dictionary, a name in it, and the address of the resources.
type Named = (usize, Name, usize);

/// All colour spaces of the file. They are kept until the check ends, so that each address belongs
/// to one space.
#[derive(Default)]
pub(super) struct Spaces {
    device: RefCell<[Option<Rc<Space>>; 3]>,
    by_number: RefCell<HashMap<(Ref, usize), Found>>,
    all: RefCell<Vec<Rc<Space>>>,
    /// By dictionary, name, and the resources in which device spaces are looked up. The dictionary
    /// is kept, so that no other dictionary gets its address.
    named: RefCell<HashMap<Named, (Dict, Found)>>,
}

impl Spaces {
    fn keep(&self, space: Space) -> Rc<Space> {
        let space = Rc::new(space);
        self.all.borrow_mut().push(space.clone());
        space
    }

    fn device(&self, device: Device) -> Rc<Space> {
        let at = device as usize;
        self.device.borrow_mut()[at]
            .get_or_insert_with(|| {
                Rc::new(match device {
                    Device::Gray => Space::Gray,
                    Device::Rgb => Space::Rgb,
                    Device::Cmyk => Space::Cmyk,
                })
            })
            .clone()
    }
}

/// A device colour space.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Device {
    Gray,
    Rgb,
    Cmyk,
}

impl Device {
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"DeviceGray" => Some(Self::Gray),
            b"DeviceRGB" => Some(Self::Rgb),
            b"DeviceCMYK" => Some(Self::Cmyk),
            _ => None,
        }
    }

    const fn default_key(self) -> &'static str {
        match self {
            Self::Gray => "DefaultGray",
            Self::Rgb => "DefaultRGB",
            Self::Cmyk => "DefaultCMYK",
        }
    }
}

/// Context of a colour space, for the lookup of its names.
struct Place<'r> {
    resources: &'r Resources,
    /// Whether default spaces are ignored, as inside a default space.
    plain: bool,
    depth: usize,
}

impl Place<'_> {
    const fn deeper(&self) -> Self {
        Self { resources: self.resources, plain: self.plain, depth: self.depth + 1 }
    }
}

impl Graphics<'_> {
    /// The default space of the nearest resources for a device space, or the device space itself.
    pub(super) fn device_space(&self, device: Device, resources: &Resources) -> Rc<Space> {
        if let Some(spaces) = self.dict(resources.nearest(), "ColorSpace")
            && let Some(object) = spaces.get(device.default_key())
        {
            let place = Place { resources, plain: true, depth: 0 };
            let name = Name::new(device.default_key());
            if let Some(space) = self.cached_space(&spaces, &name, object, &place) {
                return space;
            }
        }
        self.spaces.device(device)
    }

    /// A device space, without a default space.
    pub(super) fn plain_device_space(&self, device: Device) -> Rc<Space> {
        self.spaces.device(device)
    }

    /// The colour space of an operand or an image entry: a name or a value.
    pub(super) fn space(&self, object: &Object, resources: &Resources) -> Option<Rc<Space>> {
        self.space_at_place(object, &Place { resources, plain: false, depth: 0 })
    }

    fn space_at_place(&self, object: &Object, place: &Place<'_>) -> Option<Rc<Space>> {
        if place.depth > NESTING {
            return None;
        }
        if let Object::Ref(id) = object {
            let (own, _) = place.resources.identity();
            let key = (*id, own.wrapping_mul(2) + usize::from(place.plain));
            if let Some(space) = self.spaces.by_number.borrow().get(&key) {
                return space.clone();
            }
            // Until the space is known, a reference back to it is not a colour space.
            self.spaces.by_number.borrow_mut().insert(key, None);
            let space = self.space_at_place(&self.resolve(object), &place.deeper());
            self.spaces.by_number.borrow_mut().insert(key, space.clone());
            return space;
        }
        match object {
            Object::Name(name) => self.space_named(name, place),
            Object::Array(array) => self.space_of_array(array, place),
            _ => None,
        }
    }

    fn space_named(&self, name: &Name, place: &Place<'_>) -> Option<Rc<Space>> {
        if let Some(device) = Device::named(name.as_bytes()) {
            return Some(if place.plain {
                self.spaces.device(device)
            } else {
                self.device_space(device, place.resources)
            });
        }
        if *name == *"Pattern" {
            return Some(self.spaces.keep(Space::Pattern(None)));
        }
        let key = name.as_str()?;
        let (spaces, object) = place.resources.find(self, "ColorSpace", key)?;
        self.cached_space(&spaces, name, &object, &place.deeper())
    }

    fn cached_space(
        &self,
        spaces: &Dict,
        name: &Name,
        object: &Object,
        place: &Place<'_>,
    ) -> Option<Rc<Space>> {
        let (own, _) = place.resources.identity();
        let key = (spaces.identity(), name.clone(), own);
        if let Some((_, space)) = self.spaces.named.borrow().get(&key) {
            return space.clone();
        }
        self.spaces.named.borrow_mut().insert(key.clone(), (spaces.clone(), None));
        let space = self.space_at_place(object, place);
        self.spaces.named.borrow_mut().insert(key, (spaces.clone(), space.clone()));
        space
    }

    fn space_of_array(&self, array: &Array, place: &Place<'_>) -> Option<Rc<Space>> {
        let deeper = place.deeper();
        let first = self.resolve(array.first()?);
        if array.len() == 1 {
            return self.space_at_place(&first, &deeper);
        }
        let base = |at: usize| array.get(at).and_then(|base| self.space_at_place(base, &deeper));
        let space = match first.as_name()?.as_bytes() {
            b"CalRGB" => Space::Calibrated(Calibration::Rgb),
            b"CalGray" | b"Lab" => Space::Calibrated(Calibration::Other),
            b"ICCBased" => Space::Icc(self.resolve(array.get(1)?).as_stream()?.clone()),
            b"Indexed" | b"I" => Space::Indexed(base(1)),
            b"Separation" => Space::Separation(Separation {
                colorant: self.resolve(array.get(1)?).as_name()?.clone(),
                alternate: array.get(2)?.clone(),
                tint: array.get(3).cloned().unwrap_or_default(),
                space: base(2),
            }),
            b"DeviceN" => self.device_n(array, base(2), &deeper)?,
            b"Pattern" => Space::Pattern(base(1)),
            b"CalCMYK" => {
                return self.space_at_place(&Object::Name(Name::new("DeviceCMYK")), &deeper);
            }
            _ => return None,
        };
        Some(self.spaces.keep(space))
    }

    fn device_n(
        &self,
        array: &Array,
        space: Option<Rc<Space>>,
        place: &Place<'_>,
    ) -> Option<Space> {
        let Object::Array(names) = self.resolve(array.get(1)?) else { return None };
        let colorants =
            names.iter().filter_map(|name| self.resolve(name).as_name().cloned()).collect();
        let attributes = array.get(4).map(|object| self.resolve(object)).unwrap_or_default();
        let described = attributes.as_dict().and_then(|dict| self.dict(dict, "Colorants"));
        let separations = described
            .iter()
            .flat_map(|dict| dict.iter())
            .filter_map(|(_, value)| self.space_at_place(value, place))
            .filter(|space| matches!(**space, Space::Separation(_)))
            .collect();
        let process = attributes.as_dict().and_then(|dict| self.dict(dict, "Process"));
        let components = process.map(|process| self.get(&process, "Components"));
        let components = components.as_ref().and_then(Object::as_array).into_iter().flatten();
        let described = described
            .iter()
            .flat_map(|dict| dict.iter())
            .map(|(name, _)| name.clone())
            .chain(components.filter_map(|name| self.resolve(name).as_name().cloned()))
            .collect();
        Some(Space::DeviceN(DeviceN { colorants, space, described, separations }))
    }
}
