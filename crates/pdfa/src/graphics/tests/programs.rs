//! Font programs of a few glyphs, built byte by byte.

/// A TrueType program: widths of its glyphs in thousandths of an em, and its `cmap` subtables by
/// platform, encoding, first code and glyphs.
pub(super) fn true_type(widths: &[u16], subtables: &[(u16, u16, u16, &[u16])]) -> Vec<u8> {
    let glyphs = u16::try_from(widths.len()).unwrap();
    let mut head = vec![0; 54];
    head[18..20].copy_from_slice(&1000_u16.to_be_bytes());
    let mut hhea = vec![0; 36];
    hhea[34..].copy_from_slice(&glyphs.to_be_bytes());
    let hmtx = widths.iter().flat_map(|width| [width.to_be_bytes(), [0, 0]].concat()).collect();
    let maxp = [0x0000_5000_u32.to_be_bytes().as_slice(), &glyphs.to_be_bytes()].concat();
    let tables: [(&[u8], Vec<u8>); 5] = [
        (b"cmap", cmap(subtables)),
        (b"head", head),
        (b"hhea", hhea),
        (b"hmtx", hmtx),
        (b"maxp", maxp),
    ];
    let mut file = [&[0, 1, 0, 0, 0, 5][..], &[0; 6]].concat();
    let mut data = Vec::new();
    for (tag, table) in &tables {
        let offset = 12 + 16 * tables.len() + data.len();
        file.extend([tag, [0; 4].as_slice()].concat());
        for number in [offset, table.len()] {
            file.extend(u32::try_from(number).unwrap().to_be_bytes());
        }
        data.extend(table);
        data.resize(data.len().next_multiple_of(4), 0);
    }
    file.extend(data);
    file
}

fn cmap(subtables: &[(u16, u16, u16, &[u16])]) -> Vec<u8> {
    let count = u16::try_from(subtables.len()).unwrap();
    let mut table = [[0, 0], count.to_be_bytes()].concat();
    let mut data = Vec::new();
    for (platform, encoding, first, glyphs) in subtables {
        let offset = u32::try_from(4 + 8 * subtables.len() + data.len()).unwrap();
        table.extend([platform.to_be_bytes(), encoding.to_be_bytes()].concat());
        table.extend(offset.to_be_bytes());
        let entries = u16::try_from(glyphs.len()).unwrap();
        for number in [6, 10 + 2 * entries, 0, *first, entries].iter().chain(*glyphs) {
            data.extend(number.to_be_bytes());
        }
    }
    table.extend(data);
    table
}

/// A Type 1 program with StandardEncoding, and glyphs with these names and widths.
pub(super) fn type_1(glyphs: &[(&str, i16)]) -> Vec<u8> {
    let mut private = b"0000dup /Private 8 dict dup begin\n/lenIV 4 def\n".to_vec();
    let open = format!("2 index /CharStrings {} dict dup begin\n", glyphs.len());
    private.extend(open.bytes());
    for (name, width) in glyphs {
        let code = [&[0; 4][..], &[139], &charstring_number(*width), &[13, 14]].concat();
        let code = encrypt(&code, 4330);
        private.extend(format!("/{name} {} RD ", code.len()).bytes());
        private.extend(code);
        private.extend(b" ND\n");
    }
    private.extend(b"end\nend\nreadonly put\nmark currentfile closefile\n");
    let mut file = b"%!PS-AdobeFont-1.0: Test 1.0\n/FontName /Test def\n/PaintType 0 def\n\
        /FontType 1 def\n/FontMatrix [0.001 0 0 0.001 0 0] readonly def\n\
        /Encoding StandardEncoding def\n/FontBBox {0 0 9 9} readonly def\n\
        currentfile eexec\n"
        .to_vec();
    file.extend(encrypt(&private, 55665));
    file
}

fn encrypt(data: &[u8], key: u16) -> Vec<u8> {
    let mut key = key;
    let step = |byte: &u8| {
        let cipher = byte ^ key.to_be_bytes()[0];
        key = u16::from(cipher).wrapping_add(key).wrapping_mul(52845).wrapping_add(22719);
        cipher
    };
    data.iter().map(step).collect()
}

/// A number from 108 to 1131, or 0, as encoded in charstrings.
fn charstring_number(number: i16) -> Vec<u8> {
    if number == 0 {
        return vec![139];
    }
    let [high, low] = (number - 108).to_be_bytes();
    vec![247 + high, low]
}

/// A CFF program. Its glyphs after the first have these widths, and these CIDs or the names of
/// these standard strings (Adobe Technical Note 5176, Appendix A).
pub(super) fn compact(glyphs: &[(u16, i16)], cid_keyed: bool) -> Vec<u8> {
    let charset: Vec<u8> =
        [0].into_iter().chain(glyphs.iter().flat_map(|(name, _)| name.to_be_bytes())).collect();
    let code = |width: i16| [charstring_number(width), vec![14]].concat();
    let codes: Vec<Vec<u8>> =
        [(0, 0)].iter().chain(glyphs).map(|(_, width)| code(*width)).collect();
    let codes = index(&codes);
    let start = [&[1, 0, 4, 1][..], &index(&[b"X".to_vec()])].concat();
    let rest = [index(&[]), index(&[])].concat();
    // Every number of the top DICT takes five bytes, so that its size is known before its content.
    let dict = |at: usize| {
        let (charset_at, codes_at) = (at, at + charset.len());
        let after = codes_at + codes.len();
        let mut dict = Vec::new();
        if cid_keyed {
            dict.extend([operands(&[1, 2, 0]), vec![12, 30]].concat());
        }
        dict.extend([operands(&[charset_at]), vec![15], operands(&[codes_at]), vec![17]].concat());
        if cid_keyed {
            let select = after;
            let array = select + 2 + glyphs.len();
            dict.extend(
                [operands(&[array]), vec![12, 36], operands(&[select]), vec![12, 37]].concat(),
            );
        } else {
            dict.extend([operands(&[0, after]), vec![18]].concat());
        }
        dict
    };
    let size = index(&[dict(0)]).len();
    let at = start.len() + size + rest.len();
    let mut file = [start, index(&[dict(at)]), rest, charset.clone(), codes.clone()].concat();
    if cid_keyed {
        file.extend(vec![0; 2 + glyphs.len()]);
        file.extend(index(&[[operands(&[0, 0]), vec![18]].concat()]));
    }
    file
}

fn operands(numbers: &[usize]) -> Vec<u8> {
    let spell = |number: &usize| {
        [vec![29], u32::try_from(*number).unwrap().to_be_bytes().to_vec()].concat()
    };
    numbers.iter().flat_map(spell).collect()
}

fn index(items: &[Vec<u8>]) -> Vec<u8> {
    let mut index = u16::try_from(items.len()).unwrap().to_be_bytes().to_vec();
    if items.is_empty() {
        return index;
    }
    index.push(2);
    let mut offset = 1_u16;
    index.extend(offset.to_be_bytes());
    for item in items {
        offset += u16::try_from(item.len()).unwrap();
        index.extend(offset.to_be_bytes());
    }
    index.extend(items.concat());
    index
}
