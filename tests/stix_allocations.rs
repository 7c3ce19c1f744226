//! Parsing an indicator of the usual form allocates nothing.
#![allow(unsafe_code, reason = "an allocator can be written in no other way")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use stixc::stix::{Indicator, object_type};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc` above with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(action: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.with(Cell::get);
    action();
    ALLOCATIONS.with(Cell::get) - before
}

const USUAL: &[u8] = br#"{"type":"indicator","spec_version":"2.1",
    "id":"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created_by_ref":"identity--9f3c2f7e-5b0a-4c39-8a43-1f6f0f0b7a11",
    "created":"2024-01-01T00:00:00.000Z","modified":"2024-01-01T00:00:00.000Z","name":"Seen","description":"Nothing more",
    "indicator_types":["malicious-activity"],"pattern":"[domain-name:value = 'a.example']","pattern_type":"stix",
    "pattern_version":"2.1","valid_from":"2024-01-01T00:00:00Z","valid_until":"2999-01-01T00:00:00Z","confidence":85,
    "kill_chain_phases":[{"kill_chain_name":"mitre-attack","phase_name":"execution"}],
    "external_references":[{"source_name":"Example","url":"https://a.example/"}],
    "object_marking_refs":["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"],"labels":["a"]}"#;

#[test]
fn the_usual_indicator() {
    let parsed =
        allocations(|| assert!(Indicator::parse(USUAL).is_ok_and(|indicator| indicator.diagnostics.is_empty())));
    assert_eq!(parsed, 0);
    assert_eq!(allocations(|| assert_eq!(object_type(USUAL).as_deref(), Some("indicator"))), 0);
    // The counter does count: an escape makes its string a new one.
    let escaped = String::from_utf8_lossy(USUAL).replace("Seen", "S\\u00e9en");
    assert!(allocations(|| assert!(Indicator::parse(escaped.as_bytes()).is_ok())) > 0);
}
