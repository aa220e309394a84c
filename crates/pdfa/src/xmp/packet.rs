//! The bytes of a metadata stream: encoding, packet wrapper and XML.

use std::{borrow::Cow, collections::HashSet};

use cos::Limit;
use roxmltree::{Document, ParsingOptions};

use super::{
    rdf::{self, RDF},
    schemas::{PDFA_EXTENSION, PDFA_ID},
    value::Node,
};

/// Maximum size of a packet, in bytes.
const MAX_BYTES: usize = 8 << 20;
/// Maximum number of XML nodes.
const MAX_NODES: u32 = 250_000;
/// Maximum work of the XML reader for attributes; it compares all attributes of an element with
/// each other.
const MAX_ATTRIBUTE_WORK: usize = 100_000_000;
/// Maximum length of a namespace prefix that is compared, in bytes.
const MAX_PREFIX: usize = 200;
/// Maximum work of the XML reader for namespaces: declarations × prefixes².
const MAX_NAMESPACE_WORK: usize = 200_000_000;

/// A parsed metadata stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packet {
    /// The data of the `<?xpacket begin …?>` instruction.
    pub(super) header: Option<String>,
    /// The character encoding.
    pub(super) encoding: Encoding,
    /// All properties, except the container of the extension schemas.
    pub(super) properties: Vec<Node>,
    /// `pdfaExtension:schemas`.
    pub(super) extensions: Option<Node>,
}

/// The character encoding of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// UTF-8, or ASCII.
    Utf8,
    /// UTF-16, either byte order.
    Utf16,
    /// UTF-32, either byte order.
    Utf32,
    /// A single-byte encoding, named in an XML declaration.
    Latin1,
}

/// The reason why a packet cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PacketError {
    /// A limit of this reader is exceeded, so nothing is known about conformance.
    Limit(Limit),
    /// Not well-formed XML.
    Xml(String),
    /// XML, but not the RDF that XMP allows.
    Rdf(String),
}

impl Packet {
    /// Reads a metadata stream. A stream of XML without `rdf:RDF` has no properties.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, PacketError> {
        with_document(bytes, |document, text, encoding| {
            Self::from_document(document, text, encoding)
        })?
    }

    fn from_document(
        document: &Document<'_>,
        text: &str,
        encoding: Encoding,
    ) -> Result<Self, PacketError> {
        let mut header = None;
        let mut properties = Vec::new();
        for node in document.descendants() {
            if let Some(instruction) = node.pi().filter(|pi| pi.target == "xpacket") {
                header = Some(instruction.value.unwrap_or_default().to_owned());
            } else if node.has_tag_name((RDF, "RDF")) {
                properties = rdf::read(node, text)?;
                break;
            }
        }
        let extensions = properties
            .iter()
            .rposition(|property: &Node| property.is(PDFA_EXTENSION, "schemas"))
            .map(|index| properties.remove(index));
        Ok(Self { header, encoding, properties, extensions })
    }

    /// The property with this name.
    pub(super) fn property(&self, namespace: &str, name: &str) -> Option<&Node> {
        self.properties.iter().find(|property| property.is(namespace, name))
    }

    /// Whether the packet's header has an attribute with this name.
    pub(super) fn header_has(&self, attribute: &str) -> bool {
        let header = self.header.as_deref().unwrap_or_default();
        header.match_indices(attribute).any(|(at, _)| {
            let rest = header[at + attribute.len()..].trim_start();
            rest.strip_prefix('=').map(str::trim_start).is_some_and(|value| {
                let mut characters = value.chars();
                characters.next().is_some_and(|quote| {
                    matches!(quote, '\'' | '"') && characters.any(|c| c == quote)
                })
            })
        })
    }
}

/// The claim of a packet, without surrounding white space.
pub(crate) struct Claimed {
    /// `pdfaid:part`.
    pub(crate) part: String,
    /// `pdfaid:conformance`.
    pub(crate) conformance: Option<String>,
    /// `pdfaid:rev`.
    pub(crate) revision: Option<String>,
}

/// The claim of the packet, anywhere in the XML. The packet need not be valid RDF.
pub(crate) fn claim(bytes: &[u8]) -> Option<Claimed> {
    with_document(bytes, |document, _, _| {
        let property = |name| {
            let found = document.descendants().find_map(|node| {
                let name = (PDFA_ID, name);
                if node.has_tag_name(name) { node.text() } else { node.attribute(name) }
            });
            found.map(|text| text.trim().to_owned())
        };
        Some(Claimed {
            part: property("part")?,
            conformance: property("conformance"),
            revision: property("rev"),
        })
    })
    .ok()?
}

/// Calls `read` with the XML, the text from which it was parsed, and the encoding of that text.
fn with_document<T>(
    bytes: &[u8],
    read: impl FnOnce(&Document<'_>, &str, Encoding) -> T,
) -> Result<T, PacketError> {
    if bytes.len() > MAX_BYTES {
        return Err(PacketError::Limit(Limit::StreamBytes));
    }
    let (text, encoding) = decode(bytes)?;
    let text = without_controls(&text);
    check_budget(&text)?;
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..Default::default() };
    match Document::parse_with_options(&text, options) {
        Ok(document) => Ok(read(&document, &text, encoding)),
        Err(
            roxmltree::Error::NodesLimitReached
            | roxmltree::Error::AttributesLimitReached
            | roxmltree::Error::NamespacesLimitReached,
        ) => Err(PacketError::Limit(Limit::Values)),
        Err(error) => Err(PacketError::Xml(error.to_string())),
    }
}

