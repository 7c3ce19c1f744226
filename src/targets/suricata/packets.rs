//! Rules about plain packets: which end opened the conversation, and one alert for all of its packets.
//!
//! A rule that asks for nothing but addresses and ports is tried on the first packet each way ("IP-only"), and an answer
//! from X is a packet from X. Where a pattern says which end is which, the rule therefore asks for packets to the server,
//! which are those of the end that opened the conversation. Such rules are tried on every packet. A bit of the conversation
//! keeps them to one alert; where the protocol may be one of which Suricata follows no conversations (it follows ICMP, TCP,
//! UDP, ESP and SCTP), they alert once an hour for two addresses.

use super::{header::Written, pieces::Variant, text::RuleText};

/// The options of the rule of a variant, and whether it is to alert once in each conversation; `has_exceptions` where its
/// header leaves out some addresses.
pub fn options(variant: &Variant<Written>, has_exceptions: bool) -> (RuleText, bool) {
    let Variant { header, options, any_transport, .. } = variant;
    if header.two_way && options.as_str().is_empty() && !has_exceptions {
        return (RuleText::default(), false);
    }
    let asked = RuleText::new(if header.two_way { "" } else { "flow:to_server; " }).text(options);
    if *any_transport {
        return (asked.word("threshold:type limit,track by_both,count 1,seconds 3600; "), false);
    }
    (asked, true)
}

/// The options of a rule with this number, which alerts once in each conversation: it has a bit of its own there.
pub fn once(options: RuleText, sid: u32) -> RuleText {
    let bit = RuleText::new("stix.").number(sid).word("; ");
    options.word("flowbits:isnotset,").text(&bit).word("flowbits:set,").text(&bit)
}
