//! A chat room for browsers: its page and its calls on one port.
//!
//!     cargo run --bin browser-server            then open http://127.0.0.1:8080 in two tabs

use axum::Router;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::routing::get;
use farcall::{Call, Inbound, Outbound, Result, Server, Status};
use proto::chat::v1::{Chat, Line, ListenRequest, Said};
use tokio::sync::broadcast;

mod proto {
    farcall::include_protos!();
}

/// The room: what is said in it reaches everybody who is there.
struct Room(broadcast::Sender<Line>);

impl Chat for Room {
    async fn say(&self, line: Line, _: &mut Call) -> Result<Said> {
        if line.text.is_empty() {
            return Err(Status::invalid_argument("there is nothing to say"));
        }
        let listeners = self.0.send(line).unwrap_or(0);
        Ok(Said { listeners: u32::try_from(listeners).unwrap_or(u32::MAX) })
    }

    async fn listen(
        &self,
        request: ListenRequest,
        lines: &mut Outbound<Line>,
        call: &mut Call,
    ) -> Result<()> {
        let mut room = self.0.subscribe();
        // The head goes before the first line: whoever asked knows that it is listening.
        call.send_reply_metadata();
        let mut heard = 0;
        while request.lines == 0 || heard < request.lines {
            let line = room.recv().await.map_err(Status::data_loss)?;
            lines.send(line).await?;
            heard += 1;
        }
        Ok(())
    }

    async fn talk(
        &self,
        said: &mut Inbound<Line>,
        heard: &mut Outbound<Line>,
        _: &mut Call,
    ) -> Result<()> {
        let mut room = self.0.subscribe();
        loop {
            tokio::select! {
                line = said.receive() => match line? {
                    Some(line) => drop(self.0.send(line)),
                    None => return Ok(()),
                },
                line = room.recv() => heard.send(line.map_err(Status::data_loss)?).await?,
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let endpoint = std::env::args().nth(1).unwrap_or_else(|| "tcp://127.0.0.1:8080".to_owned());
    let (room, _) = broadcast::channel(64);
    let page = Router::new()
        .route("/", get(file("text/html", include_str!("../page/index.html"))))
        .route("/farcall.js", get(file("text/javascript", include_str!("../page/farcall.js"))))
        .route("/grpc-web.js", get(file("text/javascript", include_str!("../page/grpc-web.js"))));
    let server = Server::new().add(Room(room).into_service()).http(page).listen(endpoint);
    let server = server.bind().await?;
    println!("listening at {}", server.endpoint());
    server.run().await
}

/// A page that never changes.
fn file(kind: &'static str, text: &'static str) -> ([(HeaderName, &'static str); 1], &'static str) {
    ([(CONTENT_TYPE, kind)], text)
}
