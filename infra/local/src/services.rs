//! The simulated services without sockets, tasks and waits. The caller decides when anything happens.

use std::{path::Path, sync::Arc};

use axum::http::{HeaderMap, Method, Uri, request::Parts};
use dynoxide::{Database, DynoxideError};
use lambda::Env;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use crate::{
    Calls, Data, Error, Handler, Options, Result,
    aws::{self, Aws, AwsFault},
    bus::Buses,
    environment::Environment,
    gateway::{Event, Routes},
    state::{Delivery, State, Status},
    table::{self, Engine, Streams},
    template::{Mapping, Template},
};

/// The table and the simulated services of a template.
pub struct Services {
    environment: Environment,
    template: Arc<Template>,
    database: Database,
    engine: Engine,
    streams: Streams,
    aws: Aws,
    routes: Routes,
}

/// The answer to a call of a service.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: String,
}

impl Answered {
    /// Returns the body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

impl Services {
    /// Opens the services of the template in memory. Variables in `outside` override those of the
    /// template.
    ///
    /// # Errors
    ///
    /// If the template is invalid or unsupported, or the table cannot be created.
    pub fn new(template: &Path, outside: Env) -> Result<Self> {
        // Nothing listens: calls are answered by `answer`, whatever address they are sent to.
        let environment = Environment::new(&Options::private(template), outside, 1, 2, 3);
        let scope = environment.scope();
        let template = Arc::new(Template::read(template, &scope)?);
        let opened = Data::Memory.open()?;
        let engine = Engine::Embedded(opened.database.clone());
        table::create(&engine, &template.tables)?;
        let streams = Streams::of(&template, &engine, &scope.region)?;
        let aws = Aws {
            state: opened.state,
            calls: Arc::<Calls>::default(),
            buses: Arc::new(Buses::new(&template, &scope.region, &scope.account)),
            template: Arc::clone(&template),
            api_url: scope.api_url,
            secrets_arn: format!("arn:aws:secretsmanager:{}:{}:", scope.region, scope.account),
        };
        aws.generate_secrets().map_err(Error::doing("generating the secrets"))?;
        let routes = Routes::new(template.routes());
        Ok(Self { environment, template, database: opened.database, engine, streams, aws, routes })
    }

    /// Returns the template.
    #[must_use]
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// Returns the state: emails, events, secrets, executions and dead letters.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.aws.state
    }

    /// Returns the combined variables of all functions.
    #[must_use]
    pub fn env(&self) -> Env {
        self.environment.of_all(&self.template).into_iter().collect()
    }

    /// Starts the function `binary`.
    ///
    /// # Errors
    ///
    /// If the template does not have it, or it cannot start.
    pub async fn start(&self, binary: &str) -> Result<Handler> {
        let unknown = || Error::doing("starting a function")(format!("there is no {binary}"));
        let function = self.template.function(binary).ok_or_else(unknown)?;
        let started = Box::pin(Handler::build(binary, &self.environment.of(function))).await;
        started.map_err(|cause| Error::Function { binary: binary.to_owned(), cause })
    }

    /// Returns the service and the action that a request of an AWS SDK calls.
    #[must_use]
    pub fn action_of(method: &Method, uri: &Uri, headers: &HeaderMap) -> (&'static str, String) {
        let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        match target.and_then(|target| target.strip_prefix("DynamoDB_20120810.")) {
            Some(action) => ("DynamoDB", action.to_owned()),
            None => aws::action_of(method, uri, headers),
        }
    }

    /// Answers a call.
    #[must_use]
    pub fn answer(&self, service: &'static str, action: &str, body: &[u8]) -> Answered {
        if service == "DynamoDB" {
            return match self.call_table(action, body) {
                Ok(body) => Answered { status: 200, body },
                Err(fault) => Answered { status: fault.status_code(), body: fault.to_json() },
            };
        }
        match self.aws.call(service, action, body) {
            Ok(answer) => Answered { status: 200, body: answer.to_string() },
            Err(fault) => Self::refusal(&fault),
        }
    }

