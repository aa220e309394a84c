//! Decryption by the standard security handler (ISO 32000-2, 7.6) with the empty user password,
//! which every reader tries first.

use aes::{
    Aes128, Aes256,
    cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::NoPadding},
};
use md5::{Digest, Md5};
use sha2::{Sha256, Sha384, Sha512};

use crate::{
    Error, File, Source,
    object::{Dict, Object, Ref, Str},
};

/// Whether a file's strings and streams are readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It is not encrypted.
    Open,
    /// It is encrypted, and the empty password opens it.
    Unlocked,
    /// Only its attachments are encrypted, and the empty password does not open them. The rest is
    /// as in a file that is [`Open`](Self::Open).
    AttachmentsLocked,
    /// It is encrypted, and the empty password does not open it.
    Locked,
    /// The encryption method is unknown, or `/Encrypt` is invalid.
    Unknown,
}

/// Pads a password to 32 bytes (7.6.4.3.2, step a). The empty password is all padding.
const PADDING: [u8; 32] = [
    0x28, 0xbf, 0x4e, 0x5e, 0x4e, 0x75, 0x8a, 0x41, 0x64, 0x00, 0x4e, 0x56, 0xff, 0xfa, 0x01, 0x08,
    0x2e, 0x2e, 0x00, 0xb6, 0xd0, 0x68, 0x3e, 0x80, 0x2f, 0x0c, 0xa9, 0xfe, 0x64, 0x53, 0x69, 0x7a,
];

/// Encryption method of strings or streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cipher {
    None,
    Rc4,
    Aes128,
    Aes256,
}

/// The key of a file, and the encryption methods.
pub(crate) struct Crypt {
    /// `None` if the empty password gives no key and only attachments need one.
    key: Option<Vec<u8>>,
    strings: Cipher,
    streams: Cipher,
    /// Method for embedded files without a crypt filter of their own.
    attachments: Cipher,
    /// Whether metadata is encrypted like other streams.
    metadata: bool,
    /// The object of `/Encrypt`; its strings are not encrypted.
    id: Option<Ref>,
}

/// The entries of `/Encrypt` from which the key is derived.
struct Parameters {
    revision: i64,
    /// Length of the key in bytes.
    length: usize,
    owner: Vec<u8>,
    user: Vec<u8>,
    user_key: Vec<u8>,
    permissions: i32,
    file_id: Vec<u8>,
    metadata: bool,
}

