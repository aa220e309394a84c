//! Conforming files that are damaged at one place, so that a rule must fail. The files are from the
//! corpus in the directory `PDFA_CORPUS`; without the variable the test does nothing.

#![allow(clippy::expect_used, reason = "a test may panic")]

use std::{
    collections::BTreeMap,
    env, fs,
    ops::Range,
    path::{Path, PathBuf},
};

use cos::{Dict, File, Limits, Object, Ref, Stream};
use pdfa::Flavour;

/// A way to damage a file, and the places in a file.
struct Kind {
    name: &'static str,
    verdict: Verdict,
    places: fn(&Opened) -> Vec<Change>,
}

/// The expected verdict.
#[derive(Clone, Copy)]
enum Verdict {
    /// The file is rejected.
    Rejected,
    /// The file is rejected if the same file without the font program is rejected.
    AsWithoutProgram,
    /// The verdict depends on what is drawn; the results are only counted.
    Counted,
}

const WITHOUT_PROGRAM: &str = "descriptor without its program";

/// A range of bytes, and its replacement.
type Change = (Range<usize>, Vec<u8>);

/// A conforming file.
struct Opened {
    bytes: Vec<u8>,
    file: File<Vec<u8>>,
}

impl Opened {
    fn get(&self, dict: &Dict, key: &str) -> Object {
        self.file.get(dict, key).unwrap_or_default()
    }

    /// Every indirect object whose bytes are in the body, and where its value is.
    fn objects(&self) -> Vec<(Ref, Object, Range<usize>)> {
        let refs = self.file.xref().refs();
        let found = refs.into_iter().filter_map(|id| {
            let indirect = self.file.indirect(id).ok()??;
            let form = indirect.form.as_ref()?;
            let object = indirect.object.clone();
            let end = object.as_stream().map_or(form.value_end, |stream| stream.form().keyword);
            Some((id, object, at(form.header_end)..at(end)))
        });
        found.collect()
    }

    /// The streams of font programs.
    fn programs(&self) -> Vec<Stream> {
        let objects = self.objects();
        let descriptors = objects.iter().filter_map(|(_, object, _)| object.as_dict());
        let keys = ["FontFile", "FontFile2", "FontFile3"];
        descriptors
            .flat_map(|dict| keys.map(|key| self.get(dict, key)))
            .filter_map(|program| program.as_stream().cloned())
            .collect()
    }

    /// Changes a letter of `key` in the document's metadata stream.
    fn of_document(&self, key: &str) -> Vec<Change> {
        let root = self.file.root().expect("a catalog");
        let metadata = self.get(&root, "Metadata");
        let dict = metadata.as_dict().expect("a stream");
        self.without(key, |found| found.identity() == dict.identity())
    }

    /// Changes a letter of `key` in each dictionary for which `of` is true.
    fn without(&self, key: &str, of: impl Fn(&Dict) -> bool) -> Vec<Change> {
        let picked = |(_, object, range): &(Ref, Object, Range<usize>)| {
            let dict = object.as_dict().filter(|dict| of(dict) && dict.contains(key))?;
            let name = format!("/{key}");
            let found = keys_at(&self.bytes[range.clone()], name.as_bytes());
            // If there are two, one is in a nested dictionary.
            (found.len() == 1 && dict.contains(key)).then(|| {
                let start = range.start + found[0] + 1;
                (start..start + 1, b"x".to_vec())
            })
        };
        self.objects().iter().filter_map(picked).collect()
    }
}

fn at(offset: u64) -> usize {
    usize::try_from(offset).expect("a small file")
}

/// Offsets of `key` as a complete name.
fn keys_at(bytes: &[u8], key: &[u8]) -> Vec<usize> {
    let ends = |at: usize| bytes.get(at).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let starts = bytes.windows(key.len()).enumerate();
    starts.filter(|(at, found)| *found == key && ends(at + key.len())).map(|(at, _)| at).collect()
}

fn is_font(dict: &Dict, subtypes: &[&str]) -> bool {
    dict.is("Type", "Font") && subtypes.iter().any(|subtype| dict.is("Subtype", subtype))
}

fn data(stream: &Stream) -> Range<usize> {
    at(stream.form().start)..at(stream.form().end)
}

