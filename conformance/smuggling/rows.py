"""Requests that are malformed, or that two readers understand in two ways: (row, what, the statuses allowed, bytes).

The rows are P01 to P11. Each request calls Echo with the id BAD; what stands behind it in the connection must never run.
"""

HOST = b"host: localhost\r\n"
JSON = b"content-type: application/json\r\n"
BAD = b"x-call-id: @bad@\r\n"  # the judge puts an id of its own there
MESSAGE = b'{"payload":"YmFk"}'
LENGTH = b"content-length: 18\r\n"
PATH = b"/conformance.v1.Calls/Echo"
LINE = b"POST " + PATH + b" HTTP/1.1\r\n"

assert len(MESSAGE) == 18


def request(line=LINE, host=HOST, fields=LENGTH, content=MESSAGE):
    """A call of Echo of which the row changes one thing."""
    return line + host + JSON + BAD + fields + b"\r\n" + content


def chunked(content, fields=b"transfer-encoding: chunked\r\n"):
    return request(fields=fields, content=content)


def a_chunk(size=b"12", extension=b"", end=b"\r\n", after=b"\r\n", last=b"0\r\n\r\n"):
    """A whole message in one chunk, of which the row changes one thing."""
    return chunked(size + extension + end + MESSAGE + after + last)


WHOLE = b"12\r\n" + MESSAGE + b"\r\n0\r\n\r\n"

TRANSFER_ENCODINGS = [
    b"transfer-encoding: chunked\r\n" + LENGTH,
    LENGTH + b"transfer-encoding: chunked\r\n",
    b"content-length: 0\r\ntransfer-encoding: chunked\r\n",
    b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
    b"transfer-encoding: identity\r\ntransfer-encoding: chunked\r\n",
    b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
    b"transfer-encoding: gzip, chunked\r\n",
    b"transfer-encoding: chunked, gzip\r\n",
    b"transfer-encoding: chunked, chunked\r\n",
    b"transfer-encoding: chunked, identity\r\n",
    b"transfer-encoding: identity\r\n",
    b"transfer-encoding: gzip\r\n",
    b"transfer-encoding: xchunked\r\n",
    b"transfer-encoding: chunkedx\r\n",
    b"transfer-encoding: chunk\r\n",
    b'transfer-encoding: "chunked"\r\n',
    b"transfer-encoding: chunked;q=1\r\n",
    b"transfer-encoding: ,chunked\r\n",
    b"transfer-encoding: chunked,\r\n",
    b"transfer-encoding:\r\n",
    b"transfer-encoding: \x0bchunked\r\n",
    b"transfer-encoding: chun\x00ked\r\n",
    b"transfer-encoding : chunked\r\n",
    b"transfer-encoding\t: chunked\r\n",
    b" transfer-encoding: chunked\r\n",
    b"transfer-encoding:\r\n chunked\r\n",
    b"transfer-encoding: chunked\n" + LENGTH,
    b"x: y\ntransfer-encoding: chunked\r\n" + LENGTH,
    b"x: y\rtransfer-encoding: chunked\r\n" + LENGTH,
    b"transfer-encoding: chunked\x7f\r\n",
    b"transfer-encoding: \xa0chunked\r\n",
]

CONTENT_LENGTHS = [
    b"+18", b"-18", b"-0", b"0x12", b"18,18", b"18, 18", b"18 18", b"18;1", b"18.0", b"1e1", b"1_8", b"a", b'"18"', b"\xb9\xb8",
    b"18,", b",18", b"", b"18446744073709551634", b"99999999999999999999999999999999999999", b"18\x00", b"18\x0b", b"eighteen",
]  # fmt: skip

DOUBLE_LENGTHS = [
    LENGTH + LENGTH,
    b"content-length: 0\r\n" + LENGTH,
    LENGTH + b"Content-Length: 0\r\n",
    b"content-length : 18\r\n",
    b"content-length\t: 18\r\n",
    b"content-length:\r\n 18\r\n",
    b"content-length: 18\n",
    b" content-length: 18\r\n",
]

CHUNKS = [
    ("a size with a plus", a_chunk(size=b"+12")),
    ("a size with a minus", a_chunk(size=b"-12")),
    ("a size with 0x", a_chunk(size=b"0x12")),
    ("a space before the size", a_chunk(size=b" 12")),
    ("a space behind the size", a_chunk(size=b"12 ")),
    ("a size of another alphabet", a_chunk(size=b"1g")),
    ("no size", a_chunk(size=b"")),
    ("a size of 17 digits", a_chunk(size=b"00000000000000012")),
    ("a size beyond 64 bits", a_chunk(size=b"10000000000000012")),
    ("two sizes", a_chunk(size=b"12,12")),
    ("a bare LF behind the size", a_chunk(end=b"\n")),
    ("a bare CR behind the size", a_chunk(end=b"\r")),
    ("a bare LF behind the data", a_chunk(after=b"\n")),
    ("a bare CR behind the data", a_chunk(after=b"\r")),
    ("nothing behind the data", a_chunk(after=b"")),
    ("more data than announced", a_chunk(size=b"11")),
    ("less data than announced", a_chunk(size=b"13")),
    ("a bare LF in the extension", a_chunk(extension=b";a\nb")),
    ("a bare CR in the extension", a_chunk(extension=b";a\rb")),
    ("NUL in the extension", a_chunk(extension=b";a=\x00")),
    ("an extension of 300 bytes", a_chunk(extension=b";" + b"e" * 299)),
    ("extensions of 400 bytes in all", chunked(b"".join(b"1;" + b"e" * 39 + b"\r\n%c\r\n" % byte for byte in MESSAGE[:10]))),
    ("a bare LF behind the last chunk", a_chunk(last=b"0\n\r\n")),
    ("a bare LF at the end", a_chunk(last=b"0\r\n\n")),
    ("an extension where the size should be", a_chunk(size=b";a")),
]

