use std::{
    io::{self, BufRead, Write},
    path::PathBuf,
    process::Stdio,
};

use lambda::Env;
use local::{Local, Outcome};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::{options::Options, renewals};

/// Emulates everything except the HTTP functions. Executes one command per line of standard input.
pub(crate) async fn emulate(options: &Options) {
    let mut simulated = local::Options::private(&options.template);
    simulated.aws_only = true;
    simulated.pipeline_outcome = Outcome::Silent;
    let local = Local::start(simulated, Env::process()).await.unwrap();
    let functions = local.template().functions.iter().map(|function| {
        let env = local.env_of(&function.binary).unwrap();
        let env: serde_json::Map<_, _> =
            env.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        (function.binary.clone(), env.into())
    });
    let functions: serde_json::Map<String, Value> = functions.collect();
    print_line(&json!({ "operator": local.operator_token(), "functions": functions }));
    let (lines, mut commands) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        io::stdin().lock().lines().map_while(Result::ok).try_for_each(|line| lines.send(line))
    });
    let mut held = Vec::new();
    while let Some(line) = commands.recv().await {
        match line.as_str() {
            "hold" => held.push(local.hold_streams().await),
            "release" => held.clear(),
            _ => {
                print_line(&answer(&local, &line));
                continue;
            }
        }
        print_line(&json!(null));
    }
}

fn answer(local: &Local, line: &str) -> Value {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    match verb {
        "meter" => {
            // The log is bounded: a full one forgets a call with each new one.
            local.calls().clear();
            local.calls().meter();
            json!(null)
        }
        "cost" => {
            let calls = local.calls().all();
            let calls = calls.iter().filter(|call| call.caller == rest).count();
            let cost = local.calls().cost(&[rest]);
            json!({ "calls": calls, "read": cost.read, "write": cost.write })
        }
        "settled" => json!(local.is_settled().unwrap()),
        "fill" => {
            fill(local, rest.parse().unwrap());
            json!(null)
        }
        "renewals" => {
            renewals::fill(local, rest.parse().unwrap());
            json!(null)
        }
        "due" => json!(renewals::due(local)),
        "records" => json!(local.records(rest).unwrap()),
        "events" => {
            let events = local.state().events().unwrap();
            json!(events.into_iter().map(|event| event.envelope).collect::<Vec<_>>())
        }
        _ => panic!("unknown command: {verb}"),
    }
}

/// Adds `many` copies of an existing tenant, bypassing the stream.
fn fill(local: &Local, many: usize) {
    let of_tenants = |item: &Value| item["entity"]["S"] == "tenant";
    let like = local.items().unwrap().into_iter().find(of_tenants).unwrap();
    for from in (0..many).step_by(10_000) {
        let batch = from..many.min(from + 10_000);
        local.import(batch.map(|n| copy_of(like.clone(), n)).collect()).unwrap();
    }
}

fn copy_of(mut item: Value, n: usize) -> Value {
    let created = format!(
        "2026-01-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        1 + n / 864_000 % 28,
        n / 36_000 % 24,
        n / 600 % 60,
        n / 10 % 60,
        n % 10 * 100
    );
    support::renumber(&mut item, n, created);
    item
}

fn print_line(answer: &Value) {
    let mut out = io::stdout().lock();
    writeln!(out, "{answer}").and_then(|()| out.flush()).unwrap();
}

/// A process that simulates AWS.
#[derive(Debug)]
pub(crate) struct Aws {
    _child: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    greeting: Value,
}

impl Aws {
    /// Starts the process for functions that are served at `url`.
    pub(crate) async fn start(options: &Options, url: &str) -> Self {
        let program: PathBuf = std::env::current_exe().unwrap();
        let mut child = Command::new(program)
            .arg("--template")
            .arg(&options.template)
            .arg("aws")
            .env("BASE_URL", url)
            .env("LOG_LEVEL", "warn")
            .env("PUBLIC_API_MAX_ATTEMPTS", "100000000")
            .env("WEBHOOK_API_MAX_ATTEMPTS", "100000000")
            .env("JWT_SECRET", support::JWT_SECRET)
            .env("MASTER_KEYS", support::MASTER_KEY)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let commands = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut aws = Self { _child: child, commands, answers, greeting: Value::Null };
        aws.greeting = aws.read().await;
        aws
    }

    /// Returns an operator's token.
    pub(crate) fn operator(&self) -> &str {
        self.greeting["operator"].as_str().unwrap()
    }

    /// Returns the names of all functions' binaries.
    pub(crate) fn functions(&self) -> Vec<String> {
        self.greeting["functions"].as_object().unwrap().keys().cloned().collect()
    }

    /// Returns the environment variables of a function.
    pub(crate) fn env(&self, function: &str) -> Vec<(&str, &str)> {
        let env = self.greeting["functions"][function].as_object().unwrap().iter();
        env.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect()
    }

    /// Sends a command and returns the answer.
    pub(crate) async fn command(&mut self, line: &str) -> Value {
        self.commands.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        self.read().await
    }

    async fn read(&mut self) -> Value {
        let line = self.answers.next_line().await.unwrap().unwrap();
        serde_json::from_str(&line).unwrap()
    }
}
