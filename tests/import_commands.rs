// SPDX-License-Identifier: GPL-3.0-or-later
//! Command lines as people write them: what hands them on, what they hang on, how they are quoted. What
//! is read is what the shell carries out; all else is refused by its name.

#![cfg(not(windows))]

use hivemend::import::{Draft, DraftWant, Import, ImportErrors, MistakeKind, Options, draft, read};
use hivemend::profile::Data;

fn imported(text: &str) -> Result<Import, ImportErrors> {
    read(text.as_bytes(), "x", &Options::default())
}

fn made(text: &str) -> (Draft, Vec<MistakeKind>) {
    let import = imported(text).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    let mistakes = import.mistakes.iter().map(|mistake| mistake.kind).collect();
    let draft = draft(&[import]).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    (draft, mistakes)
}

/// Each value with its key, `=` and what it should be.
fn values(text: &str) -> Vec<String> {
    let (draft, mistakes) = made(text);
    assert!(mistakes.is_empty(), "{mistakes:?}\n{text}");
    let mut values = Vec::new();
    for key in &draft.keys {
        let path = key.path.to_string();
        let path = path.replace("HKLM\\SOFTWARE\\", "");
        if key.absent.is_some() {
            values.push(format!("{path} gone"));
        }
        for value in &key.values {
            let want = match &value.want {
                DraftWant::Data(Data::Dword(number)) => format!("{number}"),
                DraftWant::Data(Data::Sz(text)) => format!("'{text}'"),
                DraftWant::Data(Data::ExpandSz(text)) => format!("x'{text}'"),
                DraftWant::Data(Data::MultiSz(texts)) => format!("{texts:?}"),
                other => format!("{other:?}"),
            };
            values.push(format!("{path} {}={want}", value.name));
        }
    }
    values
}

fn errors(text: &str) -> String {
    match imported(text) {
        Err(errors) => errors.to_string(),
        Ok(import) => match draft(&[import]) {
            Ok(draft) => panic!("this is not refused:\n{text}\n{draft:?}"),
            Err(errors) => errors.to_string(),
        },
    }
}

const ADD: &str = r"reg add HKLM\SOFTWARE\A /v N /t REG_DWORD /d 1 /f";

#[test]
fn what_hands_a_command_on_is_looked_through() {
    for text in [
        r#"cmd /c "reg add HKLM\SOFTWARE\A /v N /t REG_DWORD /d 1 /f""#,
        r#"cmd.exe /c "reg add "HKLM\SOFTWARE\A" /v "N" /t REG_DWORD /d 1 /f""#,
        r"C:\Windows\System32\cmd.exe /q /c reg add HKLM\SOFTWARE\A /v N /t REG_DWORD /d 1 /f & echo done",
        "@echo off\ncall reg add HKLM\\SOFTWARE\\A /v N /t REG_DWORD /d 1 /f",
        "@echo off\nstart \"a title\" /wait /b reg add HKLM\\SOFTWARE\\A /v N /t REG_DWORD /d 1 /f",
        "@echo off\npsexec -accepteula -s reg add HKLM\\SOFTWARE\\A /v N /t REG_DWORD /d 1 /f",
        "@echo off\n@reg.exe add HKLM\\SOFTWARE\\A /v N /t REG_DWORD /d 1 /f >nul 2>&1 || exit /b 1",
        "@echo off\n>nul reg add HKLM\\SOFTWARE\\A /v N /t REG_DWORD /d 1 /f",
        "@echo off\n%SystemRoot%\\System32\\reg.exe add HKLM\\SOFTWARE\\A /v N /t REG_DWORD /d 1 /f",
        "@echo off\n\"C:\\Windows\\System32\\reg.exe\" add HKLM\\SOFTWARE\\A /v N /t REG_DWORD /d 1 /f",
        "@echo off\nC:\\Windows\\System32\\reg add HKLM\\SOFTWARE\\A /v N /t REG_DWORD /d 1 /f",
        "@echo off\n\"reg\" add HKLM\\SOFTWARE\\A /v N /t REG_DWORD /d 1 /f",
        "$x = 1\n& reg add HKLM\\SOFTWARE\\A /v N /t REG_DWORD /d 1 /f",
        "$x = 1\n& \"$env:SystemRoot\\System32\\reg.exe\" add HKLM\\SOFTWARE\\A /v N /t REG_DWORD /d 1 /f",
        "$x = 1\ncmd /c \"reg add `\"HKLM\\SOFTWARE\\A`\" /v N /t REG_DWORD /d 1 /f\"",
        "$x = 1\ncmd.exe /c 'reg add HKLM\\SOFTWARE\\A /v N /t REG_DWORD /d 1 /f' | Out-Null",
        "$x = 1\nStart-Process reg -ArgumentList 'add HKLM\\SOFTWARE\\A /v N /t REG_DWORD /d 1 /f' -Wait",
        "$x = 1\nStart-Process -FilePath reg.exe -Wait -ArgumentList 'add','HKLM\\SOFTWARE\\A','/v','N','/t','REG_DWORD','/d','1'",
        r#"powershell -NoProfile -ExecutionPolicy Bypass -Command "Set-ItemProperty -Path 'HKLM:\SOFTWARE\A' -Name N -Value 1 -Type DWord""#,
        r#"powershell.exe -c "& {Set-ItemProperty -Path HKLM:\SOFTWARE\A -Name N -Value 1}""#,
        "$x = 1\nInvoke-Expression 'reg add HKLM\\SOFTWARE\\A /v N /t REG_DWORD /d 1 /f'",
        "$x = 1\nInvoke-Command -ScriptBlock { Set-ItemProperty -Path HKLM:\\SOFTWARE\\A -Name N -Value 1 }",
        "Run this: `reg add HKLM\\SOFTWARE\\A /v N /t REG_DWORD /d 1 /f`, then restart.",
        "sp HKLM:\\SOFTWARE\\A N 1",
        "sp -Path HKLM:\\SOFTWARE\\A -Name N -Value 1",
    ] {
        assert_eq!(values(text), ["A N=1"], "{text}");
    }
}

