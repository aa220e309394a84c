//! Opens whatever it is given, and reads every object, every stream and every page of it.
#![no_main]

use cos::{Entry, Error, File, Limits, Object};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let limits = Limits {
        objects: 10_000,
        stream_bytes: 1 << 20,
        total_bytes: 16 << 20,
        search_bytes: 16 << 20,
        ..Limits::default()
    };
    let Ok(file) = File::open(data, limits) else { return };
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
