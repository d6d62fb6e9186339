// SPDX-License-Identifier: GPL-3.0-or-later
//! Settings of which it is known which number is safer than which.

use crate::profile::model::{Data, upcase};

/// Each setting, and its REG_DWORDs from the one that the repair articles use to get in at any price
/// up to the safest.
const SCALES: [(&str, &[u32]); 6] = [
    ("SecurityLayer", &[0, 1, 2]),
    ("MinEncryptionLevel", &[1, 2, 3, 4]),
    ("UserAuthentication", &[0, 1]),
    ("fAllowSecProtocolNegotiation", &[0, 1]),
    ("EnableFirewall", &[0, 1]),
    ("AllowEncryptionOracle", &[2, 1, 0]),
];

/// Whether a value of this name and data is known to lower security, from the repair articles that
/// use it.
pub fn is_known_to_lower(name: &str, data: &Data) -> bool {
    rank(name, data) == Some(0)
}

/// Whether `data` is known to be safer than `other`, as a value of this name; `None` where it is not
/// known of one of them.
pub fn is_known_safer(name: &str, data: &Data, other: &Data) -> Option<bool> {
    Some(rank(name, data)? > rank(name, other)?)
}

/// Whether a value of this name and data is known to be safer than the least safe one.
pub fn is_known_to_raise(name: &str, data: &Data) -> bool {
    rank(name, data).is_some_and(|rank| rank > 0)
}

/// The place of the number on the setting's scale.
fn rank(name: &str, data: &Data) -> Option<usize> {
    let name = upcase(name);
    let mut scales = SCALES.iter();
    let (_, scale) = scales.find(|(known, _)| upcase(known) == name)?;
    let mut numbers = scale.iter();
    numbers.position(|number| *data == Data::Dword(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scales_go_up() {
        let dword = Data::Dword;
        assert!(is_known_to_lower("securitylayer", &dword(0)));
        assert!(!is_known_to_lower("SecurityLayer", &dword(1)));
        assert!(!is_known_to_lower("SecurityLayer", &Data::Qword(0)));
        assert!(!is_known_to_lower("PortNumber", &dword(0)));
        assert!(is_known_to_raise("SecurityLayer", &dword(1)));
        assert!(!is_known_to_raise("SecurityLayer", &dword(0)));
        assert!(!is_known_to_raise("PortNumber", &dword(1)));
        let safer = |name, one, two| is_known_safer(name, &dword(one), &dword(two));
        assert_eq!(safer("MinEncryptionLevel", 3, 2), Some(true));
        assert_eq!(safer("MinEncryptionLevel", 2, 2), Some(false));
        assert_eq!(safer("AllowEncryptionOracle", 0, 2), Some(true));
        assert_eq!(safer("MinEncryptionLevel", 9, 2), None);
        assert_eq!(safer("PortNumber", 1, 2), None);
    }
}