LINES = [
    ("two spaces before the target", b"POST  " + PATH + b" HTTP/1.1\r\n"),
    ("two spaces behind the target", b"POST " + PATH + b"  HTTP/1.1\r\n"),
    ("a space at the end", b"POST " + PATH + b" HTTP/1.1 \r\n"),
    ("a space at the beginning", b" POST " + PATH + b" HTTP/1.1\r\n"),
    ("a tab instead of a space", b"POST\t" + PATH + b" HTTP/1.1\r\n"),
    ("no version", b"POST " + PATH + b"\r\n"),
    ("a bare LF behind the line", b"POST " + PATH + b" HTTP/1.1\n"),
    ("a bare CR within the line", b"POST " + PATH + b"\r HTTP/1.1\r\n"),
    ("NUL in the method", b"PO\x00ST " + PATH + b" HTTP/1.1\r\n"),
    ("NUL in the target", b"POST " + PATH + b"\x00 HTTP/1.1\r\n"),
    ("a space in the target", b"POST /a b" + PATH + b" HTTP/1.1\r\n"),
    ("DEL in the target", b"POST " + PATH + b"\x7f HTTP/1.1\r\n"),
    ("a byte above ASCII in the target", b"POST " + PATH + b"\xe4 HTTP/1.1\r\n"),
    ("a fragment", b"POST " + PATH + b"#f HTTP/1.1\r\n"),
    ("a target without a slash", b"POST " + PATH[1:] + b" HTTP/1.1\r\n"),
    ("an unknown scheme", b"POST ftp://localhost" + PATH + b" HTTP/1.1\r\n"),
    ("a user in the target", b"POST http://user@localhost" + PATH + b" HTTP/1.1\r\n"),
    ("a version in small letters", b"POST " + PATH + b" http/1.1\r\n"),
    ("a version of one digit", b"POST " + PATH + b" HTTP/1\r\n"),
    ("a version of three digits", b"POST " + PATH + b" HTTP/1.10\r\n"),
    ("another protocol", b"POST " + PATH + b" ICY/1.1\r\n"),
    ("three empty lines before it", b"\r\n\r\n\r\n" + LINE),
    ("a bare LF before it", b"\n" + LINE),
]

FIELDS = [
    ("a space before the colon", b"name : value\r\n"),
    ("a tab before the colon", b"name\t: value\r\n"),
    ("no name", b": value\r\n"),
    ("no colon", b"name\r\n"),
    ("a space in the name", b"na me: value\r\n"),
    ("NUL in the name", b"na\x00me: value\r\n"),
    ("NUL in the value", b"name: val\x00ue\r\n"),
    ("a bare CR in the value", b"name: val\rue\r\n"),
    ("a bare LF behind the field", b"name: value\n"),
    ("an end of bare LFs", b"name: value\n\n"),
    ("two CRs", b"name: value\r\r\n"),
    ("a folded value", b"name: value\r\n folded\r\n"),
    ("a value folded with a tab", b"name: value\r\n\tfolded\r\n"),
    ("a control byte in the value", b"name: a\x1b[31m\r\n"),
    ("a byte above ASCII in the name", b"n\xe4me: value\r\n"),
    ("a delimiter in the name", b"na(me): value\r\n"),
    ("DEL in the name", b"name\x7f: value\r\n"),
]

HOSTS = [
    ("no Host", b""),
    ("two Hosts", HOST + HOST),
    ("two different Hosts", HOST + b"Host: 127.0.0.1\r\n"),
    ("a Host with a space", b"host: local host\r\n"),
    ("a Host with a user", b"host: user@localhost\r\n"),
    ("a Host with a path", b"host: localhost/x\r\n"),
    ("a Host with a port that is none", b"host: localhost:x\r\n"),
    ("a Host with a port beyond 65535", b"host: localhost:99999\r\n"),
    ("a Host with half an address", b"host: [::1\r\n"),
    ("a list of Hosts", b"host: localhost, localhost\r\n"),
    ("a space before Host's colon", b"host : localhost\r\n"),
]

