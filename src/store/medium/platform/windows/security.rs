// SPDX-License-Identifier: GPL-3.0-or-later
//! The security descriptor of a file: read, compared, set, as text.

use std::fs::File;
use std::io;
use std::os::windows::io::AsHandle;
use std::path::Path;

use windows_permissions::constants::{SeObjectType, SecurityInformation};
use windows_permissions::wrappers::{
    ConvertSecurityDescriptorToStringSecurityDescriptor, GetNamedSecurityInfo, GetSecurityInfo,
    SetSecurityInfo,
};
use windows_permissions::{LocalBox, SecurityDescriptor};

use super::codes::{
    ACCESS_SYSTEM_SECURITY, ERROR_INVALID_FUNCTION, READ_CONTROL, WRITE_DAC, WRITE_OWNER,
};
use super::files::reopen;
use super::verbatim::verbatim;
use crate::store::terms::{FileMetadata, hex, unhex};

/// The security descriptor as SDDL, among the attributes by name.
pub(super) const DESCRIPTOR: &str = "windows.security descriptor";
/// The audit entries as SDDL, among the attributes by name; only administrators see them.
pub(super) const AUDIT: &str = "windows.audit entries";
/// What the descriptor says of who owns the file and who may do what.
fn parts() -> SecurityInformation {
    SecurityInformation::Owner | SecurityInformation::Group | SecurityInformation::Dacl
}

/// The file's security descriptor as text; `None` on a file system that has none.
pub(super) fn sddl(file: &File) -> io::Result<Option<String>> {
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

pub(super) fn named_text(metadata: &FileMetadata, name: &str) -> Option<String> {
    let bytes = metadata.xattrs.get(name).and_then(|value| unhex(value))?;
    String::from_utf8(bytes).ok()
}

pub(super) fn set_descriptor(path: &Path, text: &str) -> io::Result<()> {
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

pub(super) fn set_audit(path: &Path, text: &str) -> io::Result<()> {
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
