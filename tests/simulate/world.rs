use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed},
    },
};

use lambda::{Env, aws::Aws, token::Tokens};
use local::{Answered, Handler, Services};
use serde_json::{Value, json};

use crate::{
    cache::{self, Cache},
    chance::Chance,
    checks::logs::{self, Secrets},
    cognito::{self, Cognito},
    connector::{self, Call},
    effects::Effects,
    faults::Faults,
    history::History,
    invocation::Ended,
    locked,
    plants::Plant,
    streams::Positions,
    trace::Trace,
};

/// The product and its surroundings, decided by a seed.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) seed: u64,
    /// Number of steps in which everything must end.
    most_steps: u64,
    pub(crate) services: Services,
    pub(crate) cognito: Cognito,
    pub(crate) cache: Cache,
    pub(crate) chance: Chance,
    pub(crate) faults: Faults,
    pub(crate) trace: Trace,
    pub(crate) history: History,
    pub(crate) effects: Effects,
    pub(crate) plant: Option<Plant>,
    pub(crate) positions: Positions,
    pub(crate) secrets: Secrets,
    /// The keys that sign the tokens of operators, until they are rotated.
    pub(crate) tokens: Mutex<Option<Tokens>>,
    /// The functions that have started.
    instances: Mutex<HashMap<String, Arc<Handler>>>,
    /// The number of deliveries and builds under way.
    busy: AtomicUsize,
    /// The number of runs of the reconciler since one changed anything.
    pub(crate) idle_runs: AtomicU32,
    /// Events whose deliveries have failed in all attempts, with their functions.
    pub(crate) dead_letters: Mutex<Vec<(String, Value)>>,
}

/// Marks work under way until it is dropped.
#[derive(Debug)]
pub(crate) struct Busy(Arc<World>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Relaxed);
    }
}

/// Variables of the functions that differ from the template. All people have the same address, so limits
/// per address do not apply.
const VARIABLES: [(&str, &str); 5] = [
    ("PUBLIC_API_MAX_ATTEMPTS", "1000000"),
    ("WEBHOOK_API_MAX_ATTEMPTS", "1000000"),
    ("COGNITO_ENABLED", "true"),
    ("OIDC_ISSUER", ""),
    ("AWS_REGION", "eu-west-1"),
];

/// Returns whether the world of a seed has a cache, which half of the worlds have.
fn has_cache(seed: u64) -> bool {
    seed % 4 < 2
}

/// Returns the variables of the functions. In every other world, tenants are set up at an identity provider.
fn variables(seed: u64) -> Env {
    let provider = if seed % 2 == 1 { "cognito" } else { "" };
    let cache = if has_cache(seed) { "redis://cache.test" } else { "" };
    let chosen = [("IDENTITY_PROVIDER", provider), ("REDIS_URL", cache)];
    VARIABLES.into_iter().chain(chosen).collect()
}

/// Number of steps of a customer at most: four times the usual number.
const STEPS: u64 = 1_500;

impl World {
    /// Creates the world of a seed.
    pub(crate) fn new(
        seed: u64,
        customers: u64,
        plant: Option<Plant>,
    ) -> Result<Arc<Self>, local::Error> {
        let template = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml"));
        let world = Arc::new(Self {
            seed,
            most_steps: 10_000 + customers * STEPS,
            services: Services::new(template, variables(seed))?,
            cognito: Cognito::default(),
            cache: Cache::default(),
            chance: Chance::new(seed),
            faults: Faults::new(),
            trace: Trace::default(),
            history: History::default(),
            effects: Effects::default(),
            plant,
            positions: Positions::default(),
            secrets: Secrets::default(),
            tokens: Mutex::default(),
            instances: Mutex::default(),
            busy: AtomicUsize::new(0),
            idle_runs: AtomicU32::new(0),
            dead_letters: Mutex::default(),
        });
        lambda::aws::replace_http_client(connector::client(&world));
        if has_cache(seed) {
            cache::serve(&world);
        }
        logs::read_log(&world);
        for secret in world.services.state().secrets().unwrap_or_default() {
            world.secrets.add(&secret.value);
        }
        Ok(world)
    }

