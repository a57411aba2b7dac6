//! Filters over made-up items.
