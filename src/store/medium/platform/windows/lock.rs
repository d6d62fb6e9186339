// SPDX-License-Identifier: GPL-3.0-or-later
//! The lock on a config folder.

use std::fs::{File, OpenOptions};
use std::os::windows::fs::OpenOptionsExt;
use std::sync::Once;

use winsafe::co;

use super::codes::{ERROR_SHARING_VIOLATION, FILE_FLAG_DELETE_ON_CLOSE};
use crate::disk::Folder;
use crate::store::medium::platform::lock::{LOCK_FILE, LockError};

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
