//! Fonts, CMaps, functions, colour spaces, shadings and metadata.

use crate::build::{Pdf, each, flate, noise, show, stream, twice_deflated};
use crate::deflate::{bomb, mebibyte};

/// A composite font as object 6 with a CMap as object 9, and a text in this font.
fn composite(entries: &str, to_unicode: &[u8]) -> Vec<u8> {
    Pdf::new()
        .resources("/Font << /F1 6 0 R >>")
        .contents("BT /F1 12 Tf <00410042> Tj ET")
        .with(
            "<< /Type /Font /Subtype /Type0 /BaseFont /Odd /Encoding /Identity-H \
             /DescendantFonts [7 0 R] /ToUnicode 9 0 R >>",
        )
        .with(format!(
            "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Odd /CIDSystemInfo \
             << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor 8 0 R \
             {entries} >>"
        ))
        .with("<< /Type /FontDescriptor /FontName /Odd /Flags 4 >>")
        .with(flate("", to_unicode))
        .finish()
}

fn cmap(body: &str) -> Vec<u8> {
    format!(
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def\n\
         1 begincodespacerange <0000> <ffff> endcodespacerange\n{body}\nendcmap end end"
    )
    .into_bytes()
}

/// A simple font as object 6 with a font file as object 8.
fn embedded(kind: &str, key: &str, file: &[u8]) -> Vec<u8> {
    Pdf::new()
        .resources("/Font << /F1 6 0 R >>")
        .with(format!(
            "<< /Type /Font /Subtype /{kind} /BaseFont /Odd /FirstChar 0 /LastChar 255 \
             /Widths [] /FontDescriptor 7 0 R >>"
        ))
        .with(format!("<< /Type /FontDescriptor /FontName /Odd /Flags 4 /{key} 8 0 R >>"))
        .with(flate(&format!("/Length1 {}", file.len()), file))
        .finish()
}

/// The table directory of a TrueType font, with these tags, offsets and lengths.
fn tables(places: &[(&[u8; 4], u32, u32)]) -> Vec<u8> {
    let count = u16::try_from(places.len()).unwrap_or_default();
    let mut file = vec![0, 1, 0, 0];
    file.extend_from_slice(&count.to_be_bytes());
    file.extend_from_slice(&[0; 6]);
    for (tag, offset, length) in places {
        file.extend_from_slice(*tag);
        file.extend_from_slice(&[0; 4]);
        file.extend_from_slice(&offset.to_be_bytes());
        file.extend_from_slice(&length.to_be_bytes());
    }
    file.extend_from_slice(&[0xff; 512]);
    file
}

/// A shading as the page's fill.
fn shading(object: &str) -> Vec<u8> {
    Pdf::new().resources("/Shading << /S 6 0 R >>").contents("/S sh").with(object).finish()
}

/// A colour space as object 6, set by the page's contents.
fn colour(object: &str) -> Vec<u8> {
    Pdf::new()
        .resources("/ColorSpace << /C 6 0 R >>")
        .contents("/C cs 0 sc 0 0 9 9 re f")
        .with(object)
        .finish()
}

fn metadata(xml: &str) -> Vec<u8> {
    let object = stream("/Type /Metadata /Subtype /XML", xml.as_bytes());
    Pdf::new().catalog("/Metadata 6 0 R").with(object).finish()
}

