//! Trace, span and event ids: exactly the grammar, and digits, bytes and JSON lead back to the same id.

use sentrace_protocol::{EventId, SpanId, TraceId};

use crate::input::is_fit_for_a_log;

macro_rules! check_id {
    ($data:expr, $type:ty, $bytes:literal) => {
        let data: &[u8] = $data;
        let by_grammar = data.len() == 2 * $bytes
            && data.iter().all(u8::is_ascii_hexdigit)
            && data.iter().any(|digit| *digit != b'0');
        let id = <$type>::from_hex(data);
        assert_eq!(id.is_some(), by_grammar);

        if let Ok(text) = std::str::from_utf8(data) {
            match text.parse::<$type>() {
                Ok(parsed) => assert_eq!(Some(parsed), id),
                Err(error) => {
                    assert_eq!(id, None);
                    is_fit_for_a_log(&error);
                }
            }
            let json = serde_json::Value::from(text);
            assert_eq!(serde_json::from_value::<$type>(json).ok(), id);
        }
        if let Some(id) = id {
            assert_eq!(id.to_hex().as_bytes()[..], data.to_ascii_lowercase());
        }

        let mut bytes = [0; $bytes];
        let given = data.len().min($bytes);
        bytes[..given].copy_from_slice(&data[..given]);
        match <$type>::from_bytes(bytes) {
            None => assert_eq!(bytes, [0; $bytes]),
            Some(id) => {
                let printed = id.to_string();
                assert_eq!(id.to_bytes(), bytes);
                assert_eq!(printed, &*id.to_hex());
                assert_eq!(printed.parse(), Ok(id));
                assert_eq!(<$type>::from_hex(printed.to_uppercase().as_bytes()), Some(id));
                let json = serde_json::to_string(&id).expect("an id is a string");
                assert_eq!(json, format!("\"{printed}\""));
                assert_eq!(serde_json::from_str::<$type>(&json).ok(), Some(id));
            }
        }
    };
}

/// Reads the input as digits, and its beginning as bytes.
pub fn check(data: &[u8]) {
    check_id!(data, TraceId, 16);
    check_id!(data, SpanId, 8);
    check_id!(data, EventId, 16);
    let _ = serde_json::from_slice::<EventId>(data);
}
