//! Output intents (ISO 19005-1, 6.2.2; ISO 19005-2, 6.2.3).

use super::Graphics;
use cos::{Dict, Object, Ref, Stream};

impl Graphics<'_> {
    /// Checks the catalog's output intents, and takes the destination colour space from them.
    pub(super) fn output_intents(&mut self, root: &Dict) {
        let Object::Array(intents) = self.get(root, "OutputIntents") else { return };
        let mut profiles: Vec<Option<Ref>> = Vec::new();
        let mut destination = None;
        for object in &intents {
            let Object::Dict(intent) = self.resolve(object) else { continue };
            self.no_referenced_profile(&intent, object.as_ref());
            let Some(value) = intent.get("DestOutputProfile") else { continue };
            let Object::Stream(stream) = self.resolve(value) else { continue };
            profiles.push(value.as_ref());
            self.output_profile(&stream);
            if self.get(&intent, "S").is_name("GTS_PDFA1") && destination.is_none() {
                destination = Some(self.profile(&stream).space);
            }
        }
        self.same_profile(&profiles);
        self.destination = destination.flatten();
    }

    /// 6.2.2-1, 6.2.3-1: the profile is for an output device, of a version of its time; and
    /// 6.2.3.2-2: its `/N` is right.
    fn output_profile(&self, stream: &Stream) {
        let profile = self.profile(stream);
        let version = if self.part_1 { 3 } else { 5 };
        if !profile.fits_output(version) {
            let rule = self.rule(("6.2.2", 1), ("6.2.3", 1));
            self.fail(rule, Some(stream.id()), || profile.describe());
        }
        if self.part_1 && !profile.components_fit() {
            self.fail(("6.2.3.2", 2), Some(stream.id()), || profile.describe());
        }
    }

    /// 6.2.2-2, 6.2.3-2: all output intents have the same profile, as the same object.
    fn same_profile(&self, profiles: &[Option<Ref>]) {
        if profiles.windows(2).any(|pair| pair[0] != pair[1]) {
            let rule = self.rule(("6.2.2", 2), ("6.2.3", 2));
            self.fail(rule, None, || {
                "output intents have different destination profiles".to_owned()
            });
        }
    }

    /// 6.2.3-3 (part 2): a PDF/X output intent refers to no external profile.
    fn no_referenced_profile(&self, intent: &Dict, id: Option<Ref>) {
        if !self.part_1
            && self.get(intent, "S").is_name("GTS_PDFX")
            && intent.contains("DestOutputProfileRef")
        {
            self.fail(("6.2.3", 3), id, || {
                "a PDF/X output intent has DestOutputProfileRef".to_owned()
            });
        }
    }
}
