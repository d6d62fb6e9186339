// SPDX-License-Identifier: GPL-3.0-or-later
//! What can be typed.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// The version, and the commit where the archive was made of one.
const VERSION: &str = match option_env!("HIVEMEND_COMMIT") {
    Some(commit) => commit,
    None => env!("CARGO_PKG_VERSION"),
};

/// Repairs the registry hives of a Windows machine whose disk is attached here.
///
/// Shows what would change, backs up, writes, proves what it wrote, and can undo it.
#[derive(Debug, Parser)]
#[command(
    name = "hivemend",
    version = VERSION,
    arg_required_else_help = true,
    infer_subcommands = false,
    disable_help_subcommand = true
)]
#[command(
    after_help = "Exit codes: 0 done, 1 found what was asked about, 2 usage, 3 refused, \
    4 failed and untouched, 5 needs restore."
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    /// Say only what was asked for
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    /// Use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: Color,
    /// Print a summary of BYTES at most, verdict first, for places that cut long output
    #[arg(
        long,
        global = true,
        value_name = "BYTES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "3072",
        value_parser = clap::value_parser!(u32).range(256..),
        conflicts_with = "quiet"
    )]
    pub(super) summary: Option<u32>,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    #[default]
    Text,
    Json,
    /// A .reg file, of show and restore
    #[value(hide = true)]
    Reg,
}

/// How a captured profile is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum CaptureFormat {
    #[default]
    Yaml,
    /// A .reg file
    Reg,
}

/// How a plan is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanFormat {
    #[default]
    Text,
    Json,
    /// The touched keys as a unified diff
    Diff,
    /// A .reg file
    Reg,
    /// A batch file of REG ADD and REG DELETE
    Cmd,
    /// A script of PowerShell
    #[value(name = "powershell")]
    PowerShell,
    /// A configuration document of DSC, version 3
    Dsc,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the attached disks that hold a Windows, other than the running one
    Disks(DisksArgs),
    /// Show what would change; nothing is written to the target
    #[command(alias = "diff")]
    Plan(PlanArgs),
    /// Find what blocks Remote Desktop, propose what mends it, ask, apply, and look again
    Fix(FixArgs),
    /// Back up, make the changes, and prove them
    Apply(ApplyArgs),
    /// Apply the transaction logs of dirty hives, as Windows would
    Recover(RecoverArgs),
    /// Mend damaged hives, and say what is lost; what can be worked out again is
    Mend(MendArgs),
    /// List older copies of the hives on a disk that mend could fill what is lost from
    Donors(DonorsArgs),
    /// List the backups of a target, or remove old ones
    Backups(BackupsArgs),
    /// Put back what was there before an apply
    Restore(RestoreArgs),
    /// Say what keeps Remote Desktop from working, and which profile to run; nothing is written
    Diagnose(DiagnoseArgs),
    /// Check the structure of hives, in every detail; nothing is written
    Check(CheckArgs),
    /// Print a key or a value
    Show(ShowArgs),
    /// Find a word in the names of keys and values, and in text data
    Find(FindArgs),
    /// Give a value its type and data, as apply would
    Set(SetArgs),
    /// Remove a value, or a key with all below it, as apply would
    Unset(UnsetArgs),
    /// Say what a disconnect code, an event, a name or an error message means, and what to do
    Explain(ExplainArgs),
    /// List, print and check profiles
    Profile(ProfileArgs),
    /// Print what a shell needs to complete commands, options and the names of profiles
    Completions(CompletionsArgs),
    /// Print the manual page of hivemend, or of one of its commands
    Man(ManArgs),
    /// Print the help of a command, or a document: profiles, exit-codes, how-do-i, glossary
    Help(HelpArgs),
}

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell that is to complete
    pub(super) shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// The command; without one, the page of the program
    pub(super) command: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct HelpArgs {
    /// The command, as in `profile list`, or the document; without one, the help of the program
    #[arg(value_name = "COMMAND|DOCUMENT")]
    pub(super) words: Vec<String>,
}

