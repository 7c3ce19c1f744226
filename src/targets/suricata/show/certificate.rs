//! Certificates of servers, in DER (RFC 5280).

use super::{Ends, Object, Way, World, has_hashes, payload::Payload, text};
use crate::{hex, plan::serial_octets};

const SOME_HOST: &str = "unseen.test";
/// Tags of ASN.1 (X.690).
const INTEGER: u8 = 2;
const BITS: u8 = 3;
const OBJECT: u8 = 6;
const TEXT: u8 = 12;
const TIME: u8 = 23;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// ecdsa-with-SHA256; id-ecPublicKey on prime256v1 (RFC 5480).
const SIGNATURE: [u8; 8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const KEY: [u8; 7] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const CURVE: [u8; 8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];

/// What a certificate has where it was not seen.
pub(super) const USUAL: &[(&str, &str)] =
    &[("serial_number", "01"), ("subject", "CN=unseen.test"), ("issuer", "CN=issuer.test")];

/// A certificate is shown by a server, in the clear up to TLS 1.2.
pub(super) fn certificate(world: World<'_>, object: &Object) -> Option<Vec<Way>> {
    let way = |certificate: Vec<u8>| Way {
        ends: Ends::default(),
        payload: Payload::Tls { name: SOME_HOST.to_owned(), certificate: Some(certificate) },
    };
    Some(shown(world, object)?.into_iter().map(way).collect())
}

/// The certificates that have these properties, in DER. A name of several parts is encoded in the order of its text, or
/// in the reverse (RFC 4514, section 2.1), as the tool that wrote the text has it. `None` where there is none: a known one
/// has names and a number of its own.
pub(super) fn shown(world: World<'_>, object: &Object) -> Option<Vec<Vec<u8>>> {
    if let Some(known) = world.content(object) {
        let of_its_own = USUAL.iter().any(|(property, _)| object.contains_key(*property));
        return (!of_its_own && has_hashes(object, known)).then(|| vec![known.to_vec()]);
    }
    let mut shown = vec![made(object, false)?, made(object, true)?];
    shown.dedup();
    Some(shown)
}

/// A certificate with these properties; `None` where the serial number or a name is none.
fn made(object: &Object, turned: bool) -> Option<Vec<u8>> {
    let usual = |property: &str| USUAL.iter().find(|(name, _)| *name == property).map_or("", |(_, usual)| usual);
    let given = |property| text(object, property).unwrap_or_else(|| usual(property));
    let serial = serial(given("serial_number"))?;
    let (subject, issuer) = (name(given("subject"), turned)?, name(given("issuer"), turned)?);
    let algorithm = tagged(SEQUENCE, &tagged(OBJECT, &SIGNATURE));
    let time = |text: &[u8]| tagged(TIME, text);
    let validity = tagged(SEQUENCE, &[time(b"230101000000Z"), time(b"330101000000Z")].concat());
    // A point of the curve has its form in front; nobody checks that this is one. Certificates with other hashes are
    // others.
    let hashes = object.get("hashes").map(ToString::to_string).unwrap_or_default();
    let point: Vec<u8> = [0, 4].into_iter().chain(hashes.bytes().chain(std::iter::repeat(7)).take(256)).collect();
    let kind = tagged(SEQUENCE, &[tagged(OBJECT, &KEY), tagged(OBJECT, &CURVE)].concat());
    let key = tagged(SEQUENCE, &[kind, tagged(BITS, &point)].concat());
    let version = tagged(0xa0, &tagged(INTEGER, &[2]));
    let parts = [version, tagged(INTEGER, &serial), algorithm.clone(), issuer, validity, subject, key];
    let body = tagged(SEQUENCE, &parts.concat());
    let one = tagged(INTEGER, &[1]);
    let signature = tagged(SEQUENCE, &[one.clone(), one].concat());
    let signed = tagged(BITS, &[&[0], signature.as_slice()].concat());
    Some(tagged(SEQUENCE, &[body, algorithm, signed].concat()))
}

/// The bytes of a serial number in hexadecimal, as a positive number.
fn serial(written: &str) -> Option<Vec<u8>> {
    let mut bytes = hex::decode(&serial_octets(written)?)?;
    if *bytes.first()? >= 0x80 {
        bytes.insert(0, 0);
    }
    Some(bytes)
}

/// A distinguished name; `None` where a text is none, for a sensor never shows such a one.
fn name(written: &str, turned: bool) -> Option<Vec<u8>> {
    let pair = |part: &str| {
        let (kind, value) = part.trim().split_once('=')?;
        Some((attribute(kind.trim())?, value.trim().to_owned()))
    };
    let mut parts: Vec<(Vec<u8>, String)> = written.split(',').map(pair).collect::<Option<_>>()?;
    if turned {
        parts.reverse();
    }
    let part = |(kind, value): (Vec<u8>, String)| {
        tagged(SET, &tagged(SEQUENCE, &[tagged(OBJECT, &kind), tagged(TEXT, value.as_bytes())].concat()))
    };
    Some(tagged(SEQUENCE, &parts.into_iter().map(part).collect::<Vec<_>>().concat()))
}

fn attribute(name: &str) -> Option<Vec<u8>> {
    Some(match name {
        "CN" => vec![0x55, 4, 3],
        "C" => vec![0x55, 4, 6],
        "L" => vec![0x55, 4, 7],
        "ST" => vec![0x55, 4, 8],
        "O" => vec![0x55, 4, 10],
        "OU" => vec![0x55, 4, 11],
        "emailAddress" => vec![0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1],
        _ => return None,
    })
}

/// Bytes behind their tag and length (X.690, section 8.1).
fn tagged(tag: u8, bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len().to_be_bytes();
    let zeros = length.iter().take_while(|byte| **byte == 0).count().min(length.len() - 1);
    let digits = &length[zeros..];
    let mut all = vec![tag];
    if bytes.len() >= 0x80 {
        // At most eight digits.
        all.push(0x80 | digits.len() as u8);
    }
    all.extend_from_slice(digits);
    all.extend_from_slice(bytes);
    all
}
