//! Limits that apply while the caller reads single objects.

use cos::{Error, File, Limit, Limits, Object, Ref, content::Operations};

/// A file with these objects, numbered from 1, and a cross-reference table with the entries `more`
/// added.
fn file(objects: &[&str], more: &[usize]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::new();
    for (n, object) in (1..).zip(objects) {
        offsets.push(bytes.len());
        bytes.extend_from_slice(format!("{n} 0 obj\n{object}\nendobj\n").as_bytes());
    }
    let more: Vec<_> = more.iter().map(|n| offsets[n - 1]).collect();
    offsets.extend(more);
    let at = bytes.len();
    bytes.extend_from_slice(
        format!("xref\n0 {}\n0000000000 65535 f \n", offsets.len() + 1).as_bytes(),
    );
    for offset in &offsets {
        bytes.extend_from_slice(format!("{offset:010} 00000 n \n").as_bytes());
    }
    let size = offsets.len() + 1;
    bytes.extend_from_slice(
        format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{at}\n%%EOF\n").as_bytes(),
    );
    bytes
}

/// The limit of values also applies to an array in a content stream.
#[test]
fn an_operand_is_bounded() {
    let content = format!("[{}] TJ", "0 ".repeat(5_000));
    let limits = Limits { values: 1_000, ..Limits::default() };
    let mut operations = Operations::new(content.as_bytes(), &limits);
    assert!(matches!(operations.next(), Err(Error::Limit(Limit::Values))));
    // But not to all operators together.
    let content = "[0 0 0 0] TJ ".repeat(1_000);
    let mut operations = Operations::new(content.as_bytes(), &limits);
    let mut count = 0;
    while operations.next().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 1_000);
}

/// An entry that points to another object does not cost the size of that object.
#[test]
fn an_entry_that_leads_elsewhere_is_cheap() {
    let great = format!("[{}]", "0 ".repeat(10_000));
    let objects = ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Kids [] >>", &great];
    let bytes = file(&objects, &[3]);
    let limits = Limits { values: 1_000, ..Limits::default() };
    let file = File::open(bytes, limits).unwrap();
    let get = |number| file.object(Ref { number, generation: 0 });
    assert!(matches!(get(3), Err(Error::Limit(Limit::Values))));
    assert!(matches!(get(4), Err(Error::Syntax { .. })), "{:?}", get(4));
}

/// Every object of an object stream is returned with its length.
#[test]
fn all_objects_of_an_object_stream_are_read() {
    let stream = "<< /Type /ObjStm /N 2 /First 10 /Length 120 >>\nstream\n7 0 8 0   (";
    let stream = format!("{stream}{})\nendstream", "x".repeat(108));
    let objects = ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Kids [] >>", &stream];
    let bytes = file(&objects, &[]);
    let file = File::open(bytes, Limits::default()).unwrap();
    let Object::Stream(stream) = file.object(Ref { number: 3, generation: 0 }).unwrap() else {
        panic!("object 3 is a stream");
    };
    let mut found = Vec::new();
    let each = |number, object: Object, length| {
        found.push((number, object.as_string().map(|text| text.as_bytes().len()), length));
        Ok::<_, Error>(())
    };
    file.each_object_in(&stream, each).unwrap();
    assert_eq!(found, [(7, Some(108), 110), (8, Some(108), 110)]);
}

/// A stream that inflates beyond its limit is an error, whatever the size of the output buffer.
#[test]
fn a_stream_is_bounded_at_any_size() {
    let case = hostile_pdfs::filters::flate_bomb();
    for stream_bytes in (1 << 20..).step_by(97).take(30).chain([0, 1, 64, 500, 1_023]) {
        // The file is also read in pieces, which have the same limit.
        let limits = Limits { stream_bytes: stream_bytes + (4 << 20), ..Limits::default() };
        let file = File::open(case.bytes.clone(), limits).unwrap();
        let Ok(Object::Stream(contents)) = file.object(Ref { number: 4, generation: 0 }) else {
            panic!("object 4 has the contents");
        };
        let decoded = file.decode(&contents);
        assert!(matches!(decoded, Err(Error::Limit(Limit::StreamBytes))), "{stream_bytes}");
    }
}
