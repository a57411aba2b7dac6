//! The `pipelines` Lambda.

fn main() {}
