//! The deterministic simulation: all functions in one process on virtual time, with every order of
//! events and every fault decided by a seed. `tests/README.md` explains it. Linux only.

// A customer's life awaits the whole product: checking that it is `Send` goes deeper than by default.
#![recursion_limit = "256"]

mod acts;
mod builds;
mod cache;
mod chance;
mod checks;
mod cognito;
mod connector;
mod deliveries;
mod effects;
mod faults;
mod history;
mod invocation;
mod lifecycle;
mod looks;
mod person;
mod plants;
mod prove;
mod schedule;
mod settle;
mod streams;
mod trace;
mod units;
mod virtual_time;
mod world;
mod worlds;

use std::{
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    thread::available_parallelism,
    time::{Duration, Instant},
};

use clap::Parser;
use serde_json::Value;

use lifecycle::Customer;
use plants::Plant;
use units::DAY;
use world::World;
use worlds::{Worlds, world};

/// Simulates customers of the product through faults of all kinds, and checks what must always hold.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// Simulate the world of this seed only, and print its result.
    #[arg(long)]
    seed: Option<u64>,

    /// First seed of many worlds.
    #[arg(long, default_value_t = 1)]
    from: u64,

    /// Number of customers of a world.
    #[arg(long, default_value_t = 24)]
    customers: u64,

    /// Number of customers of all worlds; by default, as many as the time allows.
    #[arg(long)]
    lifecycles: Option<u64>,

    /// Time after which no world begins, in seconds.
    #[arg(long, default_value_t = 100)]
    seconds: u64,

    /// Plant this mistake. With `--prove`, there can be several.
    #[arg(long)]
    plant: Vec<Plant>,

    /// Plant mistakes, by default all one after the other, and fail unless each is found.
    #[arg(long)]
    prove: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(seed) = options.seed {
        return simulate(seed, options.customers, options.plant.first().copied());
    }
    let is_right = if options.prove { options.prove() } else { options.explore() };
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Options {
    fn worlds(&self) -> Worlds {
        let most = self.lifecycles.map_or(u64::MAX, |all| all.div_ceil(self.customers.max(1)));
        let time =
            Duration::from_secs(if self.lifecycles.is_some() { u64::MAX } else { self.seconds });
        let at_once = available_parallelism().map_or(1, usize::from);
        Worlds { from: self.from, customers: self.customers, time, most, at_once }
    }

    /// Simulates many worlds. Returns whether no invariant was violated.
    #[expect(clippy::print_stdout, reason = "the result of this program")]
    fn explore(&self) -> bool {
        let start = Instant::now();
        if !self.replays() {
            return false;
        }
        match self.worlds().run(self.plant.first().copied()) {
            Ok(sum) => {
                println!(
                    "{} lifecycles with {} faults in {} worlds: {} steps, {} days of virtual time, {} s",
                    sum.customers,
                    sum.faults,
                    sum.worlds,
                    sum.steps,
                    sum.days,
                    start.elapsed().as_secs()
                );
                true
            }
            Err(report) => {
                show(&report, self.customers);
                false
            }
        }
    }

    /// Returns whether a seed has the same trace in two processes.
    #[expect(clippy::print_stdout, reason = "the result of this program")]
    fn replays(&self) -> bool {
        const CUSTOMERS: u64 = 6;
        let plant = self.plant.first().copied();
        let replay = || world(self.from, CUSTOMERS, plant, &AtomicBool::new(false));
        let [one, two] = std::thread::scope(|scope| {
            let other = scope.spawn(replay);
            [replay(), other.join().unwrap_or_default()]
        });
        if one["hash"].is_string() && one["hash"] == two["hash"] {
            return true;
        }
        println!("seed {} has two traces: {} and {}", self.from, one["hash"], two["hash"]);
        show(&one, CUSTOMERS);
        false
    }
}

/// Prints the report of a violated invariant.
#[expect(clippy::print_stdout, reason = "the result of this program")]
fn show(report: &Value, customers: u64) {
    for line in report["trace"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        println!("{line}");
    }
    let text = |name: &str| report[name].as_str().unwrap_or_default();
    println!("violated: {}\n{}", text("violated"), text("how"));
    println!("repeat it with: simulate --seed {} --customers {customers}", report["seed"]);
}

/// Simulates the world of a seed, and prints its result.
#[expect(clippy::print_stdout, reason = "the result of this program")]
fn simulate(seed: u64, customers: u64, plant: Option<Plant>) -> ExitCode {
    // A day of the four years from 2026 on, so that worlds see ends of months and a leap day.
    let start = 1_767_225_600_000 + i64::try_from(seed % 1461).unwrap_or(0) * 86_400_000;
    virtual_time::begin(start, seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return ExitCode::FAILURE };
    match runtime.block_on(Box::pin(live(seed, customers, plant))) {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn live(seed: u64, customers: u64, plant: Option<Plant>) -> Result<Value, local::Error> {
    let world = World::new(seed, customers, plant)?;
    world.read_history();
    world.read_streams();
    world.keep_time();
    let plans = Arc::new(world.plans().await);
    let lives = (0..customers).map(|number| {
        let (world, plans) = (Arc::clone(&world), Arc::clone(&plans));
        tokio::spawn(Customer { world, number, plans }.live())
    });
    for life in lives.collect::<Vec<_>>() {
        if let Err(panicked) = life.await {
            world.violated("no panic", &panicked.to_string());
        }
    }
    world.settle_all(DAY * 4).await;
    world.check_finally().await;
    let mut report = world.report();
    report["customers"] = customers.into();
    Ok(report)
}

/// Locks a mutex. A panic ends the process, so nobody sees what one has left behind.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