/// Hives named one by one, instead of a target.
#[derive(Default, Clone, Debug, Args)]
pub(super) struct HiveFiles {
    /// The SYSTEM hive's file, instead of a target
    #[arg(long, value_name = "FILE")]
    pub(super) system: Option<PathBuf>,
    /// The SOFTWARE hive's file, instead of a target
    #[arg(long, value_name = "FILE")]
    pub(super) software: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct TargetArgs {
    /// The attached disk's root, its Windows folder, or its config folder
    #[arg(conflicts_with_all = ["system", "software"], required_unless_present_any = ["system", "software"])]
    pub(super) target: Option<PathBuf>,
    #[command(flatten)]
    pub(super) files: HiveFiles,
}

#[derive(Clone, Debug, Args)]
pub(super) struct FormatArgs {
    /// Print text, or JSON for scripts; show and restore also take reg
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
pub(super) struct DisksArgs {
    /// Look at these places only, instead of at every mounted volume
    #[arg(value_name = "PLACE")]
    pub(super) roots: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) format: FormatArgs,
}

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// A built-in profile's id, a YAML file, or a file that `profile import` reads; may be repeated
    #[arg(short, long = "profile", value_name = "PROFILE", required = true)]
    pub(super) profiles: Vec<String>,
    #[command(flatten)]
    pub(super) settings: SettingArgs,
    /// Which control sets: each, current, or numbers such as 1,2
    #[arg(long, value_name = "WHICH", default_value = "each")]
    pub(super) control_set: String,
    #[command(flatten)]
    pub(super) unrecovered: UnrecoveredArgs,
    /// Print text, JSON for scripts, the touched keys as a diff, or what another tool carries out
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: PlanFormat,
    /// With reg, cmd, powershell or dsc: for the running machine itself, instead of its loaded hives
    #[arg(long)]
    pub(super) online: bool,
    /// Also write the plan as JSON to FILE, for `apply --plan FILE`; with reg, cmd, powershell or dsc write
    /// that instead of printing it, to a FILE that must not be there
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// End with 1 where there is drift
    #[arg(long)]
    pub(super) exit_code: bool,
}

#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// A built-in profile's id, a YAML file, or a file that `profile import` reads; may be repeated
    #[arg(
        short,
        long = "profile",
        value_name = "PROFILE",
        required_unless_present = "plan",
        conflicts_with = "plan"
    )]
    pub(super) profiles: Vec<String>,
    /// Give a parameter of the profiles a value, such as port=3390; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE", conflicts_with = "plan")]
    pub(super) settings: Vec<String>,
    /// Apply exactly the plan in FILE, or nothing
    #[arg(long, value_name = "FILE")]
    pub(super) plan: Option<PathBuf>,
    /// Apply a plan that was edited since it was written
    #[arg(long, requires = "plan")]
    pub(super) accept_edited_plan: bool,
    /// Which control sets: each, current, or numbers such as 1,2
    #[arg(
        long,
        value_name = "WHICH",
        default_value = "each",
        conflicts_with = "plan"
    )]
    pub(super) control_set: String,
    /// How much is backed up: the changed hives and their logs, or every file of the config folder
    #[arg(long, value_name = "SCOPE", default_value = "hives")]
    pub(super) backup_scope: Scope,
    #[command(flatten)]
    pub(super) writing: WritingArgs,
}

#[derive(Debug, Args)]
pub(super) struct FixArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// Add a profile to those that are proposed: a built-in id, or a YAML file; may be repeated
    #[arg(short, long = "profile", value_name = "PROFILE")]
    pub(super) profiles: Vec<String>,
    #[command(flatten)]
    pub(super) settings: SettingArgs,
    /// How much is backed up: the changed hives and their logs, or every file of the config folder
    #[arg(long, value_name = "SCOPE", default_value = "hives")]
    pub(super) backup_scope: Scope,
    #[command(flatten)]
    pub(super) writing: WritingArgs,
}

/// What the profiles' parameters are to be.
#[derive(Debug, Args)]
pub(super) struct SettingArgs {
    /// Give a parameter of the profiles a value, such as port=3390; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(super) settings: Vec<String>,
}

/// How much is backed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Scope {
    Hives,
    Config,
}

/// What every command that writes to a target takes.
#[derive(Clone, Debug, Args)]
pub(super) struct WritingArgs {
    #[command(flatten)]
    pub(super) consent: ConsentArgs,
    #[command(flatten)]
    pub(super) risk: RiskArgs,
    #[command(flatten)]
    pub(super) unrecovered: UnrecoveredArgs,
    #[command(flatten)]
    pub(super) backup: BackupDirArgs,
    #[command(flatten)]
    pub(super) format: FormatArgs,
}

