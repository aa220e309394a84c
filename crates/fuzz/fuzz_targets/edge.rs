//! Sends an odd event to a small API: no panic, no 5xx, and the rules of all answers.
#![no_main]

#[allow(dead_code, reason = "the tests of shared use all of it")]
#[path = "../../../shared/tests/http/support/mod.rs"]
mod support;

use std::sync::LazyLock;

use axum::Router;
use libfuzzer_sys::fuzz_target;
use support::odd::OddEvent;
use tokio::runtime::{Builder, Runtime};

static ROUTER: LazyLock<Router> = LazyLock::new(support::router);
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| match Builder::new_current_thread().build() {
    Ok(runtime) => runtime,
    Err(error) => panic!("the runtime does not start: {error}"),
});

fuzz_target!(|odd: OddEvent| {
    let event = odd.event();
    let answer = RUNTIME.block_on(support::call_on(ROUTER.clone(), event.clone()));
    if let Some(rule) = answer.broken_rule() {
        panic!("{rule} for {event}");
    }
});
