//! Load over loopback: wrk on one processor, the server on the other.
//!
//! The processor time of a request is compared, over all threads of the server, since requests per
//! second also depend on the speed and load of the machine.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::process::all_threads_nanoseconds;
use crate::request::{Baggage, RequestHead};
use crate::timing::time::median;
use crate::tools::{Tools, output};

/// A server and its load.
#[derive(Debug, Clone, Copy)]
struct Plan {
    name: &'static str,
    /// Seconds of warm-up and of measurement.
    warm_up: f64,
    measured: f64,
    rounds: usize,
    caller: Caller,
}

/// The caller's sampling decision.
#[derive(Debug, Clone, Copy)]
enum Caller {
    Samples,
    DoesNot,
    /// No decision, since an incoming one would take precedence over backpressure.
    LeavesItToUs,
}

impl Caller {
    fn head(self) -> RequestHead {
        match self {
            Self::Samples => RequestHead::new(Baggage::Mixed, true),
            Self::DoesNot => RequestHead::new(Baggage::Mixed, false),
            Self::LeavesItToUs => RequestHead::undecided(Baggage::Mixed),
        }
    }
}

impl Plan {
    const fn short(name: &'static str) -> Self {
        Self { name, warm_up: 0.3, measured: 1.5, rounds: ROUNDS, caller: Caller::Samples }
    }

    const fn unsampled(name: &'static str) -> Self {
        Self { caller: Caller::DoesNot, ..Self::short(name) }
    }

    /// Long enough for backpressure to find a sustainable rate, since it checks the queue every ten
    /// seconds.
    const fn until_settled(name: &'static str) -> Self {
        Self { name, warm_up: 30.0, measured: 20.0, rounds: 1, caller: Caller::LeavesItToUs }
    }
}

/// The first plan is the baseline.
const PLANS: [Plan; 14] = [
    Plan::short("noop-layer"),
    Plan::short("bare"),
    Plan::short("least-copied"),
    Plan::short("sentrace-dropped"),
    Plan::short("sentrace-handed-over"),
    Plan::unsampled("sentrace-unsampled"),
    Plan::short("sentrace-off"),
    Plan::short("sentrace-delivers-1000"),
    Plan::until_settled("sentrace-delivers-all"),
    Plan::short("opentelemetry-dropped"),
    Plan::short("opentelemetry-batch"),
    Plan::short("sentry-tower-dropped"),
    Plan::unsampled("sentry-tower-unsampled"),
    Plan::short("sentry-tower-delivers-all"),
];

const CONNECTIONS: &str = "32";
const ROUNDS: usize = 9;

/// The results of a server under load: medians of all rounds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Load {
    /// The server.
    pub name: String,
    /// Processor time of a request in microseconds, over all threads of the server.
    pub cpu: f64,
    /// Requests per second.
    pub rate: f64,
    /// Envelopes that the collector received, per hundred requests.
    pub delivered: f64,
}

struct Round {
    cpu: f64,
    rate: f64,
    delivered: f64,
}

/// Loads all servers in alternating rounds.
///
/// # Errors
/// Returns an error if a process cannot be started or wrk is missing.
pub fn run(tools: &Tools) -> Result<Vec<Load>, String> {
    let mut rounds: Vec<Vec<Round>> = PLANS.iter().map(|_| Vec::new()).collect();
    for number in 0..ROUNDS {
        let mut order: Vec<usize> = (0..PLANS.len()).filter(|at| number < PLANS[*at].rounds).collect();
        if number % 2 == 1 {
            order.reverse();
        }
        for at in order {
            rounds[at].push(round(tools, PLANS[at])?);
        }
    }
    let loads = PLANS.iter().zip(rounds).map(|(plan, rounds)| {
        let middle = |figure: fn(&Round) -> f64| median(&mut rounds.iter().map(figure).collect::<Vec<_>>());
        Load {
            name: plan.name.to_owned(),
            cpu: middle(|round| round.cpu),
            rate: middle(|round| round.rate),
            delivered: middle(|round| round.delivered),
        }
    });
    Ok(loads.collect())
}

