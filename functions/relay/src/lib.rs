//! The `relay` Lambda.
