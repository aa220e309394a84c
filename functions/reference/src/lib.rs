//! The API's reference.
//!
//! | Lambda | does | code |
//! |---|---|---|
//! | `reference-read` | answers with the OpenAPI document, the page that calls the API, and the pages of problem types | [`read`] |
//!
//! The files are next to the program in its zip: [`site`]. `functions/reference/site.py` makes them.

pub mod read;
pub mod site;

/// The variable with the folder of the unpacked zip. Lambda sets it.
pub const TASK_ROOT: &str = "LAMBDA_TASK_ROOT";
