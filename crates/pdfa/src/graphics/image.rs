//! Images (ISO 19005-1, 6.2.4; ISO 19005-2, 6.2.8; ISO 19005-4, 6.2.7).

use super::{
    Checked, Graphics,
    colour::{Device, Space},
    colour_rules::Overprint,
    jpx::Header,
    resources::Resources,
    state::{Paint, State},
};
use crate::{checker, file_structure::filters};
use cos::{Codec, Dict, Object, Ref, Stream};
use std::rc::Rc;

/// Enumerated colour spaces of JPEG 2000 data (ISO/IEC 15444-1, Annex I; -2, Annex M).
const CMYK: u32 = 12;
const CIE_JAB: u32 = 19;

impl Graphics<'_> {
    /// Checks an image XObject, and returns whether it is transparent.
    pub(super) fn image(
        &self,
        stream: &Stream,
        resources: &Resources,
        state: &State,
        depth: usize,
    ) -> bool {
        let dict = stream.dict();
        let mask = self.get(dict, "ImageMask").as_bool() == Some(true);
        let mut transparent = false;
        if mask {
            transparent = self.stencil(resources, state, depth);
        } else if let Some(object) = dict.get("ColorSpace")
            && let Some(space) = self.space(object, resources)
        {
            self.check_space(&space, Overprint::default());
        }
        let soft_mask = self.get(dict, "SMask");
        let in_data = self.get(dict, "SMaskInData").as_i64().unwrap_or(0) > 0;
        if self.first(self.checked_image(stream)) {
            let id = Some(stream.id());
            self.image_keys(dict, id);
            self.no_soft_mask(dict, id);
            self.bits_fit(dict, id, mask);
            self.jpeg_2000(stream, !mask);
            for key in ["SMask", "Mask"] {
                if let Object::Stream(inner) = self.get(dict, key) {
                    self.mask_image(&inner, key == "Mask");
                }
            }
            self.alternate_images(dict, resources);
        }
        transparent || soft_mask.as_stream().is_some() || in_data
    }

    /// The key of an image. The rules for a colour space in its data depend on the surroundings.
    fn checked_image(&self, stream: &Stream) -> Checked {
        Checked::Image(stream.id(), self.surroundings.get())
    }

    /// Checks the colour or pattern that paints an image mask, and returns whether it is
    /// transparent.
    fn stencil(&self, resources: &Resources, state: &State, depth: usize) -> bool {
        self.check_paint(&state.fill, Overprint::default());
        match &state.fill {
            Paint::Tiling(pattern) => self.tiling_pattern(pattern, resources, state, depth),
            _ => false,
        }
    }

    /// Checks a mask of another image. The colour space of a mask does not matter.
    fn mask_image(&self, stream: &Stream, stencil: bool) {
        if !self.first(self.checked_image(stream)) {
            return;
        }
        let id = Some(stream.id());
        self.image_keys(stream.dict(), id);
        self.bits_fit(stream.dict(), id, stencil);
        if !stencil {
            self.jpeg_2000(stream, false);
        }
    }

    fn alternate_images(&self, dict: &Dict, resources: &Resources) {
        let Object::Array(alternates) = self.get(dict, "Alternates") else { return };
        for alternate in alternates.iter().take(64) {
            if let Some(entry) = self.resolve(alternate).as_dict()
                && let Object::Stream(image) = self.get(entry, "Image")
                && self.first(self.checked_image(&image))
            {
                self.image_keys(image.dict(), Some(image.id()));
                if let Some(object) = image.dict().get("ColorSpace")
                    && let Some(space) = self.space(object, resources)
                {
                    self.check_space(&space, Overprint::default());
                }
            }
        }
    }

    /// 6.1.9-2 (part 4): an inline image declares the length of its data.
    pub(super) fn inline_length(&self, image: &Dict, data: &[u8]) {
        const RULE: checker::Rule = checker::Rule::four("6.1.9", 2);
        let length = match self.get(image, "L") {
            Object::Null => self.get(image, "Length"),
            length => length,
        };
        let length = length.as_i64().and_then(|length| usize::try_from(length).ok());
        // For CR LF before `EI`, the parser counts the CR as data.
        let fits = length == Some(data.len())
            || data.last() == Some(&b'\r') && length == Some(data.len() - 1);
        if !fits {
            let said = length.map_or_else(|| "missing".to_owned(), |length| length.to_string());
            self.broken(
                RULE,
                &format_args!("/L of an inline image is {said}, the data has {} bytes", data.len()),
            );
        }
    }

    /// Checks an inline image, and returns whether it is painted transparently.
    pub(super) fn inline_image(
        &self,
        dict: &Dict,
        resources: &Resources,
        state: &State,
        depth: usize,
    ) -> bool {
        filters::check_inline(dict, self.part_1, &mut |rule, detail| self.broken(rule, detail));
        let value = |short: &str, long: &str| match self.get(dict, short) {
            Object::Null => self.get(dict, long),
            found => found,
        };
        let mask = value("IM", "ImageMask").as_bool() == Some(true);
        let mut transparent = false;
        if mask {
            transparent = self.stencil(resources, state, depth);
        } else if state.coloured
            && let Some(space) = self.inline_space(&value("CS", "ColorSpace"), resources)
        {
            self.check_space(&space, Overprint::default());
        }
        if value("I", "Interpolate").as_bool() == Some(true) {
            let rule = self.rule(("6.2.4", 3), ("6.2.8", 3));
            self.fail(rule, None, || "an inline image is interpolated".to_owned());
        }
        if let Object::Name(intent) = self.get(dict, "Intent") {
            self.check_intent(&intent, None);
        }
        self.bits_in(&value("BPC", "BitsPerComponent"), None, mask);
        transparent
    }

    fn inline_space(&self, object: &Object, resources: &Resources) -> Option<Rc<Space>> {
        let device = match object.as_name().map(cos::Name::as_bytes) {
            Some(b"G") => Device::Gray,
            Some(b"RGB") => Device::Rgb,
            Some(b"CMYK") => Device::Cmyk,
            _ => return self.inline_indexed(object, resources),
        };
        Some(self.device_space(device, resources))
    }

    fn inline_indexed(&self, object: &Object, resources: &Resources) -> Option<Rc<Space>> {
        if let Object::Array(array) = object
            && array.first().is_some_and(|first| first.is_name("I") || first.is_name("Indexed"))
            && let Some(base @ Object::Name(_)) = array.get(1)
        {
            return self.inline_space(base, resources);
        }
        self.space(object, resources)
    }

    /// 6.2.4-1 to -3, 6.2.8-1 to -3: no `/Alternates`, `/OPI` or interpolation. Also checks the
    /// rendering intent.
    fn image_keys(&self, dict: &Dict, id: Option<Ref>) {
        if dict.contains("Alternates") {
            let rule = self.rule(("6.2.4", 1), ("6.2.8", 1));
            self.fail(rule, id, || "an image has Alternates".to_owned());
        }
        if dict.contains("OPI") {
            let rule = self.rule(("6.2.4", 2), ("6.2.8", 2));
            self.fail(rule, id, || "an image has OPI".to_owned());
        }
        if self.get(dict, "Interpolate").as_bool() == Some(true) {
            let rule = self.rule(("6.2.4", 3), ("6.2.8", 3));
            self.fail(rule, id, || "an image is interpolated".to_owned());
        }
        if let Object::Name(intent) = self.get(dict, "Intent") {
            self.check_intent(&intent, id);
        }
    }

    /// 6.4-2 (part 1): no XObject has a soft mask.
    pub(super) fn no_soft_mask(&self, dict: &Dict, id: Option<Ref>) {
        if self.part_1 && dict.contains("SMask") {
            self.fail(("6.4", 2), id, || "an XObject has SMask".to_owned());
        }
    }

    fn bits_fit(&self, dict: &Dict, id: Option<Ref>, mask: bool) {
        self.bits_in(&self.get(dict, "BitsPerComponent"), id, mask);
    }

    /// 6.2.4-4 and -5, 6.2.8-4 and -5: the bits per component are permitted by PDF; a mask has 1.
    fn bits_in(&self, bits: &Object, id: Option<Ref>, mask: bool) {
        let Object::Integer(bits) = *bits else { return };
        let known = matches!(bits, 1 | 2 | 4 | 8) || bits == 16 && !self.part_1;
        if !known {
            let rule = self.rule(("6.2.4", 4), ("6.2.8", 4));
            self.fail(rule, id, || format!("an image of {bits} bits per component"));
        }
        if mask && bits != 1 {
            let rule = self.rule(("6.2.4", 5), ("6.2.8", 5));
            self.fail(rule, id, || format!("an image mask of {bits} bits per component"));
        }
    }

    fn jpeg_2000_header(&self, stream: &Stream) -> Option<Header> {
        if !self.has(stream.dict(), "Filter") {
            return None;
        }
        let last = match self.get(stream.dict(), "Filter") {
            Object::Array(filters) => filters.last().map(|filter| self.resolve(filter)),
            filter => Some(filter),
        };
        if !last?.is_name("JPXDecode") {
            return None;
        }
        let decoded = self.host.decode(stream)?;
        (decoded.codec == Some(Codec::Jpx)).then(|| Header::parse(&decoded.data))
    }

    /// 6.2.8.3-1 to -5 (part 2): channels, colour specifications and depth of JPEG 2000 data.
    ///
    /// Without `/ColorSpace`, the data's own colour space is checked if the image is `painted`.
    fn jpeg_2000(&self, stream: &Stream, painted: bool) {
        if self.part_1 {
            return;
        }
        let Some(header) = self.jpeg_2000_header(stream) else { return };
        let id = Some(stream.id());
        if !matches!(header.channels, 1 | 3 | 4) {
            self.fail(("6.2.8.3", 1), id, || {
                format!("JPEG 2000 data of {} channels", header.channels)
            });
        }
        if header.bits_differ || !(1..=38).contains(&header.bits) {
            self.fail(("6.2.8.3", 5), id, || {
                "JPEG 2000 data whose channels are not of one depth from 1 to 38".to_owned()
            });
        }
        if self.has(stream.dict(), "ColorSpace") {
            return;
        }
        if painted && header.colour().and_then(|colour| colour.enumerated) == Some(CMYK) {
            let space = self.plain_device_space(Device::Cmyk);
            self.check_space(&space, Overprint::default());
        }
        if header.colours.len() != 1 && header.best() != 1 {
            self.fail(("6.2.8.3", 2), id, || {
                format!("{} best colour specifications in JPEG 2000 data", header.best())
            });
        }
        let colour = header.colour();
        if !colour.is_some_and(|colour| (1..=3).contains(&colour.method)) {
            self.fail(("6.2.8.3", 3), id, || {
                "a colour specification of JPEG 2000 data of an unknown method".to_owned()
            });
        }
        if colour.and_then(|colour| colour.enumerated) == Some(CIE_JAB) {
            self.fail(("6.2.8.3", 4), id, || "JPEG 2000 data in CIEJab".to_owned());
        }
    }
}
