use std::time::Duration;

use serde_json::{Value, json};

use super::Reader;
use crate::{functions::MAX_BYTES, state};

/// The maximum wait between two attempts. Lambda waits up to a minute; see [`Batch::take`].
const MAX_WAIT: Duration = Duration::from_secs(3);

/// Records for one invocation. After a failure they are split into pieces.
pub(super) struct Batch<'a> {
    reader: &'a Reader,
    /// The remaining pieces, last piece first.
    pieces: Vec<Vec<Value>>,
    attempts: u32,
}

/// The result of invoking the function with a piece.
enum Outcome {
    Taken,
    /// The records before this position were handled.
    TakenUpTo(usize),
    Failed(String),
}

impl<'a> Batch<'a> {
    pub(super) fn new(reader: &'a Reader, records: Vec<Value>) -> Self {
        let room = MAX_BYTES - json!({ "Records": [] }).to_string().len();
        Self { reader, pieces: split(records, room), attempts: 0 }
    }

    /// Invokes the function until every record is handled or given up.
    ///
    /// The waits between attempts are shorter than Lambda's, so that a developer sees the result.
    pub(super) async fn take(mut self) -> state::Result<()> {
        while let Some(mut piece) = self.pieces.pop() {
            match self.hand_over(&piece).await {
                Outcome::Taken => {
                    self.done(&piece)?;
                    self.attempts = 0;
                }
                Outcome::TakenUpTo(position) => {
                    let rest = piece.split_off(position);
                    if !piece.is_empty() {
                        self.done(&piece)?;
                        self.attempts = 0;
                    }
                    self.retry(rest, "the function reported this record as failed").await?;
                }
                // Splitting does not count as a retry.
                Outcome::Failed(_) if self.reader.mapping.bisects && piece.len() > 1 => {
                    let half = piece.split_off(piece.len() / 2);
                    self.pieces.extend([half, piece]);
                }
                Outcome::Failed(error) => self.retry(piece, &error).await?,
            }
        }
        Ok(())
    }

    async fn hand_over(&self, piece: &[Value]) -> Outcome {
        let reader = self.reader;
        let event = json!({ "Records": piece });
        let answer = match reader.functions.invoke(&reader.function, event).await {
            Ok(answer) => answer,
            Err(error) => return Outcome::Failed(error),
        };
        let failures = answer["batchItemFailures"]
            .as_array()
            .filter(|failures| reader.mapping.reports_failures && !failures.is_empty());
        let Some(failures) = failures else { return Outcome::Taken };
        let named = failures.iter().map(|failure| failure["itemIdentifier"].as_str());
        // If an identifier is missing or unknown, the whole batch has failed.
        let positions: Option<Vec<usize>> = named
            .map(|name| piece.iter().position(|record| name == Some(sequence(record).as_str())))
            .collect();
        let first = positions.and_then(|positions| positions.into_iter().min());
        Outcome::TakenUpTo(first.unwrap_or(0))
    }

    /// Schedules a retry of the piece and waits, or gives the piece up.
    async fn retry(&mut self, piece: Vec<Value>, error: &str) -> state::Result<()> {
        let reader = self.reader;
        let oldest = piece
            .first()
            .and_then(|record| record["dynamodb"]["ApproximateCreationDateTime"].as_i64());
        let age = lambda::now().seconds() - oldest.unwrap_or_else(|| lambda::now().seconds());
        let is_used_up = reader.mapping.retries.is_some_and(|most| self.attempts >= most);
        let limit = reader.mapping.max_age.map(|limit| limit.as_secs());
        let is_too_old = limit.is_some_and(|limit| u64::try_from(age).unwrap_or(0) > limit);
        if is_used_up || is_too_old {
            self.attempts = 0;
            let last = piece.last().map(sequence).unwrap_or_default();
            let payload = json!({ "Records": piece });
            return reader.state.skip(&reader.name(), &last, &reader.function, error, &payload);
        }
        let wait = Duration::from_millis(100 << self.attempts.min(10));
        self.attempts += 1;
        self.pieces.push(piece);
        tokio::time::sleep(wait.min(MAX_WAIT)).await;
        Ok(())
    }

    fn done(&self, piece: &[Value]) -> state::Result<()> {
        let last = piece.last().map(sequence).unwrap_or_default();
        self.reader.state.set_checkpoint(&self.reader.name(), &last)
    }
}

/// Splits records into pieces of at most `room` bytes, Lambda's limit. Returns the last piece
/// first.
fn split(records: Vec<Value>, room: usize) -> Vec<Vec<Value>> {
    let (mut pieces, mut left) = (Vec::<Vec<Value>>::new(), 0_usize);
    for record in records {
        let size = record.to_string().len() + ",".len();
        match pieces.last_mut() {
            Some(piece) if size <= left => piece.push(record),
            _ => {
                pieces.push(vec![record]);
                left = room;
            }
        }
        left = left.saturating_sub(size);
    }
    pieces.reverse();
    pieces
}

/// Returns the sequence number of a record.
pub(super) fn sequence(record: &Value) -> String {
    record["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_do_not_exceed_the_limit() {
        let lengths = |sizes: &[usize]| -> Vec<usize> {
            let records = sizes.iter().map(|size| Value::from("x".repeat(size - 3)));
            split(records.collect(), 10).iter().map(Vec::len).collect()
        };
        assert_eq!(lengths(&[5, 5, 4, 4, 4, 3]), [2, 2, 2]);
        assert_eq!(lengths(&[3, 12, 3, 3, 3]), [3, 1, 1]);
        assert_eq!(lengths(&[11]), [1]);
        assert!(lengths(&[]).is_empty());
    }
}
