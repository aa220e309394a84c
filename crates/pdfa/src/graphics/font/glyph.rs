//! Rules for each glyph that is shown.

use super::{super::Graphics, Font, Kind, Shown, cmap::Code, encoding::NOTDEF};

/// The facts about a glyph; `None` if unknown.
#[derive(Default, Debug)]
pub(super) struct Glyph {
    /// Whether the font program has the glyph.
    pub(super) present: Option<bool>,
    /// Whether the code maps to `.notdef`.
    pub(super) undefined: bool,
    /// Its width in the font program, in thousandths of an em.
    pub(super) width: Option<f64>,
    /// Its width in the font dictionary, in thousandths of an em.
    pub(super) declared_width: Option<f64>,
}

impl Font {
    fn glyph(&self, graphics: &Graphics<'_>, code: Code) -> Glyph {
        let byte = u8::try_from(code.value).unwrap_or_default();
        match &self.kind {
            Kind::Simple(simple) => simple.glyph(byte),
            Kind::Type3(type_3) => type_3.glyph(graphics, byte),
            Kind::Composite(composite) => composite.glyph(code),
            Kind::Unknown => Glyph::default(),
        }
    }

    /// Checks the glyph of a code.
    pub(super) fn check_glyph(&self, graphics: &Graphics<'_>, code: Code, shown: Shown) {
        let glyph = self.glyph(graphics, code);
        if shown.rendered {
            self.glyph_present(graphics, code, &glyph);
            self.width_consistent(graphics, code, &glyph);
        }
        if !graphics.part_1 && glyph.undefined {
            self.no_undefined_glyph(graphics, code);
        }
        if graphics.is_part_4() {
            self.check_mapped(graphics, code);
        } else if graphics.needs_unicode {
            self.check_unicode(graphics, code, shown.replaced);
        }
    }

    /// 6.3.5-1, 6.2.11.4.1-2: the font program has all glyphs that are drawn.
    fn glyph_present(&self, graphics: &Graphics<'_>, code: Code, glyph: &Glyph) {
        if glyph.present == Some(false) {
            let rule = graphics.rule(("6.3.5", 1), ("6.2.11.4.1", 2));
            graphics.fail(rule, self.id, || {
                format!("the font program lacks the glyph of code {:#x}", code.value)
            });
        }
    }

    /// 6.3.6-1, 6.2.11.5-1: the widths in program and dictionary differ by at most a thousandth of
    /// an em.
    fn width_consistent(&self, graphics: &Graphics<'_>, code: Code, glyph: &Glyph) {
        if let (Some(width), Some(declared)) = (glyph.width, glyph.declared_width)
            && (width - declared).abs() > 1.0 + 1e-6
        {
            let rule = graphics.rule(("6.3.6", 1), ("6.2.11.5", 1));
            graphics.fail(rule, self.id, || {
                format!(
                    "the glyph of code {:#x} is {width} wide by the font program, {declared} by the \
                     dictionary",
                    code.value
                )
            });
        }
    }

    /// 6.2.11.8-1 (part 2), 6.2.10.9-1 (part 4): no text refers to `.notdef`, even if it is not
    /// drawn.
    fn no_undefined_glyph(&self, graphics: &Graphics<'_>, code: Code) {
        graphics.fail(("6.2.11.8", 1), self.id, || {
            format!("code {:#x} stands for {NOTDEF}", code.value)
        });
    }
}
