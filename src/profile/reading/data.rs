// SPDX-License-Identifier: GPL-3.0-or-later
//! The data of a value: the field of its type, or `type` and `data`.

use super::error::Report;
use super::fields::{Field, Fields, items, texts};
use super::scalar;
use super::yaml::{Scalar, Shape};
use crate::profile::model::{Data, TYPE_FIELDS};

/// The fields that data is written in.
pub(super) fn data_fields() -> Vec<&'static str> {
    [&TYPE_FIELDS[..], &["type", "data"]].concat()
}

/// Reads the data in the field of a type.
pub(super) fn data(
    fields: &Fields<'_>,
    field: &Field<'_>,
    report: &mut Report<'_>,
) -> Option<Data> {
    if let (Some(extra), true) = (fields.get("data"), field.name != "type") {
        let message = format!("`data` stands beside `{}`", field.name);
        report.error(
            extra.at,
            message,
            "leave it out: `data` goes with `type: 0x...`",
        );
    }
    match field.name {
        "dword" => dword(field, report).map(Data::Dword),
        "dword-big-endian" => dword(field, report).map(Data::DwordBigEndian),
        "qword" => {
            let read = |scalar: &Scalar| scalar::number(scalar, u64::MAX);
            field.read(report, read).map(Data::Qword)
        }
        "sz" => string(field, report).map(Data::Sz),
        "expand-sz" => string(field, report).map(Data::ExpandSz),
        "link" => string(field, report).map(Data::Link),
        "multi-sz" => multi_sz(field, report),
        "none" => field.read(report, scalar::bytes).map(Data::None),
        "binary" => field.read(report, scalar::bytes).map(Data::Binary),
        "resource-list" => field.read(report, scalar::bytes).map(Data::ResourceList),
        "full-resource-descriptor" => field
            .read(report, scalar::bytes)
            .map(Data::FullResourceDescriptor),
        "resource-requirements-list" => field
            .read(report, scalar::bytes)
            .map(Data::ResourceRequirementsList),
        _ => other(fields, field, report),
    }
}

fn dword(field: &Field<'_>, report: &mut Report<'_>) -> Option<u32> {
    let read = |scalar: &Scalar| scalar::number(scalar, u64::from(u32::MAX));
    u32::try_from(field.read(report, read)?).ok()
}

fn string(field: &Field<'_>, report: &mut Report<'_>) -> Option<String> {
    let text = field.read(report, scalar::text)?;
    if text.contains('\0') {
        let message = format!("`{}` has a NUL in it, which ends a string", field.name);
        report.error(
            field.value.at,
            message,
            "leave it out; the end is added by itself",
        );
        return None;
    }
    Some(text)
}

fn multi_sz(field: &Field<'_>, report: &mut Report<'_>) -> Option<Data> {
    if !matches!(field.value.shape, Shape::List(_)) {
        items(field, report);
        return None;
    }
    let members = texts(field, report);
    if members
        .iter()
        .any(|text| text.is_empty() || text.contains('\0'))
    {
        let message = "`multi-sz` has an empty member or a NUL, which ends the list";
        report.error(
            field.at,
            message,
            "leave it out; the ends are added by themselves",
        );
        return None;
    }
    Some(Data::MultiSz(members))
}

/// Reads `type: 0x...` with `data: ...`, for types that have no name.
fn other(fields: &Fields<'_>, field: &Field<'_>, report: &mut Report<'_>) -> Option<Data> {
    let kind = dword(field, report);
    let hint = "add `data:` with the bytes in hexadecimal";
    let data = fields.require("data", "an entry with `type`", hint, report);
    let bytes = data.and_then(|data| data.read(report, scalar::bytes));
    let kind = kind?;
    let known = usize::try_from(kind)
        .ok()
        .and_then(|kind| TYPE_FIELDS.get(kind));
    if let Some(known) = known {
        let message = format!("type {kind:#x} has a field of its own");
        report.error(
            field.value.at,
            message,
            format!("write `{known}:` and its data"),
        );
        return None;
    }
    bytes.map(|bytes| Data::Other { kind, bytes })
}