crate::cases! {
    /// A ToUnicode CMap with one range of 4,294,967,296 codes.
    fn cmap_range() {
        composite("", &cmap("1 beginbfrange <00000000> <ffffffff> <0041> endbfrange"))
    }

    /// A ToUnicode CMap of 65,536 ranges that each cover all codes.
    fn cmap_ranges() {
        let ranges = "<0000> <ffff> <0041>\n".repeat(65_536);
        composite("", &cmap(&format!("65536 beginbfrange\n{ranges}endbfrange")))
    }

    /// A ToUnicode CMap that maps one code to a megabyte of text.
    fn cmap_long() {
        composite("", &cmap(&format!("1 beginbfchar <0041> <{}> endbfchar", "0041".repeat(1 << 18))))
    }

    /// A ToUnicode CMap that is 2 GiB of ranges.
    fn cmap_bomb() {
        let unit = b"<0000> <ffff> <0041>\n".repeat(50_000);
        let data = bomb(b"1 beginbfrange\n", &unit, 2_000, b"endbfrange");
        Pdf::new()
            .resources("/Font << /F1 6 0 R >>")
            .with("<< /Type /Font /Subtype /Type1 /BaseFont /Odd /ToUnicode 7 0 R >>")
            .with(twice_deflated("", &data))
            .finish()
    }

    /// A CMap that uses itself.
    fn cmap_loop() {
        Pdf::new()
            .resources("/Font << /F1 6 0 R >>")
            .with("<< /Type /Font /Subtype /Type0 /BaseFont /Odd /Encoding 7 0 R \
                   /DescendantFonts [6 0 R] /ToUnicode 7 0 R >>")
            .with(stream("/Type /CMap /CMapName /X /UseCMap 7 0 R", &cmap("/X usecmap")))
            .finish()
    }

    /// Widths of a composite font for 2,000,000,000 characters.
    fn widths_giant_range() {
        composite("/W [0 2000000000 500 -9 9 9 0 [1 2 3] 5] /DW 1e30 /W2 [0 2000000000 1 2 3]",
            &cmap(""))
    }

    /// A simple font with characters from -2,147,483,648 to 2,147,483,647 and no widths.
    fn widths_missing() {
        Pdf::new()
            .resources("/Font << /F1 6 0 R >>")
            .with("<< /Type /Font /Subtype /TrueType /BaseFont /Odd /FirstChar -2147483648 \
                   /LastChar 2147483647 /Widths 6 0 R >>")
            .finish()
    }

    /// An encoding with differences at code 4,294,967,295 and half a million names.
    fn differences() {
        let names = "/A".repeat(500_000);
        Pdf::new()
            .resources("/Font << /F1 6 0 R >>")
            .with(format!("<< /Type /Font /Subtype /Type1 /BaseFont /Odd /Encoding \
                           << /Differences [4294967295 /B -5 /C {names}] >> >>"))
            .finish_packed()
    }

    /// A thousand fonts, each with a glyph at the last signed 64-bit code, so that the next code
    /// overflows.
    fn differences_last() {
        let font = "<< /Type /Font /Subtype /Type1 /BaseFont /Odd /Encoding \
                    << /Differences [9223372036854775807 /a] >> >>";
        let fonts = each(0..1_000, |at| format!("/F{at} {font} "));
        let selected = each(0..1_000, |at| format!("/F{at} 12 Tf "));
        Pdf::new()
            .resources(&format!("/Font << {fonts} >>"))
            .contents(format!("BT {selected} 10 700 Td (text) Tj ET"))
            .finish()
    }

    /// A font that is its own descendant.
    fn descendant_loop() {
        Pdf::new()
            .resources("/Font << /F1 6 0 R >>")
            .with("<< /Type /Font /Subtype /Type0 /BaseFont /Odd /Encoding /Identity-H \
                   /DescendantFonts [6 0 R] >>")
            .finish()
    }

    /// A TrueType font whose tables are out of range, overlap, and are 4 GiB long.
    fn truetype_tables() {
        let file = tables(&[
            (b"cmap", 4_294_967_295, 4_294_967_295),
            (b"glyf", 0, 4_294_967_295),
            (b"head", 0, 54),
            (b"hhea", 12, 36),
            (b"hmtx", 12, 0),
            (b"loca", 12, 2_000_000_000),
            (b"maxp", 12, 6),
        ]);
        embedded("TrueType", "FontFile2", &file)
    }

    /// A TrueType font of random bytes after a valid magic number.
    fn truetype_noise() {
        embedded("TrueType", "FontFile2", &[&b"\0\x01\0\0"[..], &noise(20_000)].concat())
    }

    /// A CFF font of random bytes after a valid header.
    fn cff_noise() {
        embedded("Type1", "FontFile3", &[&b"\x01\0\x04\x04"[..], &noise(20_000)].concat())
    }

    /// A CFF font whose index declares 65,535 objects with offsets of 4 GiB.
    fn cff_index() {
        let file = [&b"\x01\0\x04\x04\xff\xff\x04"[..], &[0xff; 4_000]].concat();
        embedded("Type1", "FontFile3", &file)
    }

    /// A Type 1 font with 100,000 nested procedures.
    fn type1_nested() {
        let file = format!("%!PS-AdobeFont-1.0: Odd\n/Private {}", "{[<<".repeat(100_000));
        embedded("Type1", "FontFile", file.as_bytes())
    }

    /// A font file that inflates to 2 GiB.
    fn font_bomb() {
        Pdf::new()
            .resources("/Font << /F1 6 0 R >>")
            .with("<< /Type /Font /Subtype /TrueType /BaseFont /Odd /FontDescriptor 7 0 R >>")
            .with("<< /Type /FontDescriptor /FontName /Odd /Flags 4 /FontFile2 8 0 R >>")
            .with(twice_deflated("", &bomb(b"\0\x01\0\0", &mebibyte(0), 2_048, b"")))
            .finish()
    }

    /// A calculator function nested 100,000 deep.
    fn function_nested() {
        let code = format!("{}{}", "{ ".repeat(100_000), "} ".repeat(100_000));
        Pdf::new()
            .resources("/ColorSpace << /C [/Separation /A /DeviceGray 6 0 R] >>")
            .contents("/C cs 1 sc 0 0 9 9 re f")
            .with(flate("/FunctionType 4 /Domain [0 1] /Range [0 1]", code.as_bytes()))
            .finish()
    }

    /// A stitching function that contains itself.
    fn function_loop() {
        Pdf::new()
            .resources("/ColorSpace << /C [/Separation /A /DeviceGray 6 0 R] >>")
            .contents("/C cs 1 sc 0 0 9 9 re f")
            .with("<< /FunctionType 3 /Domain [0 1] /Functions [6 0 R 6 0 R] /Bounds [.5] \
                   /Encode [0 1 0 1] >>")
            .finish()
    }

    /// A sampled function of 2,000,000,000 samples in each of 32 dimensions.
    fn function_samples() {
        let entries = format!(
            "/FunctionType 0 /Domain [{}] /Range [0 1] /Size [{}] /BitsPerSample 32",
            "0 1 ".repeat(32),
            "2000000000 ".repeat(32)
        );
        Pdf::new()
            .resources("/ColorSpace << /C [/Separation /A /DeviceGray 6 0 R] >>")
            .contents("/C cs 1 sc 0 0 9 9 re f")
            .with(stream(&entries, b"abc"))
            .finish()
    }

    /// An axial shading whose function is a shading.
    fn shading_loop() {
        shading("<< /ShadingType 2 /ColorSpace 6 0 R /Coords [0 0 1e38 -1e38] /Function 6 0 R \
                 /Extend [true true] >>")
    }

    /// A mesh of triangles with 2,000,000,000 vertices per row.
    fn shading_mesh() {
        shading("<< /ShadingType 5 /ColorSpace /DeviceGray /VerticesPerRow 2000000000 \
                 /BitsPerCoordinate 32 /BitsPerComponent 16 /Decode [0 1 0 1 0 1] >>")
    }

    /// A colour space whose alternate is itself.
    fn colour_loop() { colour("[/Separation /A 6 0 R << /FunctionType 2 /Domain [0 1] /N 1 >>]") }

    /// An indexed colour space whose base is itself, with 2,000,000,000 colours.
    fn colour_indexed() { colour("[/Indexed 6 0 R 2000000000 <00>]") }

    /// A colour space of 100,000 colourants.
    fn colour_many() { colour(&format!("[/DeviceN [{}] /DeviceGray 5 0 R]", "/A ".repeat(100_000))) }

    /// An ICC profile whose alternate is itself and which has 2,000,000,000 components.
    fn colour_icc() {
        Pdf::new()
            .resources("/ColorSpace << /C [/ICCBased 6 0 R] >>")
            .contents("/C cs 0 sc 0 0 9 9 re f")
            .with(stream("/N 2000000000 /Alternate [/ICCBased 6 0 R]", &noise(200)))
            .finish()
    }

    /// Resources that are their own resources.
    fn resources_loop() {
        Pdf::new()
            .leaf("<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources 3 0 R /Font 3 0 R \
                   /XObject 3 0 R /F1 3 0 R >>")
            .contents(format!("{}/XObject Do", show("x")))
            .finish()
    }

    /// Entities in XMP that expand to 10^10 letters.
    fn xmp_entities() {
        let entities = each(1..10, |n| format!("<!ENTITY e{n} \"{}\">", format!("&e{};", n - 1).repeat(10)));
        metadata(&format!("<!DOCTYPE x [<!ENTITY e0 \"aaaaaaaaaa\">{entities}]><x>&e9;</x>"))
    }

    /// XMP that refers to a file of the machine.
    fn xmp_external() {
        metadata("<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><x>&e;</x>")
    }

    /// XMP nested 100,000 deep.
    fn xmp_nested() {
        metadata(&format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000)))
    }

    /// XMP of 100,000 attributes in one element.
    fn xmp_attributes() {
        let attributes = each(0..100_000, |n| format!(" a{n}=''"));
        metadata(&format!("<x{attributes}/>"))
    }

    /// Text that is not XML, in UTF-16 with an incomplete character.
    fn xmp_odd() { metadata("\u{0}<\u{0}x\u{0}:\u{0}") }
}
