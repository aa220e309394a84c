//! Pages: their content, the appearances of their annotations, and their blending space.

use super::{Graphics, resources::Resources, state::State, surroundings::Surroundings};
use cos::{Dict, Error, Limit, Object, Page, Stream};

impl Graphics<'_> {
    /// Runs a page's content and the appearances of its annotations, with the page's own output
    /// intent if it has one (part 4).
    pub(super) fn page(&self, page: &Page) {
        let of_document = self.surroundings.get();
        if self.is_part_4()
            && let Some(output) = self.output_intents(&page.dict)
        {
            self.surroundings.set(Surroundings { output: Some(output), ..of_document });
        }
        self.page_drawn(page);
        self.surroundings.set(of_document);
    }

    fn page_drawn(&self, page: &Page) {
        let resources = Resources::of_page(self, page);
        let group = self.dict(&page.dict, "Group");
        let structure = self.get(&page.dict, "StructParents").as_i64();
        let mut blending = None;
        if let Some(group) = &group {
            self.group(group, page.id, &resources);
            blending = self.blending_of(group, &resources);
        }
        let transparent = self.blended(blending, || {
            let mut transparent = false;
            let content = self.page_content(&page.dict);
            if !content.is_empty() {
                let state = State::initial(self, &resources);
                transparent |= self.run(&content, resources.clone(), state, structure, 0);
            }
            if let Object::Array(annotations) = self.get(&page.dict, "Annots") {
                for annotation in &annotations {
                    transparent |= self.appearances(annotation, &resources);
                }
            }
            transparent
        });
        self.blending_space(page, group.as_ref(), transparent);
    }

    /// 6.2.10-2 (part 2), 6.2.9-2 (part 4): a page with transparency and without an output intent
    /// has a blending space.
    fn blending_space(&self, page: &Page, group: Option<&Dict>, transparent: bool) {
        let blends_in = group.is_some_and(|group| self.has(group, "CS"));
        let output = self.surroundings.get().output;
        if !self.part_1 && transparent && output.is_none() && !blends_in {
            self.fail(("6.2.10", 2), page.id, || {
                "a page with transparency has neither an output intent nor a blending space"
                    .to_owned()
            });
        }
    }

    /// The data of a page's streams, concatenated, up to the limit of one stream.
    fn page_content(&self, page: &Dict) -> Vec<u8> {
        let contents = self.get(page, "Contents");
        let parts = contents.as_array().map_or(std::slice::from_ref(&contents), |parts| parts);
        let mut content = Vec::new();
        for part in parts {
            if let Object::Stream(stream) = self.resolve(part)
                && let Some(data) = self.data(&stream)
            {
                if content.len() + data.len() > self.limits.stream_bytes {
                    self.host.over(Error::Limit(Limit::StreamBytes));
                    break;
                }
                content.extend_from_slice(&data);
                content.push(b'\n');
            }
        }
        content
    }

    fn appearances(&self, annotation: &Object, resources: &Resources) -> bool {
        let id = annotation.as_ref();
        let annotation = self.resolve(annotation);
        let Some(dict) = annotation.as_dict() else { return false };
        let blended = self.is_part_4() && self.blend_mode_of_annotation(dict, id);
        let Some(appearance) = self.dict(dict, "AP") else { return false };
        let mut transparent = blended;
        for key in ["N", "D", "R"] {
            match self.get(&appearance, key) {
                Object::Stream(form) => transparent |= self.appearance(&form, resources),
                Object::Dict(states) => {
                    for (_, value) in &states {
                        if let Object::Stream(form) = self.resolve(value) {
                            transparent |= self.appearance(&form, resources);
                        }
                    }
                }
                _ => {}
            }
        }
        transparent
    }

    fn appearance(&self, form: &Stream, resources: &Resources) -> bool {
        let own = resources.within(self, form.dict());
        let state = State::initial(self, &own);
        self.form(form, resources, &state, 1)
    }
}
