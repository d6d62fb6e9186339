// SPDX-License-Identifier: GPL-3.0-or-later
//! The writes as Windows spells them.
//!
//! A hive is replaced by a rename, which NTFS does in one journalled step; `ReplaceFileW` would
//! carry more over by itself, but takes two, and a power cut between them leaves no hive. So what
//! belongs to the file is carried over before: the descriptor by the permission calls, times and
//! attributes by name, alternate streams by letting the system copy the old file and cutting the
//! copy's content off.

use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes, OpenOptions};
use std::io;
use std::os::windows::fs::{FileTimesExt, MetadataExt, OpenOptionsExt};
use std::os::windows::io::AsHandle;
use std::path::{Component, Path, Prefix};
use std::sync::Once;
use std::thread;
use std::time::Duration;

use windows_permissions::constants::{SeObjectType, SecurityInformation};
use windows_permissions::wrappers::{
    ConvertSecurityDescriptorToStringSecurityDescriptor, GetNamedSecurityInfo, GetSecurityInfo,
    SetSecurityInfo,
};
use windows_permissions::{LocalBox, SecurityDescriptor};
use winsafe::co;

use super::{LOCK_FILE, LockError};
use crate::disk::system::os_error;
use crate::disk::{Folder, Spot};
use crate::store::metadata::{FileMetadata, Kept, Stamp};
use crate::store::names::{hex, unhex};

const ERROR_INVALID_FUNCTION: i32 = 1;
const ERROR_ACCESS_DENIED: i32 = 5;
const ERROR_SHARING_VIOLATION: i32 = 32;
const ERROR_NOT_SUPPORTED: i32 = 50;
const ERROR_INVALID_PARAMETER: i32 = 87;

const FILE_FLAG_DELETE_ON_CLOSE: u32 = 0x0400_0000;
const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;
const FILE_READ_ATTRIBUTES: u32 = 0x80;
const FILE_WRITE_ATTRIBUTES: u32 = 0x100;
const READ_CONTROL: u32 = 0x0002_0000;
const WRITE_DAC: u32 = 0x0004_0000;
const WRITE_OWNER: u32 = 0x0008_0000;
const ACCESS_SYSTEM_SECURITY: u32 = 0x0100_0000;
const GENERIC_WRITE: u32 = 0x4000_0000;
const GENERIC_READ: u32 = 0x8000_0000;

/// What a file system without hard links answers: FAT and exFAT the first, others the second. std
/// has no word for either.
pub(crate) const NO_LINKS: [i32; 2] = [ERROR_INVALID_FUNCTION, ERROR_NOT_SUPPORTED];

/// How often a rename is tried, and the time between.
const RENAMES: u32 = 20;
const BETWEEN_RENAMES: Duration = Duration::from_millis(100);

/// The security descriptor as SDDL, among the attributes by name.
const DESCRIPTOR: &str = "windows.security descriptor";
/// The audit entries as SDDL, among the attributes by name; only administrators see them.
const AUDIT: &str = "windows.audit entries";
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

/// A lock on a config folder: a file that nobody else can open and that goes with its handle.
#[derive(Debug)]
pub(crate) struct Lock(#[allow(dead_code, reason = "held for its drop")] File);

impl Lock {
    pub(crate) fn take(config: &Folder) -> Result<Self, LockError> {
        enable_privileges();
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create(true)
            .share_mode(0)
            .custom_flags(FILE_FLAG_DELETE_ON_CLOSE);
        match options.open(config.path().join(LOCK_FILE)) {
            Ok(file) => Ok(Self(file)),
            Err(error) if error.raw_os_error() == Some(ERROR_SHARING_VIOLATION) => {
                Err(LockError::Taken)
            }
            Err(error) => Err(LockError::Io(error)),
        }
    }
}

/// Asks for what an administrator may have but does not use unasked: to give a file another owner,
/// and to see and set its audit entries. Where it is not granted, comparing tells what is missing.
fn enable_privileges() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let wanted = [
            co::SE_PRIV::RESTORE_NAME,
            co::SE_PRIV::TAKE_OWNERSHIP_NAME,
            co::SE_PRIV::SECURITY_NAME,
        ];
        for privilege in wanted {
            // One by one: a call for several is refused as a whole.
            let _ = enable(privilege);
        }
    });
}

fn enable(privilege: co::SE_PRIV) -> Result<(), co::ERROR> {
    let rights = co::TOKEN::ADJUST_PRIVILEGES | co::TOKEN::QUERY;
    let token = winsafe::HPROCESS::GetCurrentProcess().OpenProcessToken(rights)?;
    let luid = winsafe::LookupPrivilegeValue(None, privilege)?;
    let entry = winsafe::LUID_AND_ATTRIBUTES::new(luid, co::SE_PRIV_ATTR::ENABLED);
    let state = winsafe::TOKEN_PRIVILEGES::new(&[entry])?;
    token.AdjustTokenPrivileges(winsafe::DisabPriv::Privs(&state))
}

