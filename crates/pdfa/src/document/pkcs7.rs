//! The part of PKCS #7 (RFC 2315, 9; RFC 5652, 5) that identifies signers and certificates, in BER.

/// Maximum nesting depth of values.
const DEPTH: usize = 16;

/// Issuer and serial number, each in its encoded form.
type Identity<'a> = (&'a [u8], &'a [u8]);

/// Certificates and signers of a SignedData.
#[derive(Default)]
pub(super) struct SignedData<'a> {
    certificates: Vec<Identity<'a>>,
    /// Issuer and serial number of each signer; `None` for a signer that is identified by its key.
    pub(super) signers: Vec<Option<Identity<'a>>>,
}

/// A tag, the value, and the complete encoding.
#[derive(Clone, Copy)]
struct Element<'a> {
    tag: u8,
    value: &'a [u8],
    whole: &'a [u8],
}

const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const CONTEXT_0: u8 = 0xA0;

impl<'a> SignedData<'a> {
    /// Parses a ContentInfo. Bytes after it are ignored, because signatures are padded with zeros.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let info = elements(next(bytes, DEPTH)?.0.value);
        let content = info.get(1).filter(|content| content.tag == CONTEXT_0)?;
        let signed = elements(next(content.value, DEPTH)?.0.value);
        let mut parsed = Self::default();
        // Version, digest algorithms and content come first, then the optional elements.
        for element in signed.iter().skip(3) {
            match element.tag {
                CONTEXT_0 => {
                    parsed.certificates =
                        elements(element.value).iter().filter_map(certificate).collect();
                }
                SET => parsed.signers = elements(element.value).iter().map(signer).collect(),
                _ => {}
            }
        }
        Some(parsed)
    }

    /// Whether every signer has a certificate with its issuer and serial number. For a signer that
    /// is identified by its key, any certificate counts.
    pub(super) fn has_signing_certificate(&self) -> bool {
        let has = |signer: &Option<Identity>| match signer {
            Some(identity) => self.certificates.contains(identity),
            None => !self.certificates.is_empty(),
        };
        !self.signers.is_empty() && self.signers.iter().all(has)
    }
}

fn certificate<'a>(element: &Element<'a>) -> Option<Identity<'a>> {
    let to_be_signed = elements(elements(element.value).first()?.value);
    let mut fields = to_be_signed.iter().skip_while(|field| field.tag == CONTEXT_0);
    let serial = fields.next().filter(|field| field.tag == INTEGER)?;
    let _signature_algorithm = fields.next()?;
    Some((fields.next()?.whole, serial.whole))
}

fn signer<'a>(element: &Element<'a>) -> Option<Identity<'a>> {
    let fields = elements(element.value);
    let name = elements(fields.get(1).filter(|field| field.tag == SEQUENCE)?.value);
    Some((name.first()?.whole, name.get(1)?.whole))
}

/// The elements of a constructed value, up to the first invalid one.
fn elements(mut bytes: &[u8]) -> Vec<Element<'_>> {
    let mut found = Vec::new();
    while let Some((element, rest)) = next(bytes, DEPTH) {
        if element.tag == 0 {
            break;
        }
        found.push(element);
        bytes = rest;
    }
    found
}

/// The first element, and the bytes after it.
fn next(bytes: &[u8], depth: usize) -> Option<(Element<'_>, &[u8])> {
    let [tag, first, rest @ ..] = bytes else { return None };
    // PKCS #7 has no tags of more than one byte.
    if tag & 0x1F == 0x1F || depth == 0 {
        return None;
    }
    let (length, value_at) = match first {
        0x80 => {
            let length = indefinite(rest, depth)?;
            let (value, after) = (rest.get(..length)?, rest.get(length + 2..)?);
            let whole = bytes.get(..length + 4)?;
            return Some((Element { tag: *tag, value, whole }, after));
        }
        0..0x80 => (usize::from(*first), 2),
        _ => {
            let count = usize::from(first & 0x7F);
            let digits = rest.get(..count).filter(|_| count <= 4)?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), 2 + count)
        }
    };
    let end = value_at.checked_add(length)?;
    Some((
        Element { tag: *tag, value: bytes.get(value_at..end)?, whole: bytes.get(..end)? },
        bytes.get(end..)?,
    ))
}

/// Number of bytes before the two zeros that end a value of indefinite length.
fn indefinite(bytes: &[u8], depth: usize) -> Option<usize> {
    let mut at = 0;
    while !bytes.get(at..)?.starts_with(&[0, 0]) {
        let (element, _) = next(bytes.get(at..)?, depth - 1)?;
        at += element.whole.len();
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::{CONTEXT_0, INTEGER, SEQUENCE, SET, SignedData};

    fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let value = parts.concat();
        let length = u8::try_from(value.len()).expect("short");
        let mut bytes = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
        bytes.extend(value);
        bytes
    }

    fn certificate(serial: u8) -> Vec<u8> {
        let version = element(CONTEXT_0, &[&element(INTEGER, &[&[2]])]);
        let serial = element(INTEGER, &[&[serial]]);
        let algorithm = element(SEQUENCE, &[]);
        let to_be_signed = element(
            SEQUENCE,
            &[&version, &serial, &algorithm, &element(SEQUENCE, &[b"\x0C\x01A"])],
        );
        element(SEQUENCE, &[&to_be_signed, &algorithm])
    }

    fn signer(serial: u8) -> Vec<u8> {
        let issuer = element(SEQUENCE, &[b"\x0C\x01A"]);
        let name = element(SEQUENCE, &[&issuer, &element(INTEGER, &[&[serial]])]);
        element(SEQUENCE, &[&element(INTEGER, &[&[1]]), &name])
    }

    fn signed(certificates: &[&[u8]], signers: &[&[u8]]) -> Vec<u8> {
        let data = element(
            SEQUENCE,
            &[
                &element(INTEGER, &[&[1]]),
                &element(SET, &[]),
                &element(SEQUENCE, &[]),
                &element(CONTEXT_0, certificates),
                &element(SET, signers),
            ],
        );
        element(SEQUENCE, &[&element(6, &[b"\x2A"]), &element(CONTEXT_0, &[&data])])
    }

    #[test]
    fn a_signer_has_its_certificate() {
        let mut bytes = signed(&[&certificate(6), &certificate(7)], &[&signer(7)]);
        bytes.extend([0; 20]);
        let parsed = SignedData::parse(&bytes).expect("signed data");
        assert_eq!(parsed.signers.len(), 1);
        assert!(parsed.has_signing_certificate());
        let bytes = signed(&[&certificate(6)], &[&signer(7), &signer(6)]);
        let parsed = SignedData::parse(&bytes).expect("signed data");
        assert_eq!(parsed.signers.len(), 2);
        assert!(!parsed.has_signing_certificate());
    }

    #[test]
    fn indefinite_lengths_are_read() {
        let inner = signed(&[&certificate(7)], &[&signer(7)]);
        let content = &inner[2..];
        let mut bytes = vec![SEQUENCE, 0x80];
        bytes.extend(if inner[1] == 0x81 { &inner[3..] } else { content });
        bytes.extend([0, 0]);
        assert!(SignedData::parse(&bytes).expect("signed data").has_signing_certificate());
    }

    #[test]
    fn other_bytes_are_rejected() {
        assert!(SignedData::parse(b"").is_none());
        assert!(SignedData::parse(&[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]).is_none());
        assert!(SignedData::parse(&[0x30; 10_000]).is_none());
        assert!(SignedData::parse(&[0x30, 0x80].repeat(10_000)).is_none());
    }
}
