//! Inspects a file and judges it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pdf_inspect::{Error, Limits, Policy, inspect};

fuzz_target!(|data: &[u8]| {
    let limits = Limits {
        objects: 10_000,
        stream_bytes: 1 << 20,
        image_bytes: 1 << 20,
        total_bytes: 16 << 20,
        operators: 200_000,
        work: 2_000_000,
        ..Limits::default()
    };
    match inspect(data, &limits) {
        Ok(findings) => {
            assert!(findings.pages > 0 && findings.pages <= limits.pages);
            assert!(findings.work <= limits.work);
            let _ = Policy::default().judge(&findings);
        }
        Err(Error::Refused(_)) => {}
        Err(Error::Io(error)) => panic!("memory does not fail: {error}"),
    }
});