fn round(tools: &Tools, plan: Plan) -> Result<Round, String> {
    let head = plan.caller.head();
    let collector = Server::start(tools.beside().arg("collect"))?;
    let dsn = format!("http://9c1f0d3e5b7a48c2a6d4e8f013579bdf@{}/1", collector.address);
    let server = Server::start(tools.measure().args(["serve", plan.name, &dsn]))?;
    wrk(&server.address, &head, plan.warm_up)?;
    let delivered = collector.count()?;
    let cpu = all_threads_nanoseconds(server.child.id());
    let (requests, seconds) = wrk(&server.address, &head, plan.measured)?;
    let cpu = all_threads_nanoseconds(server.child.id()) - cpu;
    let delivered = collector.count()? - delivered;
    Ok(Round {
        cpu: cpu as f64 / 1_000.0 / requests,
        rate: requests / seconds,
        delivered: delivered * 100.0 / requests,
    })
}

/// Runs wrk, and returns the number of requests and the seconds that they took.
fn wrk(address: &str, head: &RequestHead, duration: f64) -> Result<(f64, f64), String> {
    // wrk only accepts whole seconds, but ends early if it is interrupted.
    let mut command = Command::new("timeout");
    command.args(["--signal=INT", &duration.to_string()]);
    command.args(["taskset", "-c", "0", "wrk", "-t1", "-c", CONNECTIONS, "-d60s"]);
    for line in String::from_utf8_lossy(head.as_bytes()).lines().skip(1) {
        if !line.is_empty() && !line.starts_with("host:") {
            command.args(["-H", line]);
        }
    }
    command.arg(format!("http://{address}/users/1000?page=2"));
    let text = command.output().map_err(|error| format!("wrk: {error}"))?;
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    let line = text
        .lines()
        .find(|line| line.contains(" requests in "))
        .ok_or_else(|| format!("unexpected output of wrk: {text:?}"))?;
    let mut words = line.split_whitespace();
    let requests = words.next().and_then(|word| word.parse().ok());
    let took = words.find(|word| word.ends_with("s,") || word.ends_with("ms,"));
    match (requests, took) {
        (Some(requests), Some(took)) if requests > 0.0 => Ok((requests, seconds(took.trim_end_matches(',')))),
        _ => Err(format!("unexpected output of wrk: {text:?}")),
    }
}

fn seconds(text: &str) -> f64 {
    let milliseconds = text.strip_suffix("ms").and_then(|number| number.parse::<f64>().ok());
    let seconds = text.strip_suffix('s').and_then(|number| number.parse::<f64>().ok());
    milliseconds.map(|number| number / 1_000.0).or(seconds).unwrap_or(f64::NAN)
}

/// A serving process, which ends when its handle is dropped.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(command: &mut Command) -> Result<Self, String> {
        let shown = format!("{command:?}");
        let mut child =
            command.stdout(Stdio::piped()).spawn().map_err(|error| format!("{shown}: {error}"))?;
        let stdout = child.stdout.take().ok_or("a process without stdout")?;
        let mut server = Self { child, address: String::new() };
        BufReader::new(stdout).read_line(&mut server.address).map_err(|error| format!("{shown}: {error}"))?;
        server.address.truncate(server.address.trim_end().len());
        if server.address.is_empty() {
            return Err(format!("{shown} does not serve"));
        }
        Ok(server)
    }

    /// Returns the number of envelopes that a collector has received.
    fn count(&self) -> Result<f64, String> {
        let fail = |error: std::io::Error| format!("the collector: {error}");
        let mut stream = TcpStream::connect(&self.address).map_err(fail)?;
        stream.write_all(b"GET /count HTTP/1.0\r\n\r\n").map_err(fail)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(fail)?;
        let count = answer.rsplit("\r\n\r\n").next().and_then(|count| count.trim().parse().ok());
        count.ok_or_else(|| format!("unexpected answer of the collector: {answer:?}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the version of wrk.
pub fn wrk_version() -> String {
    let said = output(Command::new("sh").args(["-c", "wrk -v 2>&1 || true"])).unwrap_or_default();
    said.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}
