// SPDX-License-Identifier: GPL-3.0-or-later
//! What a caller wants remembered of its changes.

use std::sync::Arc;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

/// A list in JSON that is opaque to the store, and kept as the text that it was given or read as: it may
/// be hundreds of thousands of changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Remembered(Arc<RawValue>);

impl Remembered {
    /// The JSON.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// How many things are remembered; none where it is no list.
    pub fn count(&self) -> usize {
        serde_json::from_str::<Vec<IgnoredAny>>(self.text()).map_or(0, |all| all.len())
    }
}

impl PartialEq for Remembered {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl From<Box<RawValue>> for Remembered {
    fn from(json: Box<RawValue>) -> Self {
        Self(json.into())
    }
}

impl TryFrom<&serde_json::Value> for Remembered {
    type Error = serde_json::Error;

    fn try_from(json: &serde_json::Value) -> Result<Self, Self::Error> {
        Ok(to_raw_value(json)?.into())
    }
}
