//! Metadata: XMP packets, their schemas, the claim of the file, and the document information
//! dictionary (ISO 19005-1, 6.7; ISO 19005-2 and -3, 6.6; ISO 19005-4, 6.7).
//!
//! [`Packet`](packet::Packet) reads a stream into the XMP data model; each other module has the
//! rules of one subject. They work only on bytes and packets; [`check`] applies them to a file.

mod date;
mod extension;
mod identification;
mod info;
mod packet;
mod rdf;
mod schemas;
mod types;
mod value;
mod xpath;

use std::collections::HashSet;

use cos::{Dict, Error, Object, Ref, Source, Stream};

pub(crate) use self::packet::claim;
use self::{
    extension::Extensions,
    packet::{Encoding, Packet, PacketError},
};
use crate::{
    Flavour, Part,
    checker::{Checker, Rule},
};

/// The edition of the XMP specification that a part of ISO 19005 refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edition {
    /// January 2004: part 1.
    Xmp2004,
    /// September 2005: parts 2 and 3. Part 4 does not check properties against schemas.
    Xmp2005,
}

/// Maximum length of a failure's detail, in characters.
const MAX_DETAIL: usize = 200;

/// Maximum number of failures per packet; a packet can have one for every few bytes.
const MAX_FAILURES: usize = 10_000;

/// 6.7.2-t01, 6.6.2.1-t01: the catalog has a metadata stream (ISO 32000-1, 14.3.2).
const METADATA: Rule = Rule::all(("6.7.2", 1), ("6.6.2.1", 1));

/// The failures found in one packet.
struct Findings {
    flavour: Flavour,
    edition: Edition,
    /// Clause, test and detail of each.
    failures: Vec<(&'static str, u16, String)>,
}

impl Findings {
    fn new(flavour: Flavour) -> Self {
        let edition = if flavour.part == Part::One { Edition::Xmp2004 } else { Edition::Xmp2005 };
        Self { flavour, edition, failures: Vec::new() }
    }

