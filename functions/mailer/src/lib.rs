//! The `mailer` Lambda.