/// Pseudo-random bytes, the same each time.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_be_bytes()[0]
    };
    (0..count).map(step).collect()
}

const KINDS: &[Kind] = &[
    Kind {
        name: "font program zeroed",
        verdict: Verdict::AsWithoutProgram,
        places: |opened| {
            let ranges = opened.programs().into_iter().map(|stream| data(&stream));
            ranges.map(|range| (range.clone(), vec![0; range.len()])).collect()
        },
    },
    Kind {
        name: "font program random",
        verdict: Verdict::AsWithoutProgram,
        places: |opened| {
            let ranges = opened.programs().into_iter().map(|stream| data(&stream));
            ranges.map(|range| (range.clone(), noise(range.len()))).collect()
        },
    },
    Kind {
        name: "font program cut to a tenth",
        verdict: Verdict::AsWithoutProgram,
        places: |opened| {
            let ranges = opened.programs().into_iter().map(|stream| data(&stream));
            let cut = ranges.map(|range| range.start + range.len() / 10..range.end);
            cut.map(|range| (range.clone(), vec![0; range.len()])).collect()
        },
    },
    Kind {
        name: "font program cut to a half",
        verdict: Verdict::Counted,
        places: |opened| {
            let ranges = opened.programs().into_iter().map(|stream| data(&stream));
            let cut = ranges.map(|range| range.start + range.len() / 2..range.end);
            cut.map(|range| (range.clone(), vec![0; range.len()])).collect()
        },
    },
    Kind {
        name: "metadata stream without Type",
        verdict: Verdict::Rejected,
        places: |opened| opened.of_document("Type"),
    },
    Kind {
        name: "metadata stream without Subtype",
        verdict: Verdict::Rejected,
        places: |opened| opened.of_document("Subtype"),
    },
    Kind {
        name: "font without Type",
        verdict: Verdict::Counted,
        places: |opened| opened.without("Type", |dict| is_font(dict, &["Type1", "TrueType"])),
    },
    Kind {
        name: "font without Subtype",
        verdict: Verdict::Counted,
        places: |opened| opened.without("Subtype", |dict| dict.is("Type", "Font")),
    },
    Kind {
        name: "font without BaseFont",
        verdict: Verdict::Counted,
        places: |opened| {
            opened.without("BaseFont", |dict| is_font(dict, &["Type1", "TrueType", "Type0"]))
        },
    },
    Kind {
        name: "font without FirstChar",
        verdict: Verdict::Counted,
        places: |opened| opened.without("FirstChar", |dict| is_font(dict, &["Type1", "TrueType"])),
    },
    Kind {
        name: "font without LastChar",
        verdict: Verdict::Counted,
        places: |opened| opened.without("LastChar", |dict| is_font(dict, &["Type1", "TrueType"])),
    },
    Kind {
        name: "font without Widths",
        verdict: Verdict::Counted,
        places: |opened| opened.without("Widths", |dict| is_font(dict, &["Type1", "TrueType"])),
    },
    Kind {
        name: "font without FontDescriptor",
        verdict: Verdict::Counted,
        places: |opened| opened.without("FontDescriptor", |dict| dict.is("Type", "Font")),
    },
    Kind {
        name: "composite font without DescendantFonts",
        verdict: Verdict::Counted,
        places: |opened| opened.without("DescendantFonts", |dict| is_font(dict, &["Type0"])),
    },
    Kind {
        name: "composite font without Encoding",
        verdict: Verdict::Rejected,
        places: |opened| opened.without("Encoding", |dict| is_font(dict, &["Type0"])),
    },
    Kind {
        name: "CIDFont without CIDToGIDMap",
        verdict: Verdict::Counted,
        places: |opened| opened.without("CIDToGIDMap", |dict| is_font(dict, &["CIDFontType2"])),
    },
    Kind {
        name: WITHOUT_PROGRAM,
        verdict: Verdict::Counted,
        places: |opened| {
            ["FontFile", "FontFile2", "FontFile3"]
                .into_iter()
                .flat_map(|key| opened.without(key, |dict| dict.is("Type", "FontDescriptor")))
                .collect()
        },
    },
    Kind {
        name: "program without Subtype",
        verdict: Verdict::Rejected,
        places: |opened| {
            opened.without("Subtype", |dict| {
                ["Type1C", "CIDFontType0C", "OpenType"].iter().any(|kind| dict.is("Subtype", kind))
            })
        },
    },
    Kind {
        name: "output intent without its profile",
        verdict: Verdict::Counted,
        places: |opened| opened.without("DestOutputProfile", |_| true),
    },
    Kind {
        name: "output intent without S",
        verdict: Verdict::Counted,
        places: |opened| opened.without("S", |dict| dict.contains("DestOutputProfile")),
    },
    Kind {
        name: "annotation without F",
        verdict: Verdict::Rejected,
        places: |opened| opened.without("F", |dict| dict.is("Type", "Annot")),
    },
    Kind {
        name: "annotation without AP",
        verdict: Verdict::Counted,
        places: |opened| opened.without("AP", |dict| dict.is("Type", "Annot")),
    },
    Kind {
        name: "annotation without Subtype",
        verdict: Verdict::Rejected,
        places: |opened| opened.without("Subtype", |dict| dict.is("Type", "Annot")),
    },
    Kind {
        name: "catalog without Metadata",
        verdict: Verdict::Rejected,
        places: |opened| opened.without("Metadata", |dict| dict.is("Type", "Catalog")),
    },
    Kind {
        name: "page without Resources",
        verdict: Verdict::Counted,
        places: |opened| opened.without("Resources", |dict| dict.is("Type", "Page")),
    },
    Kind {
        name: "stream without Length",
        verdict: Verdict::Rejected,
        places: |opened| opened.without("Length", |_| true),
    },
];

