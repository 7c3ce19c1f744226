//! The vocabularies of cyber-observable properties (STIX 2.1, section 10).

use super::kind::Vocabulary;

const fn closed(name: &'static str, values: &'static [&'static str]) -> Vocabulary {
    Vocabulary { name, open: false, values }
}

const fn open(name: &'static str, values: &'static [&'static str]) -> Vocabulary {
    Vocabulary { name, open: true, values }
}

pub(super) static ACCOUNT_TYPE: Vocabulary = open(
    "account-type-ov",
    &[
        "facebook",
        "ldap",
        "nis",
        "openid",
        "radius",
        "skype",
        "tacacs",
        "twitter",
        "unix",
        "windows-local",
        "windows-domain",
    ],
);

pub(super) static ENCRYPTION_ALGORITHM: Vocabulary =
    closed("encryption-algorithm-enum", &["AES-256-GCM", "ChaCha20-Poly1305", "mime-type-indicated"]);

pub(super) static ADDRESS_FAMILY: Vocabulary = closed(
    "network-socket-address-family-enum",
    &["AF_UNSPEC", "AF_INET", "AF_IPX", "AF_APPLETALK", "AF_NETBIOS", "AF_INET6", "AF_IRDA", "AF_BTH"],
);

pub(super) static SOCKET_TYPE: Vocabulary =
    closed("network-socket-type-enum", &["SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW", "SOCK_RDM", "SOCK_SEQPACKET"]);

pub(super) static INTEGRITY_LEVEL: Vocabulary =
    closed("windows-integrity-level-enum", &["low", "medium", "high", "system"]);

pub(super) static PE_TYPE: Vocabulary = open("windows-pebinary-type-ov", &["dll", "exe", "sys"]);

pub(super) static REGISTRY_DATATYPE: Vocabulary = closed(
    "windows-registry-datatype-enum",
    &[
        "REG_NONE",
        "REG_SZ",
        "REG_EXPAND_SZ",
        "REG_BINARY",
        "REG_DWORD",
        "REG_DWORD_BIG_ENDIAN",
        "REG_DWORD_LITTLE_ENDIAN",
        "REG_LINK",
        "REG_MULTI_SZ",
        "REG_RESOURCE_LIST",
        "REG_FULL_RESOURCE_DESCRIPTION",
        "REG_RESOURCE_REQUIREMENTS_LIST",
        "REG_QWORD",
        "REG_INVALID_TYPE",
    ],
);

pub(super) static SERVICE_START_TYPE: Vocabulary = closed(
    "windows-service-start-type-enum",
    &["SERVICE_AUTO_START", "SERVICE_BOOT_START", "SERVICE_DEMAND_START", "SERVICE_DISABLED", "SERVICE_SYSTEM_ALERT"],
);

pub(super) static SERVICE_STATUS: Vocabulary = closed(
    "windows-service-status-enum",
    &[
        "SERVICE_CONTINUE_PENDING",
        "SERVICE_PAUSE_PENDING",
        "SERVICE_PAUSED",
        "SERVICE_RUNNING",
        "SERVICE_START_PENDING",
        "SERVICE_STOP_PENDING",
        "SERVICE_STOPPED",
    ],
);

pub(super) static SERVICE_TYPE: Vocabulary = closed(
    "windows-service-type-enum",
    &[
        "SERVICE_KERNEL_DRIVER",
        "SERVICE_FILE_SYSTEM_DRIVER",
        "SERVICE_WIN32_OWN_PROCESS",
        "SERVICE_WIN32_SHARE_PROCESS",
    ],
);
