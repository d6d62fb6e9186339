# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs hivemend and reads what it prints."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json

# What hivemend calls the types of values, and what win_regedit calls them in its diff.
TYPES = {
    "REG_NONE": "None",
    "REG_SZ": "String",
    "REG_EXPAND_SZ": "ExpandString",
    "REG_BINARY": "Binary",
    "REG_DWORD": "DWord",
    "REG_MULTI_SZ": "MultiString",
    "REG_QWORD": "QWord",
}


def run(module, words, expected=(0,)):
    """Runs hivemend; gives its exit code and document, and fails the module with its sentence."""
    command = [module.params["executable"]] + words + ["--format", "json"]
    try:
        code, out, err = module.run_command(command)
    except (OSError, ValueError) as error:
        module.fail_json(msg="hivemend could not be run: %s" % error, cmd=command)
    try:
        document = json.loads(out)
    except ValueError:
        document = None
    if code in expected and isinstance(document, dict):
        return code, document
    failure = document if isinstance(document, dict) else {}
    sentence = failure.get("error") or err.strip() or "hivemend ended with %d" % code
    module.fail_json(
        msg=sentence,
        advice=failure.get("advice", ""),
        exit_code=code,
        cmd=command,
        stderr=err,
    )


def shown(state):
    """A value as win_regedit has it in its diff."""
    kind, data = state["type"], state["data"]
    if kind == "REG_DWORD" and data is not None:
        data = "0x%08x" % data
    elif kind == "REG_QWORD" and data is not None:
        data = "0x%016x" % data
    elif kind in ("REG_BINARY", "REG_NONE") and data is not None:
        data = ["0x" + data[at:at + 2] for at in range(0, len(data), 2)]
    if "raw" in state:
        data = "hex:" + state["raw"]
    return {"type": TYPES.get(kind, kind), "value": data}


def side(changes, which):
    """One side of the diff: each key with its values."""
    keys = {}
    for change in changes:
        path = "HKLM:\\%s\\%s" % (change["hive"], change["key"])
        state = change[which]
        if change["value"] is None:
            if state is not None:
                keys.setdefault(path, {})
        elif state is not None:
            keys.setdefault(path, {})[change["value"]] = shown(state)
        elif change["before"] is not None:
            # The key stays, without this value.
            keys.setdefault(path, {})
    return keys


def diff(changes):
    """The diff of changes, as win_regedit has it."""
    return {"before": side(changes, "before"), "after": side(changes, "after")}
