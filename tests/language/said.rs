// SPDX-License-Identifier: GPL-3.0-or-later
//! What a plan says of what others wrote, and how much it may say.

use super::*;

#[test]
fn a_change_says_what_it_means_that_it_is_needed() {
    let keys = entry(DISK_KEY, "name: A, dword: 1")
        + &entry(
            DISK_KEY,
            "name: B, dword: 1, impact: unusual, cause: tuned by hand",
        );
    let head = "impact: blocks\ncause: nobody gets in\nadvice: [ \"Restart \\e[2J it\" ]";
    let head = head.replace("\\e", "\\u001b");
    let profile = with_head("x", &head, &keys);
    let lab = Lab::new().with_key(DISK);
    let plan = lab.plan(&profile);
    let json = serde_json::to_value(plan_document(&plan, &Effect::default(), None)).unwrap();
    assert_eq!(json["changes"][0]["impact"], "blocks");
    assert_eq!(json["changes"][0]["cause"], "nobody gets in");
    assert_eq!(json["changes"][1]["impact"], "unusual");
    assert_eq!(json["changes"][1]["cause"], "tuned by hand");
    let text = plan_text(&plan, &Effect::default(), &PlanView::default());
    assert!(text.contains("besides: Restart \\u{1b}[2J it"), "{text:?}");
    // Where nothing changes, nothing else is to be done.
    let after = lab.repaired(&profile);
    assert!(
        !plan_text(
            &after.plan(&profile),
            &Effect::default(),
            &PlanView::default()
        )
        .contains("besides")
    );
}

#[test]
fn hostile_names_do_not_reach_the_terminal() {
    let lab = Lab::new()
        .with_key("SYSTEM\\ControlSet001\\Services\\A\\\u{1b}[2J\u{202e}")
        .with(
            "SYSTEM\\ControlSet001\\Services\\A\\\u{1b}[2J\u{202e}",
            "R",
            sz("\u{1b}]0;x\u{7}"),
        );
    let keys = entry(&format!(r"{SERVICES}\A\*"), "name: R, tokens: {A: b}")
        + &entry(&format!(r"{SERVICES}\A\*"), "name: V, dword: 1");
    let plan = lab.plan(&profile("x", &keys));
    assert_eq!((plan.changes.len(), plan.blocked.len()), (1, 1));
    let text = plan_text(&plan, &Effect::default(), &verbose());
    let bare = anstream::adapter::strip_str(&text).to_string();
    assert!(!bare.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{bare:?}");
    assert!(bare.contains("\\u{1b}[2J"), "{bare}");
}

#[test]
fn a_plan_that_comes_to_too_much_is_refused() {
    let system = edited(&Lab::new().system, |editor| {
        for number in 0..600 {
            let key = format!(r"ControlSet001\Services\{number}");
            editor.create_key(&path(&key)).unwrap();
        }
    });
    let lab = Lab {
        system,
        software: None,
    };
    let value = format!("name: A, binary: '{}'", "00".repeat(500_000));
    let profile = profile("x", &entry(&format!("{SERVICES}\\*"), &value));
    assert!(matches!(
        lab.try_plan(std::slice::from_ref(&profile)),
        Err(PlanError::TooMuch { .. })
    ));
}
