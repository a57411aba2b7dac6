use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;
use shared::{
    Env,
    domain::Permission,
    token::{Claims, Tokens},
};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::JoinSet,
};

use crate::{
    Calls, Error, Options, Outcome, Result,
    aws::Aws,
    bus::{Buses, Worker},
    data::Opened,
    env_file,
    environment::Environment,
    functions::Functions,
    gateway::Gateway,
    pages,
    player::{self, Player},
    schedule,
    state::State,
    stop::{Stop, serve},
    stream::Reader,
    table::{self, Front, Records},
    template::Template,
};

/// For how long an operator token is good.
const OPERATOR_EXPIRY: Duration = Duration::from_secs(12 * 3600);

/// How long requests and deliveries under way may take after a stop.
const GRACE: Duration = Duration::from_secs(5);

/// The whole product, running. It stops when it is dropped; [`Local::stop`] waits for that.
#[derive(Debug)]
pub struct Local {
    environment: Environment,
    operator_token: String,
    template: Arc<Template>,
    opened: Opened,
    calls: Arc<Calls>,
    functions: Arc<Functions>,
    outcome: Arc<Mutex<Outcome>>,
    /// What takes work in, and what works: stopped first.
    front: Stage,
    /// What the functions call: stopped when they have ended.
    back: Stage,
}

/// Tasks that are stopped together.
#[derive(Debug)]
struct Stage {
    switch: watch::Sender<()>,
    stop: Stop,
    tasks: JoinSet<()>,
}

impl Local {
    /// Starts everything. `outside` are the variables that override the template's.
    ///
    /// # Errors
    ///
    /// [`Error`] in one line: port taken, data folder unusable, template broken or not playable, a
    /// function that cannot be built.
    pub async fn start(options: Options, outside: Env) -> Result<Self> {
        let port = options.port;
        let listener = bind(port).await.map_err(|cause| Error::Port { port, cause })?;
        let (database_listener, front_listener, aws_listener) =
            (any().await?, any().await?, any().await?);
        let environment = Environment::new(
            &options,
            outside,
            port_of(&listener)?,
            port_of(&front_listener)?,
            port_of(&aws_listener)?,
        );
        let scope = environment.scope();
        let template = Arc::new(Template::read(&options.template, &scope)?);
        let opened = options.data.open()?;
        table::create(&opened.database, &template.tables)?;

        let mut back = Stage::new();
        let calls = Arc::<Calls>::default();
        let database = format!("127.0.0.1:{}", port_of(&database_listener)?);
        let front_of_table = Arc::new(Front::new(Arc::clone(&calls), database));
        let written = Arc::clone(&front_of_table.written);
        let buses = Arc::new(Buses::new(&template, &scope.region, &scope.account));
        let aws = Arc::new(Aws {
            state: Arc::clone(&opened.state),
            calls: Arc::clone(&calls),
            buses: Arc::clone(&buses),
            template: Arc::clone(&template),
            api_url: scope.api_url.clone(),
            secrets_arn: format!("arn:aws:secretsmanager:{}:{}:", scope.region, scope.account),
        });
        aws.generate_secrets().map_err(Error::doing("generating the secrets"))?;
        back.serve_database(database_listener, opened.database.clone());
        back.serve(front_listener, front_of_table.router());
        back.serve(aws_listener, aws.router());
        back.sweep(opened.database.clone());

        let functions =
            Functions::build(&template, options.aws_only, |function| environment.of(function));
        let functions = Arc::new(Box::pin(functions).await?);
        let outcome = Arc::new(Mutex::new(options.pipeline_outcome));
        let mut local = Self {
            operator_token: String::new(),
            front: Stage::new(),
            environment,
            template,
            opened,
            calls,
            functions,
            outcome,
            back,
        };
        local.work(&options, &buses, &written);
        local.operator_token = local.token().await?;
        local.serve_api(listener);
        local.write_env_file(&options)?;
        Ok(local)
    }

    /// Stops everything: what is under way ends, what is not done is kept, every file is closed.
    pub async fn stop(self) {
        let Self { front, back, functions, opened, calls, .. } = self;
        // Who waits for an answer that never comes waits in vain.
        let grace = if calls.is_frozen() { Duration::ZERO } else { GRACE };
        front.stop(grace).await;
        drop(functions);
        back.stop(grace).await;
        drop(opened);
    }

