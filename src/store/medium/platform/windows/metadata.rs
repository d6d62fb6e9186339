// SPDX-License-Identifier: GPL-3.0-or-later
//! What a file has besides its bytes: read, and set.

use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes};
use std::io;
use std::os::windows::fs::{FileTimesExt, MetadataExt};
use std::path::Path;

use winsafe::co;

use super::codes::FILE_WRITE_ATTRIBUTES;
use super::files::{reopen, sync};
use super::security::{
    AUDIT, DESCRIPTOR, add_by_name, named_text, sddl, set_audit, set_descriptor,
};
use super::verbatim::verbatim;
use crate::disk::system::os_error;
use crate::store::terms::{FileMetadata, Stamp, hex, unhex};

/// The attribute bits, among the attributes by name: four bytes, little-endian.
const ATTRIBUTES: &str = "windows.attributes";
/// The attributes that the system lets a program set. The rest (compressed, encrypted, sparse, ...)
/// is compared, and refused where it differs.
const SETTABLE: [(u32, co::FILE_ATTRIBUTE); 7] = [
    (0x1, co::FILE_ATTRIBUTE::READONLY),
    (0x2, co::FILE_ATTRIBUTE::HIDDEN),
    (0x4, co::FILE_ATTRIBUTE::SYSTEM),
    (0x20, co::FILE_ATTRIBUTE::ARCHIVE),
    (0x100, co::FILE_ATTRIBUTE::TEMPORARY),
    (0x1000, co::FILE_ATTRIBUTE::OFFLINE),
    (0x2000, co::FILE_ATTRIBUTE::NOT_CONTENT_INDEXED),
];
/// No attribute at all, for the call that wants to be told so.
const NORMAL: u32 = 0x80;

pub(crate) fn metadata(file: &File) -> io::Result<FileMetadata> {
    let found = file.metadata()?;
    let attributes = found.file_attributes() & !NORMAL;
    let mut named = BTreeMap::new();
    named.insert(ATTRIBUTES.to_owned(), hex(&attributes.to_le_bytes()));
    if let Some(text) = sddl(file)? {
        named.insert(DESCRIPTOR.to_owned(), hex(text.as_bytes()));
    }
    Ok(FileMetadata {
        modified: Stamp::from(found.modified()?),
        accessed: Stamp::from(found.accessed()?),
        created: Some(Stamp::from(found.created()?)),
        read_only: found.permissions().readonly(),
        mode: 0,
        owner: 0,
        group: 0,
        xattrs: named,
    })
}

/// Sets what differs. Every part is tried; the caller compares and so judges a failure.
pub(crate) fn set_metadata(file: &File, path: &Path, wanted: &FileMetadata) -> io::Result<()> {
    let now = metadata(file)?;
    let mut result = Ok(());
    if let Some(text) = named_text(wanted, DESCRIPTOR)
        && now.xattrs.get(DESCRIPTOR) != wanted.xattrs.get(DESCRIPTOR)
    {
        result = result.and(set_descriptor(path, &text));
    }
    if let Some(text) = named_text(wanted, AUDIT) {
        let mut now = now;
        add_by_name(path, &mut now)?;
        if now.xattrs.get(AUDIT) != wanted.xattrs.get(AUDIT) {
            result = result.and(set_audit(path, &text));
        }
    }
    result = result.and(sync(file, path));
    result = result.and(set_times(path, wanted));
    result.and(set_attributes(path, wanted))
}

fn set_times(path: &Path, wanted: &FileMetadata) -> io::Result<()> {
    let (Some(modified), Some(accessed)) = (wanted.modified.time(), wanted.accessed.time()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut times = FileTimes::new()
        .set_modified(modified)
        .set_accessed(accessed);
    if let Some(created) = wanted.created.and_then(Stamp::time) {
        times = times.set_created(created);
    }
    reopen(path, FILE_WRITE_ATTRIBUTES)?.set_times(times)
}

fn set_attributes(path: &Path, wanted: &FileMetadata) -> io::Result<()> {
    let bytes = wanted.xattrs.get(ATTRIBUTES).and_then(|value| unhex(value));
    let bytes: Option<[u8; 4]> = bytes.and_then(|bytes| bytes.try_into().ok());
    let recorded = bytes.map_or(0, u32::from_le_bytes);
    let now = fs::symlink_metadata(path)?.file_attributes();
    let settable = SETTABLE.into_iter().fold(0, |all, (bit, _)| all | bit);
    if now & settable == recorded & settable {
        return Ok(());
    }
    let Some(path) = verbatim(path)? else {
        return Err(io::ErrorKind::InvalidFilename.into());
    };
    winsafe::SetFileAttributes(&path, attributes_of(recorded)).map_err(os_error)
}

/// The bits as the call takes them; without any, the word for none.
fn attributes_of(bits: u32) -> co::FILE_ATTRIBUTE {
    let named = SETTABLE.into_iter().filter(|(bit, _)| bits & bit != 0);
    let set = named.map(|(_, attribute)| attribute);
    set.reduce(|all, one| all | one)
        .unwrap_or(co::FILE_ATTRIBUTE::NORMAL)
}

#[cfg(test)]
mod tests {
    use super::super::files::{create_new, seed};
    use super::super::security::protect;
    use super::*;
    use crate::disk::{Folder, Spot};

    fn spot(path: &Path) -> Spot {
        Folder::named(path.parent().unwrap()).unwrap().at(path)
    }

    #[test]
    fn descriptor_attributes_and_times_are_carried_over() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        fs::write(&old, b"old content").unwrap();
        let hidden = co::FILE_ATTRIBUTE::HIDDEN | co::FILE_ATTRIBUTE::SYSTEM;
        winsafe::SetFileAttributes(old.to_str().unwrap(), hidden).unwrap();
        let mut wanted = metadata(&File::open(&old).unwrap()).unwrap();
        // Wine knows no creation later than the last write.
        wanted.modified.seconds = 1_000_000_000;
        wanted.created = Some(wanted.modified);
        let file = create_new(&spot(&new)).unwrap();
        protect(&file, &wanted).unwrap();
        let file = seed(file, &new, &old).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 0, "seeded, and empty");
        set_metadata(&file, &new, &wanted).unwrap();
        let found = metadata(&file).unwrap();
        assert_eq!(wanted.difference(&found), None);
        assert!(found.xattrs.contains_key(DESCRIPTOR));
        assert_ne!(
            found.xattrs.get(ATTRIBUTES),
            Some(&hex(&0_u32.to_le_bytes()))
        );
    }
}
