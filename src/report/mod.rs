// SPDX-License-Identifier: GPL-3.0-or-later
//! All text: what people read, and the JSON that scripts read.
//!
//! Text carries ANSI styles; who prints it strips them where they are not wanted. Everything that
//! comes from a hive, a profile or a path is escaped.

mod backups;
mod changes_diff;
mod changes_text;
mod check_json;
mod check_text;
mod command_line;
mod diagnose_text;
mod disks;
mod donors_text;
mod effect_text;
mod error_json;
mod explain_json;
mod explain_text;
mod export;
mod find_text;
mod fix_text;
mod heading;
mod imported_yaml;
mod key_text;
mod mend_json;
mod mend_text;
mod name_marks;
mod next;
mod outcome;
mod page;
mod plan_json;
mod plan_text;
mod profile_list;
mod profile_yaml;
mod reading;
mod recorded_json;
mod recovered;
mod restored;
mod state_json;
mod style;
mod summary;
mod unread;
mod values;

pub use backups::{BackupRow, backups_json, backups_text, left_alone, prune_json, prune_text};
pub use changes_diff::diff_pieces;
pub use changes_text::undo_pieces;
pub use check_json::check_json;
pub use check_text::{CheckedHive, HiveCheck, LogFile, check_text};
pub use command_line::{CommandLine, Shell, set_shell};
pub use diagnose_text::{diagnose_json, diagnose_text, verdict_line};
pub use disks::{DiskRow, HiveRow, HiveRowState, disks_json, disks_text};
pub use donors_text::{DonorRow, DonorState, donors_json, donors_text};
pub use error_json::error_json;
pub use explain_json::{explain_json, not_known_json};
pub use explain_text::{Explained, OnDisk, explain_text, not_known_text};
pub use export::{
    ExportError, ExportFormat, ExportPlace, export, export_file, keys_reg, profile_reg,
};
pub use find_text::{Match, Matches, find_end, find_json, match_line};
pub use fix_text::{FixReport, afterwards_text, fix_document, proposal_text};
pub use heading::Heading;
pub use imported_yaml::imported_yaml;
pub use key_text::{KeyListing, KeyTree, key_json, key_text, tree_end, tree_json};
pub use mend_json::mend_json;
pub use mend_text::{MendedHive, mend_text};
pub use next::{Step, next_text};
pub use outcome::{outcome_json, outcome_text};
pub use page::{in_whole_lines, set_width, width};
pub use plan_json::{
    ChangesDocument, PLAN_SCHEMA, PlanJsonError, is_edited, plan_document, plan_from_json,
};
pub use plan_text::{PlanView, plan_pieces, plan_text, summary_line};
pub use profile_list::{ProfileRow, profiles_json, profiles_text};
pub use profile_yaml::{ProfileHead, profile_yaml, yaml_text};
pub use reading::outdated_text;
pub use recorded_json::{Long, Recorded, Side, recorded_from_json, recorded_json};
pub use recovered::{recovered_hive_json, recovered_json, recovered_text};
pub use restored::{restore_json, restore_text, restored_text, restored_values};
pub use style::{BOLD, WARN};
pub use summary::summary;
pub use unread::Unread;
pub use values::kind_text;

use crate::text::escape;

/// `text` in `style`, escaped.
pub fn styled(style: anstyle::Style, text: impl std::fmt::Display) -> String {
    format!("{style}{}{style:#}", escape(&text.to_string()))
}
