//! How the bytes of an input become what a parser is given.

use sentrace_protocol::ParseError;

/// Beyond this inputs only cost time: it is half as much again as the longest header that is read.
const MAX_BYTES: usize = 12_288;

/// The lines of the input, each a header field.
///
/// A first line of digits says how often each field is repeated, joined by commas and with the number of the
/// repetition for every `#`. Limits that are counted in kilobytes are so within reach of short inputs.
pub(crate) fn fields(data: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let times = std::str::from_utf8(lines[0]).ok().and_then(|line| line.parse::<u8>().ok());
    if times.is_some() {
        lines.remove(0);
    }
    let mut room = MAX_BYTES;
    let mut fields = Vec::new();
    for line in lines {
        let mut field = Vec::new();
        for number in 0..times.unwrap_or(1) {
            if number > 0 {
                field.push(b',');
            }
            for byte in line {
                match byte {
                    b'#' if times.is_some() => field.extend_from_slice(number.to_string().as_bytes()),
                    byte => field.push(*byte),
                }
            }
            if field.len() > room {
                return fields;
            }
        }
        room -= field.len();
        fields.push(field);
    }
    fields
}

/// An error goes to logs and terminals: short, whatever was refused, and nothing in it that steers them.
pub(crate) fn is_fit_for_a_log(error: &ParseError) {
    let message = error.to_string();
    assert!(message.len() <= 1_200, "{} bytes: {message}", message.len());
    assert!(!message.chars().any(char::is_control), "{message:?}");
}

/// What is left of `text` when its percent-escapes are undone as lenient servers do: broken ones stay.
pub(crate) fn decode_leniently(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        match digits {
            Some(digits) if bytes[at] == b'%' => {
                let digits = std::str::from_utf8(digits).expect("hexadecimal digits are text");
                decoded.push(u8::from_str_radix(digits, 16).expect("two digits fit a byte"));
                at += 3;
            }
            _ => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
