//! Values, strings, filters and content according to ISO 32000-1.

#![allow(clippy::expect_used, reason = "a test may panic")]

use cos::{File, Limits, Name, Object, Ref, content::Operations};

/// A file with a catalog and this object.
fn file(object: &[u8]) -> File<Vec<u8>> {
    let mut bytes = b"%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 1 0 R>>\nendobj\n2 0 obj\n".to_vec();
    bytes.extend_from_slice(object);
    bytes.extend_from_slice(b"\nendobj\ntrailer <</Root 1 0 R>>");
    File::open(bytes, Limits::default()).expect("a file")
}

fn value(object: &[u8]) -> Object {
    file(object).object(Ref { number: 2, generation: 0 }).expect("an object")
}

fn data(object: &[u8]) -> Vec<u8> {
    let file = file(object);
    let Object::Stream(stream) = file.object(Ref { number: 2, generation: 0 }).expect("an object")
    else {
        panic!("no stream")
    };
    file.stream_data(&stream).expect("data")
}

#[test]
fn numbers() {
    assert_eq!(value(b"-98"), Object::Integer(-98));
    assert_eq!(value(b"99999999999999999999"), Object::Integer(i64::MAX));
    assert_eq!(value(b"+.5"), Object::Real(0.5));
    assert_eq!(value(b"-.002"), Object::Real(-0.002));
    assert_eq!(value(b"4."), Object::Real(4.0));
    assert_eq!(value(b"--5"), Object::Integer(-5), "as in other readers");
}

#[test]
fn strings() {
    let text = |object: &[u8]| value(object).as_string().expect("a string").as_bytes().to_vec();
    assert_eq!(text(b"(a(b)\\)\\n\\0534\\5\\\nx)"), b"a(b))\n+4\x05x");
    assert_eq!(text(b"(a\r\nb)"), b"a\nb");
    assert_eq!(text(b"<90 1F A>"), [0x90, 0x1F, 0xA0]);
    let hex = value(b"<4x1>").as_string().expect("a string").hex().expect("hexadecimal");
    assert_eq!((hex.digits, hex.foreign), (2, true));
    assert_eq!(value(b"<FEFF00E4>").as_string().expect("a string").text(), "ä");
    assert_eq!(value(b"(\x80\xE4)").as_string().expect("a string").text(), "•ä");
}

#[test]
fn names_and_dictionaries() {
    assert_eq!(value(b"/A#42#zz"), Object::Name(Name::new("AB#zz")));
    let dict = value(b"<</A 1/B[1 0 R null]/A 2>>");
    let dict = dict.as_dict().expect("a dictionary");
    assert_eq!(dict.get("A"), Some(&Object::Integer(2)), "the last one of two");
    assert_eq!(dict.len(), 3, "both are kept");
    let array = dict.get("B").and_then(Object::as_array).expect("an array");
    assert_eq!(array[0], Object::Ref(Ref { number: 1, generation: 0 }));
}

#[test]
fn filters() {
    assert_eq!(data(b"<</Filter/ASCIIHexDecode/Length 6>>\nstream\n4142 3>\nendstream"), b"AB0");
    assert_eq!(data(b"<</Filter/ASCII85Decode/Length 9>>\nstream\n87cURDZ~>\nendstream"), b"Hello");
    assert_eq!(
        data(b"<</Filter/RunLengthDecode/Length 6>>\nstream\n\x01ab\xFEc\x80\nendstream"),
        b"abccc"
    );
    // The example of ISO 32000-1, 7.4.4.2.
    let lzw =
        b"<</Filter/LZWDecode/Length 9>>\nstream\n\x80\x0B\x60\x50\x22\x0C\x0C\x85\x01\nendstream";
    assert_eq!(data(lzw), [45, 45, 45, 45, 45, 65, 45, 45, 45, 66]);
}

