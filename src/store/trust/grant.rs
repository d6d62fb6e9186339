// SPDX-License-Identifier: GPL-3.0-or-later
//! A record on a disk can say what to undo, never with which rights.
//!
//! What a file that is put back has besides its bytes comes from the file that is there now, or from
//! its siblings where it is gone. The record can only narrow that. One that asks for more is refused:
//! it was not written by hivemend about this file, or the file was narrowed since on purpose.

use super::acl::{descriptor_widens, posix_widens, text_widens};
use crate::disk::Spot;
use crate::store::error::StoreFault;
use crate::store::terms::{FileMetadata, unhex};
use crate::text::escape;

/// Set user, set group, sticky: no record brings these.
const SPECIAL: u32 = 0o7000;
/// Attributes that say who may do what; the list of POSIX is judged beside the permission bits.
const DESCRIPTORS: [&str; 2] = ["system.ntfs_acl", "system.ntfs_security"];
const TEXT_DESCRIPTOR: &str = "windows.security descriptor";
/// Which privileges a program gets that is run from the file; no content is put back with any.
const CAPABILITY: &str = "security.capability";
const POSIX: &str = "system.posix_acl_access";
/// Attributes that say nothing about rights: those that Windows shows as such.
const FLAGS: [&str; 3] = [
    "windows.attributes",
    "system.ntfs_attrib",
    "system.ntfs_attrib_be",
];

/// What the rights of a file that is put back are taken from.
#[derive(Debug)]
pub(crate) enum Present {
    /// The file itself, as it is now.
    Itself(FileMetadata),
    /// The file is gone; another one of its hive has these.
    Sibling(FileMetadata),
}

/// What `file` is given of what a record wants, where `present` is what it has now.
///
/// # Errors
///
/// [`StoreFault::AsksTooMuch`].
pub(crate) fn grant(
    wanted: &FileMetadata,
    present: &Present,
    file: &Spot,
) -> Result<FileMetadata, StoreFault> {
    let (present, is_gone) = match present {
        Present::Itself(present) => (present, false),
        Present::Sibling(present) => (present, true),
    };
    let too_much = |what: String| StoreFault::AsksTooMuch {
        path: file.path().to_path_buf(),
        what,
    };
    let mut granted = present.clone();
    if is_gone {
        // What is not about rights is the sibling's own.
        granted.xattrs.retain(|name, _| is_about_rights(name));
        granted.read_only = false;
    }
    granted.modified = wanted.modified.as_kept();
    granted.accessed = wanted.accessed.as_kept();
    if wanted.is_foreign() {
        // It says the rest in words that this system does not have.
        return Ok(granted);
    }
    granted.read_only |= wanted.read_only;
    if present.created.is_some() && wanted.created.is_some() {
        granted.created = wanted.created;
    }
    // On NTFS under Linux owner and mode are those of the mount, and the descriptor decides.
    if !present.is_on_linux_ntfs() {
        let special = wanted.mode & !present.mode & SPECIAL;
        if special != 0 {
            return Err(too_much(format!("mode {:04o}", wanted.mode & 0o7777)));
        }
        granted.mode = present.mode & wanted.mode & !SPECIAL;
    }
    for (name, value) in &wanted.xattrs {
        let now = present.xattrs.get(name);
        if now == Some(value) {
            granted.xattrs.insert(name.clone(), value.clone());
            continue;
        }
        if widens(name, value, now, present) {
            return Err(too_much(match name.strip_prefix("windows.") {
                Some(name) => format!("another {}", escape(name)),
                None => format!("the extended attribute {}", escape(name)),
            }));
        }
        let is_known = now.is_some() && FLAGS.contains(&name.as_str());
        if is_about_rights(name) || is_known || is_gone {
            granted.xattrs.insert(name.clone(), value.clone());
        }
    }
    // A list that the record does not know of would grant more than it says.
    if !wanted.xattrs.contains_key(POSIX) {
        granted.xattrs.remove(POSIX);
    }
    granted.xattrs.remove(CAPABILITY);
    Ok(granted)
}

