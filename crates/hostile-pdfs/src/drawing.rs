//! Content: forms, patterns, glyphs and operators.

use crate::build::{Pdf, each, flate, form, show, stream, twice_deflated};
use crate::deflate::{bomb, mebibyte};

/// A page that draws object 6.
fn draws(pdf: Pdf) -> Pdf {
    pdf.resources("/XObject << /X 6 0 R >>").contents("/X Do\n")
}

/// Contents of 2 GiB that repeat `unit`.
fn endless(unit: &[u8]) -> Vec<u8> {
    let unit = unit.repeat((1 << 20) / unit.len());
    let times = (2 << 30) / unit.len();
    Pdf::new()
        .contents_object(twice_deflated("", &bomb(b"BT /F1 12 Tf ", &unit, times, b" ET")))
        .finish()
}

/// A Type 3 font as object 6, whose glyph `a` draws `contents`.
fn type3(resources: &str, contents: &str) -> Pdf {
    Pdf::new()
        .resources("/Font << /F1 5 0 R /F3 6 0 R >>")
        .contents("BT /F3 12 Tf (aaaa) Tj ET")
        .with(format!(
            "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 9 9] /FontMatrix [.1 0 0 .1 0 0] \
             /CharProcs << /a 7 0 R >> /Encoding << /Differences [97 /a] >> /FirstChar 97 \
             /LastChar 97 /Widths [9] /Resources << {resources} >> >>"
        ))
        .with(stream("", contents.as_bytes()))
}

