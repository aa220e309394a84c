//! Odd requests to the authorizer: each is refused, and none makes it fail.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::support::{Auth, auth, sample};

static AUTH: LazyLock<(Runtime, Auth)> = LazyLock::new(|| {
    let runtime = Runtime::new().unwrap();
    let auth = runtime.block_on(auth());
    (runtime, auth)
});

fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => "(?i)(bearer|basic)? ?[a-z0-9_.=,\" -]{0,60}".prop_map(Value::from),
        // The three parts of a token, with any header and any claims.
        2 => "Bearer eyJ[A-Za-z0-9_-]{0,60}\\.eyJ[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,90}".prop_map(Value::from),
        2 => ".*".prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<f64>().prop_map(Value::from),
        1 => Just(json!(["Bearer a"])),
        1 => Just(json!({"authorization": "Bearer a"})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_odd_request_passes_or_fails_the_authorizer(
        place in prop::sample::select(vec![
            "", "/headers", "/headers/authorization", "/headers/Authorization", "/requestContext",
            "/identitySource", "/version", "/rawPath", "/pathParameters", "/cookies",
        ]),
        odd in odd_value(),
    ) {
        let mut request = sample("authorize");
        if place == "/headers/Authorization" {
            request["headers"]["Authorization"] = odd;
        } else if let Some(member) = request.pointer_mut(place) {
            *member = odd;
        }
        let (runtime, auth) = &*AUTH;
        let answer = runtime.block_on(auth.authorizer.answer(&request)).unwrap();
        let answer = serde_json::to_value(answer).unwrap();
        prop_assert_eq!(answer, json!({"isAuthorized": false, "context": null}));
    }
}
