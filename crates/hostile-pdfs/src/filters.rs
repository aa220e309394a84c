//! Filters: bombs, chains, predictors and image codecs.

use crate::build::{Pdf, already_deflated, noise, show, stream, twice_deflated};
use crate::deflate::{bomb, deflate, mebibyte};

/// A line of text and 2 GiB of spaces, deflated.
fn two_gibibytes() -> Vec<u8> {
    bomb(show("before the bomb").as_bytes(), &mebibyte(b' '), 2_048, b"")
}

/// The contents with a filter chain.
fn filtered(filters: &str, data: &[u8]) -> Vec<u8> {
    let object = stream(&format!("/Filter {filters}"), data);
    Pdf::new().contents_object(object).finish()
}

/// An image on the page, as object 6.
fn picture(entries: &str, data: &[u8]) -> Vec<u8> {
    let entries = format!("/Type /XObject /Subtype /Image {entries}");
    Pdf::new()
        .resources("/XObject << /I 6 0 R >>")
        .contents("q 500 0 0 500 0 0 cm /I Do Q")
        .with(stream(&entries, data))
        .finish()
}

/// Contents whose predictor has these parameters.
fn predicted(parameters: &str) -> Vec<u8> {
    let entries = format!("/DecodeParms << {parameters} >>");
    Pdf::new().contents_object(already_deflated(&entries, &deflate(&noise(5_000)))).finish()
}

const GRAY: &str = "/ColorSpace /DeviceGray /BitsPerComponent 8";