crate::cases! {
    /// 2 GiB of text operators in a few kilobytes.
    fn operators_text() { endless(b"(boom) Tj ") }

    /// 2 GiB of operators that push the graphics state and never pop it.
    fn operators_push() { endless(b"q ") }

    /// 2 GiB of operators that pop a graphics state that nothing pushed.
    fn operators_pop() { endless(b"Q ") }

    /// 2 GiB of one path that is never painted.
    fn operators_path() { endless(b"0 0 l ") }

    /// 2 GiB of operands without an operator.
    fn operands() { endless(b"1 ") }

    /// 2 GiB of marked content that opens and never closes.
    fn operators_marked() { endless(b"/A BMC ") }

    /// 2 GiB of clipping paths.
    fn operators_clip() { endless(b"0 0 9 9 re W n ") }

    /// Two million text operators, which is a long page but no bomb.
    fn operators_million() {
        let text = format!("BT /F1 12 Tf {} ET", "(a) Tj ".repeat(2_000_000));
        Pdf::new().contents_object(flate("", text.as_bytes())).finish()
    }

    /// A form that shows a line and draws itself.
    fn form_self() {
        let contents = format!("{}/X Do\n", show("form in a loop"));
        let object = form("/Font << /F1 5 0 R >> /XObject << /X 6 0 R >>", &contents);
        draws(Pdf::new()).with(object).finish()
    }

    /// Two forms that each draw the other twice.
    fn form_ring() {
        draws(Pdf::new())
            .with(form("/XObject << /X 7 0 R >>", "/X Do /X Do"))
            .with(form("/XObject << /X 6 0 R >>", "/X Do /X Do"))
            .finish()
    }

    /// Ten levels of forms that each draw the next ten times: 10^10 drawings in 3 KB.
    fn form_levels() {
        let mut pdf = draws(Pdf::new());
        for n in 7..16 {
            pdf = pdf.with(form(&format!("/XObject << /X {n} 0 R >>"), &"/X Do\n".repeat(10)));
        }
        pdf.with(form("/Font << /F1 5 0 R >>", &show("boom").repeat(10))).finish()
    }

    /// Ten levels of forms without resources of their own: the forms use the page's resources.
    fn form_levels_inherited() {
        let names = each(6..16, |n| format!("/X{n} {n} 0 R "));
        let mut pdf =
            Pdf::new().resources(&format!("/XObject << {names} >>")).contents("/X6 Do\n");
        let entries = "/Type /XObject /Subtype /Form /BBox [0 0 595 842]";
        for n in 7..16 {
            pdf = pdf.with(stream(entries, format!("/X{n} Do\n").repeat(10).as_bytes()));
        }
        pdf.with(stream(entries, show("boom").repeat(10).as_bytes())).finish()
    }

    /// A chain of 20,000 forms, each drawing the next.
    fn form_chain() {
        let mut pdf = draws(Pdf::new());
        for n in 7..20_006 {
            pdf = pdf.with(form(&format!("/XObject << /X {n} 0 R >>"), "/X Do"));
        }
        pdf.with(form("/Font << /F1 5 0 R >>", &show("the end"))).finish()
    }

    /// One form that is drawn a million times by the page.
    fn form_repeated() {
        Pdf::new()
            .resources("/XObject << /X 6 0 R >>")
            .contents_object(flate("", "/X Do\n".repeat(1_000_000).as_bytes()))
            .with(form("/Font << /F1 5 0 R >>", &show("again")))
            .finish()
    }

    /// A form with few operators that contains itself through its soft mask.
    fn soft_mask_loop() {
        let resources = "/XObject << /X 6 0 R >> /ExtGState << /G << /SMask << /S /Alpha \
                         /G 6 0 R >> >> >>";
        let object = stream(
            &format!(
                "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Group << /S /Transparency >> \
                 /Resources << {resources} >>"
            ),
            b"/G gs 0 0 9 9 re f",
        );
        draws(Pdf::new()).with(object).finish()
    }

    /// A glyph that shows itself.
    fn type3_self() { type3("/Font << /F3 6 0 R >>", "BT /F3 1 Tf (a) Tj ET").finish() }

    /// A glyph that draws a form that shows the glyph ten times.
    fn type3_form() {
        type3("/XObject << /X 8 0 R >>", &"/X Do ".repeat(10))
            .with(form("/Font << /F3 6 0 R >>", "BT /F3 1 Tf (aaaaaaaaaa) Tj ET"))
            .finish()
    }

    /// A glyph that never ends its text, and a font matrix of zeros.
    fn type3_odd() { type3("", "0 0 d0 BT BT q q q (").finish() }

    /// A tiling pattern that fills with itself.
    fn pattern_self() {
        let object = stream(
            "/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] /XStep 9 \
             /YStep 9 /Resources << /Pattern << /P 6 0 R >> >>",
            b"/Pattern cs /P scn 0 0 9 9 re f",
        );
        Pdf::new()
            .resources("/Pattern << /P 6 0 R >>")
            .contents("/Pattern cs /P scn 0 0 500 500 re f")
            .with(object)
            .finish()
    }

    /// A tiling pattern with steps of a millionth: 10^17 tiles on a page.
    fn pattern_steps() {
        let object = stream(
            "/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] \
             /XStep .000001 /YStep .000001 /Resources << >>",
            b"0 0 9 9 re f",
        );
        Pdf::new()
            .resources("/Pattern << /P 6 0 R >>")
            .contents("/Pattern cs /P scn 0 0 500 500 re f")
            .with(object)
            .finish()
    }

    /// An appearance of an annotation that draws itself.
    fn appearance_self() {
        Pdf::new()
            .page("/Annots [7 0 R]")
            .with(form("/XObject << /X 6 0 R >>", "/X Do /X Do"))
            .with("<< /Type /Annot /Subtype /Stamp /Rect [0 0 99 99] /AP << /N 6 0 R >> >>")
            .finish()
    }

    /// 20,000 annotations with the same appearance.
    fn annotations_many() {
        Pdf::new()
            .page(&format!("/Annots [{}]", "7 0 R ".repeat(20_000)))
            .with(form("/Font << /F1 5 0 R >>", &show("again")))
            .with("<< /Type /Annot /Subtype /Stamp /Rect [0 0 99 99] /AP << /N 6 0 R >> >>")
            .finish()
    }

    /// An inline image that never ends.
    fn inline_unended() { Pdf::new().contents("BI /W 9 /H 9 /BPC 8 /CS /G ID 123").finish() }

    /// An inline image that declares a size of 2 GiB.
    fn inline_giant() {
        Pdf::new()
            .contents("BI /W 2000000000 /H 2000000000 /BPC 8 /CS /G ID 123 EI BT (a) Tj ET")
            .finish()
    }

    /// 100,000 inline images that never end: the search for the end of each is quadratic.
    fn inline_many() {
        let text = "BI /W 9 ID x ".repeat(100_000);
        Pdf::new().contents_object(flate("", text.as_bytes())).finish()
    }

    /// A deflated inline image of 2 GiB.
    fn inline_bomb() {
        let data = bomb(b"", &mebibyte(0), 2_048, b"");
        let head = b"BI /W 9 /H 9 /BPC 8 /CS /G /F /Fl ID ";
        Pdf::new().contents([&head[..], &data, b" EI"].concat()).finish()
    }

    /// Operators with wrong operands, and words that are not operators.
    fn operators_odd() {
        Pdf::new()
            .contents(
                "Tj (a) (b) TJ [ ( Tf ET ET BT BT 1e99 1e99 1e99 1e99 1e99 1e99 cm nan inf Td \
                 /None gs /None Do /None sh EMC EI ID << /A ] >> BX xyzzy EX ' \" T* \u{0} ]]]",
            )
            .finish()
    }

    /// Numbers that make coordinates overflow, in one long text.
    fn coordinates() {
        Pdf::new()
            .contents(
                "1e38 0 0 1e38 1e38 1e38 cm BT /F1 1e38 Tf 1e38 Tz 1e38 TL 1e38 Tc 1e38 Tw \
                 0 0 0 0 0 0 Tm (zero) Tj 1e38 -1e38 Td (far) Tj T* [1e38 (a) -1e38 (b)] TJ ET",
            )
            .finish()
    }
}