#[derive(Clone, Debug, Args)]
pub(super) struct ConsentArgs {
    /// Do not ask; needed where there is no terminal
    #[arg(short, long)]
    pub(super) yes: bool,
}

#[derive(Clone, Debug, Args)]
pub(super) struct UnrecoveredArgs {
    /// Take a dirty hive as it is where its logs do not apply; what they held is lost
    #[arg(long)]
    pub(super) accept_unrecovered: bool,
}

#[derive(Clone, Debug, Args)]
pub(super) struct RiskArgs {
    /// Write although this Windows is hibernated; its saved session may undo or corrupt the changes
    #[arg(long)]
    pub(super) accept_hibernated: bool,
    /// Edit a hive that is damaged elsewhere; what is damaged stays as it is
    #[arg(long)]
    pub(super) accept_damage: bool,
    /// Write to a hive that is older than its transaction logs; what they hold stays lost
    #[arg(long)]
    pub(super) accept_newer_logs: bool,
}

#[derive(Clone, Debug, Args)]
pub(super) struct BackupDirArgs {
    /// Where the backups are, instead of a folder beside the hives
    #[arg(long, value_name = "DIR")]
    pub(super) backup_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct RecoverArgs {
    /// A target, or the file of any hive with its logs beside it
    pub(super) place: PathBuf,
    /// Write the recovered hive, or a clean one as it is, to FILE, and leave everything else alone
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    pub(super) writing: WritingArgs,
}

#[derive(Debug, Args)]
pub(super) struct DonorsArgs {
    /// The attached disk's root, its Windows folder, or its config folder
    pub(super) target: PathBuf,
    #[command(flatten)]
    pub(super) format: FormatArgs,
}

#[derive(Debug, Args)]
pub(super) struct MendArgs {
    /// A target, or the file of any hive
    #[arg(value_name = "TARGET|HIVE")]
    pub(super) place: PathBuf,
    /// Write the mended hive to FILE, which must not be there, and leave everything else alone
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Only show what would be done
    #[arg(short = 'n', long, conflicts_with_all = ["output", "yes"])]
    pub(super) dry_run: bool,
    /// Go on although something is lost; `--accept-loss=essential` where Windows could not start
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "any")]
    pub(super) accept_loss: Option<AcceptLoss>,
    /// A sound older hive to fill what is lost from; may be repeated
    #[arg(long = "donor", value_name = "FILE")]
    pub(super) donors: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) risk: MendRiskArgs,
    #[command(flatten)]
    pub(super) consent: ConsentArgs,
    #[command(flatten)]
    pub(super) backup: BackupDirArgs,
    #[command(flatten)]
    pub(super) format: FormatArgs,
}

/// What of a loss is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum AcceptLoss {
    /// What is lost is not what Windows needs to start
    Any,
    /// Windows may not start from what is left
    Essential,
}

#[derive(Debug, Args)]
pub(super) struct MendRiskArgs {
    /// Write although this Windows is hibernated; its saved session may undo or corrupt the changes
    #[arg(long)]
    pub(super) accept_hibernated: bool,
    /// Mend a hive that is older than its transaction logs; what they hold stays lost
    #[arg(long)]
    pub(super) accept_newer_logs: bool,
}

#[derive(Debug, Args)]
pub(super) struct BackupsArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// Remove all but the newest KEEP backups, and those that undoing still needs
    #[arg(long, value_name = "KEEP", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "backup_dir")]
    pub(super) prune: Option<u32>,
    #[command(flatten)]
    pub(super) consent: ConsentArgs,
    #[command(flatten)]
    pub(super) risk: RiskArgs,
    #[command(flatten)]
    pub(super) backup: BackupDirArgs,
    #[command(flatten)]
    pub(super) format: FormatArgs,
}

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    /// The target, unless hives are named one by one; then the backup, the newest by default
    #[arg(value_name = "TARGET] [BACKUP", num_args = 0..=2)]
    pub(super) place: Vec<OsString>,
    #[command(flatten)]
    pub(super) files: HiveFiles,
    /// Undo only hivemend's own values, and keep what has changed since
    #[arg(long)]
    pub(super) values: bool,
    #[command(flatten)]
    pub(super) writing: WritingArgs,
}

