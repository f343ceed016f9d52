//! The page that a server shows to whoever opens its port with a browser, or with curl: what can be tried there.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::path::PathBuf;
use std::sync::Arc;
use std::task::{Context, Poll};

use farcall::http::Body;
use farcall::{Address, Peer};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use tower_service::Service;

use super::try_out::Place;

/// Between these two stand the lines.
const HEAD: &str = include_str!("page_head.html");
const FOOT: &str = include_str!("page_foot.html");

/// The HTTP application beside the services.
#[derive(Clone, Debug)]
pub(super) struct Page {
    /// The certificate to believe, when the server has made its own.
    root: Option<PathBuf>,
}

impl Page {
    pub(super) fn new(root: Option<PathBuf>) -> Self {
        Self { root }
    }

    fn answer(&self, request: &Request<Body>) -> Response<String> {
        let method = request.method();
        if request.uri().path() != "/" {
            return response(
                StatusCode::NOT_FOUND,
                TEXT,
                "There is no such page here, and no such method.\n".into(),
            );
        }
        if method != Method::GET && method != Method::HEAD {
            let text =
                "This page can only be read. A call names its method: /greet.v1.Greeter/SayHello\n";
            return response(StatusCode::METHOD_NOT_ALLOWED, TEXT, text.into());
        }
        let lines = self.place(request).lines("farcall").join("\n");
        if wants_html(request) {
            let page = format!("{HEAD}{}{FOOT}", escaped(&lines));
            response(StatusCode::OK, "text/html; charset=utf-8", page)
        } else {
            let text = "This port takes remote procedure calls: gRPC, gRPC-Web, Connect, JSON over HTTP, WebSocket.\n";
            response(StatusCode::OK, TEXT, format!("{text}\n{lines}\n"))
        }
    }

    /// Where the request says that it came.
    fn place(&self, request: &Request<Body>) -> Place {
        let peer = request.extensions().get::<Arc<Peer>>();
        if let Some(Address::Unix(path)) = peer.map(|peer| peer.address()) {
            return Place::socket(path);
        }
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        let authority = request.uri().authority().map(http::uri::Authority::as_str);
        let authority = authority.or(host).filter(|name| is_authority(name)).unwrap_or("localhost");
        let is_tls = request.uri().scheme_str() == Some("https");
        if is_tls {
            Place::tls(authority.to_owned(), self.root.as_deref())
        } else {
            Place::plain(authority.to_owned())
        }
    }
}

const TEXT: &str = "text/plain; charset=utf-8";

fn response(status: StatusCode, kind: &'static str, text: String) -> Response<String> {
    let mut response = Response::new(text);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

fn wants_html(request: &Request<Body>) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// Whether it can be put into a line for a shell as it is.
fn is_authority(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    name.len() <= 255 && name.bytes().all(legal) && name.parse::<Uri>().is_ok()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

impl Service<Request<Body>> for Page {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        ready(Ok(self.answer(&request)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: Method, uri: &str, accept: &str) -> Response<String> {
        let request = Request::builder().method(method).uri(uri).header(header::ACCEPT, accept);
        let request = request.header(header::HOST, "example.com:8080");
        Page::new(None).answer(&request.body(Body::from("")).unwrap())
    }

    #[test]
    fn browsers_get_a_page_and_others_a_text_with_the_address_they_used() {
        let page = ask(Method::GET, "/", "text/html,*/*");
        assert!(page.body().starts_with("<!doctype html>"), "{}", page.body());
        assert!(page.body().contains("http://example.com:8080/greet.v1.Greeter/SayHello"));
        let text = ask(Method::GET, "/", "*/*");
        assert!(
            text.body().contains("grpcurl -plaintext -d '{\"name\": \"Ada\"}' example.com:8080")
        );
        let tls = ask(Method::GET, "https://localhost:8443/", "*/*");
        assert!(tls.body().contains("--insecure https://localhost:8443"), "{}", tls.body());
    }

    #[test]
    fn other_pages_and_methods_are_refused() {
        assert_eq!(ask(Method::GET, "/x", "*/*").status(), StatusCode::NOT_FOUND);
        let refused = ask(Method::POST, "/", "*/*");
        assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(refused.headers()[header::ALLOW], "GET, HEAD");
    }

    #[test]
    fn a_host_that_is_none_is_not_repeated() {
        for host in ["a;b", "$(x)", "<b>", "a'b", ""] {
            assert!(!is_authority(host), "{host}");
        }
    }
}
