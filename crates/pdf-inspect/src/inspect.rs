//! The steps of the inspection.

use cos::{Access, Dict, File, Object, OpenError, SectionKind, Source};
use memchr::memmem;

use crate::{
    Budget, Encryption, Error, Feature, Findings, Limits, Looped, Refusal, body::Body,
    drawing::Drawing, ends, meter::Meter, pages, refusal::readable,
};

/// Maximum bytes of metadata to search for a claim.
const METADATA: usize = 1 << 20;
/// Maximum bytes of each half of `/ID` in the findings.
const ID: usize = 64;

/// Inspects a whole file.
///
/// # Errors
/// [`Error::Refused`] for a file that no program should read, [`Error::Io`] if `source` fails.
pub fn inspect<S: Source>(source: S, limits: &Limits) -> Result<Findings, Error> {
    if source.len() > limits.bytes {
        return Err(Error::over(Budget::Bytes));
    }
    let mut meter = Meter::new(*limits);
    let mut findings = Findings { bytes: source.len(), ..Findings::default() };
    let file = match File::open(source, limits.cos()) {
        Ok(file) => file,
        Err(OpenError::NotPdf) => return Err(Refusal::NotAPdf.into()),
        Err(OpenError::Damaged(_)) => return Err(Refusal::Damaged.into()),
        Err(OpenError::Limit(limit)) => return Err(Error::over(limit.into())),
        Err(OpenError::Io(error)) => return Err(Error::Io(error)),
    };
    if !matches!(file.header().version, Some((1 | 2, _))) {
        return Err(Refusal::NotAPdf.into());
    }
    match file.access() {
        Access::Open => {}
        Access::Locked => return Err(Refusal::PasswordProtected.into()),
        Access::Unknown => return Err(Refusal::UnsupportedEncryption.into()),
        Access::Unlocked | Access::AttachmentsLocked => {
            findings.encryption = encryption(&file)?;
            findings
                .add(Feature::Encrypted, file.trailer().get("Encrypt").and_then(Object::as_ref));
        }
    }
    describe(&file, &mut findings)?;
    ends::inspect(&file, &mut findings)?;
    contents(&file, &mut meter, &mut findings)?;
    Ok(finished(findings, &meter))
}

fn finished(mut findings: Findings, meter: &Meter) -> Findings {
    if findings.declared_pages != i64::try_from(findings.pages).ok() {
        findings.add(Feature::PageCountMismatch, None);
    }
    findings.inflated_bytes = meter.inflated;
    findings.work = meter.work;
    findings
}

/// Inspects the objects, and the cost of the pages.
fn contents<S: Source>(
    file: &File<S>,
    meter: &mut Meter,
    findings: &mut Findings,
) -> Result<(), Error> {
    let pages = pages::walk(file, meter)?;
    if pages.is_empty() {
        return Err(Refusal::Damaged.into());
    }
    findings.pages = pages.len();
    findings.complete = Body::new(file, meter, findings).inspect()?;
    let mut drawing = Drawing::new(file, meter);
    for page in &pages {
        drawing.page(page)?;
    }
    let total = drawing.total();
    findings.operators = total.operators;
    findings.expansions = total.expansions;
    metadata(file, findings)?;
    if file.rebuilt() {
        findings.add(Feature::Repaired, None);
    }
    Ok(())
}