#[test]
fn short_names_alone_make_a_file_of_commands() {
    assert_eq!(values("rp HKLM:\\SOFTWARE\\A N"), ["A N=Absent"]);
    assert_eq!(values("ri HKLM:\\SOFTWARE\\A -Recurse"), ["A gone"]);
    assert_eq!(
        values("ni HKLM:\\SOFTWARE\\A\nsi HKLM:\\SOFTWARE\\A 'text'"),
        ["A ='text'"]
    );
    assert_eq!(
        values("md HKLM:\\SOFTWARE\\A\nsp HKLM:\\SOFTWARE\\A N x"),
        ["A N='x'"]
    );
}

#[test]
fn commands_that_are_told_and_not_given_are_left_out() {
    for told in [
        "echo reg add HKLM\\SOFTWARE\\B /v N /t REG_DWORD /d 2 /f",
        "@echo reg add HKLM\\SOFTWARE\\B /v N /t REG_DWORD /d 2 /f > fix.cmd",
        "rem reg add HKLM\\SOFTWARE\\B /v N /t REG_DWORD /d 2 /f",
        "@rem reg add HKLM\\SOFTWARE\\B /v N /t REG_DWORD /d 2 /f ^",
        ":: reg add HKLM\\SOFTWARE\\B /v N /t REG_DWORD /d 2 /f",
        "title reg add HKLM\\SOFTWARE\\B /v N /t REG_DWORD /d 2 /f",
    ] {
        let text = format!("@echo off\nsetlocal\n{told}\n{ADD}\n");
        assert_eq!(values(&text), ["A N=1"], "{text}");
        assert!(imported(&text).unwrap().skipped > 0);
    }
    for told in [
        "# reg add HKLM\\SOFTWARE\\B /v N /t REG_DWORD /d 2 /f",
        "#Set-ItemProperty -Path HKLM:\\SOFTWARE\\B -Name N -Value 2",
        "Write-Host \"then reg add HKLM\\SOFTWARE\\B /v N /t REG_DWORD /d 2 /f\"",
        "Write-Output 'reg add HKLM\\SOFTWARE\\B /v N /t REG_DWORD /d 2 /f'",
        "$y = 2 # reg add HKLM\\SOFTWARE\\B /v N /t REG_DWORD /d 2 /f",
        "<#\n.EXAMPLE\nreg add HKLM\\SOFTWARE\\B /v N /t REG_DWORD /d 2 /f\n#>",
        "<# reg add HKLM\\SOFTWARE\\B /v N /t REG_DWORD /d 2 /f #>",
        "$help = @'\nreg add HKLM\\SOFTWARE\\B /v N /t REG_DWORD /d 2 /f\n'@",
    ] {
        let text = format!("$x = 1\n{told}\n{ADD}\n");
        assert_eq!(values(&text), ["A N=1"], "{text}");
        let import = imported(&text).unwrap();
        assert!(import.skipped > 0 || !import.notes.is_empty(), "{text}");
    }
}

