//! Starts and stops all parts of the local run.

mod access;
mod background;
mod stage;
mod view;

use std::{
    fs::File,
    sync::{Arc, Mutex},
    time::Duration,
};

use lambda::Env;
use store::Store;
use tokio::{net::TcpListener, sync::Semaphore};

use crate::{
    Calls, Error, Options, Result,
    aws::Aws,
    bus::{Buses, Worker},
    clock::Clock,
    data::Opened,
    demo::Demo,
    environment::Environment,
    functions::Functions,
    gateway::Gateway,
    host,
    pages::{self, MovableClock},
    pipeline_runner::{self, PipelineRunner},
    provider::Provider,
    schedule,
    stream::Reader,
    table::{self, Proxy, Streams},
    template::Template,
};
pub(crate) use access::Access;
pub(crate) use background::Background;
use stage::Stage;

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
    access: Arc<Access>,
    template: Arc<Template>,
    opened: Opened,
    calls: Arc<Calls>,
    background: Arc<Background>,
    clock: Arc<Clock>,
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
        let ahead = opened.state.clock_ahead().map_err(Error::doing("reading the clock"))?;
        schema::clock::move_ahead_to(ahead);
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

        let functions =
            Functions::build(&template, options.aws_only, |function| environment.of(function));
        let streams = Streams::of(&template, &engine, &scope.region)?;
        let background = Arc::new(Background {
            engine,
            streams: Arc::new(streams),
            state: Arc::clone(&opened.state),
            template: Arc::clone(&template),
            functions: Arc::new(Box::pin(functions).await?),
            outcome: Arc::new(Mutex::new(options.pipeline_outcome)),
            hold: Arc::default(),
        });
        let access = Access::new(environment.clone(), Arc::clone(&template), &options).await?;
        let access = Arc::new(access);
        let clock = Clock::new(Arc::clone(&background), Arc::clone(&access));
        let front = Stage::new();
        let clock = Arc::new(clock);
        let mut local =
            Self { environment, access, template, opened, calls, background, clock, front, back };
        local.work(&options, &buses, &written);
        local.serve_api(listener, &options)?;
        if options.demo {
            local.fill().await?;
        }
        local.access.write()?;
        Ok(local)
    }

    /// Stops everything: running work ends, pending work is kept, and all files are closed.
    pub async fn stop(self) {
        let Self { front, back, background, clock, opened, calls, .. } = self;
        // After a freeze, some callers wait for an answer that never comes.
        let grace = if calls.is_frozen() { Duration::ZERO } else { GRACE };
        front.stop(grace).await;
        drop((clock, background));
        back.stop(grace).await;
        drop(opened);
    }

    /// Starts the background tasks: deliveries, streams, schedules, pipelines and expiry.
    fn work(&mut self, options: &Options, buses: &Arc<Buses>, written: &Arc<tokio::sync::Notify>) {
        if self.background.engine.is_embedded() {
            self.front.sweep(Arc::clone(&self.background));
        }
        let stop = self.front.stop.clone();
        let state = || Arc::clone(&self.opened.state);
        let tasks = &mut self.front.tasks;
        let worker = Worker {
            state: state(),
            functions: Arc::clone(&self.background.functions),
            template: Arc::clone(&self.template),
        };
        tasks.spawn(worker.run(stop.clone()));
        let runner = PipelineRunner {
            state: state(),
            buses: Arc::clone(buses),
            script: pipeline_runner::script(&options.template),
            delay: options.pipeline_delay(),
            outcome: Arc::clone(&self.background.outcome),
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
                    streams: Arc::clone(&self.background.streams),
                    state: state(),
                    functions: Arc::clone(&self.background.functions),
                    written: Arc::clone(written),
                    hold: Arc::clone(&self.background.hold),
                };
                tasks.spawn(reader.run(stop.clone()));
            }
            for timer in function.schedules.clone() {
                let functions = Arc::clone(&self.background.functions);
                let binary = function.binary.clone();
                tasks.spawn(schedule::run(timer, binary, functions, stop.clone()));
            }
        }
    }

    fn serve_api(&mut self, listener: TcpListener, options: &Options) -> Result<()> {
        let links = pages::Links {
            base_url: self.environment.api_url.clone(),
            endpoints: self.environment.endpoints(),
        };
        let host = self.environment.own_url.trim_start_matches("http://").to_owned();
        let gateway =
            Arc::new(Gateway::new(&self.template, Arc::clone(&self.background.functions), host));
        let clock = (!options.aws_only).then(|| Arc::clone(&self.clock));
        let pages = pages::router(Arc::clone(&self.opened.state), links, MovableClock(clock));
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
