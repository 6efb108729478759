//! See [`sentrace_protocol_fuzz::forwarded`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sentrace_protocol_fuzz::forwarded::check(data));
