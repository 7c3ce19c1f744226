//! What an indicator says, in a number.

use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256};

use super::indicator::Indicator;

impl Indicator<'_> {
    /// A number that is the same for all texts that say the same, however they are laid out, and on every machine. Of two
    /// indicators that claim to be the same version of one object the greater counts, so that their order decides nothing.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let Self {
            id,
            pattern,
            pattern_type,
            pattern_version,
            name,
            description,
            created,
            modified,
            created_by_ref,
            revoked,
            labels,
            indicator_types,
            confidence,
            valid_from,
            valid_until,
            kill_chain_phases,
            external_references,
            object_marking_refs,
            lang,
            score,
            detection,
            diagnostics: _,
        } = self;
        let mut hasher = Stable(Sha256::new());
        (id, pattern, pattern_type.name(), pattern_version, name, description, lang).hash(&mut hasher);
        for time in [created, modified, valid_from, valid_until] {
            time.map(|time| (time.unix_seconds(), time.subsecond_nanoseconds())).hash(&mut hasher);
        }
        (created_by_ref, revoked, labels, indicator_types, confidence, score, detection).hash(&mut hasher);
        (kill_chain_phases, external_references, object_marking_refs).hash(&mut hasher);
        hasher.finish()
    }
}

/// A hasher whose numbers are the same on every machine.
struct Stable(Sha256);

impl Hasher for Stable {
    fn finish(&self) -> u64 {
        self.0.clone().finalize().iter().take(8).fold(0, |number, &byte| number << 8 | u64::from(byte))
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn write_u32(&mut self, number: u32) {
        self.0.update(number.to_le_bytes());
    }

    fn write_i32(&mut self, number: i32) {
        self.0.update(number.to_le_bytes());
    }

    fn write_i64(&mut self, number: i64) {
        self.0.update(number.to_le_bytes());
    }

    fn write_usize(&mut self, number: usize) {
        self.0.update((number as u64).to_le_bytes());
    }

    fn write_isize(&mut self, number: isize) {
        self.0.update((number as i64).to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(more: &str) -> u64 {
        let text = format!(r#"{{"type": "indicator", "id": "indicator--1", "pattern": "[a:b = 1]"{more}}}"#);
        Indicator::parse(text.as_bytes()).unwrap().fingerprint()
    }

    #[test]
    fn the_same_is_the_same_however_it_is_written() {
        // The same on every machine.
        assert_eq!(fingerprint(""), 3_339_296_712_948_391_603);
        let named = fingerprint(r#", "name": "a", "labels": ["x", "y"]"#);
        assert_eq!(named, fingerprint(r#","labels":["x","\u0079"],  "name":"a", "x_other": 7"#));
        for other in [
            r#", "name": "a", "labels": ["xy"]"#,
            r#", "description": "a", "labels": ["x", "y"]"#,
            r#", "name": "a", "labels": ["x", "y"], "confidence": 5"#,
            r#", "name": "a", "labels": ["x", "y"], "valid_from": "2024-01-01T00:00:00Z""#,
            r#", "name": "a", "labels": ["x", "y"], "object_marking_refs": ["m--1"]"#,
        ] {
            assert_ne!(named, fingerprint(other), "{other}");
        }
    }
}
