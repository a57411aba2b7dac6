//! The `leads` Lambda.
