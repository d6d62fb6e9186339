// SPDX-License-Identifier: GPL-3.0-or-later
//! What is asked of the hives once, however many plans are made for them.

use std::cell::OnceCell;
use std::sync::Arc;

use super::PlanError;
use crate::machine::{ControlSetInfo, HiveInput, Machine, MachineError, machine, main_control_set};
use crate::profile::HiveName;

/// The hives that plans are made for, with what is asked of them once.
pub(crate) struct Scene<'i, 'h> {
    pub(super) hives: &'i [HiveInput<'h>],
    /// All of SYSTEM.
    pub(super) control_sets: Arc<[ControlSetInfo]>,
    /// What the machine is; read where a condition asks for it.
    machine: OnceCell<Machine>,
}

impl<'i, 'h> Scene<'i, 'h> {
    pub(crate) fn of(hives: &'i [HiveInput<'h>]) -> Result<Self, MachineError> {
        let system = hives.iter().find(|input| input.name == HiveName::System);
        let control_sets = system.map(HiveInput::control_sets).transpose()?;
        Ok(Self {
            hives,
            control_sets: control_sets.unwrap_or_default(),
            machine: OnceCell::new(),
        })
    }

    pub(super) fn has_system(&self) -> bool {
        let mut hives = self.hives.iter();
        hives.any(|input| input.name == HiveName::System)
    }

    pub(super) fn machine(&self) -> &Machine {
        self.machine.get_or_init(|| machine(self.hives))
    }

    /// The control set that facts of the machine are read from.
    pub(super) fn main_control_set(&self) -> Option<&str> {
        Some(&main_control_set(&self.control_sets)?.name)
    }

    /// Makes sure that one of these hives is there, if any is wanted.
    pub(super) fn expect_something_to_compare(
        &self,
        wanted: impl Iterator<Item = HiveName>,
    ) -> Result<(), PlanError> {
        let wanted: Vec<HiveName> = wanted.collect();
        let is_there = |name: &HiveName| self.hives.iter().any(|input| input.name == *name);
        if wanted.is_empty() || wanted.iter().any(is_there) {
            return Ok(());
        }
        let mut names: Vec<String> = wanted.iter().map(HiveName::to_string).collect();
        names.dedup();
        Err(PlanError::NothingToCompare(names.join(" and ")))
    }
}
