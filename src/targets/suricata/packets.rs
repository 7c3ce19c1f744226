//! Rules about plain packets: which end opened the conversation, and one alert for each conversation.
//!
//! A rule that asks for nothing but addresses and ports is tried on the first packet each way ("IP-only"), and an answer
//! from X is a packet from X. Where a pattern says which end is which, the rule therefore asks for packets to the server,
//! which are those of the end that opened the conversation. Such rules are tried on every packet, so a bit of the
//! conversation keeps them to one alert.

use crate::targets::digest::Digest;

use super::{header::Written, pieces::Variant, text::RuleText};

/// Protocols of which Suricata follows conversations: ICMP, TCP, UDP, ESP, ICMPv6, SCTP. Packets of all others stand for
/// themselves.
const FOLLOWED: [u64; 6] = [1, 6, 17, 50, 58, 132];

/// The rules of one variant: for conversations, and for packets that belong to none.
pub struct Rules {
    /// The options of the rule for conversations.
    pub conversation: RuleText,
    /// The options of the rule for packets that Suricata counts to no conversation, where the pattern allows such.
    pub other: Option<RuleText>,
}

impl Rules {
    /// Those of a variant; `has_exceptions` where its header leaves out some addresses.
    pub fn new(variant: &Variant<Written>, has_exceptions: bool) -> Self {
        let Variant { header, options, any_transport, .. } = variant;
        if header.two_way && options.as_str().is_empty() && !has_exceptions {
            return Self { conversation: RuleText::default(), other: None };
        }
        let other = any_transport.then(|| {
            let asked = FOLLOWED.into_iter();
            let asked = asked.fold(RuleText::default(), |text, number| text.word("ip_proto:!").number(number).word("; "));
            asked.text(options).word("threshold:type limit,track by_both,count 1,seconds 3600; ")
        });
        let name = Digest::new([header.text.as_str().as_bytes(), options.as_str().as_bytes()]).number();
        let bit = RuleText::new("stix.").number(name).word("; ");
        let conversation = RuleText::new(if header.two_way { "" } else { "flow:to_server; " }).text(options);
        let conversation = conversation.word("flowbits:isnotset,").text(&bit).word("flowbits:set,").text(&bit);
        Self { conversation, other }
    }
}
