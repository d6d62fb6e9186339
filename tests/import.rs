// SPDX-License-Identifier: GPL-3.0-or-later
//! What others wrote becomes a profile: every language and type, the articles with their mistakes, and
//! nothing is dropped that a profile cannot say.

#![cfg(not(windows))]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use hivemend::import::{
    CodePage, Draft, DraftWant, Import, ImportErrors, MistakeKind, Mounts, Options, draft, read,
};
use hivemend::profile::{Data, HiveName, Want, load};

use crate::bench::{Bench, hivemend};

fn testdata(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/import");
    folder.join(name).to_str().unwrap().to_owned()
}

fn imported(text: &str) -> Result<Import, ImportErrors> {
    read(text.as_bytes(), "x", &Options::default())
}

fn good(text: &str) -> Draft {
    let import = imported(text).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    draft(&[import]).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

fn errors(text: &str) -> String {
    let import = match imported(text) {
        Ok(import) => import,
        Err(errors) => return errors.to_string(),
    };
    match draft(&[import]) {
        Ok(draft) => panic!("this is not refused:\n{text}\n{draft:?}"),
        Err(errors) => errors.to_string(),
    }
}

fn reg(lines: &str) -> String {
    format!(
        "Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Acme]\n{lines}\n"
    )
}

/// What a draft wants of the only value in it.
fn only(text: &str) -> (String, String, DraftWant) {
    let draft = good(text);
    let [key] = draft.keys.as_slice() else {
        panic!("{draft:?}")
    };
    let [value] = key.values.as_slice() else {
        panic!("{draft:?}")
    };
    (key.path.to_string(), value.name.clone(), value.want.clone())
}

fn data(text: &str) -> Data {
    match only(text).2 {
        DraftWant::Data(data) => data,
        other => panic!("{other:?}"),
    }
}

/// The values of the built-in profile, each with the key it is in.
fn of_built_in() -> BTreeMap<(String, String), Data> {
    let profile = load("rdp-disconnects").unwrap();
    let mut values = BTreeMap::new();
    for key in &profile.keys {
        for value in &key.values {
            let Want::Data(data) = &value.want else {
                panic!("{value:?}")
            };
            let place = (key.path.to_string().to_lowercase(), value.name.clone());
            values.insert(place, data.clone());
        }
    }
    values
}

#[test]
fn the_articles_about_frequent_disconnects_are_the_built_in_profile() {
    for name in ["frequent-disconnects.md", "frequent-disconnects.html"] {
        let bytes = fs::read(testdata(name)).unwrap();
        let import = read(&bytes, name, &Options::default()).unwrap();
        let draft = draft(&[import]).unwrap();
        let mut values = BTreeMap::new();
        for key in &draft.keys {
            for value in &key.values {
                let DraftWant::Data(data) = &value.want else {
                    panic!("{value:?}")
                };
                let place = (key.path.to_string().to_lowercase(), value.name.clone());
                assert!(values.insert(place, data.clone()).is_none());
                let lowers = ["SecurityLayer", "MinEncryptionLevel"].contains(&value.name.as_str());
                assert_eq!(value.lowers_security, lowers, "{value:?}");
                assert!(
                    value.why.starts_with(&format!("{name}, line ")),
                    "{value:?}"
                );
            }
        }
        assert_eq!(values, of_built_in(), "{name}");
    }
}

#[test]
fn the_articles_have_exactly_the_documented_mistakes() {
    for name in ["frequent-disconnects.md", "frequent-disconnects.html"] {
        let text = fs::read_to_string(testdata(name)).unwrap();
        let import = read(text.as_bytes(), name, &Options::default()).unwrap();
        let mut wanted = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.replace("&#39;", "'");
            let number = u32::try_from(number + 1).unwrap();
            for (sign, kind) in [
                (" /v ' MaxIdleTime'", MistakeKind::BlankAtName),
                (" /d ffffffff", MistakeKind::HexWithoutPrefix),
                (" /v '", MistakeKind::SingleQuotes),
            ] {
                if line.contains(sign) {
                    wanted.push((number, kind));
                }
            }
        }
        let mut found: Vec<(u32, MistakeKind)> = import
            .mistakes
            .iter()
            .map(|mistake| match mistake.at {
                hivemend::import::Place::Line { line, .. } => (line, mistake.kind),
                other => panic!("{other:?}"),
            })
            .collect();
        wanted.sort();
        found.sort();
        assert!(wanted.len() > 30);
        assert_eq!(found, wanted, "{name}");
    }
}