/// Creates a file; the folder's inherited descriptor says who may open it until it gets its own.
pub(crate) fn create_new(spot: &Spot) -> io::Result<File> {
    OpenOptions::new()
        .access_mode(GENERIC_READ | GENERIC_WRITE | READ_CONTROL | WRITE_DAC | WRITE_OWNER)
        .write(true)
        .create_new(true)
        .open(spot.path())
}

/// Creates a folder; beside the hives it inherits from the config folder, as the hives do.
pub(crate) fn create_dir(spot: &Spot, _: Option<&Folder>) -> io::Result<()> {
    fs::create_dir(spot.path())
}

/// Removes an empty folder.
pub(crate) fn remove_dir(spot: &Spot) -> io::Result<()> {
    fs::remove_dir(spot.path())
}

/// Gives a file a second name.
pub(crate) fn link(file: &Spot, link: &Spot) -> io::Result<()> {
    fs::hard_link(file.path(), link.path())
}

/// Gives the new, empty file `new` the alternate streams of `like`.
pub(crate) fn seed(new: File, path: &Path, like: &Path) -> io::Result<File> {
    drop(new);
    fs::copy(like, path)?;
    if fs::metadata(path)?.permissions().readonly() {
        set_read_only(path, false)?;
    }
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    file.set_len(0)?;
    Ok(file)
}

/// Makes a file's content and metadata durable.
pub(crate) fn sync(file: &File, path: &Path) -> io::Result<()> {
    let denied = match file.sync_all() {
        Err(error) if error.raw_os_error() == Some(ERROR_ACCESS_DENIED) => error,
        result => return result,
    };
    // Flushing takes the right to write.
    match OpenOptions::new().write(true).open(path) {
        Ok(file) => file.sync_all(),
        // `set_metadata` flushed it before it made it read-only.
        Err(_) if file.metadata()?.permissions().readonly() => Ok(()),
        Err(_) => Err(denied),
    }
}

/// Makes the names in a folder durable, where the file system flushes folders.
pub(crate) fn sync_dir(folder: &Folder) -> io::Result<()> {
    let path = folder.path();
    let mut options = OpenOptions::new();
    options
        .access_mode(GENERIC_WRITE)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS);
    let synced = options.open(path).and_then(|folder| folder.sync_all());
    match synced.as_ref().err().and_then(io::Error::raw_os_error) {
        // Not every file system, and no share, has it; the rename itself was written through.
        Some(
            ERROR_INVALID_FUNCTION
            | ERROR_ACCESS_DENIED
            | ERROR_NOT_SUPPORTED
            | ERROR_INVALID_PARAMETER,
        ) => Ok(()),
        _ => synced,
    }
}

/// Gives the file `from` the name `to`, in place of the file that has it.
pub(crate) fn rename(from: &Spot, to: &Spot) -> io::Result<()> {
    let (from, to) = (from.path(), to.path());
    // The system replaces no read-only file. Both files of a swap are, or neither is.
    let is_read_only = fs::metadata(to).is_ok_and(|found| found.permissions().readonly());
    if is_read_only {
        set_read_only(to, false)?;
    }
    let renamed = rename_patiently(from, to);
    if renamed.is_ok() {
        // No safe call writes a rename through. Flushing the file writes NTFS' log up to there;
        // where that is not granted, flushing the folder comes next.
        if let Ok(file) = OpenOptions::new().write(true).open(to) {
            let _ = file.sync_all();
        }
    }
    if is_read_only {
        return renamed.and(set_read_only(to, true));
    }
    renamed
}

/// A virus scanner or an indexer opens what was just written, for a moment, and the system refuses
/// the rename as long as it does: tried again, for two seconds in all.
fn rename_patiently(from: &Path, to: &Path) -> io::Result<()> {
    let mut result = fs::rename(from, to);
    for _ in 1..RENAMES {
        let code = result.as_ref().err().and_then(io::Error::raw_os_error);
        if !matches!(code, Some(ERROR_ACCESS_DENIED | ERROR_SHARING_VIOLATION)) {
            break;
        }
        thread::sleep(BETWEEN_RENAMES);
        result = fs::rename(from, to);
    }
    result
}

