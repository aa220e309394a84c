use std::marker::PhantomData;
use std::ops::Deref;

use axum::extract::{FromRef, FromRequestParts};
use jiff::Timestamp;
use lambda_http::http::request::Parts;
use lambda_http::request::RequestContext;
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::id::{SessionId, TenantId, UserId};
use crate::problem::Problem;
use crate::scopes::Scope;

/// The signed-in user, as the authorizer established.
///
/// The authorizer writes these fields into its context, and API Gateway passes them to the function. The
/// caller cannot set them. API Gateway may cache the authorizer's response for the time that the template
/// sets, so the token's expiry is checked here again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// The user.
    #[serde(rename = "sub")]
    pub user: UserId,
    /// The tenant that the user acts for.
    pub tenant: TenantId,
    /// The user's scopes, separated by spaces.
    pub scope: String,
    /// When the token expires.
    pub expires_at: Timestamp,
    /// The session that the token belongs to. A token that is not a person's has none.
    #[serde(rename = "sid", default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The application that got the token, if it is another one than this API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
}

impl SignedIn {
    /// Requires a scope.
    ///
    /// # Errors
    /// 403 when the user does not have it.
    pub fn require(&self, scope: &str) -> Result<(), Problem> {
        if self.has(scope) { Ok(()) } else { Err(Problem::forbidden(scope)) }
    }

    /// Whether the user has a scope.
    #[must_use]
    pub fn has(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|held| held == scope)
    }
}

impl<S> FromRequestParts<S> for SignedIn
where
    S: Send + Sync,
    Clock: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Some(RequestContext::ApiGatewayV2(context)) = parts.extensions.get() else {
            return Err(Problem::unauthenticated());
        };
        let fields = context.authorizer.as_ref().map(|authorizer| {
            authorizer.fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
        });
        let signed_in: Option<Self> = fields
            .and_then(|fields| serde_json::from_value(serde_json::Value::Object(fields)).ok());
        signed_in
            .filter(|user| Clock::from_ref(state).now() < user.expires_at)
            .ok_or_else(Problem::unauthenticated)
    }
}

/// The signed-in user, who has the scope `S`. Without the scope, the request gets 403 before the handler
/// runs. The [contract](super::contract) says so because the handler takes this type.
#[derive(Debug)]
pub struct Allowed<S> {
    user: SignedIn,
    scope: PhantomData<fn() -> S>,
}

impl<S> Deref for Allowed<S> {
    type Target = SignedIn;

    fn deref(&self) -> &SignedIn {
        &self.user
    }
}

impl<S, T> FromRequestParts<T> for Allowed<S>
where
    S: Scope,
    T: Send + Sync,
    Clock: FromRef<T>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &T) -> Result<Self, Problem> {
        let user = SignedIn::from_request_parts(parts, state).await?;
        user.require(S::NAME)?;
        Ok(Self { user, scope: PhantomData })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Ids;

    #[test]
    fn a_scope_must_match_completely() {
        let ids = Ids::random(Clock::System);
        let user = SignedIn {
            user: ids.next(),
            tenant: ids.next(),
            scope: "documents:read documents:write".into(),
            expires_at: Timestamp::MAX,
            session: None,
            application: None,
        };
        assert!(user.require("documents:read").is_ok());
        for scope in ["documents", "documents:rea", "documents:read documents:write", "", "admin"] {
            assert_eq!(user.require(scope).unwrap_err().status().as_u16(), 403, "{scope:?}");
        }
    }
}
