//! A conforming file, which tests change to break a rule.

use std::collections::BTreeMap;
use std::fmt::Write;

use cos::{File, Limits};
use pdfa::{Flavour, validate};

/// A conforming file with one empty page, and its variable parts.
#[derive(Clone)]
pub(crate) struct Pdf {
    pub(crate) flavour: &'static str,
    pub(crate) header: Vec<u8>,
    pub(crate) objects: BTreeMap<u32, Vec<u8>>,
    pub(crate) trailer: String,
    pub(crate) xref: &'static str,
    pub(crate) end: Vec<u8>,
    /// The text before an object's number, between number and generation, before and after `obj`,
    /// before and after `endobj`.
    pub(crate) spacing: [&'static str; 6],
}

pub(crate) fn packet(flavour: &str) -> Vec<u8> {
    let (part, level) = flavour.split_at(1);
    let mut claim = format!("<pdfaid:part>{part}</pdfaid:part>");
    if part == "4" {
        claim += "<pdfaid:rev>2020</pdfaid:rev>";
    }
    if !level.is_empty() {
        let level = level.to_uppercase();
        write!(claim, "<pdfaid:conformance>{level}</pdfaid:conformance>")
            .expect("a string takes it");
    }
    packet_of(&claim)
}

/// A packet with these properties.
pub(crate) fn packet_of(properties: &str) -> Vec<u8> {
    format!(
        "<?xpacket begin=\"\u{FEFF}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n\
         <rdf:Description rdf:about=\"\" xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\">\
         {properties}</rdf:Description>\n</rdf:RDF></x:xmpmeta>\n<?xpacket end=\"w\"?>"
    )
    .into_bytes()
}

pub(crate) fn stream(entries: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = format!("<<{entries}/Length {}>>\nstream\n", data.len()).into_bytes();
    bytes.extend_from_slice(data);
    bytes.extend_from_slice(b"\nendstream");
    bytes
}

impl Pdf {
    pub(crate) fn new(flavour: &'static str) -> Self {
        let header: &[u8] = match flavour.as_bytes() {
            [b'4', ..] => b"%PDF-2.0\n%\xE2\xE3\xCF\xD3\n",
            _ => b"%PDF-1.4\n%\xE2\xE3\xCF\xD3\n",
        };
        let mut pdf = Self {
            flavour,
            header: header.to_vec(),
            objects: BTreeMap::new(),
            trailer: "/ID[<00112233><44556677>]".to_owned(),
            xref: "xref\n",
            end: b"%%EOF\n".to_vec(),
            spacing: ["", " ", " ", "\n", "\n", "\n"],
        };
        pdf.set(1, "<</Type/Catalog/Pages 2 0 R/Metadata 4 0 R>>");
        pdf.set(2, "<</Type/Pages/Kids[3 0 R]/Count 1>>");
        pdf.set(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Resources<<>>>>");
        pdf.objects.insert(4, stream("/Type/Metadata/Subtype/XML", &packet(flavour)));
        pdf
    }

    pub(crate) fn set(&mut self, number: u32, object: &str) {
        self.objects.insert(number, object.as_bytes().to_vec());
    }

    /// Adds these entries to the catalog (1) or the page (3).
    pub(crate) fn with(mut self, number: u32, entries: &str) -> Self {
        let object = self.objects.get_mut(&number).expect("an object");
        object.truncate(object.len() - 2);
        object.extend(format!("{entries}>>").bytes());
        self
    }

    /// Adds an object.
    pub(crate) fn and(mut self, number: u32, object: &str) -> Self {
        self.set(number, object);
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.header.clone();
        let mut table = String::from("0000000000 65535 f \n");
        let [before, between, before_obj, after_obj, before_endobj, after_endobj] = self.spacing;
        let last = self.objects.keys().next_back().copied().unwrap_or(0);
        for number in 1..=last {
            let Some(object) = self.objects.get(&number) else {
                table += "0000000000 00000 f \n";
                continue;
            };
            bytes.extend(before.bytes());
            writeln!(table, "{:010} 00000 n ", bytes.len()).expect("a string takes it");
            bytes.extend(format!("{number}{between}0{before_obj}obj{after_obj}").bytes());
            bytes.extend_from_slice(object);
            bytes.extend(format!("{before_endobj}endobj{after_endobj}").bytes());
        }
        let start = bytes.len();
        bytes.extend(format!("{}0 {}\n{table}", self.xref, last + 1).bytes());
        bytes.extend(
            format!(
                "trailer\n<</Size {}/Root 1 0 R{}>>\nstartxref\n{start}\n",
                last + 1,
                self.trailer
            )
            .bytes(),
        );
        bytes.extend_from_slice(&self.end);
        bytes
    }

    /// The failing rules.
    pub(crate) fn failures(&self) -> Vec<String> {
        self.failures_of(self.bytes())
    }

    pub(crate) fn failures_of(&self, bytes: Vec<u8>) -> Vec<String> {
        let file = File::open(bytes, Limits::default()).expect("a file");
        let flavour: Flavour = self.flavour.parse().expect("a flavour");
        let report = validate(&file, flavour).expect("a report");
        assert_eq!(report.conforming, report.failures.is_empty());
        let mut rules: Vec<_> =
            report.failures.iter().map(|one| format!("{}-t{:02}", one.clause, one.test)).collect();
        rules.dedup();
        rules
    }

    #[track_caller]
    pub(crate) fn breaks(&self, rules: &[&str]) {
        assert_eq!(self.failures(), rules, "{}", self.flavour);
    }
}

#[track_caller]
pub(crate) fn conforms(pdf: &Pdf) {
    pdf.breaks(&[]);
}