crate::cases! {
    /// Contents of 2 MB that inflate to 2 GiB.
    fn flate_bomb() {
        Pdf::new().contents_object(already_deflated("", &two_gibibytes())).finish()
    }

    /// Contents that inflate to 2 GiB, deflated twice: 4 KB.
    fn flate_bomb_twice() { filtered("[/FlateDecode /FlateDecode]", &deflate(&two_gibibytes())) }

    /// Contents that inflate to 2 GiB, deflated four times.
    fn flate_bomb_four_times() {
        let data = deflate(&deflate(&deflate(&two_gibibytes())));
        filtered("[/FlateDecode /FlateDecode /FlateDecode /FlateDecode]", &data)
    }

    /// 40 streams that each inflate to 48 MB: each is within the limit, their sum is not.
    fn flate_bomb_spread() {
        let data = bomb(b"", &mebibyte(b' '), 48, b"");
        (0..40).fold(Pdf::new(), |pdf, _| pdf.with(already_deflated("", &data))).finish()
    }

    /// A stream without a reference to it that inflates to 2 GiB.
    fn flate_bomb_unused() { Pdf::new().with(already_deflated("", &two_gibibytes())).finish() }

    /// An image of 4 x 4 pixels whose data inflates to 2 GiB.
    fn flate_bomb_picture() {
        let data = deflate(&bomb(b"", &mebibyte(0), 2_048, b""));
        let filters = "/Filter [/FlateDecode /FlateDecode]";
        picture(&format!("/Width 4 /Height 4 {GRAY} {filters}"), &data)
    }

    /// XMP metadata that inflates to 2 GiB.
    fn flate_bomb_metadata() {
        let data = bomb(b"<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?>", &mebibyte(b' '),
            2_048, b"<?xpacket end='w'?>");
        let object = twice_deflated("/Type /Metadata /Subtype /XML", &data);
        Pdf::new().catalog("/Metadata 6 0 R").with(object).finish()
    }

    /// An embedded file that inflates to 2 GiB.
    fn flate_bomb_embedded() {
        Pdf::new()
            .catalog("/Names << /EmbeddedFiles << /Names [(a) 6 0 R] >> >>")
            .with("<< /Type /Filespec /F (a.txt) /EF << /F 7 0 R >> >>")
            .with(twice_deflated("/Type /EmbeddedFile", &two_gibibytes()))
            .finish()
    }

    /// Deflated data that is cut, damaged in the middle, and has a wrong checksum.
    fn flate_broken() {
        let mut data = deflate(&show("broken").repeat(2_000).into_bytes());
        let middle = data.len() / 2;
        data[middle] ^= 0x55;
        data.truncate(data.len() - 6);
        Pdf::new().contents_object(already_deflated("", &data)).finish()
    }

    /// A chain of 1,000 FlateDecode filters.
    fn chain_flate() {
        filtered(&format!("[{}]", "/FlateDecode ".repeat(1_000)), &deflate(b"BT ET"))
    }

    /// A chain of 100,000 ASCIIHexDecode filters.
    fn chain_hex() { filtered(&format!("[{}]", "/AHx ".repeat(100_000)), b"42>") }

    /// `/Filter` is an array that contains itself.
    fn chain_loop() {
        Pdf::new()
            .contents_object(stream("/Filter 6 0 R", b"BT ET"))
            .with("[6 0 R /FlateDecode]")
            .finish()
    }

    /// Unknown filters, and Crypt with a name of its own.
    fn filters_unknown() { filtered("[/NoSuchDecode /Crypt 5 null]", b"BT ET") }

    /// `/DecodeParms` that do not match the filters.
    fn parameters_odd() {
        let entries = "/Filter [/FlateDecode] /DecodeParms [null 7 << /Predictor (x) >> [ ] ]";
        Pdf::new().contents_object(stream(entries, &deflate(b"BT ET"))).finish()
    }

    /// The data is in another file.
    fn external_stream() {
        Pdf::new().contents_object(stream("/F (/etc/passwd) /FFilter /FlateDecode", b"")).finish()
    }

    /// Zeros in LZW, deflated; LZW alone expands the data 1,300 times.
    fn lzw_bomb() {
        // After a clear code, runs of zeros: code 0, then 258, 259 …, each one zero longer than the
        // previous one, up to 4,094, then a clear code again. Codes have nine to twelve bits.
        let mut bits = Bits::default();
        bits.put(256, 9);
        bits.put(0, 9);
        for code in 258..4_094_u32 {
            let width = match code {
                0..=510 => 9,
                511..=1_022 => 10,
                1_023..=2_046 => 11,
                _ => 12,
            };
            bits.put(code, width);
        }
        bits.put(256, 12);
        // Each round after the first one begins with the clear code that ends the previous one.
        // Eight rounds are a whole number of bytes, at any bit offset.
        let (clear, round) = bits.0.split_at(9);
        let mut start = clear.to_vec();
        let mut eight = round.repeat(8);
        start.extend_from_slice(&eight[..7]);
        eight.rotate_left(7);
        let data = bomb(&pack(&start), &pack(&eight), 40, b"");
        filtered("[/FlateDecode /LZWDecode]", &data)
    }

    /// RunLengthDecode of spaces, deflated; RunLengthDecode alone expands the data 64 times.
    fn run_length_bomb() {
        let data = bomb(b"", &[0x81, b' '].repeat(1 << 19), 32, b"\x80");
        filtered("[/FlateDecode /RunLengthDecode]", &data)
    }

    /// ASCII85Decode of `z`, which is four zeros, deflated: 2 GiB.
    fn ascii85_bomb() {
        filtered("[/FlateDecode /ASCII85Decode]", &bomb(b"", &mebibyte(b'z'), 512, b"~>"))
    }

    /// LZW data that begins with two clear codes, which readers accept.
    fn lzw_clear_twice() {
        let mut bits = Bits::default();
        for code in [256, 256, 66, 84, 32, 69, 84, 257] {
            bits.put(code, 9);
        }
        filtered("/LZWDecode", &pack(&bits.0))
    }

    /// ASCIIHexDecode of white space only, deflated: 1 GiB that decodes to nothing.
    fn ascii_hex_blank() {
        filtered("[/FlateDecode /ASCIIHexDecode]", &bomb(b"", &mebibyte(b' '), 1_024, b">"))
    }

    /// A PNG predictor with 2,000,000,000 columns.
    fn predictor_columns() { predicted("/Predictor 15 /Columns 2000000000") }

    /// A TIFF predictor whose columns times colours times bits overflow 64 bits.
    fn predictor_overflow() {
        predicted("/Predictor 2 /Columns 4611686018427387904 /Colors 64 /BitsPerComponent 64")
    }

    /// A predictor with zero and negative parameters.
    fn predictor_zero() { predicted("/Predictor 12 /Columns 0 /Colors -1 /BitsPerComponent 0") }

    /// A predictor with one column: each byte has a filter type byte.
    fn predictor_thin() { predicted("/Predictor 15 /Columns 1 /Colors 1 /BitsPerComponent 1") }

    /// An image of 2,000,000,000 x 2,000,000,000 pixels, without data.
    fn picture_giant() { picture(&format!("/Width 2000000000 /Height 2000000000 {GRAY}"), b"") }

    /// An image with negative sizes and no colour space.
    fn picture_negative() { picture("/Width -1 /Height -1 /BitsPerComponent 99", b"x") }

    /// A JBIG2 image with a page of 4,294,967,295 x 4,294,967,295 pixels.
    fn jbig2_giant() {
        // A page information segment: number 0, type 48, page 1, 19 bytes.
        let mut data = vec![0, 0, 0, 0, 48, 0, 1, 0, 0, 0, 19];
        data.extend_from_slice(&[0xff; 8]);
        data.extend_from_slice(&[0; 11]);
        let entries = "/Width 4294967295 /Height 4294967295 /ColorSpace /DeviceGray \
                       /BitsPerComponent 1 /Filter /JBIG2Decode";
        picture(entries, &data)
    }

    /// A JPEG 2000 codestream of 4,294,967,295 x 4,294,967,295 pixels, in tiles of one pixel.
    fn jpx_giant() {
        // SOC, then SIZ: length 41, profile 0, the image's size and offset, the tile's, one component.
        let mut data = vec![0xff, 0x4f, 0xff, 0x51, 0, 41, 0, 0];
        data.extend_from_slice(&[0xff; 8]);
        data.extend_from_slice(&[0; 8]);
        data.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1]);
        data.extend_from_slice(&[0; 8]);
        data.extend_from_slice(&[0, 1, 7, 1, 1, 0xff, 0xd9]);
        picture("/Width 4294967295 /Height 4294967295 /Filter /JPXDecode", &data)
    }

    /// A fax image of 2,000,000,000 columns and rows, with one byte of data.
    fn ccitt_giant() {
        let entries = "/Width 2000000000 /Height 2000000000 /ColorSpace /DeviceGray \
            /BitsPerComponent 1 /Filter /CCITTFaxDecode \
            /DecodeParms << /K -1 /Columns 2000000000 /Rows 2000000000 /EndOfBlock false >>";
        picture(entries, b"\xff")
    }

    /// A JPEG of 65,535 x 65,535 pixels, whose data ends after the header.
    fn dct_giant() {
        let mut data = vec![0xff, 0xd8, 0xff, 0xc0, 0, 17, 8, 0xff, 0xff, 0xff, 0xff, 3];
        data.extend_from_slice(&[1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
        let entries =
            "/Width 65535 /Height 65535 /ColorSpace /DeviceRGB /BitsPerComponent 8 \
             /Filter /DCTDecode";
        picture(entries, &data)
    }

    /// Images that are the masks of each other.
    fn mask_loop() {
        let entries = format!("/Width 4 /Height 4 {GRAY} /SMask 6 0 R /Alternates [<< /Image 6 0 R >>]");
        picture(&entries, &[0; 16])
    }
}

/// Bits, most significant first.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn put(&mut self, value: u32, width: u32) {
        self.0.extend((0..width).rev().map(|bit| value >> bit & 1 == 1));
    }
}

/// The bits as bytes; the unused bits of the last byte are zero.
fn pack(bits: &[bool]) -> Vec<u8> {
    let byte = |bits: &[bool]| {
        (0..8).fold(0, |byte, n| byte << 1 | u8::from(bits.get(n).copied().unwrap_or_default()))
    };
    bits.chunks(8).map(byte).collect()
}
