// SPDX-License-Identifier: GPL-3.0-or-later
//! Where the fields of a hive's structures stand, for tests that write what no editor would.

pub(crate) mod base_block_field {
    use hivemend::regf::structures::BaseBlockHead as Structure;
    use std::mem::offset_of;

    pub(crate) const PRIMARY_SEQUENCE: usize = offset_of!(Structure, primary_sequence);
    pub(crate) const BINS_SIZE: usize = offset_of!(Structure, bins_size);
}

pub(crate) mod key_node_field {
    use hivemend::regf::structures::KeyNodeHeader as Structure;
    use std::mem::offset_of;

    pub(crate) const FLAGS: usize = offset_of!(Structure, flags);
    pub(crate) const LAST_WRITTEN: usize = offset_of!(Structure, last_written);
    pub(crate) const ACCESS_BITS: usize = offset_of!(Structure, access_bits);
    pub(crate) const LAYERED_BITS: usize = offset_of!(Structure, layered_bits);
    pub(crate) const PARENT: usize = offset_of!(Structure, parent);
    pub(crate) const SUBKEY_COUNT: usize = offset_of!(Structure, subkey_count);
    pub(crate) const VOLATILE_SUBKEY_COUNT: usize = offset_of!(Structure, volatile_subkey_count);
    pub(crate) const SUBKEYS_LIST: usize = offset_of!(Structure, subkeys_list);
    pub(crate) const VOLATILE_SUBKEYS_LIST: usize = offset_of!(Structure, volatile_subkeys_list);
    pub(crate) const VALUE_COUNT: usize = offset_of!(Structure, value_count);
    pub(crate) const VALUES_LIST: usize = offset_of!(Structure, values_list);
    pub(crate) const SECURITY: usize = offset_of!(Structure, security);
    pub(crate) const CLASS_NAME: usize = offset_of!(Structure, class_name);
    pub(crate) const LARGEST_SUBKEY_NAME: usize = offset_of!(Structure, largest_subkey_name);
    pub(crate) const VIRTUALIZATION_AND_USER_FLAGS: usize =
        offset_of!(Structure, virtualization_and_user_flags);
    pub(crate) const LARGEST_SUBKEY_CLASS: usize = offset_of!(Structure, largest_subkey_class);
    pub(crate) const LARGEST_VALUE_NAME: usize = offset_of!(Structure, largest_value_name);
    pub(crate) const LARGEST_VALUE_DATA: usize = offset_of!(Structure, largest_value_data);
    pub(crate) const NAME_LENGTH: usize = offset_of!(Structure, name_length);
    pub(crate) const CLASS_NAME_LENGTH: usize = offset_of!(Structure, class_name_length);
    pub(crate) const NAME: usize = size_of::<Structure>();
}

pub(crate) mod key_value_field {
    use hivemend::regf::structures::KeyValueHeader as Structure;
    use std::mem::offset_of;

    pub(crate) const NAME_LENGTH: usize = offset_of!(Structure, name_length);
    pub(crate) const DATA_SIZE: usize = offset_of!(Structure, data_size);
    pub(crate) const DATA_OFFSET: usize = offset_of!(Structure, data_offset);
    pub(crate) const DATA_TYPE: usize = offset_of!(Structure, data_type);
    pub(crate) const FLAGS: usize = offset_of!(Structure, flags);
    pub(crate) const NAME: usize = size_of::<Structure>();
}

pub(crate) mod key_security_field {
    use hivemend::regf::structures::KeySecurityHeader as Structure;
    use std::mem::offset_of;

    pub(crate) const FLINK: usize = offset_of!(Structure, flink);
    pub(crate) const BLINK: usize = offset_of!(Structure, blink);
    pub(crate) const REFERENCE_COUNT: usize = offset_of!(Structure, reference_count);
    pub(crate) const DESCRIPTOR_SIZE: usize = offset_of!(Structure, descriptor_size);
    pub(crate) const DESCRIPTOR: usize = size_of::<Structure>();
}
