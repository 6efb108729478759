//! Statuses, sources, categories and reasons: the words of the specification, and no others.

use sentrace_protocol::{Category, Reason, SpanStatus, TransactionSource};

use crate::input::is_fit_for_a_log;

macro_rules! check_words {
    ($text:expr, $($type:ty),+) => {
        $(
            let text: &str = $text;
            let word = <$type>::ALL.iter().copied().find(|word| word.to_string() == text);
            match text.parse::<$type>() {
                Ok(parsed) => {
                    assert_eq!(Some(parsed), word);
                    let json = serde_json::to_string(&parsed).expect("a word is a string");
                    assert_eq!(json, format!("\"{text}\""));
                    assert_eq!(serde_json::from_str::<$type>(&json).ok(), Some(parsed));
                }
                Err(error) => {
                    assert_eq!(word, None);
                    is_fit_for_a_log(&error);
                }
            }
        )+
    };
}

/// Reads the input as each of the enums that are words on the wire.
pub fn check(data: &[u8]) {
    check_words!(&String::from_utf8_lossy(data), Category, Reason, SpanStatus, TransactionSource);
}
