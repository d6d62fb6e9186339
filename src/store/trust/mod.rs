// SPDX-License-Identifier: GPL-3.0-or-later
//! What a record that was found on a disk may speak of, and what it may ask for.

mod acl;
mod grant;
mod site;

pub(crate) use grant::{Present, grant};
pub use site::{Judge, Role, Site};
