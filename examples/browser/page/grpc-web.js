// A call by gRPC-Web, with JSON messages: nothing but fetch.

/** Calls a method with one request and gives its replies as they come. */
export async function* call(path, message) {
  const body = new TextEncoder().encode(JSON.stringify(message));
  const envelope = new Uint8Array(5 + body.length);
  new DataView(envelope.buffer).setUint32(1, body.length);
  envelope.set(body, 5);
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/grpc-web+json", "x-grpc-web": "1" },
    body: envelope,
  });
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  check(response.headers.get("grpc-status"), response.headers.get("grpc-message"));
  for await (const [flags, payload] of envelopes(response.body.getReader())) {
    if (!(flags & 128)) {
      yield JSON.parse(payload);
      continue;
    }
    const trailers = new Map(payload.trim().split("\r\n").map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }));
    return check(trailers.get("grpc-status") ?? "2", trailers.get("grpc-message"));
  }
  throw new Error("the reply ended without a status");
}

function check(status, message) {
  if (status && status !== "0") throw new Error(`gRPC status ${status}: ${decodeURIComponent(message ?? "")}`);
}

/** Flags and text of each envelope: one octet, the length, the payload. */
async function* envelopes(reader) {
  let rest = new Uint8Array();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const joined = new Uint8Array(rest.length + value.length);
    joined.set(rest);
    joined.set(value, rest.length);
    rest = joined;
    for (;;) {
      const size = rest.length < 5 ? Infinity : 5 + new DataView(rest.buffer).getUint32(1);
      if (rest.length < size) break;
      yield [rest[0], new TextDecoder().decode(rest.subarray(5, size))];
      rest = rest.slice(size);
    }
  }
}
