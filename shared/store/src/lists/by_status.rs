//! Lists and counts of entities that have a status.

use crate::counters::{TOTAL, status_counter};
use filter::Where;

/// Returns the status that all matching entities have, or `None` if `conditions` do not fix it.
pub(crate) fn status_of(conditions: &Where) -> Option<u8> {
    conditions.equals("status")?.as_u64()?.try_into().ok()
}

/// Returns the name of the counter that holds the number of matches: of all entities, or of those
/// with one status. Returns `None` if no counter does.
pub(crate) fn counter_by_status(conditions: &Where) -> Option<String> {
    if conditions.is_everything() {
        return Some(TOTAL.to_owned());
    }
    status_of(conditions).filter(|_| conditions.is_one_equality()).map(status_counter)
}
