// SPDX-License-Identifier: GPL-3.0-or-later
//! Every value that a published repair procedure writes into SYSTEM or SOFTWARE is in a built-in
//! profile, or docs/not-covered.md says why not.
//!
//! `tests/data/coverage.tsv` is the table of both. With the corpus it is compared with the catalogue
//! of the procedures, so that nothing is forgotten; without it, with the profiles and the document.

use std::collections::{BTreeMap, BTreeSet};

use hivemend::profile::{
    ControlSet, Data, HiveName, KeyRule, Profile, ValueRule, Want, load, load_all, upcase,
};
use serde_json::Value as Json;

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    hive: String,
    key: String,
    value: String,
    documented: String,
    /// The profile that has it, or `-`.
    profile: String,
    remark: String,
}

fn table() -> Vec<Row> {
    let lines = include_str!("data/coverage.tsv").lines();
    let mut lines = lines.filter(|line| !line.starts_with('#'));
    assert_eq!(
        lines.next(),
        Some("hive\tkey\tvalue\tdocumented\tprofile\tremark")
    );
    rows(lines)
}

/// What the scripts and articles of 2026 write.
fn newer_table() -> Vec<Row> {
    let lines = include_str!("data/repairs-2026.tsv").lines();
    let mut lines = lines.filter(|line| !line.starts_with('#'));
    let head = "topic\thive\tkey\tvalue\tdocumented\tprofile\tremark";
    assert_eq!(lines.next(), Some(head));
    rows(lines.map(|line| line.split_once('\t').unwrap().1))
}

fn rows<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<Row> {
    let row = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [hive, key, value, documented, profile, remark] = fields[..] else {
            panic!("not a row: {line:?}");
        };
        Row {
            hive: hive.to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
            documented: documented.to_owned(),
            profile: profile.to_owned(),
            remark: remark.to_owned(),
        }
    };
    lines.map(row).collect()
}

/// A profile's own entries and those of what it includes.
fn with_included(id: &str) -> Vec<Profile> {
    load_all(&[id.to_owned()]).unwrap_or_else(|errors| panic!("{id}: {errors}"))
}

fn is_about(rule: &KeyRule, row: &Row) -> bool {
    let path = rule.path.segments.join("\\");
    let beside_sets = ["Select", "Setup"].contains(&row.key.as_str());
    let set = match row.hive.as_str() {
        "SYSTEM" if !beside_sets => Some(ControlSet::Every),
        _ => None,
    };
    rule.path.hive.to_string() == row.hive
        && rule.path.control_set == set
        && upcase(&path) == upcase(&row.key)
}

/// Whether the entry writes, or is content with, what is documented.
fn says(value: &ValueRule, documented: &str) -> bool {
    let met = |data: Data| value.want.is_met_by(Some((data.kind(), &data.bytes())));
    match documented {
        "absent" => value.want == Want::Absent,
        "empty" => met(Data::Sz(String::new())),
        "list" => value.want.is_partial() && !matches!(value.want, Want::Tokens(_)),
        "tokens-off" => match &value.want {
            Want::Tokens(tokens) => {
                let mut tokens = tokens.iter();
                tokens.any(|t| t.name == "Active" && t.text.as_deref() == Some("FALSE"))
            }
            _ => false,
        },
        "qword 1" => met(Data::Qword(1)),
        "tokens" => match &value.want {
            Want::Tokens(tokens) => {
                let mut tokens = tokens.iter();
                tokens.any(|t| t.name == "Active" && t.text.as_deref() == Some("TRUE"))
            }
            _ => false,
        },
        text => match text.parse() {
            Ok(number) => met(Data::Dword(number)),
            Err(_) => met(Data::Sz(text.to_owned())) || met(Data::ExpandSz(text.to_owned())),
        },
    }
}

#[test]
fn each_covered_value_is_in_its_profile() {
    assert_covered(&table(), 160);
}

#[test]
fn each_covered_value_of_2026_is_in_its_profile() {
    let rows = newer_table();
    assert_covered(&rows, 120);
    // No topic is forgotten.
    let lines = include_str!("data/repairs-2026.tsv").lines();
    let topics = lines.filter(|line| line.get(1..2) == Some("\t"));
    let topics: BTreeSet<&str> = topics.map(|line| &line[..1]).collect();
    let topics: String = topics.into_iter().collect();
    assert_eq!(topics, "ABCDEFGHIJKLMNOPR");
}

