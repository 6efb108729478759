//! Tests in a process of their own, as a user to whom limits and permissions apply: CI runs as root, to whom they do not.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

const CHILD: &str = "SENTRACE_TEST_CHILD";
/// A user that owns nothing.
const OTHER_USER: u32 = 54_322;

/// Runs `test` (its path in this binary) again, apart.
pub(crate) fn apart(test: &str, run: impl FnOnce()) {
    apart_with(&[], test, run);
}

/// The same, with these variables.
pub(crate) fn apart_with(variables: &[(&str, &str)], test: &str, run: impl FnOnce()) {
    if std::env::var_os(CHILD).is_some() {
        return run();
    }
    // Reached without looking into folders that the other user may not look into.
    let mut child = Command::new("/proc/self/exe");
    child.args(["--exact", "--nocapture", test]).env(CHILD, "1").envs(variables.iter().copied());
    child.current_dir("/");
    if rustix::process::getuid().is_root() {
        child.uid(OTHER_USER).gid(OTHER_USER);
    }
    let output = child.output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
    assert!(shown.contains("1 passed"), "it did not run: {shown}");
}
