//! `traceparent`: exactly W3C's grammar, and what is printed reads as the same value.

use arbitrary::Unstructured;
use sentrace_protocol::{SpanId, TraceId, Traceparent};

use crate::input::is_fit_for_a_log;

/// Reads the input; then builds a value from its bytes, prints it, damages one byte and reads that.
pub fn check(data: &[u8]) {
    check_text(data);
    let _ = check_built(&mut Unstructured::new(data));
}

fn check_text(text: &[u8]) {
    let parsed = Traceparent::parse(text);
    assert_eq!(parsed.as_ref().ok().copied(), Traceparent::parse_opt(text));
    assert_eq!(parsed.is_ok(), follows_the_grammar(text.trim_ascii()));
    match parsed {
        Ok(parent) => {
            let printed = parent.to_string();
            let text = std::str::from_utf8(&text.trim_ascii()[..55]).expect("the known part is ASCII");
            assert_eq!(printed[2..53], text[2..53], "ids stay as they are");
            let flags = u8::from_str_radix(&text[53..], 16).expect("the flags are digits");
            assert_eq!(parent.sampled, flags & 1 == 1);
            assert_eq!(printed.parse(), Ok(parent));
        }
        Err(error) => is_fit_for_a_log(&error),
    }
}

fn check_built(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let ids = (TraceId::from_bytes(input.arbitrary()?), SpanId::from_bytes(input.arbitrary()?));
    let (Some(trace_id), Some(parent_id)) = ids else {
        return Ok(());
    };
    let parent = Traceparent { trace_id, parent_id, sampled: input.arbitrary()? };
    let mut text = parent.to_string().into_bytes();
    assert_eq!(Traceparent::parse_opt(&text), Some(parent));

    if input.arbitrary()? {
        text.extend_from_slice(input.bytes(3)?);
    }
    for _ in 0..2 {
        let at = input.choose_index(text.len())?;
        text[at] = input.arbitrary()?;
        check_text(&text);
    }
    Ok(())
}

fn follows_the_grammar(text: &[u8]) -> bool {
    let parts: Vec<&[u8]> = text.splitn(5, |byte| *byte == b'-').collect();
    let [version, trace, parent, flags, more @ ..] = &parts[..] else {
        return false;
    };
    let is_hex = |part: &[u8], digits: usize| {
        part.len() == digits && part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_id = |part: &[u8], digits: usize| is_hex(part, digits) && part.iter().any(|digit| *digit != b'0');
    is_hex(version, 2)
        && *version != b"ff"
        && is_id(trace, 32)
        && is_id(parent, 16)
        && is_hex(flags, 2)
        && (more.is_empty() || *version != b"00")
}