impl Crypt {
    /// Derives the key from the empty password; `Err` gives the reason if there is none.
    pub(crate) fn new<S: Source>(
        file: &File<S>,
        trailer: &Dict,
    ) -> Result<Result<Self, Access>, Error> {
        let Object::Dict(dict) = file.get(trailer, "Encrypt")? else {
            return Ok(Err(Access::Unknown));
        };
        let integer = |key| Ok::<_, Error>(file.get(&dict, key)?.as_i64());
        let bytes = |key| {
            let value = file.get(&dict, key)?;
            Ok::<_, Error>(value.as_string().map(|text| text.as_bytes().to_vec()))
        };
        let (version, revision) = (integer("V")?.unwrap_or(0), integer("R")?.unwrap_or(0));
        let standard = file.get(&dict, "Filter")?.is_name("Standard");
        let bits = integer("Length")?.unwrap_or(40);
        let length = match (version, revision) {
            (1, 2..=3) => Some(5),
            (2, 3) => usize::try_from(bits / 8).ok().filter(|length| (5..=16).contains(length)),
            (4, 4) => Some(16),
            (5, 5 | 6) => Some(32),
            _ => None,
        };
        let (Some(length), true) = (length, standard) else { return Ok(Err(Access::Unknown)) };
        let (strings, streams, attachments) = if version >= 4 {
            match (filter(file, &dict, "StrF")?, filter(file, &dict, "StmF")?) {
                (Some(strings), Some(streams)) => {
                    let attachments = if dict.contains("EFF") {
                        filter(file, &dict, "EFF")?
                    } else {
                        Some(streams)
                    };
                    let Some(attachments) = attachments else { return Ok(Err(Access::Unknown)) };
                    (strings, streams, attachments)
                }
                _ => return Ok(Err(Access::Unknown)),
            }
        } else {
            (Cipher::Rc4, Cipher::Rc4, Cipher::Rc4)
        };
        let file_id = match file.get(trailer, "ID")? {
            Object::Array(halves) => match halves.first() {
                Some(half) => file.resolve(half)?,
                None => Object::Null,
            },
            _ => Object::Null,
        };
        let metadata = file.get(&dict, "EncryptMetadata")?.as_bool().unwrap_or(true);
        let parameters = Parameters {
            revision,
            length,
            owner: bytes("O")?.unwrap_or_default(),
            user: bytes("U")?.unwrap_or_default(),
            user_key: bytes("UE")?.unwrap_or_default(),
            // A 32-bit value, which some writers store as unsigned.
            #[expect(clippy::cast_possible_truncation, reason = "only the low 32 bits count")]
            permissions: integer("P")?.unwrap_or(0) as i32,
            file_id: file_id.as_string().map(|id| id.as_bytes().to_vec()).unwrap_or_default(),
            metadata,
        };
        let key = if revision >= 5 { parameters.key_of_256() } else { parameters.key_of_128() };
        let id = trailer.get("Encrypt").and_then(Object::as_ref);
        if key.is_none() && (strings, streams) != (Cipher::None, Cipher::None) {
            return Ok(Err(Access::Locked));
        }
        Ok(Ok(Self { key, strings, streams, attachments, metadata, id }))
    }

    /// What the key can decrypt.
    pub(crate) const fn access(&self) -> Access {
        if self.key.is_some() { Access::Unlocked } else { Access::AttachmentsLocked }
    }

    /// Decrypts the strings of object `id`. Objects in object streams need no decryption.
    pub(crate) fn object(&self, id: Ref, object: Object) -> Object {
        if self.strings == Cipher::None || self.id.is_some_and(|own| own.number == id.number) {
            return object;
        }
        match object {
            Object::String(text) => Object::String(self.string(id, &text)),
            Object::Array(array) => {
                let items = array.iter().map(|item| self.object(id, item.clone()));
                Object::Array(items.collect::<Vec<_>>().into())
            }
            Object::Dict(dict) => Object::Dict(self.dict(id, &dict)),
            other => other,
        }
    }

    /// Decrypts the strings of a dictionary. The parser limits the nesting depth.
    fn dict(&self, id: Ref, dict: &Dict) -> Dict {
        // The signature itself is not encrypted (12.8.1, `/Contents`).
        let signature = dict.contains("ByteRange");
        let entries = dict.iter().map(|(key, value)| {
            let value = if signature && *key == *"Contents" {
                value.clone()
            } else {
                self.object(id, value.clone())
            };
            (key.clone(), value)
        });
        entries.collect::<Vec<_>>().into()
    }

    fn string(&self, id: Ref, text: &Str) -> Str {
        text.with_bytes(&self.decrypt(self.strings, id, text.as_bytes().to_vec()))
    }

    /// Decrypts the data of stream `id`.
    pub(crate) fn stream(&self, id: Ref, dict: &Dict, data: Vec<u8>) -> Vec<u8> {
        let plain = dict.is("Type", "XRef")
            || dict.is("Type", "Metadata") && !self.metadata
            || has_own_filter(dict);
        let cipher = match dict.is("Type", "EmbeddedFile") {
            _ if plain => Cipher::None,
            true => self.attachments,
            false => self.streams,
        };
        self.decrypt(cipher, id, data)
    }

    /// Whether stream `dict` is encrypted and its key is unknown.
    pub(crate) fn is_locked(&self, dict: &Dict) -> bool {
        self.key.is_none()
            && dict.is("Type", "EmbeddedFile")
            && (has_own_filter(dict) || self.attachments != Cipher::None)
    }

