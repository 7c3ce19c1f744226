//! What happens where the program is told to end: the engines that it has started end with it.

/// From now on SIGINT and SIGTERM end the engines, and then the program as they would without this.
#[cfg(unix)]
pub(super) fn end_with_engines() {
    use signal_hook::{
        consts::{SIGINT, SIGTERM},
        iterator::Signals,
        low_level::emulate_default_handler,
    };
    // Without a handler the program ends all the same.
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
    std::thread::spawn(move || {
        for signal in signals.forever() {
            crate::targets::running::end_all();
            _ = emulate_default_handler(signal);
        }
    });
}

/// Elsewhere engines end by themselves.
#[cfg(not(unix))]
pub(super) fn end_with_engines() {}
