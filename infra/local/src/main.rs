//! `cargo run`: runs the whole product on this machine.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use clap::Parser;
use lambda::Env;
use local::{Error, Local, Options};
use tokio::signal::unix::{SignalKind, signal};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    log();
    match Box::pin(run(options)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "local: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Error> {
    let is_kept = options.data != local::Data::Memory;
    let env_file = options.env_file.clone();
    let local = Local::start(options, Env::process()).await?;
    // Standard output may be closed. That is no reason to stop.
    let _ = greet(&local, &env_file, is_kept);
    stopped()
        .await
        .map_err(|cause| Error::Failed { doing: "waiting for signals", cause: cause.into() })?;
    let _ = writeln!(io::stderr(), "stopping");
    local.stop().await;
    Ok(())
}

/// Prints the addresses of everything, and what to try next.
fn greet(local: &Local, env_file: &Path, is_kept: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let (url, pages, token) = (local.base_url(), local.pages_url(), local.operator_token());
    let env_file = env_file.display();
    writeln!(out, "Tenantry is running. Press Ctrl-C to stop.\n")?;
    writeln!(out, "  Sign up     {url}/signup")?;
    writeln!(out, "  Emails      {pages}/mails")?;
    writeln!(out, "  Console     {url}/console")?;
    writeln!(out, "  API         {url}/explorer")?;
    writeln!(out, "  Events, …   {pages}")?;
    if !is_kept {
        writeln!(out, "  Data        in memory, lost when this process ends")?;
    }
    writeln!(
        out,
        "\nChoose a person to sign in to the console, or use this operator token:\n\n  {token}\n"
    )?;
    writeln!(out, "To call the API, run this in another terminal:\n")?;
    writeln!(out, "  . {env_file}")?;
    writeln!(
        out,
        "  curl -s $BASE_URL/leads -H 'content-type: application/json' -d '{{\"firstName\":\"Ada\",\
         \"lastName\":\"Lovelace\",\"companyName\":\"Acme\",\"email\":\"ada@acme.test\"}}'"
    )?;
    writeln!(
        out,
        "  curl -s \"$BASE_URL/search?q=ada\" -H \"authorization: Bearer $OPERATOR_TOKEN\"\n"
    )?;
    out.flush()
}

/// Waits for SIGINT (Ctrl-C) or SIGTERM.
async fn stopped() -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
    }
}

/// Logs to standard error: our crates from `LOG_LEVEL` on, other crates from warnings on.
fn log() {
    let level = Env::process().get("LOG_LEVEL").and_then(|level| level.parse().ok());
    let level = level.unwrap_or(LevelFilter::INFO);
    // The embedded table warns about every failed condition, which is not an error.
    let filter = lambda::logged(level)
        .with_target("local", level)
        .with_target("dynoxide", LevelFilter::ERROR);
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).without_time();
    tracing_subscriber::registry().with(lines).with(filter).init();
}
