//! Tests that need a server which is not part of this repository, such as Redis.
//!
//! If the server is not installed, such a test is reported as ignored, with the reason and the
//! command that installs it. With `SENTRACE_REQUIRE_SERVERS=1` it fails instead. If an installed
//! server does not start, the test always fails. The built-in harness decides at compile time
//! whether a test is ignored, so these tests use another one: `harness = false` in `Cargo.toml`,
//! and a `main` that calls [`run`].

use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

/// Redis, or a compatible server of that name.
pub const REDIS: Server = Server { program: "redis-server", install: "apt-get install redis-server" };

const REQUIRE: &str = "SENTRACE_REQUIRE_SERVERS";

/// A server that tests start for themselves.
#[derive(Debug, Clone, Copy)]
pub struct Server {
    program: &'static str,
    install: &'static str,
}

impl Server {
    /// Returns the reason why it is missing, or `None` if it is installed.
    fn missing(self) -> Option<String> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let file = format!("{}{}", self.program, std::env::consts::EXE_SUFFIX);
        let installed = std::env::split_paths(&path).any(|folder| folder.join(&file).is_file());
        (!installed).then(|| format!("{} is not installed: `{}`", self.program, self.install))
    }
}

/// A test of a binary without the built-in harness.
#[derive(Debug)]
pub struct Test {
    name: String,
    needs: Option<Server>,
    run: fn(),
}

impl Test {
    /// Used by [`test!`](crate::test).
    #[doc(hidden)]
    pub fn new(path: &str, needs: Option<Server>, run: fn()) -> Self {
        Self { name: path.replace(' ', ""), needs, run }
    }

    fn into_trial(self, arguments: &Arguments, required: bool) -> Trial {
        let missing = self.needs.and_then(Server::missing);
        // If tests are listed or ignored ones are requested, this has to be known before they run.
        let asked = arguments.list || arguments.ignored || arguments.include_ignored;
        let is_ignored = asked && missing.is_some() && !required;
        let run = move || match missing {
            None => {
                (self.run)();
                Ok(Completion::Completed)
            }
            Some(reason) if required => Err(Failed::from(format!("{reason}; {REQUIRE} is set"))),
            Some(reason) => Ok(Completion::ignored_with(reason)),
        };
        Trial::ignorable_test(self.name, run).with_ignored_flag(is_ignored)
    }
}

/// Creates a [`Test`](crate::servers::Test) from an `async fn`, which runs on its own runtime:
/// `test!(module::name)`, or with a required server `test!(module::name, REDIS)`.
#[macro_export]
macro_rules! test {
    ($path:path) => {
        $crate::servers::Test::new(stringify!($path), None, || $crate::servers::block_on($path()))
    };
    ($path:path, $server:expr) => {
        $crate::servers::Test::new(stringify!($path), Some($server), || $crate::servers::block_on($path()))
    };
}

/// Runs a future as `#[tokio::test]` does.
#[doc(hidden)]
pub fn block_on(future: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future);
}

/// Runs the tests selected by the command line, which is that of the built-in harness.
pub fn run(tests: impl IntoIterator<Item = Test>) -> ExitCode {
    let arguments = Arguments::from_args();
    let required = std::env::var_os(REQUIRE).is_some_and(|value| !value.is_empty() && value != "0");
    let trials = tests.into_iter().map(|test| test.into_trial(&arguments, required)).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}
