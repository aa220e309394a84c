use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Unsafe;
use super::public::is_public;

/// Maximum duration of a lookup.
const MAX_LOOKUP: Duration = Duration::from_secs(3);

type Found = Pin<Box<dyn Future<Output = Option<Vec<SocketAddr>>> + Send>>;

/// Resolves names, and refuses a name with a private address. The client resolves the name for each new
/// connection and does not use earlier results.
#[derive(Clone)]
pub(crate) struct Resolver {
    pub(super) trusts_private: bool,
    lookup: Arc<dyn Fn(String) -> Found + Send + Sync>,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver")
            .field("trusts_private", &self.trusts_private)
            .finish_non_exhaustive()
    }
}

impl Resolver {
    /// Resolves names with the system's resolver.
    pub(crate) fn system(trusts_private: bool) -> Self {
        let lookup = |name: String| -> Found {
            Box::pin(async move {
                let found = tokio::net::lookup_host((name, 0));
                Some(tokio::time::timeout(MAX_LOOKUP, found).await.ok()?.ok()?.collect())
            })
        };
        Self { trusts_private, lookup: Arc::new(lookup) }
    }

    #[cfg(test)]
    pub(crate) fn asking(
        trusts_private: bool,
        answer: impl Fn(String) -> Vec<SocketAddr> + Send + Sync + 'static,
    ) -> Self {
        let lookup = move |name| -> Found {
            let found = answer(name);
            Box::pin(async move { Some(found) })
        };
        Self { trusts_private, lookup: Arc::new(lookup) }
    }

    /// The addresses of a name, all of them public.
    pub(super) async fn addresses(&self, name: &str) -> Result<Vec<SocketAddr>, Unsafe> {
        let found = (self.lookup)(name.to_owned()).await.unwrap_or_default();
        if found.is_empty() {
            return Err(Unsafe::Unknown);
        }
        let is_safe = self.trusts_private || found.iter().all(|at| is_public(at.ip()));
        if is_safe { Ok(found) } else { Err(Unsafe::Private) }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let found = resolver.addresses(name.as_str()).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
