// SPDX-License-Identifier: GPL-3.0-or-later
//! Every kind of finding: its permanent code and how much it matters.
//!
//! `docs/findings.md` has an entry for each, and a test compares the two.

use super::severity::Severity;

/// A kind of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FindingCode {
    /// Its name, which never changes once released.
    pub name: &'static str,
    /// How much it matters.
    pub severity: Severity,
}

macro_rules! codes {
    ($($code:ident = $severity:ident $name:literal;)*) => {
        $(
            pub(super) const $code: FindingCode = FindingCode {
                name: $name,
                severity: Severity::$severity,
            };
        )*

        /// Every kind of finding that a check can make.
        pub const FINDING_CODES: &[FindingCode] = &[$($code),*];
    };
}

/// The errors that leave it open which bytes of the bins are in use: no cell can safely be taken or
/// freed in such a hive.
pub(super) const SPACE_CODES: &[FindingCode] = &[
    BASE_BLOCK_TRUNCATED,
    BASE_BLOCK_SIGNATURE,
    BASE_BLOCK_VERSION,
    BASE_BLOCK_FILE_TYPE,
    BASE_BLOCK_FILE_FORMAT,
    BASE_BLOCK_BINS_SIZE,
    BASE_BLOCK_ROOT,
    BASE_BLOCK_CHECKSUM,
    SEQUENCE_NUMBERS,
    FILE_TRUNCATED,
    BIN_SIGNATURE,
    BIN_OFFSET,
    BIN_SIZE,
    CELL_SIZE,
    CELL_UNALIGNED,
    CELL_NOT_A_CELL,
    CELL_FREE,
    CELL_SHARED,
    KEY_CYCLE,
    // What is deeper is not walked: what it leads to is not known.
    KEY_DEPTH,
];

/// What is wrong with key security records, which only matters to who adds or removes keys.
pub(super) const SECURITY_CODES: &[FindingCode] = &[
    SECURITY_RING,
    SECURITY_NOT_IN_RING,
    SECURITY_COUNT_LOW,
    SECURITY_COUNT_HIGH,
    SECURITY_UNUSED,
    KEY_SECURITY,
    DESCRIPTOR_HEADER,
    DESCRIPTOR_SID,
    DESCRIPTOR_ACL,
    DESCRIPTOR_ACE,
];

