#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
module: hivemend_facts
short_description: Finds attached Windows disks, and says what is wrong with them
description:
  - Looks for Windows disks that are attached to this host, and asks hivemend what in their registries keeps
    them from starting, from the network, or from letting somebody in. Nothing is written.
version_added: "0.1.0"
author:
  - The hivemend authors (@hivemend)
options:
  targets:
    description: The roots to look at; where none is named, everything that is mounted.
    type: list
    elements: path
    default: []
  diagnose:
    description: Whether each disk is diagnosed too.
    type: bool
    default: true
  executable:
    description: The program.
    type: str
    default: hivemend
attributes:
  check_mode:
    support: full
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
  facts:
    support: full
    description: Action returns an C(ansible_facts) dictionary that will update existing host facts.
"""

EXAMPLES = r"""
- name: Look at every attached disk
  hivemend.rescue.hivemend_facts:

- name: Say what blocks
  ansible.builtin.debug:
    msg: "{{ item.path }}: {{ item.diagnosis.findings | selectattr('impact', 'eq', 'blocks') | map(attribute='cause') }}"
  loop: "{{ ansible_facts.hivemend_facts.disks | selectattr('diagnosis') }}"
"""

RETURN = r"""
ansible_facts:
  description: What was found.
  returned: always
  type: dict
  contains:
    hivemend_facts:
      description: C(version), and C(disks).
      type: dict
      returned: always
      contains:
        version:
          description: What the program calls itself.
          type: str
          returned: always
        disks:
          description:
            - As in the document C(hivemend.disks/1). C(diagnosis) is a C(hivemend.diagnose/2), null where it
              was not asked for or could not be made; then C(diagnosis_error) says why.
          type: list
          elements: dict
          returned: always
"""

import json

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hivemend.rescue.plugins.module_utils.program import run


def diagnosed(module, disk):
    """The diagnosis of a disk, or why there is none: one bad disk does not hide the others."""
    command = [module.params["executable"], "diagnose", disk["path"], "--format", "json"]
    code, out, err = module.run_command(command)
    try:
        document = json.loads(out)
    except ValueError:
        document = {}
    if code == 0 and document.get("schema") == "hivemend.diagnose/2":
        return {"diagnosis": document}
    return {"diagnosis": None, "diagnosis_error": document.get("error") or err.strip()}


def main():
    module = AnsibleModule(
        argument_spec=dict(
            targets=dict(type="list", elements="path", default=[]),
            diagnose=dict(type="bool", default=True),
            executable=dict(type="str", default="hivemend"),
        ),
        supports_check_mode=True,
    )
    document = run(module, ["disks"] + module.params["targets"])[1]
    code, out, err = module.run_command([module.params["executable"], "--version"])
    disks = []
    for disk in document["disks"]:
        asked = module.params["diagnose"] and disk["hives"]
        more = diagnosed(module, disk) if asked else {"diagnosis": None}
        disks.append(dict(disk, **more))
    facts = {"version": out.strip(), "disks": disks}
    module.exit_json(changed=False, ansible_facts={"hivemend_facts": facts})


if __name__ == "__main__":
    main()