    /// Data without a key stays unchanged.
    fn decrypt(&self, cipher: Cipher, id: Ref, mut data: Vec<u8>) -> Vec<u8> {
        let Some(key) = &self.key else { return data };
        match cipher {
            Cipher::None => {}
            Cipher::Rc4 => rc4(&object_key(key, id, b""), &mut data),
            Cipher::Aes128 => {
                aes_cbc::<cbc::Decryptor<Aes128>>(&object_key(key, id, b"sAlT"), &mut data);
            }
            Cipher::Aes256 => aes_cbc::<cbc::Decryptor<Aes256>>(key, &mut data),
        }
        data
    }
}

/// The key of an object (7.6.3.2, algorithm 1).
fn object_key(key: &[u8], id: Ref, salt: &[u8]) -> Vec<u8> {
    let mut hash = Md5::new();
    hash.update(key);
    hash.update(&id.number.to_le_bytes()[..3]);
    hash.update(id.generation.to_le_bytes());
    hash.update(salt);
    hash.finalize()[..(key.len() + 5).min(16)].to_vec()
}

/// Whether a stream has a crypt filter of its own. In practice it is `Identity`; any other is
/// [`Codec::Unknown`](crate::Codec::Unknown).
fn has_own_filter(dict: &Dict) -> bool {
    match dict.get("Filter") {
        Some(Object::Array(filters)) => filters.iter().any(|filter| filter.is_name("Crypt")),
        Some(filter) => filter.is_name("Crypt"),
        None => false,
    }
}

/// The cipher of the crypt filter for strings or for streams (7.6.6).
fn filter<S: Source>(file: &File<S>, dict: &Dict, key: &str) -> Result<Option<Cipher>, Error> {
    let name = file.get(dict, key)?;
    let Some(name) = name.as_name().filter(|name| **name != *"Identity") else {
        return Ok(Some(Cipher::None));
    };
    let Object::Dict(filters) = file.get(dict, "CF")? else { return Ok(None) };
    let Object::Dict(filter) = file.get(&filters, name.as_str().unwrap_or_default())? else {
        return Ok(None);
    };
    let method = file.get(&filter, "CFM")?;
    Ok(method.as_name().and_then(|method| match method.as_bytes() {
        b"None" => Some(Cipher::None),
        b"V2" => Some(Cipher::Rc4),
        b"AESV2" => Some(Cipher::Aes128),
        b"AESV3" => Some(Cipher::Aes256),
        _ => None,
    }))
}

impl Parameters {
    /// The key of revisions 2 to 4 (7.6.4.3.2, algorithm 2), if `/U` confirms it (7.6.4.4, algorithms
    /// 4 and 5).
    fn key_of_128(&self) -> Option<Vec<u8>> {
        let mut hash = Md5::new();
        hash.update(PADDING);
        hash.update(self.owner.get(..32)?);
        hash.update(self.permissions.to_le_bytes());
        hash.update(&self.file_id);
        if self.revision >= 4 && !self.metadata {
            hash.update([0xff; 4]);
        }
        let mut digest = hash.finalize();
        if self.revision >= 3 {
            for _ in 0..50 {
                digest = Md5::digest(&digest[..self.length]);
            }
        }
        let key = digest[..self.length].to_vec();
        let confirmed = if self.revision == 2 {
            let mut check = PADDING.to_vec();
            rc4(&key, &mut check);
            self.user.get(..32)? == check
        } else {
            let mut check = Md5::new_with_prefix(PADDING).chain_update(&self.file_id).finalize();
            for round in 0..20 {
                let key: Vec<_> = key.iter().map(|byte| byte ^ round).collect();
                rc4(&key, &mut check);
            }
            self.user.get(..16)? == check.as_slice()
        };
        confirmed.then_some(key)
    }