TRAILERS = [
    b"content-length: 18\r\n",
    b"transfer-encoding: chunked\r\n",
    b"host: localhost\r\n",
    b"name : value\r\n",
    b" name: value\r\n",
    b"name\r\n",
    b"name: value\n",
    b"name: val\x00ue\r\n",
    b"name: value\r\n folded\r\n",
    b"POST / HTTP/1.1\r\n",
]


def shown(value):
    return repr(value)[2:-1][:60]


def all_rows():
    for fields in TRANSFER_ENCODINGS:
        # The message in chunks; for whoever counts bytes instead, the request behind is a part of it or begins within it.
        yield "P01", shown(fields), {400, 501}, chunked(WHOLE, fields)
    for value in CONTENT_LENGTHS:
        yield "P02", f"a length of {shown(value)}", {400}, request(fields=b"content-length: " + value + b"\r\n")
    for fields in DOUBLE_LENGTHS:
        yield "P02", shown(fields), {400}, request(fields=fields)
    for what, sent in CHUNKS:
        yield "P03", what, {400, 413}, sent
    for host in (HOST, b""):
        line = b"POST " + PATH + b" HTTP/1.0\r\n"
        fields = b"transfer-encoding: chunked\r\nconnection: keep-alive\r\n"
        yield "P04", "chunks in HTTP/1.0", {400}, request(line, host, fields, WHOLE)
    for what, line in LINES:
        yield "P05", what, {400}, request(line)
    for what, fields in FIELDS:
        yield "P05", what, {400}, request(fields=fields + LENGTH)
    yield "P05", "a field before Host that is folded", {400}, request(host=b" x: y\r\n" + HOST)
    for version in (b"HTTP/1.2", b"HTTP/2.0", b"HTTP/3.0", b"HTTP/0.9"):
        yield "P05", version.decode(), {505, 400}, request(b"POST " + PATH + b" " + version + b"\r\n")
    yield "P05", "CONNECT", {400, 405, 501}, request(b"CONNECT localhost:443 HTTP/1.1\r\n")
    yield "P05", "a target of 20,000 bytes", {414, 431}, request(b"POST /" + b"x" * 20_000 + b" HTTP/1.1\r\n")
    yield "P05", "a field of 20,000 bytes", {431}, request(fields=b"name: " + b"x" * 20_000 + b"\r\n" + LENGTH)
    yield "P05", "200 fields", {431}, request(fields=b"name: value\r\n" * 200 + LENGTH)
    yield "P05", "an expectation that is unknown", {417}, request(fields=b"expect: wonders\r\n" + LENGTH)
    for what, host in HOSTS:
        yield "P10", what, {400}, request(host=host)
    absolute = b"POST http://127.0.0.1" + PATH + b" HTTP/1.1\r\n"
    yield "P10", "a Host that is not the target's", {400}, request(absolute)
    yield "P10", "a target with a host and no Host", {400}, request(absolute, b"")
    for trailer in TRAILERS:
        yield "P11", f"the trailer {shown(trailer)}", {400}, a_chunk(last=b"0\r\n" + trailer + b"\r\n")
    yield "P11", "trailers of 20,000 bytes", {431, 400}, a_chunk(last=b"0\r\nname: " + b"x" * 20_000 + b"\r\n\r\n")
    yield "P11", "200 trailers", {431, 400}, a_chunk(last=b"0\r\n" + b"name: value\r\n" * 200 + b"\r\n")


# Requests that look odd and are right: each is answered, and so is what stands behind it.
TWINS = [
    ("P01", "Chunked in capitals", chunked(WHOLE, b"Transfer-Encoding: CHUNKED\r\n")),
    ("P02", "a length with leading zeros", request(fields=b"content-length: 00018\r\n")),
    ("P02", "a length with spaces around it", request(fields=b"content-length:  18 \t\r\n")),
    ("P03", "an extension", a_chunk(extension=b";name=value")),
    ("P03", "a size with leading zeros", a_chunk(size=b"00012")),
    ("P03", "one byte in each chunk", chunked(b"".join(b"1\r\n%c\r\n" % byte for byte in MESSAGE) + b"0\r\n\r\n")),
    ("P05", "one empty line before it", b"\r\n" + request()),
    ("P05", "no space behind the colon", request(fields=b"name:value\r\n" + LENGTH)),
    ("P05", "a value with bytes above ASCII", request(fields=b"name: \xc3\xa4\r\n" + LENGTH)),
    ("P07", "an offer to upgrade to h2c", request(
        fields=b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n" + LENGTH)),
    ("P10", "a target with the host that Host has", request(b"POST http://localhost" + PATH + b" HTTP/1.1\r\n")),
    ("P10", "a Host with a port", request(host=b"host: localhost:80\r\n")),
    ("P11", "a trailer", a_chunk(last=b"0\r\nname: value\r\n\r\n")),
    ("P11", "100-continue", request(fields=b"expect: 100-continue\r\n" + LENGTH)),
]  # fmt: skip
