//! What a tenant has to pay, and the page that tells it so.

pub mod pdf;
