//! Stubs of the measured service.

fn main() -> farcall_build::Result {
    farcall_build::compile("../proto/echo.proto")
}
