# SPDX-License-Identifier: GPL-3.0-or-later
"""Packs a program with documents and licences: pack.py OUTPUT PROGRAM TARGET. Prints the archive's name.

Everything that could differ between two runs is fixed: order, times, owners, modes.
"""

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EPOCH = int(os.environ["SOURCE_DATE_EPOCH"])
LICENCE_NAMES = ("license", "licence", "copying", "unlicense", "copyright", "notice")


def documents():
    """Files of the repository that go into every archive, by their names there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "README.md", "CHANGELOG.md", "LICENSE", "docs", "profiles", "pipelines"],
        cwd=ROOT, check=True, capture_output=True,
    ).stdout
    names = [name.decode() for name in listed.split(b"\0") if name]
    return {name: (ROOT / name).read_bytes() for name in names}


def crates(target):
    """The crates whose code is in the program for `target`, as cargo resolved them."""
    found = json.loads(subprocess.run(
        ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target],
        cwd=ROOT, check=True, capture_output=True,
    ).stdout)
    packages = {package["id"]: package for package in found["packages"]}
    nodes = {node["id"]: node for node in found["resolve"]["nodes"]}
    used, waiting = set(), [found["resolve"]["root"]]
    while waiting:
        for dependency in nodes[waiting.pop()]["deps"]:
            kinds = {kind["kind"] for kind in dependency["dep_kinds"]}
            # Build scripts and tests leave no code in the program.
            if None in kinds and dependency["pkg"] not in used:
                used.add(dependency["pkg"])
                waiting.append(dependency["pkg"])
    return sorted((packages[id] for id in used), key=lambda package: (package["name"], package["version"]))


def licences(target):
    """The licences of those crates, one text."""
    text = io.StringIO()
    text.write(
        "hivemend contains the crates below; each is followed by the licence texts that it carries.\n"
        "The Rust standard library (MIT OR Apache-2.0) is part of the program too.\n"
    )
    for package in crates(target):
        text.write(f"\n{'=' * 78}\n{package['name']} {package['version']}\n")
        text.write(f"licence: {package['license'] or 'see below'}\n")
        text.write(f"source: {package['repository'] or 'crates.io'}\n")
        folder = Path(package["manifest_path"]).parent
        files = [
            file for file in sorted(folder.iterdir())
            if file.is_file() and file.name.lower().startswith(LICENCE_NAMES) and file.suffix != ".rs"
        ]
        if not files and not package["license"]:
            sys.exit(f"{package['name']}: no licence")
        for file in files:
            text.write(f"\n--- {file.name}\n\n{file.read_text(encoding='utf-8', errors='replace').strip()}\n")
    return text.getvalue().encode()


def printed(*words):
    """What the program of this machine prints; another system's cannot be run here."""
    command = ["cargo", "run", "--locked", "--quiet", "--bin", "hivemend", "--", *words]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout


def for_shells():
    """Completions and manual pages, by their names in the archive."""
    shells = {"bash": "hivemend.bash", "zsh": "_hivemend", "fish": "hivemend.fish",
              "powershell": "_hivemend.ps1", "elvish": "hivemend.elv"}
    files = {f"completions/{name}": printed("completions", shell) for shell, name in shells.items()}
    files["man/hivemend.1"] = printed("man")
    for command in ("apply", "check", "diagnose", "mend", "plan", "restore"):
        files[f"man/hivemend-{command}.1"] = printed("man", command)
    return files


def contents(program, name, target):
    files = documents() | for_shells()
    files["THIRD-PARTY-LICENCES.txt"] = licences(target)
    files[name] = Path(program).read_bytes()
    return sorted(files.items())


def is_program(name):
    return name in ("hivemend", "hivemend.exe") or name.endswith(".sh")


def tar(out, files):
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files:
            entry = tarfile.TarInfo(f"hivemend/{name}")
            entry.size, entry.mtime = len(content), EPOCH
            entry.mode = 0o755 if is_program(name) else 0o644
            archive.addfile(entry, io.BytesIO(content))
    with open(out, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=EPOCH) as packed:
        packed.write(plain.getvalue())


def zip_(out, files):
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(f"hivemend/{name}", time.gmtime(EPOCH)[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = (0o755 if is_program(name) else 0o644) << 16
            archive.writestr(entry, content)


def main():
    out, program, target = sys.argv[1:]
    content = Path(program).read_bytes()
    for path in (str(ROOT), str(Path.home())):
        if path != "/" and (path + "/").encode() in content:
            sys.exit(f"{program} holds the path {path}")
    if "windows" in target:
        name = "hivemend-x86_64-windows.zip"
        zip_(Path(out) / name, contents(program, "hivemend.exe", target))
    else:
        name = "hivemend-x86_64-linux.tar.gz"
        tar(Path(out) / name, contents(program, "hivemend", target))
    print(name)


main()