    fn broken(&mut self, rule: Rule, detail: impl Into<String>) {
        let name = rule.name(self.flavour.part);
        let Some((clause, test)) = name.filter(|_| self.failures.len() < MAX_FAILURES) else {
            return;
        };
        let mut detail = detail.into();
        // Names and values come from the packet, and may be very long.
        if let Some((end, _)) = detail.char_indices().nth(MAX_DETAIL) {
            detail.truncate(end);
            detail.push('…');
        }
        self.failures.push((clause, test, detail));
    }
}

/// Checks the metadata of the document and, except in part 1, the metadata of every object.
pub(crate) fn check<S: Source>(checker: &Checker<'_, S>) {
    let Object::Stream(stream) = checker.get(&checker.root(), "Metadata") else {
        checker.broken(METADATA, None, "the catalog has no metadata stream");
        return;
    };
    for (key, value) in [("Type", "Metadata"), ("Subtype", "XML")] {
        if !checker.get(stream.dict(), key).is_name(value) {
            let detail =
                format_args!("the document's metadata stream does not have /{key} /{value}");
            checker.broken(METADATA, Some(stream.id()), detail);
        }
    }
    if is_filtered(checker, stream.dict()) {
        let rule = Rule::one("6.7.2", 2);
        checker.broken(rule, Some(stream.id()), "the document's metadata has a filter");
    }
    let Some(packet) = parse(checker, &stream) else { return };
    let extensions = document_packet(checker, &stream, &packet);
    if checker.is_part_1() {
        if let Some(info) = checker.dict(checker.file.trailer(), "Info") {
            info::check(checker, &info, &packet);
        }
    } else {
        for other in object_metadata(checker, stream.id()) {
            if let Some(packet) = parse(checker, &other) {
                let mut findings = Findings::new(checker.flavour);
                check_packet(&packet, Some(&extensions), &mut findings);
                report(checker, &other, findings);
            }
        }
    }
}

/// Reads the packet of a metadata stream. An invalid packet is a failure.
fn parse<S: Source>(checker: &Checker<'_, S>, stream: &Stream) -> Option<Packet> {
    let detail = match checker.file.stream_data(stream).map(|data| Packet::parse(&data)) {
        Ok(Ok(packet)) => return Some(packet),
        Ok(Err(PacketError::Limit(limit))) => return checker.read(Err(Error::Limit(limit))),
        Ok(Err(PacketError::Xml(detail) | PacketError::Rdf(detail))) => detail,
        Err(error @ Error::Syntax { .. }) => error.to_string(),
        Err(error) => return checker.read(Err(error)),
    };
    let rule = Rule::all(("6.7.9", 1), ("6.6.2.1", 4));
    checker.broken(rule, Some(stream.id()), format_args!("not an XMP packet: {detail}"));
    None
}

/// Checks the document's packet, and returns the definitions of its extension schemas.
fn document_packet<S: Source>(
    checker: &Checker<'_, S>,
    stream: &Stream,
    packet: &Packet,
) -> Extensions {
    let mut findings = Findings::new(checker.flavour);
    let extensions = check_packet(packet, None, &mut findings);
    identification::check(packet, &mut findings);
    report(checker, stream, findings);
    extensions
}

fn report<S: Source>(checker: &Checker<'_, S>, stream: &Stream, findings: Findings) {
    for (clause, test, detail) in findings.failures {
        checker.fail(clause, test, Some(stream.id()), detail);
    }
}

/// Checks the rules for all packets, and returns the definitions of the packet's extension schemas.
/// For the packet of an object, `document` has the definitions of the document's packet.
fn check_packet(
    packet: &Packet,
    document: Option<&Extensions>,
    findings: &mut Findings,
) -> Extensions {
    for (attribute, part1, later) in [("bytes", 1, 2), ("encoding", 2, 3)] {
        if packet.header_has(attribute) {
            let rule = Rule::all(("6.7.5", part1), ("6.6.2.1", later));
            findings.broken(rule, format!("the packet header has the attribute {attribute}"));
        }
    }
    if packet.encoding != Encoding::Utf8 {
        findings.broken(
            Rule::later("6.6.2.1", 5),
            format!("the packet is encoded as {:?}, not UTF-8", packet.encoding),
        );
    }
    if findings.flavour.part == Part::Four {
        return Extensions::default();
    }
    let extensions = Extensions::read(findings.edition, packet.extensions.as_ref(), document);
    if let Some(container) = &packet.extensions {
        extension::check(container, &extensions, findings);
    }
    check_properties(packet, &extensions, document, findings);
    extensions
}

/// Every property is predefined or described by an extension schema, and its value has the type
/// defined there (ISO 19005-1, 6.7.9; ISO 19005-2 and -3, 6.6.2.3.1).
fn check_properties(
    packet: &Packet,
    own: &Extensions,
    document: Option<&Extensions>,
    findings: &mut Findings,
) {
    let standard = types::Types::new(findings.edition);
    for property in &packet.properties {
        let predefined = schemas::property(findings.edition, &property.namespace, &property.name);
        let fits = match &predefined {
            Some(kind) => Some(standard.fits(property, kind)),
            None => {
                own.fits(property).or_else(|| document.and_then(|document| document.fits(property)))
            }
        };
        let name = property.qualified_name();
        match (fits, predefined) {
            (Some(true), _) => {}
            (Some(false), kind) => {
                let rule = Rule::all(("6.7.9", 3), ("6.6.2.3.1", 2));
                let kind = kind.map_or_else(
                    || "of the type in its extension schema".to_owned(),
                    |kind| kind.to_string(),
                );
                findings.broken(rule, format!("the value of {name} is not {kind}"));
            }
            (None, _) => {
                let rule = Rule::all(("6.7.9", 2), ("6.6.2.3.1", 1));
                findings.broken(rule, format!("{name} ({}) is in no schema", property.namespace));
            }
        }
    }
}

/// Whether a stream has a filter.
fn is_filtered<S: Source>(checker: &Checker<'_, S>, stream: &Dict) -> bool {
    match checker.get(stream, "Filter") {
        Object::Null => false,
        Object::Array(filters) => !filters.is_empty(),
        _ => true,
    }
}

/// The metadata streams in the `/Metadata` of all dictionaries, except the document's.
fn object_metadata<S: Source>(checker: &Checker<'_, S>, document: Ref) -> Vec<Stream> {
    let mut seen = HashSet::from([document]);
    let mut found = Vec::new();
    for id in checker.file.xref().refs() {
        let mut pending = vec![checker.read(checker.file.object(id)).unwrap_or_default()];
        while let Some(object) = pending.pop() {
            if let Some(dict) = object.as_dict() {
                pending.extend(
                    dict.iter()
                        .filter(|(_, value)| is_composite(value))
                        .map(|(_, value)| value.clone()),
                );
                if let Some(Object::Ref(id)) = dict.get("Metadata")
                    && seen.insert(*id)
                    && let Object::Stream(stream) = checker.get(dict, "Metadata")
                    && stream.dict().is("Type", "Metadata")
                    && stream.dict().is("Subtype", "XML")
                {
                    found.push(stream);
                }
            } else if let Some(array) = object.as_array() {
                pending.extend(array.iter().filter(|value| is_composite(value)).cloned());
            }
        }
    }
    found
}

fn is_composite(object: &Object) -> bool {
    matches!(object, Object::Dict(_) | Object::Array(_))
}

#[cfg(test)]
mod tests;
