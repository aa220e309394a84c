//! Trace propagation.
//!
//! **Guarantees.** Work continues the trace that it arrives with: from API Gateway's request (`traceparent`
//! of [W3C](https://www.w3.org/TR/trace-context/), or X-Ray's header), through the attributes of a message
//! or of a stream's item, to the log lines and to the next messages. An invalid header is ignored, and a
//! new trace starts.
//!
//! ```
//! use shared::trace::TraceContext;
//!
//! let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
//! let caller = TraceContext::from_traceparent(header).unwrap();
//! let ours = caller.child();
//! assert_eq!(ours.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
//! assert_ne!(ours.traceparent(), header); // another span of the same trace
//! ```

use serde::{Serialize, Serializer};

/// A span of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    pub(crate) trace_id: u128,
    pub(crate) span_id: u64,
    pub(crate) is_sampled: bool,
}

impl TraceContext {
    /// The first span of a new trace.
    #[must_use]
    pub fn root() -> Self {
        Self { trace_id: fastrand::u128(1..), span_id: fastrand::u64(1..), is_sampled: true }
    }

    /// A new span below this one.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span_id: fastrand::u64(1..), ..self }
    }

    /// Parses the header `traceparent`; `None` if it is invalid.
    #[must_use]
    pub fn from_traceparent(header: &str) -> Option<Self> {
        let mut parts = header.trim().split('-');
        let (version, trace_id) = (hex(parts.next()?, 2)?, hex(parts.next()?, 32)?);
        let (span_id, flags) = (hex(parts.next()?, 16)?, hex(parts.next()?, 2)?);
        // Version 0 has no more parts; a later version may have some; ff is invalid.
        let is_known = (version == 0 && parts.next().is_none()) || (1..0xff).contains(&version);
        Self::new(trace_id, span_id, flags & 1 == 1).filter(|_| is_known)
    }

    /// Parses X-Ray's header; `None` if it is invalid. Such as
    /// `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`.
    #[must_use]
    pub fn from_xray(header: &str) -> Option<Self> {
        let field = |name: &str| {
            header.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let (time, random) = field("Root")?.strip_prefix("1-")?.split_once('-')?;
        let trace_id = (hex(time, 8)? << 96) | hex(random, 24)?;
        let span_id = hex(field("Parent")?, 16)?;
        Self::new(trace_id, span_id, field("Sampled") == Some("1"))
    }

    fn new(trace_id: u128, span_id: u128, is_sampled: bool) -> Option<Self> {
        let span_id = u64::try_from(span_id).ok()?;
        (trace_id != 0 && span_id != 0).then_some(Self { trace_id, span_id, is_sampled })
    }

    /// The trace's id, 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace_id)
    }

    /// The header `traceparent` for requests of this span.
    #[must_use]
    pub fn traceparent(&self) -> String {
        let flags = u8::from(self.is_sampled);
        format!("00-{:032x}-{:016x}-{flags:02x}", self.trace_id, self.span_id)
    }

    /// X-Ray's header for requests of this span.
    #[must_use]
    pub fn xray(&self) -> String {
        let id = self.trace_id();
        let (time, random) = id.split_at(8);
        let sampled = u8::from(self.is_sampled);
        format!("Root=1-{time}-{random};Parent={:016x};Sampled={sampled}", self.span_id)
    }
}

/// Serializes the trace's id, by which log lines are found.
impl Serialize for TraceContext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.trace_id())
    }
}

/// Parses exactly `digits` lower-case hexadecimal digits.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (text.len() == digits && text.bytes().all(is_hex))
        .then(|| u128::from_str_radix(text, 16).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const W3C: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const XRAY: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

    #[test]
    fn headers_are_read_and_written() {
        assert_eq!(TraceContext::from_traceparent(W3C).unwrap().traceparent(), W3C);
        assert_eq!(TraceContext::from_xray(XRAY).unwrap().xray(), XRAY);
        let lineage =
            format!("{};Lineage=a87bd80c:1|68fd508a:5", XRAY.replace("Sampled=1", "Sampled=0"));
        let unsampled = TraceContext::from_xray(&lineage).unwrap();
        assert!(unsampled.traceparent().ends_with("-00"));
        assert_eq!(unsampled.trace_id(), "5759e988bd862e3fe1be46a994272793");
        let later = format!("{}-more", W3C.replacen("00", "01", 1));
        assert!(TraceContext::from_traceparent(&later).is_some());
    }

    #[test]
    fn an_invalid_header_is_refused() {
        for bad in [
            "",
            "00",
            &W3C.to_uppercase(),
            &format!("{W3C}-more"),
            &W3C.replacen("00", "ff", 1),
            &W3C.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &W3C.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &W3C.replace("4bf9", "4bg9"),
            &W3C.replace("-4b", "-+b"),
            &W3C.replace("4bf9", "4bé"),
        ] {
            assert_eq!(TraceContext::from_traceparent(bad), None, "{bad:?}");
        }
        for bad in
            ["", "Root=1-5759e988-bd862e3fe1be46a994272793", &XRAY.replace("1-", "2-"), "Root="]
        {
            assert_eq!(TraceContext::from_xray(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_child_is_another_span_of_the_same_trace() {
        let root = TraceContext::root();
        let child = root.child();
        assert_eq!(root.trace_id, child.trace_id);
        assert_ne!(root.span_id, child.span_id);
    }
}