    /// Returns the running instance of a function. Starts one if there is none.
    pub(crate) async fn instance(&self, function: &str) -> Ended<Arc<Handler>> {
        if let Some(found) = locked(&self.instances).get(function) {
            return Ok(Arc::clone(found));
        }
        let started = self.services.start(function).await;
        let started = Arc::new(started.map_err(|error| error.to_string())?);
        locked(&self.instances).insert(function.to_owned(), Arc::clone(&started));
        Ok(started)
    }

    /// Ends the instance of a function, so that the next event starts another one.
    pub(crate) fn restart(&self, function: &str) {
        locked(&self.instances).remove(function);
    }

    /// Returns what signs tokens.
    pub(crate) async fn tokens(&self) -> Ended<Tokens> {
        if let Some(tokens) = &*locked(&self.tokens) {
            return Ok(tokens.clone());
        }
        let env = self.services.env();
        let aws = Aws::from_env(&env).map_err(|error| error.to_string())?;
        let tokens = Tokens::from_env(&env, &aws).await.map_err(|error| error.to_string())?;
        Ok(locked(&self.tokens).insert(tokens).clone())
    }

    /// Lets a call have its effect, and everything that follows from it at once.
    pub(crate) fn execute(self: &Arc<Self>, call: &Call) -> Answered {
        let planted = self.plant.and_then(|plant| plant.change(self, call));
        let (call, answered) = match planted {
            Some((call, answered)) => (call, answered),
            None => (call.clone(), None),
        };
        let is_executed = answered.is_none();
        let answered = answered.unwrap_or_else(|| self.answer(&call));
        self.trace.add(format_args!("{call} -> {}", answered.status), &call.body);
        if self.trace.sum().1 > self.most_steps {
            self.violated("everything ends", &format!("more than {} steps", self.most_steps));
        }
        if is_executed && answered.status == 200 {
            self.follow(&call, &answered);
        }
        answered
    }

    fn answer(&self, call: &Call) -> Answered {
        match call.service {
            cognito::SERVICE => self.cognito.answer(&call.action, &call.json()),
            service => self.services.answer(service, &call.action, &call.body),
        }
    }

    fn follow(self: &Arc<Self>, call: &Call, answered: &Answered) {
        match (call.service, call.action.as_str()) {
            ("DynamoDB", _) if call.is_write() => self.read_history(),
            ("EventBridge", _) => {
                self.effects.note_events(call, answered);
                self.take_deliveries();
            }
            ("SecretsManager", "CreateSecret") => {
                self.secrets.add(call.json()["SecretString"].as_str().unwrap_or("no secret"));
            }
            ("SES", _) => self.effects.note_mail(call),
            (cognito::SERVICE, "AdminCreateUser") => {
                self.secrets
                    .add(call.json()["TemporaryPassword"].as_str().unwrap_or("no password"));
            }
            ("CodePipeline", "StartPipelineExecution") => {
                self.take_deliveries();
                self.begin_build(answered);
            }
            _ => {}
        }
    }

    /// Marks work as under way until the result is dropped.
    pub(crate) fn busy(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Relaxed);
        Busy(Arc::clone(self))
    }

    /// Returns whether deliveries and builds are under way.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Relaxed) > 0
    }

    /// Returns the result of the world so far.
    pub(crate) fn report(&self) -> Value {
        let (hash, steps) = self.trace.sum();
        let faults: BTreeMap<String, u64> = self.faults.counts();
        json!({
            "seed": self.seed,
            "hash": format!("{hash:016x}"),
            "steps": steps,
            "faults": faults,
            "changes": self.history.len(),
            "events": self.effects.published(),
            "seconds": crate::virtual_time::elapsed_ms() / 1000,
        })
    }

    /// Ends the process with a report of a violated invariant.
    #[expect(clippy::print_stdout, reason = "the result of this process")]
    pub(crate) fn violated(&self, invariant: &str, how: &str) -> ! {
        let mut report = self.report();
        report["violated"] = invariant.into();
        report["how"] = how.into();
        report["trace"] = json!(self.trace.last());
        println!("{report}");
        std::process::exit(1)
    }
}
