//! Metadata of a document: from the information dictionary, or from XMP for missing entries (ISO
//! 32000-2, 14.3).

use cos::{Dict, File, Object, Source};
use serde::{Deserialize, Serialize};

use crate::refusal::{Refusal, lenient};

/// Maximum number of characters of an entry.
const MAX_CHARACTERS: usize = 500;
/// Maximum size of an XMP packet that is read, in bytes.
const MAX_XMP_BYTES: usize = 1 << 20;
/// Maximum number of XML nodes in a packet.
const MAX_XMP_NODES: u32 = 20_000;

const DUBLIN_CORE: &str = "http://purl.org/dc/elements/1.1/";
const XMP: &str = "http://ns.adobe.com/xap/1.0/";
const PDF: &str = "http://ns.adobe.com/pdf/1.3/";

/// Metadata of a document. Each entry has at most 500 characters, no control characters, and is not
/// empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The title.
    pub title: Option<String>,
    /// The author; several authors in XMP are separated by commas.
    pub author: Option<String>,
    /// The program with which the document was written.
    pub creator: Option<String>,
    /// The program that made the PDF.
    pub producer: Option<String>,
}

impl Metadata {
    pub(crate) fn read<S: Source>(file: &File<S>) -> Result<Self, Refusal> {
        let info = lenient(file.get(file.trailer(), "Info"))?;
        let info = info.as_dict().cloned().unwrap_or_default();
        let entry = |key: &str| -> Result<Option<String>, Refusal> {
            let value = lenient(file.get(&info, key))?;
            Ok(value.as_string().and_then(|string| clean(&string.text())))
        };
        let mut metadata = Self {
            title: entry("Title")?,
            author: entry("Author")?,
            creator: entry("Creator")?,
            producer: entry("Producer")?,
        };
        let all = [&metadata.title, &metadata.author, &metadata.creator, &metadata.producer];
        if all.into_iter().any(Option::is_none) {
            metadata.fill_from_xmp(file)?;
        }
        Ok(metadata)
    }

    fn fill_from_xmp<S: Source>(&mut self, file: &File<S>) -> Result<(), Refusal> {
        let root: Dict = lenient(file.root())?;
        let Object::Stream(stream) = lenient(file.get(&root, "Metadata"))? else { return Ok(()) };
        if stream.raw_len() > MAX_XMP_BYTES as u64 {
            return Ok(());
        }
        let data = lenient(file.stream_data(&stream))?;
        let Some(text) = std::str::from_utf8(&data).ok().filter(|text| text.len() <= MAX_XMP_BYTES)
        else {
            return Ok(());
        };
        let options = roxmltree::ParsingOptions {
            nodes_limit: MAX_XMP_NODES,
            ..roxmltree::ParsingOptions::default()
        };
        let text = text.trim_start_matches('\u{feff}').trim();
        let Ok(xml) = roxmltree::Document::parse_with_options(text, options) else { return Ok(()) };
        let find = |namespace, name| property(&xml, namespace, name);
        self.title = self.title.take().or_else(|| find(DUBLIN_CORE, "title"));
        self.author = self.author.take().or_else(|| find(DUBLIN_CORE, "creator"));
        self.creator = self.creator.take().or_else(|| find(XMP, "CreatorTool"));
        self.producer = self.producer.take().or_else(|| find(PDF, "Producer"));
        Ok(())
    }
}

/// The text of a property of an XMP packet, written as an element or as an attribute, or the text
/// of its items. For a title in several languages, the first one, which is the default according to
/// the specification.
fn property(xml: &roxmltree::Document<'_>, namespace: &str, name: &str) -> Option<String> {
    let element = xml.descendants().find(|node| node.has_tag_name((namespace, name)));
    if let Some(element) = element {
        let mut items = element
            .descendants()
            .filter(|node| node.tag_name().name() == "li")
            .filter_map(|item| item.text().and_then(clean));
        let is_choice = element.descendants().any(|node| node.tag_name().name() == "Alt");
        let listed = if is_choice {
            items.next()
        } else {
            items.reduce(|all, next| format!("{all}, {next}"))
        };
        return listed.or_else(|| element.text().and_then(clean)).and_then(|text| clean(&text));
    }
    xml.descendants().find_map(|node| node.attribute((namespace, name))).and_then(clean)
}

/// The text as one line of limited length; `None` if it is empty.
fn clean(text: &str) -> Option<String> {
    let text: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_CHARACTERS).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