fn assert_covered(rows: &[Row], at_least: usize) {
    let covered: Vec<&Row> = rows.iter().filter(|row| row.profile != "-").collect();
    assert!(covered.len() > at_least, "{}", covered.len());
    let mut wrong = Vec::new();
    for row in covered {
        let profiles = with_included(&row.profile);
        let rules: Vec<&KeyRule> = profiles
            .iter()
            .flat_map(|profile| &profile.keys)
            .filter(|rule| is_about(rule, row))
            .collect();
        if row.key == "Select" {
            assert!(rules.iter().any(|rule| rule.boot.is_some()), "{row:?}");
            continue;
        }
        if row.value.is_empty() {
            assert!(rules.iter().any(|rule| rule.absent), "{row:?}");
            continue;
        }
        let values: Vec<&ValueRule> = rules
            .iter()
            .flat_map(|rule| &rule.values)
            .filter(|value| upcase(&value.name) == upcase(&row.value))
            .collect();
        let differs = !row.remark.is_empty();
        let is_said = values.iter().any(|value| says(value, &row.documented));
        if values.is_empty() || (!differs && !is_said) {
            wrong.push(format!("{row:?}: {values:#?}"));
        }
        // A remark that is not needed would hide a mistake that comes later.
        if differs && is_said && row.documented != "several" {
            wrong.push(format!("{row:?} does not differ"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_no_profile_has_is_in_the_document_with_its_reason() {
    let document = include_str!("../docs/not-covered.md");
    let rows = [table(), newer_table()].concat();
    let mut wanted = BTreeSet::new();
    for row in rows.iter().filter(|row| row.profile == "-") {
        let value = match row.value.as_str() {
            "" => "the whole key".to_owned(),
            value => format!("`{value}`"),
        };
        let start = format!(
            "| `{}\\{}` | {value} | {} | ",
            row.hive, row.key, row.remark
        );
        let line = document.lines().find(|line| line.starts_with(&start));
        let line = line.unwrap_or_else(|| panic!("docs/not-covered.md lacks {start}"));
        assert!(line.len() > start.len() + 5, "no reason: {line}");
        wanted.insert(line);
    }
    let listed = document.lines().filter(|line| {
        let hives = [
            "| `SYSTEM\\",
            "| `SOFTWARE\\",
            "| `COMPONENTS\\",
            "| `SECURITY\\",
            "| `BCD\\",
        ];
        hives.iter().any(|hive| line.starts_with(hive))
    });
    let listed: BTreeSet<&str> = listed.collect();
    assert_eq!(listed, wanted, "the document and the table differ");
    for row in rows
        .iter()
        .filter(|row| row.profile != "-" && !row.remark.is_empty())
    {
        let meaning = format!("| `{}` | ", row.remark);
        assert!(
            document.contains(&meaning),
            "{} is not explained",
            row.remark
        );
    }
}

/// The catalogue's rows, or a word that there are none.
fn catalogue() -> Option<Vec<(String, Json)>> {
    let Some(corpus) = std::env::var_os("HIVEMEND_CORPUS") else {
        let said = "SKIPPED: HIVEMEND_CORPUS is not set, no catalogue of procedures to compare\n";
        // Past the harness, which keeps what a passing test prints.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
        return None;
    };
    let path = std::path::Path::new(&corpus).join("catalogue/procedures.json");
    let text = std::fs::read_to_string(path).unwrap();
    let procedures: Vec<Json> = serde_json::from_str(&text).unwrap();
    let rows = procedures.iter().flat_map(|procedure| {
        let slug = procedure["slug"].as_str().unwrap();
        let edits = procedure["edits"].as_array().unwrap().iter();
        edits.map(move |edit| (slug.to_owned(), edit.clone()))
    });
    Some(rows.collect())
}

/// What the catalogue says is written, in the words of the table.
fn documented(edit: &Json) -> String {
    let op = edit["op"].as_str().unwrap();
    match op {
        op if op.starts_with("delete") => return "absent".to_owned(),
        "check" => return "read".to_owned(),
        "copy-key" | "replace-key" => return "donor".to_owned(),
        "edit-string" => return "tokens".to_owned(),
        "list-remove" => return "list".to_owned(),
        "set empty" => return "empty".to_owned(),
        _ => {}
    }
    if let Some(number) = edit["data"].as_u64() {
        return number.to_string();
    }
    let text = edit["data"].as_str().unwrap();
    if let Some(digits) = text.strip_prefix("0x") {
        return u32::from_str_radix(digits, 16).unwrap().to_string();
    }
    match edit["type"].as_str().unwrap() {
        "REG_SZ" | "REG_EXPAND_SZ" => text.to_owned(),
        _ => "several".to_owned(),
    }
}

fn place(edit: &Json) -> (String, String, String) {
    let text = |field: &str| edit[field].as_str().unwrap().to_owned();
    let value = match edit["value"].as_str().unwrap() {
        "(whole key)" => String::new(),
        value => value.to_owned(),
    };
    (text("hive"), text("key"), value)
}

#[test]
fn each_row_of_the_catalogue_is_in_the_table() {
    let Some(rows) = catalogue() else { return };
    assert_eq!(rows.len(), 200);
    let mut left: BTreeMap<(String, String, String, String), usize> = BTreeMap::new();
    for row in table() {
        left.insert((row.hive, row.key, row.value, row.documented), 0);
    }
    let mut missing = Vec::new();
    for (slug, edit) in &rows {
        let (hive, key, value) = place(edit);
        let found = left.get_mut(&(hive, key, value, documented(edit)));
        match found {
            Some(count) => *count += 1,
            None => missing.push(format!("{slug}: {edit}")),
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    let idle: Vec<_> = left.iter().filter(|(_, count)| **count == 0).collect();
    assert!(idle.is_empty(), "not in the catalogue: {idle:#?}");
}

/// The 16 values of the procedure, its mistakes corrected: no more, no less, the same numbers.
#[test]
fn rdp_disconnects_is_the_procedure() {
    let profile = load("rdp-disconnects").unwrap();
    let mut ours: Vec<(String, String, String, u32)> = Vec::new();
    for rule in &profile.keys {
        for value in &rule.values {
            let Want::Data(Data::Dword(number)) = value.want else {
                panic!("{value:?}");
            };
            let hive = rule.path.hive.to_string();
            let key = rule.path.segments.join("\\");
            ours.push((hive, key, value.name.clone(), number));
        }
    }
    ours.sort();
    assert_eq!(ours.len(), 16);
    let Some(rows) = catalogue() else { return };
    let rows = rows.iter().filter(|(slug, _)| slug == "rdp-listener-reset");
    let mut theirs: Vec<(String, String, String, u32)> = rows
        .map(|(_, edit)| {
            let (hive, key, value) = place(edit);
            (hive, key, value, documented(edit).parse().unwrap())
        })
        .collect();
    theirs.sort();
    assert_eq!(ours, theirs);
}

/// What no Microsoft document has says so, for whoever reviews the plan.
#[test]
fn what_is_not_documented_says_so() {
    const WORDS: &[&str] = &[
        "ot a documented repair",
        "o repair document",
        "o Microsoft document",
        "ot in the article",
        "oes not name it",
        "nly third parties",
        "services guide",
        "in no repair document",
    ];
    let Some(rows) = catalogue() else { return };
    let table = table();
    let mut silent = BTreeSet::new();
    for (slug, edit) in rows.iter().filter(|(_, edit)| edit["tag"] == "K") {
        let (hive, key, value) = place(edit);
        let documented = documented(edit);
        let row = table.iter().find(|row| {
            (&row.hive, &row.key, &row.value, &row.documented) == (&hive, &key, &value, &documented)
        });
        let row = row.unwrap();
        if row.profile == "-" {
            continue;
        }
        // Another procedure may have the same value from a document.
        let elsewhere = rows.iter().any(|(_, other)| {
            other["tag"] != "K"
                && place(other) == (hive.clone(), key.clone(), value.clone())
                && self::documented(other) == documented
        });
        let profiles = with_included(&row.profile);
        let rules = profiles.iter().flat_map(|profile| &profile.keys);
        let values = rules
            .filter(|rule| is_about(rule, row))
            .flat_map(|rule| &rule.values)
            .filter(|rule| upcase(&rule.name) == upcase(&value));
        let mut whys = values.map(|rule| &*rule.why);
        let says = whys.any(|why| WORDS.iter().any(|word| why.contains(word)));
        if !says && !elsewhere {
            silent.insert(format!("{slug}: {hive}\\{key} {value} ({})", row.profile));
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

/// A hive other than these two is never in a profile, which the table's exclusions rely on.
#[test]
fn the_table_knows_no_other_hive() {
    let hives = HiveName::ALL.map(|hive| hive.to_string());
    for row in [table(), newer_table()].concat() {
        let excluded = ["BCD", "COMPONENTS", "SECURITY"].contains(&row.hive.as_str());
        assert!(excluded || hives.contains(&row.hive), "{row:?}");
        assert!(!excluded || row.profile == "-", "{row:?}");
    }
}
