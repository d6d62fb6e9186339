// SPDX-License-Identifier: GPL-3.0-or-later
//! What a word was probably meant to be.

/// Returns the candidate that `name` is most likely a slip of, if one is near enough.
pub(crate) fn nearest<'c>(name: &str, candidates: &[&'c str]) -> Option<&'c str> {
    const LONGEST: usize = 64;
    if name.len() > LONGEST {
        return None;
    }
    let name = name.to_lowercase().replace('_', "-");
    let name = name.strip_prefix("reg-").unwrap_or(&name);
    let distance = |candidate: &str| strsim::osa_distance(name, candidate);
    let near = |candidate: &&str| distance(candidate) <= candidate.len().div_ceil(4).min(3);
    let candidates = candidates.iter().copied().filter(near);
    candidates.min_by_key(|candidate| distance(candidate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_name_that_was_meant() {
        let ids = ["rdp-disconnects", "rdp-defaults"];
        assert_eq!(nearest("rdp-disconnect", &ids), Some("rdp-disconnects"));
        assert_eq!(nearest("RDP_Defaults", &ids), Some("rdp-defaults"));
        assert_eq!(nearest("boot", &ids), None);
        assert_eq!(nearest("REG_DWORD", &["qword", "dword"]), Some("dword"));
        assert_eq!(nearest(&"x".repeat(1 << 20), &ids), None);
    }
}
