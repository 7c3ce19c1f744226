//! Patterns in the shapes of real feeds, odd and hostile ones too: each kind of value in several spellings, the same in each
//! run.

/// Shapes of patterns. In each, `NAME` is a name, `ADDRESS` an address, `NEXT` the one behind it, `WORD` a word, `HEX` 64
/// digits.
const SHAPES: &[&str] = &[
    // Names.
    "[domain-name:value = 'NAME']",
    "[domain-name:value='WWW.NAME.']",
    "[domain-name:value = 'xn--bro-hoa.NAME' OR domain-name:value = 'büro.NAME']",
    "[domain-name:value = '_dmarc.NAME']",
    "[domain-name:value = 'ADDRESS']",
    "[domain-name:value = 'domain NAME']",
    "[domain-name:value = 'NAME/index.html']",
    "[domain-name:value = 'NAME[.]example']",
    "[domain-name:value IN ('NAME', 'a.NAME', 'b.NAME')]",
    "[domain-name:value LIKE '%.NAME']",
    "[domain-name:value = 'NAME' AND domain-name:resolves_to_refs[*].value = 'ADDRESS']",
    // URLs.
    "[url:value = 'NAME']",
    "[url:value = 'NAME/']",
    "[url:value = 'UPPER.NAME']",
    "[url:value = 'NAME/WORD.php']",
    "[url:value = 'ADDRESS']",
    "[url:value = 'ADDRESS/WORD']",
    "[url:value = 'http://NAME']",
    "[url:value = 'http://NAME/']",
    "[url:value = 'http://UPPER.NAME/WORD']",
    "[url:value = 'HTTP://NAME/WORD?a=1&amp;b=2']",
    "[url:value = 'https://NAME/WORD']",
    "[url:value = 'https://NAME']",
    "[url:value = 'http://NAME:8080/WORD']",
    "[url:value = 'http://NAME:80/']",
    "[url:value = 'http://ADDRESS/']",
    "[url:value = 'http://ADDRESS:8443/WORD/']",
    "[url:value = 'http://user@NAME/WORD']",
    "[url:value = 'https://ADDRESS@80/WORD']",
    "[url:value = 'http://NAME/WORD#part']",
    "[url:value = 'http://NAME/a b/WORD']",
    "[url:value = 'http://NAME/a%20b/../WORD']",
    "[url:value = 'http://NAME/a\\\\%20b']",
    "[url:value = 'tcp://UPPER.NAME:443']",
    "[url:value = 'tcp://ADDRESS:443/']",
    "[url:value = 'hxxp://NAME/WORD']",
    "[url:value = 'http://NAME[.]example/WORD']",
    "[url:value = 'http://*:80/WORD/']",
    "[url:value = 'http://NAME/;WORD\"x\"']",
    "[url:value LIKE 'http://NAME/%']",
    // Addresses.
    "[ipv4-addr:value = 'ADDRESS']",
    "[ipv4-addr:value = 'ADDRESS/32']",
    "[ipv4-addr:value = '198.51.100.0/24']",
    "[ipv4-addr:value IN ('ADDRESS', 'NEXT')]",
    "[ipv4-addr:value ISSUBSET '203.0.113.0/25' OR ipv4-addr:value ISSUBSET '203.0.113.128/25']",
    "[ipv4-addr:value IN ('ADDRESS', 'NEXT') OR file:hashes.SHA256 = 'HEX' OR mutex:name = 'WORD']",
    "[ipv6-addr:value IN ('2001:db8::ffff', '2001:db8::1:0')]",
    "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = 'ADDRESS']",
    "[network-traffic:dst_ref.type = 'domain-name' AND network-traffic:dst_ref.value = 'NAME']",
    "[network-traffic:dst_ref.value = 'ADDRESS' AND network-traffic:dst_port = 4444]",
    "[network-traffic:src_ref.value = 'ADDRESS' AND network-traffic:protocols[*] = 'tcp']",
    // Files.
    "[file:hashes.SHA256 = 'HEX']",
    "[file:hashes.'SHA-256' = 'HEX' AND file:name = 'WORD.exe']",
    "[file:name = 'WORD.exe']",
    "[file:name = '%PROGRAMDATA%\\\\\\\\WORD\\\\\\\\a.exe']",
    "[file:name = 'http://NAME/WORD']",
    "[file:name LIKE 'WORD%.tmp']",
    // The rest of a host, and mail.
    "[process:command_line = 'powershell -c \"WORD; $x = {1}\"']",
    "[windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\\\SOFTWARE\\\\WORD']",
    "[mutex:name = 'WORD']",
    "[email-addr:value = 'WORD@NAME']",
    "[email-addr:value = 'WORD@NAME ']",
    // Several observations.
    "[file:name = 'WORD.bin'] AND [network-traffic:dst_ref.value = 'ADDRESS']",
    "[domain-name:value = 'NAME'] FOLLOWEDBY [network-traffic:dst_ref.value = 'ADDRESS'] WITHIN 600 SECONDS",
    "[file:name = 'WORD.bin' OR mutex:name MATCHES 'WORD'] AND [network-traffic:dst_ref.value = 'ADDRESS']",
];

/// Each shape with so many values.
pub fn patterns(rounds: u32) -> Vec<String> {
    let round = |round: u32| {
        SHAPES.iter().zip(0_u32..).map(move |(shape, number)| {
            // Addresses two apart, so that an address and the next one are those of one pattern alone.
            let place = round * SHAPES.len() as u32 + number;
            let (net, host) = ([(198, 51, 100), (203, 0, 113)][place as usize / 120 % 2], place % 120 * 2 + 2);
            let address = |host: u32| format!("{}.{}.{}.{host}", net.0, net.1, net.2);
            let name = format!("n{place}.evil.example");
            let digits: String =
                (0..8).map(|part| format!("{:08x}", (place + 1).wrapping_mul(0x9e37_79b9 ^ part))).collect();
            shape
                .replace("UPPER.NAME", &name.replace('e', "E"))
                .replace("NAME", &name)
                .replace("NEXT", &address(host + 1))
                .replace("ADDRESS", &address(host))
                .replace("WORD", &format!("w{place}Word"))
                .replace("HEX", &digits)
        })
    };
    (0..rounds).flat_map(round).collect()
}
