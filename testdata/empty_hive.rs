// SPDX-License-Identifier: GPL-3.0-or-later
//! An empty hive, byte by byte, so that fixtures do not depend on the code they test.

/// Parts that the sample hives and tests need.
#[derive(Clone)]
pub(crate) struct EmptyHive {
    /// 3 (Windows NT 4) to 6.
    pub(crate) minor: u32,
    /// The root key's name.
    pub(crate) root: &'static str,
    /// What the base block says the file is called.
    pub(crate) file_name: &'static str,
    /// FILETIME of everything in it.
    pub(crate) time: u64,
}

/// BUILTIN\Administrators owns; it and LocalSystem have full control, Users read; inherited below.
/// From version 1.4 on it is what a key below inherits, byte for byte.
const DESCRIPTOR: &[u8] = &[
    1, 0, 0x04, 0x80, // revision, DACL present, self-relative
    96, 0, 0, 0, 112, 0, 0, 0, // owner, group
    0, 0, 0, 0, 20, 0, 0, 0, // no SACL; DACL
    2, 0, 76, 0, 3, 0, 0, 0, // ACL with three entries
    0, 2, 24, 0, 0x3F, 0, 0x0F, 0, // full control ...
    1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0, // ... S-1-5-32-544
    0, 2, 20, 0, 0x3F, 0, 0x0F, 0, // full control ...
    1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0, // ... S-1-5-18
    0, 2, 24, 0, 0x19, 0, 0x02, 0, // read ...
    1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x21, 2, 0, 0, // ... S-1-5-32-545
    1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0, // S-1-5-32-544
    1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0, // S-1-5-18
];

impl EmptyHive {
    /// The primary file: a base block and one bin with the root key and its security.
    pub(crate) fn build(&self) -> Vec<u8> {
        let mut image = vec![0; 8192];
        self.base_block(&mut image);
        put(&mut image, 4096, b"hbin");
        put(&mut image, 4104, &4096_u32.to_le_bytes());
        put(&mut image, 4116, &self.time.to_le_bytes());
        let root_size = cell_size(76 + self.root.len());
        let security = 32 + root_size;
        self.root_key(&mut image, root_size, security);
        let security_size = cell_size(20 + DESCRIPTOR.len());
        let at = 4096 + security;
        put(&mut image, at, &negative(security_size));
        put(&mut image, at + 4, b"sk");
        let link = u32::try_from(security).unwrap().to_le_bytes();
        put(&mut image, at + 8, &link);
        put(&mut image, at + 12, &link);
        put(&mut image, at + 16, &1_u32.to_le_bytes());
        let length = u32::try_from(DESCRIPTOR.len()).unwrap();
        put(&mut image, at + 20, &length.to_le_bytes());
        put(&mut image, at + 24, DESCRIPTOR);
        let free = security + security_size;
        let rest = u32::try_from(4096 - free).unwrap();
        put(&mut image, 4096 + free, &rest.to_le_bytes());
        image
    }

    fn base_block(&self, image: &mut [u8]) {
        put(image, 0, b"regf");
        for (at, field) in [(4, 1), (8, 1), (20, 1), (24, self.minor), (32, 1), (36, 32)] {
            put(image, at, &u32::to_le_bytes(field));
        }
        put(image, 12, &self.time.to_le_bytes());
        put(image, 40, &4096_u32.to_le_bytes());
        put(image, 44, &1_u32.to_le_bytes());
        let name: Vec<u8> = self
            .file_name
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        put(image, 48, &name[..name.len().min(62)]);
        let words = image[..508].chunks_exact(4);
        let sum = words.fold(0, |sum, word| {
            sum ^ u32::from_le_bytes(word.try_into().unwrap())
        });
        put(image, 508, &sum.to_le_bytes());
    }

    fn root_key(&self, image: &mut [u8], size: usize, security: usize) {
        let at = 4096 + 32;
        put(image, at, &negative(size));
        put(image, at + 4, b"nk");
        put(image, at + 6, &0x2C_u16.to_le_bytes());
        put(image, at + 8, &self.time.to_le_bytes());
        for field in [16, 28, 32, 40, 48] {
            put(image, at + 4 + field, &[0xFF; 4]);
        }
        let security = u32::try_from(security).unwrap();
        put(image, at + 4 + 44, &security.to_le_bytes());
        let length = u16::try_from(self.root.len()).unwrap();
        put(image, at + 4 + 72, &length.to_le_bytes());
        put(image, at + 4 + 76, self.root.as_bytes());
    }
}

fn cell_size(payload: usize) -> usize {
    (payload + 4).next_multiple_of(8)
}

fn negative(size: usize) -> [u8; 4] {
    (-i32::try_from(size).unwrap()).to_le_bytes()
}

fn put(image: &mut [u8], at: usize, bytes: &[u8]) {
    image[at..at + bytes.len()].copy_from_slice(bytes);
}
