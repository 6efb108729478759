//! See [`sentrace_protocol_fuzz::url`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sentrace_protocol_fuzz::url::check(data));
