//! Starts and stops all parts of the local run.

mod stage;
mod view;

use std::{
    collections::BTreeMap,
    fs::File,
    sync::{Arc, Mutex},
    time::Duration,
};

use domain::Permission;
use lambda::{Env, token::Tokens};
use store::Store;
use tokio::{net::TcpListener, sync::Semaphore};

use crate::{
    Calls, Error, Options, Outcome, Result,
    aws::Aws,
    bus::{Buses, Worker},
    data::Opened,
    demo::Demo,
    env_file,
    environment::Environment,
    functions::Functions,
    gateway::Gateway,
    host, pages,
    pipeline_runner::{self, PipelineRunner},
    provider::Provider,
    schedule,
    stream::Reader,
    table::{self, Engine, Proxy},
    template::Template,
};
use stage::Stage;

/// Validity of the operator token.
const OPERATOR_EXPIRY: Duration = Duration::from_secs(12 * 3600);

/// How long running requests and deliveries may take after the stop.
const GRACE: Duration = Duration::from_secs(5);

/// How long a client of the API may keep an idle connection. AWS does not document the limit of API
/// Gateway. The default of its load balancers is one minute:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html>.
const IDLE: Duration = Duration::from_secs(60);

/// The running product. Dropping it stops it; [`Local::stop`] also waits for the end.
#[derive(Debug)]
pub struct Local {
    environment: Environment,
    operator_token: String,
    template: Arc<Template>,
    opened: Opened,
    engine: Engine,
    calls: Arc<Calls>,
    functions: Arc<Functions>,
    outcome: Arc<Mutex<Outcome>>,
    /// The API and the background tasks, stopped first.
    front: Stage,
    /// The services that functions call, stopped after the functions.
    back: Stage,
}

impl Local {
    /// Starts everything. The variables in `outside` override those of the template.
    ///
    /// # Errors
    ///
    /// If the port is in use, the data folder is unusable, the template is invalid or unsupported,
    /// or a function cannot start.
    pub async fn start(options: Options, outside: Env) -> Result<Self> {
        let port = options.port;
        let listener = bind(port).await.map_err(|cause| Error::Port { port, cause })?;
        let (database_listener, front_listener, aws_listener) =
            (any().await?, any().await?, any().await?);
        let (front_port, aws_port) = (port_of(&front_listener)?, port_of(&aws_listener)?);
        let environment =
            Environment::new(&options, outside, port_of(&listener)?, front_port, aws_port);
        let scope = environment.scope();
        let template = Arc::new(Template::read(&options.template, &scope)?);
        let opened = options.data.open()?;
        let engine = options.engine(&opened.database);
        table::create(&engine, &template.tables)?;

        let mut back = Stage::new();
        let calls = Arc::<Calls>::default();
        if let Some(file) = &options.permissions {
            let file = File::options().append(true).create(true).open(file);
            calls.record_to(file.map_err(Error::doing("recording permissions"))?);
        }
        let database = format!("127.0.0.1:{}", port_of(&database_listener)?);
        let front_of_table =
            Arc::new(Proxy::new(Arc::clone(&calls), &engine, &template.tables, database));
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
        let (front, aws) = (front_of_table.router(), aws.router());
        back.serve(front_listener, host::guarded(front), None);
        back.serve(aws_listener, host::guarded(aws), None);
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
            engine,
            calls,
            functions,
            outcome,
            back,
        };
        local.work(&options, &buses, &written);
        local.operator_token = local.token().await?;
        local.serve_api(listener)?;
        if options.demo {
            local.fill().await?;
        }
        local.write_env_file(&options)?;
        Ok(local)
    }

    /// Stops everything: running work ends, pending work is kept, and all files are closed.
    pub async fn stop(self) {
        let Self { front, back, functions, opened, calls, .. } = self;
        // After a freeze, some callers wait for an answer that never comes.
        let grace = if calls.is_frozen() { Duration::ZERO } else { GRACE };
        front.stop(grace).await;
        drop(functions);
        back.stop(grace).await;
        drop(opened);
    }

    /// Starts the background tasks: deliveries, streams, schedules and pipelines.
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
        let runner = PipelineRunner {
            state: state(),
            buses: Arc::clone(buses),
            script: pipeline_runner::script(&options.template),
            delay: options.pipeline_delay(),
            outcome: Arc::clone(&self.outcome),
            turns: Semaphore::new(pipeline_runner::MAX_SCRIPTS),
            siloed: self
                .environment
                .of_all(&self.template)
                .remove("SILOED_PIPELINE")
                .unwrap_or_default(),
            api_url: self.environment.api_url.clone(),
        };
        tasks.spawn(runner.run(stop.clone()));
        for function in &self.template.functions {
            for mapping in function.streams.clone() {
                let reader = Reader {
                    mapping,
                    function: function.binary.clone(),
                    region: self.environment.region.clone(),
                    engine: self.engine.clone(),
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

    fn serve_api(&mut self, listener: TcpListener) -> Result<()> {
        let links = pages::Links {
            base_url: self.environment.api_url.clone(),
            endpoints: self.environment.endpoints(),
        };
        let host = self.environment.own_url.trim_start_matches("http://").to_owned();
        let gateway = Arc::new(Gateway::new(&self.template, Arc::clone(&self.functions), host));
        let pages = pages::router(Arc::clone(&self.opened.state), links);
        let provider = Provider::new(&self.environment.own_url)
            .map_err(Error::doing("starting the OpenID provider"))?;
        let pages = host::guarded(pages.merge(provider.router()));
        self.front.serve(listener, pages.merge(gateway.router()), Some(IDLE));
        Ok(())
    }

    /// Writes the example data.
    async fn fill(&self) -> Result<()> {
        const DOING: &str = "writing the example data";
        let (env, now) = (self.env(), lambda::now());
        let aws = lambda::aws::Aws::from_env(&env).map_err(Error::doing(DOING))?;
        let store = Store::from_env(&env, &aws).map_err(Error::doing(DOING))?;
        Box::pin(Demo::new(store, now).write()).await.map_err(Error::doing(DOING))
    }

    async fn token(&self) -> Result<String> {
        let doing = || Error::doing("signing the operator token");
        let env = self.env();
        let aws = lambda::aws::Aws::from_env(&env).map_err(doing())?;
        let tokens = Tokens::from_env(&env, &aws).await.map_err(doing())?;
        let expiry = lambda::now() + OPERATOR_EXPIRY;
        let token = tokens.for_operator("local-operator", Permission::ALL, expiry);
        token.map_err(Error::doing("signing the operator token"))
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
