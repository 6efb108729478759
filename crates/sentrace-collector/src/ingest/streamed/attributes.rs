//! Reads attributes: values with a type.

use sentrace_protocol::SpanId;
use serde_json::{Map, Value};

use crate::ingest::fields::kind;
use crate::ingest::findings::{Findings, quoted};
use crate::ingest::terms;

const SOURCE: &str = "sentry.segment.name.source";

/// The attributes of a span, without their types.
pub(super) struct Attributes {
    path: String,
    values: Map<String, Value>,
}

impl Attributes {
    pub(super) fn read(attributes: Value, path: String, findings: &mut Findings) -> Self {
        let attributes = match attributes {
            Value::Object(attributes) => attributes,
            Value::Null => Map::new(),
            other => {
                findings.warning(&path, format!("{} is not an object; Sentry drops it", kind(&other)));
                Map::new()
            }
        };
        let mut values = Map::new();
        for (key, attribute) in attributes {
            match value(attribute) {
                Ok(value) => _ = values.insert(key, value),
                Err(message) => findings.warning(format_args!("{path}[{}]", quoted(&key)), message),
            }
        }
        Self { path, values }
    }

    /// Checks the attributes that every span needs, and those of segments.
    pub(super) fn check(&self, is_segment: bool, span_id: Option<SpanId>, findings: &mut Findings) {
        for key in ["sentry.segment.name", "sentry.segment.id"] {
            if self.text(key).is_none() {
                findings.warning(self.path_of(key), "is missing; Relay may refuse spans without it");
            }
        }
        match (is_segment, self.text(SOURCE)) {
            (true, None) => findings.warning(self.path_of(SOURCE), "is missing; a segment needs it"),
            (true, Some(source)) => terms::check_source(source, &self.path_of(SOURCE), findings),
            (false, Some(_)) => findings.warning(self.path_of(SOURCE), "is only for segments; remove it"),
            (false, None) => {}
        }
        let own = self.text("sentry.segment.id").and_then(|id| SpanId::from_hex(id.as_bytes()));
        if is_segment && own.is_some() && own != span_id {
            findings.warning(self.path_of("sentry.segment.id"), "is not the segment's own span_id");
        }
        if self.text("sentry.trace_lifecycle").is_some_and(|lifecycle| lifecycle != "stream") {
            findings.warning(self.path_of("sentry.trace_lifecycle"), "is not \"stream\"");
        }
        if let Some(origin) = self.text("sentry.origin") {
            terms::check_origin(origin, &self.path_of("sentry.origin"), findings);
        }
    }

    /// Returns a text that is not empty.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.values.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    pub(super) fn into_data(self) -> Map<String, Value> {
        self.values
    }

    fn path_of(&self, key: &str) -> String {
        format!("{}[{key:?}]", self.path)
    }
}

/// Returns the value of an attribute if it is of the stated type (Sentry SDK specification,
/// *Attributes* 1.6).
fn value(attribute: Value) -> Result<Value, String> {
    let Value::Object(mut attribute) = attribute else {
        return Err(format!("{} is not an object; send `type` and `value`", kind(&attribute)));
    };
    let Some(value) = attribute.remove("value") else {
        return Err("has no `value`; Sentry drops it".to_owned());
    };
    let stated = attribute.get("type").and_then(Value::as_str).unwrap_or_default();
    let fits = match stated {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        // JSON writers leave out `.0`.
        "double" => value.is_number(),
        "array" => value.as_array().is_some_and(|values| is_homogeneous(values)),
        _ => {
            return Err(format!(
                "{} is not a type; use string, boolean, integer, double or array",
                quoted(stated)
            ));
        }
    };
    if fits {
        Ok(value)
    } else {
        Err(format!("{} is not of the type {stated}; Sentry drops it", kind(&value)))
    }
}

/// Returns `true` if all elements are strings, all are booleans, or all are numbers.
fn is_homogeneous(values: &[Value]) -> bool {
    let primitive = |value: &Value| value.is_string() || value.is_boolean() || value.is_number();
    let Some(first) = values.first() else { return true };
    primitive(first) && values.iter().all(|value| kind(value) == kind(first))
}
