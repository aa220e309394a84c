//! Runs content streams in the order of drawing (ISO 32000-1, 7.8.2), without drawing.

use super::{
    Graphics,
    colour::{Device, Space},
    resources::Resources,
    state::{Paint, State},
};
use crate::{file_structure::values, tagging};
use cos::{Array, Dict, Name, Object, content::Operations};
use std::{collections::HashMap, rc::Rc};

/// Maximum nesting depth of forms, patterns and glyphs.
const NESTING: usize = 24;
/// Maximum nesting depth of `q`.
const STATES: usize = 28;

/// Operators that no rule depends on.
const SILENT: [&[u8]; 37] = [
    b"b", b"B", b"b*", b"B*", b"f", b"F", b"f*", b"s", b"S", b"n", b"w", b"J", b"j", b"M", b"d",
    b"i", b"cm", b"m", b"l", b"c", b"v", b"y", b"h", b"re", b"W", b"W*", b"BT", b"ET", b"Tc",
    b"Tw", b"Tz", b"TL", b"Ts", b"Td", b"TD", b"Tm", b"T*",
];

/// A content stream that is being run.
pub(super) struct Content<'g, 'a> {
    pub(super) graphics: &'g Graphics<'a>,
    pub(super) resources: Resources,
    /// Cache of resources.
    found: HashMap<(&'static str, Name), Option<Object>>,
    pub(super) state: State,
    states: Vec<State>,
    /// Open marked-content sequences: whether each has replacement text.
    pub(super) marked: Vec<bool>,
    /// `/StructParents` of the object that has the content.
    pub(super) structure: Option<i64>,
    pub(super) transparent: bool,
    pub(super) depth: usize,
}

impl Graphics<'_> {
    /// Checks an operand against the limits of values.
    fn operand(&self, operand: &Object) {
        values::check(operand, self.part_1, &mut |rule, detail| self.broken(rule, detail));
    }

    /// Runs `data`, and returns whether something in it is painted transparently.
    pub(super) fn run(
        &self,
        data: &[u8],
        resources: Resources,
        state: State,
        structure: Option<i64>,
        depth: usize,
    ) -> bool {
        if depth > NESTING {
            return false;
        }
        let mut content = Content {
            graphics: self,
            resources,
            found: HashMap::new(),
            state,
            states: Vec::new(),
            marked: Vec::new(),
            structure,
            transparent: false,
            depth,
        };
        let mut operations = Operations::new(data, &self.limits);
        loop {
            match operations.next() {
                Ok(Some(operator)) => {
                    if !self.spend() {
                        break;
                    }
                    for operand in operations.operands() {
                        self.operand(operand);
                    }
                    if operator.name == b"EI" {
                        if let Some(image) = operations.inline_image_of_last() {
                            content.inline(&image.dict, image.data);
                        }
                    } else {
                        content.operator(operator.name, operations.operands());
                    }
                }
                Err(error @ cos::Error::Limit(_)) => {
                    self.host.over(error);
                    break;
                }
                Ok(None) | Err(_) => break,
            }
        }
        content.transparent
    }
}

impl Content<'_, '_> {
    fn operator(&mut self, name: &[u8], operands: &[Object]) {
        match name {
            b"q" => self.save(),
            b"Q" => {
                if let Some(state) = self.states.pop() {
                    self.state = state;
                }
            }
            b"gs" => self.extended_state(operands),
            b"ri" => self.intent(operands),
            b"g" | b"rg" | b"k" | b"G" | b"RG" | b"K" => self.device_colour(name),
            b"cs" | b"CS" => self.colour_space(name == b"CS", operands),
            b"sc" | b"SC" | b"scn" | b"SCN" => {
                self.colour(matches!(name, b"SC" | b"SCN"), operands);
            }
            b"sh" => self.shading(operands),
            b"Do" => self.x_object(operands),
            b"Tf" => self.set_font(operands),
            b"Tr" => {
                self.state.text_mode = operands.first().and_then(Object::as_i64).unwrap_or(0);
            }
            b"Tj" | b"'" | b"\"" | b"TJ" => self.show(operands),
            b"BMC" => self.marked.push(false),
            b"BDC" => self.begin_marked(operands),
            b"EMC" => {
                self.marked.pop();
            }
            b"d1" => self.state.coloured = false,
            b"DP" => {
                self.property_list(operands);
            }
            b"d0" | b"MP" | b"BX" | b"EX" => {}
            _ if SILENT.contains(&name) => self.paint(name),
            _ => self.unknown(name),
        }
    }

