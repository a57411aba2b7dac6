//! The `reconciler` Lambda.
