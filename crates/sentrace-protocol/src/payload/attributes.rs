//! Attributes: values that say their type.

use serde::Serialize;
use serde::ser::Serializer;

use crate::{Data, Value};

/// Writes data as attributes. Empty values and numbers that are not finite are left out.
pub(in crate::payload) struct Attributes<'s, 'a>(pub(in crate::payload) &'s Data<'a>);

impl Attributes<'_, '_> {
    pub(in crate::payload) fn is_empty(&self) -> bool {
        self.0.iter().all(|(_, value)| is_empty(value))
    }
}

impl Serialize for Attributes<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let told = self.0.iter().filter(|(_, value)| !is_empty(value));
        serializer.collect_map(told.map(|(key, value)| (key, Attribute { r#type: type_of(value), value })))
    }
}

#[derive(Serialize)]
struct Attribute<'s, 'a> {
    r#type: &'static str,
    value: &'s Value<'a>,
}

/// Sentry SDK specification, *Attributes* 1.6.
fn type_of(value: &Value<'_>) -> &'static str {
    match value {
        Value::Bool(_) => "boolean",
        Value::Int(_) => "integer",
        Value::Float(_) => "double",
        Value::Str(_) => "string",
        Value::Strs(_) => "array",
    }
}

fn is_empty(value: &Value<'_>) -> bool {
    match value {
        Value::Str(text) => text.is_empty(),
        Value::Strs(texts) => texts.is_empty(),
        // JSON has no infinite numbers and no NaN.
        Value::Float(value) => !value.is_finite(),
        Value::Bool(_) | Value::Int(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_value_says_its_type() {
        let rows: [(Value<'_>, serde_json::Value, &str); 8] = [
            (true.into(), json!({"type": "boolean", "value": true}), "boolean"),
            (7.into(), json!({"type": "integer", "value": 7}), "integer"),
            (i64::MIN.into(), json!({"type": "integer", "value": i64::MIN}), "smallest integer"),
            (
                u64::MAX.into(),
                json!({"type": "string", "value": "18446744073709551615"}),
                "unsigned that does not fit",
            ),
            (2.0.into(), json!({"type": "double", "value": 2.0}), "a whole float stays a float"),
            ("a".into(), json!({"type": "string", "value": "a"}), "text"),
            (vec!["a", ""].into(), json!({"type": "array", "value": ["a", ""]}), "several texts"),
            (vec!["a"].into(), json!({"type": "array", "value": ["a"]}), "one of several is several"),
        ];
        for (value, expected, reason) in rows {
            let data: Data<'_> = [("key", value)].into_iter().collect();
            assert!(!Attributes(&data).is_empty(), "{reason}");
            assert_eq!(
                serde_json::to_value(Attributes(&data)).unwrap(),
                json!({ "key": expected }),
                "{reason}"
            );
        }
    }

    #[test]
    fn what_is_empty_is_left_out() {
        let mut data: Data<'_> = [("text", "")].into_iter().collect();
        data.set("texts", Vec::<String>::new());
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            data.set(number.to_string(), number);
        }
        assert!(Attributes(&data).is_empty());
        data.set("false", false);
        let written = serde_json::to_value(Attributes(&data)).unwrap();
        assert_eq!(written, json!({"false": {"type": "boolean", "value": false}}));
    }
}
