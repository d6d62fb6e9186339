// SPDX-License-Identifier: GPL-3.0-or-later
//! Files in open folders: read, written, removed, replaced. Every name is a name in a folder.

mod read;
mod replace;
mod write;

pub(crate) use read::{
    content, content_among, folder, hash_both, hash_rest, identity, is, judge, open, plain,
    read_small,
};
pub(crate) use replace::{Way, half_made, left_over, other_case, replace};
pub(crate) use write::{
    carry, copy, new_name, remove, replace_small, sync_dir, write_new, write_successor,
};
