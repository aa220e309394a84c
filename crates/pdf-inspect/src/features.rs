//! Finds the features of dictionaries.
//!
//! Every dictionary of the file is inspected, wherever it is, because a reader may reach it in a
//! way of its own.

use std::collections::HashSet;

use cos::{Dict, Name, Object, Ref};

use crate::{Error, Feature, Findings, meter::Meter};

/// Inspects every dictionary in `object`. `resolve` follows a reference to its object.
pub(crate) fn look(
    object: &Object,
    id: Option<Ref>,
    resolve: &impl Fn(&Object) -> Result<Object, Error>,
    meter: &mut Meter,
    findings: &mut Findings,
) -> Result<(), Error> {
    if let Object::Stream(stream) = object
        && stream.dict().get("F").is_some_and(|file| !file.is_null())
    {
        findings.add(Feature::ExternalReference, id);
    }
    let mut open = vec![object];
    while let Some(object) = open.pop() {
        meter.work(1)?;
        match object {
            Object::Array(array) => open.extend(array.iter()),
            Object::Dict(_) | Object::Stream(_) => {
                let Some(dict) = object.as_dict() else { continue };
                open.extend(dict.iter().map(|(_, value)| value));
                for feature in of(dict, resolve)? {
                    findings.add(feature, id);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The features of one dictionary, each at most once.
fn of(
    dict: &Dict,
    resolve: &impl Fn(&Object) -> Result<Object, Error>,
) -> Result<Vec<Feature>, Error> {
    let mut found = Vec::new();
    for (key, value) in dict {
        let feature = match key.as_bytes() {
            b"S" | b"Subtype" | b"Type" => match resolve(value)? {
                Object::Name(name) => by_name(key, &name),
                _ => None,
            },
            b"JS" | b"JavaScript" if !value.is_null() => Some(Feature::JavaScript),
            b"OpenAction" => {
                matches!(resolve(value)?, Object::Dict(_)).then_some(Feature::OpenAction)
            }
            b"AA" => {
                matches!(resolve(value)?, Object::Dict(_)).then_some(Feature::AdditionalActions)
            }
            b"EF" | b"EmbeddedFiles" | b"Collection" if !value.is_null() => {
                Some(Feature::EmbeddedFiles)
            }
            b"XFA" if !value.is_null() => Some(Feature::XfaForm),
            b"AcroForm" if !value.is_null() => Some(Feature::AcroForm),
            b"ByteRange" if !value.is_null() => Some(Feature::Signed),
            b"Ref" if dict.contains("BBox") || dict.is("Subtype", "Form") => {
                Some(Feature::ExternalReference)
            }
            b"RichMediaContent" | b"3DD" if !value.is_null() => Some(Feature::RichMedia),
            _ => None,
        };
        found.extend(feature.filter(|feature| !found.contains(feature)));
    }
    if has_duplicates(dict) {
        found.push(Feature::DuplicateKeys);
    }
    Ok(found)
}

/// The feature given by `/S`, `/Subtype` or `/Type` of a dictionary.
fn by_name(key: &Name, name: &Name) -> Option<Feature> {
    Some(match (key.as_bytes(), name.as_bytes()) {
        (b"S", b"JavaScript") => Feature::JavaScript,
        (b"S", b"Launch") => Feature::Launch,
        (b"S", b"SubmitForm") => Feature::SubmitForm,
        (b"S", b"ImportData") => Feature::ImportData,
        (b"S", b"GoToR") => Feature::GoToRemote,
        (b"S", b"GoToE") => Feature::GoToEmbedded,
        (b"S", b"URI") => Feature::UriAction,
        (b"S", b"Sound" | b"Movie" | b"Rendition" | b"GoTo3DView" | b"RichMediaExecute")
        | (b"Subtype", b"RichMedia" | b"3D" | b"Movie" | b"Sound" | b"Screen") => {
            Feature::RichMedia
        }
        (b"Subtype", b"FileAttachment") | (b"Type", b"EmbeddedFile") => Feature::EmbeddedFiles,
        _ => return None,
    })
}

fn has_duplicates(dict: &Dict) -> bool {
    if dict.len() <= 16 {
        let keys: Vec<_> = dict.iter().map(|(key, _)| key).collect();
        return keys.iter().enumerate().any(|(at, key)| keys[..at].contains(key));
    }
    let mut keys = HashSet::new();
    dict.iter().any(|(key, _)| !keys.insert(key))
}
