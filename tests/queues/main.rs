//! Tests of work outside of requests: jobs in a real Redis, and child processes. They run the
//! unchanged programs of `examples/`.
//!
//! They do not use the built-in harness, since some need a server: see [`sentrace_tests::servers`].
//! New tests have to be added to `main`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a test that fails"
)]

mod apalis;
mod cron;
mod missing;
mod program;
mod redis_server;
mod redis_stream;
mod subprocess;

use std::process::ExitCode;

use sentrace_tests::servers::{self, REDIS};
use sentrace_tests::test;

fn main() -> ExitCode {
    servers::run([
        test!(apalis::each_attempt_at_a_job_of_apalis_is_in_the_trace_of_the_request, REDIS),
        test!(redis_stream::a_message_of_a_stream_is_tried_again_in_its_trace, REDIS),
        test!(cron::each_run_is_a_trace_from_the_scheduler_into_the_processes_of_its_jobs),
        test!(cron::a_job_that_the_systems_cron_starts_has_a_trace_of_its_own),
        test!(subprocess::each_child_continues_the_trace_below_its_own_span),
        test!(subprocess::a_program_that_was_started_in_a_trace_hands_it_on),
        test!(missing::a_test_whose_server_is_not_installed_is_ignored_with_the_reason),
        test!(missing::a_missing_server_is_a_failure_where_servers_are_required),
        test!(missing::a_server_that_does_not_start_is_a_failure),
        test!(missing::tests_are_selected_and_listed_as_by_the_built_in_harness),
    ])
}
