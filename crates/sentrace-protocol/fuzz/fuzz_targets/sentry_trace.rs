//! See [`sentrace_protocol_fuzz::sentry_trace`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sentrace_protocol_fuzz::sentry_trace::check(data));
