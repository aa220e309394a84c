//! Passwords and security handlers.

use std::fmt::Write;
use std::iter;

use md5::{Digest, Md5};

use crate::build::{Body, Pdf, Row, number, packed, show, stream};
use crate::deflate::{bomb, deflate, mebibyte};
use crate::xref::last_startxref;

/// Pads a password to 32 bytes (ISO 32000-1, 7.6.3.3, step a).
const PADDING: [u8; 32] = *b"\x28\xBF\x4E\x5E\x4E\x75\x8A\x41\x64\x00\x4E\x56\xFF\xFA\x01\x08\
    \x2E\x2E\x00\xB6\xD0\x68\x3E\x80\x2F\x0C\xA9\xFE\x64\x53\x69\x7A";
const ID: &[u8; 16] = b"hostile-pdfs-id!";

/// RC4, which is its own inverse.
fn rc4(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut state: [u8; 256] = std::array::from_fn(|n| u8::try_from(n).unwrap_or_default());
    let mut j = 0_u8;
    for i in 0..256 {
        j = j.wrapping_add(state[i]).wrapping_add(key[i % key.len()]);
        state.swap(i, usize::from(j));
    }
    let (mut i, mut j) = (0_u8, 0_u8);
    let next = |byte: &u8| {
        i = i.wrapping_add(1);
        j = j.wrapping_add(state[usize::from(i)]);
        state.swap(usize::from(i), usize::from(j));
        let at = state[usize::from(i)].wrapping_add(state[usize::from(j)]);
        byte ^ state[usize::from(at)]
    };
    data.iter().map(next).collect()
}

