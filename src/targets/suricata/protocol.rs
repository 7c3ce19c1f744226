//! Protocols of several layers in one rule.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{
    fragment::AppProtocol,
    header::Ports,
    text::{Keyword, RuleText},
};

/// The protocols of a conversation, layer by layer; `None` for any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stack {
    /// `ip4` or `ip6`.
    network: Option<Keyword>,
    /// `tcp`, `udp` …
    transport: Option<Keyword>,
    /// `http`, `ssh` …
    application: Option<Keyword>,
    /// The ports at which it is recognised, where it is at these only.
    ports: Option<Ports>,
}

impl Stack {
    /// A single protocol, in its layer.
    pub fn new(AppProtocol { protocol, ports }: AppProtocol) -> Self {
        let mut stack = Self { ports, ..Self::default() };
        match protocol.as_str() {
            "ip" => {}
            "ip4" | "ip6" => stack.network = Some(protocol),
            "tcp" | "udp" | "icmp" | "icmpv4" | "icmpv6" | "sctp" => stack.transport = Some(protocol),
            _ => stack.application = Some(protocol),
        }
        stack
    }

    /// Both stacks as one; `None` where they differ in a layer.
    pub fn on(self, other: &Self) -> Option<Self> {
        Some(Self {
            network: same(self.network, other.network.as_ref())?,
            transport: same(self.transport, other.transport.as_ref())?,
            application: same(self.application, other.application.as_ref())?,
            ports: self.ports.or_else(|| other.ports.clone()),
        })
    }

    /// The protocol for the header of a rule, the addresses of the family that it does not imply, and options for what
    /// else there is. An application protocol needs none where the rule looks into it anyway (`bare` is false).
    pub fn written(&self, bare: bool) -> (Option<Keyword>, Option<IpNet>, RuleText) {
        let family = self.network.as_ref().filter(|_| self.has_transport()).map(|network| {
            if network.as_str() == "ip4" { IpNet::V4(Ipv4Net::default()) } else { IpNet::V6(Ipv6Net::default()) }
        });
        let (protocol, options) = match (&self.transport, &self.application) {
            (Some(transport), Some(application)) if bare => {
                let options = RuleText::new("app-layer-protocol:").keyword(application).word("; ");
                (Some(transport), options)
            }
            (transport, application) => {
                (transport.as_ref().or(application.as_ref()).or(self.network.as_ref()), RuleText::default())
            }
        };
        (protocol.cloned(), family, options)
    }

    /// Whether Suricata recognises it in a conversation at some of these ports.
    pub fn is_recognised_at(&self, ports: &Ports) -> bool {
        self.ports.as_ref().is_none_or(|usual| !usual.intersection(ports).is_empty())
    }

    /// Whether it names a protocol above that of the network.
    pub fn has_transport(&self) -> bool {
        self.transport.is_some() || self.application.is_some()
    }
}

fn same(left: Option<Keyword>, right: Option<&Keyword>) -> Option<Option<Keyword>> {
    match (left, right) {
        (Some(left), Some(right)) => (left == *right).then_some(Some(left)),
        (left, right) => Some(left.or_else(|| right.cloned())),
    }
}
