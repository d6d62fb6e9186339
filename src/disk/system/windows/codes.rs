// SPDX-License-Identifier: GPL-3.0-or-later
//! Errors of Windows and flags for opening, by the numbers that its headers give them.

pub(super) const ERROR_INVALID_FUNCTION: i32 = 1;
pub(super) const ERROR_ACCESS_DENIED: i32 = 5;
pub(super) const ERROR_WRITE_PROTECT: i32 = 19;
pub(super) const ERROR_NOT_READY: i32 = 21;
pub(super) const ERROR_SHARING_VIOLATION: i32 = 32;
pub(super) const ERROR_LOCK_VIOLATION: i32 = 33;
pub(super) const ERROR_INVALID_NAME: i32 = 123;
pub(super) const ERROR_NO_SUCH_DEVICE: i32 = 433;
pub(super) const ERROR_UNRECOGNIZED_VOLUME: i32 = 1005;
pub(super) const ERROR_FILE_INVALID: i32 = 1006;
pub(super) const ERROR_DEVICE_NOT_CONNECTED: i32 = 1167;
/// The high half of every error of BitLocker; `FVE_E_LOCKED_VOLUME` is 0x80310000.
pub(super) const FACILITY_FVE: u32 = 0x8031;

pub(super) const FILE_SHARE_READ: u32 = 1;
pub(super) const FILE_SHARE_WRITE: u32 = 2;
pub(super) const DELETE: u32 = 0x0001_0000;
pub(super) const FILE_READ_ATTRIBUTES: u32 = 0x80;
pub(super) const FILE_ADD_FILE: u32 = 2;
pub(super) const FILE_ADD_SUBDIRECTORY: u32 = 4;
pub(super) const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
pub(super) const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;
