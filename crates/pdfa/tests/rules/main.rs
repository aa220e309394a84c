//! Each rule of file structure, interactive parts and tagging, with a small file that breaks it and
//! one that does not.

#![allow(clippy::expect_used, reason = "a test may panic")]

mod file_structure;
mod interactive;
mod part_4;
mod support;
