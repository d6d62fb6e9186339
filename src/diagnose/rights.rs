// SPDX-License-Identifier: GPL-3.0-or-later
//! Who is let in: what decides outside Terminal Services.

use super::Area;
use super::look::{Look, in_set, in_software};
use crate::effect::{When, in_force};
use crate::machine::dword;
use crate::profile::Impact;
use crate::settings::{KNOWN, LISTENER};

const SYSTEM_POLICY: &str = "Microsoft\\Windows\\CurrentVersion\\Policies\\System";

pub(super) fn look(look: &mut Look<'_, '_, '_>, is_domain_member: bool) {
    smart_card(look);
    ntlm(look, is_domain_member);
    full_log(look);
    applocker(look);
}

fn smart_card(look: &mut Look<'_, '_, '_>) {
    let at = in_software(SYSTEM_POLICY);
    if look.number(at, "scforceoption").is_some_and(|on| on != 0) {
        let cause = "Nobody may log on without a smart card";
        look.wrong(
            (Area::Rights, Impact::Blocks),
            cause,
            at,
            Some("scforceoption"),
        )
        .should_be(Some(super::look::dword_of(0)))
        .advise(
            "Set it to 0 where the user has no smart card. It lowers security, and a domain's \
                 policy writes it again.",
        );
    }
}

/// Network Level Authentication needs Kerberos or NTLM, and outside a domain there is only NTLM.
fn ntlm(look: &mut Look<'_, '_, '_>, is_domain_member: bool) {
    let at = in_set("Control\\Lsa\\MSV1_0");
    if look.number(at, "RestrictReceivingNTLMTraffic") != Some(2) {
        return;
    }
    let known = KNOWN.iter();
    let mut known =
        known.filter(|known| known.key == LISTENER && known.name == "UserAuthentication");
    let nla = known
        .next()
        .map(|known| in_force(look.reader, look.set, known, When::AtStart));
    let (impact, whom) = match (nla.and_then(|nla| nla.number()), is_domain_member) {
        (Some(0), _) => (Impact::Unusual, "who uses NTLM"),
        (_, true) => (
            Impact::Unusual,
            "who has no Kerberos ticket (another domain, an address as the name)",
        ),
        (_, false) => (
            Impact::Blocks,
            "with Network Level Authentication, as there is no domain",
        ),
    };
    let cause = format!("All NTLM that comes in is refused: nobody gets in {whom}");
    look.wrong(
        (Area::Rights, impact),
        cause,
        at,
        Some("RestrictReceivingNTLMTraffic"),
    )
    .should_be(Some(super::look::dword_of(0)))
    .advise("Set it to 0, or to 1 to refuse only domain accounts. It lowers security.");
}

/// After a full security log only administrators get in, until somebody clears it.
fn full_log(look: &mut Look<'_, '_, '_>) {
    let at = in_set("Control\\Lsa");
    match look.value(at, "CrashOnAuditFail").as_ref().and_then(dword) {
        Some(2) => {
            let cause = "The security log was full once: only administrators get in since";
            look.wrong(
                (Area::Rights, Impact::Blocks),
                cause,
                at,
                Some("CrashOnAuditFail"),
            )
            .should_be(Some(super::look::dword_of(1)))
            .advise("Make room in the security log, and set it back to 1 (or 0).");
        }
        Some(1) => {
            let cause = "Windows stops when its security log is full";
            look.wrong(
                (Area::Rights, Impact::Unusual),
                cause,
                at,
                Some("CrashOnAuditFail"),
            )
            .advise("Where the log is full, the next start ends with a stop error.");
        }
        _ => {}
    }
}

/// Rules that keep programs from starting; what they allow is not worked out here.
fn applocker(look: &mut Look<'_, '_, '_>) {
    const RULES: &str = "Policies\\Microsoft\\Windows\\SrpV2";
    for kind in ["Exe", "Dll", "Script", "Msi", "Appx"] {
        let key = format!("{RULES}\\{kind}");
        let at = in_software(&key);
        let rules = look.subkeys(at).len();
        let mode = look.number(at, "EnforcementMode");
        if rules == 0 || mode == Some(0) {
            continue;
        }
        let cause = "AppLocker enforces rules; where they leave out the programs of Windows, a \
                     black screen is all that comes after the logon";
        look.wrong(
            (Area::Rights, Impact::Unusual),
            cause,
            at,
            Some("EnforcementMode"),
        )
        .note(format!(
            "{rules} rules for {kind}; what they allow was not judged"
        ))
        .mended_by("applocker-audit");
        look.open(Area::Rights, "what AppLocker's rules allow");
    }
}
