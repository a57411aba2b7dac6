//! The cache: a Redis in process, with the commands that functions use. It starts anew now and then, empty
//! or as it was a moment ago.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};

use crate::{
    faults::{Fault, Mishap},
    locked,
    plants::Plant,
    units::SECOND,
    world::World,
};

/// The name of the service in outages.
pub(crate) const SERVICE: &str = "Redis";

/// Number of bytes that a connection holds in each direction.
const BUFFER: usize = 256 * 1024;

/// Longer than a request waits for the cache, which is 100 ms.
const TOO_LATE: Duration = Duration::from_millis(150);

/// An answer in the protocol of Redis (RESP2).
type Answer = Vec<u8>;

#[derive(Debug)]
pub(crate) struct Cache(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    entries: BTreeMap<Vec<u8>, Entry>,
    /// When the process started, in seconds since 1970.
    since: i64,
    /// The number of the process. The connections of earlier ones are closed.
    process: u32,
}

#[derive(Clone, Debug)]
struct Entry {
    value: Vec<u8>,
    /// When it expires, in microseconds since 1970.
    end: i64,
}

/// Starts the cache of a world.
pub(crate) fn serve(world: &Arc<World>) {
    let restarted = Arc::clone(world);
    tokio::spawn(async move { restarted.restart_cache().await });
    let world = Arc::clone(world);
    store::replace_cache_server(move || {
        let (ours, theirs) = duplex(BUFFER);
        if world.faults.is_down(SERVICE) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        tokio::spawn(Arc::clone(&world).answer_cache(ours));
        Ok(theirs)
    });
}

/// Returns the time in microseconds since 1970.
fn now() -> i64 {
    lambda::now().millis() * 1000
}

impl Default for Cache {
    fn default() -> Self {
        let since = lambda::now().seconds();
        Self(Mutex::new(Inner { entries: BTreeMap::new(), since, process: 0 }))
    }
}

impl World {
    /// Answers the commands of a connection.
    async fn answer_cache(self: Arc<Self>, stream: DuplexStream) {
        let process = locked(&self.cache.0).process;
        let mut stream = BufReader::new(stream);
        while let Ok(command) = read(&mut stream).await {
            tokio::time::sleep(Duration::from_millis(self.chance.below(3))).await;
            let fault = self.faults.of_cache(&self.chance);
            if fault == Some(Fault::Late) {
                tokio::time::sleep(TOO_LATE).await;
            }
            let is_lost = fault == Some(Fault::Unsent) || self.faults.is_down(SERVICE);
            if is_lost || locked(&self.cache.0).process != process {
                return;
            }
            let answer = self.command(&command);
            self.trace.add("the cache answers", &[command.concat(), answer.clone()].concat());
            if fault == Some(Fault::AnswerLost) || stream.write_all(&answer).await.is_err() {
                return;
            }
        }
    }

    fn command(&self, command: &[Vec<u8>]) -> Answer {
        let mut cache = locked(&self.cache.0);
        let parts: Vec<&[u8]> = command.iter().map(Vec::as_slice).collect();
        match parts[..] {
            [b"INFO", ..] => {
                let uptime = now() / 1_000_000 - cache.since;
                bulk(format!("uptime_in_seconds:{uptime}\r\n").as_bytes())
            }
            [b"TIME"] => {
                array(&[now() / 1_000_000, now() % 1_000_000].map(|part| bulk(&text(part))))
            }
            [b"GET", name] => cache.get(name).map_or_else(|| b"$-1\r\n".to_vec(), |it| bulk(&it)),
            [b"SET", _, value, b"EX", _]
                if value.starts_with(b"gone ") && self.plant == Some(Plant::TombstoneForgotten) =>
            {
                b"+OK\r\n".to_vec()
            }
            [b"SET", name, value, b"EX", seconds] => {
                cache.set(name, value.to_vec(), number(seconds) * 1_000_000);
                b"+OK\r\n".to_vec()
            }
            [b"EVALSHA", _, b"1", name, interval, capacity] => {
                array(&cache.count(name, number(interval), number(capacity)).map(whole))
            }
            [b"EVALSHA", _, b"1", name, found, at, value, lives, most] => {
                let is_same = cache.get(name).unwrap_or_default() == found;
                let fills = is_same && now() - number(at) <= number(most);
                if fills {
                    let value = [&text(now() / 1_000_000)[..], b" ", value].concat();
                    cache.set(name, value, number(lives) * 1_000_000);
                }
                whole(i64::from(fills))
            }
            _ => b"-ERR unknown command\r\n".to_vec(),
        }
    }

    /// Starts the cache anew from time to time while something happens, as it was a moment ago or empty.
    async fn restart_cache(self: &Arc<Self>) {
        loop {
            let changed = self.history.changed.notified();
            tokio::time::sleep(self.chance.time(SECOND * 60, SECOND * 24 * 3600)).await;
            changed.await;
            let saved = locked(&self.cache.0).entries.clone();
            tokio::time::sleep(self.chance.time(SECOND / 100, SECOND * 20)).await;
            if !self.faults.strike(Mishap::Restarted, 1000, &self.chance) {
                return;
            }
            let mut cache = locked(&self.cache.0);
            cache.entries = if self.chance.is(700) { saved } else { BTreeMap::new() };
            cache.since = lambda::now().seconds();
            cache.process += 1;
            self.trace.add("the cache starts anew", &[]);
        }
    }
}

impl Inner {
    fn get(&self, name: &[u8]) -> Option<Vec<u8>> {
        let entry = self.entries.get(name).filter(|entry| entry.end > now());
        entry.map(|entry| entry.value.clone())
    }

    fn set(&mut self, name: &[u8], value: Vec<u8>, lives: i64) {
        self.entries.insert(name.to_vec(), Entry { value, end: now() + lives });
    }

    /// Counts a call as `gcra.lua` does. Returns its answer.
    fn count(&mut self, name: &[u8], interval: i64, capacity: i64) -> [i64; 3] {
        let empty = self.get(name).map_or(0, |empty| number(&empty)).max(now()) + interval;
        let over = empty - now() - interval * capacity;
        if over > 0 {
            return [0, empty - interval - now(), over];
        }
        self.set(name, text(empty), empty - now());
        [-over / interval, empty - now(), 0]
    }
}

/// Reads a command: an array of strings.
async fn read(stream: &mut BufReader<DuplexStream>) -> io::Result<Vec<Vec<u8>>> {
    let mut parts = Vec::new();
    for _ in 0..length(stream).await? {
        let mut part = vec![0; length(stream).await? + 2];
        stream.read_exact(&mut part).await?;
        part.truncate(part.len() - 2);
        parts.push(part);
    }
    Ok(parts)
}

/// Reads the line with the length of an array or a string.
async fn length(stream: &mut BufReader<DuplexStream>) -> io::Result<usize> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let digits = line.trim_end().get(1..).and_then(|digits| digits.parse().ok());
    digits.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

fn number(text: &[u8]) -> i64 {
    str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn text(number: i64) -> Vec<u8> {
    number.to_string().into_bytes()
}

fn whole(number: i64) -> Answer {
    format!(":{number}\r\n").into_bytes()
}

fn bulk(value: &[u8]) -> Answer {
    [format!("${}\r\n", value.len()).as_bytes(), value, b"\r\n"].concat()
}

fn array(parts: &[Answer]) -> Answer {
    [format!("*{}\r\n", parts.len()).into_bytes(), parts.concat()].concat()
}
