//! What a span's data can hold.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

/// One value of a span's data.
///
/// These are the attribute types of the Sentry SDK specification, *Attributes* 1.6. JSON has no way to write
/// an infinite float or one that is not a number, so those go out as the strings `inf`, `-inf` and `NaN`.
///
/// ```
/// use sentrace_protocol::Value;
///
/// assert_eq!(Value::from(3_u8), Value::Int(3));
/// assert_eq!(Value::from("gold"), Value::Str("gold".into()));
/// assert_eq!(Value::from(u64::MAX), Value::Str("18446744073709551615".into()));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// `true` or `false`.
    Bool(bool),
    /// An integer. Larger ones than fit are sent as text.
    Int(i64),
    /// A floating point number.
    Float(f64),
    /// Text.
    Str(Cow<'a, str>),
    /// Several texts, as the values of one header.
    Strs(Vec<Cow<'a, str>>),
}

impl Value<'_> {
    /// The same value, borrowing from nothing.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Float(value) => Value::Float(value),
            Self::Str(value) => Value::Str(Cow::Owned(value.into_owned())),
            Self::Strs(values) => {
                Value::Strs(values.into_iter().map(|value| Cow::Owned(value.into_owned())).collect())
            }
        }
    }
}

impl<'a> Value<'a> {
    /// Returns the same value, borrowing its texts from this one.
    pub(crate) fn borrowed(&self) -> Value<'_> {
        match self {
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Float(value) => Value::Float(*value),
            Self::Str(value) => Value::Str(Cow::Borrowed(value)),
            Self::Strs(values) => Value::Strs(values.iter().map(|value| Cow::Borrowed(&**value)).collect()),
        }
    }

    /// The texts in it.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &Cow<'a, str>> {
        match self {
            Self::Str(text) => std::slice::from_ref(text).iter(),
            Self::Strs(texts) => texts.iter(),
            Self::Bool(_) | Self::Int(_) | Self::Float(_) => [].iter(),
        }
    }

    /// The same, to be changed.
    pub(crate) fn texts_mut(&mut self) -> impl Iterator<Item = &mut Cow<'a, str>> {
        match self {
            Self::Str(text) => std::slice::from_mut(text).iter_mut(),
            Self::Strs(texts) => texts.iter_mut(),
            Self::Bool(_) | Self::Int(_) | Self::Float(_) => [].iter_mut(),
        }
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Float(value) if value.is_finite() => serializer.serialize_f64(*value),
            Self::Float(value) => serializer.collect_str(value),
            Self::Str(value) => serializer.serialize_str(value),
            Self::Strs(values) => serializer.collect_seq(values),
        }
    }
}

macro_rules! from {
    ($($type:ty => |$value:ident| $into:expr),+ $(,)?) => {
        $(impl<'a> From<$type> for Value<'a> {
            fn from($value: $type) -> Self {
                $into
            }
        })+
    };
}

from! {
    bool => |value| Self::Bool(value),
    i8 => |value| Self::Int(value.into()),
    i16 => |value| Self::Int(value.into()),
    i32 => |value| Self::Int(value.into()),
    i64 => |value| Self::Int(value),
    u8 => |value| Self::Int(value.into()),
    u16 => |value| Self::Int(value.into()),
    u32 => |value| Self::Int(value.into()),
    isize => |value| i64::try_from(value).map_or_else(|_| Self::from(value.to_string()), Self::Int),
    u64 => |value| i64::try_from(value).map_or_else(|_| Self::from(value.to_string()), Self::Int),
    usize => |value| i64::try_from(value).map_or_else(|_| Self::from(value.to_string()), Self::Int),
    f32 => |value| Self::Float(value.into()),
    f64 => |value| Self::Float(value),
    &'a str => |value| Self::Str(Cow::Borrowed(value)),
    &'a String => |value| Self::Str(Cow::Borrowed(value)),
    String => |value| Self::Str(Cow::Owned(value)),
    Cow<'a, str> => |value| Self::Str(value),
    Vec<&'a str> => |values| Self::Strs(values.into_iter().map(Cow::Borrowed).collect()),
    Vec<String> => |values| Self::Strs(values.into_iter().map(Cow::Owned).collect()),
    Vec<Cow<'a, str>> => |values| Self::Strs(values),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_plain_json() {
        let rows: [(Value<'_>, &str, &str); 12] = [
            (true.into(), "true", "boolean"),
            ((-7_i8).into(), "-7", "small integer"),
            (i64::MIN.into(), "-9223372036854775808", "smallest integer"),
            (7_u64.into(), "7", "unsigned that fits"),
            (u64::MAX.into(), "\"18446744073709551615\"", "unsigned that does not fit goes as text"),
            (0.5_f32.into(), "0.5", "float"),
            (2.0.into(), "2.0", "a whole float stays a float"),
            (f64::NAN.into(), "\"NaN\"", "null must not appear"),
            (f64::INFINITY.into(), "\"inf\"", "null must not appear"),
            (f64::NEG_INFINITY.into(), "\"-inf\"", "null must not appear"),
            ("a\"b".into(), "\"a\\\"b\"", "text is escaped"),
            (vec!["a", "b"].into(), "[\"a\",\"b\"]", "several texts"),
        ];
        for (value, json, reason) in rows {
            assert_eq!(serde_json::to_string(&value).unwrap(), json, "{reason}");
            let owned = value.into_owned();
            assert_eq!(serde_json::to_string(&owned).unwrap(), json, "{reason}, owned");
        }
    }
}
