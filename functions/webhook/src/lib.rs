//! The `webhook` Lambda.
