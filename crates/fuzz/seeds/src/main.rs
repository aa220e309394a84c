//! Writes the seeds of the fuzzers: `cargo run --package seeds -- CORPUS PDFS…`.
//!
//! `CORPUS/pdf` gets the small PDFs of the given directories, and the small hostile PDFs. `CORPUS/content` and
//! `CORPUS/xmp` get their content streams and their metadata.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use cos::{File, Limits, Object};

/// Maximum bytes of a file to mutate.
const LARGE: usize = 96 << 10;
/// Maximum bytes of a hostile file: most are small, and large ones are slow.
const LARGE_HOSTILE: usize = 16 << 10;

fn main() -> io::Result<()> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let usage = || io::Error::new(io::ErrorKind::InvalidInput, "give a directory for the corpus");
    let corpus = arguments.next().ok_or_else(usage)?;
    for kind in ["pdf", "content", "xmp"] {
        fs::create_dir_all(corpus.join(kind))?;
    }
    for directory in arguments {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "pdf") {
                let bytes = fs::read(&path)?;
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                write(&corpus, &name, &bytes, LARGE)?;
            }
        }
    }
    for case in hostile_pdfs::iter() {
        write(&corpus, &case.name, &case.bytes, LARGE_HOSTILE)?;
    }
    Ok(())
}

fn write(corpus: &Path, name: &str, bytes: &[u8], large: usize) -> io::Result<()> {
    if bytes.len() <= large {
        fs::write(corpus.join("pdf").join(name), bytes)?;
    }
    let limits = Limits { stream_bytes: 1 << 20, total_bytes: 16 << 20, ..Limits::default() };
    let Ok(file) = File::open(bytes, limits) else { return Ok(()) };
    let mut kept = 0;
    for id in file.xref().refs().into_iter().take(200) {
        let Ok(Object::Stream(stream)) = file.object(id) else { continue };
        let dict = stream.dict();
        let kind = if dict.is("Type", "Metadata") {
            "xmp"
        } else if dict.is("Subtype", "Form") || !dict.contains("Type") && !dict.contains("Length1")
        {
            "content"
        } else {
            continue;
        };
        match file.stream_data(&stream) {
            Ok(data) if !data.is_empty() && data.len() <= LARGE_HOSTILE && kept < 8 => {
                kept += 1;
                fs::write(corpus.join(kind).join(format!("{name}-{}", id.number)), data)?;
            }
            _ => {}
        }
    }
    Ok(())
}
