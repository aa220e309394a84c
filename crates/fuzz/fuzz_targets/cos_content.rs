//! Reads a content stream.
#![no_main]

use cos::{File, content::Operations};
use documents_fuzz::small;
use libfuzzer_sys::fuzz_target;

/// A file, for the filters of inline images.
const FILE: &[u8] = b"%PDF-1.4\n1 0 obj<</Pages 2 0 R>>endobj 2 0 obj<</Kids[]>>endobj\n\
    trailer<</Root 1 0 R>>";

fuzz_target!(|data: &[u8]| {
    let limits = small();
    let file = File::open(FILE, limits);
    let mut operations = Operations::new(data, &limits);
    let mut last = 0;
    while let Ok(Some(operator)) = operations.next() {
        assert!(operator.offset >= last, "operators are given in their order");
        last = operator.offset;
        assert!(operations.operands().len() <= limits.operands);
        if let (Some(image), Ok(file)) = (operations.inline_image_of_last(), &file) {
            let _ = file.decode_inline(&image.dict, image.data);
        }
    }
});