#[derive(Debug, Args)]
pub(super) struct DiagnoseArgs {
    #[command(flatten)]
    pub(super) target: TargetArgs,
    #[command(flatten)]
    pub(super) settings: SettingArgs,
    #[command(flatten)]
    pub(super) unrecovered: UnrecoveredArgs,
    #[command(flatten)]
    pub(super) format: FormatArgs,
    /// Judge this control set instead of the one that the next start uses
    #[arg(long, value_name = "NUMBER")]
    pub(super) control_set: Option<String>,
    /// End with 1 where something blocks Remote Desktop
    #[arg(long)]
    pub(super) exit_code: bool,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Attached disks (root, Windows folder or config folder) and hive files, in any mixture
    #[arg(value_name = "TARGET|HIVE", required = true)]
    pub(super) places: Vec<PathBuf>,
    /// Of a disk also the other hives: SAM, SECURITY, DEFAULT, COMPONENTS, BCD and the like
    #[arg(long)]
    pub(super) all: bool,
    #[command(flatten)]
    pub(super) format: FormatArgs,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// The target, unless hives are named one by one; then a key like SYSTEM\ControlSet001\Control, and a value's name
    #[arg(value_name = "TARGET] KEY [VALUE", num_args = 1..=3, required = true)]
    pub(super) place: Vec<OsString>,
    #[command(flatten)]
    pub(super) files: HiveFiles,
    /// Also print every key below it
    #[arg(short, long)]
    pub(super) recursive: bool,
    #[command(flatten)]
    pub(super) unrecovered: UnrecoveredArgs,
    #[command(flatten)]
    pub(super) format: FormatArgs,
}

#[derive(Debug, Args)]
#[command(
    after_help = "TYPE is dword, qword, sz, expand-sz, multi-sz, binary, none, or another one that profiles \
    have; REG_DWORD and the like are taken too. Numbers are decimal or 0x1f, bytes hexadecimal. The \
    unnamed value is \"\". Data that begins with a hyphen stands behind --.\n\nExamples:\n  \
    hivemend set /mnt/osdisk 'SYSTEM\\CurrentControlSet\\Control\\Terminal Server' fDenyTSConnections dword 0\n  \
    hivemend set /mnt/osdisk 'SOFTWARE\\Acme' Order multi-sz first second --why 'ticket 4711'"
)]
pub(super) struct SetArgs {
    /// The target, unless hives are named one by one; then a key, a value's name, a type, and its data
    #[arg(value_name = "TARGET] KEY VALUE TYPE [DATA", num_args = 0.., allow_negative_numbers = true)]
    pub(super) words: Vec<OsString>,
    #[command(flatten)]
    pub(super) change: ChangeArgs,
}

#[derive(Debug, Args)]
pub(super) struct UnsetArgs {
    /// The target, unless hives are named one by one; then a key, and a value's name unless the key is meant
    #[arg(value_name = "TARGET] KEY [VALUE", num_args = 0..)]
    pub(super) words: Vec<OsString>,
    #[command(flatten)]
    pub(super) change: ChangeArgs,
}

/// A change that is typed instead of a profile.
#[derive(Debug, Args)]
pub(super) struct ChangeArgs {
    #[command(flatten)]
    pub(super) files: HiveFiles,
    /// Which control sets CurrentControlSet means: each, current, or numbers such as 1,2
    #[arg(long, value_name = "WHICH", default_value = "each")]
    pub(super) control_set: String,
    /// The reason, which the backup remembers
    #[arg(long, value_name = "TEXT")]
    pub(super) why: Option<String>,
    /// Only show the plan
    #[arg(short = 'n', long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) writing: WritingArgs,
}

