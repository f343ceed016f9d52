//! Writes tonic's client code for proto/echo.proto from a description by hand, so that no protoc is needed.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let send = Method::builder()
        .name("send")
        .route_name("Send")
        .input_type("crate::Payload")
        .output_type("crate::Payload")
        .codec_path("tonic_prost::ProstCodec")
        .build();
    let echo = Service::builder().package("bench.v1").name("Echo").method(send).build();
    Builder::new().build_server(false).compile(&[echo]);
}