    /// 6.2.10-1, 6.2.2-1: operators are defined in PDF, also between BX and EX.
    fn unknown(&self, name: &[u8]) {
        let rule = self.graphics.rule(("6.2.10", 1), ("6.2.2", 1));
        self.graphics.fail(rule, None, || {
            format!("an unknown operator {}", name[..name.len().min(40)].escape_ascii())
        });
    }

    /// 6.1.12-8, 6.1.13-8: `q` is nested at most 28 times.
    fn save(&mut self) {
        if self.states.len() >= STATES {
            let rule = self.graphics.rule(("6.1.12", 8), ("6.1.13", 8));
            self.graphics.fail(rule, None, || format!("q is nested more than {STATES} times"));
        }
        // More states are not stored, to limit the memory.
        if self.states.len() < 1_000 {
            self.states.push(self.state.clone());
        }
    }

    fn extended_state(&mut self, operands: &[Object]) {
        if let Some(state) = self.resource("ExtGState", operands.last()) {
            self.graphics.apply_state(&state, &mut self.state);
        }
    }

    fn intent(&self, operands: &[Object]) {
        if let Some(intent) = operands.last().and_then(Object::as_name)
            && self.state.coloured
        {
            self.graphics.check_intent(intent, None);
        }
    }

    /// The resource with the name in an operand, unresolved.
    fn resource(&mut self, category: &'static str, operand: Option<&Object>) -> Option<Object> {
        let name = operand?.as_name()?;
        if let Some(found) = self.found.get(&(category, name.clone())) {
            return found.clone();
        }
        let found = self.resources.find(self.graphics, category, name.as_str()?);
        let found = found.map(|(_, object)| object);
        if found.is_none() {
            self.graphics.undefined(category, name);
        }
        self.found.insert((category, name.clone()), found.clone());
        found
    }

    fn device_colour(&mut self, name: &[u8]) {
        let device = match name {
            b"g" | b"G" => Device::Gray,
            b"rg" | b"RG" => Device::Rgb,
            _ => Device::Cmyk,
        };
        let space = self.graphics.device_space(device, &self.resources);
        self.set_space(name[0].is_ascii_uppercase(), Some(space));
    }

    fn colour_space(&mut self, stroke: bool, operands: &[Object]) {
        let Some(name @ Object::Name(_)) = operands.last() else { return };
        self.defined_space(name);
        let space = self.graphics.space(name, &self.resources);
        self.set_space(stroke, space);
    }

    /// Looks up the colour space with the name in `operand`, unless the name itself is a colour
    /// space (ISO 32000-2, 8.6.8).
    fn defined_space(&mut self, operand: &Object) {
        let is_space =
            |name: &Name| Device::named(name.as_bytes()).is_some() || *name == *"Pattern";
        if self.graphics.is_part_4() && !operand.as_name().is_some_and(is_space) {
            self.resource("ColorSpace", Some(operand));
        }
    }

    /// Sets a colour space, and checks it even if nothing is painted with it. Without a colour
    /// space, the previous one stays.
    fn set_space(&mut self, stroke: bool, space: Option<Rc<Space>>) {
        let Some(space) = space.filter(|_| self.state.coloured) else { return };
        self.graphics.check_space(&space, super::colour_rules::Overprint::default());
        let paint = Paint::Space(space);
        if stroke {
            self.state.stroke = paint;
            self.state.stroke_base = None;
        } else {
            self.state.fill = paint;
            self.state.fill_base = None;
        }
    }

    fn colour(&mut self, stroke: bool, operands: &[Object]) {
        let (paint, base) = if stroke {
            (&self.state.stroke, &self.state.stroke_base)
        } else {
            (&self.state.fill, &self.state.fill_base)
        };
        let Some(Object::Name(_)) = operands.last() else { return };
        if !self.state.coloured {
            return;
        }
        let base = match paint {
            Paint::Space(space) => match &**space {
                Space::Pattern(base) => base.clone(),
                _ => return,
            },
            _ => base.clone(),
        };
        let paint = self.pattern(operands);
        if stroke {
            (self.state.stroke, self.state.stroke_base) = (paint, base);
        } else {
            (self.state.fill, self.state.fill_base) = (paint, base);
        }
    }

    fn pattern(&mut self, operands: &[Object]) -> Paint {
        let Some(object) = self.resource("Pattern", operands.last()) else { return Paint::Nothing };
        match self.graphics.resolve(&object) {
            Object::Stream(stream) => Paint::Tiling(stream),
            Object::Dict(dict) => {
                let shading = dict.get("Shading").cloned().unwrap_or_default();
                Paint::Shading(self.graphics.shading_space(&shading, &self.resources))
            }
            _ => Paint::Nothing,
        }
    }

