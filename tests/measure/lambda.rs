use std::{
    collections::HashMap,
    path::Path,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path as Segment, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::{mpsc, oneshot},
};

use crate::process;

/// Timeout for the first poll and for each invocation: that of the slowest function, `reconciler`.
const TIMEOUT: Duration = Duration::from_secs(55);

/// A function's process with a Runtime API of its own.
#[derive(Debug)]
pub(crate) struct Lambda {
    child: Child,
    invocations: mpsc::UnboundedSender<Invocation>,
    /// Time from the start of the process to its first poll.
    pub(crate) start: Elapsed,
    began: Instant,
}

/// CPU and elapsed time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elapsed {
    /// CPU time of the process.
    pub(crate) cpu: Duration,
    /// Elapsed time.
    pub(crate) wall: Duration,
}

#[derive(Debug)]
struct Invocation {
    payload: Bytes,
    answer: oneshot::Sender<Bytes>,
}

/// The Runtime API: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.
#[derive(Debug)]
struct Api {
    waiting: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    answers: Mutex<HashMap<u64, oneshot::Sender<Bytes>>>,
    next: AtomicU64,
    first: Mutex<Option<oneshot::Sender<Instant>>>,
}

impl Lambda {
    /// Starts `binary` and waits for its first poll.
    pub(crate) async fn start(binary: &Path, env: &[(&str, &str)]) -> Self {
        let (invocations, waiting) = mpsc::unbounded_channel();
        let (first, polled) = oneshot::channel();
        let api = Arc::new(Api {
            waiting: waiting.into(),
            answers: Mutex::default(),
            next: AtomicU64::default(),
            first: Mutex::new(Some(first)),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        tokio::spawn(async move { axum::serve(listener, routes(api)).await });
        let mut command = Command::new(binary);
        command
            .env_clear()
            .envs(env.iter().copied())
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("LOG_LEVEL", "info")
            .stdout(Stdio::null())
            .kill_on_drop(true);
        let began = Instant::now();
        let child = command.spawn().unwrap_or_else(|cause| panic!("{}: {cause}", binary.display()));
        let polled = tokio::time::timeout(TIMEOUT, polled).await;
        let polled =
            polled.unwrap_or_else(|_| panic!("{} does not poll", binary.display())).unwrap();
        let cpu = process::cpu(&[child.id().unwrap()]);
        let start = Elapsed { cpu: Duration::from_nanos(cpu), wall: polled - began };
        Self { child, invocations, start, began }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    /// Returns the time taken since the start.
    pub(crate) fn elapsed(&self) -> Elapsed {
        let cpu = Duration::from_nanos(process::cpu(&[self.pid()]));
        Elapsed { cpu, wall: self.began.elapsed() }
    }

    /// Invokes the function and waits for its answer.
    pub(crate) async fn invoke(&self, payload: Bytes) -> Bytes {
        let (answer, answered) = oneshot::channel();
        self.invocations.send(Invocation { payload, answer }).unwrap();
        tokio::time::timeout(TIMEOUT, answered).await.unwrap().unwrap()
    }
}

fn routes(api: Arc<Api>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(answer))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(answer))
        .with_state(api)
}

async fn next(State(api): State<Arc<Api>>) -> Response {
    if let Some(first) = api.first.lock().unwrap().take() {
        let _ = first.send(Instant::now());
    }
    let Some(Invocation { payload, answer }) = api.waiting.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let id = api.next.fetch_add(1, Ordering::Relaxed);
    api.answers.lock().unwrap().insert(id, answer);
    let deadline = lambda::now().millis() + 55_000;
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", id.to_string()),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-west-1:000000000000:function:measured".to_owned(),
        ),
        ("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000".to_owned()),
    ];
    (headers, payload).into_response()
}

async fn answer(State(api): State<Arc<Api>>, Segment(id): Segment<u64>, body: Bytes) -> StatusCode {
    if let Some(waiting) = api.answers.lock().unwrap().remove(&id) {
        let _ = waiting.send(body);
    }
    StatusCode::ACCEPTED
}
