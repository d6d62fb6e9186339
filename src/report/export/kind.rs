// SPDX-License-Identifier: GPL-3.0-or-later
//! What a plan is written as, and for which machine.

/// A language that a plan is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExportFormat {
    /// A `.reg` file, version 5.00.
    Reg,
    /// A batch file of REG ADD and REG DELETE.
    Cmd,
    /// A script of PowerShell.
    PowerShell,
    /// A configuration document of DSC, version 3.
    Dsc,
}

impl ExportFormat {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Reg, Self::Cmd, Self::PowerShell, Self::Dsc];

    /// Its name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reg => "reg",
            Self::Cmd => "cmd",
            Self::PowerShell => "powershell",
            Self::Dsc => "dsc",
        }
    }
}

/// Where it is to be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExportPlace {
    /// On another machine, with the hives loaded as BROKENSYSTEM and BROKENSOFTWARE.
    Offline,
    /// On the machine itself, which is running: its current control set only.
    Online,
}
