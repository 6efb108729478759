//! See [`sentrace_protocol_fuzz::words`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sentrace_protocol_fuzz::words::check(data));
