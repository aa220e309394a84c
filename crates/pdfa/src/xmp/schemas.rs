//! The predefined schemas: XMP Specification of January 2004 (for ISO 19005-1) and of September 2005
//! (for parts 2 and 3), with the PDF/A identification schema.

use super::{Edition, types::ValueType};

/// Dublin Core.
pub(super) const DC: &str = "http://purl.org/dc/elements/1.1/";
/// XMP Basic.
pub(super) const XMP: &str = "http://ns.adobe.com/xap/1.0/";
/// Adobe PDF.
pub(super) const PDF: &str = "http://ns.adobe.com/pdf/1.3/";
/// PDF/A identification (ISO 19005-1, 6.7.11; ISO 19005-2 and -3, 6.6.4).
pub(super) const PDFA_ID: &str = "http://www.aiim.org/pdfa/ns/id/";
/// The container of extension schemas (ISO 19005-1, 6.7.8; ISO 19005-2 and -3, 6.6.2.3.3).
pub(super) const PDFA_EXTENSION: &str = "http://www.aiim.org/pdfa/ns/extension/";

const RIGHTS: &str = "http://ns.adobe.com/xap/1.0/rights/";
const MEDIA: &str = "http://ns.adobe.com/xap/1.0/mm/";
const JOBS: &str = "http://ns.adobe.com/xap/1.0/bj/";
const PAGED: &str = "http://ns.adobe.com/xap/1.0/t/pg/";
const DYNAMIC: &str = "http://ns.adobe.com/xmp/1.0/DynamicMedia/";
const PHOTOSHOP: &str = "http://ns.adobe.com/photoshop/1.0/";
const RAW: &str = "http://ns.adobe.com/camera-raw-settings/1.0/";
const TIFF: &str = "http://ns.adobe.com/tiff/1.0/";
const EXIF: &str = "http://ns.adobe.com/exif/1.0/";
const AUX: &str = "http://ns.adobe.com/exif/1.0/aux/";
const GRAPHICS: &str = "http://ns.adobe.com/xap/1.0/g/";
const IMAGE: &str = "http://ns.adobe.com/xap/1.0/g/img/";
const DIMENSIONS: &str = "http://ns.adobe.com/xap/1.0/sType/Dimensions#";
const FONT: &str = "http://ns.adobe.com/xap/1.0/sType/Font#";
const EVENT: &str = "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#";
const REFERENCE: &str = "http://ns.adobe.com/xap/1.0/sType/ResourceRef#";
const VERSION: &str = "http://ns.adobe.com/xap/1.0/sType/Version#";
const JOB: &str = "http://ns.adobe.com/xap/1.0/sType/Job#";

/// Names by value type: `(type, "name name …")`.
type Names = &'static [(&'static str, &'static str)];

/// The editions that have an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum In {
    Both,
    Only(Edition),
}

use Edition::{Xmp2004, Xmp2005};
use In::{Both, Only};

/// The type of a predefined property; `None` if it is not predefined.
pub(super) fn property(edition: Edition, namespace: &str, name: &str) -> Option<ValueType> {
    let groups = SCHEMAS
        .iter()
        .filter(|(schema, editions, _)| *schema == namespace && editions.has(edition));
    groups.map(|(.., names)| *names).find_map(|names| find(names, name)).map(ValueType::parse)
}

/// A predefined structure, by the lower-case name of its type.
pub(super) fn structure(edition: Edition, name: &str) -> Option<Structure> {
    let mut found = STRUCTURES
        .iter()
        .filter(|(structure, _, editions, _)| *structure == name && editions.has(edition));
    found.next().map(|&(_, namespace, _, names)| Structure { namespace, names })
}

/// The fields of a predefined structure.
#[derive(Clone, Copy)]
pub(super) struct Structure {
    /// The namespace of all fields.
    pub(super) namespace: &'static str,
    names: Names,
}

impl Structure {
    /// The type of a field; `None` if the structure does not have it.
    pub(super) fn field(&self, name: &str) -> Option<ValueType> {
        find(self.names, name).map(ValueType::parse)
    }
}

impl In {
    fn has(self, edition: Edition) -> bool {
        self == Both || self == Only(edition)
    }
}

fn find(names: Names, name: &str) -> Option<&'static str> {
    names
        .iter()
        .find(|(_, names)| names.split_ascii_whitespace().any(|entry| entry == name))
        .map(|(kind, _)| *kind)
}

