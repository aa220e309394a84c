//! An open file, and the text of its pages.

use std::ops::ControlFlow;

use cos::{Access, File, Source};

use crate::font::Fonts;
use crate::interpret::{self, Layers, Shared};
use crate::layout;
use crate::limits::Limits;
use crate::metadata::Metadata;
use crate::page::Page;
use crate::pages::Pages;
use crate::refusal::{Budget, Refusal, lenient};

/// An open PDF.
pub struct Document<S> {
    file: File<S>,
    limits: Limits,
    pages: usize,
}

impl<S: Source> Document<S> {
    /// Opens a file. Reads only its header, its cross-reference and its first objects. A file that
    /// the empty password opens is decrypted while it is read.
    pub fn open(source: S, limits: Limits) -> Result<Self, Refusal> {
        let file = File::open(source, limits.objects)?;
        match file.access() {
            Access::Open | Access::Unlocked | Access::AttachmentsLocked => {}
            Access::Locked => return Err(Refusal::PasswordProtected),
            Access::Unknown => return Err(Refusal::Damaged),
        }
        let pages = Pages::count(&file, &limits)?;
        if pages == 0 {
            return Err(Refusal::Damaged);
        }
        Ok(Self { file, limits, pages })
    }

    /// Number of pages: the number in the file, or counted if that number is impossible.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.pages
    }

    /// The PDF version, such as `1.7`; `None` if the file has none.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        self.file.version().map(|(major, minor)| format!("{major}.{minor}"))
    }

    /// The title, author and programs in the file.
    pub fn metadata(&self) -> Result<Metadata, Refusal> {
        Metadata::read(&self.file)
    }

    /// Whether it has an XFA form (ISO 32000-1, 12.7.8). The contents of such a form are not part
    /// of the pages, so its labels and values may be missing from the text.
    pub fn has_xfa(&self) -> Result<bool, Refusal> {
        let root = lenient(self.file.root())?;
        let form = lenient(self.file.get(&root, "AcroForm"))?;
        let Some(form) = form.as_dict() else { return Ok(false) };
        Ok(!lenient(self.file.get(form, "XFA"))?.is_null())
    }

    /// Reads the pages from number `from` (the first is 1), and passes each to `each` as soon as it
    /// is read, until `each` breaks or there are no more. Only fonts and objects are kept between
    /// pages, within limits, so a caller may stop at any page and continue later.
    pub fn read_pages(
        &self,
        from: usize,
        each: impl FnMut(Page) -> ControlFlow<()>,
    ) -> Result<(), Refusal> {
        read_pages(&self.file, &self.limits, from, each)
    }
}

fn read_pages<S: Source>(
    file: &File<S>,
    limits: &Limits,
    from: usize,
    mut each: impl FnMut(Page) -> ControlFlow<()>,
) -> Result<(), Refusal> {
    let layers = Layers::new(file)?;
    let (mut fonts, mut operators, mut text_bytes) = (Fonts::default(), 0, 0);
    let mut pages = Pages::new(file, limits)?;
    let from = from.max(1);
    pages.skip(from - 1)?;
    for number in from.. {
        let Some(page) = pages.next()? else { break };
        if number > limits.pages {
            return Err(Refusal::Limit(Budget::Pages));
        }
        let view = interpret::view(file, &page)?;
        let shared =
            Shared { file, limits, layers: &layers, fonts: &mut fonts, operators: &mut operators };
        let glyphs = interpret::glyphs(shared, &page, view)?;
        text_bytes += glyphs.text_bytes();
        if text_bytes > limits.text_bytes {
            return Err(Refusal::Limit(Budget::TextBytes));
        }
        #[expect(clippy::cast_possible_truncation, reason = "points need no more digits")]
        let (width, height) = (view.width as f32, view.height as f32);
        let page = Page {
            number,
            width,
            height,
            lines: layout::lines(&glyphs),
            unknown_glyphs: glyphs.unknown,
            guessed_glyphs: glyphs.guessed,
        };
        if each(page).is_break() {
            break;
        }
    }
    Ok(())
}
