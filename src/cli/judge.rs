// SPDX-License-Identifier: GPL-3.0-or-later
//! What the store cannot judge, because it does not know what a key is: whether bytes are a hive.

use crate::regf::{BASE_BLOCK_SIZE, HIVE_BIN_UNIT};
use crate::store::Role;

/// Why `bytes` are no hive, or no transaction log, if so.
///
/// A hive is what has a base block or a first bin, and bins: that is what the structural check can
/// begin with. It may be damaged, and dirty so that nothing of it is found without its logs: what
/// was there must come back all the same.
pub(super) fn judge(role: Role, bytes: &[u8]) -> Result<(), String> {
    match role {
        Role::Hive => judge_hive(bytes),
        Role::Log => judge_log(bytes),
    }
}

fn judge_hive(bytes: &[u8]) -> Result<(), String> {
    let unit = usize::try_from(HIVE_BIN_UNIT).unwrap_or(usize::MAX);
    let start = usize::try_from(BASE_BLOCK_SIZE).unwrap_or(usize::MAX);
    let bins = bytes.get(start..).unwrap_or_default();
    let mut bins = bins.chunks(unit).map(|page| page.starts_with(b"hbin"));
    let begins = bytes.starts_with(b"regf") || bins.clone().next() == Some(true);
    if !begins || !bins.any(|is_bin| is_bin) {
        return Err("it is no registry hive".to_owned());
    }
    Ok(())
}

fn judge_log(bytes: &[u8]) -> Result<(), String> {
    let is_empty = bytes.iter().all(|byte| *byte == 0);
    match is_empty || bytes.starts_with(b"regf") {
        true => Ok(()),
        false => Err("it is no transaction log".to_owned()),
    }
}
