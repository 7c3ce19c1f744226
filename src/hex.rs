//! Hexadecimal digits, two for each byte.

/// The bytes as digits in lower case.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    bytes.iter().for_each(|&byte| push(&mut text, byte));
    text
}

/// Appends a byte as digits in lower case.
pub(crate) fn push(text: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    text.push(char::from(DIGITS[usize::from(byte >> 4)]));
    text.push(char::from(DIGITS[usize::from(byte & 15)]));
}

/// The bytes behind digits in either case; `None` for other characters, and for an odd number of digits.
pub(crate) fn decode(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_bytes_and_bytes_are_digits() {
        assert_eq!(encode(&[0, 0x1f, 0xab]), "001fab");
        assert_eq!(decode("001fAB"), Some(vec![0, 0x1f, 0xab]));
        assert_eq!(decode(""), Some(Vec::new()));
        for wrong in ["0", "+f", "0g", "é"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }
}
