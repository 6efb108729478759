//! A shop of five services in one process, and the traces of its customers.
//!
//! ```sh
//! cargo run --example shop              # a scripted customer shops, then the shop stays open until Ctrl-C
//! cargo run --example shop -- --once    # ends after printing, with status 1 if a trace is incomplete
//! SENTRY_DSN=https://key@o1.ingest.sentry.io/2 cargo run --example shop    # reports to Sentry, too
//! ```
//!
//! It prints what each customer did, as a waterfall across the services, and the addresses of the
//! pages.
//!
//! | what | where |
//! |---|---|
//! | the trace in a served page, and the browser that continues it | `storefront/`, `storefront/shop.js` |
//! | axum with CORS, manual spans, a streamed response, SQLite | `backend/`, `database.rs` |
//! | plain hyper | `inventory.rs` |
//! | a queue whose messages carry the trace, and a subprocess that continues it | `queue.rs`, `worker.rs`, `notify.rs` |
//! | a host that must not receive trace headers | `payments.rs` |
//! | the script, and the checks of its results | `script.rs`, `customer.rs`, `verify.rs` |

mod backend;
mod customer;
mod database;
mod ingest;
mod inventory;
mod notify;
mod outgoing;
mod payments;
mod queue;
mod relay;
mod script;
mod shop;
mod show;
mod storefront;
mod verify;
mod worker;

use std::process::ExitCode;
use std::time::Duration;

use sentrace_collector::Collector;

use self::ingest::Ingest;
use self::shop::Shop;

/// Any error is printed and ends the demonstration.
type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let whole = match arguments.as_slice() {
        [] => open(false),
        ["--once"] => open(true),
        // The worker starts this program again.
        [notify::ARGUMENT, order] => notify::run(order).map(|()| true),
        _ => Err("the shop takes no argument but --once".into()),
    };
    match whole {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("shop: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the shop and shows the traces. Returns `true` if all traces are complete.
#[tokio::main]
async fn open(once: bool) -> Result<bool, Error> {
    let collector = collector(once).await?;
    let ingest = Ingest::new(&collector).await?;
    let shop = Shop::open(&ingest, &collector).await?;
    let whole = serve(&shop, &collector, once).await;
    shop.close().await;
    if let Some(line) = ingest.summary() {
        println!("{line}");
    }
    whole
}

/// Runs the customer's script, and shows and checks the traces. Unless `once`, then waits for
/// Ctrl-C.
async fn serve(shop: &Shop, collector: &Collector, once: bool) -> Result<bool, Error> {
    let visits = customer::follow_the_script(shop).await?;
    // The traces of a visit arrive shortly after it has ended.
    let all_there = |store: &_| visits.iter().all(|visit| verify::has_arrived(visit, store));
    collector.wait_for(all_there, Duration::from_secs(10)).await;

    show::traces(collector, &visits);
    let complaints = verify::all(&collector.url(), &visits, &shop.payments).await?;
    show::verdict(&complaints, &visits, &shop.payments);
    if !once {
        show::addresses(shop, collector);
        tokio::signal::ctrl_c().await?;
    }
    Ok(complaints.is_empty())
}

/// Listens on the port where Sentry's tools expect a local ingest, or on another one if it is
/// taken.
async fn collector(once: bool) -> std::io::Result<Collector> {
    if !once && let Ok(collector) = Collector::start("127.0.0.1:8969").await {
        return Ok(collector);
    }
    Collector::start("127.0.0.1:0").await
}