#[test]
fn what_a_command_hangs_on_is_named() {
    let add = ADD;
    for (text, want) in [
        (format!("@echo off\nif \"%1\"==\"x\" {add}"), "`if` carries"),
        (
            format!("@echo off\nfor %%i in (1 2) do {add}"),
            "`for` carries",
        ),
        (
            format!("@echo off\nfor %%i in (1 2) do (\n  echo a\n  {add}\n)"),
            "x:4:3: `for` carries",
        ),
        (format!("@echo off\nif exist x (\n  {add}\n)"), "`if` carries"),
        (
            format!("@echo off\nif exist x (\n  echo\n) else (\n  {add}\n)"),
            "`else` carries",
        ),
        (format!("@echo off\nping a && {add}"), "where `ping` succeeds"),
        (format!("@echo off\nping a || {add}"), "`||` carries"),
        (
            format!("@echo off\ngoto end\n{add}\n:end"),
            "`goto` in line 2 passes over",
        ),
        (
            format!("@echo off\nexit /b 0\n:sub\n{add}"),
            "`exit` in line 2 passes over",
        ),
        (
            format!("@echo off\npsexec \\\\server -s {add}"),
            "psexec carries this command out on another machine",
        ),
        (
            format!("@echo off\nwmic process call create \"{add}\""),
            "in quotes",
        ),
        (
            format!("@echo off\nssh host {add}"),
            "`ssh host` stands in front",
        ),
        (
            format!("$x = 1\nforeach ($y in 1,2) {{\n {add}\n}}"),
            "block, `foreach`",
        ),
        (
            format!("$x = 1\nfunction f {{\n {add}\n}}"),
            "block, `function`",
        ),
        (
            format!("$x = 1\nInvoke-Command -ComputerName b -ScriptBlock {{ {add} }}"),
            "Invoke-Command carries out on another machine",
        ),
        (
            "$x = 1\nexit\nSet-ItemProperty -Path HKLM:\\SOFTWARE\\A -Name N -Value 1".to_owned(),
            "`exit` in line 2 passes over",
        ),
        (
            "$p = @{ Path = 'HKLM:\\SOFTWARE\\A' }\nSet-ItemProperty @p".to_owned(),
            "the value of `@p` is not known",
        ),
        (
            "$x = 1\nSet-ItemProperty $where N 1 # HKLM".to_owned(),
            "the value of `$where` is not known",
        ),
        (
            "$a = 'HKLM:\\SOFTWARE\\A'\n$a += 'B'\nSet-ItemProperty $a N 1".to_owned(),
            "the value of `$a` is not known",
        ),
        (
            "$a = 'HKLM:\\SOFTWARE\\A'\nif ($b) { $a = 'HKLM:\\SOFTWARE\\B' }\nSet-ItemProperty $a N 1"
                .to_owned(),
            "the value of `$a` is not known",
        ),
        (
            "$x = 1\n[Microsoft.Win32.Registry]::SetValue('HKEY_LOCAL_MACHINE\\SOFTWARE\\A','N',1)"
                .to_owned(),
            "`[Microsoft.Win32.Registry]::SetValue` changes a registry",
        ),
        (
            "Rename-ItemProperty -Path HKLM:\\SOFTWARE\\A -Name N -NewName M".to_owned(),
            "`rename-itemproperty` gives a value another name",
        ),
        (
            "$x = 1\nSet-Location HKLM:\\SOFTWARE\\A\nSet-ItemProperty . N 1".to_owned(),
            "`set-location` makes the keys that follow relative",
        ),
        (
            "$x = 1\nStart-Process reg -ArgumentList $what # HKLM reg add ".to_owned(),
            "the value of `$what` is not known",
        ),
        (
            "powershell -EncodedCommand cgBlAGcA REM reg add HKLM".to_owned(),
            "-EncodedCommand hides",
        ),
    ] {
        let found = errors(&text);
        assert!(found.contains(want), "{text}\n{found}");
    }
}

