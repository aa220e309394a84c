//! Writes the hostile files into a directory: `cargo run --example write -- DIRECTORY [MAX_BYTES]`.
//!
//! With a number of bytes, files that are longer are left out.

use std::{env, fs, io, path::PathBuf};

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let usage = || io::Error::new(io::ErrorKind::InvalidInput, "give a directory");
    let directory = PathBuf::from(arguments.next().ok_or_else(usage)?);
    let most = arguments.next().and_then(|bytes| bytes.parse().ok()).unwrap_or(usize::MAX);
    fs::create_dir_all(&directory)?;
    for case in hostile_pdfs::iter().filter(|case| case.bytes.len() <= most) {
        fs::write(directory.join(format!("{}.pdf", case.name)), case.bytes)?;
    }
    Ok(())
}
