//! The files of the reference.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use shared::Result;

/// The longest name of a file, in bytes.
const MAX_NAME: usize = 60;

/// The files of the reference: the folder `site` of the unpacked zip.
#[derive(Clone, Debug)]
pub struct Site(PathBuf);

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The content.
    pub content: Vec<u8>,
    /// The media type.
    pub media_type: &'static str,
    /// Whether the content is compressed by gzip.
    pub is_gzip: bool,
}

impl Site {
    /// The files of the zip that is unpacked at `task_root`.
    #[must_use]
    pub fn new(task_root: impl Into<PathBuf>) -> Self {
        Self(task_root.into().join("site"))
    }

    /// Reads a file of `folder`, compressed by gzip if `takes_gzip` and there is such a file. `None` if there
    /// is none, or if the name could lead out of the folder.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn file(&self, folder: &str, name: &str, takes_gzip: bool) -> Result<Option<File>> {
        let Some(media_type) = media_type(name).filter(|_| is_plain(name)) else { return Ok(None) };
        let path = self.0.join(folder).join(name);
        let gzip = if takes_gzip { read(&path.with_added_extension("gz"))? } else { None };
        let is_gzip = gzip.is_some();
        let content = if is_gzip { gzip } else { read(&path)? };
        Ok(content.map(|content| File { content, media_type, is_gzip }))
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether a name has lower-case letters, digits, `-` and `.` only, and does not begin with `.`.
fn is_plain(name: &str) -> bool {
    let allows =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    name.len() <= MAX_NAME && !name.starts_with('.') && name.bytes().all(allows)
}

fn media_type(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "png" => "image/png",
        _ => return None,
    })
}
