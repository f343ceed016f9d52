//! What the page on one port says of stubs; its commands are in the module `commands`.

use std::error::Error;
use std::path::Path;

use farcall::tls::{ClientTls, Identity, Roots};
use farcall::{Channel, ChannelConfig, Codec, Protocol, Result, Server};
use guide::Stations;
use guide::proto::weather::v1::{Place, Report, Weather as _, WeatherClient};

fn paris() -> Place {
    Place { name: "Paris".into() }
}

#[tokio::test]
async fn a_stub_speaks_every_protocol() -> Result<()> {
    let server = Server::new().add(Stations.into_service()).listen("tcp://127.0.0.1:0");
    let server = server.bind().await?;
    let endpoints = ["http", "ws"].map(|it| server.endpoint().to_string().replacen("tcp", it, 1));
    tokio::spawn(server.run());

    for endpoint in endpoints {
        let channel = Channel::connect(endpoint).await?;
        let by_grpc = WeatherClient::new(channel.clone());
        let by_grpc_web = WeatherClient::new(channel.clone().protocol(Protocol::GrpcWeb));
        let by_connect = WeatherClient::new(channel.clone().protocol(Protocol::Connect).get());
        let in_json = WeatherClient::new(channel.protocol(Protocol::Connect).codec(Codec::Json));
        for client in [by_grpc, by_grpc_web, by_connect, in_json] {
            let report = client.now(paris()).await?;
            assert_eq!(report, Report { place: "Paris".into(), celsius: 21.5 });
        }
    }
    Ok(())
}

/// Calls the server of the page, with the certificates that the page has made.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn call_as_ada(endpoint: &str, folder: &Path) -> Result<(), Box<dyn Error>> {
    let tls = ClientTls::new()
        .roots(Roots::from_pem_file(folder.join("server.pem"))?)
        .identity(Identity::from_pem_files(folder.join("ada.pem"), folder.join("ada.key"))?);
    let config = ChannelConfig { tls: Some(tls), ..ChannelConfig::default() };
    let weather = WeatherClient::new(Channel::with_config(endpoint, config)?);

    let (_, beside) = weather.now(paris()).with_metadata().await?;
    assert_eq!(beside.metadata().get("caller"), Some("ada.example"));
    Ok(())
}