    /// Where the HTTP API is.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.environment.api_url
    }

    /// Where the pages under `/_local` are: the API's address, or our own where others serve it.
    #[must_use]
    pub fn pages_url(&self) -> String {
        format!("{}/_local", self.environment.own_url)
    }

    /// A token with every permission.
    #[must_use]
    pub fn operator_token(&self) -> &str {
        &self.operator_token
    }

    /// The variables of all functions together, with endpoints and credentials.
    #[must_use]
    pub fn env(&self) -> Env {
        self.environment.of_all(&self.template).into_iter().collect()
    }

    /// The template that is played.
    #[must_use]
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// Mails, events, secrets, executions and dead letters.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.opened.state
    }

    /// The calls that reached AWS, and switches that let some fail.
    #[must_use]
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// Every item of every table, in DynamoDB's JSON.
    ///
    /// # Errors
    ///
    /// Where the database cannot be read.
    pub fn items(&self) -> Result<Vec<Value>> {
        let tables = self.template.tables.iter();
        let items = tables.map(|table| table::items(&self.opened.database, &table.name));
        Ok(items.collect::<Result<Vec<_>>>()?.concat())
    }

    /// Hands `payload` to a function, as Lambda would.
    ///
    /// # Errors
    ///
    /// What the function failed of.
    pub async fn invoke(&self, function: &str, payload: Value) -> Result<Value, String> {
        self.functions.invoke(function, payload).await
    }

    /// Invokes what schedules invoke, now.
    ///
    /// # Errors
    ///
    /// What the first function to fail failed of.
    pub async fn run_schedules(&self) -> Result<(), String> {
        for function in &self.template.functions {
            for timer in &function.schedules {
                schedule::invoke(timer, &function.binary, &self.functions).await?;
            }
        }
        Ok(())
    }

    /// Lets pipelines end in another way from now on.
    pub fn end_pipelines_with(&self, outcome: Outcome) {
        *self.outcome() = outcome;
        self.opened.state.execution.notify_one();
    }

    /// Whether nothing is under way: streams are read, events delivered, pipelines ended (unless
    /// they are silent).
    ///
    /// # Errors
    ///
    /// Where the database or the state cannot be read.
    pub fn is_settled(&self) -> Result<bool> {
        let doing = Error::doing("looking for what is under way");
        let read = self.streams_read_up_to()?;
        let waits_for_pipelines = *self.outcome() != Outcome::Silent;
        let is_idle = self.state().is_idle(waits_for_pipelines).map_err(doing)?;
        // What was delivered in between may have written something new.
        Ok(read.is_some() && is_idle && self.streams_read_up_to()? == read)
    }

    /// The last record of each stream; `None` where one is not read so far.
    fn streams_read_up_to(&self) -> Result<Option<Vec<String>>> {
        let mut all = Vec::new();
        for function in &self.template.functions {
            for mapping in &function.streams {
                let last = Records::of(&self.opened.database, &mapping.table)?.last()?;
                let read = self.state().checkpoint(&mapping.name(&function.binary));
                let read = read.map_err(Error::doing("looking for what is under way"))?;
                if read.unwrap_or_default() < last {
                    return Ok(None);
                }
                all.push(last);
            }
        }
        Ok(Some(all))
    }

    fn outcome(&self) -> MutexGuard<'_, Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts what works: deliveries, streams, schedules, pipelines.
    fn work(&mut self, options: &Options, buses: &Arc<Buses>, written: &Arc<tokio::sync::Notify>) {
        let stop = self.front.stop.clone();
        let state = || Arc::clone(&self.opened.state);
        let tasks = &mut self.front.tasks;
        let worker = Worker {
            state: state(),
            functions: Arc::clone(&self.functions),
            template: Arc::clone(&self.template),
        };
        tasks.spawn(worker.run(stop.clone()));
        let player = Player {
            state: state(),
            buses: Arc::clone(buses),
            script: player::script(&options.template),
            delay: options.pipeline_delay(),
            outcome: Arc::clone(&self.outcome),
            turns: Semaphore::new(player::MOST),
            siloed: self
                .environment
                .of_all(&self.template)
                .remove("SILOED_PIPELINE")
                .unwrap_or_default(),
            api_url: self.environment.api_url.clone(),
        };
        tasks.spawn(player.run(stop.clone()));
        for function in &self.template.functions {
            for mapping in function.streams.clone() {
                let reader = Reader {
                    mapping,
                    function: function.binary.clone(),
                    region: self.environment.region.clone(),
                    database: self.opened.database.clone(),
                    state: state(),
                    functions: Arc::clone(&self.functions),
                    written: Arc::clone(written),
                };
                tasks.spawn(reader.run(stop.clone()));
            }
            for timer in function.schedules.clone() {
                let (binary, functions) = (function.binary.clone(), Arc::clone(&self.functions));
                tasks.spawn(schedule::run(timer, binary, functions, stop.clone()));
            }
        }
    }

    fn serve_api(&mut self, listener: TcpListener) {
        let links = pages::Links {
            base_url: self.environment.api_url.clone(),
            endpoints: self.environment.endpoints(),
        };
        let host = self.environment.own_url.trim_start_matches("http://").to_owned();
        let gateway = Arc::new(Gateway::new(&self.template, Arc::clone(&self.functions), host));
        let pages = pages::router(Arc::clone(&self.opened.state), links);
        self.front.serve(listener, pages.merge(gateway.router()));
    }

    async fn token(&self) -> Result<String> {
        let doing = || Error::doing("signing the operator token");
        let env = self.env();
        let aws = shared::aws::Aws::from_env(&env).map_err(doing())?;
        let tokens = Tokens::from_env(&env, &aws).await.map_err(doing())?;
        let claims = Claims {
            id: "local-operator".into(),
            user_tenant_id: "tenantry".into(),
            permissions: Permission::ALL.iter().map(ToString::to_string).collect(),
            iss: env.required("JWT_ISSUER").map_err(doing())?.to_owned(),
            exp: (shared::now() + OPERATOR_EXPIRY).seconds(),
        };
        tokens.sign(&claims).map_err(Error::doing("signing the operator token"))
    }

    fn write_env_file(&self, options: &Options) -> Result<()> {
        if options.env_file.as_os_str().is_empty() {
            return Ok(());
        }
        let mut variables: BTreeMap<String, String> = self.environment.of_all(&self.template);
        variables.insert("BASE_URL".into(), self.base_url().to_owned());
        variables.insert("OPERATOR_TOKEN".into(), self.operator_token.clone());
        env_file::write(&options.env_file, &variables).map_err(Error::doing("writing .local/env"))
    }
}

