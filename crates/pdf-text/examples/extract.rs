//! Prints the text of a PDF. Each page ends with a form feed; with `--json`, each page is a line of
//! JSON with positions. The file is read by ranges. With `--stats`, the number of bytes read is
//! printed to standard error at the end.
//!
//! ```sh
//! cargo run --release -p pdf-text --example extract -- FILE.pdf
//! ```

use std::cell::Cell;
use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use pdf_text::{Document, Limits, Source};

/// A file with random access that counts the bytes read.
struct Ranges {
    file: File,
    len: u64,
    read: Rc<Cell<(u64, u64)>>,
}

impl Source for Ranges {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        let (reads, bytes) = self.read.get();
        self.read.set((reads + 1, bytes + buf.len() as u64));
        self.file.read_exact_at(buf, offset)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let (flags, paths): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let has = |flag: &str| flags.iter().any(|other| other == flag);
    let path = paths.first().ok_or("the path of a PDF file is missing")?;
    let file = File::open(path)?;
    let len = file.metadata()?.len();
    let read = Rc::new(Cell::new((0, 0)));
    let document = Document::open(Ranges { file, len, read: read.clone() }, Limits::default())?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut outcome = Ok(());
    document.read_pages(1, |page| {
        outcome = if has("--json") {
            serde_json::to_writer(&mut out, &page)
                .map_err(io::Error::from)
                .and_then(|()| writeln!(out))
        } else {
            write!(out, "{}\u{c}", page.text())
        };
        if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    outcome?;
    out.flush()?;
    if has("--stats") {
        let (reads, bytes) = read.get();
        eprintln!("{bytes} of {len} bytes in {reads} reads");
    }
    Ok(())
}
