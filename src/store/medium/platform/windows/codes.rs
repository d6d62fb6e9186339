// SPDX-License-Identifier: GPL-3.0-or-later
//! Errors of Windows and flags for opening, by the numbers that its headers give them.

pub(super) const ERROR_INVALID_FUNCTION: i32 = 1;
pub(super) const ERROR_ACCESS_DENIED: i32 = 5;
pub(super) const ERROR_SHARING_VIOLATION: i32 = 32;
pub(super) const ERROR_NOT_SUPPORTED: i32 = 50;
pub(super) const ERROR_INVALID_PARAMETER: i32 = 87;

pub(super) const FILE_FLAG_DELETE_ON_CLOSE: u32 = 0x0400_0000;
pub(super) const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
pub(super) const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;
pub(super) const FILE_READ_ATTRIBUTES: u32 = 0x80;
pub(super) const FILE_WRITE_ATTRIBUTES: u32 = 0x100;
pub(super) const READ_CONTROL: u32 = 0x0002_0000;
pub(super) const WRITE_DAC: u32 = 0x0004_0000;
pub(super) const WRITE_OWNER: u32 = 0x0008_0000;
pub(super) const ACCESS_SYSTEM_SECURITY: u32 = 0x0100_0000;
pub(super) const GENERIC_WRITE: u32 = 0x4000_0000;
pub(super) const GENERIC_READ: u32 = 0x8000_0000;
