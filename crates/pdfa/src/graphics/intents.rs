//! Output intents (ISO 19005-1, 6.2.2; ISO 19005-2 and -4, 6.2.3).

use super::{Graphics, surroundings::Target};
use cos::{Dict, Object, Ref, Stream};

impl Graphics<'_> {
    /// Checks the output intents of the catalog, or (part 4) of a page. Returns the target of the
    /// first PDF/A output intent.
    pub(super) fn output_intents(&self, holder: &Dict) -> Option<Target> {
        let Object::Array(intents) = self.get(holder, "OutputIntents") else { return None };
        let mut profiles: Vec<Option<Ref>> = Vec::new();
        let mut count = 0;
        let mut destination = None;
        for object in &intents {
            let Object::Dict(intent) = self.resolve(object) else { continue };
            self.no_referenced_profile(&intent, object.as_ref());
            let of_pdfa = self.get(&intent, "S").is_name("GTS_PDFA1");
            count += usize::from(of_pdfa);
            let Some(value) = intent.get("DestOutputProfile") else { continue };
            let Object::Stream(stream) = self.resolve(value) else { continue };
            profiles.push(value.as_ref());
            self.output_profile(&stream);
            if of_pdfa && destination.is_none() {
                destination = Some(self.target(&stream));
            }
        }
        self.same_profile(&profiles);
        self.one_of_pdfa(count);
        destination.flatten()
    }

    /// 6.2.3-4 (part 4): at most one PDF/A output intent.
    fn one_of_pdfa(&self, count: usize) {
        if self.is_part_4() && count > 1 {
            self.fail_named(("6.2.3", 4), None, || format!("{count} output intents of PDF/A"));
        }
    }

    /// 6.2.2-1, 6.2.3-1: the profile is for an output device, and this part permits its version;
    /// 6.2.3.2-2: its `/N` is correct.
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

    /// 6.2.3-3: a PDF/X output intent (part 2) or any output intent (part 4) does not refer to an
    /// external profile.
    fn no_referenced_profile(&self, intent: &Dict, id: Option<Ref>) {
        if !self.part_1
            && (self.is_part_4() || self.get(intent, "S").is_name("GTS_PDFX"))
            && intent.contains("DestOutputProfileRef")
        {
            self.fail(("6.2.3", 3), id, || "an output intent has DestOutputProfileRef".to_owned());
        }
    }
}