codes! {
    BASE_BLOCK_TRUNCATED = Error "base-block-truncated";
    BASE_BLOCK_SIGNATURE = Error "base-block-signature";
    BASE_BLOCK_VERSION = Error "base-block-version";
    BASE_BLOCK_FILE_TYPE = Error "base-block-file-type";
    BASE_BLOCK_FILE_FORMAT = Error "base-block-file-format";
    BASE_BLOCK_BINS_SIZE = Error "base-block-bins-size";
    BASE_BLOCK_ROOT = Error "base-block-root";
    BASE_BLOCK_CHECKSUM = Error "base-block-checksum";
    BASE_BLOCK_CLUSTERING_FACTOR = Warning "base-block-clustering-factor";
    BASE_BLOCK_TRANSACTIONS = Note "base-block-transactions";
    BASE_BLOCK_FILE_NAME = Note "base-block-file-name";
    SEQUENCE_NUMBERS = Error "sequence-numbers";
    FILE_TRUNCATED = Error "file-truncated";
    REMNANT_TAIL = Note "remnant-tail";

    BIN_SIGNATURE = Error "bin-signature";
    BIN_OFFSET = Error "bin-offset";
    BIN_SIZE = Error "bin-size";

    CELL_SIZE = Error "cell-size";
    CELL_OUT_OF_RANGE = Error "cell-out-of-range";
    CELL_UNALIGNED = Error "cell-unaligned";
    CELL_NOT_A_CELL = Error "cell-not-a-cell";
    CELL_FREE = Error "cell-free";
    CELL_SHARED = Error "cell-shared";
    CELL_LEAKED = Warning "cell-leaked";

    KEY_NODE = Error "key-node";
    KEY_PARENT = Error "key-parent";
    KEY_CYCLE = Error "key-cycle";
    KEY_DEPTH = Error "key-depth";
    KEY_NAME_EMPTY = Error "key-name-empty";
    KEY_NAME_ODD = Error "key-name-odd";
    KEY_NAME_BACKSLASH = Error "key-name-backslash";
    KEY_NAME_LONG = Warning "key-name-long";
    KEY_NAME_WIDE = Note "key-name-wide";
    KEY_NAME_NUL = Note "key-name-nul";
    KEY_MOUNT_FLAGS = Error "key-mount-flags";
    KEY_VOLATILE = Note "key-volatile";
    KEY_PREDEFINED_HANDLE = Note "key-predefined-handle";
    KEY_LAYERED = Note "key-layered";
    KEY_HANDLE_VALUES = Error "key-handle-values";
    KEY_NO_DELETE = Error "key-no-delete";
    ROOT_FLAGS = Warning "root-flags";
    CLASS_NAME = Error "class-name";
    CLASS_NAME_MISSING = Error "class-name-missing";
    CLASS_NAME_ODD = Warning "class-name-odd";
    CLASS_NAME_UNUSED = Error "class-name-unused";

    SUBKEYS_LIST = Error "subkeys-list";
    SUBKEYS_LIST_MISSING = Error "subkeys-list-missing";
    SUBKEYS_LIST_UNUSED = Error "subkeys-list-unused";
    SUBKEYS_LIST_EMPTY = Error "subkeys-list-empty";
    SUBKEYS_LIST_KIND = Warning "subkeys-list-kind";
    SUBKEYS_LIST_ORDER = Error "subkeys-list-order";
    SUBKEYS_LIST_HASH = Error "subkeys-list-hash";
    SUBKEYS_LIST_HINT = Error "subkeys-list-hint";
    INDEX_ROOT_EMPTY = Error "index-root-empty";
    INDEX_ROOT_NESTED = Error "index-root-nested";
    SUBKEY_COUNT = Error "subkey-count";
    SUBKEY_DUPLICATE = Error "subkey-duplicate";
    LARGEST_SUBKEY_NAME = Warning "largest-subkey-name";
    LARGEST_SUBKEY_CLASS = Warning "largest-subkey-class";

    VALUES_LIST = Error "values-list";
    VALUES_LIST_MISSING = Error "values-list-missing";
    VALUES_LIST_UNUSED = Warning "values-list-unused";
    VALUES_LIST_UNCOUNTED = Error "values-list-uncounted";
    KEY_VALUE = Error "key-value";
    VALUE_NAME_ODD = Error "value-name-odd";
    VALUE_NAME_LONG = Error "value-name-long";
    VALUE_NAME_WIDE = Note "value-name-wide";
    VALUE_NAME_NUL = Note "value-name-nul";
    VALUE_DUPLICATE = Error "value-duplicate";
    VALUE_TOMBSTONE = Note "value-tombstone";
    VALUE_DATA = Error "value-data";
    VALUE_DATA_INLINE = Error "value-data-inline";
    VALUE_DATA_MISSING = Error "value-data-missing";
    BIG_DATA = Error "big-data";
    BIG_DATA_COUNT = Error "big-data-count";
    BIG_DATA_LIST = Error "big-data-list";
    BIG_DATA_SEGMENT = Error "big-data-segment";
    SYMBOLIC_LINK_VALUE = Error "symbolic-link-value";
    SYMBOLIC_LINK_MISSING = Warning "symbolic-link-missing";
    LARGEST_VALUE_NAME = Warning "largest-value-name";
    LARGEST_VALUE_DATA = Warning "largest-value-data";

    KEY_SECURITY = Error "key-security";
    SECURITY_RING = Error "security-ring";
    SECURITY_NOT_IN_RING = Error "security-not-in-ring";
    SECURITY_COUNT_LOW = Error "security-count-low";
    SECURITY_COUNT_HIGH = Warning "security-count-high";
    SECURITY_UNUSED = Warning "security-unused";
    DESCRIPTOR_HEADER = Error "descriptor-header";
    DESCRIPTOR_SID = Error "descriptor-sid";
    DESCRIPTOR_ACL = Error "descriptor-acl";
    DESCRIPTOR_ACE = Error "descriptor-ace";
}
