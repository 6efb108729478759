//! `sentrace-collector`: a local Sentry ingest with a web page.

use std::ffi::OsString;
use std::io::Write as _;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::process::ExitCode;

mod faults;
mod watch;

use lexopt::prelude::*;
use sentrace_collector::{Behaviour, Collector, Limits};

const DEFAULT_LISTEN: &str = "127.0.0.1:8969";

const HELP: &str = "\
A local Sentry ingest for development: receives envelopes, assembles traces, shows them.

Usage: sentrace-collector [OPTIONS]

Options:
      --listen <ADDRESS>  Where to listen [default: 127.0.0.1:8969]
      --traces <N>        How many traces to keep [default: 500]
      --waterfall         Print every trace once nothing more has arrived for two seconds.
                          COLUMNS sets the width, NO_COLOR turns off colours
      --allow-remote      Allow listening on an address that other machines can reach. There is
                          no password: they can read and delete all traces
  -h, --help              Print this help
  -V, --version           Print the version

Faults, to see how an SDK handles them:
      --delay <MS>        Wait this many milliseconds before processing an envelope
      --status <CODE>     Answer envelopes with this status
      --limits <LIMITS>   Add X-Sentry-Rate-Limits to each answer, as 60:transaction;span:key
      --fault <FAULT>     Instead of answering an envelope, hang-up (close the connection), reset
                          (it), hang (until the client closes it) or garbage (answer bytes that
                          are not HTTP)
      --slow-read <N>     Read this many bytes every 20 milliseconds from a connection
";

#[derive(Debug, PartialEq, Eq)]
enum Command {
    Serve { listen: SocketAddr, limits: Limits, behaviour: Box<Behaviour>, waterfall: bool },
    Print(String),
}

fn main() -> ExitCode {
    match parse(std::env::args_os().skip(1)) {
        Ok(Command::Print(text)) => {
            // It is not an error if standard output is closed.
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Ok(Command::Serve { listen, limits, behaviour, waterfall }) => {
            match serve(listen, limits, *behaviour, waterfall) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("sentrace-collector: cannot listen on {listen}: {error}");
                    ExitCode::FAILURE
                }
            }
        }
        Err(message) => {
            eprintln!("sentrace-collector: {message}\nTry --help.");
            ExitCode::from(2)
        }
    }
}

fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let mut parser = lexopt::Parser::from_args(args);
    let mut listen = DEFAULT_LISTEN.to_owned();
    let mut limits = Limits::default();
    let mut behaviour = Behaviour::default();
    let (mut waterfall, mut allow_remote) = (false, false);
    while let Some(arg) = parser.next().map_err(|error| error.to_string())? {
        match arg {
            Long("listen") => {
                listen = parser.value().and_then(ValueExt::string).map_err(|error| error.to_string())?;
            }
            Long("traces") => {
                let traces = parser
                    .value()
                    .and_then(|value| value.parse::<usize>())
                    .map_err(|error| error.to_string())?;
                limits = limits.traces(traces);
            }
            Long("waterfall") => waterfall = true,
            Long("allow-remote") => allow_remote = true,
            Long(fault) if faults::NAMES.contains(&fault) => {
                let name = fault.to_owned();
                let value = parser.value().and_then(ValueExt::string).map_err(|error| error.to_string())?;
                behaviour = faults::set(behaviour, &name, &value)?;
            }
            Short('h') | Long("help") => return Ok(Command::Print(HELP.into())),
            Short('V') | Long("version") => {
                return Ok(Command::Print(
                    concat!("sentrace-collector ", env!("CARGO_PKG_VERSION"), "\n").into(),
                ));
            }
            other => return Err(other.unexpected().to_string()),
        }
    }
    let resolved = listen.to_socket_addrs().map(|mut all| all.next());
    let Ok(Some(address)) = resolved else {
        return Err(format!(
            "--listen {listen:?} is not an address; write host:port, such as {DEFAULT_LISTEN}"
        ));
    };
    if !address.ip().is_loopback() && !allow_remote {
        return Err(format!(
            "--listen {listen} can be reached by other machines, and there is no password; \
             listen on 127.0.0.1, or add --allow-remote if they may read all traces"
        ));
    }
    Ok(Command::Serve { listen: address, limits, behaviour: Box::new(behaviour), waterfall })
}

fn serve(listen: SocketAddr, limits: Limits, behaviour: Behaviour, waterfall: bool) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let collector = Collector::start_with(listen, limits).await?;
        collector.set_behaviour(behaviour);
        let _ = writeln!(std::io::stdout(), "DSN     {}\ntraces  {}/", collector.dsn("1"), collector.url());
        tokio::select! {
            stopped = tokio::signal::ctrl_c() => stopped,
            () = watch::run(&collector), if waterfall => Ok(()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Command, String> {
        parse(args.iter().map(OsString::from))
    }

    #[test]
    fn without_arguments_it_listens_where_spotlight_does() {
        let listen = DEFAULT_LISTEN.parse().unwrap();
        let (limits, behaviour) = (Limits::default(), Box::default());
        assert_eq!(parsed(&[]), Ok(Command::Serve { listen, limits, behaviour, waterfall: false }));
    }

    #[test]
    fn addresses_that_others_can_reach_must_be_allowed() {
        let refused = parsed(&["--listen", "0.0.0.0:0"]).unwrap_err();
        assert!(refused.contains("--allow-remote"), "{refused}");
        assert!(parsed(&["--listen", "0.0.0.0:0", "--allow-remote"]).is_ok());
        assert!(parsed(&["--listen", "[::1]:0"]).is_ok());
    }

    #[test]
    fn wrong_arguments_are_named() {
        let table = [
            (&["--listen", "nowhere"][..], "\"nowhere\"", "an address without a port"),
            (&["--traces", "many"], "many", "a number that is none"),
            (&["--traces"], "--traces", "a value that is missing"),
            (&["--verbose"], "--verbose", "an option that does not exist"),
            (&["--fault", "fire"], "\"fire\"", "a fault that nobody knows"),
        ];
        for (args, named, reason) in table {
            let message = parsed(args).expect_err(reason);
            assert!(message.contains(named), "{reason}: {message}");
        }
    }
}