#[test]
fn conditions_that_change_nothing_are_none() {
    for (text, want) in [
        (
            "$k = 'HKLM:\\SOFTWARE\\A'\nif (Test-Path $k) {\n Remove-Item $k -Recurse\n}",
            vec!["A gone"],
        ),
        (
            "@echo off\nreg query HKLM\\SOFTWARE\\A && reg delete HKLM\\SOFTWARE\\A /f",
            vec!["A gone"],
        ),
        (
            "@echo off\ncd /d C:\\ && reg add HKLM\\SOFTWARE\\A /v N /d 1 && reg add HKLM\\SOFTWARE\\A /v M /d 2",
            vec!["A N='1'", "A M='2'"],
        ),
        (
            "@echo off\nif errorlevel 1 goto end\nreg add HKLM\\SOFTWARE\\A /v N /d 1\n:end",
            vec!["A N='1'"],
        ),
        (
            "$x = 1\ntry {\n Set-ItemProperty HKLM:\\SOFTWARE\\A N 1\n} catch { throw }",
            vec!["A N=1"],
        ),
    ] {
        assert_eq!(values(text), want, "{text}");
    }
}

#[test]
fn variables_of_a_batch_file_are_known_where_it_sets_them() {
    let text = "@echo off\nset KEY=HKLM\\SOFTWARE\\A\nset \"DATA=a b\"\nreg add \"%KEY%\" /v N /d \"%DATA%\" /f\n";
    assert_eq!(values(text), ["A N='a b'"]);
    for (text, want) in [
        (
            "@echo off\nreg add \"%KEY%\" /v N /d 1",
            "`%KEY%` holds a variable",
        ),
        (
            "@echo off\nset /p KEY=HKLM\\SOFTWARE\\A\nreg add \"%KEY%\" /v N /d 1",
            "`%KEY%` holds a variable",
        ),
        (
            "@echo off\nset KEY=HKLM\\SOFTWARE\\A\nif x==y set KEY=HKLM\\SOFTWARE\\B\nreg add %KEY% /v N /d 1",
            "`%KEY%` holds a variable",
        ),
        (
            "@echo off\nreg add HKLM\\SOFTWARE\\A /v N /d %COMPUTERNAME%",
            "`%COMPUTERNAME%` holds a variable",
        ),
        (
            "@echo off\nreg add HKLM\\SOFTWARE\\A /v N /d 100%",
            "`100%` holds a variable",
        ),
        (
            "@echo off\nreg add HKLM\\SOFTWARE\\A /v %1 /d 1",
            "`%1` holds a variable",
        ),
    ] {
        let found = errors(text);
        assert!(found.contains(want), "{text}\n{found}");
    }
    let text = "@echo off\nreg add HKLM\\SOFTWARE\\A /v N /t REG_EXPAND_SZ /d %%SystemRoot%%\\x";
    assert_eq!(values(text), ["A N=x'%SystemRoot%\\x'"]);
}

#[test]
fn quotes_and_ticks_are_taken_as_the_shell_takes_them() {
    for (text, want) in [
        (
            "@echo off\nreg add \"HKLM\\SOFTWARE\\A`b\" /v \"c`d\" /d \"`e`\"",
            "A`b c`d='`e`'",
        ),
        (
            "reg add \"HKLM\\SOFTWARE\\A\" /v \"c`d`\" /d x",
            "A c`d`='x'",
        ),
        (
            "@echo off\nreg add HKLM\\SOFTWARE\\A /v \"it\u{2019}s\" /d \"say \u{201c}x\u{201d} now\"",
            "A it\u{2019}s='say \u{201c}x\u{201d} now'",
        ),
        (
            "reg add HKLM\\SOFTWARE\\A /v N /d \"a \u{201d} b\" /f",
            "A N='a \u{201d} b'",
        ),
        (
            "reg add HKLM\\SOFTWARE\\A ^\n  /v N ^\n  /d \"a^b\" /f",
            "A N='a^b'",
        ),
        (
            "$x = 1\nSet-ItemProperty -Path HKLM:\\SOFTWARE\\A `\n -Name N `\n -Value \"a`\"b\"",
            "A N='a\"b'",
        ),
        (
            "$x = 1\nSet-ItemProperty -Path HKLM:\\SOFTWARE\\A -Name N -Type MultiString -Value @(\n 'a',\n 'b')",
            "A N=[\"a\", \"b\"]",
        ),
    ] {
        assert_eq!(values(text), [want], "{text}");
    }
    let text = "@echo off\nreg add HKLM\\SOFTWARE\\A /v N /d \"a\\\" & del b\" /f";
    let found = errors(text);
    assert!(found.contains("cmd.exe ends the command at `&`"), "{found}");
    let (_, mistakes) = made("reg add HKLM\\SOFTWARE\\A /v \u{201c}N\u{201d} /d \"x y\u{201d} /f");
    assert_eq!(
        mistakes,
        [
            MistakeKind::TypographicQuotes,
            MistakeKind::TypographicQuotes
        ]
    );
}
