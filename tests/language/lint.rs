// SPDX-License-Identifier: GPL-3.0-or-later
//! What the linter finds.

use super::*;

#[test]
fn the_linter_knows_what_does_not_go_together() {
    let listener = r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp";
    let policy = r"HKLM\SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services";
    let lowers = "lowers-security: true";
    let undo = "undo: rdp-defaults";
    let found = |head: &str, keys: String| -> Vec<&str> {
        let lints = lint(&with_head("x", head, &keys));
        assert!(lints.iter().all(|lint| lint.level == Level::Warning));
        lints.iter().map(|lint| lint.code).collect()
    };
    let pair = |one: &str, two: &str| entry(listener, one) + &entry(listener, two);
    for (head, keys, codes) in [
        (
            undo,
            pair(
                "name: SecurityLayer, dword: 2",
                &format!("name: minencryptionlevel, dword: 1, {lowers}"),
            ),
            vec!["pair-invalid"],
        ),
        (
            undo,
            pair(
                "name: SecurityLayer, dword: 2",
                "name: MinEncryptionLevel, dword: 2",
            ),
            vec![],
        ),
        (
            undo,
            pair(
                &format!("name: SecurityLayer, dword: 0, {lowers}"),
                "name: UserAuthentication, dword: 1",
            ),
            vec!["pair-invalid"],
        ),
        (
            "",
            entry(policy, "name: MinEncryptionLevel, dword: 4"),
            vec!["policy-range"],
        ),
        ("", entry(policy, "name: MaxIdleTime, dword: 60000"), vec![]),
        (
            "",
            entry(policy, "name: MaxIdleTime, dword: 60001"),
            vec!["policy-range"],
        ),
        (
            "",
            entry(policy, "name: KeepAliveInterval, dword: 0"),
            vec!["policy-range"],
        ),
        (
            "",
            entry(policy, "name: LicenseServers, dword: 1"),
            vec!["policy-range"],
        ),
        (
            "",
            entry(policy, "name: PortNumber, dword: 1"),
            vec!["policy-unknown"],
        ),
        ("", entry(policy, "name: PortNumber, absent: true"), vec![]),
        (
            "undo: rdp-disconnects",
            entry(DISK_KEY, &format!("name: A, dword: 1, {lowers}")),
            vec!["undo-lowers"],
        ),
        (
            "undo: rdp-defaults\nimpact: blocks\ncause: c",
            entry(DISK_KEY, &format!("name: A, dword: 1, {lowers}")),
            vec!["relaxing-diagnosed"],
        ),
        (
            "opt-in: true\nimpact: blocks\ncause: c",
            entry(DISK_KEY, "name: A, dword: 1"),
            vec!["opt-in-diagnosed"],
        ),
        (
            "",
            entry(DISK_KEY, "name: A, list-remove: [a], if-exists: true"),
            vec!["if-exists-idle"],
        ),
        (
            "parameters: [ {name: p, title: T, dword: 1} ]",
            entry(DISK_KEY, "name: A, dword: 1"),
            vec!["parameter-idle"],
        ),
    ] {
        assert_eq!(found(head, keys.clone()), codes, "{head} {keys}");
    }
}

// ---------------------------------------------------------------- properties

fn element() -> impl Strategy<Value = String> {
    proptest::sample::select(vec!["a", "A", "b", "ä", "Ä", "long name", "=", "|", ""])
        .prop_map(str::to_owned)
}

proptest! {
    /// Whatever bytes are there: what is written is then met, and nothing that was not named is gone.
    #[test]
    fn editing_a_list_is_idempotent(
        elements in proptest::collection::vec(element(), 0..8),
        names in proptest::collection::vec(proptest::sample::select(vec!["a", "B", "ä", "="]), 1..4),
        cut in 0..4_usize,
        keep: bool,
    ) {
        let text: String = elements.iter().map(|element| format!("{element}\0")).collect();
        let mut bytes = utf16(&format!("{text}\0"));
        bytes.truncate(bytes.len() - cut.min(bytes.len()));
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let want = if keep { Want::ListKeep(names) } else { Want::ListRemove(names) };
        match want.judge(Some((7, &bytes))) {
            Verdict::Write { kind, data } => {
                prop_assert!(data.len() < bytes.len());
                prop_assert_eq!(want.judge(Some((kind, &data))), Verdict::Met);
            }
            Verdict::Delete => prop_assert!(bytes.len() > 2),
            Verdict::Blocked(_) => prop_assert!(bytes.len() % 2 == 1),
            Verdict::Met => {}
            Verdict::Missing => prop_assert!(false),
        }
    }

    #[test]
    fn editing_tokens_is_idempotent(
        version in proptest::sample::select(vec!["v2.10", "v2", "2.10", "", "V2.33"]),
        pieces in proptest::collection::vec("[AaBb]{0,2}=?[a|=x\u{0}é]{0,3}", 0..6),
        rest in proptest::collection::vec(any::<u8>(), 0..5),
    ) {
        let mut bytes = utf16(&format!("{version}|{}|", pieces.join("|")));
        bytes.extend(rest);
        let token = |name: &str, text: &str| Token {
            name: name.to_owned(),
            text: Some(text.to_owned()),
            parameter: None,
        };
        let want = Want::Tokens(vec![token("A", "x=y"), token("b", "é")]);
        if let Verdict::Write { kind, data } = want.judge(Some((1, &bytes))) {
            prop_assert_eq!(want.judge(Some((kind, &data))), Verdict::Met);
            // Tokens of other names stay, in their order.
            let others = |bytes: &[u8]| -> Vec<String> {
                let units: Vec<u16> =
                    bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
                let text = String::from_utf16_lossy(&units);
                let is_ours = |piece: &&str| {
                    let name = piece.split_once('=').map(|(name, _)| name.to_uppercase());
                    matches!(name.as_deref(), Some("A" | "B"))
                };
                text.split('|').filter(|piece| !is_ours(piece)).map(str::to_owned).collect()
            };
            let end = bytes.chunks_exact(2).position(|pair| pair == [0, 0]);
            let end = end.map_or(bytes.len(), |end| end * 2);
            let new_end = data.chunks_exact(2).position(|pair| pair == [0, 0]);
            let new_end = new_end.map_or(data.len(), |end| end * 2);
            prop_assert_eq!(others(&bytes[..end]), others(&data[..new_end]));
            prop_assert_eq!(&bytes[end..], &data[new_end..]);
        }
    }
}

// ---------------------------------------------------------------- the program
