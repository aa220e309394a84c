//! Opens the input as a file, and reads every object, every stream and every page.
#![no_main]

use cos::{Entry, Error, File, Object};
use documents_fuzz::small;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(file) = File::open(data, small()) else { return };
    let _ = (file.version(), file.linearization(), file.pages());
    for id in file.xref().refs() {
        if let Some(Entry::At { offset, .. }) = file.xref().entry(id.number) {
            let _ = file.indirect_at(offset);
        }
        let Ok(Object::Stream(stream)) = file.object(id) else { continue };
        if file.decode(&stream).is_ok() {
            let _ = file.each_object_in(&stream, |_, _, _| Ok::<_, Error>(()));
        }
    }
});