    fn shading(&mut self, operands: &[Object]) {
        if !self.state.coloured {
            return;
        }
        self.transparent |= self.paints_transparently(true, false);
        if let Some(shading) = self.resource("Shading", operands.last())
            && let Some(space) = self.graphics.shading_space(&shading, &self.resources)
        {
            self.graphics.check_space(&space, super::colour_rules::Overprint::default());
        }
    }

    fn paint(&mut self, name: &[u8]) {
        let (fill, stroke) = match name {
            b"f" | b"F" | b"f*" => (true, false),
            b"s" | b"S" => (false, true),
            b"b" | b"B" | b"b*" | b"B*" => (true, true),
            _ => return,
        };
        self.use_paint(fill, stroke);
    }

    /// Checks the colours of the fill and of the stroke.
    pub(super) fn use_paint(&mut self, fill: bool, stroke: bool) {
        self.transparent |= self.paints_transparently(fill, stroke);
        if fill {
            let paint = self.state.fill.clone();
            self.graphics.check_paint(&paint, self.state.fill_overprint());
            self.transparent |= self.tiling(&paint);
        }
        if stroke {
            let paint = self.state.stroke.clone();
            self.graphics.check_paint(&paint, self.state.stroke_overprint());
            self.transparent |= self.tiling(&paint);
        }
    }

    /// Whether the current fill or stroke is transparent.
    pub(super) fn paints_transparently(&self, fill: bool, stroke: bool) -> bool {
        let now = &self.state.transparency;
        now.soft_mask
            || now.blend
            || fill && now.fill_alpha < 1.0
            || stroke && now.stroke_alpha < 1.0
    }

    fn tiling(&self, paint: &Paint) -> bool {
        match paint {
            Paint::Tiling(stream) => {
                self.graphics.tiling_pattern(stream, &self.resources, &self.state, self.depth + 1)
            }
            _ => false,
        }
    }

    fn inline(&mut self, dict: &Dict, data: &[u8]) {
        self.graphics.inline_length(dict, data);
        for key in ["CS", "ColorSpace"] {
            if let Some(space @ Object::Name(name)) = dict.get(key)
                && !matches!(name.as_bytes(), b"G" | b"RGB" | b"CMYK" | b"I" | b"Indexed")
            {
                self.defined_space(space);
            }
        }
        self.transparent |= self.paints_transparently(true, false);
        let (resources, state) = (&self.resources, &self.state);
        self.transparent |= self.graphics.inline_image(dict, resources, state, self.depth + 1);
    }

    fn x_object(&mut self, operands: &[Object]) {
        self.transparent |= self.paints_transparently(true, false);
        if let Some(object) = self.resource("XObject", operands.last()) {
            let depth = self.depth + 1;
            let (resources, state) = (&self.resources, &self.state);
            self.transparent |= self.graphics.x_object(&object, resources, state, depth);
        }
    }

    fn set_font(&mut self, operands: &[Object]) {
        let font = self.resource("Font", operands.first());
        self.state.font = font.and_then(|object| self.graphics.font(&object));
    }

    /// The property list of marked content; checks its language.
    fn property_list(&mut self, operands: &[Object]) -> Option<Dict> {
        let list = match operands.last() {
            Some(Object::Dict(list)) => Some(list.clone()),
            Some(Object::Name(_)) => self
                .resource("Properties", operands.last())
                .and_then(|object| self.graphics.resolve(&object).as_dict().cloned()),
            _ => None,
        };
        if let Some(list) = list.as_ref().filter(|_| self.graphics.is_part_4()) {
            self.graphics.no_private_text(list);
        }
        if let Some(list) = list.as_ref().filter(|_| self.graphics.needs_structure) {
            tagging::check_property_list(list, self.graphics.part_1, |rule, text| {
                self.graphics.broken(rule, &format_args!("{text:?} is not a language tag"));
            });
        }
        list
    }

    fn begin_marked(&mut self, operands: &[Object]) {
        let dict = self.property_list(operands);
        let replaced = dict.is_some_and(|dict| {
            self.graphics.needs_structure && self.graphics.is_replaced(&dict, self.structure)
        });
        if self.marked.len() < 1_000 {
            self.marked.push(replaced);
        }
    }

    /// Shows the strings in the operands of a text-showing operator.
    fn show(&mut self, operands: &[Object]) {
        let mut strings = Vec::new();
        match operands.last() {
            Some(Object::String(string)) => strings.push(string.clone()),
            Some(Object::Array(parts)) => strings.extend(strings_of(parts)),
            _ => {}
        }
        self.show_text(&strings);
    }
}

fn strings_of(parts: &Array) -> impl Iterator<Item = cos::Str> + '_ {
    parts.iter().filter_map(|part| part.as_string().cloned())
}