#[test]
fn every_type_of_a_reg_file_is_read() {
    let bytes = fs::read(testdata("every-type.reg")).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let wide = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
        units.flat_map(order).collect()
    };
    let files = [
        text.clone().into_bytes(),
        format!("\u{feff}{}", text.replace('\n', "\r\n")).into_bytes(),
        wide(u16::to_le_bytes),
        wide(u16::to_be_bytes),
    ];
    for file in files {
        let import = read(&file, "x", &Options::default()).unwrap();
        let draft = draft(&[import]).unwrap();
        let [key, old] = draft.keys.as_slice() else {
            panic!("{draft:?}")
        };
        assert_eq!(old.path.to_string(), r"HKLM\SOFTWARE\Acme\Old");
        assert!(old.absent.is_some());
        let wants: Vec<(&str, &DraftWant)> = key
            .values
            .iter()
            .map(|v| (v.name.as_str(), &v.want))
            .collect();
        let texts = |texts: &[&str]| Data::MultiSz(texts.iter().map(|t| (*t).to_owned()).collect());
        let wanted = [
            ("", DraftWant::Data(Data::Sz("the unnamed one".to_owned()))),
            (
                "Text",
                DraftWant::Data(Data::Sz(r#"C:\Program Files\"Acme""#.to_owned())),
            ),
            ("Number", DraftWant::Data(Data::Dword(3389))),
            (
                "Expand",
                DraftWant::Data(Data::ExpandSz("%SystemRoot%".to_owned())),
            ),
            ("List", DraftWant::Data(texts(&["a", "b"]))),
            ("Bytes", DraftWant::Data(Data::Binary(vec![1, 2, 255]))),
            ("Long", DraftWant::Data(Data::Qword(1))),
            ("Nothing", DraftWant::Data(Data::None(Vec::new()))),
            (
                "Odd",
                DraftWant::Data(Data::Other {
                    kind: 0xffff_0012,
                    bytes: vec![7],
                }),
            ),
            ("Gone", DraftWant::Absent),
        ];
        let wanted: Vec<(&str, &DraftWant)> = wanted.iter().map(|(n, w)| (*n, w)).collect();
        assert_eq!(wants, wanted);
        assert!(key.values[2].why.ends_with("The number in hexadecimal."));
    }
}

#[test]
fn the_oldest_reg_files_are_in_a_code_page() {
    let file = b"REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Acme]\r\n\"N\"=hex(2):25,\\\r\n  e4,00\r\n\"T\"=\"\xe4\"\r\n";
    let read_in = |page: &str| {
        let code_page = CodePage::of(page).unwrap();
        let options = Options {
            code_page,
            ..Options::default()
        };
        let import = read(file, "x", &options).unwrap();
        draft(&[import]).unwrap().keys[0]
            .values
            .iter()
            .map(|v| v.want.clone())
            .collect::<Vec<_>>()
    };
    let of = |c: char| {
        vec![
            DraftWant::Data(Data::ExpandSz(format!("%{c}"))),
            DraftWant::Data(Data::Sz(c.to_string())),
        ]
    };
    assert_eq!(read_in("1252"), of('ä'));
    assert_eq!(read_in("cp1251"), of('д'));
    assert!(CodePage::of("12345").is_none());
}

#[test]
fn what_is_wrong_in_a_reg_file_is_said_with_its_place() {
    for (lines, want) in [
        ("\"A\"=dword:xyz", "x:4:1: this is no number of a dword"),
        (
            "\"A\"=dword:123456789",
            "x:4:1: this is no number of a dword",
        ),
        ("\"A\"=hex:0g", "x:4:1: these are no bytes"),
        (
            "\"A\"=\"C:\\Temp\"",
            "x:4:1: `\\T` is no escape of a .reg file",
        ),
        ("\"A\"=\"open", "x:4:1: this text has no end"),
        ("\"A", "x:4:1: this name has no end"),
        ("\"A\"", "x:4:1: there is no = behind the name"),
        ("\"A\"=qword:1", "x:4:1: `qword` is no type of a .reg file"),
        ("\"A\"=\"a\" b", "x:4:1: something stands behind the text"),
        ("A=1", "x:4:1: this is no line of a .reg file"),
        ("\"A\"=hex(1):61,00", "x:4:1: the data of `A` is no REG_SZ"),
        ("\"A\"=hex(6):61,00", "x:4:1: the value `A` is a REG_LINK"),
        (
            "\"A\"=dword:1\n\"a\"=dword:2",
            "x:5:1: something else is said of the value `A` of this key, in line 4",
        ),
        (
            "\"A\"=dword:1\n[-HKEY_LOCAL_MACHINE\\SOFTWARE\\Acme]",
            "x:4:1: this key, or one above it, is deleted as a whole, in line 5",
        ),
        (
            "[HKEY_CURRENT_USER\\Software\\X]\n\"A\"=dword:1",
            "x:5:1: `HKEY_CURRENT_USER` is not a hive",
        ),
        (
            "[HKEY_LOCAL_MACHINE\\SAM\\X]\n\"A\"=dword:1",
            "x:5:1: `SAM` is not a hive",
        ),
        (
            "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Empty]",
            "x:4:1: HKLM\\SOFTWARE\\Empty: a key is made, and no value in it",
        ),
        (
            "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Classes\\*]\n\"A\"=dword:1",
            "a profile takes this name for every key",
        ),
        (
            "[-HKEY_LOCAL_MACHINE\\SYSTEM\\Select]",
            "it is never deleted",
        ),
        (
            "[-HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001]",
            "a control set is never created or deleted",
        ),
        (
            "[HKEY_LOCAL_MACHINE\\SOFTWARE\\A",
            "x:4:1: this key has no closing bracket",
        ),
    ] {
        let found = errors(&reg(lines));
        assert!(found.contains(want), "{lines}\n{found}");
    }
    let outside = errors("REGEDIT4\n\"A\"=dword:1\n");
    assert!(
        outside.contains("x:2:1: this value is in no key"),
        "{outside}"
    );
}

#[test]
fn command_lines_are_read_as_their_shells_read_them() {
    let sz = |text: &str| Data::Sz(text.to_owned());
    let list = |texts: &[&str]| Data::MultiSz(texts.iter().map(|t| (*t).to_owned()).collect());
    let key = r"HKLM\SOFTWARE\Acme";
    for (line, name, want) in [
        (
            r"reg add HKLM\SOFTWARE\Acme /v A /t REG_DWORD /d 0x10 /f",
            "A",
            Data::Dword(16),
        ),
        (
            r#"reg.exe ADD "HKEY_LOCAL_MACHINE\SOFTWARE\Acme" /ve /d "a b" /f"#,
            "",
            sz("a b"),
        ),
        (
            r#"REG ADD HKLM\SOFTWARE\Acme /v "A \"B\"" /d "C:\\" /f"#,
            "A \"B\"",
            sz("C:\\"),
        ),
        (
            r"REG ADD HKLM\SOFTWARE\Acme /v A /d %%x%% /f & echo done",
            "A",
            sz("%x%"),
        ),
        (r"REG ADD HKLM\SOFTWARE\Acme /v A ^", "A", sz("")),
        (
            r"1. `REG ADD HKLM\SOFTWARE\Acme /v A /t REG_QWORD /d 5` and go on.",
            "A",
            Data::Qword(5),
        ),
        (
            r"Then run reg add HKLM\SOFTWARE\Acme /v A /d x /f, and restart.",
            "A",
            sz("x"),
        ),
        (
            r"C:\> REG ADD HKLM\SOFTWARE\Acme /v A /t REG_MULTI_SZ /d a\0b /f >nul 2>&1",
            "A",
            list(&["a", "b"]),
        ),
        (
            r"REG ADD HKLM\SOFTWARE\Acme /v A /t REG_MULTI_SZ /s ; /d a;b",
            "A",
            list(&["a", "b"]),
        ),
        (
            r"REG ADD HKLM\SOFTWARE\Acme /v A /t REG_BINARY /d 01ff",
            "A",
            Data::Binary(vec![1, 255]),
        ),
        (
            r"REG ADD HKLM\SOFTWARE\Acme /v A /t REG_EXPAND_SZ /d %SystemRoot%\x",
            "A",
            Data::ExpandSz(r"%SystemRoot%\x".to_owned()),
        ),
        (
            r"PS C:\> reg add 'HKLM\SOFTWARE\Acme' /v 'A' /d 'b' /f",
            "A",
            sz("b"),
        ),
        (
            r"Set-ItemProperty -Path HKLM:\SOFTWARE\Acme -Name A -Value 1 -Type DWord",
            "A",
            Data::Dword(1),
        ),
        (
            r#"Set-ItemProperty "HKLM:\SOFTWARE\Acme" 'A' 7 -Force | Out-Null"#,
            "A",
            Data::Dword(7),
        ),
        (
            r"$null = New-ItemProperty -LiteralPath 'Registry::HKEY_LOCAL_MACHINE\SOFTWARE\Acme' -Name '(default)' -PropertyType ExpandString -Value 'it''s'",
            "",
            Data::ExpandSz("it's".to_owned()),
        ),
        (
            r"Set-ItemProperty -Path HKLM:\SOFTWARE\Acme -Name A -Value 'a','b' -Type MultiString",
            "A",
            list(&["a", "b"]),
        ),
        (
            r"Set-ItemProperty -Path HKLM:\SOFTWARE\Acme –Name A –Value 0xFFFFFFFF –Type DWord",
            "A",
            Data::Dword(u32::MAX),
        ),
        (
            r"Set-ItemProperty -Path HKLM:\SOFTWARE\Acme -Name A -Value -1 -Type DWord",
            "A",
            Data::Dword(u32::MAX),
        ),
    ] {
        let (path, found, _) = only(line);
        assert_eq!((path.as_str(), found.as_str()), (key, name), "{line}");
        assert_eq!(data(line), want, "{line}");
    }
    let (_, name, want) = only(r"reg delete HKLM\SOFTWARE\Acme /v A /f");
    assert_eq!((name.as_str(), want), ("A", DraftWant::Absent));
    let (_, name, want) = only(r"reg delete HKLM\SOFTWARE\Acme /va /f");
    assert_eq!((name.as_str(), want), ("*", DraftWant::AllAbsent));
    assert!(
        good(r"reg delete HKLM\SOFTWARE\Acme /f").keys[0]
            .absent
            .is_some()
    );
    assert!(
        good(r"Remove-Item -Path 'HKLM:\SOFTWARE\Acme' -Recurse").keys[0]
            .absent
            .is_some()
    );
}

#[test]
fn a_script_is_read_with_its_variables_and_lines() {
    let script = "$base = 'HKLM:\\SOFTWARE'\n$key = \"$base\\Acme\"\n\
        if (-not (Test-Path $key)) {\n    New-Item -Path $key -Force | Out-Null\n}\n\
        # Why it is so\nSet-ItemProperty -Path $key `\n    -Name A -Type DWord `\n    -Value 3\n";
    let draft = good(script);
    let [key] = draft.keys.as_slice() else {
        panic!("{draft:?}")
    };
    assert_eq!(key.path.to_string(), r"HKLM\SOFTWARE\Acme");
    assert_eq!(key.values[0].want, DraftWant::Data(Data::Dword(3)));
    assert_eq!(key.values[0].why, "x, line 7: Why it is so");
}

#[test]
fn what_cannot_be_read_of_a_command_is_said_with_its_place() {
    for (line, want) in [
        (
            r"reg add HKCU\Software\Acme /v A /d 1",
            "x:1:1: `HKCU` is not a hive",
        ),
        (r"reg add \\server\HKLM\SOFTWARE\Acme /v A /d 1", "x:1:1:"),
        (
            r"reg add HKLM\SOFTWARE\Acme /v A /t REG_LINK /d x",
            "`REG_LINK` is no type",
        ),
        (
            r"reg add HKLM\SOFTWARE\Acme /v A /t REG_DWORD /d zebra",
            "`zebra` is no number",
        ),
        (
            r"reg add HKLM\SOFTWARE\Acme /v A /t REG_DWORD /d 4294967296",
            "is more than the type holds",
        ),
        (
            r"reg add HKLM\SOFTWARE\Acme /v A /t REG_DWORD",
            "REG_DWORD without /d",
        ),
        (
            r"reg add HKLM\SOFTWARE\Acme /v A /d two words /f",
            "`words` is no option of reg",
        ),
        (
            r"reg add HKLM\SOFTWARE\%NAME% /v A /d 1",
            "holds a variable of cmd.exe",
        ),
        (r"reg add HKLM\SOFTWARE\Acme /v A /d 1 /reg:32", "/reg:32"),
        (
            r#"reg add "HKLM\SOFTWARE\Acme /v A"#,
            "a quote is not closed",
        ),
        (
            r"reg add HKLM\SOFTWARE\<KEY> /v A /d 1",
            "`<...>` stands for something",
        ),
        (
            r"if exist x reg add HKLM\SOFTWARE\Acme /v A /d 1",
            "x:1:12: `if` carries this command out only sometimes",
        ),
        (
            r"for %i in (1 2) do reg add HKLM\SOFTWARE\Acme /v A /d 1",
            "only sometimes",
        ),
        (
            r"reg add HKLM\SOFTWARE\Acme /v B /d 1 & reg copy HKLM\SOFTWARE\Acme HKLM\SOFTWARE\B /s",
            "`reg copy` is something",
        ),
        (
            r"reg add HKLM\OFFLINE\ControlSet001\Control /v A /d 1",
            "say --system-mount OFFLINE",
        ),
        (
            r"Set-ItemProperty -Path $where -Name A -Value 1 # HKLM",
            "the value of `$where` is not known",
        ),
        (
            r"Set-ItemProperty -Path HKLM:\SOFTWARE\* -Name A -Value 1",
            "stands for more than one key",
        ),
        (
            r"Set-ItemProperty -Path HKLM:\SOFTWARE\Acme -Name A",
            "the command gives no data",
        ),
        (
            r"Set-ItemProperty -Path HKLM:\SOFTWARE\Acme -Name A -Value 1 -WhatIf",
            "-WhatIf only shows",
        ),
        (
            r"foreach ($x in 1) { Set-ItemProperty -Path HKLM:\SOFTWARE\Acme -Name A -Value 1 }",
            "stands in a block",
        ),
        (
            r"Remove-ItemProperty -Path HKLM:\SOFTWARE\Acme -Name A*",
            "stands for more than one value",
        ),
        (
            r"Set-ItemProperty -Path HKCU:\Software\Acme -Name A -Value 1",
            "is not a hive",
        ),
        (
            r"Set-ItemProperty -Path HKLM:\SOFTWARE\Acme -Name A -Value (1 + 2)",
            "is not known here",
        ),
    ] {
        let found = errors(line);
        assert!(found.contains(want), "{line}\n{found}");
    }
}

#[test]
fn every_known_mistake_is_named() {
    use MistakeKind as M;
    for (line, wanted) in [
        (
            r"reg add HKLM\SYSTEM\CurrentControlSet\Services\TermService /v Start /d 3 /f",
            vec![M::NumberAsText],
        ),
        (
            r"reg add HKLM\SOFTWARE\Acme /v AutoAdminLogon /d 1 /f",
            vec![],
        ),
        (
            r#"reg add "HKLM\SOFTWARE\Acme " /v A /d x"#,
            vec![M::BlankAtKey],
        ),
        (
            r#"reg add HKLM\SOFTWARE\Acme /v "A " /d x"#,
            vec![M::BlankAtName],
        ),
        (
            "reg add HKLM\\SOFTWARE\\Acme /v \u{201c}A\u{201d} /d x",
            vec![M::TypographicQuotes],
        ),
        (
            "reg add HKLM\\SOFTWARE\\Acme /v A /d \"x y\u{201d}",
            vec![M::TypographicQuotes],
        ),
        (
            r"reg add HKLM\BROKENSYSTEM\CurrentControlSet\Services\TermService /v Start /t REG_DWORD /d 3",
            vec![M::NoCurrentControlSet],
        ),
        (
            r"reg add HKLM\SYSTEM\CurrentControlSet\Services\TermService /v Start /t REG_DWORD /d 3",
            vec![],
        ),
        (
            r"Set-ItemProperty -Path 'HKLM:\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp' -Name PortNumber -Value d3d",
            vec![M::NumberAsText],
        ),
        (
            r"Set-ItemProperty -Path HKLM:\SOFTWARE\Acme -Name ' A' -Value 1",
            vec![M::BlankAtName],
        ),
    ] {
        let import = imported(line).unwrap_or_else(|errors| panic!("{errors}\n{line}"));
        let found: Vec<M> = import.mistakes.iter().map(|mistake| mistake.kind).collect();
        assert_eq!(found, wanted, "{line}");
    }
}

#[test]
fn hives_are_known_by_the_names_they_are_loaded_under() {
    let line = r"reg add HKLM\OFFLINE\ControlSet001\Control\Lsa /v A /t REG_DWORD /d 1 /f";
    let mut mounts = Mounts::default();
    mounts.add("offline", HiveName::System);
    let options = Options {
        mounts,
        ..Options::default()
    };
    let import = read(line.as_bytes(), "x", &options).unwrap();
    let lsa = r"HKLM\SYSTEM\ControlSet001\Control\Lsa";
    assert_eq!(import.operations[0].path.to_string(), lsa);
    let loaded = format!("reg load HKLM\\OFFLINE F:\\Windows\\System32\\config\\SYSTEM\n{line}");
    assert_eq!(
        imported(&loaded).unwrap().operations[0].path.to_string(),
        lsa
    );
}

#[test]
fn control_sets_come_together_where_all_are_spoken_of_alike() {
    let line = |set: &str, value: u32| {
        format!("reg add HKLM\\BROKENSYSTEM\\{set}\\Control\\Lsa /v A /t REG_DWORD /d {value} /f\n")
    };
    let keys = |text: &str| -> Vec<String> {
        good(text)
            .keys
            .iter()
            .map(|key| key.path.to_string())
            .collect()
    };
    let (one, two) = (line("ControlSet001", 1), line("ControlSet002", 1));
    let every = r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa";
    assert_eq!(keys(&format!("{one}{two}")), [every]);
    assert_eq!(keys(&one), [r"HKLM\SYSTEM\ControlSet001\Control\Lsa"]);
    let other = line("ControlSet002", 2);
    assert_eq!(keys(&format!("{one}{other}")).len(), 2);
    let online = r"reg add HKLM\SYSTEM\CurrentControlSet\Control\Lsa /v A /t REG_DWORD /d 1 /f";
    assert_eq!(keys(&format!("{one}{online}")), [every]);
    let against = errors(&format!("{other}{online}"));
    assert!(
        against.contains("is said of this in CurrentControlSet"),
        "{against}"
    );
}

#[test]
fn dsc_documents_are_read_in_yaml_and_json() {
    let yaml = fs::read_to_string(testdata("registry.dsc.yaml")).unwrap();
    let draft = good(&yaml);
    assert_eq!(draft.keys.len(), 3);
    assert_eq!(
        draft.keys[0].values[0].want,
        DraftWant::Data(Data::Dword(0))
    );
    assert_eq!(
        draft.keys[0].values[0].why,
        "x, line 7: Remote Desktop is on"
    );
    let values: Vec<&DraftWant> = draft.keys[1]
        .values
        .iter()
        .map(|value| &value.want)
        .collect();
    assert_eq!(
        values[0],
        &DraftWant::Data(Data::MultiSz(vec!["one".to_owned(), "two".to_owned()]))
    );
    assert_eq!(values[1], &DraftWant::Data(Data::Sz("[text]".to_owned())));
    assert_eq!(values[2], &DraftWant::Absent);
    let json = "{\n\t\"$schema\": \"https:\\/\\/aka.ms/dsc/schemas/v3/bundled/config/document.json\",\n\
        \t\"resources\": [{\"name\": \"a\", \"type\": \"Microsoft.Windows/Registry\",\n\
        \t\t\"properties\": {\"keyPath\": \"HKLM\\\\SOFTWARE\\\\Acme\", \"valueName\": \"A\",\n\
        \t\t\t\"registryFilePath\": \"D:\\\\Windows\\\\System32\\\\config\\\\SYSTEM\",\n\
        \t\t\t\"valueData\": {\"Binary\": [1, 255]}}}]}";
    let (key, _, want) = only(json);
    assert_eq!(key, r"HKLM\SYSTEM\SOFTWARE\Acme");
    assert_eq!(want, DraftWant::Data(Data::Binary(vec![1, 255])));
}

#[test]
fn what_a_dsc_document_says_besides_is_refused() {
    let with = |properties: &str| {
        format!(
            "$schema: https://aka.ms/dsc/schemas/v3/bundled/config/document.json\nresources:\n\
             - name: a\n  type: Microsoft.Windows/Registry\n  properties: {properties}\n"
        )
    };
    let key = r"keyPath: 'HKLM\SOFTWARE\A'";
    for (text, want) in [
        (
            with(&format!(
                "{{{key}, valueName: A, valueData: {{String: 3389}}}}"
            )),
            "x:5:",
        ),
        (
            with(&format!("{{{key}, valueName: A, valueData: {{Dword: 1}}}}")),
            "`Dword` is no type",
        ),
        (
            with(&format!(
                "{{{key}, valueName: A, valueData: {{DWord: -1}}}}"
            )),
            "no number from 0",
        ),
        (
            with(&format!("{{{key}, valueName: A}}")),
            "a value is named, and not what it should be",
        ),
        (
            with(&format!(
                "{{{key}, valueName: \"[parameters('x')]\", _exist: false}}"
            )),
            "an expression",
        ),
        (
            with(&format!("{{{key}, wrong: 1}}")),
            "`wrong` is no property",
        ),
        (with("{valueName: A}"), "has no keyPath"),
        (with("{keyPath: 'HKCU\\A', _exist: false}"), "is not a hive"),
        (with("&a {keyPath: x}"), "anchors"),
        (with("{keyPath: x").replace("properties", "prop"), "x:"),
        (
            with("{}").replace("Microsoft.Windows/Registry", "Microsoft.Windows/Registry2"),
            "is a resource that no profile can say",
        ),
        (
            with("{}").replace("  properties", "  condition: x\n  properties"),
            "`condition` of a resource",
        ),
    ] {
        let found = errors(&text);
        assert!(found.contains(want), "{text}\n{found}");
    }
}

#[test]
fn policies_are_read_and_what_they_say_besides_is_refused() {
    use crate::registry_pol_file::{entry, header};
    let key = "SOFTWARE\\Policies\\Acme";
    let file = entry(header(), key, "A", 4, &[1, 0, 0, 0]);
    let file = entry(file, key, "**del.B", 1, b" \0\0\0");
    let import = read(&file, "x", &Options::default()).unwrap();
    let made = draft(&[import]).unwrap();
    assert_eq!(made.keys[0].values[0].want, DraftWant::Data(Data::Dword(1)));
    assert_eq!(made.keys[0].values[1].want, DraftWant::Absent);
    let soft = entry(header(), key, "**soft.A", 4, &[1, 0, 0, 0]);
    let found = read(&soft, "x", &Options::default())
        .unwrap_err()
        .to_string();
    assert!(
        found.starts_with("x:0x8: ") && found.contains("only where there is none"),
        "{found}"
    );
    let cut = read(&file[..file.len() - 3], "x", &Options::default())
        .unwrap_err()
        .to_string();
    assert!(cut.starts_with("x:0x"), "{cut}");
}

/// Each of these once took, or could take, time or memory out of proportion.
#[test]
fn hostile_files_end_soon() {
    let begun = std::time::Instant::now();
    let many = 1 << 20;
    let long = [
        reg(&format!("\"A\"=hex:{}", "00,\\\n".repeat(many / 4))),
        reg(&"\"".repeat(many)),
        reg(&"[".repeat(many)),
        reg(&"\"a\"=\"\n".repeat(many / 64)),
        format!(
            "reg add HKLM\\SOFTWARE\\A {}",
            "reg add 'HKLM\\".repeat(many / 16)
        ),
        "reg add \"HKLM\\\n".repeat(many / 16),
        "reg add 'HKLM\\a\n".repeat(many / 16),
        format!("Set-ItemProperty HKLM: {}", "(".repeat(60_000)),
        format!("Set-ItemProperty HKLM: {}", "[byte[]]".repeat(8_000)),
        format!(
            "$a = 'x'\n{}\nSet-ItemProperty HKLM:\\A $a",
            "$a = \"$a$a\"\n".repeat(64)
        ),
        format!("<p>reg add HKLM {}", "<".repeat(many)),
        format!("</p>reg add HKLM {}", "<script>".repeat(many / 8)),
        format!("</p>reg add HKLM {}", "&".repeat(many)),
        format!(
            "microsoft.windows/registry\nresources: {}",
            "[".repeat(many)
        ),
        format!(
            "microsoft.windows/registry: 1\nresources: {}",
            "- ".repeat(many / 2)
        ),
        format!(
            "# microsoft.windows/registry resources\n{}",
            "a: &a [*a]\n".repeat(many / 16)
        ),
        "reg add HKLM ^\n".repeat(many / 16),
        format!("{}\nreg add HKLM x\n", "reg a ".repeat(10_000)).repeat(16),
        format!("{}\nreg add HKLM x\n", "cmd /c x ".repeat(7_000)).repeat(16),
        format!(
            "@echo off\nset A={}\n{}",
            "x".repeat(4000),
            "reg add HKLM %A%%A%\n".repeat(8_000)
        ),
        format!("@echo off\nreg add HKLM x\n{}", "if a (\n".repeat(many / 8)),
        format!("$x = @'\nreg add HKLM x\n{}", "a\n".repeat(many / 2)),
    ];
    for text in long {
        // Whatever is said of it, it is said.
        if let Ok(import) = imported(&text) {
            let _ = draft(&[import]);
        }
    }
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(120),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn the_command_writes_a_profile_that_can_be_planned() {
    let bench = Bench::sample();
    let article = testdata("frequent-disconnects.md");
    let refused = hivemend(&["profile", "import", &article]).expect(3);
    assert!(refused.stdout.is_empty());
    let mistakes = refused
        .stderr
        .lines()
        .filter(|line| line.contains(": ["))
        .count();
    assert_eq!(mistakes, 33, "{}", refused.stderr);
    assert!(refused.stderr.contains("--correct"));
    let made = bench.beside("made.yaml");
    let made = made.to_str().unwrap();
    hivemend(&["profile", "import", &article, "--correct", "-o", made]).expect(0);
    hivemend(&["profile", "import", &article, "--correct", "-o", made]).expect(3);
    hivemend(&["profile", "check", made]).expect(0);
    let plan = |profile: &str| {
        let ended = bench
            .run("plan", &["-p", profile, "--format", "json"])
            .expect(0);
        ended.json()["changes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|change| {
                ["hive", "key", "value", "action", "after"].map(|field| change[field].to_string())
            })
            .collect::<std::collections::BTreeSet<_>>()
    };
    let own = plan("rdp-disconnects");
    assert!(own.len() > 10);
    assert_eq!(plan(made), own);
    // The article itself is refused as a profile for what is wrong with it.
    let direct = bench.run("plan", &["-p", &article]).expect(3);
    assert!(
        direct.stderr.contains("[single-quotes]"),
        "{}",
        direct.stderr
    );
}

#[test]
fn a_file_is_taken_directly_by_what_stands_in_it() {
    let bench = Bench::sample();
    let file = bench.beside("no-ending");
    let key = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Terminal Server";
    fs::write(
        &file,
        format!("REGEDIT4\n[{key}]\n\"fDenyTSConnections\"=dword:00000077\n"),
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let plan = bench.run("plan", &["-p", file, "--exit-code"]).expect(1);
    assert!(plan.stdout.contains("no-ending"), "{}", plan.stdout);
    bench.run("apply", &["-p", file, "--yes"]).expect(0);
    bench.run("plan", &["-p", file, "--exit-code"]).expect(0);
    fs::write(
        file,
        format!("REGEDIT4\n[{key}]\n\"fDenyTSConnections\"=dword:xyz\n"),
    )
    .unwrap();
    let wrong = bench.run("plan", &["-p", file]).expect(2);
    assert!(
        wrong.stderr.contains("no-ending:3:1: this is no number"),
        "{}",
        wrong.stderr
    );
}