/// A property with a closed choice of values has its base type here, because conforming files often
/// have values outside the choice, and this is no reason to reject them.
#[rustfmt::skip]
static SCHEMAS: &[(&str, In, Names)] = &[
    (PDFA_ID, Both, &[("integer", "part"), ("text", "amd conformance")]),
    (PDFA_ID, Only(Xmp2005), &[("text", "corr")]),
    (DC, Both, &[
        ("bag propername", "contributor publisher"),
        ("seq propername", "creator"),
        ("seq date", "date"),
        ("lang alt", "description rights title"),
        ("mimetype", "format"),
        ("bag locale", "language"),
        ("bag text", "relation subject type"),
        ("text", "coverage identifier source"),
    ]),
    (XMP, Both, &[
        ("bag text", "Advisory Identifier"),
        ("url", "BaseURL"),
        ("date", "CreateDate MetadataDate ModifyDate"),
        ("agentname", "CreatorTool"),
        ("text", "Nickname"),
        ("alt thumbnail", "Thumbnails"),
    ]),
    (XMP, Only(Xmp2005), &[("text", "Label"), ("real", "Rating")]),
    (RIGHTS, Both, &[
        ("url", "Certificate WebStatement"),
        ("boolean", "Marked"),
        ("bag propername", "Owner"),
        ("lang alt", "UsageTerms"),
    ]),
    (MEDIA, Both, &[
        ("resourceref", "DerivedFrom ManagedFrom RenditionOf"),
        ("uri", "DocumentID InstanceID ManageTo ManageUI"),
        ("seq resourceevent", "History"),
        ("agentname", "Manager"),
        ("renditionclass", "RenditionClass"),
        ("text", "ManagerVariant RenditionParams VersionID"),
        ("seq version", "Versions"),
        ("url", "LastURL"),
        ("integer", "SaveID"),
    ]),
    (JOBS, Both, &[("bag job", "JobRef")]),
    (PAGED, Both, &[("dimensions", "MaxPageSize"), ("integer", "NPages")]),
    (PAGED, Only(Xmp2005), &[("bag font", "Fonts"), ("seq colorant", "Colorants"), ("seq text", "PlateNames")]),
    (PDF, Both, &[("text", "Keywords PDFVersion"), ("agentname", "Producer")]),
    (PHOTOSHOP, Both, &[
        ("text", "AuthorsPosition Category City Country Credit Headline Instructions Source State TransmissionReference"),
        ("propername", "CaptionWriter"),
        ("date", "DateCreated"),
        ("integer", "Urgency"),
    ]),
    (PHOTOSHOP, Only(Xmp2004), &[("text", "SupplementalCategories")]),
    (PHOTOSHOP, Only(Xmp2005), &[("bag text", "SupplementalCategories")]),
    (TIFF, Both, &[
        ("integer", "ImageWidth ImageLength SamplesPerPixel Compression PhotometricInterpretation Orientation \
                     PlanarConfiguration YCbCrPositioning ResolutionUnit"),
        ("seq integer", "BitsPerSample TransferFunction YCbCrSubSampling"),
        ("rational", "XResolution YResolution"),
        ("seq rational", "WhitePoint PrimaryChromaticities YCbCrCoefficients ReferenceBlackWhite"),
        ("date", "DateTime"),
        ("lang alt", "ImageDescription Copyright"),
        ("propername", "Make Model Artist"),
        ("agentname", "Software"),
    ]),
    (EXIF, Both, &[
        ("integer", "PixelXDimension PixelYDimension FocalLengthIn35mmFilm ExposureProgram MeteringMode \
                     FocalPlaneResolutionUnit SensingMethod FileSource SceneType CustomRendered ExposureMode \
                     WhiteBalance SceneCaptureType GainControl Contrast Saturation Sharpness SubjectDistanceRange \
                     GPSAltitudeRef GPSDifferential ColorSpace LightSource"),
        ("seq integer", "ISOSpeedRatings SubjectArea SubjectLocation ComponentsConfiguration"),
        ("rational", "CompressedBitsPerPixel ExposureTime FNumber ShutterSpeedValue ApertureValue BrightnessValue \
                      ExposureBiasValue MaxApertureValue SubjectDistance FocalLength FlashEnergy \
                      FocalPlaneXResolution FocalPlaneYResolution ExposureIndex DigitalZoomRatio GPSAltitude GPSDOP \
                      GPSSpeed GPSTrack GPSImgDirection GPSDestBearing GPSDestDistance"),
        ("lang alt", "UserComment"),
        ("text", "RelatedSoundFile SpectralSensitivity ImageUniqueID GPSVersionID GPSSatellites GPSMapDatum \
                  GPSProcessingMethod GPSAreaInformation GPSStatus GPSSpeedRef GPSTrackRef GPSImgDirectionRef \
                  GPSDestBearingRef GPSDestDistanceRef ExifVersion FlashpixVersion"),
        ("date", "DateTimeOriginal DateTimeDigitized GPSTimeStamp"),
        ("gpscoordinate", "GPSLatitude GPSLongitude GPSDestLatitude GPSDestLongitude"),
        ("oecf/sfr", "OECF SpatialFrequencyResponse"),
        ("flash", "Flash"),
        ("cfapattern", "CFAPattern"),
        ("devicesettings", "DeviceSettingDescription"),
    ]),
    (EXIF, Only(Xmp2004), &[("text", "MakerNote"), ("integer", "GPSMeasureMode")]),
    (EXIF, Only(Xmp2005), &[("text", "GPSMeasureMode")]),
    (DYNAMIC, Only(Xmp2005), &[
        ("projectlink", "projectRef"),
        ("text", "videoFrameRate videoCompressor audioCompressor speakerPlacement tapeName altTapeName scene shotName \
                  shotLocation logComment artist album genre copyright composer engineer instrument videoPixelDepth \
                  videoColorSpace videoAlphaMode videoFieldOrder pullDown audioSampleType audioChannelType key \
                  stretchMode timeSignature scaleType"),
        ("dimensions", "videoFrameSize"),
        ("rational", "videoPixelAspectRatio fileDataRate"),
        ("boolean", "videoAlphaUnityIsTransparent loop"),
        ("colorant", "videoAlphaPremultipleColor"),
        ("integer", "audioSampleRate trackNumber"),
        ("timecode", "startTimecode altTimecode"),
        ("time", "duration introTime outCue relativeTimestamp"),
        ("date", "shotDate videoModDate audioModDate metadataModDate releaseDate"),
        ("seq marker", "markers"),
        ("bag media", "contributedMedia"),
        ("uri", "absPeakAudioFilePath relativePeakAudioFilePath"),
        ("real", "tempo numberOfBeats"),
        ("timescalestretch", "timeScaleParams"),
        ("resamplestretch", "resampleParams"),
        ("beatsplicestretch", "beatSpliceParams"),
    ]),
    (RAW, Only(Xmp2005), &[
        ("boolean", "AutoBrightness AutoContrast AutoExposure AutoShadows HasCrop HasSettings"),
        ("integer", "BlueHue BlueSaturation Brightness ChromaticAberrationB ChromaticAberrationR ColorNoiseReduction \
                     Contrast CropUnits GreenHue GreenSaturation LuminanceSmoothing RedHue RedSaturation Saturation \
                     Shadows ShadowTint Sharpness Temperature Tint VignetteAmount VignetteMidpoint"),
        ("real", "CropTop CropLeft CropBottom CropRight CropAngle CropWidth CropHeight Exposure"),
        ("text", "CameraProfile RawFileName ToneCurveName Version WhiteBalance"),
        ("seq text", "ToneCurve"),
    ]),
    (AUX, Only(Xmp2005), &[("text", "Lens SerialNumber")]),
];