/// Inspects the header, the trailer and the cross-reference.
fn describe<S: Source>(file: &File<S>, findings: &mut Findings) -> Result<(), Error> {
    let (major, minor) = file.version().unwrap_or_default();
    findings.version = format!("{major}.{minor}");
    findings.objects = file.xref().numbers().len();
    let root = file.root()?;
    if let Some(Object::Dict(tree)) = readable(file.get(&root, "Pages"))? {
        findings.declared_pages =
            readable(file.get(&tree, "Count"))?.and_then(|count| count.as_i64());
    }
    findings.id = readable(file.get(file.trailer(), "ID"))?.and_then(|id| halves(&id));
    let linearized = file.linearization().is_some();
    if linearized {
        findings.add(Feature::Linearized, None);
    }
    // A linearized file has two sections from the start.
    let written = if linearized { 2 } else { 1 };
    let sections = file.xref().sections().iter();
    let sections: Vec<_> =
        sections.filter(|section| !matches!(section.kind, SectionKind::Hybrid(_))).collect();
    for _ in sections.iter().skip(written) {
        findings.add(Feature::IncrementalUpdates, None);
    }
    // The chain of sections has been read to its end. If the last section has another `/Prev`, it
    // points back into the chain.
    let oldest = sections.last().and_then(|section| section.trailer.get("Prev"));
    if oldest.and_then(Object::as_i64).is_some_and(|prev| prev >= 0) {
        return Err(Error::looped(Looped::CrossReference));
    }
    Ok(())
}

fn halves(id: &Object) -> Option<[String; 2]> {
    let half = |object: &Object| {
        let mut text = String::new();
        for byte in object.as_string()?.as_bytes().iter().take(ID) {
            text.push(char::from_digit(u32::from(byte >> 4), 16)?);
            text.push(char::from_digit(u32::from(byte & 15), 16)?);
        }
        Some(text)
    };
    match &**id.as_array()? {
        [first, second] => Some([half(first)?, half(second)?]),
        _ => None,
    }
}

/// How the file is encrypted.
fn encryption<S: Source>(file: &File<S>) -> Result<Option<Encryption>, Error> {
    let sections = file.xref().sections().iter().map(|section| &section.trailer);
    let mut trailers = std::iter::once(file.trailer()).chain(sections);
    let Some(trailer) = trailers.find(|trailer| trailer.contains("Encrypt")) else {
        return Ok(None);
    };
    let Some(Object::Dict(dict)) = readable(file.get(trailer, "Encrypt"))? else {
        return Ok(None);
    };
    let integer = |key| Ok::<_, Error>(readable(file.get(&dict, key))?.and_then(|n| n.as_i64()));
    let handler = readable(file.get(&dict, "Filter"))?.unwrap_or_default();
    Ok(Some(Encryption {
        handler: handler.as_name().map(ToString::to_string).unwrap_or_default(),
        version: integer("V")?.unwrap_or(0),
        revision: integer("R")?.unwrap_or(0),
        bits: integer("Length")?,
    }))
}

/// Finds the metadata, and its claim.
fn metadata<S: Source>(file: &File<S>, findings: &mut Findings) -> Result<(), Error> {
    let root: Dict = file.root()?;
    let Some(Object::Stream(stream)) = readable(file.get(&root, "Metadata"))? else {
        return Ok(());
    };
    findings.metadata = true;
    if let Some(data) = readable(file.stream_data(&stream))? {
        findings.claim = claim(data.get(..METADATA).unwrap_or(&data));
    }
    Ok(())
}

/// The part and level of PDF/A that XMP metadata claims with the properties `pdfaid:part` and
/// `pdfaid:conformance` (ISO 19005-2, 6.6.4), as elements or as attributes.
fn claim(xmp: &[u8]) -> Option<String> {
    let value = |property: &[u8]| {
        let at = memmem::find(xmp, property)? + property.len();
        let rest = xmp.get(at..at + 8)?;
        rest.iter().find(|byte| byte.is_ascii_alphanumeric()).copied().map(char::from)
    };
    let part = value(b"pdfaid:part").filter(char::is_ascii_digit)?;
    let level = value(b"pdfaid:conformance").map(|level| level.to_ascii_lowercase());
    Some(format!("PDF/A-{part}{}", level.map(String::from).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::claim;

    #[test]
    fn claims_are_elements_or_attributes() {
        let elements =
            b"<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>      ";
        assert_eq!(claim(elements).as_deref(), Some("PDF/A-2b"));
        let attributes = b"<rdf:Description pdfaid:part=\"4\" xmlns:x=''/>         ";
        assert_eq!(claim(attributes).as_deref(), Some("PDF/A-4"));
        assert_eq!(claim(b"<x/>"), None);
        assert_eq!(claim(b"pdfaid:part"), None);
    }
}
