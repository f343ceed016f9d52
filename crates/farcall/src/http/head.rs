//! Between the heads of an engine and the types of the `http` crate.

use farcall_core::Status;
use farcall_wire::event::RequestHead;
use farcall_wire::fields::{Field, Fields};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header,
};

/// A request without its body.
///
/// # Errors
/// `INVALID_ARGUMENT` naming the part that the `http` crate does not take.
pub(crate) fn request(head: &RequestHead, version: Version) -> Result<Request<()>, Status> {
    let mut request = Request::new(());
    *request.method_mut() = Method::from_bytes(head.method()).map_err(Status::invalid_argument)?;
    *request.uri_mut() = uri(head)?;
    *request.version_mut() = version;
    *request.headers_mut() = headers(head.fields())?;
    if let Some(authority) = head.authority()
        && !request.headers().contains_key(header::HOST)
    {
        let value = HeaderValue::from_bytes(authority).map_err(Status::invalid_argument)?;
        request.headers_mut().insert(header::HOST, value);
    }
    Ok(request)
}

/// Scheme and authority too, where the path is one: handlers see the same whatever the protocol was.
fn uri(head: &RequestHead) -> Result<Uri, Status> {
    let authority = head.authority().unwrap_or_default();
    let mut text = Vec::with_capacity(16 + authority.len() + head.path().len());
    if !authority.is_empty() && head.path().starts_with(b"/") {
        text.extend_from_slice(head.scheme());
        text.extend_from_slice(b"://");
        text.extend_from_slice(authority);
    }
    text.extend_from_slice(head.path());
    Uri::try_from(text).map_err(Status::invalid_argument)
}

/// Fields as a map of headers.
///
/// # Errors
/// `INVALID_ARGUMENT` when there are more than the map can hold, or one is none.
pub(crate) fn headers(fields: &Fields) -> Result<HeaderMap, Status> {
    let mut headers =
        HeaderMap::try_with_capacity(fields.len()).map_err(Status::invalid_argument)?;
    for Field { name, value, .. } in fields {
        let name = HeaderName::from_bytes(name).map_err(Status::invalid_argument)?;
        let value = HeaderValue::from_bytes(value).map_err(Status::invalid_argument)?;
        headers.try_append(name, value).map_err(Status::invalid_argument)?;
    }
    Ok(headers)
}

/// The head of a response, `:status` first. What belongs to one connection of HTTP/1.1 is the engine's to say.
pub(crate) fn emit_response<B>(response: &Response<B>) -> Fields {
    let mut fields = Fields::with_capacity(1 + response.headers().len(), 256);
    fields.push(":status", response.status().as_str());
    for (name, value) in response.headers() {
        let of_connection = *name == header::CONNECTION
            || *name == header::TRANSFER_ENCODING
            || name == "keep-alive"
            || name == "proxy-connection";
        if !of_connection {
            fields.push(name.as_str(), value.as_bytes());
        }
    }
    fields
}

/// Trailers.
pub(crate) fn trailers(headers: &HeaderMap) -> Fields {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
}

/// A response with the head that an engine would send.
pub(crate) fn parse_response<B>(fields: &Fields, body: B) -> Response<B> {
    let mut response = Response::new(body);
    for field in fields {
        if field.name == b":status" {
            *response.status_mut() =
                StatusCode::from_bytes(field.value).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        } else if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(field.name), HeaderValue::from_bytes(field.value))
        {
            response.headers_mut().append(name, value);
        }
    }
    response
}
