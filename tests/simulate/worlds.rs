//! Worlds in processes of their own, because virtual time is that of a process.

use std::{
    io,
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{locked, plants::Plant};

/// How long a process may take. A world takes less than a minute.
const LIMIT: Duration = Duration::from_secs(900);

/// Lets a process keep the memory that it has freed, which saves a tenth of its time.
const TUNABLES: &str = "glibc.malloc.trim_threshold=1073741824:glibc.malloc.top_pad=16777216:\
    glibc.malloc.mmap_threshold=1073741824:glibc.malloc.tcache_count=2000";

/// Which worlds to simulate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Worlds {
    /// The first seed. The others follow.
    pub(crate) from: u64,
    /// Number of customers of each world.
    pub(crate) customers: u64,
    /// No world begins after this time.
    pub(crate) time: Duration,
    /// Number of worlds at most.
    pub(crate) most: u64,
    /// Number of processes at once.
    pub(crate) at_once: usize,
}

/// The sum of many worlds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sum {
    pub(crate) worlds: u64,
    pub(crate) customers: u64,
    pub(crate) faults: u64,
    pub(crate) steps: u64,
    pub(crate) days: u64,
}

impl Sum {
    fn add(&mut self, report: &Value) {
        let number = |name: &str| report[name].as_u64().unwrap_or_default();
        let faults = report["faults"].as_object().into_iter().flatten();
        self.worlds += 1;
        self.customers += number("customers");
        self.faults += faults.filter_map(|(_, count)| count.as_u64()).sum::<u64>();
        self.steps += number("steps");
        self.days += number("seconds") / 86_400;
    }
}

impl Worlds {
    /// Simulates worlds until one violates an invariant. Then returns its report.
    pub(crate) fn run(self, plant: Option<Plant>) -> Result<Sum, Value> {
        let (start, next, stopped) = (Instant::now(), AtomicU64::new(0), AtomicBool::new(false));
        let (sum, violated) = (Mutex::new(Sum::default()), Mutex::new(None));
        let work = || {
            while !stopped.load(Relaxed) && start.elapsed() < self.time {
                let number = next.fetch_add(1, Relaxed);
                if number >= self.most {
                    return;
                }
                let report = world(self.from + number, self.customers, plant, &stopped);
                if report["hash"].is_string() && report["violated"].is_null() {
                    locked(&sum).add(&report);
                } else if !stopped.load(Relaxed) {
                    stopped.store(true, Relaxed);
                    locked(&violated).get_or_insert(report);
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..self.at_once {
                scope.spawn(work);
            }
        });
        let violated = locked(&violated).take();
        violated.map_or_else(|| Ok(locked(&sum).clone()), Err)
    }
}

/// Simulates the world of a seed in another process, and returns its report. Ends early if `stopped`.
pub(crate) fn world(
    seed: u64,
    customers: u64,
    plant: Option<Plant>,
    stopped: &AtomicBool,
) -> Value {
    let failed = |how: String| json!({ "seed": seed, "violated": "a world ends", "how": how });
    let output = process(seed, customers, plant).and_then(|mut child| {
        let start = Instant::now();
        while child.try_wait()?.is_none() {
            if stopped.load(Relaxed) || start.elapsed() > LIMIT {
                child.kill()?;
            }
            thread::sleep(Duration::from_millis(20));
        }
        child.wait_with_output()
    });
    let output = match output {
        Ok(output) => output,
        Err(error) => return failed(error.to_string()),
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let report = text.lines().last().and_then(|line| serde_json::from_str(line).ok());
    report.unwrap_or_else(|| {
        failed(format!("{}: {text}{}", output.status, String::from_utf8_lossy(&output.stderr)))
    })
}

fn process(seed: u64, customers: u64, plant: Option<Plant>) -> io::Result<Child> {
    // A build may have replaced the file of this program.
    let mut command = Command::new("/proc/self/exe");
    command.args(["--seed", &seed.to_string(), "--customers", &customers.to_string()]);
    if let Some(plant) = plant {
        command.args(["--plant", &plant.to_string()]);
    }
    command.env("GLIBC_TUNABLES", TUNABLES);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}
