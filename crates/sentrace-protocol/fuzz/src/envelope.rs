//! Envelopes: the reader finds what the writer wrote, whatever it was, and takes nothing twice.

use arbitrary::Unstructured;
use sentrace_protocol::envelope::reader::MAX_ITEMS;
use sentrace_protocol::envelope::{EnvelopeWriter, RawEnvelope, read};
use serde_json::Value;

use crate::input::is_fit_for_a_log;

/// Reads the input as an envelope; then takes it for kinds and payloads, writes them and reads them.
pub fn check(data: &[u8]) {
    let expected = items_by_the_rules(data);
    match read(data) {
        Ok(envelope) => {
            let found: Vec<(String, &[u8])> =
                envelope.items.iter().map(|item| (item.kind().to_owned(), item.payload)).collect();
            assert_eq!(Some(found), expected);
            check_envelope(data, &envelope);
        }
        Err(error) => {
            is_fit_for_a_log(&error);
            assert!(expected.is_none() || error.to_string().contains("`sent_at` is there twice"), "{error}");
        }
    }
    let _ = check_built(&mut Unstructured::new(data));
}

/// Kinds and payloads, or `None` for what is no envelope. A second `sent_at` is not seen.
fn items_by_the_rules(bytes: &[u8]) -> Option<Vec<(String, &[u8])>> {
    let line = |bytes: &[u8]| bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let header = |line: &[u8]| match serde_json::from_slice(line) {
        Ok(Value::Object(header)) => Some(header),
        _ => None,
    };
    let end = line(bytes);
    header(&bytes[..end])?;
    let mut rest = bytes.get(end + 1..).unwrap_or_default();
    let mut items = Vec::new();
    while !rest.is_empty() {
        let end = line(rest);
        let header = header(&rest[..end])?;
        let kind = header.get("type")?.as_str()?.to_owned();
        rest = rest.get(end + 1..).unwrap_or_default();
        let length = match header.get("length") {
            None | Some(Value::Null) => line(rest),
            Some(length) => usize::try_from(length.as_u64()?).ok()?,
        };
        let payload = rest.get(..length)?;
        match rest[length..] {
            [] => rest = &[],
            [b'\n', ref behind @ ..] => rest = behind,
            _ => return None,
        }
        items.push((kind, payload));
    }
    (items.len() <= MAX_ITEMS).then_some(items)
}

fn check_envelope(bytes: &[u8], envelope: &RawEnvelope<'_>) {
    assert!(envelope.items.len() <= MAX_ITEMS);
    let mut rest = bytes;
    for item in &envelope.items {
        assert!(item.headers["type"].is_string());
        match item.headers.get("length").and_then(Value::as_u64) {
            Some(length) => assert_eq!(length, item.payload.len() as u64),
            None => assert!(!item.payload.contains(&b'\n')),
        }
        if item.payload.is_empty() {
            continue;
        }
        let before = item.payload.as_ptr().addr().checked_sub(rest.as_ptr().addr());
        let before = before.expect("payloads are in order and do not overlap");
        rest = rest.get(before + item.payload.len()..).expect("a payload is within the envelope");
    }

    let items: Vec<(&str, &[u8])> = envelope.items.iter().map(|item| (item.kind(), item.payload)).collect();
    let written = check_round_trip(&items);
    let mut headers = serde_json::to_vec(&envelope.headers).expect("headers are JSON");
    headers.extend_from_slice(&written[2..]);
    let again = read(&headers).expect("the same headers are read again");
    let headers = [again.headers, envelope.headers.clone()].map(|headers| without_floats(headers.into()));
    assert_eq!(headers[0], headers[1]);
}

/// `serde_json` reads some floats one bit beside what it wrote, unless its feature `float_roundtrip` is on.
fn without_floats(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => Value::Null,
        Value::Array(values) => values.into_iter().map(without_floats).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(key, value)| (key, without_floats(value))).collect()
        }
        value => value,
    }
}

fn check_built(input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let items: Vec<(&str, &[u8])> = input.arbitrary()?;
    if items.len() <= MAX_ITEMS {
        check_round_trip(&items);
    }
    Ok(())
}

fn check_round_trip(items: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = EnvelopeWriter::new(b"what was in the buffer".to_vec());
    for (kind, payload) in items {
        writer.item_bytes(kind, payload).expect("bytes can be written");
    }
    let written = writer.finish();
    let envelope = read(&written).expect("what was written can be read");
    let found: Vec<(&str, &[u8])> = envelope.items.iter().map(|item| (item.kind(), item.payload)).collect();
    assert_eq!(found, items);

    let without_last_break = &written[..written.len() - 1];
    let ends_in_payload = items.last().is_some_and(|(_, payload)| !payload.is_empty());
    if ends_in_payload {
        let envelope = read(without_last_break).expect("the last line break may be missing");
        assert_eq!(envelope.items.len(), items.len());
    }
    written
}
