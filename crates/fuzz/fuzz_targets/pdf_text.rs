//! Reads the text of every page.
#![no_main]

use std::ops::ControlFlow;

use libfuzzer_sys::fuzz_target;
use pdf_text::{Document, Limits};

fuzz_target!(|data: &[u8]| {
    let default = Limits::default();
    let limits = Limits {
        objects: cos::Limits {
            objects: 10_000,
            stream_bytes: 1 << 20,
            total_bytes: 16 << 20,
            search_bytes: 16 << 20,
            ..default.objects
        },
        pages: 100,
        text_bytes: 1 << 20,
        page_glyphs: 20_000,
        content_bytes: 1 << 20,
        page_operators: 100_000,
        operators: 200_000,
        page_forms: 1_000,
        ..default
    };
    let Ok(document) = Document::open(data, limits) else { return };
    let _ = (document.version(), document.metadata());
    let mut last = 0;
    let _ = document.read_pages(1, |page| {
        assert!(page.number > last, "pages are given in their order");
        last = page.number;
        let _ = page.text();
        ControlFlow::Continue(())
    });
});
