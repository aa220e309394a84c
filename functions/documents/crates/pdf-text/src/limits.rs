//! The budgets.

/// What a file may cost. All are upper bounds; going over one is [`Refusal::Limit`], which says
/// which one, in place of the page at hand.
///
/// [`Refusal::Limit`]: crate::Refusal::Limit
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The budgets of the objects and streams: what a stream may inflate to, how deep arrays nest.
    pub objects: cos::Limits,
    /// Pages.
    pub pages: usize,
    /// Bytes of text of the pages that are read, in all.
    pub text_bytes: usize,
    /// Glyphs of one page.
    pub page_glyphs: usize,
    /// Bytes of one page's content streams, decoded, the forms that it draws not counted.
    pub content_bytes: usize,
    /// Operators run for one page, those of forms counted each time they are drawn.
    pub page_operators: usize,
    /// Operators run in all.
    pub operators: u64,
    /// Forms that draw forms.
    pub form_depth: usize,
    /// Forms drawn on one page.
    pub page_forms: usize,
    /// Bytes of one font program or character map, decoded. A larger one is not looked at.
    pub font_bytes: usize,
    /// Bytes of fonts kept for the next page, roughly.
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