/// Removes a file's name, also where the system keeps read-only files: under its other names it is
/// read-only again at once.
pub(crate) fn remove_file(spot: &Spot) -> io::Result<()> {
    let path = spot.path();
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
        result => return result,
    }
    let file = reopen(path, FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES)?;
    let read_only = file.metadata()?.permissions();
    set_read_only(path, false)?;
    let removed = fs::remove_file(path);
    // The name goes when this handle does.
    file.set_permissions(read_only)?;
    removed
}

#[allow(
    clippy::permissions_set_readonly_false,
    reason = "Windows' attribute, not Unix' permission bits"
)]
fn set_read_only(path: &Path, read_only: bool) -> io::Result<()> {
    let mut permissions = fs::metadata(path)?.permissions();
    permissions.set_readonly(read_only);
    fs::set_permissions(path, permissions)
}

/// The path with no limit to its length, for calls that std does not make; `None` where it is not
/// Unicode.
fn verbatim(path: &Path) -> io::Result<Option<String>> {
    let path = std::path::absolute(path)?;
    let Some(text) = path.to_str() else {
        return Ok(None);
    };
    let text = match path.components().next() {
        Some(Component::Prefix(prefix)) => match prefix.kind() {
            Prefix::Disk(_) => format!("\\\\?\\{text}"),
            Prefix::UNC(..) => format!("\\\\?\\UNC{}", text.get(1..).unwrap_or_default()),
            _ => text.to_owned(),
        },
        _ => text.to_owned(),
    };
    Ok(Some(text))
}

/// Which file this is on its volume, and how many names it has: not told by std.
pub(crate) fn links(_: &fs::Metadata) -> Option<(u64, u64)> {
    None
}

/// What belongs to a hive's file and would be lost if another took its place, for a sentence: other
/// names. What else belongs to it is carried over, or comparing refuses it.
pub(crate) fn would_lose(file: &File) -> io::Result<Option<String>> {
    let links = winapi_util::file::information(file)?.number_of_links();
    if links <= 1 {
        return Ok(None);
    }
    Ok(Some(format!(
        "it has {links} names (hard links), and the others would keep the old content: find them \
         (fsutil hardlink list FILE) and remove them, or copy the hive"
    )))
}

/// What is kept with a hive that is replaced, and what is not.
pub(crate) fn kept(_: &File, _: &str) -> io::Result<Kept> {
    Ok(Kept {
        file_system: "Windows".to_owned(),
        kept: vec![
            "security descriptor",
            "audit entries",
            "attributes",
            "creation and last write time",
            "alternate data streams",
        ],
        lost: vec!["object id", "short name (8.3)"],
    })
}

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

/// Adds to a file's metadata what only its name tells: the audit entries, where this user may see
/// them. Who may not see them may not replace a hive of Windows either.
pub(crate) fn add_by_name(path: &Path, metadata: &mut FileMetadata) -> io::Result<()> {
    let Some(path) = verbatim(path)? else {
        return Err(io::ErrorKind::InvalidFilename.into());
    };
    let parts = SecurityInformation::Sacl;
    let Ok(found) = GetNamedSecurityInfo(&path, SeObjectType::SE_FILE_OBJECT, parts) else {
        return Ok(());
    };
    let text = text_of(&found, parts)?;
    if !text.is_empty() {
        metadata
            .xattrs
            .insert(AUDIT.to_owned(), hex(text.as_bytes()));
    }
    Ok(())
}

/// What the descriptor says of who owns the file and who may do what.
fn parts() -> SecurityInformation {
    SecurityInformation::Owner | SecurityInformation::Group | SecurityInformation::Dacl
}

/// The file's security descriptor as text; `None` on a file system that has none.
fn sddl(file: &File) -> io::Result<Option<String>> {
    let handle = file.as_handle();
    let parts = parts() | SecurityInformation::Label;
    let found = GetSecurityInfo(&handle, SeObjectType::SE_FILE_OBJECT, parts);
    let descriptor = match found {
        Ok(descriptor) => descriptor,
        Err(error) if error.raw_os_error() == Some(ERROR_INVALID_FUNCTION) => return Ok(None),
        Err(error) => return Err(error),
    };
    text_of(&descriptor, parts).map(Some)
}

fn text_of(descriptor: &SecurityDescriptor, parts: SecurityInformation) -> io::Result<String> {
    let text = ConvertSecurityDescriptorToStringSecurityDescriptor(descriptor, parts)?;
    let text = text.into_string().map_err(|_| io::ErrorKind::InvalidData)?;
    // The call counts the terminator; in a record it would be part of the text.
    Ok(text.trim_end_matches('\0').to_owned())
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

fn named_text(metadata: &FileMetadata, name: &str) -> Option<String> {
    let bytes = metadata.xattrs.get(name).and_then(|value| unhex(value))?;
    String::from_utf8(bytes).ok()
}

fn reopen(path: &Path, access: u32) -> io::Result<File> {
    OpenOptions::new()
        .access_mode(access)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path)
}

