//! The `pipelines` Lambda.