fn padded(password: &str) -> Vec<u8> {
    password.bytes().chain(PADDING).take(32).collect()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The standard security handler of revision 2: RC4 with 40 bits.
struct Standard {
    key: Vec<u8>,
    dictionary: String,
}

impl Standard {
    fn new(user: &str) -> Self {
        let owner_key = &Md5::digest(padded("owner"))[..5];
        let owner = rc4(owner_key, &padded(user));
        let input = [&padded(user), &owner[..], &(-4_i32).to_le_bytes(), ID].concat();
        let key = Md5::digest(input)[..5].to_vec();
        let check = rc4(&key, &PADDING);
        let dictionary = format!(
            "<< /Filter /Standard /V 1 /R 2 /O <{}> /U <{}> /P -4 >>",
            hex(&owner),
            hex(&check)
        );
        Self { key, dictionary }
    }

    /// Encrypts `data` for object `n` of generation 0.
    fn encrypt(&self, n: u32, data: &[u8]) -> Vec<u8> {
        let key = [&self.key, &n.to_le_bytes()[..3], &[0, 0]].concat();
        rc4(&Md5::digest(key)[..10], data)
    }

    fn trailer(&self) -> String {
        format!("/Encrypt {} /ID [<{}> <{}>]", self.dictionary, hex(ID), hex(ID))
    }

    /// A file with some objects in an object stream, which is object 10.
    fn packed(&self, pdf: Pdf, objects: &[(u32, Vec<u8>)]) -> Vec<u8> {
        let (index, data) = packed(objects);
        let entries = format!(
            "/Type /ObjStm /N {} /First {} /Filter /FlateDecode",
            objects.len(),
            index.len()
        );
        let numbers: Vec<_> = objects.iter().map(|(n, _)| *n).collect();
        self.with_object_stream(pdf, &entries, &deflate(&[index, data].concat()), &numbers)
    }

    /// A file with any object stream, as object 10, which contains the objects `numbers`.
    fn with_object_stream(&self, pdf: Pdf, entries: &str, data: &[u8], numbers: &[u32]) -> Vec<u8> {
        let contents = self.encrypt(4, show("behind a password").as_bytes());
        let mut body = Body::new(pdf.head.clone());
        let mut rows = vec![Row::Free; 21];
        for (n, object) in (1..).zip(pdf.contents_object(stream("", &contents)).objects()) {
            rows[n] = Row::At(body.bytes.len() as u64);
            body.add_as(number(n), &object);
        }
        rows[10] = Row::At(body.bytes.len() as u64);
        body.add_as(10, &stream(entries, &self.encrypt(10, data)));
        for (index, n) in (0..).zip(numbers) {
            rows[*n as usize] = Row::In(10, index);
        }
        body.finish_stream(&rows, &format!("/Root 1 0 R {}", self.trailer()))
    }

    /// A file of one page, whose contents are encrypted.
    fn file(&self, catalog: &str) -> Vec<u8> {
        let contents = self.encrypt(4, show("behind a password").as_bytes());
        Pdf::new()
            .catalog(catalog)
            .contents_object(stream("", &contents))
            .trailer(&self.trailer())
            .finish()
    }
}

/// A file with any `/Encrypt`.
fn with_handler(dictionary: &str) -> Vec<u8> {
    Pdf::new().trailer(&format!("/Encrypt {dictionary} /ID [<{}> <00>]", hex(ID))).finish()
}

crate::cases! {
    /// Encrypted with RC4, and the user password is not empty.
    fn password() { Standard::new("secret").file("") }

    /// Encrypted with the empty user password, which every reader tries.
    fn password_empty() { Standard::new("").file("") }

    /// Encrypted with the empty user password, with a script that runs when the file opens.
    fn password_empty_script() {
        let standard = Standard::new("");
        let script = hex(&standard.encrypt(1, b"app.alert(1)"));
        standard.file(&format!("/OpenAction << /S /JavaScript /JS <{script}> >>"))
    }

    /// A script that runs when the file opens, and the catalog in an object stream, which is
    /// encrypted as a whole.
    fn password_empty_script_packed() {
        let catalog = b"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript \
                        /JS (app.alert\\(1\\)) >> >>";
        Standard::new("").packed(Pdf::new(), &[(1, catalog.to_vec())])
    }

    /// Encrypted with the empty user password: a tree of 10^10 pages.
    fn password_empty_tree_expansion() {
        let node = |n: u32| {
            format!("<< /Type /Pages /Count 10 /Kids [{}] >>", format!("{n} 0 R ").repeat(10))
        };
        let standard = Standard::new("");
        let pdf = Pdf::new().tree(node(6)).trailer(&standard.trailer());
        (7..16).fold(pdf, |pdf, n| pdf.with(node(n))).with(node(3)).finish()
    }

    /// A tree of 10^10 pages in an encrypted object stream.
    fn password_empty_tree_expansion_packed() {
        let node = |n: u32| {
            format!("<< /Type /Pages /Count 10 /Kids [{}] >>", format!("{n} 0 R ").repeat(10))
        };
        let mut nodes = vec![(2, node(11).into_bytes())];
        nodes.extend((11..20).map(|n| (n, node(n + 1).into_bytes())));
        nodes.push((20, node(3).into_bytes()));
        Standard::new("").packed(Pdf::new(), &nodes)
    }

    /// Encrypted with the empty user password: a page tree that is its own kid, in an object
    /// stream.
    fn password_empty_tree_loop_packed() {
        let tree = b"<< /Type /Pages /Count 1000000000 /Kids [3 0 R 2 0 R] >>";
        Standard::new("").packed(Pdf::new(), &[(2, tree.to_vec())])
    }

    /// Encrypted with the empty user password: an object stream that inflates to 2 GiB.
    fn password_empty_object_stream_bomb() {
        let data = bomb(b"11 0 [1]", &mebibyte(b' '), 2_048, b"");
        let entries = "/Type /ObjStm /N 1 /First 5 /Filter [/FlateDecode /FlateDecode]";
        let data = deflate(&data);
        let standard = Standard::new("");
        standard.with_object_stream(Pdf::new(), entries, &data, &[11])
    }

    /// Encrypted with the empty user password: contents that inflate to 2 GiB.
    fn password_empty_flate_bomb() {
        let standard = Standard::new("");
        let data = deflate(&bomb(b"", &mebibyte(b' '), 2_048, b""));
        let entries = "/Filter [/FlateDecode /FlateDecode]";
        Pdf::new()
            .contents_object(stream(entries, &standard.encrypt(4, &data)))
            .trailer(&standard.trailer())
            .finish()
    }

    /// Encrypted with the empty user password: an array nested 200,000 deep in an object stream.
    fn password_empty_nested_packed() {
        let nest = [b"[".repeat(200_000), b"]".repeat(200_000)].concat();
        Standard::new("").packed(Pdf::new(), &[(11, nest)])
    }

    /// Only the attachment is encrypted, and the user password is not empty (7.6.5, `/EFF`).
    fn attachments_locked() {
        let encrypt = format!(
            "/Encrypt << /Filter /Standard /V 4 /R 4 /Length 128 /O <{0}> /U <{0}> /P -4 \
             /StmF /Identity /StrF /Identity /EFF /StdCF \
             /CF << /StdCF << /AuthEvent /EFOpen /CFM /AESV2 /Length 16 >> >> >> /ID [<{1}> <{1}>]",
            "5a".repeat(32),
            hex(ID)
        );
        Pdf::new()
            .catalog("/Names << /EmbeddedFiles << /Names [(a) 6 0 R] >> >>")
            .trailer(&encrypt)
            .with("<< /Type /Filespec /F (a.txt) /EF << /F 7 0 R >> >>")
            .with(stream("/Type /EmbeddedFile /Filter /FlateDecode", &[0x5a; 48]))
            .finish()
    }

    /// Attachment and strings are encrypted, and the user password is not empty.
    fn attachments_and_strings_locked() {
        let encrypt = format!(
            "/Encrypt << /Filter /Standard /V 4 /R 4 /Length 128 /O <{0}> /U <{0}> /P -4 \
             /StmF /Identity /StrF /StdCF /EFF /StdCF \
             /CF << /StdCF << /AuthEvent /DocOpen /CFM /AESV2 /Length 16 >> >> >> \
             /ID [<{1}> <{1}>]",
            "5a".repeat(32),
            hex(ID)
        );
        Pdf::new().trailer(&encrypt).finish()
    }

    /// An unknown security handler.
    fn handler_unknown() { with_handler("<< /Filter /Acme.Lock /V 1 /Length 40 >>") }

    /// Encrypted for the holders of certificates.
    fn handler_public_key() {
        with_handler("<< /Filter /Adobe.PubSec /SubFilter /adbe.pkcs7.s5 /V 4 /Recipients [<30>] >>")
    }

    /// The standard handler with a version and a revision that do not exist.
    fn handler_version() {
        with_handler("<< /Filter /Standard /V 99 /R 99 /O <00> /U <00> /P -4 >>")
    }

    /// The standard handler with a key of 2,000,000,000 bits and no passwords.
    fn handler_key_giant() {
        with_handler("<< /Filter /Standard /V 2 /R 3 /Length 2000000000 /P -4 >>")
    }

    /// Crypt filters that refer to each other, and a name that does not exist.
    fn handler_filters() {
        with_handler(
            "<< /Filter /Standard /V 4 /R 4 /Length 128 /O <00> /U <00> /P -4 /StmF /None \
             /StrF /Std /CF << /Std << /CFM /Std /Length -1 >> >> >>",
        )
    }

    /// `/Encrypt` is a reference to itself.
    fn handler_loop() {
        let pdf = Pdf::new().trailer("/Encrypt 6 0 R").with("6 0 R");
        pdf.finish()
    }

    /// `/Encrypt` is an object that does not exist.
    fn handler_dangling() { with_handler("99 0 R") }

    /// `/Encrypt` is not a dictionary.
    fn handler_number() { with_handler("42") }

    /// Only the first revision has `/Encrypt`; an update omits it.
    fn handler_in_first_revision() {
        let first = Standard::new("secret").file("");
        let prev = last_startxref(&first);
        let mut body = Body::new(first);
        let at = body.bytes.len();
        body.text(&format!("xref\n0 0\ntrailer\n<< /Size 6 /Root 1 0 R /Prev {prev} >>\n"));
        body.end(at)
    }

    /// A page that asks for another program, with the real document in an encrypted attachment (ISO
    /// 32000-2, 7.6.7).
    fn wrapper() {
        Pdf::new()
            .catalog("/Collection << /View /H >> /AF [6 0 R] /Names << /EmbeddedFiles << /Names \
                      [(a) 6 0 R] >> >>")
            .with("<< /Type /Filespec /F (a.pdf) /AFRelationship /EncryptedPayload /EF \
                   << /F 7 0 R >> /EP << /Type /EncryptedPayload /Subtype /Acme >> >>")
            .with(stream("/Type /EmbeddedFile", &iter::repeat_n(7, 500).collect::<Vec<_>>()))
            .finish()
    }
}
