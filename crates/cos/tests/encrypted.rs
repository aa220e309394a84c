//! Encrypted files: from other programs, and handmade.

#![expect(clippy::expect_used, reason = "a test stops where it fails")]

use std::{fs, path::Path};

use cos::{Access, File, Limits, Object, Ref};

fn open(name: &str) -> File<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/pdf").join(name);
    let bytes = fs::read(path).expect("a file of the repository");
    File::open(bytes, Limits::default()).expect("a file that opens")
}

/// AES-256, revision 6, with the catalog in an encrypted object stream.
#[test]
fn the_empty_password_opens_a_file() {
    let file = open("letter-encrypted.pdf");
    assert_eq!(file.access(), Access::Unlocked);
    assert!(!file.rebuilt(), "the file is intact");
    assert_eq!(file.pages().expect("its pages").len(), 1);
    let Object::Dict(info) = file.get(file.trailer(), "Info").expect("its Info") else {
        panic!("Info is a dictionary");
    };
    let title = file.get(&info, "Title").expect("its title");
    let title = title.as_string().expect("a string").text();
    assert_eq!(title, "Lettre du garage, réparation du vélo n° 27");
    for id in file.xref().refs() {
        if let Ok(Object::Stream(stream)) = file.object(id) {
            assert!(!file.decode(&stream).expect("within budgets").damaged, "{id}");
        }
    }
}

/// RC4 with 40 bits: strings and streams are decrypted.
#[test]
fn rc4_opens() {
    let case = hostile_pdfs::encryption::password_empty_script();
    let file = File::open(case.bytes, Limits::default()).expect("a file that opens");
    assert_eq!(file.access(), Access::Unlocked);
    let root = file.root().expect("a catalog");
    let Object::Dict(action) = file.get(&root, "OpenAction").expect("an action") else {
        panic!("an action is a dictionary");
    };
    assert_eq!(action.get("JS").and_then(Object::as_string).expect("JS").text(), "app.alert(1)");
    let Ok(Object::Stream(contents)) = file.object(Ref { number: 4, generation: 0 }) else {
        panic!("object 4 has the contents");
    };
    let data = file.stream_data(&contents).expect("its data");
    assert!(data.starts_with(b"BT /F1 12 Tf"), "{}", data.escape_ascii());
}

#[test]
fn a_file_that_cannot_be_decrypted_reports_why() {
    use hostile_pdfs::encryption::{
        handler_dangling, handler_loop, handler_number, handler_public_key, handler_unknown,
        handler_version, password,
    };
    let access = |case: hostile_pdfs::Case| {
        File::open(case.bytes, Limits::default()).expect("a file that opens").access()
    };
    assert_eq!(access(password()), Access::Locked);
    for make in [
        handler_dangling,
        handler_loop,
        handler_number,
        handler_public_key,
        handler_unknown,
        handler_version,
    ] {
        let case = make();
        let name = case.name.clone();
        assert_eq!(access(case), Access::Unknown, "{name}");
    }
}