fn conforming(directory: &Path, found: &mut Vec<(PathBuf, Flavour)>) {
    for entry in fs::read_dir(directory).expect("a readable directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            conforming(&path, found);
            continue;
        }
        let folder = path.iter().find_map(|part| part.to_str()?.strip_prefix("PDF_A-"));
        if path.to_string_lossy().contains("-pass-")
            && let Some(flavour) = folder.and_then(|folder| folder.parse().ok())
        {
            found.push((path, flavour));
        }
    }
}

/// Whether a file opens and conforms.
fn conforms(bytes: Vec<u8>, flavour: Flavour) -> bool {
    File::open(bytes, Limits::default())
        .is_ok_and(|file| pdfa::validate(&file, flavour).is_ok_and(|report| report.conforming))
}

/// Number of rejected and accepted files by kind.
type Counts = BTreeMap<&'static str, [usize; 2]>;

/// Damages one file in every way, and returns the kinds of the accepted files.
fn spoil(path: &Path, flavour: Flavour, counts: &mut Counts) -> Vec<&'static str> {
    let bytes = fs::read(path).expect("a readable file");
    let file = File::open(bytes.clone(), Limits::default()).expect("a file");
    let opened = Opened { bytes, file };
    let mut accepted = Vec::new();
    for kind in KINDS {
        for (range, with) in (kind.places)(&opened) {
            let mut spoiled = opened.bytes.clone();
            spoiled.splice(range, with);
            let conforming = conforms(spoiled, flavour);
            counts.entry(kind.name).or_default()[usize::from(conforming)] += 1;
            if conforming {
                accepted.push(kind.name);
            }
        }
    }
    accepted
}

#[test]
fn spoiled_files_are_rejected() {
    let Ok(directory) = env::var("PDFA_CORPUS") else { return };
    let mut found = Vec::new();
    conforming(Path::new(&directory), &mut found);
    found.sort();
    let mut counts = Counts::new();
    for (path, flavour) in &found {
        let accepted = spoil(path, *flavour, &mut counts);
        let times = |name: &str| accepted.iter().filter(|kind| **kind == name).count();
        // A font that draws nothing needs no program.
        let unused = times(WITHOUT_PROGRAM);
        for kind in KINDS.iter().filter(|kind| !matches!(kind.verdict, Verdict::Counted)) {
            let allowed = match kind.verdict {
                Verdict::AsWithoutProgram => unused,
                _ => 0,
            };
            let name = kind.name;
            assert_eq!(times(name), allowed, "{name}: accepted of {}", path.display());
        }
    }
    for (name, [rejected, accepted]) in &counts {
        eprintln!("{name}: {rejected} rejected, {accepted} accepted");
    }
}
