//! Stubs of the measured services.

fn main() -> farcall_build::Result {
    farcall_build::configure().file("../proto/echo.proto").file("../proto/shop.proto").compile()
}
