//! The output of these tests on a machine without the servers: this program is started again.

use std::path::Path;
use std::process::{Command, Output};

const OF_REDIS: &str = "redis_stream::a_message_of_a_stream_is_tried_again_in_its_trace";
const INSTALL: &str = "redis-server is not installed: `apt-get install redis-server`";

/// Runs this program with these folders in `PATH`.
fn run(path: &Path, required: Option<&str>, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments).env("PATH", path).env_remove("SENTRACE_REQUIRE_SERVERS");
    command.envs(required.map(|required| ("SENTRACE_REQUIRE_SERVERS", required)));
    let Output { status, stdout, stderr } = command.output().unwrap();
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    (status.code(), stdout + &stderr)
}

pub(crate) async fn a_test_whose_server_is_not_installed_is_ignored_with_the_reason() {
    let nothing = tempfile::tempdir().unwrap();
    for required in [None, Some(""), Some("0")] {
        for arguments in
            [&["--exact", OF_REDIS][..], &["--ignored", OF_REDIS], &["--include-ignored", OF_REDIS]]
        {
            let (code, printed) = run(nothing.path(), required, arguments);
            assert_eq!(code, Some(0), "{arguments:?}: {printed}");
            let expected = format!("ignored ({INSTALL})");
            assert!(printed.contains(&expected), "{arguments:?}: {printed}");
            assert!(printed.contains("0 passed; 0 failed; 1 ignored"), "{arguments:?}: {printed}");
        }
    }
}

pub(crate) async fn a_missing_server_is_a_failure_where_servers_are_required() {
    let nothing = tempfile::tempdir().unwrap();
    let (code, printed) = run(nothing.path(), Some("1"), &["--exact", OF_REDIS]);
    assert!(code.is_some_and(|code| code != 0), "{printed}");
    assert!(printed.contains(INSTALL) && printed.contains("1 failed"), "{printed}");
    let (_, listed) = run(nothing.path(), Some("1"), &["--list", "--ignored"]);
    assert!(!listed.contains(OF_REDIS), "it is not ignored: {listed}");
}

#[cfg_attr(not(unix), expect(clippy::unused_async, reason = "there is no such program to try"))]
pub(crate) async fn a_server_that_does_not_start_is_a_failure() {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("redis-server");
        let rows = [(0o755, "#!/bin/sh\nexit 1\n", "it ends at once"), (0o644, "", "nobody may execute it")];
        for (mode, text, reason) in rows {
            std::fs::write(&program, text).unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(mode)).unwrap();
            let (code, printed) = run(folder.path(), None, &["--exact", OF_REDIS]);
            assert!(code.is_some_and(|code| code != 0), "{reason}: {printed}");
            assert!(printed.contains("1 failed") && printed.contains("redis-server"), "{reason}: {printed}");
        }
    }
}

pub(crate) async fn tests_are_selected_and_listed_as_by_the_built_in_harness() {
    let nothing = tempfile::tempdir().unwrap();
    let list = |arguments: &[&str]| {
        let (code, printed) = run(nothing.path(), None, arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {printed}");
        printed
    };
    // As nextest asks.
    let all = list(&["--list", "--format", "terse"]);
    assert!(all.contains(&format!("{OF_REDIS}: test\n")) && all.contains("cron::"), "{all}");
    let ignored = list(&["--list", "--format", "terse", "--ignored"]);
    assert!(ignored.contains(&format!("{OF_REDIS}: test\n")) && !ignored.contains("cron::"), "{ignored}");
    let filtered = list(&["--list", "cron::"]);
    assert!(filtered.contains("cron::") && !filtered.contains(OF_REDIS), "{filtered}");
    let exact = list(&["--list", "--exact", "cron"]);
    assert!(!exact.contains("cron::"), "{exact}");
    let skipped = list(&["--nocapture", "redis_stream", "--skip", "redis_stream"]);
    assert!(skipped.contains("0 passed"), "{skipped}");
}
