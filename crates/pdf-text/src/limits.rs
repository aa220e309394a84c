//! The limits of a file.

/// Upper bounds on what a file may use. Exceeding one is [`Refusal::Limit`] with its name, instead
/// of the current page.
///
/// [`Refusal::Limit`]: crate::Refusal::Limit
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Limits of objects and streams, such as the inflated bytes of a stream and the nesting depth
    /// of arrays.
    pub objects: cos::Limits,
    /// Pages.
    pub pages: usize,
    /// Total bytes of text of the pages that are read.
    pub text_bytes: usize,
    /// Glyphs of one page.
    pub page_glyphs: usize,
    /// Bytes of one page's content streams after their filters, without the forms that it draws.
    pub content_bytes: usize,
    /// Operators run for one page; a form counts each time it is drawn.
    pub page_operators: usize,
    /// Operators run in total.
    pub operators: u64,
    /// Nesting depth of forms.
    pub form_depth: usize,
    /// Forms drawn on one page.
    pub page_forms: usize,
    /// Bytes of one font program or character map after its filters. A larger one is ignored.
    pub font_bytes: usize,
    /// Approximate bytes of fonts in the cache.
    pub font_cache_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            objects: cos::Limits {
                stream_bytes: 32 << 20,
                cache_bytes: 8 << 20,
                ..cos::Limits::default()
            },
            pages: 5_000,
            text_bytes: 16 << 20,
            page_glyphs: 300_000,
            content_bytes: 32 << 20,
            page_operators: 5_000_000,
            operators: 100_000_000,
            form_depth: 24,
            page_forms: 20_000,
            font_bytes: 8 << 20,
            font_cache_bytes: 8 << 20,
        }
    }
}