#[test]
fn predictors() {
    let png = b"<</Filter[/AHx/Fl]/Length 0>>\nstream\n>\nendstream";
    assert_eq!(data(png), b"");
    let hex = |parameters: &str, hex: &str| {
        use std::io::Write;
        let raw: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"))
            .collect();
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&raw).expect("in memory");
        let flated = encoder.finish().expect("in memory");
        let mut object = format!(
            "<</Filter/FlateDecode/DecodeParms<<{parameters}>>/Length {}>>\nstream\n",
            flated.len()
        )
        .into_bytes();
        object.extend(flated);
        object.extend_from_slice(b"\nendstream");
        data(&object)
    };
    assert_eq!(hex("/Predictor 12/Columns 3", "0201020302010101"), [1, 2, 3, 2, 3, 4], "up");
    assert_eq!(hex("/Predictor 11/Columns 3", "01010101"), [1, 2, 3], "sub");
    assert_eq!(hex("/Predictor 2/Columns 3", "010101"), [1, 2, 3], "TIFF, 8 bits");
    assert_eq!(
        hex("/Predictor 2/Columns 4/BitsPerComponent 4", "1111"),
        [0x12, 0x34],
        "TIFF, 4 bits"
    );
}

#[test]
fn content() {
    let content = b"q 1 0 0 1 5 .5 cm /F1 12 Tf [(a)-20(b)]TJ BI /W 1/H 1/F/AHx ID 0A EI>\nEI Q";
    let mut operations = Operations::new(content, &Limits::default());
    let mut names = Vec::new();
    while let Some(operator) = operations.next().expect("content") {
        names.push(String::from_utf8_lossy(operator.name).into_owned());
        if operator.name == b"cm" {
            assert_eq!(operations.operands().len(), 6);
        }
        if let Some(image) = operations.inline_image_of_last() {
            assert!(image.dict.is("F", "AHx"));
            assert_eq!(image.data, b"0A EI>");
        }
    }
    assert_eq!(names, ["q", "cm", "Tf", "TJ", "EI", "Q"]);
}

#[test]
fn object_streams() {
    let stream =
        b"<</Type/ObjStm/N 2/First 10/Length 20>>\nstream\n11 0 12 4 [7] <</A 11 0 R>>\nendstream";
    let mut bytes =
        b"%PDF-1.5\n1 0 obj\n<</Type/Catalog/Pages 11 0 R>>\nendobj\n2 0 obj\n".to_vec();
    bytes.extend_from_slice(stream);
    bytes.extend_from_slice(b"\nendobj\ntrailer <</Root 1 0 R>>");
    let file = File::open(bytes, Limits::default()).expect("a file");
    let inner = file.object(Ref { number: 12, generation: 0 }).expect("an object");
    let array = file.get(inner.as_dict().expect("a dictionary"), "A").expect("an object");
    assert_eq!(array.as_array().map(|array| array[0].clone()), Some(Object::Integer(7)));
}

/// An object of generation 3, in a file with and without a cross-reference.
#[test]
fn a_reference_to_another_generation_is_null() {
    let body =
        "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 3 R>>\nendobj\n2 3 obj\n(there)\nendobj\n";
    let offsets = ["1 0 obj", "2 3 obj"].map(|header| body.find(header).expect("an object"));
    let table = format!(
        "xref\n0 3\n0000000000 65535 f \n{:010} 00000 n \n{:010} 00003 n \n",
        offsets[0], offsets[1]
    );
    let trailer = "trailer <</Size 3/Root 1 0 R>>\n";
    let whole = format!("{body}{table}{trailer}startxref\n{}\n%%EOF", body.len());
    for bytes in [whole, format!("{body}{trailer}")] {
        let file = File::open(bytes.into_bytes(), Limits::default()).expect("a file");
        let value = |generation| file.object(Ref { number: 2, generation }).expect("an object");
        assert_eq!(value(3).as_string().expect("a string").as_bytes(), b"there");
        assert_eq!([value(0), value(4)], [Object::Null, Object::Null]);
        let pages = file.root().expect("a catalog").get("Pages").cloned().expect("an entry");
        assert_eq!(file.resolve(&pages).expect("a value"), value(3));
        assert_eq!(file.xref().refs()[1], Ref { number: 2, generation: 3 });
    }
}