#[derive(Debug, Args)]
pub(super) struct FindArgs {
    /// What is looked for, in whatever case
    pub(super) word: String,
    #[command(flatten)]
    pub(super) target: TargetArgs,
    /// List at most so many; the others are counted
    #[arg(long, value_name = "COUNT", default_value = "500")]
    pub(super) limit: u32,
    #[command(flatten)]
    pub(super) unrecovered: UnrecoveredArgs,
    #[command(flatten)]
    pub(super) format: FormatArgs,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  hivemend explain 516\n  hivemend explain --extended 0x7\n  \
    hivemend explain event 1057\n  hivemend explain 50 TermDD\n  hivemend explain stop 0x7B\n  \
    hivemend explain 0x800703F1\n  hivemend explain service TermService\n  \
    hivemend explain SecurityLayer\n  hivemend explain rdp-enable\n  \
    hivemend explain \"Fehler 1068: Der Abhängigkeitsdienst ...\" --on /mnt/disk\n  \
    hivemend explain --file ticket.txt\n  xclip -o | hivemend explain -"
)]
pub(super) struct ExplainArgs {
    /// What Windows or the client said, in any language: a code, an event with its source, a stop
    /// error, the words of a message; or a service, a value, a policy, a profile, a word of this
    /// program's output. `-` reads it from standard input
    #[arg(
        value_name = "WHAT",
        required_unless_present = "file",
        allow_negative_numbers = true
    )]
    pub(super) what: Vec<String>,
    /// Read what was said from a file (UTF-8 or UTF-16)
    #[arg(long, value_name = "FILE", conflicts_with = "what")]
    pub(super) file: Option<PathBuf>,
    /// The number is an extended disconnect code
    #[arg(long)]
    pub(super) extended: bool,
    /// Look on this disk whether it shows the cause, as diagnose does
    #[arg(long, value_name = "TARGET")]
    pub(super) on: Option<PathBuf>,
    #[command(flatten)]
    pub(super) unrecovered: UnrecoveredArgs,
    #[command(flatten)]
    pub(super) format: FormatArgs,
}

#[derive(Debug, Args)]
pub(super) struct ProfileArgs {
    #[command(subcommand)]
    pub(super) command: ProfileCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum ProfileCommand {
    /// List the built-in profiles, or those that are about all of these words
    List {
        /// Words of an id, a title, a symptom, a key or a value's name; all must occur
        #[arg(value_name = "WORD")]
        words: Vec<String>,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Print a profile as it is written
    Show {
        /// A built-in profile's id, or a YAML file
        profile: String,
    },
    /// Check profiles for errors
    Check {
        /// YAML files or built-in ids
        #[arg(required = true)]
        profiles: Vec<String>,
        #[command(flatten)]
        settings: SettingArgs,
    },
    /// Write a commented skeleton of a profile
    New {
        /// Write it to FILE, which must not be there, instead of printing it
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Make a profile of .reg files, REG ADD or PowerShell lines, DSC documents or a Registry.pol
    Import(ImportArgs),
    /// Write a profile with what this machine has for the keys and values of another profile
    Capture {
        #[command(flatten)]
        target: TargetArgs,
        /// The profile that says which keys and values: a built-in id, or a YAML file
        #[arg(long, value_name = "PROFILE")]
        from: String,
        #[command(flatten)]
        settings: SettingArgs,
        /// Which control set: current, or a number
        #[arg(long, value_name = "WHICH", default_value = "current")]
        control_set: String,
        #[command(flatten)]
        unrecovered: UnrecoveredArgs,
        /// Print a profile, or a .reg file with the same
        #[arg(long, value_name = "FORMAT", default_value = "yaml")]
        format: CaptureFormat,
        /// Write it to FILE, which must not be there, instead of printing it
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The files, each recognised by what stands in it; an article may be pasted whole
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<PathBuf>,
    /// Take what is meant where a line makes a known mistake
    #[arg(long)]
    pub(super) correct: bool,
    /// The new profile's id, instead of one made of the first file's name
    #[arg(long, value_name = "ID")]
    pub(super) id: Option<String>,
    /// SYSTEM was loaded under this name, besides BROKENSYSTEM; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(super) system_mount: Vec<String>,
    /// SOFTWARE was loaded under this name, besides BROKENSOFTWARE; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(super) software_mount: Vec<String>,
    /// The code page of a text that is neither UTF-8 nor UTF-16, 1252 by default
    #[arg(long, value_name = "NUMBER")]
    pub(super) code_page: Option<String>,
    /// Write it to FILE, which must not be there, instead of printing it
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}
