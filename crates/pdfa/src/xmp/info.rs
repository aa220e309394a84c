//! The document information dictionary matches the document's packet (ISO 19005-1, 6.7.3).

use cos::{Dict, Object, Source};

use super::{
    date,
    packet::Packet,
    schemas::{DC, PDF, XMP},
    value::{ArrayKind, Node},
};
use crate::checker::{Checker, Rule};

/// Text entries, with their tests.
const TEXTS: [(&str, u16); 6] =
    [("Title", 2), ("Author", 3), ("Subject", 4), ("Keywords", 5), ("Creator", 6), ("Producer", 7)];
/// Date entries, with their tests and the names of their properties in XMP Basic.
const DATES: [(&str, u16, &str); 2] =
    [("CreationDate", 1, "CreateDate"), ("ModDate", 8, "ModifyDate")];

/// Checks the entries of `info` that have a corresponding property.
pub(super) fn check<S: Source>(checker: &Checker<'_, S>, info: &Dict, packet: &Packet) {
    let object = checker.file.trailer().get("Info").and_then(Object::as_ref);
    for (key, test) in TEXTS {
        let entry = checker.get(info, key);
        if !entry.is_null()
            && !same_text(entry.as_string().map(cos::Str::text), analogous_text(packet, key))
        {
            checker.broken(
                Rule::one("6.7.3", test),
                object,
                format_args!("{key} does not match the metadata"),
            );
        }
    }
    for (key, test, name) in DATES {
        let entry = checker.get(info, key);
        if let (Some(entry), Some(property)) = (entry.as_string(), packet.property(XMP, name))
            && !same_date(&entry.text(), property)
        {
            checker.broken(
                Rule::one("6.7.3", test),
                object,
                format_args!("{key} does not match the metadata"),
            );
        }
    }
}

/// The text in the packet that corresponds to an entry.
fn analogous_text<'p>(packet: &'p Packet, key: &str) -> Option<&'p str> {
    match key {
        "Title" => default_text(packet.property(DC, "title")?),
        "Subject" => default_text(packet.property(DC, "description")?),
        "Author" => match packet
            .property(DC, "creator")
            .filter(|creator| creator.array() == Some(ArrayKind::Seq))?
            .children()
        {
            [only] => only.text(),
            _ => None,
        },
        "Keywords" => packet.property(PDF, "Keywords")?.text(),
        "Producer" => packet.property(PDF, "Producer")?.text(),
        _ => packet.property(XMP, "CreatorTool")?.text(),
    }
}

/// The default item of a language alternative: `x-default`, else the first.
fn default_text(alternative: &Node) -> Option<&str> {
    let items = alternative.children();
    let default = items.iter().find(|item| item.lang.as_deref() == Some("x-default"));
    default.or_else(|| items.first().filter(|item| item.lang.is_some()))?.text()
}

/// Whether both texts are the same. XML has only one form of line end, and some producers end an
/// entry with a null character.
fn same_text(entry: Option<String>, property: Option<&str>) -> bool {
    let lines = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
    match (entry, property) {
        (Some(entry), Some(property)) => {
            lines(entry.strip_suffix('\0').unwrap_or(&entry)) == lines(property)
        }
        _ => false,
    }
}

/// Whether both are the same moment. Another rule rejects a property that is not a date.
fn same_date(entry: &str, property: &Node) -> bool {
    let Some(moment) = property.text().and_then(date::xmp) else { return true };
    date::pdf(entry).is_some_and(|entry| entry.is_same_as_xmp(moment))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(properties: &str) -> Packet {
        let xml = format!(
            "<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns:dc='{DC}' xmlns:pdf='{PDF}'>\
             <r:Description>{properties}</r:Description></r:RDF>"
        );
        Packet::parse(xml.as_bytes()).unwrap()
    }

    #[test]
    fn the_title_is_the_default_one() {
        let title = packet(
            "<dc:title><r:Alt><r:li xml:lang='de'>Ja</r:li><r:li xml:lang='X-Default'>Yes</r:li></r:Alt></dc:title>",
        );
        assert_eq!(analogous_text(&title, "Title"), Some("Yes"));
        let title = packet("<dc:title><r:Alt><r:li xml:lang='de'>Ja</r:li></r:Alt></dc:title>");
        assert_eq!(analogous_text(&title, "Title"), Some("Ja"));
        assert_eq!(analogous_text(&packet("<dc:title>Ja</dc:title>"), "Title"), None);
    }

    #[test]
    fn the_author_is_the_only_creator() {
        let one = packet("<dc:creator><r:Seq><r:li>A</r:li></r:Seq></dc:creator>");
        assert_eq!(analogous_text(&one, "Author"), Some("A"));
        let two = packet("<dc:creator><r:Seq><r:li>A</r:li><r:li>B</r:li></r:Seq></dc:creator>");
        assert_eq!(analogous_text(&two, "Author"), None);
        let unordered = packet("<dc:creator><r:Bag><r:li>A</r:li></r:Bag></dc:creator>");
        assert_eq!(analogous_text(&unordered, "Author"), None);
    }

    #[test]
    fn texts_are_compared_ignoring_line_ends() {
        assert!(same_text(Some("a\r\nb\0".into()), Some("a\nb")));
        assert!(!same_text(Some("a".into()), Some("A")));
        assert!(!same_text(Some(String::new()), None));
        assert!(!same_text(None, Some("")));
    }
}
