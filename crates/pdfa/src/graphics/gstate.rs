//! Extended graphics states, halftones, rendering intents (ISO 19005-1, 6.2.8, 6.2.9, 6.4; ISO
//! 19005-2, 6.2.5, 6.2.6, 6.2.10; ISO 19005-4, 6.2.4.6, 6.2.5, 6.2.9).

use super::{
    Checked, Graphics, Identity, identity,
    state::{State, number},
};
use cos::{Dict, Name, Object, Ref};

/// Blend modes of ISO 32000-1, 11.3.5.
const BLEND_MODES: [&str; 17] = [
    "Normal",
    "Compatible",
    "Multiply",
    "Screen",
    "Overlay",
    "Darken",
    "Lighten",
    "ColorDodge",
    "ColorBurn",
    "HardLight",
    "SoftLight",
    "Difference",
    "Exclusion",
    "Hue",
    "Saturation",
    "Color",
    "Luminosity",
];
const INTENTS: [&str; 4] =
    ["RelativeColorimetric", "AbsoluteColorimetric", "Perceptual", "Saturation"];

impl Graphics<'_> {
    /// Sets the parameters of the ExtGState `object`, and checks it.
    pub(super) fn apply_state(&self, object: &Object, state: &mut State) {
        let Some(dict) = self.resolve(object).as_dict().cloned() else { return };
        let known = identity(object, &dict);
        if self.first(Checked::State(known)) {
            self.check_state(&dict, object.as_ref());
        }
        if let Some(on) = self.get(&dict, "OP").as_bool() {
            state.overprint_stroke = on;
            if !dict.contains("op") {
                state.overprint_fill = on;
            }
        }
        if let Some(on) = self.get(&dict, "op").as_bool() {
            state.overprint_fill = on;
        }
        if let Some(mode) = self.get(&dict, "OPM").as_i64() {
            state.overprint_mode = mode != 0;
        }
        if let Object::Array(font) = self.get(&dict, "Font")
            && let Some(font) = font.first()
        {
            state.font = self.font(font);
        }
        let transparency = &mut state.transparency;
        match self.get(&dict, "SMask") {
            Object::Null => {}
            mask => transparency.soft_mask = mask.as_dict().is_some(),
        }
        if let Some(blends) = self.blends(&dict) {
            transparency.blend = blends;
        }
        if let Some(alpha) = number(self, &dict, "ca") {
            transparency.fill_alpha = alpha;
        }
        if let Some(alpha) = number(self, &dict, "CA") {
            transparency.stroke_alpha = alpha;
        }
    }

    /// Whether the blend mode of a graphics state or an annotation is not Normal; `None` without a
    /// blend mode.
    fn blends(&self, dict: &Dict) -> Option<bool> {
        match self.get(dict, "BM") {
            Object::Null => None,
            Object::Name(mode) => Some(mode != "Normal"),
            Object::Array(modes) => Some(
                modes.len() != 1 || !modes.iter().all(|mode| self.resolve(mode).is_name("Normal")),
            ),
            _ => Some(true),
        }
    }

    /// Checks the blend mode of an annotation (ISO 32000-2, 12.5.2), and returns whether it makes
    /// the annotation transparent.
    pub(super) fn blend_mode_of_annotation(&self, annotation: &Dict, id: Option<Ref>) -> bool {
        self.known_blend_mode(annotation, id);
        self.blends(annotation).unwrap_or(false)
    }

    fn check_state(&self, dict: &Dict, id: Option<Ref>) {
        self.no_transfer_functions(dict, id);
        if let Object::Name(intent) = self.get(dict, "RI") {
            self.check_intent(&intent, id);
        }
        if self.part_1 {
            self.no_transparent_state(dict, id);
        } else {
            self.no_halftone_phase(dict, id);
            self.known_blend_mode(dict, id);
            if let Some(halftone) = dict.get("HT") {
                self.halftone(halftone, None, 0);
            }
        }
    }

    /// 6.2.8-1 and -2, 6.2.5-1 and -2: no `/TR`, and no `/TR2` except `/Default`.
    fn no_transfer_functions(&self, dict: &Dict, id: Option<Ref>) {
        if self.has(dict, "TR") {
            let rule = self.rule(("6.2.8", 1), ("6.2.5", 1));
            self.fail(rule, id, || "an ExtGState has TR".to_owned());
        }
        let function = self.get(dict, "TR2");
        if !function.is_null() && !function.is_name("Default") {
            let rule = self.rule(("6.2.8", 2), ("6.2.5", 2));
            self.fail(rule, id, || "an ExtGState has TR2 other than Default".to_owned());
        }
    }

    /// 6.4-1, -4, -5 and -6 (part 1): no soft mask, blend mode or constant alpha.
    fn no_transparent_state(&self, dict: &Dict, id: Option<Ref>) {
        let mask = self.get(dict, "SMask");
        if !mask.is_null() && !mask.is_name("None") {
            self.fail(("6.4", 1), id, || "an ExtGState has a soft mask".to_owned());
        }
        let blend = self.get(dict, "BM");
        if !blend.is_null() && !blend.is_name("Normal") && !blend.is_name("Compatible") {
            self.fail(("6.4", 4), id, || "an ExtGState has a blend mode".to_owned());
        }
        for (key, test) in [("CA", 5), ("ca", 6)] {
            let alpha = self.get(dict, key);
            if !alpha.is_null() && !alpha.as_f64().is_some_and(|a| (a - 1.0).abs() < 1e-6) {
                self.fail(("6.4", test), id, || format!("an ExtGState has {key} other than 1"));
            }
        }
    }

    /// 6.2.5-3: no `/HTP` (part 2), no `/HTO` (part 4).
    fn no_halftone_phase(&self, dict: &Dict, id: Option<Ref>) {
        let key = if self.is_part_4() { "HTO" } else { "HTP" };
        if dict.contains(key) {
            self.fail(("6.2.5", 3), id, || format!("an ExtGState has {key}"));
        }
    }

    /// 6.2.10-1 (part 2), 6.2.9-1 (part 4): the blend mode is defined in ISO 32000-1.
    fn known_blend_mode(&self, dict: &Dict, id: Option<Ref>) {
        let modes = match self.get(dict, "BM") {
            Object::Array(modes) => modes.iter().map(|mode| self.resolve(mode)).collect(),
            mode => vec![mode],
        };
        for mode in modes {
            if let Object::Name(mode) = mode
                && !BLEND_MODES.iter().any(|known| mode == *known)
            {
                self.fail(("6.2.10", 1), id, || format!("an unknown blend mode {mode}"));
            }
        }
    }

    /// 6.2.5-4 to -6 (part 2): halftones have type 1 or 5, no name, and a transfer function only if
    /// required.
    fn halftone(&self, object: &Object, colorant: Option<&Name>, depth: usize) {
        let resolved = self.resolve(object);
        let Some(dict) = resolved.as_dict() else { return };
        let known: Identity = identity(object, dict);
        if depth > 4 || colorant.is_none() && !self.first(Checked::Halftone(known)) {
            return;
        }
        let id = object.as_ref();
        let kind = self.get(dict, "HalftoneType").as_i64();
        if !matches!(kind, Some(1 | 5)) {
            self.fail(("6.2.5", 4), id, || "a halftone of a type other than 1 and 5".to_owned());
        }
        if self.has(dict, "HalftoneName") {
            self.fail(("6.2.5", 5), id, || "a halftone has a HalftoneName".to_owned());
        }
        let function = self.has(dict, "TransferFunction");
        let fits = match colorant.map(Name::as_bytes) {
            Some(b"Default") => true,
            None | Some(b"Cyan" | b"Magenta" | b"Yellow" | b"Black") => !function,
            Some(_) => function,
        };
        if !fits {
            self.fail(("6.2.5", 6), id, || "a wrong use of TransferFunction".to_owned());
        }
        if kind == Some(5) {
            for (name, value) in dict {
                if self.resolve(value).as_dict().is_some() {
                    self.halftone(value, Some(name), depth + 1);
                }
            }
        }
    }

    /// 6.2.9-1, 6.2.6-1, 6.2.4.6-1 (part 4): a rendering intent is one of the four standard ones.
    pub(super) fn check_intent(&self, intent: &Name, id: Option<Ref>) {
        if !INTENTS.iter().any(|known| *intent == *known) {
            let rule = self.rule(("6.2.9", 1), ("6.2.6", 1));
            self.fail(rule, id, || format!("an unknown rendering intent {intent}"));
        }
    }
}
