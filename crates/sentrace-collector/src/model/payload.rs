//! The payload of a transaction, as received.

use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The whole payload of a transaction, as received.
///
/// It is kept as text and dereferences to a [`Value`] that is parsed on first use, since parsed
/// JSON can take many times as much memory.
///
/// ```
/// use sentrace_collector::model::Payload;
/// use serde_json::json;
///
/// let payload = Payload::from(json!({ "transaction": "GET /" }));
/// assert_eq!(payload["transaction"], "GET /");
/// assert_eq!(payload.as_json(), r#"{"transaction":"GET /"}"#);
/// ```
#[derive(Clone)]
pub struct Payload {
    json: Box<str>,
    parsed: OnceLock<Box<Value>>,
}

impl Payload {
    /// Keeps JSON that is known to be valid.
    pub(crate) fn from_json(json: &str) -> Self {
        Self { json: json.into(), parsed: OnceLock::new() }
    }

    /// Returns the text of the payload.
    pub fn as_json(&self) -> &str {
        &self.json
    }
}

impl Deref for Payload {
    type Target = Value;

    fn deref(&self) -> &Value {
        self.parsed.get_or_init(|| serde_json::from_str(&self.json).unwrap_or_default())
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::from(Value::Null)
    }
}

impl From<Value> for Payload {
    fn from(value: Value) -> Self {
        Self { json: value.to_string().into(), parsed: OnceLock::new() }
    }
}

impl From<&Map<String, Value>> for Payload {
    fn from(object: &Map<String, Value>) -> Self {
        Self { json: serde_json::to_string(object).unwrap_or_default().into(), parsed: OnceLock::new() }
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.json == other.json || **self == **other
    }
}

impl PartialEq<Value> for Payload {
    fn eq(&self, other: &Value) -> bool {
        **self == *other
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.json)
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serde_json::from_str::<&RawValue>(&self.json) {
            Ok(json) => json.serialize(serializer),
            Err(_) => serializer.serialize_unit(),
        }
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self { json: json.into(), parsed: OnceLock::new() })
    }
}
