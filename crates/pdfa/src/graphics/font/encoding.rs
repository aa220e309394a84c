//! Named encodings (ISO 32000-1, Annex D) and the characters of glyph names (Adobe Glyph List).

use read_fonts::ps::{PredefinedEncoding, agl};
use std::{collections::HashMap, sync::LazyLock};

/// The name of the glyph for an undefined character.
pub(crate) const NOTDEF: &str = ".notdef";

/// A predefined encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// `MacRomanEncoding`
    MacRoman,
    /// `MacExpertEncoding`
    MacExpert,
    /// `WinAnsiEncoding`
    WinAnsi,
    /// `StandardEncoding`
    Standard,
}

impl Named {
    /// The encoding `name`. `StandardEncoding` is not a permitted value of /Encoding.
    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        match name {
            b"MacRomanEncoding" => Some(Self::MacRoman),
            b"MacExpertEncoding" => Some(Self::MacExpert),
            b"WinAnsiEncoding" => Some(Self::WinAnsi),
            _ => None,
        }
    }

    /// The glyph name of `code`, [`NOTDEF`] if it has none.
    pub(crate) fn glyph(self, code: u8) -> &'static str {
        let code_at = usize::from(code);
        let name = match self {
            Self::Standard => PredefinedEncoding::Standard.name(code),
            Self::MacRoman => MAC_ROMAN_TABLE[code_at],
            Self::MacExpert => MAC_EXPERT_TABLE[code_at],
            Self::WinAnsi => WIN_ANSI_TABLE[code_at],
        };
        if name.is_empty() { NOTDEF } else { name }
    }
}

static MAC_ROMAN_TABLE: LazyLock<[&str; 256]> = LazyLock::new(|| table(&[ASCII, MAC_ROMAN_HIGH]));
static MAC_EXPERT_TABLE: LazyLock<[&str; 256]> = LazyLock::new(|| table(&[MAC_EXPERT]));
static WIN_ANSI_TABLE: LazyLock<[&str; 256]> = LazyLock::new(|| table(&[ASCII, WIN_ANSI_HIGH]));

/// Names from code 32 on; a full stop means no name.
fn table(parts: &[&'static str]) -> [&'static str; 256] {
    let mut table = [NOTDEF; 256];
    let names = parts.iter().flat_map(|part| part.split_ascii_whitespace());
    for (entry, name) in table.iter_mut().skip(32).zip(names) {
        if name != "." {
            *entry = name;
        }
    }
    table
}

/// Codes of the (1, 0) `cmap` subtable by glyph name: MacRoman, and 16 more of Mac OS (ISO 32000-1,
/// 9.6.6.4, Table 115).
static MAC_OS_CODES: LazyLock<HashMap<&'static str, u8>> = LazyLock::new(|| {
    let mut codes = HashMap::new();
    for code in (0..=255).rev() {
        let name = MAC_ROMAN_TABLE[usize::from(code)];
        if name != NOTDEF {
            codes.insert(name, code);
        }
    }
    codes.extend([
        ("notequal", 173),
        ("infinity", 176),
        ("lessequal", 178),
        ("greaterequal", 179),
        ("partialdiff", 182),
        ("summation", 183),
        ("product", 184),
        ("pi", 185),
        ("integral", 186),
        ("Omega", 189),
        ("radical", 195),
        ("approxequal", 197),
        ("Delta", 198),
        ("lozenge", 215),
        ("Euro", 219),
        ("apple", 240),
    ]);
    codes
});

/// The Mac OS code of a glyph name.
pub(crate) fn mac_os_code(name: &str) -> Option<u8> {
    MAC_OS_CODES.get(name).copied()
}

/// Whether the Adobe Glyph List contains exactly this name.
pub(crate) fn in_glyph_list(name: &str) -> bool {
    !is_systematic(name) && !is_dingbat(name) && agl::name_to_chars(name).next().is_some()
}

/// The character or characters of a glyph name, from the Adobe Glyph List and its rules for names
/// such as `uni20AC`.
pub(crate) fn characters(name: &str) -> Option<String> {
    let text: String = agl::name_to_chars(name).collect();
    (!text.is_empty()).then_some(text)
}

/// The first character of a glyph name.
pub(crate) fn character(name: &str) -> Option<char> {
    agl::name_to_chars(name).next()
}

/// Whether the font Symbol, the font ZapfDingbats, or the standard Latin set contains `name`.
pub(crate) fn in_standard_fonts(name: &str) -> bool {
    is_dingbat(name) || SYMBOL_ONLY.split_ascii_whitespace().any(|symbol| symbol == name)
}

