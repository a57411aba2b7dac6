//! The `home` Lambda.