/// Rejects text for which the XML reader needs quadratic time.
fn check_budget(text: &str) -> Result<(), PacketError> {
    // An attribute's value has no `<`, so this counts at least all attributes of an element.
    let equals = |part: &str| part.bytes().filter(|&byte| byte == b'=').count();
    let pairs = text.split('<').map(|part| equals(part).saturating_pow(2));
    if pairs.fold(0, usize::saturating_add) > MAX_ATTRIBUTE_WORK {
        return Err(PacketError::Limit(Limit::Values));
    }
    let mut declarations = 0_usize;
    let mut prefixes = HashSet::new();
    for (at, word) in text.match_indices("xmlns") {
        declarations += 1;
        let rest = &text.as_bytes()[at + word.len()..];
        let length = rest.iter().take(MAX_PREFIX).position(|byte| b"= \t\r\n".contains(byte));
        // Each longer prefix counts as a new one, even if it occurs again.
        prefixes.insert(length.map_or((at, &[][..]), |length| (0, &rest[..length])));
        let work = declarations.saturating_mul(prefixes.len()).saturating_mul(prefixes.len());
        if work > MAX_NAMESPACE_WORK {
            return Err(PacketError::Limit(Limit::Values));
        }
    }
    Ok(())
}

/// The text of a packet, without a byte order mark.
fn decode(bytes: &[u8]) -> Result<(Cow<'_, str>, Encoding), PacketError> {
    let malformed = |what: &str| PacketError::Xml(format!("malformed {what}"));
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let text =
            char::decode_utf16(pairs.iter().map(|&pair| unit(pair))).collect::<Result<String, _>>();
        text.ok().filter(|_| rest.is_empty()).ok_or_else(|| malformed("UTF-16"))
    };
    let utf32 = |bytes: &[u8], unit: fn([u8; 4]) -> u32| {
        let (quads, rest) = bytes.as_chunks::<4>();
        let text = quads.iter().map(|&quad| char::from_u32(unit(quad))).collect::<Option<String>>();
        text.filter(|_| rest.is_empty()).ok_or_else(|| malformed("UTF-32"))
    };
    match bytes {
        [0, 0, 0xFE, 0xFF, rest @ ..] => {
            Ok((utf32(rest, u32::from_be_bytes)?.into(), Encoding::Utf32))
        }
        [0xFF, 0xFE, 0, 0, rest @ ..] => {
            Ok((utf32(rest, u32::from_le_bytes)?.into(), Encoding::Utf32))
        }
        [0, 0, 0, b'<', ..] => Ok((utf32(bytes, u32::from_be_bytes)?.into(), Encoding::Utf32)),
        [b'<', 0, 0, 0, ..] => Ok((utf32(bytes, u32::from_le_bytes)?.into(), Encoding::Utf32)),
        [0xFE, 0xFF, rest @ ..] => Ok((utf16(rest, u16::from_be_bytes)?.into(), Encoding::Utf16)),
        [0xFF, 0xFE, rest @ ..] => Ok((utf16(rest, u16::from_le_bytes)?.into(), Encoding::Utf16)),
        [0, b'<', ..] => Ok((utf16(bytes, u16::from_be_bytes)?.into(), Encoding::Utf16)),
        [b'<', 0, ..] => Ok((utf16(bytes, u16::from_le_bytes)?.into(), Encoding::Utf16)),
        [0xEF, 0xBB, 0xBF, rest @ ..] => Ok((utf8(rest), Encoding::Utf8)),
        _ if declares_single_byte(bytes) => Ok((
            bytes.iter().map(|&byte| char::from(byte)).collect::<String>().into(),
            Encoding::Latin1,
        )),
        _ => Ok((utf8(bytes), Encoding::Utf8)),
    }
}

/// Reads UTF-8, and invalid bytes as Latin-1: old toolkits wrote such packets, and readers accept
/// them.
fn utf8(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.into();
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|&byte| char::from(byte)));
    }
    text.into()
}

/// Whether an XML declaration names a single-byte encoding.
fn declares_single_byte(bytes: &[u8]) -> bool {
    let Some(declaration) = bytes.strip_prefix(b"<?xml".as_slice()) else { return false };
    let end = declaration.windows(2).take(200).position(|pair| pair == b"?>").unwrap_or(0);
    let declaration = String::from_utf8_lossy(&declaration[..end]).to_ascii_lowercase();
    ["iso-8859-", "windows-125", "latin1"].iter().any(|name| declaration.contains(name))
}

/// Replaces control characters that XML forbids, also character references to them, with spaces.
/// Producers leave them in titles, and every XMP toolkit ignores them.
fn without_controls(text: &str) -> Cow<'_, str> {
    let forbidden = |code: u32| code < 0x20 && !matches!(code, 0x09 | 0x0A | 0x0D);
    let reference = |rest: &str| {
        let end = rest.bytes().take(12).position(|byte| byte == b';')?;
        let code = match rest[..end].strip_prefix(['x', 'X']) {
            Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
            None => rest[..end].parse(),
        };
        code.ok().filter(|&code| forbidden(code)).map(|_| end + 1)
    };
    let clean = !text.bytes().any(|byte| forbidden(u32::from(byte)))
        && !text.match_indices("&#").any(|(at, _)| reference(&text[at + 2..]).is_some());
    if clean {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let mut skip = character.len_utf8();
        if let Some(length) = rest.strip_prefix("&#").and_then(reference) {
            skip = 2 + length;
            out.push(' ');
        } else {
            out.push(if forbidden(character.into()) { ' ' } else { character });
        }
        rest = &rest[skip..];
    }
    out.into()
}
