//! Addresses as logs write them.

use std::net::IpAddr;

/// An address in the forms that logs have: IPv6 shortened, in full, and in full with all its zeros.
pub(super) fn forms(address: IpAddr) -> Vec<String> {
    let mut forms = vec![address.to_string()];
    if let IpAddr::V6(address) = address {
        forms.push(address.segments().map(|part| format!("{part:x}")).join(":"));
        forms.push(address.segments().map(|part| format!("{part:04x}")).join(":"));
        // They are the same where there is nothing to shorten.
        forms.dedup();
    }
    forms
}