/// `uni0041`, `u1F600`, and names with a full stop or an underscore.
fn is_systematic(name: &str) -> bool {
    let hexadecimal = |digits: &str| {
        digits.len() >= 4
            && digits.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b))
    };
    name.contains(['.', '_'])
        || name.strip_prefix("uni").is_some_and(hexadecimal)
        || name.strip_prefix('u').is_some_and(hexadecimal)
}

/// `a1` to `a206`, the glyph names of ZapfDingbats.
fn is_dingbat(name: &str) -> bool {
    name.strip_prefix('a').is_some_and(|digits| {
        (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

const ASCII: &str = "space exclam quotedbl numbersign dollar percent ampersand quotesingle \
    parenleft parenright asterisk plus comma hyphen period slash zero one two three four five six \
    seven eight nine colon semicolon less equal greater question at A B C D E F G H I J K L M N O P \
    Q R S T U V W X Y Z bracketleft backslash bracketright asciicircum underscore grave a b c d e f \
    g h i j k l m n o p q r s t u v w x y z braceleft bar braceright asciitilde ";

const MAC_ROMAN_HIGH: &str = ". Adieresis Aring Ccedilla Eacute Ntilde Odieresis Udieresis aacute \
    agrave acircumflex adieresis atilde aring ccedilla eacute egrave ecircumflex edieresis iacute \
    igrave icircumflex idieresis ntilde oacute ograve ocircumflex odieresis otilde uacute ugrave \
    ucircumflex udieresis dagger degree cent sterling section bullet paragraph germandbls \
    registered copyright trademark acute dieresis . AE Oslash . plusminus . . yen mu . . . . . \
    ordfeminine ordmasculine . ae oslash questiondown exclamdown logicalnot . florin . . \
    guillemotleft guillemotright ellipsis space Agrave Atilde Otilde OE oe endash emdash \
    quotedblleft quotedblright quoteleft quoteright divide . ydieresis Ydieresis fraction currency \
    guilsinglleft guilsinglright fi fl daggerdbl periodcentered quotesinglbase quotedblbase \
    perthousand Acircumflex Ecircumflex Aacute Edieresis Egrave Iacute Icircumflex Idieresis Igrave \
    Oacute Ocircumflex . Ograve Uacute Ucircumflex Ugrave dotlessi circumflex tilde macron breve \
    dotaccent ring cedilla hungarumlaut ogonek caron";

/// Codes above 0x20 without a character are bullets (Annex D.2, footnote 3).
const WIN_ANSI_HIGH: &str = "bullet Euro bullet quotesinglbase florin quotedblbase ellipsis dagger \
    daggerdbl circumflex perthousand Scaron guilsinglleft OE bullet Zcaron bullet bullet quoteleft \
    quoteright quotedblleft quotedblright bullet endash emdash tilde trademark scaron \
    guilsinglright oe bullet zcaron Ydieresis space exclamdown cent sterling currency yen brokenbar \
    section dieresis copyright ordfeminine guillemotleft logicalnot hyphen registered macron degree \
    plusminus twosuperior threesuperior acute mu paragraph periodcentered cedilla onesuperior \
    ordmasculine guillemotright onequarter onehalf threequarters questiondown Agrave Aacute \
    Acircumflex Atilde Adieresis Aring AE Ccedilla Egrave Eacute Ecircumflex Edieresis Igrave \
    Iacute Icircumflex Idieresis Eth Ntilde Ograve Oacute Ocircumflex Otilde Odieresis multiply \
    Oslash Ugrave Uacute Ucircumflex Udieresis Yacute Thorn germandbls agrave aacute acircumflex \
    atilde adieresis aring ae ccedilla egrave eacute ecircumflex edieresis igrave iacute \
    icircumflex idieresis eth ntilde ograve oacute ocircumflex otilde odieresis divide oslash \
    ugrave uacute ucircumflex udieresis yacute thorn ydieresis";

const MAC_EXPERT: &str = "space exclamsmall Hungarumlautsmall centoldstyle dollaroldstyle \
    dollarsuperior ampersandsmall Acutesmall parenleftsuperior parenrightsuperior twodotenleader \
    onedotenleader comma hyphen period fraction zerooldstyle oneoldstyle twooldstyle threeoldstyle \
    fouroldstyle fiveoldstyle sixoldstyle sevenoldstyle eightoldstyle nineoldstyle colon semicolon \
    . threequartersemdash . questionsmall . . . . Ethsmall . . onequarter onehalf threequarters \
    oneeighth threeeighths fiveeighths seveneighths onethird twothirds . . . . . . ff fi fl ffi ffl \
    parenleftinferior . parenrightinferior Circumflexsmall hypheninferior Gravesmall Asmall Bsmall \
    Csmall Dsmall Esmall Fsmall Gsmall Hsmall Ismall Jsmall Ksmall Lsmall Msmall Nsmall Osmall \
    Psmall Qsmall Rsmall Ssmall Tsmall Usmall Vsmall Wsmall Xsmall Ysmall Zsmall colonmonetary \
    onefitted rupiah Tildesmall . . asuperior centsuperior . . . . Aacutesmall Agravesmall \
    Acircumflexsmall Adieresissmall Atildesmall Aringsmall Ccedillasmall Eacutesmall Egravesmall \
    Ecircumflexsmall Edieresissmall Iacutesmall Igravesmall Icircumflexsmall Idieresissmall \
    Ntildesmall Oacutesmall Ogravesmall Ocircumflexsmall Odieresissmall Otildesmall Uacutesmall \
    Ugravesmall Ucircumflexsmall Udieresissmall . eightsuperior fourinferior threeinferior \
    sixinferior eightinferior seveninferior Scaronsmall . centinferior twoinferior . Dieresissmall \
    . Caronsmall osuperior fiveinferior . commainferior periodinferior Yacutesmall . dollarinferior \
    . . Thornsmall . nineinferior zeroinferior Zcaronsmall AEsmall Oslashsmall questiondownsmall \
    oneinferior Lslashsmall . . . . . . Cedillasmall . . . . . OEsmall figuredash hyphensuperior . \
    . . . exclamdownsmall . Ydieresissmall . onesuperior twosuperior threesuperior foursuperior \
    fivesuperior sixsuperior sevensuperior ninesuperior zerosuperior . esuperior rsuperior \
    tsuperior . . isuperior ssuperior dsuperior . . . . . lsuperior Ogoneksmall Brevesmall \
    Macronsmall bsuperior nsuperior msuperior commasuperior periodsuperior Dotaccentsmall Ringsmall";

/// Glyph names of the font Symbol that the Adobe Glyph List may not contain.
const SYMBOL_ONLY: &str = "arrowvertex arrowhorizex carriagereturn registerserif copyrightserif \
    trademarkserif registersans copyrightsans trademarksans parenlefttp parenleftex parenleftbt \
    bracketlefttp bracketleftex bracketleftbt bracelefttp braceleftmid braceleftbt braceex \
    integralex parenrighttp parenrightex parenrightbt bracketrighttp bracketrightex bracketrightbt \
    bracerighttp bracerightmid bracerightbt radicalex apple reflexsuperset reflexsubset";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned() {
        assert_eq!(Named::WinAnsi.glyph(b'A'), "A");
        assert_eq!(Named::WinAnsi.glyph(0x80), "Euro");
        assert_eq!(Named::WinAnsi.glyph(0xFF), "ydieresis");
        assert_eq!(Named::WinAnsi.glyph(0x7F), "bullet");
        assert_eq!(Named::WinAnsi.glyph(0x1F), NOTDEF);
        assert_eq!(Named::MacRoman.glyph(0xFF), "caron");
        assert_eq!(Named::MacRoman.glyph(0xCA), "space");
        assert_eq!(Named::MacRoman.glyph(0x7F), NOTDEF);
        assert_eq!(Named::MacExpert.glyph(0xFB), "Ringsmall");
        assert_eq!(Named::MacExpert.glyph(0x57), "fi");
        assert_eq!(Named::Standard.glyph(0x27), "quoteright");
        assert_eq!(Named::Standard.glyph(0x80), NOTDEF);
    }

    #[test]
    fn the_glyph_list_has_its_names_only() {
        assert!(in_glyph_list("Aacute"));
        assert!(in_glyph_list("afii10017"));
        assert!(!in_glyph_list("uni0041"));
        assert!(!in_glyph_list("g17"));
        assert!(!in_glyph_list("a12"));
        assert!(!in_glyph_list("A.alt"));
        assert_eq!(characters("uni0041").as_deref(), Some("A"));
        assert_eq!(characters("nonsense"), None);
        assert!(in_standard_fonts("a12") && in_standard_fonts("radicalex"));
    }

    #[test]
    fn mac_os_codes() {
        assert_eq!(mac_os_code("A"), Some(65));
        assert_eq!(mac_os_code("space"), Some(32));
        assert_eq!(mac_os_code("Euro"), Some(219));
        assert_eq!(mac_os_code("bogus"), None);
    }
}
