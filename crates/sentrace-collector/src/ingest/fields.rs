//! Reads fields of JSON objects leniently and notes what is wrong with them.

use std::collections::BTreeMap;

use sentrace_protocol::{EventId, SpanId, TraceId};
use serde_json::{Map, Value};

use super::findings::{Findings, quoted};
use crate::clock;

/// An object of an envelope with its path.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    object: &'a Map<String, Value>,
    path: &'a str,
}

/// An id of the protocol, written as hexadecimal digits.
pub(crate) trait Id: Sized {
    const DIGITS: usize;
    fn read(hex: &[u8]) -> Option<Self>;
}

impl Id for TraceId {
    const DIGITS: usize = 32;
    fn read(hex: &[u8]) -> Option<Self> {
        Self::from_hex(hex)
    }
}

impl Id for EventId {
    const DIGITS: usize = 32;
    fn read(hex: &[u8]) -> Option<Self> {
        Self::from_hex(hex)
    }
}

impl Id for SpanId {
    const DIGITS: usize = 16;
    fn read(hex: &[u8]) -> Option<Self> {
        Self::from_hex(hex)
    }
}

impl<'a> Fields<'a> {
    pub(crate) fn new(object: &'a Map<String, Value>, path: &'a str) -> Self {
        Self { object, path }
    }

    /// Returns `path.key`.
    pub(crate) fn path(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    /// Returns a member that is present and not null. Sentry treats null as absent.
    pub(crate) fn get(&self, key: &str) -> Option<&'a Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    pub(crate) fn string(&self, key: &str, findings: &mut Findings) -> Option<String> {
        match self.get(key)? {
            Value::String(text) => Some(text.clone()),
            other => {
                findings.warning(self.path(key), format!("{} is not a string; Sentry drops it", kind(other)));
                None
            }
        }
    }

    pub(crate) fn object(&self, key: &str, findings: &mut Findings) -> Option<&'a Map<String, Value>> {
        match self.get(key)? {
            Value::Object(object) => Some(object),
            other => {
                findings
                    .warning(self.path(key), format!("{} is not an object; Sentry drops it", kind(other)));
                None
            }
        }
    }

    /// An id that must be there. `None` has been noted as an error.
    pub(crate) fn id<T: Id>(&self, key: &str, findings: &mut Findings) -> Option<T> {
        let Some(value) = self.get(key) else {
            findings.error(self.path(key), format!("is missing; send {} hexadecimal digits", T::DIGITS));
            return None;
        };
        match read_id(value) {
            Ok((id, remark)) => {
                if let Some(remark) = remark {
                    findings.warning(self.path(key), remark);
                }
                Some(id)
            }
            Err(message) => {
                findings.error(self.path(key), message);
                None
            }
        }
    }

    /// Reads an id that may be absent. An invalid one counts as absent, as for Sentry.
    pub(crate) fn optional_id<T: Id>(&self, key: &str, findings: &mut Findings) -> Option<T> {
        let (id, remark) = match read_id(self.get(key)?) {
            Ok((id, remark)) => (Some(id), remark),
            Err(message) => (None, Some(message)),
        };
        if let Some(remark) = remark {
            findings.warning(self.path(key), remark);
        }
        id
    }

    /// Reads seconds since the Unix epoch, from a number or RFC 3339. If `None` is returned, an
    /// error has been noted.
    pub(crate) fn timestamp(&self, key: &str, findings: &mut Findings) -> Option<f64> {
        let Some(value) = self.get(key) else {
            findings.error(self.path(key), "is missing; send seconds since the Unix epoch");
            return None;
        };
        let seconds = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => clock::parse_rfc3339(text),
            _ => None,
        };
        let valid = seconds.filter(|seconds| (0.0..=clock::LATEST).contains(seconds));
        if valid.is_none() {
            let value = quoted(&value.to_string());
            let rule = "is not a time; send seconds since the Unix epoch, or RFC 3339";
            findings.error(self.path(key), format!("{value} {rule}"));
        }
        valid
    }

    /// Reads the start and the end of a span; `end` is the key of the latter. If `None` is
    /// returned, an error has been noted.
    pub(crate) fn interval(&self, end: &str, findings: &mut Findings) -> Option<(f64, f64)> {
        let start = self.timestamp("start_timestamp", findings);
        let end = self.timestamp(end, findings);
        let (start, end) = (start?, end?);
        if start > end {
            let message = format!("{start} is later than the end, {end}; a span cannot end before it starts");
            findings.error(self.path("start_timestamp"), message);
            return None;
        }
        Some((start, end))
    }

    /// Reads tags, from an object or an array of pairs.
    pub(crate) fn tags(&self, findings: &mut Findings) -> BTreeMap<String, String> {
        let pairs: Vec<(&str, &Value)> = match self.get("tags") {
            None => Vec::new(),
            Some(Value::Object(tags)) => tags.iter().map(|(key, value)| (key.as_str(), value)).collect(),
            Some(Value::Array(pairs)) => pairs.iter().filter_map(pair).collect(),
            Some(other) => {
                findings
                    .warning(self.path("tags"), format!("{} is not an object; Sentry drops it", kind(other)));
                Vec::new()
            }
        };
        let mut tags = BTreeMap::new();
        for (key, value) in pairs {
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                other => {
                    let message = format!("{} cannot be a tag value; send a string", kind(other));
                    findings.warning(self.path(&format!("tags[{}]", quoted(key))), message);
                    continue;
                }
            };
            if key.chars().count() > 200 || text.chars().count() > 200 {
                let message = "is longer than 200 characters; Sentry drops or truncates it";
                findings.warning(self.path(&format!("tags[{}]", quoted(key))), message);
            }
            tags.insert(key.to_owned(), text);
        }
        tags
    }
}

/// Returns the name of a JSON type, for messages.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Reads an id. The remark is present if Sentry has to normalise the id.
pub(crate) fn read_id<T: Id>(value: &Value) -> Result<(T, Option<String>), String> {
    let Value::String(text) = value else {
        return Err(format!("{} is not a string; send {} hexadecimal digits", kind(value), T::DIGITS));
    };
    let dashed = T::DIGITS == 32 && text.len() == 36 && text.contains('-');
    let digits: String = if dashed { text.replace('-', "") } else { text.clone() };
    let Some(id) = T::read(digits.as_bytes()) else {
        let all_zero = digits.len() == T::DIGITS && digits.bytes().all(|digit| digit == b'0');
        let rule = if all_zero { "is all zeros, which is not a valid id" } else { "is not an id" };
        return Err(format!("{} {rule}; send {} hexadecimal digits", quoted(text), T::DIGITS));
    };
    let remark = if dashed {
        Some(format!("{} has dashes; send it without them", quoted(text)))
    } else if digits.bytes().any(|digit| digit.is_ascii_uppercase()) {
        Some(format!("{} is upper case; ids are lower case", quoted(text)))
    } else {
        None
    };
    Ok((id, remark))
}

fn pair(value: &Value) -> Option<(&str, &Value)> {
    match value.as_array()?.as_slice() {
        [Value::String(key), value] => Some((key, value)),
        _ => None,
    }
}
