//! Values are read strictly: no address is made of a number, and no dead rule of what is more than a name.

use stixc::{Conversion, Options, compile, convert::understand};

/// A pattern in all targets that see names and addresses.
fn converted(pattern: &str) -> Conversion {
    let options = Options::new("2024-06-01T00:00:00Z".parse().unwrap());
    compile(pattern, &options.target("blocklist").target("sigma").target("suricata")).unwrap()
}

fn verdicts(conversion: &Conversion) -> [&'static str; 3] {
    ["blocklist", "sigma", "suricata"].map(|target| conversion.verdicts(target).next().map_or("none", |one| one.name()))
}

fn all_files(conversion: &Conversion) -> String {
    conversion.files.values().map(|bytes| String::from_utf8_lossy(bytes)).collect()
}

#[test]
fn a_number_is_no_address() {
    let numbers = [
        "http://010.0.0.1/",
        "http://198.51.100.07/a",
        "http://0x7f.1/",
        "http://3325256711/",
        "http://0xc6336407:8080/",
        "http://198.51.25607/",
        "http://user@0306.063.0144.07/",
        "http://%31%39%38.51.100.7/",
        "http://１９８.51.100.7/",
        "1.2",
        "16909060",
        "0x01020304",
    ];
    for number in numbers {
        let pattern = format!("[url:value = '{number}']");
        let (_, diagnostics) = understand(&pattern, false);
        assert!(diagnostics.iter().any(|found| found.code.0 == "W127"), "{number}: {diagnostics:?}");
        let conversion = converted(&pattern);
        assert_eq!(conversion.verdicts("blocklist").next().map(|one| one.name()), Some("refused"), "{number}");
        let written = all_files(&conversion);
        for address in ["198.51.100.7", "8.0.0.1", "10.0.0.1", "1.0.0.2", "1.2.3.4", "127.0.0.1"] {
            assert!(!written.contains(address) || number.contains(address), "{number}: {written}");
        }
    }
    for (property, value) in [("ipv4-addr", "010.0.0.1"), ("ipv4-addr", "1.2"), ("ipv4-addr", "16909060")] {
        let conversion = converted(&format!("[{property}:value = '{value}']"));
        assert_eq!(verdicts(&conversion)[0], "refused", "{value}");
    }
    for name in ["1.2", "16909060", "0x01020304", "a.0x7f"] {
        let conversion = converted(&format!("[domain-name:value = '{name}']"));
        assert_eq!(verdicts(&conversion)[0], "refused", "{name}");
    }
    let plain = converted("[url:value = 'http://198.51.100.7:8080/a?b']");
    assert_eq!(verdicts(&plain)[0], "exact");
    assert!(all_files(&converted("[url:value = '198.51.100.7']")).contains("198.51.100.7\n"));
}

#[test]
fn a_wildcard_or_a_dot_in_front_means_the_names_below() {
    for name in ["*.evil.example", ".evil.example", "*.EVIL.example"] {
        let pattern = format!("[domain-name:value = '{name}']");
        let (meaning, diagnostics) = understand(&pattern, false);
        assert_eq!(meaning.unwrap().canonical, "[domain-name:value LIKE '%.evil.example']", "{name}");
        assert_eq!(diagnostics.iter().map(|found| found.code.0).collect::<Vec<_>>(), ["W052"], "{name}");
        let conversion = converted(&pattern);
        assert_eq!(verdicts(&conversion), ["refused", "exact", "exact"], "{name}");
        let written = all_files(&conversion);
        assert!(written.contains("|endswith: '.evil.example'"), "{written}");
        assert!(!written.contains('*'), "{written}");
    }
    // Others in the set are as they were, and nobody's names are not all names.
    let both = converted("[domain-name:value IN ('*.evil.example', 'bad.example')]");
    assert_eq!(verdicts(&both), ["narrower", "exact", "exact"]);
    assert!(all_files(&both).contains("bad.example\n"));
    assert_eq!(verdicts(&converted("[domain-name:value = '*.com']"))[1..], ["guarded", "guarded"]);
    let (meaning, _) = understand("[domain-name:value != '*.evil.example']", false);
    assert_eq!(meaning.unwrap().canonical, "[domain-name:value NOT LIKE '%.evil.example']");
}

#[test]
fn more_than_a_name_makes_no_dead_rule() {
    for name in ["evil.example:8080", "evil.example/path", "http://evil.example/", "evil.example:8080/path", "*:80"] {
        let (meaning, diagnostics) = understand(&format!("[domain-name:value = '{name}']"), false);
        let codes: Vec<&str> = diagnostics.iter().map(|found| found.code.0).collect();
        assert!(meaning.is_none() && codes.contains(&"W053") && codes.contains(&"T019"), "{name}: {codes:?}");
        let both = converted(&format!("[domain-name:value IN ('{name}', 'bad.example')]"));
        assert_eq!(verdicts(&both), ["exact", "exact", "exact"], "{name}");
        assert!(!all_files(&both).contains("evil"), "{name}");
    }
    // An address is told of (W104), and stays what it was.
    let (meaning, _) = understand("[domain-name:value = '2001:db8::1']", false);
    assert!(meaning.is_some());
}
