//! For any input, reading ends with a value or an error.

#![allow(clippy::expect_used, reason = "a test may panic")]

use std::fmt::Write as _;

use cos::{Error, File, Limit, Limits, Object, OpenError, content::Operations};
use proptest::prelude::*;

/// A small file with a table, a compressed stream, a page tree and an indirect length.
fn sample() -> Vec<u8> {
    let mut bytes = b"%PDF-1.4\n%\xE2\xE3\xCF\xD3\n".to_vec();
    let objects: [&[u8]; 6] = [
        b"<</Type/Catalog/Pages 2 0 R/Names<</A[(x)<414>]>>>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 100 100]>>",
        b"<</Type/Page/Parent 2 0 R/Contents 4 0 R>>",
        b"<</Length 5 0 R/Filter/ASCIIHexDecode>>\nstream\n71 20 51>\nendstream",
        b"9",
        b"<</Length 4/Filter[/A85/LZW]/DecodeParms[null<</Predictor 12/Columns 3>>]>>\nstream\n<~~>\nendstream",
    ];
    let mut offsets = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        offsets.push(bytes.len());
        bytes.extend(format!("{} 0 obj\n", at + 1).bytes());
        bytes.extend_from_slice(object);
        bytes.extend_from_slice(b"\nendobj\n");
    }
    let start = bytes.len();
    bytes.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for offset in offsets {
        bytes.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    bytes.extend(
        format!("trailer\n<</Size 7/Root 1 0 R/ID[<00><00>]>>\nstartxref\n{start}\n%%EOF\n")
            .bytes(),
    );
    bytes
}

/// Reads everything in the file.
fn read_all(bytes: Vec<u8>) {
    let limits = Limits { stream_bytes: 1 << 20, total_bytes: 1 << 22, ..Limits::default() };
    let Ok(file) = File::open(bytes, limits) else { return };
    for id in file.xref().refs().into_iter().take(1_000) {
        if let Ok(Object::Stream(stream)) = file.object(id)
            && let Ok(data) = file.stream_data(&stream)
        {
            let mut operations = Operations::new(&data, &limits);
            while let Ok(Some(_)) = operations.next() {}
        }
    }
    let _ = (file.pages(), file.version(), file.linearization(), file.is_encrypted());
}

#[test]
fn the_sample_is_read_without_repair() {
    let file = File::open(sample(), Limits::default()).expect("a file");
    assert!(!file.rebuilt());
    let pages = file.pages().expect("pages");
    assert_eq!(pages.len(), 1);
    assert!(pages[0].get("MediaBox").is_some(), "inherited");
    let Object::Stream(contents) = file.get(&pages[0].dict, "Contents").expect("an object") else {
        panic!("no stream")
    };
    assert_eq!(file.stream_data(&contents).expect("data"), b"q Q");
    assert!(contents.form().as_declared);
    assert_eq!(contents.form().declared, Some(9));
}

#[test]
fn a_file_without_its_table_is_rebuilt() {
    let mut bytes = sample();
    let at = bytes.windows(4).rposition(|window| window == b"xref").expect("startxref");
    bytes.truncate(at - 5);
    let file = File::open(bytes.clone(), Limits::default()).expect("a file");
    assert!(file.rebuilt());
    assert_eq!(file.pages().expect("pages").len(), 1);
    let small = Limits { rebuild_bytes: 100, ..Limits::default() };
    assert!(matches!(File::open(bytes, small), Err(OpenError::Damaged(_))));
}

#[test]
fn offsets_may_count_from_a_header_that_is_not_at_the_start() {
    let mut bytes = b"junk before\n".to_vec();
    bytes.extend(sample());
    let file = File::open(bytes, Limits::default()).expect("a file");
    assert!(!file.rebuilt());
    assert_eq!(file.header().offset, 12);
}

#[test]
fn nesting_is_bounded() {
    let mut bytes = b"%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n3 0 obj\n".to_vec();
    bytes.extend(vec![b'['; 200_000]);
    bytes.extend_from_slice(b"\nendobj\ntrailer <</Root 1 0 R>>");
    let file = File::open(bytes, Limits::default()).expect("a file");
    assert!(matches!(
        file.object(cos::Ref { number: 3, generation: 0 }),
        Err(Error::Limit(Limit::Nesting))
    ));
}

