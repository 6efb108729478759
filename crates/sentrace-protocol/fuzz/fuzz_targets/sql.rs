//! See [`sentrace_protocol_fuzz::sql`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sentrace_protocol_fuzz::sql::check(data));
