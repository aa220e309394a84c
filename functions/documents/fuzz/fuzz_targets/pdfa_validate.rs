//! Validates a file against PDF/A-1b, -2u and -3a.
#![no_main]

use cos::{File, Limits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let limits = Limits {
        objects: 10_000,
        stream_bytes: 1 << 20,
        total_bytes: 16 << 20,
        search_bytes: 16 << 20,
        operators: 200_000,
        ..Limits::default()
    };
    for flavour in ["1b", "2u", "3a"] {
        let Ok(file) = File::open(data, limits) else { return };
        let Ok(flavour) = flavour.parse() else { panic!("{flavour} is a flavour") };
        let _ = pdfa::validate(&file, flavour);
    }
});