#[test]
fn the_decoded_length_of_a_stream_is_bounded() {
    use std::io::Write;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        encoder.write_all(&vec![0; 1 << 20]).expect("in memory");
    }
    let bomb = encoder.finish().expect("in memory");
    let mut bytes = format!("%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 1 0 R>>\nendobj\n2 0 obj\n<</Length {}/Filter/FlateDecode>>\nstream\n", bomb.len()).into_bytes();
    bytes.extend(bomb);
    bytes.extend_from_slice(b"\nendstream\nendobj\ntrailer <</Root 1 0 R>>");
    let limits = Limits { stream_bytes: 1 << 20, ..Limits::default() };
    let file = File::open(bytes, limits).expect("a file");
    let Object::Stream(stream) =
        file.object(cos::Ref { number: 2, generation: 0 }).expect("an object")
    else {
        panic!("no stream")
    };
    assert!(matches!(file.stream_data(&stream), Err(Error::Limit(Limit::StreamBytes))));
}

#[test]
fn declared_sizes_of_a_cross_reference_stream_are_not_trusted() {
    let bytes = b"%PDF-1.5\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[]/Count 1000000000>>\nendobj\n\
        3 0 obj\n<</Type/XRef/W[2000000000 2000000000 2000000000]/Index[0 2000000000]/Size 2000000000/Root 1 0 R/Length 0>>\nstream\n\nendstream\nendobj\n\
        startxref\n102\n%%EOF\n".to_vec();
    let file = File::open(bytes, Limits::default()).expect("rebuilt");
    assert!(file.rebuilt());
    assert!(file.pages().expect("pages").is_empty());
}

#[test]
fn a_loop_of_sections_ends() {
    let mut bytes = b"%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n".to_vec();
    let pages = bytes.len();
    bytes.extend_from_slice(b"2 0 obj\n<</Type/Pages/Kids[2 0 R 2 0 R]>>\nendobj\n");
    let start = bytes.len();
    bytes.extend(
        format!("xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n{pages:010} 00000 n \n")
            .bytes(),
    );
    bytes.extend(
        format!("trailer\n<</Size 3/Root 1 0 R/Prev {start}>>\nstartxref\n{start}\n%%EOF").bytes(),
    );
    let file = File::open(bytes, Limits::default()).expect("a file");
    assert!(!file.rebuilt());
    assert_eq!(file.xref().sections().len(), 1);
    assert!(file.pages().expect("pages").is_empty());
}

#[test]
fn a_length_that_refers_to_its_own_stream_ends() {
    let bytes = b"%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 1 0 R>>\nendobj\n2 0 obj\n<</Length 2 0 R>>\nstream\nabc\nendstream\nendobj\ntrailer <</Root 1 0 R>>".to_vec();
    let file = File::open(bytes, Limits::default()).expect("a file");
    let Object::Stream(stream) =
        file.object(cos::Ref { number: 2, generation: 0 }).expect("an object")
    else {
        panic!("no stream")
    };
    assert_eq!(file.stream_data(&stream).expect("data"), b"abc");
}

#[test]
fn overlapping_objects_stay_within_the_budget() {
    let mut bytes = b"%PDF-1.4\n".to_vec();
    let mut table = String::new();
    for number in 1..=2_000 {
        writeln!(table, "{:010} 00000 n ", bytes.len()).expect("a string takes it");
        // No string ends, so each includes all that follow it.
        bytes.extend(format!("{number} 0 obj (").bytes());
    }
    bytes.extend(vec![b'a'; 100_000]);
    let root = bytes.len();
    bytes.extend_from_slice(b"\n3000 0 obj\n<</Type/Catalog/Pages<<>>>>\nendobj\n");
    let start = bytes.len();
    bytes.extend(format!("xref\n1 2000\n{table}3000 1\n{:010} 00000 n \n", root + 1).bytes());
    bytes.extend(format!("trailer\n<</Root 3000 0 R>>\nstartxref\n{start}\n%%EOF").bytes());
    let limits = Limits { total_bytes: 1 << 20, ..Limits::default() };
    let file = File::open(bytes, limits).expect("a file");
    assert!(!file.rebuilt());
    let refused = |id| matches!(file.object(id), Err(Error::Limit(Limit::TotalBytes)));
    assert!(file.xref().refs().into_iter().filter(|id| refused(*id)).count() > 1_900);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn mutated_files_end(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12)) {
        let mut bytes = sample();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        read_all(bytes);
    }

    #[test]
    fn truncated_and_repeated_files_end(from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>()) {
        let bytes = sample();
        let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
        let mut cut = bytes[..to].to_vec();
        cut.extend_from_slice(&bytes[from..]);
        read_all(cut);
    }

    #[test]
    fn any_content_ends(content in "[ -~\n]{0,200}") {
        let mut operations = Operations::new(content.as_bytes(), &Limits::default());
        while let Ok(Some(_)) = operations.next() {}
    }

    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut file = b"%PDF-1.4\n".to_vec();
        file.extend(&bytes);
        read_all(file);
        let mut operations = Operations::new(&bytes, &Limits::default());
        while let Ok(Some(_)) = operations.next() {}
    }
}
