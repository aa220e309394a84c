//! The header of a JPEG 2000 file (ISO/IEC 15444-1, Annex I).

/// Maximum number of boxes read from one file.
const BOXES: usize = 1_000;
const SIGNATURE: &[u8] = b"\0\0\0\x0CjP  \r\n\x87\n";

/// The contents of the `jp2h` box.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    /// `NC` of the image header.
    pub(super) channels: u16,
    /// `BPC` of the image header plus one: bits per channel, if all channels have the same depth.
    pub(super) bits: u16,
    /// Whether there is a `bpcc` box.
    pub(super) bits_differ: bool,
    /// The `colr` boxes.
    pub(super) colours: Vec<Colour>,
}

/// A `colr` box.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Colour {
    pub(super) method: u8,
    pub(super) approximation: u8,
    /// The enumerated colour space, for method 1.
    pub(super) enumerated: Option<u32>,
}

impl Header {
    /// Reads the boxes up to the header; missing fields stay 0.
    pub(super) fn parse(data: &[u8]) -> Self {
        let mut header = Self::default();
        if let Some(rest) = data.strip_prefix(SIGNATURE)
            && let Some((_, content)) = boxes(rest).find(|(kind, _)| kind == b"jp2h")
        {
            for (kind, content) in boxes(content) {
                match &kind {
                    b"ihdr" => header.image_header(content),
                    b"bpcc" => header.bits_differ = true,
                    b"colr" => header.colours.extend(Colour::parse(content)),
                    _ => {}
                }
            }
        }
        header
    }

    fn image_header(&mut self, content: &[u8]) {
        if let [_, _, _, _, _, _, _, _, high, low, bits, ..] = content {
            self.channels = u16::from_be_bytes([*high, *low]);
            // The high bit marks signed samples.
            self.bits = if *bits == 0xFF { 0 } else { u16::from(bits & 0x7F) + 1 };
        }
    }

    /// Number of colour specifications that are marked as the best.
    pub(super) fn best(&self) -> usize {
        self.colours.iter().filter(|colour| colour.approximation == 1).count()
    }

    /// The colour specification to use: the best one, or the only one.
    pub(super) fn colour(&self) -> Option<&Colour> {
        let best = self.colours.iter().find(|colour| colour.approximation == 1);
        best.or_else(|| self.colours.first().filter(|_| self.colours.len() == 1))
    }
}

impl Colour {
    fn parse(content: &[u8]) -> Option<Self> {
        let [method, _, approximation, rest @ ..] = content else { return None };
        let enumerated = rest.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
        let enumerated = enumerated.filter(|_| *method == 1);
        Some(Self { method: *method, approximation: *approximation, enumerated })
    }
}

/// The boxes of `data`, by type and content.
fn boxes(data: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = data;
    let mut count = 0;
    std::iter::from_fn(move || {
        count += 1;
        let length = u32::from_be_bytes(*rest.first_chunk()?);
        let kind = *rest.get(4..)?.first_chunk()?;
        let (start, length) = match length {
            0 => (8, rest.len()),
            1 => {
                let long = u64::from_be_bytes(*rest.get(8..)?.first_chunk()?);
                (16, usize::try_from(long).ok()?)
            }
            length => (8, usize::try_from(length).ok()?),
        };
        let content = rest.get(start..length.min(rest.len()))?;
        rest = rest.get(length..).unwrap_or_default();
        (count < BOXES).then_some((kind, content))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + 8).unwrap();
        [length.to_be_bytes().as_slice(), kind, content].concat()
    }

    #[test]
    fn reads_header_and_colours() {
        let content = [
            boxed(b"ihdr", &[0, 0, 0, 1, 0, 0, 0, 1, 0, 3, 7, 7, 0, 0]),
            boxed(b"colr", &[1, 0, 0, 0, 0, 0, 16]),
            boxed(b"colr", &[2, 0, 1, 9, 9, 9, 9]),
        ]
        .concat();
        let file = [SIGNATURE, &boxed(b"ftyp", b"jp2 "), &boxed(b"jp2h", &content)].concat();
        let header = Header::parse(&file);
        assert_eq!((header.channels, header.bits, header.bits_differ), (3, 8, false));
        assert_eq!(header.colours[0].enumerated, Some(16));
        assert_eq!(header.colour().map(|colour| colour.method), Some(2));
        assert_eq!(header.best(), 1);
    }

    #[test]
    fn survives_cut_and_strange_boxes() {
        assert_eq!(Header::parse(b""), Header::default());
        for end in 0..40 {
            let content = boxed(b"ihdr", &[0; 14]);
            let file = [SIGNATURE, &boxed(b"jp2h", &content)].concat();
            let _ = Header::parse(&file[..end.min(file.len())]);
        }
        let endless = [SIGNATURE, &[0, 0, 0, 1, b'a', b'b', b'c', b'd', 0, 0, 0, 0, 0, 0, 0, 0]];
        assert_eq!(Header::parse(&endless.concat()), Header::default());
    }
}