fn set_descriptor(path: &Path, text: &str) -> io::Result<()> {
    let file = reopen(path, READ_CONTROL | WRITE_DAC | WRITE_OWNER)?;
    apply_descriptor(&file, text)
}

/// Gives an open file the descriptor `text`.
///
/// The call for files works out the inherited entries from the folder anew, which for a file that
/// always lay there gives what it had. Where it does not, the call for objects of the kernel, which
/// sets what it is given, has the last word.
fn apply_descriptor(file: &File, text: &str) -> io::Result<()> {
    let descriptor: LocalBox<SecurityDescriptor> = text.parse()?;
    let flags = match text.contains("D:P") {
        true => SecurityInformation::ProtectedDacl,
        false => SecurityInformation::UnprotectedDacl,
    };
    let first = set_parts(file, SeObjectType::SE_FILE_OBJECT, &descriptor, flags);
    if first.is_ok() && sddl(file)?.as_deref() == Some(text) {
        return Ok(());
    }
    set_parts(
        file,
        SeObjectType::SE_KERNEL_OBJECT,
        &descriptor,
        SecurityInformation::empty(),
    )
}

fn set_parts(
    file: &File,
    kind: SeObjectType,
    descriptor: &SecurityDescriptor,
    flags: SecurityInformation,
) -> io::Result<()> {
    let mut handle = file.as_handle();
    let (owner, group, dacl) = (descriptor.owner(), descriptor.group(), descriptor.dacl());
    // The owner apart: it may be refused, and may be right already.
    let owned = SetSecurityInfo(
        &mut handle,
        kind,
        SecurityInformation::Owner | SecurityInformation::Group,
        owner,
        group,
        None,
        None,
    );
    let parts = SecurityInformation::Dacl | flags;
    let ruled = SetSecurityInfo(&mut handle, kind, parts, None, None, dacl, None);
    owned.and(ruled)
}

fn set_audit(path: &Path, text: &str) -> io::Result<()> {
    let descriptor: LocalBox<SecurityDescriptor> = text.parse()?;
    let file = reopen(path, READ_CONTROL | WRITE_DAC | ACCESS_SYSTEM_SECURITY)?;
    let mut handle = file.as_handle();
    let (kind, parts) = (SeObjectType::SE_FILE_OBJECT, SecurityInformation::Sacl);
    SetSecurityInfo(
        &mut handle,
        kind,
        parts,
        None,
        None,
        None,
        descriptor.sacl(),
    )
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

/// Gives a new file the security descriptor of `like`, where that has one.
pub(crate) fn protect(file: &File, like: &FileMetadata) -> io::Result<()> {
    let Some(text) = named_text(like, DESCRIPTOR) else {
        return Ok(());
    };
    if sddl(file)?.as_deref() == Some(&text) {
        return Ok(());
    }
    apply_descriptor(file, &text)?;
    match sddl(file)? {
        Some(found) if found == text => Ok(()),
        _ => Err(io::Error::other(
            "the security descriptor was not taken over",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(path: &Path) -> Spot {
        Folder::named(path.parent().unwrap()).unwrap().at(path)
    }

    #[test]
    fn paths_lose_their_limit() {
        for (path, expected) in [
            ("C:\\x\\..\\y", "\\\\?\\C:\\y"),
            ("\\\\server\\share\\y", "\\\\?\\UNC\\server\\share\\y"),
            ("\\\\?\\C:\\y", "\\\\?\\C:\\y"),
        ] {
            let found = verbatim(Path::new(path)).unwrap();
            assert_eq!(found.as_deref(), Some(expected), "{path}");
        }
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

    #[test]
    fn a_read_only_file_that_loses_a_name_stays_read_only() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        fs::write(&one, b"content").unwrap();
        fs::hard_link(&one, &other).unwrap();
        set_read_only(&one, true).unwrap();
        remove_file(&spot(&other)).unwrap();
        assert!(!other.exists());
        assert!(fs::metadata(&one).unwrap().permissions().readonly());
        remove_file(&spot(&one)).unwrap();
        assert!(!one.exists());
    }

    #[test]
    fn a_read_only_file_is_replaced_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        for path in [&old, &new] {
            fs::write(path, path.file_name().unwrap().as_encoded_bytes()).unwrap();
            set_read_only(path, true).unwrap();
        }
        rename(&spot(&new), &spot(&old)).unwrap();
        assert_eq!(fs::read(&old).unwrap(), b"new");
        assert!(fs::metadata(&old).unwrap().permissions().readonly());
        set_read_only(&old, false).unwrap();
    }
}