    /// The key of revisions 5 and 6 (7.6.4.3.3, algorithm 2.A).
    fn key_of_256(&self) -> Option<Vec<u8>> {
        let hash = |salt: &[u8]| match self.revision {
            5 => Sha256::digest(salt).to_vec(),
            _ => hash_of_revision_6(salt),
        };
        if hash(self.user.get(32..40)?) != self.user.get(..32)? {
            return None;
        }
        let key = hash(self.user.get(40..48)?);
        let mut file_key = self.user_key.get(..32)?.to_vec();
        cbc::Decryptor::<Aes256>::new_from_slices(&key, &[0; 16])
            .ok()?
            .decrypt_padded::<NoPadding>(&mut file_key)
            .ok()?;
        Some(file_key)
    }
}

/// The hash of the empty password with a salt (7.6.4.3.4, algorithm 2.B).
fn hash_of_revision_6(salt: &[u8]) -> Vec<u8> {
    let mut hash = Sha256::digest(salt).to_vec();
    let mut round = 0_u32;
    loop {
        let mut data = hash.repeat(64);
        let length = data.len();
        // The hash has at least 32 bytes, and 64 copies of it are whole blocks.
        let encryptor = cbc::Encryptor::<Aes128>::new_from_slices(&hash[..16], &hash[16..32]);
        if let Ok(encryptor) = encryptor {
            let _ = encryptor.encrypt_padded::<NoPadding>(&mut data, length);
        }
        // The first 16 bytes as a big-endian number, modulo 3. Because 256 is 1 modulo 3, the sum
        // of the bytes is enough.
        let sum: u32 = data[..16].iter().map(|byte| u32::from(*byte)).sum();
        hash = match sum % 3 {
            0 => Sha256::digest(&data).to_vec(),
            1 => Sha384::digest(&data).to_vec(),
            _ => Sha512::digest(&data).to_vec(),
        };
        round += 1;
        let last = data.last().copied().map_or(0, u32::from);
        if round >= 64 && last <= round - 32 {
            hash.truncate(32);
            return hash;
        }
    }
}

/// AES in CBC mode. The data starts with a 16-byte initialization vector; the padding is removed
/// (7.6.3.1). An incomplete block at the end is dropped.
fn aes_cbc<D: KeyIvInit + BlockModeDecrypt>(key: &[u8], data: &mut Vec<u8>) {
    if data.len() < 32 {
        data.clear();
        return;
    }
    let mut body = data.split_off(16);
    body.truncate(body.len() / 16 * 16);
    let decrypted = D::new_from_slices(key, data)
        .ok()
        .is_some_and(|decryptor| decryptor.decrypt_padded::<NoPadding>(&mut body).is_ok());
    if !decrypted {
        body.clear();
    }
    let padding = body.last().map_or(0, |last| usize::from(*last));
    if (1..=16).contains(&padding) {
        body.truncate(body.len() - padding.min(body.len()));
    }
    *data = body;
}

/// RC4, in place. The key is never empty.
fn rc4(key: &[u8], data: &mut [u8]) {
    if key.is_empty() {
        return;
    }
    let mut state: [u8; 256] = std::array::from_fn(|n| u8::try_from(n).unwrap_or_default());
    let mut j = 0_u8;
    for i in 0..256 {
        j = j.wrapping_add(state[i]).wrapping_add(key[i % key.len()]);
        state.swap(i, usize::from(j));
    }
    let (mut i, mut j) = (0_u8, 0_u8);
    for byte in data {
        i = i.wrapping_add(1);
        j = j.wrapping_add(state[usize::from(i)]);
        state.swap(usize::from(i), usize::from(j));
        let at = state[usize::from(i)].wrapping_add(state[usize::from(j)]);
        *byte ^= state[usize::from(at)];
    }
}

#[cfg(test)]
mod tests {
    /// First test vector of RFC 6229 for a key of 40 bits.
    #[test]
    fn rc4_matches_rfc_6229() {
        let mut data = [0; 8];
        super::rc4(&[1, 2, 3, 4, 5], &mut data);
        assert_eq!(data, [0xb2, 0x39, 0x63, 0x05, 0xf0, 0x3d, 0xc0, 0x27]);
    }
}
