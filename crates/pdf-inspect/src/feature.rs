//! The features that a policy may refuse.

use serde::{Deserialize, Serialize};

use crate::Action;

/// Something in a file that is legal, or that readers tolerate, but that some receivers do not
/// want.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// A script: a JavaScript action, a `/JS` entry of any action, or a script in the name tree
    /// (ISO 32000-1, 12.6.4.16).
    JavaScript,
    /// An action (not a destination) that runs when the file opens (7.7.2, `/OpenAction`).
    OpenAction,
    /// Actions at events such as the opening of a page (12.6.3, `/AA`).
    AdditionalActions,
    /// An action that starts a program or opens a file (12.6.4.5).
    Launch,
    /// An action that sends a form's values to an address (12.7.5.2).
    SubmitForm,
    /// An action that imports form values from a file (12.7.5.4).
    ImportData,
    /// An action that goes to another file (12.6.4.3).
    GoToRemote,
    /// An action that goes to an embedded file (12.6.4.4).
    GoToEmbedded,
    /// A link to an address (12.6.4.7).
    UriAction,
    /// Embedded files: attachments, portfolios (7.11.4).
    EmbeddedFiles,
    /// Data that is in another file: a stream's `/F` (7.3.8.2), a form's `/Ref` (8.10.4).
    ExternalReference,
    /// An XFA form: XML with its own scripts (12.7.8).
    XfaForm,
    /// A form (12.7).
    AcroForm,
    /// Films, sounds, 3D models and programs: annotations of type RichMedia, 3D, Movie, Sound and
    /// Screen, and their actions (13).
    RichMedia,
    /// A signature (12.8). Its validity is not checked.
    Signed,
    /// The file is encrypted, but its pages are readable without a password (7.6).
    Encrypted,
    /// Attachments that need a password, in a file whose pages are readable (7.6.5, `/EFF`). A
    /// scanner cannot read them.
    LockedAttachments,
    /// The file begins or ends like a program, an archive, a web page or an image, so other
    /// software may treat it as one.
    Polyglot,
    /// The header is not at the first byte (7.5.2).
    HeaderNotAtStart,
    /// Bytes other than white space after the last `%%EOF` (7.5.5).
    TrailingBytes,
    /// Updates appended to the file, which may replace its earlier contents (7.5.6).
    IncrementalUpdates,
    /// Objects that the cross-reference does not name: an update replaced them, or only a search of
    /// the bytes finds them.
    UnlistedObjects,
    /// The cross-reference is wrong; a search found the objects. Programs may read different
    /// contents from such a file.
    Repaired,
    /// Unreadable objects or streams.
    DamagedObjects,
    /// Dictionaries with a duplicate key; it is undefined which value counts (7.3.7).
    DuplicateKeys,
    /// `/Count` of the page tree is not the number of pages (7.7.3.2).
    PageCountMismatch,
    /// Object streams (7.5.7). They hide objects from a search of the file's bytes.
    ObjectStreams,
    /// The file is linearized, for fast display over the web (annex F).
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

    /// The action for a feature that the policy does not mention. Features that access something
    /// outside the reader are refused, unusual features are flagged, and common features are
    /// allowed. A script is flagged: forms of authorities and banks use scripts to check input, and
    /// a reader runs them isolated from the machine.
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
