//! Crash recovery: the process is stopped before each AWS call of a flow, and restarted on the same data.
//! The flow must reach its end, with every event and every effect exactly once.

use std::{env, path::PathBuf, thread, time::Duration};

use local::Call;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use support::{App, Options, Reply, eventually};
use tokio::runtime::Runtime;

/// A flow that resumes wherever it was stopped.
pub(crate) trait Flow {
    const NAME: &str;

    /// The variables of the functions.
    const VARIABLES: &[(&str, &str)] = &[];

    /// Does what comes before the first stop.
    async fn prepare(app: &App);

    /// Goes through the flow, with the same key for each request as before the stop: a request whose
    /// answer was lost gets that answer.
    async fn run(app: &App);

    /// Checks the result. `completed` are the calls before the stop.
    fn check(app: &App, completed: &[Call]);
}

/// Stops before calls from `first` on: before every fourth, or before every second one with
/// `TENANTRY_TEST_ALL_STOPS`. Two tests share the work.
pub(crate) fn stop_again_and_again<F: Flow>(first: usize) {
    #[expect(clippy::disallowed_methods, reason = "a test setting, not configuration")]
    let step = if env::var_os("TENANTRY_TEST_ALL_STOPS").is_some() { 2 } else { 4 };
    let prepared = prepare::<F>(first);
    let stops_from = |first: usize| {
        (first..)
            .step_by(2 * step)
            .take_while(|calls| stop_and_resume::<F>(&prepared, *calls))
            .count()
    };
    // A flow waits as long as it computes, so two at a time take half as long.
    let stops = thread::scope(|scope| {
        let other = scope.spawn(|| stops_from(first + step));
        stops_from(first) + other.join().unwrap()
    });
    assert!(stops >= 10, "only {stops} stops: does the flow make fewer calls now?");
}

/// Returns the data that a flow starts with.
fn prepare<F: Flow>(first: usize) -> Folder {
    let folder = Folder::new(&format!("{}-from-{first}", F::NAME));
    Runtime::new().unwrap().block_on(async {
        let app = App::with_options(options::<F>(&folder)).await;
        F::prepare(&app).await;
        app.stop().await;
    });
    folder
}

fn options<F: Flow>(folder: &Folder) -> Options {
    let options = Options::succeeding().data_in(&folder.0);
    let set = |options: Options, (name, value): &(&str, &str)| options.variable(name, value);
    F::VARIABLES.iter().fold(options, set)
}

/// Stops the process after `calls` AWS calls and restarts it. Returns false if it makes no more
/// calls than that.
fn stop_and_resume<F: Flow>(prepared: &Folder, calls: usize) -> bool {
    let folder = prepared.copy(&format!("{}-{calls}", F::NAME));
    let options = || options::<F>(&folder);

    let first = Runtime::new().unwrap();
    let stopped = first.block_on(async {
        let app = App::with_options(options()).await;
        app.local().calls().clear();
        app.local().calls().freeze_after(calls);
        let frozen = eventually("the stop", async || app.local().calls().is_frozen().then_some(()));
        tokio::select! {
            () = frozen => Some(app.local().calls().all()),
            () = F::run(&app) => None,
        }
    });
    // Ends everything that is running, at once.
    first.shutdown_timeout(Duration::ZERO);
    let Some(completed) = stopped else { return false };

    Runtime::new().unwrap().block_on(async {
        let app = App::with_options(options()).await;
        F::run(&app).await;
        F::check(&app, &completed);
        app.stop().await;
    });
    true
}

/// Sends a request with a key. A stopped request holds the key until its lease ends.
pub(crate) async fn send(app: &App, bearer: &str, path: &str, body: &Value) -> Reply {
    loop {
        let with_key = |request: RequestBuilder| {
            request.bearer_auth(bearer).header("idempotency-key", "k").json(body)
        };
        let sent = app.client.send(Method::POST, path, with_key).await;
        if sent.body["error"]["code"] != "IDEMPOTENCY_IN_PROGRESS" {
            return sent;
        }
        end_leases(app);
    }
}

/// Moves the end of every lease on a request into the past.
fn end_leases(app: &App) {
    let is_running = |item: &Value| {
        let key = item["pk"]["S"].as_str().unwrap();
        key.starts_with("IDEMPOTENCY#api#") && item["done"]["BOOL"] == false
    };
    let mut running = app.items();
    running.retain(is_running);
    for item in &mut running {
        item["leaseUntil"]["S"] = json!("2000-01-01T00:00:00.000Z");
    }
    app.import(running);
}

/// A folder that is deleted on drop.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        // In memory if possible: each of many starts writes a table, which a disk would make slow.
        let memory = Some(PathBuf::from("/dev/shm")).filter(|memory| memory.is_dir());
        let base = memory.unwrap_or_else(std::env::temp_dir);
        let folder = base.join(format!("tenantry-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        Self(folder)
    }

    /// Returns a copy under this name.
    fn copy(&self, name: &str) -> Self {
        let copy = Self::new(name);
        std::fs::create_dir_all(&copy.0).unwrap();
        for file in std::fs::read_dir(&self.0).unwrap().map(Result::unwrap) {
            std::fs::copy(file.path(), copy.0.join(file.file_name())).unwrap();
        }
        copy
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
