//! Form XObjects, tiling patterns and transparency groups (ISO 19005-1, 6.2.5 to 6.2.7, 6.4; ISO
//! 19005-2, 6.2.9; ISO 19005-4, 6.2.8).

use super::{
    Graphics,
    colour_rules::Overprint,
    resources::Resources,
    state::{Paint, State, Transparency},
};
use cos::{Dict, Object, Ref, Stream};

/// Maximum number of different graphics states in which one stream is drawn.
const INHERITANCES: usize = 64;

impl Graphics<'_> {
    /// Draws an XObject, and returns whether it is transparent.
    pub(super) fn x_object(
        &self,
        object: &Object,
        resources: &Resources,
        state: &State,
        depth: usize,
    ) -> bool {
        let Object::Stream(stream) = self.resolve(object) else { return false };
        match self.name(stream.dict(), "Subtype").as_ref().map(cos::Name::as_bytes) {
            Some(b"Image") => self.image(&stream, resources, state, depth),
            Some(b"PS") => {
                self.post_script(&stream);
                false
            }
            Some(b"Form") => self.form(&stream, resources, state, depth),
            _ => false,
        }
    }

    /// 6.2.7-1, 6.2.9-3 (parts 2 and 3): there is no PostScript XObject.
    fn post_script(&self, stream: &Stream) {
        let rule = self.rule(("6.2.7", 1), ("6.2.9", 3));
        self.fail(rule, Some(stream.id()), || "a PostScript XObject".to_owned());
        if self.part_1 && stream.dict().contains("OPI") {
            self.fail(("6.2.4", 2), Some(stream.id()), || "an XObject has OPI".to_owned());
        }
    }

    /// Draws a form, and returns whether it is transparent.
    pub(super) fn form(
        &self,
        stream: &Stream,
        resources: &Resources,
        state: &State,
        depth: usize,
    ) -> bool {
        let own = resources.within(self, stream.dict());
        let inherited = State { transparency: Transparency::default(), ..state.clone() };
        self.drawn_once(stream, &own, &inherited, |graphics| {
            graphics.check_form(stream);
            let group = graphics.dict(stream.dict(), "Group");
            let mut transparent = false;
            let mut blending = graphics.surroundings.get().blending;
            if let Some(group) = &group {
                graphics.group(group, Some(stream.id()), &own);
                transparent = graphics.get(group, "S").is_name("Transparency");
                blending = graphics.blending_of(group, &own);
            }
            let structure = graphics.get(stream.dict(), "StructParents").as_i64();
            let data = graphics.data(stream).unwrap_or_default();
            let run = || graphics.run(&data, own.clone(), inherited.clone(), structure, depth);
            transparent | graphics.blended(blending, run)
        })
    }

    /// Draws a stream, unless it is being drawn or was drawn with the same inherited state.
    pub(super) fn drawn_once(
        &self,
        stream: &Stream,
        resources: &Resources,
        state: &State,
        draw: impl FnOnce(&Self) -> bool,
    ) -> bool {
        let signature = (state.signature(resources), self.surroundings.get());
        if let Some(known) = self.drawn.borrow().get(&stream.id()) {
            if let Some(transparent) = known.get(&signature) {
                return *transparent;
            }
            if known.len() >= INHERITANCES {
                return known.values().any(|transparent| *transparent);
            }
        }
        if self.drawing.borrow().contains(&stream.id()) {
            return false;
        }
        self.drawing.borrow_mut().push(stream.id());
        let transparent = draw(self);
        self.drawing.borrow_mut().pop();
        let mut drawn = self.drawn.borrow_mut();
        drawn.entry(stream.id()).or_default().insert(signature, transparent);
        transparent
    }

    /// 6.2.5-1, 6.2.9-1: no PostScript and, in part 2, no OPI; 6.2.8.1-1 (part 4): no OPI; 6.2.6-1,
    /// 6.2.9-2, 6.2.8.2-1 (part 4): no reference XObject; 6.2.4-2 (part 1): no OPI.
    fn check_form(&self, stream: &Stream) {
        let (dict, id) = (stream.dict(), Some(stream.id()));
        let post_script =
            !self.is_part_4() && (self.get(dict, "Subtype2").is_name("PS") || dict.contains("PS"));
        let opi = dict.contains("OPI");
        if post_script || opi && !self.part_1 {
            let rule = self.rule(("6.2.5", 1), ("6.2.9", 1));
            self.fail(rule, id, || "a form has PS, Subtype2 PS or OPI".to_owned());
        }
        if opi && self.part_1 {
            self.fail(("6.2.4", 2), id, || "a form has OPI".to_owned());
        }
        if dict.contains("Ref") {
            let rule = self.rule(("6.2.6", 1), ("6.2.9", 2));
            self.fail(rule, id, || "a reference XObject".to_owned());
        }
        self.no_soft_mask(dict, id);
    }

    /// 6.4-3 (part 1): no transparency group. In other parts, checks its colour space.
    pub(super) fn group(&self, group: &Dict, id: Option<Ref>, resources: &Resources) {
        if self.part_1 && self.get(group, "S").is_name("Transparency") {
            self.fail(("6.4", 3), id, || "a transparency group".to_owned());
        }
        if let Some(object) = group.get("CS")
            && let Some(space) = self.space(object, resources)
        {
            self.check_space(&space, Overprint::default());
        }
    }

    /// Draws the cell of a tiling pattern, and returns whether it is transparent.
    pub(super) fn tiling_pattern(
        &self,
        stream: &Stream,
        resources: &Resources,
        state: &State,
        depth: usize,
    ) -> bool {
        let own = resources.within(self, stream.dict());
        let mut inner = State::initial(self, &own);
        if self.get(stream.dict(), "PaintType").as_i64() == Some(2) {
            inner.coloured = false;
            for (paint, base) in
                [(&mut inner.fill, &state.fill_base), (&mut inner.stroke, &state.stroke_base)]
            {
                let base = base.as_ref().or(state.fill_base.as_ref());
                *paint = base.map_or(Paint::Nothing, |base| Paint::Space(base.clone()));
            }
        }
        self.drawn_once(stream, &own, &inner, |graphics| {
            let data = graphics.data(stream).unwrap_or_default();
            graphics.run(&data, own.clone(), inner.clone(), None, depth)
        })
    }
}