/// Whether the attribute `name` with this value lets anybody do what the file does not let them now.
fn widens(name: &str, wanted: &str, now: Option<&String>, present: &FileMetadata) -> bool {
    let bytes = |value: &str| unhex(value);
    let (wanted, now) = (bytes(wanted), now.and_then(|now| bytes(now)));
    let Some(wanted) = wanted else {
        return true;
    };
    match name {
        name if is_privileged(name) => true,
        name if DESCRIPTORS.contains(&name) => {
            now.is_none_or(|now| descriptor_widens(&wanted, &now))
        }
        TEXT_DESCRIPTOR => {
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap_or_default();
            now.is_none_or(|now| text_widens(&text(wanted), &text(now)))
        }
        POSIX => posix_widens(&wanted, now.as_deref(), present.mode),
        _ => false,
    }
}

fn is_about_rights(name: &str) -> bool {
    DESCRIPTORS.contains(&name) || name == TEXT_DESCRIPTOR || name == POSIX
}

/// Attributes that only a privileged program can set, because something trusts them.
fn is_privileged(name: &str) -> bool {
    name.starts_with("security.") || name.starts_with("trusted.")
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::disk::Folder;
    use crate::store::terms::{Stamp, hex};

    fn metadata(mode: u32, xattrs: &[(&str, &[u8])]) -> FileMetadata {
        let time = |seconds| Stamp { seconds, nanos: 0 };
        let named = |(name, value): &(&str, &[u8])| ((*name).to_owned(), hex(value));
        FileMetadata {
            modified: time(1),
            accessed: time(2),
            created: None,
            read_only: false,
            mode,
            owner: 7,
            group: 8,
            xattrs: xattrs.iter().map(named).collect(),
        }
    }

    fn granted(wanted: &FileMetadata, present: &FileMetadata) -> Result<FileMetadata, String> {
        let folder = Folder::named(std::env::temp_dir().as_path()).unwrap();
        let present = Present::Itself(present.clone());
        grant(wanted, &present, &folder.at("SYSTEM")).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_record_narrows_and_never_widens() {
        let present = metadata(0o644, &[("user.note", b"now")]);
        let mut wanted = metadata(0o4777, &[]);
        wanted.owner = 0;
        let refusal = granted(&wanted, &present).unwrap_err();
        assert!(refusal.contains("mode 4777"), "{refusal}");
        wanted.mode = 0o660;
        let found = granted(&wanted, &present).unwrap();
        assert_eq!((found.mode, found.owner, found.group), (0o640, 7, 8));
        assert_eq!(found.xattrs, present.xattrs);
        // What it has today stays through an apply; a record does not bring it back.
        let setuid = metadata(0o4755, &[]);
        assert_eq!(granted(&setuid, &setuid).unwrap().mode, 0o755);
    }

    #[test]
    fn attributes_that_something_trusts_come_from_no_record() {
        for name in [
            "security.capability",
            "security.selinux",
            "trusted.overlay.opaque",
        ] {
            let wanted = metadata(0o600, &[(name, b"x")]);
            let refusal = granted(&wanted, &metadata(0o600, &[])).unwrap_err();
            assert!(refusal.contains(name), "{refusal}");
            // A label that the file has stays with it; a privilege does not.
            let kept = usize::from(name != CAPABILITY);
            for record in [&wanted, &metadata(0o600, &[])] {
                assert_eq!(granted(record, &wanted).unwrap().xattrs.len(), kept);
            }
        }
        let wanted = metadata(0o600, &[("user.note", b"from the record")]);
        let found = granted(&wanted, &metadata(0o600, &[])).unwrap();
        assert_eq!(found.xattrs.len(), 0);
        // What belonged to a file that is gone comes back, but for what is about rights.
        let folder = Folder::named(std::env::temp_dir().as_path()).unwrap();
        for note in [&b"the sibling's"[..], b"from the record"] {
            let sibling = Present::Sibling(metadata(0o600, &[("user.note", note)]));
            let found = grant(&wanted, &sibling, &folder.at("SYSTEM.LOG1")).unwrap();
            assert_eq!(found.xattrs, wanted.xattrs);
        }
        let wanted = metadata(0o600, &[("system.ntfs_acl", b"junk")]);
        let refusal = granted(&wanted, &metadata(0o600, &[])).unwrap_err();
        assert!(refusal.contains("ntfs_acl"), "{refusal}");
    }
}

#[cfg(test)]
#[cfg(unix)]
mod edges;
