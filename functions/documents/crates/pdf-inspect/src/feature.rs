//! The facts that a policy may refuse.

use serde::{Deserialize, Serialize};

use crate::Action;

/// Something in a file that is legal, or is tolerated by readers, and that some receivers do not
/// want.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// A script: an action of type JavaScript, a `/JS` of any action, or the scripts of the name
    /// tree (ISO 32000-1, 12.6.4.16).
    JavaScript,
    /// An action, and not only a place to go to, when the file opens (7.7.2, `/OpenAction`).
    OpenAction,
    /// Actions at events such as the opening of a page (12.6.3, `/AA`).
    AdditionalActions,
    /// An action that starts a program or opens a file (12.6.4.5).
    Launch,
    /// An action that sends a form's values to an address (12.7.5.2).
    SubmitForm,
    /// An action that takes values from a file (12.7.5.4).
    ImportData,
    /// An action that goes to another file (12.6.4.3).
    GoToRemote,
    /// An action that goes to a file in the file (12.6.4.4).
    GoToEmbedded,
    /// A link to an address (12.6.4.7).
    UriAction,
    /// Files in the file: attachments, portfolios (7.11.4).
    EmbeddedFiles,
    /// Data that is in another file: a stream's `/F` (7.3.8.2), a form's `/Ref` (8.10.4).
    ExternalReference,
    /// A form in XFA, which is XML with scripts of its own (12.7.8).
    XfaForm,
    /// A form (12.7).
    AcroForm,
    /// Films, sounds, models and programs: annotations of type RichMedia, 3D, Movie, Sound and
    /// Screen, and their actions (13).
    RichMedia,
    /// A signature (12.8). Its validity is not checked.
    Signed,
    /// It is encrypted, and what its pages show can be read without a password (7.6).
    Encrypted,
    /// Attachments that need a password, in a file whose pages can be read (7.6.5, `/EFF`). No
    /// scanner can look into them.
    LockedAttachments,
    /// It begins or ends as a program, an archive, a web page or a picture does, so that other
    /// software takes it for one.
    Polyglot,
    /// The header is not at the first byte (7.5.2).
    HeaderNotAtStart,
    /// Bytes other than white space after the last `%%EOF` (7.5.5).
    TrailingBytes,
    /// Parts that were added after the file was first written, and that may replace what it
    /// showed (7.5.6).
    IncrementalUpdates,
    /// Objects that the cross-reference does not name: what an update replaced, or what only a
    /// program that searches for objects finds.
    UnlistedObjects,
    /// The cross-reference is wrong; objects were found by a search. Programs may disagree on
    /// what such a file holds.
    Repaired,
    /// Objects or streams that cannot be read.
    DamagedObjects,
    /// Dictionaries that have a key twice; which value counts is undefined (7.3.7).
    DuplicateKeys,
    /// `/Count` of the page tree is not the number of pages (7.7.3.2).
    PageCountMismatch,
    /// Object streams (7.5.7). They hide objects from those who search the file's bytes.
    ObjectStreams,
    /// It is laid out for fast display over the web (annex F).
    Linearized,
}

impl Feature {
    /// Every feature.
    pub const ALL: [Self; 28] = [
        Self::JavaScript,
        Self::OpenAction,
        Self::AdditionalActions,
        Self::Launch,
        Self::SubmitForm,
        Self::ImportData,
        Self::GoToRemote,
        Self::GoToEmbedded,
        Self::UriAction,
        Self::EmbeddedFiles,
        Self::ExternalReference,
        Self::XfaForm,
        Self::AcroForm,
        Self::RichMedia,
        Self::Signed,
        Self::Encrypted,
        Self::LockedAttachments,
        Self::Polyglot,
        Self::HeaderNotAtStart,
        Self::TrailingBytes,
        Self::IncrementalUpdates,
        Self::UnlistedObjects,
        Self::Repaired,
        Self::DamagedObjects,
        Self::DuplicateKeys,
        Self::PageCountMismatch,
        Self::ObjectStreams,
        Self::Linearized,
    ];

    /// What a policy does that says nothing of the feature: what reaches out of the reader is refused,
    /// what is unusual is flagged, and what half of all files have is allowed. A script is flagged:
    /// forms of authorities and banks have them, to check what is filled in, and a reader keeps them
    /// from the machine.
    #[must_use]
    pub const fn default_action(self) -> Action {
        match self {
            Self::Launch
            | Self::ImportData
            | Self::ExternalReference
            | Self::RichMedia
            | Self::Polyglot
            | Self::PageCountMismatch => Action::Refuse,
            Self::JavaScript
            | Self::OpenAction
            | Self::AdditionalActions
            | Self::SubmitForm
            | Self::GoToRemote
            | Self::GoToEmbedded
            | Self::EmbeddedFiles
            | Self::XfaForm
            | Self::Signed
            | Self::Encrypted
            | Self::LockedAttachments
            | Self::HeaderNotAtStart
            | Self::TrailingBytes
            | Self::IncrementalUpdates
            | Self::UnlistedObjects
            | Self::Repaired
            | Self::DamagedObjects
            | Self::DuplicateKeys => Action::Flag,
            Self::UriAction | Self::AcroForm | Self::ObjectStreams | Self::Linearized => {
                Action::Allow
            }
        }
    }
}