    fn refusal(fault: &AwsFault) -> Answered {
        Answered { status: fault.status().as_u16(), body: fault.body().to_string() }
    }

    /// The actions that functions use, as in the server of the engine.
    fn call_table(&self, action: &str, body: &[u8]) -> Result<String, DynoxideError> {
        let table = &self.database;
        match action {
            "BatchGetItem" => write(&table.batch_get_item(read(body)?)?),
            "DeleteItem" => write(&table.delete_item(read(body)?)?),
            "GetItem" => write(&table.get_item(read(body)?)?),
            "PutItem" => write(&table.put_item(read(body)?)?),
            "Query" => write(&table.query(read(body)?)?),
            "TransactWriteItems" => write(&table.transact_write_items(read(body)?)?),
            "UpdateItem" => write(&table.update_item(read(body)?)?),
            _ => Err(DynoxideError::ValidationException(format!("{action} is not simulated"))),
        }
    }

    /// Returns the function that serves a request to the API, with the request's event.
    #[must_use]
    pub fn event(&self, parts: &Parts, body: &[u8]) -> Option<(String, Box<RawValue>)> {
        let route = self.routes.of(parts.method.as_str(), parts.uri.path())?;
        let peer = std::net::Ipv4Addr::LOCALHOST.into();
        let event = Event::new(route, "127.0.0.1", parts, peer, body);
        Some((route.function.clone(), serde_json::value::to_raw_value(&event).ok()?))
    }

    /// Returns the records of a table's stream after the sequence number `after`, oldest first, in the
    /// format of `mapping`.
    ///
    /// # Errors
    ///
    /// If the stream cannot be read.
    pub fn records(&self, mapping: &Mapping, after: &str) -> Result<Vec<Value>> {
        self.streams.after(after, mapping)
    }

    /// Returns every item of every table, in DynamoDB's JSON.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub fn items(&self) -> Result<Vec<Value>> {
        let tables = self.template.tables.iter();
        let items = tables.map(|table| table::items(&self.engine, &table.name));
        Ok(items.collect::<Result<Vec<_>>>()?.concat())
    }

    /// Deletes expired items, and returns their number.
    ///
    /// # Errors
    ///
    /// If the database cannot be written.
    pub fn sweep_expired(&self) -> Result<usize> {
        let now = lambda::now().seconds();
        self.template.tables.iter().map(|table| table::sweep(&self.engine, table, now)).sum()
    }

    /// Returns the deliveries that follow from events since the last call, with their events. They count
    /// as delivered.
    ///
    /// # Errors
    ///
    /// If the state cannot be accessed.
    pub fn take_deliveries(&self) -> Result<Vec<(Delivery, Value)>> {
        const DOING: &str = "taking deliveries";
        let most = usize::try_from(i32::MAX).unwrap_or(usize::MAX);
        let due = self.aws.state.due_deliveries(i64::MAX, most).map_err(Error::doing(DOING))?;
        for (delivery, _) in &due {
            self.aws.state.delivered(delivery.id).map_err(Error::doing(DOING))?;
        }
        Ok(due)
    }

    /// Ends an execution of a pipeline, and publishes that it did.
    ///
    /// # Errors
    ///
    /// If the state cannot be written.
    pub fn end_execution(&self, pipeline: &str, id: &str, status: Status) -> Result<()> {
        let state = status.name().to_uppercase();
        let event = self.aws.buses.execution_changed(pipeline, id, &state);
        let ended = self.aws.state.end_execution(id, status, "", &event);
        ended.map_err(Error::doing("ending an execution"))
    }
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services").field("environment", &self.environment).finish_non_exhaustive()
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, DynoxideError> {
    let failed =
        |cause: serde_json::Error| DynoxideError::SerializationException(cause.to_string());
    serde_json::from_slice(body).map_err(failed)
}

fn write(answer: &impl Serialize) -> Result<String, DynoxideError> {
    let failed = |cause: serde_json::Error| DynoxideError::InternalServerError(cause.to_string());
    serde_json::to_string(answer).map_err(failed)
}
