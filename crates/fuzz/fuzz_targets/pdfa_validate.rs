//! Validates a file against PDF/A-1b, -2u, -3a and -4e.
#![no_main]

use cos::File;
use documents_fuzz::small;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for flavour in ["1b", "2u", "3a", "4e"] {
        let Ok(file) = File::open(data, small()) else { return };
        let Ok(flavour) = flavour.parse() else { panic!("{flavour} is a flavour") };
        let _ = pdfa::validate(&file, flavour);
    }
});