#[rustfmt::skip]
static STRUCTURES: &[(&str, &str, In, Names)] = &[
    ("dimensions", DIMENSIONS, Both, &[("real", "w h"), ("text", "unit")]),
    ("thumbnail", IMAGE, Both, &[("integer", "height width"), ("text", "format image")]),
    ("resourceevent", EVENT, Both, &[
        ("text", "action parameters"), ("uri", "instanceID"), ("agentname", "softwareAgent"), ("date", "when"),
    ]),
    ("resourceref", REFERENCE, Both, &[
        ("uri", "instanceID documentID manageTo manageUI"),
        ("text", "versionID renditionParams managerVariant"),
        ("renditionclass", "renditionClass"),
        ("agentname", "manager"),
    ]),
    ("version", VERSION, Both, &[
        ("text", "comments version"), ("resourceevent", "event"), ("date", "modifyDate"), ("propername", "modifier"),
    ]),
    ("job", JOB, Both, &[("text", "name id"), ("url", "url")]),
    ("flash", EXIF, Both, &[("boolean", "Fired Function RedEyeMode"), ("text", "Return Mode")]),
    ("oecf/sfr", EXIF, Both, &[("integer", "Columns Rows"), ("seq text", "Names"), ("seq rational", "Values")]),
    ("cfapattern", EXIF, Both, &[("integer", "Columns Rows"), ("seq integer", "Values")]),
    ("devicesettings", EXIF, Both, &[("integer", "Columns Rows"), ("seq text", "Settings")]),
    ("colorant", GRAPHICS, Only(Xmp2005), &[
        ("text", "swatchName mode type"), ("real", "cyan magenta yellow black L"), ("integer", "red green blue A B"),
    ]),
    ("font", FONT, Only(Xmp2005), &[
        ("text", "fontName fontFamily fontFace fontType versionString fontFileName"),
        ("boolean", "composite"),
        ("seq text", "childFontFiles"),
    ]),
    ("beatsplicestretch", DYNAMIC, Only(Xmp2005), &[
        ("boolean", "useFileBeatsMarker"), ("real", "riseInDecibel"), ("time", "riseInTimeDuration"),
    ]),
    ("marker", DYNAMIC, Only(Xmp2005), &[
        ("any", "startTime duration"), ("text", "comment name target type"), ("uri", "location"),
    ]),
    ("media", DYNAMIC, Only(Xmp2005), &[
        ("uri", "path webStatement"), ("text", "track"), ("time", "startTime duration"), ("boolean", "managed"),
    ]),
    ("projectlink", DYNAMIC, Only(Xmp2005), &[("uri", "path"), ("text", "type")]),
    ("resamplestretch", DYNAMIC, Only(Xmp2005), &[("text", "quality")]),
    ("time", DYNAMIC, Only(Xmp2005), &[("integer", "value"), ("rational", "scale")]),
    ("timecode", DYNAMIC, Only(Xmp2005), &[("text", "timeValue timeFormat")]),
    ("timescalestretch", DYNAMIC, Only(Xmp2005), &[
        ("text", "quality"), ("real", "frameSize frameOverlappingPercentage"),
    ]),
];
