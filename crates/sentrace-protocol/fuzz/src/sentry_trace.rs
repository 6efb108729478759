//! `sentry-trace`: exactly the grammar, and what is printed is what was read, in lower case.

use arbitrary::Unstructured;
use sentrace_protocol::{SentryTrace, SpanId, TraceId};

use crate::input::is_fit_for_a_log;

/// Reads the input; then builds a value from its bytes, prints it, damages one byte and reads that.
pub fn check(data: &[u8]) {
    check_text(data);
    let _ = check_built(&mut Unstructured::new(data));
}

fn check_text(text: &[u8]) {
    let parsed = SentryTrace::parse(text);
    assert_eq!(parsed.as_ref().ok().copied(), SentryTrace::parse_opt(text));
    assert_eq!(parsed.is_ok(), follows_the_grammar(text.trim_ascii()));
    match parsed {
        Ok(trace) => {
            let printed = trace.to_string();
            let read = text.trim_ascii().to_ascii_lowercase();
            // A dash that no decision follows is not printed.
            assert_eq!(printed.as_bytes(), read.strip_suffix(b"-").unwrap_or(&read));
            assert_eq!(printed, &*trace.to_text());
            assert_eq!(printed.parse(), Ok(trace));
        }
        Err(error) => is_fit_for_a_log(&error),
    }
}

fn check_built(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let ids = (TraceId::from_bytes(input.arbitrary()?), SpanId::from_bytes(input.arbitrary()?));
    let (Some(trace_id), Some(span_id)) = ids else {
        return Ok(());
    };
    let trace = SentryTrace { trace_id, span_id, sampled: input.arbitrary()? };
    let mut text = trace.to_string().into_bytes();
    assert_eq!(SentryTrace::parse_opt(&text), Some(trace));

    let at = input.choose_index(text.len())?;
    text[at] = input.arbitrary()?;
    check_text(&text);
    Ok(())
}

fn follows_the_grammar(text: &[u8]) -> bool {
    let parts: Vec<&[u8]> = text.split(|byte| *byte == b'-').collect();
    let is_id = |part: &[u8], digits: usize| {
        part.len() == digits
            && part.iter().all(u8::is_ascii_hexdigit)
            && part.iter().any(|digit| *digit != b'0')
    };
    match parts[..] {
        [trace, span] => is_id(trace, 32) && is_id(span, 16),
        [trace, span, sampled] => is_id(trace, 32) && is_id(span, 16) && matches!(sampled, b"" | b"0" | b"1"),
        _ => false,
    }
}
