//! Validates a file whose metadata is the input.
#![no_main]

use cos::{File, Limits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut bytes = format!(
        "%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R/Metadata 3 0 R>>\nendobj\n\
         2 0 obj\n<</Type/Pages/Kids[]/Count 0>>\nendobj\n\
         3 0 obj\n<</Type/Metadata/Subtype/XML/Length {}>>\nstream\n",
        data.len()
    )
    .into_bytes();
    bytes.extend_from_slice(data);
    bytes.extend_from_slice(b"\nendstream\nendobj\ntrailer\n<</Root 1 0 R>>\n");
    let Ok(file) = File::open(bytes, Limits::default()) else { return };
    for flavour in ["1a", "2b"] {
        let Ok(flavour) = flavour.parse() else { panic!("{flavour} is a flavour") };
        let _ = pdfa::validate(&file, flavour);
    }
});
