//! The runtime of the commands that work by hand: one thread, and an end that waits for nobody.

use std::future::Future;

use tokio::runtime::Builder;

use crate::Result;

/// Runs a step to its end, and leaves no thread behind.
pub(crate) fn block_on_alone<T>(step: impl Future<Output = Result<T>>) -> Result<T> {
    Builder::new_current_thread().enable_all().build()?.block_on(step)
}

/// Runs the command to its end. A read of standard input that is still under way is left to itself: it would wait for the
/// next key.
pub(crate) fn block_on<T>(command: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(command);
    runtime.shutdown_background();
    result
}
