//! Every file of the directories in `PDF_CORPUS` (separated by `:`) opens. Every object and stream
//! can be read, or gives an error. Without the variable, the test does nothing.

#![allow(clippy::expect_used, reason = "a test may panic")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use cos::{Error, File, Limits, Object};

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a readable directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "pdf") {
            found.push(path);
        }
    }
}

#[test]
fn corpora_open() {
    let Ok(directories) = env::var("PDF_CORPUS") else { return };
    let mut found = Vec::new();
    directories.split(':').for_each(|directory| files(Path::new(directory), &mut found));
    let mut refused = Vec::new();
    for path in &found {
        let bytes = fs::read(path).expect("a readable file");
        let file = match File::open(bytes, Limits::default()) {
            Ok(file) => file,
            Err(error) => {
                refused.push(format!("{}: {error}", path.display()));
                continue;
            }
        };
        if file.rebuilt() {
            eprintln!("rebuilt: {}", path.display());
        }
        for id in file.xref().refs() {
            match file.object(id) {
                Ok(Object::Stream(stream)) => match file.decode(&stream) {
                    Ok(decoded) if decoded.damaged => {
                        eprintln!("damaged stream {id}: {}", path.display());
                    }
                    Ok(_) => {}
                    Err(error) => eprintln!("stream {id} ({error}): {}", path.display()),
                },
                Ok(_) => {}
                Err(Error::Limit(limit)) => {
                    refused.push(format!("{}: {id}: {limit}", path.display()));
                }
                Err(error) => eprintln!("object {id} ({error}): {}", path.display()),
            }
        }
        if let Err(error) = file.pages() {
            eprintln!("pages ({error}): {}", path.display());
        }
    }
    eprintln!("{} files, {} refused", found.len(), refused.len());
    assert!(refused.is_empty(), "{refused:#?}");
}