impl Stage {
    fn new() -> Self {
        let (switch, stop) = Stop::new();
        Self { switch, stop, tasks: JoinSet::new() }
    }

    fn serve(&mut self, listener: TcpListener, router: axum::Router) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            if let Err(cause) = serve(listener, router, stop).await {
                tracing::error!(%cause, "a listener ended");
            }
        });
    }

    fn serve_database(&mut self, listener: TcpListener, database: dynoxide::Database) {
        let stop = self.stop.wait();
        self.tasks.spawn(async move {
            if let Err(cause) =
                dynoxide::server::serve_with_shutdown(listener, database, stop).await
            {
                tracing::error!(cause, "the table's listener ended");
            }
        });
    }

    /// Deletes what has expired, as DynamoDB does in its own time.
    fn sweep(&mut self, database: dynoxide::Database) {
        let stop = self.stop.wait();
        self.tasks.spawn(async move {
            tokio::pin!(stop);
            loop {
                tokio::select! {
                    () = &mut stop => return,
                    () = tokio::time::sleep(Duration::from_secs(30)) => {}
                }
                let database = database.clone();
                if let Ok(Err(cause)) =
                    tokio::task::spawn_blocking(move || database.sweep_ttl()).await
                {
                    tracing::error!(%cause, "expired items cannot be deleted");
                }
            }
        });
    }

    async fn stop(self, grace: Duration) {
        let Self { switch, mut tasks, .. } = self;
        drop(switch);
        let ended = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, ended).await.is_err() {
            tasks.shutdown().await;
        }
    }
}

async fn bind(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port)).await
}

async fn any() -> Result<TcpListener> {
    bind(0).await.map_err(|cause| Error::Port { port: 0, cause })
}

fn port_of(listener: &TcpListener) -> Result<u16> {
    let address = listener.local_addr().map_err(Error::doing("listening"))?;
    Ok(address.port())
}
