//! A job of the stage `scan`.

use documents::scanner::Scanner;
use documents::stages::scan::ScanFile;
use documents::stages::serve::serve;

fn main() -> shared::Result<()> {
    serve(|parts| Ok(ScanFile { objects: parts.objects, scanner: Scanner::of_environment()? }))
}
