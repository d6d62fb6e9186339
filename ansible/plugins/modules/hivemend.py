#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: hivemend
short_description: Plans or makes registry repairs on an attached Windows disk
description:
  - Compares the registry hives of a Windows disk, which is attached to this host and does not run, with
    profiles of hivemend, and makes them agree.
  - Nothing is written without a verified backup; C(state=restored) puts it back.
  - Needs the program hivemend on the host. Everything else is refused or done by it, in its words.
version_added: "0.1.0"
author:
  - The hivemend authors (@hivemend)
options:
  target:
    description: The disk's root as it is mounted here, its Windows folder, or its config folder.
    type: path
    required: true
  profiles:
    description:
      - Profiles by their ids, or files with profiles, C(.reg) and what else C(hivemend plan -p) takes.
      - Needed but for C(state=restored).
    type: list
    elements: str
  parameters:
    description: What parameters of profiles are set to, for example C(port) to C(3390).
    type: dict
    default: {}
  control_set:
    description: "The control sets that are meant: C(each), C(current), or numbers such as C(1,2)."
    type: str
  state:
    description:
      - C(applied) makes the changes; C(planned) shows them and never writes.
      - C(restored) puts the newest backup back, byte for byte. It is refused where a hive was changed since.
    type: str
    choices: [applied, planned, restored]
    default: applied
  backup_dir:
    description: A folder for the backup elsewhere than beside the hives.
    type: path
  executable:
    description: The program.
    type: str
    default: hivemend
attributes:
  check_mode:
    support: full
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
  diff_mode:
    support: full
    description: The diff has the form that M(ansible.windows.win_regedit) gives it.
"""

EXAMPLES = r"""
- name: Let Remote Desktop in again
  hivemend.rescue.hivemend:
    target: /mnt/osdisk
    profiles: [rdp-enable, firewall-allow-rdp]

- name: On another port
  hivemend.rescue.hivemend:
    target: /mnt/osdisk
    profiles: [rdp-port]
    parameters:
      port: 3390

- name: Back to what was there
  hivemend.rescue.hivemend:
    target: /mnt/osdisk
    state: restored
"""

RETURN = r"""
changes:
  description: What was or would be changed, as in the document C(hivemend.plan/1).
  type: list
  elements: dict
  returned: when planned or applied
lowers_security:
  description: Whether a change leaves the machine less secure.
  type: bool
  returned: when planned or applied
warnings_of_hivemend:
  description: What else an engineer should know.
  type: list
  elements: str
  returned: when planned or applied
backup:
  description: The backup that was made, with C(id) and C(path), or null.
  type: dict
  returned: when applied
restored:
  description: The files of the backup, and what was done with each.
  type: list
  elements: dict
  returned: when restored
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hivemend.rescue.plugins.module_utils.program import diff, run


def choice(module):
    """The words that say which profiles are meant."""
    words = []
    for profile in module.params["profiles"] or []:
        words += ["--profile", profile]
    for name, value in sorted(module.params["parameters"].items()):
        words += ["--set", "%s=%s" % (name, value)]
    if module.params["control_set"]:
        words += ["--control-set", module.params["control_set"]]
    return words


def backup_dir(module):
    folder = module.params["backup_dir"]
    return ["--backup-dir", folder] if folder else []


def plan(module):
    target = module.params["target"]
    return run(module, ["plan", target] + choice(module))[1]


def result_of(document):
    changes = document["changes"]
    return {
        "changed": bool(changes),
        "changes": changes,
        "lowers_security": any(change["lowers_security"] for change in changes),
        "warnings_of_hivemend": document["warnings"],
        "summary": document["summary"],
        "diff": diff(changes),
    }


def applied(module):
    document = plan(module)
    result = result_of(document)
    if document["blocked"]:
        reasons = ["%s: %s" % (rule["key"], rule["reason"]) for rule in document["blocked"]]
        module.fail_json(msg="the plan is blocked: " + "; ".join(reasons), **result)
    if module.params["state"] == "planned" or module.check_mode or not document["changes"]:
        return result
    words = ["apply", module.params["target"]] + choice(module) + backup_dir(module)
    document = run(module, words + ["--yes"])[1]
    result = result_of(document)
    outcome = document["outcome"]
    result["changed"] = outcome["status"] == "applied"
    result["backup"] = outcome["backup"]
    return result


def restored(module):
    target = module.params["target"]
    known = run(module, ["backups", target] + backup_dir(module))[1]["backups"]
    following = [backup for backup in known if backup.get("next")]
    is_open = any(backup.get("state") == "applying" for backup in known)
    if module.check_mode:
        return {"changed": is_open or any(backup["state"] == "applied" for backup in following)}
    if not following and not is_open:
        return {"changed": False, "restored": []}
    document = run(module, ["restore", target] + backup_dir(module) + ["--yes"])[1]
    files = document["files"]
    changed = "settled" in document or any(one["action"] == "put-back" for one in files)
    return {"changed": changed, "restored": files, "backup": {"id": document["backup"]}}


def main():
    module = AnsibleModule(
        argument_spec=dict(
            target=dict(type="path", required=True),
            profiles=dict(type="list", elements="str"),
            parameters=dict(type="dict", default={}),
            control_set=dict(type="str"),
            state=dict(type="str", choices=["applied", "planned", "restored"], default="applied"),
            backup_dir=dict(type="path"),
            executable=dict(type="str", default="hivemend"),
        ),
        required_if=[
            ("state", "applied", ["profiles"]),
            ("state", "planned", ["profiles"]),
        ],
        supports_check_mode=True,
    )
    if module.params["state"] == "restored":
        module.exit_json(**restored(module))
    module.exit_json(**applied(module))


if __name__ == "__main__":
    main()
