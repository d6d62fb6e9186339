// SPDX-License-Identifier: GPL-3.0-or-later
//! Profiles that include others.

use super::*;

/// Writes profiles into a folder and loads the first one with all that it includes.
fn load_files(files: &[(&str, &str, &str)]) -> Result<Vec<Profile>, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, head, keys) in files {
        let id = name.rsplit('/').next().unwrap().trim_end_matches(".yaml");
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let text = match keys.is_empty() {
            true => text_of(id, head, "").replace("keys:\n", ""),
            false => text_of(id, head, keys),
        };
        fs::write(file, text).unwrap();
    }
    let first = folder.path().join(files[0].0).display().to_string();
    load_all(&[first]).map_err(|errors| errors.to_string())
}

#[test]
fn an_include_is_as_if_it_were_named_too() {
    let keys = |name: &str| entry(DISK_KEY, &format!("name: {name}, dword: 1"));
    let (a, b, c) = (keys("A"), keys("B"), keys("C"));
    let profiles = load_files(&[
        (
            "a.yaml",
            "include: [./b.yaml, sub/c.yaml, rdp-defaults]",
            &a,
        ),
        ("b.yaml", "include: [./sub/c.yaml]", &b),
        ("sub/c.yaml", "", &c),
    ])
    .unwrap();
    let ids: Vec<_> = profiles
        .iter()
        .map(|p| (p.id.as_str(), p.included_by.as_deref()))
        .collect();
    assert_eq!(
        ids,
        [
            ("c", Some("b")),
            ("b", Some("a")),
            ("rdp-defaults", Some("a")),
            ("a", None)
        ]
        .map(|(id, by)| (id, by))
    );
    let plan = Lab::new().try_plan(&profiles).unwrap();
    let by: Vec<_> = plan
        .changes
        .iter()
        .map(|change| change.profile.as_str())
        .collect();
    assert_eq!(by, ["c", "c", "c", "b", "a"]);
    let text = plan_text(&plan, &Effect::default(), &verbose());
    assert!(text.contains("c: X (included by b)"), "{text}");
    assert_eq!(
        serde_json::to_value(plan_document(&plan, &Effect::default(), None)).unwrap()["profiles"]
            [0]["included_by"],
        "b"
    );
    // A profile may do nothing but include others.
    let profiles = load_files(&[("a.yaml", "include: [b.yaml]", ""), ("b.yaml", "", &b)]).unwrap();
    assert_eq!(profiles.len(), 2);
    let clash = [
        ("a.yaml", "include: [b.yaml]", a.as_str()),
        ("b.yaml", "", &a.replace("dword: 1", "dword: 2")),
    ];
    assert!(conflicts(&load_files(&clash).unwrap()).is_err());
}

#[test]
fn an_included_parameter_is_the_including_profile_s() {
    let takes = entry(DISK_KEY, "name: PortNumber, parameter: port");
    let own = entry(DISK_KEY, "name: A, dword: 1");
    let ours = PORT.replace("3389", "3390");
    let outer = format!("include: [b.yaml]\n{ours}");
    let mut profiles = load_files(&[("a.yaml", &outer, &own), ("b.yaml", PORT, &takes)]).unwrap();
    let want = |profiles: &[Profile]| profiles[0].keys[0].values[0].want.clone();
    assert_eq!(want(&profiles), Want::Data(Data::Dword(3390)));
    set_parameters(&mut profiles, &[setting("port=1")]).unwrap();
    assert_eq!(want(&profiles), Want::Data(Data::Dword(1)));
    // One that the including profile does not have can be set all the same.
    let mut profiles = load_files(&[
        ("a.yaml", "include: [b.yaml]", &own),
        ("b.yaml", PORT, &takes),
    ])
    .unwrap();
    set_parameters(&mut profiles, &[setting("port=2")]).unwrap();
    assert_eq!(want(&profiles), Want::Data(Data::Dword(2)));
}

#[test]
fn includes_that_cannot_be_are_refused_with_their_place() {
    let keys = entry(DISK_KEY, "name: A, dword: 1");
    let includes = |name: &str| format!("include: [{name}]");
    for (name, message) in [
        ("a.yaml", "`a.yaml` includes this profile"),
        (
            "b.yaml",
            "includes this profile, directly or through others",
        ),
        ("rdp-defalts", "there is no built-in profile `rdp-defalts`"),
        ("none.yaml", "cannot be read"),
        ("/tmp/x.yaml", "is not a path from this file"),
    ] {
        let said = load_files(&[
            ("a.yaml", &includes(name), &keys),
            ("b.yaml", &includes("./a.yaml"), &keys),
        ])
        .unwrap_err();
        assert!(said.contains(message), "{said}");
    }
    let said = load_files(&[("a.yaml", &includes("a.yaml"), &keys)]).unwrap_err();
    assert!(said.contains("a.yaml:5:11: "), "{said}");
    let said = load_files(&[
        ("a.yaml", &includes("b.yaml"), &keys),
        ("b.yaml", "opt-in: true", &keys),
    ])
    .unwrap_err();
    assert!(
        said.contains("is a last resort (opt-in), and this profile is not"),
        "{said}"
    );
    let last = [
        ("a.yaml", "include: [b.yaml]\nopt-in: true", keys.as_str()),
        ("b.yaml", "opt-in: true", &keys),
    ];
    assert!(load_files(&last).is_ok());
    let chain: Vec<(String, String)> = (0..12)
        .map(|n| (format!("p{n}.yaml"), includes(&format!("p{}.yaml", n + 1))))
        .collect();
    let chain: Vec<(&str, &str, &str)> = chain
        .iter()
        .map(|(name, head)| (name.as_str(), head.as_str(), keys.as_str()))
        .collect();
    assert!(load_files(&chain).unwrap_err().contains("more than 8 deep"));
}

#[test]
fn a_profile_without_a_file_includes_built_in_ones_only() {
    let text = text_of(
        "x",
        "include: [./y.yaml]",
        &entry(DISK_KEY, "name: A, dword: 1"),
    );
    assert!(parse(text.as_bytes(), "built-in").is_ok());
    for known in hivemend::profile::builtin() {
        assert!(load_all(&[known.id.to_owned()]).is_ok(), "{}", known.id);
    }
}

// ---------------------------------------------------------------- what a plan says
